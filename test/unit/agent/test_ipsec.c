/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "lab6_check.h"

/* Mobile node SEALED has nothing but ESP; those below LAB6_MOBILES have keys of RFC 4285 beside. */
enum { SEALED = LAB6_MOBILES, OTHER, SPI_IN = 2000, SPI_OUT = 3000 };

static const uint8_t seed[16] = {1, 2, 3};

static struct esp_association association(uint32_t spi, uint8_t salt)
{
    struct esp_association sa = {
        .spi = spi, .algorithm = ESP_AES_CBC_SHA1, .key_len = 16, .auth_key_len = 20};
    for (uint8_t i = 0; i < 20; i++) {
        sa.key[i % 16] = (uint8_t)(salt + i);
        sa.auth_key[i] = (uint8_t)(salt + 0x40 + i);
    }
    return sa;
}

static struct esp_association incoming(size_t i)
{
    return association(SPI_IN + (uint32_t)i, (uint8_t)(10 * i));
}

static struct esp_association outgoing(size_t i)
{
    return association(SPI_OUT + (uint32_t)i, (uint8_t)(10 * i + 5));
}

static int set(size_t i, const struct esp_association *in, const struct esp_association *out)
{
    const struct addr home = lab6_home(i);
    return agent_ipsec_set(lab.agent, &home, in, out);
}

static void set_own(size_t i)
{
    const struct esp_association in = incoming(i), out = outgoing(i);
    ck_assert_int_eq(set(i, &in, &out), 0);
}

/* The mobile node's end of both. */
struct far {
    struct esp *in, *out;
};
static struct far far;

static void far_open(size_t i)
{
    struct esp_association in = outgoing(i);
    const struct esp_association out = incoming(i);
    in.replay_protection = true;
    far = (struct far){.in = esp_create(&in, seed), .out = esp_create(&out, seed)};
    ck_assert(far.in != NULL && far.out != NULL);
}

static void esp_setup(void)
{
    lab6_setup();
    set_own(SEALED);
    far_open(SEALED);
}

static void esp_teardown(void)
{
    esp_destroy(far.in);
    esp_destroy(far.out);
    teardown();
}

/* An update as a mobile node with ESP makes it: without authentication, its care-of address in the option
 * (RFC 6275 section 11.7.1). */
static struct ask6 ask_of(size_t i)
{
    struct ask6 ask = lab6_ask(&lab, i);
    ask.times = 0;
    ask.m.options = (struct mip6_options){.has_alternate_care_of = true, .alternate_care_of = ask.source};
    return ask;
}

static void input(const struct ask6 *ask, const uint8_t *packet, size_t len)
{
    struct agent_datagram d = lab6_datagram(ask, packet, len);
    d.protocol = IPPROTO_NUM_ESP;
    lab_forget(&lab);
    agent_input(lab.agent, &d, lab.now);
    lab_drain(&lab);
}

static size_t seal(const struct ask6 *ask, uint8_t *packet)
{
    uint8_t update[512];
    const size_t len = lab6_encode(&lab, ask, update, sizeof(update));
    return esp_seal(far.out, update, len, IPPROTO_NUM_MOBILITY, packet);
}

static void send_sealed(const struct ask6 *ask)
{
    uint8_t packet[1024];
    const size_t len = seal(ask, packet);
    ck_assert_uint_gt(len, 0);
    input(ask, packet, len);
}

/* What the mobile node makes of the answer in the log; its sequence number in ESP is to be this. */
static struct mip6_ack acknowledged(const struct ask6 *ask, uint32_t esp_sequence)
{
    static uint8_t inner[AGENT_MESSAGE_MAX];
    struct mip6_ack ack;
    enum mip6_type type;
    size_t len;
    uint8_t next_header;
    const struct effect *e = lab_first(&lab, EFFECT_SEND);
    ck_assert_ptr_nonnull(e);
    const struct message *m = &e->send;
    ck_assert_uint_eq(m->protocol, IPPROTO_NUM_ESP);
    ck_assert(addr_equal(&m->source, &ask->destination) && addr_equal(&m->destination, &ask->source));
    ck_assert(addr_equal(&m->home, ask->by_option ? &ask->home : &addr_unspecified));
    ck_assert_int_eq(esp_open(far.in, m->bytes, m->len, inner, &len, &next_header), ESP_OPENED);
    ck_assert_uint_eq((uint32_t)m->bytes[6] << 8 | m->bytes[7], esp_sequence);
    ck_assert_uint_eq(next_header, IPPROTO_NUM_MOBILITY);
    ck_assert_int_eq(mip6_check(inner, len, &m->source, &ask->home, &type), MIP6_DECODED);
    ck_assert_int_eq(type, MIP6_ACK);
    ck_assert_int_eq(mip6_ack_decode(inner, len, &ack), MIP6_DECODED);
    ck_assert_uint_eq(ack.options.mobile_home.count, 0);
    return ack;
}

