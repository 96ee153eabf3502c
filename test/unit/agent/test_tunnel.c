/* SPDX-License-Identifier: BSD-3-Clause */
#include "lab_check.h"

#include "timerq.h"

/* An ICMP error of a router inside the tunnel about a packet that we tunnelled. */
struct error {
    uint8_t type, code;
    uint32_t rest;
    const char *source, *far; /* outer addresses of the packet quoted */
    const char *home;         /* its inner destination */
    uint8_t protocol;
    uint16_t outer_len;
    uint16_t inner_fragment;
    uint8_t inner_protocol;
    size_t quoted; /* bytes behind the outer header */
};

static struct error error_of(uint8_t type, uint8_t code, uint32_t rest)
{
    return (struct error){
        .type = type,
        .code = code,
        .rest = rest,
        .source = "10.1.0.1",
        .far = "192.0.2.0",
        .home = "10.1.1.0",
        .protocol = IPPROTO_NUM_IPIP,
        .outer_len = 1500,
        .inner_fragment = IPV4_FLAG_DF,
        .inner_protocol = IPPROTO_NUM_UDP,
        .quoted = 100,
    };
}

static const char *inner_source = "203.0.113.5";
static uint16_t outer_fragment;

static void report(const struct error *e)
{
    uint8_t quote[IPV4_HEADER + 1500] = {0};
    struct writer w = writer_over(quote, sizeof(quote));
    const struct ip_header outer = {.ttl = 3,
                                    .protocol = e->protocol,
                                    .total_len = e->outer_len,
                                    .fragment = outer_fragment,
                                    .source = ip(e->source),
                                    .destination = ip(e->far)};
    ip_encode(&w, &outer);
    const struct ip_header inner = {.ttl = 63,
                                    .protocol = e->inner_protocol,
                                    .total_len = (uint16_t)(e->outer_len - IPV4_HEADER),
                                    .fragment = e->inner_fragment,
                                    .source = ip(inner_source),
                                    .destination = ip(e->home)};
    ip_encode(&w, &inner);
    quote[IPV4_HEADER + IPV4_HEADER] = ICMP_UNREACHABLE; /* if it is ICMP, an error */
    quote[8] = 1;                                        /* TTL: a router changed it, and not the checksum */
    const struct icmp icmp = {.type = e->type,
                              .code = e->code,
                              .rest = e->rest,
                              .data = quote,
                              .data_len = IPV4_HEADER + e->quoted};
    const struct ip_header header = {
        .protocol = IPPROTO_NUM_ICMP, .source = ip("192.0.2.254"), .destination = ip("10.1.0.1")};
    lab_forget(&lab);
    agent_tunnel_error(lab.agent, &header, &icmp, lab.now);
    lab_drain(&lab);
}

static const struct relay *relayed(void)
{
    const struct effect *e = lab_first(&lab, EFFECT_RELAY);
    return e == NULL ? NULL : &e->relay;
}

static struct care_of known(void)
{
    struct binding_view v;
    const struct addr home = lab_home(0);
    ck_assert(agent_binding(lab.agent, &home, lab.now, &v));
    return v.care_of[0];
}

/* ---- What other encapsulations quote, written out as on the wire: from 203.0.113.5 to 10.1.1.0, UDP ---- */
static const uint8_t gre_quote[] = {
    0x45, 0,    5, 220, 0, 0,   0x40, 0, 1,  47, 0xab, 0xcd, 10,  1, 0,   1, 192, 0, 2, 0, /* outer */
    0,    0,    8, 0,                                                                      /* GRE */
    0x45, 0,    5, 196, 0, 0,   0x40, 0, 63, 17, 0xef, 0x22, 203, 0, 113, 5, 10,  1, 1, 0, /* inner */
    0x12, 0x34, 0, 9,   5, 176, 0,    0,
};
static const uint8_t minimal_quote[] = {
    0x45, 0,    5, 220, 0x11, 0x22, 0x40, 0, 1,   55, 0xab, 0xcd, 10, 1, 0, 1, 192, 0, 2, 0, /* changed */
    17,   0x80, 0, 0,   10,   1,    1,    0, 203, 0,  113,  5, /* forwarding header */
    0x12, 0x34, 0, 9,   5,    188,  0,    0,
};
/* As it came, but for its TTL, which routers have counted down. */
static const uint8_t minimal_inner[] = {
    0x45, 0,    5, 208, 0x11, 0x22, 0x40, 0, 1, 17, 0x1b, 0xf5, 203, 0, 113, 5, 10, 1, 1, 0, /* header */
    0x12, 0x34, 0, 9,   5,    188,  0,    0,
};

