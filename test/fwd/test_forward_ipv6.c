/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Forwarding with IPv6 inside, outside or both: what leaves, whole or in fragments of the tunnel's own
 * packet, in copies, and what waits for its next hop.
 */
#include "worker_bed.h"

#define LIMITED(value) .protocol = 60, .options = "\x29\0\4\1" value "\1\1\0", .n_options = 8

static unsigned outer_len(const uint8_t *ip)
{
    return ip[0] >> 4 == 6 ? 40 : 20;
}

/* An outer header of our tunnels but for its length and next header. */
static void check_outer(const uint8_t *ip, const uint8_t *inner)
{
    const uint8_t class = inner[0] >> 4 == 6 ? (uint8_t)(get16(inner) >> 4) : inner[1];
    const struct addr source = six(HOME_AGENT), destination = six(CARE_OF);
    if (ip[0] >> 4 == 4) {
        ck_assert_uint_eq(full_sum(ip, 20), 0);
        ck_assert_uint_eq(get32(ip + 12), HOME_AGENT);
        ck_assert_uint_eq(get32(ip + 16), CARE_OF);
        ck_assert_uint_eq(ip[1], class);
        ck_assert_uint_eq(ip[8], 64);
        return;
    }
    ck_assert_uint_eq(get32(ip) >> 20, 0x600 | class);
    ck_assert_uint_ne(get32(ip) & 0xfffff, 0);
    ck_assert_uint_eq(ip[7], 64);
    ck_assert(memcmp(ip + 8, &source, 16) == 0);
    ck_assert(memcmp(ip + 24, &destination, 16) == 0);
}

/* ---- Whole packets ---- */

static const struct whole {
    const char *what;
    enum encapsulation how;
    struct spec frame;
    uint8_t next; /* of the outer header */
} whole[] = {
    {"IPv6 in IPv6, by the express way",
     ENCAPSULATION_IPV6_IN_IPV6,
     {.ipv6 = true, .tos = 0xb9, .flow = 7},
     41},
    {"IPv6 in IPv6, padded", ENCAPSULATION_IPV6_IN_IPV6, {.ipv6 = true, .padding = 6}, 41},
    {"IPv6 in IPv6, the largest", ENCAPSULATION_IPV6_IN_IPV6, {.ipv6 = true, .payload = 1420}, 41},
    {"IPv6 in IPv6, hop limit 255", ENCAPSULATION_IPV6_IN_IPV6, {.ipv6 = true, .ttl = 255}, 41},
    {"IPv6 in IPv4, by the express way", ENCAPSULATION_IPV6_IN_IPV4, {.ipv6 = true, .tos = 0xb9}, 41},
    {"IPv6 in IPv4", ENCAPSULATION_IPV6_IN_IPV4, {.ipv6 = true, .padding = 3}, 41},
    {"IPv6 in IPv4, its encapsulation limit does not count there",
     ENCAPSULATION_IPV6_IN_IPV4,
     {.ipv6 = true, LIMITED("\0")},
     41},
    {"IPv4 in IPv6, by the express way", ENCAPSULATION_IPV4_IN_IPV6, {.tos = 0xb9, .fragment = 0x4000}, 4},
    {"IPv4 in IPv6", ENCAPSULATION_IPV4_IN_IPV6, {.options = "\1\1\1\0", .n_options = 4}, 4},
    {"IPv4 in IPv6, a fragment", ENCAPSULATION_IPV4_IN_IPV6, {.fragment = 0x2001}, 4},
};

START_TEST(a_tunnelled_packet)
{
    const struct whole *row = &whole[_i];
    const struct spec *spec = &row->frame;
    const struct addr home = address_of(spec->ipv6, AWAY);
    uint8_t frame[FRAME_MAX];
    unsigned size = frame_build(spec, frame) - 14 - spec->padding;
    install_at(&home, tunnel_by(row->how, CARE_OF, 0));
    give(spec);
    struct rte_mbuf *m = sent_by(WAY_PORT);
    ck_assert_msg(m != NULL && sent_by(WAY_PORT) == NULL, "%s", row->what);
    check_ethernet(m, &mac_router, &mac_way);
    const uint8_t *ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, 14);
    unsigned outer = outer_len(ip);
    ck_assert_uint_eq(rte_pktmbuf_pkt_len(m), 14 + outer + size);
    check_outer(ip, frame + 14);
    ck_assert_uint_eq(ip[outer == 40 ? 6 : 9], row->next);
    ck_assert_uint_eq(outer == 40 ? get16(ip + 4) + 40 : get16(ip + 2), outer + size);
    check_hopped(ip + outer, frame, size);
    rte_pktmbuf_free(m);

    const struct worker *w = &bed.worker[0];
    const struct binding_counter *c = &w->bindings[installed_at(&home)->slot];
    ck_assert_uint_eq(tally_packets(c->tally), 1);
    ck_assert_uint_eq(tally_bytes(c->tally), size);
    ck_assert_uint_eq(count(VERDICT_TUNNELLED), 1);
    ck_assert_uint_eq(w->counters.tx_bytes, 14 + outer + size);
}
END_TEST

