/* SPDX-License-Identifier: BSD-3-Clause */
/* A request comes to the agent, and what it answers is judged. */
#ifndef RANDOM_DELIVER_H
#define RANDOM_DELIVER_H

#include "world.h"

void deliver(struct node *node, const struct packet *packet);

#endif
