/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What becomes of a packet, by what it is and what its destination's entry says: every verdict of the list
 * must come up.
 */
#include "decide_home_tests.h"
#include "decide_ipv6.h"
#include "decide_row.h"

/* ---- Every verdict ---- */

/* No token, and none comes. */
static void freeze_signalling(void)
{
    bed.worker[0].class_bucket[PUNT_SIGNALLING] = frozen(0);
}

static void fill_local_ring(void)
{
    struct rte_mbuf *m;
    while (rte_ring_mp_enqueue(bed.punts.ring[PUNT_LOCAL], m = rte_pktmbuf_alloc(bed.pool)) == 0)
        ;
    rte_pktmbuf_free(m);
}

static void freeze_second_chances(void)
{
    bed.worker[0].second_chances = frozen(0);
}

static void nothing(void)
{
}

static const struct row rows[] = {
    {"bound", {0}, VERDICT_TUNNELLED},
    {"bound, as large as the tunnel takes", {.payload = 1460, .fragment = 0x4000}, VERDICT_TUNNELLED},
    {"bound, TTL 2", {.ttl = 2}, VERDICT_TUNNELLED},
    {"bound, IP in IP for somebody else", {.protocol = 4, .inner_dst = ELSEWHERE}, VERDICT_TUNNELLED},
    {"bound, IP in IP for it, from anybody", {.protocol = 4, .inner_dst = AWAY}, VERDICT_TUNNELLED},
    {"bound, unreachable: forwarded all the same", {.dst = AWAY_LOST}, VERDICT_TUNNELLED},
    {"bound, too big, DF clear", {.payload = 1461}, VERDICT_FRAGMENTED},
    {"bound, too big, DF set", {.payload = 1461, .fragment = 0x4000}, VERDICT_PUNT_TOO_BIG},
    {"bound, TTL 1", {.ttl = 1}, VERDICT_PUNT_TTL_EXCEEDED},
    {"bound, TTL 0", {.ttl = TTL_ZERO}, VERDICT_PUNT_TTL_EXCEEDED},
    {"bound, TTL 1 and too big: TTL is first",
     {.ttl = 1, .payload = 1461, .fragment = 0x4000},
     VERDICT_PUNT_TTL_EXCEEDED},
    {"bound, next hop unknown", {.dst = AWAY_WAITING}, VERDICT_PUNT_RESOLVE},
    {"bound, next hop unknown, too big", {.dst = AWAY_WAITING, .payload = 1461}, VERDICT_PUNT_RESOLVE},
    {"from our own address", {.from = HOME_AGENT}, VERDICT_DROP_LOOP_OWN_SOURCE},
    {"from our other address", {.from = OTHER_OWN}, VERDICT_DROP_LOOP_OWN_SOURCE},
    {"from the care-of address", {.from = CARE_OF}, VERDICT_DROP_LOOP_CARE_OF},
    {"from the care-of address, encapsulated",
     {.from = CARE_OF, .protocol = 4, .inner_dst = AWAY},
     VERDICT_DROP_RECURSIVE},
    {"the same for another inner address",
     {.from = CARE_OF, .protocol = 4, .inner_dst = ELSEWHERE},
     VERDICT_DROP_LOOP_CARE_OF},
    {"the same, too short for an inner header",
     {.from = CARE_OF, .protocol = 4, .payload = 12},
     VERDICT_DROP_LOOP_CARE_OF},
    {"to all on the link, for a bound address", {.to = TO_ALL}, VERDICT_DROP_LINK_BROADCAST},
    {"to a group on the link, for a bound address", {.to = TO_GROUP}, VERDICT_DROP_LINK_BROADCAST},
    {"to all on the link, for us", {.to = TO_ALL, .dst = HOME_AGENT}, VERDICT_DROP_LINK_BROADCAST},
    {"to all on the link, for nobody", {.to = TO_ALL, .dst = ELSEWHERE}, VERDICT_DROP_LINK_BROADCAST},
    {"at home", {.dst = AT_HOME}, VERDICT_ON_LINK},
    {"at home, as large as the link takes",
     {.dst = AT_HOME, .payload = 1480, .fragment = 0x4000},
     VERDICT_ON_LINK},
    {"at home, too big, DF clear", {.dst = AT_HOME, .payload = 1481}, VERDICT_ON_LINK},
    {"at home, too big, DF set", {.dst = AT_HOME, .payload = 1481, .fragment = 0x4000}, VERDICT_PUNT_TOO_BIG},
    {"at home, TTL 1", {.dst = AT_HOME, .ttl = 1}, VERDICT_PUNT_TTL_EXCEEDED},
    {"at home, MAC address unknown", {.dst = AT_HOME_WAITING}, VERDICT_PUNT_RESOLVE},
    {"in the home network, never seen", {.dst = UNSEEN}, VERDICT_PUNT_RESOLVE},
    {"in the home network, TTL 1", {.dst = UNSEEN, .ttl = 1}, VERDICT_PUNT_TTL_EXCEEDED},
    {"the primary's to know", {.dst = UNKNOWN_HERE}, VERDICT_SECOND_CHANCE},
    {"the primary's to know, TTL 0: it takes no hop here",
     {.dst = UNKNOWN_HERE, .ttl = TTL_ZERO},
     VERDICT_SECOND_CHANCE},
    {"the primary's to know, to all on the link",
     {.to = TO_ALL, .dst = UNKNOWN_HERE},
     VERDICT_DROP_LINK_BROADCAST},
    {"the primary's to know, from ourselves",
     {.from = HOME_AGENT, .dst = UNKNOWN_HERE},
     VERDICT_DROP_LOOP_OWN_SOURCE},
    {"the primary's to know, its MAC address unknown", {.dst = UNKNOWN_WAITING}, VERDICT_PUNT_RESOLVE},
    {"anywhere else", {.dst = ELSEWHERE}, VERDICT_DROP_NO_BINDING},
    {"ARP", {.to = TO_ALL, .ethertype = 0x0806}, VERDICT_PUNT_ARP},
    {"registration", {.dst = HOME_AGENT, .port = 434}, VERDICT_PUNT_SIGNALLING},
    {"registration to the subnet", {.to = TO_ALL, .dst = SUBNET_ALL, .port = 434}, VERDICT_PUNT_SIGNALLING},
    {"registration to all", {.to = TO_ALL, .dst = UINT32_MAX, .port = 434}, VERDICT_PUNT_SIGNALLING},
    {"delegation", {.from = PEER, .dst = HOME_AGENT, .port = DELEGATION_PORT}, VERDICT_PUNT_DELEGATION},
    {"delegation, but from no peer", {.dst = HOME_AGENT, .port = DELEGATION_PORT}, VERDICT_PUNT_LOCAL},
    {"delegation in ESP", {.from = PEER, .dst = HOME_AGENT, .protocol = 50}, VERDICT_PUNT_DELEGATION},
    {"ESP from no peer", {.dst = HOME_AGENT, .protocol = 50}, VERDICT_DROP_LOCAL_PROTOCOL},
    {"delegation in ESP, in fragments",
     {.from = PEER, .dst = HOME_AGENT, .protocol = 50, .fragment = 0x2000},
     VERDICT_DROP_LOCAL_FRAGMENT},
    {"a peer to another port", {.from = PEER, .dst = HOME_AGENT}, VERDICT_PUNT_LOCAL},
    {"a peer by TCP",
     {.from = PEER, .dst = HOME_AGENT, .port = DELEGATION_PORT, .protocol = 6},
     VERDICT_DROP_LOCAL_PROTOCOL},
    {"delegation in fragments is none",
     {.from = PEER, .dst = HOME_AGENT, .port = DELEGATION_PORT, .fragment = 0x2000},
     VERDICT_PUNT_FRAGMENT},
    {"fragment to all on the link",
     {.to = TO_ALL, .dst = HOME_AGENT, .fragment = 0x2000},
     VERDICT_DROP_LINK_BROADCAST},
    {"fragment to the subnet", {.to = TO_ALL, .dst = SUBNET_ALL, .fragment = 0x2000}, VERDICT_DROP_BROADCAST},
    {"delegation to all on the link",
     {.to = TO_ALL, .from = PEER, .dst = HOME_AGENT, .port = DELEGATION_PORT},
     VERDICT_DROP_LINK_BROADCAST},
    {"something else to the subnet", {.to = TO_ALL, .dst = SUBNET_ALL}, VERDICT_DROP_BROADCAST},
    {"ping", {.dst = HOME_AGENT, .protocol = 1}, VERDICT_PUNT_LOCAL},
    {"ping, TTL 0: no reason to drop what is for us",
     {.dst = HOME_AGENT, .protocol = 1, .ttl = TTL_ZERO},
     VERDICT_PUNT_LOCAL},
    {"registration, TTL 1", {.dst = HOME_AGENT, .port = 434, .ttl = 1}, VERDICT_PUNT_SIGNALLING},
    {"reverse tunnel, nothing sound in it", {.dst = HOME_AGENT, .protocol = 4}, VERDICT_DROP_REVERSE_TUNNEL},
    {"reverse tunnel, not granted",
     {.from = CARE_OF,
      .dst = HOME_AGENT,
      .protocol = 4,
      .inner = &(struct spec){.from = AWAY, .dst = ELSEWHERE}},
     VERDICT_DROP_REVERSE_TUNNEL},
    {"reverse tunnel",
     {.from = CARE_OF,
      .dst = HOME_AGENT,
      .protocol = 4,
      .inner = &(struct spec){.from = AWAY_REVERSE, .dst = ELSEWHERE}},
     VERDICT_DECAPSULATED},
    {"reverse tunnel, congestion on its way",
     {.from = CARE_OF,
      .dst = HOME_AGENT,
      .protocol = 4,
      .tos = 3,
      .inner = &(struct spec){.from = AWAY_REVERSE, .dst = ELSEWHERE}},
     VERDICT_DROP_CONGESTION},
    {"reverse tunnel, to a bound address",
     {.from = CARE_OF,
      .dst = HOME_AGENT,
      .protocol = 4,
      .inner = &(struct spec){.from = AWAY_REVERSE, .dst = AWAY}},
     VERDICT_TUNNELLED},
    {"reverse tunnel, to where no route leads",
     {.from = CARE_OF,
      .dst = HOME_AGENT,
      .protocol = 4,
      .inner = &(struct spec){.from = AWAY_REVERSE, .dst = NOWHERE}},
     VERDICT_DROP_NO_ROUTE},
    {"TCP to us", {.dst = HOME_AGENT, .protocol = 6}, VERDICT_DROP_LOCAL_PROTOCOL},
    {"fragment to us", {.dst = HOME_AGENT, .fragment = 0x2000}, VERDICT_PUNT_FRAGMENT},
    {"reverse tunnel in fragments",
     {.from = CARE_OF, .dst = HOME_AGENT, .protocol = 4, .fragment = 0x2000},
     VERDICT_DROP_LOCAL_FRAGMENT},
    {"multicast", {.to = TO_GROUP, .dst = IP(224, 0, 0, 5)}, VERDICT_DROP_MULTICAST},
    {"runt", {.cut = 20}, VERDICT_DROP_RUNT},
    {"another station's", {.to = TO_OTHER}, VERDICT_DROP_FOREIGN_MAC},
    {"neither IP nor ARP", {.ethertype = 0x88cc}, VERDICT_DROP_ETHERTYPE},
    {"version 5", {.version_ihl = 0x55}, VERDICT_DROP_IP_VERSION},
    {"length", {.total_length = 1000}, VERDICT_DROP_IP_LENGTH},
    {"checksum", {.wrong_sum = true}, VERDICT_DROP_IP_CHECKSUM},
    {"source", {.from = IP(127, 0, 0, 1)}, VERDICT_DROP_BAD_SOURCE},
};

