/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The whole worker between two ring devices: what it is given, what leaves by which port, what reaches
 * control, and how it is counted. Every verdict of the list must come up. After each test every packet buffer
 * is back in its pool.
 */
#include "eal.h"
#include "frame.h"

#include <rte_cycles.h>
#include <rte_ethdev.h>

#include "fragment.h"
#include "tunnel.h"
#include "worker.h"

enum {
    POOL = 4095,
    HOME_PORT = 0, /* where frames come in */
    WAY_PORT = 1,  /* where tunnels leave */
    ADJ_ROUTER = 1,
    ADJ_WAITING = 2,
    ADJ_AT_HOME = 3,
    ADJ_AT_HOME_WAITING = 4,
    ADJ_PRIMARY = 5,
    ADJ_PRIMARY_WAITING = 6,
    TUNNEL_MTU = 1480,
    LINK_MTU = 1500,
    ROOM = 1024 /* of a ring device */
};

#define UNKNOWN_HERE    IP(10, 3, 0, 1) /* in a home network with a primary */
#define UNKNOWN_WAITING IP(10, 4, 0, 1) /* the same, its MAC address not known */

#define PEER IP(10, 1, 0, 3) /* a primary or secondary */
enum { DELEGATION_PORT = 49434 };

static const struct mac mac_primary = {{2, 0, 0, 0, 0, 0xcc}};
static const struct mac mac_way = {{2, 0, 0, 0, 0, 2}};

static struct bed {
    struct rte_mempool *pool;
    struct table *table;
    struct adjacencies *adjacencies;
    struct punt_rings punts;
    struct worker_settings settings;
    struct worker worker[2];
    uint16_t port_id[2];
} bed;

/* ---- The bed ---- */

static uint16_t start_port(const char *name)
{
    static const struct rte_eth_conf conf;
    uint16_t id;
    ck_assert_int_eq(rte_eth_dev_get_port_by_name(name, &id), 0);
    ck_assert_int_eq(rte_eth_dev_configure(id, 1, 1, &conf), 0);
    ck_assert_int_eq(rte_eth_tx_queue_setup(id, 0, ROOM, SOCKET_ID_ANY, NULL), 0);
    ck_assert_int_eq(rte_eth_rx_queue_setup(id, 0, ROOM, SOCKET_ID_ANY, NULL, bed.pool), 0);
    ck_assert_int_eq(rte_eth_dev_start(id), 0);
    return id;
}

static void install(uint32_t home, struct entry e)
{
    struct addr address = addr_from_ipv4(home);
    ck_assert_int_eq(table_install(bed.table, &address, &e), 0);
}

static struct entry entry_of(const struct tunnel *t)
{
    struct entry e;
    ck_assert_int_eq(entry_tunnel(&e, t), 0);
    return e;
}

static struct tunnel plain_tunnel(uint32_t care_of)
{
    return (struct tunnel){.source = addr_from_ipv4(HOME_AGENT),
                           .destination = addr_from_ipv4(care_of),
                           .encapsulation = ENCAPSULATION_IPIP,
                           .adjacency = ADJ_ROUTER,
                           .path_mtu = 1500};
}

static struct entry tunnel_to(uint32_t care_of, uint32_t adjacency, uint8_t flags)
{
    struct tunnel t = plain_tunnel(care_of);
    t.adjacency = adjacency;
    t.flags = flags;
    return entry_of(&t);
}

static void start_worker(unsigned index)
{
    struct worker *w = &bed.worker[index];
    memset(w, 0, sizeof(*w));
    w->index = index;
    w->workers = 2;
    w->table = bed.table;
    w->adjacencies = bed.adjacencies;
    w->settings = &bed.settings;
    w->punts = &bed.punts;
    w->pool = bed.pool;
    w->n_ports = 2;
    for (int i = 0; i < 2; i++)
        w->port[i] = (struct worker_port){.port_id = bed.port_id[i],
                                          .mtu = LINK_MTU,
                                          .mac = i == 0 ? mac_own : mac_way,
                                          .receive = true,
                                          .own_tx = true};
    w->bindings = calloc(table_slots(bed.table), sizeof(*w->bindings));
    ck_assert_ptr_nonnull(w->bindings);
    worker_start(w);
}

