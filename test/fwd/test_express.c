/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The express way comes to the same end as the general one: a million random frames, most of them nearly
 * usual, pass through two workers that are alike but that one has the express way closed (general_worker.c).
 * After each burst all must be the same: every frame sent, its port and its place, every punt and what
 * control is told of it, every counter, every buffer.
 *
 * Where no reverse tunnel is opened, whose packets come after the others of their burst, the worker that has
 * the express way closed gets each frame alone: with whom a packet comes must make no difference.
 */
#include "eal.h"
#include "express_world.h"
#include "frame.h"

#include "counted_worker.h"
#include "express.h"
#include "general_worker.h"

enum {
    FRAMES = 1000000,
    BURSTS_OF_A_WORLD = 100, /* then table, ways and settings are others */
    POOL = 4095,
    FRAMES_MAX = 5 * WORKER_BURST, /* at once: bursts that follow each other */
    SENT = 256
};

typedef void worker_function(struct worker *w);
typedef void burst_function(struct worker *w, unsigned port_index, struct rte_mbuf **frames, unsigned n);

static struct side {
    const char *name;
    burst_function *burst;
    worker_function *start, *offline;
    struct worker worker;
    struct rte_mempool *pool;
    struct punt_rings punts;
    struct rte_ring *sent[PORTS];
    struct rte_mbuf *frame[FRAMES_MAX];
    struct rte_mbuf *hoard[POOL];
    unsigned hoarded;
} sides[2] = {
    {.name = "express", .burst = counted_burst, .start = counted_start, .offline = counted_offline},
    {.name = "general", .burst = general_burst, .start = general_start, .offline = general_offline}};

static unsigned bursts, usual, usual_ipv6;

/* ---- Both sides ---- */

/* Readers that are offline: nobody changes the table while they read. */
static void make_side(struct side *s)
{
    char name[32];
    s->pool = eal_pool(s->name, POOL);
    ck_assert_int_eq(punt_rings_create(&s->punts, s->name, SOCKET_ID_ANY), 0);
    for (int i = 0; i < PORTS; i++) {
        snprintf(name, sizeof(name), "%s%d", s->name, i);
        s->sent[i] = rte_ring_create(name, SENT, SOCKET_ID_ANY, 0);
        ck_assert_ptr_nonnull(s->sent[i]);
    }
    s->worker = (struct worker){.index = (unsigned)(s - sides),
                                .table = table,
                                .adjacencies = adjacencies,
                                .settings = &settings,
                                .punts = &s->punts,
                                .pool = s->pool,
                                .n_ports = PORTS,
                                .bindings = calloc(table_slots(table), sizeof(struct binding_counter))};
    ck_assert_ptr_nonnull(s->worker.bindings);
    for (uint8_t i = 0; i < PORTS; i++)
        s->worker.port[i] = (struct worker_port){
            .mtu = i == 0 ? 1500 : 1000, .mac = {{2, 0, 0, 0, 0, i + 1}}, .handoff = s->sent[i]};
    s->start(&s->worker);
    s->offline(&s->worker);
}

static void free_side(struct side *s)
{
    ck_assert_uint_eq(rte_mempool_avail_count(s->pool), POOL);
    free(s->worker.bindings);
    for (int i = 0; i < PORTS; i++)
        rte_ring_free(s->sent[i]);
    punt_rings_destroy(&s->punts);
    rte_mempool_free(s->pool);
}

/* No adjacency: a connected network. */
static uint32_t route_adjacency(void *context, const struct route *route)
{
    (void)context;
    return route->port_index;
}

static struct exits *make_exits(unsigned n)
{
    static const struct {
        const char *text;
        uint8_t adjacency;
    } destinations[] = {{"192.0.2.0/25", 1},
                        {"192.0.2.128/26", ADJACENCY_NONE},
                        {"198.51.100.0/24", 3},
                        {"2001:db8:c000::/48", 1},
                        {"2001:db8:c633::/48", ADJACENCY_NONE},
                        {"0.0.0.0/0", 2},
                        {"::/0", 2}};
    struct routes *r = routes_create("express", ROWS(destinations));
    ck_assert_ptr_nonnull(r);
    for (unsigned i = 0; i < n; i++) {
        struct route one = {.port_index = destinations[i].adjacency};
        ck_assert(prefix_parse(destinations[i].text, &one.destination));
        ck_assert_int_eq(routes_add(r, &one), 0);
    }
    struct exits *made = exits_create(r, route_adjacency, NULL);
    ck_assert_ptr_nonnull(made);
    routes_destroy(r);
    return made;
}

