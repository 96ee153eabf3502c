/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The bed on which the suites of the worker lie: two workers between two ring devices, a table with an entry
 * of each kind, rings to control, and what was sent or handed over as the tests look at it. After each test
 * every packet buffer is back in its pool.
 */
#ifndef TEST_FWD_WORKER_BED_H
#define TEST_FWD_WORKER_BED_H

#include "eal.h"
#include "frame.h"

#include <rte_ethdev.h>

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
    ROOM = 1024, /* of a ring device */
    DELEGATION_PORT = 49434
};

#define UNKNOWN_HERE    IP(10, 3, 0, 1)    /* in a home network with a primary */
#define UNKNOWN_WAITING IP(10, 4, 0, 1)    /* the same, its MAC address not known */
#define PEER            IP(10, 1, 0, 3)    /* a primary or secondary */
#define CONNECTED       IP(172, 16, 0, 9)  /* in a network on a link of ours that is no home network */
#define ROUTED_WAITING  IP(203, 0, 113, 9) /* there is a route, its next hop has no MAC address yet */
#define NOWHERE         IP(100, 64, 0, 9)  /* by the default route, if there is one */

#define MOBILE         AWAY_REVERSE /* by IP in IP from CARE_OF */
#define MOBILE_MINIMAL IP(10, 1, 0, 41)
#define MOBILE_GRE     IP(10, 1, 0, 42)
#define MOBILE_TWICE   IP(10, 1, 0, 43) /* IP in IP from CARE_OF, GRE from CARE_OF + 1 */
#define OTHER_MOBILE   IP(10, 1, 0, 44) /* to whom others send; by IP in IP */
#define OTHER_GRE      IP(10, 1, 0, 45)
#define OTHER_CARE_OF  IP(10, 2, 0, 99)

/* Of both families, their tunnels of the other one. */
#define MOBILE_OTHERWISE IP(10, 1, 0, 46)
#define OTHER_OTHERWISE  IP(10, 1, 0, 47)

static const struct mac mac_primary = {{2, 0, 0, 0, 0, 0xcc}};
static const struct addr own_link_local = {{0xfe, 0x80, [8] = 0, 0, 0, 0xff, 0xfe, 0, 0, 1}};
static const struct mac mac_way = {{2, 0, 0, 0, 0, 2}};

static struct bed {
    struct rte_mempool *pool;
    struct table *table;
    struct adjacencies *adjacencies;
    struct punt_rings punts;
    struct worker_settings settings;
    struct worker worker[2];
    uint16_t port_id[2];
    struct exits *exits; /* open_reverse_tunnels */
    struct rte_mbuf *hoard[POOL + 1];
    unsigned hoarded;
} bed;

/* ---- Setting up ---- */

static inline uint16_t start_port(const char *name)
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

static inline void install_at(const struct addr *address, struct entry e)
{
    ck_assert_int_eq(table_install(bed.table, address, &e), 0);
}

static inline void install(uint32_t home, struct entry e)
{
    const struct addr address = addr_from_ipv4(home);
    install_at(&address, e);
}

static inline void install_six(uint32_t home, struct entry e)
{
    const struct addr address = six(home);
    install_at(&address, e);
}

static inline const struct entry *installed_at(const struct addr *address)
{
    const struct entry *e = table_get(bed.table, address);
    ck_assert_ptr_nonnull(e);
    return e;
}

static inline const struct entry *installed(uint32_t home)
{
    const struct addr address = addr_from_ipv4(home);
    return installed_at(&address);
}

static inline const struct binding_counter *counter_of(uint32_t home)
{
    return &bed.worker[0].bindings[installed(home)->slot];
}

static inline struct entry entry_of(const struct tunnel *t)
{
    struct entry e;
    ck_assert_int_eq(entry_tunnel(&e, t), 0);
    return e;
}

static inline struct tunnel plain_tunnel(uint32_t care_of)
{
    return (struct tunnel){.source = addr_from_ipv4(HOME_AGENT),
                           .destination = addr_from_ipv4(care_of),
                           .encapsulation = ENCAPSULATION_IPIP,
                           .adjacency = ADJ_ROUTER,
                           .path_mtu = 1500};
}

