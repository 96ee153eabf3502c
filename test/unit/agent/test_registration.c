/* SPDX-License-Identifier: BSD-3-Clause */
#include "lab_check.h"

/* ---- What a reply looks like (RFC 5944 sections 3.4 and 3.8.3) ---- */
START_TEST(reply_fields)
{
    struct ask ask = lab_ask(&lab, 0);
    ask.source = ip("192.0.2.77");
    const struct answer a = granted(&ask);
    ck_assert(addr_equal(&a.message.source, &ask.destination));
    ck_assert(addr_equal(&a.message.destination, &ask.source));
    ck_assert_uint_eq(a.message.source_port, MIP4_PORT);
    ck_assert_uint_eq(a.message.destination_port, 5000);
    ck_assert(!a.message.on_link);
    ck_assert_uint_eq(a.reply.code, MIP4_ACCEPTED_NO_SIMULTANEOUS);
    ck_assert_uint_eq(a.reply.lifetime_s, LAB_LIFETIME);
    ck_assert(addr_equal(&a.reply.home, &ask.q.home));
    ck_assert(addr_equal(&a.reply.home_agent, &ask.q.home_agent));
    ck_assert(a.reply.identification == ask.q.identification);
    ck_assert_uint_eq(a.message.len, MIP4_REPLY_FIXED + 22);
}
END_TEST

START_TEST(reply_extensions_in_their_order)
{
    struct ask ask = lab_ask_relayed(&lab, 1);
    ask.nai = lab_nai(1);
    const struct answer a = granted(&ask);
    ck_assert_str_eq(a.nai, lab_nai(1));
    ck_assert(a.foreign_good);
    ck_assert_uint_eq(a.message.bytes[MIP4_REPLY_FIXED], MIP4_EXT_NAI);
    ck_assert_uint_lt(a.reply.ext.nai.offset, a.reply.ext.mobile_home.offset);
    ck_assert_uint_lt(a.reply.ext.mobile_home.offset, a.reply.ext.foreign_home.offset);
}
END_TEST

START_TEST(challenge_is_not_recognised_and_not_copied)
{
    static const uint8_t challenge[] = {MIP4_EXT_CHALLENGE, 4, 1, 2, 3, 4};
    struct ask ask = lab_ask(&lab, 0);
    ask.before = challenge;
    ask.before_len = sizeof(challenge);
    const struct answer a = granted(&ask);
    ck_assert_ptr_null(a.reply.ext.challenge.bytes);
}
END_TEST

START_TEST(udp_tunnel_request_is_skipped)
{
    static const uint8_t udp[] = {MIP4_EXT_UDP_TUNNEL_REQUEST, 6, 0, 0, 0, 0, 0, 0};
    struct ask ask = lab_ask(&lab, 0);
    ask.before = udp;
    ask.before_len = sizeof(udp);
    const struct answer a = granted(&ask);
    ck_assert_ptr_null(a.reply.ext.udp_tunnel_reply.bytes);
}
END_TEST

START_TEST(reserved_flags_are_ignored)
{
    struct ask ask = lab_ask(&lab, 0);
    ask.raw_flags = 0x05; /* r and x */
    granted(&ask);
}
END_TEST

START_TEST(broadcast_flag_is_ignored)
{
    struct ask ask = lab_ask(&lab, 0);
    ask.q.flags |= MIP4_BROADCASTS;
    granted(&ask);
}
END_TEST

/* ---- Network access identifiers (RFC 2794) ---- */
START_TEST(home_address_by_nai)
{
    struct ask ask = lab_ask(&lab, 1);
    const struct addr home = ask.q.home;
    ask.q.home = ip("0.0.0.0");
    ask.nai = lab_nai(1);
    const struct answer a = granted(&ask);
    ck_assert(addr_equal(&a.reply.home, &home));
    ck_assert_str_eq(a.nai, lab_nai(1));
    ck_assert(agent_intercepts(lab.agent, &home));
}
END_TEST