/* What hinders the worker while one packet passes. */
static const struct hindrance {
    struct row row;
    void (*before)(void);
    void (*after)(void);
} hindrances[] = {
    {{"policed", {.dst = HOME_AGENT, .port = 434}, VERDICT_DROP_POLICED}, freeze_signalling, nothing},
    {{"too many second chances", {.dst = UNKNOWN_HERE}, VERDICT_DROP_SECOND_CHANCE},
     freeze_second_chances,
     nothing},
    {{"control does not keep up", {.dst = HOME_AGENT, .protocol = 1}, VERDICT_DROP_PUNT_FULL},
     fill_local_ring,
     drain},
    {{"the device does not keep up", {0}, VERDICT_DROP_TX_FULL}, fill_way_port, drain},
    {{"fragments, and the device does not", {.payload = 1461}, VERDICT_DROP_TX_FULL}, fill_way_port, drain},
    {{"no buffer for fragments", {.payload = 1461}, VERDICT_DROP_NO_MBUF},
     take_all_buffers,
     give_back_buffers},
    {{"no buffer for the copy: forwarded all the same", {.dst = AWAY_LOST}, VERDICT_TUNNELLED},
     take_all_buffers,
     give_back_buffers},
};

static void give_segmented(void)
{
    struct rte_mbuf *m = frame_of(&(struct spec){0}), *rest = frame_of(&(struct spec){0});
    ck_assert_int_eq(rte_pktmbuf_chain(m, rest), 0);
    worker_burst(&bed.worker[0], HOME_PORT, &m, 1);
}

