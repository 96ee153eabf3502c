/* SPDX-License-Identifier: BSD-3-Clause */
/* Moves of one binding between secondaries: doc/delegation-protocol.md, "State machines". */
#include "cast_check.h"

START_TEST(make_before_break)
{
    delegated(0, 0);
    cast.actors[1].withholds = true;
    ck_assert_int_eq(move(0, 1), REFUSAL_DONE);
    ck_assert_int_eq(move(0, 1), REFUSAL_ALREADY);
    ck_assert_str_eq(state(0), "moving");
    cast_wait_ms(&cast, 50);
    ck_assert_uint_eq(lines(0, 0), 0); /* the old one is not stopped yet */
    ck_assert_uint_ne(line(1, 0, 0)->start.flags & START_ANNOUNCE, 0);
    actor_release(&cast.actors[1]);
    cast_wait_ms(&cast, 5);
    ck_assert_ptr_eq(owner(0), cast_node(&cast, 1));
    const struct line *stop = line(0, 0, 0);
    ck_assert(stop->is_stop);
    ck_assert_uint_eq(stop->stop.mode, STOP_LINGER);
    ck_assert_uint_eq(stop->stop.reason, STOP_MOVED);
    ck_assert_uint_eq(stop->stop.linger_ds, 300);
    ck_assert_uint_eq(actor_entry(&cast.actors[0], 0)->state, HELD_FORWARD_ONLY);
    ck_assert_uint_eq(cast_node(&cast, 0)->n_lingering, 1);
    ck_assert(!is_local(0));
    /* It leaves the set a second after its linger. */
    cast_wait_ms(&cast, 30900);
    ck_assert_ptr_nonnull(holding(0, 0));
    cast_wait_ms(&cast, 200);
    ck_assert_ptr_null(holding(0, 0));
    ck_assert_uint_eq(cast_node(&cast, 0)->n_lingering, 0);
    ck_assert_uint_eq(cast_node(&cast, 0)->n_owned, 0);
    ck_assert_uint_eq(cast_node(&cast, 1)->n_owned, 1);
    ck_assert_uint_eq(cast_node(&cast, 0)->digest, 0);
}
END_TEST

START_TEST(recall_to_the_primary)
{
    delegated(0, 0);
    cast.actors[0].withholds = true;
    ck_assert_int_eq(recall(0), REFUSAL_DONE);
    cast_drain(&cast);
    ck_assert(is_local(0)); /* own interception and announcement first, then STOP */
    ck_assert_uint_eq(cast_announcements(&cast, 0), 1);
    ck_assert_uint_eq(lines(0, 0), 0);
    ck_assert_str_eq(state(0), "recalling");
    cast_wait_ms(&cast, 5);
    ck_assert_uint_eq(line(0, 0, 0)->stop.mode, STOP_LINGER);
    actor_release(&cast.actors[0]);
    ck_assert_str_eq(state(0), "local");
    ck_assert_int_eq(recall(0), REFUSAL_ALREADY);
    cast_wait_ms(&cast, 32000);
    ck_assert_ptr_null(cast_mobile(&cast, 0)->delegation);
}
END_TEST

/* [S] "to every lingering node (forward only)", for at most the linger time left by our count. */
START_TEST(lingering_nodes_hear_of_changes)
{
    delegated(0, 0);
    ck_assert_int_eq(move(0, 1), REFUSAL_DONE);
    cast_wait_ms(&cast, 10000);
    forget();
    ck_assert(cast_register(&cast, 0, 12));
    cast_wait_ms(&cast, 5);
    const struct addr care_of = addr_from_ipv4(0xc000020c);
    const struct line *lingering = line(0, 0, 0);
    ck_assert(!lingering->is_stop && addr_equal(&lingering->start.care_of, &care_of));
    ck_assert_uint_eq(lingering->start.flags & (START_INTERCEPT | START_ANNOUNCE), 0);
    ck_assert_uint_le(lingering->start.duration_ms, 20010);
    ck_assert_uint_ge(lingering->start.duration_ms, 19900);
    ck_assert_uint_eq(lines(1, 0), 1);
    cast_wait_ms(&cast, 22000);
    ck_assert_ptr_null(holding(0, 0));
}
END_TEST

