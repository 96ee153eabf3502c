/* SPDX-License-Identifier: BSD-3-Clause */
/* What happens in a scenario: drawn from its seed, or written down (scripted*.c). */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include "world.h"

/* Opens the world, lets everything happen, and settles. */
void scenario_random(struct world *world, uint64_t seed);
/* Many mobile nodes, every secondary. */
void scenario_large(struct world *world, uint64_t seed);

struct script {
    const char *name;
    void (*run)(struct world *world, uint64_t variant);
    uint64_t variants;
};
extern const struct script scripts[];
extern const size_t n_scripts;

/* Starts every appliance and the mobile nodes. */
void scenario_begin(struct world *world, uint64_t seed, const struct plan *plan);

#endif
