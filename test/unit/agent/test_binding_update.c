/* SPDX-License-Identifier: BSD-3-Clause */
#include "lab6_check.h"

enum { ROOM = 2048 };

/* ---- What is dropped in silence, whatever is bound (RFC 6275 sections 5.1, 9.2, 9.3.1, 9.5.1) ---- */

struct sent {
    struct ask6 ask;
    uint8_t bytes[ROOM];
    size_t len;
};

static void encode(struct sent *s)
{
    s->len = lab6_encode(&lab, &s->ask, s->bytes, sizeof(s->bytes));
}

/* As if it had been sent so. */
static void checksum(struct sent *s)
{
    s->bytes[4] = s->bytes[5] = 0;
    const uint32_t pseudo = ip_pseudo_sum(&s->ask.home, &s->ask.destination, IPPROTO_NUM_MOBILITY, s->len);
    const uint16_t sum = inet_finish(inet_sum(pseudo, s->bytes, s->len));
    s->bytes[4] = (uint8_t)(sum >> 8);
    s->bytes[5] = (uint8_t)sum;
}

static void set_byte(struct sent *s, size_t at, uint8_t value)
{
    encode(s);
    s->bytes[at] = value;
    checksum(s);
}

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

static void payload_protocol(struct sent *s)
{
    set_byte(s, 0, IPPROTO_NUM_UDP);
}

static void header_length(struct sent *s)
{
    encode(s);
    s->bytes[1] = 0;
    s->len = 8; /* as it says */
    checksum(s);
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
    bind_node(0);
    ck_assert(is_bound(0, &before));
    discarded(_i);
    ck_assert(is_bound(0, &after));
    ck_assert(addr_equal(&before.care_of[0].address, &after.care_of[0].address));
    ck_assert_uint_eq(before.lifetime_left_s[0], after.lifetime_left_s[0]);
}
END_TEST

/* ---- What is refused (sections 9.5.1 and 10.3.1) ---- */
static void forged(struct ask6 *ask)
{
    ask->wrong = true;
}

static void signed_for_another_care_of(struct ask6 *ask)
{
    static struct addr other;
    other = ip("2001:db8:c::bad");
    ask->signed_care_of = &other;
}

static void no_timestamp(struct ask6 *ask)
{
    ask->m.options.has_timestamp = false;
}

static void late(struct ask6 *ask)
{
    ask->m.options.timestamp = lab.now.ntp - ntp_from_seconds(8);
}

static void early(struct ask6 *ask)
{
    ask->m.options.timestamp = lab.now.ntp + ntp_from_seconds(8);
}

static void care_of(struct ask6 *ask, const char *text)
{
    ask->m.options.has_alternate_care_of = true;
    ask->m.options.alternate_care_of = ip(text);
}

static void care_of_is_home(struct ask6 *ask)
{
    ask->m.options.has_alternate_care_of = true;
    ask->m.options.alternate_care_of = ask->home;
}

static void care_of_in_home_network(struct ask6 *ask)
{
    care_of(ask, "2001:db8:1::777");
}

static void care_of_in_other_home_network(struct ask6 *ask)
{
    care_of(ask, "2001:db8:2::777");
}

static void without_home_address_option(struct ask6 *ask)
{
    ask->source = ask->home;
    ask->by_option = false;
    care_of(ask, "2001:db8:c::9");
}

static void at_home_without_option(struct ask6 *ask)
{
    ask->source = ask->home;
    ask->by_option = false;
}

static void mobile_router(struct ask6 *ask)
{
    ask->m.flags |= MIP6_MOBILE_ROUTER;
}

static void no_resources(struct ask6 *ask)
{
    (void)ask;
    lab.settings.max_bindings = 1;
    reconfigure();
    bind_node(1);
}

static const struct {
    const char *what;
    void (*change)(struct ask6 *);
    uint8_t status;
    bool bound_too; /* also where there is a binding */
} refusals[] = {
    {"forged", forged, MIP6_AUTH_FAILED, true},
    {"signed for another care-of address", signed_for_another_care_of, MIP6_AUTH_FAILED, true},
    {"no timestamp", no_timestamp, MIP6_TIMESTAMP_REQUIRED, true},
    {"late", late, MIP6_TIMESTAMP_MISMATCH, true},
    {"early", early, MIP6_TIMESTAMP_MISMATCH, true},
    {"care-of address is home", care_of_is_home, MIP6_INVALID_CARE_OF, true},
    {"care-of address in its home network", care_of_in_home_network, MIP6_INVALID_CARE_OF, true},
    {"care-of address in another home network", care_of_in_other_home_network, MIP6_INVALID_CARE_OF, true},
    {"no Home Address option", without_home_address_option, MIP6_PROHIBITED, true},
    {"no Home Address option, at home", at_home_without_option, MIP6_PROHIBITED, true},
    {"mobile router", mobile_router, MIP6_NO_MOBILE_ROUTERS, true},
    {"no resources", no_resources, MIP6_NO_RESOURCES, false},
};

START_TEST(refusal)
{
    struct ask6 ask = lab6_ask(&lab, 0);
    refusals[_i].change(&ask);
    const struct answer6 a = refused(&ask, refusals[_i].status);
    ck_assert_uint_eq(a.ack.sequence, ask.m.sequence);
    ck_assert(!a.ack.key_management);
    ck_assert_uint_eq(acks(refusals[_i].status), 1);
    wait_for_detection();
    struct binding_view v;
    ck_assert(!is_bound(0, &v));
}
END_TEST

