# SPDX-License-Identifier: BSD-3-Clause
"""Packets as the RFCs have them, built without any of the appliance's code: frames by scapy, Mobile IP
messages and what tunnels and routers do to a packet by hand."""
import hashlib
import hmac
import socket
import struct

from scapy.config import conf
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw

conf.verb = 0
__all__ = ["ARP", "Ether", "ICMP", "IP", "Message", "Raw", "TCP", "UDP", "address", "announcement", "arp",
           "arp_answer", "arp_request", "decremented", "encapsulated", "encapsulated_gre", "encapsulated_minimal", "fragment_of", "fragments", "frame", "hop_taken",
           "icmp_error", "icmp_of", "ip_bytes", "ntp", "of_our_own", "own_encapsulated", "probe", "reply", "request",
           "udp_of", "with_checksum",
           "BROADCAST", "MIP_PORT", "MHAE", "FHAE", "GENERALIZED", "NAI", "SIMULTANEOUS", "BROADCASTS", "DECAPSULATION",
           "MINIMAL", "GRE", "REVERSE"]

BROADCAST = "ff:ff:ff:ff:ff:ff"
ETHERNET_MIN = 60  # without the frame check sequence
QUOTE_MAX = 576    # of an ICMP error, RFC 1812 section 4.3.2.3

MIP_PORT = 434
MHAE, FHAE, GENERALIZED, NAI = 32, 34, 36, 131
SIMULTANEOUS, BROADCASTS, DECAPSULATION, MINIMAL, GRE, REVERSE = 0x80, 0x40, 0x20, 0x10, 0x08, 0x02
DIGESTS = {"hmac-md5": hashlib.md5, "hmac-sha1": hashlib.sha1, "hmac-sha256": hashlib.sha256}


def address(text):
    return bytes(int(part) for part in text.split("."))


