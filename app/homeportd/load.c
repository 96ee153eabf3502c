/* SPDX-License-Identifier: BSD-3-Clause */
#include "load.h"

#include <stdlib.h>

#include <rte_byteorder.h>
#include <rte_cycles.h>

#include "effects.h"

enum { BATCH = 64, PERIOD_MS = 1000, PERMILLE = 1000 };

/* ---- Rates of bindings ---- */

static bool rate_of(const struct control *c, const struct rate_view *view, struct agent_rate *out)
{
    const struct entry *entry = table_by_slot(c->table, view->slot);
    if (entry == NULL || entry->kind != ENTRY_TUNNEL)
        return false;
    *out = (struct agent_rate){
        .home = entry->home,
        .pps = view->pps,
        .kbps = view->kbps,
        .packets = view->packets,
        .bytes = view->bytes,
    };
    return true;
}

static void tell_rates(struct control *c, size_t budget)
{
    struct agent_rate batch[BATCH];
    struct rate_view view;
    size_t n = 0;
    for (; budget > 0 && rates_next(c->rates, &view); budget--) {
        n += rate_of(c, &view, &batch[n]);
        if (n < BATCH)
            continue;
        agent_rates(c->agent, batch, n, c->now);
        n = 0;
    }
    if (n > 0)
        agent_rates(c->agent, batch, n, c->now);
}

/* ---- The whole ---- */

static uint64_t read_counter(const uint64_t *counter)
{
    return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static uint64_t drops(const struct worker_counters *w)
{
    uint64_t sum = 0;
    for (enum verdict v = 0; v < VERDICT_COUNT; v++)
        if (verdict_kind(v) == VERDICT_DROP)
            sum += read_counter(&w->verdict[v]);
    return sum;
}

/* The workers' counters as they stand, summed; only the busiest lcore's share is a maximum. */
static struct load_sums sums_of(const struct control *c)
{
    struct load_sums s = {.at_ns = c->now.mono_ns, .at_tsc = rte_rdtsc()};
    for (unsigned i = 0; i < c->n_workers; i++) {
        const struct worker_counters *w = &c->workers[i]->counters;
        s.rx += read_counter(&w->rx_packets);
        s.tx += read_counter(&w->verdict[VERDICT_TUNNELLED]) + read_counter(&w->verdict[VERDICT_FRAGMENTED]);
        s.tx_bytes += read_counter(&w->tx_bytes);
        s.drops += drops(w);
        s.unknown += read_counter(&w->verdict[VERDICT_SECOND_CHANCE]) +
                     read_counter(&w->verdict[VERDICT_DROP_SECOND_CHANCE]);
        s.busy[i] = read_counter(&w->busy_tsc);
    }
    return s;
}

static uint16_t busiest_permille(const struct control *c, const struct load_sums *now,
                                 const struct load_sums *before)
{
    uint64_t most = 0;
    for (unsigned i = 0; i < c->n_workers; i++)
        most = RTE_MAX(most, now->busy[i] - before->busy[i]);
    return (uint16_t)RTE_MIN(most * PERMILLE / RTE_MAX(now->at_tsc - before->at_tsc, UINT64_C(1)),
                             (uint64_t)PERMILLE);
}

static bool any_link_down(const struct control *c)
{
    for (unsigned i = 0; i < c->ports.n; i++)
        if (!c->ports.port[i].link_up)
            return true;
    return false;
}

static void tell_load(struct control *c)
{
    const struct load_sums now = sums_of(c), *before = &c->load;
    const uint64_t elapsed_ms = RTE_MAX((now.at_ns - before->at_ns) / NSEC_PER_MS, UINT64_C(1));
#define PER_SECOND(member) ((uint32_t)((now.member - before->member) * 1000 / elapsed_ms))
    const struct agent_load load = {
        .capacity_pps = c->conf->capacity_pps,
        .rx_pps = PER_SECOND(rx),
        .tx_pps = PER_SECOND(tx),
        .drop_pps = PER_SECOND(drops),
        .tx_kbps = (uint32_t)((now.tx_bytes - before->tx_bytes) * 8 / elapsed_ms),
        .busiest_permille = busiest_permille(c, &now, before),
        .unknown_pps = PER_SECOND(unknown),
        .link_down = any_link_down(c),
    };
#undef PER_SECOND
    agent_load(c->agent, &load, c->now);
    c->load = now;
}

void load_work(struct control *c, size_t budget)
{
    tell_rates(c, budget);
    if (c->now.mono_ns - c->load.at_ns >= PERIOD_MS * NSEC_PER_MS)
        tell_load(c);
    effects_carry_out(c);
}
