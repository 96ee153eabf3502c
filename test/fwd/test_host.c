/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The appliance as an IPv6 host: frames in, frames out, through a worker and control in this thread and in
 * virtual time, by a device of rings. The host 2001:db8:1::20 on the home link is known to it, and the home
 * address 2001:db8:1::50 is bound.
 *
 * Every frame was made by scapy 2.5 (/usr/bin/python3), checksums too: ping = IPv6(src, dst) /
 * ICMPv6EchoRequest(id=0x1234, seq=1, data="x" * 8), what comes back with hop limit 64, errors with as much
 * of the offender as fits 1280 bytes.
 */
#include "control_eal.h"
#include "eal.h"

#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_ether.h>

#include "conf.h"
#include "control.h"
#include "forwarding.h"
#include "host.h"
#include "transmit.h"

enum { RING = 64, FRAME_MAX = 2048, SETTLE_TURNS = 4 };

static struct control control;
static struct rte_ring *rx, *tx;

static const uint8_t host_mac[6] = {0x02, 0x52, 0, 0, 0, 0x20};

static struct addr addr(const char *text)
{
    struct addr a;
    ck_assert_msg(addr_parse(text, &a), "%s", text);
    return a;
}

/* ---- Frames ---- */

static size_t from_hex(const char *hex, uint8_t bytes[static FRAME_MAX])
{
    size_t n = strlen(hex) / 2;
    ck_assert_uint_le(n, FRAME_MAX);
    for (size_t i = 0; i < n; i++)
        ck_assert_int_eq(sscanf(hex + 2 * i, "%2hhx", &bytes[i]), 1);
    return n;
}

static void inject(const char *hex)
{
    uint8_t bytes[FRAME_MAX];
    size_t len = from_hex(hex, bytes);
    ck_assert_int_eq(rte_ring_enqueue(rx, eal_frame(control.pool, bytes, len)), 0);
}

static void expect(const char *what, const char *hex)
{
    uint8_t bytes[FRAME_MAX];
    size_t len = from_hex(hex, bytes);
    struct rte_mbuf *m;
    ck_assert_msg(rte_ring_dequeue(tx, (void **)&m) == 0, "%s: nothing leaves", what);
    ck_assert_msg(rte_pktmbuf_data_len(m) == len, "%s: %u bytes leave, not %zu", what,
                  (unsigned)rte_pktmbuf_data_len(m), len);
    const uint8_t *at = rte_pktmbuf_mtod(m, const uint8_t *);
    for (size_t i = 0; i < len; i++)
        ck_assert_msg(at[i] == bytes[i], "%s: byte %zu is %02x, not %02x", what, i, at[i], bytes[i]);
    rte_pktmbuf_free(m);
}

static void expect_nothing(const char *what)
{
    struct rte_mbuf *m;
    ck_assert_msg(rte_ring_dequeue(tx, (void **)&m) != 0, "%s: something leaves", what);
}

/* ---- The appliance ---- */

static void turns(unsigned n, uint64_t step_ns)
{
    for (unsigned i = 0; i < n; i++) {
        struct instant now = control.now;
        now.mono_ns += step_ns;
        worker_turn(control.workers[0]);
        control_turn(&control, now);
    }
}

static void drain(void)
{
    struct rte_mbuf *m;
    while (rte_ring_dequeue(tx, (void **)&m) == 0)
        rte_pktmbuf_free(m);
}

static struct conf *configuration(unsigned device)
{
    char path[] = "/tmp/homeport-host-XXXXXX";
    int fd = mkstemp(path); /* of mode 600, as keys need it */
    ck_assert_int_ge(fd, 0);
    dprintf(fd,
            "node = pha id = 1 role = primary\n"
            "eal { lcores = \"0@0,1@0\" memory = 256 huge-pages = false }\n"
            "port home { device = \"net_ring_host%u\" addresses = {\"10.1.0.2/24\", \"2001:db8:1::2/64\"} }\n"
            "route \"::/0\" { via = \"2001:db8:1::20\" }\n"
            "route \"0.0.0.0/0\" { via = \"10.1.0.20\" }\n"
            "home-agent { addresses = {\"10.1.0.2\", \"2001:db8:1::2\"} home-networks = {\"10.1.0.0/24\", "
            "\"2001:db8:1::/64\"} max-bindings = 16 }\n"
            "mobile-node \"2001:db8:1::60\" { spi = 256 key = \"hex:000102030405060708090a0b0c0d0e0f\" "
            "replay = sequence }\n",
            device);
    close(fd);
    struct conf *conf = conf_load(path, stderr);
    unlink(path);
    ck_assert_ptr_nonnull(conf);
    return conf;
}

