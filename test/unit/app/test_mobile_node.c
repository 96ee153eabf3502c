/* SPDX-License-Identifier: BSD-3-Clause */
/* The mobile node of RFC 5944 section 3.6, in virtual time, against replies made by hand; what it has in
 * common with that of RFC 6275, too. */
#include "../check_main.h"
#include "mip4.h"
#include "mobile.h"

static const uint64_t boot_ntp = UINT64_C(0xe7000000) << 32; /* some day in 2022 */

static struct auth *auth;
static struct mobile m;
static struct mobile_policy policy;
static struct mobile_output out;
static struct instant now;
static struct mip4_request asked; /* the last one sent, decoded */

static struct addr ip(const char *text)
{
    struct addr a;
    ck_assert(addr_parse(text, &a));
    return a;
}

static const char *text_of(const struct addr *a)
{
    static char text[2][ADDR_TEXT_MAX];
    static int turn;
    turn = !turn;
    return addr_format(a, text[turn]);
}

static void ck_addr(const struct addr *a, const char *expected)
{
    ck_assert_str_eq(text_of(a), expected);
}

static void advance(uint64_t ns)
{
    now.mono_ns += ns;
    now.ntp += (ns / NSEC_PER_S << 32) + ((ns % NSEC_PER_S << 32) / NSEC_PER_S);
}

static void begin_with(uint8_t replay, const char *nai)
{
    const struct mobile_identity who = {.home = ip("10.1.0.50"),
                                        .key = {.bytes = {1, 2, 3, 4}, .len = 16, .algorithm = AUTH_HMAC_MD5},
                                        .spi = 300,
                                        .replay = replay,
                                        .nai = nai};
    const struct addr home_agent = ip("10.1.0.2");
    policy = (struct mobile_policy){.lifetime_s = 100, .tries = 4};
    now = (struct instant){.mono_ns = 1000 * NSEC_PER_S, .ntp = boot_ntp};
    mobile_init(&m, &policy, &who, &home_agent, 7);
}

static void setup(void)
{
    auth = auth_create();
    ck_assert_ptr_nonnull(auth);
    begin_with(MOBILE_TIMESTAMP, NULL);
}

static void teardown(void)
{
    auth_destroy(auth);
}

