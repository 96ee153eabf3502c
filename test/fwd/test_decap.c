/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Decapsulation of bytes that another implementation made: the golden packets in IP in IP and GRE were built
 * by scapy 2.5, those in minimal encapsulation, which it does not know, by a few lines of Python written from
 * RFC 2004. Then each field wrong in turn, every length, and what lib/fwd/tunnel.h itself encapsulates.
 */
#include "eal.h"
#include "frame.h"

#include <stdlib.h>

#include "decap.h"
#include "tunnel.h"

enum { BYTES_MAX = 256, HEADROOM = 64, RUNS = 200000 };

static const struct golden {
    const char *what;
    enum encapsulation how;
    const char *outer, *inner;
} golden[] = {
    {"IP in IP, UDP", ENCAPSULATION_IPIP,
     "4500003c000040003c042a6d0a02004d0a010002"
     "450000281234400040115c550a010032c0000209 0fa013880014f23d 000102030405060708090a0b",
     "450000281234400040115c550a010032c0000209 0fa013880014f23d 000102030405060708090a0b"},
    {"IP in IP, the inner packet is a fragment", ENCAPSULATION_IPIP,
     "45b80034000900003c0469b40a02004d0a010002"
     "45b8002055aa20b9111166760a010032c0000209 000102030405060708090a0b",
     "45b8002055aa20b9111166760a010032c0000209 000102030405060708090a0b"},
    {"IP in IP, options outside and inside", ENCAPSULATION_IPIP,
     "46000044000900003c04d5570a02004d0a01000294040000"
     "4600002c00070000ff015a890a010032c000020994040000 0800d9d800010002 000102030405060708090a0b",
     "4600002c00070000ff015a890a010032c000020994040000 0800d9d800010002 000102030405060708090a0b"},
    {"IP in IP, bytes behind the inner packet", ENCAPSULATION_IPIP,
     "45000040000040003c042a690a02004d0a010002"
     "450000281234400040115c550a010032c0000209 0fa013880014f23d 000102030405060708090a0b deadbeef",
     "450000281234400040115c550a010032c0000209 0fa013880014f23d 000102030405060708090a0b"},
    {"GRE", ENCAPSULATION_GRE,
     "45000040000300003c2f6a3b0a02004d0a010002 00000800"
     "450000281234400040115c550a010032c0000209 0fa013880014f23d 000102030405060708090a0b",
     "450000281234400040115c550a010032c0000209 0fa013880014f23d 000102030405060708090a0b"},
    {"GRE with a checksum over an odd number of bytes", ENCAPSULATION_GRE,
     "45000045000300003c2f6a360a02004d0a010002 8000080044620000"
     "45000029000100004011ae870a010032c0000209 0fa0138800157b3b 000102030405060708090a0b77",
     "45000029000100004011ae870a010032c0000209 0fa0138800157b3b 000102030405060708090a0b77"},
    {"minimal, UDP", ENCAPSULATION_MINIMAL,
     "45000034123440004037140e0a02004d0a010002 11802243c00002090a010032"
     "0fa013880014f23d 000102030405060708090a0b",
     "450000281234400040115c550a010032c0000209 0fa013880014f23d 000102030405060708090a0b"},
    {"minimal, ICMP with an option, TTL 255", ENCAPSULATION_MINIMAL,
     "4600003800070000ff3712320a02004d0a01000294040000 01803243c00002090a010032"
     "0800d9d800010002 000102030405060708090a0b",
     "4600002c00070000ff015a890a010032c000020994040000 0800d9d800010002 000102030405060708090a0b"},
    {"minimal without a source address, CE", ENCAPSULATION_MINIMAL,
     "45030030123400004037540f0a02004d0a010002 11002cf6c0000209"
     "0fa013880014f221 000102030405060708090a0b",
     "450300281234000040119c360a02004dc0000209 0fa013880014f221 000102030405060708090a0b"},
};

static uint32_t in_network_order(const uint8_t *at)
{
    uint32_t address;
    memcpy(&address, at, sizeof(address));
    return address;
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
    ck_assert_uint_eq(d.outer_source, in_network_order(before + 12));
    ck_assert_uint_eq(d.source, in_network_order(inner + 12));
    ck_assert_uint_eq(d.destination, in_network_order(inner + 16));
    ck_assert_uint_eq(d.size, inner_len);
    decap_open(bytes, &d);
    ck_assert_uint_le(d.strip + d.size, len);
    ck_assert_msg(memcmp(bytes + d.strip, inner, inner_len) == 0, "%s", g->what);
}
END_TEST

