/* SPDX-License-Identifier: BSD-3-Clause */
#include "lab_check.h"

#include <errno.h>
#include <stdio.h>

static int set(size_t i, const char *nai)
{
    const struct addr home = lab_home(i);
    const struct association sa = lab_association(i % LAB_MOBILES);
    return agent_mobile_set(lab.agent, &home, &sa, nai);
}

static void sweep(size_t budget)
{
    int turns = 0;
    while (agent_sweep(lab.agent, budget, lab.now))
        ck_assert_int_lt(turns++, 10000);
    lab_forget(&lab);
    lab_drain(&lab);
}

START_TEST(same_home_again_is_one_mobile_node)
{
    ck_assert_uint_eq(agent_mobiles(lab.agent), LAB_MOBILES);
    ck_assert_int_eq(set(0, NULL), 0);
    ck_assert_uint_eq(agent_mobiles(lab.agent), LAB_MOBILES);
}
END_TEST

START_TEST(kept_key_keeps_its_replay_state)
{
    bind_node(LAB_NONCES);
    struct ask ask = lab_ask(&lab, LAB_NONCES);
    ck_assert_int_eq(set(LAB_NONCES, NULL), 0);
    granted(&ask);
}
END_TEST

START_TEST(replaced_key)
{
    const struct addr home = lab_home(0);
    struct association sa = lab_association(0);
    sa.key.bytes[0] ^= 1;
    sa.key.len = 32;
    ck_assert_int_eq(agent_mobile_set(lab.agent, &home, &sa, NULL), 0);
    struct ask ask = lab_ask(&lab, 0);
    ck_assert_uint_eq(lab_send(&lab, &ask).reply.code, MIP4_MOBILE_AUTH_FAILED);
    ask.mobile = sa;
    granted(&ask);
}
END_TEST

START_TEST(several_associations)
{
    const struct addr home = lab_home(0);
    for (uint32_t spi = 5000; spi < 5010; spi++) {
        struct association sa = lab_association(1);
        sa.spi = spi;
        ck_assert_int_eq(agent_mobile_set(lab.agent, &home, &sa, NULL), 0);
    }
    for (uint32_t spi = 5000; spi < 5010; spi++) {
        struct ask ask = lab_ask(&lab, 0);
        ask.mobile = lab_association(1);
        ask.mobile.spi = spi;
        granted(&ask);
    }
    ck_assert_uint_eq(agent_mobiles(lab.agent), LAB_MOBILES);
}
END_TEST

START_TEST(nai_belongs_to_one)
{
    ck_assert_int_eq(set(2, lab_nai(1)), -EEXIST);
    ck_assert_int_eq(set(50, lab_nai(1)), -EEXIST);
    ck_assert_uint_eq(agent_mobiles(lab.agent), LAB_MOBILES);
    ck_assert_int_eq(set(2, "two@example.net"), 0);
    ck_assert_int_eq(set(2, "zwei@example.net"), 0);
    ck_assert_int_eq(set(0, "two@example.net"), 0);
}
END_TEST

START_TEST(sweep_keeps_what_was_set_again)
{
    bind_node(0);
    agent_sweep_begin(lab.agent);
    lab_populate(&lab);
    sweep(1);
    ck_assert_uint_eq(lab.n_log, 0);
    ck_assert_uint_eq(agent_mobiles(lab.agent), LAB_MOBILES);
    ck_assert_uint_eq(agent_bindings(lab.agent), 1);
}
END_TEST

START_TEST(sweep_removes_the_rest)
{
    const struct addr home = lab_home(0);
    bind_node(0);
    bind_node(1);
    agent_sweep_begin(lab.agent);
    for (size_t i = 1; i < LAB_MOBILES; i++)
        ck_assert_int_eq(set(i, lab_nai(i)), 0);
    sweep(3);
    in_order("R");
    ck_assert(addr_equal(&lab_first(&lab, EFFECT_REMOVE)->remove, &home));
    ck_assert_uint_eq(lab_first(&lab, EFFECT_NOTE)->note.kind, NOTE_REVOKED);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_BINDINGS_REVOKED), 1);
    ck_assert_uint_eq(agent_mobiles(lab.agent), LAB_MOBILES - 1);
    ck_assert_uint_eq(agent_bindings(lab.agent), 1);
    struct ask ask = lab_ask(&lab, 0);
    ck_assert(!lab_send(&lab, &ask).sent);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_DISCARD_UNKNOWN_MOBILE), 1);
}
END_TEST

