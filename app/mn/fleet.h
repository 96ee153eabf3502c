/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * All mobile nodes of a run, found by home address, driven by one queue of deadlines at no more than a
 * given rate of requests; and the tally of what came of it. It has no clock and no sockets: what is to be
 * sent goes to the function given. One owner thread.
 */
#ifndef MN_FLEET_H
#define MN_FLEET_H

#include "arrivals.h"
#include "histogram.h"
#include "mobile.h"
#include "roster.h"

struct node {
    struct mobile mobile;
    struct arrivals arrivals;
};

struct tally {
    uint64_t requests; /* retransmissions not counted */
    uint64_t retransmissions;
    uint64_t accepted;
    uint64_t timeouts;        /* wishes given up */
    uint64_t denied[256];     /* by code, those included that are repaired by asking again */
    uint64_t unverified[256]; /* by the code that a reply bore that did not authenticate */
    uint64_t discarded[MOBILE_VERDICT_COUNT];
    uint64_t unknown_home; /* replies for a home address that is none of ours */
    uint64_t first_request_ns;
    uint64_t last_accepted_ns;
    struct histogram latency_us;
};

/* How many mobile nodes are in which state. */
struct census {
    size_t registered;
    size_t pending;
    size_t failed;
    size_t others; /* not started, deregistered, at home */
};

typedef void fleet_emit(void *shell, const struct mobile *m, const struct mobile_output *out);

struct fleet_conf {
    struct mobile_policy policy;
    struct addr home_agent;
    uint64_t rate; /* requests/s of all together; 0: no limit */
    uint64_t seed;
    fleet_emit *emit;
    void *shell;
};

struct fleet;

/* The roster must outlive the fleet (its names are not copied). NULL: out of memory, no libcrypto, or a home
 * address occurs twice, which *twice then names. */
struct fleet *fleet_create(const struct fleet_conf *conf, const struct roster *roster, struct addr *twice);
void fleet_destroy(struct fleet *f);

size_t fleet_count(const struct fleet *f);
struct node *fleet_node(struct fleet *f, size_t place);
/* NULL: none of ours. */
struct node *fleet_find(struct fleet *f, const struct addr *home);

/*
 * Sets the goal of every mobile node, one after the other at the rate; number i goes to care_of[i % count].
 * MOBILE_UNBOUND passes over those that can have no binding.
 */
void fleet_want(struct fleet *f, enum mobile_goal goal, const struct addr *care_of, size_t count,
                uint64_t now_ns);
/* Does what is due, at most a bounded part of it: ask fleet_deadline again. */
void fleet_turn(struct fleet *f, struct instant now);
/* When fleet_turn has something to do next; TIMER_NEVER: nothing in sight. */
uint64_t fleet_deadline(const struct fleet *f);
void fleet_input(struct fleet *f, struct instant now, const struct mobile_reply *reply);

/* True: no request is due or unanswered, no announcement to be repeated. */
bool fleet_is_quiet(const struct fleet *f);
/* Calls it a day: who has not got what it wants by now is disappointed. */
void fleet_close(struct fleet *f, uint64_t now_ns);
/* True: every wish of every mobile node came true. */
bool fleet_is_content(struct fleet *f);

struct census fleet_census(struct fleet *f, uint64_t now_ns);
const struct tally *fleet_tally(const struct fleet *f);
/* Of a reply's code or status; all mobile nodes are of one family. */
const char *fleet_code_text(const struct fleet *f, uint8_t code);

#endif
