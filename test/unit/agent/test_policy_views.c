/* SPDX-License-Identifier: BSD-3-Clause */
/* What is shown of loads and rates. */
#include "policy_scene.h"

START_TEST(loads_are_shown)
{
    scene_open(WHEN_AFTER_REGISTRATION, POLICY_EQUAL);
    join(3);
    bind_some(10);
    for (size_t i = 0; i < 10; i++)
        scene.pps[i] = 100;
    pass(10000);
    size_t cursor = 0;
    struct load_view v;
    ck_assert(agent_load_next(scene.agent, &cursor, scene.now, &v));
    ck_assert_ptr_null(v.name);
    ck_assert_uint_eq(v.bindings, 0);
    ck_assert(agent_load_next(scene.agent, &cursor, scene.now, &v));
    ck_assert_str_eq(v.name, "s0");
    ck_assert_uint_eq(v.bindings, 10);
    ck_assert_uint_eq(v.pps, 1000);
    ck_assert_uint_eq(v.permille_of_all, 1000);
    ck_assert_uint_eq(v.weight, 3);
    ck_assert(!agent_load_next(scene.agent, &cursor, scene.now, &v));
    scene_close();
}
END_TEST

/* Totals of several forwarders add up, whoever owns it; a forwarder that began anew does not take away. */
START_TEST(totals)
{
    static const struct {
        int node; /* -1: the primary */
        uint64_t packets, sum;
    } rows[] = {{-1, 100, 100}, {-1, 150, 150}, {0, 10, 160},  {-1, 155, 165},
                {0, 40, 195},   {0, 5, 200},    {-1, 155, 200}};
    scene_open(WHEN_AFTER_REGISTRATION, POLICY_EQUAL);
    join(1);
    bind_some(1);
    pass(1000);
    for (int i = 0; i < ROWS(rows); i++) {
        const struct agent_rate rate = {.home = home(0),
                                        .pps = rows[i].node < 0 ? 1000 : 10,
                                        .packets = rows[i].packets,
                                        .bytes = 2 * rows[i].packets};
        struct binding_view v = {0};
        policy_rate(scene.agent, mobile_of(0), rows[i].node < 0 ? NULL : scene.fakes[0].node, &rate,
                    scene.now);
        policy_view(scene.agent, mobile_of(0), scene.now, &v);
        ck_assert_uint_eq(v.packets, rows[i].sum);
        ck_assert_uint_eq(v.bytes, 2 * rows[i].sum);
        ck_assert_uint_le(v.pps, 10); /* strays that the primary forwards are not its rate */
    }
    scene_close();
}
END_TEST

START_TEST(rates_fade)
{
    struct binding_view v = {0};
    scene_open(WHEN_AFTER_REGISTRATION, POLICY_EQUAL);
    if (_i == 1)
        join(1);
    bind_some(1);
    scene.pps[0] = 1000;
    pass(30000);
    policy_view(scene.agent, mobile_of(0), scene.now, &v);
    ck_assert_uint_eq(v.pps, 1000);
    scene.pps[0] = 0;
    pass(30000);
    policy_view(scene.agent, mobile_of(0), scene.now, &v);
    ck_assert_uint_le(v.pps, 150);
    pass(1200000);
    policy_view(scene.agent, mobile_of(0), scene.now, &v);
    ck_assert_uint_eq(v.pps, 0);
    ck_assert_uint_eq(scene.agent->policy->sounding == NULL, 1);
    scene_close();
}
END_TEST

/* Without secondaries there is nothing to be woken for. */
START_TEST(costs_nothing_alone)
{
    scene_open(WHEN_AFTER_REGISTRATION, POLICY_EQUAL);
    bind_some(10);
    ck_assert_ptr_null(mobile_of(0)->rated);
    scene.pps[0] = 10;
    report();
    ck_assert_ptr_nonnull(mobile_of(0)->rated);
    pass(5000);
    ck_assert(!timer_is_set(&scene.agent->policy->timer));
    ck_assert(!policy_has_work(scene.agent, 0));
    ck_assert_int_eq(agent_rebalance(scene.agent, scene.now), REFUSAL_NO_SECONDARY);
    scene_close();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("policy, views");
    TCase *views = policy_case(suite, "views");
    tcase_add_test(views, loads_are_shown);
    tcase_add_test(views, totals);
    tcase_add_loop_test(views, rates_fade, 0, 2);
    tcase_add_test(views, costs_nothing_alone);
    return check_main(suite);
}