static void register_sealed(size_t i, uint32_t esp_sequence)
{
    const struct ask6 ask = ask_of(i);
    send_sealed(&ask);
    if (lab_count(&lab, EFFECT_SEND) == 0)
        wait_for_detection();
    const struct mip6_ack ack = acknowledged(&ask, esp_sequence);
    ck_assert_uint_eq(ack.status, MIP6_ACCEPTED);
    ck_assert_uint_eq(ack.sequence, ask.m.sequence);
}

START_TEST(registers_and_comes_home)
{
    struct binding_view v;
    register_sealed(SEALED, 1);
    ck_assert(is_bound(SEALED, &v));
    register_sealed(SEALED, 2);

    struct ask6 home = lab6_ask_return(&lab, SEALED);
    home.times = 0;
    home.m.options = (struct mip6_options){0};
    send_sealed(&home);
    ck_assert_uint_eq(acknowledged(&home, 3).status, MIP6_ACCEPTED);
    ck_assert(!is_bound(SEALED, &v));
    ck_assert_uint_eq(lab_counter(&lab, AGENT_ESP_OPENED), 3);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_ESP_SEALED), 3);
}
END_TEST

/* UMIP's mip6d on Linux 6.1 sent it, with cbc(aes) of key 00 to 0f and hmac(sha1) of 00 to 13. */
START_TEST(registers_as_a_kernel_would)
{
    uint8_t packet[128];
    const size_t len =
        hex_bytes("000003e800000001e13819a0c6f07e26cdc9df89d9a4a4985513065aa34b20806b5813caef83c3f8"
                  "a962d80631e6252d579788e870d51e22ddfa0901dbdc51ba3633763bbf2f9b47433abd8eaa382679"
                  "231ed4a4",
                  packet, sizeof(packet));
    struct ask6 ask = ask_of(SEALED);
    struct esp_association in = association(1000, 0);
    for (uint8_t i = 0; i < 20; i++)
        in.key[i % 16] = in.auth_key[i] = i;
    for (uint8_t i = 0; i < 16; i++)
        in.key[i] = i;
    const struct esp_association out = outgoing(SEALED);
    ask.home = ip("2001:db8:1::50");
    ask.source = ip("2001:db8:2:0:cb4:2fff:fee7:14a6");
    ck_assert_int_eq(agent_ipsec_set(lab.agent, &ask.home, &in, &out), 0);
    /* Its care-of address is in a home network of the lab: not in this one. */
    lab.settings.n_home_networks--;
    reconfigure();
    input(&ask, packet, len);
    in_order("P");
    wait_for_detection();
    const struct mip6_ack ack = acknowledged(&ask, 1);
    ck_assert_uint_eq(ack.status, MIP6_ACCEPTED);
    ck_assert_uint_eq(ack.sequence, 0x79b9);
}
END_TEST

START_TEST(refusals_are_sealed_too)
{
    register_sealed(SEALED, 1);
    struct ask6 ask = ask_of(SEALED);
    ask.m.sequence -= 1; /* that of the binding */
    send_sealed(&ask);
    ck_assert_uint_eq(acknowledged(&ask, 2).status, MIP6_SEQUENCE);
}
END_TEST

/* RFC 3776 section 4.4: it is the binding update's sequence number that tells a replay. */
START_TEST(replays_are_judged_by_the_update)
{
    uint8_t packet[1024];
    register_sealed(SEALED, 1);
    const struct ask6 ask = ask_of(SEALED);
    const size_t len = seal(&ask, packet);
    input(&ask, packet, len);
    ck_assert_uint_eq(acknowledged(&ask, 2).status, MIP6_ACCEPTED);
    input(&ask, packet, len);
    ck_assert_uint_eq(acknowledged(&ask, 3).status, MIP6_SEQUENCE);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_ESP_REPLAYED), 0);
}
END_TEST

