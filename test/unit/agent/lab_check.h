/* SPDX-License-Identifier: BSD-3-Clause */
/* A lab for each test of a Check suite. */
#ifndef TEST_AGENT_LAB_CHECK_H
#define TEST_AGENT_LAB_CHECK_H

#include "../check_main.h"
#include "lab.h"

static struct lab lab;

static inline void setup(void)
{
    lab_open(&lab);
}

static inline void teardown(void)
{
    lab_close(&lab);
}

static inline TCase *lab_case_after(Suite *suite, const char *name, void (*opened_by)(void))
{
    TCase *tcase = tcase_create(name);
    tcase_add_checked_fixture(tcase, opened_by, teardown);
    suite_add_tcase(suite, tcase);
    return tcase;
}

static inline TCase *lab_case(Suite *suite, const char *name)
{
    return lab_case_after(suite, name, setup);
}

static inline void reconfigure(void)
{
    ck_assert_int_eq(agent_configure(lab.agent, &lab.settings), 0);
}

/* The request is granted. */
static inline struct answer granted(const struct ask *ask)
{
    struct answer answer = lab_send(&lab, ask);
    ck_assert_msg(answer.sent, "no reply");
    ck_assert_msg(mip4_code_is_success(answer.reply.code), "code %u", answer.reply.code);
    ck_assert(answer.mobile_good);
    return answer;
}

static inline void denied(const struct ask *ask, uint8_t code)
{
    struct answer answer = lab_send(&lab, ask);
    ck_assert_msg(answer.sent, "no reply");
    ck_assert_uint_eq(answer.reply.code, code);
    ck_assert(answer.mobile_good);
}

static inline void in_order(const char *expected)
{
    char order[64];
    ck_assert_str_eq(lab_order(&lab, order), expected);
}

/* Mobile node i is bound, whatever its style of replay protection asks for first. */
static inline void bind_node(size_t i)
{
    struct ask ask = lab_ask(&lab, i);
    if (lab_send(&lab, &ask).reply.code == MIP4_IDENTIFICATION_MISMATCH) {
        ask = lab_ask(&lab, i);
        granted(&ask);
    }
    const struct addr home = lab_home(i);
    ck_assert(agent_intercepts(lab.agent, &home));
}

#endif
