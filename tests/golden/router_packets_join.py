#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes router_packets_join.txt: packets and their pieces, by scapy, in an order
of no use.

A line is one case, words separated by spaces, packets in hex, as IP:
  join4 WHOLE N PIECE...
  join6 WHOLE N PIECE...

Run it in tests/golden; the result is committed, tests do not need scapy.
"""
import random

from scapy.all import (ICMP, IP, UDP, ICMPv6EchoRequest, IPOption_NOP, IPv6,
                       IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, Raw, conf,
                       fragment, fragment6)

conf.ipv6_enabled = False
random.seed(815)

A, HERE = "198.18.0.2", "198.18.0.1"
A6, HERE6 = "2001:db8::2", "2001:db8::1"


def noise(n):
    return bytes(random.randrange(256) for _ in range(n))


def show(kind, whole, pieces):
    random.shuffle(pieces)
    print(kind, bytes(whole).hex(), len(pieces),
          *(bytes(p).hex() for p in pieces))


def join4(n):
    upper = random.choice([UDP(sport=n, dport=53), ICMP(type=8, id=n, seq=1)])
    p = IP(src=A, dst=HERE, id=1000 + n, tos=n) / upper / Raw(noise(100 + n * 90))
    if n % 3 == 0:
        p[IP].options = [IPOption_NOP()] * 4
    p = IP(bytes(p))
    n_pieces = random.randrange(2, 10)
    show("join4", p, fragment(p, max(24, len(p) // n_pieces // 8 * 8)))


def join6(n):
    head = cut = IPv6(src=A6, dst=HERE6)
    if n % 3 == 0:
        head, cut = head / IPv6ExtHdrDestOpt(), cut / IPv6ExtHdrDestOpt()
    upper = ICMPv6EchoRequest(id=n, seq=n, data=noise(1300 + n * 90))
    whole = IPv6(bytes(head / upper))
    # the checksum is that of the whole
    cut = cut / IPv6ExtHdrFragment(id=n) / whole[ICMPv6EchoRequest]
    show("join6", whole, fragment6(IPv6(bytes(cut)), 1280))


def main():
    for n in range(20):
        join4(n)
        join6(n)


main()
