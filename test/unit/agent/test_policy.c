/* SPDX-License-Identifier: BSD-3-Clause */
/* Who is given a binding, and what secondaries that come and go change. */
#include "policy_scene.h"

/* ---- Placement ---- */

START_TEST(equal_to_within_one)
{
    scene_open(_i == 0 ? WHEN_AFTER_REGISTRATION : WHEN_ON_REGISTRATION, POLICY_EQUAL);
    for (size_t i = 0; i < 3; i++)
        join(1);
    bind_some(10000);
    pass(2000);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_uint_ge(owned_by(i), 3333);
        ck_assert_uint_le(owned_by(i), 3334);
    }
    accounts_are_right();
    scene_close();
}
END_TEST

START_TEST(equal_by_weight)
{
    scene_open(WHEN_AFTER_REGISTRATION, POLICY_EQUAL);
    join(4);
    join(1);
    join(1);
    bind_some(600);
    pass(2000);
    ck_assert_uint_eq(owned_by(0), 400);
    ck_assert_uint_eq(owned_by(1), 100);
    ck_assert_uint_eq(owned_by(2), 100);
    scene_close();
}
END_TEST

START_TEST(rendezvous_by_weight)
{
    scene_open(WHEN_AFTER_REGISTRATION, POLICY_RATE);
    join(2);
    join(1);
    join(1);
    bind_some(2000);
    pass(2000);
    ck_assert_uint_ge(owned_by(0), 900);
    ck_assert_uint_le(owned_by(0), 1100);
    ck_assert_uint_ge(owned_by(1), 400);
    ck_assert_uint_ge(owned_by(2), 400);
    scene_close();
}
END_TEST

START_TEST(nothing_by_itself_when_manual)
{
    scene_open(WHEN_MANUAL, POLICY_EQUAL);
    join(1);
    bind_some(100);
    pass(30000);
    ck_assert_uint_eq(owned_by_primary(), 100);
    ck_assert_uint_eq(moves(), 0);
    scene_close();
}
END_TEST

/* They were bound before there was anybody to give them to; even before anybody was configured. */
START_TEST(first_secondary_takes_all)
{
    scene_open(WHEN_AFTER_REGISTRATION, POLICY_EQUAL);
    bind_some(1000);
    ck_assert_uint_eq(agent_deadline(scene.agent) > scene.now.mono_ns, 1);
    join(1);
    pass(3000);
    ck_assert_uint_eq(owned_by(0), 1000);
    accounts_are_right();
    scene_close();
}
END_TEST

START_TEST(ended_bindings_are_forgotten)
{
    scene_open(WHEN_AFTER_REGISTRATION, POLICY_EQUAL);
    join(1);
    join(1);
    bind_some(100);
    for (size_t i = 0; i < 50; i++)
        end_binding(i);
    pass(2000);
    for (size_t i = 50; i < 80; i++)
        end_binding(i);
    pass(10000);
    accounts_are_right();
    ck_assert_uint_eq(owned_by(0), 10);
    ck_assert_uint_eq(owned_by(1), 10);
    scene_close();
}
END_TEST

/* A full node refuses: another serves, and the primary's accounts follow. */
START_TEST(refusals)
{
    scene_open(WHEN_AFTER_REGISTRATION, POLICY_EQUAL);
    join(1);
    join(1);
    scene.fakes[0].refuses = true;
    bind_some(200);
    pass(100);
    const uint64_t refused = agent_counters(scene.agent)->n[AGENT_STARTS_REFUSED];
    ck_assert_uint_gt(refused, 0);
    bind_some(200); /* it is left alone for a while */
    pass(100);
    ck_assert_uint_eq(agent_counters(scene.agent)->n[AGENT_STARTS_REFUSED], refused);
    pass(20000);
    ck_assert_uint_eq(owned_by(0), 0);
    ck_assert_uint_eq(owned_by(1), 400);
    scene.fakes[0].refuses = false;
    pass(60000);
    accounts_are_right();
    ck_assert_uint_eq(owned_by(0), 200);
    scene_close();
}
END_TEST

/* ---- Membership ---- */

START_TEST(new_secondary_ramps_up)
{
    static const struct {
        uint64_t ms;
        size_t least, most;
    } ramp[] = {{4900, 4, 6}, {5000, 23, 26}, {5000, 85, 95}, {15000, 333, 334}};
    scene_open(WHEN_AFTER_REGISTRATION, POLICY_EQUAL);
    join(1);
    join(1);
    bind_some(1000);
    pass(20000);
    const uint64_t before = moves();
    join(1);
    for (size_t i = 0; i < 4; i++) {
        pass(ramp[i].ms);
        ck_assert_uint_ge(owned_by(2), ramp[i].least);
        ck_assert_uint_le(owned_by(2), ramp[i].most);
    }
    ck_assert_uint_le(moves() - before, 335);
    accounts_are_right();
    scene_close();
}
END_TEST

