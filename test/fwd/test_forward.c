/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Forwarding by an entry: what leaves by which port, whole or in fragments, in copies, by each encapsulation,
 * and what waits for its next hop.
 */
#include "worker_bed.h"

/* ---- Whole packets ---- */

static const struct spec whole[] = {
    {.tos = 0xb9, .fragment = 0x4000}, /* by the express way */
    {.tos = 0xb9, .fragment = 0x4000, .options = "\x94\4\0\0", .n_options = 4, .padding = 6},
};

START_TEST(a_tunnelled_packet)
{
    struct spec spec = whole[_i];
    uint8_t frame[FRAME_MAX];
    unsigned size = frame_build(&spec, frame) - 14 - spec.padding;
    give(&spec);
    struct rte_mbuf *m = sent_by(WAY_PORT);
    ck_assert_ptr_nonnull(m);
    ck_assert_ptr_null(sent_by(WAY_PORT));
    ck_assert_uint_eq(rte_pktmbuf_pkt_len(m), 14 + 20 + size);
    check_ethernet(m, &mac_router, &mac_way);
    const uint8_t *outer = rte_pktmbuf_mtod_offset(m, const uint8_t *, 14);
    ck_assert_uint_eq(outer[0], 0x45);
    ck_assert_uint_eq(outer[1], 0xb9);
    ck_assert_uint_eq(get16(outer + 2), 20 + size);
    ck_assert_uint_eq(get16(outer + 4), 0);
    ck_assert_uint_eq(get16(outer + 6), 0x4000);
    ck_assert_uint_eq(outer[8], 64);
    ck_assert_uint_eq(outer[9], 4);
    ck_assert_uint_eq(get32(outer + 12), HOME_AGENT);
    ck_assert_uint_eq(get32(outer + 16), CARE_OF);
    ck_assert_uint_eq(full_sum(outer, 20), 0);
    check_hopped(outer + 20, frame, size);
    rte_pktmbuf_free(m);

    const struct worker *w = &bed.worker[0];
    struct addr home = addr_from_ipv4(AWAY);
    const struct binding_counter *c = &w->bindings[table_get(bed.table, &home)->slot];
    ck_assert_uint_eq(tally_packets(c->tally), 1);
    ck_assert_uint_eq(tally_bytes(c->tally), size);
    ck_assert_uint_eq(w->counters.rx_bytes, 14 + size + spec.padding);
    ck_assert_uint_eq(w->counters.tx_packets, 1);
    ck_assert_uint_eq(w->counters.tx_bytes, 14 + 20 + size);
}
END_TEST

START_TEST(an_on_link_packet)
{
    struct spec spec = {.dst = AT_HOME, .tos = 3, .ttl = 255, .padding = 9};
    uint8_t frame[FRAME_MAX];
    unsigned size = frame_build(&spec, frame) - 14 - spec.padding;
    give(&spec);
    struct rte_mbuf *m = sent_by(HOME_PORT);
    ck_assert_ptr_nonnull(m);
    ck_assert_uint_eq(rte_pktmbuf_pkt_len(m), 14 + size);
    check_ethernet(m, &mac_at_home, &mac_own);
    check_hopped(rte_pktmbuf_mtod_offset(m, const uint8_t *, 14), frame, size);
    rte_pktmbuf_free(m);
    struct addr home = addr_from_ipv4(AT_HOME);
    ck_assert_uint_eq(tally_bytes(bed.worker[0].bindings[table_get(bed.table, &home)->slot].tally), size);
}
END_TEST

static uint16_t outer_field(const struct spec *spec, unsigned offset)
{
    give(spec);
    struct rte_mbuf *m = sent_by(WAY_PORT);
    ck_assert_ptr_nonnull(m);
    const uint8_t *outer = rte_pktmbuf_mtod_offset(m, const uint8_t *, 14);
    ck_assert_uint_eq(full_sum(outer, 20), 0);
    uint16_t v = (uint16_t)get16(outer + offset);
    rte_pktmbuf_free(m);
    return v;
}

