/* SPDX-License-Identifier: BSD-3-Clause */
#include "reporting.h"

#include <string.h>

#include <rte_cycles.h>
#include <rte_malloc.h>

#include "rate.h"
#include "statistics.h"

enum { TURNS = 1 << 20 /* that are remembered */, COLLECT = 256 };

/* Zeroed here, so that the kernel brings its pages here and not in a lap. */
static void *make_zeroed(const char *what, size_t size)
{
    void *memory = rte_malloc(what, size, RTE_CACHE_LINE_SIZE);
    if (memory != NULL)
        memset(memory, 0, size);
    return memory;
}

/* As control does with the slot of each new binding. */
static void give_out(struct rates *rates, uint32_t slots)
{
    for (uint32_t slot = 0; slot < slots; slot++)
        rates_forget(rates, slot, NULL, 0);
}

bool reporting_open(struct bench *bench)
{
    struct lane *lane = bench->lane[0];
    uint32_t slots = table_slots(bench->population->table);
    bench->rates = rates_create("bench", slots, SOCKET_ID_ANY);
    lane->turns = make_zeroed("bench turns", TURNS * sizeof(*lane->turns));
    lane->sweep = (struct rate_sweep){
        .counters = lane->counters,
        .reported = make_zeroed("bench reported", slots * sizeof(*lane->sweep.reported)),
    };
    if (bench->rates == NULL || lane->turns == NULL || lane->sweep.reported == NULL)
        return false;
    give_out(bench->rates, slots);
    lane->sweep.ring = rates_ring(bench->rates);
    lane->clock_tsc = rte_rdtsc() / rate_period_tsc() * rate_period_tsc();
    lane->n_turns = 0;
    return true;
}

void reporting_close(struct bench *bench)
{
    struct lane *lane = bench->lane[0];
    rte_free(lane->sweep.reported);
    rte_free(lane->turns);
    rates_destroy(bench->rates);
    lane->sweep = (struct rate_sweep){0};
    lane->turns = NULL;
    bench->rates = NULL;
}

void reporting_begin(struct lane *lane)
{
    uint32_t used = table_slots_used(lane->population->table);
    for (uint32_t slot = 0; slot < used; slot++)
        lane->counters[slot].tally += tally_of(1, 0);
    worker_start(lane->worker);
}

static void note(struct lane *lane, uint64_t cycles)
{
    lane->turns[lane->n_turns++ % TURNS] = (double)cycles;
}

/* As the worker ends its turn; its own sweep has no ring and so does nothing. */
static void report(struct lane *lane, uint64_t began_tsc)
{
    uint64_t now = rte_rdtsc();
    rate_sweep_turn(&lane->sweep, table_slots_used(lane->population->table),
                    lane->clock_tsc + (now - began_tsc));
    note(lane, rte_rdtsc() - now);
}

unsigned reporting_lap(struct lane *lane)
{
    lane->n_turns_before = lane->n_turns;
    uint64_t began_tsc = rte_rdtsc();
    while (lane->queue.next < lane->queue.n) {
        worker_turn(lane->worker);
        report(lane, began_tsc);
    }
    lane->clock_tsc += rte_rdtsc() - began_tsc;
    return lane->queue.n_sent;
}

void reporting_restore(struct lane *lane)
{
    if (lane->disturbed)
        lane->n_turns = lane->n_turns_before;
}

int reporting_collect(void *argument)
{
    struct bench *bench = argument;
    while (!atomic_load_explicit(&bench->stop, memory_order_relaxed))
        rates_collect(bench->rates, rte_rdtsc(), COLLECT);
    rates_collect(bench->rates, rte_rdtsc(), SIZE_MAX);
    return 0;
}

void reporting_tell(const struct bench *bench, struct row_extra *extra)
{
    const struct lane *lane = bench->lane[0];
    size_t n = RTE_MIN(lane->n_turns, (uint32_t)TURNS);
    if (n == 0)
        return;
    struct spread spread = spread_of(lane->turns, n);
    extra->turn.mean = mean_of(lane->turns, n);
    extra->turn.p999 = quantile_of(lane->turns, n, 0.999);
    extra->turn.max = spread.max;
}
