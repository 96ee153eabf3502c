/* SPDX-License-Identifier: BSD-3-Clause */
/* The agent held against the model. */
#ifndef RANDOM_JUDGE_H
#define RANDOM_JUDGE_H

#include "world.h"

/* Replays what forwarding was told; counts replies. */
size_t judge_effects(void);
void judge_node(struct node *node);
void judge_all(void);
/* Lets time pass, and the agent do what is due until then. */
void judge_until(uint64_t until_ns);

#endif