/* RFC 2473 section 4.1.1. */
START_TEST(an_encapsulation_limit_goes_down)
{
    struct spec spec = {.ipv6 = true, LIMITED("\4")};
    uint8_t frame[FRAME_MAX];
    unsigned size = frame_build(&spec, frame) - 14;
    give(&spec);
    struct rte_mbuf *m = sent_by(WAY_PORT);
    ck_assert_ptr_nonnull(m);
    const uint8_t *ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, 14);
    ck_assert_uint_eq(rte_pktmbuf_pkt_len(m), 14 + 48 + size);
    check_outer(ip, frame + 14);
    ck_assert_uint_eq(ip[6], 60);
    ck_assert_uint_eq(get16(ip + 4), 8 + size);
    ck_assert(memcmp(ip + 40, "\x29\0\4\1\3\1\1\0", 8) == 0);
    check_hopped(ip + 48, frame, size);
    rte_pktmbuf_free(m);
}
END_TEST

START_TEST(an_on_link_packet)
{
    struct spec spec = {.ipv6 = true, .dst = AT_HOME, .tos = 3, .ttl = 255, .padding = 9};
    uint8_t frame[FRAME_MAX];
    unsigned size = frame_build(&spec, frame) - 14 - spec.padding;
    give(&spec);
    struct rte_mbuf *m = sent_by(HOME_PORT);
    ck_assert_ptr_nonnull(m);
    ck_assert_uint_eq(rte_pktmbuf_pkt_len(m), 14 + size);
    check_ethernet(m, &mac_at_home, &mac_own);
    check_hopped(rte_pktmbuf_mtod_offset(m, const uint8_t *, 14), frame, size);
    rte_pktmbuf_free(m);
}
END_TEST

static const struct waiting {
    const char *what;
    uint32_t dst, adjacency;
    unsigned outer;
} waiting[] = {
    {"a tunnel's next hop", AWAY_WAITING, ADJ_WAITING, 40},
    {"a host at home", AT_HOME_WAITING, ADJ_AT_HOME_WAITING, 0},
    {"a host never seen", UNSEEN, ADJACENCY_NONE, 0},
};

START_TEST(waiting_for_a_mac_address)
{
    const struct waiting *row = &waiting[_i];
    struct spec spec = {.ipv6 = true, .dst = row->dst, .padding = 3};
    uint8_t frame[FRAME_MAX];
    unsigned size = frame_build(&spec, frame) - 14 - spec.padding;
    give(&spec);
    struct rte_mbuf *m = punted(PUNT_RESOLVE);
    ck_assert_ptr_nonnull(m);
    ck_assert_uint_eq(punt_meta(m)->adjacency, row->adjacency);
    ck_assert_uint_eq(rte_pktmbuf_pkt_len(m), row->outer + size);
    const uint8_t *ip = rte_pktmbuf_mtod(m, const uint8_t *);
    if (row->outer > 0)
        check_outer(ip, frame + 14);
    check_hopped(ip + row->outer, frame, size);
    ck_assert_uint_ge(rte_pktmbuf_headroom(m), 14);
    rte_pktmbuf_free(m);
}
END_TEST

