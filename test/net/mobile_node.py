#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""homeport-mn and homeport-stream against fake_home_agent.py, over real kernels in two network namespaces.

usage: mobile_node.py DIRECTORY-OF-THE-TWO-PROGRAMS     (as root; exit status 77: cannot be run here)
"""
import contextlib
import json
import os
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
KEY = "000102030405060708090a0b0c0d0e0f"
HA, MN = f"hpmn{os.getpid()}a", f"hpmn{os.getpid()}m"
COUNT = 20


def ip(*words):
    subprocess.run(["ip", *words], check=True)


def inside(namespace, *command):
    return ["ip", "netns", "exec", namespace, *command]


@contextlib.contextmanager
def two_namespaces():
    """The home agent's host is the router between the home link (1) and two foreign links (2, 3)."""
    try:
        for ns in (HA, MN):
            ip("netns", "add", ns)
            ip("-n", ns, "link", "set", "lo", "up")
        for i in (1, 2, 3):
            ip("link", "add", f"a{i}", "netns", HA, "type", "veth", "peer", "name", f"m{i}", "netns", MN)
            for ns, end in ((HA, f"a{i}"), (MN, f"m{i}")):
                subprocess.run(inside(ns, "ethtool", "-K", end, "tx", "off"), stdout=subprocess.DEVNULL, check=True)
                ip("-n", ns, "link", "set", end, "up")
        for ns, end, address in ((HA, "a1", "10.1.0.2"), (HA, "a2", "10.2.0.1"), (HA, "a3", "10.3.0.1"),
                                 (MN, "m2", "10.2.0.5"), (MN, "m3", "10.3.0.5")):
            ip("-n", ns, "addr", "add", address + "/24", "dev", end)
        ip("-n", MN, "route", "add", "10.1.0.2", "via", "10.2.0.1")
        for ns in (HA, MN):
            script = "for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 > $f; done"
            subprocess.run(inside(ns, "sh", "-c", script), check=True)
        ip("-n", HA, "tuntap", "add", "ha0", "mode", "tun")
        ip("-n", HA, "link", "set", "ha0", "up", "mtu", "1480")
        yield
    finally:
        for ns in (HA, MN):
            subprocess.run(["ip", "netns", "del", ns], stderr=subprocess.DEVNULL)


@contextlib.contextmanager
def home_agent(result, *options):
    """Fills result with what the home agent says at its end."""
    command = inside(HA, "python3", f"{HERE}/fake_home_agent.py", "--address", "10.1.0.2", "--key", KEY, *options)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        if process.stdout.readline() != "ready\n":
            raise AssertionError("the home agent does not start")
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        lines = process.communicate(timeout=10)[0].splitlines()
        result.update(json.loads(lines[-1]) if lines else {}, said=lines[:-1])


def mobile_nodes(programs, *options):
    return inside(MN, f"{programs}/homeport-mn", "--home-agent", "10.1.0.2", "--care-of", "10.2.0.5", "--key",
                  f"hex:{KEY}", "--json", "--quiet", *options)


def home(count):
    return "--home", f"10.1.0.50+{count}"


def expect(what, got, wanted):
    for key, value in wanted.items():
        if got.get(key) != value:
            raise AssertionError(f"{what}: {key} is {got.get(key)}, not {value}; all: {got}")


