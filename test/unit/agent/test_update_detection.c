/* SPDX-License-Identifier: BSD-3-Clause */
/* A binding update that waits for duplicate address detection: RFC 6275 section 10.3.1. */
#include "update_check.h"

static void somebody_has(const struct addr *a)
{
    const struct agent_neighbor n = {.mac = {{2, 9, 9, 9, 9, 9}}, .claimed = *a};
    lab_forget(&lab);
    agent_heard(lab.agent, &n, lab.now);
    lab_drain(&lab);
}

START_TEST(taken)
{
    const struct ask6 ask = lab6_ask(&lab, 0);
    ck_assert(!lab6_send(&lab, &ask).sent);
    lab_wait(&lab, 500 * NSEC_PER_MS);
    somebody_has(&ask.home);
    const struct answer6 a = lab6_answer(&lab, &ask);
    check_ack(&a, MIP6_DAD_FAILED, true);
    ck_assert_uint_eq(a.ack.sequence, ask.m.sequence);
    ck_assert_uint_eq(a.ack.lifetime, 0);
    in_order("S");
    wait_for_detection();
    in_order("");
    ck_assert_uint_eq(agent_bindings(lab.agent), 0);
    bind_node6(0); /* and begins again */
}
END_TEST

/* L: the link-local address of the same interface identifier is detected, too. */
START_TEST(link_local)
{
    const struct addr local = ip("fe80::100");
    struct ask6 ask = lab6_ask(&lab, 0);
    ck_assert(!lab6_send(&lab, &ask).sent);
    ck_assert(!lab_first(&lab, EFFECT_PROBE)->probe.link_local);
    somebody_has(&local);
    in_order(""); /* not asked for */
    wait_for_detection();
    ck_assert(lab6_answer(&lab, &ask).sent);
    ask = lab6_ask_return(&lab, 0);
    accepted(&ask);

    ask = lab6_ask(&lab, 0);
    ask.m.flags |= MIP6_LINK_LOCAL;
    ck_assert(!lab6_send(&lab, &ask).sent);
    ck_assert(lab_first(&lab, EFFECT_PROBE)->probe.link_local);
    somebody_has(&local);
    const struct answer6 a = lab6_answer(&lab, &ask);
    check_ack(&a, MIP6_DAD_FAILED, true);

    ask = lab6_ask(&lab, 0);
    ask.m.flags |= MIP6_LINK_LOCAL;
    accepted(&ask);
    ck_assert(lab_first(&lab, EFFECT_ANNOUNCE)->announce.link_local);
}
END_TEST

/* Section 11.8: what is sent again bears a new sequence number; one detection, and the newest is answered. */
static void absorbed(size_t i)
{
    const struct ask6 first = lab6_ask(&lab, i);
    ck_assert(!lab6_send(&lab, &first).sent);
    lab_wait(&lab, 400 * NSEC_PER_MS);
    struct ask6 second = lab6_ask(&lab, i);
    second.source = ip("2001:db8:c::42");
    ck_assert(!lab6_send(&lab, &second).sent);
    in_order("");
    ck_assert_uint_eq(lab_counter(&lab, AGENT_UPDATES_ABSORBED), 1);
    lab_wait(&lab, 600 * NSEC_PER_MS); /* a second from the first */
    const struct answer6 a = lab6_answer(&lab, &second);
    check_ack(&a, MIP6_ACCEPTED, true);
    ck_assert_uint_eq(a.ack.sequence, second.m.sequence);
    struct binding_view v;
    ck_assert(is_bound(i, &v));
    ck_assert(addr_equal(&v.care_of[0].address, &second.source));
}

START_TEST(retransmissions_are_absorbed)
{
    absorbed(_i == 0 ? 0 : LAB6_SEQUENCES);
}
END_TEST

/* One that was overtaken must not take the newer one's place. */
START_TEST(overtaken_retransmission)
{
    const size_t i = _i == 0 ? 0 : LAB6_SEQUENCES;
    const struct ask6 old = lab6_ask(&lab, i);
    const struct ask6 ask = lab6_ask(&lab, i);
    ck_assert(!lab6_send(&lab, &ask).sent);
    if (i == 0)
        ck_assert(!lab6_send(&lab, &old).sent);
    else
        refused(&old, MIP6_SEQUENCE);
    wait_for_detection();
    ck_assert_uint_eq(lab6_answer(&lab, &ask).ack.sequence, ask.m.sequence);
}
END_TEST

