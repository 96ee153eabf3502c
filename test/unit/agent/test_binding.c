/* SPDX-License-Identifier: BSD-3-Clause */
#include "lab_check.h"

static struct binding_view look(size_t i)
{
    struct binding_view v;
    const struct addr home = lab_home(i);
    if (!agent_binding(lab.agent, &home, lab.now, &v))
        v = (struct binding_view){0};
    return v;
}

static const struct forwarding *installed(void)
{
    const struct effect *e = lab_first(&lab, EFFECT_INSTALL);
    ck_assert_ptr_nonnull(e);
    return &e->install;
}

START_TEST(first_renewed_moved)
{
    struct ask ask = lab_ask(&lab, 0);
    granted(&ask);
    in_order("I A S");
    ck_assert_uint_eq(installed()->n_care_of, 1);
    ck_assert(addr_equal(&installed()->care_of[0].address, &ask.q.care_of));
    ck_assert(addr_equal(&installed()->source, &ask.q.home_agent));
    ck_assert(lab_first(&lab, EFFECT_ANNOUNCE)->announce.ours);

    ask = lab_ask(&lab, 0);
    granted(&ask);
    in_order("S");

    ask = lab_ask(&lab, 0);
    ask.q.care_of = ip("192.0.2.99");
    granted(&ask);
    in_order("I S");
    ck_assert_uint_eq(installed()->n_care_of, 1);
    ck_assert(addr_equal(&installed()->care_of[0].address, &ask.q.care_of));

    ck_assert_uint_eq(lab_counter(&lab, AGENT_BINDINGS_CREATED), 1);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_BINDINGS_RENEWED), 1);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_BINDINGS_MOVED), 1);
}
END_TEST

START_TEST(renewal_through_another_home_agent_address)
{
    bind_node(0);
    struct ask ask = lab_ask(&lab, 0);
    ask.q.home_agent = ip("10.2.0.1");
    granted(&ask);
    in_order("I S");
    ck_assert(addr_equal(&installed()->source, &ask.q.home_agent));
    const struct binding_view v = look(0);
    ck_assert(addr_equal(&v.home_agent, &ask.q.home_agent));
}
END_TEST

/* What forwarding was told last, care-of address by care-of address: T where a reverse tunnel is granted. */
static const char *reverse_tunnels(void)
{
    static char text[AGENT_CARE_OF_MAX + 1];
    const struct forwarding *f = installed();
    memset(text, 0, sizeof(text));
    for (size_t i = 0; i < f->n_care_of; i++)
        text[i] = f->care_of[i].reverse ? 'T' : '-';
    return text;
}

static void grant_reverse_tunnels(void)
{
    lab.settings.reverse_tunnel = REVERSE_TUNNEL_OPTIONAL;
    reconfigure();
}

/* RFC 3024 section 4.3.1: the binding says so, as the last request did. */
START_TEST(reverse_tunnel_comes_and_goes_with_renewals)
{
    grant_reverse_tunnels();
    bind_node(0);
    ck_assert_str_eq(reverse_tunnels(), "-");
    struct ask ask = lab_ask(&lab, 0);
    ask.q.flags |= MIP4_REVERSE_TUNNEL;
    granted(&ask);
    in_order("I S");
    ck_assert_str_eq(reverse_tunnels(), "T");
    ck_assert(look(0).care_of[0].reverse);

    ask = lab_ask(&lab, 0);
    ask.q.flags |= MIP4_REVERSE_TUNNEL;
    granted(&ask);
    in_order("S");

    ask = lab_ask(&lab, 0);
    granted(&ask);
    in_order("I S");
    ck_assert_str_eq(reverse_tunnels(), "-");
}
END_TEST

/* ---- Lifetimes ---- */
static const struct {
    uint16_t asked, most, granted;
} lifetimes[] = {
    {1, 600, 1},
    {600, 600, 600},
    {601, 600, 600},
    {0xffff, 600, 600},
    {0xffff, 0xfffe, 0xfffe},
    {0xfffe, 0xffff, 0xfffe},
    {0xffff, 0xffff, 0xffff},
};

