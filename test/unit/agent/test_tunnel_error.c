/* SPDX-License-Identifier: BSD-3-Clause */
/* Errors about IPv6 packets in tunnels, and about tunnels over IPv6 (RFC 2473 section 8, RFC 4213 section
 * 3.4). Those about IPv4 in IPv4 are in test_tunnel.c. */
#include "deputy_check.h"

#include "icmp.h"

/*
 * The beginnings of packets on their way, as scapy writes them: an inner packet from 2001:db8:f::5 to
 * 2001:db8:1::1:1, or from 203.0.113.5 to 10.1.1.1, UDP 4660 to 9, 1468 bytes (IPv4, DF: 1448; the fragments'
 * 1280), hop limit 63; around it 2001:db8:1::1 to 2001:db8:2::1, or 10.1.0.1 to 192.0.2.1.
 */
static const uint8_t ipv6_in_ipv6[] = {
    0x60, 0, 0, 0, 5,    0xbc, 0x29, 3, 0x20, 1,    0x0d, 0xb8, 0,    1,    0,    0,    0, 0,
    0,    0, 0, 0, 0,    1,    0x20, 1, 0x0d, 0xb8, 0,    2,    0,    0,    0,    0,    0, 0,
    0,    0, 0, 1, 0x60, 0,    0,    0, 5,    0x94, 0x11, 0x3f, 0x20, 1,    0x0d, 0xb8, 0, 0x0f,
    0,    0, 0, 0, 0,    0,    0,    0, 0,    5,    0x20, 1,    0x0d, 0xb8, 0,    1,    0, 0,
    0,    0, 0, 0, 0,    1,    0,    1, 0x12, 0x34, 0,    9,    5,    0x94, 0x87, 0,
};
/* With a Tunnel Encapsulation Limit of 4, and padding. */
static const uint8_t with_limit[] = {
    0x60, 0, 0, 0, 5, 0xc4, 0x3c, 3,    0x20, 1,    0x0d, 0xb8, 0, 1,    0,    0,
    0,    0, 0, 0, 0, 0,    0,    1,    0x20, 1,    0x0d, 0xb8, 0, 2,    0,    0,
    0,    0, 0, 0, 0, 0,    0,    1,    0x29, 0,    4,    1,    4, 1,    1,    0,
    0x60, 0, 0, 0, 5, 0x94, 0x11, 0x3f, 0x20, 1,    0x0d, 0xb8, 0, 0x0f, 0,    0,
    0,    0, 0, 0, 0, 0,    0,    5,    0x20, 1,    0x0d, 0xb8, 0, 1,    0,    0,
    0,    0, 0, 0, 0, 1,    0,    1,    0x12, 0x34, 0,    9,    5, 0x94, 0x87, 0,
};
static const uint8_t ipv4_in_ipv6[] = {
    0x60, 0,    0, 0,    5, 0xa8, 4,    3,    0x20, 1,    0x0d, 0xb8, 0,    1, 0,    0,    0,
    0,    0,    0, 0,    0, 0,    1,    0x20, 1,    0x0d, 0xb8, 0,    2,    0, 0,    0,    0,
    0,    0,    0, 0,    0, 1,    0x45, 0,    5,    0xa8, 0,    0,    0x40, 0, 0x3f, 0x11, 0xef,
    0x3d, 0xcb, 0, 0x71, 5, 0x0a, 1,    1,    1,    0x12, 0x34, 0,    9,    5, 0x94, 0x9b, 0x81,
};
static const uint8_t ipv6_in_ipv4[] = {
    0x45, 0, 5, 0xd0, 0, 0, 0x40, 0, 3,    0x29, 0xa6, 2,    0x0a, 1,    0,    1,    0xc0,
    0,    2, 1, 0x60, 0, 0, 0,    5, 0x94, 0x11, 0x3f, 0x20, 1,    0x0d, 0xb8, 0,    0x0f,
    0,    0, 0, 0,    0, 0, 0,    0, 0,    5,    0x20, 1,    0x0d, 0xb8, 0,    1,    0,
    0,    0, 0, 0,    0, 0, 1,    0, 1,    0x12, 0x34, 0,    9,    5,    0x94, 0x87, 0,
};
static const uint8_t first_fragment[] = {
    0x60, 0, 0, 0, 4, 0xd8, 0x2c, 3,    0x20, 1,    0x0d, 0xb8, 0, 1,    0,    0,
    0,    0, 0, 0, 0, 0,    0,    1,    0x20, 1,    0x0d, 0xb8, 0, 2,    0,    0,
    0,    0, 0, 0, 0, 0,    0,    1,    0x29, 0,    0,    1,    0, 0,    0,    7,
    0x60, 0, 0, 0, 4, 0xd8, 0x11, 0x3f, 0x20, 1,    0x0d, 0xb8, 0, 0x0f, 0,    0,
    0,    0, 0, 0, 0, 0,    0,    5,    0x20, 1,    0x0d, 0xb8, 0, 1,    0,    0,
    0,    0, 0, 0, 0, 1,    0,    1,    0x12, 0x34, 0,    9,    4, 0xd8, 0x88, 0x78,
};
static const uint8_t later_fragment[96] = {
    0x60, 0,    0, 0,    0, 0x38, 0x2c, 3, 0x20, 1, 0x0d, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0,    0,
    0,    0,    1, 0x20, 1, 0x0d, 0xb8, 0, 2,    0, 0,    0,    0, 0, 0, 0, 0, 0, 1, 0x29, 0,
    4,    0xd0, 0, 0,    0, 7,    0,    0, 0,    0, 0,    0,    0, 0, 0, 0, 0, 0, 0, 0,    0,
    0,    0,    0, 0,    0, 0,    0,    0, 0,    0, 0,    0,    0, 0, 0, 0, 0, 0, 0, 0,    0,
};

