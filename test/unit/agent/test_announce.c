/* SPDX-License-Identifier: BSD-3-Clause */
#include "heard.h"
#include "lab_check.h"

static const struct mac somebody = {{2, 9, 9, 9, 9, 9}};

static struct arp arp(uint16_t operation, const char *sender, const char *target)
{
    return (struct arp){
        .operation = operation, .sender_mac = somebody, .sender = ip(sender), .target = ip(target)};
}

/* ---- Announcements ---- */

/* Waits to `at` milliseconds after the event, just before and on the moment. */
static uint64_t passed_ms;

static void nothing_until(uint64_t ms)
{
    lab_wait(&lab, (ms - passed_ms) * NSEC_PER_MS - 1);
    ck_assert_uint_eq(lab_count(&lab, EFFECT_ANNOUNCE), 0);
    lab_wait(&lab, 1);
    passed_ms = ms;
}

START_TEST(repeats_at_their_times)
{
    static const uint64_t times[] = {200, 1000, 3000};
    bind_node(0);
    ck_assert_uint_eq(lab_count(&lab, EFFECT_ANNOUNCE), 1);
    passed_ms = 0;
    for (int i = 0; i < ROWS(times); i++) {
        nothing_until(times[i]);
        in_order("A");
        const struct announcement *a = &lab_first(&lab, EFFECT_ANNOUNCE)->announce;
        const struct addr home = lab_home(0);
        ck_assert(a->ours && addr_equal(&a->home, &home));
    }
    lab_wait(&lab, 60 * NSEC_PER_S);
    ck_assert_uint_eq(lab.n_log, 0);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_ANNOUNCEMENTS), 4);
}
END_TEST

START_TEST(late_call_does_not_catch_up)
{
    bind_node(0);
    lab.now.mono_ns += 2 * NSEC_PER_S;
    lab_wait(&lab, 0);
    in_order("A");
    lab_wait(&lab, NSEC_PER_S - 1);
    ck_assert_uint_eq(lab.n_log, 0);
    lab_wait(&lab, 1);
    in_order("A");
}
END_TEST

START_TEST(return_announces_the_mobile_nodes_mac)
{
    static const uint64_t times[] = {200, 1000, 3000};
    bind_node(0);
    struct ask ask = lab_ask_return(&lab, 0);
    const struct answer a = granted(&ask);
    in_order("R A S");
    ck_assert(a.message.on_link);
    ck_assert(mac_equal(&a.message.mac, &ask.mac));
    ck_assert(!lab_first(&lab, EFFECT_ANNOUNCE)->announce.ours);
    ck_assert(mac_equal(&lab_first(&lab, EFFECT_ANNOUNCE)->announce.mac, &ask.mac));
    passed_ms = 0;
    for (int i = 0; i < ROWS(times); i++) {
        nothing_until(times[i]);
        in_order("A");
        ck_assert(mac_equal(&lab_first(&lab, EFFECT_ANNOUNCE)->announce.mac, &ask.mac));
    }
    lab_wait(&lab, 60 * NSEC_PER_S);
    ck_assert_uint_eq(lab.n_log, 0);
}
END_TEST

/* The binding has expired, but neighbours may remember us. */
START_TEST(return_without_a_binding)
{
    struct ask ask = lab_ask_return(&lab, 0);
    granted(&ask);
    in_order("A S");
}
END_TEST

/* By another link: whoever sent it, its frame's MAC address says nothing of the home link. */
START_TEST(return_by_another_link_announces_nothing)
{
    bind_node(0);
    lab_wait(&lab, 10 * NSEC_PER_S);
    struct ask ask = lab_ask_return(&lab, 0);
    ask.elsewhere = true;
    const struct answer a = granted(&ask);
    in_order("R S");
    static const struct mac unknown;
    ck_assert(a.message.on_link && mac_equal(&a.message.mac, &unknown));
    lab_wait(&lab, 60 * NSEC_PER_S);
    ck_assert_uint_eq(lab.n_log, 0);
}
END_TEST

