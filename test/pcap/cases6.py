# SPDX-License-Identifier: BSD-3-Clause
"""The golden cases of Mobile IPv6."""
from packets6 import *
from plays import case as any_case
from scenario import HA_MAC, HOST_MAC, MOBILE_MAC, ROUTER_MAC
from scenario6 import *

UNREACHABLE_ADDRESS, PACKET_TOO_BIG, HOPS_OUT, ERRONEOUS_FIELD = (1, 3), (2, 0), (3, 0), (4, 0)
REASSEMBLY_OUT_OF_TIME, HEADERS_INCOMPLETE = (3, 1), (4, 3)


def case(name, **arguments):
    return any_case("ipv6-" + name, kind=Scenario6, **arguments)


# ---- Registration and tunnel ----

@case("registration-and-tunnel")
def registration_and_tunnel(s):
    """A mobile node registers, after its home address was looked for in vain; its packets go into the tunnel
    (RFC 6275 10.3.1, 10.4.1, 10.4.2, 9.5.4; RFC 4285 5.1; RFC 2473 3.1)."""
    s.at(1.5)
    s.register()
    s.at(3)  # proxy: solicited, neither overriding nor a router
    s.into(solicitation(HOST_MAC, HOST6, MOBILE6))
    s.out(advertisement(HA_MAC, HA_LINK_LOCAL, MOBILE6, "S", to=(HOST_MAC, HOST6)))
    s.at(3.1)
    s.pass_through(s.ping())
    s.at(3.2)  # traffic class and ECN are copied, flow labels are of the flow
    s.pass_through(s.ping(tc=0xb9))
    s.at(3.3)
    s.pass_through(s.ping(tc=0x03, fl=0xabcde))
    s.at(3.4)  # Ethernet's padding does not travel on
    small = with_payload(CORRESPONDENT6, MOBILE6, 59, b"", hops=60)
    s.into(frame6(ROUTER_MAC, HA_MAC, small).ljust(60, b"\xee"))
    s.expect_tunnelled(small)
    s.at(3.6)  # from the home link, as proxy neighbour discovery has it
    direct = s.ping(source=HOST6, hlim=64)
    s.into(frame6(HOST_MAC, HA_MAC, direct))
    s.expect_tunnelled(direct)
    s.at(3.7)
    s.pass_through(bytes(IPv6(src=CORRESPONDENT6, dst=MOBILE6) / TCP(sport=80, dport=1026, flags="SA")))
    s.at(3.8)  # extension headers are the receiver's business
    s.pass_through(hop_by_hop(s.ping(), b"\x05\x02\0\0"))
    s.at(3.9)
    s.pass_through(destination_options(s.ping(), b"\x1e\x04abcd"))
    s.at(4)  # a fragment is a packet like any other
    s.pass_through(fragments6(s.ping(1400), 1280, 7)[1])
    s.count(worker_tunnelled=9, agent_requests=1, agent_bindings_created=1)


@case("renewal")
def renewal(s):
    """A renewal says nothing on the home link; sequence numbers tell what is old, of which the last valid one
    is told (RFC 6275 9.5.1, 10.3.1). The next packet goes to the new care-of address."""
    s.at(1.5)
    first = s.register()
    s.at(6)
    s.acknowledge(ACCEPTED, s.update())
    s.at(7)
    s.update(sequence=first)
    s.acknowledge(135, s.sequence, lifetime=0)
    s.at(8)  # a moved one
    s.acknowledge(ACCEPTED, s.update(care_of=CARE_OF6_2), care_of=CARE_OF6_2)
    s.pass_through(s.ping(), care_of=CARE_OF6_2)
    s.at(9)  # more than is granted to anybody is cut
    s.acknowledge(ACCEPTED, s.update(care_of=CARE_OF6_2, lifetime=40000), lifetime=3600, care_of=CARE_OF6_2)
    s.count(agent_bindings_created=1, agent_bindings_renewed=2, agent_bindings_moved=1, worker_tunnelled=1)


