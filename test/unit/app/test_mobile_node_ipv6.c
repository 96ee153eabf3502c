/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The mobile node of RFC 6275 section 11.7 in virtual time, against acknowledgements made by hand. What it
 * has in common with that of RFC 5944 is in test_mobile_node.c.
 *
 * Whole messages: test/net/mobile_node6.py bytes CARE-OF --spi 300 --sequence 4660 --lifetime 100 ...; their
 * checksums once more by scapy's in6_chksum.
 */
#include "../check_main.h"
#include "mip6.h"
#include "mobile.h"

#include <stdio.h>

static const uint64_t boot_ntp = UINT64_C(0xe7000000) << 32;

static struct auth *auth;
static struct mobile m;
static struct mobile_policy policy;
static struct mobile_output out;
static struct instant now;
static struct mip6_update asked; /* the last one sent, decoded */

static struct addr ip(const char *text)
{
    struct addr a;
    ck_assert(addr_parse(text, &a));
    return a;
}

static void ck_addr(const struct addr *a, const char *expected)
{
    char text[ADDR_TEXT_MAX];
    ck_assert_str_eq(addr_format(a, text), expected);
}

static void ck_message(const char *hex)
{
    char text[2 * MOBILE_MESSAGE_MAX + 1] = "";
    for (size_t i = 0; i < out.len; i++)
        sprintf(text + 2 * i, "%02x", out.message[i]);
    ck_assert_str_eq(text, hex);
}

static void advance(uint64_t ns)
{
    now.mono_ns += ns;
    now.ntp += (ns / NSEC_PER_S << 32) + ((ns % NSEC_PER_S << 32) / NSEC_PER_S);
}

static void begin_with(uint8_t replay, const char *nai)
{
    struct mobile_identity who = {.home = ip("2001:db8:1::50"),
                                  .key = {.len = 16, .algorithm = AUTH_HMAC_SHA1},
                                  .spi = 300,
                                  .replay = replay,
                                  .nai = nai};
    for (uint8_t i = 0; i < 16; i++)
        who.key.bytes[i] = i;
    const struct addr home_agent = ip("2001:db8:1::2");
    policy = (struct mobile_policy){.lifetime_s = 100, .tries = 4};
    now = (struct instant){.mono_ns = 1000 * NSEC_PER_S, .ntp = boot_ntp};
    mobile_init(&m, &policy, &who, &home_agent, 7);
    m.sequence = 0x1233;
}

static void setup(void)
{
    auth = auth_create();
    ck_assert_ptr_nonnull(auth);
    begin_with(MOBILE_SEQUENCE, NULL);
}

static void teardown(void)
{
    auth_destroy(auth);
}

/* Lets what is due now happen; the update sent, if any, is verified and left in `asked`. */
static bool expire(void)
{
    enum mip6_type type;
    mobile_expire(&m, auth, now, &out);
    if (out.len == 0)
        return false;
    const struct addr *home = &m.identity.home;
    ck_assert_int_eq(mip6_check(out.message, out.len, home, &m.home_agent, &type), MIP6_DECODED);
    ck_assert_int_eq(type, MIP6_UPDATE);
    ck_assert_int_eq(mip6_update_decode(out.message, out.len, &asked), MIP6_DECODED);
    ck_assert(mip6_auth_verify(out.message, out.len, &asked.options.mobile_home, &m.identity.key, &m.care_of,
                               home, auth));
    ck_assert_uint_eq(asked.options.mobile_home.spi, 300);
    return true;
}

static bool expire_at_deadline(void)
{
    ck_assert(mobile_deadline(&m) != TIMER_NEVER);
    if (mobile_deadline(&m) > now.mono_ns)
        advance(mobile_deadline(&m) - now.mono_ns);
    return expire();
}

static void go_abroad(const char *care_of)
{
    const struct addr a = ip(care_of);
    mobile_want(&m, MOBILE_ABROAD, &a, now.mono_ns);
}

enum fault { SOUND, UNSIGNED, WRONG_KEY, WRONG_SPI, FLIPPED, CHECKSUM, CUT, ANOTHER_HOME, ANOTHER_AGENT };

struct answer_spec {
    uint8_t status;
    uint16_t lifetime_s;
    uint16_t sequence;
    uint16_t refresh_s;
    uint64_t timestamp; /* 0: none */
    enum fault fault;
};

