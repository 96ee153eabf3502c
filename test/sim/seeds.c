/* SPDX-License-Identifier: BSD-3-Clause */
#include "seeds.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

struct seeds seeds_fresh(uint64_t n)
{
    return (struct seeds){.from = (uint64_t)time(NULL) << 16, .n = n};
}

static void add(struct seeds *s, uint64_t seed)
{
    if (s->n_also == SEEDS_ALSO)
        abort();
    s->also[s->n_also++] = seed;
}

bool seeds_option(struct seeds *s, const char *name, const char *value)
{
    if (strcmp(name, "--scenarios") == 0)
        s->n = strtoull(value, NULL, 0);
    else if (strcmp(name, "--from") == 0)
        s->from = strtoull(value, NULL, 0);
    else if (strcmp(name, "--also") == 0)
        add(s, strtoull(value, NULL, 0));
    else if (strcmp(name, "--soak") == 0)
        s->soak_s = strtod(value, NULL) * 60;
    else if (strcmp(name, "--seed") == 0)
        *s = (struct seeds){.from = strtoull(value, NULL, 0), .n = 1, .one = true};
    else
        return false;
    return true;
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool is_over(struct seeds *s)
{
    if (s->n_given == 0)
        s->began_s = seconds();
    return s->soak_s > 0 ? seconds() - s->began_s >= s->soak_s : s->n_given >= s->n_also + s->n;
}

bool seeds_next(struct seeds *s, uint64_t *seed)
{
    if (is_over(s))
        return false;
    *seed = s->n_given < s->n_also ? s->also[s->n_given] : s->from + s->n_given - s->n_also;
    s->n_given++;
    return true;
}
