#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""tshark looks at every golden case: what goes out has no malformed packet and no wrong checksum, and what
comes in has such only where the case is about them. Exit status 77: there is no tshark."""
import concurrent.futures
import pathlib
import shutil
import subprocess
import sys

CASES = pathlib.Path(__file__).parent / "cases"
FAULTY_ON_PURPOSE = {"discarded", "host", "refused", "silent"}
BAD = " || ".join(["_ws.malformed", '_ws.expert.severity == "Error"'] + [
    f'{name}.checksum.status == "Bad"' for name in ("ip", "udp", "icmp", "icmpv6", "tcp")])
REPLY = "mip.type == 3"
ACKNOWLEDGEMENT = "mip6.ba.status == 0 && ipv6.routing.type == 2"


def seen(capture, what):
    """The lines of the frames for which a display filter holds."""
    checks = [word for name in ("ip", "udp", "tcp") for word in ("-o", f"{name}.check_checksum:TRUE")]
    run = subprocess.run(["tshark", "-n", "-r", capture, *checks, "-Y", what], capture_output=True, text=True,
                         check=False)
    if run.returncode != 0:
        sys.exit(f"{capture}: {run.stderr}")
    return run.stdout.splitlines()


def faults(capture):
    found = seen(capture, BAD)
    on_purpose = capture.name.startswith("in") and capture.parent.name in FAULTY_ON_PURPOSE
    return [] if on_purpose else found


def main():
    if shutil.which("tshark") is None:
        print("skipped: no tshark")
        return 77
    status = 0
    captures = sorted(CASES.glob("*/*.pcap"))
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for capture, lines in zip(captures, pool.map(faults, captures)):
            for line in lines:
                print(f"{capture}: {line}")
                status = 1
    # A filter that never holds would find no fault either.
    reply = seen(CASES / "registration-and-tunnel" / "out.pcap", REPLY)
    acknowledgement = seen(CASES / "ipv6-registration-and-tunnel" / "out.pcap", ACKNOWLEDGEMENT)
    if not reply or not acknowledgement or not seen(CASES / "silent" / "in.pcap", BAD):
        print("tshark sees not all of the replies and faults that are there")
        status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
