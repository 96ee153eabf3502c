/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The whole worker under random frames: every one ends in one verdict, what leaves is a well-formed packet of
 * the right length, no buffer is lost, and another source than the frame's has only what was sent by a
 * reverse tunnel that was granted. The input is a byte of options and the frame.
 *
 * What lies behind the frame in its buffer is poisoned where the compiler can do that, so that a read beyond
 * the frame is seen although the buffer goes on.
 */
#include "fuzz.h"

#include <netinet/in.h>
#include <unistd.h>

#include <rte_eal.h>

#include "../fwd/frame.h"
#include "tunnel.h"
#include "worker.h"

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif
#ifdef WITH_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, len)   ((void)(at), (void)(len))
#define ASAN_UNPOISON_MEMORY_REGION(at, len) ((void)(at), (void)(len))
#endif

enum { POOL = 255, ADJACENCY_KNOWN = 1, ADJACENCY_UNKNOWN = 2, ETHERNET = 14 };

enum option {
    OPTION_SUM_RIGHT = 0x01, /* make the header's checksum right, or few inputs get past it */
    OPTION_SUM_GOOD = 0x02,  /* the device says that it is */
    OPTION_TO_US = 0x04,     /* the same for the destination MAC address */
    OPTION_OUTER_DF = 0x08,
    OPTION_NO_TUNNEL_MTU = 0x10, /* the tunnels' MTU is the smallest */
    OPTION_SECOND_CHANCE = 0x20, /* the home network has a primary */
    OPTION_INNER_RIGHT = 0x40,   /* make the checksum of what is in a tunnel right */
    OPTION_CLOSED = 0x80         /* no reverse tunnel is opened */
};

/* More bound addresses than frame.h has. They and AWAY_REVERSE may send by reverse tunnels. */
#define AWAY_MINIMAL IP(10, 1, 0, 53)
#define AWAY_GRE     IP(10, 1, 0, 54)
#define AWAY_TWICE   IP(10, 1, 0, 55) /* two care-of addresses */

static struct rte_mempool *pool;
static struct rte_ring *sent;
static struct table *table[2]; /* usual and smallest tunnel MTU */
static struct punt_rings punts;
static struct worker_settings settings;
static struct worker worker;
static struct exits *exits;
static struct {
    uint32_t source, destination;
    uint8_t protocol;
} came; /* of the frame; zero where it is too short */

static void install(struct table *t, uint32_t home, struct entry e)
{
    struct addr address = addr_from_ipv4(home);
    fuzz_require(table_install(t, &address, &e) == 0);
}

static struct entry tunnel_by(enum encapsulation encapsulation, uint32_t adjacency, uint16_t mtu,
                              uint8_t flags)
{
    struct entry e;
    struct tunnel t = {.source = addr_from_ipv4(HOME_AGENT),
                       .destination = addr_from_ipv4(CARE_OF),
                       .encapsulation = encapsulation,
                       .adjacency = adjacency,
                       .path_mtu = mtu,
                       .flags = flags};
    fuzz_require(entry_tunnel(&e, &t) == 0);
    return e;
}

static struct entry tunnel(uint32_t adjacency, uint16_t mtu, uint8_t flags)
{
    return tunnel_by(ENCAPSULATION_IPIP, adjacency, mtu, flags);
}

static void install_twice(struct table *t, uint16_t mtu)
{
    struct addr address = addr_from_ipv4(AWAY_TWICE);
    struct entry set[] = {tunnel(ADJACENCY_KNOWN, mtu, ENTRY_REVERSE),
                          tunnel_by(ENCAPSULATION_MINIMAL, ADJACENCY_UNKNOWN, mtu, ENTRY_REVERSE)};
    fuzz_require(table_install_set(t, &address, set, 2) == 0);
}