static void report_quote(const uint8_t *quote, size_t len)
{
    const struct icmp icmp = {.type = ICMP_UNREACHABLE,
                              .code = ICMP_FRAGMENTATION_NEEDED,
                              .rest = 1400,
                              .data = quote,
                              .data_len = len};
    const struct ip_header header = {
        .protocol = IPPROTO_NUM_ICMP, .source = ip("192.0.2.254"), .destination = ip("10.1.0.1")};
    lab_forget(&lab);
    agent_tunnel_error(lab.agent, &header, &icmp, lab.now);
    lab_drain(&lab);
}

static void check_relayed(uint32_t mtu, const uint8_t *datagram, size_t len)
{
    const struct relay *r = relayed();
    ck_assert_ptr_nonnull(r);
    ck_assert_uint_eq(r->what, ICMP_ERROR_TOO_BIG);
    ck_assert_uint_eq(r->value, mtu);
    ck_assert_uint_eq(r->len, len);
    ck_assert_mem_eq(r->datagram, datagram, len);
    ck_assert_uint_eq(known().path_mtu, 1400);
}

START_TEST(gre)
{
    enum { INNER = 24 };
    bind_node(0);
    report_quote(gre_quote, sizeof(gre_quote));
    check_relayed(1400 - INNER, gre_quote + INNER, sizeof(gre_quote) - INNER);
}
END_TEST

START_TEST(gre_that_is_not_ours)
{
    uint8_t quote[sizeof(gre_quote)];
    bind_node(0);
    memcpy(quote, gre_quote, sizeof(quote));
    quote[20] = 0x20; /* with a key */
    report_quote(quote, sizeof(quote));
    ck_assert_ptr_null(relayed());
    ck_assert_uint_eq(known().path_mtu, 0);
}
END_TEST

START_TEST(minimal)
{
    bind_node(0);
    report_quote(minimal_quote, sizeof(minimal_quote));
    check_relayed(1400 - IPV4_HEADER, minimal_inner, sizeof(minimal_inner));
}
END_TEST

START_TEST(minimal_that_is_not_ours)
{
    uint8_t quote[sizeof(minimal_quote)];
    bind_node(0);
    memcpy(quote, minimal_quote, sizeof(quote));
    quote[21] = 0; /* without the original source */
    report_quote(quote, sizeof(quote));
    ck_assert_ptr_null(relayed());
    memcpy(quote, minimal_quote, sizeof(quote));
    quote[27] = 7; /* for another home address */
    report_quote(quote, sizeof(quote));
    ck_assert_ptr_null(relayed());
    ck_assert_uint_eq(known().path_mtu, 0);
}
END_TEST

/* Cut short behind the outer header, it still tells of the tunnel. */
START_TEST(quotes_cut_short)
{
    bind_node(0);
    for (size_t len = IPV4_HEADER; len < IPV4_HEADER + 4; len++) {
        report_quote(_i == 0 ? gre_quote : minimal_quote, len);
        ck_assert_ptr_null(relayed());
        ck_assert_uint_eq(known().path_mtu, 1400);
    }
}
END_TEST

/* ---- RFC 2003 section 4, row by row ---- */
enum { NOTHING = 255 };

static const struct {
    const char *what;
    uint8_t type, code;
    uint32_t rest;
    unsigned out; /* enum icmp_error */
    uint32_t out_value;
    uint16_t mtu;
    bool unreachable;
} rows[] = {
    {"network unreachable", 3, 0, 0, ICMP_ERROR_HOST, 0, 0, true},
    {"host unreachable", 3, 1, 0, ICMP_ERROR_HOST, 0, 0, true},
    {"protocol unreachable", 3, 2, 0, ICMP_ERROR_HOST, 0, 0, true},
    {"port unreachable", 3, 3, 0, NOTHING, 0, 0, false},
    {"too big", 3, 4, 1400, ICMP_ERROR_TOO_BIG, 1380, 1400, false},
    {"too big, no MTU named", 3, 4, 0, ICMP_ERROR_TOO_BIG, 1472, 1492, false},
    {"source route failed", 3, 5, 0, NOTHING, 0, 0, false},
    {"source quench", 4, 0, 0, NOTHING, 0, 0, false},
    {"redirect", 5, 1, 0xc0000201, NOTHING, 0, 0, false},
    {"time exceeded", 11, 0, 0, ICMP_ERROR_HOST, 0, 0, true},
    {"reassembly time exceeded", 11, 1, 0, ICMP_ERROR_HOST, 0, 0, false},
    {"parameter problem at TOS", 12, 0, 1u << 24, ICMP_ERROR_PARAMETER, 1, 0, false},
    {"parameter problem at TTL", 12, 0, 8u << 24, NOTHING, 0, 0, false},
};

