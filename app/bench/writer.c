/* SPDX-License-Identifier: BSD-3-Clause */
#include "writer.h"

#include <rte_cycles.h>
#include <rte_pause.h>

#include "zipf.h"

enum { RECLAIM = 64, LATE_MS = 10 /* what is put off longer is given up: a core was taken away */ };

struct writer {
    struct table *table;
    const struct population *population;
    uint64_t random;
    uint32_t number; /* of the binding in work */
    uint32_t moves;
    unsigned step;
};

bool writer_open(struct bench *bench)
{
    bench->moved = true;
    return true;
}

static int install(struct writer *w)
{
    struct addr home = population_home(w->population, w->number);
    struct entry entry = population_tunnel(w->population, w->number, ++w->moves);
    return table_install(w->table, &home, &entry);
}

/* What has no room yet, for readers to let go of retired entries, is tried again the next time. */
static bool change(struct writer *w)
{
    int ret = 0;
    switch (w->step) {
    case 0:
        w->number = random_below(&w->random, w->population->n);
        ret = install(w);
        break;
    case 1: {
        struct addr home = population_home(w->population, w->number);
        ret = table_remove(w->table, &home);
        break;
    }
    default:
        ret = install(w);
    }
    table_reclaim(w->table, RECLAIM);
    if (ret != 0)
        return false;
    w->step = (w->step + 1) % 3;
    return true;
}

static void put_back(struct writer *w)
{
    while (w->step != 0)
        change(w);
}

static uint64_t write_evenly(struct writer *w, struct bench *bench)
{
    uint64_t interval = rte_get_tsc_hz() / bench->changes_per_s, late = rte_get_tsc_hz() / 1000 * LATE_MS;
    uint64_t next = rte_rdtsc(), done = 0;
    while (!atomic_load_explicit(&bench->stop, memory_order_relaxed)) {
        uint64_t now = rte_rdtsc();
        if (now < next) {
            rte_pause();
            continue;
        }
        next = now - next > late ? now : next + interval;
        done += change(w);
    }
    return done;
}

int writer_run(void *argument)
{
    struct bench *bench = argument;
    if (bench->changes_per_s == 0)
        return 0;
    struct writer w = {
        .table = bench->population->table, .population = bench->population, .random = rte_rdtsc()};
    uint64_t began = rte_rdtsc();
    bench->changes = write_evenly(&w, bench);
    bench->changes_tsc = rte_rdtsc() - began;
    put_back(&w);
    return 0;
}
