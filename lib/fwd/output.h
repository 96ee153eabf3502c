/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How frames leave a worker: each port has a queue of them, and either a transmit queue of the device or a
 * ring to the lcore that owns it. A frame's verdict is counted when it has been taken, or refused.
 *
 * Of the worker alone.
 */
#ifndef FWD_OUTPUT_H
#define FWD_OUTPUT_H

#include <rte_branch_prediction.h>
#include <rte_ethdev.h>

#include "worker.h"

static inline unsigned output_hand_off(struct rte_ring *handoff, struct rte_mbuf **frame, unsigned n)
{
    return handoff == NULL ? 0 : rte_ring_mp_enqueue_burst(handoff, (void **)frame, n, NULL);
}

static inline uint64_t output_bytes(struct rte_mbuf *const *frame, unsigned n)
{
    uint64_t bytes = 0;
    for (unsigned i = 0; i < n; i++)
        bytes += rte_pktmbuf_pkt_len(frame[i]);
    return bytes;
}

/* Until all are taken or the queue takes no more: some drivers take fewer at once than they have room for.
 * bytes: of all, for what is sent is not ours to read any more. */
static inline unsigned output_transmit(struct worker *w, const struct worker_port *port,
                                       struct rte_mbuf **frame, unsigned n, uint64_t bytes)
{
    unsigned sent = 0, taken;
    do {
        taken = rte_eth_tx_burst(port->port_id, port->tx_queue, frame + sent, (uint16_t)(n - sent));
        sent += taken;
    } while (taken > 0 && sent < n);
    w->counters.tx_bytes += bytes - output_bytes(frame + sent, n - sent);
    w->counters.tx_packets += sent;
    return sent;
}

static inline void output_count(struct worker *w, const struct worker_tx *tx, unsigned sent)
{
    if (likely(tx->n_other == 0)) {
        w->counters.verdict[VERDICT_TUNNELLED] += sent;
        return;
    }
    for (unsigned i = 0; i < sent; i++)
        if (tx->verdict[i] != VERDICT_COUNT)
            w->counters.verdict[tx->verdict[i]]++;
}

static inline void output_refused(struct worker *w, struct worker_tx *tx, unsigned sent)
{
    rte_pktmbuf_free_bulk(tx->frame + sent, tx->n - sent);
    for (unsigned i = sent; i < tx->n; i++)
        w->counters.verdict[VERDICT_DROP_TX_FULL] += tx->verdict[i] != VERDICT_COUNT;
}

static inline void output_empty(struct worker_tx *tx)
{
    if (tx->n_other > 0)
        memset(tx->verdict, VERDICT_TUNNELLED, sizeof(tx->verdict));
    tx->n = tx->n_other = 0;
    tx->bytes = 0;
}

static inline void output_flush(struct worker *w, unsigned port_index)
{
    const struct worker_port *port = &w->port[port_index];
    struct worker_tx *tx = &w->tx[port_index];
    if (tx->n == 0)
        return;
    unsigned sent = port->own_tx ? output_transmit(w, port, tx->frame, tx->n, tx->bytes)
                                 : output_hand_off(port->handoff, tx->frame, tx->n);
    output_count(w, tx, sent);
    if (unlikely(sent < tx->n))
        output_refused(w, tx, sent);
    output_empty(tx);
}

static_assert(VERDICT_TUNNELLED == 0, "a worker's zeros say so");

/* m is a whole frame of len bytes, tunnelled unless it is said otherwise. For one frame of each packet of a
 * burst there always is room: output_frame leaves it. */
static inline void output_put(struct worker_tx *tx, struct rte_mbuf *m, unsigned len)
{
    tx->frame[tx->n++] = m;
    tx->bytes += len;
}

/* Any whole frame. verdict: counted with it, if it is not VERDICT_COUNT. */
static inline void output_frame(struct worker *w, unsigned port_index, struct rte_mbuf *m,
                                enum verdict verdict)
{
    struct worker_tx *tx = &w->tx[port_index];
    tx->verdict[tx->n] = (uint8_t)verdict;
    tx->n_other += verdict != VERDICT_TUNNELLED;
    output_put(tx, m, rte_pktmbuf_pkt_len(m));
    if (unlikely(tx->n > RTE_DIM(tx->frame) - WORKER_BURST))
        output_flush(w, port_index);
}

#endif
