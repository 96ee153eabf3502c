/* SPDX-License-Identifier: BSD-3-Clause */
/* Voluntary moves. */
#include "policy_scene.h"

/* ---- On load ---- */

START_TEST(on_load)
{
    scene_open(WHEN_ON_LOAD, POLICY_EQUAL);
    scene.settings.delegation.threshold_pps = 1000;
    ck_assert_int_eq(agent_configure(scene.agent, &scene.settings), 0);
    join(1);
    bind_some(100);
    for (size_t i = 0; i < 100; i++)
        scene.pps[i] = 9;
    pass(10000);
    ck_assert_uint_eq(moves(), 0);
    scene.pps[50] = 300;
    scene.pps[51] = 200;
    const uint64_t before = scene.now.mono_ns;
    while (owned_by(0) == 0 && scene.now.mono_ns - before < 5 * NSEC_PER_S)
        step();
    ck_assert_uint_le(scene.now.mono_ns - before, 1200 * NSEC_PER_MS);
    ck_assert_ptr_eq(delegation_owner(mobile_of(50)), scene.fakes[0].node);
    pass(10000);
    ck_assert_ptr_eq(delegation_owner(mobile_of(51)), scene.fakes[0].node);
    ck_assert_uint_le(load_of(NULL), 700);
    ck_assert_uint_ge(load_of(NULL), 600);
    const uint64_t moved = moves();
    for (size_t i = 0; i < 100; i++)
        scene.pps[i] = 4;
    pass(20000);
    ck_assert_uint_eq(moves(), moved); /* nor back */
    scene_close();
}
END_TEST

/* ---- By rates ---- */

static double max_over_mean(void)
{
    uint64_t most = 0, all = 0;
    for (size_t i = 0; i < scene.n_fakes; i++) {
        const uint64_t load = load_of(scene.fakes[i].node);
        most = load > most ? load : most;
        all += load;
    }
    return (double)most * (double)scene.n_fakes / (double)all;
}

START_TEST(zipf_by_rate)
{
    scene_open(WHEN_AFTER_REGISTRATION, POLICY_RATE);
    for (size_t i = 0; i < 4; i++)
        join(1);
    bind_some(4000);
    for (size_t i = 0; i < 4000; i++)
        scene.pps[(i * 1231) % 4000] = (uint32_t)(20000 / (i + 1));
    pass(20000);
    const double before = max_over_mean();
    const uint64_t early = moves();
    ck_assert_uint_eq(early, 4000); /* none has been where it is for a minute */
    pass(50000);
    ck_assert_uint_gt(moves(), early);
    pass(20000);
    printf("max/mean %.3f -> %.3f by %llu moves\n", before, max_over_mean(),
           (unsigned long long)(moves() - early));
    ck_assert_double_le(max_over_mean(), 1.05);
    const uint64_t after = moves();
    pass(20000);
    ck_assert_uint_eq(moves(), after);
    accounts_are_right();
    scene_close();
}
END_TEST

START_TEST(no_voluntary_moves_while_suspect)
{
    scene_open(WHEN_AFTER_REGISTRATION, POLICY_EQUAL);
    join(1);
    join(1);
    join(1);
    bind_some(90);
    pass(15000);
    for (size_t i = 0; i < 90; i++)
        if (delegation_owner(mobile_of(i)) == scene.fakes[0].node)
            end_binding(i);
    scene.fakes[2].node->silent = true;
    node_settle(scene.agent, scene.fakes[2].node, scene.now);
    ck_assert_int_eq(scene.fakes[2].node->state, PEER_SUSPECT);
    ck_assert_int_eq(agent_rebalance(scene.agent, scene.now), REFUSAL_DONE);
    const uint64_t before = moves();
    for (int i = 0; i < 60; i++) {

        scene.fakes[2].mute = i < 40; /* its KEEPALIVEs come again before it is dead */
        pass(25);
        if (i < 40)
            ck_assert_uint_eq(moves(), before);
    }
    pass(30000);
    ck_assert_uint_eq(owned_by(0), 20);
    scene_close();
}
END_TEST

