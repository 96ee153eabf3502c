#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes the golden cases: what comes in, and what has to come out by the RFCs.

    make_cases.py            writes cases/
    make_cases.py --check    tells whether cases/ is what it would write (77: scapy is not installed)
"""
import pathlib
import struct
import sys

sys.dont_write_bytecode = True  # nothing but cases is written into the tree
try:
    from packets import *
    from plays import case, plays
    from scenario import *
    import cases6 as _  # which adds its own to plays
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

CASES = pathlib.Path(__file__).parent / "cases"
UNREACHABLE_HOST, UNREACHABLE_PORT, TOO_BIG, TIME_EXCEEDED = (3, 1), (3, 3), (3, 4), (11, 0)
REASSEMBLY_TIME_EXCEEDED = (11, 1)
OPAQUE = 253  # a protocol for experiments (RFC 3692): nobody dissects what it carries


# ---- Registration and tunnel ----

@case("registration-and-tunnel")
def registration_and_tunnel(s):
    """A co-located mobile node registers; its packets go into the tunnel (RFC 5944 3.8, 4.2.3, 4.6; RFC 2003
    3.1)."""
    s.at(1.5)
    s.register()
    s.at(2)  # proxy ARP: the answer bears our MAC address
    s.into(arp_request(HOST_MAC, HOST, MOBILE))
    s.out(arp_answer(HA_MAC, MOBILE, HOST_MAC, HOST))
    s.at(2.1)
    s.pass_through(s.ping())
    s.at(2.2)  # DF, TOS and ECN are copied; nobody needs an identification then
    s.pass_through(s.ping(tos=0xb9, flags="DF"))
    s.at(2.3)
    s.pass_through(s.ping(tos=0x03, id=0))
    s.at(2.4)  # Ethernet's padding does not travel on
    small = s.ping(size=1)
    s.into(frame(ROUTER_MAC, HA_MAC, small).ljust(60, b"\xee"))
    s.expect_tunnelled(small)
    s.at(2.6)  # from the home link, as proxy ARP has it
    direct = s.ping(source=HOST, ttl=64)
    s.into(frame(HOST_MAC, HA_MAC, direct))
    s.expect_tunnelled(direct)
    s.at(2.7)  # other protocols, and a UDP checksum that says "none"
    s.pass_through(udp_of(CORRESPONDENT, MOBILE, 40000, 40001, b"answer", ident=99, chksum=0))
    s.at(2.8)
    answer = IP(src=CORRESPONDENT, dst=MOBILE, flags="DF", id=5) / TCP(sport=80, dport=1026, flags="SA")
    s.pass_through(bytes(answer))
    s.at(2.9)  # a registration message for the mobile node itself is its own business
    s.pass_through(udp_of(CORRESPONDENT, MOBILE, 434, 434, s.request().authenticated(MHAE, SA), ident=100))
    s.count(worker_tunnelled=8, agent_requests=1, agent_reply_1=1, agent_bindings_created=1,
            agent_arp_answered=1, control_arp_answered=1)


@case("algorithms",
      associations=mobile_line(MOBILE, (256, KEY2, "hmac-sha1")) +
      mobile_line(MOBILE2, (4294967295, KEY2 + KEY, "hmac-sha256")))
def algorithms(s):
    """Authentication by HMAC-SHA-1 and HMAC-SHA-256 (RFC 5944 5.1: others than HMAC-MD5 by SPI)."""
    s.at(1.5)
    s.register(association=(256, KEY2, "hmac-sha1"))
    s.at(6)
    s.register(home=MOBILE2, care_of=CARE_OF2, association=(4294967295, KEY2 + KEY, "hmac-sha256"))
    s.at(11)
    s.pass_through(s.ping())
    s.at(11.5)
    s.pass_through(s.ping(destination=MOBILE2), care_of=CARE_OF2)
    s.count(agent_bindings_created=2, worker_tunnelled=2)


@case("renewal")
def renewal(s):
    """A renewal and its duplicate change nothing on the home link (RFC 5944 4.6, 3.8.2.2)."""
    s.at(1.5)
    first = s.register()
    s.at(6)
    again = s.register(first=False, lifetime=7200 // 2)
    s.at(7)
    s.pass_through(s.ping())
    s.at(8)  # a duplicate does not make the lifetime longer
    s.ask(again)
    s.expect_answer(s.reply_to(again, 1, lifetime=3600 - 2))
    s.at(9)  # the first one once more is a replay: low half copied, high half our clock
    s.ask(first)
    low = struct.unpack_from("!I", first, 20)[0]
    s.expect_answer(s.reply_to(first, 133, identification=s.ntp() >> 32 << 32 | low))
    s.at(10)  # more than is granted to anybody is cut
    message = s.request(lifetime=65535).authenticated(MHAE, SA)
    s.ask(message)
    s.expect_answer(s.reply_to(message, 1, lifetime=3600))
    s.count(agent_bindings_created=1, agent_bindings_renewed=2, agent_duplicates=1, agent_reply_133=1,
            agent_reply_1=4, agent_announcements=4)


@case("move")
def move(s):
    """The next packet after an accepted request goes to the new care-of address (RFC 5944 3.8.2.2)."""
    s.at(1.5)
    s.register()
    s.at(6)
    s.pass_through(s.ping())
    s.at(7)
    s.register(care_of=CARE_OF2, first=False)
    s.pass_through(s.ping(), care_of=CARE_OF2)
    s.at(8)  # and back, by a foreign agent with which we share nothing
    message = s.request(care_of=FOREIGN_AGENT, flags=0).authenticated(MHAE, SA)
    s.ask(message, source=FOREIGN_AGENT, port=434)
    s.expect_answer(s.reply_to(message, 1), destination=FOREIGN_AGENT, port=434)
    s.pass_through(s.ping(), care_of=FOREIGN_AGENT)
    s.count(agent_bindings_created=1, agent_bindings_moved=2, agent_announcements=4, worker_tunnelled=3)


@case("mobile-to-mobile", associations=mobile_line(MOBILE, SA) + mobile_line(MOBILE2, SA))
def mobile_to_mobile(s):
    """Two mobile nodes away from home talk to each other: what one sends from its home address comes by the router as anybody's
    packet, and goes to the other's care-of address."""
    s.at(1.5)
    s.register()
    s.at(6)
    s.register(home=MOBILE2, care_of=CARE_OF2)
    s.at(10)
    s.pass_through(s.ping(source=MOBILE2, destination=MOBILE))
    s.at(10.1)
    s.pass_through(s.ping(source=MOBILE, destination=MOBILE2), care_of=CARE_OF2)
    s.count(worker_tunnelled=2, agent_bindings_created=2)


# ---- What may be granted besides ----

def granted(s, flags, care_of=CARE_OF, first=True):
    message = s.request(care_of=care_of, flags=DECAPSULATION | flags).authenticated(MHAE, SA)
    s.ask(message, source=care_of)
    if first:
        s.announce()
    s.expect_answer(s.reply_to(message, 0 if s.grants.count("max-care-of") else 1), destination=care_of)


@case("minimal", grants=["encapsulations = {ipip, minimal}"])
def minimal(s):
    """Minimal encapsulation (RFC 2004): the packet's own header stays in front, its identification and DF with it. What
    is a fragment already goes by IP in IP (section 3)."""
    s.at(1.5)
    granted(s, MINIMAL)
    for i, packet in enumerate((s.ping(), s.ping(tos=0xb9, flags="DF"), s.ping(size=1),
                                with_options(bytes([1, 1, 1, 0])))):
        s.at(2 + i / 10)
        s.from_router(packet)
        s.to_router(encapsulated_minimal(decremented(packet), HA, CARE_OF))
    s.at(3)
    s.tunnel_identification[CARE_OF] = 3  # one for each packet that may be fragmented
    s.pass_through(fragment(8, bytes(32)))
    s.at(4)  # too big for the way: 20 bytes are taken off the MTU, so that a fragment fits as well
    packet = s.ping(size=1480, flags="DF")
    s.from_router(packet)
    s.expect_error(packet, TOO_BIG, rest=1480)
    s.count(worker_tunnelled=5, agent_reply_1=1)


@case("gre", grants=["encapsulations = {gre}"])
def gre(s):
    """GRE (RFC 2784), neither key nor checksum; an error from the tunnel is relayed with 24 bytes off its MTU."""
    s.at(1.5)
    granted(s, GRE)
    for i, fields in enumerate((dict(), dict(size=1420, tos=0xb9, flags="DF"))):
        s.at(2 + i / 10)
        packet = s.ping(**fields)
        s.from_router(packet)
        outer = encapsulated_gre(decremented(packet), HA, CARE_OF, i)
        s.to_router(outer)
    s.at(3)
    complaint(s, outer, TOO_BIG, rest=1400)
    s.expect_error(outer[24:548], TOO_BIG, rest=1376)
    s.count(worker_tunnelled=2, agent_reply_1=1)


