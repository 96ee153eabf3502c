#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""What somebody on the home link can do to the delegation protocol who hears everything and has no key.

    forge.py CAPTURE INTERFACE PRIMARY-MAC SECONDARY-MAC

From a capture of the datagrams between the lab's primary (10.1.0.2) and its first secondary (10.1.0.3) it makes replayed, reflected,
changed and forged ones and sends them to either, with the other's address as source. It says what each has to count of them by now:
lines "primary|secondary COUNTER NUMBER"."""
import collections
import os
import socket
import sys
import time

sys.dont_write_bytecode = True  # beside the sources
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "delegation"))
import hadp  # pylint: disable=wrong-import-position
from capture import frame  # pylint: disable=wrong-import-position

PRIMARY, SECONDARY, STRANGER = "10.1.0.2", "10.1.0.3", "10.1.0.9"
AHEAD = 1000  # sequences that were not used yet
NO_KEY = bytes(32)


def said_in(path):
    """{sender: its datagrams of the present session, in order}"""
    said = {PRIMARY: [], SECONDARY: []}
    for _, (source, _), (_, port), raw, _ in hadp.packets_of(path):
        if port == hadp.PORT and source in said:
            said[source].append(hadp.parse(raw))
    epochs = {node: said[node][-1]["epoch"] for node in said}
    return {node: [d for d in said[node] if d["epoch"] == epochs[node] and d["peer_epoch"] in epochs.values()]
            for node in said}


def flipped(raw, at):
    return raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1:]


def attacks_on(said, victim, peer):
    """(what the victim counts it as, the source it claims, bytes)"""
    heard = [d for d in said[peer] if not str(d["type"]).startswith("HELLO")]
    last = heard[-1]
    fresh = {**last, "sequence": last["sequence"] + AHEAD}
    orders = [d for d in heard if d["type"] in ("START", "STOP", "START_ACK", "STOP_ACK")]
    for datagram in orders + [last]:
        yield "peer_replayed", peer, datagram["raw"]
    for datagram in orders:
        yield "peer_forged", peer, hadp.build({**datagram, "sequence": fresh["sequence"]},
                                              authenticator=datagram["authenticator"])
    for at in (9, 45, 50, 60, len(last["raw"]) - 1):
        yield "peer_forged", peer, flipped(hadp.build(fresh, authenticator=last["authenticator"]), at)
    yield "peer_forged", peer, hadp.build(fresh, NO_KEY)
    for datagram in said[victim][-5:]:
        yield "peer_reflected", peer, datagram["raw"]
    yield "peer_unknown", STRANGER, last["raw"]
    yield "peer_unknown_spi", peer, hadp.build({**fresh, "spi": last["spi"] + 77}, NO_KEY)
    yield "peer_wrong_epoch", peer, hadp.build({**fresh, "epoch": last["epoch"] ^ 1}, NO_KEY)
    yield "peer_wrong_epoch", peer, hadp.build({**fresh, "peer_epoch": last["peer_epoch"] ^ 1}, NO_KEY)
    yield "peer_bad_magic", peer, hadp.build(fresh, NO_KEY, magic=0x48414451)
    yield "peer_bad_version", peer, hadp.build(fresh, NO_KEY, version=2)
    yield "peer_bad_length", peer, last["raw"][:-1]
    yield "peer_bad_length", peer, last["raw"][:40]
    yield "peer_bad_length", peer, b""


def send(interface, mac, victim, attacks):
    counted = collections.Counter()
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as link:
        link.bind((interface, 0))
        for counter, source, raw in attacks:
            counted[counter] += 1
            link.send(bytes.fromhex(mac.replace(":", "")) + frame(raw, source, victim, hadp.PORT)[6:])
            time.sleep(0.002)
    return counted


def main():
    path, interface, *macs = sys.argv[1:]
    said = said_in(path)
    for name, mac, victim, peer in zip(("primary", "secondary"), macs, (PRIMARY, SECONDARY), (SECONDARY, PRIMARY)):
        for counter, number in send(interface, mac, victim, list(attacks_on(said, victim, peer))).items():
            print(name, counter, number)


if __name__ == "__main__":
    main()
