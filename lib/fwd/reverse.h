/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reverse tunnels (RFC 3024): what a mobile node's far end sends to us encapsulated. The packets of a burst
 * that are for one of our addresses by a tunnel's protocol are put aside, opened together, their inner
 * addresses looked up together, and forwarded as if they had come so: into another tunnel, onto the link, or
 * by a route.
 *
 * Of the worker alone.
 */
#ifndef FWD_REVERSE_H
#define FWD_REVERSE_H

#include "decap.h"
#include "decide.h"

static_assert(2 * (int)WORKER_BURST <= (int)CUCKOO_BURST, "both inner addresses are looked up at once");

/* What may be in a tunnel that ends here: a whole packet by a protocol that we open. */
static inline bool reverse_is_candidate(const struct burst *b, unsigned i)
{
    const struct pkt *p = &b->pkt[i];
    return b->settings->exits != NULL && b->entry[i] != NULL && b->entry[i]->kind == ENTRY_LOCAL &&
           (b->entry[i]->flags & ENTRY_BROADCAST) == 0 && !p->link_cast &&
           (p->fragment & IPV4_FRAGMENT) == 0 &&
           (p->protocol == IPPROTO_IPIP || p->protocol == IPPROTO_GRE || p->protocol == PROTOCOL_MINIMAL);
}

/* RFC 3024 section 4.3.2: only from a care-of address of the binding whose home address is the inner source,
 * that this was granted to, by the encapsulation that it has. */
static inline bool reverse_is_granted(const struct burst *b, const struct entry *e, const struct decap *d)
{
    if (e == NULL || e->kind != ENTRY_TUNNEL)
        return false;
    for (; e != NULL; e = entry_behind(b, e))
        if (tunnel_destination(e) == d->outer_source)
            return (e->flags & ENTRY_REVERSE) != 0 && decap_agrees(d, (enum encapsulation)e->encapsulation);
    return false;
}

/* The frame becomes the inner packet's, behind the Ethernet header with which it came. */
static inline void reverse_open(struct burst *b, unsigned i, const struct decap *d)
{
    struct rte_mbuf *m = b->frame[i];
    uint8_t *ethernet = rte_pktmbuf_mtod(m, uint8_t *);
    decap_open(ethernet + ETHERNET_LEN, d);
    memmove(ethernet + d->strip, ethernet, ETHERNET_LEN);
    rte_pktmbuf_adj(m, d->strip);
    rte_pktmbuf_trim(m, (uint16_t)(m->data_len - ETHERNET_LEN - d->size));
    pkt_fields(pkt_ip(m), &b->pkt[i]);
}

/* Not for a home address: as the routes say, like a packet for a station on the link. */
static inline enum verdict reverse_route(struct burst *b, unsigned i)
{
    struct worker *w = b->w;
    uint32_t adjacency;
    if (!exits_lookup(b->settings->exits, b->pkt[i].destination, &adjacency))
        return VERDICT_DROP_NO_ROUTE;
    adjacency_word way = way_by(w, adjacency);
    b->by_route = (struct entry){
        .kind = ENTRY_ON_LINK,
        .adjacency = adjacency,
        .mtu = w->port[way != 0 ? adjacency_port(way) : b->port_index].mtu,
    };
    b->entry[i] = &b->by_route;
    return forward(b, i, VERDICT_DECAPSULATED, VERDICT_DECAPSULATED);
}

static inline enum verdict reverse_forward(struct burst *b, unsigned i)
{
    if (b->entry[i] == NULL && home_network(b->settings, b->pkt[i].destination) == NULL)
        return reverse_route(b, i);
    enum verdict verdict = decide(b, i);
    /* Whoever registers is told apart by the link that it was heard on; a tunnel is none. */
    return verdict == VERDICT_PUNT_SIGNALLING ? VERDICT_DROP_REVERSE_TUNNEL : verdict;
}

/* One that has been put aside, by what reading it said and what its inner addresses led to. Until it is
 * finished nothing else of the burst may be decided: they share by_route. */
static inline enum verdict reverse_decide(struct burst *b, unsigned i, const struct decap *d,
                                          enum decap_verdict read, const struct entry *from,
                                          const struct entry *to)
{
    if (!reverse_is_granted(b, from, d))
        return VERDICT_DROP_REVERSE_TUNNEL;
    if (read == DECAP_CONGESTION)
        return VERDICT_DROP_CONGESTION;
    reverse_open(b, i, d);
    b->entry[i] = to;
    return reverse_forward(b, i);
}

#endif
