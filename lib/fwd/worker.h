/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A worker lcore: receives bursts, classifies, looks up, rewrites in place, sends. It reads the table and the
 * adjacencies and writes nothing that another thread writes; no lock, log, system call, allocation, or clock
 * but the TSC.
 *
 * The shell fills in a struct worker, then calls worker_turn for ever from one lcore (it is also the whole of
 * what the benchmark and the data-path tests run).
 */
#ifndef FWD_WORKER_H
#define FWD_WORKER_H

#include <rte_mempool.h>

#include "adjacency.h"
#include "ethernet.h"
#include "exits.h"
#include "form.h"
#include "own.h"
#include "punt.h"
#include "rate_report.h"
#include "table.h"
#include "verdict.h"

enum {
    WORKER_BURST = 32,
    WORKER_TURN = 768, /* frames; a turn ends with the round of all ports that brings it so many */
    WORKER_PORTS_MAX = 8,
    WORKER_NETWORKS_MAX = 64,
    WORKER_PEERS_MAX = 64,
    WORKER_WAYS = 64,         /* ready made, of each family */
    WORKER_ID_BUCKETS = 1024, /* counters of identifications, by tunnel destination */
    WORKER_ID_SLOTS = 64,     /* parts of the identifications, one a node */
    IPV6_ID_SLOT_SHIFT = 26,  /* a node's slot in those of IPv6's fragments, and the rest */
    IPV6_ID_MASK = (1 << IPV6_ID_SLOT_SHIFT) - 1,
    WORKER_SECOND_CHANCES = 20000, /* packets/s a worker may send to the primary once more */
    WORKER_SECOND_CHANCES_AT_ONCE = 2048
};
static_assert(1 << 6 == WORKER_ID_SLOTS, "a bit-field of struct entry");

/* How frames leave by one port. Exactly one lcore owns a tx queue; who has none of its own passes its frames
 * to the one who owns it over handoff. */
struct worker_port {
    uint16_t port_id;
    uint16_t mtu;
    struct mac mac;
    bool receive;        /* this worker polls rx_queue */
    bool own_tx;         /* this worker owns tx_queue; else its frames go to handoff */
    bool serves_handoff; /* this worker sends what others left in handoff, by tx_queue */
    uint16_t rx_queue;
    uint16_t tx_queue;
    struct rte_ring *handoff; /* NULL: every sender has a queue of its own */
};

struct home_network {
    struct addr address, mask; /* of IPv4 mapped: the mask's first 96 bits are set */
    /* At a secondary: the primary on this link, to whom packets for addresses without an entry go once more
     * as they are, for a neighbour cache may be stale (doc/delegation-protocol.md, State machines). Nothing
     * that comes from there is sent back; the primary itself has none, nor has a secondary another one, so
     * that no packet can circle. ADJACENCY_NONE: control looks for the address on the link. */
    uint32_t second_chance;
};

/* What control may change while workers run: immutable once published, replaced as a whole and freed after a
 * grace period. */
struct worker_settings {
    struct home_network home_networks[WORKER_NETWORKS_MAX];
    unsigned n_home_networks;
    struct own own; /* no source of a packet to forward */
    /* Primaries or secondaries: what they send to delegation_port or in ESP has a punt class of its own, so
     * that no flood of anybody else's delays it. */
    struct addr peers[WORKER_PEERS_MAX];
    unsigned n_peers;
    uint16_t delegation_port; /* UDP; 0: none */
    /* WORKER_ID_SLOTS: other nodes tunnel from the same source, so identifications are taken from the entry's
     * slot alone. 1: all of them are ours. */
    unsigned id_slots;
    const struct exits *exits; /* where packets out of reverse tunnels go, and those of routes_ipv6; NULL:
                                  none are opened */
    bool reverse_ipv6_alone;   /* IPv4 comes out of none, granted or not */
    bool routes_ipv6;     /* there are exits, and hosts on our links have been told that this is a router */
    bool outer_df_always; /* set DF in every outer header; false: copy the inner one (RFC 2003 section 3.1) */
};

