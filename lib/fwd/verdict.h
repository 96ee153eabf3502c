/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What classification decides for one packet. One list makes the enum, the counters and the operator's text;
 * the default is to drop. Every packet that a worker receives ends in exactly one verdict.
 */
#ifndef FWD_VERDICT_H
#define FWD_VERDICT_H

#include <stdint.h>

enum verdict_kind { VERDICT_FORWARD, VERDICT_PUNT, VERDICT_DROP };

/* X(name, kind, console name, operator's text) */
#define VERDICTS(X)                                                                                          \
    X(TUNNELLED, FORWARD, "tunnelled", "encapsulated towards a care-of address")                             \
    X(FRAGMENTED, FORWARD, "fragmented",                                                                     \
      "in fragments into a tunnel (larger than its MTU: IPv4 with DF clear, IPv6 of up to 1280 bytes)")      \
    X(ON_LINK, FORWARD, "on_link", "delivered on the home link to a home address that is at home")           \
    X(DECAPSULATED, FORWARD, "decapsulated", "out of a reverse tunnel, forwarded by a route")                \
    X(ROUTED, FORWARD, "routed", "of IPv6, forwarded by a route: this node advertises itself as a router")   \
    X(SECOND_CHANCE, FORWARD, "second_chance",                                                               \
      "for a home address unknown here: once more to the primary, on the same link")                         \
    X(PUNT_ARP, PUNT, "punt_arp", "ARP, to the control lcore")                                               \
    X(PUNT_ND, PUNT, "punt_nd", "neighbour discovery, to the control lcore")                                 \
    X(PUNT_MLD, PUNT, "punt_mld", "multicast listener queries and reports, to the control lcore")            \
    X(PUNT_DELEGATION, PUNT, "punt_delegation", "delegation messages of a peer, to the control lcore")       \
    X(PUNT_SIGNALLING, PUNT, "punt_signalling", "registrations and binding updates, to the control lcore")   \
    X(PUNT_HOME_TEST, PUNT, "punt_home_test", "home tests that go on in ESP, to the control lcore")          \
    X(PUNT_LOCAL, PUNT, "punt_local", "ICMP and UDP for the appliance itself, to the control lcore")         \
    X(PUNT_FRAGMENT, PUNT, "punt_fragment",                                                                  \
      "fragments for the appliance itself, to the control lcore, which puts them together")                  \
    X(PUNT_RESOLVE, PUNT, "punt_resolve", "wait at the control lcore for the next hop's MAC address")        \
    X(PUNT_TTL_EXCEEDED, PUNT, "ttl_exceeded", "TTL or hop limit ran out; its sender is owed time exceeded") \
    X(PUNT_TOO_BIG, PUNT, "too_big",                                                                         \
      "larger than the tunnel's MTU, DF set or IPv6; fragmentation needed, or packet too big, is due")       \
    X(PUNT_ENCAPSULATION_LIMIT, PUNT, "encapsulation_limit",                                                 \
      "tunnel encapsulation limit of 0 (RFC 2473 section 4.1.1); a parameter problem is due")                \
    X(PUNT_LINK_LOCAL, PUNT, "link_local_unreachable",                                                       \
      "to a link-local address that is none of ours; its sender is owed unreachable (RFC 6275 10.4.2)")      \
    X(DROP_RUNT, DROP, "runt", "shorter than its headers")                                                   \
    X(DROP_FOREIGN_MAC, DROP, "foreign_mac", "for another station's MAC address")                            \
    X(DROP_ETHERTYPE, DROP, "ethertype", "neither IP nor ARP")                                               \
    X(DROP_IP_VERSION, DROP, "ip_version", "IP version or header length wrong")                              \
    X(DROP_IP_LENGTH, DROP, "ip_length", "IP total length wrong")                                            \
    X(DROP_IP_CHECKSUM, DROP, "ip_checksum", "IP header checksum wrong")                                     \
    X(DROP_BAD_SOURCE, DROP, "bad_source", "source address that names no single host")                       \
    X(DROP_LINK_BROADCAST, DROP, "link_broadcast", "link broadcast with a unicast IP destination")           \
    X(DROP_BROADCAST, DROP, "broadcast", "IP broadcast that is no registration message")                     \
    X(DROP_MULTICAST, DROP, "multicast", "IP multicast")                                                     \
    X(DROP_LINK_LOCAL, DROP, "link_local",                                                                   \
      "from a link-local address, which leaves no link (RFC 4291 section 2.5.6)")                            \
    X(DROP_OFF_LINK, DROP, "off_link", "neighbour discovery from beyond the link (RFC 4861 section 7.1)")    \
    X(DROP_NO_BINDING, DROP, "no_binding", "for no binding and no home network of ours")                     \
    X(DROP_NO_ROUTE, DROP, "no_route",                                                                       \
      "out of a reverse tunnel, or to us as a router, for where no route leads")                             \
    X(DROP_SECOND_CHANCE, DROP, "second_chance_refused",                                                     \
      "for a home address unknown here, and above the rate of second chances, or from the primary itself")   \
    X(DROP_LOOP_OWN_SOURCE, DROP, "loop_own_source",                                                         \
      "source is one of our own addresses (RFC 2003 section 3.2), or of our links' broadcast addresses")     \
    X(DROP_LOOP_CARE_OF, DROP, "loop_care_of", "source is the tunnel's destination (RFC 2003 section 3.2)")  \
    X(DROP_RECURSIVE, DROP, "recursive",                                                                     \
      "came back from its own care-of address encapsulated (RFC 5944 4.2.3)")                                \
    X(DROP_LOCAL_FRAGMENT, DROP, "local_fragment",                                                           \
      "fragment for the appliance itself, of a tunnel, of ESP, or of a protocol that it does not serve")     \
    X(DROP_LOCAL_PROTOCOL, DROP, "local_protocol", "protocol that the appliance does not serve")             \
    X(DROP_REVERSE_TUNNEL, DROP, "reverse_tunnel", "reverse tunnel that was not granted")                    \
    X(DROP_HOME_TEST_INIT, DROP, "home_test_init",                                                           \
      "home test init out of a reverse tunnel in clear, where it has to come in ESP")                        \
    X(DROP_HOME_TEST_HIDDEN, DROP, "home_test_hidden",                                                       \
      "what may be a home test that is to go on in ESP: a fragment, or behind too many headers")             \
    X(DROP_CONGESTION, DROP, "congestion",                                                                   \
      "out of a reverse tunnel, marked by congestion on its way, and its sender would not hear of it")       \
    X(DROP_POLICED, DROP, "policed", "above the rate at which its class may reach the control lcore")        \
    X(DROP_PUNT_FULL, DROP, "punt_full", "ring to the control lcore full")                                   \
    X(DROP_TX_FULL, DROP, "tx_full", "transmit queue full")                                                  \
    X(DROP_NO_MBUF, DROP, "no_mbuf", "no packet buffer for fragments or headroom")                           \
    X(DROP_SEGMENTED, DROP, "segmented", "received in several buffers: larger than the port's MTU")

enum verdict {
#define X(name, kind, key, text) VERDICT_##name,
    VERDICTS(X)
#undef X
        VERDICT_COUNT
};

const char *verdict_name(enum verdict v);
const char *verdict_text(enum verdict v);
enum verdict_kind verdict_kind(enum verdict v);

#endif
