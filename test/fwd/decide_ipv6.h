/* SPDX-License-Identifier: BSD-3-Clause */
/* test_decide.c's packets of IPv6, and of IPv4 over it, with the verdict that each gets. */
#ifndef TEST_FWD_DECIDE_IPV6_H
#define TEST_FWD_DECIDE_IPV6_H

#include "addresses.h"
#include "decide_row.h"

#define SIX            .ipv6 = true
#define ND             .protocol = 58, .icmp = 135, .ttl = 255
#define LIMITED(value) .protocol = 60, .options = "\x29\0\4\1" value "\1\1\0", .n_options = 8

static const struct row rows_ipv6[] = {
    {"bound", {SIX}, VERDICT_TUNNELLED},
    {"bound, as large as the tunnel takes", {SIX, .payload = 1420}, VERDICT_TUNNELLED},
    {"bound, hop limit 2", {SIX, .ttl = 2}, VERDICT_TUNNELLED},
    {"bound, hop limit 255", {SIX, .ttl = 255}, VERDICT_TUNNELLED},
    {"bound over IPv4", {SIX, .dst = AWAY_OTHERWISE, .payload = 1440}, VERDICT_TUNNELLED},
    {"IPv4, bound over IPv6", {.dst = AWAY_OTHERWISE, .payload = 1440}, VERDICT_TUNNELLED},
    {"bound, a fragment",
     {SIX, .protocol = 44, .options = "\x11\0\0\1\0\0\0\1", .n_options = 8},
     VERDICT_TUNNELLED},
    {"bound, unreachable: forwarded all the same", {SIX, .dst = AWAY_LOST}, VERDICT_TUNNELLED},
    {"bound, too big", {SIX, .payload = 1421}, VERDICT_PUNT_TOO_BIG},
    {"bound over IPv4, too big", {SIX, .dst = AWAY_OTHERWISE, .payload = 1441}, VERDICT_PUNT_TOO_BIG},
    {"IPv4, bound over IPv6, too big, DF set",
     {.dst = AWAY_OTHERWISE, .payload = 1441, .fragment = 0x4000},
     VERDICT_PUNT_TOO_BIG},
    {"IPv4, bound over IPv6, too big, DF clear",
     {.dst = AWAY_OTHERWISE, .payload = 1441},
     VERDICT_FRAGMENTED},
    {"bound, hop limit 1", {SIX, .ttl = 1}, VERDICT_PUNT_TTL_EXCEEDED},
    {"bound, hop limit 0", {SIX, .ttl = TTL_ZERO}, VERDICT_PUNT_TTL_EXCEEDED},
    {"bound, next hop unknown", {SIX, .dst = AWAY_WAITING}, VERDICT_PUNT_RESOLVE},
    {"may be encapsulated once more", {SIX, LIMITED("\1")}, VERDICT_TUNNELLED},
    {"may not be encapsulated any more", {SIX, LIMITED("\0")}, VERDICT_PUNT_ENCAPSULATION_LIMIT},
    {"the same with hop limit 1: that is first", {SIX, LIMITED("\0"), .ttl = 1}, VERDICT_PUNT_TTL_EXCEEDED},
    {"limited, the header for it makes it too big",
     {SIX, LIMITED("\1"), .payload = 1405},
     VERDICT_PUNT_TOO_BIG},
    {"limited, and as large as may be", {SIX, LIMITED("\1"), .payload = 1404}, VERDICT_TUNNELLED},
    {"what is not encapsulated has no limit", {SIX, LIMITED("\0"), .dst = AT_HOME}, VERDICT_ON_LINK},
    {"from our own address", {SIX, .from = HOME_AGENT}, VERDICT_DROP_LOOP_OWN_SOURCE},
    {"from our other address", {SIX, .from = OTHER_OWN}, VERDICT_DROP_LOOP_OWN_SOURCE},
    {"from the care-of address", {SIX, .from = CARE_OF}, VERDICT_DROP_LOOP_CARE_OF},
    {"from the care-of address, encapsulated",
     {SIX, .from = CARE_OF, .protocol = 41, .inner_dst = AWAY, .payload = 40},
     VERDICT_DROP_RECURSIVE},
    {"the same for another inner address",
     {SIX, .from = CARE_OF, .protocol = 41, .inner_dst = ELSEWHERE, .payload = 40},
     VERDICT_DROP_LOOP_CARE_OF},
    {"the same, too short for an inner header",
     {SIX, .from = CARE_OF, .protocol = 41, .payload = 39},
     VERDICT_DROP_LOOP_CARE_OF},
    {"the address that IPv4 would be our own in the last bytes",
     {SIX, .from6 = &(struct addr){{0x20, 1, 9, [12] = 10, 1, 0, 2}}},
     VERDICT_TUNNELLED},
    {"to all on the link, for a bound address", {SIX, .to = TO_ALL}, VERDICT_DROP_LINK_BROADCAST},
    {"to a group on the link, for us", {SIX, .to = TO_GROUP, .dst = HOME_AGENT}, VERDICT_DROP_LINK_BROADCAST},
    {"at home", {SIX, .dst = AT_HOME, .payload = 1460}, VERDICT_ON_LINK},
    {"at home, too big", {SIX, .dst = AT_HOME, .payload = 1461}, VERDICT_PUNT_TOO_BIG},
    {"at home, hop limit 1", {SIX, .dst = AT_HOME, .ttl = 1}, VERDICT_PUNT_TTL_EXCEEDED},
    {"at home, MAC address unknown", {SIX, .dst = AT_HOME_WAITING}, VERDICT_PUNT_RESOLVE},
    {"in the home network, never seen", {SIX, .dst = UNSEEN}, VERDICT_PUNT_RESOLVE},
    {"the primary's to know", {SIX, .dst = UNKNOWN_HERE}, VERDICT_SECOND_CHANCE},
    {"the primary's to know, its MAC address unknown", {SIX, .dst = UNKNOWN_WAITING}, VERDICT_PUNT_RESOLVE},
    {"anywhere else", {SIX, .dst = ELSEWHERE}, VERDICT_DROP_NO_BINDING},
    {"from a link-local address", {SIX, .from6 = &six_link_local}, VERDICT_DROP_LINK_LOCAL},
    {"from the last of them", {SIX, .from6 = &six_edge_of_link_local}, VERDICT_DROP_LINK_LOCAL},
    {"from a site-local address", {SIX, .from6 = &six_site_local}, VERDICT_TUNNELLED},
    {"from a private address", {SIX, .from6 = &six_private}, VERDICT_TUNNELLED},
    {"from beyond a translator", {SIX, .from6 = &six_nat64}, VERDICT_TUNNELLED},
    {"to a home address of the link", {SIX, .to6 = &six_link_local}, VERDICT_PUNT_LINK_LOCAL},
    {"from a link-local address to one at home",
     {SIX, .from6 = &six_link_local, .dst = AT_HOME},
     VERDICT_DROP_LINK_LOCAL},
    {"from a link-local address to us",
     {SIX, .from6 = &six_link_local, .dst = HOME_AGENT},
     VERDICT_PUNT_LOCAL},
    {"to our link-local address", {SIX, .to6 = &own_link_local}, VERDICT_PUNT_LOCAL},
    {"to a mapped address that is bound in IPv4", {SIX, .to6 = &six_mapped}, VERDICT_DROP_NO_BINDING},
    {"are you there, of a bound address", {SIX, ND}, VERDICT_PUNT_ND},
    {"of an own one", {SIX, ND, .dst = HOME_AGENT}, VERDICT_PUNT_ND},
    {"of a group", {SIX, ND, .to = TO_GROUP, .to6 = &six_solicited}, VERDICT_PUNT_ND},
    {"multicast listener query",
     {SIX, .hop_by_hop = true, .options = FRAME_MLD("\x82"), .n_options = FRAME_MLD_LEN, .ttl = 1,
      .to = TO_GROUP, .to6 = &six_solicited},
     VERDICT_PUNT_MLD},
    {"neighbour discovery from beyond the link",
     {SIX, .protocol = 58, .icmp = 135, .ttl = 254, .dst = HOME_AGENT},
     VERDICT_DROP_OFF_LINK},
    {"binding update", {SIX, .dst = HOME_AGENT, .protocol = 135}, VERDICT_PUNT_SIGNALLING},
    {"delegation", {SIX, .from = PEER, .dst = HOME_AGENT, .port = DELEGATION_PORT}, VERDICT_PUNT_DELEGATION},
    {"delegation, but from no peer", {SIX, .dst = HOME_AGENT, .port = DELEGATION_PORT}, VERDICT_PUNT_LOCAL},
    {"delegation in ESP", {SIX, .from = PEER, .dst = HOME_AGENT, .protocol = 50}, VERDICT_PUNT_DELEGATION},
    {"ESP of a mobile node", {SIX, .dst = HOME_AGENT, .protocol = 50}, VERDICT_PUNT_SIGNALLING},
    {"ping", {SIX, .dst = HOME_AGENT, .protocol = 58, .icmp = 128}, VERDICT_PUNT_LOCAL},
    {"TCP to us", {SIX, .dst = HOME_AGENT, .protocol = 6}, VERDICT_PUNT_LOCAL},
    {"multicast", {SIX, .to = TO_GROUP, .to6 = &six_global_group}, VERDICT_DROP_MULTICAST},
    {"length", {SIX, .total_length = 1000}, VERDICT_DROP_IP_LENGTH},
    {"source", {SIX, .from6 = &six_loopback}, VERDICT_DROP_BAD_SOURCE},
};