START_TEST(sweep_removes_single_associations)
{
    const struct addr home = lab_home(0);
    struct association second = lab_association(0);
    second.spi = 9000;
    ck_assert_int_eq(agent_mobile_set(lab.agent, &home, &second, NULL), 0);
    agent_sweep_begin(lab.agent);
    ck_assert_int_eq(agent_mobile_set(lab.agent, &home, &second, NULL), 0);
    sweep(100);
    struct ask ask = lab_ask(&lab, 0);
    ck_assert(!lab_send(&lab, &ask).sent);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_DISCARD_UNKNOWN_SPI), 1);
    ask.mobile = second;
    granted(&ask);
}
END_TEST

START_TEST(sweep_frees_names)
{
    agent_sweep_begin(lab.agent);
    ck_assert_int_eq(set(2, lab_nai(1)), 0); /* it is 1's no more, as far as we have heard */
    ck_assert_int_eq(set(1, lab_nai(1)), -EEXIST);
    ck_assert_int_eq(set(1, NULL), 0);
    ck_assert_int_eq(set(3, NULL), 0);
    sweep(100);
    struct ask ask = lab_ask(&lab, 3);
    ask.q.home = ip("0.0.0.0");
    ask.nai = lab_nai(3);
    ck_assert(!lab_send(&lab, &ask).sent);
    ask = lab_ask(&lab, 2);
    ask.q.home = ip("0.0.0.0");
    ask.nai = lab_nai(1);
    granted(&ask);
}
END_TEST

START_TEST(sweep_removes_foreign_agents)
{
    agent_sweep_begin(lab.agent);
    for (size_t i = 0; i < LAB_MOBILES; i++)
        ck_assert_int_eq(set(i, lab_nai(i)), 0);
    sweep(100);
    struct ask ask = lab_ask_relayed(&lab, 0);
    ck_assert(!lab_send(&lab, &ask).sent);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_DISCARD_UNKNOWN_FOREIGN), 1);
}
END_TEST

/* Slots are reused, and a walk meets each binding once. */
START_TEST(walk_while_others_come_and_go)
{
    enum { MANY = 200 };
    for (size_t i = LAB_MOBILES; i < MANY; i++)
        ck_assert_int_eq(set(i, NULL), 0);
    for (size_t i = 0; i < MANY; i += 2) {
        struct ask ask = lab_ask(&lab, i % LAB_MOBILES);
        ask.q.home = lab_home(i);
        struct answer a = lab_send(&lab, &ask);
        if (a.reply.code == MIP4_IDENTIFICATION_MISMATCH) {
            ask.q.identification = a.reply.identification;
            granted(&ask);
        }
    }
    ck_assert_uint_eq(agent_bindings(lab.agent), MANY / 2);
    size_t cursor = 0, seen = 0;
    struct binding_view v;
    uint32_t last = 0;
    while (agent_binding_next(lab.agent, &cursor, 3, lab.now, &v)) {
        if (v.n_care_of == 0)
            continue;
        ck_assert_uint_gt(addr_ipv4(&v.home), last);
        last = addr_ipv4(&v.home);
        seen++;
        if (seen == 10) {
            const struct addr gone = lab_home(2); /* seen already */
            ck_assert(agent_revoke(lab.agent, &gone, lab.now));
            lab_drain(&lab);
        }
    }
    ck_assert_uint_eq(seen, MANY / 2);
}
END_TEST

START_TEST(many_come_and_go)
{
    for (int round = 0; round < 5; round++) {
        agent_sweep_begin(lab.agent);
        for (size_t i = 0; i < 5000; i += 1 + (size_t)round)
            ck_assert_int_eq(set(i, NULL), 0);
        sweep(64);
        ck_assert_uint_eq(agent_mobiles(lab.agent), (5000 + (size_t)round) / (1 + (size_t)round));
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mobile");
    TCase *associations = lab_case(suite, "associations");
    tcase_add_test(associations, same_home_again_is_one_mobile_node);
    tcase_add_test(associations, kept_key_keeps_its_replay_state);
    tcase_add_test(associations, replaced_key);
    tcase_add_test(associations, several_associations);
    tcase_add_test(associations, nai_belongs_to_one);
    TCase *sweeps = lab_case(suite, "sweep");
    tcase_add_test(sweeps, sweep_keeps_what_was_set_again);
    tcase_add_test(sweeps, sweep_removes_the_rest);
    tcase_add_test(sweeps, sweep_removes_single_associations);
    tcase_add_test(sweeps, sweep_frees_names);
    tcase_add_test(sweeps, sweep_removes_foreign_agents);
    tcase_add_test(sweeps, walk_while_others_come_and_go);
    tcase_add_test(sweeps, many_come_and_go);
    return check_main(suite);
}
