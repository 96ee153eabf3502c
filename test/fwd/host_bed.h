/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The appliance as an IPv6 host: frames in, frames out, through a worker and control in this thread and in
 * virtual time, by a device of rings. The host 2001:db8:1::20 on the home link is known to it, and the home
 * address 2001:db8:1::50 is bound.
 *
 * Every frame of its suites was made by scapy 2.5 (/usr/bin/python3), checksums too: ping = IPv6(src, dst) /
 * ICMPv6EchoRequest(id=0x1234, seq=1, data="x" * 8), what comes back with hop limit 64, errors with as much
 * of the offender as fits 1280 bytes.
 */
#ifndef TEST_FWD_HOST_BED_H
#define TEST_FWD_HOST_BED_H

#include "control_eal.h"
#include "eal.h"

#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_ether.h>

#include "conf.h"
#include "control.h"
#include "forwarding.h"

enum { RING = 64, FRAME_MAX = 2048, SETTLE_TURNS = 4 };

static struct control control;
static struct rte_ring *rx, *tx;

static const uint8_t host_mac[6] = {0x02, 0x52, 0, 0, 0, 0x20};

static inline struct addr addr(const char *text)
{
    struct addr a;
    ck_assert_msg(addr_parse(text, &a), "%s", text);
    return a;
}

/* ---- Frames ---- */

static inline size_t from_hex(const char *hex, uint8_t bytes[static FRAME_MAX])
{
    size_t n = strlen(hex) / 2;
    ck_assert_uint_le(n, FRAME_MAX);
    for (size_t i = 0; i < n; i++)
        ck_assert_int_eq(sscanf(hex + 2 * i, "%2hhx", &bytes[i]), 1);
    return n;
}

static inline void inject(const char *hex)
{
    uint8_t bytes[FRAME_MAX];
    size_t len = from_hex(hex, bytes);
    ck_assert_int_eq(rte_ring_enqueue(rx, eal_frame(control.pool, bytes, len)), 0);
}

static inline void expect(const char *what, const char *hex)
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

static inline void expect_nothing(const char *what)
{
    struct rte_mbuf *m;
    ck_assert_msg(rte_ring_dequeue(tx, (void **)&m) != 0, "%s: something leaves", what);
}

static inline struct rte_mbuf *next_frame(void)
{
    struct rte_mbuf *m;
    return rte_ring_dequeue(tx, (void **)&m) == 0 ? m : NULL;
}

/* ---- The appliance ---- */

static inline void turns(unsigned n, uint64_t step_ns)
{
    for (unsigned i = 0; i < n; i++) {
        struct instant now = control.now;
        now.mono_ns += step_ns;
        worker_turn(control.workers[0]);
        control_turn(&control, now);
    }
}

static inline void drain(void)
{
    struct rte_mbuf *m;
    while (rte_ring_dequeue(tx, (void **)&m) == 0)
        rte_pktmbuf_free(m);
}

static inline struct conf *configuration(unsigned device)
{
    char path[] = "/tmp/homeport-host-XXXXXX";
    int fd = mkstemp(path); /* of mode 600, as keys need it */
    ck_assert_int_ge(fd, 0);
    dprintf(fd,
            "node = pha id = 1 role = primary\n"
            "eal { lcores = \"0@0,1@0\" memory = 256 huge-pages = false }\n"
            "port home { device = \"net_ring_host%u\" addresses = {\"10.1.0.2/24\", \"2001:db8:1::2/64\"} "
            "mld = off }\n"
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

static inline struct rte_ring *make_ring(const char *direction, unsigned device)
{
    char name[RTE_RING_NAMESIZE];
    snprintf(name, sizeof(name), "%s-%u", direction, device);
    struct rte_ring *ring = rte_ring_create(name, RING, SOCKET_ID_ANY, 0);
    ck_assert_ptr_nonnull(ring);
    return ring;
}

static inline void make_device(unsigned device)
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

static inline void know(const char *text)
{
    const struct addr address = addr(text);
    struct mac mac;
    memcpy(mac.b, host_mac, sizeof(mac.b));
    neighbor_heard(control.neighbors, 0, &address, &mac, true, control.now.mono_ns);
}

static inline void bind_home_with(bool home_tests)
{
    const struct forwarding f = {
        .home = addr("2001:db8:1::50"),
        .source = addr("2001:db8:1::2"),
        .home_tests = home_tests,
        .n_care_of = 1,
        .care_of = {{.address = addr("2001:db8:2::50"), .encapsulation = ENCAPSULATION_IPV6_IN_IPV6}},
    };
    forwarding_install(&control, &f);
}

static inline void bind_home(void)
{
    bind_home_with(false);
}

static inline void open_appliance(void)
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

static inline void close_appliance(void)
{
    drain();
    worker_offline(control.workers[0]);
    control_close(&control);
}

#endif
