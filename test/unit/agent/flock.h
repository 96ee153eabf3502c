/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A real primary and scripted secondaries, in virtual time: for the tests of what a primary makes of its
 * secondaries. The sessions are real at both ends; behind a secondary's stands a script, which sends
 * KEEPALIVEs, acknowledges, and describes the table it was given, as far as the test lets it. It aborts where
 * it cannot go on.
 *
 *     primary       id 1, 10.1.0.1; mobile nodes and home networks as in lab.h, and 2001:db8:1::2 with a home
 *                   network for those of lab6.h, which are not set
 *     secondary i   "s0", "s1", ..., id 2 + i, 10.1.0.(2 + i)
 */
#ifndef TEST_AGENT_FLOCK_H
#define TEST_AGENT_FLOCK_H

#include "internal.h"
#include "lab.h"
#include "primary/delegation.h"
#include "primary/resync.h"

enum { FLOCK_SCRIPTS = 3, FLOCK_HEARD = 512, FLOCK_TABLE = 64, FLOCK_WIRE = 512 };

struct script {
    struct peer_role role; /* first: the agent's */
    struct agent *agent;
    struct agent_peer primary; /* as it has it configured */
    struct agent_peer self;    /* as the primary has it configured */
    bool running;
    bool real; /* no script: a real secondary */
    /* What the test sets. */
    uint32_t term;        /* seen, as HELLO tells */
    bool silent;          /* sends no KEEPALIVE */
    bool deaf;            /* hears no answer to a KEEPALIVE, and so its LOAD tells */
    bool misses;          /* of those none that bears a lease */
    bool acks_nothing;    /* of STARTs and STOPs */
    struct addr ignores;  /* acknowledges nothing of this home address */
    bool syncs_nothing;   /* answers no SYNC_REQ */
    unsigned syncs_below; /* answers requests for buckets that are all below this */
    bool never_last;      /* its answers to SYNC_REQ do not end */
    bool lost;            /* what is sent to it does not arrive */
    struct delegation_load load;
    struct delegation_start table[FLOCK_TABLE]; /* what it says that it holds */
    size_t n_table;
    size_t records_max; /* in a SYNC_DATA */
    /* What it has seen. */
    struct delegation_record heard[FLOCK_HEARD]; /* STARTs and STOPs: a ring */
    size_t n_heard;
    struct delegation_lease lease;
    uint64_t asked;     /* sequence of the last KEEPALIVE */
    uint64_t answer;    /* of the last one answered */
    uint64_t leases;    /* heard */
    uint64_t acks;      /* KEEPALIVE_ACKs with or without one */
    unsigned began;     /* sessions */
    unsigned requests;  /* SYNC_REQs in this session */
    unsigned data_acks; /* SYNC_ACKs in this session */
    unsigned buckets;   /* in the SYNC_REQs of this session */
    uint8_t types[8];   /* of the first datagrams of the session */
    size_t n_types;
    uint32_t answered[16]; /* datagrams by type, RATES_ACK and so on */
    uint32_t request;      /* transaction of the last SYNC_REQ */
    uint64_t due_ns;       /* the next KEEPALIVE */
    uint64_t boots;
    uint32_t transaction;
};

struct flock {
    struct lab lab; /* its agent is the primary */
    struct script scripts[FLOCK_SCRIPTS];
    size_t n_scripts;
    struct message wire[FLOCK_WIRE];
    size_t n_wire;
    size_t notes[NOTE_DRAINED + 1];
    size_t announced[LAB_MOBILES];
    uint64_t boots; /* of the primary */
};

/* The primary is at work: for tests that refuse it memory. */
extern bool flock_primary_works;

/* n of them are configured at the primary, which has just started; none is running. */
void flock_open(struct flock *flock, size_t n);
void flock_close(struct flock *flock);
/* Starts script i, again with a new epoch if it was running. */
void flock_boot(struct flock *flock, size_t i);
/* The same with a real secondary in the script's place. */
void flock_boot_real(struct flock *flock, size_t i);
/* The primary starts again, without a store. */
void flock_restart(struct flock *flock);
void flock_wait_ms(struct flock *flock, uint64_t ms);
/* Mobile node i registers. */
void flock_register(struct flock *flock, size_t i);
/* A datagram of script i. */
void flock_say(struct flock *flock, size_t i, struct packet *packet);
/* One KEEPALIVE now. */
void flock_keepalive(struct flock *flock, size_t i);
/* Script i greets: another session. */
void flock_greet(struct flock *flock, size_t i);
struct node *flock_node(const struct flock *flock, size_t i);
struct mobile *flock_mobile(const struct flock *flock, size_t i);
/* The primary is configured anew with those secondaries whose bit is set in `which`. */
void flock_configure(struct flock *flock, unsigned which);
/* An entry for mobile node i in script s's table, with this generation; flags of START. */
struct delegation_start *flock_hold(struct flock *flock, size_t s, size_t i, uint64_t generation,
                                    uint8_t flags);
/* The newest START or STOP heard for this home address; NULL. */
const struct delegation_record *flock_heard(const struct flock *flock, size_t s, const struct addr *home);

#endif
