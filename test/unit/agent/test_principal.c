/* SPDX-License-Identifier: BSD-3-Clause */
#include "deputy_check.h"
#include "heard.h"

static void setup_unmet(void)
{
    deputy_open(&deputy);
}

static bool is_greeting(void)
{
    deputy_forget(&deputy);
    deputy_wait(&deputy, 1200);
    return deputy_count(&deputy, 0, DELEGATION_HELLO) > 0;
}

/* ---- Greeting ---- */
START_TEST(greets_at_once_and_every_second)
{
    ck_assert_uint_eq(deputy_count(&deputy, 0, DELEGATION_HELLO), 1);
    ck_assert_uint_eq(deputy_count(&deputy, 1, DELEGATION_HELLO), 1);
    ck_assert_uint_eq(deputy.primaries[0].hello.role, HELLO_SECONDARY);
    ck_assert_uint_eq(deputy.primaries[0].hello.term, 0);
    deputy_wait(&deputy, 10000);
    ck_assert_uint_ge(deputy_count(&deputy, 0, DELEGATION_HELLO), 9);
    ck_assert_uint_le(deputy_count(&deputy, 0, DELEGATION_HELLO), 11);
}
END_TEST

START_TEST(first_datagram_is_a_keepalive)
{
    deputy_forget(&deputy);
    deputy_meet(&deputy, 0, false);
    ck_assert_uint_eq(deputy.n_heard, 1);
    ck_assert_uint_eq(deputy.heard[0].header.type, DELEGATION_KEEPALIVE);
    ck_assert_uint_eq(deputy.heard[0].header.sequence, 1);
}
END_TEST

START_TEST(greets_no_more_under_a_lease)
{
    deputy_wait(&deputy, 10000);
    ck_assert_uint_eq(deputy_count(&deputy, 0, DELEGATION_HELLO), 0);
    ck_assert_uint_eq(deputy_count(&deputy, 0, DELEGATION_KEEPALIVE), 20);
}
END_TEST

/* A lease is to outlive the loss of some: asked again every 200 ms until there is an answer. */
START_TEST(asks_again_soon_without_an_answer)
{
    deputy.primaries[0].deaf = true;
    deputy_forget(&deputy);
    deputy_wait(&deputy, 1000); /* at 500, 700 and 900 */
    ck_assert_uint_eq(deputy_count(&deputy, 0, DELEGATION_KEEPALIVE), 3);
    deputy_lease(&deputy, 0);
    deputy_forget(&deputy);
    deputy.primaries[0].deaf = false;
    deputy_wait(&deputy, 1500); /* at 1400, 1900 and 2400 */
    ck_assert_uint_eq(deputy_count(&deputy, 0, DELEGATION_KEEPALIVE), 3);
}
END_TEST

START_TEST(greets_when_the_lease_is_over)
{
    deputy.primaries[0].deaf = true;
    deputy_wait(&deputy, 1499);
    ck_assert_uint_eq(deputy_count(&deputy, 0, DELEGATION_HELLO), 0);
    deputy_wait(&deputy, 1);
    ck_assert_uint_eq(deputy_count(&deputy, 0, DELEGATION_HELLO), 1);
    ck_assert_uint_eq(deputy_counter(&deputy, AGENT_LEASES_LOST), 1);
    ck_assert(is_greeting());
    deputy.primaries[0].deaf = false;
    deputy_wait(&deputy, 500);
    ck_assert(!is_greeting());
}
END_TEST

/* It answers, but gives no lease: another session is asked for, in which it may. */
START_TEST(greets_when_a_lease_is_withheld)
{
    deputy_forget(&deputy);
    deputy_meet_again(&deputy, 0, false);
    deputy.primaries[0].deaf = true;
    for (int i = 0; i < 2; i++) {
        deputy_answer_without_lease(&deputy, 0);
        deputy_answer_without_lease(&deputy, 0); /* to what it asked at once */
        deputy_wait(&deputy, 500);
    }
    ck_assert_uint_ge(deputy_count(&deputy, 0, DELEGATION_HELLO), 1);
}
END_TEST

