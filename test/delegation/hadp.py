#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The delegation protocol a second time, from doc/delegation-protocol.md alone: independent eyes for tests and
captures.

    hadp.py FILE.pcap [--key SPI:HEX ...]   a line for each datagram of a capture, or, with --json, an object; with
                                            the configured keys HELLOs are verified, and all of a session whose
                                            HELLO and HELLO_ACK are in the capture. Exit status 1: something was
                                            malformed, against the protocol, or not authentic
    hadp.py --check VECTORS                 compares with what another implementation says (vectors.c)

As a module: parse, lint and build datagrams, Keyring verifies them, the digests. Wherever a datagram or a record is
a dict its keys are the fields' names; addresses are text, nonces and the like bytes."""
import argparse
import collections
import hashlib
import hmac
import ipaddress
import json
import struct
import sys

PORT = 49434
MAGIC = b"HADP"
VERSION = 1
HEADER, AUTHENTICATOR, LONGEST = 48, 16, 1400
DURATION_MAX_MS = 3600 * 1000
BUCKETS = 1024
RESPONSE, MORE, LAST, URGENT = 0x80, 0x40, 0x20, 0x10
ANNOUNCE, INTERCEPT, DECAPSULATE, BROADCASTS, CO_LOCATED, LINK_LOCAL, HOME_TESTS = 0x80, 0x40, 0x20, 0x10, 0x08, 0x04, 0x02
PRIMARY, SECONDARY, STANDBY = 1, 2, 3

TYPES = {1: "HELLO", 2: "HELLO_ACK", 3: "START", 4: "START_ACK", 5: "STOP", 6: "STOP_ACK", 7: "KEEPALIVE",
         8: "KEEPALIVE_ACK", 9: "RATES", 10: "RATES_ACK", 11: "SYNC_REQ", 12: "SYNC_DATA", 13: "SYNC_ACK",
         14: "EVENT", 15: "EVENT_ACK"}
TYPE_NUMBERS = {name: number for number, name in TYPES.items()}

# What a datagram of a type may carry.
CARRIES = {"HELLO": {"HELLO"}, "HELLO_ACK": {"HELLO"}, "START": {"START"}, "START_ACK": {"ACK"},
           "STOP": {"STOP"}, "STOP_ACK": {"ACK"}, "KEEPALIVE": {"LOAD"}, "KEEPALIVE_ACK": {"LEASE"},
           "RATES": {"RATE"}, "RATES_ACK": set(), "SYNC_REQ": {"DIGEST"}, "SYNC_DATA": {"START", "DIGEST"},
           "SYNC_ACK": set(), "EVENT": {"EVENT"}, "EVENT_ACK": set()}

STATUS = {0: "OK", 1: "OK_ALREADY", 2: "OK_ABSENT", 16: "STALE", 17: "NO_RESOURCES", 18: "OVERLOADED",
          19: "DRAINING", 20: "ENCAPSULATION_UNSUPPORTED", 21: "LINK_DOWN", 22: "ADDRESS_CONFLICT", 23: "LOOP",
          24: "SOURCE_NOT_PERMITTED", 25: "PROHIBITED", 26: "BAD_RECORD", 27: "VERSION", 29: "NOT_ASSOCIATED",
          30: "FENCED"}

# Bytes of a field by its kind; "mac", "address" and "octets" are not numbers.
WIDTH = {"u8": 1, "u16": 2, "u32": 4, "u64": 8, "mac": 6, "address": 16, "octets": 16}

HEADER_FIELDS = [
    (0, "magic", "u32"), (4, "version", "u8"), (5, "type", "u8"), (6, "length", "u16"), (8, "header_words", "u8"),
    (9, "flags", "u8"), (10, "record_count", "u16"), (12, "spi", "u32"), (16, "epoch", "u64"),
    (24, "peer_epoch", "u64"), (32, "sequence", "u64"), (40, "transaction", "u32"), (44, "request", "u16"),
    (46, "node", "u16")]

