/* SPDX-License-Identifier: BSD-3-Clause */
#include "rate_report.h"

#include <stdbool.h>

#include <rte_common.h>
#include <rte_ring_elem.h>

/* One sweep a period, each from the beginning of a period on. */
static bool sweep_begin(struct rate_sweep *s, uint32_t used, uint64_t now_tsc)
{
    if (now_tsc - s->began_tsc < rate_period_tsc())
        return false;
    s->began_tsc = now_tsc - now_tsc % rate_period_tsc();
    s->next = 0;
    s->end = used;
    return true;
}

/* How far the sweep should have come: evenly through seven eighths of its period. The rest is the time that
 * a late turn and control have to get it all in before the period ends. */
static uint32_t due_until(const struct rate_sweep *s, uint64_t now_tsc)
{
    uint64_t elapsed = now_tsc - s->began_tsc, span = rate_period_tsc() / 8 * 7;
    return elapsed >= span ? s->end : (uint32_t)(s->end * elapsed / span);
}

static unsigned gather(struct rate_sweep *s, uint64_t now_tsc, struct rate_report out[static RATE_MOST])
{
    uint32_t until = RTE_MIN(due_until(s, now_tsc), s->next + RATE_SLICE), period = rate_period(now_tsc);
    unsigned n = 0;
    for (; s->next < until && n < RATE_MOST; s->next++) {
        uint64_t grown = s->counters[s->next].tally - s->reported[s->next].tally;
        if (grown != 0)
            out[n++] = (struct rate_report){.slot = s->next, .period = period, .grown = grown};
    }
    return n;
}

/* When the next slice will be due: dividing in each turn would cost more than looking. */
static uint64_t due_next(const struct rate_sweep *s)
{
    if (s->next >= s->end)
        return s->began_tsc + rate_period_tsc();
    const uint64_t span = rate_period_tsc() / 8 * 7;
    const uint32_t until = RTE_MIN(s->next + RATE_BATCH, s->end);
    return s->began_tsc + (span * until + s->end - 1) / s->end;
}

unsigned rate_sweep_turn(struct rate_sweep *s, uint32_t used, uint64_t now_tsc)
{
    if (s->ring == NULL || now_tsc < s->due_tsc)
        return 0;
    if (s->next >= s->end && !sweep_begin(s, used, now_tsc))
        return 0;
    struct rate_report report[RATE_MOST];
    unsigned n = gather(s, now_tsc, report), in = 0;
    s->due_tsc = due_next(s);
    if (n > 0)
        in = rte_ring_mp_enqueue_burst_elem(s->ring, report, sizeof(report[0]), n, NULL);
    for (unsigned i = 0; i < in; i++)
        s->reported[report[i].slot] = s->counters[report[i].slot];
    return n - in;
}