START_TEST(outer_df)
{
    struct spec clear = {0}, set = {.fragment = 0x4000};
    ck_assert_uint_eq(outer_field(&clear, 6), 0);
    ck_assert_uint_eq(outer_field(&set, 6), 0x4000);
    bed.settings.outer_df_always = true;
    ck_assert_uint_eq(outer_field(&clear, 6), 0x4000);
    ck_assert_uint_eq(outer_field(&clear, 4), 0);
    ck_assert_uint_eq(outer_field(&set, 6), 0x4000);
    bed.settings.outer_df_always = false;
}
END_TEST

static unsigned identification_from(unsigned worker, uint32_t home)
{
    struct rte_mbuf *m = frame_of(&(struct spec){.dst = home});
    worker_burst(&bed.worker[worker], HOME_PORT, &m, 1);
    m = sent_by(WAY_PORT);
    ck_assert_ptr_nonnull(m);
    unsigned id = get16(rte_pktmbuf_mtod_offset(m, const uint8_t *, 14 + 4));
    rte_pktmbuf_free(m);
    drain();
    return id;
}

/* Nodes that share the outer source have a slot each; two workers of each tunnel to one care-of address by
 * turns. No number twice until a slot's 1024 are used up, and none of another slot's. */
START_TEST(identification_slots_do_not_meet)
{
    static const uint8_t slots[] = {0, 1, 31, 63};
    static bool used[65536];
    memset(used, 0, sizeof(used));
    bed.settings.id_slots = WORKER_ID_SLOTS;
    for (int k = 0; k < ROWS(slots); k++) {
        struct tunnel t = plain_tunnel(CARE_OF);
        t.id_slot = slots[k];
        install(AWAY, entry_of(&t));
        for (unsigned i = 0; i < 1024; i++) {
            unsigned id = identification_from(i % 2, AWAY);
            ck_assert_msg(id / 1024 == slots[k], "slot %u: %u", slots[k], id);
            ck_assert_msg(!used[id], "slot %u: %u again after %u packets", slots[k], id, i);
            used[id] = true;
        }
    }
}
END_TEST

/* Two workers tunnel to one care-of address: no number twice until all 65536 are used up. */
START_TEST(identifications_are_never_shared)
{
    static bool used[65536];
    memset(used, 0, sizeof(used));
    for (unsigned i = 0; i < 65536; i++) {
        unsigned id = identification_from(i % 2, i % 3 == 0 ? AWAY_LOST : AWAY);
        ck_assert_msg(!used[id], "%u again, after %u packets", id, i);
        used[id] = true;
    }
}
END_TEST

static const struct fragmented {
    const char *what;
    uint32_t dst;
    uint16_t payload, fragment;
    const char *options;
    uint8_t n_options;
    uint16_t mtu; /* of the entry */
    unsigned pieces;
} fragmented[] = {
    {"one byte too much", AWAY, 1461, 0, "", 0, 1480, 2},
    {"a small tunnel", AWAY, 1480, 0, "", 0, 256, 7},
    {"the smallest tunnel", AWAY, 1480, 0, "", 0, 68, 31},
    {"a fragment with more to come", AWAY, 1480, 0x2000 | 100, "", 0, 576, 3},
    {"the last fragment of its datagram", AWAY, 1480, 100, "", 0, 576, 3},
    {"options: one to be copied, one not", AWAY, 1400, 0, "\x94\4\0\0\7\7\4\0\0\0\0\0", 12, 576, 3},
    {"on the link", AT_HOME, 1480, 0, "", 0, 1000, 2},
};

