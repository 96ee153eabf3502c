/* SPDX-License-Identifier: BSD-3-Clause */
/* Parsing and classification: a row for every verdict that they can give, and for both sides of each limit.
 */
#include "eal.h"
#include "frame.h"

#include "classify.h"

enum { POOL = 63 };
static struct rte_mempool *pool;

#define GOOD    RTE_MBUF_F_RX_IP_CKSUM_GOOD
#define BAD     RTE_MBUF_F_RX_IP_CKSUM_BAD
#define NONE    RTE_MBUF_F_RX_IP_CKSUM_NONE
#define LOOK_UP PKT_LOOK_UP

static const struct parse_row {
    const char *what;
    struct spec frame;
    enum verdict expected;
} parse_rows[] = {
    {"a plain packet", {0}, LOOK_UP},
    {"with options", {.options = "\x94\x04\0\0", .n_options = 4}, LOOK_UP},
    {"nothing but a header", {.cut = 34, .total_length = 20}, LOOK_UP},
    {"padded to Ethernet's minimum", {.payload = 10, .protocol = 1, .padding = 16}, LOOK_UP},
    {"TTL is not judged here", {.ttl = TTL_ZERO}, LOOK_UP},
    {"a link broadcast is judged after the look-up", {.to = TO_ALL}, LOOK_UP},

    {"13 bytes", {.cut = 13}, VERDICT_DROP_RUNT},
    {"no bytes of IP", {.cut = 14}, VERDICT_DROP_RUNT},
    {"19 bytes of IP", {.cut = 33}, VERDICT_DROP_RUNT},
    {"for another station", {.to = TO_OTHER}, VERDICT_DROP_FOREIGN_MAC},
    {"IPv4 in a frame of IPv6", {.ethertype = 0x86dd}, VERDICT_DROP_IP_VERSION},
    {"VLAN", {.ethertype = 0x8100}, VERDICT_DROP_ETHERTYPE},
    {"a length (IEEE 802.3)", {.ethertype = 46}, VERDICT_DROP_ETHERTYPE},
    {"ARP to everybody", {.ethertype = 0x0806, .to = TO_ALL}, VERDICT_PUNT_ARP},
    {"ARP to us", {.ethertype = 0x0806}, VERDICT_PUNT_ARP},
    {"ARP to a group", {.ethertype = 0x0806, .to = TO_GROUP}, VERDICT_DROP_FOREIGN_MAC},
    {"ARP to another", {.ethertype = 0x0806, .to = TO_OTHER}, VERDICT_DROP_FOREIGN_MAC},
    {"ARP of 28 bytes", {.ethertype = 0x0806, .cut = 42}, VERDICT_PUNT_ARP},
    {"ARP of 27 bytes", {.ethertype = 0x0806, .cut = 41}, VERDICT_DROP_RUNT},

    {"version 6", {.version_ihl = 0x65}, VERDICT_DROP_IP_VERSION},
    {"version 0", {.version_ihl = 0x05}, VERDICT_DROP_IP_VERSION},
    {"header of 16 bytes", {.version_ihl = 0x44}, VERDICT_DROP_IP_VERSION},
    {"header longer than the packet", {.version_ihl = 0x4f}, VERDICT_DROP_IP_LENGTH},
    {"total length below the header's", {.total_length = 19}, VERDICT_DROP_IP_LENGTH},
    {"total length beyond the frame", {.payload = 26, .total_length = 47}, VERDICT_DROP_IP_LENGTH},
    {"total length up to its end", {.payload = 26, .total_length = 46}, LOOK_UP},

    {"checksum wrong, nobody looked", {.wrong_sum = true}, VERDICT_DROP_IP_CHECKSUM},
    {"checksum wrong, the device cannot tell",
     {.wrong_sum = true, .ol_flags = NONE},
     VERDICT_DROP_IP_CHECKSUM},
    {"checksum right, the device cannot tell", {.ol_flags = NONE}, LOOK_UP},
    {"the device says good: it is believed", {.wrong_sum = true, .ol_flags = GOOD}, LOOK_UP},
    {"the device says bad: it is believed", {.ol_flags = BAD}, VERDICT_DROP_IP_CHECKSUM},
    {"checksum wrong in the options",
     {.wrong_sum = true, .options = "\x94\x04\0\0", .n_options = 4},
     VERDICT_DROP_IP_CHECKSUM},

    {"from 0.1.2.3", {.from = IP(0, 1, 2, 3)}, VERDICT_DROP_BAD_SOURCE},
    {"from 1.0.0.0", {.from = IP(1, 0, 0, 0)}, LOOK_UP},
    {"from 126.255.255.255", {.from = IP(126, 255, 255, 255)}, LOOK_UP},
    {"from loopback", {.from = IP(127, 0, 0, 1)}, VERDICT_DROP_BAD_SOURCE},
    {"from 128.0.0.1", {.from = IP(128, 0, 0, 1)}, LOOK_UP},
    {"from 223.255.255.255", {.from = IP(223, 255, 255, 255)}, LOOK_UP},
    {"from the first group", {.from = IP(224, 0, 0, 0)}, VERDICT_DROP_BAD_SOURCE},
    {"from the last group", {.from = IP(239, 255, 255, 255)}, VERDICT_DROP_BAD_SOURCE},
    {"from class E", {.from = IP(240, 0, 0, 1)}, VERDICT_DROP_BAD_SOURCE},
    {"from limited broadcast", {.from = UINT32_MAX}, VERDICT_DROP_BAD_SOURCE},

    {"to the first group", {.dst = IP(224, 0, 0, 0), .to = TO_GROUP}, VERDICT_DROP_MULTICAST},
    {"to the last group", {.dst = IP(239, 255, 255, 255), .to = TO_GROUP}, VERDICT_DROP_MULTICAST},
    {"to a group, unicast on the link", {.dst = IP(224, 0, 0, 9)}, VERDICT_DROP_MULTICAST},
    {"registration to a group", {.dst = IP(224, 0, 0, 11), .port = 434}, VERDICT_DROP_MULTICAST},
    {"registration to all", {.dst = UINT32_MAX, .to = TO_ALL, .port = 434}, VERDICT_PUNT_SIGNALLING},
    {"something else to all", {.dst = UINT32_MAX, .to = TO_ALL, .port = 435}, VERDICT_DROP_BROADCAST},
    {"not UDP to all", {.dst = UINT32_MAX, .to = TO_ALL, .protocol = 1}, VERDICT_DROP_BROADCAST},
    {"TCP with those bytes to all", {.dst = UINT32_MAX, .protocol = 6, .port = 434}, VERDICT_DROP_BROADCAST},
    {"first fragment to all", {.dst = UINT32_MAX, .port = 434, .fragment = 0x2000}, VERDICT_DROP_BROADCAST},
    {"later fragment to all", {.dst = UINT32_MAX, .port = 434, .fragment = 9}, VERDICT_DROP_BROADCAST},
    {"no whole UDP header to all",
     {.dst = UINT32_MAX, .port = 434, .total_length = 27},
     VERDICT_DROP_BROADCAST},
};