/* Lets what is due now happen; the request sent, if any, is verified and left in `asked`. */
static bool expire(void)
{
    mobile_expire(&m, auth, now, &out);
    if (out.len == 0)
        return false;
    ck_assert_int_eq(mip4_request_decode(out.message, out.len, &asked), MIP4_DECODED);
    ck_assert_uint_eq(asked.ext.mobile_home.count, 1);
    ck_assert_uint_eq(asked.ext.mobile_home.spi, 300);
    ck_assert(mip4_auth_verify(out.message, &asked.ext.mobile_home, &m.identity.key, auth));
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

enum fault { SOUND, NO_MHAE, TWO_MHAE, WRONG_KEY, WRONG_SPI, FLIPPED, CUT };

struct answer_spec {
    uint8_t code;
    uint16_t lifetime_s;
    uint64_t identification;
    const char *home;
    const char *home_agent;
    enum fault fault;
};

static struct mobile_answer answer_with(const struct answer_spec *s)
{
    const struct mip4_reply reply = {.code = s->code,
                                     .lifetime_s = s->lifetime_s,
                                     .home = ip(s->home != NULL ? s->home : "10.1.0.50"),
                                     .home_agent = ip(s->home_agent != NULL ? s->home_agent : "10.1.0.2"),
                                     .identification = s->identification};
    struct auth_key key = m.identity.key;
    uint8_t bytes[256];
    struct writer w = writer_over(bytes, sizeof(bytes));

    key.bytes[0] ^= s->fault == WRONG_KEY;
    mip4_reply_encode(&w, &reply);
    const int copies = s->fault == NO_MHAE ? 0 : s->fault == TWO_MHAE ? 2 : 1;
    for (int i = 0; i < copies; i++)
        ck_assert(
            mip4_append_auth(&w, MIP4_EXT_MOBILE_HOME_AUTH, s->fault == WRONG_SPI ? 301 : 300, &key, auth));
    bytes[1] ^= s->fault == FLIPPED;
    const struct mobile_reply sent = {.source = m.home_agent,
                                      .home = addr_unspecified,
                                      .message = bytes,
                                      .len = writer_len(&w) - (s->fault == CUT ? 4 : 0)};
    return mobile_input(&m, auth, now, &sent);
}

static struct mobile_answer answer(uint8_t code, uint16_t lifetime_s)
{
    return answer_with(&(struct answer_spec){
        .code = code, .lifetime_s = lifetime_s, .identification = asked.identification});
}

static void register_at(const char *care_of, uint16_t granted_s)
{
    go_abroad(care_of);
    ck_assert(expire());
    ck_assert_int_eq(answer(0, granted_s).verdict, MOBILE_ACCEPTED);
}

START_TEST(request_from_abroad)
{
    ck_assert(mobile_is_quiet(&m));
    ck_assert(mobile_deadline(&m) == TIMER_NEVER);
    go_abroad("10.2.0.5");
    ck_assert(!mobile_is_quiet(&m));
    ck_assert_uint_eq(mobile_deadline(&m), now.mono_ns);
    ck_assert(expire());

    ck_addr(&out.source, "10.2.0.5");
    ck_addr(&out.destination, "10.1.0.2");
    ck_assert(!out.announce && !out.retransmission);
    ck_assert_uint_eq(asked.flags, MIP4_COLOCATED);
    ck_assert_uint_eq(asked.lifetime_s, 100);
    ck_addr(&asked.home, "10.1.0.50");
    ck_addr(&asked.home_agent, "10.1.0.2");
    ck_addr(&asked.care_of, "10.2.0.5");
    ck_assert_uint_eq(asked.identification & ~UINT64_C(3), boot_ntp);
    ck_assert_ptr_null(asked.ext.nai.bytes);
}
END_TEST

START_TEST(nai_stands_before_authentication)
{
    begin_with(MOBILE_TIMESTAMP, "truck7@fleet.example");
    go_abroad("10.2.0.5");
    ck_assert(expire());
    ck_assert_uint_eq(asked.ext.nai.len, 20);
    ck_assert_mem_eq(asked.ext.nai.bytes, "truck7@fleet.example", 20);
    ck_assert_uint_lt(asked.ext.nai.offset, asked.ext.mobile_home.offset);
}
END_TEST

START_TEST(accepted_and_renewed)
{
    go_abroad("10.2.0.5");
    ck_assert(expire());
    advance(3 * NSEC_PER_MS);
    const struct mobile_answer a = answer(1, 60);
    ck_assert_int_eq(a.verdict, MOBILE_ACCEPTED);
    ck_assert_uint_eq(a.code, 1);
    ck_assert_uint_eq(a.latency_ns, 3 * NSEC_PER_MS);
    ck_assert(mobile_is_quiet(&m));

    /* Both run from the sending, not from the reply. */
    const uint64_t sent_ns = now.mono_ns - 3 * NSEC_PER_MS;
    ck_assert_uint_eq(mobile_deadline(&m), sent_ns + 48 * NSEC_PER_S);
    ck_assert(mobile_is_bound(&m, sent_ns + 60 * NSEC_PER_S - 1));
    ck_assert(!mobile_is_bound(&m, sent_ns + 60 * NSEC_PER_S));

    const uint64_t before = asked.identification;
    ck_assert(expire_at_deadline());
    ck_assert(!out.retransmission);
    ck_assert_int_gt(ntp_since(asked.identification, before), 0);
    ck_assert_uint_eq(asked.lifetime_s, 100);
    ck_assert_int_eq(answer(0, 60).verdict, MOBILE_ACCEPTED);
    ck_assert(mobile_is_bound(&m, now.mono_ns + 59 * NSEC_PER_S));
}
END_TEST

static const struct {
    const char *what;
    uint16_t asked_s, granted_s, renew_s;
    uint64_t bound_ns, renewed_ns; /* from the sending; TIMER_NEVER: never ends, never renewed */
} lifetimes[] = {
    {"less than asked", 100, 50, 0, 50 * NSEC_PER_S, 40 * NSEC_PER_S},
    {"more than asked does not count", 100, 200, 0, 100 * NSEC_PER_S, 80 * NSEC_PER_S},
    {"one second: renewed no earlier than the next", 1, 1, 0, NSEC_PER_S, NSEC_PER_S},
    {"infinite", 0xffff, 0xffff, 0, TIMER_NEVER, TIMER_NEVER},
    {"infinite asked, finite granted", 0xffff, 1000, 0, 1000 * NSEC_PER_S, 800 * NSEC_PER_S},
    {"renewed as told", 100, 100, 5, 100 * NSEC_PER_S, 5 * NSEC_PER_S},
    {"infinite, renewed as told", 0xffff, 0xffff, 5, TIMER_NEVER, 5 * NSEC_PER_S},
};

START_TEST(lifetime)
{
    policy.lifetime_s = lifetimes[_i].asked_s;
    policy.renew_s = lifetimes[_i].renew_s;
    register_at("10.2.0.5", lifetimes[_i].granted_s);
    const uint64_t bound = lifetimes[_i].bound_ns;
    const uint64_t renewed = lifetimes[_i].renewed_ns;
    ck_assert_msg(m.bound_until_ns == (bound == TIMER_NEVER ? bound : now.mono_ns + bound), "%s",
                  lifetimes[_i].what);
    ck_assert_msg(mobile_deadline(&m) == (renewed == TIMER_NEVER ? renewed : now.mono_ns + renewed), "%s",
                  lifetimes[_i].what);
}
END_TEST

START_TEST(accepted_for_no_time_is_no_binding)
{
    register_at("10.2.0.5", 0);
    ck_assert_int_eq(m.state, MOBILE_FAILED);
    ck_assert(!mobile_is_bound(&m, now.mono_ns));
}
END_TEST

START_TEST(retransmission_with_timestamps)
{
    const uint64_t after_s[] = {1, 2, 4};
    go_abroad("10.2.0.5");
    ck_assert(expire());
    const uint64_t first = asked.identification;
    for (int i = 0; i < 3; i++) {
        const uint64_t before_ns = now.mono_ns;
        const uint64_t before = asked.identification;
        ck_assert(expire_at_deadline());
        ck_assert(out.retransmission);
        ck_assert_uint_eq(now.mono_ns - before_ns, after_s[i] * NSEC_PER_S);
        ck_assert_int_gt(ntp_since(asked.identification, before), 0);
    }
    /* A reply to an earlier one is not a reply to the latest. */
    const struct answer_spec late = {.lifetime_s = 100, .identification = first};
    ck_assert_int_eq(answer_with(&late).verdict, MOBILE_IDENTIFICATION);
    ck_assert_int_eq(answer(0, 100).verdict, MOBILE_ACCEPTED);
    ck_assert_uint_eq(m.bound_until_ns, now.mono_ns + 100 * NSEC_PER_S);
}
END_TEST

START_TEST(retransmission_with_nonces_is_the_same_bytes)
{
    begin_with(MOBILE_NONCE, NULL);
    go_abroad("10.2.0.5");
    ck_assert(expire());
    const struct mobile_output first = out;
    const uint64_t sent_ns = now.mono_ns;
    for (int i = 0; i < 3; i++) {
        ck_assert(expire_at_deadline());
        ck_assert(out.retransmission);
        ck_assert_uint_eq(out.len, first.len);
        ck_assert_mem_eq(out.message, first.message, first.len);
    }
    const struct mobile_answer a = answer(0, 100);
    ck_assert_int_eq(a.verdict, MOBILE_ACCEPTED);
    ck_assert_uint_eq(a.latency_ns, 0);
    /* It may answer the first copy. */
    ck_assert_uint_eq(m.bound_until_ns, sent_ns + 100 * NSEC_PER_S);
}
END_TEST

START_TEST(interval_within_lifetime)
{
    policy.lifetime_s = 3;
    policy.tries = 0;
    go_abroad("10.2.0.5");
    ck_assert(expire());
    const uint64_t after_s[] = {1, 2, 3, 3, 3};
    for (int i = 0; i < ROWS(after_s); i++) {
        const uint64_t before_ns = now.mono_ns;
        ck_assert(expire_at_deadline());
        ck_assert_uint_eq(now.mono_ns - before_ns, after_s[i] * NSEC_PER_S);
    }
}
END_TEST

START_TEST(gives_up)
{
    go_abroad("10.2.0.5");
    for (int i = 0; i < 4; i++)
        ck_assert(expire_at_deadline());
    ck_assert(!expire_at_deadline());
    ck_assert(out.gave_up);
    ck_assert_int_eq(m.state, MOBILE_FAILED);
    ck_assert(m.disappointed && mobile_is_quiet(&m));
    ck_assert(mobile_deadline(&m) == TIMER_NEVER);
    ck_assert_int_eq(answer(0, 100).verdict, MOBILE_NOT_ASKED);

    /* A new wish is a new chance. */
    go_abroad("10.2.0.5");
    ck_assert(expire_at_deadline());
    ck_assert_int_eq(answer(0, 100).verdict, MOBILE_ACCEPTED);
}
END_TEST

/* RFC 5944 section 3.6.2.1: each is discarded and changes nothing. */
static const struct {
    const char *what;
    struct answer_spec spec;
    uint64_t identification_xor;
    enum mobile_verdict verdict;
} discards[] = {
    {"other low 32 bits", {.lifetime_s = 100}, 1, MOBILE_IDENTIFICATION},
    {"no authentication", {.lifetime_s = 100, .fault = NO_MHAE}, 0, MOBILE_UNAUTHENTICATED},
    {"two authentications", {.lifetime_s = 100, .fault = TWO_MHAE}, 0, MOBILE_UNAUTHENTICATED},
    {"wrong key", {.lifetime_s = 100, .fault = WRONG_KEY}, 0, MOBILE_BAD_AUTHENTICATOR},
    {"denial with wrong key", {.code = 131, .fault = WRONG_KEY}, 0, MOBILE_BAD_AUTHENTICATOR},
    {"another SPI", {.lifetime_s = 100, .fault = WRONG_SPI}, 0, MOBILE_BAD_AUTHENTICATOR},
    {"code changed on its way", {.lifetime_s = 100, .fault = FLIPPED}, 0, MOBILE_BAD_AUTHENTICATOR},
    {"authenticator cut short", {.lifetime_s = 100, .fault = CUT}, 0, MOBILE_MALFORMED},
    {"foreign agent's code", {.code = 69, .lifetime_s = 100}, 0, MOBILE_FOREIGN_AGENT},
    {"invalid home agent address", {.code = 194}, 0, MOBILE_FOREIGN_AGENT},
    {"another home address", {.lifetime_s = 100, .home = "10.1.0.51"}, 0, MOBILE_NOT_ASKED},
    {"133 without authentication",
     {.code = 133, .fault = NO_MHAE},
     UINT64_C(1) << 40,
     MOBILE_UNAUTHENTICATED},
};

START_TEST(discard)
{
    go_abroad("10.2.0.5");
    ck_assert(expire());
    const struct mobile before = m;
    struct answer_spec spec = discards[_i].spec;
    spec.identification = asked.identification ^ discards[_i].identification_xor;
    const struct mobile_answer a = answer_with(&spec);
    ck_assert_msg(a.verdict == discards[_i].verdict, "%s: %s", discards[_i].what,
                  mobile_verdict_text(a.verdict));
    ck_assert_msg(memcmp(&before, &m, sizeof(m)) == 0, "%s changed something", discards[_i].what);
    ck_assert_int_eq(answer(0, 100).verdict, MOBILE_ACCEPTED);
}
END_TEST

START_TEST(unasked_reply)
{
    register_at("10.2.0.5", 100);
    const struct mobile before = m;
    ck_assert_int_eq(answer(0, 100).verdict, MOBILE_NOT_ASKED);
    ck_assert_mem_eq(&before, &m, sizeof(m));
}
END_TEST

static const uint8_t denials[] = {128, 129, 130, 131, 132, 134, 135, 137, 139, 255};

START_TEST(denied)
{
    register_at("10.2.0.5", 100);
    ck_assert(expire_at_deadline());
    const struct mobile_answer a = answer(denials[_i], 100);
    ck_assert_int_eq(a.verdict, MOBILE_DENIED);
    ck_assert_uint_eq(a.code, denials[_i]);
    ck_assert_int_eq(m.state, MOBILE_FAILED);
    ck_assert(m.disappointed && mobile_is_quiet(&m));
    /* The binding that there is lives on. */
    ck_assert(mobile_is_bound(&m, now.mono_ns + 19 * NSEC_PER_S));
}
END_TEST

static const struct {
    const char *what;
    int64_t home_agent_ahead_s;
} clocks[] = {{"home agent ahead", 1000}, {"home agent behind", -1000}, {"another era", INT64_C(1) << 31}};

START_TEST(timestamps_resynchronise)
{
    go_abroad("10.2.0.5");
    ck_assert(expire());
    const uint64_t refused = asked.identification;
    const uint64_t ahead = (uint64_t)clocks[_i].home_agent_ahead_s << 32;
    const struct answer_spec mismatch = {.code = 133, .identification = refused + ahead};
    ck_assert_int_eq(answer_with(&mismatch).verdict, MOBILE_REPAIRING);
    ck_assert_msg(!expire(), "again within the second");
    ck_assert(!mobile_is_quiet(&m));

    ck_assert(expire_at_deadline());
    ck_assert_msg(!out.retransmission, "%s", clocks[_i].what);
    ck_assert_uint_eq(now.mono_ns, 1001 * NSEC_PER_S);
    const uint64_t expected = boot_ntp + (UINT64_C(1) << 32) + ahead;
    ck_assert_int_le(llabs(ntp_since(asked.identification, expected)), 8);
    ck_assert_int_eq(answer(0, 100).verdict, MOBILE_ACCEPTED);

    /* It stays so for the next. */
    const uint64_t before_ns = now.mono_ns;
    const uint64_t before = asked.identification;
    ck_assert(expire_at_deadline());
    const uint64_t elapsed = (now.mono_ns - before_ns) / NSEC_PER_S << 32;
    ck_assert_int_le(llabs(ntp_since(asked.identification, before + elapsed)), 8);
}
END_TEST

START_TEST(timestamps_rise_though_the_clock_does_not)
{
    register_at("10.2.0.5", 100);
    const uint64_t before = asked.identification;
    now.ntp -= ntp_from_seconds(5);
    go_abroad("10.3.0.5");
    ck_assert(expire());
    ck_assert_uint_eq(asked.identification, before + 1);

    /* Nor after a resynchronisation to before what was accepted. */
    const struct answer_spec mismatch = {.code = 133,
                                         .identification = asked.identification - ntp_from_seconds(9)};
    ck_assert_int_eq(answer_with(&mismatch).verdict, MOBILE_REPAIRING);
    ck_assert(expire_at_deadline());
    ck_assert_int_gt(ntp_since(asked.identification, before), 0);
}
END_TEST

START_TEST(nonces)
{
    begin_with(MOBILE_NONCE, NULL);
    go_abroad("10.2.0.5");
    ck_assert(expire());
    const uint32_t low = (uint32_t)asked.identification;
    const struct answer_spec mismatch = {.code = 133, .identification = UINT64_C(0x11112222) << 32 | low};
    ck_assert_int_eq(answer_with(&mismatch).verdict, MOBILE_REPAIRING);
    ck_assert(expire_at_deadline());
    ck_assert(!out.retransmission);
    ck_assert_uint_eq(asked.identification >> 32, 0x11112222);
    ck_assert_uint_ne((uint32_t)asked.identification, low);

    /* An acceptance brings the next nonce, too. */
    const struct answer_spec accepted = {
        .lifetime_s = 100, .identification = UINT64_C(0x33334444) << 32 | (uint32_t)asked.identification};
    ck_assert_int_eq(answer_with(&accepted).verdict, MOBILE_ACCEPTED);
    ck_assert(expire_at_deadline());
    ck_assert_uint_eq(asked.identification >> 32, 0x33334444);
}
END_TEST

START_TEST(repairs_end)
{
    go_abroad("10.2.0.5");
    for (int i = 0; i < 3; i++) {
        ck_assert(expire_at_deadline());
        ck_assert_int_eq(answer(133, 0).verdict, MOBILE_REPAIRING);
    }
    ck_assert(expire_at_deadline());
    ck_assert_int_eq(answer(133, 0).verdict, MOBILE_DENIED);
    ck_assert_int_eq(m.state, MOBILE_FAILED);
}
END_TEST

START_TEST(another_home_agent)
{
    go_abroad("10.2.0.5");
    ck_assert(expire());
    struct answer_spec spec = {.code = 136, .identification = asked.identification, .home_agent = "10.1.0.9"};
    ck_assert_int_eq(answer_with(&spec).verdict, MOBILE_REPAIRING);
    ck_assert(expire_at_deadline());
    ck_addr(&out.destination, "10.1.0.9");
    ck_addr(&asked.home_agent, "10.1.0.9");

    /* The same again leads nowhere. */
    spec.identification = asked.identification;
    ck_assert_int_eq(answer_with(&spec).verdict, MOBILE_DENIED);
}
END_TEST

START_TEST(movement_is_asked_for_at_once)
{
    register_at("10.2.0.5", 100);
    advance(NSEC_PER_MS);
    go_abroad("10.3.0.5");
    ck_assert(expire());
    ck_addr(&out.source, "10.3.0.5");
    ck_addr(&asked.care_of, "10.3.0.5");
    ck_assert_msg(!mobile_is_bound(&m, now.mono_ns), "bound to where it was, not to where it is");
    ck_assert_int_eq(answer(0, 100).verdict, MOBILE_ACCEPTED);
    ck_assert(mobile_is_bound(&m, now.mono_ns));
}
END_TEST

START_TEST(movement_while_asking)
{
    go_abroad("10.2.0.5");
    ck_assert(expire());
    const uint64_t old = asked.identification;
    go_abroad("10.3.0.5");
    ck_assert(expire());
    ck_assert(!out.retransmission);
    const struct answer_spec late = {.lifetime_s = 100, .identification = old};
    ck_assert_int_eq(answer_with(&late).verdict, MOBILE_IDENTIFICATION);
    ck_assert_int_eq(answer(0, 100).verdict, MOBILE_ACCEPTED);
}
END_TEST

START_TEST(the_same_again_waits_a_second)
{
    register_at("10.2.0.5", 100);
    advance(NSEC_PER_MS);
    go_abroad("10.2.0.5");
    ck_assert(!expire());
    ck_assert_uint_eq(mobile_deadline(&m), 1001 * NSEC_PER_S);
    ck_assert(expire_at_deadline());
}
END_TEST

/* RFC 3024 section 3.2; what ends a registration asks for nothing. */
START_TEST(reverse_tunnel_asked_for_abroad_alone)
{
    policy.reverse_tunnel = true;
    register_at("10.2.0.5", 100);
    ck_assert_uint_eq(asked.flags, MIP4_COLOCATED | MIP4_REVERSE_TUNNEL);
    ck_assert(expire_at_deadline());
    ck_assert_uint_eq(asked.flags, MIP4_COLOCATED | MIP4_REVERSE_TUNNEL);
    ck_assert_int_eq(answer(0, 100).verdict, MOBILE_ACCEPTED);
    advance(10 * NSEC_PER_S);
    mobile_want(&m, MOBILE_UNBOUND, NULL, now.mono_ns);
    ck_assert(expire());
    ck_assert_uint_eq(asked.flags, MIP4_COLOCATED);
    ck_assert_int_eq(answer(0, 0).verdict, MOBILE_ACCEPTED);
    mobile_want(&m, MOBILE_HOME, NULL, now.mono_ns);
    ck_assert(expire());
    ck_assert_uint_eq(asked.flags, 0);
}
END_TEST

START_TEST(deregistration_from_abroad)
{
    register_at("10.2.0.5", 100);
    advance(10 * NSEC_PER_S);
    mobile_want(&m, MOBILE_UNBOUND, NULL, now.mono_ns);
    ck_assert(expire());
    ck_addr(&out.source, "10.2.0.5");
    ck_addr(&asked.care_of, "10.2.0.5");
    ck_assert_uint_eq(asked.lifetime_s, 0);
    ck_assert_uint_eq(asked.flags, MIP4_COLOCATED);
    ck_assert_msg(mobile_is_bound(&m, now.mono_ns), "before the answer");
    ck_assert_int_eq(answer(0, 0).verdict, MOBILE_ACCEPTED);
    ck_assert(!mobile_is_bound(&m, now.mono_ns));
    ck_assert(mobile_deadline(&m) == TIMER_NEVER);
}
END_TEST

START_TEST(coming_home)
{
    const uint64_t announced_ms[] = {0, 200, 1000, 3000};
    register_at("10.2.0.5", 100);
    const uint64_t came_ns = now.mono_ns;
    mobile_want(&m, MOBILE_HOME, NULL, came_ns);

    ck_assert(expire());
    ck_assert(out.announce);
    ck_addr(&out.source, "10.1.0.50");
    ck_addr(&asked.care_of, "10.1.0.50");
    ck_assert_uint_eq(asked.lifetime_s, 0);
    ck_assert_uint_eq(asked.flags, 0);
    ck_assert_int_eq(answer(0, 0).verdict, MOBILE_ACCEPTED);
    ck_assert(!mobile_is_bound(&m, now.mono_ns));

    for (int i = 1; i < ROWS(announced_ms); i++) {
        ck_assert_msg(!mobile_is_quiet(&m), "announcement %d is still to come", i);
        ck_assert(!expire_at_deadline());
        ck_assert(out.announce);
        ck_assert_uint_eq(now.mono_ns, came_ns + announced_ms[i] * NSEC_PER_MS);
    }
    ck_assert(mobile_is_quiet(&m));
    ck_assert(mobile_deadline(&m) == TIMER_NEVER);
}
END_TEST

START_TEST(leaving_home_ends_the_announcements)
{
    mobile_want(&m, MOBILE_HOME, NULL, now.mono_ns);
    ck_assert(expire());
    ck_assert_int_eq(answer(0, 0).verdict, MOBILE_ACCEPTED);
    go_abroad("10.2.0.5");
    ck_assert(expire());
    ck_assert_msg(!out.announce, "away it must not broadcast ARP (section 4.6)");
    ck_assert_int_eq(answer(0, 100).verdict, MOBILE_ACCEPTED);
    ck_assert(mobile_is_quiet(&m));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mobile_node");
    TCase *c = tcase_create("mobile_node");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, request_from_abroad);
    tcase_add_test(c, nai_stands_before_authentication);
    tcase_add_test(c, accepted_and_renewed);
    tcase_add_loop_test(c, lifetime, 0, ROWS(lifetimes));
    tcase_add_test(c, accepted_for_no_time_is_no_binding);
    tcase_add_test(c, retransmission_with_timestamps);
    tcase_add_test(c, retransmission_with_nonces_is_the_same_bytes);
    tcase_add_test(c, interval_within_lifetime);
    tcase_add_test(c, gives_up);
    tcase_add_loop_test(c, discard, 0, ROWS(discards));
    tcase_add_test(c, unasked_reply);
    tcase_add_loop_test(c, denied, 0, ROWS(denials));
    tcase_add_loop_test(c, timestamps_resynchronise, 0, ROWS(clocks));
    tcase_add_test(c, timestamps_rise_though_the_clock_does_not);
    tcase_add_test(c, nonces);
    tcase_add_test(c, repairs_end);
    tcase_add_test(c, another_home_agent);
    tcase_add_test(c, movement_is_asked_for_at_once);
    tcase_add_test(c, movement_while_asking);
    tcase_add_test(c, the_same_again_waits_a_second);
    tcase_add_test(c, reverse_tunnel_asked_for_abroad_alone);
    tcase_add_test(c, deregistration_from_abroad);
    tcase_add_test(c, coming_home);
    tcase_add_test(c, leaving_home_ends_the_announcements);
    suite_add_tcase(suite, c);
    return check_main(suite);
}