@case("simultaneous", grants=["max-care-of = 2"])
def simultaneous(s):
    """Two care-of addresses at once (RFC 5944 3.8.2.2, 4.2.3): a copy to each, as long as both are bound; a third is
    refused with 135."""
    s.at(1.5)
    granted(s, 0)
    s.at(2)
    s.pass_through(s.ping())
    s.at(6)
    granted(s, SIMULTANEOUS, care_of=CARE_OF2, first=False)
    for i, fields in enumerate((dict(), dict(tos=0xb9, flags="DF"))):
        s.at(7 + i / 10)
        packet = s.ping(**fields)
        s.from_router(packet)
        s.expect_tunnelled(packet, care_of=CARE_OF2)  # the copy; then the packet itself
        s.expect_tunnelled(packet)
    s.at(8)
    refuse(s, s.request(care_of=FOREIGN_AGENT, flags=DECAPSULATION | SIMULTANEOUS).authenticated(MHAE, SA), 135)
    s.at(9)  # without the flag the others go
    granted(s, 0, care_of=CARE_OF2, first=False)
    s.pass_through(s.ping(), care_of=CARE_OF2)
    s.count(worker_tunnelled=4, agent_reply_0=3, agent_reply_135=1)


# ---- Ends ----

def farewell(s, ahead=0, flip=0):
    """The mobile node is back on the home link and says so."""
    return s.request(care_of=MOBILE, lifetime=0, flags=0, ahead=ahead).authenticated(MHAE, SA, flip)


def farewell_comes(s, message):
    s.into(frame(MOBILE_MAC, HA_MAC, udp_of(MOBILE, HA, 434, MIP_PORT, message, ident=3)))


def answer_on_link(s, message):
    s.out(frame(HA_MAC, MOBILE_MAC, s.answer_packet(message, destination=MOBILE, port=434)))


@case("return-home")
def return_home(s):
    """Home again: its own announcement is not fought; then ours with its MAC address, the reply on the link,
    and its packets there (RFC 5944 4.6, 3.8.3.1, 4.2.3)."""
    s.at(1.5)
    s.register()
    s.at(6)
    s.into(announcement(MOBILE_MAC, MOBILE))
    s.at(6.1)  # not deregistered yet: still in the tunnel
    s.pass_through(s.ping())
    s.at(6.4)  # it has to find the home agent first, which so hears of it while it is bound
    s.into(arp_request(MOBILE_MAC, MOBILE, HA))
    s.out(arp_answer(HA_MAC, HA, MOBILE_MAC, MOBILE))
    s.at(6.5)
    message = farewell(s)
    farewell_comes(s, message)
    s.announce(mac=MOBILE_MAC)
    answer_on_link(s, s.reply_to(message, 1))
    s.at(7)
    packet = s.ping()
    s.from_router(packet)
    s.out(frame(HA_MAC, MOBILE_MAC, hop_taken(packet)))
    s.at(7.2)  # its ARP is its own again
    s.into(arp_request(HOST_MAC, HOST, MOBILE))
    s.at(7.3)  # DF clear and larger than a tunnel takes, but not larger than the link
    packet = s.ping(size=1472)
    s.from_router(packet)
    s.out(frame(HA_MAC, MOBILE_MAC, hop_taken(packet)))
    s.at(16.6)  # no late defence either
    packet = s.ping()
    s.from_router(packet)
    s.out(frame(HA_MAC, MOBILE_MAC, hop_taken(packet)))
    s.count(agent_bindings_deregistered=1, agent_arp_conflicts=1, agent_arp_answered=0, worker_tunnelled=1,
            worker_on_link=3, worker_punt_resolve=0, agent_announcements=8)


@case("denied-deregistration")
def denied_deregistration(s):
    """A deregistration that is denied changes nothing; its reply goes onto the link all the same (RFC 5944
    3.8.3.1)."""
    s.at(1.5)
    s.register()
    s.at(6)
    message = farewell(s, flip=1)
    farewell_comes(s, message)
    answer_on_link(s, s.reply_to(message, 131))
    s.at(7)
    message = farewell(s, ahead=-20)
    farewell_comes(s, message)
    low = struct.unpack_from("!I", message, 20)[0]
    answer_on_link(s, s.reply_to(message, 133, identification=s.ntp() >> 32 << 32 | low))
    s.at(8)
    s.into(arp_request(HOST_MAC, HOST, MOBILE))
    s.out(arp_answer(HA_MAC, MOBILE, HOST_MAC, HOST))
    s.at(9)
    s.pass_through(s.ping())
    s.count(agent_reply_131=1, agent_reply_133=1, agent_bindings_deregistered=0, agent_announcements=4)


@case("deregistration-abroad")
def deregistration_abroad(s):
    """Deregistered from a foreign network: no MAC address is known, so nothing is announced; its neighbours
    ask in vain."""
    s.at(1.5)
    s.register()
    s.at(6)
    message = s.request(lifetime=0).authenticated(MHAE, SA)
    s.ask(message)
    s.expect_answer(s.reply_to(message, 1))
    s.at(7)
    s.into(arp_request(HOST_MAC, HOST, MOBILE))
    s.at(8)  # no binding any more: granted again
    message = s.request(care_of=MOBILE, lifetime=0).authenticated(MHAE, SA)
    s.ask(message, source=CARE_OF2)
    s.expect_answer(s.reply_to(message, 1), destination=CARE_OF2)
    s.count(agent_bindings_deregistered=1, agent_announcements=4, agent_arp_answered=0, agent_reply_1=3)


@case("expiry")
def expiry(s):
    """A lifetime ends in silence: no reply, no announcement, no answer to ARP, no tunnel; a packet for the
    home address is then looked for on the home link, in vain (RFC 5944 3.8.2.2; RFC 1812 5.2.7.1)."""
    s.at(1.5)
    s.register(lifetime=4)
    s.at(5.499999)
    s.pass_through(s.ping())
    s.at(5.5)
    s.into(arp_request(HOST_MAC, HOST, MOBILE))
    s.at(5.7)
    packet = s.ping()
    s.from_router(packet)
    for after in (0, 1, 2):
        s.out(arp_request(HA_MAC, HA, MOBILE), after=after)
    s.expect_error(hop_taken(packet), UNREACHABLE_HOST, after=3)
    s.count(agent_bindings_expired=1, agent_announcements=4, agent_arp_answered=0, agent_reply_1=1,
            worker_tunnelled=1, control_send_unresolved=1, neighbor_unanswered=1)


# ---- Requests that are refused, and those that nobody hears of ----

def refuse(s, message, code, **arguments):
    s.ask(message, port=arguments.pop("port", 5000))
    s.expect_answer(s.reply_to(message, code, **arguments), port=5000)


def to_everybody(s, destination):
    """Sent by a foreign agent on the home link that looks for home agents (RFC 5944 3.6.1.2)."""
    message = s.request(care_of=HOST, home_agent=destination, flags=0).authenticated(MHAE, SA)
    s.into(frame(HOST_MAC, BROADCAST, udp_of(HOST, destination, 434, MIP_PORT, message, ident=9)))
    s.out(frame(HA_MAC, HOST_MAC, s.answer_packet(s.reply_to(message, 136), destination=HOST, port=434)))


@case("refused")
def refused(s):
    """Each denial: authenticated, to where the request came from, and without any ARP (RFC 5944 3.8.3,
    4.6)."""
    s.at(1.2)
    s.host_says_hello()
    s.at(1.5)  # one bit of the authenticator
    refuse(s, s.request().authenticated(MHAE, SA, flip=1), 131)
    s.at(1.6)  # signed with another key
    refuse(s, s.request().authenticated(MHAE, (SA[0], KEY2, SA[2])), 131)
    s.at(1.7)  # twice: which one would count?
    refuse(s, s.request().authenticated(MHAE, SA).authenticated(MHAE, SA), 131)
    s.at(1.8)  # signed, then changed on the way
    message = s.request().authenticated(MHAE, SA)
    refuse(s, Message(message[:15] + b"\x63" + message[16:]), 131)
    for i, ahead in enumerate((-8, 8, -1000000)):
        s.at(2 + i / 10)  # our clock in the high half, what was asked in the low half
        message = s.request(ahead=ahead).authenticated(MHAE, SA)
        low = struct.unpack_from("!I", message, 20)[0]
        refuse(s, message, 133, identification=s.ntp() >> 32 << 32 | low)
    s.at(2.4)  # authentication by AAA besides, which we cannot check (RFC 4721 3.4)
    aaa = s.request().long_extension(GENERALIZED, 1, struct.pack("!I", 512) + bytes(16))
    refuse(s, aaa.authenticated(MHAE, SA), 144)
    s.at(2.5)  # an extension longer than the message
    refuse(s, Message(s.request().authenticated(MHAE, SA) + b"\xc8\x32abc"), 134)
    s.at(2.6)  # nobody can be there
    refuse(s, s.request(care_of="0.0.0.0").authenticated(MHAE, SA), 134)
    s.at(2.7)
    refuse(s, s.request(care_of="224.0.0.1").authenticated(MHAE, SA), 134)
    s.at(3)
    to_everybody(s, "10.1.0.255")
    s.at(3.1)
    to_everybody(s, "255.255.255.255")
    s.at(3.2)  # another home agent's name, to our address
    refuse(s, s.request(home_agent="10.1.0.3").authenticated(MHAE, SA), 136)
    s.at(3.3)
    refuse(s, s.request(flags=DECAPSULATION | MINIMAL).authenticated(MHAE, SA), 139)
    s.at(3.4)
    refuse(s, s.request(flags=DECAPSULATION | GRE).authenticated(MHAE, SA), 139)
    s.at(3.5)
    refuse(s, s.request(flags=DECAPSULATION | REVERSE).authenticated(MHAE, SA), 137)
    s.at(3.6)  # a tunnel into our own network would end here
    refuse(s, s.request(care_of="10.1.0.77").authenticated(MHAE, SA), 129)
    s.at(3.7)
    refuse(s, s.request(care_of=MOBILE).authenticated(MHAE, SA), 129)
    s.at(3.8)
    refuse(s, s.request(care_of=HA).authenticated(MHAE, SA), 129)
    s.at(4)  # bound by none of these: its packets are looked for on the link, where it answers
    packet = s.ping()
    s.from_router(packet)
    s.out(arp_request(HA_MAC, HA, MOBILE))
    s.at(4.1)
    s.into(arp_answer(MOBILE_MAC, MOBILE, HA_MAC, HA))
    s.out(frame(HA_MAC, MOBILE_MAC, hop_taken(packet)))
    s.at(4.2)  # r and x are to be ignored: granted
    message = s.request(flags=DECAPSULATION | 0x05).authenticated(MHAE, SA)
    s.ask(message)
    s.announce()
    s.expect_answer(s.reply_to(message, 1))
    s.count(agent_reply_131=4, agent_reply_133=3, agent_reply_134=3, agent_reply_136=3, agent_reply_137=1,
            agent_reply_139=2, agent_reply_129=3, agent_reply_144=1, agent_bindings_created=1, agent_announcements=4)


