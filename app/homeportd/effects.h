/* SPDX-License-Identifier: BSD-3-Clause */
/* What the agent wants done, done: table calls, packets, announcements, log lines. Control's alone. */
#ifndef HOMEPORTD_EFFECTS_H
#define HOMEPORTD_EFFECTS_H

#include "control.h"

/* Takes every effect out of the agent, in its order. */
void effects_carry_out(struct control *c);

#endif
