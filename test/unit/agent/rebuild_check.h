/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables of either family that secondaries have from before the primary's start. */
#ifndef TEST_AGENT_REBUILD_CHECK_H
#define TEST_AGENT_REBUILD_CHECK_H

#include "former_check.h"
#include "lab6.h"

/* n secondaries, and home networks of both families. */
static inline void open_both(size_t n)
{
    flock_open(&flock, n);
    struct agent_settings *s = &flock.lab.settings;
    s->home_agents[s->n_home_agents++] = ip("2001:db8:1::2");
    s->home_networks[s->n_home_networks++] = (struct prefix){ip("2001:db8:1::"), 64};
    ck_assert_int_eq(agent_configure(agent(), s), 0);
    lab6_populate(&flock.lab);
}

static inline void open_both_1(void)
{
    open_both(1);
}

static inline void open_both_2(void)
{
    open_both(2);
}

/* An entry of secondary s for mobile node 0 of that family. */
static inline struct delegation_start *former(bool ipv6, size_t s, uint64_t counter, uint8_t flags)
{
    struct delegation_start *entry = flock_hold(&flock, s, 0, old(counter), flags);
    if (!ipv6)
        return entry;
    entry->home = lab6_home(0);
    entry->care_of = lab6_care_of(0);
    entry->source = ip("2001:db8:1::2");
    entry->encapsulation = ENCAPSULATION_IPV6_IN_IPV6;
    return entry;
}

#endif