START_TEST(parse)
{
    const struct parse_row *row = &parse_rows[_i];
    uint8_t frame[FRAME_MAX];
    unsigned len = frame_build(&row->frame, frame);
    struct rte_mbuf *m = eal_frame(pool, frame, len);
    m->ol_flags |= row->frame.ol_flags;
    struct pkt p;
    enum verdict v = pkt_parse(m, &mac_own, &p);
    ck_assert_msg(v == row->expected, "%s: %s", row->what, v == LOOK_UP ? "look up" : verdict_name(v));
    if (v == LOOK_UP) { /* padding is gone */
        ck_assert_uint_eq(rte_pktmbuf_data_len(m), 14 + get16(frame + 16));
        ck_assert_uint_eq(p.size, get16(frame + 16));
    }
    rte_pktmbuf_free(m);
}
END_TEST

START_TEST(in_two_buffers)
{
    uint8_t frame[FRAME_MAX];
    unsigned len = frame_build(&(struct spec){0}, frame);
    struct rte_mbuf *m = eal_frame(pool, frame, 40), *rest = eal_frame(pool, frame + 40, len - 40);
    ck_assert_int_eq(rte_pktmbuf_chain(m, rest), 0);
    struct pkt p;
    ck_assert_int_eq(pkt_parse(m, &mac_own, &p), VERDICT_DROP_SEGMENTED);
    rte_pktmbuf_free(m);
}
END_TEST

START_TEST(fields)
{
    uint8_t frame[FRAME_MAX];
    struct spec spec = {.to = TO_GROUP,
                        .ttl = 33,
                        .protocol = 47,
                        .fragment = 0x60b9,
                        .payload = 80,
                        .options = "\1\1\1\0\1\1\1\0",
                        .n_options = 8};
    unsigned len = frame_build(&spec, frame);
    struct rte_mbuf *m = eal_frame(pool, frame, len);
    struct pkt p;
    ck_assert_int_eq(pkt_parse(m, &mac_own, &p), LOOK_UP);
    const struct addr from = addr_from_ipv4(CORRESPONDENT), to = addr_from_ipv4(AWAY);
    ck_assert(addr_equal(&p.source, &from));
    ck_assert(addr_equal(&p.destination, &to));
    ck_assert_uint_eq(p.size, 108);
    ck_assert_uint_eq(p.header_len, 28);
    ck_assert_uint_eq(p.fragment, 0x60b9);
    ck_assert_uint_eq(p.ttl, 33);
    ck_assert_uint_eq(p.protocol, 47);
    ck_assert(p.link_cast);
    rte_pktmbuf_free(m);
}
END_TEST

