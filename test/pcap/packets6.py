# SPDX-License-Identifier: BSD-3-Clause
"""IPv6 packets as the RFCs have them, built without any of the appliance's code: frames and neighbour discovery
by scapy, Mobility Headers and what tunnels and routers do to a packet by hand."""
import hashlib
import hmac
import socket
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from scapy.config import conf
from scapy.layers.inet import TCP, UDP
from scapy.layers.inet6 import (ICMPv6EchoRequest, ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptDstLLAddr,
                                ICMPv6NDOptSrcLLAddr, IPv6)
from scapy.layers.l2 import Ether
from scapy.packet import Raw

conf.verb = 0
__all__ = ["Ether", "ICMPv6EchoRequest", "IPv6", "Raw", "TCP", "UDP", "acknowledgement", "address6",
           "advertisement", "binding_update", "decremented6", "destination_options", "encapsulated6", "esp",
           "esp_tunnel", "flow_label", "fragment6", "fragments6", "frame6", "hop_by_hop", "icmp6_error", "icmp6_of", "link_local",
           "of_home_address", "probe6", "home_test", "sealed", "solicitation", "solicited_node", "text6", "to_home_address", "with_payload",
           "ACCEPTED", "AUTHENTICATED", "ESP", "HOME_REGISTRATION", "HOME_TEST", "LINK_LOCAL"]

ALL_NODES, ALL_NODES_MAC = "ff02::1", "33:33:00:00:00:01"
IPV6, ROUTING, FRAGMENT, ESP, ICMPV6, NOTHING, OPTIONS, MOBILITY = 41, 43, 44, 50, 58, 59, 60, 135
HOME_TEST_INIT, HOME_TEST, UPDATE, ACKNOWLEDGEMENT = 1, 3, 5, 6
AUTHENTICATED, HOME_REGISTRATION, LINK_LOCAL, ACCEPTED = 0x8000, 0x4000, 0x2000, 0
ERROR_MAX = 1280  # of an ICMPv6 error, RFC 4443 section 2.4 (c)


def address6(text):
    return socket.inet_pton(socket.AF_INET6, text)


def text6(octets):
    return socket.inet_ntop(socket.AF_INET6, bytes(octets))


def link_local(mac):
    """RFC 4291 appendix A: the modified EUI-64."""
    octets = bytes.fromhex(mac.replace(":", ""))
    return text6(b"\xfe\x80" + bytes(6) + bytes([octets[0] ^ 2]) + octets[1:3] + b"\xff\xfe" + octets[3:])


def solicited_node(address):
    """RFC 4291 section 2.7.1."""
    return text6(address6("ff02::1:ff00:0")[:13] + address6(address)[13:])


def group_mac(group):
    """RFC 2464 section 7."""
    return "33:33:" + ":".join(f"{octet:02x}" for octet in address6(group)[12:])


def frame6(source, destination, packet):
    return bytes(Ether(src=source, dst=destination, type=0x86dd)) + bytes(packet)


# ---- Neighbour discovery (RFC 4861) ----

def solicitation(mac, source, target, to=None):
    """Section 4.3. to: the station that is asked alone, (MAC address, address)."""
    to_mac, to_address = to or (group_mac(solicited_node(target)), solicited_node(target))
    packet = IPv6(src=source, dst=to_address, hlim=255) / ICMPv6ND_NS(tgt=target)
    if source != "::":
        packet /= ICMPv6NDOptSrcLLAddr(lladdr=mac)
    return frame6(mac, to_mac, packet)


def probe6(mac, target):
    """RFC 4862 section 5.4.2: duplicate address detection."""
    return solicitation(mac, "::", target)


def advertisement(mac, source, target, flags, to=(ALL_NODES_MAC, ALL_NODES)):
    """Section 4.4; flags: of R, S, O those that are set, in one text."""
    packet = IPv6(src=source, dst=to[1], hlim=255) / ICMPv6ND_NA(
        tgt=target, R="R" in flags, S="S" in flags, O="O" in flags) / ICMPv6NDOptDstLLAddr(lladdr=mac)
    return frame6(mac, to[0], packet)


# ---- IPv6 ----

def checksum(data):
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def upper_checksum(source, destination, protocol, payload):
    """RFC 8200 section 8.1."""
    pseudo = address6(source) + address6(destination) + struct.pack("!II", len(payload), protocol)
    return checksum(pseudo + payload)


def header(source, destination, protocol, payload_len, traffic_class=0, label=0, hops=64):
    first = 6 << 28 | traffic_class << 20 | label
    return struct.pack("!IHBB", first, payload_len, protocol, hops) + address6(source) + address6(destination)