@case("no-resources", max_bindings=1, associations=mobile_line(MOBILE, SA) + mobile_line(MOBILE2, SA))
def no_resources(s):
    """The table is full: 130; who is bound stays bound (RFC 5944 3.8.2.3)."""
    s.at(1.5)
    s.register()
    s.at(6)
    refuse(s, s.request(home=MOBILE2).authenticated(MHAE, SA), 130)
    s.at(7)
    s.register(first=False)
    s.count(agent_reply_130=1, agent_bindings_created=1, agent_bindings_renewed=1)


@case("silent")
def silent(s):
    """Requests that are dropped without a word, each counted (RFC 5944 3.8.2.1, 1.8)."""
    s.at(1.5)
    s.ask(s.request(home="10.1.0.99").authenticated(MHAE, SA))  # unknown mobile node
    s.at(1.6)
    s.ask(s.request().authenticated(MHAE, (257, KEY, "hmac-md5")))  # unknown SPI
    s.at(1.7)
    s.ask(s.request())  # no authentication at all
    s.at(1.8)
    s.ask(s.request().extension(40, b"unknown").authenticated(MHAE, SA))  # not to be skipped
    s.at(1.9)
    s.ask(s.request().authenticated(MHAE, SA).extension(40, b"unknown"))  # nor there
    s.at(2)
    s.ask(s.request().authenticated(MHAE, SA), chksum=0x1234)
    s.at(2.1)
    s.ask(Message(s.request()[:23]))
    s.at(2.2)
    s.ask(reply(0, 600, MOBILE, HA, s.ntp()).authenticated(MHAE, SA))
    s.at(2.3)  # vouched for by a stranger
    s.ask(s.request().authenticated(MHAE, SA).authenticated(FHAE, FOREIGN_SA))
    s.at(2.4)
    s.ask(Message(s.request(home="10.1.0.99") + b"\xc8\x32abc"))  # malformed, and whose is it?
    s.at(2.5)
    s.ask(s.request().authenticated(MHAE, SA), len=400)  # UDP says more than IP has
    s.at(3)  # no checksum is not a wrong one; an unknown extension from 128 on is skipped: granted
    message = s.request().extension(200, b"skipped").authenticated(MHAE, SA)
    s.ask(message, chksum=0)
    s.announce()
    s.expect_answer(s.reply_to(message, 1))
    s.count(agent_discard_unknown_mobile=1, agent_discard_unknown_spi=1, agent_discard_no_auth=1,
            agent_discard_unknown_extension=2, agent_discard_short=2, agent_discard_unknown_foreign=1,
            agent_discard_malformed=1, agent_bindings_created=1, control_udp_checksum=1,
            control_udp_malformed=1)


@case("foreign-agent", associations=mobile_line(MOBILE, SA) + foreign_line(FOREIGN_AGENT, FOREIGN_SA))
def foreign_agent(s):
    """By a foreign agent with an association of its own: both authenticators, or 132 (RFC 5944 3.8.2.1c)."""
    def by_agent(message, code, vouched=True, **arguments):
        s.ask(message, source=FOREIGN_AGENT, port=434)
        if code == 1 and message[2:4] != b"\0\0":
            s.announce()
        made = s.reply_to(message, code, **arguments)
        if vouched:
            made = made.authenticated(FHAE, FOREIGN_SA)
        s.expect_answer(made, destination=FOREIGN_AGENT, port=434)

    def asked(**arguments):
        return s.request(care_of=FOREIGN_AGENT, flags=0, **arguments).authenticated(MHAE, SA)

    s.at(1.5)
    by_agent(asked(), 132)
    s.at(1.6)
    by_agent(asked().authenticated(FHAE, FOREIGN_SA, flip=1), 132)
    s.at(1.7)
    by_agent(asked().authenticated(FHAE, FOREIGN_SA).authenticated(FHAE, FOREIGN_SA), 132)
    s.at(1.8)  # it proves who it is: 131 is its right
    forged = s.request(care_of=FOREIGN_AGENT, flags=0).authenticated(MHAE, SA, flip=1)
    by_agent(forged.authenticated(FHAE, FOREIGN_SA), 131)
    s.at(1.9)  # also if the mobile node names an SPI of which we know nothing
    forged = s.request(care_of=FOREIGN_AGENT, flags=0).authenticated(MHAE, (257, KEY, "hmac-md5"))
    by_agent(forged.authenticated(FHAE, FOREIGN_SA), 131)
    s.at(2)
    by_agent(asked().authenticated(FHAE, FOREIGN_SA), 1)
    s.at(6)
    s.pass_through(s.ping(), care_of=FOREIGN_AGENT)
    s.at(7)  # deregistrations are not signed, and neither are their replies
    by_agent(asked(lifetime=0), 1, vouched=False)
    s.count(agent_reply_132=3, agent_reply_131=2, agent_reply_1=2, agent_bindings_deregistered=1,
            worker_tunnelled=1)


@case("nai", associations=mobile_line(MOBILE, SA, nai="truck7@fleet.example"))
def nai(s):
    """A home address of zero and a network access identifier: both are in the reply (RFC 2794 2 and 3)."""
    name = b"truck7@fleet.example"
    s.at(1.5)
    message = s.request(home="0.0.0.0").extension(NAI, name).authenticated(MHAE, SA)
    s.ask(message)
    s.announce()
    identification = struct.unpack_from("!Q", message, 16)[0]
    s.expect_answer(reply(1, 600, MOBILE, HA, identification).extension(NAI, name).authenticated(MHAE, SA))
    s.at(6)
    s.pass_through(s.ping())
    s.at(7)  # nobody of that name
    s.ask(s.request(home="0.0.0.0").extension(NAI, b"nobody").authenticated(MHAE, SA))
    s.at(7.1)  # behind the authenticator anybody may have put it there
    s.ask(s.request(home="0.0.0.0").authenticated(MHAE, SA).extension(NAI, name))
    s.count(agent_bindings_created=1, agent_discard_unknown_mobile=2, agent_reply_1=1)


# ---- Packets of every kind ----

def error_with_ttl(ttl):
    about = bytes(IP(src=MOBILE, dst=CORRESPONDENT, proto=OPAQUE) / Raw(bytes(8)))
    packet = ip_bytes(icmp_of(CORRESPONDENT, MOBILE, 4, UNREACHABLE_HOST, 0, about))
    packet[8] = ttl
    return with_checksum(packet)


def fragment(offset, data, flags=0):
    head = IP(src=CORRESPONDENT, dst=MOBILE, ttl=33, id=77, flags=flags, frag=offset, proto=OPAQUE)
    return bytes(head / Raw(data))


def with_options(options, size=56, **fields):
    options = bytes(options) + bytes(-len(options) % 4)
    head = ip_bytes(IP(src=CORRESPONDENT, dst=MOBILE, ttl=60, id=0x4321, proto=OPAQUE, **fields))
    head[0] = 0x45 + len(options) // 4
    packet = head + options + bytes(i & 0xff for i in range(size))
    struct.pack_into("!H", packet, 2, len(packet))
    return with_checksum(packet)