static void give_without_headroom(void)
{
    struct rte_mbuf *m = frame_of(&(struct spec){0});
    uint8_t bytes[FRAME_MAX];
    unsigned len = rte_pktmbuf_data_len(m);
    memcpy(bytes, rte_pktmbuf_mtod(m, uint8_t *), len);
    m->data_off = ENTRY_OUTER_MAX / 2 - 1;
    memcpy(rte_pktmbuf_mtod(m, uint8_t *), bytes, len);
    worker_burst(&bed.worker[0], HOME_PORT, &m, 1);
}

/* Gives the row's packet: it must end in that one verdict. */
static void judge(const struct row *row)
{
    uint64_t before = count(row->expected), all = verdicts_of(&bed.worker[0]);
    give(&row->frame);
    ck_assert_msg(count(row->expected) == before + 1, "%s: no %s", row->what, verdict_name(row->expected));
    ck_assert_msg(verdicts_of(&bed.worker[0]) == all + 1, "%s: more than one verdict", row->what);
}

static void judge_all(const struct row *row, int n)
{
    for (int i = 0; i < n; i++) {
        judge(&row[i]);
        drain();
    }
}

START_TEST(every_verdict_comes_up)
{
    open_reverse_tunnels(false);
    judge_all(rows, ROWS(rows));
    judge_all(rows_ipv6, ROWS(rows_ipv6));
    judge_all(rows_home_tests, ROWS(rows_home_tests));
    bed.settings.routes_ipv6 = true;
    judge_all(rows_router, ROWS(rows_router));
    bed.settings.routes_ipv6 = false;
    for (int i = 0; i < ROWS(hindrances); i++) {
        hindrances[i].before();
        judge(&hindrances[i].row);
        hindrances[i].after();
        drain();
    }
    give_segmented();
    ck_assert_uint_eq(count(VERDICT_DROP_SEGMENTED), 1);
    uint64_t no_mbuf = count(VERDICT_DROP_NO_MBUF);
    give_without_headroom();
    ck_assert_uint_eq(count(VERDICT_DROP_NO_MBUF), no_mbuf + 1);

    for (int v = 0; v < VERDICT_COUNT; v++)
        ck_assert_msg(count(v) > 0, "no packet ends as %s", verdict_name(v));
    ck_assert_uint_eq(verdicts_of(&bed.worker[0]), bed.worker[0].counters.rx_packets);
}
END_TEST