static void set_up(void)
{
    memset(&bed, 0, sizeof(bed));
    bed.pool = eal_pool("worker", POOL);
    bed.port_id[0] = start_port("net_ring0");
    bed.port_id[1] = start_port("net_ring1");
    bed.table = table_create("worker", 64, 2, SOCKET_ID_ANY);
    bed.adjacencies = adjacencies_create(16);
    ck_assert_ptr_nonnull(bed.table);
    ck_assert_ptr_nonnull(bed.adjacencies);
    ck_assert_int_eq(punt_rings_create(&bed.punts, "worker", SOCKET_ID_ANY), 0);
    adjacency_publish(bed.adjacencies, ADJ_ROUTER, WAY_PORT, &mac_router);
    adjacency_publish(bed.adjacencies, ADJ_AT_HOME, HOME_PORT, &mac_at_home);
    bed.settings.home_networks[0].address = htonl(IP(10, 1, 0, 0));
    bed.settings.home_networks[0].mask = htonl(IP(255, 255, 255, 0));
    for (uint32_t i = 1; i <= 2; i++)
        bed.settings.home_networks[i] =
            (struct ipv4_network){.address = htonl(IP(10, 2 + i, 0, 0)),
                                  .mask = htonl(IP(255, 255, 255, 0)),
                                  .second_chance = i == 1 ? ADJ_PRIMARY : ADJ_PRIMARY_WAITING};
    bed.settings.n_home_networks = 3;
    bed.settings.id_slots = 1;
    bed.settings.peers[0] = htonl(OTHER_OWN + 1);
    bed.settings.peers[1] = htonl(PEER);
    bed.settings.n_peers = 2;
    bed.settings.delegation_port = DELEGATION_PORT;
    adjacency_publish(bed.adjacencies, ADJ_PRIMARY, HOME_PORT, &mac_primary);
    bed.settings.own[0] = htonl(HOME_AGENT);
    bed.settings.own[1] = htonl(OTHER_OWN);
    bed.settings.n_own = 2;

    install(HOME_AGENT, (struct entry){.kind = ENTRY_LOCAL});
    install(SUBNET_ALL, (struct entry){.kind = ENTRY_LOCAL, .flags = ENTRY_BROADCAST});
    install(AWAY, tunnel_to(CARE_OF, ADJ_ROUTER, 0));
    install(AWAY_WAITING, tunnel_to(CARE_OF, ADJ_WAITING, 0));
    install(AWAY_LOST, tunnel_to(CARE_OF, ADJ_ROUTER, ENTRY_UNREACHABLE));
    install(AT_HOME, (struct entry){.kind = ENTRY_ON_LINK, .adjacency = ADJ_AT_HOME, .mtu = LINK_MTU});
    install(AT_HOME_WAITING,
            (struct entry){.kind = ENTRY_ON_LINK, .adjacency = ADJ_AT_HOME_WAITING, .mtu = LINK_MTU});
    start_worker(0);
    start_worker(1);
}

/* What a device sent comes back on its receive side. */
static struct rte_mbuf *sent_by(unsigned port)
{
    struct rte_mbuf *m;
    return rte_eth_rx_burst(bed.port_id[port], 0, &m, 1) == 1 ? m : NULL;
}

static struct rte_mbuf *punted(enum punt_class c)
{
    struct rte_mbuf *m;
    return rte_ring_sc_dequeue(bed.punts.ring[c], (void **)&m) == 0 ? m : NULL;
}

static void drain(void)
{
    struct rte_mbuf *m;
    for (int i = 0; i < 2; i++)
        while ((m = sent_by(i)) != NULL)
            rte_pktmbuf_free(m);
    for (int c = 0; c < PUNT_CLASS_COUNT; c++)
        while ((m = punted(c)) != NULL)
            rte_pktmbuf_free(m);
}

static void tear_down(void)
{
    drain();
    ck_assert_uint_eq(rte_mempool_avail_count(bed.pool), POOL);
    for (int i = 0; i < 2; i++) {
        worker_offline(&bed.worker[i]);
        free(bed.worker[i].bindings);
        ck_assert_int_eq(rte_eth_dev_stop(bed.port_id[i]), 0);
    }
    punt_rings_destroy(&bed.punts);
    adjacencies_destroy(bed.adjacencies);
    table_destroy(bed.table);
    rte_mempool_free(bed.pool);
}

