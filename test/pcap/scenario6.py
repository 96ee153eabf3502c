# SPDX-License-Identifier: BSD-3-Clause
"""A golden case of Mobile IPv6. The network of every one:

    home link 2001:db8:1::/64: home agent ::2, router ::1, a host ::20, the mobile nodes' home addresses ::50 and
    ::51
    behind the router: correspondent 2001:db8:9::7, care-of addresses 2001:db8:2::77 and ::78

The appliance's own choices, besides those that scenario.py names: flow labels (packets6.py); a worker gives to
the outer packets that it fragments even identifications from 0 on.
"""
from packets6 import *
from scenario import HA_MAC, HOST_MAC, KEY, KEY2, ROUTER_MAC, Scenario

HA6, ROUTER6, HOST6 = "2001:db8:1::2", "2001:db8:1::1", "2001:db8:1::20"
MOBILE6, OTHER6, NOBODY6 = "2001:db8:1::50", "2001:db8:1::51", "2001:db8:1::99"
CORRESPONDENT6 = "2001:db8:9::7"
CARE_OF6, CARE_OF6_2, TUNNEL_ROUTER6 = "2001:db8:2::77", "2001:db8:2::78", "2001:db8:2::1"
HA_LINK_LOCAL = link_local(HA_MAC)

SA6 = (256, KEY)
OTHER_SA6 = (257, KEY2)
REPEATS6 = (0, 1, 3)  # of an announcement, seconds: RFC 4861 section 7.2.6
DETECTION = 1         # of a duplicate address: RetransTimer


def mobile_line6(home, association, replay="sequence"):
    spi, key = association
    return f'mobile-node "{home}" {{ spi = {spi}  key = "hex:{key.hex()}"  replay = {replay} }}\n'


class Scenario6(Scenario):
    home_agent, home_network, anywhere = HA6, "2001:db8:1::/64", "::/0"
    port_addresses = {"home": HA6 + "/64"}
    gateways = {"home": ROUTER6}

    def usual_associations(self):
        return mobile_line6(MOBILE6, SA6) + mobile_line6(OTHER6, OTHER_SA6)

    def starts(self):
        """Its addresses are asked for, and told when nobody has answered (RFC 4862 section 5.4)."""
        for address in (HA_LINK_LOCAL, HA6):
            self.out(probe6(HA_MAC, address))
            self.out(advertisement(HA_MAC, address, address, "O"), after=DETECTION)
        self.sequence = 100
        self.fragmented = 0

    # ---- Frames ----

    def from_router(self, packet):
        self.into(frame6(ROUTER_MAC, HA_MAC, packet))

    def to_router(self, packet, after=0):
        self.out(frame6(HA_MAC, ROUTER_MAC, packet), after=after)

    def says_where(self, mac, address, flags="SO"):
        """A neighbour answers our question."""
        self.into(advertisement(mac, address, address, flags, to=(HA_MAC, HA6)))

    def router_says_hello(self):
        """Our next hop: we ask for it as soon as we have an address."""
        self.out(solicitation(HA_MAC, HA6, ROUTER6))
        self.says_where(ROUTER_MAC, ROUTER6, "RSO")

    def is_asked_whether_it_hears(self, mac, address, source=HA6):
        """What a neighbour asks tells us its MAC address, but not that it hears us (RFC 4861 7.2.3)."""
        self.out(solicitation(HA_MAC, source, address, to=(mac, address)))
        self.into(advertisement(mac, address, address, "SO", to=(HA_MAC, source)))

    def host_says_hello(self):
        """A host asks for our MAC address, and is asked in turn."""
        self.into(solicitation(HOST_MAC, HOST6, HA6))
        self.out(advertisement(HA_MAC, HA6, HA6, "SO", to=(HOST_MAC, HOST6)))
        self.is_asked_whether_it_hears(HOST_MAC, HOST6)

    # ---- Registration ----

    def update(self, care_of=CARE_OF6, home=MOBILE6, association=SA6, lifetime=600, sequence=None,
               flags=AUTHENTICATED | HOME_REGISTRATION, timestamp=None, flip=0):
        """A binding update arrives by the router, from the care-of address. Returns its sequence number."""
        if sequence is None:
            self.sequence += 1
            sequence = self.sequence
        message = sealed(binding_update(sequence, flags, lifetime, timestamp=timestamp), association, care_of, home,
                         (home, HA6), flip)
        self.from_router(of_home_address(care_of, HA6, home, message, hops=61))
        return sequence

    def acknowledge(self, status, sequence, lifetime=600, care_of=CARE_OF6, home=MOBILE6, association=SA6,
                    timestamp=None, after=0):
        message = sealed(acknowledgement(status, sequence, lifetime, timestamp), association, care_of, home,
                         (HA6, home))
        self.to_router(to_home_address(HA6, care_of, home, message), after=after)

    def detect(self, home=MOBILE6):
        self.out(probe6(HA_MAC, home))

    def announce6(self, home=MOBILE6, after=0):
        for repeat in REPEATS6:
            self.out(advertisement(HA_MAC, HA_LINK_LOCAL, home, "O"), after=after + repeat)

    def register(self, care_of=CARE_OF6, home=MOBILE6, association=SA6):
        """The first one: its home address is looked for (RFC 6275 section 10.3.1)."""
        sequence = self.update(care_of, home, association)
        self.detect(home)
        self.announce6(home, after=DETECTION)
        self.acknowledge(ACCEPTED, sequence, care_of=care_of, home=home, association=association,
                         after=DETECTION)
        return sequence

    # ---- Traffic ----

    def ping(self, size=56, destination=MOBILE6, source=CORRESPONDENT6, **fields):
        fields = {"hlim": 60} | fields
        data = bytes(i & 0xff for i in range(size))
        return bytes(IPv6(src=source, dst=destination, **fields) / ICMPv6EchoRequest(
            id=1, seq=len(self.came["home"]), data=data))

    def tunnel(self, inner, care_of=CARE_OF6, limit=None):
        return encapsulated6(inner, HA6, care_of, limit)

    def expect_tunnelled(self, packet, care_of=CARE_OF6, limit=None):
        self.to_router(self.tunnel(decremented6(packet), care_of, limit))

    def pass_through(self, packet, care_of=CARE_OF6, limit=None):
        self.from_router(packet)
        self.expect_tunnelled(packet, care_of, limit)

    def expect_fragments(self, packet, mtu, care_of=CARE_OF6):
        """Tunnelled first, then cut (RFC 2473 section 7.1)."""
        for part in fragments6(self.tunnel(decremented6(packet), care_of), mtu, self.fragmented):
            self.to_router(part)
        self.fragmented += 2

    def expect_error(self, about, kind, code, rest=0, after=0):
        self.to_router(icmp6_error(HA6, about, kind, code, rest), after=after)