/* Fragments must tile the payload in order, at offsets and with flags as RFC 791 section 3.2 wants. */
static void check_fragments(const struct fragmented *row, const uint8_t *frame, unsigned port, bool tunnelled)
{
    uint8_t whole[FRAME_MAX];
    unsigned base = row->fragment & 0x1fff, done = 0, pieces = 0;
    uint16_t last_outer_id = 0;
    struct rte_mbuf *m;
    while ((m = sent_by(port)) != NULL) {
        const uint8_t *ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, 14);
        ck_assert_uint_eq(rte_pktmbuf_pkt_len(m), 14 + get16(ip + 2));
        ck_assert_uint_eq(m->nb_segs, 1);
        if (tunnelled) {
            ck_assert_uint_eq(full_sum(ip, 20), 0);
            ck_assert_uint_eq(get16(ip + 6), 0);
            ck_assert(pieces == 0 || get16(ip + 4) != last_outer_id);
            last_outer_id = (uint16_t)get16(ip + 4);
            ip += 20;
        }
        unsigned header = (ip[0] & 15) * 4, len = get16(ip + 2) - header, flags = get16(ip + 6);
        bool last = done + len == row->payload;
        ck_assert_uint_le(header + len, row->mtu);
        ck_assert_uint_eq(header, pieces == 0 ? 20U + row->n_options : row->n_options > 0 ? 24 : 20);
        ck_assert_uint_eq(full_sum(ip, header), 0);
        ck_assert_uint_eq(flags & 0x1fff, base + done / 8);
        ck_assert_uint_eq(flags & 0xc000, 0);
        ck_assert_uint_eq((flags & 0x2000) != 0, !last || (row->fragment & 0x2000) != 0);
        ck_assert(last || len % 8 == 0);
        ck_assert_uint_eq(get16(ip + 4), 0x4321);
        ck_assert_uint_eq(ip[8], 63);
        ck_assert(memcmp(ip + 12, frame + 14 + 12, 8) == 0);
        ck_assert_uint_le(done + len, row->payload);
        memcpy(whole + done, ip + header, len);
        done += len;
        pieces++;
        rte_pktmbuf_free(m);
    }
    ck_assert_msg(pieces == row->pieces, "%s: %u fragments", row->what, pieces);
    ck_assert_uint_eq(done, row->payload);
    ck_assert(memcmp(whole, frame + 14 + 20 + row->n_options, done) == 0);
}

START_TEST(fragments)
{
    const struct fragmented *row = &fragmented[_i];
    struct spec spec = {.dst = row->dst,
                        .payload = row->payload,
                        .fragment = row->fragment,
                        .id = 0x4321,
                        .options = row->options,
                        .n_options = row->n_options};
    struct addr home = addr_from_ipv4(row->dst);
    struct entry e = *table_get(bed.table, &home);
    e.mtu = row->mtu;
    install(row->dst, e);
    uint8_t frame[FRAME_MAX];
    frame_build(&spec, frame);
    give(&spec);
    bool tunnelled = row->dst == AWAY;
    ck_assert_uint_eq(count(tunnelled ? VERDICT_FRAGMENTED : VERDICT_ON_LINK), 1);
    ck_assert_uint_eq(verdicts_of(&bed.worker[0]), 1);
    check_fragments(row, frame, tunnelled ? WAY_PORT : HOME_PORT, tunnelled);
    ck_assert_uint_eq(tally_packets(bed.worker[0].bindings[table_get(bed.table, &home)->slot].tally), 1);
}
END_TEST

/* Below what every link takes whole, fragments are larger than the tunnel's MTU: they must stay divisible. */
START_TEST(fragments_below_the_floor)
{
    bed.settings.outer_df_always = true;
    struct entry e = tunnel_to(CARE_OF, ADJ_ROUTER, 0);
    e.mtu = 48;
    install(AWAY, e);
    give(&(struct spec){.payload = 200});
    struct rte_mbuf *m;
    unsigned pieces = 0;
    for (; (m = sent_by(WAY_PORT)) != NULL; pieces++) {
        const uint8_t *outer = rte_pktmbuf_mtod_offset(m, const uint8_t *, 14);
        bool fits = get16(outer + 2) - 20 <= 48;
        ck_assert_uint_eq(get16(outer + 6), fits ? 0x4000 : 0);
        rte_pktmbuf_free(m);
    }
    ck_assert_uint_eq(pieces, 5);
}
END_TEST