/* With keys that no restart outlives it is told before, and without an answer. */
START_TEST(replays_are_judged_by_esp_where_it_is_to)
{
    uint8_t packet[1024];
    struct esp_association in = incoming(SEALED);
    const struct esp_association out = outgoing(SEALED);
    in.replay_protection = true;
    ck_assert_int_eq(set(SEALED, &in, &out), 0);
    register_sealed(SEALED, 1);
    const struct ask6 ask = ask_of(SEALED);
    const size_t len = seal(&ask, packet);
    input(&ask, packet, len);
    ck_assert_uint_eq(acknowledged(&ask, 2).status, MIP6_ACCEPTED);
    input(&ask, packet, len);
    in_order("");
    ck_assert_uint_eq(lab_counter(&lab, AGENT_ESP_REPLAYED), 1);
    /* Configured again, it has forgotten nothing. */
    agent_sweep_begin(lab.agent);
    ck_assert_int_eq(set(SEALED, &in, &out), 0);
    input(&ask, packet, len);
    in_order("");
    ck_assert_uint_eq(lab_counter(&lab, AGENT_ESP_REPLAYED), 2);
}
END_TEST

/* ---- What is discarded without a word ---- */
static void check_silence(enum agent_counter reason)
{
    in_order("");
    ck_assert_uint_eq(lab_counter(&lab, reason), 1);
    agent_counters_clear(lab.agent);
}

START_TEST(broken_packets)
{
    uint8_t packet[1024];
    const struct ask6 ask = ask_of(SEALED);
    const size_t len = seal(&ask, packet);
    for (size_t i = 0; i < len; i++) {
        packet[i] ^= 0x80;
        input(&ask, packet, len);
        check_silence(i < 4 ? AGENT_ESP_UNKNOWN_SPI : AGENT_ESP_FORGED);
        packet[i] ^= 0x80;
    }
    input(&ask, packet, 3);
    check_silence(AGENT_ESP_MALFORMED);
    input(&ask, packet, 20);
    check_silence(AGENT_ESP_MALFORMED);
    input(&ask, packet, len);
    in_order("P");
}
END_TEST

/* Longer than any signalling is; authentic all the same. */
START_TEST(long_packets)
{
    static const uint8_t inner[AGENT_MESSAGE_MAX];
    uint8_t packet[sizeof(inner) + ESP_OVERHEAD_MAX];
    const struct ask6 ask = ask_of(SEALED);
    size_t len = esp_seal(far.out, inner, AGENT_MESSAGE_MAX - 44, IPPROTO_NUM_UDP, packet);
    ck_assert_uint_le(len, AGENT_MESSAGE_MAX);
    input(&ask, packet, len);
    check_silence(AGENT_ESP_SELECTOR);
    len = esp_seal(far.out, inner, sizeof(inner), IPPROTO_NUM_UDP, packet);
    input(&ask, packet, len);
    check_silence(AGENT_ESP_MALFORMED);
}
END_TEST

/* An association is for one home address (RFC 6275 section 5.1, RFC 3776 section 4.1). */
START_TEST(for_another_home_address)
{
    set_own(OTHER);
    struct ask6 ask = ask_of(SEALED);
    ask.home = lab6_home(OTHER);
    send_sealed(&ask);
    check_silence(AGENT_ESP_SELECTOR);
    /* Without the option it is the source. */
    ask = ask_of(SEALED);
    ask.by_option = false;
    send_sealed(&ask);
    check_silence(AGENT_ESP_SELECTOR);
    ask.source = lab6_home(OTHER);
    send_sealed(&ask);
    check_silence(AGENT_ESP_SELECTOR);
    /* The outer source alone does not do. */
    ask = ask_of(SEALED);
    ask.source = ask.home;
    ask.home = lab6_home(OTHER);
    send_sealed(&ask);
    check_silence(AGENT_ESP_SELECTOR);
}
END_TEST

static const struct {
    const char *what, *hex;
    uint8_t protocol;
} strangers[] = {
    {"UDP", "01b201b2000c0000 00000000", 17},
    {"a dummy packet", "0000000000000000", 59},
    {"IPv6 in tunnel mode", "6000000000003b40", 41},
    {"an echo request", "8000000000000000", 58},
    {"a prefix solicitation with a wrong checksum", "9200000112340000", 58},
    {"nothing as ICMPv6", "", 58},
};

START_TEST(of_another_protocol)
{
    uint8_t inner[64], packet[256];
    const struct ask6 ask = ask_of(SEALED);
    const size_t len = hex_bytes(strangers[_i].hex, inner, sizeof(inner));
    input(&ask, packet, esp_seal(far.out, inner, len, strangers[_i].protocol, packet));
    check_silence(AGENT_ESP_SELECTOR);
}
END_TEST