START_TEST(denied_return_changes_nothing)
{
    bind_node(0);
    lab_wait(&lab, 10 * NSEC_PER_S);
    struct ask ask = lab_ask_return(&lab, 0);
    ask.mobile_wrong = true;
    const struct answer a = lab_send(&lab, &ask);
    ck_assert_uint_eq(a.reply.code, MIP4_MOBILE_AUTH_FAILED);
    ck_assert(a.message.on_link && mac_equal(&a.message.mac, &ask.mac));
    in_order("S");
    lab_wait(&lab, 60 * NSEC_PER_S);
    ck_assert_uint_eq(lab.n_log, 0);
    const struct addr home = lab_home(0);
    ck_assert(agent_intercepts(lab.agent, &home));
}
END_TEST

START_TEST(denied_registration_announces_nothing)
{
    struct ask ask = lab_ask(&lab, 0);
    ask.q.flags |= MIP4_GRE;
    denied(&ask, MIP4_NO_ENCAPSULATION);
    lab_wait(&lab, 60 * NSEC_PER_S);
    ck_assert_uint_eq(lab.n_log, 0);
}
END_TEST

START_TEST(leaving_again_stops_the_repeats_of_the_return)
{
    bind_node(0);
    struct ask ask = lab_ask_return(&lab, 0);
    granted(&ask);
    lab_wait(&lab, 100 * NSEC_PER_MS);
    bind_node(0);
    in_order("I A S");
    lab_wait(&lab, 60 * NSEC_PER_S);
    in_order("A A A");
    for (size_t i = 0; i < lab.n_log; i++)
        ck_assert(lab.log[i].announce.ours);
}
END_TEST

START_TEST(expiry_stops_the_repeats)
{
    struct ask ask = lab_ask(&lab, 0);
    ask.q.lifetime_s = 2;
    granted(&ask);
    lab_wait(&lab, 60 * NSEC_PER_S);
    in_order("A A R");
}
END_TEST

/* ---- Answers ---- */
static const struct {
    const char *what;
    uint16_t operation;
    const char *sender, *target;
    bool answered;
    unsigned conflicts;
} heard[] = {
    {"request for a bound home address", ARP_REQUEST, "10.1.9.9", "10.1.1.0", true, 0},
    {"probe for it", ARP_REQUEST, "0.0.0.0", "10.1.1.0", true, 0},
    {"request for one at home", ARP_REQUEST, "10.1.9.9", "10.1.1.1", false, 0},
    {"request for a stranger", ARP_REQUEST, "10.1.9.9", "10.1.9.8", false, 0},
    {"a reply that names it", ARP_REPLY, "10.1.9.9", "10.1.1.0", false, 0},
    {"announcement, request form", ARP_REQUEST, "10.1.1.0", "10.1.1.0", false, 1},
    {"announcement, reply form", ARP_REPLY, "10.1.1.0", "10.1.1.0", false, 1},
    {"request from the home address", ARP_REQUEST, "10.1.1.0", "10.1.9.9", false, 1},
    {"request from it for another bound one", ARP_REQUEST, "10.1.1.0", "10.1.1.2", true, 1},
    {"announcement of one at home", ARP_REQUEST, "10.1.1.1", "10.1.1.1", false, 0},
};

START_TEST(what_is_answered)
{
    bind_node(0);
    bind_node(2);
    const struct arp a = arp(heard[_i].operation, heard[_i].sender, heard[_i].target);
    ck_assert_msg(hear_arp(lab.agent, &a, lab.now) == heard[_i].answered, "%s", heard[_i].what);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_ARP_ANSWERED), heard[_i].answered);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_ARP_CONFLICTS), heard[_i].conflicts);
}
END_TEST

START_TEST(nothing_is_answered_after_expiry)
{
    bind_node(0);
    const struct arp a = arp(ARP_REQUEST, "10.1.9.9", "10.1.1.0");
    ck_assert(hear_arp(lab.agent, &a, lab.now));
    lab_wait(&lab, LAB_LIFETIME * NSEC_PER_S);
    ck_assert(!hear_arp(lab.agent, &a, lab.now));
}
END_TEST

