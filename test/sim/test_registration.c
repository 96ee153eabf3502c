/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Registration in virtual time: every reply code that a home agent of ours produces, every reason for
 * silence, and mobile nodes that live for days.
 */
#include "heard.h"
#include "lab_check.h"

/* ---- Every reply code ---- */
static void plain(struct ask *ask)
{
    (void)ask;
}

static void three_allowed(struct ask *ask)
{
    (void)ask;
    lab.settings.max_care_of = 3;
    reconfigure();
}

static void home_is_foreign(struct ask *ask)
{
    lab.settings.n_home_networks = 0;
    reconfigure();
    (void)ask;
}

/* Configures a mobile node where none can be. */
static void home_at(struct ask *ask, const char *home)
{
    ask->q.home = ip(home);
    ck_assert_int_eq(agent_mobile_set(lab.agent, &ask->q.home, &ask->mobile, NULL), 0);
}

static void home_is_reserved(struct ask *ask)
{
    home_at(ask, "10.1.0.254");
}

static void home_is_the_home_agent(struct ask *ask)
{
    home_at(ask, "10.1.0.1");
}

static void home_is_a_network(struct ask *ask)
{
    home_at(ask, "10.1.0.0");
}

static void home_is_a_broadcast(struct ask *ask)
{
    home_at(ask, "10.1.255.255");
}

static void home_of_another_nai(struct ask *ask)
{
    ask->nai = "one@example.net";
    ask->mobile = lab_association(1);
    ask->q.home = ip("10.1.99.99");
}

static void care_of_is_home(struct ask *ask)
{
    ask->q.care_of = ask->q.home;
}

static void care_of_in_a_home_network(struct ask *ask)
{
    ask->q.care_of = ip("10.2.0.77");
}

static void care_of_reserved(struct ask *ask, size_t n_own)
{
    static struct addr reserved;
    reserved = ask->q.care_of;
    lab.settings.reserved = &reserved;
    lab.settings.n_own = n_own;
    reconfigure();
}

static void care_of_is_our_own(struct ask *ask)
{
    care_of_reserved(ask, 1);
}

/* It may be a foreign agent as well. */
static void care_of_is_a_router(struct ask *ask)
{
    care_of_reserved(ask, 0);
}

static void care_of_is_the_home_agent(struct ask *ask)
{
    lab.settings.home_agents[1] = ask->q.care_of;
    reconfigure();
}

static void full(struct ask *ask)
{
    (void)ask;
    lab.settings.max_bindings = 0;
    reconfigure();
}

static void wrong_authenticator(struct ask *ask)
{
    ask->mobile_wrong = true;
}

static void two_authenticators(struct ask *ask)
{
    ask->mobile_times = 2;
}

static void relayed(struct ask *ask)
{
    *ask = lab_ask_relayed(&lab, 0);
}

static void foreign_missing(struct ask *ask)
{
    relayed(ask);
    ask->foreign_times = 0;
}

static void foreign_wrong(struct ask *ask)
{
    relayed(ask);
    ask->foreign_wrong = true;
}

static void foreign_twice(struct ask *ask)
{
    relayed(ask);
    ask->foreign_times = 2;
}

static void foreign_unknown_spi(struct ask *ask)
{
    relayed(ask);
    ask->foreign.spi++;
}

static void too_old(struct ask *ask)
{
    ask->q.identification -= ntp_from_seconds(8);
}

static void too_new(struct ask *ask)
{
    ask->q.identification += ntp_from_seconds(8);
}

static void unknown_nonce(struct ask *ask)
{
    *ask = lab_ask(&lab, LAB_NONCES);
}

static void malformed_at_the_end(struct ask *ask)
{
    static const uint8_t broken[] = {200, 9, 1, 2};
    ask->after = broken;
    ask->after_len = sizeof(broken);
}

static void care_of_unspecified(struct ask *ask)
{
    ask->q.care_of = ip("0.0.0.0");
}

static void care_of_multicast(struct ask *ask)
{
    ask->q.care_of = ip("224.1.2.3");
}

static void care_of_loopback(struct ask *ask)
{
    ask->q.care_of = ip("127.0.0.1");
}

static void care_of_broadcast(struct ask *ask)
{
    ask->q.care_of = ip("255.255.255.255");
}