START_TEST(lifetime_granted)
{
    lab.settings.max_lifetime_s = lifetimes[_i].most;
    reconfigure();
    struct ask ask = lab_ask(&lab, 0);
    ask.q.lifetime_s = lifetimes[_i].asked;
    const uint16_t s = granted(&ask).reply.lifetime_s;
    ck_assert_uint_eq(s, lifetimes[_i].granted);
    const struct binding_view v = look(0);
    ck_assert_uint_eq(v.lifetime_granted_s[0], s);
    ck_assert_uint_eq(v.lifetime_left_s[0], s == 0xffff ? UINT32_MAX : s);

    lab_wait(&lab, s * NSEC_PER_S - 1);
    ck_assert_uint_eq(agent_bindings(lab.agent), 1);
    lab_wait(&lab, 1);
    ck_assert_uint_eq(agent_bindings(lab.agent), s == 0xffff);
    if (s != 0xffff)
        in_order("R");
}
END_TEST

START_TEST(infinite_and_back)
{
    lab.settings.max_lifetime_s = 0xffff;
    reconfigure();
    struct ask ask = lab_ask(&lab, 0);
    ask.q.lifetime_s = 0xffff;
    granted(&ask);
    ask = lab_ask(&lab, 0);
    ask.q.lifetime_s = 10;
    granted(&ask);
    ask = lab_ask(&lab, 0);
    ask.q.lifetime_s = 0xffff;
    granted(&ask);
    lab_wait(&lab, 86400 * NSEC_PER_S);
    ck_assert_uint_eq(agent_bindings(lab.agent), 1);
    ask = lab_ask(&lab, 0);
    ask.q.lifetime_s = 10;
    granted(&ask);
    lab_wait(&lab, 10 * NSEC_PER_S);
    ck_assert_uint_eq(agent_bindings(lab.agent), 0);
}
END_TEST

START_TEST(expiry_is_silent)
{
    bind_node(0);
    lab_wait(&lab, 10 * NSEC_PER_S); /* the announcements are over */
    lab_wait(&lab, LAB_LIFETIME * NSEC_PER_S);
    in_order("R");
    ck_assert_uint_eq(lab_first(&lab, EFFECT_NOTE)->note.kind, NOTE_EXPIRED);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_BINDINGS_EXPIRED), 1);
}
END_TEST

/* Time has come, but nobody has called agent_expire yet. */
START_TEST(overdue_binding_is_no_binding)
{
    struct ask ask = lab_ask(&lab, 0);
    granted(&ask);
    lab_wait(&lab, 10 * NSEC_PER_S);
    lab.now.mono_ns += LAB_LIFETIME * NSEC_PER_S;
    lab.now.ntp += ntp_from_seconds(LAB_LIFETIME);
    denied(&ask, MIP4_IDENTIFICATION_MISMATCH);
    in_order("R S");
    ask = lab_ask(&lab, 0);
    granted(&ask);
    in_order("I A S");
}
END_TEST

/* ---- Several care-of addresses (section 3.8.2.2) ---- */
static struct ask simultaneous(const char *care_of)
{
    struct ask ask = lab_ask(&lab, 0);
    ask.q.flags |= MIP4_SIMULTANEOUS;
    ask.q.care_of = ip(care_of);
    return ask;
}

static void allow(uint8_t n)
{
    lab.settings.max_care_of = n;
    reconfigure();
}

