#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""One registration request of a mobile node abroad (RFC 5944), made, kept, sent and sent again: for its replay.

    request.py make FILE CARE-OF AHEAD      the bytes of a request, its timestamp AHEAD seconds after now, into FILE
    request.py send FILE CARE-OF            sends them from CARE-OF; says the code of the reply (0 or 1: accepted), or "silence"

The home address, home agent, SPI and key are the lab's."""
import hmac
import socket
import struct
import sys
import time

HOME, HOME_AGENT, SPI, KEY = "10.1.0.50", "10.1.0.2", 256, bytes(range(16))
SINCE_1900 = 2208988800
DECAPSULATES_ITSELF = 0x20


def request(care_of, ahead):
    stamp = int((time.time() + SINCE_1900 + ahead) * 2**32)
    addresses = b"".join(map(socket.inet_aton, (HOME, HOME_AGENT, care_of)))
    body = struct.pack(">BBH", 1, DECAPSULATES_ITSELF, 600) + addresses + struct.pack(">Q", stamp)
    body += struct.pack(">BBI", 32, 20, SPI)
    return body + hmac.digest(KEY, body, "md5")


def send(raw, care_of):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as at:
        at.bind((care_of, 0))
        at.settimeout(2)
        at.sendto(raw, (HOME_AGENT, 434))
        try:
            reply = at.recv(2000)
        except TimeoutError:
            return "silence"
    return reply[1] if reply[0] == 3 else "no reply"


def main():
    what, path, care_of, *ahead = sys.argv[1:]
    if what == "make":
        with open(path, "wb") as file:
            file.write(request(care_of, float(ahead[0])))
    else:
        with open(path, "rb") as file:
            print(send(file.read(), care_of))


if __name__ == "__main__":
    main()
