/* SPDX-License-Identifier: BSD-3-Clause */
#include "counters.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"

/* Where the zero lines are. No baseline at all: never cleared. */
struct counters_baseline {
    struct worker_counters workers; /* summed up */
    uint64_t control[CONTROL_COUNTERS_COUNT];
};

const char *control_counter_text(enum control_counter c)
{
    static const char *const texts[] = {
#define X(name, text) [CONTROL_##name] = text,
        CONTROL_COUNTERS(X)
#undef X
    };
    return texts[c];
}

/* Sums one counter, named by its place in struct worker_counters. */
static uint64_t sum(const struct control *c, size_t offset)
{
    uint64_t total = 0;
    for (unsigned i = 0; i < c->n_workers; i++) {
        const char *counters = (const char *)&c->workers[i]->counters;
        total += __atomic_load_n((const uint64_t *)(counters + offset), __ATOMIC_RELAXED);
    }
    return total;
}

static uint64_t since_clear(const struct control *c, size_t offset)
{
    uint64_t zero = 0;
    if (c->baseline != NULL)
        memcpy(&zero, (const char *)&c->baseline->workers + offset, sizeof(zero));
    return sum(c, offset) - zero;
}

uint64_t control_verdicts(const struct control *c, enum verdict v)
{
    return since_clear(c, offsetof(struct worker_counters, verdict) + (size_t)v * sizeof(uint64_t));
}

uint64_t counters_policed(const struct control *c, enum punt_class class)
{
    return since_clear(c, offsetof(struct worker_counters, policed) + (size_t) class * sizeof(uint64_t));
}

uint64_t counters_worker(const struct control *c, size_t offset)
{
    return since_clear(c, offset);
}

uint64_t counters_control(const struct control *c, enum control_counter counter)
{
    return c->counters[counter] - (c->baseline != NULL ? c->baseline->control[counter] : 0);
}

struct rate_total control_binding_total(const struct control *c, uint32_t slot)
{
    return rates_total(c->rates, slot, c->workers, c->n_workers);
}

void control_counters_clear(struct control *c)
{
    static_assert(sizeof(struct worker_counters) % sizeof(uint64_t) == 0, "nothing but counters");
    if (c->baseline == NULL)
        c->baseline = malloc(sizeof(*c->baseline));
    if (c->baseline == NULL) {
        log_error("clear counters: no memory");
        return;
    }
    uint64_t *zero = (uint64_t *)&c->baseline->workers;
    for (size_t i = 0; i < sizeof(c->baseline->workers) / sizeof(*zero); i++)
        zero[i] = sum(c, i * sizeof(*zero));
    memcpy(c->baseline->control, c->counters, sizeof(c->baseline->control));
    agent_counters_clear(c->agent);
    neighbor_counters_clear(c->neighbors);
}