static cuckoo_search_burst *undisturbed;

/* What a reader may see: nothing unusual; of a writer at work, an address missed while it is displaced,
 * another's number; another's number for they share a mark. By turns. */
static void disturbed(const struct cuckoo *cuckoo, const uint32_t *tags, const struct cuckoo_pair *pairs,
                      unsigned n, const struct entry **found)
{
    const unsigned what = bursts / BURSTS_OF_A_WORLD % 3;
    undisturbed(cuckoo, tags, pairs, n, found);
    for (unsigned i = 0; what > 0 && i < n; i++) {
        const struct entry *none = &cuckoo->entries[CUCKOO_NO_ENTRY], *other = found[below(n)];
        if (one_in(4) && (what == 1 || other != none))
            found[i] = what == 1 && one_in(2) ? none : other;
    }
    if (what == 1)
        table_cuckoo(table)->version++;
}

static void set_up(void)
{
    table = table_create(2048, 2, SOCKET_ID_ANY);
    undisturbed = table_cuckoo(table)->search;
    table_cuckoo(table)->search = disturbed;
    make_twins();
    adjacencies = adjacencies_create(ADJACENCIES);
    ck_assert(table != NULL && adjacencies != NULL);
    exits[0] = make_exits(5);
    exits[1] = make_exits(7);
    for (int i = 0; i < 2; i++)
        make_side(&sides[i]);
}

static void tear_down(void)
{
    for (int i = 0; i < 2; i++)
        free_side(&sides[i]);
    for (int i = 0; i < 2; i++)
        exits_destroy(exits[i]);
    adjacencies_destroy(adjacencies);
    table_destroy(table);
}

/* ---- Worlds and frames for both ---- */

static void forget(struct worker *w, unsigned workers, unsigned index)
{
    w->workers = workers;
    w->fragmented = bursts;
    w->index = index;
    for (unsigned i = 0; i < PUNT_SOURCE_BUCKETS; i++)
        w->source_bucket[i] =
            (struct token_bucket){.filled_tsc = UINT64_MAX, .tokens = i % 16 == 0 ? 2 : 100000};
}

static void make_world(void)
{
    unsigned workers = 1 + below(8), index = below(workers);
    install_all();
    publish_all();
    settle();
    for (int i = 0; i < 2; i++)
        forget(&sides[i].worker, workers, index);
}

/* How it lies in its buffers. */
struct shape {
    uint64_t ol_flags;
    uint16_t headroom;
    bool segmented;
};

static struct shape any_shape(void)
{
    static const uint64_t flags[] = {0,
                                     0,
                                     0,
                                     RTE_MBUF_F_RX_IP_CKSUM_GOOD,
                                     RTE_MBUF_F_RX_IP_CKSUM_GOOD,
                                     RTE_MBUF_F_RX_IP_CKSUM_BAD,
                                     RTE_MBUF_F_RX_IP_CKSUM_NONE};
    return (struct shape){.ol_flags = one_in(2) ? 0 : ONE_OF(flags),
                          .headroom = (uint16_t)(one_in(20) ? below(80) : RTE_PKTMBUF_HEADROOM),
                          .segmented = one_in(80)};
}

static struct rte_mbuf *shaped(struct side *s, const uint8_t *bytes, unsigned len, const struct shape *shape)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(s->pool), *tail;
    MUST(m != NULL);
    m->data_off = shape->headroom;
    memcpy(rte_pktmbuf_append(m, (uint16_t)len), bytes, len);
    m->ol_flags |= shape->ol_flags;
    if (!shape->segmented)
        return m;
    MUST((tail = rte_pktmbuf_alloc(s->pool)) != NULL);
    memset(rte_pktmbuf_append(tail, 9), 0, 9);
    MUST_EQ(rte_pktmbuf_chain(m, tail), 0);
    return m;
}