/* By any encapsulation: the addresses are of the family that it has outside. */
static inline struct tunnel tunnel_over(enum encapsulation encapsulation, uint32_t care_of)
{
    struct tunnel t = plain_tunnel(care_of);
    bool ipv6 = tunnel_family_outside(encapsulation) == PKT_IPV6;
    t.source = address_of(ipv6, HOME_AGENT);
    t.destination = address_of(ipv6, care_of);
    t.encapsulation = encapsulation;
    return t;
}

static inline struct entry tunnel_to(uint32_t care_of, uint32_t adjacency, uint8_t flags)
{
    struct tunnel t = plain_tunnel(care_of);
    t.adjacency = adjacency;
    t.flags = flags;
    return entry_of(&t);
}

static inline struct entry tunnel_by(enum encapsulation encapsulation, uint32_t care_of, uint8_t flags)
{
    struct tunnel t = tunnel_over(encapsulation, care_of);
    t.flags = flags;
    return entry_of(&t);
}

static inline struct entry tunnel_six(uint32_t care_of, uint32_t adjacency, uint8_t flags)
{
    struct tunnel t = tunnel_over(ENCAPSULATION_IPV6_IN_IPV6, care_of);
    t.adjacency = adjacency;
    t.flags = flags;
    return entry_of(&t);
}

static inline void start_worker(unsigned index)
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

/* A /24, or the /64 that six makes of it. */
static inline struct home_network home_network_of(bool ipv6, uint32_t first, uint32_t second_chance)
{
    struct home_network n = {.address = address_of(ipv6, first), .second_chance = second_chance};
    memset(n.mask.b, 0xff, ipv6 ? 8 : 15);
    return n;
}

static inline void settle(void)
{
    struct worker_settings *s = &bed.settings;
    static const uint32_t second_chance[] = {ADJACENCY_NONE, ADJ_PRIMARY, ADJ_PRIMARY_WAITING};
    static const uint32_t first[] = {IP(10, 1, 0, 0), IP(10, 3, 0, 0), IP(10, 4, 0, 0)};
    for (unsigned i = 0; i < 6; i++)
        s->home_networks[s->n_home_networks++] = home_network_of(i >= 3, first[i % 3], second_chance[i % 3]);
    s->id_slots = 1;
    s->delegation_port = DELEGATION_PORT;
    for (unsigned i = 0; i < 4; i++) {
        s->peers[s->n_peers++] = address_of(i >= 2, i % 2 == 0 ? OTHER_OWN + 1 : PEER);
        const struct addr own = address_of(i >= 2, i % 2 == 0 ? HOME_AGENT : OTHER_OWN);
        own_add(&s->own, &own);
    }
    own_add(&s->own, &own_link_local);
}

static inline void publish_ways(void)
{
    adjacency_publish(bed.adjacencies, ADJ_ROUTER, WAY_PORT, &mac_router);
    adjacency_publish(bed.adjacencies, ADJ_AT_HOME, HOME_PORT, &mac_at_home);
    adjacency_publish(bed.adjacencies, ADJ_PRIMARY, HOME_PORT, &mac_primary);
}

static inline void install_all(void)
{
    install(HOME_AGENT, (struct entry){.kind = ENTRY_LOCAL});
    install(SUBNET_ALL, (struct entry){.kind = ENTRY_LOCAL, .flags = ENTRY_BROADCAST});
    install(AWAY, tunnel_to(CARE_OF, ADJ_ROUTER, 0));
    install(AWAY_WAITING, tunnel_to(CARE_OF, ADJ_WAITING, 0));
    install(AWAY_LOST, tunnel_to(CARE_OF, ADJ_ROUTER, ENTRY_UNREACHABLE));
    install(AWAY_REVERSE, tunnel_to(CARE_OF, ADJ_ROUTER, ENTRY_REVERSE));
    install(AT_HOME, (struct entry){.kind = ENTRY_ON_LINK, .adjacency = ADJ_AT_HOME, .mtu = LINK_MTU});
    install(AT_HOME_WAITING,
            (struct entry){.kind = ENTRY_ON_LINK, .adjacency = ADJ_AT_HOME_WAITING, .mtu = LINK_MTU});
    install(AWAY_OTHERWISE, tunnel_by(ENCAPSULATION_IPV4_IN_IPV6, CARE_OF, 0));
}