START_TEST(bare_update_of_a_node_with_esp)
{
    const struct ask6 ask = ask_of(SEALED);
    lab6_send(&lab, &ask);
    in_order("");
    ck_assert_uint_eq(lab_counter(&lab, AGENT_ESP_OPENED), 0);
}
END_TEST

START_TEST(secondaries_open_nothing)
{
    /* What it may know associations with are its primaries. */
    uint8_t packet[1024];
    const struct ask6 ask = ask_of(SEALED);
    const size_t len = seal(&ask, packet);
    struct agent_settings settings = lab.settings;
    settings.role = AGENT_SECONDARY;
    const uint8_t secret[AGENT_SEED] = {1};
    struct agent *secondary = agent_create(&settings, secret, lab.now);
    ck_assert_ptr_nonnull(secondary);
    struct agent_datagram d = lab6_datagram(&ask, packet, len);
    d.protocol = IPPROTO_NUM_ESP;
    agent_input(secondary, &d, lab.now);
    ck_assert_ptr_null(agent_pop(secondary));
    ck_assert_uint_eq(agent_counters(secondary)->n[AGENT_ESP_UNKNOWN_SPI], 1);
    agent_destroy(secondary);
}
END_TEST

/* ---- Configuration ---- */
static void sweep(void)
{
    while (agent_sweep(lab.agent, 100, lab.now))
        ;
    lab_drain(&lab);
}

START_TEST(unsound_associations)
{
    const struct esp_association good_in = incoming(OTHER), good_out = outgoing(OTHER);
    struct esp_association bad = good_in;
    const struct addr ipv4 = lab_home(1);
    bad.spi = 255;
    ck_assert_int_eq(set(OTHER, &bad, &good_out), -EINVAL);
    bad = good_out;
    bad.auth_key_len = 0;
    ck_assert_int_eq(set(OTHER, &good_in, &bad), -EINVAL);
    ck_assert_int_eq(agent_ipsec_set(lab.agent, &ipv4, &good_in, &good_out), -EINVAL);
    ck_assert_uint_eq(agent_mobiles(lab.agent), LAB_MOBILES + LAB6_MOBILES + 1);
}
END_TEST

START_TEST(one_spi_for_one_home_address)
{
    const struct esp_association in = incoming(SEALED), out = outgoing(OTHER);
    ck_assert_int_eq(set(OTHER, &in, &out), -EEXIST);
    ck_assert_uint_eq(agent_mobiles(lab.agent), LAB_MOBILES + LAB6_MOBILES + 1);
    /* It may be given to another in a new configuration, in whatever order. */
    const struct esp_association in_other = incoming(OTHER), out_first = outgoing(SEALED);
    agent_sweep_begin(lab.agent);
    lab_populate(&lab);
    lab6_populate(&lab);
    ck_assert_int_eq(set(OTHER, &in, &out), 0);
    ck_assert_int_eq(set(SEALED, &in, &out_first), -EEXIST);
    ck_assert_int_eq(set(SEALED, &in_other, &out_first), 0);
    sweep();

    /* far speaks by the first's keys, which are the other's now. */
    struct ask6 ask = ask_of(SEALED);
    send_sealed(&ask);
    check_silence(AGENT_ESP_SELECTOR);
    ask = ask_of(OTHER);
    send_sealed(&ask);
    in_order("P");
}
END_TEST

START_TEST(sequence_goes_on_where_nothing_changes)
{
    register_sealed(SEALED, 1);
    agent_sweep_begin(lab.agent);
    lab_populate(&lab);
    lab6_populate(&lab);
    set_own(SEALED);
    sweep();
    register_sealed(SEALED, 2);
}
END_TEST

START_TEST(sequence_begins_anew_with_new_keys)
{
    struct esp_association in = incoming(SEALED), out = outgoing(SEALED);
    register_sealed(SEALED, 1);
    out.key[0] ^= 1;
    ck_assert_int_eq(set(SEALED, &in, &out), 0);
    esp_destroy(far.in);
    far.in = esp_create(&out, seed);
    register_sealed(SEALED, 1);
    /* Another SPI for what comes in leaves what goes out alone. */
    in.spi = SPI_IN - 1;
    ck_assert_int_eq(set(SEALED, &in, &out), 0);
    const struct ask6 ask = ask_of(SEALED);
    send_sealed(&ask);
    check_silence(AGENT_ESP_UNKNOWN_SPI);
    esp_destroy(far.out);
    far.out = esp_create(&in, seed);
    register_sealed(SEALED, 2);
}
END_TEST

