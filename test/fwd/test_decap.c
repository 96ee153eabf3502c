/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Decapsulation of bytes that another implementation made: the golden packets were built by scapy 2.5, those
 * in minimal encapsulation, which it does not know, by a few lines of Python written from RFC 2004. Then each
 * field wrong in turn, every length, and what lib/fwd/tunnel.h itself encapsulates.
 */
#include "eal.h"
#include "frame.h"

#include <stdlib.h>

#include "decap_cases.h"
#include "tunnel.h"

enum { BYTES_MAX = 256, HEADROOM = 128, RUNS = 200000 };

/* ---- Headers of either family, read by other code than that under test ---- */

static unsigned version(const uint8_t *ip)
{
    return ip[0] >> 4;
}

static unsigned header_of(const uint8_t *ip)
{
    return version(ip) == 6 ? 40 : (ip[0] & 0xfU) * 4;
}

static unsigned size_of(const uint8_t *ip)
{
    return version(ip) == 6 ? 40 + get16(ip + 4) : get16(ip + 2);
}

static unsigned tos_of(const uint8_t *ip)
{
    return version(ip) == 6 ? get16(ip) >> 4 & 0xff : ip[1];
}

static void set_tos(uint8_t *ip, unsigned tos)
{
    if (version(ip) == 6)
        put16(ip, (get16(ip) & 0xf00fU) | tos << 4);
    else
        ip[1] = (uint8_t)tos;
}

static struct addr address_at(const uint8_t *ip, bool destination)
{
    struct addr a;
    if (version(ip) == 4)
        return addr_from_ipv4(get32(ip + (destination ? 16 : 12)));
    memcpy(a.b, ip + (destination ? 24 : 8), 16);
    return a;
}

static bool is_address(const struct addr *a, const uint8_t *ip, bool destination)
{
    const struct addr b = address_at(ip, destination);
    return addr_equal(a, &b);
}

/* Where the inner packet is of one that is plainly encapsulated. */
static uint8_t *inner_at(uint8_t *ip)
{
    const unsigned gre = version(ip) == 4 && ip[9] == 47 ? 4 : 0;
    const unsigned options = version(ip) == 6 && ip[6] == 60 ? 8 : 0;
    return ip + (version(ip) == 6 ? 40 : OUTER) + gre + options;
}

START_TEST(golden_packets)
{
    const struct golden *g = &golden[_i];
    uint8_t bytes[BYTES_MAX], before[BYTES_MAX], inner[BYTES_MAX];
    const size_t len = hex_bytes(g->outer, bytes, sizeof(bytes));
    const size_t inner_len = hex_bytes(g->inner, inner, sizeof(inner));
    struct decap d;
    memcpy(before, bytes, len);
    ck_assert_msg(decap_read(bytes, (unsigned)len, &d) == DECAP_SOUND, "%s", g->what);
    ck_assert_msg(memcmp(before, bytes, len) == 0, "%s: reading changes nothing", g->what);
    ck_assert_uint_eq(d.how, g->how);
    ck_assert(decap_is_tunnel(bytes, (unsigned)len));
    ck_assert(is_address(&d.outer_source, before, false));
    ck_assert(is_address(&d.source, inner, false));
    ck_assert(is_address(&d.destination, inner, true));
    ck_assert_uint_eq(d.size, inner_len);
    decap_open(bytes, &d);
    ck_assert_uint_le(d.strip + d.size, len);
    ck_assert_msg(memcmp(bytes + d.strip, inner, inner_len) == 0, "%s", g->what);
}
END_TEST

static void put_sum(uint8_t *bytes, size_t len, enum sum sum)
{
    uint8_t *inner = inner_at(bytes);
    if (sum == INNER_SUM && version(inner) == 4) {
        put16(inner + 10, 0);
        put16(inner + 10, full_sum(inner, (inner[0] & 0xfU) * 4));
    } else if (sum == FORWARDING_SUM) {
        put16(bytes + OUTER + 2, 0);
        put16(bytes + OUTER + 2, full_sum(bytes + OUTER, (bytes[OUTER + 1] & 0x80) != 0 ? 12 : 8));
    } else if (sum == GRE_SUM) {
        uint8_t padded[BYTES_MAX] = {0};
        put16(bytes + OUTER + 4, 0);
        memcpy(padded, bytes + OUTER, len - OUTER);
        put16(bytes + OUTER + 4, full_sum(padded, (unsigned)(len - OUTER + 1) & ~1U));
    }
}

