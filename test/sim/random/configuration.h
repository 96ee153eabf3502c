/* SPDX-License-Identifier: BSD-3-Clause */
/* Who is configured at the agent. */
#ifndef RANDOM_CONFIGURATION_H
#define RANDOM_CONFIGURATION_H

#include "world.h"

/* As long as nobody has been removed. */
void configuration_begin(void);
void configuration_add(struct node *node);
void configuration_foreigns(void);
/* A reload: some mobile nodes are left out, those left out before may be back. */
void configuration_reload(void);

#endif
