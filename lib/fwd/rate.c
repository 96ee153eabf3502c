/* SPDX-License-Identifier: BSD-3-Clause */
#include "rate.h"

#include <stdlib.h>

#include "instant.h"

struct rate {
    struct binding_counter base; /* the workers' sum when the slot was forgotten */
    uint64_t packets;            /* their sum when it was last looked at */
    uint32_t looked_ms;
    uint32_t pps;
};

struct rates {
    uint32_t slots;
    uint32_t used; /* slots beyond were never given to anybody */
    uint32_t next;
    uint64_t sweep_ns; /* when slot 0 was looked at in this sweep */
    struct rate at[];
};

struct rates *rates_create(uint32_t slots)
{
    struct rates *r = calloc(1, sizeof(*r) + slots * sizeof(r->at[0]));
    if (r != NULL)
        r->slots = slots;
    return r;
}

void rates_destroy(struct rates *rates)
{
    free(rates);
}

static struct binding_counter sum(uint32_t slot, struct worker *const *workers, unsigned n_workers)
{
    struct binding_counter total = {0};
    for (unsigned i = 0; i < n_workers; i++) {
        total.packets += __atomic_load_n(&workers[i]->bindings[slot].packets, __ATOMIC_RELAXED);
        total.bytes += __atomic_load_n(&workers[i]->bindings[slot].bytes, __ATOMIC_RELAXED);
    }
    return total;
}

static void look_at(struct rate *rate, uint64_t packets, uint32_t now_ms)
{
    uint32_t elapsed_ms = now_ms - rate->looked_ms;
    if (elapsed_ms == 0)
        return;
    rate->pps = (uint32_t)((packets - rate->packets) * 1000 / elapsed_ms);
    rate->packets = packets;
    rate->looked_ms = now_ms;
}

/* How far the sweep should have come by now: it moves evenly through the period. */
static uint32_t due_until(struct rates *rates, uint64_t now_ns)
{
    const uint64_t period_ns = RATE_PERIOD_MS * NSEC_PER_MS;
    uint64_t elapsed_ns = now_ns - rates->sweep_ns;
    if (elapsed_ns >= period_ns)
        return rates->used;
    return (uint32_t)(rates->used * elapsed_ns / period_ns);
}

void rates_sample(struct rates *rates, struct worker *const *workers, unsigned n_workers, uint64_t now_ns,
                  size_t budget)
{
    uint32_t now_ms = (uint32_t)(now_ns / NSEC_PER_MS);
    uint32_t until = due_until(rates, now_ns);
    for (; rates->next < until && budget > 0; budget--, rates->next++)
        look_at(&rates->at[rates->next], sum(rates->next, workers, n_workers).packets, now_ms);
    if (rates->next >= rates->used && now_ns - rates->sweep_ns >= RATE_PERIOD_MS * NSEC_PER_MS) {
        rates->next = 0;
        rates->sweep_ns = now_ns;
    }
}

uint64_t rates_pps(const struct rates *rates, uint32_t slot)
{
    return rates->at[slot].pps;
}

struct binding_counter rates_total(const struct rates *rates, uint32_t slot, struct worker *const *workers,
                                   unsigned n_workers)
{
    struct binding_counter total = sum(slot, workers, n_workers);
    total.packets -= rates->at[slot].base.packets;
    total.bytes -= rates->at[slot].base.bytes;
    return total;
}

void rates_forget(struct rates *rates, uint32_t slot, struct worker *const *workers, unsigned n_workers)
{
    struct rate *rate = &rates->at[slot];
    rate->base = sum(slot, workers, n_workers);
    rate->packets = rate->base.packets;
    rate->pps = 0;
    if (slot >= rates->used)
        rates->used = slot + 1;
}
