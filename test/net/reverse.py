#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Encapsulated datagrams as the far end of a mobile node's tunnel sends them to its home agent (RFC 3024), or somebody else.

    reverse.py HOW OUTER-SOURCE INNER-SOURCE DESTINATION [COUNT]

COUNT datagrams (1) to the lab's home agent; HOW: ipip, gre, minimal, or twice (IP in IP in IP in IP). Inside is UDP to port 7777."""
import sys

from scapy.all import GRE, IP, UDP, Raw, checksum, conf, send  # pylint: disable=no-name-in-module

HOME_AGENT, PORT, MINIMAL, SOURCE_PRESENT = "10.1.0.2", 7777, 55, 0x80


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


def main():
    how, outer_source, inner_source, destination, *count = sys.argv[1:]
    inner = IP(src=inner_source, dst=destination) / UDP(sport=PORT, dport=PORT) / Raw(b"reverse")
    packet = encapsulated(how, IP(src=outer_source, dst=HOME_AGENT), inner)
    conf.verb = 0
    send(packet, count=int(count[0]) if count else 1)


if __name__ == "__main__":
    main()
