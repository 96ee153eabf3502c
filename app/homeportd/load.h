/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the data path has counted, told to the agent: the rates of bindings as the workers report them, and
 * once a second what this appliance carries as a whole.
 *
 * Control's alone.
 */
#ifndef HOMEPORTD_LOAD_H
#define HOMEPORTD_LOAD_H

#include "control.h"

/* Goes on with it, at most budget bindings. */
void load_work(struct control *c, size_t budget);

#endif