static void too_many(struct ask *ask)
{
    lab.settings.max_care_of = 2;
    reconfigure();
    for (uint32_t i = 0; i < 2; i++) {
        struct ask one = lab_ask(&lab, 0);
        one.q.flags |= MIP4_SIMULTANEOUS;
        one.q.care_of = addr_from_ipv4(0xc0000264u + i);
        granted(&one);
    }
    ask->q.flags |= MIP4_SIMULTANEOUS;
    ask->q.identification = lab_identification(&lab, 0);
}

static void another_home_agent(struct ask *ask)
{
    ask->q.home_agent = ip("10.1.0.2");
}

static void no_home_agent(struct ask *ask)
{
    ask->q.home_agent = ip("0.0.0.0");
}

static void subnet_broadcast(struct ask *ask)
{
    ask->destination = ip("10.1.255.255");
}

static void limited_broadcast(struct ask *ask)
{
    ask->destination = ip("255.255.255.255");
    ask->broadcast = true;
}

static void wants_reverse_tunnel(struct ask *ask)
{
    ask->q.flags |= MIP4_REVERSE_TUNNEL;
}

static void lacks_reverse_tunnel(struct ask *ask)
{
    (void)ask;
    lab.settings.reverse_tunnel = REVERSE_TUNNEL_REQUIRED;
    reconfigure();
}

static void wants_minimal(struct ask *ask)
{
    ask->q.flags |= MIP4_MINIMAL;
}

static void wants_gre(struct ask *ask)
{
    ask->q.flags |= MIP4_GRE;
}

/* MN-AAA (RFC 4721 section 5), with which we share nothing. */
static void other_authentication_too(struct ask *ask)
{
    static const uint8_t aaa[24] = {MIP4_EXT_GENERALIZED_AUTH, 1, 0, 20, 0, 0, 2, 0};
    ask->before = aaa;
    ask->before_len = sizeof(aaa);
}

/* The foreign agent proves who it is: it must have its answer (RFC 5944 section 3.8.2.1a). */
static void relayed_with_unknown_spi(struct ask *ask)
{
    relayed(ask);
    ask->mobile.spi = 7777;
}

static void comes_home(struct ask *ask)
{
    *ask = lab_ask_return(&lab, 0);
}

static const struct {
    const char *what;
    void (*tweak)(struct ask *);
    uint8_t code;
} answers[] = {
    {"co-located", plain, MIP4_ACCEPTED_NO_SIMULTANEOUS},
    {"co-located, several allowed", three_allowed, MIP4_ACCEPTED},
    {"through a foreign agent", relayed, MIP4_ACCEPTED_NO_SIMULTANEOUS},
    {"at home, nothing bound", comes_home, MIP4_ACCEPTED_NO_SIMULTANEOUS},
    {"home address in no home network", home_is_foreign, MIP4_PROHIBITED},
    {"home address reserved", home_is_reserved, MIP4_PROHIBITED},
    {"home address is ours", home_is_the_home_agent, MIP4_PROHIBITED},
    {"home address is the network's", home_is_a_network, MIP4_PROHIBITED},
    {"home address is the broadcast address", home_is_a_broadcast, MIP4_PROHIBITED},
    {"home address is not the NAI's", home_of_another_nai, MIP4_PROHIBITED},
    {"care-of address is home", care_of_is_home, MIP4_PROHIBITED},
    {"care-of address in a home network", care_of_in_a_home_network, MIP4_PROHIBITED},
    {"care-of address our own", care_of_is_our_own, MIP4_PROHIBITED},
    {"care-of address a router's", care_of_is_a_router, MIP4_ACCEPTED_NO_SIMULTANEOUS},
    {"care-of address is ours", care_of_is_the_home_agent, MIP4_PROHIBITED},
    {"no room", full, MIP4_NO_RESOURCES},
    {"authenticator wrong", wrong_authenticator, MIP4_MOBILE_AUTH_FAILED},
    {"two authenticators", two_authenticators, MIP4_MOBILE_AUTH_FAILED},
    {"unknown SPI, but the foreign agent vouches", relayed_with_unknown_spi, MIP4_MOBILE_AUTH_FAILED},
    {"AAA authentication besides", other_authentication_too, MIP4_AAA_AUTH_FAILED},
    {"foreign agent's missing", foreign_missing, MIP4_FOREIGN_AUTH_FAILED},
    {"foreign agent's wrong", foreign_wrong, MIP4_FOREIGN_AUTH_FAILED},
    {"foreign agent's twice", foreign_twice, MIP4_FOREIGN_AUTH_FAILED},
    {"foreign agent's with an unknown SPI", foreign_unknown_spi, MIP4_FOREIGN_AUTH_FAILED},
    {"too old", too_old, MIP4_IDENTIFICATION_MISMATCH},
    {"too new", too_new, MIP4_IDENTIFICATION_MISMATCH},
    {"nonce unknown", unknown_nonce, MIP4_IDENTIFICATION_MISMATCH},
    {"malformed behind the authenticator", malformed_at_the_end, MIP4_POOR_REQUEST},
    {"care-of address unspecified", care_of_unspecified, MIP4_POOR_REQUEST},
    {"care-of address multicast", care_of_multicast, MIP4_POOR_REQUEST},
    {"care-of address loopback", care_of_loopback, MIP4_POOR_REQUEST},
    {"care-of address broadcast", care_of_broadcast, MIP4_POOR_REQUEST},
    {"a third care-of address of two", too_many, MIP4_TOO_MANY_BINDINGS},
    {"another home agent", another_home_agent, MIP4_UNKNOWN_HOME_AGENT},
    {"home agent unspecified", no_home_agent, MIP4_UNKNOWN_HOME_AGENT},
    {"sent to the subnet", subnet_broadcast, MIP4_UNKNOWN_HOME_AGENT},
    {"sent to everybody", limited_broadcast, MIP4_UNKNOWN_HOME_AGENT},
    {"reverse tunnel not offered", wants_reverse_tunnel, MIP4_NO_REVERSE_TUNNEL},
    {"reverse tunnel not asked for", lacks_reverse_tunnel, MIP4_REVERSE_TUNNEL_REQUIRED},
    {"minimal encapsulation", wants_minimal, MIP4_NO_ENCAPSULATION},
    {"GRE", wants_gre, MIP4_NO_ENCAPSULATION},
};