/* How a tunnel's packets are made, and where in them the inner one begins. */
static const struct way {
    const char *what;
    const uint8_t *quote;
    size_t len, inner;
    bool home_ipv4, outer_ipv4;
    uint8_t encapsulation;
} ways[] = {
    {"IPv6 in IPv6", ipv6_in_ipv6, sizeof(ipv6_in_ipv6), 40, false, false, ENCAPSULATION_IPV6_IN_IPV6},
    {"with a limit", with_limit, sizeof(with_limit), 48, false, false, ENCAPSULATION_IPV6_IN_IPV6},
    {"IPv4 in IPv6", ipv4_in_ipv6, sizeof(ipv4_in_ipv6), 40, true, false, ENCAPSULATION_IPV4_IN_IPV6},
    {"IPv6 in IPv4", ipv6_in_ipv4, sizeof(ipv6_in_ipv4), 20, false, true, ENCAPSULATION_IPV6_IN_IPV4},
};
enum { PLAIN, LIMITED, INNER_IPV4, OUTER_IPV4 };

static struct addr home_of(const struct way *way)
{
    return way->home_ipv4 ? deputy_home(1) : deputy_home_ipv6(1);
}

static void bind_by(const struct way *way)
{
    struct delegation_start start = deputy_start_ipv6(&deputy, 0, 1);
    start.home = home_of(way);
    start.encapsulation = way->encapsulation;
    if (way->outer_ipv4) {
        start.care_of = deputy_care_of(1);
        start.source = ip("10.1.0.1");
    }
    deputy.settings.encapsulations = UINT16_MAX;
    ck_assert_int_eq(agent_configure(deputy.agent, &deputy.settings), 0);
    ck_assert_uint_eq(deputy_do_start(&deputy, 0, &start).status, STATUS_OK);
}

static void report(uint8_t type, uint8_t code, uint32_t rest, const uint8_t *quote, size_t len, bool ipv4)
{
    const struct icmp icmp = {.type = type, .code = code, .rest = rest, .data = quote, .data_len = len};
    const struct ip_header header = {.protocol = ipv4 ? IPPROTO_NUM_ICMP : IPPROTO_NUM_ICMPV6,
                                     .source = ip(ipv4 ? "198.18.0.1" : "2001:db8:e::1"),
                                     .destination = ip(ipv4 ? "10.1.0.1" : "2001:db8:1::1")};
    deputy_forget(&deputy);
    agent_tunnel_error(deputy.agent, &header, &icmp, deputy.now);
    deputy_drain(&deputy);
}

static void report_way(const struct way *way, uint8_t type, uint8_t code, uint32_t rest)
{
    report(type, code, rest, way->quote, way->len, way->outer_ipv4);
}

