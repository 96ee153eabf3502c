/* SPDX-License-Identifier: BSD-3-Clause */
/* rte_ipv4_fragment_copy_nonseg_packet is marked experimental, unchanged since it came with 22.07. */
#define ALLOW_EXPERIMENTAL_API
#include "fragment.h"

#include <errno.h>

#include <rte_common.h>
#include <rte_ip_frag.h>

#include "pkt.h"

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