@case("refused")
def refused(s):
    """What a wrong authenticator, an unknown association, and none at all get (RFC 4285 5.1.1, 5.3): status 146,
    or silence. A refusal changes nothing (RFC 6275 9.5.1)."""
    s.at(1.5)
    s.register()
    s.at(6)
    s.acknowledge(146, s.update(care_of=CARE_OF6_2, flip=1), lifetime=0, care_of=CARE_OF6_2)
    s.at(7)
    s.update(care_of=CARE_OF6_2, association=(999, SA6[1]))
    s.at(8)
    s.update(care_of=CARE_OF6_2, association=None)
    s.at(9)
    s.pass_through(s.ping())
    s.count(agent_bindings_created=1, worker_tunnelled=1, agent_discard_unknown_spi=1, agent_discard_no_auth=1)


@case("timestamps", associations=mobile_line6(MOBILE6, SA6, "timestamp"))
def timestamps(s):
    """Where time says what is old (RFC 4285 6, 7), the acknowledgement bears the update's time, or ours with
    status 144; without one it is 145."""
    def registration(at, status, ahead=0, answered=None, stamped=True):
        s.at(at)
        time = s.ntp(ahead) if stamped else None
        sequence = s.update(timestamp=time)
        s.acknowledge(status, sequence, lifetime=600 if status == 0 else 0,
                      timestamp=time if answered is None else answered(time))
    s.at(1.5)
    time = s.ntp()
    sequence = s.update(timestamp=time)
    s.detect()
    s.announce6(after=DETECTION)
    s.acknowledge(ACCEPTED, sequence, timestamp=time, after=DETECTION)
    registration(6, ACCEPTED)
    registration(7, 144, ahead=-10, answered=lambda t: s.ntp() >> 32 << 32 | t & 0xffffffff)
    registration(8, 145, stamped=False)
    registration(9, ACCEPTED, ahead=1)
    s.count(agent_bindings_created=1, agent_bindings_renewed=2)


@case("duplicate-address")
def duplicate_address(s):
    """Somebody has the home address: status 134, and nothing is intercepted (RFC 6275 10.3.1)."""
    s.at(1.5)
    sequence = s.update()
    s.detect()
    s.at(2)
    s.into(advertisement(HOST_MAC, MOBILE6, MOBILE6, "O"))
    s.acknowledge(134, sequence, lifetime=0)
    s.at(4)
    s.into(solicitation(ROUTER_MAC, ROUTER6, MOBILE6))
    s.count(agent_bindings_created=0)


@case("return-home")
def return_home(s):
    """Interception ends at once with a deregistration from the home link; the acknowledgement goes to the MAC
    address from which it came, and packets that still come follow it (RFC 6275 10.3.2, 11.5.5)."""
    s.at(1.5)
    s.register()
    s.at(6)
    s.sequence += 1
    message = sealed(binding_update(s.sequence, AUTHENTICATED | HOME_REGISTRATION, 0), SA6, MOBILE6, MOBILE6,
                     (MOBILE6, HA6))
    s.into(frame6(MOBILE_MAC, HA_MAC, with_payload(MOBILE6, HA6, 135, message)))
    answer = sealed(acknowledgement(ACCEPTED, s.sequence, 0), SA6, MOBILE6, MOBILE6, (HA6, MOBILE6))
    s.out(frame6(HA_MAC, MOBILE_MAC, with_payload(HA6, MOBILE6, 135, answer)))
    s.is_asked_whether_it_hears(MOBILE_MAC, MOBILE6)
    s.at(6.5)  # it speaks for itself now
    s.into(solicitation(HOST_MAC, HOST6, MOBILE6))
    s.into(advertisement(MOBILE_MAC, MOBILE6, MOBILE6, "O"))
    s.at(7)
    packet = s.ping()
    s.from_router(packet)
    s.out(frame6(HA_MAC, MOBILE_MAC, decremented6(packet)))
    s.count(agent_bindings_created=1, worker_tunnelled=0, worker_on_link=1)