static inline void install_all_six(void)
{
    install_six(HOME_AGENT, (struct entry){.kind = ENTRY_LOCAL});
    install_at(&own_link_local, (struct entry){.kind = ENTRY_LOCAL});
    install_six(AWAY, tunnel_six(CARE_OF, ADJ_ROUTER, 0));
    install_six(AWAY_WAITING, tunnel_six(CARE_OF, ADJ_WAITING, 0));
    install_six(AWAY_LOST, tunnel_six(CARE_OF, ADJ_ROUTER, ENTRY_UNREACHABLE));
    install_six(AWAY_REVERSE, tunnel_six(CARE_OF, ADJ_ROUTER, ENTRY_REVERSE));
    install_six(AWAY_TESTED, tunnel_six(CARE_OF, ADJ_ROUTER, ENTRY_REVERSE | ENTRY_HOME_TESTS));
    install_six(AWAY_OTHERWISE, tunnel_by(ENCAPSULATION_IPV6_IN_IPV4, CARE_OF, 0));
    install_six(AT_HOME, (struct entry){.kind = ENTRY_ON_LINK, .adjacency = ADJ_AT_HOME, .mtu = LINK_MTU});
    install_six(AT_HOME_WAITING,
                (struct entry){.kind = ENTRY_ON_LINK, .adjacency = ADJ_AT_HOME_WAITING, .mtu = LINK_MTU});
}

static inline void set_up(void)
{
    memset(&bed, 0, sizeof(bed));
    bed.pool = eal_pool("worker", POOL);
    bed.port_id[0] = start_port("net_ring0");
    bed.port_id[1] = start_port("net_ring1");
    bed.table = table_create(128, 2, SOCKET_ID_ANY);
    bed.adjacencies = adjacencies_create(16);
    ck_assert_ptr_nonnull(bed.table);
    ck_assert_ptr_nonnull(bed.adjacencies);
    ck_assert_int_eq(punt_rings_create(&bed.punts, "worker", SOCKET_ID_ANY), 0);
    publish_ways();
    settle();
    install_all();
    install_all_six();
    start_worker(0);
    start_worker(1);
}

/* ---- Routes of what comes by reverse tunnels ---- */

/* A route's adjacency is its port's number here. */
static inline uint32_t route_adjacency(void *context, const struct route *route)
{
    (void)context;
    return route->port_index;
}

static inline void add_route(struct routes *r, const char *destination, uint8_t adjacency)
{
    struct route one = {.port_index = adjacency};
    ck_assert(prefix_parse(destination, &one.destination));
    ck_assert_int_eq(routes_add(r, &one), 0);
}

static inline void open_reverse_tunnels(bool with_default)
{
    struct routes *r = routes_create("worker", 8);
    ck_assert_ptr_nonnull(r);
    add_route(r, "198.51.100.0/24", ADJ_ROUTER);
    add_route(r, "172.16.0.0/24", ADJACENCY_NONE);
    add_route(r, "203.0.113.0/24", ADJ_WAITING);
    add_route(r, "2001:db8:c633::/64", ADJ_ROUTER);
    add_route(r, "2001:db8:ac10::/64", ADJACENCY_NONE);
    add_route(r, "2001:db8:cb00::/64", ADJ_WAITING);
    if (with_default) {
        add_route(r, "0.0.0.0/0", ADJ_PRIMARY);
        add_route(r, "::/0", ADJ_PRIMARY);
    }
    exits_destroy(bed.exits);
    bed.exits = exits_create(r, route_adjacency, NULL);
    ck_assert_ptr_nonnull(bed.exits);
    bed.settings.exits = bed.exits;
    routes_destroy(r);
}

static inline void install_twice(bool ipv6, enum encapsulation first, enum encapsulation second)
{
    const struct addr twice = address_of(ipv6, MOBILE_TWICE);
    struct entry set[] = {tunnel_by(first, CARE_OF, ENTRY_REVERSE),
                          tunnel_by(second, CARE_OF + 1, ENTRY_REVERSE)};
    ck_assert_int_eq(table_install_set(bed.table, &twice, set, 2), 0);
}

