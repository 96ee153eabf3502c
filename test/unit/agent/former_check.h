/* SPDX-License-Identifier: BSD-3-Clause */
/* What secondaries have from before the primary's start. */
#ifndef TEST_AGENT_FORMER_CHECK_H
#define TEST_AGENT_FORMER_CHECK_H

#include "flock_check.h"

enum { OLD_TERM = 3, ACTIVE = START_INTERCEPT };

static inline uint64_t old(uint64_t counter)
{
    return delegation_first_generation(OLD_TERM) + counter;
}

/* Secondary i was there before the primary's start. */
static inline void from_before(size_t i)
{
    script(i)->term = OLD_TERM;
    flock_boot(&flock, i);
    flock_wait_ms(&flock, 200);
}

#endif
