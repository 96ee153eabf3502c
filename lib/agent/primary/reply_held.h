/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A registration reply that waits for a secondary's acknowledgement (`on-registration`), at most so long that
 * the mobile node has it in time (doc/delegation-protocol.md, "State machines": 400 ms, never more than 500).
 * One a binding: a newer request's reply replaces it, and keeps its deadline.
 */
#ifndef AGENT_PRIMARY_REPLY_HELD_H
#define AGENT_PRIMARY_REPLY_HELD_H

#include "delegation.h"

enum { REPLY_HELD_MS = 400 };

/* Sends it at once where there is no memory to hold it. */
void held_reply_keep(struct agent *agent, struct delegation *delegation, const struct message *reply,
                     struct instant now);
void held_reply_release(struct agent *agent, struct delegation *delegation);
void held_reply_drop(struct agent *agent, struct delegation *delegation);
/* Whose TIMER_HELD_REPLY this is. */
struct delegation *held_reply_owner(struct timer *timer);

#endif
