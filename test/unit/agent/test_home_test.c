/* SPDX-License-Identifier: BSD-3-Clause */
/* The return routability procedure of a mobile node that has it in ESP (RFC 6275 section 10.4.6). */
#include <errno.h>

#include "lab6_check.h"
#include "tested.h"

enum { NODE, OTHER, SPI_IN = 2000, SPI_OUT = 3000, HOPS = 64 };

static const uint8_t seed[16] = {1, 2, 3};
static const struct mac someone = {{2, 0, 0, 0, 0, 0x77}};

static struct esp_association association(uint32_t spi)
{
    struct esp_association sa = {
        .spi = spi, .algorithm = ESP_AES_CBC_SHA1, .key_len = 16, .auth_key_len = 20};
    for (uint8_t i = 0; i < 20; i++) {
        sa.key[i % 16] = (uint8_t)(spi + i);
        sa.auth_key[i] = (uint8_t)(spi + 0x40 + i);
    }
    return sa;
}

static int set(size_t i, const struct esp_association *in, const struct esp_association *out)
{
    const struct addr home = lab6_home(i);
    return agent_home_test_set(lab.agent, &home, in, out, lab.now);
}

static void set_own(size_t i)
{
    const struct esp_association in = association(SPI_IN + (uint32_t)i),
                                 out = association(SPI_OUT + (uint32_t)i);
    ck_assert_int_eq(set(i, &in, &out), 0);
}

/* The mobile node's end of both. */
struct far {
    struct esp *in, *out;
};
static struct far fars[2];

static void tested_setup(void)
{
    lab6_setup();
    for (size_t i = 0; i < 2; i++) {
        const struct esp_association in = association(SPI_OUT + (uint32_t)i),
                                     out = association(SPI_IN + (uint32_t)i);
        set_own(i);
        fars[i] = (struct far){.in = esp_create(&in, seed), .out = esp_create(&out, seed)};
        ck_assert(fars[i].in != NULL && fars[i].out != NULL);
    }
    bind_node6(NODE);
    lab_forget(&lab);
}

static void tested_teardown(void)
{
    for (size_t i = 0; i < 2; i++) {
        esp_destroy(fars[i].in);
        esp_destroy(fars[i].out);
    }
    teardown();
}

static struct addr correspondent(void)
{
    return ip("2001:db8:cc::9");
}

/* What changed is counted, once. */
static void check_counted(enum agent_counter counter)
{
    ck_assert_uint_eq(lab_counter(&lab, counter), 1);
    agent_counters_clear(lab.agent);
}

static void check_discarded(const char *what)
{
    char order[64];
    ck_assert_msg(lab_order(&lab, order)[0] == '\0', "%s: %s", what, order);
    ck_assert_msg(lab_counter(&lab, AGENT_HOME_TESTS_DISCARDED) == 1, "%s: not counted", what);
    agent_counters_clear(lab.agent);
}

/* ---- From the mobile node ---- */

static struct tested_spec init_of(size_t i)
{
    return (struct tested_spec){
        .source = lab6_home(i), .destination = correspondent(), .type = HOTI, .hops = HOPS};
}

/* From the care-of address of node i to the home agent, under its association. */
static struct ask6 way_of(size_t i)
{
    struct ask6 ask = lab6_ask(&lab, i);
    ask.by_option = false;
    return ask;
}

static void input(const struct ask6 *way, size_t i, const uint8_t *packet, size_t len, uint8_t next)
{
    uint8_t sealed[TESTED_MAX + ESP_OVERHEAD_MAX];
    struct agent_datagram d = lab6_datagram(way, sealed, esp_seal(fars[i].out, packet, len, next, sealed));
    d.protocol = IPPROTO_NUM_ESP;
    d.home = addr_unspecified;
    lab_forget(&lab);
    agent_input(lab.agent, &d, lab.now);
    lab_drain(&lab);
}

static void send_init(const struct ask6 *way, const struct tested_spec *spec)
{
    uint8_t packet[TESTED_MAX];
    input(way, NODE, packet, tested_packet(spec, packet), IPPROTO_NUM_IPV6);
}

