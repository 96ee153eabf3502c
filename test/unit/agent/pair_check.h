/* SPDX-License-Identifier: BSD-3-Clause */
/* A pair for each test of a Check suite. */
#ifndef TEST_AGENT_PAIR_CHECK_H
#define TEST_AGENT_PAIR_CHECK_H

#include "../check_main.h"
#include "pair.h"

static struct pair pair;
static struct end *const primary = &pair.ends[PRIMARY];
static struct end *const secondary = &pair.ends[SECONDARY];

static inline void setup(void)
{
    pair_open(&pair);
}

static inline void teardown(void)
{
    pair_close(&pair);
}

static inline TCase *pair_case(Suite *suite, const char *name)
{
    TCase *tcase = tcase_create(name);
    tcase_add_checked_fixture(tcase, setup, teardown);
    suite_add_tcase(suite, tcase);
    return tcase;
}

static inline void greet(struct end *end)
{
    peer_greet(end->agent, end->peer, pair.now);
    pair_collect(&pair);
}

/* The oldest one under way arrives. */
static inline struct message pass(void)
{
    const struct message m = pair_take(&pair);
    pair_deliver(&pair, &m);
    pair_collect(&pair);
    return m;
}

static inline void in_one_session(void)
{
    ck_assert(peer_in_session(primary->peer));
    ck_assert(peer_in_session(secondary->peer));
    ck_assert_mem_eq(&primary->peer->session.key, &secondary->peer->session.key, sizeof(struct auth_key));
    ck_assert(!timer_is_set(&primary->peer->greeting));
    ck_assert(!timer_is_set(&secondary->peer->greeting));
    ck_assert(pair_works(&pair));
}

#endif
