/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A burst's second, smaller round: of what came by reverse tunnels and was put aside. What is in them is
 * read, and looked up where their two inner addresses lead; then the usual ones take an express way of their
 * own (reverse_express.h), the others the general one (reverse.h).
 *
 * Of the worker alone.
 */
#ifndef FWD_OPENING_H
#define FWD_OPENING_H

#include "general.h"
#include "reverse_express.h"

struct opening {
    unsigned n;
    uint8_t of[WORKER_BURST];
    uint64_t usual; /* bits of those that reverse_express.h has read; the others: */
    struct decap inner[WORKER_BURST];
    enum decap_verdict read[WORKER_BURST];
    uint32_t tag[2 * WORKER_BURST]; /* source, destination */
    struct cuckoo_pair pair[2 * WORKER_BURST];
    const struct entry *found[2 * WORKER_BURST];
};

/* False: there is nothing sound in it, and that was its end. */
static inline bool opening_read_one(struct burst *b, struct opening *o, unsigned k)
{
    unsigned i = o->of[k];
    if ((b->unread >> i & 1) != 0)
        general_parse(b, i);
    o->read[k] = decap_read(pkt_ip(b->frame[i]), b->pkt[i].size, &o->inner[k]);
    if (o->read[k] == DECAP_SOUND || o->read[k] == DECAP_CONGESTION)
        return true;
    b->verdict[i] = VERDICT_DROP_REVERSE_TUNNEL;
    general_finish(b, i);
    return false;
}

static inline bool opening_read_usual(const struct burst *b, struct opening *o, unsigned k)
{
    unsigned i = o->of[k];
    if ((b->unread >> i & 1) == 0 ||
        !((b->ipv6 >> i & 1) != 0 ? reverse_express_read(PKT_IPV6, b->frame[i], &o->tag[2 * k])
                                  : reverse_express_read(PKT_IPV4, b->frame[i], &o->tag[2 * k])))
        return false;
    o->usual |= UINT64_C(1) << k;
    return true;
}

static inline void opening_read(struct burst *b, struct opening *o)
{
    o->n = 0;
    o->usual = 0;
    for (unsigned a = 0; a < b->n_aside; a++) {
        const unsigned k = o->n;
        o->of[k] = b->aside[a];
        if (!opening_read_usual(b, o, k)) {
            if (!opening_read_one(b, o, k))
                continue;
            o->tag[2 * k] = cuckoo_tag(&o->inner[k].source);
            o->tag[2 * k + 1] = cuckoo_tag(&o->inner[k].destination);
        }
        o->n++;
    }
}

static inline const struct entry *opening_proved(const struct burst *b, const struct opening *o, unsigned at,
                                                 const struct addr *key)
{
    return cuckoo_prove(b->cuckoo, o->found[at], o->tag[at], key, b->version);
}

static inline void opening_end(struct burst *b, struct opening *o, unsigned k)
{
    unsigned i = o->of[k];
    if ((o->usual >> k & 1) != 0) {
        if ((b->ipv6 >> i & 1) != 0
                ? reverse_express(PKT_IPV6, b, i, &o->tag[2 * k], o->found[2 * k], o->found[2 * k + 1])
                : reverse_express(PKT_IPV4, b, i, &o->tag[2 * k], o->found[2 * k], o->found[2 * k + 1]))
            return;
        if (!opening_read_one(b, o, k))
            return;
    }
    const struct entry *from = opening_proved(b, o, 2 * k, &o->inner[k].source);
    const struct entry *to = opening_proved(b, o, 2 * k + 1, &o->inner[k].destination);
    b->verdict[i] = reverse_decide(b, i, &o->inner[k], o->read[k], from, to);
    general_finish(b, i);
}

static inline void opening_look_up(const struct burst *b, struct opening *o)
{
    const unsigned n = 2 * o->n;
    cuckoo_locate(b->cuckoo, o->tag, n, o->pair);
    for (unsigned k = 0; k < n; k++)
        cuckoo_fetch(&o->pair[k]);
    cuckoo_search(b->cuckoo, o->tag, o->pair, n, o->found);
    for (unsigned k = 0; k < n; k++)
        rte_prefetch0(o->found[k]);
}

/* Apart, or the usual packets' loops would have fewer registers for its sake. */
static __rte_noinline void opening_all(struct burst *b)
{
    struct opening o;
    opening_read(b, &o);
    if (o.n == 0)
        return;
    opening_look_up(b, &o);
    way_renew_all(b->ways);
    for (unsigned k = 0; k < o.n; k++)
        opening_end(b, &o, k);
}

#endif