START_TEST(drain_and_undrain)
{
    scene_open(WHEN_AFTER_REGISTRATION, POLICY_EQUAL);
    scene.settings.delegation.moves_per_s = 100;
    ck_assert_int_eq(agent_configure(scene.agent, &scene.settings), 0);
    for (size_t i = 0; i < 3; i++)
        join(1);
    bind_some(600);
    pass(5000);
    ck_assert_int_eq(agent_drain(scene.agent, "s1", true, scene.now), REFUSAL_DONE);
    ck_assert_int_eq(agent_drain(scene.agent, "s1", true, scene.now), REFUSAL_ALREADY);
    ck_assert_int_eq(agent_drain(scene.agent, "s7", true, scene.now), REFUSAL_NO_SECONDARY);
    pass(1000);
    ck_assert_uint_ge(owned_by(1), 80); /* paced */
    ck_assert_uint_le(owned_by(1), 110);
    ck_assert_uint_eq(scene.drained, 0);
    pass(2500);
    ck_assert_uint_eq(owned_by(1), 0);
    ck_assert_uint_eq(scene.drained, 1);
    ck_assert_uint_eq(owned_by(0), 300);
    accounts_are_right();
    ck_assert_int_eq(agent_drain(scene.agent, "s1", false, scene.now), REFUSAL_DONE);
    pass(60000);
    ck_assert_uint_eq(owned_by(1), 200);
    ck_assert_uint_eq(scene.drained, 1);
    scene_close();
}
END_TEST

START_TEST(last_secondary_drains_to_primary)
{
    scene_open(WHEN_AFTER_REGISTRATION, POLICY_EQUAL);
    join(1);
    bind_some(100);
    pass(3000);
    ck_assert_int_eq(agent_drain(scene.agent, "s0", true, scene.now), REFUSAL_DONE);
    pass(3000);
    ck_assert_uint_eq(owned_by_primary(), 100);
    ck_assert_uint_eq(scene.drained, 1);
    accounts_are_right();
    scene_close();
}
END_TEST

static bool is_among_busiest(const struct addr *a)
{
    for (size_t i = 900; i < 1000; i++) {
        const struct addr h = home(i * 7);
        if (addr_equal(a, &h))
            return true;
    }
    return false;
}

/* ARP is answered for all of 10,000 as soon as it is dead, however slowly that may be announced: the busiest
 * first. */
START_TEST(dead_secondary)
{
    scene_open(WHEN_AFTER_REGISTRATION, POLICY_EQUAL);
    join(1);
    bind_some(10000);
    pass(3000);
    ck_assert_uint_eq(owned_by(0), 10000);
    join(1);
    for (size_t i = 0; i < 1000; i++)
        scene.pps[i * 7] = (uint32_t)(100 + i);
    report();
    scene.settings.delegation.announcements_per_s = 40;
    ck_assert_int_eq(agent_configure(scene.agent, &scene.settings), 0);
    scene.fakes[0].mute = true;
    scene.n_announced = 0;
    pass(2300); /* a KEEPALIVE's interval, lease, 250 ms */
    for (size_t i = 0; i < 10000; i++)
        ck_assert_msg(intercepted(i), "binding %zu", i);
    ck_assert_uint_eq(scene.n_announced, ROWS(scene.announced));
    for (size_t i = 0; i < scene.n_announced; i++)
        ck_assert_msg(is_among_busiest(&scene.announced[i]), "announcement %zu", i);
    pass(20000);
    ck_assert_uint_eq(owned_by(1), 10000);
    scene_close();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("policy");
    TCase *placement = policy_case(suite, "placement");
    tcase_add_loop_test(placement, equal_to_within_one, 0, 2);
    tcase_add_test(placement, equal_by_weight);
    tcase_add_test(placement, rendezvous_by_weight);
    tcase_add_test(placement, nothing_by_itself_when_manual);
    tcase_add_test(placement, first_secondary_takes_all);
    tcase_add_test(placement, ended_bindings_are_forgotten);
    tcase_add_test(placement, refusals);
    TCase *membership = policy_case(suite, "membership");
    tcase_add_test(membership, new_secondary_ramps_up);
    tcase_add_test(membership, drain_and_undrain);
    tcase_add_test(membership, last_secondary_drains_to_primary);
    tcase_add_test(membership, dead_secondary);
    return check_main(suite);
}