/* N5: a home registration stays until it expires. */
START_TEST(refusal_leaves_the_binding)
{
    struct binding_view before, after;
    if (!refusals[_i].bound_too)
        return;
    bind_node(0);
    ck_assert(is_bound(0, &before));
    struct ask6 ask = lab6_ask(&lab, 0);
    ask.source = ip("2001:db8:c::42");
    refusals[_i].change(&ask);
    refused(&ask, refusals[_i].status);
    ck_assert(is_bound(0, &after));
    ck_assert(addr_equal(&before.care_of[0].address, &after.care_of[0].address));
    const struct addr home = lab6_home(0);
    ck_assert(agent_intercepts(lab.agent, &home));
}
END_TEST

/* A home address that is configured, but cannot be served. */
static const struct {
    const char *home;
    uint8_t status;
} homes[] = {
    {"2001:db8:3::1", MIP6_NOT_HOME_SUBNET},               /* of no home network */
    {"2001:db8:1::2", MIP6_PROHIBITED},                    /* ours */
    {"2001:db8:1::fe", MIP6_PROHIBITED},                   /* a router's */
    {"2001:db8:1::", MIP6_PROHIBITED},                     /* all routers' (RFC 4291 section 2.6.1) */
    {"2001:db8:1:0:fdff:ffff:ffff:fffe", MIP6_PROHIBITED}, /* all home agents' (RFC 2526) */
};

START_TEST(home_that_cannot_be_served)
{
    struct ask6 ask = lab6_ask(&lab, 0);
    ask.home = ip(homes[_i].home);
    ask.sa.spi = 3000;
    ck_assert_int_eq(agent_mobile_set(lab.agent, &ask.home, &ask.sa, NULL), 0);
    refused(&ask, homes[_i].status);
}
END_TEST

/* What care_of_leads_back says of our own addresses elsewhere. */
START_TEST(care_of_is_ours)
{
    static struct addr own[1];
    own[0] = ip("2001:db8:f::1");
    lab.settings.reserved = own;
    lab.settings.n_reserved = lab.settings.n_own = 1;
    lab.settings.home_agents[3] = ip("2001:db8:f::2"); /* in no home network */
    reconfigure();
    struct ask6 ask = lab6_ask(&lab, 0);
    ask.source = own[0];
    refused(&ask, MIP6_INVALID_CARE_OF);
    ask = lab6_ask(&lab, 0);
    ask.source = lab.settings.home_agents[3];
    refused(&ask, MIP6_INVALID_CARE_OF);
}
END_TEST

/* The identifier says who it is where the home address does not: refused, but with a signature. */
START_TEST(home_of_nobody_with_a_name)
{
    struct ask6 ask = lab6_ask(&lab, 0);
    ask.home = ip("2001:db8:1::999");
    ask.nai = "six-0@example.net";
    refused(&ask, MIP6_PROHIBITED);
    bind_node(0);
    ask = lab6_ask(&lab, 0);
    ask.home = ip("2001:db8:1::999");
    ask.nai = "six-0@example.net";
    ask.m.lifetime = 0;
    refused(&ask, MIP6_NOT_HOME_AGENT);
    struct binding_view v;
    ck_assert(is_bound(0, &v));
}
END_TEST

/* RFC 4285 section 5.2: both are there, and only one of them can be verified here. */
START_TEST(signed_by_aaa_too)
{
    struct sent s = {.ask = lab6_ask(&lab, 0)};
    encode(&s);
    /* 4n + 1 behind an option that ends at 8n: one byte, then AAA's, then padding */
    static const uint8_t aaa[] = {
        0, MIP6_OPT_AUTHENTICATION, 17, 2, 0, 0, 1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 1, 2, 0, 0};
    memcpy(s.bytes + s.len, aaa, sizeof(aaa));
    s.len += sizeof(aaa);
    s.bytes[1] = (uint8_t)(s.len / 8 - 1);
    /* the signature covers the final header length: sign it again */
    const size_t at = s.len - sizeof(aaa) - MIP6_AUTHENTICATOR;
    const struct addr care_of_address = lab6_asked_care_of(&s.ask);
    uint8_t data[32 + ROOM], mac[AUTH_MAX];
    memcpy(data, care_of_address.b, 16);
    memcpy(data + 16, s.ask.home.b, 16);
    memcpy(data + 32, s.bytes, at);
    data[36] = data[37] = 0;
    ck_assert(auth_sign(lab.auth, &s.ask.sa.key, data, 32 + at, mac));
    memcpy(s.bytes + at, mac, MIP6_AUTHENTICATOR);
    checksum(&s);
    const struct answer6 a = lab6_send_bytes(&lab, &s.ask, s.bytes, s.len);
    check_ack(&a, MIP6_AUTH_FAILED, true);
}
END_TEST

START_TEST(denials_are_limited)
{
    enum { MANY = 3000 };
    bind_node(0);
    for (int i = 0; i < MANY; i++) {
        struct ask6 ask = lab6_ask(&lab, 0);
        ask.wrong = true;
        lab6_send(&lab, &ask);
    }
    ck_assert_uint_eq(acks(MIP6_AUTH_FAILED), 1000);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_DISCARD_DENIAL_RATE), MANY - 1000);
    bind_node(1);
}
END_TEST

/* ---- Home registrations alone (section 9.5.1) ---- */
START_TEST(without_h)
{
    struct ask6 ask = lab6_ask(&lab, 0);
    ask.m.flags = MIP6_ACKNOWLEDGE;
    ck_assert(!lab6_send(&lab, &ask).sent);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_DISCARD_NOT_HOME), 1);
    bind_node(0);
    ask = lab6_ask(&lab, 0);
    ask.m.flags = MIP6_ACKNOWLEDGE;
    refused(&ask, MIP6_TYPE_CHANGE);
    ask = lab6_ask(&lab, 0);
    ask.m.flags = MIP6_ACKNOWLEDGE;
    ask.m.lifetime = 0;
    refused(&ask, MIP6_TYPE_CHANGE);
    struct binding_view v;
    ck_assert(is_bound(0, &v));
}
END_TEST

