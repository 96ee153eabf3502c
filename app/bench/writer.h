/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Control as the table's writer, while workers are measured: so many changes a second, evenly spaced, all
 * over the table. In turn a binding is replaced, is removed, is installed again.
 *
 * On the spare lcore.
 */
#ifndef BENCH_WRITER_H
#define BENCH_WRITER_H

#include "bench.h"

enum { WRITER_RATE_MAX = 10000000 };

bool writer_open(struct bench *bench);
/* bench: until its `stop`. */
int writer_run(void *bench);

#endif