/* Refresh advice is not the home agent's business to encode here. */
static void append_refresh(struct writer *w, uint16_t refresh_s)
{
    write_u8(w, MIP6_OPT_REFRESH_ADVICE);
    write_u8(w, 2);
    write_u16(w, refresh_s / MIP6_LIFETIME_UNIT_S);
}

static struct mobile_answer answer_with(const struct answer_spec *s)
{
    const struct mip6_ack ack = {
        .status = s->status, .sequence = s->sequence, .lifetime = s->lifetime_s / MIP6_LIFETIME_UNIT_S};
    struct auth_key key = m.identity.key;
    struct mobile_reply reply = {.source = m.home_agent, .home = m.identity.home};
    uint8_t bytes[256];
    struct writer w = writer_over(bytes, sizeof(bytes));

    key.bytes[0] ^= s->fault == WRONG_KEY;
    mip6_ack_begin(&w, &ack);
    if (s->refresh_s != 0)
        append_refresh(&w, s->refresh_s);
    if (s->timestamp != 0)
        mip6_append_timestamp(&w, s->timestamp);
    if (s->fault != UNSIGNED)
        ck_assert(mip6_append_auth(&w, s->fault == WRONG_SPI ? 301 : 300, &key, &m.care_of, &m.identity.home,
                                   auth));
    bytes[6] ^= s->fault == FLIPPED;
    if (s->fault == ANOTHER_HOME)
        reply.home = ip("2001:db8:1::51");
    ck_assert(mip6_finish(&w, &m.home_agent, &reply.home));
    bytes[4] ^= s->fault == CHECKSUM;
    if (s->fault == ANOTHER_AGENT)
        reply.source = ip("2001:db8:1::3");
    reply.message = bytes;
    reply.len = writer_len(&w) - (s->fault == CUT ? 8 : 0);
    return mobile_input(&m, auth, now, &reply);
}

static struct mobile_answer answer(uint8_t status, uint16_t lifetime_s)
{
    return answer_with(&(struct answer_spec){.status = status,
                                             .lifetime_s = lifetime_s,
                                             .sequence = asked.sequence,
                                             .timestamp = asked.options.timestamp});
}

static void register_at(const char *care_of, uint16_t granted_s)
{
    go_abroad(care_of);
    ck_assert(expire());
    ck_assert_int_eq(answer(0, granted_s).verdict, MOBILE_ACCEPTED);
}

START_TEST(update_from_abroad)
{
    go_abroad("2001:db8:2::5");
    ck_assert(expire());
    ck_addr(&out.source, "2001:db8:2::5");
    ck_addr(&out.destination, "2001:db8:1::2");
    ck_addr(&out.home, "2001:db8:1::50");
    ck_assert(!out.announce && !out.retransmission);
    ck_message(
        "3b0605008a371234c00000190100031020010db800020000000000000000000501030000000911010000012c1d121c3c"
        "72fc9e409651e108");
}
END_TEST

/* The identifier, and a timestamp whose last bits are chance. */
START_TEST(update_with_all_options)
{
    begin_with(MOBILE_TIMESTAMP, "truck7@fleet.example");
    go_abroad("2001:db8:2::5");
    ck_assert(expire());
    ck_assert_uint_eq(asked.options.timestamp & ~UINT64_C(3), boot_ntp);
    ck_assert_uint_eq(asked.options.nai_len, 20);
    ck_message(
        "3b0a050087dc1234c00000190100031020010db8000200000000000000000005081501747275636b3740666c6565742e"
        "6578616d706c650101000a08e700000000000002000911010000012ce7303660f2e2196ee461d1d2");
}
END_TEST

START_TEST(longest_update)
{
    char nai[256] = {0};
    memset(nai, 'n', 254); /* with its subtype 255 bytes */
    begin_with(MOBILE_TIMESTAMP, nai);
    go_abroad("2001:db8:2::5");
    ck_assert(expire());
    ck_assert_uint_eq(asked.options.nai_len, 254);
}
END_TEST