/* ---- Timestamps (RFC 4285 section 6) ---- */
START_TEST(mismatch_resynchronises)
{
    struct ask6 ask = lab6_ask(&lab, 0);
    ask.m.options.timestamp = UINT64_C(0x0123456789abcdef);
    const struct answer6 a = refused(&ask, MIP6_TIMESTAMP_MISMATCH);
    ck_assert(a.ack.options.has_timestamp);
    ck_assert(a.ack.options.timestamp >> 32 == lab.now.ntp >> 32);
    ck_assert((uint32_t)a.ack.options.timestamp == 0x89abcdef);
}
END_TEST

START_TEST(timestamp_greater_than_all_accepted)
{
    struct ask6 older = lab6_ask(&lab, 0);
    struct ask6 ask = lab6_ask(&lab, 0);
    const struct answer6 a = accepted(&ask);
    ck_assert(a.ack.options.has_timestamp);
    ck_assert(a.ack.options.timestamp == ask.m.options.timestamp);
    refused(&ask, MIP6_TIMESTAMP_MISMATCH);
    refused(&older, MIP6_TIMESTAMP_MISMATCH);
    ask.m.options.timestamp++;
    accepted(&ask); /* the same sequence number: it does not count */
}
END_TEST

START_TEST(refused_update_uses_no_timestamp)
{
    struct ask6 ask = lab6_ask(&lab, 0);
    struct ask6 router = ask;
    mobile_router(&router);
    refused(&router, MIP6_NO_MOBILE_ROUTERS);
    accepted(&ask);
}
END_TEST

START_TEST(required_timestamp_is_not_made_up)
{
    struct ask6 ask = lab6_ask(&lab, 0);
    no_timestamp(&ask);
    ck_assert(!refused(&ask, MIP6_TIMESTAMP_REQUIRED).ack.options.has_timestamp);
}
END_TEST

/* An association by sequence numbers: a timestamp comes back as it was. */
START_TEST(timestamp_that_does_not_govern)
{
    struct ask6 ask = lab6_ask(&lab, LAB6_SEQUENCES);
    ask.m.options.has_timestamp = true;
    ask.m.options.timestamp = 12345;
    const struct answer6 a = accepted(&ask);
    ck_assert(a.ack.options.has_timestamp);
    ck_assert(a.ack.options.timestamp == 12345);
}
END_TEST

/* ---- Sequence numbers (section 9.5.1) ---- */
static const struct {
    uint16_t last, next;
    bool good;
} sequences[] = {
    {15, 0, false},        {15, 14, false},      {15, 15, false},       {15, 16, true},
    {15, 32782, true},     {15, 32783, false},   {15, 65535, false},    {65535, 0, true},
    {65535, 65535, false}, {65535, 32766, true}, {65535, 32767, false}, {0, 1, true},
    {0, 32767, true},      {0, 32768, false},    {0, 65535, false},     {0, 0, false},
};

START_TEST(sequence)
{
    struct ask6 ask = lab6_ask(&lab, LAB6_SEQUENCES);
    ask.m.sequence = sequences[_i].last;
    ck_assert_uint_eq(accepted(&ask).ack.sequence, sequences[_i].last);
    ask.m.sequence = sequences[_i].next;
    if (sequences[_i].good)
        ck_assert_uint_eq(accepted(&ask).ack.sequence, sequences[_i].next);
    else
        ck_assert_uint_eq(refused(&ask, MIP6_SEQUENCE).ack.sequence, sequences[_i].last);
}
END_TEST

/* Valid, and so the last valid one, though it was refused. */
START_TEST(refused_update_uses_its_sequence)
{
    struct ask6 ask = lab6_ask(&lab, LAB6_SEQUENCES);
    ask.m.sequence = 100;
    accepted(&ask);
    struct ask6 router = ask;
    router.m.sequence = 200;
    mobile_router(&router);
    refused(&router, MIP6_NO_MOBILE_ROUTERS);
    ck_assert_uint_eq(refused(&router, MIP6_SEQUENCE).ack.sequence, 200);
    ask.m.sequence = 150;
    ck_assert_uint_eq(refused(&ask, MIP6_SEQUENCE).ack.sequence, 200);
    ask.m.sequence = 201;
    accepted(&ask);
}
END_TEST

/* What is not authentic, or of the other kind, does not count. */
START_TEST(invalid_update_uses_no_sequence)
{
    struct ask6 ask = lab6_ask(&lab, LAB6_SEQUENCES);
    ask.m.sequence = 100;
    accepted(&ask);
    struct ask6 bad = ask;
    bad.m.sequence = 300;
    bad.wrong = true;
    refused(&bad, MIP6_AUTH_FAILED);
    bad.wrong = false;
    bad.m.flags = MIP6_ACKNOWLEDGE;
    refused(&bad, MIP6_TYPE_CHANGE);
    ask.m.sequence = 101;
    accepted(&ask);
}
END_TEST

/* Section 10.3.2, last paragraph: an update that was delayed until after the deregistration. */
START_TEST(delayed_update_after_deregistration)
{
    struct ask6 first = lab6_ask(&lab, LAB6_SEQUENCES);
    struct ask6 delayed = lab6_ask(&lab, LAB6_SEQUENCES);
    struct ask6 end = lab6_ask_return(&lab, LAB6_SEQUENCES);
    accepted(&first);
    accepted(&end);
    refused(&delayed, MIP6_SEQUENCE);
    lab_wait(&lab, 3600 * NSEC_PER_S);
    ck_assert_uint_eq(refused(&delayed, MIP6_SEQUENCE).ack.sequence, end.m.sequence);
    ck_assert_uint_eq(agent_bindings(lab.agent), 0);
}
END_TEST