@case("link-local")
def link_local_too(s):
    """Where the mobile node asks for it (L), the link-local address of the same interface identifier is looked for,
    announced, and answered for as its home address is (RFC 6275 10.3.1, 10.4.1). Packets to that do not leave the
    link, and their senders are told (10.4.2), but no group's address is."""
    both = (MOBILE6, "fe80::50")
    s.at(1.5)
    sequence = s.update(flags=AUTHENTICATED | HOME_REGISTRATION | LINK_LOCAL)
    for address in both:
        s.detect(address)
    for repeat in REPEATS6:
        for address in both:
            s.out(advertisement(HA_MAC, HA_LINK_LOCAL, address, "O"), after=DETECTION + repeat)
    s.acknowledge(ACCEPTED, sequence, after=DETECTION)
    s.at(6)
    for address in both:
        s.into(solicitation(HOST_MAC, HOST6, address))
        s.out(advertisement(HA_MAC, HA_LINK_LOCAL, address, "S", to=(HOST_MAC, HOST6)))
    s.at(7)
    for source, own in ((HOST6, HA6), (link_local(HOST_MAC), HA_LINK_LOCAL)):
        packet = s.ping(source=source, destination=both[1])
        s.into(frame6(HOST_MAC, HA_MAC, packet))
        s.out(solicitation(HA_MAC, own, source))
        s.into(advertisement(HOST_MAC, source, source, "SO", to=(HA_MAC, own)))
        s.out(frame6(HA_MAC, HOST_MAC, icmp6_error(own, packet, *UNREACHABLE_ADDRESS)))
    s.into(frame6(HOST_MAC, HA_MAC, s.ping(source=link_local(HOST_MAC), destination=CORRESPONDENT6)))
    s.count(agent_bindings_created=1, worker_tunnelled=0, worker_link_local_unreachable=2, worker_link_local=1)


IN, OUT = (1000, bytes(range(20))), (1001, bytes(range(50, 70)))
ESP_LINE = (f'ipsec "{MOBILE6}" {{ algorithm = null-sha1  spi-in = {IN[0]}  auth-key-in = "hex:{IN[1].hex()}"  '
            f'spi-out = {OUT[0]}  auth-key-out = "hex:{OUT[1].hex()}" }}\n')


@case("esp", associations=ESP_LINE)
def protected_by_esp(s):
    """Binding updates and their acknowledgements in ESP (RFC 3776 3.1, 3.2; RFC 6275 5.1). A wrong check value, and
    another's home address, get no answer; a care-of address that ESP does not cover is refused (RFC 6275
    11.7.1)."""
    def update(number, care_of=CARE_OF6, covered=True, home=MOBILE6, flip=0):
        message = sealed(binding_update(number, AUTHENTICATED | HOME_REGISTRATION, 600,
                                        care_of if covered else None), None, care_of, home, (home, HA6))
        protected = bytearray(esp(IN[0], number, IN[1], message))
        protected[-1] ^= flip
        s.from_router(of_home_address(care_of, HA6, home, bytes(protected), protocol=ESP, hops=61))
    def answer(status, sequence, number, lifetime=600, care_of=CARE_OF6, after=0):
        message = sealed(acknowledgement(status, sequence, lifetime), None, care_of, MOBILE6, (HA6, MOBILE6))
        protected = esp(OUT[0], number, OUT[1], message)
        s.to_router(to_home_address(HA6, care_of, MOBILE6, protected, protocol=ESP), after=after)
    s.at(1.5)
    update(1)
    s.detect()
    s.announce6(after=DETECTION)
    answer(ACCEPTED, 1, number=1, after=DETECTION)
    s.at(6)
    update(2, care_of=CARE_OF6_2, flip=1)
    update(3, care_of=CARE_OF6_2, home=OTHER6)
    s.at(7)
    s.pass_through(s.ping())
    s.at(8)
    update(4, care_of=CARE_OF6_2, covered=False)
    answer(129, 4, number=2, lifetime=0, care_of=CARE_OF6_2)
    s.at(9)
    update(5, care_of=CARE_OF6_2)
    answer(ACCEPTED, 5, number=3, care_of=CARE_OF6_2)
    s.pass_through(s.ping(), care_of=CARE_OF6_2)
    s.count(agent_bindings_created=1, agent_bindings_moved=1, worker_tunnelled=2)