Kind = collections.namedtuple("Kind", "number name size flags fields")
KINDS = [
    Kind(1, "START", 88, 0xfe, [
        (4, "home_link", "u32"), (8, "home", "address"), (24, "care_of", "address"), (40, "source", "address"),
        (56, "generation", "u64"), (64, "duration_ms", "u32"), (68, "encapsulation", "u8"), (69, "index", "u8"),
        (70, "count", "u8"), (72, "nat_port", "u16"), (74, "tunnel_mtu", "u16"), (76, "gre_key", "u32"),
        (80, "cookie", "u64")]),
    Kind(2, "STOP", 48, 0, [
        (4, "home_link", "u32"), (8, "home", "address"), (24, "generation", "u64"), (32, "reason", "u8"),
        (33, "mode", "u8"), (34, "linger_ds", "u16"), (36, "mac", "mac")]),
    Kind(3, "ACK", 48, 0, [
        (4, "home_link", "u32"), (8, "home", "address"), (24, "asked", "u64"), (32, "held", "u64"),
        (40, "remaining_ms", "u32"), (44, "status", "u8"), (45, "state", "u8"), (46, "index", "u16")]),
    Kind(4, "RATE", 56, 0, [
        (4, "home_link", "u32"), (8, "home", "address"), (24, "generation", "u64"), (32, "pps", "u32"),
        (36, "kbps", "u32"), (40, "packets", "u64"), (48, "bytes", "u64")]),
    Kind(5, "LOAD", 80, 0, [
        (4, "state", "u8"), (6, "busiest_permille", "u16"), (8, "capacity_pps", "u32"), (12, "rx_pps", "u32"),
        (16, "tx_pps", "u32"), (20, "drop_pps", "u32"), (24, "tx_kbps", "u32"), (28, "bindings", "u32"),
        (32, "max_bindings", "u32"), (36, "tombstones", "u32"), (40, "unknown_pps", "u32"), (48, "digest", "u64"),
        (56, "floor", "u64"), (64, "uptime_s", "u32"), (72, "heard", "u64")]),
    Kind(6, "LEASE", 32, 0, [
        (4, "lease_ms", "u32"), (8, "floor", "u64"), (16, "sequence", "u64"), (24, "report_ms", "u16"),
        (26, "report_top", "u16")]),
    Kind(7, "HELLO", 64, 0, [
        (4, "role", "u8"), (5, "lowest_version", "u8"), (6, "highest_version", "u8"), (8, "term", "u32"),
        (12, "capabilities", "u32"), (16, "nonce", "octets"), (32, "peer_nonce", "octets"),
        (48, "ip_id_slot", "u16"), (50, "payload_max", "u16"), (52, "mac", "mac")]),
    Kind(8, "DIGEST", 8, 0, [(4, "first", "u16"), (6, "count", "u16")]),  # and "values", a u64 each
    Kind(9, "EVENT", 56, 0, [
        (4, "home_link", "u32"), (8, "home", "address"), (24, "generation", "u64"), (32, "code", "u16"),
        (40, "auxiliary", "octets")]),
]
BY_NUMBER = {kind.number: kind for kind in KINDS}
BY_NAME = {kind.name: kind for kind in KINDS}


class Malformed(ValueError):
    """Not a datagram of this protocol, or a broken one."""


# ---- Fields ----

def address_text(raw):
    """All zero is "::"; IPv4 comes mapped."""
    address = ipaddress.IPv6Address(raw)
    return str(address.ipv4_mapped or address)


def address_bytes(text):
    address = ipaddress.ip_address(text)
    return address.packed if address.version == 6 else b"\0" * 10 + b"\xff\xff" + address.packed


def field_get(raw, at, kind):
    raw = raw[at:at + WIDTH[kind]]
    if kind == "address":
        return address_text(raw)
    if kind == "mac":
        return raw.hex(":")
    return bytes(raw) if kind == "octets" else int.from_bytes(raw, "big")


