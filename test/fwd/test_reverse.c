/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reverse tunnels through the whole worker (RFC 3024, RFC 6275 section 10.4.5): frames as a far end sends
 * them, by each encapsulation and to each kind of destination; what comes out is compared byte for byte with
 * the inner packet, built apart.
 */
#include "reverse_cases.h"

enum { NOT_ECT = 0, ECT_1 = 1, ECT_0 = 2, CE = 3, MARK_DROP = 4 };

/* ---- What is expected ---- */

/* As it leaves: one hop on, without what lay behind it. */
static struct spec hopped(const struct spec *inner)
{
    struct spec out = *inner;
    out.ttl = (inner->ttl != 0 ? inner->ttl : 64) - 1;
    out.padding = 0;
    return out;
}

/* As we tunnel it: identification 0, for DF or because it is the first. IPv6 is like DF. */
static struct spec tunnelled(const struct spec *inner, enum encapsulation how)
{
    uint8_t bytes[FRAME_MAX];
    frame_build(inner, bytes);
    struct spec outer = {.ipv6 = tunnel_family_outside(how) == PKT_IPV6,
                         .from = HOME_AGENT,
                         .dst = OTHER_CARE_OF,
                         .protocol = tunnel_protocol(how),
                         .tos = inner->tos,
                         .fragment = inner->ipv6 ? 0x4000 : inner->fragment & 0x4000,
                         .inner = inner};
    outer.flow = outer.ipv6 ? flow_label(inner->ipv6 ? PKT_IPV6 : PKT_IPV4, bytes + 14) : 0;
    return outer;
}

/* What a binding usually has. */
static enum encapsulation usual(const struct spec *inner)
{
    return inner->ipv6 ? ENCAPSULATION_IPV6_IN_IPV6 : ENCAPSULATION_IPIP;
}

static void expect_frame(unsigned port, const struct mac *to, const struct spec *spec, const char *what)
{
    uint8_t bytes[FRAME_MAX];
    unsigned len = frame_build(spec, bytes);
    memcpy(bytes, to->b, 6);
    memcpy(bytes + 6, (port == HOME_PORT ? mac_own : mac_way).b, 6);
    check_bytes(sent_by(port), bytes, len, what);
}

/* It waits for its next hop, without an Ethernet header. */
static void expect_waiting(uint32_t adjacency, const struct spec *spec, const char *what)
{
    uint8_t bytes[FRAME_MAX];
    unsigned len = frame_build(spec, bytes);
    struct rte_mbuf *m = punted(PUNT_RESOLVE);
    ck_assert_msg(m != NULL, "%s: nothing waits", what);
    ck_assert_msg(punt_meta(m)->adjacency == adjacency, "%s: for %u", what, punt_meta(m)->adjacency);
    ck_assert_uint_eq(punt_meta(m)->class, PUNT_RESOLVE);
    ck_assert_uint_eq(punt_meta(m)->verdict, VERDICT_PUNT_RESOLVE);
    ck_assert_uint_ge(rte_pktmbuf_headroom(m), 14);
    check_bytes(m, bytes + 14, len - 14, what);
}

/* ---- Each way of sending, to each kind of destination ---- */

static void by_router(const struct destination *d, const struct spec *inner, const char *what)
{
    (void)d;
    struct spec out = hopped(inner);
    expect_frame(WAY_PORT, &mac_router, &out, what);
}

static void by_default(const struct destination *d, const struct spec *inner, const char *what)
{
    (void)d;
    struct spec out = hopped(inner);
    expect_frame(HOME_PORT, &mac_primary, &out, what);
}

static void on_link(const struct destination *d, const struct spec *inner, const char *what)
{
    (void)d;
    struct spec out = hopped(inner);
    expect_frame(HOME_PORT, &mac_at_home, &out, what);
}

static void into(const struct destination *d, const struct spec *inner, enum encapsulation how,
                 const char *what)
{
    const struct addr home = address_of(inner->ipv6, d->inner.dst);
    struct spec within = hopped(inner), out = tunnelled(&within, how);
    expect_frame(WAY_PORT, &mac_router, &out, what);
    ck_assert_uint_eq(tally_packets(bed.worker[0].bindings[installed_at(&home)->slot].tally), 1);
}

static void into_tunnel(const struct destination *d, const struct spec *inner, const char *what)
{
    into(d, inner, usual(inner), what);
}

