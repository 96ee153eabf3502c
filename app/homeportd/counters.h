/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Counters as the operator sees them: sums over the workers, less what they stood at when they were last
 * cleared. Each worker owns its counters and nobody else writes them, so clearing moves a zero line here
 * instead. Control's alone.
 */
#ifndef HOMEPORTD_COUNTERS_H
#define HOMEPORTD_COUNTERS_H

#include "control.h"

/* Since the last clear, all workers together. */
uint64_t counters_policed(const struct control *c, enum punt_class class);
/* offset: of a uint64_t in struct worker_counters. */
uint64_t counters_worker(const struct control *c, size_t offset);
uint64_t counters_control(const struct control *c, enum control_counter counter);

#endif