/* ---- The binding ---- */
START_TEST(binding)
{
    const struct ask6 ask = lab6_ask(&lab, 0);
    struct binding_view v;
    ck_assert(!lab6_send(&lab, &ask).sent);
    in_order("P");
    ck_assert(!is_bound(0, &v));
    wait_for_detection();
    in_order("I A S");
    const struct forwarding *f = &lab_first(&lab, EFFECT_INSTALL)->install;
    ck_assert(addr_equal(&f->home, &ask.home));
    ck_assert(addr_equal(&f->source, &ask.destination));
    ck_assert_uint_eq(f->n_care_of, 1);
    ck_assert(addr_equal(&f->care_of[0].address, &ask.source));
    ck_assert_uint_eq(f->care_of[0].encapsulation, ENCAPSULATION_IPV6_IN_IPV6);
    ck_assert(f->care_of[0].reverse);
    ck_assert(lab_first(&lab, EFFECT_ANNOUNCE)->announce.ours);
    ck_assert(is_bound(0, &v));
    ck_assert_uint_eq(v.lifetime_granted_s[0], 4 * LAB6_LIFETIME);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_BINDINGS_CREATED), 1);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_UPDATES_WAITED), 1);
}
END_TEST

START_TEST(renewal_and_move)
{
    bind_node(0);
    struct ask6 ask = lab6_ask(&lab, 0);
    ck_assert(lab6_send(&lab, &ask).sent);
    in_order("S"); /* nothing changes, and nothing is detected again */
    ask = lab6_ask(&lab, 0);
    ask.source = ip("2001:db8:c::42");
    ck_assert(lab6_send(&lab, &ask).sent);
    in_order("I S");
    struct binding_view v;
    ck_assert(is_bound(0, &v));
    ck_assert_uint_eq(v.n_care_of, 1);
    ck_assert(addr_equal(&v.care_of[0].address, &ask.source));
    ck_assert_uint_eq(lab_counter(&lab, AGENT_BINDINGS_RENEWED), 1);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_BINDINGS_MOVED), 1);
}
END_TEST

START_TEST(bound_already_stays_bound)
{
    lab.settings.max_bindings = 1;
    reconfigure();
    bind_node(0);
    bind_node(0);
}
END_TEST

/* Section 6.1.7: the alternate care-of address counts, the source is where the answer goes. */
START_TEST(alternate_care_of)
{
    struct ask6 ask = lab6_ask(&lab, 0);
    care_of(&ask, "2001:db8:c::42");
    const struct answer6 a = accepted(&ask);
    struct binding_view v;
    ck_assert(is_bound(0, &v));
    ck_assert(addr_equal(&v.care_of[0].address, &ask.m.options.alternate_care_of));
    ck_assert(addr_equal(&a.message.destination, &ask.source));
}
END_TEST

/* Section 10.3.1: lifetimes in units of four seconds. */
static const struct {
    const char *what;
    uint16_t asked, max_s, granted;
    uint32_t valid_s, preferred_s;
    uint8_t status;
} lifetimes[] = {
    {"as asked", 75, 600, 75, 0, 0, MIP6_ACCEPTED},
    {"no more than we give", 200, 600, 150, 0, 0, MIP6_ACCEPTED},
    {"rounded down", 200, 603, 150, 0, 0, MIP6_ACCEPTED},
    {"never to nothing", 200, 3, 1, 0, 0, MIP6_ACCEPTED},
    {"ffff is no infinity", 65535, 65535, 16383, 0, 0, MIP6_ACCEPTED},
    {"no longer than the prefix is valid", 75, 600, 50, 203, 203, MIP6_ACCEPTED_PREFIX},
    {"invalid at its end", 75, 600, 75, 300, 300, MIP6_ACCEPTED_PREFIX},
    {"invalid at its end, in units", 75, 600, 75, 303, 303, MIP6_ACCEPTED_PREFIX},
    {"valid one unit longer", 75, 600, 75, 304, 304, MIP6_ACCEPTED},
    {"deprecated within it", 75, 600, 75, 3600, 299, MIP6_ACCEPTED_PREFIX},
    {"deprecated with its end", 75, 600, 75, 3600, 300, MIP6_ACCEPTED},
    {"deprecated", 75, 600, 75, 3600, 0, MIP6_ACCEPTED_PREFIX},
    {"valid for ever", 75, 600, 75, UINT32_MAX, UINT32_MAX, MIP6_ACCEPTED},
};

START_TEST(lifetime)
{
    lab.settings.max_lifetime_s = lifetimes[_i].max_s;
    lab.settings.home_prefixes[2].valid_s = lifetimes[_i].valid_s;
    lab.settings.home_prefixes[2].preferred_s = lifetimes[_i].preferred_s;
    reconfigure();
    struct ask6 ask = lab6_ask(&lab, 0);
    ask.m.lifetime = lifetimes[_i].asked;
    const struct answer6 a = accepted(&ask);
    ck_assert_msg(a.ack.lifetime == lifetimes[_i].granted, "%s: %u", lifetimes[_i].what, a.ack.lifetime);
    ck_assert_uint_eq(a.ack.status, lifetimes[_i].status);
    lab_wait(&lab, (lifetimes[_i].granted * 4ull - 1) * NSEC_PER_S);
    ck_assert_uint_eq(agent_bindings(lab.agent), 1);
    lab_wait(&lab, NSEC_PER_S);
    ck_assert_uint_eq(agent_bindings(lab.agent), 0);
    in_order("R");
}
END_TEST