static void make_frames(unsigned n)
{
    uint8_t bytes[FRAME_MAX];
    for (unsigned i = 0; i < n; i++) {
        unsigned len = mutate(bytes, any_frame(bytes));
        struct shape shape = any_shape();
        for (int k = 0; k < 2; k++)
            sides[k].frame[i] = shaped(&sides[k], bytes, len, &shape);
        const struct worker_rx *rx = &sides[0].worker.rx[0];
        usual += express_parse(PKT_IPV4, sides[0].frame[i], &rx->ipv4);
        usual_ipv6 += express_parse(PKT_IPV6, sides[0].frame[i], &rx->ipv6);
    }
}

/* ---- Both pass, and are compared ---- */

static void hinder(struct side *s, unsigned buffers, bool no_way, const uint32_t *tokens)
{
    while (rte_mempool_avail_count(s->pool) > buffers)
        s->hoard[s->hoarded++] = rte_pktmbuf_alloc(s->pool);
    s->worker.port[1].handoff = no_way ? NULL : s->sent[1];
    for (int c = 0; c < PUNT_CLASS_COUNT; c++)
        s->worker.class_bucket[c] = (struct token_bucket){.filled_tsc = UINT64_MAX, .tokens = tokens[c]};
    s->worker.second_chances = (struct token_bucket){.filled_tsc = UINT64_MAX, .tokens = tokens[0]};
}

static void hinder_both(bool in_bursts)
{
    unsigned buffers = in_bursts && one_in(30) ? below(6) : POOL;
    bool no_way = one_in(50);
    uint32_t tokens[PUNT_CLASS_COUNT];
    for (int c = 0; c < PUNT_CLASS_COUNT; c++)
        tokens[c] = one_in(20) ? below(4) : UINT32_MAX;
    for (int i = 0; i < 2; i++)
        hinder(&sides[i], buffers, no_way, tokens);
}

static void relieve(struct side *s)
{
    while (s->hoarded > 0)
        rte_pktmbuf_free(s->hoard[--s->hoarded]);
}

