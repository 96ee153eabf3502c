/* SPDX-License-Identifier: BSD-3-Clause */
/* What a primary does about one binding: doc/delegation-protocol.md, "State machines". */
#include "cast_check.h"

/* ---- Registration ---- */

START_TEST(after_registration)
{
    struct actor *a = &cast.actors[0];
    for (size_t i = 0; i < 3; i++)
        cast.actors[i].withholds = true;
    registers(0);
    ck_assert_uint_eq(cast_announcements(&cast, 0), 1);
    ck_assert_uint_eq(cast_replies(&cast), 1);
    ck_assert_str_eq(state(0), "starting");
    struct node *target = cast_mobile(&cast, 0)->delegation->target;
    while (cast_node(&cast, (size_t)(a - cast.actors)) != target)
        a++;
    /* P9: the primary goes on until the acknowledgement. */
    cast_wait_ms(&cast, 300);
    ck_assert(is_local(0));
    const struct line *start = actor_line(a, 0, 0);
    ck_assert(start != NULL && !start->is_stop);
    ck_assert_uint_eq(start->start.flags, START_ANNOUNCE | START_INTERCEPT | START_CO_LOCATED);
    const struct addr care_of = addr_from_ipv4(0xc000020a), source = ip("10.1.0.1");
    ck_assert(addr_equal(&start->start.care_of, &care_of));
    ck_assert(addr_equal(&start->start.source, &source));
    ck_assert_uint_le(start->start.duration_ms, LAB_LIFETIME * 1000);
    ck_assert_uint_gt(start->start.duration_ms, LAB_LIFETIME * 1000 - 50);
    ck_assert_uint_eq(start->start.encapsulation, ENCAPSULATION_IPIP);
    ck_assert_uint_eq(start->start.cookie, cast_mobile(&cast, 0)->newest);
    lab_forget(&cast.lab);
    actor_release(a);
    ck_assert(!is_local(0));
    ck_assert_str_eq(state(0), "delegated");
    cast_wait_ms(&cast, 5000);
    ck_assert_uint_eq(cast_announcements(&cast, 0), 0);      /* its own repeats are cancelled */
    ck_assert(agent_forwards(cast.lab.agent, &start->home)); /* the backstop stays */
}
END_TEST

START_TEST(nobody_to_delegate_to)
{
    set_when(WHEN_MANUAL);
    registers(0);
    ck_assert_ptr_null(cast_mobile(&cast, 0)->delegation);
    cast_wait_ms(&cast, 100);
    ck_assert_uint_eq(lines(0, 0) + lines(1, 0) + lines(2, 0), 0);
    ck_assert_str_eq(state(0), "local");
}
END_TEST

static size_t placed(size_t i)
{
    struct node *target = cast_mobile(&cast, i)->delegation->target;
    for (size_t k = 0; k < cast.n; k++)
        if (cast_node(&cast, k) == target)
            return k;
    ck_abort_msg("not placed");
}

START_TEST(on_registration)
{
    set_when(WHEN_ON_REGISTRATION);
    ck_assert(!cast_register(&cast, 0, 10));
    ck_assert(!is_local(0));
    ck_assert_uint_eq(cast_announcements(&cast, 0), 0);
    cast_wait_ms(&cast, 10);
    ck_assert_uint_eq(cast_replies(&cast), 1);
    ck_assert_str_eq(state(0), "delegated");
    cast_wait_ms(&cast, 1000);
    ck_assert_uint_eq(cast_replies(&cast), 0);
    ck_assert_uint_eq(lab_counter(&cast.lab, AGENT_REPLIES_LATE), 0);
}
END_TEST

static struct message reply_in(const struct cast *c)
{
    for (size_t i = 0; i < c->lab.n_log; i++)
        if (c->lab.log[i].kind == EFFECT_SEND && c->lab.log[i].send.source_port == MIP4_PORT)
            return c->lab.log[i].send;
    ck_abort_msg("no reply");
}

static const struct {
    const char *what;
    enum delegation_when when;
} ways[] = {
    {"on registration", WHEN_ON_REGISTRATION},
    {"after registration", WHEN_AFTER_REGISTRATION},
};

/* Mobile nodes see one ordinary home agent: what they are told is the same byte for byte, from the same
 * address, whether somebody else forwards for them or not; a first registration, a renewal, a move, and a
 * return. */
