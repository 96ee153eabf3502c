#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""One odd IPv6 datagram to a host, and what it says to it: "TYPE CODE POINTER" of its ICMPv6 error, "reply", or "silence".

    odd6.py WHAT SOURCE DESTINATION     WHAT: a row of ODD"""
import socket
import sys
import time

from scapy.layers.inet6 import (HBHOptUnknown, ICMPv6EchoReply, ICMPv6EchoRequest, ICMPv6ParamProblem, IPv6, IPv6ExtHdrDestOpt,
                                IPv6ExtHdrRouting, PadN, _ICMPv6Error)
from scapy.packet import Raw

ETH_P_IPV6, WAIT_S = 0x86DD, 1
PING = ICMPv6EchoRequest(id=7, seq=1, data=b"odd")


def option(kind):
    """A destination options header with an option that nobody knows; its first two bits say what is asked for."""
    return IPv6ExtHdrDestOpt(options=[HBHOptUnknown(otype=kind, optlen=4, optdata=b"\0" * 4)]) / PING


ODD = {
    "padded": IPv6ExtHdrDestOpt(options=[PadN(optdata=b"\0" * 4)]) / PING,
    "option-skip": option(0x3e),
    "option-drop": option(0x7e),
    "option-tell": option(0xbe),
    "option-tell-unicast": option(0xfe),
    "next-header": Raw(b"\0" * 8),
    "routing-type-0": IPv6ExtHdrRouting(addresses=["2001:db8:9::77"], segleft=1) / PING,
    "checksum": ICMPv6EchoRequest(id=7, seq=1, data=b"odd", cksum=0x1234),
    "empty": b"",
}


def datagram(what, source, destination):
    payload = ODD[what]
    head = IPv6(src=source, dst=destination)
    if what == "next-header":
        head.nh = 253  # for experiments (RFC 3692)
    return IPv6(bytes(head / payload)) if payload else IPv6(src=source, dst=destination, nh=59)


def meaning(answer):
    """None: it is no answer."""
    if ICMPv6EchoReply in answer:
        return "reply"
    if ICMPv6ParamProblem in answer:
        problem = answer[ICMPv6ParamProblem]
        return f"{problem.type} {problem.code} {problem.ptr}"
    error = answer.getlayer(_ICMPv6Error)
    return f"{error.type} {error.code} 0" if error else None


def ask(odd):
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IPV6)) as link, \
            socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW) as out:
        out.sendto(bytes(odd), (odd.dst, 0))
        end = time.monotonic() + WAIT_S
        while (left := end - time.monotonic()) > 0:
            link.settimeout(left)
            try:
                raw, where = link.recvfrom(2048)
            except TimeoutError:
                break
            said = meaning(IPv6(raw)) if where[2] == socket.PACKET_HOST else None
            if said:
                return said
    return "silence"


def main():
    print(ask(datagram(*sys.argv[1:])))


if __name__ == "__main__":
    main()