/* ---- Conflicts ---- */
START_TEST(conflict_is_answered_late_and_rarely)
{
    const struct arp claim = arp(ARP_REQUEST, "10.1.1.0", "10.1.1.0");
    bind_node(0);
    lab_wait(&lab, 20 * NSEC_PER_S);
    lab_forget(&lab);
    hear_arp(lab.agent, &claim, lab.now);
    lab_drain(&lab);
    ck_assert_uint_eq(lab_count(&lab, EFFECT_ANNOUNCE), 0);
    ck_assert_uint_eq(lab_first(&lab, EFFECT_NOTE)->note.kind, NOTE_CONFLICT);
    unsigned announced = 0;
    for (int second = 0; second < 95; second++) {
        lab_wait(&lab, NSEC_PER_S);
        announced += (unsigned)lab_count(&lab, EFFECT_ANNOUNCE);
        ck_assert_uint_le(announced, (unsigned)(second + 1) / 10);
        hear_arp(lab.agent, &claim, lab.now);
        lab_drain(&lab);
    }
    ck_assert_uint_eq(announced, 9);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_ARP_CONFLICTS), 96);
}
END_TEST

/* Section 4.6: its own announcement comes before its request. */
START_TEST(mobile_node_coming_home_is_not_fought)
{
    const struct arp claim = arp(ARP_REQUEST, "10.1.1.0", "10.1.1.0");
    bind_node(0);
    lab_wait(&lab, 20 * NSEC_PER_S);
    hear_arp(lab.agent, &claim, lab.now);
    lab_wait(&lab, 500 * NSEC_PER_MS);
    struct ask ask = lab_ask_return(&lab, 0);
    granted(&ask);
    lab_wait(&lab, 60 * NSEC_PER_S);
    in_order("A A A");
    for (size_t i = 0; i < lab.n_log; i++)
        ck_assert(!lab.log[i].announce.ours);
}
END_TEST

START_TEST(mobile_node_is_removed_with_announcements_pending)
{
    const struct arp claim = arp(ARP_REQUEST, "10.1.1.0", "10.1.1.0");
    bind_node(0);
    hear_arp(lab.agent, &claim, lab.now);
    agent_sweep_begin(lab.agent);
    while (agent_sweep(lab.agent, 100, lab.now))
        continue;
    lab_drain(&lab);
    lab_wait(&lab, 60 * NSEC_PER_S);
    ck_assert_uint_eq(lab.n_log, 0);
}
END_TEST

/* ---- Pace ---- */
static void set_pace(uint32_t per_s)
{
    lab.settings.delegation.announcements_per_s = per_s;
    reconfigure();
}

static unsigned announced(void)
{
    return (unsigned)lab_count(&lab, EFFECT_ANNOUNCE);
}

/* In no second that begins anywhere more than the pace; and all leave. */
START_TEST(no_more_than_the_pace_in_any_second)
{
    enum { STEPS = 1500, PER_S = 100 }; /* 15 s */
    static const uint32_t paces[] = {1, 2, 3, 8, 20};
    unsigned at[STEPS] = {0}, total = 0;
    set_pace(paces[_i]);
    for (size_t i = 0; i < LAB_NONCES; i++) {
        bind_node(i);
        total += announced();
        at[0] += announced();
    }
    for (unsigned step = 1; step < STEPS; step++) {
        lab_wait(&lab, NSEC_PER_S / PER_S);
        at[step] = announced();
        total += at[step];
    }
    for (unsigned from = 0; from + PER_S < STEPS; from++) {
        unsigned sum = 0;
        for (unsigned i = 0; i < PER_S; i++)
            sum += at[from + i];
        ck_assert_msg(sum <= paces[_i], "%u in the second from step %u", sum, from);
    }
    /* overdue repeats are not caught up on: slowly there are fewer */
    ck_assert_uint_ge(total, 2 * LAB_NONCES);
    ck_assert_uint_le(total, 4 * LAB_NONCES);
}
END_TEST

static struct addr next_announced(void)
{
    for (int tenths = 0; tenths < 100; tenths++) {
        lab_wait(&lab, NSEC_PER_S / 10);
        if (announced() > 0) {
            ck_assert_uint_eq(announced(), 1);
            return lab_first(&lab, EFFECT_ANNOUNCE)->announce.home;
        }
    }
    ck_abort_msg("nothing is announced");
    return addr_unspecified;
}