/* The primary may wait for that alone; or for something else, and then there is no hurry. */
START_TEST(tells_at_once_that_it_heard_an_answer_without_lease)
{
    deputy.primaries[0].deaf = true;
    deputy_wait(&deputy, 1500);
    deputy_forget(&deputy);
    deputy_wait(&deputy, 200);
    const struct heard *h = deputy_take(&deputy, 0, DELEGATION_KEEPALIVE);
    ck_assert_ptr_nonnull(h);
    const uint64_t asked = h->header.sequence;
    ck_assert_uint_lt(load_in(h).heard, asked);
    deputy_answer_without_lease(&deputy, 0);
    ck_assert_uint_eq(load_in(deputy_take(&deputy, 0, DELEGATION_KEEPALIVE)).heard, asked);
    ck_assert_uint_eq(deputy_count(&deputy, 0, DELEGATION_KEEPALIVE), 2);
    deputy_answer_without_lease(&deputy, 0);
    deputy_wait(&deputy, 499);
    ck_assert_uint_eq(deputy_count(&deputy, 0, DELEGATION_KEEPALIVE), 2);
    deputy_wait(&deputy, 1);
    ck_assert_uint_eq(deputy_count(&deputy, 0, DELEGATION_KEEPALIVE), 3);
}
END_TEST

START_TEST(tells_the_highest_term_obeyed)
{
    hold(0);
    deputy_forget(&deputy);
    deputy.primaries[0].deaf = true;
    deputy_wait(&deputy, 1500);
    ck_assert_uint_eq(deputy.primaries[0].hello.term, DEPUTY_TERM);
}
END_TEST

/* ---- Lease ---- */

/* The answer was long under way: the lease counts from the question. */
START_TEST(lease_counts_from_the_question)
{
    deputy.primaries[0].deaf = true;
    hold(0);
    deputy_wait(&deputy, 500);
    deputy_wait(&deputy, 199);
    deputy_lease(&deputy, 0); /* asked at 500 */
    deputy_wait(&deputy, 1300);
    ck_assert(intercepts(0)); /* 1999 */
    deputy_wait(&deputy, 1);
    ck_assert(!intercepts(0));
}
END_TEST

/* The answer was under way for longer than the lease is. */
START_TEST(lease_that_comes_too_late_is_none)
{
    hold(0);
    deputy.primaries[0].deaf = true;
    deputy.primaries[0].lease.lease_ms = 150;
    deputy_wait(&deputy, 2499);
    deputy_lease(&deputy, 0); /* asked at 2300 */
    ck_assert(!intercepts(0));
}
END_TEST

START_TEST(lease_of_no_time_is_none)
{
    deputy_meet_again(&deputy, 0, false);
    deputy.primaries[0].lease.lease_ms = 0;
    deputy_lease(&deputy, 0);
    struct delegation_start start = deputy_start_of(&deputy, 0, 0);
    ck_assert_uint_eq(deputy_do_start(&deputy, 0, &start).status, STATUS_NOT_ASSOCIATED);
}
END_TEST

/* The clock has passed the end, though nobody has called agent_expire yet. */
START_TEST(lease_is_over_to_the_moment)
{
    const struct arp request = {.operation = ARP_REQUEST,
                                .sender_mac = {{2, 9, 9, 9, 9, 9}},
                                .sender = ip("10.1.9.9"),
                                .target = deputy_home(0)};
    hold(0);
    struct instant then = deputy.now;
    then.mono_ns += DEPUTY_LEASE_MS * NSEC_PER_MS - 1;
    ck_assert(hear_arp(deputy.agent, &request, then));
    then.mono_ns++;
    ck_assert(!hear_arp(deputy.agent, &request, then));
    deputy.now = then;
    const struct delegation_start start = deputy_start_of(&deputy, 0, 1);
    ck_assert_uint_eq(deputy_do_start(&deputy, 0, &start).status, STATUS_NOT_ASSOCIATED);
}
END_TEST