ALL = ["--duration", "0", "--deregister"]
# (what, the home agent's options, the mobile nodes' options, exit status, in their report, in the home agent's)
RUNS = [
    ("register, deregister", [], ALL, 0, {"accepted": 2 * COUNT, "retransmissions": 0, "denied": {}},
     {"deregistered": COUNT}),
    ("HMAC-SHA-1, another SPI", ["--algorithm", "hmac-sha1", "--spi", "1000"],
     ALL + ["--algorithm", "hmac-sha1", "--spi", "1000"], 0, {"accepted": 2 * COUNT}, {}),
    ("HMAC-SHA-256", ["--algorithm", "hmac-sha256"], ALL + ["--algorithm", "hmac-sha256"], 0,
     {"accepted": 2 * COUNT}, {}),
    ("nonces, first one unknown", ["--replay", "nonce"], ALL + ["--replay", "nonce"], 0,
     {"accepted": 2 * COUNT, "denied": {"133": COUNT}}, {}),
    ("nonces, requests lost", ["--replay", "nonce", "--silent", "30"], ALL + ["--replay", "nonce"], 0,
     {"accepted": 2 * COUNT, "retransmissions": 30}, {}),
    ("timestamps, requests lost", ["--silent", "30"], ALL, 0, {"accepted": 2 * COUNT, "retransmissions": 30}, {}),
    ("the home agent's clock ahead", ["--clock-ahead", "3000"], ALL, 0,
     {"accepted": 2 * COUNT, "denied": {"133": COUNT}}, {}),
    ("the home agent's clock behind", ["--clock-ahead", "-3000"], ALL, 0,
     {"accepted": 2 * COUNT, "denied": {"133": COUNT}}, {}),
    ("refused", ["--refuse", "129", "135", "135"], ALL, 1, {"denied": {"129": 1, "135": 2}}, {}),
    ("replies forged", ["--forge"], ["--duration", "0", "--tries", "2"], 1,
     {"accepted": 0, "timeouts": COUNT, "replies_unverified": {"0": 2 * COUNT}}, {}),
    ("renewed", ["--max-lifetime", "2"], ["--duration", "4", "--deregister"], 0,
     {"accepted": 4 * COUNT, "retransmissions": 0}, {"deregistered": COUNT}),
    ("roaming", [], ["--care-of", "10.2.0.5,10.3.0.5", "--spread", "--roam-every", "1", "--duration", "3",
                     "--deregister"], 0, {"accepted": 4 * COUNT, "retransmissions": 0}, {"deregistered": COUNT}),
    ("coming home", [], ["--duration", "1", "--at-home", "m1"], 0, {"accepted": 2 * COUNT},
     {"deregistered": COUNT, "bound": 0}),
]


def run(programs, row):
    what, agent_options, options, status, wanted, wanted_of_agent = row
    agent = {}
    with home_agent(agent, *agent_options):
        done = subprocess.run(mobile_nodes(programs, *home(COUNT), *options), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, text=True, timeout=60)
    report = json.loads(done.stdout.splitlines()[-1])
    expect(what, report, wanted)
    expect(what + ", home agent", agent, {**wanted_of_agent, "violations": 0})
    expect(what, {"exit status": done.returncode}, {"exit status": status})


def send_ipip(source, destination, inner, tos=0):
    """An outer datagram made by hand, from the home agent's host."""
    program = f"""
import socket, struct
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 4)
s.setsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL, 1)
inner = bytes.fromhex({inner.hex()!r})
s.sendto(struct.pack("!BBHHHBBH4s4s", 0x45, {tos}, 20 + len(inner), 7, 0, 64, 4, 0, socket.inet_aton({source!r}),
                     socket.inet_aton({destination!r})) + inner, ({destination!r}, 0))
"""
    subprocess.run(inside(HA, "python3", "-c", program), check=True)