def field_put(raw, at, kind, value):
    width = WIDTH[kind]
    if kind == "address":
        value = address_bytes(value)
    elif kind == "mac":
        value = bytes.fromhex(value.replace(":", ""))
    elif kind != "octets":
        value = value.to_bytes(width, "big")
    if len(value) != width:
        raise ValueError(f"{value!r} is not {width} bytes")
    raw[at:at + width] = value


def zero_of(kind):
    return {"address": "::", "mac": "00:00:00:00:00:00", "octets": bytes(16)}.get(kind, 0)


# ---- Reading ----

def record_parse(raw, number):
    """One whole record. "bad": one that is to be answered BAD_RECORD; "skipped": one that is to be ignored."""
    record = {"type": raw[0], "flags": raw[1], "length": len(raw), "record": number, "raw": bytes(raw)}
    kind = BY_NUMBER.get(raw[0])
    if kind is None:
        record["skipped" if raw[0] >= 128 else "bad"] = True
        return record
    if len(raw) < kind.size:
        record["bad"] = True
        return record
    record["type"] = kind.name
    record["flags"] = raw[1] & kind.flags
    for at, name, width in kind.fields:
        record[name] = field_get(raw, at, width)
    if kind.name == "HELLO":
        record["term"] &= 0xffffff
    if kind.name == "DIGEST":
        return digest_parse(raw, record)
    return record


def digest_parse(raw, record):
    count = record["count"]
    if len(raw) < 8 + 8 * count or record["first"] + count > BUCKETS:
        return {**record, "bad": True}
    record["values"] = list(struct.unpack_from(f">{count}Q", raw, 8))
    return record


def records_parse(raw, count):
    records, at = [], 0
    while at < len(raw):
        if len(raw) - at < 4:
            raise Malformed("rest of a record")
        length = int.from_bytes(raw[at + 2:at + 4], "big")
        if length < 4 or length % 8 or at + length > len(raw):
            raise Malformed(f"record {len(records)}: length {length}")
        records.append(record_parse(raw[at:at + length], len(records)))
        at += length
    if len(records) != count:
        raise Malformed(f"{len(records)} records instead of {count}")
    return records


def parse(raw):
    """A dict of the header's fields by name, "records" (a list of dicts), "authenticator", "raw"."""
    if not HEADER + AUTHENTICATOR <= len(raw) <= LONGEST:
        raise Malformed(f"length {len(raw)}")
    if raw[:4] != MAGIC:
        raise Malformed("magic")
    if raw[4] != VERSION:
        raise Malformed(f"version {raw[4]}")
    datagram = {name: field_get(raw, at, kind) for at, name, kind in HEADER_FIELDS}
    header = 4 * datagram["header_words"]
    if datagram["length"] != len(raw):
        raise Malformed(f"{len(raw)} bytes, the header says {datagram['length']}")
    if header < HEADER or header % 8 or header > len(raw) - AUTHENTICATOR:
        raise Malformed(f"header of {header} bytes")
    datagram["type"] = TYPES.get(datagram["type"], datagram["type"])
    datagram["flags"] &= RESPONSE | MORE | LAST | URGENT
    datagram["records"] = records_parse(raw[header:-AUTHENTICATOR], datagram["record_count"])
    datagram["authenticator"] = bytes(raw[-AUTHENTICATOR:])
    datagram["raw"] = bytes(raw)
    return datagram


# ---- What a receiver has to bear, but a sender must not do ----

def reserved_nonzero(raw, size, fields):
    """Offsets of bytes between the fields that are not zero."""
    covered = {byte for at, _, kind in fields for byte in range(at, at + WIDTH[kind])}
    return [at for at in range(size) if at not in covered and raw[at] != 0]


