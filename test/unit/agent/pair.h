/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A primary and a secondary with a wire between them, in virtual time: for the tests of sessions and flow. In
 * the place of their halves stands one that notes what it is told, answers every request, and sends a
 * KEEPALIVE where it is to send a session's first datagram. It aborts where it cannot go on.
 *
 *     primary     id 1, 10.1.0.1, MAC 02:00:00:00:00:01
 *     secondary   id 2, 10.1.0.2, MAC 02:00:00:00:00:02
 */
#ifndef TEST_AGENT_PAIR_H
#define TEST_AGENT_PAIR_H

#include "internal.h"
#include "peer/session.h"

enum { PAIR_WIRE = 256, PAIR_HEARD = 1 << 16, PAIR_TERM = 7, PAIR_SLOT = 5 };

/* What the half was told. */
struct told {
    unsigned introduced, began, received, reconfigured, dismissed, destroyed;
    bool restarted, first; /* by the latest began */
    uint32_t term;         /* by the latest introduced */
    struct delegation_header header;
};

struct end {
    struct peer_role role; /* first: the agent's */
    struct agent *agent;
    struct peer *peer; /* the other end */
    struct agent_peer other;
    struct told told;
    bool mute;       /* answers no request */
    bool clings;     /* does not let go of a peer dismissed */
    bool lets_go_at; /* releases the peer as soon as it receives anything */
    uint64_t boots;
    uint8_t *heard; /* counts requests by transaction, if it is set: room for PAIR_HEARD */
};

struct pair {
    struct end ends[2]; /* the primary first */
    struct instant now;
    struct message wire[PAIR_WIRE]; /* what is under way */
    size_t n_wire;
    bool cut; /* what is sent is lost */
};

enum { PRIMARY, SECONDARY };

struct agent_peer pair_config(int whom);
struct auth_key pair_key(uint8_t which);

void pair_open(struct pair *pair);
void pair_close(struct pair *pair);
/* The same again with a new epoch; its peer is configured as before. */
void pair_restart(struct pair *pair, int which);
/* Takes what both ends send onto the wire. */
void pair_collect(struct pair *pair);
void pair_deliver(struct pair *pair, const struct message *message);
/* Delivers until nothing is under way. */
void pair_pump(struct pair *pair);
/* The oldest one under way is taken off the wire. */
struct message pair_take(struct pair *pair);
/* Lets time pass; both ends are called at their deadlines, and what they send arrives at once. */
void pair_wait(struct pair *pair, uint64_t ns);
/* A session, begun by the end that greets. */
void pair_meet(struct pair *pair, int greeter);
/* In session, under the same key, and a datagram passes in either direction. */
bool pair_works(struct pair *pair);
uint64_t pair_counter(const struct pair *pair, int which, enum agent_counter c);

/* One datagram in session without records; it is put on the wire. Returns its sequence; 0: no session. */
uint64_t pair_say(struct pair *pair, int which, uint8_t type);
uint64_t pair_say_as(struct pair *pair, int which, uint8_t type, uint32_t transaction);

#endif