static const struct parse_row local_rows[] = {
    {"registration", {.port = 434}, VERDICT_PUNT_SIGNALLING},
    {"registration behind options",
     {.port = 434, .options = "\1\1\1\0", .n_options = 4},
     VERDICT_PUNT_SIGNALLING},
    {"other UDP", {.port = 435}, VERDICT_PUNT_LOCAL},
    {"UDP header cut", {.port = 434, .total_length = 27}, VERDICT_DROP_RUNT},
    {"a bare UDP header", {.port = 434, .total_length = 28}, VERDICT_PUNT_SIGNALLING},
    {"ICMP", {.protocol = 1}, VERDICT_PUNT_LOCAL},
    {"IP in IP", {.protocol = 4}, VERDICT_DROP_REVERSE_TUNNEL},
    {"GRE", {.protocol = 47}, VERDICT_DROP_REVERSE_TUNNEL},
    {"minimal encapsulation", {.protocol = 55}, VERDICT_DROP_REVERSE_TUNNEL},
    {"TCP", {.protocol = 6}, VERDICT_DROP_LOCAL_PROTOCOL},
    {"first fragment", {.port = 434, .fragment = 0x2000}, VERDICT_PUNT_FRAGMENT},
    {"last fragment", {.port = 434, .fragment = 0x0001}, VERDICT_PUNT_FRAGMENT},
    {"fragment of ICMP", {.protocol = 1, .fragment = 0x2001}, VERDICT_PUNT_FRAGMENT},
    {"fragment of IP in IP", {.protocol = 4, .fragment = 0x2000}, VERDICT_DROP_LOCAL_FRAGMENT},
    {"fragment of GRE", {.protocol = 47, .fragment = 0x2000}, VERDICT_DROP_LOCAL_FRAGMENT},
    {"fragment of minimal encapsulation", {.protocol = 55, .fragment = 1}, VERDICT_DROP_LOCAL_FRAGMENT},
    {"fragment of ESP", {.protocol = 50, .fragment = 1}, VERDICT_DROP_LOCAL_FRAGMENT},
    {"fragment of TCP", {.protocol = 6, .fragment = 0x2000}, VERDICT_DROP_LOCAL_FRAGMENT},
    {"DF is no fragment", {.port = 434, .fragment = 0x4000}, VERDICT_PUNT_SIGNALLING},
};

START_TEST(local)
{
    const struct parse_row *row = &local_rows[_i];
    uint8_t frame[FRAME_MAX];
    unsigned len = frame_build(&row->frame, frame);
    struct rte_mbuf *m = eal_frame(pool, frame, len);
    struct pkt p;
    ck_assert_int_eq(pkt_parse(m, &mac_own, &p), LOOK_UP);
    enum verdict v = pkt_local_verdict(pkt_ip(m), &p);
    ck_assert_msg(v == row->expected, "%s: %s", row->what, verdict_name(v));
    rte_pktmbuf_free(m);
}
END_TEST

START_TEST(names)
{
    for (int v = 0; v < VERDICT_COUNT; v++) {
        ck_assert_ptr_nonnull(verdict_name(v));
        ck_assert_ptr_nonnull(verdict_text(v));
        for (int other = 0; other < v; other++)
            ck_assert_str_ne(verdict_name(v), verdict_name(other));
    }
    ck_assert_ptr_null(verdict_name(VERDICT_COUNT));
    ck_assert_ptr_null(verdict_text(VERDICT_COUNT));
    ck_assert_int_eq(verdict_kind(VERDICT_FRAGMENTED), VERDICT_FORWARD);
    ck_assert_int_eq(verdict_kind(VERDICT_PUNT_TOO_BIG), VERDICT_PUNT);
    ck_assert_int_eq(verdict_kind(VERDICT_DROP_RUNT), VERDICT_DROP);
}
END_TEST

static void make_pool(void)
{
    pool = eal_pool("pkt", POOL);
}

static void check_pool(void)
{
    ck_assert_uint_eq(rte_mempool_avail_count(pool), POOL);
    rte_mempool_free(pool);
}

static Suite *suite(void)
{
    Suite *s = suite_create("pkt");
    TCase *c = tcase_create("frames");
    tcase_add_checked_fixture(c, make_pool, check_pool);
    tcase_add_loop_test(c, parse, 0, ROWS(parse_rows));
    tcase_add_test(c, in_two_buffers);
    tcase_add_test(c, fields);
    tcase_add_loop_test(c, local, 0, ROWS(local_rows));
    tcase_add_test(c, names);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return eal_main("test_pkt", "64", NULL, suite);
}
