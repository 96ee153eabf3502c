/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A burst passes five stages: parse all, look up all, decide and rewrite all, count all, send all. The usual
 * packets take the express way (express.h), to their end; that of each of the others is in finish(): it is
 * queued for transmission, handed to control, or dropped. Its verdict is counted there, or for a frame in the
 * transmit queue when that has taken it or refused it. What came by a reverse tunnel makes a second, smaller
 * round, with an express way of its own (reverse_express.h). What is dropped is freed when all is sent.
 */
#include "worker.h"

#include <rte_branch_prediction.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_prefetch.h>

#include "burst.h"
#include "burst_punt.h"
#include "decide.h"
#include "express.h"
#include "output.h"
#include "reverse_express.h"

enum {
    PREFETCH_AHEAD = 6,
    FRONT = 64 /* the outer header is written in front of the frame, maybe in another cache line */
};

static const uint8_t kinds[VERDICT_COUNT] = {
#define X(name, kind, key, text) [VERDICT_##name] = VERDICT_##kind,
    VERDICTS(X)
#undef X
};

/* ---- The stages ---- */

static void prefetch_frame(const struct rte_mbuf *frame)
{
    const uint8_t *data = rte_pktmbuf_mtod(frame, const uint8_t *);
    rte_prefetch0(data);
    rte_prefetch0(data - FRONT);
}

/* Parses what is not plain. */
static enum verdict parse(struct burst *b, unsigned i)
{
    b->next_hop[i] = ADJACENCY_NONE;
    b->verdict[i] = pkt_parse(b->frame[i], &b->w->port[b->port_index].mac, &b->pkt[i]);
    return b->verdict[i];
}

/* What a frame's packet is for. Read there: what is plain is not in b->pkt. */
static uint32_t destination_of(const struct rte_mbuf *frame)
{
    uint32_t destination;
    memcpy(&destination, rte_pktmbuf_mtod_offset(frame, const uint8_t *, ETHERNET_LEN + 16),
           sizeof(destination));
    return destination;
}

static const struct addr *destination_of_ipv6(const struct rte_mbuf *frame)
{
    return rte_pktmbuf_mtod_offset(frame, const struct addr *, ETHERNET_LEN + 24);
}

/* What is no usual packet: its tag. */
static __rte_noinline uint32_t parse_odd(struct burst *b, unsigned i)
{
    b->odd |= UINT64_C(1) << i;
    return parse(b, i) == PKT_LOOK_UP ? cuckoo_tag(&b->pkt[i].destination) : 0;
}

static __rte_always_inline uint32_t parse_another(struct burst *b, unsigned i, struct rte_mbuf *frame,
                                                  const struct worker_rx *rx)
{
    if (!express_parse(PKT_IPV6, frame, &rx->ipv6))
        return parse_odd(b, i);
    b->ipv6 |= UINT64_C(1) << i;
    return cuckoo_tag_ipv6(destination_of_ipv6(frame));
}

/* One packet of parse_all. */
static __rte_always_inline void parse_one(struct burst *b, const struct cuckoo *cuckoo, unsigned i,
                                          struct rte_mbuf *frame, const struct worker_rx *rx)
{
    uint32_t tag = likely(express_parse(PKT_IPV4, frame, &rx->ipv4)) ? cuckoo_tag_ipv4(destination_of(frame))
                                                                     : parse_another(b, i, frame, rx);
    b->tag[i] = tag;
    b->pair[i] = cuckoo_ask(cuckoo, tag);
}

/* What the loops need again and again stands in variables of their own: bytes are written in between, which
 * may be anything to the compiler, so that it would read the rest anew after each. */
static void parse_all(struct burst *b, const struct cuckoo *cuckoo)
{
    struct rte_mbuf **frame = b->frame;
    unsigned n = b->n, i = 0;
    const struct worker_rx *rx = &b->w->rx[b->port_index];
    uint64_t bytes = 0;
    for (; i < PREFETCH_AHEAD && i < n; i++)
        prefetch_frame(frame[i]);
    for (i = 0; i + PREFETCH_AHEAD < n; i++) {
        prefetch_frame(frame[i + PREFETCH_AHEAD]);
        bytes += rte_pktmbuf_pkt_len(frame[i]);
        parse_one(b, cuckoo, i, frame[i], rx);
    }
    for (; i < n; i++) {
        bytes += rte_pktmbuf_pkt_len(frame[i]);
        parse_one(b, cuckoo, i, frame[i], rx);
    }
    b->w->counters.rx_bytes += bytes;
    b->w->counters.rx_packets += n;
}