TESTS = (1002, (bytes(range(16)), bytes(range(20))))
HOME_TEST_LINE = ESP_LINE.replace("}\n", (
    f'home-test {{ algorithm = aes-cbc-sha1  spi-in = {TESTS[0]}  key-in = "hex:{TESTS[1][0].hex()}"  '
    f'auth-key-in = "hex:{TESTS[1][1].hex()}"  spi-out = 1003  key-out = "hex:{TESTS[1][0].hex()}"  '
    f'auth-key-out = "hex:{TESTS[1][1].hex()}" }} }}\n'))


@case("home-test", associations=mobile_line6(MOBILE6, SA6) + HOME_TEST_LINE)
def home_tests_in_esp(s):
    """Home test inits come out of ESP in tunnel mode, from the care-of address, and go on as what comes out of the
    plain tunnel does; that they do not come out of any more (RFC 6275 10.4.6). Nor do pieces of a home test go
    into it."""
    number = 0
    def send(packet, care_of=CARE_OF6, flip=0):
        nonlocal number
        number += 1
        protected = bytearray(esp_tunnel(TESTS[0], number, TESTS[1], packet))
        protected[-1] ^= flip
        s.from_router(with_payload(care_of, HA6, ESP, bytes(protected), hops=61))
    init = home_test(MOBILE6, CORRESPONDENT6)
    s.at(1.5)
    s.register()
    s.host_says_hello()
    s.at(6)
    send(init)
    s.to_router(decremented6(init))
    s.at(6.1)  # to a host on the home link
    other = home_test(MOBILE6, HOST6)
    send(other)
    s.out(frame6(HA_MAC, HOST_MAC, decremented6(other)))
    s.at(6.2)  # its hops run out
    last = home_test(MOBILE6, CORRESPONDENT6, hops=1)
    send(last)
    s.to_router(encapsulated6(icmp6_error(HA6, last, *HOPS_OUT), HA6, CARE_OF6))
    s.at(7)  # forged, from elsewhere, of somebody else, to us
    send(init, flip=1)
    send(init, care_of=CARE_OF6_2)
    send(home_test(OTHER6, CORRESPONDENT6))
    send(home_test(MOBILE6, HA6))
    s.at(8)  # in clear: by itself, and in pieces
    s.from_router(encapsulated6(init, CARE_OF6, HA6))
    for part in fragments6(home_test(CORRESPONDENT6, MOBILE6, kind=HOME_TEST), 64, 9):
        s.from_router(part)
    s.at(9)  # all others pass the tunnel both ways
    packet = s.ping(source=MOBILE6, destination=CORRESPONDENT6)
    s.from_router(encapsulated6(packet, CARE_OF6, HA6))
    s.to_router(decremented6(packet))
    s.pass_through(s.ping())
    s.count(agent_home_tests_opened=3, agent_esp_forged=1, agent_home_tests_discarded=3, worker_home_test_init=1,
            worker_home_test_hidden=2, worker_decapsulated=1, worker_tunnelled=1)


# ---- What cannot go on ----

@case("hop-limit")
def hop_limit(s):
    """With hop limit 1 nothing goes on, and the sender hears of it (RFC 8200 3, RFC 4443 3.3); 2 is one more."""
    s.at(1.5)
    s.register()
    s.at(6)
    for hops in (1, 0):
        packet = s.ping(hlim=hops)
        s.from_router(packet)
        s.expect_error(packet, *HOPS_OUT)
    s.at(6.1)
    s.pass_through(s.ping(hlim=2))
    s.at(6.2)  # of an error nobody is told
    error = icmp6_error(TUNNEL_ROUTER6, s.ping(source=MOBILE6, destination=CORRESPONDENT6), *HOPS_OUT)
    s.from_router(error[:7] + b"\1" + error[8:])
    s.count(worker_ttl_exceeded=3, worker_tunnelled=1)


