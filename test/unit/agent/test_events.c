/* SPDX-License-Identifier: BSD-3-Clause */
/* What secondaries tell of by themselves, and what comes of it. */
#include "flock_check.h"

static void say_event(size_t s, size_t i, uint16_t code, uint64_t generation, uint32_t mtu)
{
    struct packet packet;
    struct delegation_event event = {.home = lab_home(i), .generation = generation, .code = code};
    struct writer w = writer_over(event.auxiliary, sizeof(event.auxiliary));
    write_u32(&w, mtu);
    packet_begin(&packet, script(s)->agent->peers, DELEGATION_EVENT, 7);
    delegation_event_encode(&packet.w, &event);
    flock_say(&flock, s, &packet);
}

static const struct {
    const char *what;
    uint16_t code;
    bool old;      /* it tells of an older generation */
    bool restarts; /* the owner announces again */
} events[] = {
    {"expired", EVENT_EXPIRED, false, true},
    {"expired, of an older START", EVENT_EXPIRED, true, false},
    {"strays at the owner", EVENT_STRAYS, false, false},
    {"conflict", EVENT_CONFLICT, false, false},
    {"unknown", 99, false, false},
};

START_TEST(events_are_acknowledged_and_acted_on)
{
    up(0);
    delegated(0, 0);
    const uint64_t generation = start_at(0, 0)->generation;
    say_event(0, 0, events[_i].code, generation - events[_i].old, 0);
    flock_wait_ms(&flock, 50);
    ck_assert_uint_eq(script(0)->answered[DELEGATION_EVENT_ACK], 1);
    ck_assert_uint_eq(counted(AGENT_EVENTS_HEARD), 1);
    ck_assert_msg((start_at(0, 0)->generation > generation) == events[_i].restarts, "%s", events[_i].what);
    ck_assert_msg(!events[_i].restarts || start_at(0, 0)->flags & START_ANNOUNCE, "%s", events[_i].what);
    ck_assert_uint_eq(flock.notes[NOTE_CONFLICT], events[_i].code == EVENT_CONFLICT);
}
END_TEST

START_TEST(strays_make_the_owner_announce_again)
{
    up(0);
    up(1);
    delegated(0, 0);
    const uint64_t generation = start_at(0, 0)->generation;
    say_event(1, 0, EVENT_STRAYS, 0, 0);
    flock_wait_ms(&flock, 50);
    ck_assert_uint_gt(start_at(0, 0)->generation, generation);
    ck_assert(start_at(0, 0)->flags & START_ANNOUNCE);
}
END_TEST

START_TEST(strays_make_the_primary_announce_again)
{
    up(0);
    flock_register(&flock, 0);
    flock_wait_ms(&flock, 5000);
    const size_t before = flock.announced[0];
    say_event(0, 0, EVENT_STRAYS, 0, 0);
    ck_assert_uint_eq(flock.announced[0], before + 1);
}
END_TEST

START_TEST(too_big_goes_to_the_owner)
{
    up(0);
    up(1);
    delegated(0, 0);
    say_event(1, 0, EVENT_TOO_BIG, 0, 1280);
    flock_wait_ms(&flock, 50);
    ck_assert_uint_eq(start_at(0, 0)->tunnel_mtu, 1280);
}
END_TEST

START_TEST(full_table_gets_nothing_until_it_reports_again)
{
    up(0);
    script(0)->silent = true;
    say_event(0, 0, EVENT_TABLE_FULL, 0, 0);
    ck_assert(!node_is_eligible(node(0)));
    flock_keepalive(&flock, 0);
    ck_assert(node_is_eligible(node(0)));
}
END_TEST

/* ---- Draining ---- */
START_TEST(draining_has_several_causes)
{
    up(0);
    struct node *n = node(0);
    node_set_draining(agent(), n, true, flock.lab.now);
    ck_assert(n->draining && n->state == PEER_DRAINING);
    script(0)->load.state = LOAD_DRAINING;
    flock_wait_ms(&flock, 500);
    node_set_draining(agent(), n, false, flock.lab.now);
    ck_assert(n->draining && !node_is_eligible(n));
    script(0)->load.state = LOAD_READY;
    flock_wait_ms(&flock, 500);
    ck_assert(!n->draining && n->state == PEER_READY);
    say_event(0, 0, EVENT_LINK_DOWN, 0, 0);
    ck_assert(n->draining);
    say_event(0, 0, EVENT_LINK_UP, 0, 0);
    ck_assert(!n->draining && node_is_eligible(n));
    script(0)->load.state = LOAD_OVERLOADED;
    flock_wait_ms(&flock, 500);
    ck_assert(!n->draining && n->state == PEER_OVERLOADED && !node_is_eligible(n));
}
END_TEST

/* The repetition of an event that comes after the next one tells what was, not what is. */
START_TEST(late_copy_of_a_link_event)
{
    up(0);
    struct session *session = &script(0)->agent->peers->session;
    say_event(0, 0, EVENT_LINK_DOWN, 0, 0);
    session->sent++;
    say_event(0, 0, EVENT_LINK_UP, 0, 0);
    session->sent -= 2;
    say_event(0, 0, EVENT_LINK_DOWN, 0, 0);
    session->sent++;
    ck_assert_uint_eq(script(0)->answered[DELEGATION_EVENT_ACK], 3);
    ck_assert(!node(0)->draining && node_is_eligible(node(0)));
    say_event(0, 0, EVENT_LINK_DOWN, 0, 0);
    ck_assert(node(0)->draining);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("events");
    TCase *one = flock_case(suite, "one secondary", open_1);
    tcase_add_loop_test(one, events_are_acknowledged_and_acted_on, 0, ROWS(events));
    tcase_add_test(one, strays_make_the_primary_announce_again);
    tcase_add_test(one, full_table_gets_nothing_until_it_reports_again);
    tcase_add_test(one, draining_has_several_causes);
    tcase_add_test(one, late_copy_of_a_link_event);
    TCase *two = flock_case(suite, "two secondaries", open_2);
    tcase_add_test(two, strays_make_the_owner_announce_again);
    tcase_add_test(two, too_big_goes_to_the_owner);
    return check_main(suite);
}
