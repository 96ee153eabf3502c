/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What becomes of a packet that was looked up: forwarded, for control, or dropped, and why.
 *
 * Of the worker alone.
 */
#ifndef FWD_DECIDE_H
#define FWD_DECIDE_H

#include "burst_punt.h"
#include "forward.h"
#include "mobility.h"

static inline bool is_own(const struct burst *b, const struct addr *address)
{
    return own_has(&b->settings->own, address);
}

/* The packet is already encapsulated for the address it is sent to (RFC 5944 section 4.2.3). */
static inline bool is_encapsulated_again(struct rte_mbuf *frame, const struct pkt *p)
{
    const uint8_t *inner = pkt_ip(frame) + p->header_len;
    if (p->family == PKT_IPV6)
        return p->protocol == IPPROTO_IPV6 && p->size >= 2 * IPV6_LEN &&
               memcmp(inner + 24, &p->destination, sizeof(p->destination)) == 0;
    return p->protocol == IPPROTO_IPIP && p->size >= p->header_len + IPV4_LEN_MIN &&
           (p->fragment & IPV4_OFFSET) == 0 && memcmp(inner + 16, &p->destination.b[12], 4) == 0;
}

/* The packet's source is a care-of address that it would be sent to. */
static inline bool is_from_exit(const struct burst *b, unsigned i)
{
    for (const struct entry *e = b->entry[i]; e != NULL; e = entry_behind(b, e)) {
        const struct addr exit = tunnel_destination(e);
        if (addr_equal(&b->pkt[i].source, &exit))
            return true;
    }
    return false;
}

/* For a binding whose home tests go by ESP alone: PKT_LOOK_UP to what is none. One that may go into no tunnel
 * goes into that one neither: its sender is told as of any other. */
static inline enum verdict decide_home_test(struct burst *b, unsigned i)
{
    const struct pkt *p = &b->pkt[i];
    const uint8_t *ip = pkt_ip(b->frame[i]);
    if (p->family != PKT_IPV6 || p->ttl <= 1 || is_limit_reached(p, ip, b->entry[i]))
        return PKT_LOOK_UP;
    switch (mobility_of(ip, p->size)) {
    case MOBILITY_HOME_TEST:
        return VERDICT_PUNT_HOME_TEST;
    case MOBILITY_HIDDEN:
        return VERDICT_DROP_HOME_TEST_HIDDEN;
    default:
        return PKT_LOOK_UP;
    }
}

static inline enum verdict decide_tunnel(struct burst *b, unsigned i)
{
    const struct pkt *p = &b->pkt[i];
    /* RFC 2003 section 3.2; RFC 2473 section 4.1.2, of whose pair of addresses the source is enough. Packets
     * of the appliance itself never come this way: control tunnels those. */
    if (is_own(b, &p->source))
        return VERDICT_DROP_LOOP_OWN_SOURCE;
    /* RFC 5944 section 4.2.3 asks to drop what its care-of address sends back encapsulated, RFC 2003
     * section 3.2 whatever it sends: the stricter rule holds, the counters tell which it was. */
    if (is_from_exit(b, i))
        return is_encapsulated_again(b->frame[i], p) ? VERDICT_DROP_RECURSIVE : VERDICT_DROP_LOOP_CARE_OF;
    const enum verdict home_test =
        (b->entry[i]->flags & ENTRY_HOME_TESTS) != 0 ? decide_home_test(b, i) : PKT_LOOK_UP;
    if (home_test != PKT_LOOK_UP)
        return home_test;
    return forward(b, i, VERDICT_TUNNELLED, VERDICT_FRAGMENTED);
}

/* By UDP or in ESP; the whole packet is there, v says. */
static inline bool is_delegation(const struct worker_settings *s, const uint8_t *ip, const struct pkt *p,
                                 enum verdict v)
{
    const bool sealed = p->protocol == IPPROTO_ESP && v != VERDICT_DROP_LOCAL_FRAGMENT;
    const bool clear = p->protocol == IPPROTO_UDP && v == VERDICT_PUNT_LOCAL &&
                       pkt_read16(ip + p->header_len + 2) == s->delegation_port;
    if (s->delegation_port == 0 || (!sealed && !clear))
        return false;
    for (unsigned i = 0; i < s->n_peers; i++)
        if (addr_equal(&s->peers[i], &p->source))
            return true;
    return false;
}

static inline enum verdict decide_local(struct burst *b, unsigned i)
{
    const struct pkt *p = &b->pkt[i];
    const uint8_t *ip = pkt_ip(b->frame[i]);
    if ((b->entry[i]->flags & ENTRY_BROADCAST) != 0)
        return pkt_broadcast_verdict(ip, p);
    if (p->link_cast)
        return VERDICT_DROP_LINK_BROADCAST;
    enum verdict v = pkt_local_verdict(ip, p);
    return is_delegation(b->settings, ip, p, v) ? VERDICT_PUNT_DELEGATION : v;
}

static inline bool is_within(const struct home_network *network, const struct addr *address)
{
    uint64_t a[2], mask[2], first[2];
    memcpy(a, address, sizeof(a));
    memcpy(mask, &network->mask, sizeof(mask));
    memcpy(first, &network->address, sizeof(first));
    return (((a[0] & mask[0]) ^ first[0]) | ((a[1] & mask[1]) ^ first[1])) == 0;
}