@case("too-big")
def too_big(s):
    """A packet larger than the tunnel's MTU of 1460 comes back (RFC 2473 7.1, RFC 4443 3.2); what just fits
    goes."""
    s.at(1.5)
    s.register()
    s.at(6)
    s.pass_through(s.ping(1460 - 48))
    s.at(6.1)
    packet = s.ping(1460 - 48 + 1)
    s.from_router(packet)
    s.expect_error(packet, *PACKET_TOO_BIG, rest=1460)
    s.at(6.2)
    packet = s.ping(1500 - 48)
    s.from_router(packet)
    s.expect_error(packet, *PACKET_TOO_BIG, rest=1460)
    s.count(worker_too_big=2, worker_tunnelled=1)


@case("narrow-path")
def narrow_path(s):
    """A router inside the tunnel takes 1300 bytes: the sender of what was too big is told 1280, less than which
    nobody need make; up to that a packet is tunnelled, and the tunnel's packet fragmented (RFC 2473 7.1, 8.2,
    RFC 8200 5)."""
    s.at(1.5)
    s.register()
    s.at(6)
    large = s.ping(1400 - 48)
    s.pass_through(large)
    s.at(6.1)
    told = icmp6_error(TUNNEL_ROUTER6, s.tunnel(decremented6(large)), *PACKET_TOO_BIG, rest=1300)
    s.from_router(told)
    s.expect_error(told[48 + 40:], *PACKET_TOO_BIG, rest=1280)  # quoting what was quoted
    s.at(7)
    packet = s.ping(1281 - 48)
    s.from_router(packet)
    s.expect_error(packet, *PACKET_TOO_BIG, rest=1280)
    s.at(7.1)
    packet = s.ping(1280 - 48)
    s.from_router(packet)
    s.expect_fragments(packet, 1300)
    s.at(7.2)
    packet = s.ping(1261 - 48, fl=77)
    s.from_router(packet)
    s.expect_fragments(packet, 1300)
    s.at(7.3)
    s.pass_through(s.ping(1260 - 48))
    s.count(worker_too_big=1, worker_fragmented=2, worker_tunnelled=2)


@case("encapsulation-limit")
def encapsulation_limit(s):
    """A tunnel encapsulation limit of 0 forbids the tunnel, a larger one is one less outside (RFC 2473
    4.1.1, 5.1)."""
    def limited(limit):
        return destination_options(s.ping(), bytes([4, 1, limit]))
    s.at(1.5)
    s.register()
    s.at(6)
    packet = limited(0)
    s.from_router(packet)
    s.expect_error(packet, *ERRONEOUS_FIELD, rest=44)
    s.at(6.1)
    s.pass_through(limited(1), limit=0)
    s.at(6.2)
    s.pass_through(limited(5), limit=4)
    s.at(6.3)  # options that are none of the tunnel's
    s.pass_through(destination_options(s.ping(), b"\x1e\x01\x00"))
    s.count(worker_encapsulation_limit=1, worker_tunnelled=3)


@case("own-source")
def own_source(s):
    """What says it came from us, or from the care-of address that it would be sent to, is dropped (RFC 2473 6.6,
    RFC 2003 3.2); so is what no host can have sent, and multicast."""
    s.at(1.5)
    s.register()
    s.at(6)
    s.from_router(s.ping(source=HA6))
    s.from_router(s.ping(source=CARE_OF6))
    s.from_router(bytes(encapsulated6(s.ping(), CARE_OF6, MOBILE6)))
    for source in ("::", "::1", "ff02::1", "::ffff:192.0.2.9"):
        s.from_router(s.ping(source=source))
    s.from_router(s.ping(source=link_local(ROUTER_MAC)))
    s.into(frame6(HOST_MAC, "33:33:00:00:00:fb", s.ping(source=HOST6, destination="ff02::fb")))
    s.count(worker_loop_own_source=1, worker_loop_care_of=1, worker_recursive=1, worker_bad_source=4,
            worker_link_local=1, worker_multicast=1, worker_tunnelled=0)


