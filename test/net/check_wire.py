#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""The order of things on the home link while a binding is registered, delegated, moved, recalled and ended at home.

    check_wire.py CAPTURE NAME=MAC...     names: pha sha1 sha2 mn; exit status 1, and why, if something is not as it should be

doc/delegation-protocol.md, "State machines"; RFC 5944 section 4.6."""
import collections
import os
import sys

sys.dont_write_bytecode = True  # beside the sources
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "delegation"))
import hadp  # pylint: disable=wrong-import-position
from scapy.layers.inet import IP, UDP  # pylint: disable=wrong-import-position
from scapy.layers.l2 import ARP, Ether  # pylint: disable=wrong-import-position
from scapy.utils import PcapReader  # pylint: disable=wrong-import-position

HOME, HOME_AGENT = "10.1.0.50", "10.1.0.2"
NODES = {"10.1.0.2": "pha", "10.1.0.3": "sha1", "10.1.0.4": "sha2"}
MOVED, BACK_HOME, LINGER, DELIVER = 4, 1, 1, 2
ANNOUNCED_S = (0, 0.2, 1, 3)
LATE_S = 0.15  # a shared machine

Event = collections.namedtuple("Event", "time what source target record", defaults=(None, None))


class Wrong(Exception):
    """Something is not as it should be."""


def delegation_events(path):
    for time, (source, sport), (target, tport), raw, _ in hadp.packets_of(path):
        if hadp.PORT not in (sport, tport):
            continue
        datagram = hadp.parse(raw)
        for record in datagram["records"]:
            if record.get("home") == HOME:
                yield Event(time, datagram["type"], NODES[source], NODES[target], record)


def link_events(path, names):
    """ARP about the home address, registration, tunnel packets."""
    with PcapReader(path) as reader:
        for packet in reader:
            time, source = float(packet.time), names.get(packet[Ether].src)
            if ARP in packet and packet[ARP].psrc == packet[ARP].pdst == HOME:
                yield Event(time, "announcement", source, None, {"mac": names.get(packet[ARP].hwsrc)})
            elif IP in packet and packet[IP].proto == 4:
                yield Event(time, "tunnelled", source, packet[IP].dst, {"outer": packet[IP].src})
            elif IP in packet and UDP in packet and packet[UDP].sport == 434 and packet[IP].src == HOME_AGENT:
                yield Event(time, "reply", source)


class Wire:
    """All events in the order of the capture."""

    def __init__(self, events):
        self.events = sorted(events, key=lambda event: event.time)

    def all(self, what, after=0.0, before=float("inf"), **wanted):
        def fits(event):
            record = event.record or {}
            return all(getattr(event, key, None) == value if key in ("source", "target") else record.get(key) == value
                       for key, value in wanted.items())
        return [event for event in self.events
                if event.what == what and after < event.time < before and fits(event)]

    def first(self, what, after=0.0, **wanted):
        found = self.all(what, after, **wanted)
        if not found:
            raise Wrong(f"no {what} {wanted} after {after:.3f}")
        return found[0]


def announced(wire, by, after):
    """By that node's gratuitous ARP, at once and thrice more. When it began."""
    first = wire.first("announcement", after, source=by)
    times = [event.time - first.time for event in wire.all("announcement", first.time - 0.0001, first.time + 3.9, source=by)]
    if len(times) != len(ANNOUNCED_S) or any(not -LATE_S / 3 < time - due < LATE_S for time, due in zip(times, ANNOUNCED_S)):
        raise Wrong(f"{by} announces at {[round(time, 3) for time in times]} s")
    if first.time - after > LATE_S:
        raise Wrong(f"{by} announces {first.time - after:.3f} s late")
    if any(event.record["mac"] != by for event in wire.all("announcement", after, first.time + 3.9, source=by)):
        raise Wrong(f"{by} announces another's address")
    return first.time


