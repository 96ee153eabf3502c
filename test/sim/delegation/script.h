/* SPDX-License-Identifier: BSD-3-Clause */
/* What scripts are written in, and the scripts of other files than scripted.c. */
#ifndef SIM_SCRIPT_H
#define SIM_SCRIPT_H

#include "scenario.h"

/* A violation unless it holds; what: in words. */
void expect(struct world *world, bool holds, const char *what);
/* A network without faults, both families, and delegation by hand alone. */
struct plan plan_of(size_t secondaries, size_t mobiles);
void wait_ms(struct world *world, uint64_t ms);
/* Each somewhere else than before, until all are bound. */
void register_all(struct world *world, uint16_t lifetime_s);
void delegate(struct world *world, size_t mobile, const char *name);
void recall(struct world *world, size_t mobile);
/* How many home addresses that node intercepts, or anybody. */
size_t intercepted_by(const struct world *world, size_t node);
size_t intercepted(const struct world *world);
void delegate_all_to_s1(struct world *world);
/* That node has an entry, and it is not to where the primary's is. */
bool leads_elsewhere(const struct world *world, size_t node, size_t mobile);

/* scripted_restart.c */
void primary_restarts(struct world *world, uint64_t variant);
void starts_meet_restart(struct world *world, uint64_t variant);
void session_unheard(struct world *world, uint64_t variant);
void two_holders(struct world *world, uint64_t variant);
void old_meets_restart(struct world *world, uint64_t variant);

/* scripted_cut.c */
enum { CUT_VARIANTS = 18 * 50 };
void cut_for_a_second(struct world *world, uint64_t variant);

/* scripted_time.c */
void primary_stands_still(struct world *world, uint64_t variant);
void detection_meets_standstill(struct world *world, uint64_t variant);
void renewal_at_the_end(struct world *world, uint64_t variant);
void table_meets_standstill(struct world *world, uint64_t variant);

#endif
