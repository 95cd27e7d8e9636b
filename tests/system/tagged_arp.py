#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Asks for 198.18.0.2 on interface IFACE by ARP in VLAN VLAN (0 = untagged).

Prints the VLAN of the answer, or "none" after a second. Needs no 8021q in the
kernel: the tag of a received frame comes beside its bytes (PACKET_AUXDATA).
"""
import socket
import struct
import sys
import time

SOL_PACKET, PACKET_AUXDATA, TP_STATUS_VLAN_VALID = 263, 8, 0x10

iface, vlan = sys.argv[1], int(sys.argv[2])
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
s.bind((iface, 0))
me = bytes.fromhex("020000000909")
tag = struct.pack("!HH", 0x8100, vlan) if vlan else b""
arp = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1)
arp += me + socket.inet_aton("198.18.0.1")
arp += bytes(6) + socket.inet_aton("198.18.0.2")
s.send(b"\xff" * 6 + me + tag + b"\x08\x06" + arp + bytes(18))
end = time.time() + 1
while time.time() < end:
    s.settimeout(max(end - time.time(), 0.01))
    try:
        data, aux, _, _ = s.recvmsg(2048, 256)
    except socket.timeout:
        break
    if data[:6] != me or data[-26:-24] == b"\x00\x01":
        continue
    seen = 0
    for level, kind, value in aux:
        if level == SOL_PACKET and kind == PACKET_AUXDATA:
            status, _, _, _, _, tci, _ = struct.unpack("=IIIHHHH", value[:20])
            if status & TP_STATUS_VLAN_VALID:
                seen = tci & 0xFFF
    if data[12:14] == b"\x81\x00":
        seen = struct.unpack("!H", data[14:16])[0] & 0xFFF
    print(seen)
    sys.exit(0)
print("none")