static void into_gre(const struct destination *d, const struct spec *inner, const char *what)
{
    into(d, inner, ENCAPSULATION_GRE, what);
}

static void into_other_family(const struct destination *d, const struct spec *inner, const char *what)
{
    into(d, inner, inner->ipv6 ? ENCAPSULATION_IPV6_IN_IPV4 : ENCAPSULATION_IPV4_IN_IPV6, what);
}

static void into_tunnel_later(const struct destination *d, const struct spec *inner, const char *what)
{
    struct spec within = hopped(inner), out = tunnelled(&within, usual(inner));
    out.dst = CARE_OF;
    expect_waiting(d->detail, &out, what);
}

static void later(const struct destination *d, const struct spec *inner, const char *what)
{
    struct spec out = hopped(inner);
    expect_waiting(d->detail, &out, what);
}

/* The packet inside as it came, behind the Ethernet header of the frame. */
static struct rte_mbuf *expect_control(enum punt_class c, enum verdict verdict, const struct spec *inner,
                                       const char *what)
{
    struct spec whole = *inner;
    uint8_t bytes[FRAME_MAX];
    whole.padding = 0;
    unsigned len = frame_build(&whole, bytes);
    struct rte_mbuf *m = punted(c);
    ck_assert_msg(m != NULL, "%s: nothing for control", what);
    rte_mbuf_refcnt_update(m, 1);
    check_bytes(m, bytes, len, what);
    ck_assert_uint_eq(punt_meta(m)->class, c);
    ck_assert_uint_eq(punt_meta(m)->verdict, verdict);
    ck_assert_uint_eq(punt_meta(m)->port_index, HOME_PORT);
    ck_assert_uint_eq(punt_meta(m)->link_cast, 0);
    ck_assert_uint_eq(punt_meta(m)->unreachable, 0);
    return m;
}

static void to_control(const struct destination *d, const struct spec *inner, const char *what)
{
    rte_pktmbuf_free(expect_control((enum punt_class)d->detail, d->verdict, inner, what));
}

static void error_due(const struct destination *d, const struct spec *inner, const char *what)
{
    struct rte_mbuf *m = expect_control(PUNT_ERROR, d->verdict, inner, what);
    ck_assert_msg(punt_meta(m)->mtu == d->detail, "%s: mtu %u", what, punt_meta(m)->mtu);
    rte_pktmbuf_free(m);
}

static void nowhere(const struct destination *d, const struct spec *inner, const char *what)
{
    (void)d, (void)inner, (void)what; /* that nothing is left is asked of all */
}

/* By a way: what the far end sends. inner must stay as long as that. */
static struct spec by_way(const struct way *way, struct spec *inner)
{
    struct spec outer = way->outer;
    inner->from = way->home;
    inner->ipv6 = way->ipv6;
    inner->padding = way->behind;
    outer.inner = inner;
    outer.from = outer.from != 0 ? outer.from : CARE_OF;
    outer.dst = HOME_AGENT;
    return outer;
}

/* Packets of all bindings. */
static uint64_t counted(void)
{
    uint64_t sum = 0;
    for (uint32_t slot = 0; slot < table_slots(bed.table); slot++)
        sum += tally_packets(bed.worker[0].bindings[slot].tally);
    return sum;
}

/* What a binding is sent, not what it sends, nor what goes by a route. */
static bool is_counted(const struct destination *d)
{
    const struct addr address = address_of(d->inner.ipv6, d->inner.dst);
    const struct entry *e = d->inner.to6 != NULL ? NULL : table_get(bed.table, &address);
    return e != NULL && e->kind != ENTRY_LOCAL && d->expect != error_due;
}

START_TEST(every_way_to_every_destination)
{
    const struct way *way = &ways[_i];
    for (int i = 0; i < ROWS(destinations); i++) {
        const struct destination *d = &destinations[i];
        if (d->inner.ipv6 != way->ipv6)
            continue;
        struct spec inner = d->inner, outer = by_way(way, &inner);
        char what[128];
        snprintf(what, sizeof(what), "%s: %s", way->what, d->what);
        memset(&bed.worker[0].counters, 0, sizeof(bed.worker[0].counters));
        memset(bed.worker[0].bindings, 0, table_slots(bed.table) * sizeof(*bed.worker[0].bindings));
        memset(bed.worker[0].identification, 0, sizeof(bed.worker[0].identification));
        give(&outer);
        ck_assert_msg(count(d->verdict) == 1, "%s: no %s", what, verdict_name(d->verdict));
        ck_assert_uint_eq(verdicts_of(&bed.worker[0]), 1);
        d->expect(d, &inner, what);
        ck_assert_msg(drained() == 0, "%s: more came", what);
        ck_assert_msg(counted() == is_counted(d), "%s: counted for %lu bindings", what, counted());
    }
}
END_TEST

