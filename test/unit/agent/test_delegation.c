/* SPDX-License-Identifier: BSD-3-Clause */
/* What a primary does about one binding: doc/delegation-protocol.md, "State machines". */
#include "cast_check.h"

static void registers(size_t i)
{
    ck_assert(cast_register(&cast, i, 10));
}

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

static void registered_here(size_t i)
{
    set_when(WHEN_MANUAL);
    registers(i);
    cast_wait_ms(&cast, 4000);
    forget();
}

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

/* ---- Moves ---- */
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

/* ---- Ends ---- */
static void ends_everywhere(uint8_t reason)
{
    cast_wait_ms(&cast, 10);
    for (size_t k = 0; k < 2; k++) {
        ck_assert(line(k, 0, 0)->is_stop);
        ck_assert_uint_eq(line(k, 0, 0)->stop.mode, STOP_DROP);
        ck_assert_uint_eq(line(k, 0, 0)->stop.reason, reason);
        ck_assert_uint_eq(actor_entry(&cast.actors[k], 0)->state, HELD_TOMBSTONE);
        ck_assert_uint_eq(cast_node(&cast, k)->n_owned, 0);
        ck_assert_ptr_null(cast_node(&cast, k)->holdings);
    }
    ck_assert_ptr_null(cast_mobile(&cast, 0)->delegation);
}

/* Owner sha1, sha0 lingers. */
static void delegated_with_lingering(void)
{
    delegated(0, 0);
    ck_assert_int_eq(move(0, 1), REFUSAL_DONE);
    cast_wait_ms(&cast, 4000);
    forget();
}

START_TEST(deregistered)
{
    delegated_with_lingering();
    struct ask ask = lab_ask(&cast.lab, 0);
    ask.q.lifetime_s = 0;
    ask.q.care_of = addr_from_ipv4(0xc000020a);
    ck_assert(cast_send(&cast, &ask));
    ends_everywhere(STOP_DEREGISTERED);
}
END_TEST

START_TEST(expired)
{
    delegated_with_lingering();
    struct ask ask = lab_ask(&cast.lab, 0);
    ask.q.care_of = addr_from_ipv4(0xc000020a);
    ask.q.lifetime_s = 5;
    ck_assert(cast_send(&cast, &ask));
    cast_wait_ms(&cast, 4990);
    forget();
    cast_wait_ms(&cast, 10);
    ends_everywhere(STOP_EXPIRED);
}
END_TEST

START_TEST(revoked)
{
    delegated_with_lingering();
    const struct addr home = lab_home(0);
    ck_assert(agent_revoke(cast.lab.agent, &home, cast.lab.now));
    ends_everywhere(STOP_ADMIN);
}
END_TEST

/* STOP mode 2 first, then gratuitous ARP with the mobile node's MAC, then the reply. */
START_TEST(back_home)
{
    delegated_with_lingering();
    struct ask ask = lab_ask_return(&cast.lab, 0);
    ck_assert(cast_send(&cast, &ask));
    size_t stops = 0, announced = 0;
    for (size_t i = 0; i < cast.lab.n_log; i++) {
        const struct effect *e = &cast.lab.log[i];
        if (e->kind == EFFECT_ANNOUNCE) {
            ck_assert(!e->announce.ours && mac_equal(&e->announce.mac, &ask.mac));
            ck_assert_uint_eq(stops, 2);
            announced++;
        }
        if (e->kind == EFFECT_SEND && e->send.source_port == MIP4_PORT)
            ck_assert_uint_eq(announced, 1);
        stops += e->kind == EFFECT_SEND && e->send.source_port == DELEGATION_PORT;
    }
    ck_assert_uint_eq(announced, 1);
    for (size_t k = 0; k < 2; k++) {
        ck_assert_uint_eq(line(k, 0, 0)->stop.mode, STOP_DELIVER);
        ck_assert_uint_eq(line(k, 0, 0)->stop.reason, STOP_BACK_HOME);
        ck_assert(mac_equal(&line(k, 0, 0)->stop.mac, &ask.mac));
    }
    ck_assert_str_eq(state(0), "ended");
    cast_wait_ms(&cast, 32000);
    ck_assert_ptr_null(cast_mobile(&cast, 0)->delegation);
}
END_TEST

