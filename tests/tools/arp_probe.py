#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""arp_probe.py IFACE VLAN SENDER_IP TARGET_IP [SECONDS]

Asks in VLAN (0 = untagged) who has TARGET_IP and prints the MAC that answers in
the same VLAN; exit status 1 if nobody does. The kernel takes the tag out of
what a packet socket receives and tells it beside (PACKET_AUXDATA).
"""
import socket
import struct
import sys
import time

PACKET_AUXDATA, SOL_PACKET, VLAN_VALID = 8, 263, 0x10


def frame(mac, vlan, sender, target):
    tag = struct.pack('!HH', 0x8100, vlan) if vlan else b''
    arp = struct.pack('!HHBBH', 1, 0x0800, 6, 4, 1)
    arp += mac + socket.inet_aton(sender) + bytes(6) + socket.inet_aton(target)
    return (b'\xff' * 6 + mac + tag + b'\x08\x06' + arp).ljust(60, b'\0')


def vlan_of(ancillary):
    for level, kind, data in ancillary:
        if level == SOL_PACKET and kind == PACKET_AUXDATA:
            status, _, _, _, _, tci, _ = struct.unpack('IIIHHHH', data[:20])
            return tci & 0xfff if status & VLAN_VALID else 0
    return 0


def main(iface, vlan, sender, target, seconds=2.0):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    s.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    s.bind((iface, 0))
    s.settimeout(0.2)
    end = time.monotonic() + float(seconds)
    while time.monotonic() < end:
        s.send(frame(s.getsockname()[4], int(vlan), sender, target))
        again = time.monotonic() + 0.3
        while time.monotonic() < again:
            try:
                data, ancillary, _, _ = s.recvmsg(2048, 256)
            except socket.timeout:
                continue
            if data[12:14] == b'\x08\x06' and data[20:22] == b'\0\x02' and \
                    data[28:32] == socket.inet_aton(target) and \
                    vlan_of(ancillary) == int(vlan):
                print(':'.join('%02x' % b for b in data[22:28]))
                return 0
    return 1


sys.exit(main(*sys.argv[1:]))