START_TEST(relaying)
{
    bind_node(0);
    const struct error e = error_of(rows[_i].type, rows[_i].code, rows[_i].rest);
    report(&e);
    const struct relay *r = relayed();
    ck_assert_msg((r == NULL) == (rows[_i].out == NOTHING), "%s", rows[_i].what);
    if (r != NULL) {
        ck_assert_msg(r->what == rows[_i].out, "%s", rows[_i].what);
        ck_assert_uint_eq(r->value, rows[_i].out_value);
        ck_assert_uint_eq(r->len, e.quoted);
        ck_assert_uint_eq(r->datagram[0], 0x45);
    }
    const struct care_of state = known();
    ck_assert_msg(state.path_mtu == rows[_i].mtu && state.unreachable == rows[_i].unreachable, "%s: %u",
                  rows[_i].what, state.path_mtu);
    const bool changed = rows[_i].mtu != 0 || rows[_i].unreachable;
    ck_assert_uint_eq(lab_count(&lab, EFFECT_INSTALL), changed);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_TUNNEL_ERRORS_BELIEVED), 1);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_TUNNEL_ERRORS_RELAYED), r != NULL);
}
END_TEST

/* ---- What is not believed ---- */
static const struct {
    const char *what;
    struct error e;
} lies[] = {
    {"not our source", {3, 4, 1400, "10.1.0.2", "192.0.2.0", "10.1.1.0", 4, 1500, IPV4_FLAG_DF, 17, 100}},
    {"our other source", {3, 4, 1400, "10.2.0.1", "192.0.2.0", "10.1.1.0", 4, 1500, IPV4_FLAG_DF, 17, 100}},
    {"no such care-of address",
     {3, 4, 1400, "10.1.0.1", "192.0.2.9", "10.1.1.0", 4, 1500, IPV4_FLAG_DF, 17, 100}},
    {"not a tunnel packet",
     {3, 4, 1400, "10.1.0.1", "192.0.2.0", "10.1.1.0", 17, 1500, IPV4_FLAG_DF, 17, 100}},
    {"another's home address",
     {3, 4, 1400, "10.1.0.1", "192.0.2.0", "10.1.1.1", 4, 1500, IPV4_FLAG_DF, 17, 100}},
    {"nobody's home address", {3, 1, 0, "10.1.0.1", "192.0.2.0", "10.1.8.8", 4, 1500, IPV4_FLAG_DF, 17, 100}},
    {"an MTU below any link's",
     {3, 4, 67, "10.1.0.1", "192.0.2.0", "10.1.1.0", 4, 1500, IPV4_FLAG_DF, 17, 100}},
    {"an MTU that the packet fits",
     {3, 4, 1600, "10.1.0.1", "192.0.2.0", "10.1.1.0", 4, 1500, IPV4_FLAG_DF, 17, 100}},
    {"an echo reply", {0, 0, 0, "10.1.0.1", "192.0.2.0", "10.1.1.0", 4, 1500, IPV4_FLAG_DF, 17, 100}},
};

START_TEST(refused)
{
    bind_node(0);
    bind_node(1);
    report(&lies[_i].e);
    ck_assert_msg(lab.n_log == 0, "%s", lies[_i].what);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_TUNNEL_ERRORS_REFUSED), 1);
    ck_assert_uint_eq(known().path_mtu, 0);
    ck_assert(!known().unreachable);
}
END_TEST

