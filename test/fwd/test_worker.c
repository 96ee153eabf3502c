/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The worker from turn to turn: bursts of every length, queues, what it hands to the lcore that owns a queue,
 * what it counts, what it lets go of. What becomes of the single packet is in the suites of its stages.
 */
#include "worker_bed.h"

#include <rte_cycles.h>

/* ---- Bursts ---- */

static const struct kind {
    struct spec frame;
    enum verdict verdict;
    unsigned come_out; /* frames, sent or handed over */
} mixed[] = {
    {{0}, VERDICT_TUNNELLED, 1},
    {{.padding = 6}, VERDICT_TUNNELLED, 1},
    {{.payload = 1480}, VERDICT_FRAGMENTED, 2},
    {{.dst = AWAY_LOST}, VERDICT_TUNNELLED, 2},
    {{.dst = AWAY_WAITING}, VERDICT_PUNT_RESOLVE, 1},
    {{.dst = AT_HOME}, VERDICT_ON_LINK, 1},
    {{.dst = UNKNOWN_HERE}, VERDICT_SECOND_CHANCE, 1},
    {{.dst = ELSEWHERE}, VERDICT_DROP_NO_BINDING, 0},
    {{.to = TO_ALL, .ethertype = 0x0806}, VERDICT_PUNT_ARP, 1},
    {{.dst = HOME_AGENT, .port = 434}, VERDICT_PUNT_SIGNALLING, 1},
    {{.ttl = 1}, VERDICT_PUNT_TTL_EXCEEDED, 1},
    {{.cut = 33}, VERDICT_DROP_RUNT, 0},
    {{.wrong_sum = true}, VERDICT_DROP_IP_CHECKSUM, 0},
    {{.to = TO_OTHER}, VERDICT_DROP_FOREIGN_MAC, 0},
    {{.from = CARE_OF,
      .dst = HOME_AGENT,
      .protocol = 4,
      .inner = &(struct spec){.from = AWAY_REVERSE, .dst = ELSEWHERE}},
     VERDICT_DECAPSULATED,
     1},
    {{.from = CARE_OF,
      .dst = HOME_AGENT,
      .protocol = 4,
      .inner = &(struct spec){.from = AWAY_REVERSE, .dst = ELSEWHERE, .wrong_sum = true}},
     VERDICT_DROP_REVERSE_TUNNEL,
     0},
};

/* n frames of any kinds in one call: each is counted once, none is lost, none leaks. */
static void give_mixed(unsigned n, uint64_t *random)
{
    struct worker *w = &bed.worker[0];
    struct rte_mbuf *frames[4 * WORKER_BURST];
    uint64_t expected[VERDICT_COUNT] = {0};
    unsigned come_out = 0;
    memset(w->counters.verdict, 0, sizeof(w->counters.verdict));
    for (unsigned i = 0; i < n; i++) {
        const struct kind *kind = &mixed[eal_random(random) % (unsigned)ROWS(mixed)];
        frames[i] = frame_of(&kind->frame);
        expected[kind->verdict]++;
        come_out += kind->come_out;
    }
    worker_burst(w, HOME_PORT, frames, n);
    for (int v = 0; v < VERDICT_COUNT; v++)
        ck_assert_msg(count(v) == expected[v], "%u frames, %s: %lu, not %lu", n, verdict_name(v), count(v),
                      expected[v]);
    ck_assert_uint_eq(drained(), come_out);
    ck_assert_uint_eq(rte_mempool_avail_count(bed.pool), POOL);
}

START_TEST(bursts_of_every_length)
{
    uint64_t random = eal_seed("bursts of every length");
    uint64_t given = 0;
    open_reverse_tunnels(true);
    for (int c = 0; c < PUNT_CLASS_COUNT; c++)
        bed.worker[0].class_bucket[c] = frozen(UINT32_MAX);
    bed.worker[0].second_chances = frozen(UINT32_MAX);
    for (unsigned round = 0; round < 20; round++)
        for (unsigned n = 0; n <= 4 * WORKER_BURST; n += n <= WORKER_BURST ? 1 : 19) {
            give_mixed(n, &random);
            given += n;
        }
    ck_assert_uint_eq(bed.worker[0].counters.rx_packets, given);
}
END_TEST

