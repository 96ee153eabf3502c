/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a primary has its secondaries do, over a network that loses and delays: doc/delegation-protocol.md,
 * "Principles", "Generations", "Timers, flow control, liveness". Mobile nodes 0 to 3 are used: their
 * timestamps need no agreement first.
 */
#include "cast_check.h"

enum { MANY = 4 };

static void registered(size_t n)
{
    set_when(WHEN_MANUAL);
    for (size_t i = 0; i < n; i++)
        ck_assert(cast_register(&cast, i, (uint8_t)(10 + i)));
    cast_wait_ms(&cast, 4000);
    forget();
}

static void start_all(size_t n, size_t to)
{
    for (size_t i = 0; i < n; i++)
        ck_assert_int_eq(move(i, to), REFUSAL_DONE);
}

/* ---- Batches ---- */
START_TEST(starts_share_a_datagram)
{
    registered(MANY);
    const uint64_t at = cast.lab.now.mono_ns;
    start_all(MANY, 0);
    cast_wait_ms(&cast, 4);
    ck_assert_uint_eq(lines(0, 0), 0);
    cast_wait_ms(&cast, 1);
    for (size_t i = 0; i < MANY; i++) {
        ck_assert_uint_eq(line(0, i, 0)->datagram, line(0, 0, 0)->datagram);
        ck_assert_uint_eq(line(0, i, 0)->at_ns, at + 5 * NSEC_PER_MS);
    }
    ck_assert_uint_eq(lab_counter(&cast.lab, AGENT_STARTS_ACKNOWLEDGED), MANY);
}
END_TEST

/* "START and STOP" are types of their own; stops and care-of changes go first, and wait 1 ms at most. */
START_TEST(urgent_ones_go_first)
{
    delegated(0, 0);
    registered(MANY);
    for (size_t i = 1; i < MANY; i++)
        ck_assert_int_eq(move(i, 0), REFUSAL_DONE);
    const uint64_t at = cast.lab.now.mono_ns;
    ck_assert_int_eq(recall(0), REFUSAL_DONE);
    cast_wait_ms(&cast, 10);
    ck_assert(line(0, 0, 0)->is_stop);
    ck_assert_uint_eq(line(0, 0, 0)->at_ns, at + NSEC_PER_MS);
    ck_assert_uint_gt(line(0, 1, 0)->datagram, line(0, 0, 0)->datagram);
}
END_TEST

/* Principle 1: a retransmission is rebuilt; superseded records vanish, the remaining duration is computed
 * anew. */
START_TEST(retransmission_is_rebuilt)
{
    registered(2);
    cast.actors[0].deaf = true;
    cast_node(&cast, 0)->peer.flow.rto_us = 1000000;
    start_all(2, 0);
    cast_wait_ms(&cast, 100);
    const struct line first = *line(0, 0, 0);
    const uint64_t superseded = line(0, 1, 0)->generation;
    ck_assert_uint_eq(first.datagram, line(0, 1, 0)->datagram);
    ck_assert(cast_register(&cast, 1, 20));
    cast_wait_ms(&cast, 50);
    const struct line *changed = line(0, 1, 1);
    ck_assert_uint_gt(changed->generation, superseded);
    /* [S] It supersedes an unacknowledged START that announces. */
    ck_assert_uint_ne(changed->start.flags & START_ANNOUNCE, 0);
    cast_wait_ms(&cast, 1000);
    const struct line *again = line(0, 0, 1);
    ck_assert_uint_eq(again->generation, first.generation);
    ck_assert_uint_le(again->start.duration_ms, first.start.duration_ms - 900);
    for (size_t i = 1; i < lines(0, 1); i++) {
        ck_assert_uint_ne(line(0, 1, i)->generation, superseded);
        ck_assert_uint_ne(line(0, 1, i)->datagram, again->datagram);
    }
}
END_TEST

