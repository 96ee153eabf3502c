/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A packet of a burst goes to the control lcore: what it needs to know of it goes with it, and what is above
 * its class's rate or finds the ring full ends here, counted.
 *
 * Of the worker alone.
 */
#ifndef FWD_BURST_PUNT_H
#define FWD_BURST_PUNT_H

#include <rte_cycles.h>

#include "burst.h"
#include "classify.h"
#include "tunnel.h"

/* Of a packet whose sender is told something (RFC 1812 section 4.3.2.3, RFC 4443 section 2.4). */
static inline uint32_t burst_quote_max(const struct pkt *p)
{
    return ETHERNET_LEN + (p->family == PKT_IPV6 ? IPV6_LINK_MTU_MIN : 576U);
}

static inline enum punt_class burst_punt_class(enum verdict verdict)
{
    switch (verdict) {
    case VERDICT_PUNT_ARP:
    case VERDICT_PUNT_ND:
    case VERDICT_PUNT_MLD:
        return PUNT_NEIGHBOR;
    case VERDICT_PUNT_DELEGATION:
        return PUNT_DELEGATION;
    case VERDICT_PUNT_SIGNALLING:
        return PUNT_SIGNALLING;
    case VERDICT_PUNT_LOCAL:
        return PUNT_LOCAL;
    case VERDICT_PUNT_HOME_TEST:
        return PUNT_HOME_TEST;
    case VERDICT_PUNT_FRAGMENT:
        return PUNT_FRAGMENT;
    case VERDICT_PUNT_RESOLVE:
        return PUNT_RESOLVE;
    default: /* an error message is due to the sender */
        return PUNT_ERROR;
    }
}

static inline bool burst_admit(struct burst *b, unsigned i, enum punt_class c)
{
    struct worker *w = b->w;
    return punt_admit(w->class_bucket, w->source_bucket, c, &b->pkt[i].source, rte_rdtsc());
}

/* What a packet that is too big might be as large as: of IPv6 every link must take 1280 (RFC 2473
 * section 7.1). */
static inline uint16_t burst_mtu_to_tell(const struct burst *b, unsigned i)
{
    const struct tunnel_inner inner = tunnel_inner_of(pkt_ip(b->frame[i]), b->entry[i]);
    const unsigned takes = tunnel_takes(b->entry[i], &inner);
    return (uint16_t)(b->pkt[i].family == PKT_IPV6 ? RTE_MAX(takes, (unsigned)IPV6_LINK_MTU_MIN) : takes);
}

static inline bool burst_enqueue(struct burst *b, unsigned i, struct rte_mbuf *m, enum verdict verdict,
                                 enum punt_class c, uint32_t next_hop)
{
    *punt_meta(m) = (struct punt_meta){
        .class = (uint8_t)c,
        .verdict = (uint8_t)verdict,
        .port_index = (uint8_t)b->port_index,
        .link_cast = b->pkt[i].link_cast,
        .mtu = verdict == VERDICT_PUNT_TOO_BIG ? burst_mtu_to_tell(b, i) : 0,
        .pointer = verdict == VERDICT_PUNT_ENCAPSULATION_LIMIT ? ipv6_limit(pkt_ip(m), b->pkt[i].size) : 0,
        .unreachable = verdict == VERDICT_TUNNELLED,
        .adjacency = next_hop,
    };
    if (rte_ring_mp_enqueue(b->w->punts->ring[c], m) == 0)
        return true;
    rte_pktmbuf_free(m);
    return false;
}

/* Takes m over. Returns what became of it. */
static inline enum verdict burst_punt(struct burst *b, unsigned i, struct rte_mbuf *m, enum verdict verdict,
                                      uint32_t next_hop)
{
    enum punt_class c = burst_punt_class(verdict);
    if (!burst_admit(b, i, c)) {
        rte_pktmbuf_free(m);
        b->w->counters.policed[c]++;
        return VERDICT_DROP_POLICED;
    }
    if (!burst_enqueue(b, i, m, verdict, c, next_hop)) {
        b->w->counters.policed[c]++;
        return VERDICT_DROP_PUNT_FULL;
    }
    return verdict;
}

/* RFC 2003 section 5: a packet for a tunnel whose exit is known to be unreachable draws the error and is
 * forwarded all the same. Control gets the beginning of it; above the rate of errors nobody misses one. */
static inline void burst_tell_unreachable(struct burst *b, unsigned i)
{
    struct rte_mbuf *m = b->frame[i];
    if (!burst_admit(b, i, PUNT_ERROR))
        return;
    struct rte_mbuf *copy =
        rte_pktmbuf_copy(m, b->w->pool, 0, RTE_MIN(rte_pktmbuf_pkt_len(m), burst_quote_max(&b->pkt[i])));
    if (copy != NULL && burst_enqueue(b, i, copy, VERDICT_TUNNELLED, PUNT_ERROR, ADJACENCY_NONE))
        b->w->counters.unreachable_told++;
}

#endif
