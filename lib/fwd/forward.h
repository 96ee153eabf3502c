/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Forwarding one packet by its entry: into the tunnel or onto the link, whole or in fragments, and a copy to
 * each further care-of address. All reasons against it are checked before the packet is changed: what control
 * gets to answer is as it came.
 *
 * A whole packet stays a frame and grows at its front; the others are copies, made from the packet without
 * its Ethernet header. Either way what leaves here with a verdict to forward is a frame with its next hop's
 * address; PUNT_RESOLVE begins at its IP header.
 *
 * Of the worker alone.
 */
#ifndef FWD_FORWARD_H
#define FWD_FORWARD_H

#include "burst.h"
#include "burst_punt.h"
#include "ethernet.h"
#include "fragment.h"
#include "output.h"
#include "tunnel.h"
#include "way.h"

static_assert(RTE_PKTMBUF_HEADROOM >= TUNNEL_OUTER_MAX + ETHERNET_LEN, "fragments have room for the headers");

/* Workers take turns in the numbers, and nodes that tunnel from one source address have a slot each, so that
 * no two give one to the same source, destination and protocol until all of the slot are used up (RFC 6864
 * section 4.3). */
static inline uint16_t next_identification(const struct burst *b, const struct entry *e)
{
    enum { SLOT = 65536 / WORKER_ID_SLOTS };
    struct worker *w = b->w;
    uint16_t *next = &w->identification[e->id_bucket];
    uint16_t identification = (uint16_t)(*next + w->index);
    *next = (uint16_t)(*next + b->id_step);
    if (b->settings->id_slots != WORKER_ID_SLOTS)
        return identification;
    return (uint16_t)(e->id_slot * SLOT + identification % SLOT);
}

/* DF inside: MUST be set outside; else it MAY be (RFC 2003 section 3.1). Not on a fragment that cannot be
 * made as small as the tunnel would like it (FRAGMENT_MTU_MIN): that one needs help on its way. */
static inline bool sets_df(const struct burst *b, const struct entry *e, const struct tunnel_inner *inner)
{
    return inner->df || (b->settings->outer_df_always && inner->size <= e->mtu);
}

/* The same for fragments of IPv6. Workers count even numbers, control has the odd ones. */
static inline uint32_t next_identification_ipv6(const struct burst *b, const struct entry *e)
{
    struct worker *w = b->w;
    uint32_t identification = 2 * (w->fragmented++ * b->id_step + w->index);
    if (b->settings->id_slots != WORKER_ID_SLOTS)
        return identification;
    return (uint32_t)e->id_slot << IPV6_ID_SLOT_SHIFT | (identification & IPV6_ID_MASK);
}

/* Encapsulates what lies `front` bytes behind m's beginning, if the entry says so. False: no headroom. */
static inline bool wrap(struct burst *b, const struct entry *e, struct rte_mbuf *m, unsigned front,
                        const struct tunnel_inner *inner)
{
    if (e->kind != ENTRY_TUNNEL)
        return true;
    bool df = tunnel_is_over_ipv6(e) || sets_df(b, e, inner); /* over IPv6 there is no identification */
    return tunnel_prepend(m, front, e, inner, df, df ? 0 : next_identification(b, e));
}

/* A packet that begins at its IP header. */
static inline bool wrap_packet(struct burst *b, const struct entry *e, struct rte_mbuf *m)
{
    struct tunnel_inner inner = tunnel_inner_of(rte_pktmbuf_mtod(m, const uint8_t *), e);
    return wrap(b, e, m, 0, &inner);
}

/* m begins at its IP header; there is headroom, as it was received with an Ethernet header or tunnel_prepend
 * has seen to it. */
static inline void address_frame(const struct worker *w, struct rte_mbuf *m, adjacency_word way)
{
    uint16_t ethertype = pkt_ethertype(pkt_family_of(rte_pktmbuf_mtod(m, const uint8_t *)));
    ethernet_prepend(m, &w->port[adjacency_port(way)].mac, way, ethertype);
}

/* ---- Copies and fragments: from here on the packet begins at its IP header ---- */

/* One frame of those that a packet becomes beside its last one: its verdict is counted with that. */
static inline void send_piece(struct burst *b, unsigned i, const struct entry *e, struct rte_mbuf *m,
                              adjacency_word way)
{
    if (way == 0) {
        burst_punt(b, i, m, VERDICT_PUNT_RESOLVE, e->adjacency);
        return;
    }
    address_frame(b->w, m, way);
    output_frame(b->w, adjacency_port(way), m, VERDICT_COUNT);
}

/* DF clear and too big: each fragment becomes a packet of the tunnel, so that its exit need not reassemble
 * (RFC 2003 section 5.1). The packet is only read. Returns how many there are; 0: no buffers. */