START_TEST(superseded_as_a_whole)
{
    registered(1);
    cast.actors[0].deaf = true;
    start_all(1, 0);
    cast_wait_ms(&cast, 6);
    ck_assert_int_eq(recall(0), REFUSAL_DONE);
    cast_wait_ms(&cast, 2);
    ck_assert(line(0, 0, 1)->is_stop);
    cast_wait_ms(&cast, 2000);
    for (size_t i = 1; i < lines(0, 0); i++)
        ck_assert(line(0, 0, i)->is_stop);
    ck_assert_uint_eq(cast_node(&cast, 0)->peer.flow.n_open, 1);
}
END_TEST

START_TEST(window)
{
    registered(3);
    struct flow *flow = &cast_node(&cast, 0)->peer.flow;
    flow->window = 256; /* one datagram */
    flow->rto_us = 1000000;
    cast.actors[0].withholds = true;
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(move(i, 0), REFUSAL_DONE);
        cast_wait_ms(&cast, 10);
    }
    ck_assert_uint_eq(lines(0, 0), 1);
    ck_assert_uint_eq(lines(0, 1) + lines(0, 2), 0);
    actor_release(&cast.actors[0]);
    cast_wait_ms(&cast, 1);
    ck_assert_uint_eq(lines(0, 1), 1);
    ck_assert_uint_eq(line(0, 1, 0)->datagram, line(0, 2, 0)->datagram);
}
END_TEST

/* ---- Trying ---- */

/* [S] After 4 tries a START is given up, and a STOP with a new generation follows. */
START_TEST(start_is_given_up)
{
    registered(1);
    cast.actors[0].deaf = true;
    start_all(1, 0);
    cast_wait_ms(&cast, 2000);
    size_t starts = 0;
    while (!line(0, 0, starts)->is_stop)
        starts++;
    ck_assert_uint_eq(starts, 4);
    ck_assert_uint_gt(line(0, 0, 4)->generation, line(0, 0, 0)->generation);
    ck_assert_uint_eq(lab_counter(&cast.lab, AGENT_STARTS_GIVEN_UP), 1);
    ck_assert(is_local(0));
    ck_assert_str_eq(state(0), "recalling");
}
END_TEST

/* [S] "Never given up by time". */
START_TEST(stop_is_not_given_up)
{
    delegated(0, 0);
    cast.actors[0].deaf = true;
    ck_assert_int_eq(recall(0), REFUSAL_DONE);
    cast_wait_ms(&cast, 9000);
    const size_t tries = lines(0, 0);
    ck_assert_uint_gt(tries, 6);
    for (size_t i = 0; i < tries; i++)
        ck_assert_uint_eq(line(0, 0, i)->generation, line(0, 0, 0)->generation);
    cast.actors[0].deaf = false;
    cast_wait_ms(&cast, 4000);
    ck_assert_str_eq(state(0), "local");
}
END_TEST

/* [S] "A STOP answered NO_RESOURCES is asked again with a new generation (else the floor never rises)". */
START_TEST(stop_without_resources)
{
    delegated(0, 0);
    cast.actors[0].stop_status = STATUS_NO_RESOURCES;
    cast.actors[0].refusals = 3;
    ck_assert_int_eq(recall(0), REFUSAL_DONE);
    cast_wait_ms(&cast, 5000);
    ck_assert_uint_eq(lines(0, 0), 4);
    for (size_t i = 1; i < 4; i++)
        ck_assert_uint_gt(line(0, 0, i)->generation, line(0, 0, i - 1)->generation);
    ck_assert_uint_gt(line(0, 0, 2)->at_ns, line(0, 0, 1)->at_ns + 100 * NSEC_PER_MS); /* no storm */
    ck_assert_str_eq(state(0), "local");
    cast_wait_ms(&cast, 1000);
    ck_assert_uint_ge(cast.actors[0].floor, line(0, 0, 3)->generation);
}
END_TEST