static struct table *make_table(uint16_t mtu)
{
    struct table *t = table_create(64, 1, SOCKET_ID_ANY);
    fuzz_require(t != NULL);
    install(t, HOME_AGENT, (struct entry){.kind = ENTRY_LOCAL});
    install(t, SUBNET_ALL, (struct entry){.kind = ENTRY_LOCAL, .flags = ENTRY_BROADCAST});
    install(t, AWAY, tunnel(ADJACENCY_KNOWN, mtu, 0));
    install(t, AWAY_WAITING, tunnel(ADJACENCY_UNKNOWN, mtu, 0));
    install(t, AWAY_LOST, tunnel(ADJACENCY_KNOWN, mtu, ENTRY_UNREACHABLE));
    install(t, AWAY_REVERSE, tunnel(ADJACENCY_KNOWN, mtu, ENTRY_REVERSE));
    install(t, AWAY_MINIMAL, tunnel_by(ENCAPSULATION_MINIMAL, ADJACENCY_KNOWN, mtu, ENTRY_REVERSE));
    install(t, AWAY_GRE, tunnel_by(ENCAPSULATION_GRE, ADJACENCY_KNOWN, mtu, ENTRY_REVERSE));
    install_twice(t, mtu);
    install(t, AT_HOME, (struct entry){.kind = ENTRY_ON_LINK, .adjacency = ADJACENCY_KNOWN, .mtu = 1500});
    return t;
}

static uint32_t route_adjacency(void *context, const struct route *route)
{
    (void)context;
    return route->port_index;
}

/* To ELSEWHERE there is a way, to CORRESPONDENT one whose next hop is not known, to all others none. */
static void make_exits(void)
{
    static const struct {
        const char *text;
        uint8_t adjacency;
    } destinations[] = {{"198.51.100.0/24", ADJACENCY_KNOWN}, {"192.0.2.0/24", ADJACENCY_UNKNOWN}};
    struct routes *routes = routes_create("fuzz", 4);
    fuzz_require(routes != NULL);
    for (int i = 0; i < 2; i++) {
        struct route route = {.port_index = destinations[i].adjacency};
        fuzz_require(prefix_parse(destinations[i].text, &route.destination) &&
                     routes_add(routes, &route) == 0);
    }
    exits = exits_create(routes, route_adjacency, NULL);
    fuzz_require(exits != NULL);
    routes_destroy(routes);
}

static void start_eal(void)
{
    const char *argv[] = {"fuzz_worker",
                          "--no-huge",
                          "-m",
                          "64",
                          "--no-pci",
                          "--no-shconf",
                          "--lcores",
                          "0",
                          "--no-telemetry",
                          "--log-level=lib.eal:error"};
    fuzz_require(rte_eal_init((int)(sizeof(argv) / sizeof(argv[0])), (char **)argv) >= 0);
    rmdir(rte_eal_get_runtime_dir()); /* nothing was put there, and nobody cleans up after a fuzzer */
}

static void settle(void)
{
    settings.home_networks[0].address = htonl(IP(10, 1, 0, 0));
    settings.home_networks[0].mask = htonl(IP(255, 255, 255, 0));
    settings.n_home_networks = 1;
    settings.own[0] = htonl(HOME_AGENT);
    settings.n_own = 1;
    settings.peers[0] = htonl(CORRESPONDENT);
    settings.n_peers = 1;
    settings.delegation_port = 49434;
}

