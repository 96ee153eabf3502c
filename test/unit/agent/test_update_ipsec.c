/* SPDX-License-Identifier: BSD-3-Clause */
/* Binding updates under ESP (RFC 3776): what protects them, and what protects the acknowledgement. */
#include "lab6_check.h"

enum { NODE = 7, IN_SPI = 0x1111, OUT_SPI = 0x2222, ROOM = 1024 };

static struct esp_association in, out;
static struct esp *to_agent, *to_node; /* the mobile node's end */

static struct esp_association cbc(uint32_t spi)
{
    struct esp_association sa = {
        .spi = spi, .algorithm = ESP_AES_CBC_SHA1, .key_len = 16, .auth_key_len = 20};
    for (uint8_t i = 0; i < 20; i++) {
        sa.key[i % 16] = (uint8_t)(spi + i);
        sa.auth_key[i] = (uint8_t)(spi * 3 + i);
    }
    return sa;
}

static void open_node(void)
{
    static const uint8_t seed[16] = {42};
    const struct addr home = lab6_home(NODE);
    in = cbc(IN_SPI);
    out = cbc(OUT_SPI);
    to_agent = esp_create(&in, seed);
    struct esp_association at_node = out;
    at_node.replay_protection = true;
    to_node = esp_create(&at_node, seed);
    ck_assert(to_agent != NULL && to_node != NULL);
    ck_assert_int_eq(agent_ipsec_set(lab.agent, &home, &in, &out), 0);
}

static void setup_ipsec(void)
{
    lab6_setup();
    open_node();
}

static void teardown_ipsec(void)
{
    esp_destroy(to_agent);
    esp_destroy(to_node);
    teardown();
}

/* Away, with the alternate care-of address that ESP protects. */
static struct ask6 ask_in_esp(void)
{
    struct ask6 ask = lab6_ask(&lab, NODE);
    ask.times = 0;
    ask.m.options.has_alternate_care_of = true;
    ask.m.options.alternate_care_of = ask.source;
    return ask;
}

static struct ask6 ask_return_in_esp(void)
{
    struct ask6 ask = lab6_ask_return(&lab, NODE);
    ask.times = 0;
    return ask;
}

struct opened {
    bool sent;
    struct message message;
    struct mip6_ack ack;
};

static struct opened read_log(const struct ask6 *ask)
{
    struct opened o = {0};
    uint8_t inner[ROOM];
    size_t len;
    uint8_t protocol;
    enum mip6_type type;
    const struct effect *e = lab_first(&lab, EFFECT_SEND);
    if (e == NULL)
        return o;
    o.sent = true;
    o.message = e->send;
    ck_assert_uint_eq(o.message.protocol, IPPROTO_NUM_ESP);
    ck_assert_int_eq(esp_open(to_node, o.message.bytes, o.message.len, inner, &len, &protocol), ESP_OPENED);
    ck_assert_uint_eq(protocol, IPPROTO_NUM_MOBILITY);
    ck_assert_int_eq(mip6_check(inner, len, &o.message.source, &ask->home, &type), MIP6_DECODED);
    ck_assert_uint_eq(type, MIP6_ACK);
    ck_assert_int_eq(mip6_ack_decode(inner, len, &o.ack), MIP6_DECODED);
    return o;
}

static struct opened send_in_esp(const struct ask6 *ask)
{
    uint8_t update[ROOM], sealed[ROOM];
    const size_t len = lab6_encode(&lab, ask, update, sizeof(update));
    const size_t sealed_len = esp_seal(to_agent, update, len, IPPROTO_NUM_MOBILITY, sealed);
    struct agent_datagram d = lab6_datagram(ask, sealed, sealed_len);
    d.protocol = IPPROTO_NUM_ESP;
    lab_forget(&lab);
    agent_input(lab.agent, &d, lab.now);
    lab_drain(&lab);
    return read_log(ask);
}

static struct opened answered(const struct ask6 *ask, uint8_t status)
{
    struct opened o = send_in_esp(ask);
    if (!o.sent) {
        in_order("P");
        wait_for_detection();
        o = read_log(ask);
    }
    ck_assert(o.sent);
    ck_assert_uint_eq(o.ack.status, status);
    return o;
}