START_TEST(nai_behind_the_authentication_is_nobodys)
{
    static const uint8_t nai[] = {MIP4_EXT_NAI, 15,  'o', 'n', 'e', '@', 'e', 'x', 'a',
                                  'm',          'p', 'l', 'e', '.', 'n', 'e', 't'};
    struct ask ask = lab_ask(&lab, 1);
    ask.q.home = ip("0.0.0.0");
    ask.after = nai;
    ask.after_len = sizeof(nai);
    ck_assert(!lab_send(&lab, &ask).sent);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_DISCARD_UNKNOWN_MOBILE), 1);
    ask = lab_ask(&lab, 1);
    ask.after = nai;
    ask.after_len = sizeof(nai);
    ck_assert_str_eq(granted(&ask).nai, "");
}
END_TEST

START_TEST(another_home_address_than_the_nais)
{
    struct ask ask = lab_ask(&lab, 1);
    ask.q.home = ip("10.1.77.77");
    ask.nai = lab_nai(1);
    const struct answer a = lab_send(&lab, &ask);
    ck_assert_uint_eq(a.reply.code, MIP4_PROHIBITED);
    ck_assert(addr_equal(&a.reply.home, &ask.q.home));
}
END_TEST

/* ---- Foreign agents (sections 3.8.2.1c, d and 3.5.4) ---- */
START_TEST(deregistration_without_foreign_authentication)
{
    struct ask ask = lab_ask_relayed(&lab, 0);
    granted(&ask);
    ask = lab_ask_relayed(&lab, 0);
    ask.q.lifetime_s = 0;
    ask.foreign_times = 0;
    const struct answer a = granted(&ask);
    ck_assert_uint_eq(a.reply.ext.foreign_home.count, 0);
    ck_assert_uint_eq(agent_bindings(lab.agent), 0);
}
END_TEST

START_TEST(deregistration_with_a_wrong_foreign_authentication)
{
    struct ask ask = lab_ask_relayed(&lab, 0);
    ask.q.lifetime_s = 0;
    ask.foreign_wrong = true;
    granted(&ask);
}
END_TEST

START_TEST(foreign_agent_denied_reply_is_signed_for_it)
{
    struct ask ask = lab_ask_relayed(&lab, 0);
    ask.foreign_wrong = true;
    const struct answer a = lab_send(&lab, &ask);
    ck_assert_uint_eq(a.reply.code, MIP4_FOREIGN_AUTH_FAILED);
    ck_assert(a.mobile_good && a.foreign_good);
    ck_assert_uint_eq(agent_bindings(lab.agent), 0);
}
END_TEST

START_TEST(unknown_foreign_agent_without_authentication_is_plain)
{
    struct ask ask = lab_ask_relayed(&lab, 0);
    ask.source = ask.q.care_of = ip("198.51.100.2");
    ask.foreign_times = 0;
    ck_assert_uint_eq(granted(&ask).reply.ext.foreign_home.count, 0);
}
END_TEST

/* ---- 131 and its limit (section 3.8.2.1a) ---- */
START_TEST(flood_of_bad_authenticators)
{
    unsigned answered = 0;
    for (int i = 0; i < 20000; i++) {
        struct ask bad = lab_ask(&lab, 0);
        bad.mobile_wrong = true;
        answered += lab_send(&lab, &bad).sent;
    }
    ck_assert_uint_eq(answered, 1000);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_DISCARD_DENIAL_RATE), 19000);
    ck_assert_uint_eq(lab_replies(&lab, MIP4_MOBILE_AUTH_FAILED), 1000);

    struct ask good = lab_ask(&lab, 0);
    granted(&good);

    lab_wait(&lab, 10 * NSEC_PER_MS);
    answered = 0;
    for (int i = 0; i < 100; i++) {
        struct ask bad = lab_ask(&lab, 0);
        bad.mobile_wrong = true;
        answered += lab_send(&lab, &bad).sent;
    }
    ck_assert_uint_eq(answered, 10);
}
END_TEST

START_TEST(foreign_agent_that_proves_itself_has_its_131)
{
    for (int i = 0; i < 1500; i++) {
        struct ask bad = lab_ask(&lab, 0);
        bad.mobile_wrong = true;
        lab_send(&lab, &bad);
    }
    struct ask bad = lab_ask_relayed(&lab, 0);
    bad.mobile_wrong = true;
    const struct answer a = lab_send(&lab, &bad);
    ck_assert_uint_eq(a.reply.code, MIP4_MOBILE_AUTH_FAILED);
    ck_assert(a.foreign_good);

    bad = lab_ask_relayed(&lab, 0);
    bad.mobile_wrong = bad.foreign_wrong = true;
    ck_assert(!lab_send(&lab, &bad).sent);
}
END_TEST