/* A mobile node taken out of the configuration: what is left of it stays until the STOPs are acknowledged. */
START_TEST(swept)
{
    delegated(0, 0);
    cast.actors[0].deaf = true;
    cast_sweep(&cast, ~1u);
    cast_wait_ms(&cast, 5000);
    ck_assert_ptr_nonnull(cast_mobile(&cast, 0));
    ck_assert(line(0, 0, 0)->is_stop);
    struct ask ask = lab_ask(&cast.lab, 0);
    ck_assert(!cast_send(&cast, &ask));
    ck_assert_uint_eq(lab_counter(&cast.lab, AGENT_DISCARD_UNKNOWN_MOBILE), 1);
    cast_sweep(&cast, ~1u); /* once more */
    ck_assert_ptr_nonnull(cast_mobile(&cast, 0));
    cast.actors[0].deaf = false;
    cast_wait_ms(&cast, 4000);
    ck_assert_ptr_null(cast_mobile(&cast, 0));
    ck_assert_uint_eq(actor_entry(&cast.actors[0], 0)->state, HELD_TOMBSTONE);
}
END_TEST

/* Registered again while nodes still linger: they forward to where it is now. */
START_TEST(comes_back_while_they_linger)
{
    delegated(0, 0);
    struct ask ask = lab_ask_return(&cast.lab, 0);
    ck_assert(cast_send(&cast, &ask));
    cast_wait_ms(&cast, 1000);
    forget();
    ck_assert(cast_register(&cast, 0, 13));
    ck_assert(is_local(0));
    ck_assert_uint_eq(cast_announcements(&cast, 0), 1);
    cast_wait_ms(&cast, 10);
    ck_assert(!line(0, 0, 0)->is_stop);
    ck_assert_uint_eq(line(0, 0, 0)->start.flags & START_INTERCEPT, 0);
    ck_assert_int_eq(move(0, 0), REFUSAL_DONE);
    cast_wait_ms(&cast, 10);
    ck_assert_ptr_eq(owner(0), cast_node(&cast, 0));
    ck_assert_uint_eq(cast_node(&cast, 0)->n_lingering, 0);
    cast_wait_ms(&cast, 60000);
    ck_assert_ptr_eq(owner(0), cast_node(&cast, 0));
    ck_assert_uint_eq(actor_entry(&cast.actors[0], 0)->state, HELD_ACTIVE);
    ck_assert_uint_eq(cast_node(&cast, 0)->digest, cast.actors[0].digest);
}
END_TEST

/* [S] "no other node becomes the binding's final home before that STOP is acknowledged". */
START_TEST(comes_back_before_the_stop_is_acknowledged)
{
    delegated(0, 0);
    set_when(WHEN_AFTER_REGISTRATION);
    cast.actors[0].deaf = true;
    struct ask ask = lab_ask(&cast.lab, 0);
    ask.q.lifetime_s = 0;
    ask.q.care_of = addr_from_ipv4(0xc000020a);
    ck_assert(cast_send(&cast, &ask));
    cast_wait_ms(&cast, 100);
    forget();
    ck_assert(cast_register(&cast, 0, 13));
    cast_wait_ms(&cast, 100);
    ck_assert(is_local(0));
    ck_assert_uint_eq(lines(1, 0) + lines(2, 0), 0);
    ck_assert(!last_line(0, 0)->is_stop); /* it goes on forwarding, to the new care-of address */
    ck_assert_uint_eq(last_line(0, 0)->start.flags & START_INTERCEPT, 0);
    cast.actors[0].deaf = false;
    cast_wait_ms(&cast, 2000);
    ck_assert_str_eq(state(0), "delegated");
}
END_TEST

/* Node 0 is the only one that may be given anything, and mobile node 0 registers again while the STOP of its
 * former life is not acknowledged there. */
