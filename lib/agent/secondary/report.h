/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a secondary tells its primary unasked (doc/delegation-protocol.md): RATES of the busiest bindings, of
 * which the newest supersedes what was lost, and EVENTs, sent until they are acknowledged.
 */
#ifndef AGENT_SECONDARY_REPORT_H
#define AGENT_SECONDARY_REPORT_H

#include "peer/peer.h"

struct held;
struct principal;

/* Those with most packets since the last report: a heap with the least busy of them in front. */
struct busiest {
    struct held **heap;
    uint32_t n, size;
};

enum { OUTBOX_EVENTS = 256 };

/* Events that wait, the oldest first. Those in flight are the first ones. */
struct outbox {
    struct delegation_event events[OUTBOX_EVENTS];
    uint16_t n, in_flight;
    struct transaction transaction; /* open while in_flight is not 0 */
};

/* held->pps is news. */
void report_rate(struct principal *principal, struct held *held);
/* It is reported no more. */
void report_forget(struct principal *principal, struct held *held);
/* How many bindings a report may name. Without memory for them there are no reports. */
void report_resize(struct principal *principal, uint16_t top);
void report_send_rates(struct agent *agent, struct principal *principal, struct instant now);

/* One that says the same of the same home address, and waits, takes it in. */
void report_event(struct agent *agent, struct principal *principal, const struct delegation_event *event);
/* To every primary: about no home address. */
void report_link(struct agent *agent, bool down);
bool report_has_work(const struct principal *principal);
/* Sends the events that wait; false: none may be sent now. */
bool report_step(struct agent *agent, struct principal *principal, struct instant now);
void report_destroy(struct agent *agent, struct principal *principal);

#endif