/* Only of one kind: no stage has anything to do but one. */
START_TEST(bursts_of_one_kind)
{
    open_reverse_tunnels(true);
    for (int i = 0; i < ROWS(mixed); i++) {
        struct rte_mbuf *frames[WORKER_BURST];
        uint64_t before = count(mixed[i].verdict);
        for (unsigned k = 0; k < WORKER_BURST; k++)
            frames[k] = frame_of(&mixed[i].frame);
        worker_burst(&bed.worker[0], HOME_PORT, frames, WORKER_BURST);
        ck_assert_uint_eq(count(mixed[i].verdict), before + WORKER_BURST);
        ck_assert_uint_eq(drained(), WORKER_BURST * mixed[i].come_out);
    }
    ck_assert_uint_eq(verdicts_of(&bed.worker[0]), bed.worker[0].counters.rx_packets);
}
END_TEST

/* ---- Flows ---- */

static const struct flow {
    struct spec frame; /* with `inner`: source and destination are those inside */
    uint32_t from, dst;
    enum verdict verdict;
    bool comes_out;
} flows[] = {
    {{0}, CORRESPONDENT, AWAY, VERDICT_TUNNELLED, true},
    {{0}, CORRESPONDENT, OTHER_GRE, VERDICT_TUNNELLED, true},
    {{0}, CORRESPONDENT, AT_HOME, VERDICT_ON_LINK, true},
    {{0}, CORRESPONDENT, AWAY_WAITING, VERDICT_PUNT_RESOLVE, true},
    {{0}, CORRESPONDENT, NOWHERE, VERDICT_DROP_NO_BINDING, false},
    {{.protocol = 1}, CORRESPONDENT, HOME_AGENT, VERDICT_PUNT_LOCAL, true},
    {{.ttl = 1}, CORRESPONDENT, OTHER_MOBILE, VERDICT_PUNT_TTL_EXCEEDED, true},
    {{.wrong_sum = true}, CORRESPONDENT, UNSEEN, VERDICT_DROP_IP_CHECKSUM, false},
    {{.from = CARE_OF, .protocol = 4}, MOBILE, ELSEWHERE, VERDICT_DECAPSULATED, true},
    {{.from = CARE_OF, .protocol = 4}, MOBILE, OTHER_MOBILE, VERDICT_TUNNELLED, true},
    {{.from = CARE_OF, .protocol = 4}, MOBILE, CONNECTED, VERDICT_PUNT_RESOLVE, true},
    {{.from = CARE_OF, .protocol = 4}, MOBILE, HOME_AGENT, VERDICT_PUNT_LOCAL, true},
    {{.from = CARE_OF, .protocol = 47}, MOBILE_GRE, NOWHERE, VERDICT_DECAPSULATED, true},
    {{.from = CARE_OF, .protocol = 47}, MOBILE_GRE, AT_HOME, VERDICT_ON_LINK, true},
    {{.from = CARE_OF, .protocol = 55}, MOBILE_MINIMAL, ELSEWHERE, VERDICT_DECAPSULATED, true},
    {{.from = CARE_OF, .protocol = 55}, MOBILE_MINIMAL, AWAY_WAITING, VERDICT_PUNT_RESOLVE, true},
    {{.from = CARE_OF, .protocol = 4}, AWAY, ELSEWHERE, VERDICT_DROP_REVERSE_TUNNEL, false},
    {{.from = CARE_OF, .protocol = 4, .fragment = 0x2000}, MOBILE, AWAY, VERDICT_DROP_LOCAL_FRAGMENT, false},
};

static struct rte_mbuf *frame_of_flow(const struct flow *flow, uint16_t id)
{
    struct spec outer = flow->frame, inner = {.from = flow->from, .dst = flow->dst, .id = id};
    if (outer.from == 0) {
        outer.from = flow->from;
        outer.dst = flow->dst;
        outer.id = id;
        return frame_of(&outer);
    }
    outer.dst = HOME_AGENT;
    outer.inner = &inner;
    return frame_of(&outer);
}