START_TEST(simultaneous_bindings)
{
    allow(3);
    static const char *const care_of[] = {"192.0.2.1", "192.0.2.2", "192.0.2.3"};
    for (int i = 0; i < 3; i++) {
        struct ask ask = simultaneous(care_of[i]);
        ck_assert_uint_eq(granted(&ask).reply.code, MIP4_ACCEPTED);
        in_order(i == 0 ? "I A S" : "I S");
        ck_assert_uint_eq(installed()->n_care_of, (unsigned)i + 1);
    }
    struct ask fourth = simultaneous("192.0.2.4");
    denied(&fourth, MIP4_TOO_MANY_BINDINGS);
    in_order("S");
    struct ask renewal = simultaneous("192.0.2.2");
    granted(&renewal);
    in_order("S");
    ck_assert_uint_eq(agent_bindings(lab.agent), 1);

    /* One goes, the others stay. */
    struct ask drop = simultaneous("192.0.2.2");
    drop.q.lifetime_s = 0;
    granted(&drop);
    in_order("I S");
    ck_assert_uint_eq(installed()->n_care_of, 2);

    /* Without S the new one is the only one. */
    struct ask alone = simultaneous("192.0.2.3");
    alone.q.flags = MIP4_COLOCATED;
    granted(&alone);
    in_order("I S");
    ck_assert_uint_eq(installed()->n_care_of, 1);
}
END_TEST

START_TEST(each_has_a_reverse_tunnel_of_its_own)
{
    static const struct {
        const char *care_of;
        uint8_t flags;
        const char *granted;
    } rows[] = {
        {"192.0.2.1", MIP4_REVERSE_TUNNEL, "T"},
        {"192.0.2.2", 0, "T-"},
        {"192.0.2.3", MIP4_REVERSE_TUNNEL, "T-T"},
        {"192.0.2.2", MIP4_REVERSE_TUNNEL, "TTT"},
        {"192.0.2.1", 0, "-TT"},
    };
    grant_reverse_tunnels();
    allow(3);
    for (int i = 0; i < ROWS(rows); i++) {
        struct ask ask = simultaneous(rows[i].care_of);
        ask.q.flags |= rows[i].flags;
        granted(&ask);
        ck_assert_msg(strcmp(reverse_tunnels(), rows[i].granted) == 0, "row %d: %s", i, reverse_tunnels());
    }
}
END_TEST

START_TEST(each_ends_by_itself)
{
    allow(3);
    struct ask first = simultaneous("192.0.2.1");
    first.q.lifetime_s = 10;
    granted(&first);
    struct ask second = simultaneous("192.0.2.2");
    second.q.lifetime_s = 20;
    granted(&second);
    lab_wait(&lab, 5 * NSEC_PER_S);
    lab_wait(&lab, 5 * NSEC_PER_S);
    in_order("I");
    ck_assert_uint_eq(installed()->n_care_of, 1);
    lab_wait(&lab, 10 * NSEC_PER_S);
    in_order("R");
}
END_TEST

START_TEST(return_ends_all)
{
    allow(3);
    struct ask ask = simultaneous("192.0.2.1");
    granted(&ask);
    ask = simultaneous("192.0.2.2");
    granted(&ask);
    ask = lab_ask_return(&lab, 0);
    granted(&ask);
    in_order("R A S");
    ck_assert_uint_eq(agent_bindings(lab.agent), 0);
}
END_TEST

/* The binding has one outer source. */
START_TEST(the_others_follow_to_another_home_agent_address)
{
    allow(3);
    struct ask ask = simultaneous("192.0.2.1");
    granted(&ask);
    ask = simultaneous("192.0.2.2");
    granted(&ask);
    ask = simultaneous("192.0.2.3");
    ask.q.home_agent = ip("10.2.0.1");
    granted(&ask);
    ck_assert_uint_eq(installed()->n_care_of, 3);
    ck_assert(addr_equal(&installed()->source, &ask.q.home_agent));
}
END_TEST

START_TEST(simultaneous_is_ignored_where_unsupported)
{
    struct ask ask = simultaneous("192.0.2.1");
    ck_assert_uint_eq(granted(&ask).reply.code, MIP4_ACCEPTED_NO_SIMULTANEOUS);
    ask = simultaneous("192.0.2.2");
    granted(&ask);
    ck_assert_uint_eq(installed()->n_care_of, 1);
}
END_TEST

