/* SPDX-License-Identifier: BSD-3-Clause */
/* What an operator asks for by hand. */
#include "policy_scene.h"

START_TEST(by_hand_stays)
{
    const struct addr h = home(3);
    const struct addr unknown = home(77777);
    scene_open(WHEN_AFTER_REGISTRATION, POLICY_EQUAL);
    join(1);
    join(1);
    bind_some(20);
    pass(15000);
    struct node *former = delegation_owner(mobile_of(3));
    const char *other = former == scene.fakes[0].node ? "s1" : "s0";
    ck_assert_int_eq(agent_delegate(scene.agent, &unknown, other, scene.now), REFUSAL_NO_BINDING);
    ck_assert_int_eq(agent_delegate(scene.agent, &h, "s8", scene.now), REFUSAL_NO_SECONDARY);
    ck_assert_int_eq(agent_delegate(scene.agent, &h, former->peer.is.name, scene.now), REFUSAL_ALREADY);
    ck_assert_int_eq(agent_delegate(scene.agent, &h, other, scene.now), REFUSAL_DONE);
    pass(40000);
    ck_assert_str_eq(delegation_owner(mobile_of(3))->peer.is.name, other);
    ck_assert_uint_eq(owned_by(0), 10); /* another went the other way */
    ck_assert_int_eq(agent_recall(scene.agent, &h, scene.now), REFUSAL_DONE);
    pass(40000);
    ck_assert_ptr_null(delegation_owner(mobile_of(3)));
    ck_assert_int_eq(agent_recall(scene.agent, &h, scene.now), REFUSAL_ALREADY);
    ck_assert_int_eq(agent_delegate_all(scene.agent, scene.now), REFUSAL_DONE);
    pass(10000);
    ck_assert_uint_eq(owned_by(0), 10);
    ck_assert_uint_eq(owned_by(1), 10);
    struct decision d;
    ck_assert(agent_decision(scene.agent, 0, &d));
    ck_assert_str_eq(d.from, "self");
    scene_close();
}
END_TEST

START_TEST(delegate_all_when_manual)
{
    scene_open(WHEN_MANUAL, POLICY_EQUAL);
    ck_assert_int_eq(agent_delegate_all(scene.agent, scene.now), REFUSAL_NO_SECONDARY);
    join(1);
    join(1);
    join(1);
    bind_some(300);
    ck_assert_int_eq(agent_delegate_all(scene.agent, scene.now), REFUSAL_DONE);
    pass(5000);
    for (size_t i = 0; i < 3; i++)
        ck_assert_uint_eq(owned_by(i), 100);
    bind_some(10);
    pass(5000);
    ck_assert_uint_eq(owned_by_primary(), 10); /* it was for once */
    accounts_are_right();
    for (size_t i = 0; i < 300; i++)
        if (delegation_owner(mobile_of(i)) == scene.fakes[0].node)
            end_binding(i);
    const uint64_t before = moves();
    pass(20000);
    ck_assert_uint_eq(moves(), before);
    scene_close();
}
END_TEST

START_TEST(delegate_busiest)
{
    scene_open(WHEN_MANUAL, POLICY_EQUAL);
    join(1);
    join(1);
    bind_some(100);
    for (size_t i = 0; i < 100; i++)
        scene.pps[i] = (uint32_t)(10 + 10 * i);
    pass(2000);
    ck_assert_int_eq(agent_delegate_busiest(scene.agent, 5, "s1", scene.now), REFUSAL_DONE);
    pass(2000);
    ck_assert_uint_eq(owned_by(1), 5);
    ck_assert_uint_eq(owned_by(0), 0);
    ck_assert_uint_ge(load_of(scene.fakes[1].node), 5 * 880); /* to within a bucket */
    scene_close();
}
END_TEST

START_TEST(plan_then_rebalance)
{
    struct decision d;
    size_t planned = 0;
    scene_open(WHEN_MANUAL, POLICY_RATE);
    join(1);
    join(1);
    bind_some(40);
    for (size_t i = 0; i < 40; i++) {
        const struct addr h = home(i);
        scene.pps[i] = 100;
        ck_assert_int_eq(agent_delegate(scene.agent, &h, "s0", scene.now), REFUSAL_DONE);
    }
    pass(5000);
    ck_assert(!agent_plan(scene.agent, 0, scene.now, &d)); /* all by hand */
    ck_assert_int_eq(agent_delegate_all(scene.agent, scene.now), REFUSAL_DONE);
    scene.agent->policy->run.asked = false;
    pass(1000);
    while (agent_plan(scene.agent, planned, scene.now, &d)) {
        ck_assert_str_eq(d.from, "s0");
        ck_assert_str_eq(d.to, "s1");
        planned++;
    }
    ck_assert_uint_ge(planned, 19);
    ck_assert_uint_le(planned, 20);
    ck_assert_uint_eq(owned_by(0), 40);
    ck_assert_int_eq(agent_rebalance(scene.agent, scene.now), REFUSAL_DONE);
    pass(11000);
    ck_assert_int_eq(agent_rebalance(scene.agent, scene.now), REFUSAL_DONE);
    pass(3000);
    ck_assert_uint_ge(owned_by(1), 19);
    ck_assert_uint_le(owned_by(1), 21);
    scene_close();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("policy, by hand");
    TCase *by_hand = policy_case(suite, "operator");
    tcase_add_test(by_hand, by_hand_stays);
    tcase_add_test(by_hand, delegate_all_when_manual);
    tcase_add_test(by_hand, delegate_busiest);
    tcase_add_test(by_hand, plan_then_rebalance);
    return check_main(suite);
}