def started(wire, node, after):
    """START, its acknowledgement, then the announcements. (When it was asked, when acknowledged)"""
    start = wire.first("START", after, target=node)
    flags = start.record["flags"]
    if not flags & hadp.ANNOUNCE or not flags & hadp.INTERCEPT:
        raise Wrong(f"START to {node} has flags {flags:02x}")
    ack = wire.first("START_ACK", start.time, source=node, asked=start.record["generation"])
    if ack.record["status"] != 0 or ack.record["held"] != start.record["generation"]:
        raise Wrong(f"{node} answers {ack.record}")
    announced(wire, node, ack.time)
    return start, ack


def stopped(wire, node, after, **wanted):
    stop = wire.first("STOP", after, target=node, **wanted)
    ack = wire.first("STOP_ACK", stop.time, source=node, asked=stop.record["generation"])
    if ack.record["status"] != 0:
        raise Wrong(f"{node} answers {ack.record}")
    return stop


def moved(wire, source, target, after):
    """Make before break. When it began."""
    start, ack = started(wire, target, after)
    if wire.all("STOP", start.time, ack.time, target=source):
        raise Wrong(f"{source} is stopped before {target} has acknowledged")
    stop = stopped(wire, source, ack.time, reason=MOVED, mode=LINGER)
    if stop.record["generation"] <= start.record["generation"]:
        raise Wrong("the STOP's generation is not above the START's")
    if wire.all("announcement", stop.time + LATE_S, stop.time + 3.5, source=source):
        raise Wrong(f"{source} announces after its STOP")
    return ack.time


def recalled(wire, node, after):
    """The primary announces itself, and only then stops the secondary."""
    stop = stopped(wire, node, after, mode=LINGER)
    announcement = wire.first("announcement", after, source="pha")
    if announcement.time > stop.time + 0.002:
        raise Wrong(f"{node} is stopped {announcement.time - stop.time:.3f} s before the primary announces itself")
    announced(wire, "pha", announcement.time - 0.001)
    return stop.time


def came_home(wire, node, after):
    """STOP with delivery on the link, the mobile node's MAC address announced, the reply, in that order."""
    stop = wire.first("STOP", after, target=node, reason=BACK_HOME)
    if stop.record["mode"] != DELIVER or set(stop.record["mac"]) <= set("0:"):
        raise Wrong(f"on its return: {stop.record}")
    announcement = wire.first("announcement", stop.time - 0.002, source="pha")
    if announcement.record["mac"] != "mn":
        raise Wrong(f"on its return {announcement.record} is announced")
    reply = wire.first("reply", announcement.time - 0.002)
    if not stop.time <= announcement.time + 0.002 <= reply.time + 0.004:
        raise Wrong("STOP, announcement, reply: not in this order")
    late = wire.all("tunnelled", stop.time + 1)
    if late:
        raise Wrong(f"{late[0].source} tunnels {late[0].time - stop.time:.3f} s after the end")


def tunnels(wire):
    """Whoever sends it: from the home agent's address."""
    found = wire.all("tunnelled")
    for event in found:
        if event.record["outer"] != HOME_AGENT:
            raise Wrong(f"{event.source} tunnels from {event.record['outer']}")
    by = collections.Counter(event.source for event in found)
    if set(by) != {"pha", "sha1", "sha2"}:
        raise Wrong(f"tunnelled by {dict(by)}")
    return by


def check(wire):
    registered = wire.first("reply").time
    wire.first("announcement", registered - LATE_S, source="pha")
    _, delegated = started(wire, "sha1", registered)
    at = moved(wire, "sha1", "sha2", delegated.time)
    at = recalled(wire, "sha2", at)
    _, delegated = started(wire, "sha1", at)
    came_home(wire, "sha1", delegated.time)
    print("tunnelled by", dict(tunnels(wire)))


def main():
    path, *names = sys.argv[1:]
    names = {mac: name for name, mac in (name.split("=") for name in names)}
    try:
        check(Wire([*delegation_events(path), *link_events(path, names)]))
    except Wrong as why:
        sys.exit(str(why))


if __name__ == "__main__":
    main()