START_TEST(one_field_wrong)
{
    uint8_t bytes[BYTES_MAX], patch[BYTES_MAX];
    const size_t len = hex_bytes(golden[patches[_i].of].outer, bytes, sizeof(bytes));
    const size_t patch_len = hex_bytes(patches[_i].bytes, patch, sizeof(patch));
    struct decap d;
    memcpy(bytes + patches[_i].at, patch, patch_len);
    put_sum(bytes, len, patches[_i].sum);
    const enum decap_verdict verdict = decap_read(bytes, (unsigned)len, &d);
    ck_assert_msg(verdict == patches[_i].verdict, "%s: %d", patches[_i].what, verdict);
}
END_TEST

/* No byte behind the packet is read: it ends where its memory ends, for a sanitizer to see. */
START_TEST(every_length)
{
    uint8_t bytes[BYTES_MAX] = {0};
    const size_t whole = hex_bytes(golden[_i].outer, bytes, sizeof(bytes));
    const size_t header = header_of(bytes);
    const bool minimal = golden[_i].how == ENCAPSULATION_MINIMAL;
    const size_t least = !minimal                    ? 0 /* not known here: the inner packet says */
                         : bytes[header + 1] & 0x80U ? header + 12
                                                     : header + 8;
    for (size_t len = header; len < whole; len++) {
        uint8_t *cut = malloc(len);
        struct decap d;
        ck_assert_ptr_nonnull(cut);
        memcpy(cut, bytes, len);
        const enum decap_verdict verdict = decap_read(cut, (unsigned)len, &d);
        if (verdict == DECAP_SOUND) {
            ck_assert_uint_le(d.strip + d.size, len);
            decap_open(cut, &d);
        }
        if (minimal)
            ck_assert_msg((verdict == DECAP_SOUND) == (len >= least), "%zu", len);
        else if (whole - len > 4) /* what one of them has behind its inner packet */
            ck_assert_msg(verdict == DECAP_MALFORMED, "%zu", len);
        free(cut);
    }
}
END_TEST

/* RFC 6040 section 4.2, figure 4, as it stands there. */
static const char *const codepoints[] = {"Not-ECT", "ECT(1)", "ECT(0)", "CE"};
static const struct {
    const char *inner;
    const char *by_outer[4]; /* Not-ECT, ECT(0), ECT(1), CE */
} figure_4[] = {
    {"Not-ECT", {"Not-ECT", "Not-ECT", "Not-ECT", "drop"}},
    {"ECT(0)", {"ECT(0)", "ECT(0)", "ECT(1)", "CE"}},
    {"ECT(1)", {"ECT(1)", "ECT(1)", "ECT(1)", "CE"}},
    {"CE", {"CE", "CE", "CE", "CE"}},
};
static const char *const figure_4_outer[] = {"Not-ECT", "ECT(0)", "ECT(1)", "CE"};

static uint8_t codepoint(const char *name)
{
    uint8_t value = 0;
    while (strcmp(codepoints[value], name) != 0)
        value++;
    return value;
}

static const int marked[] = {IPIP, GRE, IN_IPV6, LIMIT, IPV4_IN_IPV6, IN_IPV4};

/* The DSCP inside stays, whatever that outside is. */
static void check_ecn(int of, const char *outer, const char *inner, const char *expected)
{
    uint8_t bytes[BYTES_MAX];
    const size_t len = hex_bytes(golden[of].outer, bytes, sizeof(bytes));
    uint8_t *ip = inner_at(bytes);
    struct decap d;
    set_tos(bytes, 0x28U | codepoint(outer));
    set_tos(ip, 0xb8U | codepoint(inner));
    put_sum(bytes, len, INNER_SUM);
    const enum decap_verdict verdict = decap_read(bytes, (unsigned)len, &d);
    if (strcmp(expected, "drop") == 0) {
        ck_assert_msg(verdict == DECAP_CONGESTION, "outer %s, inner %s", outer, inner);
        return;
    }
    ck_assert_msg(verdict == DECAP_SOUND, "outer %s, inner %s", outer, inner);
    decap_open(bytes, &d);
    ck_assert_msg(tos_of(ip) == (0xb8 | codepoint(expected)), "outer %s, inner %s: %02x", outer, inner,
                  tos_of(ip));
    ck_assert_msg(version(ip) == 6 || full_sum(ip, 20) == 0, "outer %s, inner %s: checksum", outer, inner);
}

START_TEST(congestion_marks)
{
    for (int i = 0; i < 4; i++)
        for (int o = 0; o < 4; o++)
            check_ecn(marked[_i], figure_4_outer[o], figure_4[i].inner, figure_4[i].by_outer[o]);
}
END_TEST