START_TEST(bound_and_back)
{
    struct ask6 ask = ask_in_esp();
    const struct opened o = answered(&ask, MIP6_ACCEPTED);
    struct binding_view v;
    ck_assert(is_bound(NODE, &v));
    ck_assert(addr_equal(&v.care_of[0].address, &ask.source));
    ck_assert(addr_equal(&o.message.destination, &ask.source));
    ck_assert(addr_equal(&o.message.home, &ask.home));
    ck_assert_uint_eq(o.ack.options.mobile_home.count, 0);
    ask = ask_return_in_esp();
    const struct opened end = answered(&ask, MIP6_ACCEPTED);
    ck_assert(end.message.on_link);
    ck_assert(addr_equal(&end.message.home, &addr_unspecified));
    ck_assert(!is_bound(NODE, &v));
}
END_TEST

/* RFC 6275 section 11.7.1: ESP does not cover the IPv6 header. */
START_TEST(unprotected_care_of)
{
    struct ask6 ask = ask_in_esp();
    ask.m.options.has_alternate_care_of = false;
    answered(&ask, MIP6_PROHIBITED);
    struct binding_view v;
    ck_assert(!is_bound(NODE, &v));
    ask = ask_in_esp();
    answered(&ask, MIP6_ACCEPTED);
    ask = ask_in_esp();
    ask.m.options.has_alternate_care_of = false;
    ask.source = ip("2001:db8:c::42");
    answered(&ask, MIP6_PROHIBITED);
    ck_assert(is_bound(NODE, &v));
    ask = ask_in_esp(); /* what ends it needs none */
    ask.m.options.has_alternate_care_of = false;
    ask.m.lifetime = 0;
    answered(&ask, MIP6_ACCEPTED);
    ck_assert(!is_bound(NODE, &v));
}
END_TEST

/* The signature covers the care-of address. */
START_TEST(signed_inside_too)
{
    struct ask6 ask = ask_in_esp();
    ask.times = 1;
    ask.m.options.has_alternate_care_of = false;
    const struct opened o = answered(&ask, MIP6_ACCEPTED);
    ck_assert_uint_eq(o.ack.options.mobile_home.count, 1);
    ask = ask_in_esp();
    ask.times = 1;
    ask.wrong = true;
    answered(&ask, MIP6_AUTH_FAILED);
}
END_TEST

/* RFC 6275 section 5.1: configured keys alone tell nothing of an update's age. */
START_TEST(sequence_numbers_govern)
{
    struct ask6 ask = ask_in_esp();
    answered(&ask, MIP6_ACCEPTED);
    ck_assert_uint_eq(answered(&ask, MIP6_SEQUENCE).ack.sequence, ask.m.sequence);
    ask = ask_in_esp();
    answered(&ask, MIP6_ACCEPTED);
}
END_TEST

/* Two retransmissions as UMIP's mip6d sent them, sealed by a Linux 6.1 kernel: the second, with the next
 * sequence number, takes the first one's place. */
static const char *const umip[] = {
    "000003e800000001e13819a0c6f07e26cdc9df89d9a4a4985513065aa34b20806b5813caef83c3f8a962d80631e6252d"
    "579788e870d51e22ddfa0901dbdc51ba3633763bbf2f9b47433abd8eaa382679231ed4a4",
    "000003e8000000024c98f5509826b4e0829085ec89f9bcaecf040516a7d63338dcbcff5c2af45b12f9967748982e7b50"
    "01dc2ee75f9a2594b0d6f13fe9fd455ba90240e7c1ce763b13693b2f4b3704061a4e84b6",
};
static const uint16_t umip_sequence = 0x79ba; /* of the second */

static struct esp_association umip_association(uint32_t spi)
{
    struct esp_association sa = {
        .spi = spi, .algorithm = ESP_AES_CBC_SHA1, .key_len = 16, .auth_key_len = 20};
    for (uint8_t i = 0; i < 16; i++)
        sa.key[i] = i;
    for (uint8_t i = 0; i < 20; i++)
        sa.auth_key[i] = i;
    return sa;
}

static void send_captured(const struct ask6 *ask, const char *hex)
{
    uint8_t sealed[ROOM];
    struct agent_datagram d = lab6_datagram(ask, sealed, hex_bytes(hex, sealed, sizeof(sealed)));
    d.protocol = IPPROTO_NUM_ESP;
    lab_forget(&lab);
    agent_input(lab.agent, &d, lab.now);
    lab_drain(&lab);
}