/* [S] "the whole of it while the STOP is unacknowledged". */
START_TEST(linger_counts_from_the_acknowledgement)
{
    delegated(0, 0);
    cast.actors[0].deaf = true;
    ck_assert_int_eq(move(0, 1), REFUSAL_DONE);
    cast_wait_ms(&cast, 10000);
    forget();
    ck_assert(cast_register(&cast, 0, 12));
    cast_wait_ms(&cast, 5);
    ck_assert_uint_eq(line(0, 0, 0)->start.duration_ms, 30000);
    ck_assert_uint_eq(line(0, 0, 0)->start.flags & START_INTERCEPT, 0);
}
END_TEST

/* [S] "a voluntary one begins only when no operation of this binding is unacknowledged at another node". */
START_TEST(one_move_at_a_time)
{
    delegated(0, 0);
    cast.actors[0].deaf = true;
    ck_assert_int_eq(move(0, 1), REFUSAL_DONE);
    cast_wait_ms(&cast, 50);
    ck_assert_ptr_eq(owner(0), cast_node(&cast, 1));
    ck_assert_int_eq(move(0, 2), REFUSAL_BUSY);
    ck_assert_int_eq(recall(0), REFUSAL_BUSY);
    cast.actors[0].deaf = false;
    cast_wait_ms(&cast, 1000);
    ck_assert_int_eq(move(0, 2), REFUSAL_DONE);
}
END_TEST

/* Else three would intercept: both ends of the move, and the primary. */
START_TEST(no_recall_within_a_move)
{
    delegated(0, 0);
    cast.actors[1].withholds = true;
    ck_assert_int_eq(move(0, 1), REFUSAL_DONE);
    cast_wait_ms(&cast, 10);
    ck_assert_int_eq(recall(0), REFUSAL_BUSY);
    ck_assert(!is_local(0));
    actor_release(&cast.actors[1]);
    cast_wait_ms(&cast, 100);
    ck_assert_int_eq(recall(0), REFUSAL_DONE);
    ck_assert(is_local(0));
}
END_TEST

/* [S] "After a change of session with the same secondary epoch, no move of a binding that may be held there
 * begins before the synchronisation has ended". */
START_TEST(no_move_before_synchronisation)
{
    delegated(0, 0);
    cast.actors[0].no_sync = true;
    actor_greet(&cast.actors[0]);
    cast_wait_ms(&cast, 100);
    ck_assert(!holding(0, 0)->open);
    ck_assert_int_eq(move(0, 1), REFUSAL_BUSY);
    ck_assert_int_eq(recall(0), REFUSAL_BUSY);
    cast.actors[0].no_sync = false;
    cast_wait_ms(&cast, 2000);
    ck_assert_int_eq(move(0, 1), REFUSAL_DONE);
}
END_TEST

/* A node that lingered and was asked again, in vain: it may be active once more, and lingers from then on. */
START_TEST(linger_begins_anew)
{
    delegated(0, 0);
    ck_assert_int_eq(move(0, 1), REFUSAL_DONE);
    cast_wait_ms(&cast, 20000);
    cast.actors[0].mute = true;
    ck_assert_int_eq(move(0, 0), REFUSAL_DONE);
    cast_wait_ms(&cast, 2000);
    ck_assert_ptr_eq(owner(0), cast_node(&cast, 1));
    ck_assert(cast_register(&cast, 0, 12));
    cast_wait_ms(&cast, 5);
    ck_assert_uint_eq(last_line(0, 0)->start.flags & START_INTERCEPT, 0);
    ck_assert_uint_eq(last_line(0, 0)->start.duration_ms, 30000);
}
END_TEST

