/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Ethernet header of a frame that leaves. Workers and control put it in front of an IP packet once the
 * next hop is known. Frames shorter than Ethernet's minimum are left to the device, which pads them.
 */
#ifndef FWD_ETHERNET_H
#define FWD_ETHERNET_H

#include <string.h>

#include <rte_byteorder.h>
#include <rte_mbuf.h>

#include "addr.h"
#include "adjacency.h"
#include "pkt.h"

enum { ETHERNET_WIDE = 16 /* a header and two bytes more, which one store writes */ };

/* to must be resolved. */
static inline void ethernet_write(uint8_t *header, const struct mac *from, adjacency_word to,
                                  uint16_t ethertype)
{
    uint64_t destination = rte_cpu_to_be_64(to << 16); /* the MAC address is the lower 48 bits */
    memcpy(header, &destination, sizeof(destination));
    memcpy(header + 6, from->b, 6);
    pkt_write16(header + 12, ethertype);
}

/* m begins at what follows the header. to must be resolved. False: no headroom, m is as it was. */
static inline bool ethernet_prepend(struct rte_mbuf *m, const struct mac *from, adjacency_word to,
                                    uint16_t ethertype)
{
    uint8_t *header = (uint8_t *)rte_pktmbuf_prepend(m, ETHERNET_LEN);
    if (header == NULL)
        return false;
    ethernet_write(header, from, to, ethertype);
    return true;
}

#endif