static struct rte_mbuf *frame_of(const struct spec *spec)
{
    uint8_t bytes[FRAME_MAX];
    struct rte_mbuf *m = eal_frame(bed.pool, bytes, frame_build(spec, bytes));
    memcpy(rte_pktmbuf_mtod(m, uint8_t *), bytes, rte_pktmbuf_data_len(m));
    m->ol_flags |= spec->ol_flags;
    return m;
}

static void give(const struct spec *spec)
{
    struct rte_mbuf *m = frame_of(spec);
    worker_burst(&bed.worker[0], HOME_PORT, &m, 1);
}

static uint64_t verdicts_of(const struct worker *w)
{
    uint64_t sum = 0;
    for (int v = 0; v < VERDICT_COUNT; v++)
        sum += w->counters.verdict[v];
    return sum;
}

static uint64_t count(enum verdict v)
{
    return bed.worker[0].counters.verdict[v];
}

/* ---- Every verdict ---- */

static struct rte_mbuf *hoard[POOL + 1];
static unsigned hoarded;

static void take_all_buffers(void)
{
    while ((hoard[hoarded] = rte_pktmbuf_alloc(bed.pool)) != NULL)
        hoarded++;
    rte_pktmbuf_free(hoard[--hoarded]); /* one for the packet itself */
}

static void give_back_buffers(void)
{
    while (hoarded > 0)
        rte_pktmbuf_free(hoard[--hoarded]);
}

/* No token, and none comes. */
static void freeze_signalling(void)
{
    bed.worker[0].class_bucket[PUNT_SIGNALLING] = (struct token_bucket){.filled_tsc = UINT64_MAX};
}

static void fill_local_ring(void)
{
    while (rte_ring_mp_enqueue(bed.punts.ring[PUNT_LOCAL], hoard[hoarded] = rte_pktmbuf_alloc(bed.pool)) == 0)
        ;
    rte_pktmbuf_free(hoard[hoarded]);
}

static void fill_way_port(void)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(bed.pool);
    while (rte_eth_tx_burst(bed.port_id[WAY_PORT], 0, &m, 1) == 1)
        m = rte_pktmbuf_alloc(bed.pool);
    rte_pktmbuf_free(m);
}

static void freeze_second_chances(void)
{
    bed.worker[0].second_chances = (struct token_bucket){.filled_tsc = UINT64_MAX};
}

static void nothing(void)
{
}