/* ---- Fragments, copies ---- */

/* Each is a packet of its own within mtu; together they are the payload. */
static void check_pieces(unsigned port, const struct spec *inner, unsigned front, unsigned mtu)
{
    uint8_t bytes[FRAME_MAX];
    unsigned payload = frame_build(inner, bytes) - inner->padding - 14 - 20, done = 0;
    for (struct rte_mbuf *m; (m = sent_by(port)) != NULL;) {
        const uint8_t *ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, 14 + front);
        unsigned len = get16(ip + 2) - 20;
        ck_assert_uint_eq(rte_pktmbuf_pkt_len(m), 14 + front + 20 + len);
        ck_assert_uint_le(20 + len, mtu);
        ck_assert_uint_eq(full_sum(ip, 20), 0);
        ck_assert_uint_eq(get16(ip + 6), done / 8 | (done + len < payload ? 0x2000 : 0));
        ck_assert_uint_eq(ip[8], 63);
        ck_assert(memcmp(ip + 20, bytes + 14 + 20 + done, len) == 0);
        done += len;
        rte_pktmbuf_free(m);
    }
    ck_assert_uint_eq(done, payload);
}

/* The MTU of a route is that of its next hop's port. */
START_TEST(too_big_inside)
{
    const struct way *way = &ways[_i];
    struct spec inner = {.dst = ELSEWHERE, .payload = 1400}, outer = by_way(way, &inner);
    if (way->ipv6)
        return; /* nobody fragments that one on its way */
    bed.worker[0].port[WAY_PORT].mtu = 1000;
    give(&outer);
    ck_assert_uint_eq(count(VERDICT_DECAPSULATED), 1);
    ck_assert_uint_eq(bed.worker[0].counters.tx_packets, 2);
    check_pieces(WAY_PORT, &inner, 0, 1000);

    inner.fragment = 0x4000;
    give(&outer);
    struct rte_mbuf *m = expect_control(PUNT_ERROR, VERDICT_PUNT_TOO_BIG, &inner, way->what);
    ck_assert_uint_eq(punt_meta(m)->mtu, 1000);
    rte_pktmbuf_free(m);

    inner.fragment = 0;
    inner.dst = OTHER_MOBILE;
    inner.payload = 1480;
    give(&outer);
    ck_assert_uint_eq(count(VERDICT_FRAGMENTED), 1);
    check_pieces(WAY_PORT, &inner, 20, TUNNEL_MTU);
    ck_assert_uint_eq(tally_packets(counter_of(OTHER_MOBILE)->tally), 1);

    inner.dst = CONNECTED;
    inner.payload = 1481;
    give(&outer);
    ck_assert_uint_eq(count(VERDICT_PUNT_RESOLVE), 1);
    ck_assert_uint_eq(drained(), 2);
    ck_assert_uint_eq(verdicts_of(&bed.worker[0]), 4);
}
END_TEST

/* The same of IPv6. */
START_TEST(too_big_for_the_next_link)
{
    for (int i = 0; i < ROWS(ways); i++) {
        struct spec inner = {.dst = ELSEWHERE, .payload = 1400}, outer = by_way(&ways[i], &inner);
        if (!ways[i].ipv6)
            continue;
        bed.worker[0].port[WAY_PORT].mtu = 1300;
        give(&outer);
        struct rte_mbuf *m = expect_control(PUNT_ERROR, VERDICT_PUNT_TOO_BIG, &inner, ways[i].what);
        ck_assert_uint_eq(punt_meta(m)->mtu, 1300);
        rte_pktmbuf_free(m);
    }
    ck_assert_uint_gt(count(VERDICT_PUNT_TOO_BIG), 0);
    ck_assert_uint_eq(drained(), 0);
}
END_TEST