/* The same in one burst: each packet keeps its own verdict whatever its neighbours meet. */
START_TEST(a_mixed_burst)
{
    struct rte_mbuf *burst[ROWS(rows) + ROWS(rows_ipv6)];
    uint64_t expected[VERDICT_COUNT] = {0};
    unsigned n = 0;
    open_reverse_tunnels(false);
    for (int i = 0; i < ROWS(rows) + ROWS(rows_ipv6); i++) { /* by turns, as long as there are both */
        const int of_each = ROWS(rows_ipv6), k = i / 2;
        const struct row *row = i >= 2 * of_each ? &rows[i - of_each] : i % 2 == 0 ? &rows[k] : &rows_ipv6[k];
        burst[n++] = frame_of(&row->frame);
        expected[row->expected]++;
    }
    static_assert(ROWS(rows) > ROWS(rows_ipv6), "those of IPv4 are more");
    ck_assert_uint_gt(n, WORKER_BURST); /* it is cut into bursts */
    worker_burst(&bed.worker[0], HOME_PORT, burst, n);
    for (int v = 0; v < VERDICT_COUNT; v++)
        ck_assert_msg(count(v) == expected[v], "%s: %lu, not %lu", verdict_name(v), count(v), expected[v]);
}
END_TEST

/* 10.9.0.1 and those behind it, and no more. */
static void own_many(bool ipv6)
{
    struct addr own;
    bed.settings.own = (struct own){.n = 0};
    for (unsigned i = 0; i < OWN_MAX; i++) {
        own = address_of(ipv6, IP(10, 9, 0, 1) + i);
        ck_assert(own_add(&bed.settings.own, &own));
    }
    ck_assert(!own_add(&bed.settings.own, &own));
}