START_TEST(deregistration_from_abroad)
{
    register_at("2001:db8:2::5", 100);
    advance(10 * NSEC_PER_S);
    m.sequence = 0x1233;
    mobile_want(&m, MOBILE_UNBOUND, NULL, now.mono_ns);
    ck_assert(expire());
    ck_addr(&out.home, "2001:db8:1::50");
    ck_message(
        "3b060500e3ed1234c00000000100031020010db800020000000000000000000501030000000911010000012cd04c8f6f"
        "b0d63ad6810e9bd0");
    ck_assert_int_eq(answer(0, 0).verdict, MOBILE_ACCEPTED);
    ck_assert(!mobile_is_bound(&m, now.mono_ns));
    ck_assert(mobile_is_quiet(&m) && mobile_deadline(&m) == TIMER_NEVER);
}
END_TEST

/* RFC 6275 section 11.5.5: neither Home Address option nor alternate care-of address; its own advertisement
 * comes after the acknowledgement, three times a second apart. */
START_TEST(coming_home)
{
    register_at("2001:db8:2::5", 100);
    m.sequence = 0x1233;
    mobile_want(&m, MOBILE_HOME, NULL, now.mono_ns);
    ck_assert(expire());
    ck_assert_msg(!out.announce, "before the acknowledgement");
    ck_addr(&out.source, "2001:db8:1::50");
    ck_addr(&out.home, "::");
    ck_message("3b03050033b41234c0000000000911010000012cae2df33abad748d8cee2d774");
    advance(300 * NSEC_PER_MS);
    ck_assert_int_eq(answer(0, 0).verdict, MOBILE_ACCEPTED);

    const uint64_t acknowledged_ns = now.mono_ns;
    for (uint64_t i = 0; i < 3; i++) {
        ck_assert_msg(!mobile_is_quiet(&m), "announcement %u is still to come", (unsigned)i);
        ck_assert(!expire_at_deadline());
        ck_assert(out.announce);
        ck_assert_uint_eq(now.mono_ns, acknowledged_ns + i * NSEC_PER_S);
    }
    ck_assert(mobile_is_quiet(&m) && mobile_deadline(&m) == TIMER_NEVER);
}
END_TEST

/* Its acknowledgement was lost, so there is nothing to be deleted any more (133). */
START_TEST(coming_home_twice)
{
    register_at("2001:db8:2::5", 100);
    mobile_want(&m, MOBILE_HOME, NULL, now.mono_ns);
    ck_assert(expire());
    ck_assert(expire_at_deadline());
    ck_assert_int_eq(answer(MIP6_NOT_HOME_AGENT, 0).verdict, MOBILE_ACCEPTED);
    ck_assert_int_eq(m.state, MOBILE_SETTLED);
    ck_assert(!expire() && out.announce);
}
END_TEST

START_TEST(leaving_home_ends_the_announcements)
{
    mobile_want(&m, MOBILE_HOME, NULL, now.mono_ns);
    ck_assert(expire());
    ck_assert_int_eq(answer(0, 0).verdict, MOBILE_ACCEPTED);
    go_abroad("2001:db8:2::5");
    ck_assert(expire());
    ck_assert(!out.announce);
}
END_TEST

static const struct {
    const char *what;
    uint16_t asked_s, units, granted_s, refresh_s, renew_s;
    uint64_t bound_s, renewed_ms;
} lifetimes[] = {
    {"less than asked", 100, 25, 48, 0, 0, 48, 38400},
    {"more than asked does not count", 100, 25, 200, 0, 0, 100, 80000},
    {"units of four seconds", 103, 25, 100, 0, 0, 100, 80000},
    {"never none", 1, 1, 4, 0, 0, 4, 3200},
    {"all ones are no infinity", 65535, 16383, 65532, 0, 0, 65532, 52425600},
    {"renewed as told", 100, 25, 100, 0, 5, 100, 5000},
    {"renewed as advised", 100, 25, 100, 40, 0, 100, 40000},
    {"advice is no reason to be late", 100, 25, 100, 96, 0, 100, 80000},
};