static inline unsigned cut_inside(struct burst *b, unsigned i, const struct entry *e,
                                  struct rte_mbuf *piece[static FRAGMENTS_MAX])
{
    int n = fragment_ipv4(b->frame[i], e->mtu, b->w->pool, piece);
    for (int k = 0; k < n; k++) {
        if (!wrap_packet(b, e, piece[k])) {
            rte_pktmbuf_free_bulk(piece, (unsigned)n);
            return 0;
        }
    }
    return n < 0 ? 0 : (unsigned)n;
}

/* 1, or 0: no buffer. */
static inline unsigned make_copy(struct burst *b, unsigned i, const struct entry *e, struct rte_mbuf **copy)
{
    *copy = rte_pktmbuf_copy(b->frame[i], b->w->pool, 0, UINT32_MAX);
    if (*copy == NULL)
        return 0;
    if (wrap_packet(b, e, *copy))
        return 1;
    rte_pktmbuf_free(*copy);
    return 0;
}

/* Over IPv6, and with IPv6 inside, the tunnel's own packet is cut: who sends it may do so (RFC 2473 section
 * 7.1 (b) and 7.2 (b); RFC 4213 section 3.2.2). */
static inline unsigned cut_outside(struct burst *b, unsigned i, const struct entry *e,
                                   struct rte_mbuf *piece[static FRAGMENTS_MAX])
{
    struct rte_mbuf *whole;
    if (make_copy(b, i, e, &whole) == 0)
        return 0;
    uint16_t path_mtu = (uint16_t)(e->mtu + tunnel_overhead((enum encapsulation)e->encapsulation));
    int n = tunnel_is_over_ipv6(e)
                ? fragment_ipv6(whole, path_mtu, next_identification_ipv6(b, e), b->w->pool, piece)
                : fragment_ipv4(whole, path_mtu, b->w->pool, piece);
    rte_pktmbuf_free(whole);
    return n < 0 ? 0 : (unsigned)n;
}

static inline unsigned make_fragments(struct burst *b, unsigned i, const struct entry *e,
                                      struct rte_mbuf *piece[static FRAGMENTS_MAX])
{
    bool outside = b->pkt[i].family == PKT_IPV6 || (e->kind == ENTRY_TUNNEL && tunnel_is_over_ipv6(e));
    return outside ? cut_outside(b, i, e, piece) : cut_inside(b, i, e, piece);
}

static inline const struct entry *entry_behind(const struct burst *b, const struct entry *e)
{
    return likely((e->flags & ENTRY_MORE) == 0) ? NULL : table_more(b->w->table, e);
}

/* Whole? ip: the packet, of IPv6 or IPv4. */
static inline bool goes_whole(const struct pkt *p, const uint8_t *ip, const struct entry *e)
{
    if (likely(p->family == PKT_IPV4 || !ipv6_is_skipped(p->protocol) || e->kind != ENTRY_TUNNEL))
        return p->size <= e->mtu;
    struct tunnel_inner inner = tunnel_inner_of(ip, e);
    return p->size <= tunnel_takes(e, &inner);
}

/* Simultaneous bindings (RFC 5944 section 3.8.2.1). */
static inline void send_copies(struct burst *b, unsigned i)
{
    struct rte_mbuf *piece[FRAGMENTS_MAX];
    const uint8_t *ip = rte_pktmbuf_mtod(b->frame[i], const uint8_t *);
    for (const struct entry *e = entry_behind(b, b->entry[i]); e != NULL; e = entry_behind(b, e)) {
        bool fits = goes_whole(&b->pkt[i], ip, e);
        unsigned n = fits ? make_copy(b, i, e, piece) : make_fragments(b, i, e, piece);
        adjacency_word way = way_by(b->w, e->adjacency);
        b->w->counters.copies_lost += n == 0;
        for (unsigned k = 0; k < n; k++)
            send_piece(b, i, e, piece[k], way);
    }
}

/* The packet itself, by the first entry. */
static inline enum verdict leave(struct burst *b, unsigned i, enum verdict verdict)
{
    adjacency_word way = way_by(b->w, b->entry[i]->adjacency);
    b->next_hop[i] = b->entry[i]->adjacency;
    if (way == 0)
        return VERDICT_PUNT_RESOLVE;
    b->exit[i] = (uint8_t)adjacency_port(way);
    address_frame(b->w, b->frame[i], way);
    return verdict;
}

/* The last fragment takes the packet's place in the burst, and its verdict. */
static inline enum verdict forward_fragments(struct burst *b, unsigned i, enum verdict verdict)
{
    struct rte_mbuf *piece[FRAGMENTS_MAX];
    unsigned n = make_fragments(b, i, b->entry[i], piece);
    if (n == 0)
        return VERDICT_DROP_NO_MBUF;
    adjacency_word way = way_by(b->w, b->entry[i]->adjacency);
    for (unsigned k = 0; k < n - 1; k++)
        send_piece(b, i, b->entry[i], piece[k], way);
    rte_pktmbuf_free(b->frame[i]);
    b->frame[i] = piece[n - 1];
    return leave(b, i, verdict);
}