/* RFC 4213 section 3.2.2: where a tunnel must take more than its path does, routers may fragment. */
START_TEST(df_over_ipv4)
{
    static const struct {
        uint16_t path_mtu, flags;
        bool always;
    } rows[] = {{1500, 0x4000, false}, {1301, 0x4000, false}, {1300, 0, false}, {1300, 0x4000, true}};
    for (int i = 0; i < ROWS(rows); i++) {
        struct tunnel t = tunnel_over(ENCAPSULATION_IPV6_IN_IPV4, CARE_OF);
        t.path_mtu = rows[i].path_mtu;
        install_six(AWAY, entry_of(&t));
        bed.settings.outer_df_always = rows[i].always;
        give(&(struct spec){.ipv6 = true});
        struct rte_mbuf *m = sent_by(WAY_PORT);
        ck_assert_ptr_nonnull(m);
        ck_assert_uint_eq(get16(rte_pktmbuf_mtod_offset(m, const uint8_t *, 14 + 6)), rows[i].flags);
        rte_pktmbuf_free(m);
    }
}
END_TEST

/* ---- Fragments of the tunnel's own packet ---- */

/* What has come of it. */
struct whole_again {
    unsigned pieces, len;
    uint32_t identification;
    uint8_t bytes[FRAME_MAX];
};

/* One fragment of IPv6, the next in order: its part is put behind what is there (RFC 8200 section 4.5). */
static void join_ipv6(struct whole_again *w, const uint8_t *ip, unsigned len, uint16_t path_mtu)
{
    const unsigned fragment = ip[6] == 60 ? 48 : 40, part = len - fragment - 8;
    const uint8_t *header = ip + fragment;
    ck_assert_uint_eq(ip[fragment == 48 ? 40 : 6], 44);
    ck_assert_uint_le(len, path_mtu);
    ck_assert_uint_eq(get16(ip + 4), len - 40);
    ck_assert_uint_eq(header[1], 0);
    if (w->pieces == 0) {
        memcpy(w->bytes, ip, fragment);
        w->bytes[fragment == 48 ? 40 : 6] = header[0];
        w->len = fragment;
        w->identification = get32(header + 4);
    }
    ck_assert_uint_eq(get32(header + 4), w->identification);
    ck_assert_uint_eq(get16(header + 2) & ~7U, w->len - fragment);
    ck_assert((get16(header + 2) & 1) == 0 || part % 8 == 0);
    memcpy(w->bytes + w->len, header + 8, part);
    w->len += part;
    w->pieces++;
}

static void join_ipv4(struct whole_again *w, const uint8_t *ip, unsigned len, uint16_t path_mtu)
{
    ck_assert_uint_le(len, path_mtu);
    ck_assert_uint_eq(full_sum(ip, 20), 0);
    if (w->pieces == 0) {
        memcpy(w->bytes, ip, 20);
        w->len = 20;
        w->identification = get16(ip + 4);
    }
    ck_assert_uint_eq(get16(ip + 4), w->identification);
    ck_assert_uint_eq((get16(ip + 6) & 0x1fff) * 8, w->len - 20);
    memcpy(w->bytes + w->len, ip + 20, len - 20);
    w->len += len - 20;
    w->pieces++;
}

static struct whole_again joined(uint16_t path_mtu)
{
    struct whole_again w = {0};
    for (struct rte_mbuf *m; (m = sent_by(WAY_PORT)) != NULL; rte_pktmbuf_free(m)) {
        const uint8_t *ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, 14);
        check_ethernet(m, &mac_router, &mac_way);
        if (ip[0] >> 4 == 6)
            join_ipv6(&w, ip, rte_pktmbuf_pkt_len(m) - 14, path_mtu);
        else
            join_ipv4(&w, ip, rte_pktmbuf_pkt_len(m) - 14, path_mtu);
    }
    return w;
}

