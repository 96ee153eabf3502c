#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The tests that the compliance tables name are there: each suite in the build, each case and each row of one
(in double quotes behind it) in a source of that suite.

usage: check_names.py BUILD-DIRECTORY TABLE...
"""

import json
import pathlib
import re
import sys

NAME = re.compile(r'`([a-z][a-z0-9_-]*)(?:/([a-z0-9_-]+))?`((?:[ ,]*"[^"]+")*)')
ANYTHING = {("sim_delegation", "random")}  # scenarios by seed, which have no names


def text(path):
    """Of a source and the headers beside it that it includes."""
    own = path.read_text()
    headers = [path.parent / name for name in re.findall(r'#include "(\w+\.h)"', own)]
    return own + "".join(header.read_text() for header in headers if header.exists())


def suites(build):
    """Suite: its sources; "" of what is no program of ours."""
    info = build / "meson-info"
    sources = {}
    for target in json.loads((info / "intro-targets.json").read_text()):
        files = [pathlib.Path(path) for part in target["target_sources"] for path in part.get("sources", [])]
        for program in target["filename"]:
            sources[program] = "".join(map(text, files))
    tests = json.loads((info / "intro-tests.json").read_text())
    return {test["name"]: sources.get(test["cmd"][0], "") for test in tests}


def named(table):
    """Line, suite, case and rows of all that stands in a column "test", the last one."""
    inside = test = False
    for number, line in enumerate(table.read_text().splitlines(), 1):
        last = line.rstrip(" |").rpartition(" | ")[2]
        if line.startswith("|") and not inside:
            test = last == "test"
        inside = line.startswith("|")
        if inside and test:
            for suite, case, rows in NAME.findall(last):
                yield number, suite, case, re.findall('"([^"]+)"', rows)


def lacks(there, suite, case, rows):
    """What of it is not there."""
    if suite not in there:
        return [suite]
    source = there[suite]
    is_there = f"START_TEST({case})" in source or f'"{case}"' in source
    lack = [] if not case or is_there or (suite, case) in ANYTHING else [f"{suite}/{case}"]
    return lack + [f'{suite}/{case} "{row}"' for row in rows if source and f'"{row}"' not in source]


def main():
    build, *tables = map(pathlib.Path, sys.argv[1:])
    there = suites(build)
    count = missing = 0
    for table in tables:
        for line, suite, case, rows in named(table):
            count += 1
            for what in lacks(there, suite, case, rows):
                missing += 1
                print(f"{table}:{line}: there is no {what}")
    print(f"{count} tests are named, {missing} names are of nothing")
    return missing > 0 or count == 0


sys.exit(main())
