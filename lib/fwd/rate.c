/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A slot has two windows, for the period that runs and the one before: a rate is what was reported in the
 * latter, so it falls to 0 by itself where reports cease. Slots with reports stand in a list, which is walked
 * once a period from its end, so that a slot can be taken out by putting the last one in its place.
 */
#include "rate.h"

#include <stdlib.h>

#include <rte_errno.h>
#include <rte_ring_elem.h>

struct window {
    uint32_t period;
    uint32_t packets; /* of one period */
    uint64_t bytes;
};

struct rate {
    struct rate_total reported; /* ever */
    struct rate_total base;     /* the workers' sum when the slot was forgotten: belongs to others */
    struct window window[2];    /* by the period's lowest bit */
    bool listed;
};

struct rates {
    struct rte_ring *ring;
    uint32_t *list; /* slots with traffic */
    uint32_t n_listed;
    uint32_t left;        /* of the list, not told yet in this period */
    uint32_t period;      /* now */
    uint32_t told_period; /* when the list was last begun */
    struct rate at[];
};

struct rates *rates_create(const char *name, uint32_t slots, int socket)
{
    struct rates *r = calloc(1, sizeof(*r) + slots * sizeof(r->at[0]));
    uint32_t *list = calloc(slots, sizeof(*list));
    if (r == NULL || list == NULL) {
        free(list);
        free(r);
        rte_errno = ENOMEM;
        return NULL;
    }
    r->list = list;
    r->ring = rte_ring_create_elem(name, sizeof(struct rate_report), RATE_RING, socket, RING_F_SC_DEQ);
    if (r->ring == NULL) {
        rates_destroy(r);
        return NULL;
    }
    return r;
}

void rates_destroy(struct rates *rates)
{
    if (rates == NULL)
        return;
    rte_ring_free(rates->ring);
    free(rates->list);
    free(rates);
}

struct rte_ring *rates_ring(const struct rates *rates)
{
    return rates->ring;
}

/* ---- Reports come in ---- */

/* What of `grown` is the present address's: the part of the total above base. */
static uint64_t own_part(uint64_t total, uint64_t grown, uint64_t base)
{
    if (total <= base)
        return 0;
    return RTE_MIN(grown, total - base);
}

/* A report that lay in the ring so long that its window is another period's counts in the totals alone. */
static void add_to_window(struct rate *rate, uint32_t period, uint64_t packets, uint64_t bytes)
{
    struct window *w = &rate->window[period & 1];
    if ((int32_t)(period - w->period) < 0)
        return;
    if (w->period != period)
        *w = (struct window){.period = period};
    w->packets += (uint32_t)RTE_MIN(packets, (uint64_t)(UINT32_MAX - w->packets));
    w->bytes += bytes;
}

static void take_in(struct rates *rates, const struct rate_report *report)
{
    struct rate *rate = &rates->at[report->slot];
    uint64_t packets = tally_packets(report->grown), bytes = tally_bytes(report->grown);
    rate->reported.packets += packets;
    rate->reported.bytes += bytes;
    packets = own_part(rate->reported.packets, packets, rate->base.packets);
    bytes = own_part(rate->reported.bytes, bytes, rate->base.bytes);
    if (packets == 0)
        return;
    add_to_window(rate, report->period, packets, bytes);
    if (!rate->listed)
        rates->list[rates->n_listed++] = report->slot;
    rate->listed = true;
}

size_t rates_collect(struct rates *rates, uint64_t now_tsc, size_t budget)
{
    struct rate_report report[RATE_BATCH];
    size_t done = 0;
    unsigned n;
    do {
        n = (unsigned)RTE_MIN(budget - done, (size_t)RATE_BATCH);
        n = rte_ring_sc_dequeue_burst_elem(rates->ring, report, sizeof(report[0]), n, NULL);
        for (unsigned i = 0; i < n; i++)
            take_in(rates, &report[i]);
        done += n;
    } while (n > 0 && done < budget);
    rates->period = rate_period(now_tsc);
    return done;
}

/* ---- Rates go out ---- */

static const struct window *window_at(const struct rate *rate, uint32_t period)
{
    static const struct window empty;
    const struct window *w = &rate->window[period & 1];
    return w->period == period ? w : &empty;
}

static uint64_t per_second(uint64_t n)
{
    return n * 1000 / RATE_PERIOD_MS;
}

static struct rate_view view_of(const struct rates *rates, uint32_t slot)
{
    const struct rate *rate = &rates->at[slot];
    const struct window *last = window_at(rate, rates->period - 1);
    uint64_t kbps = per_second(last->bytes * 8 / 1000);
    return (struct rate_view){
        .slot = slot,
        .pps = (uint32_t)RTE_MIN(per_second(last->packets), (uint64_t)UINT32_MAX),
        .kbps = (uint32_t)RTE_MIN(kbps, (uint64_t)UINT32_MAX),
        .packets = own_part(rate->reported.packets, UINT64_MAX, rate->base.packets),
        .bytes = own_part(rate->reported.bytes, UINT64_MAX, rate->base.bytes),
    };
}

static bool is_silent(const struct rates *rates, const struct rate *rate)
{
    return window_at(rate, rates->period)->packets == 0 && window_at(rate, rates->period - 1)->packets == 0;
}

bool rates_next(struct rates *rates, struct rate_view *out)
{
    if (rates->left == 0 && rates->told_period != rates->period) {
        rates->left = rates->n_listed;
        rates->told_period = rates->period;
    }
    if (rates->left == 0)
        return false;
    uint32_t *place = &rates->list[--rates->left];
    struct rate *rate = &rates->at[*place];
    *out = view_of(rates, *place);
    if (is_silent(rates, rate)) {
        rate->listed = false;
        *place = rates->list[--rates->n_listed]; /* told already, or came during this walk */
    }
    return true;
}

uint64_t rates_pps(const struct rates *rates, uint32_t slot)
{
    return view_of(rates, slot).pps;
}

/* ---- Totals ---- */

/* What was ever reported and what was ever counted, both modulo 2^64, differ by what is on its way, whichever
 * workers it is of. No report is ahead of its counter: it came out of the ring before the counter is read. */
static struct rate_total sum(const struct rates *rates, uint32_t slot, struct worker *const *workers,
                             unsigned n_workers)
{
    struct rate_total total = rates->at[slot].reported;
    uint64_t on_its_way = -tally_of(total.packets, total.bytes);
    for (unsigned i = 0; i < n_workers; i++)
        on_its_way += __atomic_load_n(&workers[i]->bindings[slot].tally, __ATOMIC_RELAXED);
    total.packets += tally_packets(on_its_way);
    total.bytes += tally_bytes(on_its_way);
    return total;
}

struct rate_total rates_total(const struct rates *rates, uint32_t slot, struct worker *const *workers,
                              unsigned n_workers)
{
    struct rate_total total = sum(rates, slot, workers, n_workers);
    total.packets -= rates->at[slot].base.packets;
    total.bytes -= rates->at[slot].base.bytes;
    return total;
}

void rates_forget(struct rates *rates, uint32_t slot, struct worker *const *workers, unsigned n_workers)
{
    struct rate *rate = &rates->at[slot];
    rate->base = sum(rates, slot, workers, n_workers);
    rate->window[0] = rate->window[1] = (struct window){0};
}