/* By its protocol alone, so that what only looks like one is told apart. */
static const struct {
    int of;
    unsigned at;
    const char *bytes;
    unsigned cut; /* the packet is so long instead */
    bool tunnel;
} protocols[] = {
    {IPIP, 9, "04", 0, true},
    {IPIP, 9, "29", 0, true},
    {IPIP, 9, "2f", 0, true},
    {IPIP, 9, "37", 0, true},
    {IPIP, 9, "11", 0, false},
    {IPIP, 9, "3c", 0, false},
    {IN_IPV6, 6, "04", 0, true},
    {IN_IPV6, 6, "29", 0, true},
    {IN_IPV6, 6, "2f", 0, false},
    {IN_IPV6, 6, "37", 0, false},
    {IN_IPV6, 6, "87", 0, false},
    {LIMIT, OUTER_IPV6, "29", 0, true},
    {LIMIT, OUTER_IPV6, "04", 0, true},
    {LIMIT, OUTER_IPV6, "87", 0, false},
    {LIMIT, OUTER_IPV6, "29", 40, false},
    {LIMIT, OUTER_IPV6, "29", 41, true},
};

START_TEST(what_is_a_tunnel)
{
    uint8_t bytes[BYTES_MAX], patch[BYTES_MAX];
    const size_t len = hex_bytes(golden[protocols[_i].of].outer, bytes, sizeof(bytes));
    const unsigned there = protocols[_i].cut != 0 ? protocols[_i].cut : (unsigned)len;
    memcpy(bytes + protocols[_i].at, patch, hex_bytes(protocols[_i].bytes, patch, sizeof(patch)));
    ck_assert_msg(decap_is_tunnel(bytes, there) == protocols[_i].tunnel, "row %d", _i);
}
END_TEST

/* Options of any length are read up to 64 bytes of them. */
START_TEST(options_are_bounded)
{
    for (unsigned units = 1; units <= 32; units++) {
        uint8_t bytes[BYTES_MAX + 256], plain[BYTES_MAX];
        const size_t len = hex_bytes(golden[IN_IPV6].outer, plain, sizeof(plain));
        memcpy(bytes, plain, 40);
        memset(bytes + 40, 0, units * 8);
        memcpy(bytes + 40 + units * 8, plain + 40, len - 40);
        put16(bytes + 4, (unsigned)len - 40 + units * 8);
        bytes[6] = 60;
        bytes[40] = 41;
        bytes[41] = (uint8_t)(units - 1);
        struct decap d;
        const enum decap_verdict verdict = decap_read(bytes, (unsigned)len + units * 8, &d);
        ck_assert_msg(verdict == (units <= 8 ? DECAP_SOUND : DECAP_MALFORMED), "%u bytes", units * 8);
    }
}
END_TEST

START_TEST(who_may_send_by_what)
{
    static const struct {
        enum encapsulation granted, how;
        bool agrees;
    } rows[] = {
        {ENCAPSULATION_IPIP, ENCAPSULATION_IPIP, true},
        {ENCAPSULATION_IPIP, ENCAPSULATION_MINIMAL, false},
        {ENCAPSULATION_IPIP, ENCAPSULATION_GRE, false},
        {ENCAPSULATION_MINIMAL, ENCAPSULATION_IPIP, true},
        {ENCAPSULATION_MINIMAL, ENCAPSULATION_MINIMAL, true},
        {ENCAPSULATION_MINIMAL, ENCAPSULATION_GRE, false},
        {ENCAPSULATION_GRE, ENCAPSULATION_IPIP, false},
        {ENCAPSULATION_GRE, ENCAPSULATION_MINIMAL, false},
        {ENCAPSULATION_GRE, ENCAPSULATION_GRE, true},
        {ENCAPSULATION_IPV6_IN_IPV6, ENCAPSULATION_IPV6_IN_IPV6, true},
        {ENCAPSULATION_IPV6_IN_IPV6, ENCAPSULATION_IPV6_IN_IPV4, false},
        {ENCAPSULATION_IPV6_IN_IPV4, ENCAPSULATION_IPV6_IN_IPV6, false},
        {ENCAPSULATION_IPV4_IN_IPV6, ENCAPSULATION_IPV4_IN_IPV6, true},
    };
    for (int i = 0; i < ROWS(rows); i++) {
        const struct decap d = {.how = (uint8_t)rows[i].how};
        ck_assert_msg(decap_agrees(&d, rows[i].granted) == rows[i].agrees, "row %d", i);
    }
}
END_TEST

/* ---- By chance ---- */