START_TEST(sweep_takes_what_is_not_set_again)
{
    struct binding_view v;
    set_own(0); /* which has a key of RFC 4285 too */
    register_sealed(SEALED, 1);
    agent_sweep_begin(lab.agent);
    lab_populate(&lab);
    lab6_populate(&lab);
    sweep();
    ck_assert_uint_eq(lab_count(&lab, EFFECT_REMOVE), 1);
    ck_assert(!is_bound(SEALED, &v));
    ck_assert_uint_eq(agent_mobiles(lab.agent), LAB_MOBILES + LAB6_MOBILES);

    const struct ask6 gone = ask_of(SEALED);
    send_sealed(&gone);
    check_silence(AGENT_ESP_UNKNOWN_SPI);
    esp_teardown();
    esp_setup();
    set_own(0);
    esp_destroy(far.in);
    esp_destroy(far.out);
    far_open(0);
    const struct ask6 ask = ask_of(0);
    send_sealed(&ask);
    in_order("P");
    agent_sweep_begin(lab.agent);
    lab_populate(&lab);
    lab6_populate(&lab);
    set_own(SEALED);
    sweep();
    send_sealed(&ask);
    check_silence(AGENT_ESP_UNKNOWN_SPI);
    ck_assert_uint_eq(agent_mobiles(lab.agent), LAB_MOBILES + LAB6_MOBILES + 1);
}
END_TEST

/* A secondary whose lease from before our start may still last: what is registered meanwhile has a delegation
 * that no node holds, and which is gone with its binding at once. */
static void expect_a_secondary(void)
{
    const struct agent_peer secondary = {.name = "s",
                                         .address = ip("10.1.0.3"),
                                         .local = ip("10.1.0.2"),
                                         .spi = 300,
                                         .key = {.algorithm = AUTH_HMAC_SHA256, .len = DELEGATION_KEY}};
    ck_assert_int_eq(agent_peer_set(lab.agent, &secondary), 0);
    lab.settings.delegation.lease_ms = 120000;
    reconfigure();
}

START_TEST(only_spi_of_a_bound_node_given_to_another)
{
    const struct esp_association in = incoming(SEALED), out = outgoing(OTHER);
    const struct addr home = lab6_home(SEALED);
    struct binding_view v;
    const struct ask6 ask = ask_of(SEALED);
    expect_a_secondary();
    send_sealed(&ask);
    wait_for_detection();
    ck_assert(is_bound(SEALED, &v));
    ck_assert(!agent_intercepts(lab.agent, &home));

    agent_sweep_begin(lab.agent);
    lab_populate(&lab);
    lab6_populate(&lab);
    expect_a_secondary();
    ck_assert_int_eq(set(OTHER, &in, &out), 0);
    lab_forget(&lab);
    sweep();
    in_order("R");
    ck_assert(!is_bound(SEALED, &v));
    ck_assert_uint_eq(agent_mobiles(lab.agent), LAB_MOBILES + LAB6_MOBILES + 1); /* OTHER in its place */
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("agent_ipsec");
    TCase *tc = tcase_create("agent_ipsec");
    tcase_add_checked_fixture(tc, esp_setup, esp_teardown);
    suite_add_tcase(s, tc);
    tcase_add_test(tc, registers_and_comes_home);
    tcase_add_test(tc, registers_as_a_kernel_would);
    tcase_add_test(tc, refusals_are_sealed_too);
    tcase_add_test(tc, replays_are_judged_by_the_update);
    tcase_add_test(tc, replays_are_judged_by_esp_where_it_is_to);
    tcase_add_test(tc, broken_packets);
    tcase_add_test(tc, long_packets);
    tcase_add_test(tc, for_another_home_address);
    tcase_add_loop_test(tc, of_another_protocol, 0, ROWS(strangers));
    tcase_add_test(tc, bare_update_of_a_node_with_esp);
    tcase_add_test(tc, secondaries_open_nothing);
    tcase_add_test(tc, unsound_associations);
    tcase_add_test(tc, one_spi_for_one_home_address);
    tcase_add_test(tc, sequence_goes_on_where_nothing_changes);
    tcase_add_test(tc, sequence_begins_anew_with_new_keys);
    tcase_add_test(tc, sweep_takes_what_is_not_set_again);
    tcase_add_test(tc, only_spi_of_a_bound_node_given_to_another);
    return s;
}

int main(void)
{
    return check_main(suite());
}
