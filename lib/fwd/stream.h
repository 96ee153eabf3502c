/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bursts one after the other. Each passes five stages: its packets are parsed, looked up, decided on and
 * rewritten, sent, and counted. Two are on their way at any time, so that memory answers for the one while
 * the other is worked on; and what is asked of memory is asked evenly, some lines with each packet: a
 * processor that waits for some twenty lines drops the prefetches of more. While the packets of a burst are
 * parsed, their headers are asked for, and entries of the burst before; while that is decided, its counters,
 * and buckets of the one that was parsed. The first of those entries and buckets are wanted soonest, and are
 * asked for as soon as it is known where they are: the entries before the device is asked for the next burst,
 * which takes a while.
 *
 * The usual packets take the express way (express.h), to their end, the others the general one (general.h);
 * what came by a reverse tunnel makes a second round (opening.h). Packets of one destination keep their
 * order.
 *
 * Of the worker alone; on its stack, for one turn.
 */
#ifndef FWD_STREAM_H
#define FWD_STREAM_H

#include <rte_branch_prediction.h>
#include <rte_prefetch.h>

#include "burst.h"
#include "express.h"
#include "general.h"
#include "opening.h"
#include "output.h"

enum {
    STREAM_AHEAD = 6,          /* packets whose headers are on their way */
    STREAM_FIRST_BUCKETS = 8,  /* packets whose buckets are asked for at once, when they are located */
    STREAM_FIRST_ENTRIES = 16, /* the same of their entries, when they are found */
    STREAM_FRONT = 64 /* the outer header is written in front of the frame, maybe in another cache line */
};

/* A burst without packets is none. */
struct stream {
    struct burst burst[2];
    unsigned last; /* the one that has been looked up; the other one has been sent, and is to be counted */
};

/* Of n packets, of which nothing is known yet. */
static inline void stream_renew(struct burst *b, unsigned n)
{
    b->n = n;
    b->odd = 0;
    b->ipv6 = 0;
    b->unread = 0;
    b->n_aside = 0;
    b->n_dropped = 0;
}

static inline void stream_open(struct stream *s, struct worker *w)
{
    for (unsigned k = 0; k < RTE_DIM(s->burst); k++) {
        struct burst *b = &s->burst[k];
        b->w = w;
        b->ways = &w->ways;
        b->bindings = w->bindings;
        b->cuckoo = table_cuckoo(w->table);
        b->settings = __atomic_load_n(&w->settings, __ATOMIC_ACQUIRE);
        b->id_step = (uint16_t)rte_align32pow2(w->workers);
        b->nobodys = (struct binding_counter){0};
        stream_renew(b, 0);
    }
    s->last = 0;
}

/* Room for the frames of the next burst. */
static inline struct rte_mbuf **stream_room(struct stream *s)
{
    return s->burst[s->last ^ 1].frame;
}

/* ---- The stages ---- */

static inline void stream_fetch_frame(const struct rte_mbuf *frame)
{
    const uint8_t *data = rte_pktmbuf_mtod(frame, const uint8_t *);
    rte_prefetch0(data);
    rte_prefetch0(data - STREAM_FRONT);
}

static inline void stream_fetch_entries(const struct burst *b, unsigned from, unsigned to)
{
    for (unsigned i = from; i < RTE_MIN(to, b->n); i++)
        rte_prefetch0(b->entry[i]);
}

static inline void stream_fetch_buckets(const struct burst *b, unsigned from, unsigned to)
{
    for (unsigned i = from; i < RTE_MIN(to, b->n); i++)
        cuckoo_fetch(&b->pair[i]);
}

static inline uint32_t stream_tag_of_another(struct burst *b, unsigned i, struct rte_mbuf *frame,
                                             const struct worker_rx *rx)
{
    if (!express_parse(PKT_IPV6, frame, &rx->ipv6))
        return general_tag(b, i);
    b->ipv6 |= UINT64_C(1) << i;
    return cuckoo_tag_ipv6((const struct addr *)pkt_destination_at(PKT_IPV6, pkt_ip(frame)));
}

static __rte_always_inline uint32_t stream_tag(struct burst *b, unsigned i, struct rte_mbuf *frame,
                                               const struct worker_rx *rx)
{
    uint32_t destination;
    if (unlikely(!express_parse(PKT_IPV4, frame, &rx->ipv4)))
        return stream_tag_of_another(b, i, frame, rx);
    memcpy(&destination, pkt_destination_at(PKT_IPV4, pkt_ip(frame)), sizeof(destination));
    return cuckoo_tag_ipv4(destination);
}

/* How many of n are left when the first ones have been asked for. */
static inline unsigned stream_left(unsigned n, unsigned first)
{
    return n - RTE_MIN(n, first);
}

/* Entries of the burst before that are asked for while n packets are parsed. */
static inline unsigned stream_entries_meanwhile(unsigned n, const struct burst *found)
{
    return RTE_MIN(stream_left(n, STREAM_AHEAD), stream_left(found->n, STREAM_FIRST_ENTRIES));
}

/* Some of the packets. With each is asked for: the frame STREAM_AHEAD of it, if there are such frames, and an
 * entry, unless entry is NULL. Returns how many bytes they have. What the loop needs again and again stands
 * in variables of its own: bytes are written in between, which may be anything to the compiler, so that it
 * would read the rest anew after each. */