/* A sound packet from a mobile node at the far end; its length. */
static unsigned random_packet(uint64_t *random, uint8_t *ip)
{
    const uint64_t r = eal_random(random);
    const unsigned header = 20 + (unsigned)(r % 11) * 4, size = header + (unsigned)(r >> 8) % 100;
    for (unsigned i = 0; i < size; i++)
        ip[i] = (uint8_t)eal_random(random);
    ip[0] = (uint8_t)(0x40 | header / 4);
    put16(ip + 2, size);
    put16(ip + 6, (r >> 24 & 1) != 0 ? 0x4000 : 0);
    ip[8] = (uint8_t)(1 + (r >> 32) % 255);
    ip[12] = 10;
    ip[16] = 192;
    put16(ip + 10, 0);
    put16(ip + 10, full_sum(ip, header));
    return size;
}

/* The same of IPv6: of anybody's, with a limit to its tunnels now and then. */
static unsigned random_packet_ipv6(uint64_t *random, uint8_t *ip)
{
    const uint64_t r = eal_random(random);
    const unsigned size = 40 + 8 + (unsigned)(r >> 8) % 100;
    for (unsigned i = 0; i < size; i++)
        ip[i] = (uint8_t)eal_random(random);
    ip[0] = (uint8_t)(0x60 | (ip[0] & 0xf));
    put16(ip + 4, size - 40);
    ip[6] = (r >> 24 & 7) == 0 ? 60 : 17;
    ip[7] = (uint8_t)(1 + (r >> 32) % 255);
    ip[8] = ip[24] = 0x20;
    memcpy(ip + 40, "\x11\0\4\1\2\1\1\0", 8);
    return size;
}

static struct entry entry_by(enum encapsulation encapsulation)
{
    static const struct addr ends[] = {{{0x20, 1, [15] = 1}}, {{0x20, 1, [15] = 2}}};
    const bool over_ipv6 =
        encapsulation == ENCAPSULATION_IPV6_IN_IPV6 || encapsulation == ENCAPSULATION_IPV4_IN_IPV6;
    struct entry e;
    const struct tunnel t = {.source = over_ipv6 ? ends[0] : addr_from_ipv4(CARE_OF),
                             .destination = over_ipv6 ? ends[1] : addr_from_ipv4(HOME_AGENT),
                             .encapsulation = encapsulation,
                             .path_mtu = 1500};
    ck_assert_int_eq(entry_tunnel(&e, &t), 0);
    return e;
}

static const struct {
    enum encapsulation how;
    bool ipv6; /* inside */
} tunnels[] = {
    {ENCAPSULATION_IPIP, false},        {ENCAPSULATION_MINIMAL, false},
    {ENCAPSULATION_GRE, false},         {ENCAPSULATION_IPV4_IN_IPV6, false},
    {ENCAPSULATION_IPV6_IN_IPV6, true}, {ENCAPSULATION_IPV6_IN_IPV4, true},
};

START_TEST(what_our_own_tunnels_bear)
{
    uint64_t random = eal_seed("what our own tunnels bear");
    const struct entry e = entry_by(tunnels[_i].how);
    for (int i = 0; i < RUNS / 4; i++) {
        uint8_t room[HEADROOM + BYTES_MAX], packet[BYTES_MAX];
        const uint16_t size = (uint16_t)(tunnels[_i].ipv6 ? random_packet_ipv6(&random, packet)
                                                          : random_packet(&random, packet));
        struct rte_mbuf m = {
            .buf_addr = room, .data_off = HEADROOM, .data_len = size, .pkt_len = size, .nb_segs = 1};
        memcpy(room + HEADROOM, packet, size);
        MUST(tunnel_encapsulate(&m, &e));
        uint8_t *outer = rte_pktmbuf_mtod(&m, uint8_t *);
        struct decap d;
        MUST(decap_is_tunnel(outer, m.data_len));
        MUST_EQ(decap_read(outer, m.data_len, &d), DECAP_SOUND);
        MUST_EQ(d.how, tunnels[_i].how);
        MUST_EQ(d.size, size);
        decap_open(outer, &d);
        MUST(memcmp(outer + d.strip, packet, size) == 0);
    }
}
END_TEST

/* A packet in IPv6 by that protocol, with destination options or not: what follows is for the caller. */
static unsigned tunnel_in_ipv6(uint8_t *packet, uint8_t protocol, unsigned size, uint64_t r)
{
    const bool options = size > 48 && (r & 3) == 0;
    packet[0] = (uint8_t)(0x60 | (packet[0] & 0xf));
    put16(packet + 4, size - 40);
    packet[6] = options ? 60 : protocol;
    packet[7] = (uint8_t)(r >> 12);
    packet[8] = packet[24] = 0x20;
    if (!options)
        return 40;
    packet[40] = protocol;
    packet[41] = (uint8_t)((r >> 2 & 15) == 0);
    if ((r >> 6 & 15) != 0)
        memcpy(packet + 42, "\4\1\4\1\1\0", 6);
    return 48;
}