static void start(void)
{
    start_eal();
    pool = rte_pktmbuf_pool_create("fuzz", POOL, 0, PUNT_META_SIZE, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
    sent = rte_ring_create("sent", 256, SOCKET_ID_ANY, 0);
    fuzz_require(pool != NULL && sent != NULL);
    fuzz_require(punt_rings_create(&punts, "fuzz", SOCKET_ID_ANY) == 0);
    table[0] = make_table(1500);
    table[1] = make_table(68);
    struct adjacencies *adjacencies = adjacencies_create(4);
    fuzz_require(adjacencies != NULL);
    adjacency_publish(adjacencies, ADJACENCY_KNOWN, 0, &mac_router);
    make_exits();
    settle();
    worker = (struct worker){.workers = 1,
                             .table = table[0],
                             .adjacencies = adjacencies,
                             .settings = &settings,
                             .punts = &punts,
                             .pool = pool,
                             .n_ports = 1};
    worker.port[0] = (struct worker_port){.mtu = 1500, .mac = mac_own, .handoff = sent};
    worker.bindings = calloc(table_slots(table[0]), sizeof(*worker.bindings));
    fuzz_require(worker.bindings != NULL);
    worker_start(&worker);
}

/* Of a packet that is sent: a header that holds, of a length that is the packet's. Returns the header's
 * length. */
static unsigned check_ip(const uint8_t *ip, unsigned len)
{
    unsigned header = (ip[0] & 15) * 4;
    fuzz_require(len >= 20 && ip[0] >> 4 == 4 && header >= 20 && header <= len);
    fuzz_require(get16(ip + 2) == len);
    return header;
}

/* Of a packet that came in, when it goes on. */
static void check_source(uint32_t source)
{
    if (source == came.source)
        return;
    fuzz_require(source == AWAY_REVERSE || source == AWAY_MINIMAL || source == AWAY_GRE ||
                 source == AWAY_TWICE);
    fuzz_require(came.source == CARE_OF && came.destination == HOME_AGENT && settings.exits != NULL);
    fuzz_require(came.protocol == 4 || came.protocol == 47 || came.protocol == 55);
}

/* IP in IP, or GRE. */
static void check_whole_inside(const uint8_t *ip, unsigned header, unsigned len, bool inner_sum_right)
{
    const uint8_t *inner = ip + (ip[9] == 47 ? 24 : 20);
    fuzz_require(ip[9] == 4 || (ip[9] == 47 && get32(ip + 20) == 0x0800));
    fuzz_require(header == 20 && ip[8] == 64 && ip[1] == inner[1]);
    fuzz_require((get16(ip + 6) & 0x4000) == 0 || get16(ip + 4) == 0);
    fuzz_require((get16(ip + 6) & 0x4000) != 0 || (get16(inner + 6) & 0x4000) == 0);
    unsigned inner_header = check_ip(inner, len - (unsigned)(inner - ip));
    fuzz_require(!inner_sum_right || full_sum(inner, inner_header) == 0);
    fuzz_require(inner[8] > 0);
    check_source(get32(inner + 12));
}

/* RFC 2004: never a fragment. */
static void check_minimal(const uint8_t *ip, unsigned header, unsigned len)
{
    fuzz_require(len >= header + 12 && (get16(ip + 6) & 0x3fff) == 0 && ip[8] > 0);
    fuzz_require(ip[header + 1] == 0x80 && full_sum(ip + header, 12) == 0);
    check_source(get32(ip + header + 8));
}

/* Our own header is always right; what is inside is as right as the device said that it came. */
static void check_packet(const uint8_t *ip, unsigned len, bool inner_sum_right)
{
    unsigned header = check_ip(ip, len);
    bool tunnelled = get32(ip + 12) == HOME_AGENT && get32(ip + 16) == CARE_OF;
    if (tunnelled || inner_sum_right)
        fuzz_require(full_sum(ip, header) == 0);
    if (!tunnelled)
        check_source(get32(ip + 12));
    else if (ip[9] == 55)
        check_minimal(ip, header, len);
    else
        check_whole_inside(ip, header, len, inner_sum_right);
}

/* What control is given of the frame. */
static void check_punt(enum punt_class c, const struct rte_mbuf *m, bool inner_sum_right)
{
    const uint8_t *data = rte_pktmbuf_mtod(m, const uint8_t *);
    if (c == PUNT_RESOLVE)
        check_packet(data, rte_pktmbuf_data_len(m), inner_sum_right);
    else if (c != PUNT_ARP)
        check_source(get32(data + ETHERNET + 12));
}

static void collect(bool inner_sum_right)
{
    struct rte_mbuf *m;
    while (rte_ring_dequeue(sent, (void **)&m) == 0) {
        fuzz_require(m->nb_segs == 1 && get16(rte_pktmbuf_mtod(m, uint8_t *) + 12) == 0x0800);
        check_packet(rte_pktmbuf_mtod(m, uint8_t *) + ETHERNET, rte_pktmbuf_data_len(m) - ETHERNET,
                     inner_sum_right);
        rte_pktmbuf_free(m);
    }
    for (int c = 0; c < PUNT_CLASS_COUNT; c++) {
        while (rte_ring_dequeue(punts.ring[c], (void **)&m) == 0) {
            fuzz_require(punt_meta(m)->class == c);
            check_punt((enum punt_class)c, m, inner_sum_right);
            rte_pktmbuf_free(m);
        }
    }
}

static uint64_t verdicts(void)
{
    uint64_t sum = 0;
    for (int v = 0; v < VERDICT_COUNT; v++)
        sum += worker.counters.verdict[v];
    return sum;
}

static void make_sum_right(uint8_t *at, unsigned sum, unsigned len)
{
    put16(at + sum, 0);
    put16(at + sum, full_sum(at, len));
}

static void make_right(uint8_t *ip, size_t len)
{
    unsigned header = len > 0 ? (ip[0] & 15) * 4U : 0;
    if (header >= 20 && header <= len)
        make_sum_right(ip, 10, header);
}

static void make_inner_right(uint8_t *ip, size_t len)
{
    unsigned header = len >= 20 ? (ip[0] & 15) * 4U : 0;
    if (header < 20 || header + 12 > len)
        return;
    if (ip[9] == 55)
        make_sum_right(ip + header, 2, (ip[header + 1] & 0x80) != 0 ? 12 : 8);
    else if (ip[9] == 4 || ip[9] == 47)
        make_right(ip + header + (ip[9] == 47 ? 4 : 0), len - header - (ip[9] == 47 ? 4 : 0));
}

static void make_all_right(uint8_t *frame, size_t len, unsigned options)
{
    if ((options & OPTION_TO_US) != 0 && len >= 6)
        memcpy(frame, mac_own.b, 6);
    if (len <= ETHERNET)
        return;
    if ((options & OPTION_INNER_RIGHT) != 0)
        make_inner_right(frame + ETHERNET, len - ETHERNET);
    if ((options & OPTION_SUM_RIGHT) != 0)
        make_right(frame + ETHERNET, len - ETHERNET);
}

static void remember(const uint8_t *frame, size_t len)
{
    memset(&came, 0, sizeof(came));
    if (len < ETHERNET + 20)
        return;
    came.source = get32(frame + ETHERNET + 12);
    came.destination = get32(frame + ETHERNET + 16);
    came.protocol = frame[ETHERNET + 9];
}

static struct rte_mbuf *frame_of(const uint8_t *data, size_t size, unsigned options)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
    fuzz_require(m != NULL);
    if (size > rte_pktmbuf_tailroom(m))
        size = rte_pktmbuf_tailroom(m);
    uint8_t *frame = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)size);
    memcpy(frame, data, size);
    make_all_right(frame, size, options);
    remember(frame, size);
    if ((options & OPTION_SUM_GOOD) != 0)
        m->ol_flags |= RTE_MBUF_F_RX_IP_CKSUM_GOOD;
    return m;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (pool == NULL)
        start();
    if (size == 0)
        return 0;
    unsigned options = data[0];
    settings.outer_df_always = (options & OPTION_OUTER_DF) != 0;
    settings.home_networks[0].second_chance =
        (options & OPTION_SECOND_CHANCE) != 0 ? ADJACENCY_KNOWN : ADJACENCY_NONE;
    settings.exits = (options & OPTION_CLOSED) != 0 ? NULL : exits;
    worker.table = table[(options & OPTION_NO_TUNNEL_MTU) != 0];
    uint64_t before = verdicts();

    struct rte_mbuf *m = frame_of(data + 1, size - 1, options);
    uint8_t *end = rte_pktmbuf_mtod(m, uint8_t *) + rte_pktmbuf_data_len(m);
    uint16_t behind = rte_pktmbuf_tailroom(m);
    ASAN_POISON_MEMORY_REGION(end, behind);
    worker_burst(&worker, 0, &m, 1);
    ASAN_UNPOISON_MEMORY_REGION(end, behind);

    fuzz_require(verdicts() == before + 1);
    collect((options & OPTION_SUM_GOOD) == 0);
    fuzz_require(rte_mempool_avail_count(pool) == POOL);
    return 0;
}