def inner_datagram(destination, sound=True):
    header = bytearray(bytes.fromhex("4500001c0001000040110000" + "0a0100c8") + bytes(map(int, destination.split("."))))
    total = sum(int.from_bytes(header[i : i + 2], "big") for i in range(0, 20, 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    header[10:12] = (~total & 0xFFFF if sound else 0x1234).to_bytes(2, "big")
    return bytes(header) + bytes.fromhex("1111222200080000")


def tunnel(programs):
    """A ping and numbered streams through the tunnel, while the node roams; then datagrams that must not pass."""
    agent = {}
    ip("-n", HA, "route", "add", "10.1.0.50", "dev", "ha0")
    with home_agent(agent, "--tun", "ha0"):
        node = subprocess.Popen(mobile_nodes(programs, *home(1), "--tun", "mn0", "--deregister"), text=True,
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE)

        def say(line):
            node.stdin.write(line + "\n")
            node.stdin.flush()

        say("wait")
        expect("tunnel", json.loads(node.stdout.readline()), {"registered": 1, "pending": 0})
        subprocess.run(inside(HA, "ping", "-q", "-c", "5", "-i", "0.1", "-W", "2", "10.1.0.50"), check=True,
                       stdout=subprocess.DEVNULL)
        stream = subprocess.Popen(inside(HA, f"{programs}/homeport-stream", "--to", "10.1.0.50", "--rate", "1000",
                                         "--count", "3000", "--json"), stdout=subprocess.PIPE, text=True)
        for care_of in ("10.3.0.5", "10.2.0.5"):
            time.sleep(0.8)
            say(f"roam {care_of}")
        expect("stream", json.loads(stream.communicate(timeout=20)[0]), {"sent": 3000, "failed": 0})

        sound = inner_datagram("10.1.0.50")
        send_ipip("10.1.0.2", "10.2.0.5", sound)
        send_ipip("10.2.0.1", "10.2.0.5", sound)
        send_ipip("10.1.0.2", "10.2.0.5", inner_datagram("10.1.0.51"))
        send_ipip("10.1.0.2", "10.2.0.5", inner_datagram("10.1.0.50", sound=False))
        send_ipip("10.1.0.2", "10.2.0.5", sound[:24])
        send_ipip("10.1.0.2", "10.2.0.5", sound, tos=3)
        ip("-n", MN, "addr", "add", "10.2.0.6/24", "dev", "m2")
        send_ipip("10.1.0.2", "10.2.0.6", sound)
        time.sleep(0.3)
        say("quit")
        report = json.loads(node.communicate(timeout=30)[0].splitlines()[-1])
    expect("tunnel", report, {
        "packets": 5 + 3000 + 1,
        "streams": [{"home_address": "10.1.0.50", "received": 3000, "lost": 0, "duplicates": 0, "out_of_order": 0}],
        "datagrams_discarded": {"malformed": 2, "unknown_home": 1, "wrong_source": 1, "wrong_destination": 1,
                                "congestion": 1},
        "unexpected": 6, "receive_overflows": 0, "tun_refused": 0})
    expect("tunnel", {"exit status": node.returncode}, {"exit status": 0})
    expect("tunnel, home agent", agent, {"violations": 0, "bound": 0})


def reverse_tunnel(programs):
    """A ping from the mobile node to a host behind its home agent, both ways by the tunnel, its larger datagrams in
    fragments; what the kernel sends with another source stays here."""
    agent = {}
    ip("-n", HA, "addr", "add", "10.8.0.1/32", "dev", "ha0")
    ip("-n", HA, "route", "replace", "10.1.0.50", "dev", "ha0")
    with home_agent(agent, "--tun", "ha0", "--reverse"), contextlib.ExitStack() as failure:
        node = subprocess.Popen(mobile_nodes(programs, *home(1), "--tun", "mn0", "--reverse-tunnel", "--deregister"),
                                text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        failure.callback(node.kill)
        node.stdin.write("wait\n")
        node.stdin.flush()
        expect("reverse tunnel", json.loads(node.stdout.readline()), {"registered": 1, "pending": 0})
        ip("-n", MN, "route", "add", "10.8.0.1", "dev", "mn0")
        for more in (["-s", "56"], ["-s", "1452", "-M", "do"], ["-s", "2000"]):
            subprocess.run(inside(MN, "ping", "-q", "-c", "3", "-i", "0.1", "-W", "2", "-I", "10.1.0.50", *more,
                                  "10.8.0.1"), check=True, stdout=subprocess.DEVNULL)
        subprocess.run(inside(MN, "ping", "-q", "-c", "1", "-W", "1", "-I", "10.2.0.5", "10.8.0.1"),
                       stdout=subprocess.DEVNULL)
        report = json.loads(node.communicate("quit\n", timeout=30)[0].splitlines()[-1])
    # IPv6 of the kernel's own may be among what was refused.
    expect("reverse tunnel", report, {"packets": 3 + 3 + 6, "reverse_packets": 3 + 3 + 6})
    if report["reverse_refused"] < 1:
        raise AssertionError(f"sent with a source that is no home address: {report}")
    expect("reverse tunnel", {"exit status": node.returncode}, {"exit status": 0})
    expect("reverse tunnel, home agent", agent, {"violations": 0, "bound": 0, "reversed": 3 + 3 + 6})


def stream_to_many(programs, *options):
    """What homeport-mn says of numbered streams to four home addresses, with a pause of half a second between two."""
    with home_agent({}, "--tun", "ha0"):
        node = subprocess.Popen(mobile_nodes(programs, *home(4), "--deregister"), text=True, stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE)

        def ask(line):
            node.stdin.write(line + "\n")
            node.stdin.flush()
            return json.loads(node.stdout.readline())

        ask("wait")
        for _ in range(2):
            subprocess.run(inside(HA, f"{programs}/homeport-stream", "--to", "10.1.0.50+4", "--rate", "2000", "--count",
                                  "1000", "--from", "10.1.0.2", *options), check=True, stdout=subprocess.DEVNULL)
            time.sleep(0.5)
        status = ask("status")
        report = json.loads(node.communicate("quit\n", timeout=30)[0].splitlines()[-1])
    expect("status", status, {"packets": 2000, "stream_total": report["stream_total"]})
    expect("streams to many", report["stream_total"], {"received": 2000, "lost": 0, "duplicates": 0, "out_of_order": 0})
    return report


def targets(programs):
    """--to ADDRESS+COUNT takes turns; --zipf gives the k-th a share of 1/k; numbers are each one's own."""
    for i in range(4):
        ip("-n", HA, "route", "replace", f"10.1.0.{50 + i}", "dev", "ha0")
    turns = [stream["received"] for stream in stream_to_many(programs)["streams"]]
    if turns != [500] * 4:
        raise AssertionError(f"in turn: {turns}")
    zipf = [stream["received"] for stream in stream_to_many(programs, "--zipf")["streams"]]
    wanted = [2000 / k / (1 + 1 / 2 + 1 / 3 + 1 / 4) for k in (1, 2, 3, 4)]
    if any(abs(got - share) > share / 4 for got, share in zip(zipf, wanted)):
        raise AssertionError(f"--zipf: {zipf}, not about {wanted}")


def gap(programs):
    """The longest gap is that of a stream, not that between two of them, nor that before its first datagram."""
    with home_agent({}, "--tun", "ha0"):
        node = subprocess.Popen(mobile_nodes(programs, *home(1), "--deregister"), text=True, stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE)
        stream = subprocess.Popen(inside(HA, f"{programs}/homeport-stream", "--to", "10.1.0.50", "--rate", "1000",
                                         "--count", "0", "--from", "10.1.0.2"),
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(1)
        stream.send_signal(signal.SIGSTOP)
        ip("-n", HA, "route", "del", "10.1.0.50", "dev", "ha0")
        ip("-n", HA, "route", "add", "blackhole", "10.1.0.50")
        stream.send_signal(signal.SIGCONT)
        time.sleep(0.7)
        stream.send_signal(signal.SIGSTOP)
        ip("-n", HA, "route", "del", "blackhole", "10.1.0.50")
        ip("-n", HA, "route", "add", "10.1.0.50", "dev", "ha0")
        stream.send_signal(signal.SIGCONT)
        time.sleep(0.5)
        stream.send_signal(signal.SIGTERM)
        stream.wait(timeout=10)
        total = json.loads(node.communicate("quit\n", timeout=30)[0].splitlines()[-1])["stream_total"]
    if not 650000 <= total["longest_gap_us"] <= 2000000 or total["lost"] < 600:
        raise AssertionError(f"gap: {total}")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if os.geteuid() != 0 or not os.path.exists("/dev/net/tun"):
        print("needs root and /dev/net/tun")
        sys.exit(77)
    programs = os.path.abspath(sys.argv[1])
    with two_namespaces():
        for row in RUNS:
            run(programs, row)
            print(f"ok: {row[0]}", flush=True)
        tunnel(programs)
        print("ok: tunnel", flush=True)
        reverse_tunnel(programs)
        print("ok: reverse tunnel", flush=True)
        targets(programs)
        print("ok: streams to many home addresses", flush=True)
        gap(programs)
        print("ok: the longest gap")


if __name__ == "__main__":
    main()