/* ---- LOAD ---- */
START_TEST(load_tells_all)
{
    const struct agent_load own = {.capacity_pps = 1,
                                   .rx_pps = 2,
                                   .tx_pps = 3,
                                   .drop_pps = 4,
                                   .tx_kbps = 5,
                                   .busiest_permille = 6,
                                   .unknown_pps = 7};
    agent_load(deputy.agent, &own, deputy.now);
    const uint64_t g = hold(0);
    struct delegation_stop stop = deputy_stop_of(&deputy, 0, 1);
    deputy_do_stop(&deputy, 0, &stop);
    deputy_wait(&deputy, 4000);
    deputy.primaries[0].floor = g - 1;
    deputy_wait(&deputy, 500);
    const struct delegation_load load = load_told(0);
    const struct addr home = deputy_home(0), care_of = deputy_care_of(0);
    ck_assert_uint_eq(load.state, LOAD_READY);
    ck_assert_uint_eq(load.capacity_pps, 1);
    ck_assert_uint_eq(load.rx_pps, 2);
    ck_assert_uint_eq(load.tx_pps, 3);
    ck_assert_uint_eq(load.drop_pps, 4);
    ck_assert_uint_eq(load.tx_kbps, 5);
    ck_assert_uint_eq(load.busiest_permille, 6);
    ck_assert_uint_eq(load.unknown_pps, 7);
    ck_assert_uint_eq(load.bindings, 1);
    ck_assert_uint_eq(load.max_bindings, 64);
    ck_assert_uint_eq(load.tombstones, 1);
    ck_assert_uint_eq(load.floor, g - 1);
    ck_assert_uint_eq(load.uptime_s, 5);
    ck_assert_uint_eq(load.heard, deputy.heard[0].header.sequence - 1);
    ck_assert_uint_eq(load.digest, delegation_entry_digest(0, &home, g, &care_of, 1));
}
END_TEST

/* Heard is what was answered at all, with a lease or without. */
START_TEST(heard_in_the_session)
{
    deputy.primaries[0].deaf = true;
    deputy_wait(&deputy, 500);
    const uint64_t second = deputy.heard[deputy.n_heard - 1].header.sequence;
    ck_assert_uint_eq(load_told(0).heard, second - 1);
    const uint64_t last = deputy.heard[deputy.n_heard - 1].header.sequence;
    deputy_answer_without_lease(&deputy, 0);
    ck_assert_uint_eq(load_told(0).heard, last);
    deputy_forget(&deputy);
    deputy_meet_again(&deputy, 0, false);
    const struct heard *h = deputy_take(&deputy, 0, DELEGATION_KEEPALIVE);
    struct delegation_records records = deputy_records(h);
    struct delegation_record record;
    ck_assert(delegation_next(&records, &record));
    ck_assert_uint_eq(record.load.heard, 0);
    ck_assert_uint_eq(record.load.floor, 0);
}
END_TEST

