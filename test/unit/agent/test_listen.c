/* SPDX-License-Identifier: BSD-3-Clause */
/* Which questions of the home link a primary wants to hear (RFC 6275 section 10.4.1, RFC 4862 section 5.4.2);
 * a secondary's part is in test_held.c. */
#include "heard.h"
#include "lab6.h"
#include "lab_check.h"

static const struct mac somebody = {{2, 9, 9, 9, 9, 9}};

/* In order: '+' and '-' for mobile node i, of all others nothing. */
static const char *told(size_t i)
{
    static char text[32];
    const struct addr home = lab6_home(i);
    size_t n = 0;
    for (size_t k = 0; k < lab.n_log && n < sizeof(text) - 1; k++)
        if (lab.log[k].kind == EFFECT_LISTEN && addr_equal(&lab.log[k].listen.home, &home))
            text[n++] = lab.log[k].listen.on ? '+' : '-';
    text[n] = '\0';
    lab_forget(&lab);
    return text;
}

static bool is_before(enum effect_kind first, enum effect_kind second)
{
    return lab_first(&lab, first) != NULL && lab_first(&lab, second) != NULL &&
           lab_first(&lab, first) < lab_first(&lab, second);
}

static void detect(void)
{
    lab_wait(&lab, LAB6_DETECTION_MS * NSEC_PER_MS);
}

static void bind6(size_t i)
{
    struct ask6 ask = lab6_ask(&lab, i);
    lab6_send(&lab, &ask);
    detect();
    ck_assert(agent_forwards(lab.agent, &ask.home));
    lab_forget(&lab);
}

/* RFC 4862 section 5.4.2: before it asks; and through the binding's life until it ends. */
START_TEST(from_detection_to_the_end)
{
    struct ask6 ask = lab6_ask(&lab, 0);
    lab6_send(&lab, &ask);
    ck_assert(is_before(EFFECT_LISTEN, EFFECT_PROBE));
    ck_assert_str_eq(told(0), "+");
    detect();
    ck_assert_str_eq(told(0), "");
    ask = lab6_ask(&lab, 0);
    ask.source = ip("2001:db8:c::77");
    lab6_send(&lab, &ask);
    ck_assert_str_eq(told(0), "");
    ask = lab6_ask_return(&lab, 0);
    lab6_send(&lab, &ask);
    ck_assert_str_eq(told(0), "-");
    lab_wait(&lab, 1000 * NSEC_PER_S);
    ck_assert_str_eq(told(0), "");
}
END_TEST

START_TEST(to_the_end_of_its_lifetime)
{
    bind6(0);
    lab_wait(&lab, LAB6_LIFETIME * 4 * NSEC_PER_S);
    ck_assert_str_eq(told(0), "-");
}
END_TEST

START_TEST(until_somebody_has_it)
{
    struct ask6 ask = lab6_ask(&lab, 0);
    lab6_send(&lab, &ask);
    ck_assert_str_eq(told(0), "+");
    hear_advertisement(lab.agent, &somebody, &ask.home, lab.now);
    lab_drain(&lab);
    ck_assert_str_eq(told(0), "-");
}
END_TEST

/* It is bound all the while. */
START_TEST(a_link_local_address_that_is_taken)
{
    bind6(0);
    struct ask6 ask = lab6_ask(&lab, 0);
    ask.m.flags |= MIP6_LINK_LOCAL;
    lab6_send(&lab, &ask);
    const struct addr taken = addr_link_local_of(&ask.home);
    hear_advertisement(lab.agent, &somebody, &taken, lab.now);
    lab_drain(&lab);
    ck_assert_str_eq(told(0), "");
}
END_TEST

START_TEST(ended_while_it_is_detected)
{
    struct ask6 ask = lab6_ask(&lab, 0);
    lab6_send(&lab, &ask);
    lab_forget(&lab);
    ask = lab6_ask_return(&lab, 0);
    lab6_send(&lab, &ask);
    ck_assert_str_eq(told(0), "-");
}
END_TEST

static void sweep(void)
{
    agent_sweep_begin(lab.agent);
    while (agent_sweep(lab.agent, 100, lab.now))
        lab_drain(&lab);
    lab_drain(&lab);
}

START_TEST(out_of_the_configuration)
{
    bind6(0);
    struct ask6 ask = lab6_ask(&lab, 1);
    lab6_send(&lab, &ask);
    lab_forget(&lab);
    sweep();
    const struct addr home = lab6_home(_i);
    ck_assert(!agent_forwards(lab.agent, &home));
    ck_assert_str_eq(told((size_t)_i), "-");
}
END_TEST

START_TEST(nothing_of_ipv4)
{
    const struct ask ask = lab_ask(&lab, 0);
    granted(&ask);
    ck_assert_uint_eq(lab_count(&lab, EFFECT_LISTEN), 0);
}
END_TEST

/* The shell has lost all: it hears of what there is, and is not told to forget what it has forgotten. */
START_TEST(again)
{
    bind6(0);
    bind6(1);
    bind6(2);
    agent_listen_again(lab.agent);
    const struct addr ended = lab6_home(1);
    ck_assert(agent_revoke(lab.agent, &ended, lab.now));
    lab_drain(&lab);
    ck_assert_str_eq(told(1), "");
    ck_assert_uint_eq(agent_deadline(lab.agent), 0);
    lab_wait(&lab, 0);
    ck_assert_uint_eq(lab_count(&lab, EFFECT_LISTEN), 2);
    for (size_t i = 0; i < lab.n_log; i++)
        ck_assert(lab.log[i].kind != EFFECT_LISTEN || lab.log[i].listen.on);
    ck_assert_str_eq(told(0), "+");
    struct ask6 ask = lab6_ask_return(&lab, 2);
    lab6_send(&lab, &ask);
    ck_assert_str_eq(told(2), "-");
    for (int i = 0; i < 300; i++) { /* its number comes round */
        agent_listen_again(lab.agent);
        lab_wait(&lab, 0);
        ck_assert_str_eq(told(0), "+");
    }
}
END_TEST

static void setup6(void)
{
    lab6_open(&lab);
}

int main(void)
{
    Suite *suite = suite_create("listen");
    TCase *all = tcase_create("listen");
    tcase_add_checked_fixture(all, setup6, teardown);
    suite_add_tcase(suite, all);
    tcase_add_test(all, from_detection_to_the_end);
    tcase_add_test(all, to_the_end_of_its_lifetime);
    tcase_add_test(all, until_somebody_has_it);
    tcase_add_test(all, a_link_local_address_that_is_taken);
    tcase_add_test(all, ended_while_it_is_detected);
    tcase_add_loop_test(all, out_of_the_configuration, 0, 2);
    tcase_add_test(all, nothing_of_ipv4);
    tcase_add_test(all, again);
    return check_main(suite);
}
