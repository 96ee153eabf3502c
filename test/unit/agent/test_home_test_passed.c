/* SPDX-License-Identifier: BSD-3-Clause */
/* Home tests at a secondary: they go to the primary, which has the keys. */
#include "deputy_check.h"
#include "tested.h"

static const struct mac router = {{2, 0, 0, 0, 0, 0x77}}, primary = {{2, 0, 0, 0, 0, 1}};

static bool start(unsigned i, uint8_t flags)
{
    struct delegation_start start = deputy_start_ipv6(&deputy, 0, i);
    start.flags |= flags;
    deputy_forget(&deputy);
    ck_assert_uint_eq(deputy_do_start(&deputy, 0, &start).status, STATUS_OK);
    return deputy_effect(&deputy, EFFECT_INSTALL)->install.home_tests;
}

static size_t give(unsigned i, const struct mac *from, uint8_t packet[static TESTED_MAX], size_t more)
{
    const struct tested_spec spec = {.source = ip("2001:db8:cc::9"),
                                     .destination = deputy_home_ipv6(i),
                                     .type = HOT,
                                     .hops = 1,
                                     .more = more};
    const size_t len = tested_packet(&spec, packet);
    deputy_forget(&deputy);
    agent_home_test(deputy.agent, packet, len, from);
    deputy_drain(&deputy);
    return len;
}

static void check_discarded(uint64_t so_far)
{
    ck_assert_uint_eq(deputy_effects(&deputy, EFFECT_FORWARD), 0);
    ck_assert_uint_eq(deputy_counter(&deputy, AGENT_HOME_TESTS_DISCARDED), so_far);
}

START_TEST(the_flag_reaches_forwarding)
{
    ck_assert(!start(1, 0));
    ck_assert(start(2, START_HOME_TESTS));
    ck_assert(!start(2, 0)); /* another START, another policy */
}
END_TEST

/* As it came, hop limit and all, to the MAC address of its HELLO. */
START_TEST(passed_on_to_the_primary)
{
    uint8_t packet[TESTED_MAX];
    const struct addr home = deputy_home_ipv6(1);
    start(1, START_HOME_TESTS);
    const size_t len = give(1, &router, packet, 0);
    ck_assert_uint_eq(deputy_effects(&deputy, EFFECT_FORWARD), 1);
    const struct passage *p = &deputy_effect(&deputy, EFFECT_FORWARD)->forward;
    ck_assert(p->on_link && mac_equal(&p->mac, &primary) && addr_equal(&p->home, &home));
    ck_assert_uint_eq(p->len, len);
    ck_assert_mem_eq(p->bytes, packet, len);
    ck_assert_uint_eq(deputy_counter(&deputy, AGENT_HOME_TESTS_PASSED), 1);
    ck_assert_uint_eq(deputy_counter(&deputy, AGENT_ESP_UNSENT), 0);
}
END_TEST

/* What the primary sent here is not sent back: else the two could play with it for ever. */
START_TEST(the_primary_gets_nothing_back)
{
    uint8_t packet[TESTED_MAX];
    start(1, START_HOME_TESTS);
    give(1, &primary, packet, 0);
    check_discarded(1);
}
END_TEST

START_TEST(nothing_is_known_of_it)
{
    uint8_t packet[TESTED_MAX];
    give(1, &router, packet, 0);
    check_discarded(1);
    start(1, START_HOME_TESTS);
    give(1, &router, packet, AGENT_MESSAGE_MAX);
    check_discarded(2);
    struct delegation_stop stop = deputy_stop_of(&deputy, 0, 1);
    stop.home = deputy_home_ipv6(1);
    stop.mode = STOP_DROP;
    ck_assert_uint_eq(deputy_do_stop(&deputy, 0, &stop).status, STATUS_OK);
    give(1, &router, packet, 0);
    check_discarded(3);
}
END_TEST

START_TEST(also_while_it_lingers)
{
    uint8_t packet[TESTED_MAX];
    start(1, START_HOME_TESTS);
    struct delegation_stop stop = deputy_stop_of(&deputy, 0, 1);
    stop.home = deputy_home_ipv6(1);
    ck_assert_uint_eq(deputy_do_stop(&deputy, 0, &stop).status, STATUS_OK);
    give(1, &router, packet, 0);
    ck_assert_uint_eq(deputy_effects(&deputy, EFFECT_FORWARD), 1);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("agent_home_test_passed");
    TCase *tc = deputy_case(s, "agent_home_test_passed");
    tcase_add_test(tc, the_flag_reaches_forwarding);
    tcase_add_test(tc, passed_on_to_the_primary);
    tcase_add_test(tc, the_primary_gets_nothing_back);
    tcase_add_test(tc, nothing_is_known_of_it);
    tcase_add_test(tc, also_while_it_lingers);
    return s;
}

int main(void)
{
    return check_main(suite());
}