def record_lint(record):
    where = f"record {record['record']}"
    if record.get("bad"):
        return [f"{where}: bad"]
    if record.get("skipped"):
        return [f"{where}: of unknown type {record['type']}"]
    kind, raw = BY_NAME[record["type"]], record["raw"]
    found = []
    if raw[1] & ~kind.flags:
        found.append(f"{where}: flags {raw[1]:02x}")
    head = [(0, "", "u32")]  # type, flags, length
    found += [f"{where}: byte {at} is reserved" for at in reserved_nonzero(raw, kind.size, kind.fields + head)]
    if kind.name == "HELLO" and raw[8]:
        found.append(f"{where}: a term of more than 24 bits")
    if kind.name == "START":
        found += start_lint(record, where)
    return found


def start_lint(start, where):
    found = []
    if not 0 < start["duration_ms"] <= DURATION_MAX_MS:
        found.append(f"{where}: duration {start['duration_ms']} ms")
    if not 1 <= start["encapsulation"] <= 8:
        found.append(f"{where}: encapsulation {start['encapsulation']}")
    if not (1 <= start["count"] <= 8 and start["index"] < start["count"]):
        found.append(f"{where}: care-of address {start['index']} of {start['count']}")
    if start["flags"] & ANNOUNCE and not start["flags"] & INTERCEPT:
        found.append(f"{where}: announces without intercepting")
    return found