static const struct relay *relayed(void)
{
    return deputy_effects(&deputy, EFFECT_RELAY) == 0 ? NULL : &deputy_effect(&deputy, EFFECT_RELAY)->relay;
}

static struct care_of known(const struct way *way)
{
    struct binding_view v;
    const struct addr home = home_of(way);
    ck_assert(agent_binding(deputy.agent, &home, deputy.now, &v));
    return v.care_of[0];
}

static void check_relayed(const struct way *way, enum icmp_error what, uint32_t value)
{
    const struct relay *r = relayed();
    ck_assert_msg(r != NULL, "%s", way->what);
    ck_assert_msg(r->what == what, "%s: %u", way->what, r->what);
    ck_assert_msg(r->value == value, "%s: %u", way->what, r->value);
    ck_assert_uint_eq(r->len, way->len - way->inner);
    ck_assert_mem_eq(r->datagram, way->quote + way->inner, r->len);
}

/* ---- RFC 2473 sections 8.1 to 8.3, row by row, over IPv6 ---- */
enum { NOTHING = 255 };

static const struct {
    const char *what;
    uint8_t type, code;
    uint32_t rest;
    unsigned out; /* enum icmp_error */
    bool unreachable;
} rows[] = {
    {"no route", ICMP6_UNREACHABLE, 0, 0, ICMP_ERROR_HOST, true},
    {"prohibited", ICMP6_UNREACHABLE, 1, 0, ICMP_ERROR_HOST, true},
    {"address unreachable", ICMP6_UNREACHABLE, 3, 0, ICMP_ERROR_HOST, true},
    {"port unreachable", ICMP6_UNREACHABLE, 4, 0, NOTHING, false},
    {"hop limit exceeded", ICMP6_TIME_EXCEEDED, 0, 0, ICMP_ERROR_HOST, true},
    {"reassembly time exceeded", ICMP6_TIME_EXCEEDED, 1, 0, NOTHING, false},
    {"parameter problem at the hop limit", ICMP6_PARAMETER_PROBLEM, 0, 7, NOTHING, false},
    {"parameter problem inside", ICMP6_PARAMETER_PROBLEM, 0, 46, NOTHING, false},
    {"next header not known", ICMP6_PARAMETER_PROBLEM, 1, 6, NOTHING, false},
    {"an error of no known type", 100, 0, 0, NOTHING, false},
};

START_TEST(relaying)
{
    const int kinds[] = {PLAIN, INNER_IPV4};
    const struct way *way = &ways[kinds[_i % 2]];
    const int row = _i / 2;
    bind_by(way);
    report_way(way, rows[row].type, rows[row].code, rows[row].rest);
    if (rows[row].out == NOTHING)
        ck_assert_msg(relayed() == NULL, "%s", rows[row].what);
    else
        check_relayed(way, rows[row].out, 0);
    ck_assert_msg(known(way).unreachable == rows[row].unreachable, "%s", rows[row].what);
    ck_assert_uint_eq(deputy_effects(&deputy, EFFECT_INSTALL), rows[row].unreachable);
    ck_assert_uint_eq(deputy_counter(&deputy, AGENT_TUNNEL_ERRORS_BELIEVED), 1);
}
END_TEST

/* Section 8.1: the tunnel packet had been encapsulated too often. Only at the option's value, and that is for
 * every packet to find out anew. */
START_TEST(encapsulation_limit)
{
    enum { VALUE_AT = 44 };
    const struct way *way = &ways[LIMITED];
    bind_by(way);
    for (uint32_t at = 0; at < 60; at++) {
        report_way(way, ICMP6_PARAMETER_PROBLEM, 0, at);
        ck_assert_msg((relayed() != NULL) == (at == VALUE_AT), "at %u", at);
        if (at == VALUE_AT)
            check_relayed(way, ICMP_ERROR_HOST, 0);
    }
    report_way(way, ICMP6_PARAMETER_PROBLEM, 2, VALUE_AT);
    ck_assert_ptr_null(relayed());
    report_way(way, ICMP6_PARAMETER_PROBLEM, 0, UINT32_MAX);
    ck_assert_ptr_null(relayed());
    ck_assert(!known(way).unreachable);
}
END_TEST