@case("fragmented-inner")
def fragmented_inner(s):
    """DF clear and too big for the tunnel: fragmented first, each fragment in a packet of its own (RFC 2003
    5.1; RFC 791 3.2)."""
    def in_pieces(packet):
        s.from_router(packet)
        for piece in fragments(hop_taken(packet), 1480):
            s.to_router(s.tunnel(piece))

    s.at(1.5)
    s.register()
    s.at(6)
    in_pieces(s.ping(size=1472, tos=0x28))
    s.at(6.1)  # one byte too long
    in_pieces(s.ping(size=1453))
    s.at(6.2)  # just fits
    s.pass_through(s.ping(size=1452))
    s.at(6.3)  # in the middle of another datagram
    in_pieces(fragment(185, bytes(1480), "MF"))
    s.at(6.4)  # its last fragment
    in_pieces(fragment(370, b"x" * 1471))
    s.at(6.5)  # options: what has the copy flag goes with every fragment
    in_pieces(with_options(bytes([136, 4, 0x12, 0x34, 68, 8, 5, 0, 0, 0, 0, 0, 1, 0, 0, 0]), size=1456))
    s.count(worker_fragmented=5, worker_tunnelled=1)


@case("narrow-tunnel")
def narrow_tunnel(s):
    """Many fragments, their options and their last one's flag (RFC 791 3.2; RFC 2003 5.1)."""
    s.at(1.5)
    s.register()
    s.at(6)
    packet = s.ping(size=1452, flags="DF")
    s.pass_through(packet)
    s.at(6.1)
    complaint(s, outer_of(s, packet), TOO_BIG, rest=300, quote=28)
    packets = (s.ping(size=1472),
               with_options(bytes([136, 4, 0x12, 0x34, 1]), size=1400),
               with_options(bytes([68, 8, 5, 0, 0, 0, 0, 0]), size=600),
               with_options(bytes([136, 4, 0x12, 0x34]), size=1000, flags="MF", frag=33))
    for i, packet in enumerate(packets):
        s.at(7 + i)
        s.from_router(packet)
        for piece in fragments(hop_taken(packet), 280):
            s.to_router(s.tunnel(piece))
    s.count(worker_fragmented=4, worker_tunnelled=1)


@case("too-big")
def too_big(s):
    """DF set and too big for the tunnel: fragmentation needed, with the tunnel's MTU (RFC 2003 5.1; RFC 1191
    4)."""
    s.at(1.5)
    s.register()
    s.at(6)
    packet = s.ping(size=1472, flags="DF")
    s.from_router(packet)
    s.expect_error(packet, TOO_BIG, rest=1480)
    s.at(6.1)
    packet = s.ping(size=1453, flags="DF", tos=0x13)
    s.from_router(packet)
    s.expect_error(packet, TOO_BIG, rest=1480)
    s.at(6.2)
    s.pass_through(s.ping(size=1452, flags="DF"))
    s.count(worker_too_big=2, worker_tunnelled=1, control_icmp_errors_sent=2)


@case("ttl-exceeded")
def ttl_exceeded(s):
    """Forwarding takes a hop before the tunnel (RFC 2003 3.1); errors about errors are forbidden (RFC 1812
    4.3.2.7)."""
    s.at(1.5)
    s.register()
    s.at(6)
    packet = s.ping(ttl=1)
    s.from_router(packet)
    s.expect_error(packet, TIME_EXCEEDED)
    s.at(6.1)
    packet = s.ping(ttl=0)
    s.from_router(packet)
    s.expect_error(packet, TIME_EXCEEDED)
    s.at(6.2)
    s.pass_through(s.ping(ttl=2))
    s.at(6.3)  # about an error
    s.from_router(error_with_ttl(1))
    s.at(6.4)  # about a later fragment
    s.from_router(bytes(IP(src=CORRESPONDENT, dst=MOBILE, ttl=1, frag=100, proto=OPAQUE) / Raw(bytes(64))))
    s.at(6.5)  # about a first fragment: due
    packet = bytes(IP(src=CORRESPONDENT, dst=MOBILE, ttl=1, flags="MF", proto=OPAQUE) / Raw(bytes(64)))
    s.from_router(packet)
    s.expect_error(packet, TIME_EXCEEDED)
    s.at(6.6)  # for a home address that is not bound
    packet = s.ping(ttl=1, destination=MOBILE2)
    s.from_router(packet)
    s.expect_error(packet, TIME_EXCEEDED)
    s.count(worker_ttl_exceeded=6, worker_tunnelled=1, control_icmp_errors_sent=4,
            control_icmp_errors_forbidden=2)


@case("ip-options")
def ip_options(s):
    """IP options travel inside; the outer header has none (RFC 2003 3.1)."""
    s.at(1.5)
    s.register()
    s.at(6)
    s.pass_through(with_options(bytes([136, 4, 0x12, 0x34, 148, 4, 0, 0])))
    s.at(6.1)
    s.pass_through(with_options(bytes([1] * 40), flags="DF"))
    s.at(6.2)
    packet = with_options(bytes([1] * 40), size=1421, flags="DF")
    s.from_router(packet)
    s.expect_error(packet, TOO_BIG, rest=1480)
    s.count(worker_tunnelled=2, worker_too_big=1)


@case("inner-fragment")
def inner_fragment(s):
    """Fragments are tunnelled like any packet (RFC 2003 3.1)."""
    s.at(1.5)
    s.register()
    for i, (flags, offset) in enumerate((("MF", 0), ("MF", 8), (0, 16), ("MF", 8191 - 8))):
        s.at(6 + i / 10)
        s.pass_through(fragment(offset, bytes(64), flags))
    s.count(worker_tunnelled=4)


@case("loop-rules", associations=mobile_line(MOBILE, SA) + mobile_line(MOBILE2, SA))
def loop_rules(s):
    """What must not go into the tunnel (RFC 2003 3.2; RFC 5944 4.2.3)."""
    def ipip(source, destination, inner):
        return bytes(IP(src=source, dst=destination, proto=4, ttl=50, id=8) / Raw(inner))

    s.at(1.5)
    s.register()
    s.at(6)  # from one of our own addresses
    s.from_router(s.ping(source=HA))
    s.at(6.1)  # from the tunnel's other end
    s.from_router(s.ping(source=CARE_OF))
    s.at(6.2)  # recursively encapsulated, back from its care-of address
    s.from_router(ipip(CARE_OF, MOBILE, s.ping()))
    s.at(6.3)  # the same from elsewhere is forwarded
    s.pass_through(ipip(CARE_OF2, MOBILE, s.ping()))
    s.at(6.4)  # and so is what is encapsulated for another
    s.pass_through(ipip(CARE_OF2, MOBILE, s.ping(destination=MOBILE2)))
    s.at(6.5)  # another mobile node may be the sender
    s.pass_through(s.ping(source=MOBILE2))
    s.count(worker_loop_own_source=1, worker_loop_care_of=1, worker_recursive=1, worker_tunnelled=3)


@case("discarded")
def discarded(s):
    """What is no business of a home agent is dropped, each for its reason."""
    s.at(1.5)
    s.register()
    s.at(6)
    s.into(frame(ROUTER_MAC, MOBILE_MAC, s.ping()))  # another station's
    s.into(frame(ROUTER_MAC, "01:00:5e:00:00:01", s.ping(destination="224.0.0.1")))
    s.into(frame(ROUTER_MAC, BROADCAST, s.ping()))  # RFC 1122 3.3.6
    s.into(frame(ROUTER_MAC, HA_MAC, s.ping())[:30])
    s.into(bytes(Ether(src=ROUTER_MAC, dst=HA_MAC, type=0x88b5)) + bytes(40))
    packet = ip_bytes(s.ping())
    packet[10] ^= 1
    s.from_router(packet)
    packet = ip_bytes(s.ping())
    packet[0] = 0x65
    s.from_router(with_checksum(packet))
    packet = ip_bytes(s.ping())
    packet[0] = 0x44
    s.from_router(with_checksum(packet))
    s.from_router(s.ping()[:-1])  # shorter than it says
    for source in ("0.0.0.0", "127.0.0.1", "224.0.0.5", "240.0.0.1", "255.255.255.255"):
        s.from_router(s.ping(source=source))
    s.from_router(s.ping(destination="198.51.100.99"))  # we are no router
    s.from_router(bytes(IP(src=CORRESPONDENT, dst=HA) / TCP(dport=22)))
    inner = s.ping(source=MOBILE, destination=CORRESPONDENT)
    s.from_router(bytes(IP(src=CARE_OF, dst=HA, proto=4) / Raw(inner)))
    s.from_router(bytes(IP(src=CORRESPONDENT, dst=HA, flags="MF", proto=6) / Raw(bytes(64))))
    s.into(frame(HOST_MAC, BROADCAST, s.ping(source=HOST, destination="10.1.0.255")))
    for destination in ("10.1.0.255", "10.1.0.0"):  # RFC 2644; RFC 1812 5.3.5
        s.from_router(s.ping(destination=destination))
    s.at(7)
    s.pass_through(s.ping())
    s.count(worker_foreign_mac=1, worker_multicast=1, worker_link_broadcast=1, worker_runt=1,
            worker_ethertype=1, worker_ip_checksum=1, worker_ip_version=2, worker_ip_length=1,
            worker_bad_source=5, worker_no_binding=1, worker_local_protocol=1, worker_reverse_tunnel=1,
            worker_local_fragment=1, worker_broadcast=3, worker_tunnelled=1)


# ---- Errors from inside the tunnel (RFC 2003 section 4) ----