/* An update that comes before the agent was told that time has passed. */
START_TEST(expired_in_this_moment)
{
    struct ask6 ask = lab6_ask(&lab, LAB6_SEQUENCES);
    ask.m.lifetime = 1;
    accepted(&ask);
    lab.now.mono_ns += 4 * NSEC_PER_S;
    ask.m.sequence++;
    ck_assert(!lab6_send(&lab, &ask).sent);
    in_order("R P"); /* another binding, and so another detection */
}
END_TEST

/* ---- Duplicate address detection (section 10.3.1) ---- */
static void somebody_has(const struct addr *a)
{
    const struct agent_neighbor n = {.mac = {{2, 9, 9, 9, 9, 9}}, .claimed = *a};
    lab_forget(&lab);
    agent_heard(lab.agent, &n, lab.now);
    lab_drain(&lab);
}

START_TEST(taken)
{
    const struct ask6 ask = lab6_ask(&lab, 0);
    ck_assert(!lab6_send(&lab, &ask).sent);
    lab_wait(&lab, 500 * NSEC_PER_MS);
    somebody_has(&ask.home);
    const struct answer6 a = lab6_answer(&lab, &ask);
    check_ack(&a, MIP6_DAD_FAILED, true);
    ck_assert_uint_eq(a.ack.sequence, ask.m.sequence);
    ck_assert_uint_eq(a.ack.lifetime, 0);
    in_order("S");
    wait_for_detection();
    in_order("");
    ck_assert_uint_eq(agent_bindings(lab.agent), 0);
    bind_node(0); /* and begins again */
}
END_TEST

/* L: the link-local address of the same interface identifier is detected, too. */
START_TEST(link_local)
{
    const struct addr local = ip("fe80::100");
    struct ask6 ask = lab6_ask(&lab, 0);
    ck_assert(!lab6_send(&lab, &ask).sent);
    ck_assert(!lab_first(&lab, EFFECT_PROBE)->probe.link_local);
    somebody_has(&local);
    in_order(""); /* not asked for */
    wait_for_detection();
    ck_assert(lab6_answer(&lab, &ask).sent);
    ask = lab6_ask_return(&lab, 0);
    accepted(&ask);

    ask = lab6_ask(&lab, 0);
    ask.m.flags |= MIP6_LINK_LOCAL;
    ck_assert(!lab6_send(&lab, &ask).sent);
    ck_assert(lab_first(&lab, EFFECT_PROBE)->probe.link_local);
    somebody_has(&local);
    const struct answer6 a = lab6_answer(&lab, &ask);
    check_ack(&a, MIP6_DAD_FAILED, true);

    ask = lab6_ask(&lab, 0);
    ask.m.flags |= MIP6_LINK_LOCAL;
    accepted(&ask);
    ck_assert(lab_first(&lab, EFFECT_ANNOUNCE)->announce.link_local);
}
END_TEST

/* Section 11.8: what is sent again bears a new sequence number; one detection, and the newest is answered. */
static void absorbed(size_t i)
{
    const struct ask6 first = lab6_ask(&lab, i);
    ck_assert(!lab6_send(&lab, &first).sent);
    lab_wait(&lab, 400 * NSEC_PER_MS);
    struct ask6 second = lab6_ask(&lab, i);
    second.source = ip("2001:db8:c::42");
    ck_assert(!lab6_send(&lab, &second).sent);
    in_order("");
    ck_assert_uint_eq(lab_counter(&lab, AGENT_UPDATES_ABSORBED), 1);
    lab_wait(&lab, 600 * NSEC_PER_MS); /* a second from the first */
    const struct answer6 a = lab6_answer(&lab, &second);
    check_ack(&a, MIP6_ACCEPTED, true);
    ck_assert_uint_eq(a.ack.sequence, second.m.sequence);
    struct binding_view v;
    ck_assert(is_bound(i, &v));
    ck_assert(addr_equal(&v.care_of[0].address, &second.source));
}

START_TEST(retransmissions_are_absorbed)
{
    absorbed(_i == 0 ? 0 : LAB6_SEQUENCES);
}
END_TEST

/* One that was overtaken must not take the newer one's place. */
START_TEST(overtaken_retransmission)
{
    const size_t i = _i == 0 ? 0 : LAB6_SEQUENCES;
    const struct ask6 old = lab6_ask(&lab, i);
    const struct ask6 ask = lab6_ask(&lab, i);
    ck_assert(!lab6_send(&lab, &ask).sent);
    if (i == 0)
        ck_assert(!lab6_send(&lab, &old).sent);
    else
        refused(&old, MIP6_SEQUENCE);
    wait_for_detection();
    ck_assert_uint_eq(lab6_answer(&lab, &ask).ack.sequence, ask.m.sequence);
}
END_TEST

START_TEST(refusal_while_it_waits)
{
    const struct ask6 ask = lab6_ask(&lab, 0);
    ck_assert(!lab6_send(&lab, &ask).sent);
    struct ask6 router = lab6_ask(&lab, 0);
    mobile_router(&router);
    refused(&router, MIP6_NO_MOBILE_ROUTERS);
    wait_for_detection();
    const struct answer6 a = lab6_answer(&lab, &ask);
    check_ack(&a, MIP6_ACCEPTED, true);
}
END_TEST