/* ip: a packet that came out, maybe in a tunnel of ours. It must be the next of its flow. */
static void take_of_flow(const uint8_t *ip, uint16_t taken[static ROWS(flows)])
{
    if (get32(ip + 12) == HOME_AGENT)
        ip += ip[9] == 47 ? 24 : 20;
    for (int i = 0; i < ROWS(flows); i++) {
        if (get32(ip + 12) != flows[i].from || get32(ip + 16) != flows[i].dst)
            continue;
        ck_assert_msg(flows[i].comes_out && get16(ip + 4) == taken[i], "flow %d: %u, not %u", i,
                      get16(ip + 4), taken[i]);
        taken[i]++;
        return;
    }
    ck_abort_msg("of no flow: %08x", get32(ip + 12));
}

static void take_all(uint16_t taken[static ROWS(flows)])
{
    struct rte_mbuf *m;
    for (unsigned port = 0; port < 2; port++)
        for (; (m = sent_by(port)) != NULL; rte_pktmbuf_free(m))
            take_of_flow(rte_pktmbuf_mtod_offset(m, const uint8_t *, 14), taken);
    for (int c = 0; c < PUNT_CLASS_COUNT; c++)
        for (; (m = punted(c)) != NULL; rte_pktmbuf_free(m))
            take_of_flow(rte_pktmbuf_mtod_offset(m, const uint8_t *, c == PUNT_RESOLVE ? 0 : 14), taken);
}

START_TEST(each_flow_keeps_its_order)
{
    uint16_t given[ROWS(flows)] = {0}, taken[ROWS(flows)] = {0};
    uint64_t random = eal_seed("each flow keeps its order");
    install_mobiles();
    open_reverse_tunnels(true);
    for (int c = 0; c < PUNT_CLASS_COUNT; c++)
        bed.worker[0].class_bucket[c] = frozen(UINT32_MAX);
    for (unsigned round = 0; round < 500; round++) {
        struct rte_mbuf *frames[3 * WORKER_BURST];
        unsigned n = 1 + (unsigned)(eal_random(&random) % RTE_DIM(frames));
        uint64_t expected[VERDICT_COUNT] = {0};
        memset(bed.worker[0].counters.verdict, 0, sizeof(bed.worker[0].counters.verdict));
        for (unsigned i = 0; i < n; i++) {
            unsigned flow = (unsigned)(eal_random(&random) % (unsigned)ROWS(flows));
            frames[i] = frame_of_flow(&flows[flow], given[flow]++);
            expected[flows[flow].verdict]++;
        }
        worker_burst(&bed.worker[0], HOME_PORT, frames, n);
        take_all(taken);
        for (int v = 0; v < VERDICT_COUNT; v++)
            ck_assert_msg(count(v) == expected[v], "%s: %lu", verdict_name(v), count(v));
        for (int i = 0; i < ROWS(flows); i++)
            ck_assert_msg(!flows[i].comes_out || taken[i] == given[i], "flow %d: %u of %u", i, taken[i],
                          given[i]);
        ck_assert_uint_eq(rte_mempool_avail_count(bed.pool), POOL);
    }
}
END_TEST

/* ---- Turns ---- */

/* What control makes a lcore's load and the bindings' rates of. */
START_TEST(turns_account_for_themselves)
{
    struct worker *w = &bed.worker[0];
    struct addr home = addr_from_ipv4(AWAY);
    struct rte_ring *ring = rte_ring_create_elem("reports", sizeof(struct rate_report), 64, SOCKET_ID_ANY, 0);
    struct binding_counter *reported = calloc(table_slots(bed.table), sizeof(*reported));
    ck_assert(ring != NULL && reported != NULL);
    w->rates = (struct rate_sweep){.ring = ring, .counters = w->bindings, .reported = reported};
    w->port[WAY_PORT].receive = false;
    uint64_t began = rte_rdtsc();
    worker_turn(w);
    ck_assert_uint_eq(w->counters.busy_tsc, 0);
    put_in(HOME_PORT, &(struct spec){0}, 5);
    worker_turn(w);
    ck_assert_uint_gt(w->counters.busy_tsc, 0);
    ck_assert_uint_lt(w->counters.busy_tsc, rte_rdtsc() - began);

    struct rate_report report;
    while (rte_ring_dequeue_elem(ring, &report, sizeof(report)) != 0) /* idle turns report as well */
        worker_turn(w);
    ck_assert_uint_eq(report.slot, table_get(bed.table, &home)->slot);
    ck_assert_uint_eq(tally_packets(report.grown), 5);
    ck_assert_uint_eq(tally_bytes(report.grown), 5 * 46);
    rte_ring_free(ring);
    free(reported);
    w->rates = (struct rate_sweep){0};
}
END_TEST