static inline void install_mobiles(void)
{
    install(MOBILE_MINIMAL, tunnel_by(ENCAPSULATION_MINIMAL, CARE_OF, ENTRY_REVERSE));
    install(MOBILE_GRE, tunnel_by(ENCAPSULATION_GRE, CARE_OF, ENTRY_REVERSE));
    install(MOBILE_OTHERWISE, tunnel_by(ENCAPSULATION_IPV4_IN_IPV6, CARE_OF, ENTRY_REVERSE));
    install(OTHER_MOBILE, tunnel_by(ENCAPSULATION_IPIP, OTHER_CARE_OF, 0));
    install(OTHER_GRE, tunnel_by(ENCAPSULATION_GRE, OTHER_CARE_OF, 0));
    install(OTHER_OTHERWISE, tunnel_by(ENCAPSULATION_IPV4_IN_IPV6, OTHER_CARE_OF, 0));
    install_twice(false, ENCAPSULATION_IPIP, ENCAPSULATION_GRE);
    install_six(MOBILE_OTHERWISE, tunnel_by(ENCAPSULATION_IPV6_IN_IPV4, CARE_OF, ENTRY_REVERSE));
    install_six(OTHER_MOBILE, tunnel_by(ENCAPSULATION_IPV6_IN_IPV6, OTHER_CARE_OF, 0));
    install_six(OTHER_OTHERWISE, tunnel_by(ENCAPSULATION_IPV6_IN_IPV4, OTHER_CARE_OF, 0));
    install_twice(true, ENCAPSULATION_IPV6_IN_IPV6, ENCAPSULATION_IPV6_IN_IPV4);
}

static inline void set_up_reverse_tunnels(void)
{
    set_up();
    install_mobiles();
    install(OTHER_OWN, (struct entry){.kind = ENTRY_LOCAL}); /* in no home network */
    install_six(OTHER_OWN, (struct entry){.kind = ENTRY_LOCAL});
    open_reverse_tunnels(true);
}

/* ---- What came out ---- */

/* What a device sent comes back on its receive side. */
static inline struct rte_mbuf *sent_by(unsigned port)
{
    struct rte_mbuf *m;
    return rte_eth_rx_burst(bed.port_id[port], 0, &m, 1) == 1 ? m : NULL;
}

static inline struct rte_mbuf *punted(enum punt_class c)
{
    struct rte_mbuf *m;
    return rte_ring_sc_dequeue(bed.punts.ring[c], (void **)&m) == 0 ? m : NULL;
}

/* How many frames there are, anywhere; they are freed. */
static inline unsigned drained(void)
{
    struct rte_mbuf *m;
    unsigned n = 0;
    for (int i = 0; i < 2; i++)
        for (; (m = sent_by(i)) != NULL; n++)
            rte_pktmbuf_free(m);
    for (int c = 0; c < PUNT_CLASS_COUNT; c++)
        for (; (m = punted(c)) != NULL; n++)
            rte_pktmbuf_free(m);
    return n;
}

static inline void drain(void)
{
    drained();
}

static inline void tear_down(void)
{
    drain();
    ck_assert_uint_eq(rte_mempool_avail_count(bed.pool), POOL);
    for (int i = 0; i < 2; i++) {
        worker_offline(&bed.worker[i]);
        free(bed.worker[i].bindings);
        ck_assert_int_eq(rte_eth_dev_stop(bed.port_id[i]), 0);
    }
    exits_destroy(bed.exits);
    punt_rings_destroy(&bed.punts);
    adjacencies_destroy(bed.adjacencies);
    table_destroy(bed.table);
    rte_mempool_free(bed.pool);
}

static inline uint64_t verdicts_of(const struct worker *w)
{
    uint64_t sum = 0;
    for (int v = 0; v < VERDICT_COUNT; v++)
        sum += w->counters.verdict[v];
    return sum;
}

static inline uint64_t count(enum verdict v)
{
    return bed.worker[0].counters.verdict[v];
}

/* ---- What goes in ---- */

static inline struct rte_mbuf *frame_of(const struct spec *spec)
{
    uint8_t bytes[FRAME_MAX];
    struct rte_mbuf *m = eal_frame(bed.pool, bytes, frame_build(spec, bytes));
    m->ol_flags |= spec->ol_flags;
    return m;
}

