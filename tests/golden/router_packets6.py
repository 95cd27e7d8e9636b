#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes router_packets6.txt: IPv6 packets, fragments, options, and packets with
one mistake each, as scapy builds them.

A line is one case, words separated by spaces, frames in hex:
  forward6 IN OUT      a router with hop 0e:00:00:00:00:bb by 0a:00:00:00:00:02
  error6 TYPE CODE REST IN OUT  the ICMPv6 error from 2001:db8::1, as IPv6
  echo6 IN OUT         the answer of 2001:db8::1 to a ping, as IPv6
  nd TYPE MAC SRC DST TARGET FRAME   what a router at 0a:...:01 sends
  hear TYPE MAC SRC DST TARGET FRAME what a router hears
  wrong4 REASON IN     a frame, and the counter that it belongs to
  wrong6 REASON IN
  fragment MTU N IN OUT... an IPv4 packet, and the N pieces of it
  stamp WHERE IN OUT   record route or timestamp: 198.18.1.1, 12:34:56.789

Run it in tests/golden; the result is committed, tests do not need scapy.
"""
import random

from scapy.all import (ICMP, IP, TCP, UDP, Ether, ICMPv6DestUnreach,
                       ICMPv6EchoReply, ICMPv6EchoRequest,
                       ICMPv6ND_NA, ICMPv6ND_NS,
                       ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr,
                       ICMPv6PacketTooBig, ICMPv6ParamProblem,
                       ICMPv6TimeExceeded, IPOption_NOP, IPOption_RR,
                       IPOption_Timestamp, IPv6, IPv6ExtHdrDestOpt,
                       IPv6ExtHdrFragment, Raw, conf, fragment)

conf.ipv6_enabled = False
random.seed(8200)

MAC0, MAC1 = "0a:00:00:00:00:01", "0a:00:00:00:00:02"
HOST_A, HOST_B = "0e:00:00:00:00:aa", "0e:00:00:00:00:bb"
HERE, A, B = "2001:db8::1", "2001:db8::2", "2001:db8:2::4"


def hexed(p):
    return bytes(p).hex()


def pad(data):
    return data + bytes(60 - len(data)) if len(data) < 60 else data


def noise(n):
    return bytes(random.randrange(256) for _ in range(n))


def upper(n):
    return random.choice([UDP(sport=n, dport=53), TCP(sport=n, dport=80),
                          ICMPv6EchoRequest(id=n, seq=1)])


def forward6(n):
    p = IPv6(src=A, dst=B, hlim=random.randrange(2, 256),
             tc=random.randrange(256), fl=random.randrange(1 << 20))
    if n % 5 == 1:
        p /= IPv6ExtHdrDestOpt()
    if n % 7 == 1:
        p /= IPv6ExtHdrFragment(offset=n, m=1, id=n)
    p = p / upper(n) / noise(random.randrange(200))
    before = pad(bytes(Ether(dst=MAC0, src=HOST_A) / p))
    out = IPv6(bytes(p))
    out.hlim -= 1
    after = pad(bytes(Ether(dst=HOST_B, src=MAC1) / out))
    print("forward6", before.hex(), after.hex())


def error6(n):
    p = IPv6(src=A, dst=B, hlim=9) / upper(n) / noise(n * (100 if n % 4 == 0 else 10))
    quote = bytes(p)[:1232]
    kind, head, rest = random.choice([
        (1, ICMPv6DestUnreach(code=n % 5), 0),
        (2, ICMPv6PacketTooBig(mtu=1280 + n), 1280 + n),
        (3, ICMPv6TimeExceeded(), 0),
        (4, ICMPv6ParamProblem(code=n % 3, ptr=40 + n), 40 + n)])
    out = IPv6(src=HERE, dst=A, hlim=64) / head / Raw(quote)
    print("error6", kind, head.code, rest, hexed(p), hexed(out))


def echo6(n):
    load = noise(n * 7)
    p = IPv6(src=A, dst=HERE) / ICMPv6EchoRequest(id=n, seq=n, data=load)
    r = IPv6(src=HERE, dst=A, hlim=64) / ICMPv6EchoReply(id=n, seq=n, data=load)
    print("echo6", hexed(p), hexed(r))


def nd():
    sol = "ff02::1:ff00:7"
    ns = Ether(dst="33:33:ff:00:00:07", src=MAC0) / \
        IPv6(src=HERE, dst=sol, hlim=255) / ICMPv6ND_NS(tgt="2001:db8::7") / \
        ICMPv6NDOptSrcLLAddr(lladdr=MAC0)
    print("nd", 135, "-", HERE, sol, "2001:db8::7", hexed(ns))
    ns = Ether(dst=HOST_A, src=MAC0) / \
        IPv6(src=HERE, dst=A, hlim=255) / ICMPv6ND_NS(tgt=A) / \
        ICMPv6NDOptSrcLLAddr(lladdr=MAC0)
    print("nd", 135, HOST_A, HERE, A, A, hexed(ns))
    for dst, mac, s in ((A, HOST_A, 1), ("ff02::1", "33:33:00:00:00:01", 0)):
        na = Ether(dst=mac, src=MAC0) / IPv6(src=HERE, dst=dst, hlim=255) / \
            ICMPv6ND_NA(tgt=HERE, R=1, S=s, O=1) / \
            ICMPv6NDOptDstLLAddr(lladdr=MAC0)
        print("nd", 136, mac, HERE, dst, HERE, hexed(na))


def hear():
    sol = "ff02::1:ff00:1"
    p = Ether(dst="33:33:ff:00:00:01", src=HOST_A) / \
        IPv6(src=A, dst=sol, hlim=255) / ICMPv6ND_NS(tgt=HERE) / \
        ICMPv6NDOptSrcLLAddr(lladdr=HOST_A)
    print("hear", 135, HOST_A, A, sol, HERE, hexed(p))
    p = Ether(dst="33:33:ff:00:00:01", src=HOST_A) / \
        IPv6(src="::", dst=sol, hlim=255) / ICMPv6ND_NS(tgt=HERE)
    print("hear", 135, "-", "::", sol, HERE, hexed(p))
    p = Ether(dst=MAC0, src=HOST_A) / IPv6(src=A, dst=HERE, hlim=255) / \
        ICMPv6ND_NA(tgt=A, R=0, S=1, O=1) / ICMPv6NDOptDstLLAddr(lladdr=HOST_A)
    print("hear", 136, HOST_A, A, HERE, A, hexed(p))


def wrong4():
    eth = Ether(dst=MAC0, src=HOST_A, type=0x0800)
    good = {"src": "198.18.0.2", "dst": "198.19.3.4"}
    udp = UDP(sport=7, dport=7) / noise(30)
    cases = [("ip_too_short", Raw(bytes(IP(**good) / udp)[:n]))
             for n in (0, 1, 19)]
    cases += [("bad_checksum", IP(chksum=n, **good) / udp) for n in (0, 7)]
    cases += [("bad_version", IP(version=n, **good) / udp)
              for n in (0, 3, 5, 6, 15)]
    cases += [("bad_header_length", IP(ihl=n, **good) / udp) for n in range(5)]
    cases += [("bad_total_length", IP(len=n, **good) / udp)
              for n in (0, 19, 59, 1500, 65535)]
    cases += [("bad_total_length", IP(len=20, options=[IPOption_NOP()] * 4,
                                      **good) / udp)]
    cases += [("martian_source", IP(src=s, dst=good["dst"]) / udp)
              for s in ("0.0.0.0", "0.1.2.3", "127.0.0.1", "224.0.0.1",
                        "240.0.0.1", "255.255.255.255")]
    cases += [("martian_destination", IP(src=good["src"], dst=d) / udp)
              for d in ("0.0.0.0", "127.0.0.1", "240.0.0.1",
                        "255.255.255.254")]
    cases += [("multicast", IP(src=good["src"], dst="233.252.0.1") / udp),
              ("broadcast", IP(src=good["src"], dst="255.255.255.255") / udp),
              ("broadcast", IP(src=good["src"], dst="198.18.1.255") / udp)]
    for reason, p in cases:
        print("wrong4", reason, hexed(eth / p))


def wrong6():
    eth = Ether(dst=MAC0, src=HOST_A, type=0x86dd)
    good = {"src": A, "dst": B}
    udp = UDP(sport=7, dport=7) / noise(30)
    cases = [("ip_too_short", Raw(bytes(IPv6(**good) / udp)[:n]))
             for n in (0, 1, 39)]
    cases += [("bad_version", IPv6(version=n, **good) / udp)
              for n in (0, 4, 5, 7, 15)]
    cases += [("bad_total_length", IPv6(plen=n, **good) / udp)
              for n in (0, 39, 65535)]
    cases += [("martian_source", IPv6(src=s, dst=B) / udp)
              for s in ("::", "::1", "::ffff:198.18.0.2", "ff02::1",
                        "ff0e::1")]
    cases += [("martian_destination", IPv6(src=A, dst=d) / udp)
              for d in ("::", "::1", "::ffff:198.18.0.2")]
    cases += [("multicast", IPv6(src=A, dst=d) / udp)
              for d in ("ff05::2", "ff0e::1")]
    for reason, p in cases:
        print("wrong6", reason, hexed(eth / p))
    print("wrong6", "group_mac",
          hexed(Ether(dst="33:33:00:00:00:04", src=HOST_A) /
                IPv6(**good) / udp))


def pieces(n):
    p = IP(src="198.18.0.2", dst="198.19.3.4", id=n, ttl=9) / \
        UDP(sport=n, dport=53) / noise(1400 + 97 * n)
    mtu = 576 + 60 * n
    out = fragment(IP(bytes(p)), fragsize=(mtu - 20) // 8 * 8)
    if n % 3 == 0:  # a piece is cut again: its offset and its "more" go on
        p = IP(bytes(p))
        p.flags, p.frag = "MF", 1000
        del p.chksum
        p = IP(bytes(p))
        data = bytes(p.payload)
        size = (mtu - 20) // 8 * 8
        out = [IP(src=p.src, dst=p.dst, id=n, ttl=9, proto=17, flags="MF",
                  frag=1000 + at // 8) / Raw(data[at:at + size])
               for at in range(0, len(data), size)]
    print("fragment", mtu, len(out), hexed(p), *[hexed(q) for q in out])


def stamp():
    own = "198.18.1.1"
    others = ["192.0.2.1", "192.0.2.2"]
    ms = ((12 * 60 + 34) * 60 + 56) * 1000 + 789

    def packet(option):
        return IP(src="198.18.0.2", dst="198.19.3.4", id=7, ttl=9,
                  options=[option]) / UDP(sport=7, dport=7) / b"load"

    def rr(pointer, routers):
        return IPOption_RR(pointer=pointer, routers=routers)

    def ts(pointer, flg, words, oflw=0):
        body = b"".join(w.to_bytes(4, "big") for w in words)
        return Raw(bytes([68, 4 + len(body), pointer, oflw << 4 | flg]) + body)

    def ip(text):
        a, b, c, d = [int(x) for x in text.split(".")]
        return a << 24 | b << 16 | c << 8 | d

    def show(before, after):
        def whole(option):
            data = bytes(option)
            data += bytes(-len(data) % 4)
            p = IP(src="198.18.0.2", dst="198.19.3.4", id=7, ttl=9,
                   ihl=5 + len(data) // 4, len=28 + 4 + len(data)) / \
                Raw(data + bytes(UDP(sport=7, dport=7, len=12, chksum=0)) +
                    b"load")
            p.proto = 17
            raw = bytearray(bytes(p))
            raw[10:12] = b"\0\0"
            total = sum(int.from_bytes(raw[i:i + 2], "big")
                        for i in range(0, 20 + len(data), 2))
            while total >> 16:
                total = (total & 0xffff) + (total >> 16)
            raw[10:12] = (total ^ 0xffff).to_bytes(2, "big")
            return raw.hex()
        print("stamp", own, whole(before), whole(after))

    zero = "0.0.0.0"
    show(rr(4, [zero] * 3), rr(8, [own, zero, zero]))
    show(rr(8, [others[0], zero]), rr(12, [others[0], own]))
    show(rr(12, others), rr(12, others))
    show(ts(5, 0, [0, 0]), ts(9, 0, [ms, 0]))
    show(ts(9, 0, [5, 0]), ts(13, 0, [5, ms]))
    show(ts(13, 0, [5, 6]), ts(13, 0, [5, 6], 1))
    show(ts(13, 0, [5, 6], 14), ts(13, 0, [5, 6], 15))
    show(ts(5, 1, [0, 0, 0, 0]), ts(13, 1, [ip(own), ms, 0, 0]))
    show(ts(5, 3, [ip(own), 0]), ts(13, 3, [ip(own), ms]))
    show(ts(5, 3, [ip(others[0]), 0]), ts(5, 3, [ip(others[0]), 0]))


def main():
    for n in range(60):
        forward6(n)
    for n in range(30):
        error6(n)
    for n in range(20):
        echo6(n)
    nd()
    hear()
    wrong4()
    wrong6()
    for n in range(12):
        pieces(n)
    stamp()


main()
