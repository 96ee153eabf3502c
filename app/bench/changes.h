/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a change of the table costs its writer, among as many bindings as there are: laps of a few hundred
 * changes all over it, with the reclaiming that control does between them.
 *
 * On the lcore of a lane that is alone.
 */
#ifndef BENCH_CHANGES_H
#define BENCH_CHANGES_H

#include "bench.h"

bool changes_open(struct bench *bench);
/* Choose the bindings of the next lap. install: and take them out. */
void changes_prepare(struct lane *lane);
void changes_prepare_install(struct lane *lane);
/* The laps. Each returns how many changes succeeded. */
unsigned changes_install(struct lane *lane);
unsigned changes_remove(struct lane *lane);
unsigned changes_replace(struct lane *lane);
/* Puts back what was removed. */
void changes_restore(struct lane *lane);

#endif