/* Bytes of a golden packet made other ones, and the checksum that covers them made right again. */
enum sum { AS_IT_IS, INNER_SUM, FORWARDING_SUM, GRE_SUM };
enum { IPIP = 0, GRE = 4, GRE_WITH_SUM = 5, MINIMAL = 6, MINIMAL_SHORT = 8, OUTER = 20, GRE_INNER = 24 };

static const struct {
    const char *what;
    int of; /* golden[] */
    unsigned at;
    const char *bytes;
    enum sum sum;
    enum decap_verdict verdict;
} patches[] = {
    {"nothing", IPIP, OUTER, "45", INNER_SUM, DECAP_SOUND},
    {"inner version 6", IPIP, OUTER, "65", INNER_SUM, DECAP_MALFORMED},
    {"inner header of 16 bytes", IPIP, OUTER, "44", INNER_SUM, DECAP_MALFORMED},
    {"inner header longer than the packet", IPIP, OUTER, "4f", AS_IT_IS, DECAP_MALFORMED},
    {"inner length below its header's", IPIP, OUTER + 2, "0013", INNER_SUM, DECAP_MALFORMED},
    {"inner length just its header's", IPIP, OUTER + 2, "0014", INNER_SUM, DECAP_SOUND},
    {"inner length one too many", IPIP, OUTER + 2, "0029", INNER_SUM, DECAP_MALFORMED},
    {"inner length of all ones", IPIP, OUTER + 2, "ffff", INNER_SUM, DECAP_MALFORMED},
    {"inner checksum", IPIP, OUTER + 10, "5c56", AS_IT_IS, DECAP_MALFORMED},
    {"inner TTL 0", IPIP, OUTER + 8, "00", INNER_SUM, DECAP_MALFORMED},
    {"inner TTL 1", IPIP, OUTER + 8, "01", INNER_SUM, DECAP_SOUND},
    {"from network 0", IPIP, OUTER + 12, "00000001", INNER_SUM, DECAP_ADDRESS},
    {"from loopback", IPIP, OUTER + 12, "7f000001", INNER_SUM, DECAP_ADDRESS},
    {"from multicast", IPIP, OUTER + 12, "e0000001", INNER_SUM, DECAP_ADDRESS},
    {"from everybody", IPIP, OUTER + 12, "ffffffff", INNER_SUM, DECAP_ADDRESS},
    {"from the last of class C", IPIP, OUTER + 12, "dfffffff", INNER_SUM, DECAP_SOUND},
    {"to network 0", IPIP, OUTER + 16, "00000001", INNER_SUM, DECAP_ADDRESS},
    {"to loopback", IPIP, OUTER + 16, "7f000001", INNER_SUM, DECAP_ADDRESS},
    {"to multicast", IPIP, OUTER + 16, "e0000001", INNER_SUM, DECAP_ADDRESS},
    {"to class E", IPIP, OUTER + 16, "f0000001", INNER_SUM, DECAP_ADDRESS},
    {"to everybody", IPIP, OUTER + 16, "ffffffff", INNER_SUM, DECAP_ADDRESS},
    {"to its far end by IP in IP", IPIP, OUTER + 16, "0a02004d", INNER_SUM, DECAP_SOUND},
    {"of a protocol that is no tunnel", IPIP, 9, "11", AS_IT_IS, DECAP_MALFORMED},
    {"congestion outside, inside no ECN", IPIP, 1, "03", AS_IT_IS, DECAP_CONGESTION},
    {"GRE, routing present", GRE, OUTER, "4000", AS_IT_IS, DECAP_MALFORMED},
    {"GRE, key present", GRE, OUTER, "2000", AS_IT_IS, DECAP_MALFORMED},
    {"GRE, sequence number present", GRE, OUTER, "1000", AS_IT_IS, DECAP_MALFORMED},
    {"GRE, strict source route", GRE, OUTER, "0800", AS_IT_IS, DECAP_MALFORMED},
    {"GRE, recursion control", GRE, OUTER, "0400", AS_IT_IS, DECAP_MALFORMED},
    {"GRE, bits 6 to 12", GRE, OUTER, "03f8", AS_IT_IS, DECAP_SOUND},
    {"GRE, version 1", GRE, OUTER, "0001", AS_IT_IS, DECAP_MALFORMED},
    {"GRE, version 4", GRE, OUTER, "0004", AS_IT_IS, DECAP_MALFORMED},
    {"GRE, of IPv6", GRE, OUTER + 2, "86dd", AS_IT_IS, DECAP_MALFORMED},
    {"GRE, checksum said to be there", GRE, OUTER, "8000", AS_IT_IS, DECAP_MALFORMED},
    {"GRE, checksum wrong", GRE_WITH_SUM, OUTER + 4, "4463", AS_IT_IS, DECAP_MALFORMED},
    {"GRE, checksum right, last byte another", GRE_WITH_SUM, 0x44, "78", GRE_SUM, DECAP_SOUND},
    {"GRE, last byte another", GRE_WITH_SUM, 0x44, "78", AS_IT_IS, DECAP_MALFORMED},
    {"GRE, back to its far end (RFC 2784 section 3.1)", GRE, GRE_INNER + 16, "0a02004d", INNER_SUM,
     DECAP_ADDRESS},
    {"GRE, inner checksum", GRE, GRE_INNER + 10, "5c56", AS_IT_IS, DECAP_MALFORMED},
    {"GRE, congestion outside, inside no ECN", GRE, 1, "03", AS_IT_IS, DECAP_CONGESTION},
    {"minimal, checksum", MINIMAL, OUTER + 2, "2244", AS_IT_IS, DECAP_MALFORMED},
    {"minimal, reserved bits", MINIMAL, OUTER + 1, "ff", FORWARDING_SUM, DECAP_SOUND},
    {"minimal without a source address, reserved bits", MINIMAL_SHORT, OUTER + 1, "7f", FORWARDING_SUM,
     DECAP_SOUND},
    {"minimal, TTL 0", MINIMAL, 8, "00", AS_IT_IS, DECAP_MALFORMED},
    {"minimal, from loopback", MINIMAL, OUTER + 8, "7f000001", FORWARDING_SUM, DECAP_ADDRESS},
    {"minimal, to multicast", MINIMAL, OUTER + 4, "e0000001", FORWARDING_SUM, DECAP_ADDRESS},
    {"minimal, congestion met, no ECN before", MINIMAL, 1, "03", AS_IT_IS, DECAP_SOUND},
};