static const struct fragmented {
    const char *what;
    enum encapsulation how;
    struct spec frame;
    uint16_t path_mtu, size; /* of the packet inside */
    unsigned pieces;         /* 1: whole; 0: too big, and told so */
    uint16_t told;
} fragmented[] = {
    {"IPv6, what the path takes", ENCAPSULATION_IPV6_IN_IPV6, {.ipv6 = true}, 1280, 1240, 1, 0},
    {"IPv6, a byte more", ENCAPSULATION_IPV6_IN_IPV6, {.ipv6 = true}, 1280, 1241, 2, 0},
    {"IPv6, what every link takes", ENCAPSULATION_IPV6_IN_IPV6, {.ipv6 = true}, 1280, 1280, 2, 0},
    {"IPv6, a byte more", ENCAPSULATION_IPV6_IN_IPV6, {.ipv6 = true}, 1280, 1281, 0, 1280},
    {"IPv6, Ethernet's", ENCAPSULATION_IPV6_IN_IPV6, {.ipv6 = true}, 1280, 1500, 0, 1280},
    {"IPv6, a path of 1320 bytes", ENCAPSULATION_IPV6_IN_IPV6, {.ipv6 = true}, 1320, 1280, 1, 0},
    {"IPv6, a byte more", ENCAPSULATION_IPV6_IN_IPV6, {.ipv6 = true}, 1320, 1281, 0, 1280},
    {"IPv6, a path of 1400 bytes", ENCAPSULATION_IPV6_IN_IPV6, {.ipv6 = true}, 1400, 1361, 0, 1360},
    {"limited, what the path takes",
     ENCAPSULATION_IPV6_IN_IPV6,
     {.ipv6 = true, LIMITED("\2")},
     1280,
     1232,
     1,
     0},
    {"limited, a byte more", ENCAPSULATION_IPV6_IN_IPV6, {.ipv6 = true, LIMITED("\2")}, 1280, 1233, 2, 0},
    {"limited, a byte more than every link takes",
     ENCAPSULATION_IPV6_IN_IPV6,
     {.ipv6 = true, LIMITED("\2")},
     1280,
     1281,
     0,
     1280},
    {"IPv6 in IPv4, what the path takes", ENCAPSULATION_IPV6_IN_IPV4, {.ipv6 = true}, 1000, 980, 1, 0},
    {"IPv6 in IPv4, a byte more", ENCAPSULATION_IPV6_IN_IPV4, {.ipv6 = true}, 1000, 981, 2, 0},
    {"IPv6 in IPv4, what every link takes", ENCAPSULATION_IPV6_IN_IPV4, {.ipv6 = true}, 1000, 1280, 2, 0},
    {"IPv6 in IPv4, a small path", ENCAPSULATION_IPV6_IN_IPV4, {.ipv6 = true}, 576, 1280, 3, 0},
    {"IPv6 in IPv4, a byte more", ENCAPSULATION_IPV6_IN_IPV4, {.ipv6 = true}, 1000, 1281, 0, 1280},
    {"IPv4 in IPv6, what the path takes", ENCAPSULATION_IPV4_IN_IPV6, {0}, 1280, 1240, 1, 0},
    {"IPv4 in IPv6, DF clear", ENCAPSULATION_IPV4_IN_IPV6, {0}, 1280, 1241, 2, 0},
    {"IPv4 in IPv6, DF clear, Ethernet's", ENCAPSULATION_IPV4_IN_IPV6, {0}, 1280, 1500, 2, 0},
    {"IPv4 in IPv6, a fragment", ENCAPSULATION_IPV4_IN_IPV6, {.fragment = 0x2001}, 1280, 1500, 2, 0},
    {"IPv4 in IPv6, DF set", ENCAPSULATION_IPV4_IN_IPV6, {.fragment = 0x4000}, 1280, 1241, 0, 1240},
};

START_TEST(fragments)
{
    const struct fragmented *row = &fragmented[_i];
    struct spec spec = row->frame;
    spec.payload = (uint16_t)(row->size - (spec.ipv6 ? 40 : 20) - spec.n_options);
    struct tunnel t = tunnel_over(row->how, CARE_OF);
    t.path_mtu = row->path_mtu;
    const struct addr home = address_of(spec.ipv6, AWAY);
    install_at(&home, entry_of(&t));
    if (row->pieces == 0) {
        struct rte_mbuf *m = punted_unchanged(PUNT_ERROR, &spec);
        ck_assert_uint_eq(punt_meta(m)->verdict, VERDICT_PUNT_TOO_BIG);
        ck_assert_msg(punt_meta(m)->mtu == row->told, "%s: %u", row->what, punt_meta(m)->mtu);
        rte_pktmbuf_free(m);
        return;
    }
    uint8_t frame[FRAME_MAX];
    ck_assert_uint_eq(frame_build(&spec, frame), 14 + row->size);
    give(&spec);
    ck_assert_uint_eq(verdicts_of(&bed.worker[0]), 1);
    ck_assert_msg(count(row->pieces > 1 ? VERDICT_FRAGMENTED : VERDICT_TUNNELLED) == 1, "%s", row->what);
    if (row->pieces == 1)
        return;
    struct whole_again w = joined(row->path_mtu);
    ck_assert_msg(w.pieces == row->pieces, "%s: %u", row->what, w.pieces);
    unsigned outer = outer_len(w.bytes) + spec.n_options; /* ours is as long */
    ck_assert_uint_eq(w.len, outer + row->size);
    if (w.bytes[0] >> 4 == 6) /* IPv4's header sum is that of its first fragment */
        check_outer(w.bytes, frame + 14);
    check_hopped(w.bytes + outer, frame, row->size);
    ck_assert_uint_eq(tally_packets(bed.worker[0].bindings[installed_at(&home)->slot].tally), 1);
}
END_TEST

