/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A token bucket: at most `per_s` a second on average, `burst` at once. Time is an argument. Starts full.
 */
#ifndef BASE_LIMIT_H
#define BASE_LIMIT_H

#include <stdbool.h>

#include "instant.h"

struct limit {
    uint32_t per_s;
    uint32_t burst;
    uint64_t spent_ns; /* time that the tokens taken stand for: the bucket is full again at this moment */
};

static inline struct limit limit_of(uint32_t per_s, uint32_t burst)
{
    return (struct limit){.per_s = per_s, .burst = burst};
}

/* True: one was left, and is taken. */
static inline bool limit_take(struct limit *l, uint64_t now_ns)
{
    const uint64_t token_ns = NSEC_PER_S / l->per_s;
    const uint64_t from = l->spent_ns > now_ns ? l->spent_ns : now_ns;
    if (from + token_ns > now_ns + token_ns * l->burst)
        return false;
    l->spent_ns = from + token_ns;
    return true;
}

/* From when on limit_take finds one. */
static inline uint64_t limit_ready_ns(const struct limit *l, uint64_t now_ns)
{
    const uint64_t token_ns = NSEC_PER_S / l->per_s;
    const uint64_t next_ns = l->spent_ns + token_ns, burst_ns = token_ns * l->burst;
    return next_ns > burst_ns && next_ns - burst_ns > now_ns ? next_ns - burst_ns : now_ns;
}

#endif