static void put_sum(uint8_t *bytes, size_t len, enum sum sum)
{
    uint8_t *inner = bytes[9] == 47 ? bytes + GRE_INNER : bytes + OUTER;
    if (sum == INNER_SUM) {
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
    const size_t header = (bytes[0] & 0xfU) * 4;
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

/* The DSCP inside stays, whatever that outside is. */
static void check_ecn(int of, const char *outer, const char *inner, const char *expected)
{
    uint8_t bytes[BYTES_MAX];
    const size_t len = hex_bytes(golden[of].outer, bytes, sizeof(bytes));
    uint8_t *ip = bytes + (of == GRE ? GRE_INNER : OUTER);
    struct decap d;
    bytes[1] = (uint8_t)(0x28 | codepoint(outer));
    ip[1] = (uint8_t)(0xb8 | codepoint(inner));
    put_sum(bytes, len, INNER_SUM);
    const enum decap_verdict verdict = decap_read(bytes, (unsigned)len, &d);
    if (strcmp(expected, "drop") == 0) {
        ck_assert_msg(verdict == DECAP_CONGESTION, "outer %s, inner %s", outer, inner);
        return;
    }
    ck_assert_msg(verdict == DECAP_SOUND, "outer %s, inner %s", outer, inner);
    decap_open(bytes, &d);
    ck_assert_msg(ip[1] == (0xb8 | codepoint(expected)), "outer %s, inner %s: %02x", outer, inner, ip[1]);
    ck_assert_msg(full_sum(ip, 20) == 0, "outer %s, inner %s: checksum", outer, inner);
}

START_TEST(congestion_marks)
{
    for (int i = 0; i < 4; i++)
        for (int o = 0; o < 4; o++)
            check_ecn(_i, figure_4_outer[o], figure_4[i].inner, figure_4[i].by_outer[o]);
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

static struct entry entry_by(enum encapsulation encapsulation)
{
    struct entry e;
    const struct tunnel t = {.source = addr_from_ipv4(CARE_OF),
                             .destination = addr_from_ipv4(HOME_AGENT),
                             .encapsulation = encapsulation,
                             .path_mtu = 1500};
    ck_assert_int_eq(entry_tunnel(&e, &t), 0);
    return e;
}

START_TEST(what_our_own_tunnels_bear)
{
    static const enum encapsulation all[] = {ENCAPSULATION_IPIP, ENCAPSULATION_MINIMAL, ENCAPSULATION_GRE};
    uint64_t random = eal_seed("what our own tunnels bear");
    for (int i = 0; i < RUNS; i++) {
        const struct entry e = entry_by(all[i % 3]);
        uint8_t room[HEADROOM + BYTES_MAX], packet[BYTES_MAX];
        const uint16_t size = (uint16_t)random_packet(&random, packet);
        struct rte_mbuf m = {
            .buf_addr = room, .data_off = HEADROOM, .data_len = size, .pkt_len = size, .nb_segs = 1};
        memcpy(room + HEADROOM, packet, size);
        MUST(tunnel_encapsulate(&m, &e));
        uint8_t *outer = rte_pktmbuf_mtod(&m, uint8_t *);
        struct decap d;
        MUST_EQ(decap_read(outer, m.data_len, &d), DECAP_SOUND);
        MUST_EQ(d.how, all[i % 3]);
        MUST_EQ(d.size, size);
        decap_open(outer, &d);
        MUST(memcmp(outer + d.strip, packet, size) == 0);
    }
}
END_TEST

/* Where garbage is taken for sound, what comes out is an IPv4 packet all the same. */
START_TEST(garbage)
{
    static const uint8_t protocols[] = {4, 47, 55};
    uint64_t random = eal_seed("garbage");
    unsigned sound = 0;
    for (int i = 0; i < RUNS; i++) {
        uint8_t packet[BYTES_MAX], inner[BYTES_MAX];
        const unsigned size = random_packet(&random, packet), header = (packet[0] & 0xfU) * 4;
        packet[9] = protocols[i % 3];
        if (i % 2 == 0 && size - header > 28) { /* else hardly any would be sound */
            const unsigned at = header + (packet[9] == 47 ? 4 : 0);
            const unsigned inner_size = random_packet(&random, inner);
            memcpy(packet + at, inner, RTE_MIN(inner_size, size - at));
            put16(packet + header, packet[9] == 47 ? (unsigned)eal_random(&random) & 0x83ff : get16(inner));
        }
        if (packet[9] == 55 && size - header >= 12) {
            put16(packet + header + 2, 0);
            put16(packet + header + 2, full_sum(packet + header, (packet[header + 1] & 0x80) != 0 ? 12 : 8));
        }
        struct decap d;
        uint8_t *exact = malloc(size);
        MUST(exact != NULL);
        memcpy(exact, packet, size);
        if (decap_read(exact, size, &d) == DECAP_SOUND) {
            sound++;
            decap_open(exact, &d);
            const uint8_t *ip = exact + d.strip;
            MUST(d.strip + d.size <= size);
            MUST_EQ(ip[0] >> 4, 4);
            MUST((ip[0] & 0xfU) >= 5 && (ip[0] & 0xfU) * 4 <= d.size);
            MUST_EQ(get16(ip + 2), d.size);
            MUST_EQ(full_sum(ip, (ip[0] & 0xfU) * 4), 0);
            MUST(ip[8] > 0 && ip[1] == d.tos);
        }
        free(exact);
    }
    ck_assert_uint_gt(sound, 100);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("decap");
    TCase *bytes = tcase_create("bytes");
    tcase_add_loop_test(bytes, golden_packets, 0, ROWS(golden));
    tcase_add_loop_test(bytes, one_field_wrong, 0, ROWS(patches));
    tcase_add_loop_test(bytes, every_length, 0, ROWS(golden));
    tcase_add_test(bytes, congestion_marks);
    tcase_add_test(bytes, who_may_send_by_what);
    suite_add_tcase(s, bytes);
    TCase *chance = tcase_create("chance");
    tcase_add_test(chance, what_our_own_tunnels_bear);
    tcase_add_test(chance, garbage);
    suite_add_tcase(s, chance);
    return check_main(s);
}