/* A change of membership settles before others than newcomers are given any. */
START_TEST(no_voluntary_moves_after_a_change)
{
    scene_open(WHEN_AFTER_REGISTRATION, POLICY_EQUAL);
    join(1);
    join(1);
    bind_some(60);
    pass(15000);
    for (size_t i = 0; i < 60; i++)
        if (delegation_owner(mobile_of(i)) == scene.fakes[0].node)
            end_binding(i);
    join(1);
    ck_assert_int_eq(agent_drain(scene.agent, "s2", true, scene.now), REFUSAL_DONE);
    const uint64_t before = moves();
    pass(9900);
    ck_assert_uint_eq(moves(), before);
    pass(6000);
    ck_assert_uint_eq(owned_by(0), 15);
    scene_close();
}
END_TEST

/* At most a tenth of all in a period, however fast moves may be. */
START_TEST(voluntary_moves_have_a_budget)
{
    scene_open(WHEN_AFTER_REGISTRATION, POLICY_EQUAL);
    join(1);
    join(1);
    bind_some(2000);
    pass(15000);
    for (size_t i = 0; i < 2000; i++)
        if (delegation_owner(mobile_of(i)) == scene.fakes[0].node)
            end_binding(i);
    const uint64_t before = moves();
    pass(4500);
    ck_assert_uint_le(moves() - before, 110);
    pass(40000);
    ck_assert_uint_eq(owned_by(0), 500);
    scene_close();
}
END_TEST

/* Reports name the busiest only; what a node sends beyond them counts as well. */
START_TEST(unreported_load_counts)
{
    scene_open(WHEN_AFTER_REGISTRATION, POLICY_RATE);
    join(1);
    join(1);
    bind_some(400);
    for (size_t i = 0; i < 400; i++)
        scene.pps[i] = 100;
    for (int s = 0; s < 150; s++) {
        scene.fakes[0].load.tx_pps = (uint32_t)load_of(scene.fakes[0].node) + 20000;
        scene.fakes[1].load.tx_pps = (uint32_t)load_of(scene.fakes[1].node);
        pass(1000);
    }
    ck_assert_uint_ge(load_of(scene.fakes[0].node), 8000);
    ck_assert_uint_le(load_of(scene.fakes[0].node), 12000);
    scene_close();
}
END_TEST

START_TEST(an_overloaded_node_does_not_wait)
{
    scene_open(WHEN_AFTER_REGISTRATION, POLICY_RATE);
    join(1);
    join(1);
    bind_some(40);
    scene.fakes[0].load.capacity_pps = scene.fakes[1].load.capacity_pps = 10000;
    for (size_t i = 0; i < 40; i++)
        scene.pps[i] = 100;
    pass(120000);
    const uint64_t before = moves();
    scene.agent->policy->run.next_ns = scene.now.mono_ns + 5 * NSEC_PER_S;
    for (size_t i = 0; i < 40; i++)
        if (delegation_owner(mobile_of(i)) == scene.fakes[0].node)
            scene.pps[i] = _i == 0 ? 150 : 700; /* hot; and nearly at its end */
    pass(2500);
    if (_i == 0)
        ck_assert_uint_eq(moves(), before);
    else
        ck_assert_uint_gt(moves(), before);
    scene_close();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("policy, balancing");
    TCase *balancing = policy_case(suite, "balancing");
    tcase_add_test(balancing, on_load);
    tcase_add_test(balancing, zipf_by_rate);
    tcase_add_test(balancing, no_voluntary_moves_while_suspect);
    tcase_add_test(balancing, no_voluntary_moves_after_a_change);
    tcase_add_test(balancing, voluntary_moves_have_a_budget);
    tcase_add_test(balancing, unreported_load_counts);
    tcase_add_loop_test(balancing, an_overloaded_node_does_not_wait, 0, 2);
    return check_main(suite);
}
