/* SPDX-License-Identifier: BSD-3-Clause */
/* What mobile nodes do. */
#ifndef RANDOM_MOBILE_H
#define RANDOM_MOBILE_H

#include "world.h"

void mobile_act(struct node *node);
void mobile_retry(struct node *node);
void mobile_hear_reply(struct node *node, const struct flight *reply);

#endif