START_TEST(start_before_the_lease)
{
    registered(1);
    cast.actors[0].start_status = STATUS_NOT_ASSOCIATED;
    cast.actors[0].refusals = 2;
    start_all(1, 0);
    cast_wait_ms(&cast, 1000);
    ck_assert_uint_eq(lines(0, 0), 3);
    ck_assert_uint_ne(line(0, 0, 2)->start.flags & START_ANNOUNCE, 0);
    ck_assert_str_eq(state(0), "delegated");
}
END_TEST

START_TEST(never_a_lease)
{
    registered(1);
    cast.actors[0].start_status = STATUS_NOT_ASSOCIATED;
    start_all(1, 0);
    cast_wait_ms(&cast, 3000);
    ck_assert_uint_eq(lines(0, 0), 5);
    ck_assert(line(0, 0, 4)->is_stop);
    ck_assert(is_local(0));
}
END_TEST

/* ---- Generations ---- */
START_TEST(stale_is_overtaken)
{
    delegated(0, 0);
    const uint64_t held = cast.lab.agent->generation + 1000;
    cast.actors[0].told_held = held;
    cast.actors[0].start_status = STATUS_STALE;
    cast.actors[0].refusals = 1;
    ck_assert(cast_register(&cast, 0, 12));
    cast_wait_ms(&cast, 20);
    ck_assert_uint_eq(lines(0, 0), 2);
    ck_assert_uint_gt(line(0, 0, 1)->generation, held);
    ck_assert_str_eq(state(0), "delegated");
}
END_TEST

START_TEST(fenced_by_a_higher_term)
{
    delegated(0, 0);
    const uint32_t term = cast.lab.agent->term;
    cast.actors[0].told_held = delegation_first_generation(term + 5);
    cast.actors[0].stop_status = STATUS_FENCED;
    cast.actors[0].refusals = 1;
    ck_assert_int_eq(recall(0), REFUSAL_DONE);
    cast_wait_ms(&cast, 20);
    ck_assert_uint_eq(lines(0, 0), 2);
    ck_assert_uint_gt(cast.lab.agent->term, term + 5);
    ck_assert_uint_eq(delegation_term(line(0, 0, 1)->generation), cast.lab.agent->term);
}
END_TEST

/* Who says FENCED for ever causes no storm, and no run through the terms. */
START_TEST(fenced_for_ever)
{
    registered(1);
    const uint32_t term = cast.lab.agent->term;
    cast.actors[0].start_status = STATUS_FENCED;
    start_all(1, 0);
    cast_wait_ms(&cast, 3000);
    ck_assert_uint_eq(lines(0, 0), 5);
    ck_assert(line(0, 0, 4)->is_stop);
    ck_assert_uint_le(cast.lab.agent->term, term + 4);
}
END_TEST

START_TEST(late_acknowledgement_of_what_was_superseded)
{
    registered(1);
    cast.actors[0].withholds = true;
    cast_node(&cast, 0)->peer.flow.rto_us = 1000000;
    start_all(1, 0);
    cast_wait_ms(&cast, 6);
    ck_assert_int_eq(recall(0), REFUSAL_DONE);
    cast.actors[0].deaf = true;
    actor_release(&cast.actors[0]);
    cast_wait_ms(&cast, 10);
    ck_assert(holding(0, 0)->open); /* it was the START's */
    ck_assert_str_eq(state(0), "recalling");
}
END_TEST

static void start_and_stop_are_apart(const struct actor *a)
{
    for (size_t i = 0; i < a->n_lines; i++)
        for (size_t k = 0; k < a->n_lines; k++)
            if (a->lines[i].is_stop != a->lines[k].is_stop)
                ck_assert_uint_ne(a->lines[i].generation, a->lines[k].generation);
}