struct worker_counters {
    uint64_t verdict[VERDICT_COUNT];
    uint64_t policed[PUNT_CLASS_COUNT];                  /* dropped by policing or a full ring, by class */
    uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes; /* frames without their checksum */
    uint64_t unreachable_told; /* packets forwarded into a tunnel reported unreachable, its sender told */
    uint64_t copies_lost; /* of packets for several care-of addresses: no packet buffer for one of them */
    uint64_t turns;
    uint64_t busy_tsc;             /* cycles of the turns that were not idle */
    uint64_t rate_reports_put_off; /* the ring was full: they come with the next sweep */
};

struct worker {
    /* Set by the shell before the first turn. */
    unsigned index;   /* 0.. among the workers; also its reader id in the table's QSBR */
    unsigned workers; /* how many there are: identifications are divided among them */
    const struct table *table;
    const struct adjacencies *adjacencies;
    const struct worker_settings *settings; /* read with acquire once a turn; control replaces it */
    struct punt_rings *punts;
    struct rte_mempool *pool; /* for fragments and copies; its mbufs have PUNT_META_SIZE */
    struct worker_port port[WORKER_PORTS_MAX];
    unsigned n_ports;
    /* table_slots() of them; written by this worker, read by control. A packet counts once, however many
     * care-of addresses it goes to. */
    struct binding_counter *bindings;
    struct rate_sweep rates; /* its first three members */

    /* The worker's own. Counters are read by control with relaxed loads. */
    struct worker_counters counters;
    struct token_bucket class_bucket[PUNT_CLASS_COUNT];
    struct token_bucket source_bucket[PUNT_SOURCE_BUCKETS];
    struct token_bucket second_chances;
    uint16_t identification[WORKER_ID_BUCKETS];
    uint64_t began_tsc;  /* when it was started; read by control */
    uint64_t turn_tsc;   /* when this turn began: with the end of the last one, or online */
    uint32_t fragmented; /* packets that it has made fragments of over IPv6: their identifications */
    struct worker_rx {
        struct form ipv4, ipv6; /* what the usual frames begin with, made by worker_start */
    } rx[WORKER_PORTS_MAX];
    struct worker_tx {
        struct rte_mbuf *frame[WORKER_BURST * 4];
        uint8_t verdict[WORKER_BURST * 4]; /* counted when the frame has left; VERDICT_COUNT: not counted.
                                              VERDICT_TUNNELLED of all but n_other */
        unsigned n, n_other;
        uint64_t bytes; /* of the n frames */
    } tx[WORKER_PORTS_MAX];
    struct worker_ways { /* way.h */
        struct worker_way {
            uint32_t adjacency; /* its number, or WAY_UNMADE */
            uint32_t port_index;
            struct worker_tx *tx;
            uint8_t header[ETHERNET_WIDE];
        } at[2][WORKER_WAYS];
        struct worker *worker; /* whose they are */
        uint32_t changes;      /* adjacency_changes that they know */
    } ways;
    struct worker_handed {
        struct rte_mbuf *frame[WORKER_BURST];
        unsigned n;
    } handed[WORKER_PORTS_MAX]; /* taken from handoff; what the queue refused is tried again in the next round
                                 */
};

/* Registers with the table's QSBR, brings it online and makes ready what follows from the ports; from the
 * lcore that will run it, before its first turn or burst. */
void worker_start(struct worker *w);
/* One turn: every rx queue and handoffs, as long as something comes, then quiescent state. Returns the number
 * of frames received, and sent for others: 0 is an idle turn. */
unsigned worker_turn(struct worker *w);
/* Frames of one port through classification to transmission, in bursts, as worker_turn does with what it
 * receives; takes over the mbufs. */
void worker_burst(struct worker *w, unsigned port_index, struct rte_mbuf **frames, unsigned n);
/* Around a sleep, or for good: readers that are offline hold nothing. */
void worker_offline(struct worker *w);
void worker_online(struct worker *w);

#endif
