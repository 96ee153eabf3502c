#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""One binding update of a mobile node (RFC 6275 section 6.1.7, RFC 4285), made by other hands than the appliance's, sound or with
one fault; says what came back.

    mobile_node6.py update CARE-OF [OPTION...]    sends it; prints one line:
        ack STATUS sequence N lifetime S [home H] [timestamp T] [unsigned|forged]    a binding acknowledgement (home: of its routing header)
        error STATUS home H                                                           a binding error
        problem CODE pointer N                                                        an ICMPv6 parameter problem
        silence                                                                       nothing within --wait
    mobile_node6.py bytes CARE-OF [OPTION...]     prints the Mobility Header as hexadecimal digits

The home address, home agent, SPI and key are the lab's unless told otherwise."""
import argparse
import hmac
import ipaddress
import socket
import struct
import sys
import time

HOME, HOME_AGENT, SPI, KEY = "2001:db8:1::50", "2001:db8:1::2", 256, bytes(range(16))
SINCE_1900 = 2208988800
MOBILITY, ICMPV6, ROUTING, DESTINATION, NO_NEXT = 135, 58, 43, 60, 59
UPDATE, ACK, ERROR = 5, 6, 7
ACKNOWLEDGE, HOME_REGISTRATION, MOBILE_ROUTER = 0x8000, 0x4000, 0x0400
ALTERNATE, NONCES, IDENTIFIER, AUTHENTICATION, REPLAY = 3, 4, 8, 9, 10
ALIGNMENT = {ALTERNATE: (8, 6), NONCES: (2, 0), AUTHENTICATION: (8, 5), REPLAY: (8, 2)}  # xn + y
PARAMETER_PROBLEM, ETH_P_IPV6 = 4, 0x86DD


def packed(address):
    return ipaddress.IPv6Address(address).packed


def checksum(source, destination, protocol, data):
    total = packed(source) + packed(destination) + struct.pack(">II", len(data), protocol) + data + bytes(len(data) % 2)
    total = sum(struct.unpack(f">{len(total) // 2}H", total))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def padding(n):
    return b"" if n == 0 else b"\0" if n == 1 else bytes([1, n - 2]) + bytes(n - 2)


def aligned(message, kind):
    multiple, rest = ALIGNMENT.get(kind, (1, 0))
    return message + padding((rest - len(message)) % multiple)


def append(message, kind, data):
    return aligned(message, kind) + bytes([kind, len(data)]) + data


def signed(message, o):
    """At 4n + 1, and since nothing comes behind the last option, where it ends the whole at a multiple of eight: at 8n + 5."""
    message = aligned(message, AUTHENTICATION) + bytes([AUTHENTICATION, 17, 1]) + struct.pack(">I", o.spi)
    length = (len(message) + 12) // 8 - 1
    covered = message[:1] + bytes([length]) + message[2:4] + b"\0\0" + message[6:]
    key = bytes(16) if o.fault == "wrong-key" else o.key
    care_of = o.home if o.at_home else o.alternate
    return message + hmac.digest(key, packed(care_of) + packed(o.home) + covered, "sha1")[:12]