static struct rte_ring *make_ring(const char *direction, unsigned device)
{
    char name[RTE_RING_NAMESIZE];
    snprintf(name, sizeof(name), "%s-%u", direction, device);
    struct rte_ring *ring = rte_ring_create(name, RING, SOCKET_ID_ANY, 0);
    ck_assert_ptr_nonnull(ring);
    return ring;
}

static void make_device(unsigned device)
{
    char name[32];
    rx = make_ring("rx", device);
    tx = make_ring("tx", device);
    struct rte_ring *queues[] = {tx, tx};
    snprintf(name, sizeof(name), "host%u", device);
    int id = rte_eth_from_rings(name, &rx, 1, queues, RTE_DIM(queues), 0);
    ck_assert_int_ge(id, 0);
    struct rte_ether_addr mac = {{0x02, 0x48, 0x41, 0, 0, 1}};
    ck_assert_int_eq(rte_eth_dev_mac_addr_add((uint16_t)id, &mac, 0), 0);
}

static void know(const char *text)
{
    const struct addr address = addr(text);
    struct mac mac;
    memcpy(mac.b, host_mac, sizeof(mac.b));
    neighbor_heard(control.neighbors, 0, &address, &mac, true, control.now.mono_ns);
}

static void bind_home(void)
{
    const struct forwarding f = {
        .home = addr("2001:db8:1::50"),
        .source = addr("2001:db8:1::2"),
        .n_care_of = 1,
        .care_of = {{.address = addr("2001:db8:2::50"), .encapsulation = ENCAPSULATION_IPV6_IN_IPV6}},
    };
    forwarding_install(&control, &f);
}

static void open_appliance(void)
{
    static unsigned device; /* one closed does not come back */
    make_device(++device);
    const struct instant start = {.mono_ns = 1000 * NSEC_PER_S, .ntp = ntp_from_unix(1700000000, 0)};
    ck_assert_int_eq(control_open(&control, configuration(device), start), 0);
    worker_start(control.workers[0]);
    turns(30, 100 * NSEC_PER_MS); /* its addresses are its own by now */
    know("2001:db8:1::20");
    know("fe80::20");
    know("10.1.0.20");
    bind_home();
    turns(SETTLE_TURNS, NSEC_PER_US);
    drain();
}

static void close_appliance(void)
{
    drain();
    worker_offline(control.workers[0]);
    control_close(&control);
}

enum { TO_ANYCAST = 3, LAST_HOP = 11 }; /* of exchanges */

/* ---- What is answered ---- */