def complaint(s, outer, icmp, rest=0, quote=548, source=TUNNEL_ROUTER):
    """A router in the tunnel has something to say about a packet of ours."""
    s.from_router(icmp_of(source, HA, 0x77, icmp, rest, outer[:quote]))


def outer_of(s, inner, care_of=CARE_OF, source=HA):
    """As the packet was in the tunnel."""
    return encapsulated(decremented(inner), source, care_of, 0)


@case("path-mtu")
def path_mtu(s):
    """A narrow link in the tunnel: relayed with the header's length off, and known from then on (RFC 2003
    4.1, 5.1)."""
    s.at(1.5)
    s.register()
    s.at(6)
    packet = s.ping(size=1452, flags="DF")
    s.pass_through(packet)
    s.at(6.1)
    complaint(s, outer_of(s, packet), TOO_BIG, rest=1400)
    s.expect_error(decremented(packet)[:528], TOO_BIG, rest=1380)
    s.at(6.2)  # the next one is answered here
    s.from_router(packet)
    s.expect_error(packet, TOO_BIG, rest=1380)
    s.at(6.3)
    s.pass_through(s.ping(size=1352, flags="DF"))
    s.at(6.4)
    packet = s.ping(size=1472)
    s.from_router(packet)
    for piece in fragments(hop_taken(packet), 1380):
        s.to_router(s.tunnel(piece))
    s.at(6.5)  # never raised by a message
    complaint(s, outer_of(s, s.ping(size=1452, flags="DF")), TOO_BIG, rest=1450, quote=28)
    s.at(6.6)  # below what an IPv4 link has to take
    complaint(s, outer_of(s, s.ping(size=1452, flags="DF")), TOO_BIG, rest=67, quote=28)
    s.at(6.7)
    packet = s.ping(size=1353, flags="DF")
    s.from_router(packet)
    s.expect_error(packet, TOO_BIG, rest=1380)
    s.count(agent_tunnel_errors_believed=2, agent_tunnel_errors_refused=1, agent_tunnel_errors_relayed=1,
            worker_too_big=2, worker_fragmented=1, worker_tunnelled=2)


@case("tunnel-unreachable")
def tunnel_unreachable(s):
    """The tunnel's end is unreachable: relayed as host unreachable, later packets answered and forwarded;
    other errors are relayed as RFC 2003 4 has it, forged ones not believed."""
    s.at(1.5)
    s.register()
    s.at(6)
    packet = s.ping()
    s.pass_through(packet)
    s.at(6.1)  # of no tunnel of ours
    complaint(s, outer_of(s, packet, care_of=CARE_OF2), UNREACHABLE_HOST)
    s.at(6.2)
    complaint(s, outer_of(s, packet, source="10.1.0.3"), UNREACHABLE_HOST)
    s.at(6.3)  # of a tunnel, but not of this mobile node's
    complaint(s, outer_of(s, s.ping(destination=MOBILE2)), UNREACHABLE_HOST)
    s.at(6.4)  # what must not be relayed: port, source route, redirect, quench
    for icmp in (UNREACHABLE_PORT, (3, 5), (5, 1), (4, 0)):
        complaint(s, outer_of(s, packet), icmp)
    s.at(6.5)  # nothing was learnt from all these
    s.pass_through(s.ping())
    s.at(7)
    complaint(s, outer_of(s, packet), UNREACHABLE_HOST)
    s.expect_error(decremented(packet), UNREACHABLE_HOST)
    s.at(7.1)
    packet = s.ping(size=1000)
    s.pass_through(packet)
    s.expect_error(packet, UNREACHABLE_HOST)
    s.at(7.2)  # network and protocol: the home address is on our own network, so host; time exceeded likewise
    for icmp in ((3, 0), (3, 2), (11, 0)):
        complaint(s, outer_of(s, packet), icmp)
        s.expect_error(decremented(packet)[:528], UNREACHABLE_HOST)
    s.at(8)  # a sign of life from the care-of address
    s.register(first=False)
    s.at(8.1)
    s.pass_through(s.ping())
    s.count(agent_tunnel_errors_refused=3, agent_tunnel_errors_believed=8, agent_tunnel_errors_relayed=4,
            worker_tunnelled=4, control_icmp_errors_sent=5)


@case("short-quote")
def short_quote(s):
    """Eight bytes are quoted: nothing to relay, but the next packet is answered and forwarded (RFC 2003
    5)."""
    s.at(1.5)
    s.register()
    s.at(6)
    packet = s.ping()
    s.pass_through(packet)
    s.at(6.1)
    complaint(s, outer_of(s, packet), UNREACHABLE_HOST, quote=28)
    s.at(6.2)
    packet = s.ping()
    s.pass_through(packet)
    s.expect_error(packet, UNREACHABLE_HOST)
    s.at(6.3)
    complaint(s, outer_of(s, s.ping(size=1452, flags="DF")), TOO_BIG, rest=1300, quote=28)
    s.at(6.4)
    packet = s.ping(size=1300, flags="DF")
    s.from_router(packet)
    s.expect_error(packet, TOO_BIG, rest=1280)
    s.count(agent_tunnel_errors_believed=2, agent_tunnel_errors_relayed=0, worker_tunnelled=2,
            worker_too_big=1)


# ---- A host among hosts ----

@case("reassembly")
def reassembly(s):
    """Fragments for the appliance itself become datagrams again, whatever their order; what overlaps is given up, and
    of what is incomplete after a minute the sender hears, if the first fragment is there (RFC 791 3.2, RFC 1122
    3.3.2). Tunnels and delegation are not taken out of fragments."""
    def ping(number, size=1900):
        echo = bytes(i * 7 & 0xff for i in range(size))
        return bytes(IP(src=HOST, dst=HA, id=number) / ICMP(id=9, seq=number) / Raw(echo)), echo

    def come(parts):
        for part in parts:
            s.into(frame(HOST_MAC, HA_MAC, part))

    def marked(part, tos):
        return with_checksum(part[:1] + bytes([tos]) + part[2:])

    def answered(number, echo, tos=0):
        answer = of_our_own(IP(src=HA, dst=HOST, id=s.own(), tos=tos) / ICMP(type=0, id=9, seq=number) / Raw(echo))
        for part in fragments(answer, 1500) if len(answer) > 1500 else [answer]:
            s.out(frame(HA_MAC, HOST_MAC, part))

    s.at(1.2)
    s.host_says_hello()
    for number, order in enumerate(((0, 1), (1, 0), (0, 0, 1), (1, 1, 0))):
        s.at(1.5 + number / 10)
        packet, echo = ping(number)
        parts = fragments(packet, 1500)
        come(parts[i] for i in order)
        answered(number, echo)
    s.at(2)  # links that take less
    packet, echo = ping(10, 500)
    come(reversed(fragments(packet, 68)))
    answered(10, echo)
    s.at(2.1)  # a registration
    message = s.request().authenticated(MHAE, SA)
    for part in fragments(udp_of(CARE_OF, HA, 5000, MIP_PORT, message, ident=7, ttl=61), 44):
        s.from_router(part)
    s.announce()
    s.expect_answer(s.reply_to(message, 1))
    s.at(2.2)  # nobody's port: the whole is quoted
    datagram = udp_of(HOST, HA, 1025, 9, bytes(1600), ident=11)
    come(fragments(datagram, 1500))
    s.out(frame(HA_MAC, HOST_MAC, icmp_error(HA, datagram, s.own(), UNREACHABLE_PORT)))
    s.at(2.3)  # nobody's message to another node
    come(fragments(udp_of(HOST, HA, 49434, 49434, bytes(1600), ident=12), 1500))
    s.at(2.4)  # what overlaps by 8 bytes, and what comes of it later
    packet, _ = ping(13)
    first, last = fragments(packet, 1500)
    come([first, fragment_of(packet, 1472, len(packet) - 20), last])
    s.at(2.5)  # larger than a packet buffer
    packet, _ = ping(14, 3000)
    come(fragments(packet, 1500))
    s.at(2.6)  # half a unit, and more to come
    packet, _ = ping(15)
    come([fragment_of(packet, 0, 1002, more=True)])
    s.at(2.7)  # in a tunnel, and to everybody
    come([bytes(IP(src=HOST, dst=HA, flags="MF", proto=protocol) / Raw(bytes(64))) for protocol in (4, 47, 55)])
    s.into(frame(HOST_MAC, BROADCAST, fragments(s.ping(1900, source=HOST, destination="10.1.0.255"), 1500)[0]))
    s.at(2.8)  # a mark of congestion is kept, or where that cannot be nothing is (RFC 3168 5.3)
    for number, tos in ((16, 2), (17, 0)):
        packet, echo = ping(number, 500)
        first, last = fragments(packet, 300)
        come([marked(first, tos), marked(last, 3)])
        if tos == 2:
            answered(number, echo, tos=3)
    s.at(3)  # nothing but the last, nothing but the first
    come(fragments(ping(20)[0], 1500)[1:])
    first = fragments(s.ping(1900, destination=HA), 1500)[0]
    s.from_router(first)
    s.to_router(icmp_error(HA, first, s.own(), REASSEMBLY_TIME_EXCEEDED), after=60)
    for second in (20, 40, 60):  # so that we need not ask
        s.at(second)
        s.host_says_hello()
        s.router_says_hello()
    s.at(62.5)  # it is back where its header comes from, whoever passes on the rest
    message = farewell(s)
    first, *others = fragments(udp_of(MOBILE, HA, 434, MIP_PORT, message, ident=3), 44)
    s.into(frame(MOBILE_MAC, HA_MAC, first))
    come(others)
    s.announce(mac=MOBILE_MAC)
    answer_on_link(s, s.reply_to(message, 1))
    s.count(worker_punt_fragment=44, worker_local_fragment=3, worker_broadcast=1, control_fragments_received=44,
            control_fragments_twice=2, control_fragments_malformed=1, control_fragments_given_up=2,
            control_fragments_refused=1, control_reassembled=10, control_reassembly_overlap=1,
            control_reassembly_too_long=1, control_reassembly_congested=1, control_reassembly_timed_out=2,
            control_icmp_echo=6, control_icmp_errors_sent=2, agent_bindings_created=1, agent_bindings_deregistered=1)