static const struct row {
    const char *what;
    struct spec frame;
    enum verdict expected;
} rows[] = {
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
    {"a peer to another port", {.from = PEER, .dst = HOME_AGENT}, VERDICT_PUNT_LOCAL},
    {"a peer by TCP",
     {.from = PEER, .dst = HOME_AGENT, .port = DELEGATION_PORT, .protocol = 6},
     VERDICT_DROP_LOCAL_PROTOCOL},
    {"delegation in fragments",
     {.from = PEER, .dst = HOME_AGENT, .port = DELEGATION_PORT, .fragment = 0x2000},
     VERDICT_DROP_LOCAL_FRAGMENT},
    {"delegation to all on the link",
     {.to = TO_ALL, .from = PEER, .dst = HOME_AGENT, .port = DELEGATION_PORT},
     VERDICT_DROP_LINK_BROADCAST},
    {"something else to the subnet", {.to = TO_ALL, .dst = SUBNET_ALL}, VERDICT_DROP_BROADCAST},
    {"ping", {.dst = HOME_AGENT, .protocol = 1}, VERDICT_PUNT_LOCAL},
    {"ping, TTL 0: no reason to drop what is for us",
     {.dst = HOME_AGENT, .protocol = 1, .ttl = TTL_ZERO},
     VERDICT_PUNT_LOCAL},
    {"registration, TTL 1", {.dst = HOME_AGENT, .port = 434, .ttl = 1}, VERDICT_PUNT_SIGNALLING},
    {"reverse tunnel", {.dst = HOME_AGENT, .protocol = 4}, VERDICT_DROP_REVERSE_TUNNEL},
    {"TCP to us", {.dst = HOME_AGENT, .protocol = 6}, VERDICT_DROP_LOCAL_PROTOCOL},
    {"fragment to us", {.dst = HOME_AGENT, .fragment = 0x2000}, VERDICT_DROP_LOCAL_FRAGMENT},
    {"multicast", {.to = TO_GROUP, .dst = IP(224, 0, 0, 5)}, VERDICT_DROP_MULTICAST},
    {"runt", {.cut = 20}, VERDICT_DROP_RUNT},
    {"another station's", {.to = TO_OTHER}, VERDICT_DROP_FOREIGN_MAC},
    {"IPv6", {.ethertype = 0x86dd}, VERDICT_DROP_ETHERTYPE},
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

START_TEST(every_verdict_comes_up)
{
    for (int i = 0; i < ROWS(rows); i++) {
        judge(&rows[i]);
        drain();
    }
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
    struct rte_mbuf *burst[128];
    uint64_t expected[VERDICT_COUNT] = {0};
    unsigned n = 0;
    for (int i = 0; i < ROWS(rows); i++) {
        burst[n++] = frame_of(&rows[i].frame);
        expected[rows[i].expected]++;
    }
    ck_assert_uint_gt(n, WORKER_BURST); /* it is cut into bursts */
    worker_burst(&bed.worker[0], HOME_PORT, burst, n);
    for (int v = 0; v < VERDICT_COUNT; v++)
        ck_assert_msg(count(v) == expected[v], "%s: %lu, not %lu", verdict_name(v), count(v), expected[v]);
}
END_TEST

/* ---- What leaves ---- */

static void check_ethernet(const struct rte_mbuf *m, const struct mac *to, const struct mac *from)
{
    const uint8_t *ethernet = rte_pktmbuf_mtod(m, const uint8_t *);
    ck_assert(memcmp(ethernet, to->b, 6) == 0);
    ck_assert(memcmp(ethernet + 6, from->b, 6) == 0);
    ck_assert_uint_eq(get16(ethernet + 12), 0x0800);
}

/* The packet that was given, one hop further, and nothing else changed. */
static void check_hopped(const uint8_t *out, const uint8_t *frame, unsigned size)
{
    const uint8_t *in = frame + 14;
    ck_assert_uint_eq(out[8], in[8] - 1);
    ck_assert_uint_eq(full_sum(out, (in[0] & 15) * 4), 0);
    ck_assert(memcmp(out, in, 8) == 0);
    ck_assert_uint_eq(out[9], in[9]);
    ck_assert(memcmp(out + 12, in + 12, size - 12) == 0);
}

START_TEST(a_tunnelled_packet)
{
    struct spec spec = {
        .tos = 0xb9, .fragment = 0x4000, .options = "\x94\4\0\0", .n_options = 4, .padding = 6};
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
    ck_assert_uint_eq(c->packets, 1);
    ck_assert_uint_eq(c->bytes, size);
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
    ck_assert_uint_eq(bed.worker[0].bindings[table_get(bed.table, &home)->slot].bytes, size);
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
    ck_assert_uint_eq(bed.worker[0].bindings[table_get(bed.table, &home)->slot].packets, 1);
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

/* ---- What reaches control ---- */

static struct rte_mbuf *punted_unchanged(enum punt_class c, const struct spec *spec)
{
    uint8_t frame[FRAME_MAX];
    unsigned len = frame_build(spec, frame);
    give(spec);
    struct rte_mbuf *m = punted(c);
    ck_assert_ptr_nonnull(m);
    ck_assert_uint_eq(punt_meta(m)->class, c);
    ck_assert_uint_eq(punt_meta(m)->port_index, HOME_PORT);
    ck_assert_uint_eq(punt_meta(m)->link_cast, spec->to != TO_US);
    ck_assert_uint_eq(rte_pktmbuf_pkt_len(m), len);
    ck_assert(memcmp(rte_pktmbuf_mtod(m, uint8_t *), frame, len) == 0);
    return m;
}

static const struct unchanged {
    const char *what;
    struct spec frame;
    enum punt_class class;
    enum verdict verdict;
    uint16_t mtu;
} unchanged[] = {
    {"ARP", {.to = TO_ALL, .ethertype = 0x0806}, PUNT_ARP, VERDICT_PUNT_ARP, 0},
    {"registration", {.dst = HOME_AGENT, .port = 434}, PUNT_SIGNALLING, VERDICT_PUNT_SIGNALLING, 0},
    {"registration to the subnet",
     {.to = TO_ALL, .dst = SUBNET_ALL, .port = 434},
     PUNT_SIGNALLING,
     VERDICT_PUNT_SIGNALLING,
     0},
    {"delegation",
     {.from = PEER, .dst = HOME_AGENT, .port = DELEGATION_PORT},
     PUNT_DELEGATION,
     VERDICT_PUNT_DELEGATION,
     0},
    {"ping", {.dst = HOME_AGENT, .protocol = 1}, PUNT_LOCAL, VERDICT_PUNT_LOCAL, 0},
    {"TTL", {.ttl = 1}, PUNT_ERROR, VERDICT_PUNT_TTL_EXCEEDED, 0},
    {"too big for the tunnel", {.fragment = 0x4000, .payload = 1461}, PUNT_ERROR, VERDICT_PUNT_TOO_BIG, 1480},
    {"too big for the link",
     {.dst = AT_HOME, .fragment = 0x4000, .payload = 1481},
     PUNT_ERROR,
     VERDICT_PUNT_TOO_BIG,
     1500},
};

START_TEST(punts_are_as_they_came)
{
    const struct unchanged *row = &unchanged[_i];
    struct rte_mbuf *m = punted_unchanged(row->class, &row->frame);
    ck_assert_uint_eq(punt_meta(m)->verdict, row->verdict);
    ck_assert_uint_eq(punt_meta(m)->mtu, row->mtu);
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

    bed.worker[0].class_bucket[PUNT_ERROR] = (struct token_bucket){.filled_tsc = UINT64_MAX};
    give(&spec);
    ck_assert_ptr_null(punted(PUNT_ERROR));
    ck_assert_uint_eq(bed.worker[0].counters.unreachable_told, 1);
    ck_assert_uint_eq(count(VERDICT_TUNNELLED), 2);
    ck_assert_uint_eq(count(VERDICT_DROP_POLICED), 0);
}
END_TEST

static const struct waiting {
    const char *what;
    uint32_t dst, adjacency;
    bool tunnelled;
} waiting[] = {
    {"a tunnel's next hop", AWAY_WAITING, ADJ_WAITING, true},
    {"a host at home", AT_HOME_WAITING, ADJ_AT_HOME_WAITING, false},
    {"a host never seen", UNSEEN, ADJACENCY_NONE, false},
};

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
    ck_assert_uint_eq(c->packets, 1); /* of the binding, not of its tunnels */
    ck_assert_uint_eq(c->bytes, size);
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
    struct spec spec = {.dst = UNKNOWN_HERE, .ttl = 1, .payload = 1480, .fragment = 0x4000};
    give(&spec);
    struct rte_mbuf *m = sent_by(HOME_PORT);
    ck_assert_ptr_nonnull(m);
    check_ethernet(m, &mac_primary, &mac_own);
    ck_assert_uint_eq(rte_pktmbuf_pkt_len(m), 14 + 1500);
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
    bed.worker[0].second_chances = (struct token_bucket){.filled_tsc = UINT64_MAX, .tokens = 10};
    for (unsigned i = 0; i < 50; i++)
        give(&(struct spec){.dst = UNKNOWN_HERE});
    ck_assert_uint_eq(count(VERDICT_SECOND_CHANCE), 10);
    ck_assert_uint_eq(count(VERDICT_DROP_SECOND_CHANCE), 40);
    give(&(struct spec){.dst = UNSEEN}); /* other home networks are untouched */
    ck_assert_uint_eq(count(VERDICT_PUNT_RESOLVE), 1);
}
END_TEST

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
    w->class_bucket[PUNT_SIGNALLING] =
        (struct token_bucket){.filled_tsc = UINT64_MAX, .tokens = class_tokens};
    w->source_bucket[punt_source_bucket(htonl(source))] =
        (struct token_bucket){.filled_tsc = UINT64_MAX, .tokens = source_tokens};
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
    bed.worker[0].class_bucket[PUNT_ERROR] = (struct token_bucket){.filled_tsc = UINT64_MAX, .tokens = 10000};
    for (unsigned i = 0; i < room + 7; i++)
        give(&(struct spec){.ttl = 1});
    ck_assert_uint_eq(c->verdict[VERDICT_PUNT_TTL_EXCEEDED], room);
    ck_assert_uint_eq(c->verdict[VERDICT_DROP_PUNT_FULL], 7);
    ck_assert_uint_eq(c->policed[PUNT_ERROR], 7);
}
END_TEST