static __rte_always_inline uint64_t stream_parse_some(struct burst *b, unsigned from, unsigned to,
                                                      bool frames, const struct entry *const *entry)
{
    struct rte_mbuf **frame = b->frame;
    const struct worker_rx *rx = &b->w->rx[b->port_index];
    uint64_t bytes = 0;
    for (unsigned i = from; i < to; i++) {
        if (frames)
            stream_fetch_frame(frame[i + STREAM_AHEAD]);
        if (entry != NULL)
            rte_prefetch0(entry[i]);
        bytes += rte_pktmbuf_pkt_len(frame[i]);
        b->tag[i] = stream_tag(b, i, frame[i], rx);
    }
    return bytes;
}

static inline void stream_parse(struct burst *b, const struct burst *found)
{
    const unsigned n = b->n, frames = stream_left(n, STREAM_AHEAD),
                   entries = stream_entries_meanwhile(n, found);
    b->w->counters.rx_bytes += stream_parse_some(b, 0, entries, true, &found->entry[STREAM_FIRST_ENTRIES]) +
                               stream_parse_some(b, entries, frames, true, NULL) +
                               stream_parse_some(b, frames, n, false, NULL);
    b->w->counters.rx_packets += n;
}

static inline void stream_look_up(struct burst *b)
{
    b->version = cuckoo_version(b->cuckoo);
    cuckoo_search(b->cuckoo, b->tag, b->pair, b->n, b->entry);
    stream_fetch_entries(b, 0, STREAM_FIRST_ENTRIES);
}

/* Some of the packets; plain: all of the burst are plain IPv4. With each is asked for a pair of buckets,
 * unless pair is NULL. */
static __rte_always_inline void stream_decide_some(struct burst *b, unsigned from, unsigned to, bool plain,
                                                   const struct cuckoo_pair *pair)
{
    struct rte_mbuf **frame = b->frame;
    const uint64_t ipv6 = b->ipv6, another = b->odd | ipv6;
    for (unsigned i = from; i < to; i++) {
        if (pair != NULL)
            cuckoo_fetch(&pair[i]);
        if ((plain || (another >> i & 1) == 0) && express_forward(PKT_IPV4, b, i, frame[i]))
            continue;
        if (!plain && (ipv6 >> i & 1) != 0 && express_forward(PKT_IPV6, b, i, frame[i]))
            continue;
        general_decide(b, i);
    }
}

static __rte_always_inline void stream_decide_all(struct burst *b, const struct burst *parsed, bool plain)
{
    const unsigned n = b->n, pairs = RTE_MIN(n, stream_left(parsed->n, STREAM_FIRST_BUCKETS));
    stream_decide_some(b, 0, pairs, plain, &parsed->pair[STREAM_FIRST_BUCKETS]);
    stream_decide_some(b, pairs, n, plain, NULL);
}

/* Apart, or the stages would share registers. */
static __rte_noinline void stream_decide(struct burst *b, const struct burst *parsed)
{
    way_renew_all(b->ways);
    if (likely((b->odd | b->ipv6) == 0))
        stream_decide_all(b, parsed, true);
    else
        stream_decide_all(b, parsed, false);
}

static inline void stream_send(struct burst *b)
{
    for (unsigned port_index = 0; port_index < b->w->n_ports; port_index++)
        output_flush(b->w, port_index);
    if (unlikely(b->n_dropped > 0))
        rte_pktmbuf_free_bulk(b->dropped, b->n_dropped);
}

static inline void stream_count(struct burst *b)
{
    const unsigned n = b->n;
#pragma GCC unroll 4
    for (unsigned i = 0; i < n; i++)
        b->counter[i]->tally += tally_of(1, b->counted[i]);
}

/* ---- One after the other ---- */

static inline void stream_begin(struct burst *b, unsigned port_index, unsigned n, const struct burst *found)
{
    stream_renew(b, n);
    b->port_index = port_index;
    stream_parse(b, found);
    cuckoo_locate(b->cuckoo, b->tag, n, b->pair);
    stream_fetch_buckets(b, 0, STREAM_FIRST_BUCKETS);
}

/* Takes over the next burst, n frames in the room for them. */
static inline void stream_step(struct stream *s, unsigned port_index, unsigned n)
{
    struct burst *last = &s->burst[s->last], *next = &s->burst[s->last ^ 1];
    for (unsigned i = 0; i < RTE_MIN(n, (unsigned)STREAM_AHEAD); i++)
        stream_fetch_frame(next->frame[i]);
    stream_count(next);
    stream_begin(next, port_index, n, last);
    stream_fetch_entries(last, STREAM_FIRST_ENTRIES + stream_entries_meanwhile(n, last), last->n);
    stream_decide(last, next);
    if (unlikely(last->n_aside > 0))
        opening_all(last);
    stream_fetch_buckets(next, STREAM_FIRST_BUCKETS + last->n, n);
    stream_send(last);
    stream_look_up(next);
    s->last ^= 1;
}

/* No more come now. */
static inline void stream_drain(struct stream *s)
{
    for (unsigned k = 0; k < RTE_DIM(s->burst); k++)
        stream_step(s, 0, 0);
}

#endif