@case("unknown-home")
def unknown_home(s):
    """A home address without a binding is looked for on the link: delivered where it answers, and else, after
    three questions, its sender is told (RFC 4861 7.2.2)."""
    s.at(1.5)
    packet = s.ping(destination=OTHER6)
    s.from_router(packet)
    s.out(solicitation(HA_MAC, HA6, OTHER6))
    s.at(1.7)
    s.into(advertisement(MOBILE_MAC, OTHER6, OTHER6, "SO", to=(HA_MAC, HA6)))
    s.out(frame6(HA_MAC, MOBILE_MAC, decremented6(packet)))
    s.at(2)
    packet = s.ping(destination=NOBODY6)
    s.from_router(packet)
    for second in range(3):
        s.out(solicitation(HA_MAC, HA6, NOBODY6), after=second)
    s.expect_error(decremented6(packet), *UNREACHABLE_ADDRESS, after=3)
    s.count(worker_punt_resolve=2)


# ---- Neighbours ----

@case("neighbour")
def neighbour(s):
    """Who asks for whose address in which way gets which flags (RFC 4861 7.2.4, 7.2.8, RFC 6275 10.4.1)."""
    def ask(at, question, flags, target, to=None, source=HA_LINK_LOCAL):
        s.at(at)
        s.into(question)
        if flags is not None:
            s.out(advertisement(HA_MAC, source, target, flags, **({"to": to} if to else {})))
    host, one = (HOST_MAC, HOST6), (HA_MAC, MOBILE6)
    s.at(1.5)
    s.register()
    ask(6, solicitation(HOST_MAC, HOST6, HA6), "SO", HA6, host, HA6)
    s.is_asked_whether_it_hears(HOST_MAC, HOST6)
    ask(6.1, solicitation(HOST_MAC, HOST6, HA6, to=(HA_MAC, HA6)), "SO", HA6, host, HA6)
    ask(6.2, probe6(HOST_MAC, HA6), "O", HA6, source=HA6)
    ask(6.3, solicitation(HOST_MAC, link_local(HOST_MAC), HA_LINK_LOCAL), "SO", HA_LINK_LOCAL,
        (HOST_MAC, link_local(HOST_MAC)))
    s.is_asked_whether_it_hears(HOST_MAC, link_local(HOST_MAC), HA_LINK_LOCAL)
    ask(6.4, solicitation(HOST_MAC, HOST6, MOBILE6), "S", MOBILE6, host)
    ask(6.5, solicitation(HOST_MAC, HOST6, MOBILE6, to=one), "S", MOBILE6, host)  # is it still there?
    ask(6.6, probe6(HOST_MAC, MOBILE6), "", MOBILE6)  # somebody wants it, or the mobile node asks for us
    ask(6.7, solicitation(HOST_MAC, HOST6, OTHER6), None, None)
    s.at(6.8)  # through a router: hop limit below 255
    far = bytearray(solicitation(HOST_MAC, HOST6, MOBILE6))
    far[14 + 7] = 254
    s.into(far)
    s.at(6.9)  # ping
    ping = s.ping(source=HOST6, destination=HA6, hlim=64)
    s.into(frame6(HOST_MAC, HA_MAC, ping))
    s.out(frame6(HA_MAC, HOST_MAC, icmp6_of(HA6, HOST6, 129, 0, int.from_bytes(ping[44:48], "big"), ping[48:])))
    s.count(worker_off_link=1, agent_arp_answered=3)


# ---- Fragments for the appliance itself ----