START_TEST(notes_of_failures_are_few)
{
    size_t notes = 0;
    for (int i = 0; i < 5000; i++) {
        struct ask bad = lab_ask(&lab, 0);
        bad.mobile_wrong = true;
        lab_send(&lab, &bad);
        notes += lab_count(&lab, EFFECT_NOTE);
    }
    ck_assert_uint_ge(notes, 1);
    ck_assert_uint_le(notes, 10);
}
END_TEST

/* ---- Which check comes first: a request with two faults is answered for the earlier one ---- */
enum fault {
    WRONG_MOBILE = 1,
    STALE_ID = 2,
    WRONG_FOREIGN = 4,
    WRONG_HOME_AGENT = 8,
    NOWHERE = 16, /* care-of address 0.0.0.0 */
    GRE = 32,
    REVERSE = 64,
    FULL = 128 /* no more bindings are allowed */
};

static const struct {
    const char *what;
    int faults;
    uint8_t code;
} precedence[] = {
    {"authenticator before Identification", WRONG_MOBILE | STALE_ID, MIP4_MOBILE_AUTH_FAILED},
    {"Identification before foreign agent", STALE_ID | WRONG_FOREIGN, MIP4_IDENTIFICATION_MISMATCH},
    {"foreign agent before home agent", WRONG_FOREIGN | WRONG_HOME_AGENT, MIP4_FOREIGN_AUTH_FAILED},
    {"home agent before form", WRONG_HOME_AGENT | NOWHERE, MIP4_UNKNOWN_HOME_AGENT},
    {"form before encapsulation", NOWHERE | GRE, MIP4_POOR_REQUEST},
    {"encapsulation before resources", GRE | FULL, MIP4_NO_ENCAPSULATION},
    {"encapsulation before reverse tunnel", GRE | REVERSE, MIP4_NO_ENCAPSULATION},
    {"resources before reverse tunnel", FULL | REVERSE, MIP4_NO_RESOURCES},
};

START_TEST(order_of_checks)
{
    const int faults = precedence[_i].faults;
    struct ask ask = lab_ask_relayed(&lab, 0);
    ask.mobile_wrong = (faults & WRONG_MOBILE) != 0;
    ask.foreign_wrong = (faults & WRONG_FOREIGN) != 0;
    if (faults & STALE_ID)
        ask.q.identification -= ntp_from_seconds(60);
    if (faults & WRONG_HOME_AGENT)
        ask.q.home_agent = ip("10.1.0.9");
    if (faults & NOWHERE)
        ask.q.care_of = ip("0.0.0.0");
    if (faults & GRE)
        ask.q.flags |= MIP4_GRE;
    if (faults & REVERSE)
        ask.q.flags |= MIP4_REVERSE_TUNNEL;
    if (faults & FULL) {
        lab.settings.max_bindings = 0;
        reconfigure();
    }
    const struct answer a = lab_send(&lab, &ask);
    ck_assert_msg(a.sent && a.reply.code == precedence[_i].code, "%s: %u", precedence[_i].what, a.reply.code);
    in_order("S");
}
END_TEST

/* ---- Home agents (sections 3.8.2.1 and 3.8.3.2) ---- */
START_TEST(broadcast_is_told_our_unicast_address)
{
    static const char *const destinations[] = {"10.1.255.255", "255.255.255.255"};
    struct ask ask = lab_ask(&lab, 0);
    ask.q.home_agent = ask.destination = ip(destinations[_i]);
    ask.broadcast = _i == 0;
    const struct answer a = lab_send(&lab, &ask);
    const struct addr ours = ip("10.1.0.1");
    ck_assert_uint_eq(a.reply.code, MIP4_UNKNOWN_HOME_AGENT);
    ck_assert(addr_equal(&a.message.source, &ours));
    ck_assert(addr_equal(&a.reply.home_agent, &ours));
}
END_TEST

