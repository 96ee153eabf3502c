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

#endif
