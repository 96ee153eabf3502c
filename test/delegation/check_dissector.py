#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""check_dissector.py DISSECTOR.lua VECTORS: tshark, with the dissector, sees in every vector what hadp.py sees in
it, and the faults of some broken datagrams. Exit status 77: there is no tshark."""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import hadp
from capture import capture_write

# The fields that hadp.py computes, or that are told elsewhere.
APART = {"type", "raw", "records", "record", "values", "length", "skipped"}
BROKEN = ["length", "header_words", "record_count"]


def dissect(script, payloads):
    """For each payload what tshark sees: {field: [values in order]}."""
    with tempfile.TemporaryDirectory() as directory:
        capture = pathlib.Path(directory) / "vectors.pcap"
        capture_write(capture, payloads)
        run = subprocess.run(["tshark", "-n", "-X", f"lua_script:{script}", "-r", capture, "-T", "ek"],
                             capture_output=True, text=True, check=False)
    if run.returncode != 0 or "Lua Error" in run.stderr:
        sys.exit(run.stderr)
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    return [line["layers"].get("hadp", {}) for line in lines if "layers" in line]


def seen(tree, key):
    """The values under a key, however deep, in their order."""
    if isinstance(tree, list):
        return [value for branch in tree for value in seen(branch, key)]
    if not isinstance(tree, dict):
        return []
    found = []
    for name, value in tree.items():
        if name == key:
            found += value if isinstance(value, list) else [value]
        else:
            found += seen(value, key)
    return found


def faulty(layer):
    return "malformed" in json.dumps(layer).lower()


def is_same_address(theirs, mine):
    try:
        return hadp.address_bytes(theirs) == hadp.address_bytes(mine)
    except ValueError:
        return False


def same(theirs, mine):
    """theirs is tshark's text of a field."""
    if isinstance(mine, bytes):
        return theirs == mine.hex(":")
    if isinstance(mine, int):
        return int(theirs, 0) == mine
    return theirs == mine or is_same_address(theirs, mine)


def expected_of(datagram):
    """{field's name: [its values, record by record]}"""
    fields = {name: [datagram[name]] for name in datagram if name not in APART | {"magic"}}
    fields["type"] = [hadp.TYPE_NUMBERS[datagram["type"]]]
    for record in datagram["records"]:
        kind = record["type"].lower()
        for name in record.keys() - APART - ({"flags"} if kind != "start" else set()):
            fields.setdefault(f"{kind}.{name}", []).append(record[name])
        for value in record.get("values", []):
            fields.setdefault("digest.value", []).append(value)
    return fields


def differences(layer, datagram):
    for name, values in expected_of(datagram).items():
        theirs = seen(layer, "hadp_hadp_" + name.replace(".", "_"))
        if len(theirs) != len(values) or not all(map(same, theirs, values)):
            yield f"{name}: tshark {theirs}, hadp.py {values}"


def faults_unseen(script, raw):
    """Broken copies in which the dissector finds no fault."""
    datagram = hadp.parse(raw)
    broken = [hadp.build(datagram, **{name: datagram[name] + 1}) for name in BROKEN]
    layers = dissect(script, [raw, *broken])
    if faulty(layers[0]):
        yield "a fault where there is none"
    for name, layer in zip(BROKEN, layers[1:]):
        if not faulty(layer):
            yield f"no fault with a wrong {name}"


def main():
    if shutil.which("tshark") is None:
        print("skipped: no tshark")
        return 77
    script, vectors = sys.argv[1:]
    with open(vectors, encoding="ascii") as file:
        payloads = [bytes.fromhex(vector["datagram"]) for vector in map(json.loads, file) if "datagram" in vector]
    layers = dissect(script, payloads)
    found = [] if len(layers) == len(payloads) > 0 else [f"{len(layers)} of {len(payloads)} datagrams"]
    for layer, payload in zip(layers, payloads):
        found += differences(layer, hadp.parse(payload))
    found += faults_unseen(script, payloads[2])
    print("\n".join(found[:20]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
