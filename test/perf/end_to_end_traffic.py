#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""What test/perf/end-to-end feeds to the programs that it compares, all of it for the same home addresses.

    end_to_end_traffic.py DIRECTORY ADDRESSES SEED FIRST-HOME-ADDRESS HOME-AGENT GATEWAY

    frames.pcap       UDP packets to every home address in random order, again and again up to LEAST_FRAMES, and one ARP reply by which
                      the home agent learns the gateway's MAC address
    mobile-nodes.csv  their security associations, for homeportd and homeport-mn
    em.rules          l3fwd's exact matches, one for each packet
    lpm.rules         l3fwd's longest prefixes: of 24 bits, as it takes a thousand rules
    em6.rules, lpm6.rules  what it asks for besides

It says how many frames there are."""
import ipaddress
import os
import random
import struct
import sys

DEVICE_MAC = bytes.fromhex("027063617000")  # that of the first net_pcap device of a process
GATEWAY_MAC = bytes.fromhex("020000000001")
SENDER = ipaddress.IPv4Address("192.0.2.1")
PORT = 4000
UDP = 17
FRAME = 60  # 64 bytes on the wire: with the frame check sequence, which no device shows
LEAST_FRAMES = 16384
KEY = "hex:000102030405060708090a0b0c0d0e0f"


def checksum(header):
    total = sum(struct.unpack(f">{len(header) // 2}H", header))
    total = (total & 0xffff) + (total >> 16)
    return ~(total + (total >> 16)) & 0xffff


def udp_frame(home):
    size = FRAME - 14
    header = struct.pack(">BBHHHBBH4s4s", 0x45, 0, size, 0, 0, 64, UDP, 0, SENDER.packed, home.packed)
    header = header[:10] + struct.pack(">H", checksum(header)) + header[12:]
    udp = struct.pack(">HHHH", PORT, PORT, size - len(header), 0)
    return (DEVICE_MAC + GATEWAY_MAC + b"\x08\x00" + header + udp).ljust(FRAME, b"\0")


def arp_reply(sender, target):
    arp = struct.pack(">HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 2, GATEWAY_MAC, sender.packed, DEVICE_MAC, target.packed)
    return (DEVICE_MAC + GATEWAY_MAC + b"\x08\x06" + arp).ljust(FRAME, b"\0")


def write_pcap(path, frames):
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for frame in frames:
            file.write(struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame)


def write_lines(path, lines):
    with open(path, "w", encoding="ascii") as file:
        file.writelines(line + "\n" for line in lines)


def in_random_order(homes, chance):
    """Whole rounds, so that no address gets more than another."""
    order = []
    while len(order) < LEAST_FRAMES:
        order += chance.sample(homes, len(homes))
    return order


def networks_of(homes):
    return sorted({ipaddress.IPv4Network((home, 24), strict=False) for home in homes})


def main():
    directory, count, seed, *addresses = sys.argv[1:]
    first, home_agent, gateway = map(ipaddress.IPv4Address, addresses)
    homes = [first + i for i in range(int(count))]

    def path(name):
        return os.path.join(directory, name)

    frames = [udp_frame(home) for home in in_random_order(homes, random.Random(int(seed)))]
    frames.append(arp_reply(gateway, home_agent))
    write_pcap(path("frames.pcap"), frames)
    write_lines(path("mobile-nodes.csv"), (f"{home},256,{KEY}" for home in homes))
    write_lines(path("em.rules"), (f"R{home} {SENDER} {PORT} {PORT} {UDP} 0" for home in homes))
    write_lines(path("lpm.rules"), (f"R{network} 0" for network in networks_of(homes)))
    write_lines(path("em6.rules"), [f"R2001:db8::1 2001:db8::2 {PORT} {PORT} {UDP} 0"])
    write_lines(path("lpm6.rules"), ["R2001:db8::/64 0"])
    print(len(frames))


if __name__ == "__main__":
    main()
