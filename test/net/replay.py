#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Sends what was captured once more, as it is: to those of the hosts named that each packet was for.

    replay.py CAPTURE INTERFACE ADDRESS=MAC..."""
import socket
import sys
import time

from scapy.all import IP, Ether, IPv6, rdpcap  # pylint: disable=no-name-in-module


def main():
    path, interface, *hosts = sys.argv[1:]
    macs = dict(host.rsplit("=", 1) for host in hosts)
    sent = 0
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as link:
        link.bind((interface, 0))
        for frame in rdpcap(path):
            ip = frame.getlayer(IP) or frame.getlayer(IPv6)
            if ip is None or macs.get(ip.dst) != frame[Ether].dst:
                continue
            link.send(bytes(frame))
            sent += 1
            time.sleep(0.002)
    print(sent, "sent again")
    return 0 if sent > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