START_TEST(turns)
{
    struct worker *w = &bed.worker[0];
    w->port[WAY_PORT].receive = false; /* or it would hear its own frames */
    put_in(HOME_PORT, &(struct spec){0}, WORKER_BURST + 5);
    ck_assert_uint_eq(worker_turn(w), WORKER_BURST + 5);
    const uint64_t busy_tsc = w->counters.busy_tsc;
    ck_assert_uint_eq(worker_turn(w), 0);
    ck_assert_uint_eq(w->counters.turns, 2);
    ck_assert_uint_eq(w->counters.busy_tsc, busy_tsc);
    ck_assert_uint_eq(w->counters.verdict[VERDICT_TUNNELLED], WORKER_BURST + 5);
}
END_TEST

/* Who floods a port does not keep a worker from its turn's end: quiescent state, reports, the clock. */
START_TEST(turns_end)
{
    struct worker *w = &bed.worker[0];
    w->port[WAY_PORT].receive = false;
    put_in(HOME_PORT, &(struct spec){0}, WORKER_TURN + 5);
    ck_assert_uint_eq(worker_turn(w), WORKER_TURN);
    ck_assert_uint_eq(worker_turn(w), 5);
    ck_assert_uint_eq(w->counters.verdict[VERDICT_TUNNELLED], WORKER_TURN + 5);
}
END_TEST

/* Bursts of a turn are on their way together: nothing is left over at its end, in order, however many there
 * are and however long the last one is. */
START_TEST(turns_finish_what_they_begin)
{
    struct worker *w = &bed.worker[0];
    const struct addr home = addr_from_ipv4(AWAY);
    const uint32_t slot = table_get(bed.table, &home)->slot;
    w->port[WAY_PORT].receive = false;
    for (unsigned n = 1, sent = 0; n <= 4 * WORKER_BURST; n += 1 + n / 8) {
        for (unsigned k = 0; k < n; k++)
            put_in(HOME_PORT, &(struct spec){.tos = (uint8_t)(k << 2)}, 1);
        sent += n;
        ck_assert_uint_eq(worker_turn(w), n);
        ck_assert_uint_eq(tally_packets(w->bindings[slot].tally), sent);
        ck_assert_uint_eq(w->counters.rx_packets, sent);
        for (unsigned k = 0; k < n; k++) {
            struct rte_mbuf *m = sent_by(WAY_PORT);
            ck_assert_ptr_nonnull(m);
            ck_assert_uint_eq(*rte_pktmbuf_mtod_offset(m, uint8_t *, 15), (uint8_t)(k << 2));
            rte_pktmbuf_free(m);
        }
        ck_assert_ptr_null(sent_by(WAY_PORT));
    }
}
END_TEST

/* A turn is a quiescent state; between two, an entry that was replaced stays; offline holds nothing. */
START_TEST(turns_let_go_of_entries)
{
    install(AWAY, tunnel_to(CARE_OF + 1, ADJ_ROUTER, 0));
    ck_assert_uint_eq(table_reclaim(bed.table, 10), 1);
    worker_turn(&bed.worker[0]);
    ck_assert_uint_eq(table_reclaim(bed.table, 10), 1); /* the other one may still hold it */
    worker_turn(&bed.worker[1]);
    ck_assert_uint_eq(table_reclaim(bed.table, 10), 0);

    install(AWAY, tunnel_to(CARE_OF, ADJ_ROUTER, 0));
    worker_offline(&bed.worker[0]);
    worker_offline(&bed.worker[1]);
    ck_assert_uint_eq(table_reclaim(bed.table, 10), 0);
    worker_online(&bed.worker[0]);
    install(AWAY, tunnel_to(CARE_OF, ADJ_ROUTER, 0));
    ck_assert_uint_eq(table_reclaim(bed.table, 10), 1);
    worker_turn(&bed.worker[0]);
    ck_assert_uint_eq(table_reclaim(bed.table, 10), 0);
}
END_TEST