/* It goes on as it is. */
static void check_forwarded(const struct tested_spec *spec)
{
    uint8_t packet[TESTED_MAX];
    const size_t len = tested_packet(spec, packet) - spec->padding;
    in_order("F");
    const struct passage *p = &lab_first(&lab, EFFECT_FORWARD)->forward;
    ck_assert(!p->on_link);
    ck_assert_uint_eq(p->len, len);
    ck_assert_mem_eq(p->bytes, packet, len);
    check_counted(AGENT_HOME_TESTS_OPENED);
}

START_TEST(what_comes_out_is_forwarded)
{
    const struct ask6 way = way_of(NODE);
    struct tested_spec spec = init_of(NODE);
    for (spec.type = HOTI; spec.type <= COT; spec.type++) {
        send_init(&way, &spec);
        check_forwarded(&spec);
    }
    spec.type = HOTI;
    spec.more = 1200;
    send_init(&way, &spec);
    check_forwarded(&spec);
    spec.more = 0;
    spec.padding = 9; /* RFC 4303 section 2.7 */
    send_init(&way, &spec);
    check_forwarded(&spec);
    spec.padding = 0;
    spec.next = 60;
    spec.headers = "\x87\0\1\4\0\0\0\0";
    spec.n = 8;
    send_init(&way, &spec);
    check_forwarded(&spec);
}
END_TEST

#define HOME_OPTION "\x87\2\1\2\0\0\xc9\x10\x20\1\xd\xb8\0\1\0\0\0\0\0\0\0\0\1\0"
static const struct refusal {
    const char *what;
    const char *from, *to;            /* outside; NULL: as they should be */
    const char *source, *destination; /* inside, likewise */
    struct tested_spec spec;
} refusals[] = {
    {.what = "not from the care-of address", .from = "2001:db8:c::99"},
    {.what = "from the home address", .from = "2001:db8:1::100"},
    {.what = "to another address of ours than it has registered with", .to = "2001:db8:2::2"},
    {.what = "another home address inside", .source = "2001:db8:1::101"},
    {.what = "the care-of address inside", .source = "2001:db8:c::1"},
    {.what = "to us", .destination = "2001:db8:1::2"},
    {.what = "to a group", .destination = "ff0e::1"},
    {.what = "to a link-local address", .destination = "fe80::1"},
    {.what = "to nobody", .destination = "::"},
    {.what = "to itself, as IPv6 calls that", .destination = "::1"},
    {.what = "to an IPv4 address", .destination = "::ffff:192.0.2.1"},
    {.what = "a binding update", .spec.type = UPDATE},
    {.what = "a binding refresh request", .spec.type = 99},
    {.what = "no mobility header", .spec.next = 17},
    {.what = "a first fragment", .spec = {.next = 44, .headers = "\x87\0\0\1\0\0\0\1", .n = 8}},
    {.what = "a later fragment", .spec = {.next = 44, .headers = "\x87\0\0\x10\0\0\0\1", .n = 8}},
    {.what = "a home address option", .spec = {.next = 60, .headers = HOME_OPTION, .n = 24}},
};

START_TEST(what_does_not_belong_there)
{
    const struct refusal *r = &refusals[_i];
    struct ask6 way = way_of(NODE);
    struct tested_spec spec = init_of(NODE);
    way.source = r->from != NULL ? ip(r->from) : way.source;
    way.destination = r->to != NULL ? ip(r->to) : way.destination;
    spec.source = r->source != NULL ? ip(r->source) : spec.source;
    spec.destination = r->destination != NULL ? ip(r->destination) : spec.destination;
    spec.type = r->spec.type == 99 ? 0 : r->spec.type != 0 ? r->spec.type : HOTI;
    spec.next = r->spec.next;
    spec.headers = r->spec.headers;
    spec.n = r->spec.n;
    send_init(&way, &spec);
    check_discarded(r->what);
}
END_TEST