/* XOR over active entries, leased or not; not over those that linger or only forward. */
START_TEST(digest_follows_the_entries)
{
    ck_assert_uint_eq(load_told(0).digest, 0);
    const uint64_t g0 = hold(0), g1 = hold(1);
    const struct addr homes[] = {deputy_home(0), deputy_home(1)};
    const struct addr care_ofs[] = {deputy_care_of(0), deputy_care_of(1)};
    const uint64_t d0 = delegation_entry_digest(0, &homes[0], g0, &care_ofs[0], 1);
    const uint64_t d1 = delegation_entry_digest(0, &homes[1], g1, &care_ofs[1], 1);
    ck_assert_uint_eq(load_told(0).digest, d0 ^ d1);
    /* refused: the contents are as they were */
    struct delegation_start start = deputy_start_of(&deputy, 0, 0);
    start.care_of = start.home;
    ck_assert_uint_eq(deputy_do_start(&deputy, 0, &start).status, STATUS_LOOP);
    ck_assert_uint_eq(load_told(0).digest, d0 ^ d1);
    struct delegation_stop stop = deputy_stop_of(&deputy, 0, 0);
    deputy_do_stop(&deputy, 0, &stop);
    ck_assert_uint_eq(load_told(0).digest, d1);
    start = deputy_start_of(&deputy, 0, 1);
    start.care_of = deputy_care_of(9);
    deputy_do_start(&deputy, 0, &start);
    ck_assert_uint_eq(load_told(0).digest,
                      delegation_entry_digest(0, &homes[1], start.generation, &start.care_of, 1));
    start.generation = deputy_next(&deputy, 0);
    start.flags = 0;
    deputy_do_start(&deputy, 0, &start);
    ck_assert_uint_eq(load_told(0).digest, 0);
}
END_TEST

/* ---- Two primaries, and none ---- */
START_TEST(primaries_have_terms_and_leases_of_their_own)
{
    deputy_meet(&deputy, 1, true);
    hold(0);
    struct delegation_start start = deputy_start_of(&deputy, 1, 1);
    start.generation = delegation_first_generation(1) + 1;
    ck_assert_uint_eq(deputy_do_start(&deputy, 1, &start).status, STATUS_OK);
    deputy.primaries[1].deaf = true;
    deputy_wait(&deputy, 2000);
    ck_assert(intercepts(0));
    ck_assert(!intercepts(1) && forwards(1));
}
END_TEST

static void sweep_without_one(void)
{
    const struct agent_peer two = deputy_peer(&deputy, 1);
    agent_sweep_begin(deputy.agent);
    ck_assert_int_eq(agent_peer_set(deputy.agent, &two), 0);
    while (agent_sweep(deputy.agent, 100, deputy.now))
        continue;
}

START_TEST(a_primary_dismissed_has_its_bindings_dropped)
{
    deputy_meet(&deputy, 1, true);
    for (unsigned i = 0; i < 20; i++)
        hold(i);
    struct delegation_start start = deputy_start_of(&deputy, 1, 30);
    deputy_do_start(&deputy, 1, &start);
    deputy_forget(&deputy);
    sweep_without_one();
    deputy_wait(&deputy, 10);
    ck_assert_uint_eq(deputy_effects(&deputy, EFFECT_REMOVE), 20);
    ck_assert_uint_eq(agent_bindings(deputy.agent), 1);
    ck_assert(intercepts(30));
    struct peer_view view;
    size_t cursor = 0, n = 0;
    while (agent_peer_next(deputy.agent, &cursor, deputy.now, &view))
        n++;
    ck_assert_uint_eq(n, 1);
}
END_TEST

/* While that takes its time, nobody asks for another session. */
START_TEST(a_primary_dismissed_is_not_greeted)
{
    for (unsigned i = 0; i < 20; i++)
        hold(i);
    deputy_forget(&deputy);
    sweep_without_one();
    deputy.now.mono_ns += DEPUTY_LEASE_MS * NSEC_PER_MS;
    for (int i = 0; i < 30 && deputy_counter(&deputy, AGENT_LEASES_LOST) == 0; i++)
        agent_expire(deputy.agent, deputy.now, 1);
    deputy_drain(&deputy);
    ck_assert_uint_eq(deputy_counter(&deputy, AGENT_LEASES_LOST), 1);
    ck_assert_uint_gt(agent_bindings(deputy.agent), 0);
    ck_assert_uint_eq(deputy_count(&deputy, 0, DELEGATION_HELLO), 0);
}
END_TEST

