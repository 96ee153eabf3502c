/* SPDX-License-Identifier: BSD-3-Clause */
/* What reaches control, with what it is told of it, and what ends before it gets there. */
#include "worker_bed.h"

static const struct unchanged {
    const char *what;
    struct spec frame;
    enum punt_class class;
    enum verdict verdict;
    uint16_t mtu, pointer;
} unchanged[] = {
    {"ARP", {.to = TO_ALL, .ethertype = 0x0806}, PUNT_NEIGHBOR, VERDICT_PUNT_ARP, 0, 0},
    {"registration", {.dst = HOME_AGENT, .port = 434}, PUNT_SIGNALLING, VERDICT_PUNT_SIGNALLING, 0, 0},
    {"registration to the subnet",
     {.to = TO_ALL, .dst = SUBNET_ALL, .port = 434},
     PUNT_SIGNALLING,
     VERDICT_PUNT_SIGNALLING,
     0,
     0},
    {"delegation",
     {.from = PEER, .dst = HOME_AGENT, .port = DELEGATION_PORT},
     PUNT_DELEGATION,
     VERDICT_PUNT_DELEGATION,
     0,
     0},
    {"ping", {.dst = HOME_AGENT, .protocol = 1}, PUNT_LOCAL, VERDICT_PUNT_LOCAL, 0, 0},
    {"fragment", {.dst = HOME_AGENT, .fragment = 0x2000}, PUNT_FRAGMENT, VERDICT_PUNT_FRAGMENT, 0, 0},
    {"TTL", {.ttl = 1}, PUNT_ERROR, VERDICT_PUNT_TTL_EXCEEDED, 0, 0},
    {"too big for the tunnel",
     {.fragment = 0x4000, .payload = 1461},
     PUNT_ERROR,
     VERDICT_PUNT_TOO_BIG,
     1480,
     0},
    {"too big for the link",
     {.dst = AT_HOME, .fragment = 0x4000, .payload = 1481},
     PUNT_ERROR,
     VERDICT_PUNT_TOO_BIG,
     1500,
     0},
    {"neighbour discovery",
     {.ipv6 = true, .protocol = 58, .icmp = 135, .ttl = 255},
     PUNT_NEIGHBOR,
     VERDICT_PUNT_ND,
     0,
     0},
    {"multicast listener query",
     {.ipv6 = true,
      .to6 = &addr_all_nodes,
      .to = TO_GROUP,
      .hop_by_hop = true,
      .options = FRAME_MLD("\x82"),
      .n_options = FRAME_MLD_LEN,
      .ttl = 1},
     PUNT_NEIGHBOR,
     VERDICT_PUNT_MLD,
     0,
     0},
    {"binding update",
     {.ipv6 = true, .dst = HOME_AGENT, .protocol = 135},
     PUNT_SIGNALLING,
     VERDICT_PUNT_SIGNALLING,
     0,
     0},
    {"hop limit", {.ipv6 = true, .ttl = 1}, PUNT_ERROR, VERDICT_PUNT_TTL_EXCEEDED, 0, 0},
    {"IPv6, too big for the tunnel",
     {.ipv6 = true, .payload = 1421},
     PUNT_ERROR,
     VERDICT_PUNT_TOO_BIG,
     1460,
     0},
    {"IPv6, too big for the link",
     {.ipv6 = true, .dst = AT_HOME, .payload = 1461},
     PUNT_ERROR,
     VERDICT_PUNT_TOO_BIG,
     1500,
     0},
    {"too big for the tunnel with an encapsulation limit",
     {.ipv6 = true, .payload = 1405, .protocol = 60, .options = "\x29\0\4\1\4\1\1\0", .n_options = 8},
     PUNT_ERROR,
     VERDICT_PUNT_TOO_BIG,
     1452,
     0},
    {"encapsulation limit 0",
     {.ipv6 = true, .protocol = 60, .options = "\x29\0\1\0\4\1\0\0", .n_options = 8},
     PUNT_ERROR,
     VERDICT_PUNT_ENCAPSULATION_LIMIT,
     0,
     46},
};

START_TEST(punts_are_as_they_came)
{
    const struct unchanged *row = &unchanged[_i];
    struct rte_mbuf *m = punted_unchanged(row->class, &row->frame);
    ck_assert_uint_eq(punt_meta(m)->verdict, row->verdict);
    ck_assert_uint_eq(punt_meta(m)->mtu, row->mtu);
    ck_assert_uint_eq(punt_meta(m)->pointer, row->pointer);
    ck_assert_uint_eq(punt_meta(m)->unreachable, 0);
    rte_pktmbuf_free(m);
}
END_TEST