START_TEST(garbage_is_refused)
{
    bind_node(0);
    for (size_t len = 0; len < IPV4_HEADER; len++) {
        uint8_t quote[IPV4_HEADER] = {0x45};
        const struct icmp icmp = {.type = 3, .code = 1, .data = quote, .data_len = len};
        const struct ip_header header = {.source = ip("192.0.2.254")};
        agent_tunnel_error(lab.agent, &header, &icmp, lab.now);
    }
    ck_assert_uint_eq(lab_counter(&lab, AGENT_TUNNEL_ERRORS_REFUSED), IPV4_HEADER);
}
END_TEST

/* Two tunnels to the same care-of address; the quote mixes them up. */
START_TEST(home_address_of_the_other_tunnel)
{
    bind_node(0);
    struct ask ask = lab_ask(&lab, 1);
    ask.q.care_of = lab_care_of(0);
    ask.q.home_agent = ip("10.2.0.1");
    granted(&ask);
    struct error e = error_of(3, 1, 0);
    e.source = "10.2.0.1";
    report(&e);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_TUNNEL_ERRORS_REFUSED), 1);
    e.home = "10.1.1.1";
    report(&e);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_TUNNEL_ERRORS_BELIEVED), 1);
    ck_assert(!known().unreachable);
}
END_TEST

START_TEST(quote_of_no_ipv4_header)
{
    static const struct {
        uint8_t first;
        bool believed;
    } headers[] = {{0x45, true}, {0x65, false}, {0x44, false}, {0x40, false}, {0x4f, false}};
    bind_node(0);
    uint8_t quote[IPV4_HEADER + 8];
    struct writer w = writer_over(quote, sizeof(quote));
    const struct ip_header outer = {.protocol = IPPROTO_NUM_IPIP,
                                    .total_len = 1500,
                                    .source = ip("10.1.0.1"),
                                    .destination = ip("192.0.2.0")};
    ip_encode(&w, &outer);
    const struct icmp icmp = {.type = 3, .code = 1, .data = quote, .data_len = sizeof(quote)};
    const struct ip_header header = {.source = ip("192.0.2.254")};
    for (int i = 0; i < ROWS(headers); i++) {
        const uint64_t before = lab_counter(&lab, AGENT_TUNNEL_ERRORS_BELIEVED);
        quote[0] = headers[i].first;
        agent_tunnel_error(lab.agent, &header, &icmp, lab.now);
        ck_assert_msg(lab_counter(&lab, AGENT_TUNNEL_ERRORS_BELIEVED) == before + headers[i].believed, "%#x",
                      headers[i].first);
    }
}
END_TEST

/* Eight bytes hold no inner header: only the soft state learns (section 5). */
START_TEST(short_quotes)
{
    static const struct {
        size_t quoted;
        bool relayed;
    } sizes[] = {{8, false}, {19, false}, {20, false}, {27, false}, {28, true}, {548, true}};
    for (int i = 0; i < ROWS(sizes); i++) {
        bind_node(0);
        struct error e = error_of(3, 1, 0);
        e.quoted = sizes[i].quoted;
        report(&e);
        ck_assert_msg((relayed() != NULL) == sizes[i].relayed, "%zu bytes", sizes[i].quoted);
        ck_assert(known().unreachable);
        lab_wait(&lab, 61 * NSEC_PER_S);
    }
}
END_TEST

START_TEST(long_quotes_are_cut)
{
    bind_node(0);
    struct error e = error_of(3, 1, 0);
    e.quoted = 1400;
    report(&e);
    ck_assert_uint_le(relayed()->len, ICMP_ERROR_MAX);
}
END_TEST

START_TEST(no_error_about_errors)
{
    bind_node(0);
    struct error e = error_of(3, 1, 0);
    e.inner_protocol = IPPROTO_NUM_ICMP;
    report(&e);
    ck_assert_ptr_null(relayed());
    ck_assert(known().unreachable);
}
END_TEST

START_TEST(no_error_about_later_fragments)
{
    bind_node(0);
    struct error e = error_of(3, 1, 0);
    e.inner_fragment = 100;
    report(&e);
    ck_assert_ptr_null(relayed());
}
END_TEST

START_TEST(no_error_to_what_is_no_host)
{
    static const char *const sources[] = {"0.0.0.0", "127.0.0.1", "224.0.0.5", "255.255.255.255"};
    bind_node(0);
    inner_source = sources[_i];
    const struct error e = error_of(3, 1, 0);
    report(&e);
    ck_assert_ptr_null(relayed());
    ck_assert(known().unreachable);
}
END_TEST