START_TEST(mobile_nodes_see_no_difference)
{
    static struct cast plain;
    cast_open(&plain, 3);
    set_when(ways[_i].when);
    for (int step = 0; step < 4; step++) {
        struct cast *both[] = {&plain, &cast};
        struct message reply[2];
        for (int k = 0; k < 2; k++) {
            struct ask ask = step < 3 ? lab_ask(&both[k]->lab, 0) : lab_ask_return(&both[k]->lab, 0);
            if (step == 2)
                ask.q.care_of = ask.source = ip("192.0.2.99");
            const bool at_once = cast_send(both[k], &ask);
            if (at_once)
                reply[k] = reply_in(both[k]);
            cast_wait_ms(both[k], 400);
            if (!at_once)
                reply[k] = reply_in(both[k]);
        }
        ck_assert_msg(reply[0].len == reply[1].len &&
                          memcmp(reply[0].bytes, reply[1].bytes, reply[0].len) == 0,
                      "%s, step %d", ways[_i].what, step);
        ck_assert(addr_equal(&reply[0].source, &reply[1].source));
        ck_assert(addr_equal(&reply[0].destination, &reply[1].destination));
        for (int k = 0; k < 2; k++)
            cast_wait_ms(both[k], 1000);
    }
    cast_close(&plain);
}
END_TEST

/* "A reply never waits more than 500 ms"; the START is then stopped as one given up. */
START_TEST(on_registration_unanswered)
{
    set_when(WHEN_ON_REGISTRATION);
    for (size_t k = 0; k < 3; k++) {
        cast.actors[k].deaf = true;
        cast_node(&cast, k)->peer.flow.rto_us = 200000; /* the START is not given up before */
    }
    ck_assert(!cast_register(&cast, 0, 10));
    const size_t k = placed(0);
    cast_wait_ms(&cast, 390);
    ck_assert_uint_eq(cast_replies(&cast), 0);
    ck_assert(!is_local(0));
    cast_wait_ms(&cast, 20);
    ck_assert_uint_eq(cast_replies(&cast), 1);
    ck_assert(is_local(0));
    ck_assert_uint_eq(cast_announcements(&cast, 0), 1);
    ck_assert(last_line(k, 0)->is_stop);
    ck_assert_uint_gt(last_line(k, 0)->generation, line(k, 0, 0)->generation);
    ck_assert_str_eq(state(0), "recalling");
}
END_TEST

START_TEST(on_registration_refused)
{
    set_when(WHEN_ON_REGISTRATION);
    for (size_t k = 0; k < 3; k++)
        cast.actors[k].start_status = STATUS_NO_RESOURCES;
    ck_assert(!cast_register(&cast, 0, 10));
    cast_wait_ms(&cast, 10);
    ck_assert_uint_eq(cast_replies(&cast), 1);
    ck_assert(is_local(0));
    cast_wait_ms(&cast, 1000);
    ck_assert_str_eq(state(0), "local");
    ck_assert_uint_eq(lines(0, 0) + lines(1, 0) + lines(2, 0), 2); /* one other was tried, no more */
}
END_TEST

/* "Same Identification: coalesced, not refused as a replay; a newer one wins, one reply". */
START_TEST(duplicates_while_held)
{
    set_when(WHEN_ON_REGISTRATION);
    for (size_t k = 0; k < 3; k++)
        cast.actors[k].withholds = true;
    struct ask ask = lab_ask(&cast.lab, 0);
    ck_assert(!cast_send(&cast, &ask));
    ck_assert(!cast_send(&cast, &ask));
    ck_assert_uint_eq(lab_counter(&cast.lab, AGENT_DUPLICATES), 1);
    struct ask newer = lab_ask(&cast.lab, 0);
    newer.source_port = 5001;
    ck_assert(!cast_send(&cast, &newer));
    cast_wait_ms(&cast, 50);
    ck_assert_uint_eq(cast_replies(&cast), 0);
    for (size_t k = 0; k < 3; k++)
        actor_release(&cast.actors[k]);
    ck_assert_uint_eq(cast_replies(&cast), 1);
    for (size_t i = 0; i < cast.lab.n_log; i++) {
        const struct effect *e = &cast.lab.log[i];
        if (e->kind == EFFECT_SEND && e->send.source_port == MIP4_PORT)
            ck_assert_uint_eq(e->send.destination_port, 5001);
    }
    cast_wait_ms(&cast, 1000);
    ck_assert_uint_eq(cast_replies(&cast), 0);
    ck_assert(cast_send(&cast, &newer)); /* nothing is held any more */
}
END_TEST

START_TEST(denied_while_held)
{
    set_when(WHEN_ON_REGISTRATION);
    cast.actors[0].withholds = cast.actors[1].withholds = cast.actors[2].withholds = true;
    ck_assert(!cast_register(&cast, 0, 10));
    struct ask bad = lab_ask(&cast.lab, 0);
    bad.mobile_wrong = true;
    ck_assert(cast_send(&cast, &bad)); /* 131 waits for nobody */
    cast_wait_ms(&cast, 500);
    ck_assert_uint_eq(cast_replies(&cast), 1);
}
END_TEST