/* Random bytes, but of a form that is sound now and then. */
static unsigned random_tunnel(uint64_t *random, uint8_t packet[static BYTES_MAX])
{
    static const uint8_t protocols[] = {4, 47, 55, 41};
    const uint64_t r = eal_random(random);
    const uint8_t protocol = protocols[r % 4];
    uint8_t inner[BYTES_MAX];
    memset(packet, (int)(r & 0xff), BYTES_MAX);
    unsigned size = random_packet(random, packet), at = (packet[0] & 0xfU) * 4;
    packet[9] = protocol;
    if ((r >> 8 & 1) != 0) {
        size += 80;
        at = tunnel_in_ipv6(packet, protocol, size, r >> 9);
    }
    if (size > at + 8 && (r >> 32 & 3) != 0) { /* else hardly any would be sound */
        const unsigned front = protocol == 47 ? 4 : 0;
        unsigned inner_size = random_packet(random, inner);
        if (protocol == 41) {
            inner_size = RTE_MAX(inner_size, 40U);
            tunnel_in_ipv6(inner, 17, inner_size, (r & ~UINT64_C(3)) | 1);
        }
        memcpy(packet + at + front, inner, RTE_MIN(inner_size, size - at - front));
        if (protocol == 47)
            put16(packet + at, (unsigned)(r >> 40) & 0x83ff), put16(packet + at + 2, 0x0800);
    }
    if (protocol == 55 && packet[0] >> 4 == 4 && size - at >= 12) {
        put16(packet + at + 2, 0);
        put16(packet + at + 2, full_sum(packet + at, (packet[at + 1] & 0x80) != 0 ? 12 : 8));
    }
    return size;
}

/* Where garbage is taken for sound, what comes out is an IP packet all the same. */
START_TEST(garbage)
{
    uint64_t random = eal_seed("garbage");
    unsigned sound[ENCAPSULATION_IPV6_IN_IPV4 + 1] = {0};
    for (int i = 0; i < 2 * RUNS; i++) {
        uint8_t packet[BYTES_MAX];
        const unsigned size = random_tunnel(&random, packet);
        struct decap d;
        uint8_t *exact = malloc(size);
        MUST(exact != NULL);
        memcpy(exact, packet, size);
        if (decap_read(exact, size, &d) == DECAP_SOUND) {
            sound[d.how]++;
            decap_open(exact, &d);
            const uint8_t *ip = exact + d.strip;
            MUST(d.strip + d.size <= size);
            MUST(version(ip) == 4 || version(ip) == 6);
            MUST_EQ(version(ip) == 6,
                    d.how == ENCAPSULATION_IPV6_IN_IPV6 || d.how == ENCAPSULATION_IPV6_IN_IPV4);
            MUST(header_of(ip) >= 20 && header_of(ip) <= d.size);
            MUST_EQ(size_of(ip), d.size);
            MUST(version(ip) == 6 || full_sum(ip, header_of(ip)) == 0);
            MUST((version(ip) == 6 ? ip[7] : ip[8]) > 0 && tos_of(ip) == d.tos);
            MUST(is_address(&d.source, ip, false) && is_address(&d.destination, ip, true));
        }
        free(exact);
    }
#define X(name, number, text, bytes) ck_assert_msg(sound[number] > 100, "%s: %u", text, sound[number]);
    ENCAPSULATIONS(X)
#undef X
}
END_TEST

int main(void)
{
    Suite *s = suite_create("decap");
    TCase *bytes = tcase_create("bytes");
    tcase_add_loop_test(bytes, golden_packets, 0, ROWS(golden));
    tcase_add_loop_test(bytes, one_field_wrong, 0, ROWS(patches));
    tcase_add_loop_test(bytes, every_length, 0, ROWS(golden));
    tcase_add_loop_test(bytes, congestion_marks, 0, ROWS(marked));
    tcase_add_loop_test(bytes, what_is_a_tunnel, 0, ROWS(protocols));
    tcase_add_test(bytes, options_are_bounded);
    tcase_add_test(bytes, who_may_send_by_what);
    suite_add_tcase(s, bytes);
    TCase *chance = tcase_create("chance");
    tcase_add_loop_test(chance, what_our_own_tunnels_bear, 0, ROWS(tunnels));
    tcase_add_test(chance, garbage);
    suite_add_tcase(s, chance);
    return check_main(s);
}
