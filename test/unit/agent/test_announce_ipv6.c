/* SPDX-License-Identifier: BSD-3-Clause */
/* What the home link hears of an IPv6 home address (RFC 6275 section 10.4.1, RFC 4861 section 7.2). */
#include "heard.h"
#include "lab6.h"
#include "lab_check.h"

static const struct mac somebody = {{2, 9, 9, 9, 9, 9}};

static void send_granted(const struct ask6 *ask)
{
    struct answer6 a = lab6_send(&lab, ask);
    if (!a.sent) {
        lab_wait(&lab, LAB6_DETECTION_MS * NSEC_PER_MS);
        a = lab6_answer(&lab, ask);
    }
    ck_assert(a.sent && a.good);
    ck_assert_uint_eq(a.ack.status, MIP6_ACCEPTED);
}

static void bind6(size_t i, uint16_t flags)
{
    struct ask6 ask = lab6_ask(&lab, i);
    ask.m.flags |= flags;
    send_granted(&ask);
}

static const struct announcement *announced(void)
{
    const struct effect *e = lab_first(&lab, EFFECT_ANNOUNCE);
    return e == NULL ? NULL : &e->announce;
}

/* ---- Announcements ---- */

/* RFC 4861 section 7.2.6: no more than three, a second apart at least. */
START_TEST(repeats_at_their_times)
{
    const struct addr home = lab6_home(0);
    bind6(0, 0);
    in_order("I A S");
    for (int i = 0; i < 2; i++) {
        lab_wait(&lab, (i == 0 ? 1000 : 2000) * NSEC_PER_MS - 1);
        ck_assert_uint_eq(lab.n_log, 0);
        lab_wait(&lab, 1);
        in_order("A");
        ck_assert(announced()->ours && !announced()->silent && !announced()->link_local);
        ck_assert(addr_equal(&announced()->home, &home));
    }
    lab_wait(&lab, 60 * NSEC_PER_S);
    ck_assert_uint_eq(lab.n_log, 0);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_ANNOUNCEMENTS), 3);
}
END_TEST

/* However long one has to wait for its turn, the next comes no sooner than a second after it. */
START_TEST(a_second_apart_whatever_the_pace)
{
    lab.settings.delegation.announcements_per_s = 2;
    reconfigure();
    const struct addr home = lab6_home(0);
    struct ask6 ask;
    for (size_t i = 0; i < LAB6_MOBILES; i++) {
        ask = lab6_ask(&lab, i);
        lab6_send(&lab, &ask);
    }
    uint64_t last_ms = 0;
    unsigned n = 0;
    for (uint64_t ms = 10; ms < 60000; ms += 10) {
        lab_wait(&lab, 10 * NSEC_PER_MS);
        for (size_t i = 0; i < lab.n_log; i++) {
            if (lab.log[i].kind != EFFECT_ANNOUNCE || !addr_equal(&lab.log[i].announce.home, &home))
                continue;
            ck_assert_msg(n == 0 || ms - last_ms >= 1000, "%lu ms after the one before", ms - last_ms);
            last_ms = ms;
            n++;
        }
    }
    ck_assert_uint_ge(n, 1);
    ck_assert_uint_le(n, 3);
}
END_TEST

START_TEST(late_call_does_not_catch_up)
{
    bind6(0, 0);
    lab.now.mono_ns += 2900 * NSEC_PER_MS;
    lab_wait(&lab, 0);
    in_order("A");
    lab_wait(&lab, 1000 * NSEC_PER_MS - 1);
    ck_assert_uint_eq(lab.n_log, 0);
    lab_wait(&lab, 1);
    in_order("A");
    lab_wait(&lab, 60 * NSEC_PER_S);
    ck_assert_uint_eq(lab.n_log, 0);
}
END_TEST

