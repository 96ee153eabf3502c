/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mobile nodes, the messages that are under way, and what the model and the tables say: all that a run
 * consists of.
 */
#ifndef RANDOM_WORLD_H
#define RANDOM_WORLD_H

#include "lab.h"
#include "timerq.h"
#include "trial.h"

enum { NODES = 2000, FOREIGNS = 20, SETS = 3, NONCES_MAX = 256, MESSAGE = 256, ROOM = 1700, HISTORY = 4096 };

enum wake { WAKE_ACT, WAKE_RETRY, WAKE_REQUEST, WAKE_REPLY };

/* A request's bytes, and who sent them how. */
struct packet {
    struct ask ask;
    uint8_t bytes[MESSAGE];
    size_t len;
    size_t signed_len; /* up to the end of the mobile-home authentication */
    bool forged;
};

struct flight {
    struct timer timer;
    size_t node;
    struct packet packet;    /* of a request */
    uint64_t identification; /* of a reply */
    uint8_t code;
};

struct bound {
    struct addr care_of;
    uint64_t ends_ns;
    bool reverse;
};

struct node {
    size_t number;
    struct addr home;
    struct association sa;
    bool configured;

    /* the mobile node's own */
    struct timer act, retry;
    uint32_t nonce, low;
    struct packet pending;
    bool waiting;
    unsigned tries;

    /* the model */
    struct bound bound[SETS];
    size_t n_bound;
    uint64_t newest;
    uint32_t nonces[NONCES_MAX]; /* told and not used up */
    size_t n_nonces;
    struct packet accepted, denied; /* len 0: none */
    uint8_t denied_code;

    /* what forwarding was told */
    struct forwarding installed;
    bool is_installed;
};

struct tally {
    uint64_t delivered, lost, forged, replayed, accepted, denied, again, expired;
};

extern struct lab lab;
extern struct timerq *events;
extern struct node *nodes;
extern struct packet *history; /* of requests that went over the wire */
extern size_t n_history;
extern size_t n_bound_nodes;
extern struct tally tally;

size_t care_of_limit(void);
struct addr foreign_address(size_t i);
/* Whose home address that is; it has to be somebody's. */
struct node *world_node_at(const struct addr *home);
void world_arm(struct timer *timer, enum wake kind, uint64_t delay_ns);

#endif