/* [S] A primary without its store intercepts nothing before every secondary has synchronised, or lease + 250
 * ms have passed. */
static void boot_anew(void)
{
    static const uint8_t seed[AGENT_SEED] = {9};
    agent_destroy(cast.lab.agent);
    cast.lab.agent = agent_create(&cast.lab.settings, seed, cast.lab.now);
    cast_sweep(&cast, ~0u);
    lab_forget(&cast.lab);
}

START_TEST(registered_while_muted)
{
    for (size_t k = 0; k < 3; k++)
        cast.actors[k].gone = true;
    set_when(WHEN_MANUAL);
    boot_anew();
    cast_wait_ms(&cast, 1000);
    registers(0); /* accepted and replied to */
    ck_assert(!is_local(0));
    ck_assert_uint_eq(cast_announcements(&cast, 0), 0);
    cast_wait_ms(&cast, 700);
    ck_assert(!is_local(0));
    cast_wait_ms(&cast, 200);
    ck_assert(is_local(0));
    ck_assert_uint_ge(cast_announcements(&cast, 0), 1);
    ck_assert_ptr_null(cast_mobile(&cast, 0)->delegation);
}
END_TEST

START_TEST(muted_until_all_have_synchronised)
{
    for (size_t k = 0; k < 3; k++)
        cast.actors[k].gone = true;
    set_when(WHEN_MANUAL);
    boot_anew();
    cast_wait_ms(&cast, 10);
    registers(0);
    for (size_t k = 0; k < 3; k++) {
        ck_assert(!is_local(0));
        cast.actors[k].gone = false;
        actor_restart(&cast.actors[k]);
    }
    cast_wait_ms(&cast, 300);
    ck_assert(is_local(0));
}
END_TEST

/* ---- Changes ---- */

START_TEST(care_of_address_changes)
{
    delegated(0, 0);
    const uint64_t before = cast_mobile(&cast, 0)->delegation->holdings->generation;
    ck_assert(cast_register(&cast, 0, 11));
    cast_wait_ms(&cast, 2);
    const struct line *start = line(0, 0, 0);
    const struct addr care_of = addr_from_ipv4(0xc000020b);
    ck_assert(addr_equal(&start->start.care_of, &care_of));
    ck_assert_uint_gt(start->generation, before);
    ck_assert_uint_eq(start->start.flags & START_ANNOUNCE, 0);
    ck_assert_str_eq(state(0), "delegated");
    ck_assert_uint_eq(lines(0, 0), 1);
    ck_assert_uint_eq(cast_announcements(&cast, 0), 0);
}
END_TEST

START_TEST(renewal_and_end_of_one_care_of_address)
{
    cast.lab.settings.max_care_of = 3;
    cast_configure(&cast);
    delegated(0, 0);
    struct ask ask = lab_ask(&cast.lab, 0);
    ask.q.flags |= MIP4_SIMULTANEOUS;
    ask.q.care_of = addr_from_ipv4(0xc0000214);
    ask.q.lifetime_s = 100;
    ck_assert(cast_send(&cast, &ask));
    cast_wait_ms(&cast, 2);
    /* All records of the set in one datagram, with one generation. */
    ck_assert_uint_eq(lines(0, 0), 2);
    ck_assert_uint_eq(line(0, 0, 0)->generation, line(0, 0, 1)->generation);
    ck_assert_uint_eq(line(0, 0, 0)->datagram, line(0, 0, 1)->datagram);
    ck_assert_uint_eq(line(0, 0, 1)->start.index, 1);
    ck_assert_uint_eq(line(0, 0, 1)->start.count, 2);
    ck_assert_uint_eq(cast_node(&cast, 0)->digest, cast.actors[0].digest);
    forget();
    cast_wait_ms(&cast, 101000);
    ck_assert_uint_eq(lines(0, 0), 1);
    ck_assert_uint_eq(line(0, 0, 0)->start.count, 1);
    ck_assert_uint_eq(cast_node(&cast, 0)->digest, cast.actors[0].digest);
}
END_TEST

START_TEST(path_mtu_reaches_the_forwarder)
{
    delegated(0, 0);
    struct agent *agent = cast.lab.agent;
    tunnel_told_mtu(agent, cast_mobile(&cast, 0)->cares->tunnel, 1400, cast.lab.now);
    delegation_changed(agent, cast_mobile(&cast, 0), cast.lab.now);
    cast_wait_ms(&cast, 5);
    ck_assert_uint_eq(last_line(0, 0)->start.tunnel_mtu, 1400);
}
END_TEST

