#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A home agent of its own, to check homeport-mn against something that shares no code with it.

It holds bindings, judges every request against RFC 5944 section 3.6 (prints "VIOLATION ..." where the mobile node
broke a rule and exits 1 at the end), answers, and tunnels what its TUN device gets (RFC 2003); what comes by a reverse
tunnel (RFC 3024) it judges likewise and gives to that device. It can refuse, stay silent, run its clock wrong and
forge, so that the mobile node's repairs are seen.

It speaks for one key and one SPI for all. Not a product: it believes that it is alone on its link.
"""
import argparse
import fcntl
import hashlib
import hmac
import json
import os
import selectors
import signal
import socket
import struct
import sys
import time

NTP_UNIX = 2208988800
REQUEST = struct.Struct("!BBH4s4s4sII")
REPLY = struct.Struct("!BBH4s4sII")
DIGESTS = {"hmac-md5": hashlib.md5, "hmac-sha1": hashlib.sha1, "hmac-sha256": hashlib.sha256}
COLOCATED, REVERSE = 0x20, 0x02
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000
IP_RECVTTL = 12  # the module does not know it


class Malformed(Exception):
    pass


def extensions(message, at):
    """Yields (type, offset, data); all types used here have the short format."""
    while at < len(message):
        kind = message[at]
        if kind == 0:
            at += 1
            continue
        if at + 2 > len(message) or at + 2 + message[at + 1] > len(message):
            raise Malformed("extension runs past the end")
        yield kind, at, message[at + 2 : at + 2 + message[at + 1]]
        at += 2 + message[at + 1]


class Node:
    """What is remembered of one home address."""

    def __init__(self):
        self.care_of = None
        self.reverse = False
        self.until = 0.0
        self.accepted_id = 0
        self.last_id = None
        self.last_at = None
        self.last_care_of = None
        self.last_message = None
        self.nonce = None
        self.nonce_stale = False


class HomeAgent:
    def __init__(self, args):
        self.args = args
        self.address = socket.inet_aton(args.address)
        self.key = bytes.fromhex(args.key)
        self.digest = DIGESTS[args.algorithm]
        self.nodes = {}
        self.refusals = args.refuse[:]
        self.silence = args.silent
        self.violations = []
        self.counts = {"requests": 0, "accepted": 0, "refused": 0, "ignored": 0, "deregistered": 0, "tunnelled": 0,
                       "reversed": 0}
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
        self.udp.setsockopt(socket.IPPROTO_IP, IP_RECVTTL, 1)
        self.udp.bind((args.address, 434))
        self.udp.setblocking(False)
        self.raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, 4)
        self.raw.bind((args.address, 0))
        self.tun = None
        if args.tun:
            self.tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            fcntl.ioctl(self.tun, TUNSETIFF, struct.pack("16sH22x", args.tun.encode(), IFF_TUN | IFF_NO_PI))

    def violation(self, home, text):
        line = f"VIOLATION {socket.inet_ntoa(home)}: {text}"
        self.violations.append(line)
        if len(self.violations) < 20:
            print(line, flush=True)

    def now_ntp(self):
        t = time.time() + self.args.clock_ahead
        return int(t) + NTP_UNIX, int(t % 1 * 2**32)

    def check_flags(self, home, flags, lifetime, at_home, ttl):
        wanted = 0 if at_home else COLOCATED
        if not at_home and self.args.reverse and lifetime:
            wanted |= REVERSE
        if flags != wanted or (at_home and lifetime):
            self.violation(home, f"{'at home' if at_home else 'co-located'} with flags {flags:#x}, lifetime {lifetime}")
        if flags & REVERSE and ttl != 255:
            self.violation(home, f"asks for a reverse tunnel with TTL {ttl}")

    def check_rules(self, node, home, home_agent, care_of, ident, source, message):
        """What a mobile node must do whatever the answer will be."""
        if source != care_of:
            self.violation(home, "source of the request is not its care-of address")
        if home_agent != self.address:
            self.violation(home, "home agent field is not ours")
        now = time.monotonic()
        if node.last_at is not None:
            same_place = node.last_care_of == care_of
            # A second, as it was sent; here the first may have waited for its turn on a busy machine.
            if same_place and now - node.last_at < 0.95:
                self.violation(home, f"asked again after {now - node.last_at:.3f} s")
            if self.args.replay == "timestamp" and ident <= node.accepted_id:
                self.violation(home, "timestamp not greater than the last accepted")
            if self.args.replay == "nonce" and ident == node.last_id and message != node.last_message:
                self.violation(home, "retransmission differs")
            if self.args.replay == "timestamp" and ident == node.last_id:
                self.violation(home, "timestamp used twice")
        node.last_at, node.last_id, node.last_care_of, node.last_message = now, ident, care_of, message

    def authentic(self, message):
        found = [(at, data) for kind, at, data in extensions(message, REQUEST.size) if kind == 32]
        if len(found) != 1:
            return False
        at, data = found[0]
        if struct.unpack("!I", data[:4])[0] != self.args.spi:
            return False
        return hmac.compare_digest(hmac.new(self.key, message[: at + 6], self.digest).digest(), data[4:])

    def identification_code(self, node, high, low):
        """The code, and the high half of the reply's Identification (RFC 5944 section 5.7)."""
        if self.args.replay == "nonce":
            expected, node.nonce = node.nonce, int.from_bytes(os.urandom(4), "big")
            return (0 if high == expected else 133), node.nonce
        now_high, _ = self.now_ntp()
        if abs(high - now_high) <= 7 and (high << 32 | low) > node.accepted_id:
            return 0, high
        return 133, now_high

    def decide(self, node, message, high, low):
        if not self.authentic(message):
            return 131, high
        code, reply_high = self.identification_code(node, high, low)
        if code == 0 and self.refusals:
            code = self.refusals.pop(0)
        return code, reply_high

    def reply(self, code, lifetime, home, high, low):
        fixed = REPLY.pack(3, code, lifetime, home, self.address, high, low)
        key = self.key if not self.args.forge else b"\0" * len(self.key)
        start = fixed + struct.pack("!BBI", 32, 4 + self.digest().digest_size, self.args.spi)
        return start + hmac.new(key, start, self.digest).digest()

    def request(self, message, source, ttl):
        self.counts["requests"] += 1
        if len(message) < REQUEST.size or message[0] != 1:
            raise Malformed("no registration request")
        _, flags, lifetime, home, home_agent, care_of, high, low = REQUEST.unpack_from(message)
        node = self.nodes.setdefault(home, Node())
        self.check_flags(home, flags, lifetime, care_of == home, ttl)
        self.check_rules(node, home, home_agent, care_of, high << 32 | low, socket.inet_aton(source[0]), message)
        if self.silence > 0:
            self.silence -= 1
            self.counts["ignored"] += 1
            return None
        code, reply_high = self.decide(node, message, high, low)
        if code > 1:
            self.counts["refused"] += 1
            return self.reply(code, lifetime, home, reply_high, low)

        self.counts["accepted"] += 1
        lifetime = min(lifetime, self.args.max_lifetime)
        node.accepted_id = high << 32 | low
        node.care_of = care_of if lifetime else None
        node.reverse = bool(flags & REVERSE)
        node.until = time.monotonic() + lifetime
        if lifetime == 0:
            self.counts["deregistered"] += 1
            node.last_at = None  # whoever registers next may be another run of the simulator
        return self.reply(code, lifetime, home, reply_high, low)

    def serve_udp(self):
        for _ in range(256):
            try:
                message, ancillary, _, source = self.udp.recvmsg(2048, 64)
            except BlockingIOError:
                return
            try:
                answer = self.request(message, source, struct.unpack("i", ancillary[0][2])[0])
            except Malformed as why:
                self.violation(message[4:8].ljust(4, b"\0"), str(why))
                continue
            if answer is not None:
                self.udp.sendto(answer, source)

    def serve_tun(self):
        for _ in range(256):
            try:
                inner = os.read(self.tun, 65536)
            except BlockingIOError:
                return
            node = self.nodes.get(inner[16:20])
            if node is None or node.care_of is None or time.monotonic() >= node.until:
                continue
            self.raw.sendto(inner, (socket.inet_ntoa(node.care_of), 0))
            self.counts["tunnelled"] += 1

    def serve_raw(self):
        for _ in range(256):
            try:
                outer = self.raw.recv(65536, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            header = (outer[0] & 15) * 4
            inner = outer[header:]
            home = inner[12:16]
            node = self.nodes.get(home)
            if node is None or not node.reverse or node.care_of != outer[12:16] or time.monotonic() >= node.until:
                self.violation(home, f"reverse tunnel from {socket.inet_ntoa(outer[12:16])} that was not granted")
                continue
            if outer[1] != inner[1] or outer[6] & 0x40 != inner[6] & 0x40 or outer[8] < 32:
                self.violation(home, "outer TOS, DF or TTL")
            os.write(self.tun, inner)
            self.counts["reversed"] += 1

    def loop(self):
        selector = selectors.DefaultSelector()
        selector.register(self.udp, selectors.EVENT_READ, self.serve_udp)
        if self.tun is not None:
            selector.register(self.tun, selectors.EVENT_READ, self.serve_tun)
            selector.register(self.raw, selectors.EVENT_READ, self.serve_raw)
        while True:
            for key, _ in selector.select():
                key.data()

    def report(self):
        bound = sum(n.care_of is not None and time.monotonic() < n.until for n in self.nodes.values())
        print(json.dumps({**self.counts, "bound": bound, "violations": len(self.violations)}), flush=True)
        return 1 if self.violations else 0


def arguments():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--address", required=True, help="of the home agent")
    p.add_argument("--key", required=True, help="hexadecimal digits")
    p.add_argument("--spi", type=int, default=256)
    p.add_argument("--algorithm", choices=DIGESTS, default="hmac-md5")
    p.add_argument("--replay", choices=["timestamp", "nonce"], default="timestamp")
    p.add_argument("--max-lifetime", type=int, default=3600)
    p.add_argument("--tun", help="tunnel what this TUN device gets")
    p.add_argument("--reverse", action="store_true", help="reverse tunnels are asked for (T), and granted")
    p.add_argument("--refuse", type=int, nargs="*", default=[], help="codes for the first requests")
    p.add_argument("--silent", type=int, default=0, help="do not answer the first so many requests")
    p.add_argument("--clock-ahead", type=float, default=0, help="seconds")
    p.add_argument("--forge", action="store_true", help="sign replies with another key")
    return p.parse_args()


def main():
    agent = HomeAgent(arguments())

    def stop(*_):
        sys.exit(agent.report())

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    print("ready", flush=True)
    agent.loop()


if __name__ == "__main__":
    main()