/* A fragment inside is somebody's whole packet to us (by IP in IP and GRE, that is: RFC 2004 section 3). */
START_TEST(a_fragment_inside)
{
    static const uint16_t fragments[] = {0x2000, 0x2000 | 185, 185};
    for (int i = 0; i < 2 * ROWS(fragments); i++) {
        const bool gre = i % 2 == 1;
        struct spec inner = {
            .from = gre ? MOBILE_GRE : MOBILE, .dst = ELSEWHERE, .fragment = fragments[i / 2]};
        struct spec out = hopped(&inner);
        give(&(struct spec){.from = CARE_OF, .dst = HOME_AGENT, .protocol = gre ? 47 : 4, .inner = &inner});
        expect_frame(WAY_PORT, &mac_router, &out, "a fragment");
        inner.dst = HOME_AGENT;
        give(&(struct spec){.from = CARE_OF, .dst = HOME_AGENT, .protocol = gre ? 47 : 4, .inner = &inner});
    }
    ck_assert_uint_eq(count(VERDICT_DECAPSULATED), 2 * ROWS(fragments));
    ck_assert_uint_eq(count(VERDICT_PUNT_FRAGMENT), 2 * ROWS(fragments));
    ck_assert_uint_eq(drained(), 2 * ROWS(fragments));
}
END_TEST

START_TEST(to_who_has_two_care_of_addresses)
{
    struct spec inner = {.from = MOBILE, .dst = MOBILE_TWICE, .fragment = 0x4000}, within = hopped(&inner);
    struct spec first = tunnelled(&within, ENCAPSULATION_IPIP),
                second = tunnelled(&within, ENCAPSULATION_GRE);
    first.dst = CARE_OF;
    second.dst = CARE_OF + 1;
    give(&(struct spec){.from = CARE_OF, .dst = HOME_AGENT, .protocol = 4, .inner = &inner});
    expect_frame(WAY_PORT, &mac_router, &second, "the copy");
    expect_frame(WAY_PORT, &mac_router, &first, "the packet");
    ck_assert_uint_eq(count(VERDICT_TUNNELLED), 1);
    ck_assert_uint_eq(tally_packets(counter_of(MOBILE_TWICE)->tally), 1);
}
END_TEST

/* What a secondary does not know goes to the primary as it is; not what that one has sent. */
START_TEST(a_second_chance)
{
    struct spec inner = {.from = MOBILE, .dst = UNKNOWN_HERE, .ttl = 1};
    struct spec outer = {.from = CARE_OF, .dst = HOME_AGENT, .protocol = 4, .inner = &inner};
    give(&outer);
    ck_assert_uint_eq(count(VERDICT_SECOND_CHANCE), 1);
    expect_frame(HOME_PORT, &mac_primary, &inner, "second chance");
    adjacency_publish(bed.adjacencies, ADJ_PRIMARY, HOME_PORT, &mac_router); /* whose frames all are */
    give(&outer);
    ck_assert_uint_eq(count(VERDICT_DROP_SECOND_CHANCE), 1);
    ck_assert_uint_eq(drained(), 0);
}
END_TEST

START_TEST(no_buffer_for_fragments)
{
    struct spec inner = {.from = MOBILE, .dst = ELSEWHERE, .payload = 1481};
    take_all_buffers();
    give(&(struct spec){.from = CARE_OF, .dst = HOME_AGENT, .protocol = 4, .inner = &inner});
    give_back_buffers();
    ck_assert_uint_eq(count(VERDICT_DROP_NO_MBUF), 1);
}
END_TEST

/* ---- Congestion marks (RFC 6040 section 4.2, figure 4) ---- */

static const uint8_t mark_by[4][4] = {
    /* outer:    Not-ECT  ECT(1)   ECT(0)   CE */
    [NOT_ECT] = {NOT_ECT, NOT_ECT, NOT_ECT, MARK_DROP},
    [ECT_1] = {ECT_1, ECT_1, ECT_1, CE},
    [ECT_0] = {ECT_0, ECT_1, ECT_0, CE},
    [CE] = {CE, CE, CE, CE},
};

static void check_mark(const struct way *way, uint8_t inside, uint8_t outside, uint32_t destination)
{
    struct spec inner = {.dst = destination, .tos = 0xb8 | inside, .fragment = 0x4000};
    struct spec outer = by_way(way, &inner);
    outer.tos = 0x28 | outside;
    uint8_t expected = way->outer.protocol == 55 ? inside : mark_by[inside][outside];
    char what[96];
    snprintf(what, sizeof(what), "%s: inside %u, outside %u", way->what, inside, outside);
    uint64_t dropped = count(VERDICT_DROP_CONGESTION);
    give(&outer);
    ck_assert_msg(count(VERDICT_DROP_CONGESTION) - dropped == (expected == MARK_DROP), "%s", what);
    if (expected == MARK_DROP)
        return;
    struct spec within = hopped(&inner);
    within.tos = 0xb8 | expected;
    struct spec out = destination == ELSEWHERE ? within : tunnelled(&within, usual(&within));
    expect_frame(WAY_PORT, &mac_router, &out, what);
}