static uint32_t identification_from(unsigned worker)
{
    struct rte_mbuf *m = frame_of(&(struct spec){.ipv6 = true, .payload = 1240});
    worker_burst(&bed.worker[worker], HOME_PORT, &m, 1);
    struct whole_again w = joined(1280);
    ck_assert_uint_eq(w.pieces, 2);
    return w.identification;
}

/* Two workers, and nodes that share the outer source: none has another's number, nor one of control's. */
START_TEST(identifications_do_not_meet)
{
    enum { SLOTS = 3, EACH = 500 };
    static const uint8_t slots[SLOTS] = {0, 1, 63};
    static uint32_t seen[SLOTS * EACH];
    for (unsigned i = 0; i < SLOTS * EACH; i++) {
        struct tunnel t = tunnel_over(ENCAPSULATION_IPV6_IN_IPV6, CARE_OF);
        t.path_mtu = 1280;
        t.id_slot = slots[i / EACH];
        bed.settings.id_slots = WORKER_ID_SLOTS;
        install_six(AWAY, entry_of(&t));
        table_reclaim(bed.table, 10);
        seen[i] = identification_from(i % 2);
        ck_assert_uint_eq(seen[i] >> IPV6_ID_SLOT_SHIFT, t.id_slot);
        ck_assert_uint_eq(seen[i] & 1, 0);
        for (unsigned k = 0; k < i; k++)
            MUST(seen[k] != seen[i]);
        worker_turn(&bed.worker[0]);
        worker_turn(&bed.worker[1]);
    }
}
END_TEST

START_TEST(no_buffer_for_fragments)
{
    struct tunnel t = tunnel_over(ENCAPSULATION_IPV6_IN_IPV6, CARE_OF);
    t.path_mtu = 1280;
    install_six(AWAY, entry_of(&t));
    for (unsigned free_ones = 0; free_ones < 3; free_ones++) {
        struct rte_mbuf *m = frame_of(&(struct spec){.ipv6 = true, .payload = 1240});
        take_all_buffers();
        for (unsigned k = 1; k < free_ones; k++)
            rte_pktmbuf_free(bed.hoard[--bed.hoarded]);
        struct rte_mbuf *last = free_ones == 0 ? rte_pktmbuf_alloc(bed.pool) : NULL;
        worker_burst(&bed.worker[0], HOME_PORT, &m, 1);
        rte_pktmbuf_free(last);
        give_back_buffers();
    }
    ck_assert_uint_eq(count(VERDICT_DROP_NO_MBUF), 3);
    ck_assert_ptr_null(sent_by(WAY_PORT));
}
END_TEST

START_TEST(fragments_wait_as_well)
{
    struct tunnel t = tunnel_over(ENCAPSULATION_IPV6_IN_IPV6, CARE_OF);
    t.path_mtu = 1280;
    t.adjacency = ADJ_WAITING;
    install_six(AWAY, entry_of(&t));
    give(&(struct spec){.ipv6 = true, .payload = 1240});
    ck_assert_uint_eq(count(VERDICT_PUNT_RESOLVE), 1);
    ck_assert_uint_eq(rte_ring_count(bed.punts.ring[PUNT_RESOLVE]), 2);
}
END_TEST

/* ---- Several care-of addresses ---- */