/* A later fragment of an outer packet has no inner header, whatever its bytes look like. */
START_TEST(later_outer_fragment)
{
    bind_node(0);
    outer_fragment = 100;
    struct error e = error_of(3, 1, 0);
    e.home = "10.1.8.8";
    report(&e);
    ck_assert_ptr_null(relayed());
    ck_assert(known().unreachable);
}
END_TEST

/* Its sender allows fragments and has nothing to learn. */
START_TEST(too_big_without_df)
{
    bind_node(0);
    struct error e = error_of(3, 4, 1400);
    e.inner_fragment = 0;
    report(&e);
    ck_assert_ptr_null(relayed());
    ck_assert_uint_eq(known().path_mtu, 1400);
}
END_TEST

/* ---- Soft state in time ---- */
START_TEST(mtu_falls_and_never_rises_by_a_message)
{
    bind_node(0);
    struct error e = error_of(3, 4, 1400);
    report(&e);
    e.rest = 1300;
    report(&e);
    ck_assert_uint_eq(known().path_mtu, 1300);
    e.rest = 1450;
    report(&e);
    ck_assert_uint_eq(known().path_mtu, 1300);
    ck_assert_uint_eq(lab_count(&lab, EFFECT_INSTALL), 0);
    ck_assert_uint_eq(relayed()->value, 1280);
}
END_TEST

START_TEST(mtu_ages)
{
    lab.settings.max_lifetime_s = 10000;
    reconfigure();
    struct ask ask = lab_ask(&lab, 0);
    ask.q.lifetime_s = 10000;
    granted(&ask);
    const struct error e = error_of(3, 4, 1400);
    report(&e);
    lab_wait(&lab, 600 * NSEC_PER_S - 1);
    ck_assert_uint_eq(known().path_mtu, 1400);
    lab_wait(&lab, 1);
    ck_assert_uint_eq(known().path_mtu, 0);
    in_order("I");
    ck_assert_uint_eq(lab_first(&lab, EFFECT_INSTALL)->install.care_of[0].path_mtu, 0);
}
END_TEST

START_TEST(unreachable_wears_off)
{
    bind_node(0);
    lab_wait(&lab, 10 * NSEC_PER_S);
    const struct error e = error_of(3, 1, 0);
    report(&e);
    ck_assert(lab_first(&lab, EFFECT_INSTALL)->install.care_of[0].unreachable);
    lab_wait(&lab, 60 * NSEC_PER_S);
    in_order("I");
    ck_assert(!lab_first(&lab, EFFECT_INSTALL)->install.care_of[0].unreachable);
}
END_TEST

START_TEST(registration_from_there_is_a_sign_of_life)
{
    bind_node(0);
    struct error e = error_of(3, 1, 0);
    report(&e);
    e = error_of(3, 4, 1400);
    report(&e);
    struct ask ask = lab_ask(&lab, 0);
    granted(&ask);
    in_order("I S");
    ck_assert(!known().unreachable);
    ck_assert_uint_eq(known().path_mtu, 1400);
}
END_TEST

START_TEST(leaving_takes_the_state_along)
{
    bind_node(0);
    const struct error e = error_of(3, 4, 1400);
    report(&e);
    struct ask ask = lab_ask(&lab, 0);
    ask.q.care_of = ip("192.0.2.99");
    granted(&ask);
    ck_assert_uint_eq(known().path_mtu, 0);
    lab_wait(&lab, 700 * NSEC_PER_S);
}
END_TEST

/* ---- One foreign agent, many visitors ---- */
enum { VISITORS = 300 };

static void visit(void)
{
    for (size_t i = 0; i < VISITORS; i++) {
        const struct addr home = lab_home(i);
        const struct association sa = lab_association(0);
        ck_assert_int_eq(agent_mobile_set(lab.agent, &home, &sa, NULL), 0);
        struct ask ask = lab_ask_relayed(&lab, 0);
        ask.q.home = home;
        granted(&ask);
    }
    lab_wait(&lab, 10 * NSEC_PER_S);
}