/* ---- Deregistration ---- */
START_TEST(deregistration_of_an_unknown_care_of_address)
{
    bind_node(0);
    struct ask ask = lab_ask(&lab, 0);
    ask.q.care_of = ip("192.0.2.200");
    ask.q.lifetime_s = 0;
    ck_assert_uint_eq(granted(&ask).reply.lifetime_s, 0);
    in_order("S");
    ck_assert_uint_eq(agent_bindings(lab.agent), 1);
}
END_TEST

START_TEST(deregistration_from_abroad_announces_nothing)
{
    bind_node(0);
    struct ask ask = lab_ask(&lab, 0);
    ask.q.lifetime_s = 0;
    granted(&ask);
    in_order("R S");
    bind_node(0);
    ask = lab_ask_return(&lab, 0);
    ask.source = lab_care_of(0);
    const struct answer a = granted(&ask);
    in_order("R S");
    ck_assert(!a.message.on_link);
}
END_TEST

START_TEST(operator_revokes)
{
    const struct addr home = lab_home(0);
    ck_assert(!agent_revoke(lab.agent, &home, lab.now));
    bind_node(0);
    lab_forget(&lab);
    ck_assert(agent_revoke(lab.agent, &home, lab.now));
    lab_drain(&lab);
    in_order("R");
    ck_assert(!agent_intercepts(lab.agent, &home));
    lab_wait(&lab, 20 * NSEC_PER_S);
    ck_assert_uint_eq(lab.n_log, 0);
}
END_TEST

/* ---- Configuration ---- */
START_TEST(home_network_taken_away)
{
    bind_node(0);
    lab.settings.home_networks[0] = lab.settings.home_networks[1];
    lab.settings.n_home_networks = 1;
    reconfigure();
    ck_assert(agent_deadline(lab.agent) == 0);
    lab_wait(&lab, 0);
    in_order("R");
    ck_assert_uint_eq(lab_counter(&lab, AGENT_BINDINGS_REVOKED), 1);
    struct ask ask = lab_ask(&lab, 0);
    denied(&ask, MIP4_PROHIBITED);
}
END_TEST

START_TEST(smaller_settings_leave_bindings_to_their_end)
{
    bind_node(0);
    bind_node(1);
    lab.settings.max_bindings = 1;
    lab.settings.max_lifetime_s = 10;
    reconfigure();
    lab_wait(&lab, 100 * NSEC_PER_S);
    ck_assert_uint_eq(agent_bindings(lab.agent), 2);
    struct ask ask = lab_ask(&lab, 0);
    ck_assert_uint_eq(granted(&ask).reply.lifetime_s, 10);
    ask = lab_ask(&lab, 2);
    denied(&ask, MIP4_NO_RESOURCES);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("binding");
    TCase *one = lab_case(suite, "one care-of address");
    tcase_add_test(one, first_renewed_moved);
    tcase_add_test(one, renewal_through_another_home_agent_address);
    tcase_add_test(one, reverse_tunnel_comes_and_goes_with_renewals);
    tcase_add_loop_test(one, lifetime_granted, 0, ROWS(lifetimes));
    tcase_add_test(one, infinite_and_back);
    tcase_add_test(one, expiry_is_silent);
    tcase_add_test(one, overdue_binding_is_no_binding);
    TCase *several = lab_case(suite, "several care-of addresses");
    tcase_add_test(several, simultaneous_bindings);
    tcase_add_test(several, each_has_a_reverse_tunnel_of_its_own);
    tcase_add_test(several, each_ends_by_itself);
    tcase_add_test(several, return_ends_all);
    tcase_add_test(several, the_others_follow_to_another_home_agent_address);
    tcase_add_test(several, simultaneous_is_ignored_where_unsupported);
    TCase *end = lab_case(suite, "ends");
    tcase_add_test(end, deregistration_of_an_unknown_care_of_address);
    tcase_add_test(end, deregistration_from_abroad_announces_nothing);
    tcase_add_test(end, operator_revokes);
    tcase_add_test(end, home_network_taken_away);
    tcase_add_test(end, smaller_settings_leave_bindings_to_their_end);
    return check_main(suite);
}