/* B fails: given up, and A is told to announce again. */
START_TEST(target_fails)
{
    delegated(0, 0);
    cast.actors[1].deaf = true;
    ck_assert_int_eq(move(0, 1), REFUSAL_DONE);
    cast_wait_ms(&cast, 3000);
    ck_assert_ptr_eq(owner(0), cast_node(&cast, 0));
    ck_assert_str_eq(state(0), "delegated");
    ck_assert(last_line(1, 0)->is_stop);
    ck_assert_uint_ne(line(0, 0, 0)->start.flags & START_ANNOUNCE, 0);
    ck_assert_int_eq(move(0, 2), REFUSAL_BUSY); /* [S] not before that STOP is acknowledged */
    forget();
    cast.actors[1].deaf = false;
    cast_wait_ms(&cast, 4000);
    /* [S] "then the owner announces again (the given-up node may have)". */
    ck_assert_uint_eq(lines(0, 0), 1);
    ck_assert_uint_ne(line(0, 0, 0)->start.flags & START_ANNOUNCE, 0);
    ck_assert_int_eq(move(0, 2), REFUSAL_DONE);
}
END_TEST

START_TEST(target_refuses)
{
    delegated(0, 0);
    cast.actors[1].start_status = STATUS_NO_RESOURCES;
    ck_assert_int_eq(move(0, 1), REFUSAL_DONE);
    cast_wait_ms(&cast, 50);
    ck_assert_ptr_eq(owner(0), cast_node(&cast, 0));
    ck_assert_ptr_null(holding(0, 1)); /* closed: a tombstone of this generation */
    ck_assert_uint_eq(lines(1, 0), 1);
    ck_assert_int_eq(move(0, 2), REFUSAL_DONE);
}
END_TEST

/* [S] "A refusal is closed only with state 0 or 4 and a generation held >= the one asked". */
START_TEST(refusal_without_a_tombstone)
{
    delegated(0, 0);
    cast.actors[1].start_status = STATUS_NO_RESOURCES;
    cast.actors[1].leaves_absent = true;
    ck_assert_int_eq(move(0, 1), REFUSAL_DONE);
    cast_wait_ms(&cast, 50);
    ck_assert_uint_eq(lines(1, 0), 2);
    ck_assert(line(1, 0, 1)->is_stop);
    ck_assert_uint_gt(line(1, 0, 1)->generation, line(1, 0, 0)->generation);
}
END_TEST

/* [S] "An owner that refuses a change loses the binding to the primary itself". */
START_TEST(owner_refuses_a_change)
{
    delegated(0, 0);
    cast.actors[0].start_status = STATUS_LOOP;
    ck_assert(cast_register(&cast, 0, 12));
    cast_wait_ms(&cast, 10);
    ck_assert_ptr_null(owner(0));
    ck_assert(is_local(0));
    ck_assert_uint_eq(cast_announcements(&cast, 0), 1);
    ck_assert(last_line(0, 0)->is_stop);
    ck_assert_uint_eq(last_line(0, 0)->stop.mode, STOP_DROP); /* its care-of address is stale */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("delegation, moves");
    TCase *tc = cast_case(suite, "moves");
    tcase_add_test(tc, make_before_break);
    tcase_add_test(tc, recall_to_the_primary);
    tcase_add_test(tc, lingering_nodes_hear_of_changes);
    tcase_add_test(tc, linger_counts_from_the_acknowledgement);
    tcase_add_test(tc, one_move_at_a_time);
    tcase_add_test(tc, no_recall_within_a_move);
    tcase_add_test(tc, no_move_before_synchronisation);
    tcase_add_test(tc, linger_begins_anew);
    tcase_add_test(tc, target_fails);
    tcase_add_test(tc, target_refuses);
    tcase_add_test(tc, refusal_without_a_tombstone);
    tcase_add_test(tc, owner_refuses_a_change);
    return check_main(suite);
}
