/* SPDX-License-Identifier: BSD-3-Clause */
/* Fragmentation: of an IPv4 packet before it is encapsulated or goes onto a link (RFC 791 section 3.2,
 * RFC 2003 section 5.1), and of an IPv6 packet by who sends it, as the entry point of a tunnel does with its
 * outer packets (RFC 8200 section 4.5, RFC 2473 section 7). Any thread that owns the packet. */
#ifndef FWD_FRAGMENT_H
#define FWD_FRAGMENT_H

#include <stdint.h>

#include <rte_mbuf.h>
#include <rte_mempool.h>

enum {
    FRAGMENTS_MAX = 64,   /* 1500 bytes over the smallest tunnel of RFC 1191 */
    FRAGMENT_MTU_MIN = 68 /* RFC 791: what every link takes whole; a smaller mtu is taken for this */
};

/* m: one segment, beginning at a valid IP header with DF clear; it is only read. The fragments are copies
 * from pool, one segment each, since not every device sends more; checksums are filled in. Returns how many
 * there are, or -ENOMEM, -EINVAL: too many, or beyond the end of what can be reassembled. */
int fragment_ipv4(struct rte_mbuf *m, uint16_t mtu, struct rte_mempool *pool,
                  struct rte_mbuf *out[static FRAGMENTS_MAX]);

/* The same for an IPv6 packet of the caller's own. What it begins with that has to be seen on the way, or
 * before the whole is there again, leads every fragment: hop-by-hop options, destination options, routing
 * headers. A smaller mtu than 1280 is taken for this. */
int fragment_ipv6(struct rte_mbuf *m, uint16_t mtu, uint32_t identification, struct rte_mempool *pool,
                  struct rte_mbuf *out[static FRAGMENTS_MAX]);

#endif
