#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""homeport-bench --json, run very briefly: one JSON object with the members and the rows that doc/ names.

    check_bench.py HOMEPORT_BENCH
"""
import json
import subprocess
import sys

BINDINGS = 1000
DATA_PATH = {"floor", "floor-rolling", "encapsulate-hot", "lookup", "lookup-rte-hash", "worker", "worker-decap"}
ROWS = {"ipv4": DATA_PATH | {"worker-rte-hash", "worker-rewriting-0", "install", "remove", "replace"},
        "ipv6": DATA_PATH}
# Which need a core of their own for control.
BESIDE = {"worker-rewriting-1000", "worker-rewriting-100000", "worker-reporting"}
MEMBERS = {"name", "family", "bindings", "burst", "packet_size", "hit", "workers", "cycles_per_packet", "mpps",
           "ratio_to_floor"}


def check_row(row):
    assert MEMBERS <= set(row), f"{row}: lacks {MEMBERS - set(row)}"
    assert row["bindings"] == BINDINGS, row
    cycles = row["cycles_per_packet"]
    assert 0 < cycles["min"] <= cycles["median"] <= cycles["max"], row
    assert row["mpps"] > 0, row
    if row["name"] == "floor":
        assert row["ratio_to_floor"] == 1, row


def main():
    bench = sys.argv[1]
    done = subprocess.run(
        [bench, "--no-huge", "--bindings", str(BINDINGS), "--runs", "1", "--run-ms", "1", "--json"],
        stdout=subprocess.PIPE, check=True, timeout=100)
    said = json.loads(done.stdout)
    for family, wanted in ROWS.items():
        names = {row["name"] for row in said["rows"] if row["family"] == family}
        if family == "ipv4" and said["machine"]["lcores"] > 1:
            wanted = wanted | BESIDE
        assert wanted == names, f"{family}: missing {wanted - names}, unknown {names - wanted}"
    assert set(ROWS) == {row["family"] for row in said["rows"]}
    for row in said["rows"]:
        check_row(row)

    wrong = subprocess.run([bench, "--no-such-option"], stderr=subprocess.PIPE)
    assert wrong.returncode == 2, wrong
    assert wrong.stderr, "no word about an unknown option"


main()
