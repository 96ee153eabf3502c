/* SPDX-License-Identifier: BSD-3-Clause */
/* Flocks in a Check suite: each test opens its own. */
#ifndef TEST_AGENT_FLOCK_CHECK_H
#define TEST_AGENT_FLOCK_CHECK_H

#include "../check_main.h"
#include "flock.h"

/* A lease, and from its grant to the death of who is heard no more. */
enum { LEASE_MS = 1500, COUNT_MS = LEASE_MS + NODE_DETECTION_MS };

static struct flock flock;

static inline void teardown(void)
{
    flock_close(&flock);
}

static inline void open_1(void)
{
    flock_open(&flock, 1);
}

static inline void open_2(void)
{
    flock_open(&flock, 2);
}

static inline TCase *flock_case(Suite *suite, const char *name, void (*setup)(void))
{
    TCase *tcase = tcase_create(name);
    tcase_add_checked_fixture(tcase, setup, teardown);
    suite_add_tcase(suite, tcase);
    return tcase;
}

static inline struct agent *agent(void)
{
    return flock.lab.agent;
}

static inline struct script *script(size_t i)
{
    return &flock.scripts[i];
}

static inline struct node *node(size_t i)
{
    return flock_node(&flock, i);
}

static inline struct mobile *mobile(size_t i)
{
    return flock_mobile(&flock, i);
}

/* Secondary i runs, and is ready. */
static inline void up(size_t i)
{
    flock_boot(&flock, i);
    flock_wait_ms(&flock, 2000);
    ck_assert_int_eq(flock_node(&flock, i)->state, PEER_READY);
}

/* Mobile node i is bound, and secondary s forwards for it. */
static inline void delegated(size_t i, size_t s)
{
    const struct addr home = lab_home(i);
    flock_register(&flock, i);
    ck_assert_int_eq(agent_delegate(agent(), &home, script(s)->self.name, flock.lab.now), REFUSAL_DONE);
    flock_wait_ms(&flock, 100);
    ck_assert_ptr_eq(delegation_owner(flock_mobile(&flock, i)), flock_node(&flock, s));
}

static inline uint64_t counted(enum agent_counter c)
{
    return agent_counters(agent())->n[c];
}

/* The newest START that secondary s heard for this home address; fails where it is none. */
static inline const struct delegation_start *start_for(size_t s, const struct addr *home)
{
    const struct delegation_record *r = flock_heard(&flock, s, home);
    ck_assert_msg(r != NULL && r->type == DELEGATION_RECORD_START, "no START");
    return &r->start;
}

/* The same for mobile node i. */
static inline const struct delegation_start *start_at(size_t s, size_t i)
{
    const struct addr home = lab_home(i);
    return start_for(s, &home);
}

static inline const struct delegation_stop *stop_at(size_t s, const struct addr *home)
{
    const struct delegation_record *r = flock_heard(&flock, s, home);
    ck_assert_msg(r != NULL && r->type == DELEGATION_RECORD_STOP, "no STOP");
    return &r->stop;
}

#endif