/* ICMP over IPv4 about what carries IPv6: RFC 2003's rules, but its header has nothing of the sender's. */
START_TEST(ipv6_inside_ipv4)
{
    const struct way *way = &ways[OUTER_IPV4];
    bind_by(way);
    report_way(way, ICMP_PARAMETER_PROBLEM, 0, 1u << 24);
    ck_assert_ptr_null(relayed());
    report_way(way, ICMP_UNREACHABLE, ICMP_NET_UNREACHABLE, 0);
    check_relayed(way, ICMP_ERROR_HOST, 0);
    ck_assert(known(way).unreachable);
}
END_TEST

/* ---- Packet too big ---- */
START_TEST(too_big)
{
    static const uint32_t left[] = {1360, 1352, 1360, 1380};
    const struct way *way = &ways[_i];
    bind_by(way);
    if (way->outer_ipv4)
        report_way(way, ICMP_UNREACHABLE, ICMP_FRAGMENTATION_NEEDED, 1400);
    else
        report_way(way, ICMP6_TOO_BIG, 0, 1400);
    check_relayed(way, ICMP_ERROR_TOO_BIG, left[_i]);
    ck_assert_uint_eq(known(way).path_mtu, 1400);
    ck_assert_uint_eq(deputy_effect(&deputy, EFFECT_INSTALL)->install.care_of[0].path_mtu, 1400);
}
END_TEST

static const struct {
    uint32_t mtu;
    uint16_t learnt;
    uint32_t told; /* 0: nothing */
} mtus[] = {
    {1279, 0, 0},       {1280, 1280, 1280}, {1319, 1319, 1280}, {1321, 1321, 1281}, {1499, 1499, 1459},
    {1507, 1507, 1467}, {1508, 0, 0},       {1500000, 0, 0},    {0, 0, 0},          {65536 + 1400, 0, 0},
};

/* Never below 1280, RFC 8201 section 4; nor is its sender told less (section 7.1 (a)). What the packet would
 * have fitted was never exceeded: it is of 1508 bytes. */
START_TEST(mtus_that_are_believed)
{
    bind_by(&ways[PLAIN]);
    report_way(&ways[PLAIN], ICMP6_TOO_BIG, 0, mtus[_i].mtu);
    ck_assert_uint_eq(known(&ways[PLAIN]).path_mtu, mtus[_i].learnt);
    ck_assert_uint_eq(deputy_counter(&deputy, AGENT_TUNNEL_ERRORS_REFUSED), mtus[_i].learnt == 0);
    if (mtus[_i].told == 0)
        ck_assert_ptr_null(relayed());
    else
        check_relayed(&ways[PLAIN], ICMP_ERROR_TOO_BIG, mtus[_i].told);
}
END_TEST

/* Section 8.2: one of 1280 bytes, which every link takes, is fragmented by us from now on. */
START_TEST(too_big_of_what_every_link_takes)
{
    uint8_t quote[sizeof(ipv6_in_ipv6)];
    bind_by(&ways[PLAIN]);
    for (unsigned size = 1279; size <= 1281; size++) {
        memcpy(quote, ipv6_in_ipv6, sizeof(quote));
        quote[4] = (uint8_t)(size >> 8);
        quote[5] = (uint8_t)size;
        quote[44] = (uint8_t)((size - IPV6_HEADER) >> 8);
        quote[45] = (uint8_t)(size - IPV6_HEADER);
        report(ICMP6_TOO_BIG, 0, 1300, quote, sizeof(quote), false);
        ck_assert_uint_eq(known(&ways[PLAIN]).path_mtu, 1300);
        ck_assert_msg((relayed() != NULL) == (size > 1280), "%u", size);
    }
}
END_TEST

/* Section 8.3: IPv4 without DF. */
START_TEST(too_big_without_df)
{
    enum { FLAGS_AT = 46, CHECKSUM_AT = 50 };
    uint8_t quote[sizeof(ipv4_in_ipv6)];
    bind_by(&ways[INNER_IPV4]);
    memcpy(quote, ipv4_in_ipv6, sizeof(quote));
    quote[FLAGS_AT] = 0;
    quote[CHECKSUM_AT] += 0x40 - 0x100; /* ef3d + 4000, carried around */
    quote[CHECKSUM_AT + 1]++;
    report(ICMP6_TOO_BIG, 0, 1400, quote, sizeof(quote), false);
    ck_assert_uint_eq(known(&ways[INNER_IPV4]).path_mtu, 1400);
    ck_assert_ptr_null(relayed());
    report(ICMP6_UNREACHABLE, 0, 0, quote, sizeof(quote), false);
    ck_assert_ptr_nonnull(relayed()); /* the header sums up */
}
END_TEST