START_TEST(end_while_it_waits)
{
    const size_t i = _i == 0 ? 0 : LAB6_SEQUENCES;
    const struct ask6 ask = lab6_ask(&lab, i);
    ck_assert(!lab6_send(&lab, &ask).sent);
    const struct ask6 end = lab6_ask_return(&lab, i);
    refused(&end, MIP6_NOT_HOME_AGENT);
    wait_for_detection();
    in_order("");
    /* nor does what comes late begin it again */
    refused(&ask, i == 0 ? MIP6_TIMESTAMP_MISMATCH : MIP6_SEQUENCE);
    wait_for_detection();
    ck_assert_uint_eq(agent_bindings(lab.agent), 0);
}
END_TEST

/* What was granted when it came may not be any more. */
START_TEST(configured_otherwise_while_it_waits)
{
    const struct ask6 ask = lab6_ask(&lab, 0);
    ck_assert(!lab6_send(&lab, &ask).sent);
    lab.settings.home_networks[2].addr = ip("2001:db8:77::");
    reconfigure();
    wait_for_detection();
    const struct answer6 a = lab6_answer(&lab, &ask);
    check_ack(&a, MIP6_NOT_HOME_SUBNET, true);
    ck_assert_uint_eq(agent_bindings(lab.agent), 0);
}
END_TEST

static void sweep(void)
{
    while (agent_sweep(lab.agent, 4, lab.now))
        continue;
    lab_drain(&lab);
}

START_TEST(key_replaced_while_it_waits)
{
    const struct ask6 ask = lab6_ask(&lab, 0);
    struct association other = lab6_association(0);
    other.spi = 5000;
    ck_assert(!lab6_send(&lab, &ask).sent);
    agent_sweep_begin(lab.agent);
    ck_assert_int_eq(agent_mobile_set(lab.agent, &ask.home, &other, NULL), 0);
    sweep();
    wait_for_detection();
    in_order("");
    ck_assert_uint_eq(agent_bindings(lab.agent), 0);
}
END_TEST

START_TEST(mobile_node_removed_while_it_waits)
{
    const struct ask6 ask = lab6_ask(&lab, 0);
    ck_assert(!lab6_send(&lab, &ask).sent);
    agent_sweep_begin(lab.agent);
    sweep();
    ck_assert_uint_eq(agent_mobiles(lab.agent), 0);
    wait_for_detection();
    in_order("");
}
END_TEST

START_TEST(last_place_taken_while_it_waits)
{
    lab.settings.max_bindings = 1;
    reconfigure();
    const struct ask6 ask = lab6_ask(&lab, 0);
    ck_assert(!lab6_send(&lab, &ask).sent);
    lab_wait(&lab, 100 * NSEC_PER_MS);
    const struct ask6 late_one = lab6_ask(&lab, 1);
    ck_assert(!lab6_send(&lab, &late_one).sent);
    lab_wait(&lab, 900 * NSEC_PER_MS);
    ck_assert_uint_eq(lab6_answer(&lab, &ask).ack.status, MIP6_ACCEPTED);
    lab_wait(&lab, 100 * NSEC_PER_MS);
    ck_assert_uint_eq(lab6_answer(&lab, &late_one).ack.status, MIP6_NO_RESOURCES);
}
END_TEST

/* ---- Deregistration (section 10.3.2) ---- */
START_TEST(end_at_home)
{
    bind_node(0);
    const struct ask6 end = lab6_ask_return(&lab, 0);
    const struct answer6 a = lab6_send(&lab, &end);
    check_ack(&a, MIP6_ACCEPTED, true);
    ck_assert_uint_eq(a.ack.lifetime, 0);
    ck_assert(!a.ack.options.has_refresh_advice);
    in_order("R A S");
    const struct announcement *n = &lab_first(&lab, EFFECT_ANNOUNCE)->announce;
    ck_assert(n->silent && !n->ours && mac_equal(&n->mac, &end.mac));
    ck_assert(!agent_intercepts(lab.agent, &end.home));
    ck_assert_uint_eq(lab_counter(&lab, AGENT_BINDINGS_DEREGISTERED), 1);
    lab_wait(&lab, 10 * NSEC_PER_S);
    in_order(""); /* no repeats of the announcement of old */
}
END_TEST

START_TEST(end_from_away)
{
    bind_node(0);
    struct ask6 end = lab6_ask(&lab, 0);
    end.m.lifetime = 0;
    const struct answer6 a = lab6_send(&lab, &end);
    check_ack(&a, MIP6_ACCEPTED, true);
    in_order("R S");
    ck_assert(addr_equal(&a.message.home, &end.home));
    ck_assert(!a.message.on_link);
}
END_TEST

/* From a care-of address on a link of ours, which is not its home link. */
START_TEST(end_from_next_door)
{
    bind_node(0);
    struct ask6 end = lab6_ask(&lab, 0);
    end.m.lifetime = 0;
    end.elsewhere = false;
    accepted(&end);
    in_order("R S");
}
END_TEST

/* Only the lifetime says so; of a request that ends, nothing else is judged. */
START_TEST(end_is_judged_by_its_lifetime)
{
    bind_node(0);
    struct ask6 end = lab6_ask(&lab, 0);
    end.m.lifetime = 0;
    mobile_router(&end);
    care_of_in_home_network(&end);
    ck_assert_uint_eq(accepted(&end).ack.lifetime, 0);
}
END_TEST

START_TEST(end_of_nothing)
{
    struct ask6 end = lab6_ask_return(&lab, 0);
    const struct answer6 a = refused(&end, MIP6_NOT_HOME_AGENT);
    ck_assert(a.message.on_link && mac_equal(&a.message.mac, &end.mac));
    end = lab6_ask(&lab, 0);
    end.m.lifetime = 0;
    ck_assert(!refused(&end, MIP6_NOT_HOME_AGENT).message.on_link);
}
END_TEST

/* ---- Errors (sections 9.2, 9.3.1, 9.3.3) ---- */

