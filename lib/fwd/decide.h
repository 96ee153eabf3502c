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

static inline unsigned own_bit(uint32_t address)
{
    return address * UINT32_C(2654435769) >> 26;
}

static inline uint64_t own_filter(const struct worker_settings *settings)
{
    uint64_t filter = 0;
    for (unsigned i = 0; i < settings->n_own; i++)
        filter |= UINT64_C(1) << own_bit(settings->own[i]);
    return filter;
}

static inline bool is_own(const struct burst *b, uint32_t address)
{
    if (likely((b->own_filter >> own_bit(address) & 1) == 0))
        return false;
    for (unsigned i = 0; i < b->settings->n_own; i++)
        if (b->settings->own[i] == address)
            return true;
    return false;
}

/* The packet is already encapsulated for the address it is sent to (RFC 5944 section 4.2.3). */
static inline bool is_encapsulated_again(struct rte_mbuf *frame, const struct pkt *p)
{
    const uint8_t *inner = pkt_ip(frame) + p->header_len;
    return p->protocol == IPPROTO_IPIP && p->size >= p->header_len + IPV4_LEN_MIN &&
           (p->fragment & IPV4_OFFSET) == 0 &&
           memcmp(inner + 16, &p->destination, sizeof(p->destination)) == 0;
}

/* The packet's source is a care-of address that it would be sent to. */
static inline bool is_from_exit(const struct burst *b, unsigned i)
{
    for (const struct entry *e = b->entry[i]; e != NULL; e = entry_behind(b, e))
        if (b->pkt[i].source == tunnel_destination(e))
            return true;
    return false;
}

static inline enum verdict decide_tunnel(struct burst *b, unsigned i)
{
    const struct pkt *p = &b->pkt[i];
    /* RFC 2003 section 3.2. Packets of the appliance itself never come this way: control tunnels those. */
    if (is_own(b, p->source))
        return VERDICT_DROP_LOOP_OWN_SOURCE;
    /* RFC 5944 section 4.2.3 asks to drop what its care-of address sends back encapsulated, RFC 2003
     * section 3.2 whatever it sends: the stricter rule holds, the counters tell which it was. */
    if (is_from_exit(b, i))
        return is_encapsulated_again(b->frame[i], p) ? VERDICT_DROP_RECURSIVE : VERDICT_DROP_LOOP_CARE_OF;
    return forward(b, i, VERDICT_TUNNELLED, VERDICT_FRAGMENTED);
}

static inline bool is_delegation(const struct worker_settings *s, const uint8_t *ip, const struct pkt *p)
{
    if (p->protocol != IPPROTO_UDP || s->delegation_port == 0 ||
        pkt_read16(ip + p->header_len + 2) != s->delegation_port)
        return false;
    for (unsigned i = 0; i < s->n_peers; i++)
        if (s->peers[i] == p->source)
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
    return v == VERDICT_PUNT_LOCAL && is_delegation(b->settings, ip, p) ? VERDICT_PUNT_DELEGATION : v;
}

static inline const struct ipv4_network *home_network(const struct worker_settings *settings,
                                                      uint32_t address)
{
    for (unsigned i = 0; i < settings->n_home_networks; i++)
        if ((address & settings->home_networks[i].mask) == settings->home_networks[i].address)
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
 * keeps it from circling is said at struct ipv4_network, and should that be set wrong, the rate bounds it. */
static inline enum verdict second_chance(struct burst *b, unsigned i, uint32_t primary)
{
    struct worker *w = b->w;
    adjacency_word way = way_by(w, primary);
    if (is_from_station(b->frame[i], way) || !token_bucket_take(&w->second_chances, WORKER_SECOND_CHANCES,
                                                                WORKER_SECOND_CHANCES_AT_ONCE, rte_rdtsc()))
        return VERDICT_DROP_SECOND_CHANCE;
    return leave_as_frame(b, i, primary, way, VERDICT_SECOND_CHANCE);
}

/* A home address without a binding is at home (RFC 5944 section 4.2.3): control looks for it on the link. */
static inline enum verdict decide_unknown(struct burst *b, unsigned i)
{
    const struct ipv4_network *network = home_network(b->settings, b->pkt[i].destination);
    if (network == NULL)
        return VERDICT_DROP_NO_BINDING;
    if (is_own(b, b->pkt[i].source)) /* RFC 1812 section 4.2.2.11 */
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
    if (is_own(b, b->pkt[i].source))
        return VERDICT_DROP_LOOP_OWN_SOURCE;
    return forward(b, i, VERDICT_ON_LINK, VERDICT_ON_LINK);
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
    if (e == NULL)
        return decide_unknown(b, i);
    return e->kind == ENTRY_TUNNEL ? decide_tunnel(b, i) : decide_on_link(b, i);
}

#endif