#define FAR_END .from = CARE_OF, .dst = HOME_AGENT

static const struct spec seeds[] = {
    {0},
    {.fragment = 0x4000, .tos = 3},
    {.payload = 1480},
    {.payload = 1480, .options = "\x94\4\0\0\7\7\4\0\0\0\0\0", .n_options = 12},
    {.payload = 1480, .fragment = 0x2000 | 77},
    {.payload = 1480, .fragment = 0x4000},
    {.dst = AWAY_WAITING},
    {.dst = AWAY_LOST},
    {.dst = AWAY_MINIMAL},
    {.dst = AWAY_MINIMAL, .payload = 1480, .options = "\x94\4\0\0\7\7\4\0\0\0\0\0", .n_options = 12},
    {.dst = AWAY_MINIMAL, .fragment = 0x2000},
    {.dst = AWAY_GRE},
    {.dst = AWAY_TWICE},
    {.dst = AWAY_TWICE, .payload = 1480},
    {.dst = AT_HOME, .payload = 1481},
    {.dst = UNSEEN},
    {.dst = HOME_AGENT, .port = 434},
    {.dst = HOME_AGENT, .port = 49434},
    {.dst = HOME_AGENT, .protocol = 1},
    {.to = TO_ALL, .dst = UINT32_MAX, .port = 434},
    {.to = TO_ALL, .dst = SUBNET_ALL, .port = 434},
    {.to = TO_ALL, .ethertype = 0x0806},
    {.from = CARE_OF, .protocol = 4, .inner_dst = AWAY},
    {.ttl = 1},
    {FAR_END, .protocol = 4, .inner = &(struct spec){.from = AWAY_REVERSE, .dst = ELSEWHERE}},
    {FAR_END, .protocol = 4, .tos = 3, .inner = &(struct spec){.from = AWAY_REVERSE, .tos = 2}},
    {FAR_END, .protocol = 4, .inner = &(struct spec){.from = AWAY_REVERSE, .dst = AT_HOME, .padding = 9}},
    {FAR_END, .protocol = 4, .inner = &(struct spec){.from = AWAY_TWICE, .dst = HOME_AGENT, .protocol = 1}},
    {FAR_END, .protocol = 4, .inner = &(struct spec){.from = AWAY_MINIMAL, .dst = UNSEEN, .fragment = 77}},
    {FAR_END, .protocol = 47, .gre = 0x8000, .inner = &(struct spec){.from = AWAY_GRE, .dst = AWAY_MINIMAL}},
    {FAR_END, .protocol = 55,
     .inner = &(struct spec){.from = AWAY_MINIMAL, .dst = ELSEWHERE, .payload = 1481}},
    {FAR_END, .protocol = 55, .inner = &(struct spec){.from = AWAY_MINIMAL, .dst = AWAY_GRE, .ttl = 2}},
};

size_t fuzz_seed(size_t n, uint8_t out[static FUZZ_SEED_MAX])
{
    uint8_t frame[FRAME_MAX];
    size_t count = sizeof(seeds) / sizeof(seeds[0]);
    if (n >= 2 * count)
        return 0;
    unsigned len = frame_build(&seeds[n / 2], frame);
    out[0] = OPTION_SUM_RIGHT | OPTION_INNER_RIGHT |
             (n % 2 == 1 ? OPTION_NO_TUNNEL_MTU | OPTION_TO_US | OPTION_SECOND_CHANCE : 0);
    memcpy(out + 1, frame, len);
    return len + 1;
}
