/* SPDX-License-Identifier: BSD-3-Clause */
/* How delegation of one binding ends, and what is left of it: doc/delegation-protocol.md, "State machines".
 */
#include "cast_check.h"

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

/* ---- Registered again meanwhile ---- */

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

static void registered_here(size_t i)
{
    set_when(WHEN_MANUAL);
    registers(i);
    cast_wait_ms(&cast, 4000);
    forget();
}

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

int main(void)
{
    Suite *suite = suite_create("delegation, ends");
    TCase *tc = cast_case(suite, "ends");
    tcase_add_test(tc, deregistered);
    tcase_add_test(tc, expired);
    tcase_add_test(tc, revoked);
    tcase_add_test(tc, back_home);
    tcase_add_test(tc, swept);
    tcase_add_test(tc, comes_back_while_they_linger);
    tcase_add_test(tc, comes_back_before_the_stop_is_acknowledged);
    tcase_add_loop_test(tc, placed_where_it_was, 0, 2);
    tcase_add_loop_test(tc, recalled_before_a_change_is_acknowledged, 0, 2);
    return check_main(suite);
}