START_TEST(settings_are_replaced)
{
    struct worker_settings other = bed.settings;
    const struct addr own = addr_from_ipv4(CORRESPONDENT);
    own_add(&other.own, &own);
    other.n_home_networks = 0;
    give(&(struct spec){0});
    give(&(struct spec){.dst = UNSEEN});
    __atomic_store_n(&bed.worker[0].settings, &other, __ATOMIC_RELEASE);
    give(&(struct spec){0});
    give(&(struct spec){.dst = UNSEEN});
    ck_assert_uint_eq(count(VERDICT_TUNNELLED), 1);
    ck_assert_uint_eq(count(VERDICT_PUNT_RESOLVE), 1);
    ck_assert_uint_eq(count(VERDICT_DROP_LOOP_OWN_SOURCE), 1);
    ck_assert_uint_eq(count(VERDICT_DROP_NO_BINDING), 1);
}
END_TEST

/* ---- Queues, handoff ---- */

START_TEST(a_full_queue)
{
    const struct worker_counters *c = &bed.worker[0].counters;
    unsigned given = ROOM + 100;
    for (unsigned i = 0; i < given; i++)
        give(&(struct spec){0});
    ck_assert_uint_eq(c->verdict[VERDICT_TUNNELLED], c->tx_packets);
    ck_assert_uint_eq(c->tx_bytes, c->tx_packets * (14 + 20 + 20 + 26));
    ck_assert_uint_eq(c->verdict[VERDICT_TUNNELLED] + c->verdict[VERDICT_DROP_TX_FULL], given);
    ck_assert_uint_ge(c->verdict[VERDICT_DROP_TX_FULL], 100);
}
END_TEST

enum { HANDOFF = 64 };

/* Worker 0 has no queue at the way port, worker 1 serves it. */
static struct rte_ring *share_way_port(void)
{
    struct rte_ring *ring = rte_ring_create("handoff", HANDOFF, SOCKET_ID_ANY, RING_F_SC_DEQ);
    ck_assert_ptr_nonnull(ring);
    bed.worker[0].port[WAY_PORT].own_tx = false;
    bed.worker[0].port[WAY_PORT].handoff = bed.worker[1].port[WAY_PORT].handoff = ring;
    bed.worker[1].port[WAY_PORT].serves_handoff = true;
    for (int i = 0; i < 2; i++)
        bed.worker[1].port[i].receive = false;
    return ring;
}

/* Each port's frames are known by that port's address, though bursts of both are on their way together. */
START_TEST(turns_take_ports_in_turn)
{
    struct worker *w = &bed.worker[0];
    struct rte_ring *ring = share_way_port();
    w->port[WAY_PORT].receive = true;
    w->port[WAY_PORT].mac.b[5] ^= 1; /* nothing that comes there is for it */
    worker_start(w);
    for (unsigned k = 0; k < 3 * WORKER_BURST; k++) {
        put_in(HOME_PORT, &(struct spec){0}, 1);
        put_in(WAY_PORT, &(struct spec){0}, 1);
    }
    ck_assert_uint_eq(worker_turn(w), 6 * WORKER_BURST);
    ck_assert_uint_eq(w->counters.verdict[VERDICT_TUNNELLED], rte_ring_get_capacity(ring));
    ck_assert_uint_eq(w->counters.verdict[VERDICT_DROP_FOREIGN_MAC], 3 * WORKER_BURST);
    ck_assert_uint_eq(verdicts_of(w), 6 * WORKER_BURST);
    struct rte_mbuf *m;
    while (rte_ring_sc_dequeue(ring, (void **)&m) == 0)
        rte_pktmbuf_free(m);
    rte_ring_free(ring);
}
END_TEST