START_TEST(captured)
{
    const struct ask6 ask = {.home = ip("2001:db8:1::50"),
                             .source = ip("2001:db8:2:0:cb4:2fff:fee7:14a6"),
                             .destination = ip("2001:db8:1::2"),
                             .by_option = true,
                             .elsewhere = true};
    const struct esp_association theirs = umip_association(1000);
    lab.settings.home_networks[3].addr = ip("2001:db8:9::"); /* theirs is their visited network */
    lab.settings.max_lifetime_s = UINT16_MAX;
    reconfigure();
    ck_assert_int_eq(agent_ipsec_set(lab.agent, &ask.home, &theirs, &out), 0);
    send_captured(&ask, umip[0]);
    in_order("P");
    send_captured(&ask, umip[1]);
    in_order("");
    wait_for_detection();
    const struct opened o = read_log(&ask);
    ck_assert(o.sent);
    ck_assert_uint_eq(o.ack.status, MIP6_ACCEPTED);
    ck_assert_uint_eq(o.ack.sequence, umip_sequence);
    ck_assert_uint_eq(o.ack.lifetime, 16383); /* asked for 21,599 units */
    struct binding_view v;
    ck_assert(agent_binding(lab.agent, &ask.home, lab.now, &v));
    ck_assert(addr_equal(&v.care_of[0].address, &ask.source));
}
END_TEST

/* Refusals are as protected as what they refuse. */
START_TEST(refused_in_esp)
{
    struct ask6 ask = ask_in_esp();
    ask.m.options.alternate_care_of = ip("2001:db8:1::77");
    answered(&ask, MIP6_INVALID_CARE_OF);
    ask = ask_return_in_esp();
    answered(&ask, MIP6_NOT_HOME_AGENT);
    ask = ask_in_esp();
    ck_assert(!send_in_esp(&ask).sent);
    const struct agent_neighbor n = {.mac = {{2, 9, 9, 9, 9, 9}}, .claimed = ask.home};
    agent_heard(lab.agent, &n, lab.now);
    lab_drain(&lab);
    ck_assert_uint_eq(read_log(&ask).ack.status, MIP6_DAD_FAILED);
}
END_TEST

/* Section 5.1: without either protection there is silence, though ESP is configured. */
START_TEST(bare)
{
    struct ask6 ask = ask_in_esp();
    ck_assert(!lab6_send(&lab, &ask).sent);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_DISCARD_NO_AUTH), 1);
    in_order("");
}
END_TEST

/* An association is for its own home address (RFC 3776 section 4.4). */
START_TEST(for_another_home)
{
    struct ask6 ask = ask_in_esp();
    ask.home = lab6_home(0);
    ck_assert(!send_in_esp(&ask).sent);
    in_order("");
    ck_assert_uint_eq(agent_bindings(lab.agent), 0);
}
END_TEST

/* ESP without a key of RFC 4285: configured all the same. */
static void only_esp(void)
{
    const struct addr home = lab6_home(NODE);
    agent_sweep_begin(lab.agent);
    ck_assert_int_eq(agent_ipsec_set(lab.agent, &home, &in, &out), 0);
    while (agent_sweep(lab.agent, 4, lab.now))
        continue;
    lab_drain(&lab);
    ck_assert_uint_eq(agent_mobiles(lab.agent), 1);
}

START_TEST(esp_alone)
{
    only_esp();
    struct ask6 ask = ask_in_esp();
    answered(&ask, MIP6_ACCEPTED);
    ask = ask_in_esp();
    ask.times = 1;
    ck_assert(!send_in_esp(&ask).sent);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_DISCARD_UNKNOWN_SPI), 1);
}
END_TEST

START_TEST(esp_taken_away_while_it_waits)
{
    struct ask6 ask = ask_in_esp();
    ck_assert(!send_in_esp(&ask).sent);
    agent_sweep_begin(lab.agent);
    lab6_populate(&lab);
    while (agent_sweep(lab.agent, 4, lab.now))
        continue;
    lab_drain(&lab);
    wait_for_detection();
    in_order("");
    ck_assert_uint_eq(agent_bindings(lab.agent), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("binding updates under ESP");
    TCase *t = tcase_create("ESP");
    tcase_add_checked_fixture(t, setup_ipsec, teardown_ipsec);
    suite_add_tcase(suite, t);
    tcase_add_test(t, bound_and_back);
    tcase_add_test(t, unprotected_care_of);
    tcase_add_test(t, signed_inside_too);
    tcase_add_test(t, sequence_numbers_govern);
    tcase_add_test(t, refused_in_esp);
    tcase_add_test(t, bare);
    tcase_add_test(t, captured);
    tcase_add_test(t, for_another_home);
    tcase_add_test(t, esp_alone);
    tcase_add_test(t, esp_taken_away_while_it_waits);
    return check_main(suite);
}