START_TEST(mtu_falls_and_ages)
{
    const struct way *way = &ways[PLAIN];
    bind_by(way);
    report_way(way, ICMP6_TOO_BIG, 0, 1400);
    report_way(way, ICMP6_TOO_BIG, 0, 1450);
    ck_assert_uint_eq(known(way).path_mtu, 1400);
    check_relayed(way, ICMP_ERROR_TOO_BIG, 1360);
    report_way(way, ICMP6_TOO_BIG, 0, 1300);
    ck_assert_uint_eq(known(way).path_mtu, 1300);
    struct delegation_start start = deputy_start_ipv6(&deputy, 0, 1);
    start.duration_ms = 1000000;
    ck_assert_uint_eq(deputy_do_start(&deputy, 0, &start).status, STATUS_OK);
    deputy_wait(&deputy, 599999);
    ck_assert_uint_eq(known(way).path_mtu, 1300);
    deputy_wait(&deputy, 1);
    ck_assert_uint_eq(known(way).path_mtu, 0);
}
END_TEST

/* Told by the primary: not below what IPv6 has, either. */
START_TEST(mtu_in_a_start)
{
    struct delegation_start start = deputy_start_ipv6(&deputy, 0, 1);
    start.tunnel_mtu = 1279;
    ck_assert_uint_eq(deputy_do_start(&deputy, 0, &start).status, STATUS_OK);
    ck_assert_uint_eq(known(&ways[PLAIN]).path_mtu, 0);
    start = deputy_start_ipv6(&deputy, 0, 1);
    start.tunnel_mtu = 1280;
    ck_assert_uint_eq(deputy_do_start(&deputy, 0, &start).status, STATUS_OK);
    ck_assert_uint_eq(known(&ways[PLAIN]).path_mtu, 1280);
}
END_TEST

/* ---- Quotes ---- */
START_TEST(fragments_of_the_tunnel_packet)
{
    const struct way *way = &ways[PLAIN];
    bind_by(way);
    report(ICMP6_UNREACHABLE, 0, 0, first_fragment, sizeof(first_fragment), false);
    ck_assert_ptr_nonnull(relayed());
    ck_assert_uint_eq(relayed()->len, sizeof(first_fragment) - 48);
    ck_assert_mem_eq(relayed()->datagram, first_fragment + 48, relayed()->len);
    ck_assert_uint_eq(deputy_counter(&deputy, AGENT_TUNNEL_ERRORS_BELIEVED), 1);
}
END_TEST

/* They hold no inner header, so that anybody can make them up: the tunnel is not given up for one, and only a
 * path's MTU, which has a least value, is learnt from it. */
static const struct {
    const char *what;
    uint8_t type;
    uint32_t rest;
    bool believed;
} later[] = {
    {"unreachable", ICMP6_UNREACHABLE, 0, false},
    {"hop limit exceeded", ICMP6_TIME_EXCEEDED, 0, false},
    {"parameter problem", ICMP6_PARAMETER_PROBLEM, 0, false},
    {"too big", ICMP6_TOO_BIG, 1280, true},
};

START_TEST(later_fragments_of_the_tunnel_packet)
{
    enum { LENGTH = IPV6_HEADER + 1400 };
    const struct way *way = &ways[PLAIN];
    uint8_t quote[sizeof(later_fragment)];
    bind_by(way);
    memcpy(quote, later_fragment, sizeof(quote));
    quote[4] = (LENGTH - IPV6_HEADER) >> 8;
    quote[5] = (LENGTH - IPV6_HEADER) & 0xff;
    report(later[_i].type, 0, later[_i].rest, quote, sizeof(quote), false);
    const uint64_t believed = deputy_counter(&deputy, AGENT_TUNNEL_ERRORS_BELIEVED);
    ck_assert_msg(believed == later[_i].believed, "%s", later[_i].what);
    ck_assert_msg(!known(way).unreachable, "%s", later[_i].what);
    ck_assert_uint_eq(known(way).path_mtu, later[_i].rest);
    ck_assert_ptr_null(relayed());
}
END_TEST