static const struct {
    const char *what, *in, *out[1];
} exchanges[] = {
    {"an echo request",
     "02484100000102520000002086dd6000000000103a4020010db800010000000000000000002020010db8000100000000"
     "00000000000280003008123400017878787878787878",
     {"02520000002002484100000186dd6000000000103a4020010db800010000000000000000000220010db8000100000000"
      "00000000002081002f08123400017878787878787878"}},
    {"between link-local addresses",
     "02484100000102520000002086dd6000000000103a40fe800000000000000000000000000020fe800000000000000048"
     "41fffe00000180004e33123400017878787878787878",
     {"02520000002002484100000186dd6000000000103a40fe80000000000000004841fffe000001fe800000000000000000"
      "00000000002081004d33123400017878787878787878"}},
    {"to all nodes",
     "33330000000102520000002086dd6000000000103a40fe800000000000000000000000000020ff020000000000000000"
     "00000000000180008df9123400017878787878787878",
     {"02520000002002484100000186dd6000000000103a40fe80000000000000004841fffe000001fe800000000000000000"
      "00000000002081004d33123400017878787878787878"}},
    {"to the home agents' anycast address",
     "02484100000102520000002086dd6000000000103a4020010db800010000000000000000002020010db800010000fdff"
     "fffffffffffe8000320b123400017878787878787878",
     {"02520000002002484100000186dd6000000000103a4020010db800010000000000000000000220010db8000100000000"
      "00000000002081002f08123400017878787878787878"}},
    {"with a wrong checksum",
     "02484100000102520000002086dd6000000000103a4020010db800010000000000000000002020010db8000100000000"
     "00000000000280003008123400017878787878787879",
     {}},
    {"a registration over IPv6: port unreachable",
     "02484100000102520000002086dd600000000010114020010db800010000000000000000002020010db8000100000000"
     "0000000000020fa001b20010c2113132333435363738",
     {"02520000002002484100000186dd6000000000403a4020010db800010000000000000000000220010db8000100000000"
      "000000000020010431bc00000000600000000010114020010db800010000000000000000002020010db8000100000000"
      "0000000000020fa001b20010c2113132333435363738"}},
    {"port unreachable between link-local addresses",
     "02484100000102520000002086dd6000000000101140fe800000000000000000000000000020fe800000000000000048"
     "41fffe0000010fa000090010e1e53132333435363738",
     {"02520000002002484100000186dd6000000000403a40fe80000000000000004841fffe000001fe800000000000000000"
      "00000000002001044fe7000000006000000000101140fe800000000000000000000000000020fe800000000000000048"
      "41fffe0000010fa000090010e1e53132333435363738"}},
    {"an option that asks to be refused",
     "02484100000102520000002086dd6000000000103c4020010db800010000000000000000002020010db8000100000000"
     "0000000000023a008b02000001008000242500010001",
     {"02520000002002484100000186dd6000000000403a4020010db800010000000000000000000220010db8000100000000"
      "00000000002004023db20000002a6000000000103c4020010db800010000000000000000002020010db8000100000000"
      "0000000000023a008b02000001008000242500010001"}},
    {"a routing header of type 0",
     "02484100000102520000002086dd6000000000202b4020010db800010000000000000000002020010db8000100000000"
     "0000000000023a0200010000000020010db80009000000000000000000098000241600010001",
     {"02520000002002484100000186dd6000000000503a4020010db800010000000000000000000220010db8000100000000"
      "0000000000200400acd70000002a6000000000202b4020010db800010000000000000000002020010db8000100000000"
      "0000000000023a0200010000000020010db80009000000000000000000098000241600010001"}},
    {"a home address without a binding: binding error",
     "02484100000102520000002086dd6000000000203c4020010db800010000000000000000002020010db8000100000000"
     "0000000000023a0201020000c91020010db8000100000000000000000066800023df00010001",
     {"02520000002002484100000186dd600000000018874020010db800010000000000000000000220010db8000100000000"
      "0000000000203b02070032a8010020010db8000100000000000000000066"}},
    {"too big for a tunnel",
     "02484100000102520000002086dd60000000058d3a4020010db800010000000000000000002020010db8000100000000"
     "000000000050800057e21234000178787878787878787878787878787878787878787878787878787878787878787878"
     "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
     "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
     "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
     "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
     "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
     "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
     "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
     "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
     "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
     "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
     "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
     "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
     "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
     "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
     "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
     "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
     "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
     "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
     "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
     "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
     "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
     "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
     "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
     "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
     "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
     "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
     "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
     "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
     "7878787878787878787878787878787878787878787878787878787878787878787878",
     {"02520000002002484100000186dd6000000004d83a4020010db800010000000000000000000220010db8000100000000"
      "00000000002002001b43000005b460000000058d3a4020010db800010000000000000000002020010db8000100000000"
      "000000000050800057e21234000178787878787878787878787878787878787878787878787878787878787878787878"
      "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
      "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
      "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
      "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
      "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
      "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
      "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
      "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
      "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
      "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
      "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
      "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
      "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
      "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
      "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
      "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
      "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
      "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
      "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
      "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
      "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
      "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
      "787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"
      "78787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878"}},
    {"the last hop",
     "02484100000102520000002086dd6000000000103a0120010db800010000000000000000002020010db8000100000000"
     "00000000005080002fba123400017878787878787878",
     {"02520000002002484100000186dd6000000000403a4020010db800010000000000000000000220010db8000100000000"
      "00000000002003000728000000006000000000103a0120010db800010000000000000000002020010db8000100000000"
      "00000000005080002fba123400017878787878787878"}},
    {"no further encapsulation",
     "02484100000102520000002086dd6000000000103c4020010db800010000000000000000002020010db8000100000000"
     "0000000000503a00040100010100800023d700010001",
     {"02520000002002484100000186dd6000000000403a4020010db800010000000000000000000220010db8000100000000"
      "0000000000200400c4b20000002c6000000000103c4020010db800010000000000000000002020010db8000100000000"
      "0000000000503a00040100010100800023d700010001"}},
    {"a fragment for us",
     "02484100000102520000002086dd6000000000102c4020010db800010000000000000000002020010db8000100000000"
     "0000000000023b000001000000053031323334353637",
     {}},
    {"routed on by us",
     "02484100000102520000002086dd6000000000202b4020010db800010000000000000000002020010db8000100000000"
     "0000000000023a0202010000000020010db8000100000000000000000050800023d700010001",
     {}},
};

