/* SPDX-License-Identifier: BSD-3-Clause */
/* What is dropped in silence, whatever is bound: RFC 6275 sections 5.1, 9.2, 9.3.1, 9.5.1. */
#include "update_check.h"

static void bad_checksum(struct sent *s)
{
    encode(s);
    s->bytes[5] ^= 1;
}

static void checksum_without_home_address(struct sent *s)
{
    const struct addr home = s->ask.home;
    encode(s);
    s->ask.home = s->ask.source;
    checksum(s);
    s->ask.home = home;
}

static void too_short(struct sent *s)
{
    encode(s);
    s->len = 5;
}

static void an_acknowledgement(struct sent *s)
{
    set_byte(s, 2, MIP6_ACK);
}

static void a_home_test_init(struct sent *s)
{
    set_byte(s, 2, MIP6_HOME_TEST_INIT);
}

/* Two faults at once: section 9.2 has an order. */
static void checksum_and_type(struct sent *s)
{
    set_byte(s, 2, 100);
    s->bytes[5] ^= 1;
}

static void protocol_and_length(struct sent *s)
{
    encode(s);
    s->bytes[0] = IPPROTO_NUM_UDP;
    s->bytes[1] = 0;
    s->len = 8;
    checksum(s);
}

static void option_past_the_end(struct sent *s)
{
    set_byte(s, 13, 200);
}

static void to_another_address(struct sent *s)
{
    s->ask.destination = ip("2001:db8:1::3");
}

static void home_multicast(struct sent *s)
{
    s->ask.home = ip("ff02::1");
}

static void home_link_local(struct sent *s)
{
    s->ask.home = ip("fe80::1");
}

static void home_ipv4(struct sent *s)
{
    s->ask.home = lab_home(1);
}

static void source_multicast(struct sent *s)
{
    s->ask.source = ip("ff0e::1");
}

static void source_link_local(struct sent *s)
{
    s->ask.source = ip("fe80::7");
}

static void source_loopback(struct sent *s)
{
    s->ask.source = ip("::1");
}

static void register_at(struct sent *s, const char *care_of)
{
    s->ask.m.options.has_alternate_care_of = true;
    s->ask.m.options.alternate_care_of = ip(care_of);
}

static void care_of_multicast(struct sent *s)
{
    register_at(s, "ff0e::1");
}

static void care_of_unspecified(struct sent *s)
{
    register_at(s, "::");
}

static void care_of_loopback(struct sent *s)
{
    register_at(s, "::1");
}

static void care_of_link_local(struct sent *s)
{
    register_at(s, "fe80::7");
}

static void care_of_ipv4(struct sent *s)
{
    register_at(s, "192.0.2.1");
}

static void options(struct sent *s, const uint8_t *raw, size_t len)
{
    s->ask.raw = raw;
    s->ask.raw_len = len;
}

static void nonce_indices(struct sent *s)
{
    static const uint8_t raw[] = {MIP6_OPT_NONCE_INDICES, 4, 0, 1, 0, 2};
    options(s, raw, sizeof(raw));
}

static void unknown_home(struct sent *s)
{
    s->ask.home = ip("2001:db8:1::999");
}

static void unknown_home_of_an_ipv4_node(struct sent *s)
{
    s->ask.home = ip("2001:db8:1::999");
    s->ask.nai = lab_nai(1);
}

static void without_signature(struct sent *s)
{
    s->ask.times = 0;
}

static void unknown_spi(struct sent *s)
{
    s->ask.sa.spi = 7777;
}

static void two_signatures(struct sent *s)
{
    s->ask.times = 2;
}

/* RFC 4285 section 5: the mobile node's stands in front of AAA's. */
static void behind_aaa(struct sent *s)
{
    static const uint8_t raw[] = {1,  0, /* alignment after a timestamp: 4n + 1 */
                                  0,  MIP6_OPT_AUTHENTICATION,
                                  17, 2,
                                  0,  0,
                                  1,  0,
                                  1,  2,
                                  3,  4,
                                  5,  6,
                                  7,  8,
                                  9,  10,
                                  11, 12};
    options(s, raw, sizeof(raw));
}

static void md5(struct sent *s)
{
    struct association sa = lab6_association(0);
    sa.spi = 2000;
    sa.key.algorithm = AUTH_HMAC_MD5;
    ck_assert_int_eq(agent_mobile_set(lab.agent, &s->ask.home, &sa, NULL), 0);
    s->ask.sa = lab6_association(0);
    s->ask.sa.spi = 2000;
}

