/* SPDX-License-Identifier: BSD-3-Clause */
/* What a secondary reports of its own accord (EVENT), and what the primary does about it. */
#ifndef AGENT_PRIMARY_EVENTS_H
#define AGENT_PRIMARY_EVENTS_H

#include "node.h"

/* sequence: of the datagram that bore it. */
void event_heard(struct agent *agent, struct node *node, const struct delegation_event *event,
                 uint64_t sequence, struct instant now);

#endif
