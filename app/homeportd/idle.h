/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a polling lcore does when there is nothing to do: go on at once (busy), or sleep, longer the longer
 * nothing came, so that several lcores can share a core (adaptive). One struct a lcore, its own.
 */
#ifndef HOMEPORTD_IDLE_H
#define HOMEPORTD_IDLE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <time.h>

enum { IDLE_SPINS = 16, IDLE_SLEEP_MIN_NS = 20000, IDLE_SLEEP_MAX_NS = 200000 };

struct idle {
    bool adaptive;
    unsigned empty_turns;
};

/* Calls from the lcore itself: the kernel's default slack of 50 us would more than double the shorter sleeps.
 */
static inline struct idle idle_begin(bool adaptive)
{
    if (adaptive)
        prctl(PR_SET_TIMERSLACK, 1000UL, 0UL, 0UL, 0UL);
    return (struct idle){.adaptive = adaptive};
}

/* How long to sleep after a turn that did, or did not do, any work; 0: not at all. */
static inline long idle_sleep_ns(struct idle *idle, bool worked)
{
    if (worked || !idle->adaptive) {
        idle->empty_turns = 0;
        return 0;
    }
    if (++idle->empty_turns <= IDLE_SPINS)
        return 0;
    long sleep_ns = (long)IDLE_SLEEP_MIN_NS * (idle->empty_turns - IDLE_SPINS);
    return sleep_ns < IDLE_SLEEP_MAX_NS ? sleep_ns : IDLE_SLEEP_MAX_NS;
}

static inline void idle_sleep(long sleep_ns)
{
    nanosleep(&(struct timespec){.tv_nsec = sleep_ns}, NULL);
}

#endif