def header_lint(datagram):
    kind, raw = datagram["type"], datagram["raw"]
    rules = [
        (raw[9] & 0x0f, f"flags {raw[9]:02x}"),
        (datagram["header_words"] != HEADER // 4, f"header of {datagram['header_words']} words"),
        (datagram["spi"] < 256, f"SPI {datagram['spi']} is reserved"),
        (datagram["epoch"] == 0, "no epoch"),
        (datagram["peer_epoch"] == 0 and kind != "HELLO", "no peer's epoch"),
        (datagram["request"] != 0 and kind != "SYNC_DATA", "a request outside of SYNC_DATA"),
        (datagram["node"] == 0, "no node id"),
        (datagram["sequence"] == 0 and kind not in ("HELLO", "HELLO_ACK"), "no sequence"),
        (str(kind).endswith("_ACK") != bool(datagram["flags"] & RESPONSE), "response flag"),
        (kind not in CARRIES, f"type {kind}"),
    ]
    return [text for broken, text in rules if broken]


def set_lint(datagram):
    """A set of care-of addresses is atomic: whole, in one datagram, of one generation."""
    sets = collections.defaultdict(list)
    for record in datagram["records"]:
        if record["type"] == "START":
            sets[record["home_link"], record["home"], record["generation"]].append(record)
    return [f"{home}: care-of addresses {[r['index'] for r in records]} of {records[0]['count']}"
            for (_, home, _), records in sets.items()
            if sorted(r["index"] for r in records) != list(range(records[0]["count"]))]


def lint(datagram):
    """A list of what is against the protocol in a datagram that parses."""
    allowed = CARRIES.get(datagram["type"], set())
    found = header_lint(datagram) + set_lint(datagram)
    for record in datagram["records"]:
        found += record_lint(record)
        if record["type"] in BY_NAME and record["type"] not in allowed:
            found.append(f"record {record['record']}: {record['type']} in {datagram['type']}")
    return found


# ---- Writing ----

def record_build(record):
    """From a dict like parse's (what is missing is zero), or as it is from bytes."""
    if isinstance(record, (bytes, bytearray)):
        return bytes(record)
    kind = BY_NAME[record["type"]]
    raw = bytearray(kind.size)
    values = record.get("values", [])
    defaults = {"count": len(values)} if kind.name == "DIGEST" else {}
    for at, name, width in kind.fields:
        field_put(raw, at, width, record.get(name, defaults.get(name, zero_of(width))))
    raw += struct.pack(f">{len(values)}Q", *values)
    raw[:4] = struct.pack(">BBH", kind.number, record.get("flags", 0), len(raw))
    return bytes(raw)


def build(datagram, key=None, **forged):
    """The bytes of a datagram from a dict like parse's. What is computed (magic, version, length, header_words,
    record_count, authenticator) can be forged; without a key the authenticator is zero."""
    body = b"".join(record_build(record) for record in datagram.get("records", []))
    kind = datagram["type"]
    fields = {**datagram, "type": TYPE_NUMBERS.get(kind, kind), "magic": int.from_bytes(MAGIC, "big"),
              "version": VERSION, "length": HEADER + len(body) + AUTHENTICATOR, "header_words": HEADER // 4,
              "record_count": len(datagram.get("records", [])), **forged}
    raw = bytearray(HEADER)
    for at, name, width in HEADER_FIELDS:
        field_put(raw, at, width, fields.get(name, 0))
    raw += body
    return bytes(raw) + forged.get("authenticator", authenticate(raw, key) if key else bytes(AUTHENTICATOR))


# ---- Keys and digests ----

def authenticate(raw, key):
    return hmac.digest(key, bytes(raw), "sha256")[:AUTHENTICATOR]


def verify(raw, key):
    return hmac.compare_digest(authenticate(raw[:-AUTHENTICATOR], key), bytes(raw[-AUTHENTICATOR:]))


End = collections.namedtuple("End", "id epoch nonce")


def session_key(key, primary, secondary):
    text = struct.pack(">5sHHQQ", b"HADP1", primary.id, secondary.id, primary.epoch, secondary.epoch)
    return hmac.digest(key, text + primary.nonce + secondary.nonce, "sha256")


def entry_digest(home_link, home, generation, care_of):
    text = struct.pack(">I", home_link) + address_bytes(home) + struct.pack(">Q", generation)
    return int.from_bytes(hashlib.sha256(text + b"".join(map(address_bytes, care_of))).digest()[:8], "big")


def bucket(home_link, home):
    return int.from_bytes(hashlib.sha256(struct.pack(">I", home_link) + address_bytes(home)).digest()[:2], "big") >> 6


class Keyring:
    """Configured keys by SPI, and what HELLO and HELLO_ACK say about sessions."""

    def __init__(self, keys):
        self.keys = keys
        self.ends = {}  # (epoch, nonce) -> (is it a primary's, End)
        self.sessions = collections.defaultdict(dict)  # (sender's id, epoch, peer's) -> {(primary, secondary): None}

    def _hellos(self, raw, datagram):
        key = self.keys.get(datagram["spi"])
        if datagram["type"] not in ("HELLO", "HELLO_ACK") or key is None or not verify(raw, key):
            return []
        return [record for record in datagram["records"] if record["type"] == "HELLO"]

    def learn(self, raw, datagram):
        """Takes note of an authentic HELLO or HELLO_ACK; that of the one answered has to be learned before."""
        for hello in self._hellos(raw, datagram):
            me = End(datagram["node"], datagram["epoch"], hello["nonce"])
            primary = hello["role"] in (PRIMARY, STANDBY)
            self.ends[me.epoch, me.nonce] = primary, me
            peer = self.ends.get((datagram["peer_epoch"], hello["peer_nonce"]))
            if datagram["type"] == "HELLO_ACK" and peer is not None and peer[0] != primary:
                self._exchange(*((me, peer[1]) if primary else (peer[1], me)))

    def _exchange(self, primary, secondary):
        for end, other in (primary, secondary), (secondary, primary):
            self.sessions[end.id, end.epoch, other.epoch][primary, secondary] = None

    def key_of(self, raw, datagram):
        """The key under which a datagram verifies; None: under none; False: there is no key to try."""
        key = self.keys.get(datagram["spi"])
        if key is None:
            return False
        if datagram["type"] in ("HELLO", "HELLO_ACK"):
            return key if verify(raw, key) else None
        ends = self.sessions.get((datagram["node"], datagram["epoch"], datagram["peer_epoch"]))
        if not ends:
            return False
        derived = (session_key(key, *pair) for pair in reversed(ends))
        return next((session for session in derived if verify(raw, session)), None)


# ---- Captures ----

def packets_of(path):
    """(time, source, destination, UDP payload, is it a fragment) of each packet to or from any UDP port."""
    # Here, since only captures need it; and not scapy.all, which takes a second.
    from scapy.layers.inet import IP, UDP
    from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment
    from scapy.utils import PcapReader
    with PcapReader(path) as reader:
        for packet in reader:
            network = packet.getlayer(IP) or packet.getlayer(IPv6)
            if network is None or UDP not in packet:
                continue
            fragment = IPv6ExtHdrFragment in packet or (IP in packet and (packet[IP].flags.MF or packet[IP].frag))
            udp = packet[UDP]
            payload = bytes(udp.payload)[:max(udp.len - 8, 0)]  # without Ethernet's padding
            yield (float(packet.time), (network.src, udp.sport), (network.dst, udp.dport), payload, bool(fragment))


def brief(value):
    return value.hex() if isinstance(value, bytes) else value


def fields_of(record):
    """A record's own fields, those that are not zero."""
    computed = {"type", "raw", "record", "length"}
    return {name: brief(value) for name, value in record.items()
            if name not in computed and value and value not in (bytes(16), "::", "00:00:00:00:00:00")}


def record_text(record):
    fields = fields_of(record)
    for name in ("generation", "asked", "held", "floor"):
        if name in fields:
            fields[name] = f"{fields[name] >> 40}:{fields[name] & 0xffffffffff}"
    if record["type"] == "ACK":
        fields["status"] = STATUS.get(record["status"], record["status"])
    if record["type"] == "START":
        fields["flags"] = f"{record['flags']:02x}"
    return f"{record['type']}({' '.join(f'{name}={value}' for name, value in fields.items())})"


class Reading:
    """One pass over a capture: each datagram with what is wrong with it."""

    def __init__(self, keyring):
        self.keyring = keyring
        self.sequences = {}  # (key, node, sequence) -> bytes

    def faults(self, raw, datagram):
        """([what is wrong], "ok" | "forged" | "unverified")"""
        key = self.keyring.key_of(raw, datagram)
        if key is None:
            return ["not authentic"], "forged"
        found = lint(datagram)
        if key is not False and datagram["type"] not in ("HELLO", "HELLO_ACK"):
            seen = self.sequences.setdefault((key, datagram["node"], datagram["sequence"]), raw)
            if seen != raw:
                found.append(f"sequence {datagram['sequence']} a second time")
        return found, "unverified" if key is False else "ok"


def parse_or_none(raw):
    try:
        return parse(raw), None
    except Malformed as why:
        return None, str(why)


def learn_all(keyring, packets):
    """Twice, since a capture of two interfaces may have an answer before what it answers."""
    for _ in range(2):
        for *_, raw, _ in packets:
            datagram, _ = parse_or_none(raw)
            if datagram is not None:
                keyring.learn(raw, datagram)


def line_of(packet, datagram, faults, verdict):
    time, source, destination, raw, _ = packet
    ends = f"{time:.6f} {source[0]} > {destination[0]}"
    wrong = "".join(f" !! {fault}" for fault in faults)
    if datagram is None:
        return f"{ends} {len(raw)} bytes{wrong}"
    records = " ".join(map(record_text, datagram["records"]))
    return (f"{ends} {datagram['type']} node {datagram['node']} seq {datagram['sequence']} "
            f"tx {datagram['transaction']:08x} flags {datagram['flags']:02x} {verdict} {records}".rstrip() + wrong)


def object_of(packet, datagram, faults, verdict):
    time, source, destination, raw, _ = packet
    seen = {"time": time, "source": source, "destination": destination, "verdict": verdict, "faults": faults}
    if datagram is None:
        return json.dumps({**seen, "raw": raw.hex()})
    return json.dumps({**seen, **datagram}, default=brief)


def capture_print(path, keys, options):
    """True: nothing was wrong."""
    packets = [packet for packet in packets_of(path) if options.port in (packet[1][1], packet[2][1])]
    reading = Reading(Keyring(keys))
    learn_all(reading.keyring, packets)
    show = object_of if options.json else line_of
    clean = True
    for packet in packets:
        datagram, why = parse_or_none(packet[3])
        faults, verdict = reading.faults(packet[3], datagram) if datagram else ([why], "malformed")
        faults = faults + ["fragmented"] * packet[4]
        clean = clean and not faults and not (options.strict and verdict == "unverified")
        print(show(packet, datagram, faults, verdict))
    return clean


# ---- Against another implementation ----

COMPUTED = {"magic", "version", "length", "header_words", "raw", "authenticator", "record", "skipped", "bad"}


def comparable(fields):
    return {name: brief(value) for name, value in fields.items() if name not in COMPUTED | {"records"}}


def check_datagram(vector):
    raw, key = bytes.fromhex(vector["datagram"]), bytes.fromhex(vector["key"])
    datagram = parse(raw)
    yield "authenticator", verify(raw, key), True
    yield "built again", build(datagram, key).hex(), raw.hex()
    yield "header", comparable(datagram), vector["header"]
    yield "records", [comparable(record) for record in datagram["records"]], vector["records"]
    # Built from what the other implementation read, its bytes come out.
    header = {**vector["header"], "records": [octets_back(record) for record in vector["records"]]}
    yield "built from the other's", build(header, key).hex(), raw.hex()


def octets_back(record):
    kinds = {name: kind for _, name, kind in BY_NAME[record["type"]].fields}
    return {name: bytes.fromhex(value) if kinds.get(name) == "octets" else value for name, value in record.items()}


def check_session(vector):
    ends = [End(end["id"], end["epoch"], bytes.fromhex(end["nonce"]))
            for end in (vector["primary"], vector["secondary"])]
    yield "session key", session_key(bytes.fromhex(vector["key"]), *ends).hex(), vector["session_key"]


def check_entry(vector):
    home = vector["home_link"], vector["home"]
    yield "digest", entry_digest(*home, vector["generation"], vector["care_of"]), vector["digest"]
    yield "bucket", bucket(*home), vector["bucket"]


def vectors_check(path):
    """True: both implementations say the same, and there was something of each kind to be said."""
    checks = {"datagram": check_datagram, "session_key": check_session, "digest": check_entry}
    missing = set(TYPES.values()) | set(BY_NAME) | set(checks)
    clean = True
    with open(path, encoding="ascii") as file:
        for number, line in enumerate(file, 1):
            vector = json.loads(line)
            what = next(name for name in checks if name in vector)
            missing -= {what, vector.get("header", {}).get("type")} | {r["type"] for r in vector.get("records", [])}
            for name, mine, theirs in checks[what](vector):
                if mine != theirs:
                    print(f"line {number}: {name}\n  here:  {mine}\n  there: {theirs}")
                    clean = False
    if missing:
        print(f"no vector of {sorted(missing)}")
    return clean and not missing


def key_argument(text):
    spi, _, key = text.partition(":")
    return int(spi, 0), bytes.fromhex(key)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--check", action="store_true", help="the file holds vectors")
    parser.add_argument("--json", action="store_true", help="an object a line")
    parser.add_argument("--strict", action="store_true", help="what cannot be verified is wrong, too")
    parser.add_argument("--key", type=key_argument, action="append", default=[], metavar="SPI:HEX")
    parser.add_argument("--port", type=int, default=PORT)
    arguments = parser.parse_args()
    if arguments.check:
        return 0 if vectors_check(arguments.file) else 1
    return 0 if capture_print(arguments.file, dict(arguments.key), arguments) else 1


if __name__ == "__main__":
    sys.exit(main())