START_TEST(congestion_marks)
{
    for (unsigned k = 0; k < 4 * 4 * 2; k++) {
        check_mark(&ways[_i], k % 4, k / 4 % 4, k / 16 == 0 ? ELSEWHERE : OTHER_MOBILE);
        ck_assert_uint_eq(drained(), 0);
    }
}
END_TEST

/* ---- Closed ---- */

START_TEST(no_route)
{
    struct spec inner = {.dst = NOWHERE}, outer = by_way(&ways[_i], &inner);
    open_reverse_tunnels(false);
    give(&outer);
    ck_assert_uint_eq(count(VERDICT_DROP_NO_ROUTE), 1);
    inner.ttl = 1; /* nor is its sender told anything */
    give(&outer);
    ck_assert_uint_eq(count(VERDICT_DROP_NO_ROUTE), 2);
    ck_assert_uint_eq(drained(), 0);
}
END_TEST

START_TEST(closed)
{
    uint64_t given = 0;
    bed.settings.exits = NULL;
    for (int i = 0; i < ROWS(destinations); i++) {
        struct spec inner = destinations[i].inner, outer = by_way(&ways[_i], &inner);
        if (destinations[i].inner.ipv6 != ways[_i].ipv6)
            continue;
        give(&outer);
        given++;
    }
    ck_assert_uint_gt(given, 0);
    ck_assert_uint_eq(count(VERDICT_DROP_REVERSE_TUNNEL), given);
    ck_assert_uint_eq(drained(), 0);
}
END_TEST

/* IPv6's stay open where IPv4's are closed. */
START_TEST(closed_to_ipv4)
{
    uint64_t given[2] = {0};
    bed.settings.reverse_ipv6_alone = true;
    for (int i = 0; i < ROWS(ways); i++) {
        struct spec inner = {.dst = ELSEWHERE}, outer = by_way(&ways[i], &inner);
        give(&outer);
        given[ways[i].ipv6]++;
    }
    ck_assert(given[0] > 0 && given[1] > 0);
    ck_assert_uint_eq(count(VERDICT_DROP_REVERSE_TUNNEL), given[0]);
    ck_assert_uint_eq(count(VERDICT_DECAPSULATED), given[1]);
    ck_assert_uint_eq(drained(), given[1]);
}
END_TEST

START_TEST(octets)
{
    struct spec inner = {.from = MOBILE, .dst = OTHER_MOBILE, .payload = 100};
    give(&(struct spec){.from = CARE_OF, .dst = HOME_AGENT, .protocol = 4, .inner = &inner, .padding = 8});
    inner.dst = ELSEWHERE;
    give(&(struct spec){.from = CARE_OF, .dst = HOME_AGENT, .protocol = 4, .inner = &inner});
    const struct worker_counters *c = &bed.worker[0].counters;
    ck_assert_uint_eq(c->rx_bytes, 14 + 20 + 120 + 8 + 14 + 20 + 120);
    ck_assert_uint_eq(c->tx_bytes, 14 + 20 + 120 + 14 + 120);
    ck_assert_uint_eq(tally_bytes(counter_of(OTHER_MOBILE)->tally), 120);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("reverse");
    TCase *c = tcase_create("tunnels");
    tcase_add_checked_fixture(c, set_up_reverse_tunnels, tear_down);
    tcase_add_loop_test(c, every_way_to_every_destination, 0, ROWS(ways));
    tcase_add_loop_test(c, too_big_inside, 0, ROWS(ways));
    tcase_add_test(c, too_big_for_the_next_link);
    tcase_add_test(c, a_fragment_inside);
    tcase_add_test(c, to_who_has_two_care_of_addresses);
    tcase_add_test(c, a_second_chance);
    tcase_add_test(c, no_buffer_for_fragments);
    tcase_add_loop_test(c, congestion_marks, 0, ROWS(ways));
    tcase_add_loop_test(c, no_route, 0, ROWS(ways));
    tcase_add_loop_test(c, closed, 0, ROWS(ways));
    tcase_add_test(c, closed_to_ipv4);
    tcase_add_test(c, octets);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return bed_main("test_reverse", suite);
}