START_TEST(what_is_no_packet)
{
    uint8_t packet[TESTED_MAX];
    const struct ask6 way = way_of(NODE);
    const struct tested_spec spec = init_of(NODE);
    const size_t len = tested_packet(&spec, packet);
    for (size_t cut = 1; cut <= len; cut++) {
        input(&way, NODE, packet, len - cut, IPPROTO_NUM_IPV6);
        check_discarded("cut");
    }
    packet[0] = 0x45;
    input(&way, NODE, packet, len, IPPROTO_NUM_IPV6);
    check_discarded("IPv4");
    input(&way, NODE, packet + 40, len - 40, IPPROTO_NUM_MOBILITY);
    in_order("");
    check_counted(AGENT_ESP_SELECTOR); /* transport mode */
}
END_TEST

START_TEST(not_under_the_keys_of_another)
{
    uint8_t packet[TESTED_MAX];
    bind_node6(OTHER);
    const struct ask6 way = way_of(NODE), others = way_of(OTHER);
    const struct tested_spec spec = init_of(NODE);
    const size_t len = tested_packet(&spec, packet);
    agent_counters_clear(lab.agent);
    input(&way, OTHER, packet, len, IPPROTO_NUM_IPV6);
    check_discarded("under the other's");
    input(&others, OTHER, packet, len, IPPROTO_NUM_IPV6);
    check_discarded("from the other's");
}
END_TEST

START_TEST(nothing_without_a_binding)
{
    const struct ask6 way = way_of(NODE), home = lab6_ask_return(&lab, NODE);
    const struct tested_spec spec = init_of(NODE);
    ck_assert(lab6_send(&lab, &home).sent);
    agent_counters_clear(lab.agent);
    send_init(&way, &spec);
    check_discarded("at home");
    bind_node6(NODE); /* the association has stayed (RFC 3776 section 4.2) */
    agent_counters_clear(lab.agent);
    send_init(&way, &spec);
    check_forwarded(&spec);
}
END_TEST

/* ---- To the mobile node ---- */

static struct tested_spec test_for(size_t i)
{
    return (struct tested_spec){
        .source = correspondent(), .destination = lab6_home(i), .type = HOT, .hops = HOPS};
}

static void give(const struct tested_spec *spec)
{
    uint8_t packet[TESTED_MAX];
    const size_t len = tested_packet(spec, packet);
    lab_forget(&lab);
    agent_home_test(lab.agent, packet, len, &someone);
    lab_drain(&lab);
}

/* Mobile node i gets it at its care-of address, one hop on. */
static void check_sealed(const struct tested_spec *spec, size_t i, const struct addr *care_of)
{
    uint8_t packet[TESTED_MAX], inner[AGENT_MESSAGE_MAX], next_header;
    struct tested_spec hopped = *spec;
    hopped.hops--;
    size_t len = tested_packet(&hopped, packet) - spec->padding, inner_len;
    in_order("S");
    const struct message *m = &lab_first(&lab, EFFECT_SEND)->send;
    const struct addr us = ip("2001:db8:1::2");
    ck_assert(addr_equal(&m->source, &us) && addr_equal(&m->destination, care_of));
    ck_assert(addr_is_unspecified(&m->home) && !m->on_link);
    ck_assert_uint_eq(m->protocol, IPPROTO_NUM_ESP);
    ck_assert_uint_eq(m->tos, spec->tos & 0xfc);
    ck_assert_int_eq(esp_open(fars[i].in, m->bytes, m->len, inner, &inner_len, &next_header), ESP_OPENED);
    ck_assert_uint_eq(next_header, IPPROTO_NUM_IPV6);
    ck_assert_uint_eq(inner_len, len);
    ck_assert_mem_eq(inner, packet, len);
}