/* Where our router advertisements have made hosts send by us what is for others, too: 2001:db8:c633::/64
 * is behind a router, 2001:db8:ac10::/64 on a link, all others nowhere (open_reverse_tunnels). */
static const struct addr six_routed = {{0x20, 1, 0xd, 0xb8, 0xc6, 0x33, [15] = 7}};
static const struct addr six_connected = {{0x20, 1, 0xd, 0xb8, 0xac, 0x10, [15] = 7}};

static const struct addr six_nowhere = {{0x20, 1, 0xd, 0xb8, 0xff, 0xff, [15] = 7}};

static const struct row rows_router[] = {
    {"by a route", {SIX, .to6 = &six_routed, .payload = 1460}, VERDICT_ROUTED},
    {"too big for the way", {SIX, .to6 = &six_routed, .payload = 1461}, VERDICT_PUNT_TOO_BIG},
    {"with hop limit 1", {SIX, .to6 = &six_routed, .ttl = 1}, VERDICT_PUNT_TTL_EXCEEDED},
    {"onto a link that is no home network", {SIX, .to6 = &six_connected}, VERDICT_PUNT_RESOLVE},
    {"where no route leads", {SIX, .to6 = &six_nowhere}, VERDICT_DROP_NO_ROUTE},
    {"from our own address", {SIX, .from = HOME_AGENT, .to6 = &six_routed}, VERDICT_DROP_LOOP_OWN_SOURCE},
    {"from a link-local address",
     {SIX, .from6 = &six_link_local, .to6 = &six_routed},
     VERDICT_DROP_LINK_LOCAL},
    {"to all on the link", {SIX, .to = TO_ALL, .to6 = &six_routed}, VERDICT_DROP_LINK_BROADCAST},
    {"in the home network, never seen", {SIX, .dst = UNSEEN}, VERDICT_PUNT_RESOLVE},
    {"IPv4, for which nothing is advertised", {.dst = IP(198, 51, 100, 7)}, VERDICT_DROP_NO_BINDING},
};

#endif
