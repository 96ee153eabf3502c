/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A whole Ethernet frame around an ICMPv6 message that stays on its link (RFC 2464): neighbour discovery's
 * and multicast listener discovery's.
 *
 * Pure functions over bytes; any thread.
 */
#ifndef WIRE_ICMP6_FRAME_H
#define WIRE_ICMP6_FRAME_H

#include "addr.h"
#include "bytes.h"

/* Who says it to whom. */
struct icmp6_frame {
    const struct mac *own_mac;
    const struct addr *own;
    const struct addr *to;
    const struct mac *to_mac; /* NULL: that of the group `to` */
    uint8_t hop_limit;
    bool router_alert; /* as struct ip_header's */
};

/* message holds the ICMPv6 message, whose checksum is filled in. */
void icmp6_frame_write(struct writer *w, const struct icmp6_frame *frame, const struct writer *message);

/* 33:33 and the last four bytes (RFC 2464 section 7). */
struct mac icmp6_group_mac(const struct addr *group);

#endif