START_TEST(what_comes_is_answered)
{
    inject(exchanges[_i].in);
    turns(SETTLE_TURNS, NSEC_PER_US);
    for (size_t i = 0; i < RTE_DIM(exchanges[_i].out) && exchanges[_i].out[i] != NULL; i++)
        expect(exchanges[_i].what, exchanges[_i].out[i]);
    expect_nothing(exchanges[_i].what);
}
END_TEST

/* Addresses are not ours before others have had their second to object (RFC 4862 section 5.4). */
START_TEST(nothing_is_answered_for_an_address_that_is_tentative)
{
    host_link_up(&control, 0);
    inject(exchanges[0].in);
    turns(SETTLE_TURNS, NSEC_PER_US);
    drain(); /* its own solicitations */
    ck_assert_uint_eq(control.counters[CONTROL_ICMP_ECHO], 0);
    turns(25, 100 * NSEC_PER_MS);
    inject(exchanges[0].in);
    turns(SETTLE_TURNS, NSEC_PER_US);
    drain();
    ck_assert_uint_eq(control.counters[CONTROL_ICMP_ECHO], 1);
}
END_TEST

/* The host says that 2001:db8:1::2 is its own. */
#define CLAIM                                                                                          \
    "33330000000102520000002086dd6000000000203aff20010db8000100000000000000000002ff020000000000000000" \
    "0000000000018800f8b52000000020010db80001000000000000000000020201025200000020"

static unsigned frames_from(const struct addr *source)
{
    struct rte_mbuf *m;
    unsigned n = 0;
    for (; rte_ring_dequeue(tx, (void **)&m) == 0; rte_pktmbuf_free(m))
        n += memcmp(rte_pktmbuf_mtod_offset(m, const uint8_t *, 14 + 8), source->b, sizeof(source->b)) == 0;
    return n;
}

START_TEST(an_address_that_another_has_is_not_used)
{
    const struct addr taken = addr("2001:db8:1::2");
    host_link_up(&control, 0);
    inject(CLAIM);
    turns(25, 100 * NSEC_PER_MS);
    inject(exchanges[0].in);
    inject(exchanges[TO_ANYCAST].in);
    inject(exchanges[LAST_HOP].in);
    turns(SETTLE_TURNS, NSEC_PER_US);
    ck_assert_uint_eq(frames_from(&taken), 0);
    ck_assert(control.counters[CONTROL_ND_CONFLICTS] > 0);
    inject(exchanges[1].in); /* the link-local one still is */
    turns(SETTLE_TURNS, NSEC_PER_US);
    expect(exchanges[1].what, exchanges[1].out[0]);
}
END_TEST

