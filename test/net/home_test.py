#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The home test of the return routability procedure (RFC 6275 section 5.2.5), made by other hands than the appliance's: a mobile
node's end and a correspondent's.

    home_test.py correspond                           answers each home test init and care-of test init; prints a line for each
    home_test.py init CARE-OF [OPTION...]             sends one in ESP in tunnel mode (RFC 6275 section 10.4.6), or with --plain in the
                                                      plain tunnel; prints one line:
        test from HOME-AGENT number N hops H              a home test with our cookie came in ESP, its sequence number, the hops left
        silence                                           none did within --wait

Home address, home agent and keys are the lab's."""
import argparse
import os
import socket
import struct
import sys
import time

from scapy.layers.inet6 import IPv6
from scapy.layers.ipsec import ESP, SecurityAssociation
from scapy.packet import Raw

HOME, HOME_AGENT, CORRESPONDENT = "2001:db8:1::50", "2001:db8:1::2", "2001:db8:9::2"
MOBILITY, NO_NEXT, IPV6_CHECKSUM, CHECKSUM_AT = 135, 59, 7, 4
INIT, TEST = 1, 3
CARE_OF_INIT, CARE_OF_TEST = 2, 4
ANSWERS = {INIT: ("init", TEST), CARE_OF_INIT: ("care-of init", CARE_OF_TEST)}
KEY, AUTH_KEY = bytes(range(16)), bytes(range(32))
SPI_TO_AGENT, SPI_FROM_AGENT = 3000, 3001


def association(spi, source, destination):
    return SecurityAssociation(ESP, spi=spi, crypt_algo="AES-CBC", crypt_key=KEY, auth_algo="SHA2-256-128", auth_key=AUTH_KEY,
                               tunnel_header=IPv6(src=source, dst=destination))


def mobility_socket():
    """The kernel puts in checksums, and takes none that are wrong."""
    s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, MOBILITY)
    s.setsockopt(socket.IPPROTO_IPV6, IPV6_CHECKSUM, CHECKSUM_AT)
    return s


def correspond():
    with mobility_socket() as link:
        print("listening", flush=True)
        while True:
            message, sender = link.recvfrom(2048)
            if len(message) < 16 or message[2] not in ANSWERS:
                continue
            what, answer = ANSWERS[message[2]]
            print(f"{what} from {sender[0]} cookie {message[8:16].hex()}", flush=True)
            link.sendto(struct.pack(">BBBBHH", NO_NEXT, 2, answer, 0, 0, 7) + message[8:16] + b"a token!", sender[:1] + (0,))


def checksum(packet):
    """Of the Mobility Header of a packet without other headers."""
    raw = bytes(packet)
    words = raw[8:40] + struct.pack(">II", len(raw) - 40, MOBILITY) + raw[40:]
    total = sum(struct.unpack(f">{len(words) // 2}H", words))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def home_test_init(cookie):
    packet = bytearray(bytes(IPv6(src=HOME, dst=CORRESPONDENT, nh=MOBILITY, hlim=64) / Raw(
        struct.pack(">BBBBHH", NO_NEXT, 1, INIT, 0, 0, 0) + cookie)))
    packet[44:46] = struct.pack(">H", checksum(packet))
    return IPv6(bytes(packet))


def opened(sealed, o):
    """The packet in what came as ESP; None: it is none that concerns us."""
    if int.from_bytes(sealed[:4], "big") != SPI_FROM_AGENT:
        return None
    outer = IPv6(src=HOME_AGENT, dst=o.care_of, nh=50) / ESP(sealed)
    return association(SPI_FROM_AGENT, HOME_AGENT, o.care_of).decrypt(IPv6(bytes(outer)))


def said_of(sealed, sender, cookie, o):
    inner = opened(sealed, o)
    if inner is None or inner.nh != MOBILITY:
        return None
    raw = bytes(inner)
    good = (inner.src, inner.dst) == (CORRESPONDENT, HOME) and checksum(raw) == 0 and raw[42] == TEST and raw[48:56] == cookie
    return f"test from {sender} number {int.from_bytes(sealed[4:8], 'big')} hops {inner.hlim}" if good else f"wrong {raw.hex()}"


def init(o):
    cookie = os.urandom(8)
    inner = home_test_init(cookie)
    sa = association(SPI_TO_AGENT, o.care_of, HOME_AGENT)
    packet = bytes(IPv6(src=o.care_of, dst=HOME_AGENT) / inner if o.plain else sa.encrypt(inner, seq_num=o.number))
    with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ESP) as link, \
            socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW) as out:
        out.sendto(packet, (HOME_AGENT, 0))
        end = time.monotonic() + o.wait
        while (left := end - time.monotonic()) > 0:
            link.settimeout(left)
            try:
                sealed, sender = link.recvfrom(2048)
            except TimeoutError:
                break
            said = said_of(sealed, sender[0], cookie, o)
            if said:
                return said
    return "silence"


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("what", choices=("correspond", "init"))
    p.add_argument("care_of", nargs="?")
    p.add_argument("--plain", action="store_true")
    p.add_argument("--number", type=int, default=1, help="ESP's sequence number")
    p.add_argument("--wait", type=float, default=2)
    o = p.parse_args()
    if o.what == "correspond":
        correspond()
    print(init(o))


if __name__ == "__main__":
    sys.exit(main())