@case("host")
def host(s):
    """The appliance as a host: ARP, echo, port unreachable (RFC 826, RFC 1122, RFC 1812, RFC 5227)."""
    def echo(size, tos=0):
        data = Raw(bytes(range(size)))
        ping = IP(src=HOST, dst=HA, id=55, tos=tos, ttl=64) / ICMP(id=9, seq=2) / data
        pong = of_our_own(IP(src=HA, dst=HOST, id=s.own(), tos=tos, ttl=64) / ICMP(type=0, id=9, seq=2) / data)
        s.into(frame(HOST_MAC, HA_MAC, ping).ljust(60, b"\0"))
        s.out(frame(HA_MAC, HOST_MAC, pong))

    s.at(1.2)
    s.host_says_hello()
    s.at(1.3)  # asked for by unicast, too
    s.into(arp_request(HOST_MAC, HOST, HA, to=HA_MAC))
    s.out(arp_answer(HA_MAC, HA, HOST_MAC, HOST))
    s.at(1.4)  # a probe for our address is answered
    s.into(probe(MOBILE_MAC, HA))
    s.out(arp_answer(HA_MAC, HA, MOBILE_MAC, "0.0.0.0"))
    s.at(1.5)
    echo(56)
    s.at(1.6)
    echo(3, tos=0x10)
    s.at(1.7)  # from afar
    data = Raw(bytes(1472))
    s.from_router(IP(src=CORRESPONDENT, dst=HA, ttl=50) / ICMP(id=1) / data)
    s.to_router(of_our_own(IP(src=HA, dst=CORRESPONDENT, id=s.own(), ttl=64) / ICMP(type=0, id=1) / data))
    s.at(1.8)
    datagram = udp_of(HOST, HA, 1025, 9, b"discard me", ident=6)
    s.into(frame(HOST_MAC, HA_MAC, datagram))
    s.out(frame(HA_MAC, HOST_MAC, icmp_error(HA, datagram, s.own(), UNREACHABLE_PORT)))
    s.at(1.9)  # nobody answers an echo to everybody, nor an error to a broadcast
    s.into(frame(HOST_MAC, BROADCAST, s.ping(source=HOST, destination="10.1.0.255")))
    s.into(frame(HOST_MAC, BROADCAST, udp_of(HOST, "10.1.0.255", 1025, 9, b"discard me")))
    s.at(2)
    wrong = ip_bytes(s.ping(destination=HA))
    wrong[-1] ^= 1
    s.from_router(wrong)
    s.at(2.1)
    s.from_router(icmp_of(CORRESPONDENT, HA, 4, (13, 0), 0, bytes(12)))  # the time of day is not told
    s.at(2.2)  # ARP that is not for us, or no ARP
    s.into(arp_request(HOST_MAC, HOST, ROUTER))
    s.into(arp(9, HOST_MAC, HOST, HA_MAC, HA))
    s.at(3)  # another claims our address: one announcement in ten seconds (RFC 5227 2.4b)
    s.into(announcement(MOBILE_MAC, HA))
    s.out(announcement(HA_MAC, HA))
    s.at(12.9)
    s.into(announcement(MOBILE_MAC, HA))
    s.at(13)
    s.into(announcement(MOBILE_MAC, HA))
    s.out(announcement(HA_MAC, HA))
    s.count(control_icmp_echo=3, control_udp_no_port=1, control_icmp_malformed=1, control_icmp_ignored=1,
            control_arp_conflicts=3, control_arp_answered=4, control_arp_malformed=1, worker_broadcast=2)


@case("probe-and-conflict")
def probe_and_conflict(s):
    """A probe for a bound home address is answered; the mobile node's announcement is not, nor fought for ten
    seconds (RFC 5227 2.4c; RFC 5944 4.6)."""
    s.at(1.5)
    s.register()
    s.at(5)
    s.into(probe(HOST_MAC, MOBILE))
    s.out(arp_answer(HA_MAC, MOBILE, HOST_MAC, "0.0.0.0"))
    s.at(5.5)
    s.into(announcement(MOBILE_MAC, MOBILE))
    s.out(announcement(HA_MAC, MOBILE), after=10)
    s.at(6)  # in the form of a reply
    s.into(arp(2, MOBILE_MAC, MOBILE, MOBILE_MAC, MOBILE))
    s.at(7)  # still ours to answer for
    s.into(arp_request(HOST_MAC, HOST, MOBILE))
    s.out(arp_answer(HA_MAC, MOBILE, HOST_MAC, HOST))
    s.at(8)  # its own question for another's address is a claim, too
    s.into(arp_request(MOBILE_MAC, MOBILE, HOST))
    s.at(16)
    s.pass_through(s.ping())
    s.count(agent_arp_conflicts=3, agent_arp_answered=2, agent_announcements=5)


@case("neighbour", hello=False)
def neighbour(s):
    """The next hop is asked for while packets wait for it in their order (RFC 1122 2.3.2)."""
    message = s.request().authenticated(MHAE, SA)
    s.ask(message)
    s.out(arp_request(HA_MAC, HA, ROUTER))
    s.announce()
    for after in (1, 2):  # at most one question a second
        s.out(arp_request(HA_MAC, HA, ROUTER), after=after)
    waiting = [s.answer_packet(s.reply_to(message, 1))]
    for i in range(3):
        s.at(1.1 + i / 10)
        packet = s.ping(size=20 + i)
        s.from_router(packet)
        waiting.append(s.tunnel(decremented(packet)))
    s.at(3.5)
    s.into(arp_answer(ROUTER_MAC, ROUTER, HA_MAC, HA))
    for packet in waiting:
        s.to_router(packet)
    s.at(6)  # a packet for a mobile node that is at home waits on the link
    packet = s.ping(destination=MOBILE2)
    s.from_router(packet)
    s.out(arp_request(HA_MAC, HA, MOBILE2))
    s.at(6.4)
    s.into(arp_answer(MOBILE2_MAC, MOBILE2, HA_MAC, HA))
    s.out(frame(HA_MAC, MOBILE2_MAC, hop_taken(packet)))
    s.at(6.5)
    packet = s.ping(destination=MOBILE2)
    s.from_router(packet)
    s.out(frame(HA_MAC, MOBILE2_MAC, hop_taken(packet)))
    s.at(6.6)  # the router has got another interface
    s.into(announcement("02:52:00:00:00:99", ROUTER))
    packet = s.ping()
    s.from_router(packet)
    s.out(frame(HA_MAC, "02:52:00:00:00:99", s.tunnel(decremented(packet))))
    s.at(7)  # nobody there: the sender is told
    packet = s.ping(destination="10.1.0.99", size=700)
    s.from_router(packet)
    for after in (0, 1, 2):
        s.out(arp_request(HA_MAC, HA, "10.1.0.99"), after=after)
    error = icmp_error(HA, hop_taken(packet), s.own(), UNREACHABLE_HOST)
    s.out(frame(HA_MAC, "02:52:00:00:00:99", error), after=3)
    s.count(worker_punt_resolve=5, worker_tunnelled=1, worker_on_link=1, neighbor_moved=1,
            neighbor_unanswered=1)


@case("host-unreachable")
def host_unreachable(s):
    """Told when the last question stayed without an answer; never for want of room, nor because an address has
    been bound meanwhile (RFC 1812 3.3.2, 5.2.7.1; RFC 1122 2.3.2.2)."""
    s.at(1.5)
    packets = [s.ping(size=30 + i, destination="10.1.0.77") for i in range(20)]
    s.out(arp_request(HA_MAC, HA, "10.1.0.77"))
    for packet in packets:
        s.from_router(packet)
    s.at(2)
    s.into(arp_answer("02:52:00:00:00:77", "10.1.0.77", HA_MAC, HA))
    for packet in packets[-16:]:
        s.out(frame(HA_MAC, "02:52:00:00:00:77", hop_taken(packet)))
    s.at(3)  # for one who registers before anybody has answered for it
    s.from_router(s.ping())
    s.out(arp_request(HA_MAC, HA, MOBILE))
    s.at(3.4)
    s.register()
    s.at(9)
    s.pass_through(s.ping())
    s.at(10)  # really nobody
    for after in (0, 1, 2):
        s.out(arp_request(HA_MAC, HA, "10.1.0.99"), after=after)
    for i in range(4):
        s.at(10 + i / 10)
        packet = s.ping(size=600 + i, destination="10.1.0.99")
        s.from_router(packet)
        s.expect_error(hop_taken(packet), UNREACHABLE_HOST, after=3 - i / 10)
    s.at(13.5)  # that is still known
    packet = s.ping(destination="10.1.0.99")
    s.from_router(packet)
    s.expect_error(hop_taken(packet), UNREACHABLE_HOST)
    s.count(neighbor_queue_dropped=4, neighbor_forgotten_dropped=1, neighbor_failed_dropped=5,
            neighbor_unanswered=1, control_icmp_errors_sent=5, worker_tunnelled=1)