START_TEST(what_comes_goes_on_in_esp)
{
    const struct addr care_of = lab6_care_of(NODE);
    struct tested_spec spec = test_for(NODE);
    give(&spec);
    check_sealed(&spec, NODE, &care_of);
    check_counted(AGENT_HOME_TESTS_SEALED);
    spec.tos = 0xbb;
    give(&spec);
    check_sealed(&spec, NODE, &care_of);
    spec.more = 1200;
    give(&spec);
    check_sealed(&spec, NODE, &care_of);
    spec.more = 0;
    spec.next = 51; /* what headers it has is not looked at: the worker knew it */
    spec.headers = "\x87\2\0\0\0\0\1\0\0\0\0\1\1\2\3\4";
    spec.n = 16;
    give(&spec);
    check_sealed(&spec, NODE, &care_of);
}
END_TEST

/* RFC 6275 section 10.4.6: the new care-of address, as if that of the association had changed. */
START_TEST(it_follows_the_mobile_node)
{
    const struct addr elsewhere = ip("2001:db8:d::77");
    struct ask6 ask = lab6_ask(&lab, NODE), way = way_of(NODE);
    const struct tested_spec spec = test_for(NODE), init = init_of(NODE);
    ask.source = elsewhere;
    accepted(&ask);
    give(&spec);
    check_sealed(&spec, NODE, &elsewhere);
    agent_counters_clear(lab.agent);
    send_init(&way, &init);
    check_discarded("from where it was");
    way.source = elsewhere;
    send_init(&way, &init);
    check_forwarded(&init);
}
END_TEST

START_TEST(what_cannot_go_on)
{
    struct tested_spec spec = test_for(NODE);
    spec.hops = 1;
    give(&spec);
    check_discarded("no hop left");
    spec.hops = 0;
    give(&spec);
    check_discarded("less than that");
    spec = test_for(OTHER);
    give(&spec);
    check_discarded("not bound");
    spec = test_for(NODE);
    spec.destination = ip("2001:db8:1::999");
    give(&spec);
    check_discarded("no mobile node");
    bind_node6(OTHER + 1);
    agent_counters_clear(lab.agent);
    spec = test_for(OTHER + 1);
    give(&spec);
    check_discarded("without an association");
    spec = test_for(NODE);
    spec.more = AGENT_MESSAGE_MAX;
    give(&spec);
    check_discarded("too long");
}
END_TEST

/* A mobile node is another one's correspondent: in ESP to the one, out of ESP from the other. */
START_TEST(between_mobile_nodes)
{
    uint8_t packet[TESTED_MAX];
    const struct addr care_of = lab6_care_of(OTHER);
    struct ask6 way = way_of(NODE);
    struct tested_spec spec = init_of(NODE);
    bind_node6(OTHER);
    agent_counters_clear(lab.agent);
    spec.destination = lab6_home(OTHER);
    send_init(&way, &spec);
    check_forwarded(&spec);
    spec.type = HOT;
    input(&way, NODE, packet, tested_packet(&spec, packet), IPPROTO_NUM_IPV6);
    check_sealed(&spec, OTHER, &care_of);
    check_counted(AGENT_HOME_TESTS_OPENED);
}
END_TEST

/* ---- Configuration ---- */

static void sweep(bool with)
{
    agent_sweep_begin(lab.agent);
    lab_populate(&lab);
    lab6_populate(&lab);
    if (with)
        set_own(NODE);
    lab_forget(&lab);
    while (agent_sweep(lab.agent, 100, lab.now))
        ;
    lab_drain(&lab);
}

/* Forwarding hears of it with the binding, and when it changes. */
START_TEST(forwarding_is_told)
{
    bind_node6(OTHER);
    ck_assert(lab_first(&lab, EFFECT_INSTALL)->install.home_tests);
    bind_node6(OTHER + 1);
    ck_assert(!lab_first(&lab, EFFECT_INSTALL)->install.home_tests);

    sweep(true); /* of NODE it stays, of OTHER it goes */
    in_order("I");
    const struct forwarding *f = &lab_first(&lab, EFFECT_INSTALL)->install;
    const struct addr other = lab6_home(OTHER);
    ck_assert(addr_equal(&f->home, &other) && !f->home_tests);
    struct tested_spec spec = test_for(OTHER);
    agent_counters_clear(lab.agent);
    give(&spec);
    check_discarded("without an association");

    sweep(false);
    ck_assert(!lab_first(&lab, EFFECT_INSTALL)->install.home_tests);
    sweep(false);
    in_order("");
    sweep(true);
    in_order("I");
    ck_assert(lab_first(&lab, EFFECT_INSTALL)->install.home_tests);
    struct binding_view v;
    ck_assert(is_bound(NODE, &v) && v.home_tests);
    spec = test_for(NODE);
    const struct addr care_of = lab6_care_of(NODE);
    agent_counters_clear(lab.agent);
    give(&spec);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_HOME_TESTS_SEALED), 1);
    ck_assert(addr_equal(&lab_first(&lab, EFFECT_SEND)->send.destination, &care_of));
}
END_TEST

