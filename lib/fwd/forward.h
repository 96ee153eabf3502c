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

static_assert(RTE_PKTMBUF_HEADROOM >= ENTRY_OUTER_MAX + ETHERNET_LEN, "fragments have room for the headers");

/* 0: not resolved. */
static inline adjacency_word way_by(const struct worker *w, uint32_t adjacency)
{
    adjacency_word way = adjacency_read(w->adjacencies, adjacency);
    return (way & ADJACENCY_VALID) != 0 && adjacency_port(way) < w->n_ports ? way : 0;
}

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

/* Encapsulates what lies `front` bytes behind m's beginning, if the entry says so. False: no headroom. */
static inline bool wrap(struct burst *b, const struct entry *e, struct rte_mbuf *m, unsigned front,
                        const struct tunnel_inner *inner)
{
    if (e->kind != ENTRY_TUNNEL)
        return true;
    bool df = sets_df(b, e, inner);
    return tunnel_prepend(m, front, e, inner, df, df ? 0 : next_identification(b, e));
}

/* A packet that begins at its IP header. */
static inline bool wrap_packet(struct burst *b, const struct entry *e, struct rte_mbuf *m)
{
    struct tunnel_inner inner = tunnel_inner_of(rte_pktmbuf_mtod(m, const uint8_t *));
    return wrap(b, e, m, 0, &inner);
}

/* m begins at its IP header; there is headroom, as it was received with an Ethernet header or tunnel_prepend
 * has seen to it. */
static inline void address_frame(const struct worker *w, struct rte_mbuf *m, adjacency_word way)
{
    ethernet_prepend(m, &w->port[adjacency_port(way)].mac, way, ETHERTYPE_IPV4);
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
static inline unsigned make_fragments(struct burst *b, unsigned i, const struct entry *e,
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

static inline const struct entry *entry_behind(const struct burst *b, const struct entry *e)
{
    return likely((e->flags & ENTRY_MORE) == 0) ? NULL : table_more(b->w->table, e);
}

/* Simultaneous bindings (RFC 5944 section 3.8.2.1). */
static inline void send_copies(struct burst *b, unsigned i, bool fits)
{
    struct rte_mbuf *piece[FRAGMENTS_MAX];
    for (const struct entry *e = entry_behind(b, b->entry[i]); e != NULL; e = entry_behind(b, e)) {
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
    send_copies(b, i, fits);
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
    ethernet_write(rte_pktmbuf_mtod(m, uint8_t *), &b->w->port[b->exit[i]].mac, way, ETHERTYPE_IPV4);
    return verdict;
}

static inline struct tunnel_inner inner_of(const struct pkt *p)
{
    return (struct tunnel_inner){
        .size = p->size,
        .tos = p->tos,
        .ttl = (uint8_t)(p->ttl - 1), /* it has taken its hop */
        .header_len = p->header_len,
        .df = (p->fragment & IPV4_DF) != 0,
        .fragment = (p->fragment & IPV4_FRAGMENT) != 0,
    };
}

static inline enum verdict forward_whole(struct burst *b, unsigned i, enum verdict verdict)
{
    const struct entry *e = b->entry[i];
    struct tunnel_inner inner = inner_of(&b->pkt[i]);
    if (!wrap(b, e, b->frame[i], ETHERNET_LEN, &inner))
        return VERDICT_DROP_NO_MBUF;
    return leave_as_frame(b, i, e->adjacency, way_by(b->w, e->adjacency), verdict);
}

/* ---- Any packet ---- */

/* A packet of a binding, to be counted when its counter has come from memory. */
static inline void count_binding(struct burst *b, uint32_t slot, uint32_t size)
{
    struct binding_counter *counter = &b->w->bindings[slot];
    unsigned k = b->n_counted++;
    rte_prefetch0(counter);
    b->counted[k].counter = counter;
    b->counted[k].size = size;
}

/* A hop as a router makes it (RFC 2003 section 3.1, RFC 1812 section 5.3.1). */
static inline void take_hop(struct rte_mbuf *frame)
{
    pkt_decrement_ttl(PKT_IPV4, pkt_ip(frame));
}

/* What tunnel and home link have in common. */
static inline enum verdict forward(struct burst *b, unsigned i, enum verdict whole, enum verdict in_fragments)
{
    const struct entry *e = b->entry[i];
    const struct pkt *p = &b->pkt[i];
    if (p->ttl <= 1)
        return VERDICT_PUNT_TTL_EXCEEDED;
    bool fits = p->size <= e->mtu;
    if (!fits && (p->fragment & IPV4_DF) != 0)
        return VERDICT_PUNT_TOO_BIG; /* RFC 2003 section 5.1, RFC 1191 section 4 */
    if (unlikely((e->flags & ENTRY_UNREACHABLE) != 0))
        burst_tell_unreachable(b, i);
    if (e != &b->by_route)
        count_binding(b, e->slot, p->size);
    take_hop(b->frame[i]);
    if (unlikely(!fits || (e->flags & ENTRY_MORE) != 0))
        return forward_copies(b, i, fits, whole, in_fragments);
    return forward_whole(b, i, whole);
}

#endif
