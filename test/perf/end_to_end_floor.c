/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The least that it can cost to tunnel what a device brings: the benchmark's yardstick on a DPDK port, for
 * test/perf/end-to-end. An address is its binding's number, so nothing is looked up; nothing is parsed or
 * checked, and what is no packet to one of the addresses is encapsulated all the same.
 *
 *     end-to-end-floor EAL-OPTION... -- FIRST-HOME-ADDRESS ADDRESSES BUFFERS
 *
 * The first port, one queue, on the lcore behind the main one, until it is killed.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_prefetch.h>

#include "floor_packet.h"

enum {
    PORT = 0,
    BURST = 32,
    DESCRIPTORS = 512,
    POOL_CACHE = 256,
    ADJACENCY = 1, /* of the gateway */
    CARE_OFS = 64, /* as many as homeportd's mobile nodes have */
    PATH_MTU = 1500
};
#define SOURCE  UINT32_C(0x0a400002)
#define CARE_OF UINT32_C(0x0a030001)

/* Entry n is for whatever has another destination. */
struct forwarder {
    struct floor floor;
    uint32_t first, n;
};

static inline uint32_t number_of(const struct forwarder *f, const struct rte_mbuf *m)
{
    const uint8_t *ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, ETHERNET_LEN);
    return RTE_MIN(rte_be_to_cpu_32(floor_load32(ip + 16)) - f->first, f->n);
}

/* Before any packet of the burst is rewritten, all that it needs is on its way; the device has just written
 * its first line. */
static inline void encapsulate_burst(const struct forwarder *f, struct rte_mbuf **frame, unsigned n)
{
    uint32_t number[BURST];
    for (unsigned k = 0; k < n; k++) {
        number[k] = number_of(f, frame[k]);
        rte_prefetch0(&f->floor.entries[number[k]]);
        rte_prefetch0(rte_pktmbuf_mtod(frame[k], const uint8_t *) - FLOOR_FRONT);
    }
    for (unsigned k = 0; k < n; k++)
        rte_prefetch0(&f->floor.counters[number[k]]);
    for (unsigned k = 0; k < n; k++)
        floor_encapsulate(&f->floor, frame[k], number[k], ENCAPSULATION_IPIP);
}

static int forward(void *forwarder)
{
    const struct forwarder f = *(const struct forwarder *)forwarder;
    for (;;) {
        struct rte_mbuf *frame[BURST];
        const unsigned n = rte_eth_rx_burst(PORT, 0, frame, BURST);
        encapsulate_burst(&f, frame, n);
        for (unsigned sent = 0; sent < n;)
            sent += rte_eth_tx_burst(PORT, 0, frame + sent, (uint16_t)(n - sent));
    }
    return 0;
}

/* ---- Making ---- */

static bool open_port(unsigned buffers, struct mac *mac)
{
    static const struct rte_eth_conf conf;
    struct rte_ether_addr address;
    struct rte_mempool *pool = rte_pktmbuf_pool_create("packets", buffers, POOL_CACHE, PUNT_META_SIZE,
                                                       RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
    if (pool == NULL || rte_eth_dev_configure(PORT, 1, 1, &conf) != 0 ||
        rte_eth_rx_queue_setup(PORT, 0, DESCRIPTORS, SOCKET_ID_ANY, NULL, pool) != 0 ||
        rte_eth_tx_queue_setup(PORT, 0, DESCRIPTORS, SOCKET_ID_ANY, NULL) != 0 ||
        rte_eth_macaddr_get(PORT, &address) != 0)
        return false;
    memcpy(mac->b, address.addr_bytes, sizeof(mac->b));
    return rte_eth_dev_start(PORT) == 0;
}

static struct entry entry_of(uint32_t number)
{
    const struct tunnel tunnel = {
        .source = addr_from_ipv4(SOURCE),
        .destination = addr_from_ipv4(CARE_OF + number % CARE_OFS),
        .encapsulation = ENCAPSULATION_IPIP,
        .adjacency = ADJACENCY,
        .path_mtu = PATH_MTU,
    };
    struct entry e = {.kind = ENTRY_NONE};
    entry_tunnel(&e, &tunnel);
    e.slot = number;
    return e;
}

static bool make(struct forwarder *f, const struct mac *mac)
{
    static const struct mac gateway = {{2, 0, 0, 0, 0, 1}};
    const size_t n = (size_t)f->n + 1;
    struct adjacencies *adjacencies = adjacencies_create(ADJACENCY + 1);
    struct entry *entries = rte_malloc("entries", n * sizeof(*entries), RTE_CACHE_LINE_SIZE);
    struct binding_counter *counters = rte_zmalloc("counters", n * sizeof(*counters), RTE_CACHE_LINE_SIZE);
    if (adjacencies == NULL || entries == NULL || counters == NULL)
        return false;
    adjacency_publish(adjacencies, ADJACENCY, PORT, &gateway);
    for (uint32_t i = 0; i < n; i++)
        entries[i] = entry_of(i);
    f->floor = floor_from(mac, PKT_IPV4);
    f->floor.entries = entries;
    f->floor.counters = counters;
    f->floor.adjacencies = adjacencies;
    return true;
}

static int fail(const char *why)
{
    fprintf(stderr, "end-to-end-floor: %s\n", why);
    return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    static struct forwarder forwarder;
    struct mac mac;
    const int eal = rte_eal_init(argc, argv);
    if (eal < 0 || argc - eal != 4)
        return fail("EAL-OPTION... -- FIRST-HOME-ADDRESS ADDRESSES BUFFERS");
    argv += eal;
    forwarder.first = ntohl(inet_addr(argv[1]));
    forwarder.n = (uint32_t)strtoul(argv[2], NULL, 10);
    if (!open_port((unsigned)strtoul(argv[3], NULL, 10), &mac))
        return fail("no port, or no memory for its packet buffers");
    if (!make(&forwarder, &mac))
        return fail("no memory for the entries");
    if (rte_eal_remote_launch(forward, &forwarder, rte_get_next_lcore(-1, 1, 0)) != 0)
        return fail("no lcore but the main one");
    for (;;)
        pause();
}