static inline enum verdict forward_copies(struct burst *b, unsigned i, bool fits, enum verdict whole,
                                          enum verdict in_fragments)
{
    rte_pktmbuf_adj(b->frame[i], ETHERNET_LEN);
    send_copies(b, i);
    if (!fits)
        return forward_fragments(b, i, in_fragments);
    return wrap_packet(b, b->entry[i], b->frame[i]) ? leave(b, i, whole) : VERDICT_DROP_NO_MBUF;
}

/* ---- Whole packets ---- */

/* A frame gets its next hop's address in place of the header that it has; unresolved, it waits at control
 * without one. */
static inline enum verdict leave_as_frame(struct burst *b, unsigned i, uint32_t adjacency, adjacency_word way,
                                          enum verdict verdict)
{
    struct rte_mbuf *m = b->frame[i];
    if (unlikely(way == 0)) {
        rte_pktmbuf_adj(m, ETHERNET_LEN);
        b->next_hop[i] = adjacency;
        return VERDICT_PUNT_RESOLVE;
    }
    b->exit[i] = (uint8_t)adjacency_port(way);
    ethernet_write(rte_pktmbuf_mtod(m, uint8_t *), &b->w->port[b->exit[i]].mac, way,
                   pkt_ethertype(pkt_family_of(pkt_ip(m))));
    return verdict;
}

static inline enum verdict forward_whole(struct burst *b, unsigned i, enum verdict verdict)
{
    const struct entry *e = b->entry[i];
    struct tunnel_inner inner = tunnel_inner_of(pkt_ip(b->frame[i]), e);
    if (!wrap(b, e, b->frame[i], ETHERNET_LEN, &inner))
        return VERDICT_DROP_NO_MBUF;
    return leave_as_frame(b, i, e->adjacency, way_by(b->w, e->adjacency), verdict);
}

/* ---- Any packet ---- */

/* A packet of a binding, to be counted when its counter has come from memory. */
static inline void count_binding(struct burst *b, unsigned i, uint32_t slot, uint32_t size)
{
    struct binding_counter *counter = &b->bindings[slot];
    rte_prefetch0(counter);
    b->counter[i] = counter;
    b->counted[i] = size;
}

/* A hop as a router makes it (RFC 2003 section 3.1, RFC 1812 section 5.3.1, RFC 2473 section 3.1). */
static inline void take_hop(struct rte_mbuf *frame)
{
    uint8_t *ip = pkt_ip(frame);
    pkt_decrement_ttl(pkt_family_of(ip), ip);
}

/* Its sender said how often it may be encapsulated: no more (RFC 2473 section 4.1.1). */
static inline bool is_limit_reached(const struct pkt *p, const uint8_t *ip, const struct entry *e)
{
    if (likely(p->family == PKT_IPV4 || !ipv6_is_skipped(p->protocol)) || e->kind != ENTRY_TUNNEL)
        return false;
    struct tunnel_inner inner = tunnel_inner_of(ip, e);
    return inner.limited && inner.limit == 0;
}

/* For its sender to make it smaller: IPv4 with DF set (RFC 2003 section 5.1, RFC 1191 section 4). IPv6
 * always, but what every link of IPv6 takes the tunnel has to take as well, in fragments (RFC 2473
 * section 7.1). */
static inline bool is_too_big(const struct pkt *p, const struct entry *e)
{
    if (p->family == PKT_IPV6 && e->kind == ENTRY_TUNNEL)
        return p->size > IPV6_LINK_MTU_MIN;
    return (p->fragment & IPV4_DF) != 0;
}

/* What tunnel and home link have in common. */
static inline enum verdict forward(struct burst *b, unsigned i, enum verdict whole, enum verdict in_fragments)
{
    const struct entry *e = b->entry[i];
    const struct pkt *p = &b->pkt[i];
    const uint8_t *ip = pkt_ip(b->frame[i]);
    if (p->ttl <= 1)
        return VERDICT_PUNT_TTL_EXCEEDED;
    if (is_limit_reached(p, ip, e))
        return VERDICT_PUNT_ENCAPSULATION_LIMIT;
    bool fits = goes_whole(p, ip, e);
    if (!fits && is_too_big(p, e))
        return VERDICT_PUNT_TOO_BIG;
    if (unlikely((e->flags & ENTRY_UNREACHABLE) != 0))
        burst_tell_unreachable(b, i);
    if (e != &b->by_route)
        count_binding(b, i, e->slot, p->size);
    take_hop(b->frame[i]);
    if (unlikely(!fits || (e->flags & ENTRY_MORE) != 0))
        return forward_copies(b, i, fits, whole, in_fragments);
    return forward_whole(b, i, whole);
}

#endif