/* Every reply is signed, carries the low half of the Identification and both addresses; a denial has no other
 * effect than itself. */
START_TEST(answered)
{
    struct ask ask = lab_ask(&lab, 0);
    answers[_i].tweak(&ask);
    const size_t before = agent_bindings(lab.agent);
    const uint64_t replies = lab_replies(&lab, answers[_i].code);
    const struct answer a = lab_send(&lab, &ask);
    ck_assert_msg(a.sent, "%s: no reply", answers[_i].what);
    ck_assert_msg(a.reply.code == answers[_i].code, "%s: %u", answers[_i].what, a.reply.code);
    ck_assert_uint_eq(lab_replies(&lab, answers[_i].code), replies + 1);
    ck_assert_msg(a.mobile_good, "%s", answers[_i].what);
    ck_assert_msg(a.reply.ext.foreign_home.count == (ask.foreign.spi >= 1000), "%s", answers[_i].what);
    ck_assert((uint32_t)a.reply.identification == (uint32_t)ask.q.identification);
    ck_assert(addr_equal(&a.reply.home, &ask.q.home));
    const struct addr ours = ip("10.1.0.1");
    ck_assert(addr_equal(&a.reply.home_agent, &ours) && addr_equal(&a.message.source, &ours));
    ck_assert(addr_equal(&a.message.destination, &ask.source));
    if (mip4_code_is_success(a.reply.code))
        return;
    in_order("S");
    ck_assert_uint_eq(agent_bindings(lab.agent), before);
}
END_TEST

/* The same denials must leave a binding as it is. */
START_TEST(denied_while_bound)
{
    if (mip4_code_is_success(answers[_i].code) || answers[_i].tweak == too_many)
        return; /* too_many brings bindings of its own */
    struct binding_view before = {0}, after = {0};
    const struct addr home = lab_home(0);
    bind_node(0);
    struct ask ask = lab_ask(&lab, 0);
    answers[_i].tweak(&ask);
    agent_binding(lab.agent, &home, lab.now, &before);
    lab_send(&lab, &ask);
    agent_binding(lab.agent, &home, lab.now, &after);
    if (answers[_i].code == MIP4_NO_RESOURCES)
        return; /* what is bound may renew */
    in_order("S");
    ck_assert_mem_eq(&before, &after, sizeof(before));
}
END_TEST