START_TEST(what_cannot_be_fragmented)
{
    /* More fragments than are ever made at once; and one that would end beyond any datagram. */
    struct entry e = tunnel_to(CARE_OF, ADJ_ROUTER, 0);
    e.mtu = 68;
    install(AWAY, e);
    give(&(struct spec){
        .payload = 1400,
        .options = "\x94\x28\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        .n_options = 40});
    ck_assert_uint_eq(count(VERDICT_DROP_NO_MBUF), 1);
    give(&(struct spec){.payload = 1400, .fragment = 0x1fff});
    ck_assert_uint_eq(count(VERDICT_DROP_NO_MBUF), 2);
    ck_assert_ptr_null(sent_by(WAY_PORT));
}
END_TEST

/* ---- Several care-of addresses, and other encapsulations ---- */

/* The first is nearest; the second may be waiting for its next hop; all on other ways than the first. */
static void install_two(uint16_t second_path_mtu, uint32_t second_adjacency)
{
    struct addr home = addr_from_ipv4(AWAY);
    struct tunnel t = plain_tunnel(CARE_OF), second = plain_tunnel(CARE_OF + 1);
    second.path_mtu = second_path_mtu;
    second.adjacency = second_adjacency;
    second.encapsulation = ENCAPSULATION_GRE;
    struct entry set[] = {entry_of(&t), entry_of(&second)};
    ck_assert_int_eq(table_install_set(bed.table, &home, set, 2), 0);
}

/* The next frame out: the packet within, one hop further, behind the headers of its tunnel. */
static void check_copy(const uint8_t *frame, unsigned size, uint32_t care_of, unsigned overhead)
{
    struct rte_mbuf *m = sent_by(WAY_PORT);
    ck_assert_ptr_nonnull(m);
    check_ethernet(m, &mac_router, &mac_way);
    const uint8_t *outer = rte_pktmbuf_mtod_offset(m, const uint8_t *, 14);
    ck_assert_uint_eq(rte_pktmbuf_pkt_len(m), 14 + overhead + size);
    ck_assert_uint_eq(get32(outer + 16), care_of);
    ck_assert_uint_eq(full_sum(outer, 20), 0);
    check_hopped(outer + overhead, frame, size);
    rte_pktmbuf_free(m);
}

START_TEST(a_copy_to_each_care_of_address)
{
    struct spec spec = {.fragment = 0x4000, .payload = 1000, .padding = 3};
    uint8_t frame[FRAME_MAX];
    unsigned size = frame_build(&spec, frame) - 14 - spec.padding;
    install_two(1500, ADJ_ROUTER);
    give(&spec);
    check_copy(frame, size, CARE_OF + 1, 24);
    check_copy(frame, size, CARE_OF, 20);
    ck_assert_ptr_null(sent_by(WAY_PORT));
    struct addr home = addr_from_ipv4(AWAY);
    const struct binding_counter *c = &bed.worker[0].bindings[table_get(bed.table, &home)->slot];
    ck_assert_uint_eq(tally_packets(c->tally), 1); /* of the binding, not of its tunnels */
    ck_assert_uint_eq(tally_bytes(c->tally), size);
    ck_assert_uint_eq(verdicts_of(&bed.worker[0]), 1);
    ck_assert_uint_eq(bed.worker[0].counters.tx_packets, 2);
}
END_TEST

/* One packet size for all: the sender learns the smallest, and fragments are made for it. */
START_TEST(copies_fit_the_smallest_tunnel)
{
    install_two(600, ADJ_ROUTER);
    struct rte_mbuf *m = punted_unchanged(PUNT_ERROR, &(struct spec){.fragment = 0x4000, .payload = 1000});
    ck_assert_uint_eq(punt_meta(m)->mtu, 576);
    rte_pktmbuf_free(m);
    give(&(struct spec){.payload = 1000});
    unsigned to[2] = {0};
    for (unsigned i = 0; i < 4; i++) {
        m = sent_by(WAY_PORT);
        ck_assert_ptr_nonnull(m);
        to[get32(rte_pktmbuf_mtod_offset(m, const uint8_t *, 14 + 16)) - CARE_OF]++;
        rte_pktmbuf_free(m);
    }
    ck_assert(to[0] == 2 && to[1] == 2);
    ck_assert_uint_eq(count(VERDICT_FRAGMENTED), 1);
}
END_TEST

START_TEST(a_copy_waits_for_its_own_next_hop)
{
    struct spec spec = {0};
    uint8_t frame[FRAME_MAX];
    unsigned size = frame_build(&spec, frame) - 14;
    install_two(1500, ADJ_WAITING);
    give(&spec);
    check_copy(frame, size, CARE_OF, 20);
    struct rte_mbuf *m = punted(PUNT_RESOLVE);
    ck_assert_ptr_nonnull(m);
    ck_assert_uint_eq(punt_meta(m)->adjacency, ADJ_WAITING);
    ck_assert_uint_eq(get32(rte_pktmbuf_mtod_offset(m, const uint8_t *, 16)), CARE_OF + 1);
    rte_pktmbuf_free(m);
    ck_assert_uint_eq(count(VERDICT_TUNNELLED), 1);
}
END_TEST

START_TEST(no_buffer_for_a_copy)
{
    install_two(1500, ADJ_ROUTER);
    take_all_buffers();
    give(&(struct spec){0}); /* takes the last one */
    give_back_buffers();
    ck_assert_uint_eq(count(VERDICT_TUNNELLED), 1);
    ck_assert_uint_eq(bed.worker[0].counters.copies_lost, 1);
    ck_assert_uint_eq(bed.worker[0].counters.tx_packets, 1);
}
END_TEST

/* RFC 2003 section 3.2 for each of the tunnels. */
START_TEST(no_copy_back_to_its_source)
{
    install_two(1500, ADJ_ROUTER);
    give(&(struct spec){.from = CARE_OF + 1});
    give(&(struct spec){.from = CARE_OF});
    ck_assert_uint_eq(count(VERDICT_DROP_LOOP_CARE_OF), 2);
    ck_assert_ptr_null(sent_by(WAY_PORT));
}
END_TEST

/* RFC 2004 section 3 from rx to tx: whole packets in minimal encapsulation, the fragments of one that is too
 * large in IP in IP, within the path's MTU. */
START_TEST(minimal_encapsulation)
{
    struct tunnel t = plain_tunnel(CARE_OF);
    t.encapsulation = ENCAPSULATION_MINIMAL;
    install(AWAY, entry_of(&t));
    struct spec spec = {.id = 0x4321, .payload = 1400};
    uint8_t frame[FRAME_MAX];
    unsigned size = frame_build(&spec, frame) - 14;
    give(&spec);
    struct rte_mbuf *m = sent_by(WAY_PORT);
    ck_assert_ptr_nonnull(m);
    const uint8_t *ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, 14);
    ck_assert_uint_eq(rte_pktmbuf_pkt_len(m), 14 + size + 12);
    ck_assert(ip[9] == 55 && ip[8] == 63 && get16(ip + 4) == 0x4321 && get16(ip + 2) == size + 12);
    ck_assert_uint_eq(full_sum(ip, 20), 0);
    ck_assert_uint_eq(full_sum(ip + 20, 12), 0);
    ck_assert(memcmp(ip + 32, frame + 14 + 20, 1400) == 0);
    rte_pktmbuf_free(m);

    give(&(struct spec){.payload = 1480});
    for (unsigned i = 0; i < 2; i++) {
        m = sent_by(WAY_PORT);
        ck_assert_ptr_nonnull(m);
        ck_assert_uint_eq(*rte_pktmbuf_mtod_offset(m, const uint8_t *, 14 + 9), 4);
        ck_assert_uint_le(rte_pktmbuf_pkt_len(m), 14 + 1500);
        rte_pktmbuf_free(m);
    }
}
END_TEST

/* ---- Waiting for the next hop ---- */

static const struct waiting {
    const char *what;
    uint32_t dst, adjacency;
    bool tunnelled;
} waiting[] = {
    {"a tunnel's next hop", AWAY_WAITING, ADJ_WAITING, true},
    {"a host at home", AT_HOME_WAITING, ADJ_AT_HOME_WAITING, false},
    {"a host never seen", UNSEEN, ADJACENCY_NONE, false},
};

START_TEST(waiting_for_a_mac_address)
{
    const struct waiting *row = &waiting[_i];
    struct spec spec = {.dst = row->dst, .padding = 3};
    uint8_t frame[FRAME_MAX];
    unsigned size = frame_build(&spec, frame) - 14 - spec.padding;
    give(&spec);
    struct rte_mbuf *m = punted(PUNT_RESOLVE);
    ck_assert_ptr_nonnull(m);
    ck_assert_uint_eq(punt_meta(m)->adjacency, row->adjacency);
    const uint8_t *ip = rte_pktmbuf_mtod(m, const uint8_t *);
    ck_assert_uint_eq(rte_pktmbuf_pkt_len(m), size + (row->tunnelled ? 20 : 0));
    if (row->tunnelled) {
        ck_assert_uint_eq(get32(ip + 16), CARE_OF);
        ck_assert_uint_eq(full_sum(ip, 20), 0);
        ip += 20;
    }
    check_hopped(ip, frame, size);
    ck_assert_uint_ge(rte_pktmbuf_headroom(m), 14);
    rte_pktmbuf_free(m);

    /* Once it is known, the next one leaves. */
    if (row->adjacency == ADJACENCY_NONE)
        return;
    adjacency_publish(bed.adjacencies, row->adjacency, WAY_PORT, &mac_at_home);
    give(&spec);
    m = sent_by(WAY_PORT);
    ck_assert_ptr_nonnull(m);
    check_ethernet(m, &mac_at_home, &mac_way);
    rte_pktmbuf_free(m);
}
END_TEST

START_TEST(fragments_wait_as_well)
{
    give(&(struct spec){.dst = AWAY_WAITING, .payload = 1480});
    ck_assert_uint_eq(count(VERDICT_PUNT_RESOLVE), 1);
    ck_assert_uint_eq(rte_ring_count(bed.punts.ring[PUNT_RESOLVE]), 2);
}
END_TEST

START_TEST(an_adjacency_of_a_port_that_is_not)
{
    adjacency_publish(bed.adjacencies, ADJ_ROUTER, 9, &mac_router);
    give(&(struct spec){0});
    ck_assert_uint_eq(count(VERDICT_PUNT_RESOLVE), 1);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("forward");
    TCase *c = tcase_create("packets");
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_add_loop_test(c, a_tunnelled_packet, 0, ROWS(whole));
    tcase_add_test(c, an_on_link_packet);
    tcase_add_test(c, outer_df);
    tcase_add_test(c, identifications_are_never_shared);
    tcase_add_test(c, identification_slots_do_not_meet);
    tcase_add_loop_test(c, fragments, 0, ROWS(fragmented));
    tcase_add_test(c, fragments_below_the_floor);
    tcase_add_test(c, what_cannot_be_fragmented);
    tcase_add_test(c, a_copy_to_each_care_of_address);
    tcase_add_test(c, copies_fit_the_smallest_tunnel);
    tcase_add_test(c, a_copy_waits_for_its_own_next_hop);
    tcase_add_test(c, no_buffer_for_a_copy);
    tcase_add_test(c, no_copy_back_to_its_source);
    tcase_add_test(c, minimal_encapsulation);
    tcase_add_loop_test(c, waiting_for_a_mac_address, 0, ROWS(waiting));
    tcase_add_test(c, fragments_wait_as_well);
    tcase_add_test(c, an_adjacency_of_a_port_that_is_not);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return bed_main("test_forward", suite);
}