/* ---- Turns, queues, handoff ---- */

static void put_in(unsigned port, const struct spec *spec, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        struct rte_mbuf *m = frame_of(spec);
        ck_assert_uint_eq(rte_eth_tx_burst(bed.port_id[port], 0, &m, 1), 1);
    }
}

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
    ck_assert_uint_eq(report.packets, 5);
    ck_assert_uint_eq(report.bytes, 5 * 46);
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
    ck_assert_uint_eq(worker_turn(w), WORKER_BURST);
    ck_assert_uint_eq(worker_turn(w), 5);
    ck_assert_uint_eq(worker_turn(w), 0);
    ck_assert_uint_eq(w->counters.turns, 3);
    ck_assert_uint_eq(w->counters.idle_turns, 1);
    ck_assert_uint_eq(w->counters.verdict[VERDICT_TUNNELLED], WORKER_BURST + 5);
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
    other.own[0] = htonl(CORRESPONDENT);
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

/* As many own addresses as there may be: each is found, no other is. */
START_TEST(many_own_addresses)
{
    for (unsigned i = 0; i < WORKER_OWN_MAX; i++)
        bed.settings.own[i] = htonl(IP(10, 9, 0, 1) + i);
    bed.settings.n_own = WORKER_OWN_MAX;
    for (unsigned i = 0; i < WORKER_OWN_MAX; i++) {
        give(&(struct spec){.from = IP(10, 9, 0, 1) + i});
        give(&(struct spec){.from = IP(10, 8, 0, 1) + i});
    }
    ck_assert_uint_eq(count(VERDICT_DROP_LOOP_OWN_SOURCE), WORKER_OWN_MAX);
    ck_assert_uint_eq(count(VERDICT_TUNNELLED), WORKER_OWN_MAX);
}
END_TEST

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