/* RFC 4443 section 2.4 (f). */
START_TEST(errors_are_limited_in_rate)
{
    unsigned sent = 0;
    struct rte_mbuf *m;
    for (int i = 0; i < 400; i++) {
        inject(exchanges[LAST_HOP].in);
        turns(1, NSEC_PER_US);
        for (; rte_ring_dequeue(tx, (void **)&m) == 0; sent++)
            rte_pktmbuf_free(m);
    }
    ck_assert_uint_ge(sent, 100);
    ck_assert_uint_le(sent, 105);
    ck_assert_uint_gt(control.counters[CONTROL_ICMP_ERRORS_LIMITED], 0);
}
END_TEST

/* ---- What it sends by itself ---- */

static struct rte_mbuf *own_datagram(const char *to, size_t payload)
{
    static const uint8_t zeros[FRAME_MAX];
    return transmit_message(&control,
                            &(struct ip_header){.source = addr("2001:db8:1::2"),
                                                .destination = addr(to),
                                                .protocol = IPPROTO_NUM_NONE,
                                                .ttl = TRANSMIT_TTL},
                            zeros, payload);
}

static struct rte_mbuf *next_frame(void)
{
    struct rte_mbuf *m;
    return rte_ring_dequeue(tx, (void **)&m) == 0 ? m : NULL;
}

/* To a bound home address it goes by the tunnel; larger than that, as fragments, each in a packet of its own
 * (RFC 8200 section 4.5): the source may. */
START_TEST(own_datagrams_too_large_for_the_tunnel_are_fragmented_at_their_source)
{
    enum { ETHERNET = 14, OUTER = 40, INNER = 40, FRAGMENT = 8, PAYLOAD = 1440 };
    static const size_t lens[] = {ETHERNET + OUTER + 1456,
                                  ETHERNET + OUTER + INNER + FRAGMENT + PAYLOAD - 1408};
    transmit_ip(&control, own_datagram("2001:db8:1::50", PAYLOAD));
    for (size_t i = 0; i < RTE_DIM(lens); i++) {
        struct rte_mbuf *m = next_frame();
        ck_assert_ptr_nonnull(m);
        const uint8_t *outer = rte_pktmbuf_mtod_offset(m, const uint8_t *, ETHERNET);
        const uint8_t *fragment = outer + OUTER + INNER;
        ck_assert_uint_eq(rte_pktmbuf_data_len(m), lens[i]);
        ck_assert_uint_eq(outer[6], IPPROTO_NUM_IPV6);
        ck_assert_uint_eq(outer[OUTER + 6], 44);
        ck_assert_uint_eq(fragment[0], IPPROTO_NUM_NONE);
        ck_assert_uint_eq((unsigned)fragment[2] << 8 | fragment[3], i == 0 ? 1 : 1408); /* offset, more */
        ck_assert_uint_eq(fragment[7] & 1, 1); /* an identification of control's */
        rte_pktmbuf_free(m);
    }
    expect_nothing("two are all");
}
END_TEST

START_TEST(own_datagrams_go_whole_where_they_fit)
{
    transmit_ip(&control, own_datagram("2001:db8:9::7", 1460));
    struct rte_mbuf *m = next_frame();
    ck_assert_ptr_nonnull(m);
    ck_assert_uint_eq(rte_pktmbuf_data_len(m), 14 + 1500);
    ck_assert_mem_eq(rte_pktmbuf_mtod(m, const uint8_t *), host_mac, sizeof(host_mac));
    rte_pktmbuf_free(m);
    expect_nothing("one is all");
}
END_TEST

/* A link-local destination is on the link of the source; from any other source it is nowhere. */
START_TEST(link_local_destinations_are_on_the_link_of_the_source)
{
    transmit_ip(&control, transmit_message(&control,
                                           &(struct ip_header){.source = control.ports.port[0].link_local,
                                                               .destination = addr("fe80::20"),
                                                               .protocol = IPPROTO_NUM_NONE,
                                                               .ttl = TRANSMIT_TTL},
                                           "", 0));
    struct rte_mbuf *m = next_frame();
    ck_assert_ptr_nonnull(m);
    rte_pktmbuf_free(m);
    const uint64_t before = control.counters[CONTROL_SEND_NO_ROUTE];
    transmit_ip(&control, transmit_message(&control,
                                           &(struct ip_header){.source = addr("2001:db8:7::7"),
                                                               .destination = addr("fe80::20"),
                                                               .protocol = IPPROTO_NUM_NONE,
                                                               .ttl = TRANSMIT_TTL},
                                           "", 0));
    ck_assert_uint_gt(control.counters[CONTROL_SEND_NO_ROUTE], before);
}
END_TEST