START_TEST(lifetime)
{
    policy.lifetime_s = lifetimes[_i].asked_s;
    policy.renew_s = lifetimes[_i].renew_s;
    go_abroad("2001:db8:2::5");
    ck_assert(expire());
    ck_assert_uint_eq(asked.lifetime, lifetimes[_i].units);
    const struct answer_spec spec = {.lifetime_s = lifetimes[_i].granted_s,
                                     .refresh_s = lifetimes[_i].refresh_s,
                                     .sequence = asked.sequence};
    const uint64_t sent_ns = now.mono_ns;
    advance(NSEC_PER_S);
    ck_assert_int_eq(answer_with(&spec).verdict, MOBILE_ACCEPTED);
    ck_assert_msg(m.bound_until_ns == sent_ns + lifetimes[_i].bound_s * NSEC_PER_S, "%s", lifetimes[_i].what);
    ck_assert_msg(mobile_deadline(&m) == sent_ns + lifetimes[_i].renewed_ms * NSEC_PER_MS, "%s",
                  lifetimes[_i].what);
}
END_TEST

/* RFC 6275 sections 11.8 and 13: 1.5 s at first, that the home agent may look for duplicates, 1 s while there
 * is a binding; doubled up to 32 s; each with a greater sequence number. */
START_TEST(retransmission)
{
    const uint64_t first_ms[] = {1500, 3000, 6000, 12000, 24000, 32000, 32000};
    const uint64_t bound_ms[] = {1000, 2000, 4000, 8000};
    policy.tries = 0;
    go_abroad("2001:db8:2::5");
    ck_assert(expire());
    for (int i = 0; i < ROWS(first_ms); i++) {
        const uint64_t before_ns = now.mono_ns;
        const uint16_t before = asked.sequence;
        ck_assert(expire_at_deadline());
        ck_assert(out.retransmission);
        ck_assert_uint_eq(now.mono_ns - before_ns, first_ms[i] * NSEC_PER_MS);
        ck_assert_uint_eq(asked.sequence, before + 1);
    }
    ck_assert_int_eq(answer(0, 100).verdict, MOBILE_ACCEPTED);

    advance(NSEC_PER_S);
    go_abroad("2001:db8:3::5");
    ck_assert(expire());
    for (int i = 0; i < ROWS(bound_ms); i++) {
        const uint64_t before_ns = now.mono_ns;
        ck_assert(expire_at_deadline());
        ck_assert_uint_eq(now.mono_ns - before_ns, bound_ms[i] * NSEC_PER_MS);
    }
}
END_TEST

START_TEST(sequence_numbers_wrap)
{
    m.sequence = 0xffff;
    go_abroad("2001:db8:2::5");
    ck_assert(expire());
    ck_assert_uint_eq(asked.sequence, 0);
    ck_assert_int_eq(answer(0, 100).verdict, MOBILE_ACCEPTED);
}
END_TEST

/* RFC 6275 section 11.7.3, RFC 4285 section 6: each is ignored and changes nothing. */
static const struct {
    const char *what;
    struct answer_spec spec;
    uint16_t sequence_plus;
    enum mobile_verdict verdict;
} discards[] = {
    {"another sequence number", {.lifetime_s = 100}, 1, MOBILE_IDENTIFICATION},
    {"the sequence number before", {.lifetime_s = 100}, 0xffff, MOBILE_IDENTIFICATION},
    {"a refusal of another", {.status = 129}, 1, MOBILE_IDENTIFICATION},
    {"no authentication", {.lifetime_s = 100, .fault = UNSIGNED}, 0, MOBILE_UNAUTHENTICATED},
    {"135 without authentication", {.status = 135, .fault = UNSIGNED}, 99, MOBILE_UNAUTHENTICATED},
    {"135 with a wrong key", {.status = 135, .fault = WRONG_KEY}, 99, MOBILE_BAD_AUTHENTICATOR},
    {"wrong key", {.lifetime_s = 100, .fault = WRONG_KEY}, 0, MOBILE_BAD_AUTHENTICATOR},
    {"146 with a wrong key", {.status = 146, .fault = WRONG_KEY}, 0, MOBILE_BAD_AUTHENTICATOR},
    {"another SPI", {.lifetime_s = 100, .fault = WRONG_SPI}, 0, MOBILE_BAD_AUTHENTICATOR},
    {"status changed on its way", {.lifetime_s = 100, .fault = FLIPPED}, 0, MOBILE_BAD_AUTHENTICATOR},
    {"wrong checksum", {.lifetime_s = 100, .fault = CHECKSUM}, 0, MOBILE_MALFORMED},
    {"cut short", {.lifetime_s = 100, .fault = CUT}, 0, MOBILE_MALFORMED},
    {"from another home agent", {.lifetime_s = 100, .fault = ANOTHER_AGENT}, 0, MOBILE_MALFORMED},
};

