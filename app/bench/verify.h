/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A yardstick that does less than the job would measure nothing: its packets are those that the worker makes
 * of the same frames.
 */
#ifndef BENCH_VERIFY_H
#define BENCH_VERIFY_H

#include <stdbool.h>

#include "lane.h"

/* Of a lap's frames, from here on in the traffic. yardstick: floor_staged or another one. False: why is on
 * stderr. */
bool verify_floor(struct lane *lane, unsigned (*yardstick)(struct lane *));

#endif
