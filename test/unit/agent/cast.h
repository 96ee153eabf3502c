/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A primary (the lab's) and scripted secondaries that speak the delegation protocol byte by byte, in virtual
 * time: for the tests of operations and delegation. Datagrams arrive at once; answers can be withheld. It
 * aborts where it cannot go on.
 *
 *     secondary i    id 10 + i, 10.1.0.(10 + i), named "sha0", "sha1", ...
 */
#ifndef TEST_AGENT_CAST_H
#define TEST_AGENT_CAST_H

#include "internal.h"
#include "lab.h"
#include "primary/delegation.h"
#include "primary/policy.h"

enum { CAST_MAX = 4, ACTOR_HEARD = 1024, ACTOR_ENTRIES = 64, ACTOR_STASH = 64 };

/* A START or STOP that came, one record each. */
struct line {
    uint64_t at_ns;
    uint64_t datagram; /* its sequence */
    bool is_stop;
    struct delegation_start start;
    struct delegation_stop stop;
    uint64_t generation;
    struct addr home;
};

struct actor_entry {
    struct addr home;
    uint64_t generation, start;
    uint8_t state; /* enum delegation_entry_state */
    uint64_t digest;
};

struct actor {
    struct cast *cast;
    uint16_t id;
    struct addr address;
    uint64_t epoch, primary_epoch;
    uint8_t nonce[DELEGATION_NONCE];
    struct auth_key key, session_key;
    bool in_session;
    uint64_t sent; /* sequence */
    uint64_t next_keepalive_ns;
    uint64_t keepalive, heard; /* sequences: sent last, answered last */
    uint64_t floor;            /* in the last LEASE */

    /* What it does. */
    bool gone;      /* hears and says nothing */
    bool no_sync;   /* does not answer SYNC_REQ */
    bool deaf;      /* does not hear STARTs and STOPs */
    bool withholds; /* obeys, but keeps its answers back */
    bool mute;      /* obeys, and its answers are lost */
    uint8_t
        start_status;    /* refuses STARTs so, if not STATUS_OK; leaves the entry as it was, or a tombstone */
    uint8_t stop_status; /* answers STOPs so, if not STATUS_OK, and does nothing */
    bool leaves_absent;  /* its refusals leave no tombstone */
    uint64_t told_held;  /* FENCED, STALE: says that it holds this */
    unsigned refusals;   /* so often; 0: always */

    struct line lines[ACTOR_HEARD];
    size_t n_lines;
    struct actor_entry entries[ACTOR_ENTRIES];
    size_t n_entries;
    uint64_t digest;
    struct message stash[ACTOR_STASH];
    size_t n_stash;
};

struct cast {
    struct lab lab;
    struct actor actors[CAST_MAX];
    size_t n;
};

/* With n secondaries in session, synchronised and with a lease. */
void cast_open(struct cast *cast, size_t n);
void cast_close(struct cast *cast);
/* The settings of the lab are in force, the same secondaries configured. */
void cast_configure(struct cast *cast);
/* Only these mobile nodes (bit i) stay configured. */
void cast_sweep(struct cast *cast, unsigned mobiles);
/* The log holds what happened meanwhile. */
void cast_wait_ms(struct cast *cast, uint64_t ms);
/* Takes out the effects: datagrams to secondaries are delivered, the rest goes into the lab's log. */
void cast_drain(struct cast *cast);
/* Sends the request. The log holds what happened at once; false: no reply did. */
bool cast_send(struct cast *cast, const struct ask *ask);
/* Mobile node i registers from care-of address 192.0.2.(host). */
bool cast_register(struct cast *cast, size_t i, uint8_t host);
struct mobile *cast_mobile(struct cast *cast, size_t i);
struct node *cast_node(struct cast *cast, size_t which);

/* A new epoch, its table lost: it greets. */
void actor_restart(struct actor *actor);
/* A new session with the same epoch. */
void actor_greet(struct actor *actor);
void actor_release(struct actor *actor);
/* What it heard since the last actor_forget. */
void actor_forget(struct actor *actor);
/* The i-th line about mobile node `mobile`; NULL. */
const struct line *actor_line(const struct actor *actor, size_t mobile, size_t i);
size_t actor_count(const struct actor *actor, size_t mobile);
const struct actor_entry *actor_entry(const struct actor *actor, size_t mobile);

/* Registration replies in the log, and gratuitous ARP for mobile node i by us. */
size_t cast_replies(const struct cast *cast);
size_t cast_announcements(const struct cast *cast, size_t i);

#endif