/* Cut anywhere: over IPv4 it tells of the tunnel as soon as its outer header is there, for no more than eight
 * bytes need be quoted behind it (RFC 792); over IPv6 with the inner header (RFC 4443 section 2.4 (c)). It is
 * relayed with eight bytes behind the inner one. */
START_TEST(quotes_cut_short)
{
    const struct way *way = &ways[_i];
    const size_t inner = way->inner + (way->home_ipv4 ? IPV4_HEADER : IPV6_HEADER);
    bind_by(way);
    for (size_t len = 0; len <= way->len; len++) {
        const uint64_t before = deputy_counter(&deputy, AGENT_TUNNEL_ERRORS_BELIEVED);
        report(way->outer_ipv4 ? ICMP_TIME_EXCEEDED : ICMP6_TIME_EXCEEDED, 0, 0, way->quote, len,
               way->outer_ipv4);
        const bool believed = deputy_counter(&deputy, AGENT_TUNNEL_ERRORS_BELIEVED) > before;
        const size_t enough = way->outer_ipv4 ? IPV4_HEADER : inner;
        ck_assert_msg(believed == (len >= enough), "%s, %zu bytes", way->what, len);
        ck_assert_msg((relayed() != NULL) == (len >= inner + 8), "%s, %zu bytes", way->what, len);
    }
}
END_TEST

/* RFC 4443 section 2.4 (c): as much as fits 1280 bytes. */
START_TEST(long_quotes)
{
    uint8_t quote[1400] = {0};
    bind_by(&ways[PLAIN]);
    memcpy(quote, ipv6_in_ipv6, sizeof(ipv6_in_ipv6));
    report(ICMP6_UNREACHABLE, 0, 0, quote, 1232, false);
    ck_assert_uint_eq(relayed()->len, 1232 - IPV6_HEADER);
    report(ICMP6_UNREACHABLE, 0, 0, quote, sizeof(quote), false);
    ck_assert_uint_le(relayed()->len, ICMP6_ERROR_MAX);
}
END_TEST

/* One byte of the quote is another. */
static const struct {
    const char *what;
    size_t at;
    uint8_t byte;
} lies[] = {
    {"not our source", 23, 2},          {"no such care-of address", 39, 2},
    {"not a tunnel packet", 6, 17},     {"an IPv4 packet inside by its protocol", 6, 4},
    {"minimal encapsulation", 6, 55},   {"GRE", 6, 47},
    {"another's home address", 79, 2},  {"nobody's home address", 65, 3},
    {"no IP version inside", 40, 0x50}, {"IPv4 inside by its version", 40, 0x45},
    {"no IP version outside", 0, 0x50},
};

START_TEST(refused)
{
    uint8_t quote[sizeof(ipv6_in_ipv6)];
    bind_by(&ways[PLAIN]);
    struct delegation_start start = deputy_start_ipv6(&deputy, 0, 2);
    ck_assert_uint_eq(deputy_do_start(&deputy, 0, &start).status, STATUS_OK);
    memcpy(quote, ipv6_in_ipv6, sizeof(quote));
    quote[lies[_i].at] = lies[_i].byte;
    report(ICMP6_UNREACHABLE, 0, 0, quote, sizeof(quote), false);
    ck_assert_msg(deputy_counter(&deputy, AGENT_TUNNEL_ERRORS_REFUSED) == 1, "%s", lies[_i].what);
    ck_assert_uint_eq(deputy.n_log, 0);
    ck_assert(!known(&ways[PLAIN]).unreachable);
}
END_TEST

/* We send GRE over IPv4 alone. */
START_TEST(gre_over_ipv6)
{
    uint8_t quote[sizeof(ipv4_in_ipv6) + 4] = {0};
    bind_by(&ways[INNER_IPV4]);
    memcpy(quote, ipv4_in_ipv6, IPV6_HEADER);
    quote[6] = IPPROTO_NUM_GRE;
    quote[IPV6_HEADER + 2] = 8;
    memcpy(quote + IPV6_HEADER + 4, ipv4_in_ipv6 + IPV6_HEADER, sizeof(ipv4_in_ipv6) - IPV6_HEADER);
    report(ICMP6_UNREACHABLE, 0, 0, quote, sizeof(quote), false);
    ck_assert_uint_eq(deputy_counter(&deputy, AGENT_TUNNEL_ERRORS_REFUSED), 1);
}
END_TEST