def ntp(at_us):
    """RFC 5905 section 6: seconds since 1900, and their fraction."""
    return (at_us // 1000000 + 2208988800) << 32 | (at_us % 1000000 << 32) // 1000000


# ---- Frames ----

def frame(source, destination, packet):
    """An Ethernet frame with an IPv4 packet, bytes or scapy's."""
    return bytes(Ether(src=source, dst=destination, type=0x0800)) + bytes(packet)


def arp(operation, sender_mac, sender, target_mac, target, to=BROADCAST, frame_source=None):
    packet = Ether(src=frame_source or sender_mac, dst=to) / ARP(
        op=operation, hwsrc=sender_mac, psrc=sender, hwdst=target_mac, pdst=target)
    return bytes(packet).ljust(ETHERNET_MIN, b"\0")


def arp_request(mac, sender, target, to=BROADCAST):
    return arp(1, mac, sender, "00:00:00:00:00:00", target, to)


def arp_answer(mac, sender, to_mac, to):
    return arp(2, mac, sender, to_mac, to, to=to_mac)


def probe(mac, target):
    """RFC 5227 section 2.1.1."""
    return arp_request(mac, "0.0.0.0", target)


def announcement(mac, home, frame_source=None):
    """Gratuitous ARP, RFC 5944 section 4.6, in the form of a request."""
    return arp(1, mac, home, "00:00:00:00:00:00", home, frame_source=frame_source)


# ---- IPv4 ----

def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data[:len(data) // 2 * 2]))
    if len(data) % 2:
        total += data[-1] << 8
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ip_bytes(packet):
    return bytearray(bytes(packet))


def header_len(packet):
    return (packet[0] & 15) * 4


def with_checksum(packet):
    """The same IPv4 packet with the checksum that its header ought to have."""
    packet = ip_bytes(packet)
    packet[10:12] = b"\0\0"
    struct.pack_into("!H", packet, 10, checksum(bytes(packet[:header_len(packet)])))
    return bytes(packet)


def decremented(packet):
    packet = ip_bytes(packet)
    packet[8] -= 1
    return with_checksum(packet)


hop_taken = decremented


def is_df(packet):
    return bool(packet[6] & 0x40)


def encapsulated(inner, source, destination, identification):
    """RFC 2003 section 3.1 around a packet whose TTL is as it shall arrive. With DF set the identification
    does not matter and is 0 (RFC 6864 section 4.1)."""
    df = is_df(inner)
    return bytes(IP(src=source, dst=destination, tos=inner[1], ttl=64, proto=4, flags="DF" if df else 0,
                    id=0 if df else identification) / Raw(bytes(inner)))


def encapsulated_gre(inner, source, destination, identification):
    """RFC 2784 section 2, without checksum: version 0, protocol 0800."""
    df = is_df(inner)
    return bytes(IP(src=source, dst=destination, tos=inner[1], ttl=64, proto=47, flags="DF" if df else 0,
                    id=0 if df else identification) / Raw(b"\0\0\x08\0" + bytes(inner)))


def encapsulated_minimal(inner, source, destination):
    """RFC 2004 section 3, with the original source: the header stays in front, changed."""
    end = header_len(inner)
    forwarding = bytes([inner[9], 0x80, 0, 0]) + inner[16:20] + inner[12:16]
    forwarding = forwarding[:2] + struct.pack("!H", checksum(forwarding)) + forwarding[4:]
    outer = bytearray(inner[:end])
    outer[2:4] = struct.pack("!H", len(inner) + len(forwarding))
    outer[9] = 55
    outer[12:20] = socket.inet_aton(source) + socket.inet_aton(destination)
    return with_checksum(bytes(outer)) + forwarding + inner[end:]


def own_encapsulated(inner, source, destination):
    """The same with DF set whatever is inside, which MAY be done (RFC 2003 section 3.1)."""
    return bytes(IP(src=source, dst=destination, tos=inner[1], ttl=64, proto=4, flags="DF", id=0) /
                 Raw(bytes(inner)))


def copied_options(options):
    """RFC 791 section 3.1: those that go with every fragment, padded to whole words."""
    out, at = b"", 0
    while at < len(options) and options[at] != 0:
        size = 1 if options[at] == 1 else options[at + 1]
        if options[at] & 0x80:
            out += options[at:at + size]
        at += size
    return out + bytes(-len(out) % 4)


def fragments(packet, mtu):
    """RFC 791 section 3.2, of a packet that may be a fragment itself. It may cut where it likes: all
    fragments but the last carry as much as the first can beside all its options."""
    packet = bytes(packet)
    head, data = packet[:header_len(packet)], packet[header_len(packet):]
    word = struct.unpack_from("!H", head, 6)[0]
    offset, more, made = word & 0x1fff, word & 0x2000, []
    take = (mtu - len(head)) // 8 * 8
    while len(data) > take:
        made.append((head, offset, 0x2000, data[:take]))
        data, offset = data[take:], offset + take // 8
        if len(made) == 1:
            options = copied_options(head[20:])
            head = bytes([0x40 | 5 + len(options) // 4]) + head[1:20] + options
    made.append((head, offset, more, data))
    return [fragment_bytes(*each) for each in made]


def fragment_of(packet, start, end, more=False):
    """Some bytes of a whole packet's payload, by themselves."""
    head = packet[:header_len(packet)]
    return fragment_bytes(head, start // 8, 0x2000 if more else 0, packet[len(head):][start:end])


def fragment_bytes(head, offset, more, data):
    packet = ip_bytes(head + data)
    struct.pack_into("!H", packet, 2, len(packet))
    struct.pack_into("!H", packet, 6, more | offset)
    return with_checksum(packet)


def icmp_of(source, destination, ident, icmp, rest, data, tos=0):
    """An ICMP message, its checksum by hand: scapy pads and extends what it knows."""
    message = struct.pack("!BBHI", icmp[0], icmp[1], 0, rest) + data
    message = message[:2] + struct.pack("!H", checksum(message)) + message[4:]
    return bytes(IP(src=source, dst=destination, tos=tos, ttl=64, proto=1, id=ident) / Raw(message))


def of_our_own(packet):
    """A datagram of at most 576 bytes, which every host takes whole, is sent atomic: DF, no identification
    (RFC 6864 sections 4.1 and 4.3)."""
    packet = ip_bytes(packet)
    if len(packet) <= QUOTE_MAX:
        struct.pack_into("!HH", packet, 4, 0, 0x4000)
    return with_checksum(packet)


def icmp_error(source, about, ident, icmp, rest=0):
    """To the sender of a packet, quoting up to 576 bytes in all; precedence 6 and the packet's TOS, RFC 1812
    sections 4.3.2.3 and 4.3.2.5."""
    about = bytes(about)
    total = struct.unpack_from("!H", about, 2)[0]
    quote = about[:min(total, QUOTE_MAX - 28)]
    sender = ".".join(str(b) for b in about[12:16])
    return of_our_own(icmp_of(source, sender, ident, icmp, rest, quote, tos=0xc0 | about[1] & 0x1c))


def udp_of(source, destination, source_port, destination_port, payload, ident=0, ttl=64, **fields):
    return bytes(IP(src=source, dst=destination, id=ident, ttl=ttl) /
                 UDP(sport=source_port, dport=destination_port, **fields) / Raw(payload))


# ---- Mobile IP messages (RFC 5944) ----

class Message(bytes):
    """A message to which extensions are appended; each step gives a new one."""

    def extension(self, kind, data):
        return Message(self + bytes([kind, len(data)]) + data)

    def long_extension(self, kind, subtype, data):
        """Section 1.10: the length is of what follows it."""
        return Message(self + struct.pack("!BBH", kind, subtype, len(data)) + data)

    def authenticated(self, kind, association, flip=0):
        """Section 3.5.1: over all that stands before, and the extension's type, length and SPI."""
        spi, key, algorithm = association
        digest = DIGESTS[algorithm]
        covered = self + struct.pack("!BBI", kind, 4 + digest().digest_size, spi)
        authenticator = bytearray(hmac.new(key, covered, digest).digest())
        authenticator[-1] ^= flip
        return Message(covered + bytes(authenticator))


def request(home, home_agent, care_of, identification, lifetime=600, flags=0):
    """Section 3.3."""
    return Message(struct.pack("!BBH", 1, flags, lifetime) + address(home) + address(home_agent) +
                   address(care_of) + struct.pack("!Q", identification))


def reply(code, lifetime, home, home_agent, identification):
    """Section 3.4."""
    return Message(struct.pack("!BBH", 3, code, lifetime) + address(home) + address(home_agent) +
                   struct.pack("!Q", identification))
