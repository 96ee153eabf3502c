/* SPDX-License-Identifier: BSD-3-Clause */
/* Secondaries that die, restart or meet the primary anew: doc/delegation-protocol.md, "State machines". */
#include "cast_check.h"

START_TEST(owner_dies)
{
    delegated(0, 0);
    cast.actors[0].gone = true;
    cast_wait_ms(&cast, 1000);
    ck_assert(!is_local(0));
    cast_wait_ms(&cast, 1500);
    ck_assert_ptr_null(holding(0, 0));
    ck_assert(owner(0) != cast_node(&cast, 0));
    ck_assert(owner(0) != NULL || is_local(0));
    ck_assert_uint_ge(cast_announcements(&cast, 0), 1);
    ck_assert_uint_eq(cast_node(&cast, 0)->n_owned, 0);
}
END_TEST

/* [S] The primary intercepts and announces until the other one has acknowledged. */
START_TEST(taken_over_by_another)
{
    delegated(0, 0);
    cast.actors[0].gone = true;
    cast.actors[1].withholds = true;
    struct agent *agent = cast.lab.agent;
    delegation_take_over(agent, cast_mobile(&cast, 0), cast_node(&cast, 1), cast.lab.now);
    cast_drain(&cast);
    ck_assert(is_local(0));
    ck_assert_uint_eq(cast_announcements(&cast, 0), 1);
    cast_wait_ms(&cast, 10);
    actor_release(&cast.actors[1]);
    ck_assert(!is_local(0));
    ck_assert_ptr_eq(owner(0), cast_node(&cast, 1));
}
END_TEST

/* Its bindings are let go of one at a time; a new session meanwhile does none of that at once, and nothing of
 * it is taken for the new session's. */
START_TEST(met_again_before_its_death_is_through)
{
    delegated(0, 0);
    delegated(1, 0);
    struct node *node = cast_node(&cast, 0);
    peer_end_session(cast.lab.agent, &node->peer);
    operations_node_dead(cast.lab.agent, node, cast.lab.now);
    delegation_changed(cast.lab.agent, cast_mobile(&cast, 0), cast.lab.now);
    actor_greet(&cast.actors[0]);
    ck_assert(peer_in_session(&node->peer));
    ck_assert_ptr_nonnull(holding(0, 0));
    ck_assert_ptr_nonnull(holding(1, 0));
    cast_wait_ms(&cast, 6000);
    for (size_t i = 0; i < 2; i++) {
        ck_assert(is_local(i));
        for (size_t n = 0; n < lines(0, i); n++)
            ck_assert(line(0, i, n)->is_stop);
    }
    ck_assert_uint_eq(node->n_owned, 0);
}
END_TEST

START_TEST(target_dies)
{
    delegated(0, 0);
    cast.actors[1].gone = true;
    cast_node(&cast, 1)->peer.flow.rto_us = 2000000; /* its START is not given up before */
    ck_assert_int_eq(move(0, 1), REFUSAL_DONE);
    cast_wait_ms(&cast, 4000);
    ck_assert_ptr_null(holding(0, 1));
    ck_assert_ptr_eq(owner(0), cast_node(&cast, 0));
    ck_assert_uint_ne(line(0, 0, 0)->start.flags & START_ANNOUNCE, 0);
    ck_assert_int_eq(move(0, 2), REFUSAL_DONE); /* what was open there is moot */
}
END_TEST

START_TEST(owner_restarts)
{
    delegated(0, 0);
    const uint64_t before = holding(0, 0)->generation;
    cast.actors[0].withholds = true;
    actor_restart(&cast.actors[0]);
    cast_wait_ms(&cast, 50);
    ck_assert_str_eq(state(0), "orphan");
    actor_release(&cast.actors[0]);
    cast_wait_ms(&cast, 50);
    ck_assert_str_eq(state(0), "delegated");
    ck_assert_ptr_eq(owner(0), cast_node(&cast, 0));
    ck_assert_uint_gt(line(0, 0, 0)->generation, before);
    ck_assert_uint_eq(cast_node(&cast, 0)->digest, cast.actors[0].digest);
    ck_assert_uint_ne(cast.actors[0].digest, 0);
}
END_TEST

/* [S] "every binding owned there is started again with a new generation, also those ... found right". */
START_TEST(owner_has_a_new_session)
{
    delegated(0, 0);
    const uint64_t before = holding(0, 0)->generation;
    actor_greet(&cast.actors[0]);
    cast_wait_ms(&cast, 200);
    ck_assert_uint_gt(line(0, 0, 0)->generation, before);
    ck_assert_uint_eq(line(0, 0, 0)->start.flags & START_ANNOUNCE, 0);
    ck_assert_str_eq(state(0), "delegated");
    ck_assert_uint_eq(holding(0, 0)->session, cast_node(&cast, 0)->sessions);
}
END_TEST

/* [S] What has no acknowledged START in the present session when a former one's lease is over is intercepted
 * and announced by the primary. */
START_TEST(no_start_in_the_new_session)
{
    delegated(0, 0);
    cast.actors[0].deaf = true;
    actor_greet(&cast.actors[0]);
    cast_node(&cast, 0)->peer.flow.rto_us = 2000000; /* the START is not given up before */
    cast_wait_ms(&cast, 1200);
    ck_assert(!is_local(0));
    cast_wait_ms(&cast, 600);
    ck_assert(is_local(0));
    ck_assert_uint_ge(cast_announcements(&cast, 0), 1);
    ck_assert_uint_ne(last_line(0, 0)->start.flags & START_ANNOUNCE, 0);
    ck_assert_str_eq(state(0), "starting"); /* make before break, the other way round */
    cast.actors[0].deaf = false;
    cast_wait_ms(&cast, 4000);
    ck_assert_str_eq(state(0), "delegated");
    ck_assert(!is_local(0));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("delegation, death and restart");
    TCase *tc = cast_case(suite, "death and restart");
    tcase_add_test(tc, owner_dies);
    tcase_add_test(tc, taken_over_by_another);
    tcase_add_test(tc, met_again_before_its_death_is_through);
    tcase_add_test(tc, target_dies);
    tcase_add_test(tc, owner_restarts);
    tcase_add_test(tc, owner_has_a_new_session);
    tcase_add_test(tc, no_start_in_the_new_session);
    return check_main(suite);
}