/* The whole datagram, extension headers and all. */
static size_t wrap(const struct sent *s, uint8_t *whole, struct agent_datagram *d)
{
    struct writer w = writer_over(whole, ROOM);
    const struct ip_header h = {.source = s->ask.source,
                                .destination = s->ask.destination,
                                .ttl = 64,
                                .protocol = IPPROTO_NUM_MOBILITY,
                                .total_len = (uint16_t)(IPV6_HEADER + 24 + s->len),
                                .home = s->ask.home,
                                .routed_home = addr_unspecified};
    ip_encode(&w, &h);
    const size_t at = writer_len(&w);
    write_bytes(&w, s->bytes, s->len);
    *d = lab6_datagram(&s->ask, whole + at, s->len);
    d->whole = whole;
    d->whole_len = writer_len(&w);
    return at;
}

START_TEST(parameter_problem)
{
    struct sent s = {.ask = lab6_ask(&lab, 0)};
    uint8_t whole[ROOM];
    struct agent_datagram d;
    if (_i == 0)
        payload_protocol(&s);
    else
        header_length(&s);
    const size_t at = wrap(&s, whole, &d);
    ck_assert_uint_eq(at, IPV6_HEADER + 24);
    lab_forget(&lab);
    agent_input(lab.agent, &d, lab.now);
    lab_drain(&lab);
    in_order("Y");
    const struct relay *r = &lab_first(&lab, EFFECT_RELAY)->relay;
    ck_assert_uint_eq(r->what, ICMP_ERROR_PARAMETER);
    ck_assert_uint_eq(r->value, at + (size_t)_i);
    ck_assert_uint_eq(r->len, d.whole_len);
    ck_assert_mem_eq(r->datagram, whole, r->len);
}
END_TEST

static void check_binding_error(const struct ask6 *ask, uint8_t status, const char *home)
{
    const struct addr expected = ip(home);
    in_order("S");
    const struct message *m = &lab_first(&lab, EFFECT_SEND)->send;
    enum mip6_type type;
    uint8_t found;
    struct addr found_home;
    ck_assert(addr_equal(&m->source, &ask->destination));
    ck_assert(addr_equal(&m->destination, &ask->source));
    ck_assert(addr_equal(&m->home, &addr_unspecified));
    ck_assert_uint_eq(m->protocol, IPPROTO_NUM_MOBILITY);
    ck_assert_uint_eq(m->len, 24);
    ck_assert_int_eq(mip6_check(m->bytes, m->len, &m->source, &m->destination, &type), MIP6_DECODED);
    ck_assert_uint_eq(type, MIP6_ERROR);
    ck_assert(mip6_error_decode(m->bytes, m->len, &found, &found_home));
    ck_assert_uint_eq(found, status);
    ck_assert(addr_equal(&found_home, &expected));
}

static void send_only(const struct sent *s)
{
    const struct agent_datagram d = lab6_datagram(&s->ask, s->bytes, s->len);
    lab_forget(&lab);
    agent_input(lab.agent, &d, lab.now);
    lab_drain(&lab);
}

START_TEST(unknown_type)
{
    struct sent s = {.ask = lab6_ask(&lab, 0)};
    set_byte(&s, 2, 100);
    send_only(&s);
    check_binding_error(&s.ask, 2, "2001:db8:1::100");
    s.ask.by_option = false;
    s.ask.home = s.ask.source;
    set_byte(&s, 2, 100);
    send_only(&s);
    check_binding_error(&s.ask, 2, "::");
    ck_assert_uint_eq(lab_counter(&lab, AGENT_BINDING_ERRORS), 2);
}
END_TEST

START_TEST(unknown_type_from_nobody)
{
    struct sent s = {.ask = lab6_ask(&lab, 0)};
    s.ask.source = ip(_i == 0 ? "::" : "ff02::9");
    set_byte(&s, 2, 100);
    send_only(&s);
    in_order("");
}
END_TEST

START_TEST(errors_are_limited)
{
    struct sent s = {.ask = lab6_ask(&lab, 0)};
    set_byte(&s, 2, 100);
    for (int i = 0; i < 500; i++)
        send_only(&s);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_BINDING_ERRORS), 100);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_DISCARD_ERROR_RATE), 400);
    set_byte(&s, 0, 0);
    uint8_t whole[ROOM];
    struct agent_datagram d;
    wrap(&s, whole, &d);
    lab_forget(&lab);
    agent_input(lab.agent, &d, lab.now);
    lab_drain(&lab);
    in_order("");
}
END_TEST

/* A Home Address option in front of anything else needs a binding to the source of the packet. */
START_TEST(home_option_without_binding)
{
    struct ask6 ask = lab6_ask(&lab, 0);
    struct agent_datagram d = lab6_datagram(&ask, (const uint8_t *)"12345678", 8);
    d.protocol = IPPROTO_NUM_UDP;
    lab_forget(&lab);
    agent_input(lab.agent, &d, lab.now);
    lab_drain(&lab);
    check_binding_error(&ask, 1, "2001:db8:1::100");
    lab_forget(&lab);
    ck_assert(!agent_home_option(lab.agent, &d, lab.now));
    lab_drain(&lab);
    check_binding_error(&ask, 1, "2001:db8:1::100");
    bind_node(0);
    lab_forget(&lab);
    ck_assert(agent_home_option(lab.agent, &d, lab.now));
    agent_input(lab.agent, &d, lab.now);
    lab_drain(&lab);
    in_order("");
    d.source = ip("2001:db8:c::42");
    ck_assert(!agent_home_option(lab.agent, &d, lab.now));
}
END_TEST

