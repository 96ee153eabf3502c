#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Cycles a packet of programs that poll one core in turn: all are stopped but the one that is being measured.

    end_to_end_measure.py [--json] --core CORE --runs RUNS --seconds SECONDS --addresses ADDRESSES --seed SEED --ctl HOMEPORTCTL
                          NAME:PID:SOCKET...

NAME homeportd: SOCKET is its console's. Any other NAME: that of DPDK's telemetry, and port 0 is counted. The first program is what the
others are compared with, round by round. A figure is the time-stamp counter's cycles that went by on the core, less those in which
another process of this machine had it, by the packets that left."""
import argparse
import collections
import ctypes
import glob
import json
import mmap
import os
import platform
import signal
import socket
import statistics
import subprocess
import sys
import time

START_S = 30
SETTLE_S = 0.3
TOLERATED = 0.001  # of the packets may become something else; the ARP reply does
TRIES = 10
BURST = 32
PACKET_SIZE = 64
TITLES = {"testpmd-io": "dpdk-testpmd, io", "testpmd-macswap": "dpdk-testpmd, macswap",
          "floor": "tunnelling, the least",
          "homeportd": "homeportd, tunnelling",
          "l3fwd-em": "l3fwd, exact match", "l3fwd-lpm": "l3fwd, longest prefix match"}

Reading = collections.namedtuple("Reading", "tsc sent other waited_ns taken_tsc")
Window = collections.namedtuple("Window", "cycles mpps")


class Disturbed(Exception):
    """A window that says nothing."""


# ---- The clock ----

def read_tsc_function():
    """rdtsc; shl rdx, 32; or rax, rdx; ret"""
    page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(bytes.fromhex("0f31 48c1e220 4809d0 c3"))
    function = ctypes.CFUNCTYPE(ctypes.c_uint64)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
    function.page = page  # lives as long
    return function


read_tsc = read_tsc_function()


def tsc_hz():
    began, began_tsc = time.monotonic_ns(), read_tsc()
    time.sleep(0.5)
    return (read_tsc() - began_tsc) * 1e9 / (time.monotonic_ns() - began)


# ---- The programs ----

class Program:
    """One that polls the core, and how it is asked what it has sent."""

    def __init__(self, name, pid, path, core):
        self.name, self.pid, self.path = name, pid, path
        self.thread = thread_on(pid, core)
        self.windows = []

    def title(self):
        return TITLES.get(self.name, self.name)

    def stop(self):
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self):
        os.kill(self.pid, signal.SIGCONT)

    def waited_ns(self):
        """For how long its thread was ready to run and another one had the core."""
        with open(f"{self.thread}/schedstat", encoding="ascii") as file:
            return int(file.read().split()[1])

    def read(self):
        began = read_tsc()
        sent, other = self.packets()
        ended = read_tsc()
        return Reading((began + ended) // 2, sent, other, self.waited_ns(), ended - began)


class Homeportd(Program):
    """By its console."""

    def __init__(self, *of_program, ctl):
        super().__init__(*of_program)
        self.ctl = ctl

    def packets(self):
        answer = subprocess.run([self.ctl, "-s", self.path, "-j", "show", "counters"], check=True,
                                stdout=subprocess.PIPE)
        counters = json.loads(answer.stdout)
        other = collections.Counter(counters["verdicts"])
        other["unreachable_told"] = counters["tunnels"]["unreachable_told"]  # tunnelled, but at more expense
        return other.pop("tunnelled"), other


class Telemetry(Program):
    """Any DPDK program with one port."""

    def __init__(self, *of_program):
        super().__init__(*of_program)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(10)
        self.go_on()
        self.socket.connect(self.path)
        self.socket.recv(16384)  # its greeting

    def packets(self):
        self.socket.send(b"/ethdev/stats,0")
        stats = json.loads(self.socket.recv(16384))["/ethdev/stats"]
        return stats["opackets"], collections.Counter(not_sent=stats["ipackets"] - stats["opackets"])


def thread_on(pid, core):
    """The directory of the thread that may run there and nowhere else."""
    for status in glob.glob(f"/proc/{pid}/task/*/status"):
        with open(status, encoding="ascii") as file:
            if f"Cpus_allowed_list:\t{core}\n" in file.read():
                return os.path.dirname(status)
    sys.exit(f"process {pid} has no thread of its own on core {core}")


def program_of(text, core, ctl):
    """It was stopped once its socket was there, and is stopped again once it has begun to forward."""
    name, pid, path = text.split(":", 2)
    of_program = name, int(pid), path, core
    program = Homeportd(*of_program, ctl=ctl) if name == "homeportd" else Telemetry(*of_program)
    program.go_on()
    wait_until_it_forwards(program)
    program.stop()
    return program


def wait_until_it_forwards(program):
    began, (sent, _) = time.monotonic(), program.packets()
    while program.packets()[0] == sent:
        if time.monotonic() > began + START_S:
            sys.exit(f"{program.title()}: forwards nothing")
        time.sleep(0.1)


# ---- Measuring ----

def window_between(before, after, hz):
    elapsed = after.tsc - before.tsc
    if max(before.taken_tsc, after.taken_tsc) > elapsed / 50:
        raise Disturbed("its counters took too long to read")
    sent = after.sent - before.sent
    other = after.other - before.other
    if sent == 0 or other.total() > sent * TOLERATED:
        raise Disturbed(f"{sent} packets went through, but not all: {dict(other)}")
    waited = (after.waited_ns - before.waited_ns) * hz / 1e9
    if not 0 <= waited <= elapsed * 3 / 4:
        raise Disturbed("another process has its core")
    own = elapsed - waited
    return Window(own / sent, sent * hz / own / 1e6)


def measure_once(program, seconds, hz):
    time.sleep(SETTLE_S)
    before = program.read()
    time.sleep(seconds)
    return window_between(before, program.read(), hz)


def measure(program, seconds, hz):
    program.go_on()
    try:
        for attempt in range(TRIES):
            try:
                return measure_once(program, seconds, hz)
            except Disturbed as why:
                if attempt == TRIES - 1:
                    sys.exit(f"{program.title()}: {why}")
    finally:
        program.stop()


def measure_all(programs, runs, seconds, hz):
    for run in range(runs):
        if sys.stderr.isatty():
            print(f"\rround {run + 1} of {runs} ", end="", file=sys.stderr, flush=True)
        for program in programs:
            program.windows.append(measure(program, seconds, hz))
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)


# ---- Reporting ----

def summary(values):
    return {"median": round(statistics.median(values), 1), "min": round(min(values), 1), "max": round(max(values), 1)}


def row(program, bindings):
    return {"name": program.name, "family": 4, "bindings": bindings, "burst": BURST, "packet_size": PACKET_SIZE,
            "workers": 1, "cycles_per_packet": summary([window.cycles for window in program.windows]),
            "mpps": round(statistics.median(window.mpps for window in program.windows), 2)}


def above(program, yardstick):
    return {"name": program.name, "above": yardstick.name,
            "cycles_per_packet": summary([own.cycles - its.cycles
                                          for own, its in zip(program.windows, yardstick.windows)])}


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        names = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    return names[0] if names else platform.machine()


def report_json(o, hz, programs):
    yardstick, *others = programs
    print(json.dumps({
        "machine": {"cpu": processor(), "tsc_mhz": round(hz / 1e6), "kernel": platform.release(), "huge_pages": True},
        "runs": o.runs, "seconds": o.seconds, "seed": o.seed,
        "rows": [row(program, o.addresses) for program in programs],
        "differences": [above(program, yardstick) for program in others]}, indent=2))


def report_text(o, hz, programs):
    yardstick, *others = programs
    print(f"{PACKET_SIZE}-byte UDP packets to {o.addresses} addresses in random order (seed {o.seed}), bursts of "
          f"{BURST}, net_pcap, huge pages;\n{o.runs} interleaved runs of {o.seconds} s on core {o.core} of "
          f"{processor()}, {hz / 1e6:.0f} MHz\n\n{'cycles a packet':36}{'median':>8}{'min':>8}{'max':>8}{'Mpacket/s':>12}")
    for program in programs:
        r = row(program, o.addresses)
        print(f"{program.title():36}{figures(r)}{r['mpps']:>12.2f}")
    print()
    for program in others:
        print(f"{program.name + ' - ' + yardstick.name:36}{figures(above(program, yardstick))}")


def figures(r):
    return "".join(f"{r['cycles_per_packet'][key]:>8.1f}" for key in ("median", "min", "max"))


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    for name in ("core", "runs", "seconds", "addresses", "seed"):
        parser.add_argument("--" + name, type=int, required=True)
    parser.add_argument("--ctl", required=True)
    parser.add_argument("programs", nargs="+")
    return parser.parse_args()


def main():
    o = options()
    programs = [program_of(text, o.core, o.ctl) for text in o.programs]
    hz = tsc_hz()
    measure_all(programs, o.runs, o.seconds, hz)
    (report_json if o.json else report_text)(o, hz, programs)


if __name__ == "__main__":
    main()