START_TEST(link_local_address_too)
{
    bind6(0, MIP6_LINK_LOCAL);
    ck_assert(announced()->link_local);
    for (int i = 0; i < 2; i++) {
        lab_wait(&lab, (i == 0 ? 1 : 2) * NSEC_PER_S);
        ck_assert(announced()->link_local);
    }
}
END_TEST

/* Section 10.4.1 has interception end; the mobile node announces itself after its acknowledgement (section
 * 11.5.5). What still comes to us goes to it. */
START_TEST(return_is_silent)
{
    bind6(0, 0);
    lab_wait(&lab, 500 * NSEC_PER_MS);
    struct ask6 ask = lab6_ask_return(&lab, 0);
    send_granted(&ask);
    const struct announcement *a = announced();
    ck_assert_ptr_nonnull(a);
    ck_assert(a->silent && !a->ours && mac_equal(&a->mac, &ask.mac));
    ck_assert_uint_eq(lab_counter(&lab, AGENT_ANNOUNCEMENTS), 1);
    ck_assert(!agent_intercepts(lab.agent, &ask.home));
    lab_wait(&lab, 60 * NSEC_PER_S);
    ck_assert_uint_eq(lab_count(&lab, EFFECT_ANNOUNCE), 0);
}
END_TEST

/* It deregistered from abroad, or by another link: where it is nobody knows. */
START_TEST(return_by_another_link_says_nothing)
{
    bind6(0, 0);
    lab_wait(&lab, 10 * NSEC_PER_S);
    struct ask6 ask = lab6_ask_return(&lab, 0);
    ask.elsewhere = true;
    send_granted(&ask);
    ck_assert_ptr_null(announced());
}
END_TEST

/* ---- Answers ---- */
static const struct {
    const char *what;
    const char *claimed, *asked; /* NULL: none */
    bool answered;
    unsigned conflicts;
} rows[] = {
    {"solicitation for a bound home address", "2001:db8:1::77", "2001:db8:1::100", true, 0},
    {"from a link-local address", "fe80::77", "2001:db8:1::100", true, 0},
    {"another's duplicate address detection", NULL, "2001:db8:1::100", true, 0},
    {"for one at home", "2001:db8:1::77", "2001:db8:1::101", false, 0},
    {"for a stranger", "2001:db8:1::77", "2001:db8:1::7777", false, 0},
    {"for the link-local address, L set", "fe80::77", "fe80::102", true, 0},
    {"for it by duplicate address detection", NULL, "fe80::102", true, 0},
    {"for the link-local address, L not set", "fe80::77", "fe80::100", false, 0},
    {"for nobody's link-local address", "fe80::77", "fe80::7777", false, 0},
    {"for the same interface identifier of another network", "fe80::77", "2001:db8:2::102", false, 0},
    {"advertisement of a bound home address", "2001:db8:1::100", NULL, false, 1},
    {"advertisement of the link-local address, L set", "fe80::102", NULL, false, 1},
    {"advertisement of the link-local address, L not set", "fe80::100", NULL, false, 0},
    {"advertisement of one at home", "2001:db8:1::101", NULL, false, 0},
    {"solicitation from a bound home address", "2001:db8:1::100", "2001:db8:1::fe", false, 1},
    {"from it for another bound one", "2001:db8:1::100", "2001:db8:1::102", true, 1},
};

START_TEST(what_is_answered)
{
    bind6(0, 0);
    bind6(2, MIP6_LINK_LOCAL);
    const struct agent_neighbor heard = {
        .mac = somebody,
        .claimed = rows[_i].claimed == NULL ? addr_unspecified : ip(rows[_i].claimed),
        .asked = rows[_i].asked == NULL ? addr_unspecified : ip(rows[_i].asked),
    };
    ck_assert_msg(agent_heard(lab.agent, &heard, lab.now) == rows[_i].answered, "%s", rows[_i].what);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_ARP_ANSWERED), rows[_i].answered);
    ck_assert_msg(lab_counter(&lab, AGENT_ARP_CONFLICTS) == rows[_i].conflicts, "%s", rows[_i].what);
}
END_TEST