/* "every operation takes a new one, and no START ever bears a STOP's". */
START_TEST(every_operation_has_its_own)
{
    registered(MANY);
    start_all(MANY, 0);
    cast_wait_ms(&cast, 20);
    start_all(2, 1);
    cast_wait_ms(&cast, 20);
    ck_assert(cast_register(&cast, 0, 30));
    cast_wait_ms(&cast, 20);
    uint64_t seen[64];
    size_t n = 0;
    for (size_t k = 0; k < 2; k++) {
        start_and_stop_are_apart(&cast.actors[k]);
        for (size_t i = 0; i < cast.actors[k].n_lines; i++) {
            for (size_t j = 0; j < n; j++)
                ck_assert_uint_ne(seen[j], cast.actors[k].lines[i].generation);
            seen[n++] = cast.actors[k].lines[i].generation;
        }
    }
    ck_assert_uint_eq(n, MANY + 2 + 2 + 2);
}
END_TEST

/* F is below every operation issued for this secondary that is not acknowledged or superseded. */
START_TEST(floor_is_below_what_is_open)
{
    registered(MANY);
    struct agent *agent = cast.lab.agent;
    struct node *node = cast_node(&cast, 0);
    ck_assert_uint_eq(operations_floor(agent, node), agent->generation);
    cast.actors[0].deaf = true;
    start_all(2, 0);
    const uint64_t first = holding(0, 0)->generation, second = holding(1, 0)->generation;
    ck_assert_uint_eq(operations_floor(agent, node), first - 1); /* queued counts as well */
    ck_assert_uint_eq(operations_floor(agent, cast_node(&cast, 1)), agent->generation);
    ck_assert(cast_register(&cast, 0, 22)); /* supersedes the first */
    ck_assert_uint_eq(operations_floor(agent, node), second - 1);
    cast_wait_ms(&cast, 100);
    cast.actors[0].deaf = false;
    cast_wait_ms(&cast, 2000);
    ck_assert_uint_eq(operations_floor(agent, node), agent->generation);
    ck_assert_uint_eq(cast.actors[0].floor, agent->generation);
}
END_TEST

/* "0 until SYNC has ended". */
START_TEST(floor_before_synchronisation)
{
    registered(1);
    start_all(1, 0);
    cast_wait_ms(&cast, 20);
    struct node *node = cast_node(&cast, 0);
    ck_assert_uint_ne(operations_floor(cast.lab.agent, node), 0);
    node->synchronised = false;
    ck_assert_uint_eq(operations_floor(cast.lab.agent, node), 0);
}
END_TEST

/* ---- Sessions ---- */

/* [S] "What is sent again after a change of session bears new generations". */
START_TEST(open_ones_in_a_new_session)
{
    delegated(0, 0);
    cast.actors[0].deaf = true;
    ck_assert_int_eq(recall(0), REFUSAL_DONE);
    cast_wait_ms(&cast, 100);
    const uint64_t before = last_line(0, 0)->generation;
    forget();
    cast.actors[0].deaf = false;
    actor_greet(&cast.actors[0]);
    cast_wait_ms(&cast, 500);
    ck_assert_uint_ge(lines(0, 0), 1);
    for (size_t i = 0; i < lines(0, 0); i++)
        ck_assert_uint_gt(line(0, 0, i)->generation, before);
    ck_assert_str_eq(state(0), "local");
}
END_TEST

/* What lingered at a secondary that lost its table lingers no more, and what was to be stopped is. */
START_TEST(stop_at_a_restarted_node)
{
    delegated(0, 0);
    cast.actors[0].deaf = true;
    ck_assert_int_eq(recall(0), REFUSAL_DONE);
    cast_wait_ms(&cast, 100);
    cast.actors[0].deaf = false;
    actor_restart(&cast.actors[0]);
    cast_wait_ms(&cast, 500);
    ck_assert_ptr_null(cast_mobile(&cast, 0)->delegation);
    ck_assert_ptr_null(cast_node(&cast, 0)->holdings);
}
END_TEST

