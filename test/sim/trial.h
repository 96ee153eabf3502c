/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One agent against a model over a lossy network, as its seed decides: chance, and what has to hold. The
 * first thing that does not ends the run with the seed and the event.
 */
#ifndef SIM_TRIAL_H
#define SIM_TRIAL_H

#include "chance.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct trial {
    uint64_t seed, event;
    struct chance chance;
};

extern struct trial trial;

static inline uint64_t below(uint64_t n)
{
    return chance_below(&trial.chance, n);
}

static inline bool percent(unsigned p)
{
    return chance_percent(&trial.chance, p);
}

#define require(condition, ...)                                                                    \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "seed %" PRIu64 ", event %" PRIu64 ": %s does not hold: ", trial.seed, \
                    trial.event, #condition);                                                      \
            fprintf(stderr, __VA_ARGS__);                                                          \
            fputc('\n', stderr);                                                                   \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* The main of such a simulation: run each of the seeds (seeds.h; one, unless told otherwise), in a process of
 * its own. --events N: so many instead of events; --keep-going: past one that fails. */
int trial_main(int argc, char **argv, uint64_t events, void (*run)(uint64_t events));

#endif