/* As many own addresses as there may be: each is found, no other is. */
START_TEST(many_own_addresses)
{
    own_many(false);
    for (unsigned i = 0; i < OWN_MAX; i++) {
        give(&(struct spec){.from = IP(10, 9, 0, 1) + i});
        give(&(struct spec){.from = IP(10, 8, 0, 1) + i});
    }
    ck_assert_uint_eq(count(VERDICT_DROP_LOOP_OWN_SOURCE), OWN_MAX);
    ck_assert_uint_eq(count(VERDICT_TUNNELLED), OWN_MAX);
}
END_TEST

/* Who have both hashes of ours, and are none of ours. */
START_TEST(strangers_with_our_hash)
{
    enum { STRANGERS = 8 };
    own_many(false);
    for (uint32_t k = 0, from = IP(10, 8, 0, 0); k < STRANGERS; k++) {
        do
            from++;
        while (!own_may_have(&bed.settings.own, htonl(from)));
        give(&(struct spec){.from = from});
    }
    ck_assert_uint_eq(count(VERDICT_TUNNELLED), STRANGERS);
}
END_TEST

/* Those of IPv6 are told apart by all their bytes, not by the last ones alone. */
START_TEST(many_own_addresses_of_ipv6)
{
    own_many(true);
    for (unsigned i = 0; i < OWN_MAX; i++) {
        give(&(struct spec){SIX, .from = IP(10, 9, 0, 1) + i});
        give(&(struct spec){SIX, .from = IP(10, 8, 0, 1) + i});
    }
    ck_assert_uint_eq(count(VERDICT_DROP_LOOP_OWN_SOURCE), OWN_MAX);
    ck_assert_uint_eq(count(VERDICT_TUNNELLED), OWN_MAX);
}
END_TEST

/* ---- Home tests ---- */

/* Control gets it as it came, the hop not taken; nothing of it leaves, and it is not counted as tunnelled. */
START_TEST(a_home_test_for_control)
{
    const struct spec spec = {SIX, TEST, .payload = 24};
    const struct addr home = six(AWAY_TESTED);
    rte_pktmbuf_free(punted_unchanged(PUNT_HOME_TEST, &spec));
    ck_assert_uint_eq(drained(), 0);
    ck_assert_uint_eq(tally_packets(bed.worker[0].bindings[installed_at(&home)->slot].tally), 0);
}
END_TEST