/* A ping from the host to 2001:db8:1::51. */
#define TO_SILENT                                                                                      \
    "02484100000102520000002086dd6000000000103a4020010db800010000000000000000002020010db8000100000000" \
    "00000000005180002fb9123400017878787878787878"

/* The same with 1280 bytes, at whose end there is what a later fragment of the tunnel packet begins with: an
 * IPv6 header, forged to be from somebody who sent nothing. */
static void inject_forged(void)
{
    enum { ETHERNET = 14, SIZE = 1280, FIRST = SIZE - 40 - 8 };
    uint8_t frame[FRAME_MAX];
    uint8_t *ip = frame + ETHERNET, *forged = ip + FIRST;
    memset(frame, 'x', sizeof(frame));
    from_hex(TO_SILENT, frame);
    ip[4] = (SIZE - 40) >> 8;
    ip[5] = (SIZE - 40) & 0xff;
    memcpy(forged, ip, 40);
    forged[4] = 0;
    forged[5] = 8;
    forged[6] = IPPROTO_NUM_UDP;
    forged[8 + 15] = 0x21;
    ck_assert_int_eq(rte_ring_enqueue(rx, eal_frame(control.pool, frame, ETHERNET + SIZE)), 0);
}

/* Who sent into a tunnel whose next hop is silent hears of it, once, and nobody else: not we, who put the
 * outer header on, nor whoever stands where a header would in a later fragment. */
START_TEST(the_inner_sender_is_told_of_an_unreachable_tunnel)
{
    const struct forwarding f = {
        .home = addr("2001:db8:1::51"),
        .source = addr("2001:db8:1::2"),
        .n_care_of = 1,
        .care_of = {{.address = addr("2001:db8:1::77"),
                     .encapsulation = ENCAPSULATION_IPV6_IN_IPV6,
                     .path_mtu = _i == 0 ? 0 : 1280}},
    };
    forwarding_install(&control, &f);
    if (_i == 0)
        inject(TO_SILENT);
    else
        inject_forged();
    turns(25, 100 * NSEC_PER_MS); /* the next hop is asked three times, a second apart */
    know("2001:db8:1::20");
    know("2001:db8:1::21");
    turns(35, 100 * NSEC_PER_MS);
    unsigned told = 0, errors = 0;
    for (struct rte_mbuf *m; (m = next_frame()) != NULL; rte_pktmbuf_free(m)) {
        const uint8_t *ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, 14);
        const bool error = ip[6] == IPPROTO_NUM_ICMPV6 && ip[40] == ICMP6_UNREACHABLE;
        errors += error;
        told += error && ip[41] == ICMP6_ADDRESS_UNREACHABLE &&
                memcmp(ip + 24, addr("2001:db8:1::20").b, 16) == 0 &&
                memcmp(ip + 48 + 24, f.home.b, 16) == 0; /* and the quote is of what it sent */
    }
    ck_assert_uint_eq(told, 1);
    ck_assert_uint_eq(errors, 1);
}
END_TEST

/* IPv6 asks that 1280 bytes be taken whole; where the way takes no more, the packet around them is fragmented
 * (RFC 2473 section 7.1, RFC 4213 section 3.2.1). */
static const struct {
    const char *care_of, *source;
    enum encapsulation encapsulation;
    uint8_t protocol; /* of what leaves, and where it says so */
    size_t at;
    unsigned frames;
} narrow[] = {
    {"2001:db8:2::51", "2001:db8:1::2", ENCAPSULATION_IPV6_IN_IPV6, 44, 6, 2},
    {"10.2.0.51", "10.1.0.2", ENCAPSULATION_IPV6_IN_IPV4, IPPROTO_NUM_IPV6, 9, 2},
};

