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

#include "../fwd/addresses.h"
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
    struct addr source, destination;
    uint8_t protocol;
} came; /* of the frame; zero where it is too short */

static void install_at(struct table *t, struct addr address, struct entry e)
{
    fuzz_require(table_install(t, &address, &e) == 0);
}

static void install(struct table *t, uint32_t home, struct entry e)
{
    install_at(t, addr_from_ipv4(home), e);
}

static struct entry tunnel_by(enum encapsulation encapsulation, uint32_t adjacency, uint16_t mtu,
                              uint8_t flags)
{
    struct entry e;
    bool ipv6 = tunnel_family_outside(encapsulation) == PKT_IPV6;
    struct tunnel t = {.source = address_of(ipv6, HOME_AGENT),
                       .destination = address_of(ipv6, CARE_OF),
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

/* The smallest path of IPv6 is 1280, so that packets up to that go in fragments. */
static void install_six(struct table *t, uint16_t mtu)
{
    const enum encapsulation how = ENCAPSULATION_IPV6_IN_IPV6;
    struct entry on_link = {.kind = ENTRY_ON_LINK, .adjacency = ADJACENCY_KNOWN, .mtu = 1500};
    struct addr twice = six(AWAY_TWICE);
    struct entry set[] = {tunnel_by(how, ADJACENCY_KNOWN, mtu, ENTRY_REVERSE),
                          tunnel_by(ENCAPSULATION_IPV6_IN_IPV4, ADJACENCY_UNKNOWN, mtu, ENTRY_REVERSE)};
    install_at(t, six(HOME_AGENT), (struct entry){.kind = ENTRY_LOCAL});
    install_at(t, six(AWAY), tunnel_by(how, ADJACENCY_KNOWN, mtu, 0));
    install_at(t, six(AWAY_WAITING), tunnel_by(how, ADJACENCY_UNKNOWN, mtu, 0));
    install_at(t, six(AWAY_LOST), tunnel_by(how, ADJACENCY_KNOWN, mtu, ENTRY_UNREACHABLE));
    install_at(t, six(AWAY_REVERSE), tunnel_by(how, ADJACENCY_KNOWN, mtu, ENTRY_REVERSE));
    install_at(t, six(AWAY_TESTED), tunnel_by(how, ADJACENCY_KNOWN, mtu, ENTRY_REVERSE | ENTRY_HOME_TESTS));
    install_at(t, six(AWAY_OTHERWISE),
               tunnel_by(ENCAPSULATION_IPV6_IN_IPV4, ADJACENCY_KNOWN, mtu, ENTRY_REVERSE));
    install(t, AWAY_OTHERWISE, tunnel_by(ENCAPSULATION_IPV4_IN_IPV6, ADJACENCY_KNOWN, mtu, ENTRY_REVERSE));
    install_at(t, six(AT_HOME), on_link);
    fuzz_require(table_install_set(t, &twice, set, 2) == 0);
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
    install_six(t, mtu);
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
    } destinations[] = {{"198.51.100.0/24", ADJACENCY_KNOWN},
                        {"192.0.2.0/24", ADJACENCY_UNKNOWN},
                        {"2001:db8:c633::/48", ADJACENCY_KNOWN},
                        {"2001:db8:c000::/48", ADJACENCY_UNKNOWN}};
    struct routes *routes = routes_create("fuzz", 4);
    fuzz_require(routes != NULL);
    for (int i = 0; i < 4; i++) {
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
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        settings.home_networks[ipv6].address = address_of(ipv6 != 0, IP(10, 1, 0, 0));
        memset(settings.home_networks[ipv6].mask.b, 0xff, ipv6 != 0 ? 8 : 15);
        const struct addr own = address_of(ipv6 != 0, HOME_AGENT);
        own_add(&settings.own, &own);
        settings.peers[ipv6] = address_of(ipv6 != 0, CORRESPONDENT);
    }
    settings.n_home_networks = settings.n_peers = 2;
    settings.id_slots = 1;
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

static bool is_ipv6(const uint8_t *ip)
{
    return ip[0] >> 4 == 6;
}

static struct addr address_at(const uint8_t *ip, bool destination)
{
    struct addr a;
    if (!is_ipv6(ip))
        return addr_from_ipv4(get32(ip + (destination ? 16 : 12)));
    memcpy(&a, ip + (destination ? 24 : 8), sizeof(a));
    return a;
}

static bool is_either(const struct addr *a, uint32_t ip)
{
    const struct addr ipv4 = addr_from_ipv4(ip), ipv6 = six(ip);
    return addr_equal(a, &ipv4) || addr_equal(a, &ipv6);
}

/* Of a packet that is sent: a header that holds, of a length that is the packet's. Returns the header's
 * length. */
static unsigned check_ip(const uint8_t *ip, unsigned len)
{
    if (len >= 40 && is_ipv6(ip)) {
        fuzz_require(get16(ip + 4) + 40 == len);
        return 40;
    }
    unsigned header = (ip[0] & 15) * 4;
    fuzz_require(len >= 20 && ip[0] >> 4 == 4 && header >= 20 && header <= len);
    fuzz_require(get16(ip + 2) == len);
    return header;
}

/* Of a packet that came in, when it goes on. */
static void check_source(struct addr source)
{
    if (addr_equal(&source, &came.source))
        return;
    fuzz_require(is_either(&source, AWAY_REVERSE) || is_either(&source, AWAY_MINIMAL) ||
                 is_either(&source, AWAY_GRE) || is_either(&source, AWAY_TWICE) ||
                 is_either(&source, AWAY_TESTED) || is_either(&source, AWAY_OTHERWISE));
    fuzz_require(is_either(&came.source, CARE_OF) && is_either(&came.destination, HOME_AGENT) &&
                 settings.exits != NULL);
    fuzz_require(came.protocol == 4 || came.protocol == 47 || came.protocol == 55 || came.protocol == 41 ||
                 came.protocol == 60 || came.protocol == 43 || came.protocol == 0);
}

/* Of the plainest form, a Mobility Header of this type. */
static bool is_mobility(const uint8_t *ip, unsigned len, uint8_t type)
{
    return is_ipv6(ip) && len > 42 && ip[6] == 135 && ip[42] == type;
}

/* Home tests of the one that has them in ESP do not go in clear. */
static void check_home_test(const uint8_t *ip, unsigned len, bool tunnelled)
{
    const struct addr tested = six(AWAY_TESTED), source = address_at(ip, false),
                      destination = address_at(ip, true);
    fuzz_require(!tunnelled || !addr_equal(&destination, &tested) || !is_mobility(ip, len, 3));
    fuzz_require(addr_equal(&source, &came.source) || !addr_equal(&source, &tested) ||
                 !is_mobility(ip, len, 1));
}

/* The packet in a tunnel, by the protocol of the header before it, which had this TOS. */
static void check_inside(const uint8_t *inner, unsigned len, uint8_t protocol, uint8_t tos, bool sum_right)
{
    const bool ipv6 = is_ipv6(inner);
    fuzz_require(ipv6 == (protocol == 41));
    unsigned header = check_ip(inner, len);
    fuzz_require(ipv6 || !sum_right || full_sum(inner, header) == 0);
    fuzz_require(inner[ipv6 ? 7 : 8] > 0);
    fuzz_require(tos == (ipv6 ? (get16(inner) >> 4 & 0xff) : inner[1]));
    check_source(address_at(inner, false));
    check_home_test(inner, len, true);
}

/* IP in IP, GRE, or IPv6 in IPv4, which alone may be in fragments. */
static void check_over_ipv4(const uint8_t *ip, unsigned header, unsigned len, bool inner_sum_right)
{
    const unsigned at = ip[9] == 47 ? 24 : 20, flags = get16(ip + 6);
    fuzz_require(ip[9] == 4 || ip[9] == 41 || (ip[9] == 47 && get32(ip + 20) == 0x0800));
    fuzz_require(header == 20 && ip[8] == 64);
    fuzz_require((flags & 0x4000) == 0 || get16(ip + 4) == 0);
    if ((flags & 0x3fff) != 0) {
        fuzz_require(ip[9] == 41);
        return;
    }
    fuzz_require(ip[9] == 41 || (flags & 0x4000) != 0 || (get16(ip + at + 6) & 0x4000) == 0);
    check_inside(ip + at, len - at, ip[9], ip[1], inner_sum_right);
}

/* RFC 2473: maybe behind an encapsulation limit; or a fragment, of what is larger than the path takes. */
static void check_over_ipv6(const uint8_t *ip, unsigned len, bool inner_sum_right)
{
    unsigned at = 40;
    uint8_t next = ip[6];
    fuzz_require(ip[7] == 64 && (get32(ip) & 0xfffff) != 0);
    if (next == 60) {
        fuzz_require(len >= 48 && ip[41] == 0 && ip[42] == 4 && ip[43] == 1 && ip[44] < 255);
        next = ip[40];
        at = 48;
    }
    if (next == 44)
        fuzz_require(len > at + 8 && len <= (worker.table == table[0] ? 1500U : 1280U));
    else
        check_inside(ip + at, len - at, next, (uint8_t)(get16(ip) >> 4), inner_sum_right);
}

/* RFC 2004: never a fragment. */
static void check_minimal(const uint8_t *ip, unsigned header, unsigned len)
{
    fuzz_require(len >= header + 12 && (get16(ip + 6) & 0x3fff) == 0 && ip[8] > 0);
    fuzz_require(ip[header + 1] == 0x80 && full_sum(ip + header, 12) == 0);
    check_source(addr_from_ipv4(get32(ip + header + 8)));
}

/* Our own header is always right; what is inside is as right as the device said that it came. */
static void check_packet(const uint8_t *ip, unsigned len, bool inner_sum_right)
{
    unsigned header = check_ip(ip, len);
    const struct addr source = address_at(ip, false), destination = address_at(ip, true);
    bool tunnelled = is_either(&source, HOME_AGENT) && is_either(&destination, CARE_OF);
    if (!is_ipv6(ip) && (tunnelled || inner_sum_right))
        fuzz_require(full_sum(ip, header) == 0);
    if (!tunnelled) {
        check_source(source);
        check_home_test(ip, len, false);
    } else if (is_ipv6(ip))
        check_over_ipv6(ip, len, inner_sum_right);
    else if (ip[9] == 55)
        check_minimal(ip, header, len);
    else
        check_over_ipv4(ip, header, len, inner_sum_right);
}

/* What control is given of the frame. */
static void check_punt(enum punt_class c, const struct rte_mbuf *m, bool inner_sum_right)
{
    const uint8_t *data = rte_pktmbuf_mtod(m, const uint8_t *);
    if (c == PUNT_RESOLVE)
        check_packet(data, rte_pktmbuf_data_len(m), inner_sum_right);
    else if (c != PUNT_NEIGHBOR)
        check_source(address_at(data + ETHERNET, false));
}

static void collect(bool inner_sum_right)
{
    struct rte_mbuf *m;
    while (rte_ring_dequeue(sent, (void **)&m) == 0) {
        const uint8_t *ip = rte_pktmbuf_mtod(m, uint8_t *) + ETHERNET;
        fuzz_require(m->nb_segs == 1 && get16(ip - 2) == (is_ipv6(ip) ? 0x86dd : 0x0800));
        check_packet(ip, rte_pktmbuf_data_len(m) - ETHERNET, inner_sum_right);
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
    unsigned header = len > 0 && ip[0] >> 4 == 4 ? (ip[0] & 15) * 4U : 0;
    if (header >= 20 && header <= len)
        make_sum_right(ip, 10, header);
}

static void make_inner_right(uint8_t *ip, size_t len)
{
    if (len >= 40 && is_ipv6(ip)) {
        make_right(ip + 40, len - 40);
        return;
    }
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
    const uint8_t *ip = frame + ETHERNET;
    if (len < ETHERNET + 20 || (is_ipv6(ip) && len < ETHERNET + 40))
        return;
    came.source = address_at(ip, false);
    came.destination = address_at(ip, true);
    came.protocol = ip[is_ipv6(ip) ? 6 : 9];
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
    settings.home_networks[0].second_chance = settings.home_networks[1].second_chance =
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

#define SIX            .ipv6 = true
#define LIMITED(value) .protocol = 60, .options = "\x29\0\4\1" value "\1\1\0", .n_options = 8
#define FAR_END        .from = CARE_OF, .dst = HOME_AGENT

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
    {.dst = AWAY_OTHERWISE, .payload = 1300},
    {SIX},
    {SIX, .payload = 1240, .flow = 0xfffff, .tos = 3},
    {SIX, .payload = 1460},
    {SIX, LIMITED("\4")},
    {SIX, LIMITED("\0")},
    {SIX, LIMITED("\1"), .payload = 1232},
    {SIX, .hop_by_hop = true, .options = "\x3c\0\1\4\0\0\0\0\x11\0\4\1\7\1\1\0", .n_options = 16},
    {SIX, .protocol = 44, .options = "\x11\0\0\1\0\0\0\1", .n_options = 8},
    {SIX, .dst = AWAY_WAITING, .payload = 1240},
    {SIX, .dst = AWAY_LOST},
    {SIX, .dst = AWAY_TWICE, .payload = 1240},
    {SIX, .dst = AWAY_OTHERWISE, .payload = 1240},
    {SIX, .dst = AT_HOME},
    {SIX, .dst = UNSEEN},
    {SIX, .dst = HOME_AGENT, .protocol = 135},
    {SIX, .dst = HOME_AGENT, .protocol = 58, .icmp = 128},
    {SIX, .protocol = 58, .icmp = 135, .ttl = 255},
    {SIX, .to = TO_GROUP, .from6 = &six_none, .to6 = &six_solicited, .protocol = 58, .icmp = 135, .ttl = 255},
    {SIX, .to6 = &six_link_local},
    {SIX, .to6 = &six_mapped},
    {SIX, .from = CARE_OF, .protocol = 41, .inner_dst = AWAY, .payload = 60},
    {SIX, FAR_END, .protocol = 41, .inner = &(struct spec){SIX, .from = AWAY_REVERSE, .dst = ELSEWHERE}},
    {SIX, FAR_END, LIMITED("\4"), .inner = &(struct spec){SIX, .from = AWAY_REVERSE, .dst = AWAY}},
    {SIX, FAR_END, .protocol = 4, .tos = 3,
     .inner = &(struct spec){.from = AWAY_OTHERWISE, .dst = ELSEWHERE}},
    {FAR_END, .protocol = 41, .inner = &(struct spec){SIX, .from = AWAY_OTHERWISE, .dst = ELSEWHERE}},
    {SIX, .dst = AWAY_TESTED},
    {SIX, .dst = AWAY_TESTED, .protocol = 135, .mobility = 3},
    {SIX, .dst = AWAY_TESTED, .protocol = 135, .mobility = 1},
    {SIX, .dst = AWAY_TESTED, .protocol = 60, .options = "\x87\0\1\4\0\0\0\0", .n_options = 8, .mobility = 3},
    {SIX, .dst = AWAY_TESTED, .protocol = 44, .options = "\x87\0\0\1\0\0\0\1", .n_options = 8, .mobility = 3},
    {SIX, .dst = AWAY_TESTED, .protocol = 51, .options = "\x87\2\0\0\0\0\1\0\0\0\0\1\1\2\3\4",
     .n_options = 16},
    {SIX, FAR_END, .protocol = 41,
     .inner = &(struct spec){SIX, .from = AWAY_TESTED, .dst = ELSEWHERE, .protocol = 135, .mobility = 1}},
    {SIX, FAR_END, .protocol = 41,
     .inner = &(struct spec){SIX, .from = AWAY_TESTED, .dst = ELSEWHERE, .protocol = 135, .mobility = 3}},
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