START_TEST(visitors_are_refreshed_in_slices)
{
    visit();
    struct error e = error_of(3, 4, 1400);
    e.far = "198.51.100.1";
    report(&e);
    const size_t at_once = lab_count(&lab, EFFECT_INSTALL);
    ck_assert_uint_lt(at_once, 50);
    ck_assert(agent_deadline(lab.agent) <= lab.now.mono_ns);
    lab_forget(&lab);
    agent_expire(lab.agent, lab.now, 10);
    lab_drain(&lab);
    ck_assert_uint_eq(lab_count(&lab, EFFECT_INSTALL), 10);
    lab_wait(&lab, 0);
    ck_assert_uint_eq(lab_count(&lab, EFFECT_INSTALL), VISITORS - at_once - 10);
    for (size_t i = 0; i < lab.n_log; i++)
        ck_assert_uint_eq(lab.log[i].install.care_of[0].path_mtu, 1400);
}
END_TEST

/* ... whether the refresh goes on meanwhile or stands where the next one leaves. */
START_TEST(visitors_leave_while_being_refreshed)
{
    visit();
    struct error e = error_of(3, 4, 1400);
    e.far = "198.51.100.1";
    report(&e);
    for (size_t i = 0; i < VISITORS; i++) {
        const struct addr home = lab_home(VISITORS - 1 - i);
        ck_assert(agent_revoke(lab.agent, &home, lab.now));
        if (_i == 1)
            agent_expire(lab.agent, lab.now, 1);
        lab_drain(&lab);
    }
    ck_assert_uint_eq(agent_bindings(lab.agent), 0);
    ck_assert(agent_deadline(lab.agent) > lab.now.mono_ns);
    lab_wait(&lab, 700 * NSEC_PER_S);
}
END_TEST

static bool is_installed_now(const struct addr *home)
{
    for (size_t i = 0; i < lab.n_log; i++)
        if (lab.log[i].kind == EFFECT_INSTALL && addr_equal(&lab.log[i].install.home, home))
            return true;
    return false;
}

/* Always the one whose turn it is. */
START_TEST(the_next_to_be_refreshed_leaves)
{
    visit();
    struct error e = error_of(3, 4, 1400);
    e.far = "198.51.100.1";
    report(&e);
    for (size_t i = VISITORS; i-- > 0;) {
        const struct addr home = lab_home(i);
        if (is_installed_now(&home))
            continue;
        lab_forget(&lab);
        ck_assert(agent_revoke(lab.agent, &home, lab.now));
        agent_expire(lab.agent, lab.now, 1);
        lab_drain(&lab);
        ck_assert(!is_installed_now(&home));
        for (size_t j = 0; j < lab.n_log; j++)
            ck_assert(lab.log[j].kind != EFFECT_INSTALL ||
                      agent_intercepts(lab.agent, &lab.log[j].install.home));
        in_order(i == 0 ? "R" : "R I");
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tunnel");
    TCase *errors = lab_case(suite, "errors");
    tcase_add_loop_test(errors, relaying, 0, ROWS(rows));
    tcase_add_loop_test(errors, refused, 0, ROWS(lies));
    tcase_add_test(errors, gre);
    tcase_add_test(errors, gre_that_is_not_ours);
    tcase_add_test(errors, minimal);
    tcase_add_test(errors, minimal_that_is_not_ours);
    tcase_add_loop_test(errors, quotes_cut_short, 0, 2);
    tcase_add_test(errors, garbage_is_refused);
    tcase_add_test(errors, home_address_of_the_other_tunnel);
    tcase_add_test(errors, quote_of_no_ipv4_header);
    tcase_add_test(errors, short_quotes);
    tcase_add_test(errors, long_quotes_are_cut);
    tcase_add_test(errors, no_error_about_errors);
    tcase_add_test(errors, no_error_about_later_fragments);
    tcase_add_loop_test(errors, no_error_to_what_is_no_host, 0, 4);
    tcase_add_test(errors, later_outer_fragment);
    tcase_add_test(errors, too_big_without_df);
    TCase *state = lab_case(suite, "soft state");
    tcase_add_test(state, mtu_falls_and_never_rises_by_a_message);
    tcase_add_test(state, mtu_ages);
    tcase_add_test(state, unreachable_wears_off);
    tcase_add_test(state, registration_from_there_is_a_sign_of_life);
    tcase_add_test(state, leaving_takes_the_state_along);
    TCase *visitors = lab_case(suite, "visitors");
    tcase_add_test(visitors, visitors_are_refreshed_in_slices);
    tcase_add_loop_test(visitors, visitors_leave_while_being_refreshed, 0, 2);
    tcase_add_test(visitors, the_next_to_be_refreshed_leaves);
    return check_main(suite);
}
