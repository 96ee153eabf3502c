/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reverse tunnels (RFC 3024, RFC 6275 section 10.4.5): what a mobile node's far end sends to us encapsulated.
 * The packets of a burst that are for one of our addresses by a tunnel's protocol are put aside, opened
 * together, their inner addresses looked up together, and forwarded as if they had come so: into another
 * tunnel, onto the link, or by a route.
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
           (p->fragment & IPV4_FRAGMENT) == 0 && decap_is_tunnel(pkt_ip(b->frame[i]), p->size);
}

/* It came from the far end of that tunnel; they are of one encapsulation, or but for a fragment's. */
static inline bool reverse_is_from(const struct entry *e, const struct decap *d)
{
    if (decap_family_outside(d) == PKT_IPV6)
        return addr_equal(&e->destination, &d->outer_source);
    const uint32_t outer_source = pkt_ipv4(&d->outer_source);
    return memcmp(e->outer + 16, &outer_source, sizeof(outer_source)) == 0;
}

/* RFC 3024 section 4.3.2, RFC 6275 section 10.4.5: only from a care-of address of the binding whose home
 * address is the inner source, that this was granted to, by the encapsulation that it has. */
static inline bool reverse_is_granted(const struct burst *b, const struct entry *e, const struct decap *d)
{
    if (e == NULL || e->kind != ENTRY_TUNNEL ||
        (b->settings->reverse_ipv6_alone && decap_family_inside(d) == PKT_IPV4))
        return false;
    for (; e != NULL; e = entry_behind(b, e))
        if (decap_agrees(d, (enum encapsulation)e->encapsulation) && reverse_is_from(e, d))
            return (e->flags & ENTRY_REVERSE) != 0;
    return false;
}

/* The frame becomes the inner packet's, behind the Ethernet header with which it came but for its type. */
static inline void reverse_open(struct burst *b, unsigned i, const struct decap *d)
{
    struct rte_mbuf *m = b->frame[i];
    uint8_t *ethernet = rte_pktmbuf_mtod(m, uint8_t *);
    decap_open(ethernet + ETHERNET_LEN, d);
    memmove(ethernet + d->strip, ethernet, ETHERNET_LEN);
    rte_pktmbuf_adj(m, d->strip);
    rte_pktmbuf_trim(m, (uint16_t)(m->data_len - ETHERNET_LEN - d->size));
    const enum pkt_family family = pkt_family_of(pkt_ip(m));
    pkt_write16(rte_pktmbuf_mtod_offset(m, uint8_t *, 12), pkt_ethertype(family));
    pkt_fields(family, pkt_ip(m), &b->pkt[i]);
}

static inline enum verdict reverse_forward(struct burst *b, unsigned i)
{
    if (b->entry[i] == NULL && home_network(b->settings, &b->pkt[i].destination) == NULL)
        return forward_by_route(b, i, VERDICT_DECAPSULATED);
    enum verdict verdict = decide(b, i);
    /* Whoever registers is told apart by the link that it was heard on; a tunnel is none. */
    return verdict == VERDICT_PUNT_SIGNALLING ? VERDICT_DROP_REVERSE_TUNNEL : verdict;
}

/* What the policy says must come in ESP is not taken in clear (RFC 4301 section 5.2). */
static inline bool reverse_is_unprotected(const struct burst *b, unsigned i, const struct entry *from)
{
    if ((from->flags & ENTRY_HOME_TESTS) == 0 || b->pkt[i].family != PKT_IPV6)
        return false;
    const enum mobility mobility = mobility_of(pkt_ip(b->frame[i]), b->pkt[i].size);
    return mobility == MOBILITY_HOME_TEST_INIT || mobility == MOBILITY_HIDDEN;
}

/* One that has been put aside, by what reading it said and what its inner addresses led to. */
static inline enum verdict reverse_decide(struct burst *b, unsigned i, const struct decap *d,
                                          enum decap_verdict read, const struct entry *from,
                                          const struct entry *to)
{
    if (!reverse_is_granted(b, from, d))
        return VERDICT_DROP_REVERSE_TUNNEL;
    if (read == DECAP_CONGESTION)
        return VERDICT_DROP_CONGESTION;
    reverse_open(b, i, d);
    if (reverse_is_unprotected(b, i, from))
        return VERDICT_DROP_HOME_TEST_INIT;
    b->entry[i] = to;
    return reverse_forward(b, i);
}

#endif