def update(o):
    """The Mobility Header, its checksum for the home address as source."""
    flags = {"no-home-flag": ACKNOWLEDGE, "router": ACKNOWLEDGE | HOME_REGISTRATION | MOBILE_ROUTER}.get(
        o.fault, ACKNOWLEDGE | HOME_REGISTRATION)
    message = struct.pack(">BBBBHHHH", NO_NEXT, 0, 77 if o.fault == "type" else UPDATE, 0, 0, o.sequence, flags,
                          o.lifetime // 4)
    if not o.at_home and o.fault != "no-alternate":
        message = append(message, ALTERNATE, packed(o.alternate))
    if o.fault == "nonce":
        message = append(message, NONCES, bytes(4))
    if o.nai:
        message = append(message, IDENTIFIER, b"\1" + o.nai.encode())
    if o.timestamp is not None:
        message = append(message, REPLAY, struct.pack(">Q", o.timestamp))
    if o.fault != "no-auth":
        message = signed(message, o)
    message += padding(-len(message) % 8)
    if o.fault == "option-length":
        message = message[:-18] + b"\xff" + message[-17:]
    message = bytearray(message)
    message[1] = {"length": 0, "too-long": len(message) // 8}.get(o.fault, len(message) // 8 - 1)
    if o.fault == "proto":
        message[0] = 17
    if o.fault == "length":
        message = message[:8]
    value = checksum(o.home, o.home_agent, MOBILITY, bytes(message))
    message[4:6] = struct.pack(">H", value ^ (0x0101 if o.fault == "checksum" else 0))
    return bytes(message)


def home_address_option(address):
    return bytes([201, 16]) + packed(address)


def datagram(o):
    message = update(o)
    header, first = b"", MOBILITY
    if not o.at_home and o.fault != "no-home-address":
        options = padding(4) + home_address_option(o.home)
        if o.fault == "home-twice":
            options += padding(6) + home_address_option(o.home)
        header, first = bytes([MOBILITY, (2 + len(options)) // 8 - 1]) + options, DESTINATION
    source = o.home if o.at_home else o.care_of
    return struct.pack(">IHBB", 6 << 28, len(header) + len(message), first, 64) + packed(source) + \
        packed(o.home_agent) + header + message


# ---- What comes back ----

def options_of(message):
    at = 12
    while at < len(message):
        if message[at] == 0:
            at += 1
            continue
        kind, length = message[at:at + 2]
        yield kind, at, message[at + 2:at + 2 + length]
        at += 2 + length


def ack_line(message, home, o):
    status, sequence, lifetime = message[6], *struct.unpack_from(">HH", message, 8)
    said = f"ack {status} sequence {sequence} lifetime {lifetime * 4}"
    proof = " unsigned"
    if home:
        said += f" home {home}"
    for kind, at, data in options_of(message):
        if kind == REPLAY:
            said += f" timestamp {int.from_bytes(data, 'big')}"
        if kind == AUTHENTICATION:
            covered = message[:4] + b"\0\0" + message[6:at + 7]
            care_of = o.home if o.at_home else o.alternate
            right = hmac.digest(o.key, packed(care_of) + packed(o.home) + covered, "sha1")[:12]
            proof = "" if data[5:] == right else " forged"
    return said + proof


def answer_in(raw, o):
    """None: it is none."""
    protocol, at, home = raw[6], 40, None
    source, destination = (str(ipaddress.IPv6Address(raw[i:i + 16])) for i in (8, 24))
    if protocol == ROUTING and raw[42:44] == b"\2\1":
        protocol, at, home = raw[40], 64, str(ipaddress.IPv6Address(raw[48:64]))
    message = raw[at:40 + int.from_bytes(raw[4:6], "big")]
    if destination not in (o.care_of, o.home) or checksum(source, home or destination, protocol, message) != 0:
        return None
    if protocol == MOBILITY and message[2] == ACK:
        return ack_line(message, home, o)
    if protocol == MOBILITY and message[2] == ERROR:
        return f"error {message[6]} home {ipaddress.IPv6Address(message[8:24])}"
    if protocol == ICMPV6 and message[0] == PARAMETER_PROBLEM:
        return f"problem {message[1]} pointer {int.from_bytes(message[4:8], 'big')}"
    return None


def ask(o):
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IPV6)) as link, \
            socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW) as out:
        out.sendto(datagram(o), (o.home_agent, 0))
        end = time.monotonic() + o.wait
        while (left := end - time.monotonic()) > 0:
            link.settimeout(left)
            try:
                raw, where = link.recvfrom(2048)
            except TimeoutError:
                break
            said = answer_in(raw, o) if where[2] != socket.PACKET_OUTGOING else None
            if said:
                return said
    return "silence"


def parse():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("what", choices=("update", "bytes"))
    p.add_argument("care_of")
    p.add_argument("--home", default=HOME)
    p.add_argument("--home-agent", default=HOME_AGENT)
    p.add_argument("--spi", type=int, default=SPI)
    p.add_argument("--key", type=bytes.fromhex, default=KEY)
    p.add_argument("--sequence", type=int, default=int(time.time() * 10) & 0xFFFF)
    p.add_argument("--lifetime", type=int, default=600)
    p.add_argument("--alternate", help="in place of the care-of address")
    p.add_argument("--nai")
    p.add_argument("--ahead", type=float, help="with a timestamp, so many seconds after now")
    p.add_argument("--timestamp", type=int, help="with this one")
    p.add_argument("--at-home", action="store_true")
    p.add_argument("--wait", type=float, default=2.5, help="for the answer: duplicate address detection takes a second")
    p.add_argument("--fault", default="", choices=(
        "", "checksum", "type", "proto", "length", "too-long", "option-length", "nonce", "no-auth", "wrong-key", "no-home-flag",
        "no-home-address", "home-twice", "router", "no-alternate"))
    o = p.parse_args()
    if o.ahead is not None:
        o.timestamp = int((time.time() + SINCE_1900 + o.ahead) * 2**32)
    o.alternate = o.alternate or o.care_of
    return o


def main():
    o = parse()
    print(update(o).hex() if o.what == "bytes" else ask(o))


if __name__ == "__main__":
    sys.exit(main())