/* Not only when the sweep comes by: packets go on meanwhile. */
START_TEST(a_binding_newly_protected)
{
    bind_node6(OTHER + 1);
    agent_sweep_begin(lab.agent);
    lab_populate(&lab);
    lab6_populate(&lab);
    set_own(NODE);
    lab_forget(&lab);
    set_own(OTHER + 1);
    lab_drain(&lab);
    in_order("I");
    ck_assert(lab_first(&lab, EFFECT_INSTALL)->install.home_tests);
    lab_forget(&lab);
    while (agent_sweep(lab.agent, 100, lab.now))
        continue;
    lab_drain(&lab);
    in_order("");
}
END_TEST

/* Its association is another's by then. */
START_TEST(a_refresh_between_two_sweeps)
{
    const struct esp_association in = association(SPI_IN + NODE), out = association(SPI_OUT + NODE);
    agent_sweep_begin(lab.agent);
    ck_assert_int_eq(set(OTHER + 1, &in, &out), 0);
    bind_node6(NODE);
    in_order("I S");
    ck_assert(!lab_first(&lab, EFFECT_INSTALL)->install.home_tests);
}
END_TEST

/* RFC 3776 section 4.3: with encryption. */
START_TEST(unsound_associations)
{
    const struct addr ipv4 = lab_home(1);
    const struct esp_association in = association(500), out = association(501), taken = association(SPI_IN);
    struct esp_association clear = in;
    clear.algorithm = ESP_NULL_SHA1;
    clear.key_len = 0;
    ck_assert(esp_association_is_sound(&clear));
    ck_assert_int_eq(set(OTHER, &clear, &out), -EINVAL);
    ck_assert_int_eq(set(OTHER, &in, &clear), -EINVAL);
    ck_assert_int_eq(set(OTHER, &taken, &out), -EEXIST);
    ck_assert_int_eq(agent_home_test_set(lab.agent, &ipv4, &in, &out, lab.now), -EINVAL);
    const struct addr other = lab6_home(OTHER);
    ck_assert_int_eq(agent_ipsec_set(lab.agent, &other, &taken, &out), -EEXIST);
    ck_assert_int_eq(agent_ipsec_set(lab.agent, &other, &in, &out), 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("agent_home_test");
    TCase *tc = tcase_create("agent_home_test");
    tcase_add_checked_fixture(tc, tested_setup, tested_teardown);
    suite_add_tcase(s, tc);
    tcase_add_test(tc, what_comes_out_is_forwarded);
    tcase_add_loop_test(tc, what_does_not_belong_there, 0, ROWS(refusals));
    tcase_add_test(tc, what_is_no_packet);
    tcase_add_test(tc, not_under_the_keys_of_another);
    tcase_add_test(tc, nothing_without_a_binding);
    tcase_add_test(tc, what_comes_goes_on_in_esp);
    tcase_add_test(tc, it_follows_the_mobile_node);
    tcase_add_test(tc, what_cannot_go_on);
    tcase_add_test(tc, between_mobile_nodes);
    tcase_add_test(tc, forwarding_is_told);
    tcase_add_test(tc, a_binding_newly_protected);
    tcase_add_test(tc, a_refresh_between_two_sweeps);
    tcase_add_test(tc, unsound_associations);
    return s;
}

int main(void)
{
    return check_main(suite());
}