def with_payload(source, destination, protocol, payload, **fields):
    return header(source, destination, protocol, len(payload), **fields) + payload


def decremented6(packet):
    packet = bytearray(bytes(packet))
    packet[7] -= 1
    return bytes(packet)


def options_header(protocol, options):
    """RFC 8200 sections 4.3 and 4.6, padded by PadN or Pad1."""
    padding = -(2 + len(options)) % 8
    pad = b"" if padding == 0 else b"\0" if padding == 1 else bytes([1, padding - 2]) + bytes(padding - 2)
    return bytes([protocol, (2 + len(options) + padding) // 8 - 1]) + options + pad


def inserted(packet, protocol, options):
    """The same packet with an options header in front of what it bears."""
    packet = bytes(packet)
    extension = options_header(packet[6], options)
    length = struct.unpack_from("!H", packet, 4)[0] + len(extension)
    return packet[:4] + struct.pack("!HB", length, protocol) + packet[7:40] + extension + packet[40:]


def destination_options(packet, options):
    return inserted(packet, OPTIONS, options)


def hop_by_hop(packet, options):
    return inserted(packet, 0, options)


def flow_label(inner):
    """The appliance's own choice (RFC 6438 section 3 asks for one that is the flow's): of addresses, and flow
    label or protocol, two products of 64 bits each, whose halves are added without carry."""
    def mixed(a, b):
        product = a * b
        return (product & 0xffffffffffffffff) ^ product >> 64
    odd = (0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9, 0x94d049bb133111eb)
    if inner[0] >> 4 == 6:
        half = struct.unpack("<4Q", inner[8:40])
        label = struct.unpack("<I", bytes([0, inner[1] & 15]) + inner[2:4])[0]
    else:
        half = struct.unpack("<Q", inner[12:20]) + (0, 0, 0)
        label = inner[9]
    value = mixed(half[0] ^ odd[0], half[1] ^ odd[1] ^ label)
    value = mixed(half[2] ^ value, half[3] ^ odd[2])
    return value >> 44 or 1


def encapsulated6(inner, source, destination, limit=None):
    """RFC 2473 sections 3.1 and 5.1 around an IPv6 packet whose hop limit is as it shall arrive; limit: that
    of the tunnel encapsulation limit option, None: there is none."""
    inner = bytes(inner)
    traffic_class = struct.unpack_from("!H", inner)[0] >> 4 & 0xff
    front, protocol = b"", IPV6
    if limit is not None:
        front, protocol = options_header(IPV6, bytes([4, 1, limit])), OPTIONS
    return with_payload(source, destination, protocol, front + inner, traffic_class=traffic_class,
                        label=flow_label(inner))


def fragments6(packet, mtu, identification, behind=40):
    """RFC 8200 section 4.5: each but the last as large as may be. behind: the bytes that each begins with, of the
    header and at most one options header."""
    size = len(bytes(packet)) - behind
    take = (mtu - behind - 8) // 8 * 8
    return [fragment6(packet, at, min(at + take, size), at + take < size, identification, behind)
            for at in range(0, size, take)]


def fragment6(packet, start, end, more, identification, behind=40):
    """One of them, bytes from start to end of what is cut."""
    packet = bytes(packet)
    named = 6 if behind == 40 else 40
    head, part = bytearray(packet[:behind]), packet[behind:][start:end]
    extension = struct.pack("!BBHI", head[named], 0, start | more, identification)
    head[named] = FRAGMENT
    struct.pack_into("!H", head, 4, behind - 40 + len(extension) + len(part))
    return bytes(head) + extension + part


def icmp6_of(source, destination, kind, code, rest, data):
    message = struct.pack("!BBHI", kind, code, 0, rest) + data
    message = message[:2] + struct.pack("!H", upper_checksum(source, destination, ICMPV6, message)) + message[4:]
    return with_payload(source, destination, ICMPV6, message)


def icmp6_error(source, about, kind, code, rest=0):
    """To the sender of a packet, quoting as much as fits (RFC 4443 section 3)."""
    about = bytes(about)
    return icmp6_of(source, text6(about[8:24]), kind, code, rest, about[:ERROR_MAX - 48])


# ---- Mobility Headers (RFC 6275 section 6.1) ----

def aligned(message, option, multiple, offset):
    """An option at a multiple of so many bytes, and so many more."""
    gap = (offset - len(message)) % multiple
    pad = b"" if gap == 0 else b"\0" if gap == 1 else bytes([1, gap - 2]) + bytes(gap - 2)
    return message + pad + option


def mobility(kind, data):
    """Header length and checksum come at the end."""
    return bytes([NOTHING, 0, kind, 0, 0, 0]) + data


def binding_update(sequence, flags, lifetime_s, care_of=None, timestamp=None):
    """Section 6.1.7; care_of: the alternate care-of address (section 6.2.5). timestamp: RFC 4285 section 6."""
    message = mobility(UPDATE, struct.pack("!HHH", sequence, flags, lifetime_s // 4))
    if care_of is not None:
        message = aligned(message, bytes([3, 16]) + address6(care_of), 8, 6)
    return stamped(message, timestamp)


def acknowledgement(status, sequence, lifetime_s, timestamp=None):
    """Section 6.1.8."""
    message = mobility(ACKNOWLEDGEMENT, struct.pack("!BBHH", status, 0, sequence, lifetime_s // 4))
    return stamped(message, timestamp)


def stamped(message, timestamp):
    if timestamp is None:
        return message
    return aligned(message, bytes([10, 8]) + struct.pack("!Q", timestamp), 8, 2)


def finished(message, checked):
    """checked: the addresses that the checksum covers."""
    source, destination = checked
    padding = -len(message) % 8
    if padding:
        message += b"\0" if padding == 1 else bytes([1, padding - 2]) + bytes(padding - 2)
    message = bytes([message[0], len(message) // 8 - 1]) + message[2:]
    return message[:4] + struct.pack("!H", upper_checksum(source, destination, MOBILITY, message)) + message[6:]


def sealed(message, association, care_of, home, checked, flip=0):
    """RFC 4285 section 5.1: the authentication option comes last, and covers care-of address, home address and
    the message up to its own SPI with its final length and the checksum zero. association: None, it is not
    signed."""
    if association is None:
        return finished(message, checked)
    spi, key = association[:2]
    message = aligned(message, bytes([9, 17, 1]) + struct.pack("!I", spi), 4, 1)
    total = -(-(len(message) + 12) // 8) * 8
    covered = address6(care_of) + address6(home) + bytes([message[0], total // 8 - 1]) + message[2:]
    authenticator = bytearray(hmac.new(key, covered, hashlib.sha1).digest()[:12])
    authenticator[-1] ^= flip
    return finished(message + bytes(authenticator), checked)


def of_home_address(source, destination, home, message, protocol=MOBILITY, **fields):
    """From a mobile node that is away: a Home Address option (section 6.3) at 8n+6."""
    extension = bytes([protocol, 2, 1, 2, 0, 0, 201, 16]) + address6(home)
    return with_payload(source, destination, OPTIONS, extension + message, **fields)


def to_home_address(source, destination, home, message, protocol=MOBILITY):
    """To one: a type 2 routing header (section 6.4)."""
    extension = bytes([protocol, 2, 2, 1, 0, 0, 0, 0]) + address6(home)
    return with_payload(source, destination, ROUTING, extension + message)


def esp(spi, number, key, payload, protocol=MOBILITY):
    """RFC 4303 section 2 in transport mode, without encryption (RFC 2410), by HMAC-SHA1-96 (RFC 2404)."""
    padding = -(len(payload) + 2) % 4
    covered = struct.pack("!II", spi, number) + payload + bytes(range(1, padding + 1)) + bytes([padding, protocol])
    return covered + hmac.new(key, covered, hashlib.sha1).digest()[:12]


def esp_tunnel(spi, number, keys, packet):
    """RFC 4303 section 2 in tunnel mode, by AES-CBC (RFC 3602) and HMAC-SHA1-96; keys: of both."""
    packet = bytes(packet)
    padding, vector = -(len(packet) + 2) % 16, bytes([number]) * 16
    cipher = Cipher(algorithms.AES(keys[0]), modes.CBC(vector)).encryptor()
    hidden = cipher.update(packet + bytes(range(1, padding + 1)) + bytes([padding, IPV6])) + cipher.finalize()
    covered = struct.pack("!II", spi, number) + vector + hidden
    return covered + hmac.new(keys[1], covered, hashlib.sha1).digest()[:12]


def home_test(source, destination, hops=64, kind=HOME_TEST_INIT):
    """Sections 6.1.3 and 6.1.5."""
    fields = bytes(2) + b"a cookie" + (b"a token " if kind == HOME_TEST else b"")
    return with_payload(source, destination, MOBILITY, finished(mobility(kind, fields), (source, destination)), hops=hops)