START_TEST(home_tests_are_policed)
{
    bed.worker[0].class_bucket[PUNT_HOME_TEST] = frozen(3);
    for (unsigned i = 0; i < 5; i++)
        give(&(struct spec){SIX, TEST});
    ck_assert_uint_eq(count(VERDICT_PUNT_HOME_TEST), 3);
    ck_assert_uint_eq(count(VERDICT_DROP_POLICED), 2);
    give(&(struct spec){SIX, .dst = HOME_AGENT, .protocol = 135}); /* binding updates are untouched */
    ck_assert_uint_eq(count(VERDICT_PUNT_SIGNALLING), 1);
}
END_TEST

/* ---- Second chance ---- */

/* The packet of the frame, whose Ethernet header alone is new. */
static void check_as_it_came(const uint8_t *ip, const struct spec *spec)
{
    uint8_t frame[FRAME_MAX];
    unsigned len = frame_build(spec, frame) - spec->padding;
    ck_assert(memcmp(ip, frame + 14, len - 14) == 0);
}

START_TEST(a_second_chance)
{
    struct spec spec = {.ipv6 = _i != 0, .dst = UNKNOWN_HERE, .ttl = 1, .payload = 1460, .fragment = 0x4000};
    give(&spec);
    struct rte_mbuf *m = sent_by(HOME_PORT);
    ck_assert_ptr_nonnull(m);
    check_ethernet(m, &mac_primary, &mac_own);
    ck_assert_uint_eq(rte_pktmbuf_pkt_len(m), 14 + 1460 + (_i != 0 ? 40 : 20));
    check_as_it_came(rte_pktmbuf_mtod_offset(m, const uint8_t *, 14), &spec);
    rte_pktmbuf_free(m);
    ck_assert_uint_eq(count(VERDICT_SECOND_CHANCE), 1);
}
END_TEST

START_TEST(a_second_chance_waits_for_the_primarys_mac_address)
{
    struct spec spec = {.dst = UNKNOWN_WAITING, .ttl = 1};
    give(&spec);
    struct rte_mbuf *m = punted(PUNT_RESOLVE);
    ck_assert_ptr_nonnull(m);
    ck_assert_uint_eq(punt_meta(m)->adjacency, ADJ_PRIMARY_WAITING);
    check_as_it_came(rte_pktmbuf_mtod(m, const uint8_t *), &spec);
    rte_pktmbuf_free(m);
}
END_TEST

/* What the primary itself sends here is not sent back: else the two could play with it for ever. */
START_TEST(the_primary_gets_nothing_back)
{
    adjacency_publish(bed.adjacencies, ADJ_PRIMARY, HOME_PORT, &mac_router); /* whose frames all are */
    give(&(struct spec){.dst = UNKNOWN_HERE});
    ck_assert_uint_eq(count(VERDICT_DROP_SECOND_CHANCE), 1);
    ck_assert_ptr_null(sent_by(HOME_PORT));
}
END_TEST

START_TEST(second_chances_are_policed)
{
    bed.worker[0].second_chances = frozen(10);
    for (unsigned i = 0; i < 50; i++)
        give(&(struct spec){.dst = UNKNOWN_HERE});
    ck_assert_uint_eq(count(VERDICT_SECOND_CHANCE), 10);
    ck_assert_uint_eq(count(VERDICT_DROP_SECOND_CHANCE), 40);
    give(&(struct spec){.dst = UNSEEN}); /* other home networks are untouched */
    ck_assert_uint_eq(count(VERDICT_PUNT_RESOLVE), 1);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("decide");
    TCase *c = tcase_create("verdicts");
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_add_test(c, every_verdict_comes_up);
    tcase_add_test(c, a_mixed_burst);
    tcase_add_test(c, many_own_addresses);
    tcase_add_test(c, strangers_with_our_hash);
    tcase_add_test(c, many_own_addresses_of_ipv6);
    tcase_add_test(c, a_home_test_for_control);
    tcase_add_test(c, home_tests_are_policed);
    tcase_add_loop_test(c, a_second_chance, 0, 2); /* of each family */
    tcase_add_test(c, a_second_chance_waits_for_the_primarys_mac_address);
    tcase_add_test(c, the_primary_gets_nothing_back);
    tcase_add_test(c, second_chances_are_policed);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return bed_main("test_decide", suite);
}
