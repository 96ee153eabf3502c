# SPDX-License-Identifier: BSD-3-Clause
"""A golden case under construction: who is where, what comes in when, and what has to go out when.

The network of every case:

    home link 10.1.0.0/24: home agent .2, router .1, a host .20, the mobile nodes' home addresses .50 and .51
    behind the router: correspondent 198.51.100.7, care-of addresses 203.0.113.9 and .77, foreign agent
    192.0.2.1

or with two ports a link 192.0.2.0/24 besides, home agent .2, and behind its gateway .9 the correspondent and
the care-of addresses.

What no RFC prescribes is the appliance's own choice and written down here: it numbers its own datagrams from
0 and each tunnel's fragmentable packets from 0; its TTL is 64; of what is due at one instant, the home
agent's goes first; DF is set outside around its own packets; the latest 16 packets wait for a neighbour; 1000
errors a second, of which 100 may be sent at one instant.
"""
import struct
import textwrap

from packets import *

START_US = 1700000000 * 1000000

HA_MAC, HA = "02:48:41:00:00:01", "10.1.0.2"
OUTSIDE_MAC, OUTSIDE = "02:48:41:00:00:02", "192.0.2.2"
ROUTER_MAC, ROUTER = "02:52:00:00:00:01", "10.1.0.1"
GATEWAY_MAC, GATEWAY = "02:52:00:00:00:09", "192.0.2.9"
HOST_MAC, HOST = "02:52:00:00:00:20", "10.1.0.20"
MOBILE_MAC, MOBILE = "02:4d:4e:00:00:50", "10.1.0.50"
MOBILE2_MAC, MOBILE2 = "02:4d:4e:00:00:51", "10.1.0.51"
CORRESPONDENT = "198.51.100.7"
CARE_OF, CARE_OF2, TUNNEL_ROUTER = "203.0.113.9", "203.0.113.77", "203.0.113.1"
FOREIGN_AGENT = "192.0.2.1"

KEY = bytes(range(16))
KEY2 = bytes(range(100, 120))
FOREIGN_KEY = bytes(range(200, 216))
SA = (256, KEY, "hmac-md5")
FOREIGN_SA = (300, FOREIGN_KEY, "hmac-md5")

REPEATS = (0, 0.2, 1, 3)  # of an announcement, seconds

CONFIGURATION = """\
{about}
node = "golden"
id   = 1
role = primary

eal {{
    lcores     = "0@0,1@0"
    memory     = 256
    huge-pages = false
}}

{ports}
home-agent {{
    addresses     = {{"{home_agent}"}}
    home-networks = {{"{home_network}"}}
    max-bindings  = {max_bindings}
    max-lifetime  = 3600
{grants}}}

{associations}"""

PORT = """\
port {name} {{
    device    = "net_ring_{name}"
    addresses = {{"{address}"}}
{mtu}{mld}}}

"""


def port_block(name, address, mtu):
    """IPv6 without its listeners' reports, which come at times by chance."""
    return PORT.format(name=name, address=address, mtu=f"    mtu       = {mtu}\n" if mtu else "",
                       mld="    mld       = off\n" if ":" in address else "")


def mobile_line(home, association, nai=None):
    spi, key, algorithm = association
    extra = f'  nai = "{nai}"' if nai else ""
    return (f'mobile-node "{home}" '
            f'{{ spi = {spi}  key = "hex:{key.hex()}"  algorithm = {algorithm}{extra} }}\n')


def foreign_line(foreign, association):
    spi, key, algorithm = association
    return f'foreign-agent "{foreign}" {{ spi = {spi}  key = "hex:{key.hex()}"  algorithm = {algorithm} }}\n'