/* [S] A STOP of what synchronisation found too much: when it is acknowledged, the owner announces again. */
START_TEST(stop_of_a_surprise)
{
    delegated(0, 0);
    const struct operation stop = {.wish = WISH_STOP, .order = SEND_URGENT, .reason = STOP_MOVED};
    struct delegation *d = cast_mobile(&cast, 0)->delegation;
    ck_assert(operation_issue(cast.lab.agent, d, cast_node(&cast, 1), &stop, cast.lab.now));
    ck_assert(holding(0, 1)->may_intercept);
    cast_wait_ms(&cast, 50);
    ck_assert_uint_eq(lines(1, 0), 1);
    ck_assert_uint_eq(lines(0, 0), 1);
    ck_assert_uint_ne(line(0, 0, 0)->start.flags & START_ANNOUNCE, 0);
    ck_assert_ptr_null(holding(0, 1));
}
END_TEST

START_TEST(digest_follows)
{
    registered(MANY);
    start_all(MANY, 0);
    cast_wait_ms(&cast, 20);
    struct node *node = cast_node(&cast, 0);
    ck_assert_uint_ne(node->digest, 0);
    ck_assert_uint_eq(node->digest, cast.actors[0].digest);
    ck_assert(cast_register(&cast, 1, 40));
    cast_wait_ms(&cast, 20);
    ck_assert_uint_eq(node->digest, cast.actors[0].digest);
    ck_assert_int_eq(recall(2), REFUSAL_DONE);
    cast_wait_ms(&cast, 20);
    ck_assert_uint_eq(node->digest, cast.actors[0].digest);
    ck_assert_uint_eq(lab_counter(&cast.lab, AGENT_SYNCHRONISATIONS), 3); /* the sessions' first ones */
}
END_TEST

START_TEST(over)
{
    struct node *node = cast_node(&cast, 0);
    ck_assert(operations_are_over(node));
    registered(1);
    start_all(1, 0);
    ck_assert(!operations_are_over(node));
    cast_wait_ms(&cast, 20);
    ck_assert_uint_eq(node->n_owned, 1);
    ck_assert_int_eq(recall(0), REFUSAL_DONE);
    cast_wait_ms(&cast, 20);
    ck_assert(!operations_are_over(node));
    cast_wait_ms(&cast, 31000);
    ck_assert(operations_are_over(node));
    ck_assert_uint_eq(node->n_owned + node->n_targeted + node->n_lingering + node->n_open, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("operation");
    TCase *tc = cast_case(suite, "batches");
    tcase_add_test(tc, starts_share_a_datagram);
    tcase_add_test(tc, urgent_ones_go_first);
    tcase_add_test(tc, retransmission_is_rebuilt);
    tcase_add_test(tc, superseded_as_a_whole);
    tcase_add_test(tc, window);
    tc = cast_case(suite, "trying");
    tcase_add_test(tc, start_is_given_up);
    tcase_add_test(tc, stop_is_not_given_up);
    tcase_add_test(tc, stop_without_resources);
    tcase_add_test(tc, start_before_the_lease);
    tcase_add_test(tc, never_a_lease);
    tc = cast_case(suite, "generations");
    tcase_add_test(tc, stale_is_overtaken);
    tcase_add_test(tc, fenced_by_a_higher_term);
    tcase_add_test(tc, fenced_for_ever);
    tcase_add_test(tc, late_acknowledgement_of_what_was_superseded);
    tcase_add_test(tc, every_operation_has_its_own);
    tcase_add_test(tc, floor_is_below_what_is_open);
    tcase_add_test(tc, floor_before_synchronisation);
    tc = cast_case(suite, "sessions");
    tcase_add_test(tc, open_ones_in_a_new_session);
    tcase_add_test(tc, stop_at_a_restarted_node);
    tcase_add_test(tc, stop_of_a_surprise);
    tcase_add_test(tc, digest_follows);
    tcase_add_test(tc, over);
    return check_main(suite);
}