START_TEST(refusal_while_it_waits)
{
    const struct ask6 ask = lab6_ask(&lab, 0);
    ck_assert(!lab6_send(&lab, &ask).sent);
    struct ask6 router = lab6_ask(&lab, 0);
    mobile_router(&router);
    refused(&router, MIP6_NO_MOBILE_ROUTERS);
    wait_for_detection();
    const struct answer6 a = lab6_answer(&lab, &ask);
    check_ack(&a, MIP6_ACCEPTED, true);
}
END_TEST

START_TEST(end_while_it_waits)
{
    const size_t i = _i == 0 ? 0 : LAB6_SEQUENCES;
    const struct ask6 ask = lab6_ask(&lab, i);
    ck_assert(!lab6_send(&lab, &ask).sent);
    const struct ask6 end = lab6_ask_return(&lab, i);
    refused(&end, MIP6_NOT_HOME_AGENT);
    wait_for_detection();
    in_order("");
    /* nor does what comes late begin it again */
    refused(&ask, i == 0 ? MIP6_TIMESTAMP_MISMATCH : MIP6_SEQUENCE);
    wait_for_detection();
    ck_assert_uint_eq(agent_bindings(lab.agent), 0);
}
END_TEST

/* What was granted when it came may not be any more. */
START_TEST(configured_otherwise_while_it_waits)
{
    const struct ask6 ask = lab6_ask(&lab, 0);
    ck_assert(!lab6_send(&lab, &ask).sent);
    lab.settings.home_networks[2].addr = ip("2001:db8:77::");
    reconfigure();
    wait_for_detection();
    const struct answer6 a = lab6_answer(&lab, &ask);
    check_ack(&a, MIP6_NOT_HOME_SUBNET, true);
    ck_assert_uint_eq(agent_bindings(lab.agent), 0);
}
END_TEST

static void sweep(void)
{
    while (agent_sweep(lab.agent, 4, lab.now))
        continue;
    lab_drain(&lab);
}

START_TEST(key_replaced_while_it_waits)
{
    const struct ask6 ask = lab6_ask(&lab, 0);
    struct association other = lab6_association(0);
    other.spi = 5000;
    ck_assert(!lab6_send(&lab, &ask).sent);
    agent_sweep_begin(lab.agent);
    ck_assert_int_eq(agent_mobile_set(lab.agent, &ask.home, &other, NULL), 0);
    sweep();
    wait_for_detection();
    in_order("");
    ck_assert_uint_eq(agent_bindings(lab.agent), 0);
}
END_TEST

START_TEST(mobile_node_removed_while_it_waits)
{
    const struct ask6 ask = lab6_ask(&lab, 0);
    ck_assert(!lab6_send(&lab, &ask).sent);
    agent_sweep_begin(lab.agent);
    sweep();
    ck_assert_uint_eq(agent_mobiles(lab.agent), 0);
    wait_for_detection();
    in_order("");
}
END_TEST

START_TEST(last_place_taken_while_it_waits)
{
    lab.settings.max_bindings = 1;
    reconfigure();
    const struct ask6 ask = lab6_ask(&lab, 0);
    ck_assert(!lab6_send(&lab, &ask).sent);
    lab_wait(&lab, 100 * NSEC_PER_MS);
    const struct ask6 late_one = lab6_ask(&lab, 1);
    ck_assert(!lab6_send(&lab, &late_one).sent);
    lab_wait(&lab, 900 * NSEC_PER_MS);
    ck_assert_uint_eq(lab6_answer(&lab, &ask).ack.status, MIP6_ACCEPTED);
    lab_wait(&lab, 100 * NSEC_PER_MS);
    ck_assert_uint_eq(lab6_answer(&lab, &late_one).ack.status, MIP6_NO_RESOURCES);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("binding updates that wait");
    TCase *t = lab6_case(suite, "duplicate address detection");
    tcase_add_test(t, taken);
    tcase_add_test(t, link_local);
    tcase_add_loop_test(t, retransmissions_are_absorbed, 0, 2);
    tcase_add_loop_test(t, overtaken_retransmission, 0, 2);
    tcase_add_test(t, refusal_while_it_waits);
    tcase_add_loop_test(t, end_while_it_waits, 0, 2);
    tcase_add_test(t, configured_otherwise_while_it_waits);
    tcase_add_test(t, key_replaced_while_it_waits);
    tcase_add_test(t, mobile_node_removed_while_it_waits);
    tcase_add_test(t, last_place_taken_while_it_waits);
    return check_main(suite);
}
