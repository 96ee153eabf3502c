/* SPDX-License-Identifier: BSD-3-Clause */
#include "icmp6_frame.h"

#include "icmp.h"

enum { ETHERTYPE_IPV6 = 0x86dd };

struct mac icmp6_group_mac(const struct addr *group)
{
    const uint8_t *b = group->b;
    return (struct mac){{0x33, 0x33, b[12], b[13], b[14], b[15]}};
}

void icmp6_frame_write(struct writer *w, const struct icmp6_frame *frame, const struct writer *message)
{
    const size_t len = writer_len(message);
    const struct mac mac = frame->to_mac != NULL ? *frame->to_mac : icmp6_group_mac(frame->to);
    struct ip_header ip = {.ttl = frame->hop_limit,
                           .protocol = IPPROTO_NUM_ICMPV6,
                           .source = *frame->own,
                           .destination = *frame->to,
                           .router_alert = frame->router_alert};
    ip.total_len = (uint16_t)(ip_header_size(&ip) + len);
    icmp6_checksum(message->start, len, frame->own, frame->to);
    write_bytes(w, mac.b, sizeof(mac.b));
    write_bytes(w, frame->own_mac->b, sizeof(frame->own_mac->b));
    write_u16(w, ETHERTYPE_IPV6);
    ip_encode(w, &ip);
    write_bytes(w, message->start, len);
}