/* None of ours is in its home network. */
START_TEST(broadcast_is_told_an_address_of_its_family)
{
    lab.settings.home_agents[0] = ip("2001:db8:1::2");
    reconfigure();
    struct ask ask = lab_ask(&lab, 0);
    ask.destination = ip("10.1.255.255");
    const struct answer a = lab_send(&lab, &ask);
    const struct addr ours = ip("10.2.0.1");
    ck_assert_uint_eq(a.reply.code, MIP4_UNKNOWN_HOME_AGENT);
    ck_assert(addr_equal(&a.reply.home_agent, &ours));
    ck_assert(addr_equal(&a.message.source, &ours));
    lab.settings.home_agents[1] = ip("2001:db8:2::2");
    reconfigure();
    ck_assert(!lab_send(&lab, &ask).sent);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_DISCARD_DESTINATION), 1);
}
END_TEST

START_TEST(second_home_agent_is_the_outer_source)
{
    struct ask ask = lab_ask(&lab, 0);
    ask.q.home_agent = ip("10.2.0.1");
    const struct answer a = granted(&ask);
    const struct addr field = a.reply.home_agent;
    ck_assert(addr_equal(&field, &ask.q.home_agent));
    ck_assert(addr_equal(&a.message.source, &ask.destination));
    ck_assert(addr_equal(&lab_first(&lab, EFFECT_INSTALL)->install.source, &field));
}
END_TEST

START_TEST(encapsulations_that_are_granted)
{
    static const struct {
        const char *what;
        uint8_t grants, flags, code, encapsulation;
    } rows[] = {
        {"none asked", 0, 0, 1, ENCAPSULATION_IPIP},
        {"minimal", 1 << ENCAPSULATION_MINIMAL, MIP4_MINIMAL, 1, ENCAPSULATION_MINIMAL},
        {"GRE", 1 << ENCAPSULATION_GRE, MIP4_GRE, 1, ENCAPSULATION_GRE},
        {"GRE, only minimal granted", 1 << ENCAPSULATION_MINIMAL, MIP4_GRE, MIP4_NO_ENCAPSULATION, 0},
        {"either, GRE granted", 1 << ENCAPSULATION_GRE, MIP4_GRE | MIP4_MINIMAL, 1, ENCAPSULATION_GRE},
    };
    for (int i = 0; i < ROWS(rows); i++) {
        lab.settings.encapsulations = (uint8_t)(1u << ENCAPSULATION_IPIP | rows[i].grants);
        reconfigure();
        struct ask ask = lab_ask(&lab, (size_t)i % LAB_NONCES);
        ask.q.flags |= rows[i].flags;
        const struct answer a = lab_send(&lab, &ask);
        ck_assert_msg(a.reply.code == rows[i].code, "%s: %u", rows[i].what, a.reply.code);
        if (mip4_code_is_success(a.reply.code))
            ck_assert_msg(lab_first(&lab, EFFECT_INSTALL)->install.care_of[0].encapsulation ==
                              rows[i].encapsulation,
                          "%s", rows[i].what);
    }
}
END_TEST

START_TEST(reverse_tunnel_policies)
{
    static const struct {
        uint8_t policy, flags, code;
    } rows[] = {
        {REVERSE_TUNNEL_OFF, 0, 1},
        {REVERSE_TUNNEL_OFF, MIP4_REVERSE_TUNNEL, MIP4_NO_REVERSE_TUNNEL},
        {REVERSE_TUNNEL_OPTIONAL, 0, 1},
        {REVERSE_TUNNEL_OPTIONAL, MIP4_REVERSE_TUNNEL, 1},
        {REVERSE_TUNNEL_REQUIRED, 0, MIP4_REVERSE_TUNNEL_REQUIRED},
        {REVERSE_TUNNEL_REQUIRED, MIP4_REVERSE_TUNNEL, 1},
    };
    for (int i = 0; i < ROWS(rows); i++) {
        lab.settings.reverse_tunnel = rows[i].policy;
        reconfigure();
        struct ask ask = lab_ask(&lab, 0);
        ask.q.flags |= rows[i].flags;
        const struct answer a = lab_send(&lab, &ask);
        ck_assert_msg(a.reply.code == rows[i].code, "row %d: %u", i, a.reply.code);
        if (!mip4_code_is_success(a.reply.code))
            continue;
        struct binding_view view;
        ck_assert(agent_binding(lab.agent, &ask.q.home, lab.now, &view));
        ck_assert_msg(view.care_of[0].reverse == (rows[i].flags != 0), "row %d", i);
    }
}
END_TEST