/* ---- Every reason for silence ---- */
static void shorter_than_a_request(struct ask *ask)
{
    ask->mobile_times = 0;
    ask->cut = 1;
}

static void to_a_strangers_address(struct ask *ask)
{
    ask->destination = ip("10.1.0.77");
}

static void critical_extension(struct ask *ask)
{
    static const uint8_t unknown[] = {40, 2, 1, 2};
    ask->before = unknown;
    ask->before_len = sizeof(unknown);
}

static void critical_extension_at_the_end(struct ask *ask)
{
    critical_extension(ask);
    ask->after = ask->before;
    ask->after_len = ask->before_len;
    ask->before_len = 0;
}

static void malformed_in_front(struct ask *ask)
{
    static const uint8_t broken[] = {200, 255, 1, 2};
    ask->before = broken;
    ask->before_len = sizeof(broken);
}

static void malformed_and_forged(struct ask *ask)
{
    malformed_at_the_end(ask);
    ask->mobile_wrong = true;
}

static void cut_short(struct ask *ask)
{
    ask->cut = 1;
}

static void stranger(struct ask *ask)
{
    ask->q.home = ip("10.1.77.77");
}

static void stranger_by_name(struct ask *ask)
{
    ask->q.home = ip("0.0.0.0");
    ask->nai = "nobody@example.net";
}

static void no_name_no_address(struct ask *ask)
{
    ask->q.home = ip("0.0.0.0");
}

static void unknown_spi(struct ask *ask)
{
    ask->mobile.spi = 7777;
}

static void no_authentication(struct ask *ask)
{
    ask->mobile_times = 0;
}

static void other_authentication_alone(struct ask *ask)
{
    other_authentication_too(ask);
    ask->mobile_times = 0;
}

static void foreign_without_association(struct ask *ask)
{
    ask->source = ask->q.care_of = ip("198.51.100.2");
    ask->foreign = lab_foreign_association();
    ask->foreign_times = 1;
}

static void foreign_without_association_leaving(struct ask *ask)
{
    foreign_without_association(ask);
    ask->q.lifetime_s = 0;
}

static void use_up_denials(struct ask *ask)
{
    for (int i = 0; i < 1000; i++) {
        struct ask bad = lab_ask(&lab, 1);
        bad.mobile_wrong = true;
        lab_send(&lab, &bad);
    }
    ask->mobile_wrong = true;
}

static const struct {
    const char *what;
    void (*tweak)(struct ask *);
    enum agent_counter counter;
} silences[] = {
    {"too short", shorter_than_a_request, AGENT_DISCARD_SHORT},
    {"not to us", to_a_strangers_address, AGENT_DISCARD_DESTINATION},
    {"unknown extension 40", critical_extension, AGENT_DISCARD_UNKNOWN_EXTENSION},
    {"unknown extension 40 behind the authentication", critical_extension_at_the_end,
     AGENT_DISCARD_UNKNOWN_EXTENSION},
    {"malformed in front of the authentication", malformed_in_front, AGENT_DISCARD_MALFORMED},
    {"malformed and not authentic", malformed_and_forged, AGENT_DISCARD_MALFORMED},
    {"authentication cut short", cut_short, AGENT_DISCARD_MALFORMED},
    {"unknown home address", stranger, AGENT_DISCARD_UNKNOWN_MOBILE},
    {"unknown NAI", stranger_by_name, AGENT_DISCARD_UNKNOWN_MOBILE},
    {"neither home address nor NAI", no_name_no_address, AGENT_DISCARD_UNKNOWN_MOBILE},
    {"unknown SPI", unknown_spi, AGENT_DISCARD_UNKNOWN_SPI},
    {"no authentication", no_authentication, AGENT_DISCARD_NO_AUTH},
    {"another's authentication alone", other_authentication_alone, AGENT_DISCARD_NO_AUTH},
    {"foreign agent without association", foreign_without_association, AGENT_DISCARD_UNKNOWN_FOREIGN},
    {"the same, deregistration", foreign_without_association_leaving, AGENT_DISCARD_UNKNOWN_FOREIGN},
    {"too many failures", use_up_denials, AGENT_DISCARD_DENIAL_RATE},
};

