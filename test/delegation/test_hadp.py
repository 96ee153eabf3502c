#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""hadp.py on captures: it verifies a session by its HELLOs, and sees what is forged, broken or against the
protocol. Exit status 77: there is no scapy."""
import importlib.util
import pathlib
import subprocess
import sys
import tempfile
import unittest

import hadp
from capture import capture_write

SPI, KEY = 300, bytes(range(32))
PRIMARY = hadp.End(1, 0xa1, bytes(range(16)))
SECONDARY = hadp.End(2, 0xb2, bytes(range(16, 32)))
SESSION = hadp.session_key(KEY, PRIMARY, SECONDARY)
ROLES = {PRIMARY: hadp.PRIMARY, SECONDARY: hadp.SECONDARY}
OTHER = {PRIMARY: SECONDARY, SECONDARY: PRIMARY}


def hello(end, kind="HELLO", peer_nonce=bytes(16), **change):
    record = {"type": "HELLO", "role": ROLES[end], "lowest_version": 1, "highest_version": 1, "nonce": end.nonce,
              "peer_nonce": peer_nonce}
    return hadp.build({"type": kind, "flags": hadp.RESPONSE if kind == "HELLO_ACK" else 0, "spi": SPI,
                       "epoch": end.epoch, "node": end.id, "records": [record],
                       "peer_epoch": OTHER[end].epoch if kind == "HELLO_ACK" else 0, **change}, KEY)


def message(end, kind, sequence, records=(), key=SESSION, change=None, **forged):
    flags = hadp.RESPONSE if kind.endswith("_ACK") else 0
    return hadp.build({"type": kind, "flags": flags, "spi": SPI, "epoch": end.epoch, "peer_epoch": OTHER[end].epoch,
                       "sequence": sequence, "transaction": sequence, "node": end.id, "records": list(records),
                       **(change or {})}, key, **forged)


def start(**change):
    return {"type": "START", "home": "10.1.0.50", "care_of": "10.2.0.77", "generation": (5 << 40) + 7,
            "flags": hadp.ANNOUNCE | hadp.INTERCEPT, "duration_ms": 60000, "encapsulation": 1, "count": 1, **change}


def flipped(raw, at):
    return bytes(byte ^ (i == at) for i, byte in enumerate(raw))


ACK = {"type": "ACK", "home": "10.1.0.50", "asked": (5 << 40) + 7, "held": (5 << 40) + 7, "state": 2}
HELLOS = [hello(SECONDARY), hello(PRIMARY, "HELLO_ACK", SECONDARY.nonce)]
GOOD = HELLOS + [message(SECONDARY, "KEEPALIVE", 1, [{"type": "LOAD", "state": 1}]),
                 message(PRIMARY, "KEEPALIVE_ACK", 1, [{"type": "LEASE", "lease_ms": 1500, "sequence": 1}]),
                 message(PRIMARY, "START", 2, [start()]), message(SECONDARY, "START_ACK", 2, [ACK]),
                 message(PRIMARY, "SYNC_REQ", 3), message(SECONDARY, "SYNC_ACK", 3)]

# What is wrong, the datagram, what is said of it.
WRONG = [
    ("a bit of a record", flipped(GOOD[4], 60), "not authentic"),
    ("a bit of the authenticator", flipped(GOOD[4], len(GOOD[4]) - 1), "not authentic"),
    ("a bit of a HELLO", flipped(HELLOS[0], 60), "not authentic"),
    ("the configured key", message(PRIMARY, "START", 9, [start()], KEY), "not authentic"),
    ("magic", flipped(GOOD[4], 0), "magic"),
    ("version", message(PRIMARY, "START", 9, [start()], version=2), "version 2"),
    ("length", GOOD[4] + bytes(8), "the header says 152"),
    ("record count", message(PRIMARY, "START", 9, [start()], record_count=2), "1 records instead of 2"),
    ("record length", message(PRIMARY, "START", 9, [b"\1\0\0\x0c" + bytes(8)]), "length 12"),
    ("a sequence again", message(PRIMARY, "START", 2, [start(home="10.1.0.51")]), "sequence 2 a second time"),
    ("a record's type", message(PRIMARY, "START", 9, [ACK]), "ACK in START"),
    ("an unknown record", message(PRIMARY, "START", 9, [b"\x0b\0\0\x08" + bytes(4)]), "record 0: bad"),
    ("a record too short", message(PRIMARY, "START", 9, [b"\1\0\0\x08" + bytes(4)]), "record 0: bad"),
    ("a reserved byte", message(PRIMARY, "START", 9, [flipped(hadp.record_build(start()), 71)]), "byte 71"),
    ("reserved flags", message(PRIMARY, "START", 9, [start()], change={"flags": 1}), "flags 01"),
    ("no duration", message(PRIMARY, "START", 9, [start(duration_ms=0)]), "duration 0 ms"),
    ("a duration of more than an hour", message(PRIMARY, "START", 9, [start(duration_ms=3600001)]), "duration"),
    ("half a set", message(PRIMARY, "START", 9, [start(count=2)]), "care-of addresses [0] of 2"),
    ("a reserved SPI", hello(SECONDARY, spi=255), "SPI 255"),
    ("a request", message(PRIMARY, "START", 9, [start()], change={"request": 1}), "a request outside"),
    ("a long term", hello(SECONDARY, records=[flipped(hadp.record_build({"type": "HELLO"}), 8)]), "24 bits"),
    ("no response flag", message(PRIMARY, "SYNC_ACK", 9, change={"flags": 0}), "response flag"),
]


def run(payloads, *arguments):
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / "session.pcap"
        capture_write(path, payloads)
        return subprocess.run([sys.executable, hadp.__file__, path, *arguments], capture_output=True, text=True,
                              check=False)


class Captures(unittest.TestCase):
    KEYS = ("--key", f"{SPI}:{KEY.hex()}")

    def test_session(self):
        seen = run(GOOD, *self.KEYS)
        lines = seen.stdout.splitlines()
        self.assertEqual(seen.returncode, 0, seen.stdout + seen.stderr)
        self.assertEqual(len(lines), len(GOOD))
        self.assertTrue(all(" ok" in line for line in lines), seen.stdout)
        self.assertIn("10.1.0.2 > 10.1.0.3 START node 1 seq 2", lines[4])
        self.assertIn("home=10.1.0.50 care_of=10.2.0.77 generation=5:7 duration_ms=60000", lines[4])

    def test_without_key(self):
        seen = run(GOOD)
        self.assertEqual((seen.returncode, seen.stdout.count(" unverified")), (0, len(GOOD)))

    def test_without_hellos(self):
        seen = run(GOOD[2:], *self.KEYS)
        self.assertEqual((seen.returncode, seen.stdout.count(" unverified")), (0, len(GOOD) - 2))

    def test_other_key(self):
        seen = run(GOOD, "--key", f"{SPI}:{SESSION.hex()}")
        self.assertEqual((seen.returncode, seen.stdout.count("not authentic")), (1, 2))

    def test_forged_hello_makes_no_session(self):
        """The nonce of a HELLO under another key leads nowhere."""
        forged = hello(SECONDARY)[:-16] + bytes(16)
        seen = run([forged] + GOOD[1:], *self.KEYS)
        self.assertEqual(seen.returncode, 1)
        self.assertEqual(seen.stdout.count(" unverified"), len(GOOD) - 2)

    def test_wrong(self):
        seen = run(GOOD + [raw for _, raw, _ in WRONG], *self.KEYS)
        lines = seen.stdout.splitlines()
        self.assertEqual((seen.returncode, len(lines)), (1, len(GOOD) + len(WRONG)))
        self.assertFalse(any("!!" in line for line in lines[:len(GOOD)]))
        for line, (what, _, said) in zip(lines[len(GOOD):], WRONG):
            with self.subTest(what):
                self.assertIn(said, line.partition("!!")[2])

    def test_each_wrong_alone_fails(self):
        for what, raw, _ in (WRONG[0], WRONG[6], WRONG[-1]):
            with self.subTest(what):
                self.assertEqual(run(GOOD + [raw], *self.KEYS).returncode, 1)

    def test_strict(self):
        """Of an epoch never heard of: not to be verified."""
        stranger = flipped(GOOD[4], 20)
        self.assertEqual(run(GOOD + [stranger], *self.KEYS).returncode, 0)
        self.assertEqual(run(GOOD + [stranger], *self.KEYS, "--strict").returncode, 1)
        self.assertEqual(run(GOOD, *self.KEYS, "--strict").returncode, 0)

    def test_upper_byte_of_the_term_ignored(self):
        long = bytearray(hadp.record_build({"type": "HELLO", "term": 0xabcdef}))
        long[8] = 0xff
        self.assertEqual(hadp.parse(hello(SECONDARY, records=[long]))["records"][0]["term"], 0xabcdef)

    def test_built_again(self):
        for raw in GOOD:
            datagram = hadp.parse(raw)
            key = KEY if datagram["type"].startswith("HELLO") else SESSION
            self.assertEqual(hadp.build(datagram, key), raw)
            self.assertEqual(hadp.lint(datagram), [])


if __name__ == "__main__":
    if importlib.util.find_spec("scapy") is None:
        print("skipped: no scapy")
        sys.exit(77)
    unittest.main()