/* Keys are the primary's alone, so the forwarder hears whose home tests it is to leave to us; and when the
 * association has gone. */
START_TEST(home_tests_are_left_to_the_primary)
{
    delegated(0, 0);
    cast_mobile(&cast, 0)->cares->home_tests = true; /* an association of IPv6's is there */
    delegation_changed(cast.lab.agent, cast_mobile(&cast, 0), cast.lab.now);
    cast_wait_ms(&cast, 100);
    ck_assert_uint_eq(lines(0, 0), 1);
    ck_assert_uint_ne(last_line(0, 0)->start.flags & START_HOME_TESTS, 0);
    ck_assert_uint_eq(last_line(0, 0)->start.flags & START_ANNOUNCE, 0);
    cast_sweep(&cast, ~0u);
    cast_wait_ms(&cast, 100);
    ck_assert_uint_eq(lines(0, 0), 2);
    ck_assert_uint_eq(last_line(0, 0)->start.flags & START_HOME_TESTS, 0);
}
END_TEST

/* Durations of more than an hour are told again at half time, without announcement. */
START_TEST(long_lifetimes_are_renewed)
{
    cast.lab.settings.max_lifetime_s = MIP4_LIFETIME_INFINITE;
    set_when(WHEN_MANUAL);
    struct ask ask = lab_ask(&cast.lab, 0);
    ask.q.lifetime_s = MIP4_LIFETIME_INFINITE;
    ck_assert(cast_send(&cast, &ask));
    ck_assert_int_eq(move(0, 0), REFUSAL_DONE);
    cast_wait_ms(&cast, 1000);
    ck_assert_uint_eq(line(0, 0, 0)->start.duration_ms, DELEGATION_DURATION_MAX_MS);
    for (int i = 0; i < 3; i++) {
        actor_forget(&cast.actors[0]);
        cast_wait_ms(&cast, DELEGATION_DURATION_MAX_MS / 2);
        ck_assert_uint_eq(lines(0, 0), 1);
        ck_assert_uint_eq(line(0, 0, 0)->start.flags & START_ANNOUNCE, 0);
        ck_assert_uint_eq(line(0, 0, 0)->start.duration_ms, DELEGATION_DURATION_MAX_MS);
    }
}
END_TEST

/* The forwarder's entry does not end before the binding does, by however little that is longer. */
START_TEST(lifetime_hardly_longer_than_a_start)
{
    cast.lab.settings.max_lifetime_s = MIP4_LIFETIME_INFINITE;
    set_when(WHEN_MANUAL);
    struct ask ask = lab_ask(&cast.lab, 0);
    ask.q.lifetime_s = DELEGATION_DURATION_MAX_MS / 1000 + 1;
    ck_assert(cast_send(&cast, &ask));
    cast_wait_ms(&cast, 500);
    ck_assert_int_eq(move(0, 0), REFUSAL_DONE);
    cast_wait_ms(&cast, 1000);
    ck_assert_uint_eq(line(0, 0, 0)->start.duration_ms, DELEGATION_DURATION_MAX_MS);
    actor_forget(&cast.actors[0]);
    cast_wait_ms(&cast, DELEGATION_DURATION_MAX_MS - 5000);
    ck_assert_uint_eq(lines(0, 0), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("delegation");
    TCase *tc = cast_case(suite, "registration");
    tcase_add_test(tc, after_registration);
    tcase_add_test(tc, nobody_to_delegate_to);
    tcase_add_test(tc, on_registration);
    tcase_add_loop_test(tc, mobile_nodes_see_no_difference, 0, ROWS(ways));
    tcase_add_test(tc, on_registration_unanswered);
    tcase_add_test(tc, on_registration_refused);
    tcase_add_test(tc, duplicates_while_held);
    tcase_add_test(tc, denied_while_held);
    tcase_add_test(tc, registered_while_muted);
    tcase_add_test(tc, muted_until_all_have_synchronised);
    tc = cast_case(suite, "changes");
    tcase_add_test(tc, care_of_address_changes);
    tcase_add_test(tc, renewal_and_end_of_one_care_of_address);
    tcase_add_test(tc, path_mtu_reaches_the_forwarder);
    tcase_add_test(tc, home_tests_are_left_to_the_primary);
    tcase_add_test(tc, long_lifetimes_are_renewed);
    tcase_add_test(tc, lifetime_hardly_longer_than_a_start);
    return check_main(suite);
}
