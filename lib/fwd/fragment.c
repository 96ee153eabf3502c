/* SPDX-License-Identifier: BSD-3-Clause */
/* rte_ipv4_fragment_copy_nonseg_packet is marked experimental, unchanged since it came with 22.07. */
#define ALLOW_EXPERIMENTAL_API
#include "fragment.h"

#include <errno.h>

#include <rte_common.h>
#include <rte_ip_frag.h>

#include "ipv6.h"

/* A fragment whose end lies beyond 65535 can only come from malice; cut further, its offset would run over
 * into the flags. */
static bool ends_beyond_reassembly(const uint8_t *ip, uint32_t size)
{
    uint32_t offset = (uint32_t)(pkt_read16(ip + 6) & IPV4_OFFSET) * 8;
    return offset + size > UINT16_MAX;
}

int fragment_ipv4(struct rte_mbuf *m, uint16_t mtu, struct rte_mempool *pool,
                  struct rte_mbuf *out[static FRAGMENTS_MAX])
{
    if (ends_beyond_reassembly(rte_pktmbuf_mtod(m, const uint8_t *), rte_pktmbuf_pkt_len(m)))
        return -EINVAL;
    uint16_t fits = RTE_MAX(mtu, (uint16_t)FRAGMENT_MTU_MIN);
    int n = rte_ipv4_fragment_copy_nonseg_packet(m, out, FRAGMENTS_MAX, fits, pool);
    for (int i = 0; i < n; i++) {
        uint8_t *ip = rte_pktmbuf_mtod(out[i], uint8_t *);
        pkt_header_checksum(ip, (ip[0] & 0x0fU) * 4);
    }
    return n;
}

/* ---- IPv6 ---- */

enum { FRAGMENT_HEADER = 8 };

/* What the fragments of one packet have in common. */
struct cut {
    const uint8_t *ip;
    uint32_t identification;
    struct ipv6_upper upper; /* its first byte is the first of what is cut */
    unsigned size, most;     /* bytes to cut, and of a fragment: a multiple of 8 */
};

/* Fragment k of the packet into an empty buffer. False: that is too small. */
static bool write_fragment(const struct cut *c, unsigned k, struct rte_mbuf *m)
{
    const unsigned from = k * c->most, rest = c->size - from, size = RTE_MIN(rest, c->most);
    const unsigned front = c->upper.at + FRAGMENT_HEADER;
    uint8_t *ip = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)(front + size));
    if (ip == NULL)
        return false;
    uint8_t *header = ip + c->upper.at;
    memcpy(ip, c->ip, c->upper.at);
    ip[c->upper.named] = IPPROTO_FRAGMENT;
    pkt_write16(ip + 4, (uint16_t)(front - IPV6_LEN + size));
    header[0] = c->upper.protocol;
    header[1] = 0;
    pkt_write16(header + 2, (uint16_t)(from | (size < rest)));
    pkt_write16(header + 4, (uint16_t)(c->identification >> 16));
    pkt_write16(header + 6, (uint16_t)c->identification);
    memcpy(header + FRAGMENT_HEADER, c->ip + c->upper.at + from, size);
    return true;
}

int fragment_ipv6(struct rte_mbuf *m, uint16_t mtu, uint32_t identification, struct rte_mempool *pool,
                  struct rte_mbuf *out[static FRAGMENTS_MAX])
{
    const uint8_t *ip = rte_pktmbuf_mtod(m, const uint8_t *);
    struct cut c = {
        .ip = ip, .identification = identification, .upper = ipv6_upper(ip, rte_pktmbuf_data_len(m))};
    const unsigned front = c.upper.at + FRAGMENT_HEADER;
    const unsigned fits = RTE_MAX(mtu, (uint16_t)IPV6_LINK_MTU_MIN);
    if (front + 8 > fits)
        return -EINVAL;
    c.size = rte_pktmbuf_data_len(m) - c.upper.at;
    c.most = (fits - front) & ~7U;
    const unsigned n = (c.size + c.most - 1) / c.most;
    if (n == 0 || n > FRAGMENTS_MAX)
        return -EINVAL;
    if (rte_pktmbuf_alloc_bulk(pool, out, n) != 0)
        return -ENOMEM;
    for (unsigned k = 0; k < n; k++) {
        if (!write_fragment(&c, k, out[k])) {
            rte_pktmbuf_free_bulk(out, n);
            return -ENOMEM;
        }
    }
    return (int)n;
}
