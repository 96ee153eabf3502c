/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One measured lcore and all that is its own: packet buffers, a worker on either table, counters, and its
 * place in the traffic.
 *
 * It works by laps: first every buffer is made a frame to the next destination of the traffic, and nobody
 * looks at the clock; then all of them pass the code under test in bursts. A lap has so many buffers that
 * packets come from the outer caches, as they do from a device.
 *
 * Made by the main thread; then its lcore's alone.
 */
#ifndef BENCH_LANE_H
#define BENCH_LANE_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mempool.h>

#include "device.h"
#include "population.h"
#include "setup.h"
#include "traffic.h"
#include "worker.h"

enum { LANE_CHANGES = 256 /* of one lap, in rows about changes */ };

struct lane {
    unsigned index;
    const struct setup *setup;
    struct population *population;
    const struct traffic *traffic;
    uint32_t cursor; /* next draw */

    /* The lap. */
    unsigned work;  /* packets, lookups, changes in it */
    unsigned bound; /* destinations with a binding */
    bool disturbed; /* others ran on this CPU during the last one */
    uint32_t *number;
    struct addr *keys;
    uint32_t *tags;
    struct rte_mbuf **frames; /* in the order of the draws */
    unsigned n_frames;        /* buffers at hand */

    unsigned buffers;
    struct rte_mempool *pool;
    struct queue queue;
    struct punt_rings punts;
    struct binding_counter *counters; /* by slot */
    struct worker *worker;            /* on the table */
    struct worker *peer_worker;       /* the same on its peer */

    /* Rows about changes. */

    struct entry ready[LANE_CHANGES]; /* to be put in */
    uint32_t moves;
    uint64_t random;

    /* Rows about reports. */
    struct rate_sweep sweep;
    uint64_t clock_tsc; /* of time that was measured */
    double *turns;      /* cycles that reporting took of each, a ring of so many */
    uint32_t n_turns, n_turns_before;
};

/* NULL: no memory. */
struct lane *lane_create(unsigned index, const struct setup *setup, struct population *population,
                         const struct traffic *traffic, unsigned buffers, int socket);
void lane_destroy(struct lane *lane);

/* One of these before each lap. Only destinations: */
void lane_prepare_keys(struct lane *lane);
/* Frames to them: */
void lane_prepare_frames(struct lane *lane);
/* The same, counted for the first binding all: */
void lane_prepare_hot(struct lane *lane);
/* Frames from the tunnels' far ends: */
void lane_prepare_reverse(struct lane *lane);

#endif