START_TEST(handoff)
{
    struct rte_ring *ring = share_way_port();
    for (int i = 0; i < 40; i++)
        give(&(struct spec){.tos = (uint8_t)(i << 2)});
    ck_assert_uint_eq(count(VERDICT_TUNNELLED), 40);
    ck_assert_uint_eq(bed.worker[0].counters.tx_packets, 0);
    ck_assert_ptr_null(sent_by(WAY_PORT));
    ck_assert_uint_eq(worker_turn(&bed.worker[1]), 40);
    ck_assert_uint_eq(worker_turn(&bed.worker[1]), 0);
    ck_assert_uint_eq(bed.worker[1].counters.tx_packets, 40);
    for (int i = 0; i < 40; i++) { /* in order */
        struct rte_mbuf *m = sent_by(WAY_PORT);
        ck_assert_ptr_nonnull(m);
        ck_assert_uint_eq(*rte_pktmbuf_mtod_offset(m, uint8_t *, 15), i << 2);
        rte_pktmbuf_free(m);
    }
    rte_ring_free(ring);
}
END_TEST

/* Nothing that has been counted is lost: what the device refuses waits, and the ring before it fills up. */
START_TEST(handoff_to_a_full_queue)
{
    struct rte_ring *ring = share_way_port();
    struct worker *server = &bed.worker[1];
    fill_way_port();
    for (int i = 0; i < 200; i++) {
        give(&(struct spec){0});
        worker_turn(server);
    }
    uint64_t tunnelled = count(VERDICT_TUNNELLED);
    ck_assert_uint_eq(tunnelled, 1 + rte_ring_get_capacity(ring));
    ck_assert_uint_eq(count(VERDICT_DROP_TX_FULL), 200 - tunnelled);
    ck_assert_uint_eq(verdicts_of(server), 0);
    drain();
    while (worker_turn(server) > 0)
        ;
    ck_assert_uint_eq(server->counters.tx_packets, tunnelled);
    rte_ring_free(ring);
}
END_TEST

/* What a device takes in parts leaves in order, each frame once. */
START_TEST(handoff_in_parts)
{
    struct rte_ring *ring = share_way_port();
    struct worker *server = &bed.worker[1];
    struct rte_mbuf *m;
    uint8_t next = 0;
    fill_way_port();
    for (unsigned i = 0; i < 5; i++)
        rte_pktmbuf_free(sent_by(WAY_PORT)); /* room for as many */
    for (uint8_t i = 0; i < 40; i++)
        give(&(struct spec){.tos = (uint8_t)(i << 2)});
    ck_assert_uint_eq(worker_turn(server), 5);
    ck_assert_uint_eq(worker_turn(server), 0);
    for (unsigned turn = 0; turn < 4; turn++) {
        while ((m = sent_by(WAY_PORT)) != NULL) {
            if (rte_pktmbuf_data_len(m) > 0) { /* else of those that filled the port */
                ck_assert_uint_eq(*rte_pktmbuf_mtod_offset(m, uint8_t *, 15), next << 2);
                next++;
            }
            rte_pktmbuf_free(m);
        }
        worker_turn(server);
    }
    ck_assert_uint_eq(next, 40);
    rte_ring_free(ring);
}
END_TEST

START_TEST(no_queue_and_no_handoff)
{
    bed.worker[0].port[WAY_PORT].own_tx = false;
    give(&(struct spec){0});
    ck_assert_uint_eq(count(VERDICT_DROP_TX_FULL), 1);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("worker");
    TCase *c = tcase_create("turns");
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_add_test(c, bursts_of_every_length);
    tcase_add_test(c, bursts_of_one_kind);
    tcase_add_test(c, each_flow_keeps_its_order);
    tcase_add_test(c, turns_account_for_themselves);
    tcase_add_test(c, turns);
    tcase_add_test(c, turns_end);
    tcase_add_test(c, turns_take_ports_in_turn);
    tcase_add_test(c, turns_finish_what_they_begin);
    tcase_add_test(c, turns_let_go_of_entries);
    tcase_add_test(c, settings_are_replaced);
    tcase_add_test(c, a_full_queue);
    tcase_add_test(c, handoff);
    tcase_add_test(c, handoff_to_a_full_queue);
    tcase_add_test(c, handoff_in_parts);
    tcase_add_test(c, no_queue_and_no_handoff);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return bed_main("test_worker", suite);
}