@case("reassembly")
def reassembly(s):
    """Fragments for the appliance itself become datagrams again, whatever their order (RFC 8200 4.5, 5); one that
    comes in one fragment is whole (RFC 6946). What overlaps is given up (RFC 5722), and who sends a first fragment
    without all headers (RFC 7112), a length that cannot be, or not all within a minute, is told."""
    def ping(size=1900, **fields):
        return s.ping(size, destination=HA6, **fields)

    def come(parts):
        for part in parts:
            s.from_router(part)

    def answered(packet):
        answer = icmp6_of(HA6, CORRESPONDENT6, 129, 0, int.from_bytes(packet[44:48], "big"), packet[48:])
        if len(answer) <= 1500:
            s.to_router(answer)
            return
        for part in fragments6(answer, 1500, 2 * s.answered + 1):  # control has the odd ones
            s.to_router(part)
        s.answered += 1

    s.answered = 0
    s.at(2.5)
    for number, order in enumerate(((0, 1), (1, 0), (0, 0, 1), (1, 1, 0))):
        s.at(2.6 + number / 10)
        packet = ping()
        parts = fragments6(packet, 1500, number)
        come(parts[i] for i in order)
        answered(packet)
    s.at(3)
    packet = ping(56)
    come([fragment6(packet, 0, 64, False, 10)])
    answered(packet)
    s.at(3.1)  # links that take less
    packet = ping(1452)
    come(reversed(fragments6(packet, 100, 11)))
    answered(packet)
    s.at(3.2)  # a home address belongs in front of the fragment header (RFC 6275 6.3)
    s.sequence += 1
    message = sealed(binding_update(s.sequence, AUTHENTICATED | HOME_REGISTRATION, 600), SA6, CARE_OF6, MOBILE6,
                     (MOBILE6, HA6))
    update = of_home_address(CARE_OF6, HA6, MOBILE6, message, hops=61)
    come(fragments6(update, 72, 12))
    come(fragments6(update, 88, 13, behind=64))
    s.detect()
    s.announce6(after=DETECTION)
    s.acknowledge(ACCEPTED, s.sequence, after=DETECTION)
    s.at(5)  # what overlaps, and what comes of it later
    packet = ping()
    come([fragment6(packet, 0, 1448, True, 14), fragment6(packet, 1440, 1908, False, 14),
          fragment6(packet, 1448, 1908, False, 14)])
    s.at(5.1)  # no header behind the options; where that might be an error's, nobody is told (RFC 4443 2.4 (e.1))
    datagram = with_payload(CORRESPONDENT6, HA6, 17, bytes(64))
    for number, packet in enumerate((datagram, ping())):
        part = fragment6(destination_options(packet, b"\x1e\x04abcd"), 0, 8, True, 30 + number)
        come([part])
        if packet == datagram:
            s.expect_error(part, *HEADERS_INCOMPLETE)
    s.at(5.2)  # half a unit, and more to come
    part = fragment6(ping(), 0, 1004, True, 16)
    come([part])
    s.expect_error(part, *ERRONEOUS_FIELD, rest=4)
    s.at(5.3)  # beyond what a length can say
    part = fragment6(with_payload(CORRESPONDENT6, HA6, 17, bytes(24)), 0, 8, False, 17)
    part = part[:42] + bytes([255, 248]) + part[44:]
    come([part])
    s.expect_error(part, *ERRONEOUS_FIELD, rest=42)
    s.at(5.4)  # larger than a packet buffer
    come(fragments6(ping(3000), 1500, 18))
    s.at(5.5)  # tunnels, ESP, neighbour discovery (RFC 6980)
    for protocol in (4, 41, 47, 50):
        come([fragment6(with_payload(CORRESPONDENT6, HA6, protocol, bytes(64)), 0, 64, True, 19)])
    come(fragments6(destination_options(with_payload(CORRESPONDENT6, HA6, ESP, bytes(64)), b"\x1e\x04abcd"), 80, 32))
    question = solicitation(HOST_MAC, HOST6, HA6, to=(HA_MAC, HA6))[14:]
    s.into(frame6(HOST_MAC, HA_MAC, fragment6(question, 0, 32, False, 20)))
    s.at(6)  # nothing but the last, nothing but the first
    come(fragments6(ping(), 1500, 21)[1:])
    first = fragments6(ping(), 1500, 22)[0]
    come([first])
    s.expect_error(first, *REASSEMBLY_OUT_OF_TIME, after=60)
    for second in (20, 40, 62):  # so that we need not ask
        s.at(second)
        s.says_where(ROUTER_MAC, ROUTER6, "RSO")
    s.count(worker_local_fragment=4, control_reassembled=8, control_fragments_twice=2, control_fragments_refused=1,
            control_fragments_malformed=4, control_reassembly_overlap=1, control_fragments_given_up=2,
            control_reassembly_too_long=1, control_reassembly_timed_out=2, control_icmp_echo=6,
            control_ip_malformed=1, control_nd_malformed=1, control_icmp_errors_sent=4,
            control_icmp_errors_forbidden=1, agent_bindings_created=1)


