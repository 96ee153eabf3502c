/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Everything that the rows of one setup share: the bindings, the traffic, a lane for each worker, and a lcore
 * beside them, if there is one, for what control does meanwhile.
 *
 * Made by the main thread, which is the first lane's as well.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "capture.h"
#include "lane.h"
#include "population.h"
#include "setup.h"
#include "traffic.h"

struct bench {
    struct setup setup;
    struct population *population;
    struct traffic *traffic;
    struct lane *lane[SETUP_WORKERS_MAX];
    unsigned spare_lcore; /* UINT32_MAX: none */
    bool moved;           /* a row has changed bindings: the table is no longer what the array is */

    /* What goes on beside a run, on the spare lcore. */
    atomic_bool stop;
    uint32_t changes_per_s; /* asked for */
    uint64_t changes;       /* made in this run, in changes_tsc cycles */
    uint64_t changes_tsc;
    struct rates *rates;
};

struct bench_wish {
    const struct capture *capture; /* NULL: none */
    unsigned buffers;
    bool checksum_good;
};

/* population: the last setup's, which is taken over if it serves this one too, and else destroyed; NULL:
 * there is none. NULL: no memory, said on stderr; population is destroyed. */
struct bench *bench_create(const struct setup *setup, const struct bench_wish *wish,
                           struct population *population);
/* Returns the population, if the next setup may have it. */
struct population *bench_destroy(struct bench *bench);

#endif
