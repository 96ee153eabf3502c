/* SPDX-License-Identifier: BSD-3-Clause */
/* A deputy for each test of a Check suite, in session with primary 0 and under its lease. */
#ifndef TEST_AGENT_DEPUTY_CHECK_H
#define TEST_AGENT_DEPUTY_CHECK_H

#include "../check_main.h"
#include "deputy.h"

static struct deputy deputy;

static inline void setup(void)
{
    deputy_open(&deputy);
    deputy_meet(&deputy, 0, true);
    deputy_forget(&deputy);
}

static inline void teardown(void)
{
    deputy_close(&deputy);
}

static inline TCase *deputy_case(Suite *suite, const char *name)
{
    TCase *tcase = tcase_create(name);
    tcase_add_checked_fixture(tcase, setup, teardown);
    suite_add_tcase(suite, tcase);
    return tcase;
}

static inline bool intercepts(unsigned i)
{
    const struct addr home = deputy_home(i);
    return agent_intercepts(deputy.agent, &home);
}

static inline bool forwards(unsigned i)
{
    const struct addr home = deputy_home(i);
    return agent_forwards(deputy.agent, &home);
}

/* At step n: what is installed, answered and announced since deputy_forget, in the order of deputy_order. */
static inline void expect_order(const char *what, unsigned n, const char *expected)
{
    char order[64];
    ck_assert_msg(strcmp(deputy_order(&deputy, order), expected) == 0, "%s, step %u: %s", what, n, order);
}

/* Mobile i is delegated here by primary 0. Returns the generation. */
static inline uint64_t hold(unsigned i)
{
    const struct delegation_start start = deputy_start_of(&deputy, 0, i);
    const struct delegation_ack ack = deputy_do_start(&deputy, 0, &start);
    ck_assert_uint_eq(ack.status, STATUS_OK);
    return start.generation;
}

/* The load that the next KEEPALIVE tells. */
static inline struct delegation_load load_in(const struct heard *keepalive)
{
    ck_assert_ptr_nonnull(keepalive);
    struct delegation_records records = deputy_records(keepalive);
    struct delegation_record record;
    ck_assert(delegation_next(&records, &record));
    ck_assert_uint_eq(record.type, DELEGATION_RECORD_LOAD);
    return record.load;
}

static inline struct delegation_load load_told(int which)
{
    deputy_forget(&deputy);
    deputy_wait(&deputy, 500);
    return load_in(deputy_take(&deputy, which, DELEGATION_KEEPALIVE));
}

#endif