# ---- Reverse tunnels ----

@case("reverse-tunnel")
def reverse_tunnel(s):
    """What a mobile node sends through its tunnel comes from its home address, wherever it goes: to a correspondent,
    another mobile node, a host on the home link, or us. From elsewhere it is dropped (RFC 6275 10.4.5)."""
    def send(inner, care_of=CARE_OF6, **fields):
        s.from_router(encapsulated6(inner, care_of, HA6, **fields))
    def from_mobile(destination, **fields):
        return s.ping(source=MOBILE6, destination=destination, **({"hlim": 64} | fields))
    s.at(1.5)
    s.register()
    s.at(6)
    s.register(CARE_OF6_2, OTHER6, OTHER_SA6)
    s.host_says_hello()
    s.at(12)
    packet = from_mobile(CORRESPONDENT6)
    send(packet)
    s.to_router(decremented6(packet))
    s.at(12.1)  # with an encapsulation limit, as Linux has it
    packet = from_mobile(CORRESPONDENT6, tc=0x2c)
    send(packet, limit=4)
    s.to_router(decremented6(packet))
    s.at(12.2)  # to another mobile node: out of one tunnel, into another
    packet = from_mobile(OTHER6)
    send(packet)
    s.expect_tunnelled(packet, CARE_OF6_2)
    s.at(12.3)
    packet = from_mobile(HOST6)
    send(packet)
    s.out(frame6(HA_MAC, HOST_MAC, decremented6(packet)))
    s.at(12.4)  # to us; the answer goes by the tunnel
    packet = from_mobile(HA6)
    send(packet)
    answer = icmp6_of(HA6, MOBILE6, 129, 0, int.from_bytes(packet[44:48], "big"), packet[48:])
    s.to_router(encapsulated6(answer, HA6, CARE_OF6))
    s.at(12.5)
    packet = from_mobile(CORRESPONDENT6, hlim=1)
    send(packet)
    s.to_router(encapsulated6(icmp6_error(HA6, packet, *HOPS_OUT), HA6, CARE_OF6))
    s.at(13)  # not its care-of address, not its home address, of its link only, of nobody
    send(from_mobile(CORRESPONDENT6), care_of=CARE_OF6_2)
    send(s.ping(source=OTHER6, destination=CORRESPONDENT6))
    send(s.ping(source=CORRESPONDENT6, destination=MOBILE6))
    send(s.ping(source=link_local(MOBILE_MAC), destination=CORRESPONDENT6))
    send(from_mobile(CORRESPONDENT6, hlim=0))
    s.at(13.1)  # another encapsulation, and a registration in the tunnel
    s.from_router(with_payload(CARE_OF6, HA6, 4, bytes(IPv6(src=MOBILE6, dst=CORRESPONDENT6))))
    message = sealed(binding_update(9, 0xc000, 600), SA6, CARE_OF6, MOBILE6, (MOBILE6, HA6))
    send(with_payload(MOBILE6, HA6, 135, message))
    s.count(worker_decapsulated=2, worker_tunnelled=1, worker_on_link=1, worker_reverse_tunnel=7)