/* Who waits is announced in the order of asking; repeats of who was first come behind them. */
START_TEST(first_ones_leave_before_repeats)
{
    set_pace(1);
    for (size_t i = 0; i < LAB_NONCES; i++)
        bind_node(i);
    for (size_t i = 1; i < LAB_NONCES; i++) {
        const struct addr home = lab_home(i), heard = next_announced();
        ck_assert(addr_equal(&heard, &home));
    }
    const struct addr home = lab_home(0), heard = next_announced();
    ck_assert(addr_equal(&heard, &home));
}
END_TEST

/* The one that waits has come home, or expired, meanwhile. */
START_TEST(waiting_ends_with_the_binding)
{
    set_pace(1);
    bind_node(0);
    struct ask ask = lab_ask(&lab, 1);
    ask.q.lifetime_s = 1;
    lab.now.mono_ns += 1;
    granted(&ask);
    ck_assert_uint_eq(announced(), 0);
    const struct addr home = lab_home(1);
    lab_forget(&lab);
    ck_assert(agent_revoke(lab.agent, &home, lab.now));
    lab_drain(&lab);
    for (int s = 0; s < 20; s++) {
        lab_wait(&lab, NSEC_PER_S);
        for (size_t i = 0; i < lab.n_log; i++)
            ck_assert(lab.log[i].kind != EFFECT_ANNOUNCE || !addr_equal(&lab.log[i].announce.home, &home));
    }
}
END_TEST

START_TEST(waiting_mobile_node_is_removed)
{
    set_pace(1);
    bind_node(0);
    struct ask ask = lab_ask_return(&lab, 1);
    granted(&ask);
    ck_assert_uint_eq(announced(), 0);
    agent_sweep_begin(lab.agent);
    while (agent_sweep(lab.agent, 100, lab.now))
        continue;
    lab_drain(&lab);
    lab_wait(&lab, 60 * NSEC_PER_S);
    ck_assert_uint_eq(announced(), 0);
}
END_TEST

/* A limit lifted while some wait lets them go. */
START_TEST(pace_is_lifted)
{
    set_pace(1);
    for (size_t i = 0; i < LAB_NONCES; i++)
        bind_node(i);
    set_pace(0);
    lab_wait(&lab, NSEC_PER_S);
    ck_assert_uint_ge(announced(), LAB_NONCES - 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("announce");
    TCase *announcements = lab_case(suite, "announcements");
    tcase_add_test(announcements, repeats_at_their_times);
    tcase_add_test(announcements, late_call_does_not_catch_up);
    tcase_add_test(announcements, return_announces_the_mobile_nodes_mac);
    tcase_add_test(announcements, return_without_a_binding);
    tcase_add_test(announcements, return_by_another_link_announces_nothing);
    tcase_add_test(announcements, denied_return_changes_nothing);
    tcase_add_test(announcements, denied_registration_announces_nothing);
    tcase_add_test(announcements, leaving_again_stops_the_repeats_of_the_return);
    tcase_add_test(announcements, expiry_stops_the_repeats);
    TCase *answers = lab_case(suite, "answers");
    tcase_add_loop_test(answers, what_is_answered, 0, ROWS(heard));
    tcase_add_test(answers, nothing_is_answered_after_expiry);
    TCase *conflicts = lab_case(suite, "conflicts");
    tcase_add_test(conflicts, conflict_is_answered_late_and_rarely);
    tcase_add_test(conflicts, mobile_node_coming_home_is_not_fought);
    tcase_add_test(conflicts, mobile_node_is_removed_with_announcements_pending);
    TCase *pacing = lab_case(suite, "pace");
    tcase_add_loop_test(pacing, no_more_than_the_pace_in_any_second, 0, 5);
    tcase_add_test(pacing, first_ones_leave_before_repeats);
    tcase_add_test(pacing, waiting_ends_with_the_binding);
    tcase_add_test(pacing, waiting_mobile_node_is_removed);
    tcase_add_test(pacing, pace_is_lifted);
    return check_main(suite);
}