/* Tombstones too go in steps. */
START_TEST(a_primary_dismissed_has_its_tombstones_dropped)
{
    for (unsigned i = 0; i < 64; i++) {
        const struct delegation_stop stop = deputy_stop_of(&deputy, 0, i);
        ck_assert_uint_eq(deputy_do_stop(&deputy, 0, &stop).status, STATUS_OK_ABSENT);
    }
    sweep_without_one();
    ck_assert_uint_eq(agent_mobiles(deputy.agent), 64);
    deputy_wait(&deputy, 1);
    ck_assert_uint_eq(agent_mobiles(deputy.agent), 0);
}
END_TEST

/* Back before all is dropped: what is left lives on, and the next session's floor is its own. */
START_TEST(a_primary_dismissed_may_return)
{
    const struct agent_peer peers[] = {deputy_peer(&deputy, 0), deputy_peer(&deputy, 1)};
    for (unsigned i = 0; i < 20; i++)
        hold(i);
    sweep_without_one();
    agent_expire(deputy.agent, deputy.now, 3);
    agent_sweep_begin(deputy.agent);
    for (size_t i = 0; i < 2; i++)
        ck_assert_int_eq(agent_peer_set(deputy.agent, &peers[i]), 0);
    while (agent_sweep(deputy.agent, 100, deputy.now))
        continue;
    deputy_drain(&deputy);
    deputy_meet(&deputy, 0, true);
    hold(30);
    ck_assert(intercepts(30));
    ck_assert_uint_gt(agent_bindings(deputy.agent), 15);
}
END_TEST

/* Mobile nodes of ours there are none, and what was delegated is not of the configuration. */
START_TEST(a_sweep_leaves_what_is_delegated)
{
    const struct agent_peer peers[] = {deputy_peer(&deputy, 0), deputy_peer(&deputy, 1)};
    hold(0);
    agent_sweep_begin(deputy.agent);
    for (size_t i = 0; i < 2; i++)
        ck_assert_int_eq(agent_peer_set(deputy.agent, &peers[i]), 0);
    while (agent_sweep(deputy.agent, 100, deputy.now))
        continue;
    ck_assert(intercepts(0));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("principal");
    TCase *unmet = tcase_create("unmet");
    tcase_add_checked_fixture(unmet, setup_unmet, teardown);
    suite_add_tcase(suite, unmet);
    tcase_add_test(unmet, greets_at_once_and_every_second);
    tcase_add_test(unmet, first_datagram_is_a_keepalive);
    TCase *greeting = deputy_case(suite, "greeting");
    tcase_add_test(greeting, greets_no_more_under_a_lease);
    tcase_add_test(greeting, asks_again_soon_without_an_answer);
    tcase_add_test(greeting, greets_when_the_lease_is_over);
    tcase_add_test(greeting, greets_when_a_lease_is_withheld);
    tcase_add_test(greeting, tells_at_once_that_it_heard_an_answer_without_lease);
    tcase_add_test(greeting, tells_the_highest_term_obeyed);
    TCase *lease = deputy_case(suite, "lease");
    tcase_add_test(lease, lease_counts_from_the_question);
    tcase_add_test(lease, lease_that_comes_too_late_is_none);
    tcase_add_test(lease, lease_of_no_time_is_none);
    tcase_add_test(lease, lease_is_over_to_the_moment);
    TCase *load = deputy_case(suite, "load");
    tcase_add_test(load, load_tells_all);
    tcase_add_test(load, heard_in_the_session);
    tcase_add_test(load, digest_follows_the_entries);
    TCase *several = deputy_case(suite, "several");
    tcase_add_test(several, primaries_have_terms_and_leases_of_their_own);
    tcase_add_test(several, a_primary_dismissed_has_its_bindings_dropped);
    tcase_add_test(several, a_primary_dismissed_is_not_greeted);
    tcase_add_test(several, a_primary_dismissed_has_its_tombstones_dropped);
    tcase_add_test(several, a_primary_dismissed_may_return);
    tcase_add_test(several, a_sweep_leaves_what_is_delegated);
    return check_main(suite);
}