def registers_by_host(s):
    """The request of a mobile node to which there is no way back is brought by a host on the home link."""
    message = s.request().authenticated(MHAE, SA)
    s.into(frame(HOST_MAC, HA_MAC, udp_of(CARE_OF, HA, 5000, MIP_PORT, message, ident=7)))
    return s.answer_packet(s.reply_to(message, 1))


@case("silent-next-hop", hello=False)
def silent_next_hop(s):
    """The next hop to a care-of address does not answer: who sent the packet that is in the tunnel by now is
    told, not the tunnel's beginning (RFC 1812 5.2.7.1; RFC 2003 4.1)."""
    s.at(1)
    s.host_says_hello()
    s.at(1.5)
    registers_by_host(s)
    s.out(arp_request(HA_MAC, HA, ROUTER))
    s.announce()
    for after in (1, 2):
        s.out(arp_request(HA_MAC, HA, ROUTER), after=after)
    s.at(6)  # it is needed: asked for anew
    for after in (0, 1, 2):
        s.out(arp_request(HA_MAC, HA, ROUTER), after=after)
    for i, flags in enumerate((0, "DF")):
        s.at(6 + i / 10)
        packet = s.ping(source=HOST, size=800, flags=flags)
        s.into(frame(HOST_MAC, HA_MAC, packet))
        s.tunnel(decremented(packet))  # it was numbered before it was lost
        s.out(frame(HA_MAC, HOST_MAC, icmp_error(HA, hop_taken(packet), s.own(), UNREACHABLE_HOST)),
              after=3 - i / 10)
    s.at(12)
    packet = s.ping(source=HOST)
    s.into(frame(HOST_MAC, HA_MAC, packet))
    s.out(arp_request(HA_MAC, HA, ROUTER))
    s.at(12.2)
    s.into(arp_answer(ROUTER_MAC, ROUTER, HA_MAC, HA))
    s.to_router(s.tunnel(decremented(packet)))
    s.count(agent_bindings_created=1, control_icmp_errors_sent=2)


@case("no-route", gateway="")
def no_route(s):
    """A care-of address to which no route leads: the senders are told, as host unreachable since the home
    address is on our own network (RFC 1812 4.3.3.1; RFC 2003 4.1)."""
    s.at(1.2)
    s.host_says_hello()
    s.at(1.5)
    registers_by_host(s)
    s.announce()
    for i, size in enumerate((56, 1400)):
        s.at(6 + i / 10)
        packet = s.ping(source=HOST, size=size)
        s.into(frame(HOST_MAC, HA_MAC, packet))
        s.out(frame(HA_MAC, HOST_MAC, icmp_error(HA, hop_taken(packet), s.own(), UNREACHABLE_HOST)))
    s.at(6.5)  # nobody is told of our own
    s.from_router(s.ping(source=MOBILE, destination=HA))
    s.count(agent_bindings_created=1, control_icmp_errors_sent=2, control_icmp_echo=1, control_send_no_route=4)


@case("own-packets")
def own_packets(s):
    """The appliance's own packets for a bound mobile node, larger than the tunnel: in fragments, each in the
    tunnel (RFC 2003 5.1; RFC 791 3.2)."""
    def echo(size, small=False):
        data = Raw(bytes(i & 0xff for i in range(size)))
        s.from_router(IP(src=MOBILE, dst=HA, id=55, ttl=60) / ICMP(id=9, seq=2) / data)
        pong = bytes(IP(src=HA, dst=MOBILE, id=s.own(), ttl=64) / ICMP(type=0, id=9, seq=2) / data)
        return of_our_own(pong) if small else pong

    def in_pieces(packet, mtu):
        for piece in fragments(packet, mtu):
            s.to_router(s.own_tunnel(piece))

    s.at(1.5)
    s.register()
    s.at(6)
    s.to_router(s.own_tunnel(echo(56, small=True)))
    s.at(6.1)
    in_pieces(echo(1472), 1480)
    s.at(6.2)  # as much as fits
    s.to_router(s.own_tunnel(echo(1452)))
    s.at(7)
    packet = s.ping(size=1452, flags="DF")
    s.pass_through(packet)
    s.at(7.1)
    complaint(s, outer_of(s, packet), TOO_BIG, rest=300, quote=28)
    s.at(7.2)
    in_pieces(echo(1472), 280)
    s.at(7.3)  # small, but not for this tunnel: as its source we need not insist on DF, but on a number then
    s.own()
    in_pieces(echo(400), 280)
    s.at(7.4)
    s.to_router(s.own_tunnel(echo(252, small=True)))
    s.at(7.5)  # an error of ours
    datagram = udp_of(MOBILE, HA, 1025, 9, bytes(900), ident=6)
    s.from_router(datagram)
    s.own()
    error = ip_bytes(icmp_error(HA, datagram, 0, UNREACHABLE_PORT))
    struct.pack_into("!HH", error, 4, s.own(), 0)
    in_pieces(with_checksum(error), 280)
    s.count(control_icmp_echo=6, control_udp_no_port=1, control_icmp_errors_sent=1, control_send_too_big=0,
            worker_tunnelled=1)


@case("error-rate")
def error_rate(s):
    """Errors are limited in rate (RFC 1812 4.3.2.8): what is left over at an instant is dropped in silence."""
    s.at(1.5)
    packets = [s.ping(ttl=1, destination=MOBILE2, id=i) for i in range(150)]
    for packet in packets:
        s.from_router(packet)
    for packet in packets[:100]:
        s.expect_error(packet, TIME_EXCEEDED)
    s.at(2)  # nothing else suffers from that
    s.register()
    s.at(6)
    s.pass_through(s.ping())
    s.count(control_icmp_errors_sent=100, worker_tunnelled=1)


@case("two-ports", ports=("home", "outside"))
def two_ports(s):
    """In by one port, out by another: each with its own addresses and MAC."""
    s.at(1.1)
    s.gateway_says_hello()
    s.at(1.5)
    s.register_by_gateway()
    s.at(2)
    s.into(arp_request(HOST_MAC, HOST, MOBILE))
    s.out(arp_answer(HA_MAC, MOBILE, HOST_MAC, HOST))
    s.at(2.1)  # not on the other link, whoever asks there
    s.into(arp_request(GATEWAY_MAC, GATEWAY, MOBILE), port="outside")
    s.into(arp_request(GATEWAY_MAC, GATEWAY, HA), port="outside")
    s.at(2.2)
    packet = s.ping(source=HOST)
    s.into(frame(HOST_MAC, HA_MAC, packet))
    s.to_gateway(s.tunnel(decremented(packet)))
    s.at(2.3)
    packet = s.ping()
    s.from_gateway(packet)
    s.to_gateway(s.tunnel(decremented(packet)))
    s.at(2.4)  # errors leave by the sender's link, from the address there
    s.into(arp_request(HOST_MAC, HOST, HA))
    s.out(arp_answer(HA_MAC, HA, HOST_MAC, HOST))
    s.at(2.6)
    packet = s.ping(source=HOST, ttl=1)
    s.into(frame(HOST_MAC, HA_MAC, packet))
    s.out(frame(HA_MAC, HOST_MAC, icmp_error(HA, packet, s.own(), TIME_EXCEEDED)))
    s.at(2.7)
    packet = s.ping(size=1472, flags="DF")
    s.from_gateway(packet)
    s.to_gateway(icmp_error(OUTSIDE, packet, s.own(), TOO_BIG, rest=1480))
    s.at(2.8)  # at home, reached from outside
    packet = s.ping(destination=HOST)
    s.from_gateway(packet)
    s.out(frame(HA_MAC, HOST_MAC, hop_taken(packet)))
    s.at(2.9)  # the home port's address is ours on every link (RFC 1122 3.3.4.2, weak model)
    s.from_gateway(bytes(IP(src=CORRESPONDENT, dst=HA, id=1) / ICMP(id=3) / Raw(b"echo")))
    s.to_gateway(of_our_own(IP(src=HA, dst=CORRESPONDENT, id=s.own(), ttl=64) / ICMP(type=0, id=3) / Raw(b"echo")))
    s.count(agent_bindings_created=1, agent_arp_answered=1, worker_tunnelled=2, worker_too_big=1)