static const struct {
    const char *what;
    void (*spoil)(struct sent *);
    enum agent_counter counter;
} discards[] = {
    {"checksum", bad_checksum, AGENT_DISCARD_MH_CHECKSUM},
    {"checksum over the care-of address", checksum_without_home_address, AGENT_DISCARD_MH_CHECKSUM},
    {"checksum before type", checksum_and_type, AGENT_DISCARD_MH_CHECKSUM},
    {"too short", too_short, AGENT_DISCARD_SHORT},
    {"an acknowledgement", an_acknowledgement, AGENT_DISCARD_MH_TYPE},
    {"a home test init", a_home_test_init, AGENT_DISCARD_MH_TYPE},
    {"payload protocol", payload_protocol, AGENT_DISCARD_MH_FORMAT},
    {"header length", header_length, AGENT_DISCARD_MH_FORMAT},
    {"payload protocol and header length", protocol_and_length, AGENT_DISCARD_MH_FORMAT},
    {"option past the end", option_past_the_end, AGENT_DISCARD_MALFORMED},
    {"to another address", to_another_address, AGENT_DISCARD_DESTINATION},
    {"home address multicast", home_multicast, AGENT_DISCARD_HOME_ADDRESS},
    {"home address link-local", home_link_local, AGENT_DISCARD_HOME_ADDRESS},
    {"home address of IPv4", home_ipv4, AGENT_DISCARD_HOME_ADDRESS},
    {"source multicast", source_multicast, AGENT_DISCARD_HOME_ADDRESS},
    {"source link-local", source_link_local, AGENT_DISCARD_HOME_ADDRESS},
    {"source loopback", source_loopback, AGENT_DISCARD_HOME_ADDRESS},
    {"care-of address multicast", care_of_multicast, AGENT_DISCARD_CARE_OF},
    {"care-of address unspecified", care_of_unspecified, AGENT_DISCARD_CARE_OF},
    {"care-of address loopback", care_of_loopback, AGENT_DISCARD_CARE_OF},
    {"care-of address link-local", care_of_link_local, AGENT_DISCARD_CARE_OF},
    {"care-of address of IPv4", care_of_ipv4, AGENT_DISCARD_CARE_OF},
    {"nonce indices", nonce_indices, AGENT_DISCARD_MALFORMED},
    {"unknown home address", unknown_home, AGENT_DISCARD_UNKNOWN_MOBILE},
    {"unknown home address, an IPv4 node's name", unknown_home_of_an_ipv4_node, AGENT_DISCARD_UNKNOWN_MOBILE},
    {"no signature", without_signature, AGENT_DISCARD_NO_AUTH},
    {"unknown SPI", unknown_spi, AGENT_DISCARD_UNKNOWN_SPI},
    {"association of another algorithm", md5, AGENT_DISCARD_UNKNOWN_SPI},
    {"two signatures", two_signatures, AGENT_DISCARD_MALFORMED},
    {"signature behind AAA's", behind_aaa, AGENT_DISCARD_MALFORMED},
};

static void discarded(int row)
{
    struct sent s = {.ask = lab6_ask(&lab, 0)};
    const uint64_t before = lab_counter(&lab, discards[row].counter);
    discards[row].spoil(&s);
    if (s.len == 0)
        encode(&s);
    ck_assert(!lab6_send_bytes(&lab, &s.ask, s.bytes, s.len).sent);
    ck_assert_msg(lab_counter(&lab, discards[row].counter) == before + 1, "%s", discards[row].what);
    ck_assert_uint_eq(lab.n_log, 0);
}

START_TEST(silence)
{
    discarded(_i);
    wait_for_detection();
    ck_assert_uint_eq(agent_bindings(lab.agent), 0);
}
END_TEST

START_TEST(silence_leaves_the_binding)
{
    struct binding_view before, after;
    bind_node6(0);
    ck_assert(is_bound(0, &before));
    discarded(_i);
    ck_assert(is_bound(0, &after));
    ck_assert(addr_equal(&before.care_of[0].address, &after.care_of[0].address));
    ck_assert_uint_eq(before.lifetime_left_s[0], after.lifetime_left_s[0]);
}
END_TEST

/* Mobile IPv4's own rules meet addresses of the other family. */
START_TEST(ipv4_request_for_an_ipv6_node)
{
    struct ask ask = lab_ask(&lab, 1);
    ask.q.home = addr_from_ipv4(0);
    ask.nai = "six-0@example.net";
    ask.mobile = lab6_association(0);
    ck_assert(!lab_send(&lab, &ask).sent);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_DISCARD_UNKNOWN_MOBILE), 1);
    ask = lab_ask(&lab, 1);
    ask.destination = ip("2001:db8:1::2");
    ck_assert(!lab_send(&lab, &ask).sent);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_DISCARD_DESTINATION), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("silence about binding updates");
    TCase *t = lab6_case(suite, "discards");
    tcase_add_loop_test(t, silence, 0, ROWS(discards));
    tcase_add_loop_test(t, silence_leaves_the_binding, 0, ROWS(discards));
    tcase_add_test(t, ipv4_request_for_an_ipv6_node);
    return check_main(suite);
}