class Scenario:
    home_agent, home_network, anywhere = HA, "10.1.0.0/24", "0.0.0.0/0"
    port_addresses = {"home": "10.1.0.2/24", "outside": "192.0.2.2/24"}
    gateways = {"home": ROUTER, "outside": GATEWAY}

    def __init__(self, about, associations=None, ports=("home",), max_bindings=64, hello=True, addresses=None,
                 mtus=None, gateway=None, grants=()):
        """ports: as the configuration has them in turn. addresses, mtus: of ports that differ. gateway: of the
        default route, "" for none. grants: further lines of the home agent's."""
        self.about = about
        self.addresses = self.port_addresses | (addresses or {})
        self.mtus = mtus or {}
        self.gateway = gateway if gateway is not None else self.gateways[
            "outside" if "outside" in ports else "home"]
        self.associations = self.usual_associations() if associations is None else associations
        self.ports = ports
        self.max_bindings = max_bindings
        self.grants = "".join(f"    {line}\n" for line in grants)
        self.came = {port: [] for port in ports}
        self.left = {port: [] for port in ports}
        self.counters = {}
        self.now_us = START_US
        self.own_identification = 0
        self.tunnel_identification = {}
        self.starts()
        self.at(1)
        if hello:
            self.router_says_hello()

    def usual_associations(self):
        return mobile_line(MOBILE, SA)

    def starts(self):
        """The links are up, the appliance's addresses are announced."""
        self.out(announcement(HA_MAC, HA))
        if "outside" in self.ports:
            self.out(announcement(OUTSIDE_MAC, self.addresses["outside"].split("/")[0]), port="outside")

    # ---- Time ----

    def at(self, seconds):
        now_us = START_US + round(seconds * 1000000)
        assert now_us >= self.now_us, "time goes on"
        self.now_us = now_us

    def ntp(self, ahead=0):
        return ntp(self.now_us + round(ahead * 1000000))

    # ---- Frames ----

    def into(self, data, port="home"):
        self.came[port].append((self.now_us, bytes(data)))

    def out(self, data, port="home", after=0):
        self.left[port].append((self.now_us + round(after * 1000000), bytes(data)))

    def from_router(self, packet):
        self.into(frame(ROUTER_MAC, HA_MAC, packet))

    def to_router(self, packet, after=0):
        self.out(frame(HA_MAC, ROUTER_MAC, packet), after=after)

    def router_says_hello(self):
        """The router has a packet for us, so it asks for our MAC address; now we have its own, too."""
        self.into(arp_request(ROUTER_MAC, ROUTER, HA))
        self.out(arp_answer(HA_MAC, HA, ROUTER_MAC, ROUTER))

    def host_says_hello(self):
        self.into(arp_request(HOST_MAC, HOST, HA))
        self.out(arp_answer(HA_MAC, HA, HOST_MAC, HOST))

    def count(self, **counters):
        for name, value in counters.items():
            group, name = name.split("_", 1)
            name = f"{group}.{name}"
            assert name not in self.counters
            self.counters[name] = value

    # ---- Frames by the other port ----

    def from_gateway(self, packet):
        self.into(frame(GATEWAY_MAC, OUTSIDE_MAC, packet), port="outside")

    def to_gateway(self, packet):
        self.out(frame(OUTSIDE_MAC, GATEWAY_MAC, packet), port="outside")

    def gateway_says_hello(self):
        self.into(arp_request(GATEWAY_MAC, GATEWAY, OUTSIDE), port="outside")
        self.out(arp_answer(OUTSIDE_MAC, OUTSIDE, GATEWAY_MAC, GATEWAY), port="outside")

    def register_by_gateway(self):
        message = self.request().authenticated(MHAE, SA)
        self.from_gateway(udp_of(CARE_OF, HA, 5000, MIP_PORT, message, ident=7, ttl=55))
        self.announce()  # on the home link alone
        self.to_gateway(self.answer_packet(self.reply_to(message, 1)))

    # ---- What the appliance numbers ----

    def own(self):
        """The identification of the next datagram of its own."""
        self.own_identification += 1
        return self.own_identification - 1

    def tunnel(self, inner, care_of=CARE_OF):
        """The packet in its tunnel."""
        number = self.tunnel_identification.get(care_of, 0)
        if not inner[6] & 0x40:
            self.tunnel_identification[care_of] = number + 1
        return encapsulated(inner, HA, care_of, number)

    def own_tunnel(self, inner, care_of=CARE_OF):
        """A packet of its own in the tunnel: not forwarded, so its TTL stays (RFC 2003 section 3.1)."""
        return own_encapsulated(inner, HA, care_of)

    # ---- Registration ----

    def request(self, care_of=CARE_OF, home=MOBILE, home_agent=HA, lifetime=600, flags=DECAPSULATION,
                ahead=0):
        return request(home, home_agent, care_of, self.ntp(ahead), lifetime, flags)

    def ask(self, message, source=CARE_OF, destination=HA, port=5000, **fields):
        """A request arrives by the router."""
        packet = udp_of(source, destination, port, MIP_PORT, message, ident=7, ttl=61, **fields)
        self.from_router(packet)

    def answer_packet(self, message, destination=CARE_OF, port=5000):
        return of_our_own(udp_of(HA, destination, MIP_PORT, port, message, ident=self.own()))

    def expect_answer(self, message, destination=CARE_OF, port=5000):
        self.to_router(self.answer_packet(message, destination, port))

    def reply_to(self, message, code, lifetime=None, association=SA, home=None, identification=None):
        """The reply that belongs to a request, authenticated (RFC 5944 section 3.8.3)."""
        granted = struct.unpack_from("!H", message, 2)[0] if lifetime is None else lifetime
        asked = struct.unpack_from("!Q", message, 16)[0]
        home = home or ".".join(str(b) for b in message[4:8])
        made = reply(code, granted, home, HA, asked if identification is None else identification)
        return made.authenticated(MHAE, association)

    def announce(self, mac=HA_MAC, home=MOBILE, repeats=REPEATS):
        for after in repeats:
            self.out(announcement(mac, home, frame_source=HA_MAC), after=after)

    def register(self, care_of=CARE_OF, home=MOBILE, association=SA, lifetime=600, first=True):
        """A request from a co-located mobile node that is granted."""
        message = self.request(care_of, home, lifetime=lifetime).authenticated(MHAE, association)
        self.ask(message, source=care_of)
        if first:
            self.announce(home=home)
        self.expect_answer(self.reply_to(message, 1, association=association), destination=care_of)
        return message

    # ---- Traffic ----

    def ping(self, size=56, destination=MOBILE, source=CORRESPONDENT, ttl=60, **fields):
        fields = {"id": 0x1234} | fields
        echo = ICMP(id=1, seq=len(self.came["home"])) / Raw(bytes(i & 0xff for i in range(size)))
        return bytes(IP(src=source, dst=destination, ttl=ttl, **fields) / echo)

    def expect_tunnelled(self, packet, care_of=CARE_OF):
        self.to_router(self.tunnel(decremented(packet), care_of))

    def pass_through(self, packet, care_of=CARE_OF):
        """Comes by the router, leaves in the tunnel."""
        self.from_router(packet)
        self.expect_tunnelled(packet, care_of)

    def expect_error(self, about, icmp, rest=0, after=0):
        self.to_router(icmp_error(HA, about, self.own(), icmp, rest), after=after)

    def configuration(self):
        about = textwrap.indent(textwrap.fill(" ".join(self.about.split()), width=100), "# ")
        ports = "".join(port_block(name, self.addresses[name], self.mtus.get(name)) for name in self.ports)
        if self.gateway:
            ports += f'route "{self.anywhere}" {{ via = "{self.gateway}" }}\n'
        return CONFIGURATION.format(about=about, ports=ports, max_bindings=self.max_bindings,
                                    home_agent=self.home_agent, home_network=self.home_network,
                                    grants=self.grants, associations=self.associations)