START_TEST(an_unreachable_tunnel)
{
    uint8_t frame[FRAME_MAX];
    struct spec spec = {.dst = AWAY_LOST, .payload = 1000};
    frame_build(&spec, frame);
    give(&spec);
    struct rte_mbuf *told = punted(PUNT_ERROR), *m = sent_by(WAY_PORT);
    ck_assert_ptr_nonnull(told);
    ck_assert_ptr_nonnull(m);
    ck_assert_uint_eq(punt_meta(told)->unreachable, 1);
    ck_assert_uint_eq(rte_pktmbuf_pkt_len(told), 14 + 576);
    ck_assert(memcmp(rte_pktmbuf_mtod(told, uint8_t *), frame, 14 + 576) == 0);
    ck_assert_uint_eq(rte_pktmbuf_pkt_len(m), 14 + 20 + 20 + 1000);
    ck_assert_uint_eq(bed.worker[0].counters.unreachable_told, 1);
    rte_pktmbuf_free(told);
    rte_pktmbuf_free(m);

    bed.worker[0].class_bucket[PUNT_ERROR] = frozen(0);
    give(&spec);
    ck_assert_ptr_null(punted(PUNT_ERROR));
    ck_assert_uint_eq(bed.worker[0].counters.unreachable_told, 1);
    ck_assert_uint_eq(count(VERDICT_TUNNELLED), 2);
    ck_assert_uint_eq(count(VERDICT_DROP_POLICED), 0);
}
END_TEST

/* What an ICMPv6 error may quote is more. */
START_TEST(an_unreachable_tunnel_of_ipv6)
{
    uint8_t frame[FRAME_MAX];
    struct spec spec = {.ipv6 = true, .dst = AWAY_LOST, .payload = 1400};
    frame_build(&spec, frame);
    give(&spec);
    struct rte_mbuf *told = punted(PUNT_ERROR);
    ck_assert_ptr_nonnull(told);
    ck_assert_uint_eq(punt_meta(told)->unreachable, 1);
    ck_assert_uint_eq(rte_pktmbuf_pkt_len(told), 14 + 1280);
    ck_assert(memcmp(rte_pktmbuf_mtod(told, uint8_t *), frame, 14 + 1280) == 0);
    rte_pktmbuf_free(told);
    ck_assert_uint_eq(count(VERDICT_TUNNELLED), 1);
}
END_TEST

/* ---- Policing ---- */

static void flood(uint32_t source, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        give(&(struct spec){.from = source, .dst = HOME_AGENT, .port = 434});
}

/* Frozen buckets: no token comes in while the test runs. */
static void freeze(unsigned class_tokens, uint32_t source, unsigned source_tokens)
{
    struct worker *w = &bed.worker[0];
    w->class_bucket[PUNT_SIGNALLING] = frozen(class_tokens);
    const struct addr from = addr_from_ipv4(source);
    w->source_bucket[punt_source_bucket(&from)] = frozen(source_tokens);
}

START_TEST(policing)
{
    const struct worker_counters *c = &bed.worker[0].counters;
    freeze(100, CORRESPONDENT, 10);
    flood(CORRESPONDENT, 50);
    ck_assert_uint_eq(c->verdict[VERDICT_PUNT_SIGNALLING], 10);
    ck_assert_uint_eq(c->verdict[VERDICT_DROP_POLICED], 40);
    ck_assert_uint_eq(c->policed[PUNT_SIGNALLING], 40);
    flood(ELSEWHERE, 200); /* has its own share, until the class has none left */
    ck_assert_uint_eq(c->verdict[VERDICT_PUNT_SIGNALLING], 100);
    ck_assert_uint_eq(c->policed[PUNT_SIGNALLING], 150);
    give(&(struct spec){.dst = HOME_AGENT, .protocol = 1}); /* other classes are untouched */
    ck_assert_uint_eq(c->verdict[VERDICT_PUNT_LOCAL], 1);
    ck_assert_uint_eq(rte_ring_count(bed.punts.ring[PUNT_SIGNALLING]), 100);
}
END_TEST

START_TEST(a_full_ring)
{
    const struct worker_counters *c = &bed.worker[0].counters;
    unsigned room = rte_ring_get_capacity(bed.punts.ring[PUNT_ERROR]);
    bed.worker[0].class_bucket[PUNT_ERROR] = frozen(10000);
    for (unsigned i = 0; i < room + 7; i++)
        give(&(struct spec){.ttl = 1});
    ck_assert_uint_eq(c->verdict[VERDICT_PUNT_TTL_EXCEEDED], room);
    ck_assert_uint_eq(c->verdict[VERDICT_DROP_PUNT_FULL], 7);
    ck_assert_uint_eq(c->policed[PUNT_ERROR], 7);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("burst_punt");
    TCase *c = tcase_create("punts");
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_add_loop_test(c, punts_are_as_they_came, 0, ROWS(unchanged));
    tcase_add_test(c, an_unreachable_tunnel);
    tcase_add_test(c, an_unreachable_tunnel_of_ipv6);
    tcase_add_test(c, policing);
    tcase_add_test(c, a_full_ring);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return bed_main("test_burst_punt", suite);
}