@case("overlapping-prefixes", ports=("outside", "home"), addresses={"outside": "10.0.0.2/8"}, gateway=ROUTER)
def overlapping_prefixes(s):
    """Another port, named first, has a prefix that holds the home network: the longest prefix says which link
    an address belongs to (RFC 1812 5.2.4.3; RFC 5944 4.6)."""
    far_mac, far = "02:52:00:00:09:09", "10.9.0.9"
    s.at(1.5)
    s.register()
    s.at(6)
    s.into(arp_request(HOST_MAC, HOST, MOBILE))
    s.out(arp_answer(HA_MAC, MOBILE, HOST_MAC, HOST))
    s.into(arp_request(far_mac, far, MOBILE), port="outside")
    s.at(6.1)
    s.pass_through(s.ping())
    s.at(6.2)  # one on the home link is looked for there alone
    packet = s.ping(destination=MOBILE2)
    s.from_router(packet)
    s.out(arp_request(HA_MAC, HA, MOBILE2))
    s.at(6.3)
    s.into(arp_answer(MOBILE2_MAC, MOBILE2, HA_MAC, HA))
    s.out(frame(HA_MAC, MOBILE2_MAC, hop_taken(packet)))
    s.at(6.4)  # and the others on the other
    s.into(frame(far_mac, OUTSIDE_MAC, IP(src=far, dst="10.0.0.2", id=1) / ICMP(id=3) / Raw(b"echo")),
           port="outside")
    pong = of_our_own(IP(src="10.0.0.2", dst=far, id=s.own(), ttl=64) / ICMP(type=0, id=3) / Raw(b"echo"))
    s.out(arp_request(OUTSIDE_MAC, "10.0.0.2", far), port="outside")
    s.at(6.5)
    s.into(arp_answer(far_mac, far, OUTSIDE_MAC, "10.0.0.2"), port="outside")
    s.out(frame(OUTSIDE_MAC, far_mac, pong), port="outside")
    s.count(agent_arp_answered=1, agent_announcements=4, worker_tunnelled=1)


@case("conflict-elsewhere", ports=("home", "outside"), hello=False)
def conflict_elsewhere(s):
    """An address is defended on its own link, once in ten seconds; what is said of it on another link is no
    conflict there (RFC 5227 2.4)."""
    def claims(mac, what):
        s.into(announcement(mac, what), port="outside")

    s.at(1)
    claims(GATEWAY_MAC, HA)
    s.at(1.6)
    s.into(arp_request(GATEWAY_MAC, HA, "192.0.2.77"), port="outside")
    s.at(1.7)  # our own, come by a bridge between the links
    claims(HA_MAC, HA)
    claims(HA_MAC, OUTSIDE)
    s.at(4)
    claims(GATEWAY_MAC, OUTSIDE)
    s.out(announcement(OUTSIDE_MAC, OUTSIDE), port="outside")
    s.at(5)
    claims(GATEWAY_MAC, OUTSIDE)
    s.at(14)
    claims(GATEWAY_MAC, OUTSIDE)
    s.out(announcement(OUTSIDE_MAC, OUTSIDE), port="outside")
    s.at(25)
    s.into(announcement(MOBILE_MAC, HA))
    s.out(announcement(HA_MAC, HA))
    s.count(control_arp_conflicts=4)


@case("deregistration-elsewhere", ports=("home", "outside"))
def deregistration_elsewhere(s):
    """A deregistration from the home address comes by another link: the MAC address there is not the mobile
    node's, so nothing is announced; the reply goes onto the home network (RFC 5944 4.6, 3.8.3.1)."""
    s.at(1.1)
    s.gateway_says_hello()
    s.at(1.5)
    s.register_by_gateway()
    s.at(6.5)
    message = farewell(s)
    s.from_gateway(udp_of(MOBILE, HA, 434, MIP_PORT, message, ident=3))
    s.out(arp_request(HA_MAC, HA, MOBILE))
    s.at(6.8)
    s.into(arp_answer(MOBILE_MAC, MOBILE, HA_MAC, HA))
    answer_on_link(s, s.reply_to(message, 1))
    s.at(7)
    packet = s.ping()
    s.from_gateway(packet)
    s.out(frame(HA_MAC, MOBILE_MAC, hop_taken(packet)))
    s.count(agent_bindings_deregistered=1, agent_announcements=4, worker_on_link=1)


@case("link-mtu", ports=("home", "outside"), mtus={"outside": 2000})
def link_mtu(s):
    """Larger than the home link takes: as for a neighbour that is known, so for one that is yet to be found
    (RFC 1812 4.2.2.7; RFC 1191 4)."""
    stranger_mac, stranger = "02:52:00:00:00:66", "10.1.0.66"

    def to_stranger(packet):
        s.out(frame(HA_MAC, stranger_mac, packet))

    s.at(1.1)
    s.gateway_says_hello()
    s.at(1.5)  # nobody has to be asked for that
    packet = s.ping(size=1800, destination=stranger, flags="DF")
    s.from_gateway(packet)
    s.to_gateway(icmp_error(OUTSIDE, hop_taken(packet), s.own(), TOO_BIG, rest=1500))
    s.at(1.6)
    packet = s.ping(size=1800, destination=stranger)
    s.from_gateway(packet)
    s.out(arp_request(HA_MAC, HA, stranger))
    s.at(1.7)
    s.into(arp_answer(stranger_mac, stranger, HA_MAC, HA))
    for piece in fragments(hop_taken(packet), 1500):
        to_stranger(piece)
    s.at(2.5)
    packet = s.ping(size=1473, destination=stranger, flags="DF")
    s.from_gateway(packet)
    s.to_gateway(icmp_error(OUTSIDE, packet, s.own(), TOO_BIG, rest=1500))
    s.at(2.6)
    packet = s.ping(size=1800, destination=stranger)
    s.from_gateway(packet)
    for piece in fragments(hop_taken(packet), 1500):
        to_stranger(piece)
    s.at(2.7)
    packet = s.ping(size=1472, destination=stranger, flags="DF")
    s.from_gateway(packet)
    to_stranger(hop_taken(packet))
    s.count(control_send_too_big=1, worker_too_big=1, worker_on_link=2, control_icmp_errors_sent=2)


@case("forged-sources", ports=("home", "outside"))
def forged_sources(s):
    """Sources that are ours, nobody's or everybody's: nothing is forwarded, answered or asked for (RFC 1812
    4.2.2.11, 4.3.2.7; RFC 2003 3.2)."""
    ours = (HA, OUTSIDE, "10.1.0.255", "192.0.2.255", "10.1.0.0", "192.0.2.0")
    senseless = ("240.0.0.1", "255.255.255.254", "224.0.0.1", "127.0.0.1", "0.0.0.0")
    s.at(1.1)
    s.gateway_says_hello()
    s.at(1.5)
    s.register_by_gateway()
    for i, source in enumerate(ours + senseless):
        s.at(6 + i)
        s.from_gateway(s.ping(source=source))
        s.from_gateway(s.ping(source=source, ttl=1))
        s.from_gateway(s.ping(source=source, destination=MOBILE2))
        s.from_gateway(s.ping(source=source, destination=MOBILE2, ttl=1))
        s.from_gateway(s.ping(source=source, destination=HA))
        s.from_gateway(udp_of(source, HA, 9, 9, b"discard me"))
        forged = s.request().authenticated(MHAE, SA, flip=1)
        s.from_gateway(udp_of(source, HA, 5000, MIP_PORT, forged))
    s.at(20)
    packet = s.ping()
    s.from_gateway(packet)
    s.to_gateway(s.tunnel(decremented(packet)))
    s.count(worker_bad_source=7 * len(senseless), worker_loop_own_source=4 * len(ours),
            worker_tunnelled=1, agent_bindings_created=1)


# ---- Files ----

def pcap(frames):
    """Sorted by time; those of one instant stay in their order."""
    out = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1)
    for at_us, data in sorted(frames, key=lambda each: each[0]):
        out += struct.pack("<IIII", at_us // 1000000, at_us % 1000000, len(data), len(data)) + data
    return out


def files_of(s):
    yield "homeport.conf", s.configuration().encode()
    yield "counters", "".join(f"{name} {value}\n" for name, value in s.counters.items()).encode()
    for port in s.ports:
        suffix = "" if len(s.ports) == 1 else f"-{port}"
        yield f"in{suffix}.pcap", pcap(s.came[port])
        yield f"out{suffix}.pcap", pcap(s.left[port])


def played(play, arguments):
    kind = arguments.get("kind", Scenario)
    scenario = kind(play.__doc__, **{name: value for name, value in arguments.items() if name != "kind"})
    play(scenario)
    return scenario


def every_file():
    return {CASES / name / file: data
            for name, each in plays.items() for file, data in files_of(played(*each))}


def write():
    for path, data in every_file().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def check():
    wanted = every_file()
    there = {path for path in CASES.rglob("*") if path.is_file()}
    bad = [path for path, data in wanted.items() if path not in there or path.read_bytes() != data]
    for path in sorted(set(bad) | there - set(wanted)):
        print(f"{path}: not what make_cases.py writes")
    return 1 if bad or there - set(wanted) else 0


if __name__ == "__main__":
    sys.exit(check() if sys.argv[1:] == ["--check"] else write())