START_TEST(handoff)
{
    struct rte_ring *ring = share_way_port();
    for (int i = 0; i < 40; i++)
        give(&(struct spec){.tos = (uint8_t)(i << 2)});
    ck_assert_uint_eq(count(VERDICT_TUNNELLED), 40);
    ck_assert_uint_eq(bed.worker[0].counters.tx_packets, 0);
    ck_assert_ptr_null(sent_by(WAY_PORT));
    ck_assert_uint_eq(worker_turn(&bed.worker[1]), WORKER_BURST);
    ck_assert_uint_eq(worker_turn(&bed.worker[1]), 40 - WORKER_BURST);
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
    TCase *c = tcase_create("verdicts");
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_add_test(c, every_verdict_comes_up);
    tcase_add_test(c, a_mixed_burst);
    tcase_add_test(c, a_tunnelled_packet);
    tcase_add_test(c, an_on_link_packet);
    tcase_add_test(c, outer_df);
    tcase_add_test(c, identifications_are_never_shared);
    tcase_add_test(c, identification_slots_do_not_meet);
    tcase_add_test(c, a_second_chance);
    tcase_add_test(c, a_second_chance_waits_for_the_primarys_mac_address);
    tcase_add_test(c, the_primary_gets_nothing_back);
    tcase_add_test(c, second_chances_are_policed);
    tcase_add_loop_test(c, fragments, 0, ROWS(fragmented));
    tcase_add_test(c, fragments_below_the_floor);
    tcase_add_test(c, what_cannot_be_fragmented);
    tcase_add_loop_test(c, punts_are_as_they_came, 0, ROWS(unchanged));
    tcase_add_test(c, an_unreachable_tunnel);
    tcase_add_loop_test(c, waiting_for_a_mac_address, 0, ROWS(waiting));
    tcase_add_test(c, fragments_wait_as_well);
    tcase_add_test(c, an_adjacency_of_a_port_that_is_not);
    tcase_add_test(c, policing);
    tcase_add_test(c, a_full_ring);
    tcase_add_test(c, a_copy_to_each_care_of_address);
    tcase_add_test(c, copies_fit_the_smallest_tunnel);
    tcase_add_test(c, a_copy_waits_for_its_own_next_hop);
    tcase_add_test(c, no_buffer_for_a_copy);
    tcase_add_test(c, no_copy_back_to_its_source);
    tcase_add_test(c, minimal_encapsulation);
    tcase_add_test(c, turns_account_for_themselves);
    tcase_add_test(c, turns);
    tcase_add_test(c, turns_let_go_of_entries);
    tcase_add_test(c, settings_are_replaced);
    tcase_add_test(c, many_own_addresses);
    tcase_add_test(c, a_full_queue);
    tcase_add_test(c, handoff);
    tcase_add_test(c, handoff_to_a_full_queue);
    tcase_add_test(c, no_queue_and_no_handoff);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    static const char *const vdevs[] = {"net_ring0", "net_ring1", NULL};
    return eal_main("test_worker", "256", vdevs, suite);
}