static void comes_back_to_the_same_node(void)
{
    delegated(0, 0);
    for (size_t k = 1; k < 3; k++)
        node_set_draining(cast.lab.agent, cast_node(&cast, k), true, cast.lab.now);
    set_when(WHEN_AFTER_REGISTRATION);
    cast.actors[0].deaf = true;
    struct ask ask = lab_ask(&cast.lab, 0);
    ask.q.lifetime_s = 0;
    ask.q.care_of = addr_from_ipv4(0xc000020a);
    ck_assert(cast_send(&cast, &ask));
    cast_wait_ms(&cast, 100);
    ck_assert(cast_register(&cast, 0, 13));
}

/* Done with its former life there, the binding is placed at the very same node: what ends is only that. */
START_TEST(placed_where_it_was)
{
    const uint64_t deaf_ms[] = {100,
                                2500}; /* it hears of the new care-of address; only of a STOP: given up */
    comes_back_to_the_same_node();
    cast_wait_ms(&cast, deaf_ms[_i]);
    ck_assert_int_eq(last_line(0, 0)->is_stop, _i == 1);
    forget();
    cast.actors[0].deaf = false;
    cast_wait_ms(&cast, 4000);
    ck_assert_str_eq(state(0), "delegated");
    ck_assert_ptr_eq(owner(0), cast_node(&cast, 0));
    ck_assert_uint_eq(last_line(0, 0)->start.flags & (START_ANNOUNCE | START_INTERCEPT),
                      START_ANNOUNCE | START_INTERCEPT);
    ck_assert_uint_eq(cast_node(&cast, 0)->n_lingering, 0);
    cast_wait_ms(&cast, 60000);
    ck_assert_str_eq(state(0), "delegated");
    ck_assert_uint_eq(cast_node(&cast, 0)->digest, cast.actors[0].digest);
}
END_TEST

/* A START that was superseded may have been obeyed: what may linger with its care-of address is told the
 * present one, and what was given up drops it. */
START_TEST(recalled_before_a_change_is_acknowledged)
{
    registered_here(0);
    cast.actors[0].mute = true;
    ck_assert_int_eq(move(0, 0), REFUSAL_DONE);
    cast_wait_ms(&cast, 10);
    cast.actors[0].deaf = true;
    ck_assert(cast_register(&cast, 0, 14));
    cast_wait_ms(&cast, 10);
    cast.actors[0].deaf = cast.actors[0].mute = _i == 1;
    if (_i == 1)
        cast_wait_ms(&cast, 3000);
    else
        ck_assert_int_eq(recall(0), REFUSAL_DONE);
    cast_wait_ms(&cast, 100);
    const struct line *last = last_line(0, 0);
    const struct addr now = addr_from_ipv4(0xc000020e);
    ck_assert_int_eq(last->is_stop, _i == 1);
    if (_i == 1)
        ck_assert_uint_eq(last->stop.mode, STOP_DROP);
    else
        ck_assert(addr_equal(&last->start.care_of, &now));
}
END_TEST

/* ---- Death and restart ---- */
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
    tcase_add_test(tc, long_lifetimes_are_renewed);
    tcase_add_test(tc, lifetime_hardly_longer_than_a_start);
    tc = cast_case(suite, "moves");
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
    tc = cast_case(suite, "ends");
    tcase_add_test(tc, deregistered);
    tcase_add_test(tc, expired);
    tcase_add_test(tc, revoked);
    tcase_add_test(tc, back_home);
    tcase_add_test(tc, swept);
    tcase_add_test(tc, comes_back_while_they_linger);
    tcase_add_test(tc, comes_back_before_the_stop_is_acknowledged);
    tcase_add_loop_test(tc, placed_where_it_was, 0, 2);
    tcase_add_loop_test(tc, recalled_before_a_change_is_acknowledged, 0, 2);
    tc = cast_case(suite, "death and restart");
    tcase_add_test(tc, owner_dies);
    tcase_add_test(tc, taken_over_by_another);
    tcase_add_test(tc, met_again_before_its_death_is_through);
    tcase_add_test(tc, target_dies);
    tcase_add_test(tc, owner_restarts);
    tcase_add_test(tc, owner_has_a_new_session);
    tcase_add_test(tc, no_start_in_the_new_session);
    return check_main(suite);
}
