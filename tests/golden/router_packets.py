#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes router_packets.txt: packets before and after a router, by scapy.

A line is one case, words separated by spaces, frames in hex:
  forward IN OUT       a router with hop 0e:00:00:00:00:bb by 0a:00:00:00:00:02
  error TYPE CODE REST IN OUT   the ICMP error from 198.18.0.1, IP id 7, as IP
  echo IN OUT          the answer to a ping, IP id 7, as IP
  arp OP MAC IP TO_IP IN        an ARP frame and what it says

Run it in tests/golden; the result is committed, tests do not need scapy.
"""
import random

from scapy.all import ARP, ICMP, IP, TCP, UDP, Ether, IPOption_NOP, Raw, conf

conf.ipv6_enabled = False
random.seed(1812)

MAC0, MAC1 = "0a:00:00:00:00:01", "0a:00:00:00:00:02"
HOST_A, HOST_B = "0e:00:00:00:00:aa", "0e:00:00:00:00:bb"


def hexed(p):
    return bytes(p).hex()


def pad(data):
    return data + bytes(60 - len(data)) if len(data) < 60 else data


def datagram(n, **ip):
    upper = random.choice([UDP(sport=n, dport=53), TCP(sport=n, dport=80),
                           ICMP(type=8, id=n, seq=1)])
    load = bytes(random.randrange(256) for _ in range(random.randrange(600)))
    return IP(src="198.18.0.2", dst="198.19.3.4", id=n, **ip) / upper / load


def forward(n):
    p = datagram(n, ttl=random.randrange(2, 256), tos=random.randrange(256),
                 flags=random.choice([0, "DF", "MF"]))
    frame = Ether(dst=MAC0, src=HOST_A) / p
    out = IP(bytes(p))
    out.ttl -= 1
    del out.chksum
    before = pad(bytes(frame))
    after = pad(bytes(Ether(dst=HOST_B, src=MAC1) / out))
    print("forward", before.hex(), after.hex())


def error(n, kind, code, rest):
    p = datagram(n, ttl=1 if kind == 11 else 9)
    if n % 3 == 0:
        p[IP].options = [IPOption_NOP()] * 4
        p = IP(bytes(p))
    quote = bytes(p)[:548]
    body = bytes([kind, code, 0, 0]) + rest.to_bytes(4, "big") + quote
    icmp = ICMP(body)
    del icmp.chksum
    out = IP(src="198.18.0.1", dst="198.18.0.2", id=7, ttl=64, tos=0xc0,
             proto=1) / Raw(bytes(icmp))
    print("error", kind, code, rest, hexed(p), hexed(out))


def echo(n):
    load = bytes(random.randrange(256) for _ in range(n * 7))
    p = IP(src="198.18.0.2", dst="198.18.0.1", id=n, tos=n) / \
        ICMP(type=8, id=n, seq=n) / load
    r = IP(src="198.18.0.1", dst="198.18.0.2", id=7, ttl=64, tos=n) / \
        ICMP(type=0, id=n, seq=n) / load
    print("echo", hexed(p), hexed(r))


def arp(n):
    op = 1 + n % 2
    mac = "0e:00:00:00:%02x:%02x" % (n, random.randrange(256))
    ip, to = "198.18.0.%d" % (n + 2), "198.18.0.1"
    p = Ether(dst="ff:ff:ff:ff:ff:ff" if op == 1 else MAC0, src=mac) / \
        ARP(op=op, hwsrc=mac, psrc=ip, pdst=to)
    print("arp", op, mac, ip, to, hexed(p))


def main():
    for n in range(60):
        forward(n)
    for n in range(20):
        error(n, 11, 0, 0)
        error(n, 3, n % 4, 0)
        error(n, 3, 4, 1280 + n)
        echo(n)
        arp(n)


main()