static inline void give(const struct spec *spec)
{
    struct rte_mbuf *m = frame_of(spec);
    worker_burst(&bed.worker[0], HOME_PORT, &m, 1);
}

/* Frames into a device, for a worker to receive. */
static inline void put_in(unsigned port, const struct spec *spec, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        struct rte_mbuf *m = frame_of(spec);
        ck_assert_uint_eq(rte_eth_tx_burst(bed.port_id[port], 0, &m, 1), 1);
    }
}

/* ---- What hinders a worker ---- */

static inline void take_all_buffers(void)
{
    while ((bed.hoard[bed.hoarded] = rte_pktmbuf_alloc(bed.pool)) != NULL)
        bed.hoarded++;
    rte_pktmbuf_free(bed.hoard[--bed.hoarded]); /* one for the packet itself */
}

static inline void give_back_buffers(void)
{
    while (bed.hoarded > 0)
        rte_pktmbuf_free(bed.hoard[--bed.hoarded]);
}

static inline void fill_way_port(void)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(bed.pool);
    while (rte_eth_tx_burst(bed.port_id[WAY_PORT], 0, &m, 1) == 1)
        m = rte_pktmbuf_alloc(bed.pool);
    rte_pktmbuf_free(m);
}

/* So many, and no more come while the test runs. */
static inline struct token_bucket frozen(unsigned tokens)
{
    return (struct token_bucket){.filled_tsc = UINT64_MAX, .tokens = tokens};
}

/* ---- Checks ---- */

static inline void check_ethernet(const struct rte_mbuf *m, const struct mac *to, const struct mac *from)
{
    const uint8_t *ethernet = rte_pktmbuf_mtod(m, const uint8_t *);
    ck_assert(memcmp(ethernet, to->b, 6) == 0);
    ck_assert(memcmp(ethernet + 6, from->b, 6) == 0);
    ck_assert_uint_eq(get16(ethernet + 12), ethernet[14] >> 4 == 6 ? 0x86dd : 0x0800);
}

/* The packet that was given, one hop further, and nothing else changed. */
static inline void check_hopped(const uint8_t *out, const uint8_t *frame, unsigned size)
{
    const uint8_t *in = frame + 14;
    if (in[0] >> 4 == 6) {
        ck_assert(memcmp(out, in, 7) == 0);
        ck_assert_uint_eq(out[7], in[7] - 1);
        ck_assert(memcmp(out + 8, in + 8, size - 8) == 0);
        return;
    }
    ck_assert_uint_eq(out[8], in[8] - 1);
    ck_assert_uint_eq(full_sum(out, (in[0] & 15) * 4), 0);
    ck_assert(memcmp(out, in, 8) == 0);
    ck_assert_uint_eq(out[9], in[9]);
    ck_assert(memcmp(out + 12, in + 12, size - 12) == 0);
}

/* m is these bytes, no more and no less, in one buffer. Frees it. */
static inline void check_bytes(struct rte_mbuf *m, const uint8_t *bytes, unsigned len, const char *what)
{
    ck_assert_msg(m != NULL, "%s: nothing came", what);
    ck_assert_msg(m->nb_segs == 1 && rte_pktmbuf_pkt_len(m) == len && rte_pktmbuf_data_len(m) == len,
                  "%s: %u bytes, not %u", what, rte_pktmbuf_pkt_len(m), len);
    const uint8_t *came = rte_pktmbuf_mtod(m, const uint8_t *);
    for (unsigned i = 0; i < len; i++)
        ck_assert_msg(came[i] == bytes[i], "%s: byte %u is %02x, not %02x", what, i, came[i], bytes[i]);
    rte_pktmbuf_free(m);
}

/* Gives the packet, which must reach control as it came. */
static inline struct rte_mbuf *punted_unchanged(enum punt_class c, const struct spec *spec)
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

static inline int bed_main(const char *program, Suite *(*suite)(void))
{
    static const char *const vdevs[] = {"net_ring0", "net_ring1", NULL};
    return eal_main(program, "256", vdevs, suite);
}

#endif