/* ---- What an operator reads ---- */
static void noted(const struct ask6 *ask, enum note_kind kind, uint8_t status, uint32_t value)
{
    const struct addr at = lab6_asked_care_of(ask);
    ck_assert_uint_eq(lab_count(&lab, EFFECT_NOTE), 1);
    const struct note *n = &lab_first(&lab, EFFECT_NOTE)->note;
    ck_assert_uint_eq(n->kind, kind);
    ck_assert_uint_eq(n->code, status);
    ck_assert_uint_eq(n->value, value);
    ck_assert(addr_equal(&n->home, &ask->home));
    ck_assert(addr_equal(&n->care_of, &at));
    ck_assert(addr_equal(&n->peer, &ask->source));
}

START_TEST(notes)
{
    struct ask6 ask = lab6_ask(&lab, 0);
    ask.wrong = true;
    refused(&ask, MIP6_AUTH_FAILED);
    noted(&ask, NOTE_AUTH_FAILED, MIP6_AUTH_FAILED, 0);
    ask = lab6_ask(&lab, 0);
    accepted(&ask);
    noted(&ask, NOTE_BOUND, MIP6_ACCEPTED, 300);
    ask = lab6_ask(&lab, 0);
    accepted(&ask);
    noted(&ask, NOTE_RENEWED, MIP6_ACCEPTED, 300);
    ask = lab6_ask(&lab, 0);
    care_of(&ask, "2001:db8:c::42");
    accepted(&ask);
    noted(&ask, NOTE_MOVED, MIP6_ACCEPTED, 300);
    ask = lab6_ask(&lab, 0);
    mobile_router(&ask);
    refused(&ask, MIP6_NO_MOBILE_ROUTERS);
    noted(&ask, NOTE_DENIED, MIP6_NO_MOBILE_ROUTERS, 0);
    ask = lab6_ask_return(&lab, 0);
    accepted(&ask);
    noted(&ask, NOTE_DEREGISTERED, MIP6_ACCEPTED, 0);
}
END_TEST

/* ---- Roles and families ---- */

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

static void add_discards(Suite *suite)
{
    TCase *t = lab_case(suite, "discards");
    tcase_add_loop_test(t, silence, 0, ROWS(discards));
    tcase_add_loop_test(t, silence_leaves_the_binding, 0, ROWS(discards));
}

static void add_refusals(Suite *suite)
{
    TCase *t = lab_case(suite, "refusals");
    tcase_add_loop_test(t, refusal, 0, ROWS(refusals));
    tcase_add_loop_test(t, refusal_leaves_the_binding, 0, ROWS(refusals));
    tcase_add_loop_test(t, home_that_cannot_be_served, 0, ROWS(homes));
    tcase_add_test(t, care_of_is_ours);
    tcase_add_test(t, home_of_nobody_with_a_name);
    tcase_add_test(t, signed_by_aaa_too);
    tcase_add_test(t, denials_are_limited);
    tcase_add_test(t, without_h);
}

static void add_replay(Suite *suite)
{
    TCase *t = lab_case(suite, "replay");
    tcase_add_test(t, mismatch_resynchronises);
    tcase_add_test(t, timestamp_greater_than_all_accepted);
    tcase_add_test(t, refused_update_uses_no_timestamp);
    tcase_add_test(t, required_timestamp_is_not_made_up);
    tcase_add_test(t, timestamp_that_does_not_govern);
    tcase_add_loop_test(t, sequence, 0, ROWS(sequences));
    tcase_add_test(t, refused_update_uses_its_sequence);
    tcase_add_test(t, invalid_update_uses_no_sequence);
    tcase_add_test(t, delayed_update_after_deregistration);
}

static void add_bindings(Suite *suite)
{
    TCase *t = lab_case(suite, "bindings");
    tcase_add_test(t, binding);
    tcase_add_test(t, renewal_and_move);
    tcase_add_test(t, bound_already_stays_bound);
    tcase_add_test(t, alternate_care_of);
    tcase_add_loop_test(t, lifetime, 0, ROWS(lifetimes));
    tcase_add_test(t, end_at_home);
    tcase_add_test(t, end_from_away);
    tcase_add_test(t, end_from_next_door);
    tcase_add_test(t, expired_in_this_moment);
    tcase_add_test(t, end_is_judged_by_its_lifetime);
    tcase_add_test(t, end_of_nothing);
}

static void add_detection(Suite *suite)
{
    TCase *t = lab_case(suite, "duplicate address detection");
    tcase_add_test(t, taken);
    tcase_add_test(t, link_local);
    tcase_add_loop_test(t, retransmissions_are_absorbed, 0, 2);
    tcase_add_loop_test(t, overtaken_retransmission, 0, 2);
    tcase_add_test(t, refusal_while_it_waits);
    tcase_add_loop_test(t, end_while_it_waits, 0, 2);
    tcase_add_test(t, configured_otherwise_while_it_waits);
    tcase_add_test(t, key_replaced_while_it_waits);
    tcase_add_test(t, mobile_node_removed_while_it_waits);
    tcase_add_test(t, last_place_taken_while_it_waits);
}

int main(void)
{
    Suite *suite = suite_create("binding updates");
    add_discards(suite);
    add_refusals(suite);
    add_replay(suite);
    add_bindings(suite);
    add_detection(suite);
    TCase *t = lab_case(suite, "errors");
    tcase_add_loop_test(t, parameter_problem, 0, 2);
    tcase_add_test(t, unknown_type);
    tcase_add_loop_test(t, unknown_type_from_nobody, 0, 2);
    tcase_add_test(t, errors_are_limited);
    tcase_add_test(t, home_option_without_binding);
    tcase_add_test(t, notes);
    tcase_add_test(t, ipv4_request_for_an_ipv6_node);
    return check_main(suite);
}