static inline const struct home_network *home_network(const struct worker_settings *settings,
                                                      const struct addr *address)
{
    for (unsigned i = 0; i < settings->n_home_networks; i++)
        if (is_within(&settings->home_networks[i], address))
            return &settings->home_networks[i];
    return NULL;
}

static inline bool is_from_station(struct rte_mbuf *frame, adjacency_word station)
{
    uint8_t mac[6];
    adjacency_mac(station, mac);
    return memcmp(rte_pktmbuf_mtod_offset(frame, const uint8_t *, sizeof(mac)), mac, sizeof(mac)) == 0;
}

/* A secondary's repair of its neighbours' stale caches. The packet stays on its link and takes no hop; what
 * keeps it from circling is said at struct home_network, and should that be set wrong, the rate bounds it. */
static inline enum verdict second_chance(struct burst *b, unsigned i, uint32_t primary)
{
    struct worker *w = b->w;
    adjacency_word way = way_by(w, primary);
    if (is_from_station(b->frame[i], way) || !token_bucket_take(&w->second_chances, WORKER_SECOND_CHANCES,
                                                                WORKER_SECOND_CHANCES_AT_ONCE, rte_rdtsc()))
        return VERDICT_DROP_SECOND_CHANCE;
    return leave_as_frame(b, i, primary, way, VERDICT_SECOND_CHANCE);
}

/* For no home address: as the routes say, like a packet for a station on the link. Until it is finished
 * nothing else of the burst may be decided: they share by_route. */
static inline enum verdict forward_by_route(struct burst *b, unsigned i, enum verdict verdict)
{
    struct worker *w = b->w;
    uint32_t adjacency;
    if (!exits_lookup(b->settings->exits, &b->pkt[i].destination, &adjacency))
        return VERDICT_DROP_NO_ROUTE;
    adjacency_word way = way_by(w, adjacency);
    b->by_route = (struct entry){
        .kind = ENTRY_ON_LINK,
        .adjacency = adjacency,
        .mtu = w->port[way != 0 ? adjacency_port(way) : b->port_index].mtu,
    };
    b->entry[i] = &b->by_route;
    return forward(b, i, verdict, verdict);
}

/* Who was told that we are a router may send by us to everybody (RFC 4861 section 6.2.1). */
static inline enum verdict decide_elsewhere(struct burst *b, unsigned i)
{
    if (b->pkt[i].family != PKT_IPV6 || !b->settings->routes_ipv6)
        return VERDICT_DROP_NO_BINDING;
    if (is_own(b, &b->pkt[i].source))
        return VERDICT_DROP_LOOP_OWN_SOURCE;
    return forward_by_route(b, i, VERDICT_ROUTED);
}

/* A home address without a binding is at home (RFC 5944 section 4.2.3, RFC 6275 section 10.4.1): control
 * looks for it on the link. */
static inline enum verdict decide_unknown(struct burst *b, unsigned i)
{
    const struct home_network *network = home_network(b->settings, &b->pkt[i].destination);
    if (network == NULL)
        return decide_elsewhere(b, i);
    if (is_own(b, &b->pkt[i].source)) /* RFC 1812 section 4.2.2.11 */
        return VERDICT_DROP_LOOP_OWN_SOURCE;
    if (network->second_chance != ADJACENCY_NONE)
        return second_chance(b, i, network->second_chance);
    if (b->pkt[i].ttl <= 1)
        return VERDICT_PUNT_TTL_EXCEEDED;
    take_hop(b->frame[i]);
    rte_pktmbuf_adj(b->frame[i], ETHERNET_LEN);
    return VERDICT_PUNT_RESOLVE;
}

static inline enum verdict decide_on_link(struct burst *b, unsigned i)
{
    if (is_own(b, &b->pkt[i].source))
        return VERDICT_DROP_LOOP_OWN_SOURCE;
    return forward(b, i, VERDICT_ON_LINK, VERDICT_ON_LINK);
}

/* RFC 4291 section 2.5.6: forwarded to no other link; nor into a tunnel, whosever link-local address it is,
 * but the sender is told (RFC 6275 section 10.4.2). */
static inline bool is_of_its_link(const struct pkt *p)
{
    return p->family == PKT_IPV6 && (ipv6_is_link_local(&p->source) || ipv6_is_link_local(&p->destination));
}

static inline enum verdict decide_of_its_link(const struct pkt *p)
{
    return ipv6_is_link_local(&p->destination) ? VERDICT_PUNT_LINK_LOCAL : VERDICT_DROP_LINK_LOCAL;
}

/* What is done with a packet that was looked up. */
static inline enum verdict decide(struct burst *b, unsigned i)
{
    const struct entry *e = b->entry[i];
    if (e != NULL && e->kind == ENTRY_LOCAL)
        return decide_local(b, i);
    /* RFC 1122 section 3.3.6, RFC 1812 section 5.3.4: a link broadcast is never forwarded. */
    if (b->pkt[i].link_cast)
        return VERDICT_DROP_LINK_BROADCAST;
    if (is_of_its_link(&b->pkt[i]))
        return decide_of_its_link(&b->pkt[i]);
    if (e == NULL)
        return decide_unknown(b, i);
    return e->kind == ENTRY_TUNNEL ? decide_tunnel(b, i) : decide_on_link(b, i);
}

#endif
