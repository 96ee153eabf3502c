/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The general way of a packet, which knows all cases: what the express ways (express.h) do not take is parsed
 * in full here, decided on, and brought to its end: it is queued for transmission, handed to control, or
 * dropped. Its verdict is counted there, or for a frame in the transmit queue when that has taken it or
 * refused it.
 *
 * Of the worker alone.
 */
#ifndef FWD_GENERAL_H
#define FWD_GENERAL_H

#include "burst_punt.h"
#include "decide.h"
#include "express.h"
#include "output.h"
#include "reverse.h"

/* Into pkt and verdict. */
static inline enum verdict general_parse(struct burst *b, unsigned i)
{
    b->next_hop[i] = ADJACENCY_NONE;
    b->verdict[i] = pkt_parse(b->frame[i], &b->w->port[b->port_index].mac, &b->pkt[i]);
    return b->verdict[i];
}

/* What is no usual packet: its tag. */
static __rte_noinline uint32_t general_tag(struct burst *b, unsigned i)
{
    b->odd |= UINT64_C(1) << i;
    return general_parse(b, i) == PKT_LOOK_UP ? cuckoo_tag(&b->pkt[i].destination) : 0;
}

static inline void general_finish(struct burst *b, unsigned i)
{
    static const uint8_t kinds[VERDICT_COUNT] = {
#define X(name, kind, key, text) [VERDICT_##name] = VERDICT_##kind,
        VERDICTS(X)
#undef X
    };
    struct worker *w = b->w;
    enum verdict verdict = b->verdict[i];
    switch (kinds[verdict]) {
    case VERDICT_FORWARD:
        output_frame(w, b->exit[i], b->frame[i], verdict);
        return;
    case VERDICT_PUNT:
        w->counters.verdict[burst_punt(b, i, b->frame[i], verdict, b->next_hop[i])]++;
        return;
    default:
        burst_drop(b, b->frame[i], verdict);
    }
}

/* What its packet is for. Read there: what is plain is not in pkt. */
static inline struct addr general_key(const struct burst *b, unsigned i)
{
    if ((b->odd >> i & 1) != 0)
        return b->pkt[i].destination;
    return pkt_destination((b->ipv6 >> i & 1) != 0 ? PKT_IPV6 : PKT_IPV4, pkt_ip(b->frame[i]));
}

/* The search led to another's entry: the express way may take it by the one that it leads to now. */
static inline bool general_is_express_now(struct burst *b, unsigned i, const struct entry *proved)
{
    const struct entry *found = b->entry[i];
    b->entry[i] = proved != NULL ? proved : &b->cuckoo->entries[CUCKOO_NO_ENTRY];
    if (b->entry[i] == found)
        return false;
    return (b->ipv6 >> i & 1) != 0 ? express_forward(PKT_IPV6, b, i, b->frame[i])
                                   : express_forward(PKT_IPV4, b, i, b->frame[i]);
}

/* By the entry that was found and is not proved yet. What may be of a reverse tunnel is put aside. */
static __rte_noinline void general_decide(struct burst *b, unsigned i)
{
    const bool is_odd = (b->odd >> i & 1) != 0;
    burst_count_nobodys(b, i);
    if (is_odd && b->verdict[i] != PKT_LOOK_UP) {
        general_finish(b, i);
        return;
    }
    const struct addr key = general_key(b, i);
    const struct entry *proved = cuckoo_prove(b->cuckoo, b->entry[i], b->tag[i], &key, b->version);
    if (!is_odd && general_is_express_now(b, i, proved))
        return;
    b->entry[i] = proved;
    if (!is_odd)
        general_parse(b, i);
    if (b->verdict[i] == PKT_LOOK_UP && reverse_is_candidate(b, i)) {
        b->aside[b->n_aside++] = (uint8_t)i;
        return;
    }
    if (b->verdict[i] == PKT_LOOK_UP)
        b->verdict[i] = decide(b, i);
    general_finish(b, i);
}

#endif