START_TEST(packets_of_1280_bytes_pass_a_tunnel_that_takes_less)
{
    const struct forwarding f = {
        .home = addr("2001:db8:1::51"),
        .source = addr(narrow[_i].source),
        .n_care_of = 1,
        .care_of = {{.address = addr(narrow[_i].care_of),
                     .encapsulation = narrow[_i].encapsulation,
                     .path_mtu = 1280}},
    };
    unsigned frames = 0;
    forwarding_install(&control, &f);
    transmit_ip(&control, own_datagram("2001:db8:1::51", 1240));
    for (struct rte_mbuf *m; (m = next_frame()) != NULL; rte_pktmbuf_free(m), frames++) {
        const uint8_t *ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, 14);
        ck_assert_uint_le(rte_pktmbuf_data_len(m), 14 + 1280);
        ck_assert_uint_eq(ip[narrow[_i].at], narrow[_i].protocol);
        ck_assert(ip[0] >> 4 == 6 || (ip[6] & 0x40) == 0); /* nobody need hear of it on the way */
    }
    ck_assert_uint_eq(frames, narrow[_i].frames);
}
END_TEST

/* ---- A binding update ---- */

/* Of the mobile node 2001:db8:1::60 at 2001:db8:2::60, signed as of RFC 4285, sequence 5, for 600 s; its
 * acknowledgement; the solicitation before and the advertisement after it. By the same script, HMAC-SHA1 and
 * the Mobility Header's checksum by Python's hmac and by hand. */
#define UPDATE                                                                                         \
    "02484100000102520000002086dd6000000000383c4020010db800020000000000000000006020010db8000100000000" \
    "000000000002870201020000c91020010db80001000000000000000000603b030500e66f0005c0000096000911010000" \
    "01001cfea634812831171b1f19d8"
#define ACKNOWLEDGEMENT                                                                                \
    "02520000002002484100000186dd6000000000382b4020010db800010000000000000000000220010db8000200000000" \
    "000000000060870202010000000020010db80001000000000000000000603b030600b323000000050096000911010000" \
    "01003713096b89f3ebef0cc6d98e"
#define PROBE                                                                                          \
    "3333ff00006002484100000186dd6000000000183aff00000000000000000000000000000000ff020000000000000000" \
    "0001ff00006087004c2e0000000020010db8000100000000000000000060"
#define INTERCEPTION                                                                                   \
    "33330000000102484100000186dd6000000000203afffe80000000000000004841fffe000001ff020000000000000000" \
    "0000000000018800a6722000000020010db80001000000000000000000600201024841000001"

START_TEST(a_binding_update_is_answered_by_probe_advertisement_and_acknowledgement)
{
    const struct addr mobile = addr("2001:db8:1::60");
    inject(UPDATE);
    turns(SETTLE_TURNS, NSEC_PER_US);
    expect("probe", PROBE);
    expect_nothing("while others may object");
    turns(11, 100 * NSEC_PER_MS);
    expect("interception", INTERCEPTION);
    expect("acknowledgement", ACKNOWLEDGEMENT);
    ck_assert(agent_intercepts(control.agent, &mobile));
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("host");
    TCase *c = tcase_create("host");
    tcase_add_checked_fixture(c, open_appliance, close_appliance);
    tcase_add_loop_test(c, what_comes_is_answered, 0, ROWS(exchanges));
    tcase_add_test(c, nothing_is_answered_for_an_address_that_is_tentative);
    tcase_add_test(c, an_address_that_another_has_is_not_used);
    tcase_add_test(c, errors_are_limited_in_rate);
    tcase_add_test(c, own_datagrams_too_large_for_the_tunnel_are_fragmented_at_their_source);
    tcase_add_test(c, own_datagrams_go_whole_where_they_fit);
    tcase_add_test(c, link_local_destinations_are_on_the_link_of_the_source);
    tcase_add_loop_test(c, the_inner_sender_is_told_of_an_unreachable_tunnel, 0, 2);
    tcase_add_loop_test(c, packets_of_1280_bytes_pass_a_tunnel_that_takes_less, 0, ROWS(narrow));
    tcase_add_test(c, a_binding_update_is_answered_by_probe_advertisement_and_acknowledgement);
    suite_add_tcase(s, c);
    return s;
}

int main(int argc, char **argv)
{
    (void)argc;
    return control_main(argv[0], "host", suite);
}
