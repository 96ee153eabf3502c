/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A turn: what comes is received in bursts, which pass the stages of stream.h; what other lcores have left is
 * sent; and the turn is accounted for.
 */
#include "worker.h"

#include <rte_cycles.h>
#include <rte_ethdev.h>

#include "stream.h"

void worker_burst(struct worker *w, unsigned port_index, struct rte_mbuf **frames, unsigned n)
{
    struct stream stream;
    stream_open(&stream, w);
    while (n > 0) {
        const unsigned now = RTE_MIN(n, (unsigned)WORKER_BURST);
        memcpy(stream_room(&stream), frames, now * sizeof(frames[0]));
        stream_step(&stream, port_index, now);
        frames += now;
        n -= now;
    }
    stream_drain(&stream);
}

/* Frames that other lcores left for our queue. What the queue refuses stays with us and is tried again, so
 * that the ring fills up and those who feed it count what does not get in: none is counted twice. */
static unsigned serve_handoff(struct worker *w, unsigned port_index)
{
    struct worker_handed *handed = &w->handed[port_index];
    const struct worker_port *port = &w->port[port_index];
    if (handed->n == 0)
        handed->n = rte_ring_sc_dequeue_burst(port->handoff, (void **)handed->frame, WORKER_BURST, NULL);
    if (handed->n == 0)
        return 0;
    unsigned sent =
        output_transmit(w, port, handed->frame, handed->n, output_bytes(handed->frame, handed->n));
    handed->n -= sent;
    memmove(handed->frame, handed->frame + sent, handed->n * sizeof(handed->frame[0]));
    return sent;
}

static unsigned receive(struct worker *w, struct stream *s, unsigned port_index)
{
    const struct worker_port *port = &w->port[port_index];
    const unsigned n = rte_eth_rx_burst(port->port_id, port->rx_queue, stream_room(s), WORKER_BURST);
    if (n > 0)
        stream_step(s, port_index, n);
    return n;
}

/* Every rx queue once, and handoffs. */
static unsigned take_round(struct worker *w, struct stream *s)
{
    unsigned done = 0;
    for (unsigned i = 0; i < w->n_ports; i++) {
        if (w->port[i].receive)
            done += receive(w, s, i);
        if (w->port[i].serves_handoff)
            done += serve_handoff(w, i);
    }
    return done;
}

/* As long as something comes: bursts that follow each other share the waiting for memory. */
static unsigned take_all(struct worker *w)
{
    struct stream stream;
    unsigned done = 0, now;
    stream_open(&stream, w);
    do {
        now = take_round(w, &stream);
        done += now;
    } while (now > 0 && done < WORKER_TURN);
    if (done > 0)
        stream_drain(&stream);
    return done;
}

static_assert((int)RATE_MOST >= (int)WORKER_TURN + (int)WORKER_PORTS_MAX * (int)WORKER_BURST,
              "each packet of a turn can be the first of its binding to be reported");

/* The end of a turn, which began when the one before it ended: what it cost, and a slice of the reports to
 * control. */
static void account(struct worker *w, bool idle)
{
    uint64_t now_tsc = rte_rdtsc();
    w->counters.turns++;
    if (!idle)
        w->counters.busy_tsc += now_tsc - w->turn_tsc;
    w->turn_tsc = now_tsc;
    w->counters.rate_reports_put_off += rate_sweep_turn(&w->rates, table_slots_used(w->table), now_tsc);
}

unsigned worker_turn(struct worker *w)
{
    const unsigned done = take_all(w);
    account(w, done == 0);
    rte_rcu_qsbr_quiescent(table_qsbr(w->table), w->index);
    return done;
}

void worker_start(struct worker *w)
{
    w->began_tsc = rte_rdtsc();
    for (unsigned i = 0; i < w->n_ports; i++) {
        w->rx[i].ipv4 = express_form(PKT_IPV4, &w->port[i].mac);
        w->rx[i].ipv6 = express_form(PKT_IPV6, &w->port[i].mac);
    }
    way_begin(&w->ways, w);
    w->fragmented = (uint32_t)rte_rdtsc(); /* nothing that a stranger could foretell (RFC 7739 section 3) */
    rte_rcu_qsbr_thread_register(table_qsbr(w->table), w->index);
    worker_online(w);
}

void worker_online(struct worker *w)
{
    w->turn_tsc = rte_rdtsc();
    rte_rcu_qsbr_thread_online(table_qsbr(w->table), w->index);
}

void worker_offline(struct worker *w)
{
    rte_rcu_qsbr_thread_offline(table_qsbr(w->table), w->index);
}
