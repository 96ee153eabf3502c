#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Encapsulated datagrams as the far end of a mobile node's tunnel sends them to its home agent (RFC 3024, RFC 6275 section 10.4.5),
or somebody else.

    reverse.py HOW OUTER-SOURCE INNER-SOURCE DESTINATION [COUNT]

COUNT datagrams (1) to the lab's home agent; HOW: ipip, gre, minimal, or twice (IP in IP in IP in IP); of IPv6 ipv6, limit (with a
tunnel encapsulation limit, RFC 2473 section 4.1.1), or ipv6-twice. Inside is UDP to port 7777."""
import socket
import sys

from scapy.all import GRE, IP, UDP, Raw, checksum, conf, send  # pylint: disable=no-name-in-module
from scapy.layers.inet6 import HBHOptUnknown, IPv6, IPv6ExtHdrDestOpt

HOME_AGENT, HOME_AGENT6, PORT, MINIMAL, SOURCE_PRESENT = "10.1.0.2", "2001:db8:1::2", 7777, 55, 0x80
LIMIT = IPv6ExtHdrDestOpt(options=[HBHOptUnknown(otype=4, optlen=1, optdata=b"\4")])


def minimal(outer, inner):
    """RFC 2004: the packet's own header in front, what it was behind it."""
    raw = bytes(inner)
    header = bytearray([raw[9], SOURCE_PRESENT, 0, 0]) + raw[16:20] + raw[12:16]
    header[2:4] = checksum(bytes(header)).to_bytes(2, "big")
    outer.proto = MINIMAL
    return outer / Raw(bytes(header) + raw[20:])


def encapsulated(how, outer, inner):
    if how == "ipip":
        return outer / inner
    if how == "gre":
        return outer / GRE() / inner
    if how == "twice":
        return outer / IP(src=inner.src, dst=HOME_AGENT) / inner
    return minimal(outer, inner)


def send_ipv6(how, outer_source, inner, count):
    inner = {"ipv6": inner, "limit": LIMIT / inner, "ipv6-twice": IPv6(src=inner.src, dst=HOME_AGENT6) / inner}[how]
    packet = bytes(IPv6(src=outer_source, dst=HOME_AGENT6) / inner)
    with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW) as out:
        for _ in range(count):
            out.sendto(packet, (HOME_AGENT6, 0))


def main():
    how, outer_source, inner_source, destination, *count = sys.argv[1:]
    count = int(count[0]) if count else 1
    ipv6 = ":" in outer_source
    inner = (IPv6 if ipv6 else IP)(src=inner_source, dst=destination) / UDP(sport=PORT, dport=PORT) / Raw(b"reverse")
    if ipv6:
        send_ipv6(how, outer_source, inner, count)
        return
    conf.verb = 0
    send(encapsulated(how, IP(src=outer_source, dst=HOME_AGENT), inner), count=count)


if __name__ == "__main__":
    main()