/* RFC 3024 section 3.3: between the mobile node and its foreign agent, which should have taken it out. */
START_TEST(delivery_style_is_skipped_and_not_echoed)
{
    static const uint8_t style[] = {MIP4_EXT_ENCAPSULATING_DELIVERY, 0};
    lab.settings.reverse_tunnel = REVERSE_TUNNEL_OPTIONAL;
    reconfigure();
    struct ask ask = lab_ask(&lab, 0);
    ask.q.flags |= MIP4_REVERSE_TUNNEL;
    ask.after = style;
    ask.after_len = sizeof(style);
    const struct answer a = granted(&ask);
    ck_assert(lab_first(&lab, EFFECT_INSTALL)->install.care_of[0].reverse);
    ck_assert_uint_eq(a.message.len, MIP4_REPLY_FIXED + 22);
}
END_TEST

/* Flags of a deregistration ask for nothing. */
START_TEST(deregistration_whatever_its_flags)
{
    bind_node(0);
    struct ask ask = lab_ask_return(&lab, 0);
    ask.q.flags = MIP4_GRE | MIP4_REVERSE_TUNNEL;
    granted(&ask);
    ck_assert_uint_eq(agent_bindings(lab.agent), 0);
}
END_TEST

/* A source that names a whole network must not be answered, least of all with what anybody can provoke. */
START_TEST(no_reply_to_a_network)
{
    static const char *const sources[] = {"255.255.255.255", "10.1.255.255", "224.0.0.1", "0.0.0.0"};
    struct ask ask = lab_ask(&lab, 0);
    ask.source = ip(sources[_i]);
    ask.mobile_wrong = true;
    ck_assert(!lab_send(&lab, &ask).sent);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("registration");
    TCase *reply = lab_case(suite, "replies");
    tcase_add_test(reply, reply_fields);
    tcase_add_test(reply, reply_extensions_in_their_order);
    tcase_add_test(reply, challenge_is_not_recognised_and_not_copied);
    tcase_add_test(reply, udp_tunnel_request_is_skipped);
    tcase_add_test(reply, reserved_flags_are_ignored);
    tcase_add_test(reply, broadcast_flag_is_ignored);
    TCase *nai = lab_case(suite, "nai");
    tcase_add_test(nai, home_address_by_nai);
    tcase_add_test(nai, nai_behind_the_authentication_is_nobodys);
    tcase_add_test(nai, another_home_address_than_the_nais);
    TCase *foreign = lab_case(suite, "foreign agents");
    tcase_add_test(foreign, deregistration_without_foreign_authentication);
    tcase_add_test(foreign, deregistration_with_a_wrong_foreign_authentication);
    tcase_add_test(foreign, foreign_agent_denied_reply_is_signed_for_it);
    tcase_add_test(foreign, unknown_foreign_agent_without_authentication_is_plain);
    TCase *failures = lab_case(suite, "authentication failures");
    tcase_add_test(failures, flood_of_bad_authenticators);
    tcase_add_test(failures, foreign_agent_that_proves_itself_has_its_131);
    tcase_add_test(failures, notes_of_failures_are_few);
    TCase *checks = lab_case(suite, "checks");
    tcase_add_loop_test(checks, order_of_checks, 0, ROWS(precedence));
    tcase_add_loop_test(checks, broadcast_is_told_our_unicast_address, 0, 2);
    tcase_add_test(checks, broadcast_is_told_an_address_of_its_family);
    tcase_add_test(checks, second_home_agent_is_the_outer_source);
    tcase_add_test(checks, encapsulations_that_are_granted);
    tcase_add_test(checks, reverse_tunnel_policies);
    tcase_add_test(checks, delivery_style_is_skipped_and_not_echoed);
    tcase_add_test(checks, deregistration_whatever_its_flags);
    tcase_add_loop_test(checks, no_reply_to_a_network, 0, 4);
    return check_main(suite);
}