START_TEST(nothing_is_answered_after_the_end)
{
    const struct addr home = lab6_home(0), link_local = addr_link_local_of(&home);
    const struct addr router = ip("2001:db8:1::fe");
    bind6(0, MIP6_LINK_LOCAL);
    ck_assert(hear_solicitation(lab.agent, &somebody, &router, &home, lab.now));
    ck_assert(hear_solicitation(lab.agent, &somebody, &router, &link_local, lab.now));
    lab_wait(&lab, (4 * LAB6_LIFETIME + 1) * NSEC_PER_S);
    ck_assert(!hear_solicitation(lab.agent, &somebody, &router, &home, lab.now));
    ck_assert(!hear_solicitation(lab.agent, &somebody, &router, &link_local, lab.now));
}
END_TEST

/* ---- Conflicts ---- */
START_TEST(conflict_is_answered_late_and_rarely)
{
    const struct addr home = lab6_home(0);
    bind6(0, 0);
    lab_wait(&lab, 20 * NSEC_PER_S);
    lab_forget(&lab);
    hear_advertisement(lab.agent, &somebody, &home, lab.now);
    lab_drain(&lab);
    ck_assert_uint_eq(lab_count(&lab, EFFECT_ANNOUNCE), 0);
    ck_assert_uint_eq(lab_first(&lab, EFFECT_NOTE)->note.kind, NOTE_CONFLICT);
    unsigned n = 0;
    for (int second = 0; second < 45; second++) {
        lab_wait(&lab, NSEC_PER_S);
        n += (unsigned)lab_count(&lab, EFFECT_ANNOUNCE);
        ck_assert_uint_le(n, (unsigned)(second + 1) / 10);
        hear_advertisement(lab.agent, &somebody, &home, lab.now);
        lab_drain(&lab);
    }
    ck_assert_uint_eq(n, 4);
}
END_TEST

START_TEST(mobile_node_coming_home_is_not_fought)
{
    const struct addr home = lab6_home(0);
    bind6(0, 0);
    lab_wait(&lab, 20 * NSEC_PER_S);
    hear_advertisement(lab.agent, &somebody, &home, lab.now);
    lab_wait(&lab, 500 * NSEC_PER_MS);
    struct ask6 ask = lab6_ask_return(&lab, 0);
    send_granted(&ask);
    const uint64_t before = lab_counter(&lab, AGENT_ANNOUNCEMENTS);
    lab_wait(&lab, 60 * NSEC_PER_S);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_ANNOUNCEMENTS), before);
}
END_TEST

static void setup6(void)
{
    lab6_open(&lab);
}

static TCase *case6(Suite *suite, const char *name)
{
    TCase *tcase = tcase_create(name);
    tcase_add_checked_fixture(tcase, setup6, teardown);
    suite_add_tcase(suite, tcase);
    return tcase;
}

int main(void)
{
    Suite *suite = suite_create("announce_ipv6");
    TCase *announcements = case6(suite, "announcements");
    tcase_add_test(announcements, repeats_at_their_times);
    tcase_add_test(announcements, a_second_apart_whatever_the_pace);
    tcase_add_test(announcements, late_call_does_not_catch_up);
    tcase_add_test(announcements, link_local_address_too);
    tcase_add_test(announcements, return_is_silent);
    tcase_add_test(announcements, return_by_another_link_says_nothing);
    TCase *answers = case6(suite, "answers");
    tcase_add_loop_test(answers, what_is_answered, 0, ROWS(rows));
    tcase_add_test(answers, nothing_is_answered_after_the_end);
    TCase *conflicts = case6(suite, "conflicts");
    tcase_add_test(conflicts, conflict_is_answered_late_and_rarely);
    tcase_add_test(conflicts, mobile_node_coming_home_is_not_fought);
    return check_main(suite);
}