static void count_all(struct burst *b)
{
    for (unsigned i = 0; i < b->n; i++)
        b->counted[i].counter->tally += tally_of(1, b->counted[i].size);
}

/* The tail of each packet that the express way has not brought to its end. */
static void finish(struct burst *b, unsigned i)
{
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

/* What is not plain, or has no usual entry. */
static void decide_one(struct burst *b, unsigned i)
{
    if ((b->odd >> i & 1) == 0)
        parse(b, i);
    if (b->verdict[i] == PKT_LOOK_UP && reverse_is_candidate(b, i)) {
        b->aside[b->n_aside++] = (uint8_t)i;
        return;
    }
    if (b->verdict[i] == PKT_LOOK_UP)
        b->verdict[i] = decide(b, i);
    finish(b, i);
}

static struct addr key_of(const struct burst *b, unsigned i)
{
    if ((b->odd >> i & 1) != 0)
        return b->pkt[i].destination;
    return (b->ipv6 >> i & 1) != 0 ? *destination_of_ipv6(b->frame[i]) : pkt_key(b->tag[i]);
}

static __rte_noinline void decide_another(struct burst *b, unsigned i)
{
    const struct addr key = key_of(b, i);
    burst_count_nobodys(b, i);
    b->entry[i] = cuckoo_prove(b->cuckoo, b->entry[i], b->tag[i], &key, b->version);
    decide_one(b, i);
}

static void decide_all(struct burst *b)
{
    struct rte_mbuf **frame = b->frame;
    unsigned n = b->n;
    uint64_t ipv6 = b->ipv6, another = b->odd | ipv6;
    for (unsigned i = 0; i < n; i++) {
        if (likely((another >> i & 1) == 0) && express_forward(PKT_IPV4, b, i, frame[i]))
            continue;
        if ((ipv6 >> i & 1) != 0 && express_forward(PKT_IPV6, b, i, frame[i]))
            continue;
        decide_another(b, i);
    }
}

/* The second round, of those put aside: what is in them, and where their two inner addresses lead. */
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
static bool read_one(struct burst *b, struct opening *o, unsigned k)
{
    unsigned i = o->of[k];
    if ((b->unread >> i & 1) != 0)
        parse(b, i);
    o->read[k] = decap_read(pkt_ip(b->frame[i]), b->pkt[i].size, &o->inner[k]);
    if (o->read[k] == DECAP_SOUND || o->read[k] == DECAP_CONGESTION)
        return true;
    b->verdict[i] = VERDICT_DROP_REVERSE_TUNNEL;
    finish(b, i);
    return false;
}

static bool read_usual(const struct burst *b, struct opening *o, unsigned k)
{
    unsigned i = o->of[k];
    if ((b->unread >> i & 1) == 0 ||
        !((b->ipv6 >> i & 1) != 0 ? reverse_express_read(PKT_IPV6, b->frame[i], &o->tag[2 * k])
                                  : reverse_express_read(PKT_IPV4, b->frame[i], &o->tag[2 * k])))
        return false;
    o->usual |= UINT64_C(1) << k;
    return true;
}

static void read_aside(struct burst *b, struct opening *o)
{
    o->n = 0;
    o->usual = 0;
    for (unsigned a = 0; a < b->n_aside; a++) {
        const unsigned k = o->n;
        o->of[k] = b->aside[a];
        if (!read_usual(b, o, k)) {
            if (!read_one(b, o, k))
                continue;
            o->tag[2 * k] = cuckoo_tag(&o->inner[k].source);
            o->tag[2 * k + 1] = cuckoo_tag(&o->inner[k].destination);
        }
        o->pair[2 * k] = cuckoo_ask(b->cuckoo, o->tag[2 * k]);
        o->pair[2 * k + 1] = cuckoo_ask(b->cuckoo, o->tag[2 * k + 1]);
        o->n++;
    }
}

static const struct entry *proved(const struct burst *b, const struct opening *o, unsigned at,
                                  const struct addr *key)
{
    return cuckoo_prove(b->cuckoo, o->found[at], o->tag[at], key, b->version);
}

static void open_one(struct burst *b, struct opening *o, unsigned k)
{
    unsigned i = o->of[k];
    if ((o->usual >> k & 1) != 0) {
        if ((b->ipv6 >> i & 1) != 0
                ? reverse_express(PKT_IPV6, b, i, &o->tag[2 * k], o->found[2 * k], o->found[2 * k + 1])
                : reverse_express(PKT_IPV4, b, i, &o->tag[2 * k], o->found[2 * k], o->found[2 * k + 1]))
            return;
        if (!read_one(b, o, k))
            return;
    }
    const struct entry *from = proved(b, o, 2 * k, &o->inner[k].source);
    const struct entry *to = proved(b, o, 2 * k + 1, &o->inner[k].destination);
    b->verdict[i] = reverse_decide(b, i, &o->inner[k], o->read[k], from, to);
    finish(b, i);
}

/* Apart, or the usual packets' loops would have fewer registers for its sake. */
static __rte_noinline void open_all(struct burst *b)
{
    struct opening o;
    b->version = cuckoo_version(b->cuckoo);
    read_aside(b, &o);
    if (o.n == 0)
        return;
    cuckoo_search(b->cuckoo, o.tag, o.pair, 2 * o.n, o.found);
    for (unsigned k = 0; k < o.n; k++)
        open_one(b, &o, k);
}

static void send_all(struct burst *b)
{
    for (unsigned port_index = 0; port_index < b->w->n_ports; port_index++)
        output_flush(b->w, port_index);
}

static void one_burst(struct worker *w, unsigned port_index, struct rte_mbuf **frames, unsigned n)
{
    const struct cuckoo *cuckoo = table_cuckoo(w->table);
    struct burst b;
    b.w = w;
    b.cuckoo = cuckoo;
    b.version = cuckoo_version(cuckoo);
    b.settings = __atomic_load_n(&w->settings, __ATOMIC_ACQUIRE);
    b.id_step = (uint16_t)rte_align32pow2(w->workers);
    b.port_index = port_index;
    b.n = n;
    b.odd = 0;
    b.ipv6 = 0;
    b.unread = 0;
    b.n_aside = 0;
    b.n_dropped = 0;
    b.nobodys = (struct binding_counter){0};
    b.frame = frames;
    parse_all(&b, cuckoo);
    cuckoo_search(cuckoo, b.tag, b.pair, n, b.entry);
    decide_all(&b);
    if (unlikely(b.n_aside > 0))
        open_all(&b);
    count_all(&b);
    send_all(&b);
    if (unlikely(b.n_dropped > 0))
        rte_pktmbuf_free_bulk(b.dropped, b.n_dropped);
}

void worker_burst(struct worker *w, unsigned port_index, struct rte_mbuf **frames, unsigned n)
{
    while (n > 0) {
        unsigned now = RTE_MIN(n, (unsigned)WORKER_BURST);
        one_burst(w, port_index, frames, now);
        frames += now;
        n -= now;
    }
}

/* ---- The turn ---- */

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

static unsigned receive(struct worker *w, unsigned port_index)
{
    struct rte_mbuf *frames[WORKER_BURST];
    const struct worker_port *port = &w->port[port_index];
    unsigned n = rte_eth_rx_burst(port->port_id, port->rx_queue, frames, WORKER_BURST);
    worker_burst(w, port_index, frames, n);
    return n;
}

/* The end of a turn, which began when the one before it ended: what it cost, and a slice of the reports to
 * control. */
static void account(struct worker *w, bool idle)
{
    uint64_t now_tsc = rte_rdtsc();
    w->counters.turns++;
    if (idle)
        w->counters.idle_turns++;
    else
        w->counters.busy_tsc += now_tsc - w->turn_tsc;
    w->turn_tsc = now_tsc;
    w->counters.rate_reports_put_off += rate_sweep_turn(&w->rates, table_slots_used(w->table), now_tsc);
}

unsigned worker_turn(struct worker *w)
{
    unsigned done = 0;
    for (unsigned i = 0; i < w->n_ports; i++) {
        if (w->port[i].receive)
            done += receive(w, i);
        if (w->port[i].serves_handoff)
            done += serve_handoff(w, i);
    }
    account(w, done == 0);
    rte_rcu_qsbr_quiescent(table_qsbr(w->table), w->index);
    return done;
}

void worker_start(struct worker *w)
{
    for (unsigned i = 0; i < w->n_ports; i++) {
        w->rx[i].ipv4 = express_form(PKT_IPV4, &w->port[i].mac);
        w->rx[i].ipv6 = express_form(PKT_IPV6, &w->port[i].mac);
    }
    way_unmake_all(w);
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