START_TEST(discard)
{
    go_abroad("2001:db8:2::5");
    ck_assert(expire());
    const struct mobile before = m;
    struct answer_spec spec = discards[_i].spec;
    spec.sequence = (uint16_t)(asked.sequence + discards[_i].sequence_plus);
    const struct mobile_answer a = answer_with(&spec);
    ck_assert_msg(a.verdict == discards[_i].verdict, "%s: %s", discards[_i].what,
                  mobile_verdict_text(a.verdict));
    ck_assert_msg(memcmp(&before, &m, sizeof(m)) == 0, "%s changed something", discards[_i].what);
    ck_assert_int_eq(answer(0, 100).verdict, MOBILE_ACCEPTED);
}
END_TEST

START_TEST(other_messages)
{
    uint8_t bytes[64];
    struct writer w = writer_over(bytes, sizeof(bytes));
    go_abroad("2001:db8:2::5");
    ck_assert(expire());
    const struct mobile before = m;
    mip6_error_encode(&w, 1, &m.identity.home, &m.home_agent, &m.identity.home);
    const struct mobile_reply error = {
        .source = m.home_agent, .home = m.identity.home, .message = bytes, .len = writer_len(&w)};
    ck_assert_int_eq(mobile_input(&m, auth, now, &error).verdict, MOBILE_MALFORMED);
    const struct mobile_reply own = {
        .source = m.identity.home, .home = m.home_agent, .message = out.message, .len = out.len};
    ck_assert_int_eq(mobile_input(&m, auth, now, &own).verdict, MOBILE_MALFORMED);
    ck_assert_mem_eq(&before, &m, sizeof(m));
}
END_TEST

static const uint8_t denials[] = {128, 129, 130, 131, 132, 133, 134, 139, 140, 145, 146, 174, 255};

START_TEST(denied)
{
    register_at("2001:db8:2::5", 100);
    ck_assert(expire_at_deadline());
    const struct mobile_answer a = answer(denials[_i], 0);
    ck_assert_int_eq(a.verdict, MOBILE_DENIED);
    ck_assert_uint_eq(a.code, denials[_i]);
    ck_assert_int_eq(m.state, MOBILE_FAILED);
    ck_assert_msg(mobile_is_bound(&m, now.mono_ns + 19 * NSEC_PER_S), "the binding that there is lives on");
}
END_TEST

START_TEST(accepted_but_prefixes_must_be_discovered)
{
    go_abroad("2001:db8:2::5");
    ck_assert(expire());
    ck_assert_int_eq(answer(MIP6_ACCEPTED_PREFIX, 100).verdict, MOBILE_ACCEPTED);
    ck_assert(mobile_is_bound(&m, now.mono_ns));
}
END_TEST

/* RFC 6275 section 11.7.1: the next after the one that the home agent has accepted. */
START_TEST(sequence_out_of_window)
{
    go_abroad("2001:db8:2::5");
    ck_assert(expire());
    const struct answer_spec refused = {.status = 135, .sequence = 0x9000};
    ck_assert_int_eq(answer_with(&refused).verdict, MOBILE_REPAIRING);
    ck_assert(expire_at_deadline());
    ck_assert_msg(!out.retransmission, "it is a new one");
    ck_assert_uint_eq(asked.sequence, 0x9001);
    ck_assert_int_eq(answer(0, 100).verdict, MOBILE_ACCEPTED);
}
END_TEST

static const struct {
    const char *what;
    int64_t home_agent_ahead_s;
} clocks[] = {{"home agent ahead", 1000}, {"home agent behind", -1000}};