/* One of either family, the second with the smaller path; both paths count for both. */
START_TEST(a_copy_over_each_family)
{
    struct tunnel t[] = {tunnel_over(ENCAPSULATION_IPV6_IN_IPV6, CARE_OF),
                         tunnel_over(ENCAPSULATION_IPV6_IN_IPV4, CARE_OF)};
    struct entry set[] = {entry_of(&t[0]), entry_of(&t[1])};
    struct addr home = six(AWAY);
    ck_assert_int_eq(table_install_set(bed.table, &home, set, 2), 0);
    struct spec spec = {.ipv6 = true, .payload = 1000, .padding = 3, .tos = 0xb8};
    uint8_t frame[FRAME_MAX];
    unsigned size = frame_build(&spec, frame) - 14 - spec.padding, seen = 0;
    give(&spec);
    for (unsigned i = 0; i < 2; i++) {
        struct rte_mbuf *m = sent_by(WAY_PORT);
        ck_assert_ptr_nonnull(m);
        check_ethernet(m, &mac_router, &mac_way);
        const uint8_t *ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, 14);
        check_outer(ip, frame + 14);
        check_hopped(ip + outer_len(ip), frame, size);
        seen |= ip[0] >> 4;
        rte_pktmbuf_free(m);
    }
    ck_assert_uint_eq(seen, 6 | 4);
    ck_assert_uint_eq(count(VERDICT_TUNNELLED), 1);
    struct rte_mbuf *m = punted_unchanged(PUNT_ERROR, &(struct spec){.ipv6 = true, .payload = 1421});
    ck_assert_uint_eq(punt_meta(m)->mtu, 1460);
    rte_pktmbuf_free(m);
}
END_TEST

/* The limit's header makes it too large for the tunnel over IPv6 alone. */
START_TEST(a_copy_in_fragments)
{
    struct tunnel t[] = {tunnel_over(ENCAPSULATION_IPV6_IN_IPV4, CARE_OF),
                         tunnel_over(ENCAPSULATION_IPV6_IN_IPV6, CARE_OF)};
    t[1].path_mtu = 1280;
    struct entry set[] = {entry_of(&t[0]), entry_of(&t[1])};
    struct addr home = six(AWAY);
    ck_assert_int_eq(table_install_set(bed.table, &home, set, 2), 0);
    give(&(struct spec){.ipv6 = true, LIMITED("\7"), .payload = 1240 - 48});
    ck_assert_uint_eq(count(VERDICT_TUNNELLED), 1);
    unsigned over[7] = {0};
    for (struct rte_mbuf *m; (m = sent_by(WAY_PORT)) != NULL; rte_pktmbuf_free(m))
        over[*rte_pktmbuf_mtod_offset(m, const uint8_t *, 14) >> 4]++;
    ck_assert_uint_eq(over[4], 1);
    ck_assert_uint_eq(over[6], 2);
}
END_TEST

START_TEST(no_copy_back_to_its_source)
{
    struct tunnel t[] = {tunnel_over(ENCAPSULATION_IPV6_IN_IPV6, CARE_OF),
                         tunnel_over(ENCAPSULATION_IPV6_IN_IPV6, CARE_OF + 1)};
    struct entry set[] = {entry_of(&t[0]), entry_of(&t[1])};
    struct addr home = six(AWAY);
    ck_assert_int_eq(table_install_set(bed.table, &home, set, 2), 0);
    give(&(struct spec){.ipv6 = true, .from = CARE_OF + 1});
    give(&(struct spec){.ipv6 = true, .from = CARE_OF});
    ck_assert_uint_eq(count(VERDICT_DROP_LOOP_CARE_OF), 2);
    ck_assert_ptr_null(sent_by(WAY_PORT));
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("forward_ipv6");
    TCase *c = tcase_create("packets");
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_add_loop_test(c, a_tunnelled_packet, 0, ROWS(whole));
    tcase_add_test(c, an_encapsulation_limit_goes_down);
    tcase_add_test(c, an_on_link_packet);
    tcase_add_loop_test(c, waiting_for_a_mac_address, 0, ROWS(waiting));
    tcase_add_test(c, df_over_ipv4);
    tcase_add_loop_test(c, fragments, 0, ROWS(fragmented));
    tcase_add_test(c, identifications_do_not_meet);
    tcase_add_test(c, no_buffer_for_fragments);
    tcase_add_test(c, fragments_wait_as_well);
    tcase_add_test(c, a_copy_over_each_family);
    tcase_add_test(c, a_copy_in_fragments);
    tcase_add_test(c, no_copy_back_to_its_source);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return bed_main("test_forward_ipv6", suite);
}