/* An ICMP error does not quote IPv6, nor the other way round. */
START_TEST(quote_of_the_other_family)
{
    bind_by(&ways[PLAIN]);
    report(ICMP_UNREACHABLE, ICMP_HOST_UNREACHABLE, 0, ipv6_in_ipv6, sizeof(ipv6_in_ipv6), true);
    report(ICMP6_UNREACHABLE, 0, 0, ipv6_in_ipv4, sizeof(ipv6_in_ipv4), false);
    report(ICMP6_ECHO_REPLY, 0, 0, ipv6_in_ipv6, sizeof(ipv6_in_ipv6), false);
    ck_assert_uint_eq(deputy_counter(&deputy, AGENT_TUNNEL_ERRORS_REFUSED), 3);
    ck_assert_uint_eq(deputy.n_log, 0);
}
END_TEST

/* RFC 4443 section 2.4 (e): no error about an ICMPv6 error, or to what is no host; the tunnel learns. */
START_TEST(no_error_about_these)
{
    static const struct {
        size_t at;
        uint8_t byte;
        bool relayed;
    } changes[] = {{46, 58, false}, {48, 0xff, false}, {46, 59, true}};
    uint8_t quote[sizeof(ipv6_in_ipv6)];
    bind_by(&ways[PLAIN]);
    memcpy(quote, ipv6_in_ipv6, sizeof(quote));
    quote[80] = ICMP6_UNREACHABLE; /* if it is ICMPv6 */
    quote[changes[_i].at] = changes[_i].byte;
    report(ICMP6_UNREACHABLE, 0, 0, quote, sizeof(quote), false);
    ck_assert((relayed() != NULL) == changes[_i].relayed);
    ck_assert(known(&ways[PLAIN]).unreachable);
}
END_TEST

/* The primary hears of it by an event. */
START_TEST(reported)
{
    bind_by(&ways[PLAIN]);
    report_way(&ways[PLAIN], ICMP6_TOO_BIG, 0, 1400);
    deputy_wait(&deputy, 10);
    const struct heard *h = deputy_take(&deputy, 0, DELEGATION_EVENT);
    ck_assert_ptr_nonnull(h);
    struct delegation_records records = deputy_records(h);
    struct delegation_record record;
    ck_assert(delegation_next(&records, &record));
    const struct addr home = deputy_home_ipv6(1);
    ck_assert_uint_eq(record.event.code, EVENT_TOO_BIG);
    ck_assert(addr_equal(&record.event.home, &home));
    ck_assert_uint_eq(record.event.auxiliary[2] << 8 | record.event.auxiliary[3], 1400);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tunnel_error");
    TCase *errors = deputy_case(suite, "errors");
    tcase_add_loop_test(errors, relaying, 0, 2 * ROWS(rows));
    tcase_add_test(errors, encapsulation_limit);
    tcase_add_test(errors, ipv6_inside_ipv4);
    tcase_add_loop_test(errors, too_big, 0, ROWS(ways));
    tcase_add_loop_test(errors, mtus_that_are_believed, 0, ROWS(mtus));
    tcase_add_test(errors, too_big_of_what_every_link_takes);
    tcase_add_test(errors, too_big_without_df);
    tcase_add_test(errors, mtu_falls_and_ages);
    tcase_add_test(errors, mtu_in_a_start);
    tcase_add_test(errors, fragments_of_the_tunnel_packet);
    tcase_add_loop_test(errors, later_fragments_of_the_tunnel_packet, 0, ROWS(later));
    tcase_add_loop_test(errors, quotes_cut_short, 0, ROWS(ways));
    tcase_add_test(errors, long_quotes);
    tcase_add_loop_test(errors, refused, 0, ROWS(lies));
    tcase_add_test(errors, gre_over_ipv6);
    tcase_add_test(errors, quote_of_the_other_family);
    tcase_add_loop_test(errors, no_error_about_these, 0, 3);
    tcase_add_test(errors, reported);
    return check_main(suite);
}