START_TEST(silent)
{
    struct ask ask = lab_ask(&lab, 0);
    silences[_i].tweak(&ask);
    const uint64_t before = lab_counter(&lab, silences[_i].counter);
    const struct answer a = lab_send(&lab, &ask);
    ck_assert_msg(!a.sent, "%s: answered %u", silences[_i].what, a.reply.code);
    in_order("");
    ck_assert_msg(lab_counter(&lab, silences[_i].counter) == before + 1, "%s", silences[_i].what);
    ck_assert_uint_eq(agent_bindings(lab.agent), 0);
}
END_TEST

START_TEST(other_messages)
{
    struct ask ask = lab_ask(&lab, 0);
    uint8_t bytes[256];
    const size_t len = lab_encode(&lab, &ask, bytes, sizeof(bytes));
    for (int type = 0; type < 256; type++) {
        bytes[0] = (uint8_t)type;
        if (type != MIP4_REQUEST)
            ck_assert(!lab_send_bytes(&lab, &ask, bytes, len).sent);
    }
    ck_assert_uint_eq(lab_counter(&lab, AGENT_DISCARD_SHORT), 255);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_REQUESTS), 0);
}
END_TEST

/* One bit anywhere: never accepted. */
START_TEST(any_bit_flipped)
{
    struct ask ask = lab_ask(&lab, 1);
    ask.nai = lab_nai(1);
    uint8_t bytes[256];
    const size_t len = lab_encode(&lab, &ask, bytes, sizeof(bytes));
    for (size_t bit = 0; bit < len * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        lab_send_bytes(&lab, &ask, bytes, len);
        ck_assert_uint_eq(agent_bindings(lab.agent), 0);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    ck_assert_uint_eq(lab_send_bytes(&lab, &ask, bytes, len).reply.code, MIP4_ACCEPTED_NO_SIMULTANEOUS);
}
END_TEST

/* ---- Days ---- */

/* A binding that is renewed lives; each lapse ends it at its second. */
START_TEST(ten_days)
{
    const struct addr home = lab_home(0);
    for (int day = 0; day < 10; day++) {
        for (int i = 0; i < 288 - 1; i++) { /* five minutes */
            struct ask ask = i % 2 == 0 ? lab_ask(&lab, 0) : lab_ask_relayed(&lab, 0);
            ask.q.lifetime_s = 301;
            granted(&ask);
            lab_wait(&lab, 300 * NSEC_PER_S);
            ck_assert(agent_intercepts(lab.agent, &home));
        }
        lab_wait(&lab, NSEC_PER_S - 1);
        ck_assert(agent_intercepts(lab.agent, &home));
        lab_wait(&lab, 1);
        ck_assert(!agent_intercepts(lab.agent, &home));
        lab_wait(&lab, 299 * NSEC_PER_S);
    }
    ck_assert_uint_eq(lab_counter(&lab, AGENT_BINDINGS_EXPIRED), 10);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_BINDINGS_CREATED), 10);
}
END_TEST

START_TEST(infinite_lifetime_over_ten_days)
{
    lab.settings.max_lifetime_s = MIP4_LIFETIME_INFINITE;
    reconfigure();
    struct ask ask = lab_ask(&lab, 0);
    ask.q.lifetime_s = MIP4_LIFETIME_INFINITE;
    granted(&ask);
    lab_wait(&lab, 10 * 86400 * NSEC_PER_S);
    ck_assert_uint_eq(agent_bindings(lab.agent), 1);
}
END_TEST

/* Across February 2036, with bindings alive. */
START_TEST(rollover_with_bindings)
{
    static const uint8_t seed[AGENT_SEED] = {7};
    agent_destroy(lab.agent);
    lab.now.ntp = UINT64_MAX - ntp_from_seconds(200);
    lab.agent = agent_create(&lab.settings, seed, lab.now);
    lab_populate(&lab);
    lab_wait(&lab, 10 * NSEC_PER_S);
    struct ask last = {0};
    for (int i = 0; i < 40; i++) {
        last = lab_ask(&lab, 0);
        granted(&last);
        lab_wait(&lab, 10 * NSEC_PER_S);
    }
    ck_assert(lab.now.ntp < ntp_from_seconds(1000));
    struct ask old = last;
    old.q.identification = UINT64_MAX - ntp_from_seconds(1);
    denied(&old, MIP4_IDENTIFICATION_MISMATCH);
    ck_assert_uint_eq(agent_bindings(lab.agent), 1);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_BINDINGS_CREATED), 1);
}
END_TEST