#define SAME(a, b, what)                                                                               \
    do {                                                                                               \
        if ((a) != (b))                                                                                \
            ck_abort_msg("burst %u, %s: express %lld, general %lld: %s", bursts, what, (long long)(a), \
                         (long long)(b), #a);                                                          \
    } while (0)

static void same_bytes(const struct rte_mbuf *a, const struct rte_mbuf *b, const char *what)
{
    SAME(a->nb_segs, b->nb_segs, what);
    SAME(a->pkt_len, b->pkt_len, what);
    SAME(a->data_len, b->data_len, what);
    const uint8_t *p = rte_pktmbuf_mtod(a, const uint8_t *), *q = rte_pktmbuf_mtod(b, const uint8_t *);
    if (memcmp(p, q, a->data_len) == 0)
        return;
    unsigned i = 0;
    while (p[i] == q[i])
        i++;
    ck_abort_msg("burst %u, %s: byte %u is %02x by the express way, %02x by the general one", bursts, what, i,
                 p[i], q[i]);
}

static void same_meta(struct rte_mbuf *a, struct rte_mbuf *b, const char *what)
{
    const struct punt_meta *p = punt_meta(a), *q = punt_meta(b);
    SAME(p->class, q->class, what);
    SAME(p->verdict, q->verdict, what);
    SAME(p->port_index, q->port_index, what);
    SAME(p->link_cast, q->link_cast, what);
    SAME(p->mtu, q->mtu, what);
    SAME(p->pointer, q->pointer, what);
    SAME(p->unreachable, q->unreachable, what);
    SAME(p->adjacency, q->adjacency, what);
    SAME(rte_pktmbuf_headroom(a), rte_pktmbuf_headroom(b), what);
}

static void same_ring(struct rte_ring *a, struct rte_ring *b, bool punts, const char *what)
{
    struct rte_mbuf *m, *n;
    SAME(rte_ring_count(a), rte_ring_count(b), what);
    while (rte_ring_dequeue(a, (void **)&m) == 0) {
        MUST_EQ(rte_ring_dequeue(b, (void **)&n), 0);
        same_bytes(m, n, what);
        if (punts)
            same_meta(m, n, what);
        rte_pktmbuf_free(m);
        rte_pktmbuf_free(n);
    }
}

static void same_counters(void)
{
    const struct worker *a = &sides[0].worker, *b = &sides[1].worker;
    for (int v = 0; v < VERDICT_COUNT; v++)
        SAME(a->counters.verdict[v], b->counters.verdict[v], verdict_name(v));
    if (memcmp(&a->counters, &b->counters, sizeof(a->counters)) != 0)
        ck_abort_msg("burst %u: counters differ, no verdict's", bursts);
    for (uint32_t i = 0; i < table_slots_used(table); i++) {
        SAME(a->bindings[i].tally, b->bindings[i].tally, "a binding");
    }
    if (memcmp(a->identification, b->identification, sizeof(a->identification)) != 0)
        ck_abort_msg("burst %u: identifications differ", bursts);
    SAME(a->fragmented, b->fragmented, "identifications of IPv6");
}

static void same_end(void)
{
    static const char *const ports[PORTS] = {"port 0", "port 1"};
    same_counters();
    for (int i = 0; i < PORTS; i++)
        same_ring(sides[0].sent[i], sides[1].sent[i], false, ports[i]);
    for (int c = 0; c < PUNT_CLASS_COUNT; c++)
        same_ring(sides[0].punts.ring[c], sides[1].punts.ring[c], true, punt_class_text((enum punt_class)c));
    for (int i = 0; i < 2; i++) {
        relieve(&sides[i]);
        MUST_EQ(rte_mempool_avail_count(sides[i].pool), POOL);
    }
}

static void pass(unsigned n)
{
    const bool in_bursts = settings.exits != NULL;
    make_frames(n);
    hinder_both(in_bursts);
    sides[0].burst(&sides[0].worker, 0, sides[0].frame, n);
    for (unsigned i = 0, some; i < n; i += some) {
        some = in_bursts ? n : 1;
        sides[1].burst(&sides[1].worker, 0, &sides[1].frame[i], some);
    }
    same_end();
}

/* Control is always as fast as its rings here; all else came up. */
static void check_that_all_came_up(void)
{
    const struct worker_counters *c = &sides[0].worker.counters;
    for (int v = 0; v < VERDICT_COUNT; v++)
        ck_assert_msg(c->verdict[v] > 0 || v == VERDICT_DROP_PUNT_FULL, "no packet ends as %s",
                      verdict_name(v));
    ck_assert_uint_gt(usual, FRAMES / 8);
    ck_assert_uint_gt(usual_ipv6, FRAMES / 8);
    ck_assert_uint_gt(c->verdict[VERDICT_TUNNELLED], FRAMES / 10);
    ck_assert_uint_gt(counted_reverse.ipv4, FRAMES / 1000);
    ck_assert_uint_gt(counted_reverse.ipv6, FRAMES / 1000);
    ck_assert_uint_gt(c->verdict[VERDICT_DROP_NO_BINDING], FRAMES / 100);
    ck_assert_uint_gt(c->copies_lost, 0);
    ck_assert_uint_gt(c->unreachable_told, 0);
}

START_TEST(the_same_end)
{
    chance = eal_seed("the same end");
    bursts = usual = usual_ipv6 = 0;
    for (unsigned done = 0, n; done < FRAMES; done += n, bursts++) {
        if (bursts % BURSTS_OF_A_WORLD == 0)
            make_world();
        n = one_in(4) ? 1 + below(FRAMES_MAX) : WORKER_BURST;
        pass(n);
    }
    check_that_all_came_up();
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("express");
    TCase *c = tcase_create("differential");
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_set_timeout(c, 0);
    tcase_add_test(c, the_same_end);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return eal_main("test_express", "64", NULL, suite);
}