START_TEST(timestamps_resynchronise)
{
    begin_with(MOBILE_TIMESTAMP, NULL);
    go_abroad("2001:db8:2::5");
    ck_assert(expire());
    const uint64_t ahead = (uint64_t)clocks[_i].home_agent_ahead_s << 32;
    const struct answer_spec mismatch = {
        .status = 144, .sequence = asked.sequence, .timestamp = asked.options.timestamp + ahead};
    ck_assert_int_eq(answer_with(&mismatch).verdict, MOBILE_REPAIRING);
    ck_assert(expire_at_deadline());
    const uint64_t expected = boot_ntp + (UINT64_C(3) << 31) + ahead;
    ck_assert_msg(llabs(ntp_since(asked.options.timestamp, expected)) <= 8, "%s", clocks[_i].what);
    ck_assert_int_eq(answer(0, 100).verdict, MOBILE_ACCEPTED);
}
END_TEST

/* RFC 4285 section 6: what is no mismatch bears the timestamp as it was sent. */
static const struct {
    const char *what;
    uint8_t status;
    uint64_t changed; /* of the timestamp */
} stamps[] = {
    {"accepted, other seconds", 0, UINT64_C(1) << 32},
    {"accepted, other fraction", 0, 4},
    {"refused, other seconds", 129, UINT64_C(1) << 32},
    {"mismatch, other fraction", 144, 4},
};

START_TEST(timestamp_does_not_match)
{
    begin_with(MOBILE_TIMESTAMP, NULL);
    go_abroad("2001:db8:2::5");
    ck_assert(expire());
    const struct mobile before = m;
    struct answer_spec spec = {.status = stamps[_i].status,
                               .lifetime_s = 100,
                               .sequence = asked.sequence,
                               .timestamp = asked.options.timestamp ^ stamps[_i].changed};
    ck_assert_msg(answer_with(&spec).verdict == MOBILE_IDENTIFICATION, "%s", stamps[_i].what);
    spec.timestamp = 0;
    ck_assert_msg(answer_with(&spec).verdict == MOBILE_IDENTIFICATION, "%s: none", stamps[_i].what);
    ck_assert_mem_eq(&before, &m, sizeof(m));
    ck_assert_int_eq(answer(0, 100).verdict, MOBILE_ACCEPTED);
}
END_TEST

START_TEST(timestamps_rise_with_each_transmission)
{
    begin_with(MOBILE_TIMESTAMP, NULL);
    go_abroad("2001:db8:2::5");
    ck_assert(expire());
    const uint64_t before = asked.options.timestamp;
    ck_assert(expire_at_deadline());
    ck_assert_int_gt(ntp_since(asked.options.timestamp, before), 0);
    ck_assert_int_eq(answer(0, 100).verdict, MOBILE_ACCEPTED);
}
END_TEST

START_TEST(movement)
{
    register_at("2001:db8:2::5", 100);
    advance(NSEC_PER_MS);
    go_abroad("2001:db8:3::5");
    ck_assert(expire());
    ck_addr(&out.source, "2001:db8:3::5");
    ck_addr(&asked.options.alternate_care_of, "2001:db8:3::5");
    ck_assert(!mobile_is_bound(&m, now.mono_ns));
    ck_assert_int_eq(answer(0, 100).verdict, MOBILE_ACCEPTED);
    ck_assert(mobile_is_bound(&m, now.mono_ns));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mobile_node_ipv6");
    TCase *c = tcase_create("mobile_node_ipv6");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, update_from_abroad);
    tcase_add_test(c, update_with_all_options);
    tcase_add_test(c, longest_update);
    tcase_add_test(c, deregistration_from_abroad);
    tcase_add_test(c, coming_home);
    tcase_add_test(c, coming_home_twice);
    tcase_add_test(c, leaving_home_ends_the_announcements);
    tcase_add_loop_test(c, lifetime, 0, ROWS(lifetimes));
    tcase_add_test(c, retransmission);
    tcase_add_test(c, sequence_numbers_wrap);
    tcase_add_loop_test(c, discard, 0, ROWS(discards));
    tcase_add_test(c, other_messages);
    tcase_add_loop_test(c, denied, 0, ROWS(denials));
    tcase_add_test(c, accepted_but_prefixes_must_be_discovered);
    tcase_add_test(c, sequence_out_of_window);
    tcase_add_loop_test(c, timestamps_resynchronise, 0, ROWS(clocks));
    tcase_add_loop_test(c, timestamp_does_not_match, 0, ROWS(stamps));
    tcase_add_test(c, timestamps_rise_with_each_transmission);
    tcase_add_test(c, movement);
    suite_add_tcase(suite, c);
    return check_main(suite);
}