/* A mobile node without a clock that works: two messages each way, and it is in. */
START_TEST(clock_resynchronisation)
{
    struct ask ask = lab_ask(&lab, 0);
    ask.q.identification = ntp_from_seconds(1234);
    struct answer a = lab_send(&lab, &ask);
    ck_assert_uint_eq(a.reply.code, MIP4_IDENTIFICATION_MISMATCH);
    ask.q.identification = a.reply.identification + 1;
    granted(&ask);
}
END_TEST

/* Every second reply of a mobile node with nonces is lost; it sends the same bytes again, and is through. */
START_TEST(nonces_with_lost_replies)
{
    bind_node(LAB_NONCES);
    for (int i = 0; i < 500; i++) {
        const uint32_t known = lab.nonce[LAB_NONCES];
        struct ask ask = lab_ask(&lab, LAB_NONCES);
        granted(&ask);
        if (i % 2 == 0) {
            lab.nonce[LAB_NONCES] = known; /* lost */
            granted(&ask);
            ck_assert(lab.nonce[LAB_NONCES] != known);
        }
        lab_wait(&lab, NSEC_PER_S);
    }
    ck_assert_uint_eq(lab_replies(&lab, MIP4_IDENTIFICATION_MISMATCH), 1);
}
END_TEST

/* ... and one that forgets and asks anew needs one round more, never two. */
START_TEST(nonces_with_a_forgetful_mobile_node)
{
    bind_node(LAB_NONCES);
    for (int i = 0; i < 100; i++) {
        const uint32_t known = lab.nonce[LAB_NONCES];
        struct ask ask = lab_ask(&lab, LAB_NONCES);
        granted(&ask);
        lab.nonce[LAB_NONCES] = known;
        ask = lab_ask(&lab, LAB_NONCES);
        denied(&ask, MIP4_IDENTIFICATION_MISMATCH);
        ask = lab_ask(&lab, LAB_NONCES);
        granted(&ask);
    }
}
END_TEST

/* Roaming and home: what the home link hears, to the millisecond. */
START_TEST(a_day_abroad)
{
    const struct addr home = lab_home(0);
    const struct arp who_has = {.operation = ARP_REQUEST, .sender = ip("10.1.9.9"), .target = home};
    struct ask ask = lab_ask_relayed(&lab, 0);
    granted(&ask);
    in_order("I A S");
    ck_assert(hear_arp(lab.agent, &who_has, lab.now));
    lab_wait(&lab, 200 * NSEC_PER_MS);
    in_order("A");
    ask = lab_ask(&lab, 0); /* moves on; the repeats go on */
    granted(&ask);
    in_order("I S");
    lab_wait(&lab, 800 * NSEC_PER_MS);
    in_order("A");
    lab_wait(&lab, 2000 * NSEC_PER_MS);
    in_order("A");
    for (int i = 0; i < 10; i++) {
        ask = lab_ask(&lab, 0);
        granted(&ask);
        in_order("S");
        lab_wait(&lab, 100 * NSEC_PER_S);
        in_order("");
    }
    ask = lab_ask_return(&lab, 0);
    granted(&ask);
    in_order("R A S");
    ck_assert(!hear_arp(lab.agent, &who_has, lab.now));
    lab_wait(&lab, 200 * NSEC_PER_MS);
    in_order("A");
    lab_wait(&lab, 86400 * NSEC_PER_S);
    in_order("A A");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("registration in virtual time");
    TCase *codes = lab_case(suite, "reply codes");
    tcase_add_loop_test(codes, answered, 0, ROWS(answers));
    tcase_add_loop_test(codes, denied_while_bound, 0, ROWS(answers));
    TCase *silence = lab_case(suite, "silence");
    tcase_add_loop_test(silence, silent, 0, ROWS(silences));
    tcase_add_test(silence, other_messages);
    tcase_add_test(silence, any_bit_flipped);
    TCase *days = lab_case(suite, "days");
    tcase_add_test(days, ten_days);
    tcase_add_test(days, infinite_lifetime_over_ten_days);
    tcase_add_test(days, rollover_with_bindings);
    tcase_add_test(days, clock_resynchronisation);
    tcase_add_test(days, nonces_with_lost_replies);
    tcase_add_test(days, nonces_with_a_forgetful_mobile_node);
    tcase_add_test(days, a_day_abroad);
    return check_main(suite);
}
