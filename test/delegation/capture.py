# SPDX-License-Identifier: BSD-3-Clause
"""Writes captures of UDP datagrams."""
import ipaddress
import struct


def checksum(header):
    total = sum(struct.unpack(f">{len(header) // 2}H", header))
    return ~((total & 0xffff) + (total >> 16)) & 0xffff


def frame(payload, source, destination, port):
    """Ethernet, IPv4 and UDP without a checksum."""
    udp = struct.pack(">HHHH", port, port, 8 + len(payload), 0) + payload
    ends = ipaddress.IPv4Address(source).packed + ipaddress.IPv4Address(destination).packed
    ip = bytearray(struct.pack(">BBHHHBBH8s", 0x45, 0, 20 + len(udp), 0, 0x4000, 64, 17, 0, ends))
    ip[10:12] = struct.pack(">H", checksum(ip))
    return bytes.fromhex("0200000000030200000000020800") + bytes(ip) + udp


def capture_write(path, payloads, source="10.1.0.2", destination="10.1.0.3", port=49434):
    """A capture of these datagrams, a millisecond apart."""
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for number, payload in enumerate(payloads):
            packet = frame(payload, source, destination, port)
            file.write(struct.pack("<IIII", number // 1000, number % 1000 * 1000, len(packet), len(packet)) + packet)
