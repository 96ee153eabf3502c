/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Parsing and classification of a received frame: is it whole and meant for us, may it travel, and what is to
 * be done with it where its destination says so by itself.
 *
 * Pure functions of the frame; any thread.
 */
#ifndef FWD_CLASSIFY_H
#define FWD_CLASSIFY_H

#include "ipv6.h"
#include "pkt.h"

static inline bool pkt_is_limited_broadcast(const struct pkt *p)
{
    return pkt_ipv4(&p->destination) == UINT32_MAX;
}

static inline bool pkt_is_udp_to_signalling(const uint8_t *ip, const struct pkt *p)
{
    return p->family == PKT_IPV4 && p->protocol == IPPROTO_UDP && p->size >= p->header_len + UDP_LEN &&
           pkt_read16(ip + p->header_len + 2) == UDP_PORT_SIGNALLING;
}

/* To a broadcast address a mobile node sends one thing: a registration request that asks for the home agents'
 * addresses (RFC 5944 section 3.6.1.2). */
static inline enum verdict pkt_broadcast_verdict(const uint8_t *ip, const struct pkt *p)
{
    bool whole = (p->fragment & IPV4_FRAGMENT) == 0;
    return whole && pkt_is_udp_to_signalling(ip, p) ? VERDICT_PUNT_SIGNALLING : VERDICT_DROP_BROADCAST;
}

/* A destination of class D or E. */
static inline enum verdict pkt_group_verdict_ipv4(const uint8_t *ip, const struct pkt *p)
{
    if (ip[16] < 0xf0)
        return VERDICT_DROP_MULTICAST;
    return pkt_is_limited_broadcast(p) ? pkt_broadcast_verdict(ip, p) : PKT_LOOK_UP;
}

/* RFC 4443 section 4.2 lets nodes answer an echo request to a group. */
static inline enum verdict pkt_group_verdict_ipv6(const uint8_t *ip, const struct pkt *p)
{
    bool to_all = ipv6_is_all_on_link(&p->destination);
    if (!to_all && !ipv6_is_solicited_node(&p->destination))
        return VERDICT_DROP_MULTICAST;
    if (ipv6_is_nd(ip, p))
        return p->ttl == IPV6_ND_HOP_LIMIT ? VERDICT_PUNT_ND : VERDICT_DROP_OFF_LINK;
    if (ipv6_is_mld(ip, p))
        return VERDICT_PUNT_MLD;
    bool echo = p->protocol == IPPROTO_ICMPV6 && p->size >= IPV6_LEN + 8 && ip[IPV6_LEN] == ICMPV6_ECHO;
    return to_all && echo ? VERDICT_PUNT_LOCAL : VERDICT_DROP_MULTICAST;
}

/* ---- For one of the appliance's own addresses ---- */

/* What is neither UDP nor a tunnel. */
static inline enum verdict pkt_local_verdict_ipv6(const uint8_t *ip, const struct pkt *p)
{
    switch (p->protocol) {
    case IPPROTO_ICMPV6: /* neighbour discovery from the link was told apart before */
        return ipv6_is_nd(ip, p) ? VERDICT_DROP_OFF_LINK : VERDICT_PUNT_LOCAL;
    case IPPROTO_HOPOPTS: /* what is behind it may be any of these */
    case IPPROTO_MH:
    case IPPROTO_ESP:
    case IPPROTO_DSTOPTS:
    case IPPROTO_ROUTING:
        return VERDICT_PUNT_SIGNALLING;
    default: /* an unknown next header is to be told to who sent it (RFC 8200 section 4) */
        return VERDICT_PUNT_LOCAL;
    }
}

/* What control puts together (RFC 1122 section 3.3.2, RFC 8200 section 5). No tunnels: their packets are for
 * workers alone; and of ESP what control opens comes whole. An IPv6 fragment but the first may say what it
 * likes of its protocol: control looks at what comes out. */
static inline bool pkt_is_reassembled(const struct pkt *p, uint8_t protocol)
{
    if (p->family == PKT_IPV6)
        return protocol != IPPROTO_ESP && !pkt_is_tunnel_protocol(protocol);
    return protocol == IPPROTO_UDP || protocol == IPPROTO_ICMP;
}

/* at: of IPv6's fragment header, whose first byte says what it is a fragment of. */
static inline enum verdict pkt_local_fragment_verdict(const uint8_t *ip, const struct pkt *p, unsigned at)
{
    if (p->family == PKT_IPV6 && at + IPV6_FRAGMENT_LEN > p->size)
        return VERDICT_DROP_LOCAL_FRAGMENT;
    const uint8_t protocol = p->family == PKT_IPV6 ? ip[at] : p->protocol;
    return pkt_is_reassembled(p, protocol) ? VERDICT_PUNT_FRAGMENT : VERDICT_DROP_LOCAL_FRAGMENT;
}

static inline enum verdict pkt_local_verdict(const uint8_t *ip, const struct pkt *p)
{
    const struct ipv6_upper upper =
        p->family == PKT_IPV6 ? ipv6_upper(ip, p->size) : (struct ipv6_upper){.protocol = p->protocol};
    if ((p->fragment & IPV4_FRAGMENT) != 0 || (p->family == PKT_IPV6 && upper.protocol == IPPROTO_FRAGMENT))
        return pkt_local_fragment_verdict(ip, p, upper.at);
    /* RFC 3024 section 4.3.2: only what a binding was granted is opened. */
    if (pkt_is_tunnel_protocol(upper.protocol))
        return VERDICT_DROP_REVERSE_TUNNEL;
    if (p->protocol == IPPROTO_UDP) {
        if (p->size < p->header_len + UDP_LEN)
            return VERDICT_DROP_RUNT;
        return pkt_is_udp_to_signalling(ip, p) ? VERDICT_PUNT_SIGNALLING : VERDICT_PUNT_LOCAL;
    }
    if (p->family == PKT_IPV6)
        return pkt_local_verdict_ipv6(ip, p);
    return p->protocol == IPPROTO_ICMP ? VERDICT_PUNT_LOCAL : VERDICT_DROP_LOCAL_PROTOCOL;
}

/* ---- Headers ---- */

/* The device may have verified the checksum; if it has not said so, it is done here. */
static inline bool pkt_checksum_is_bad(const struct rte_mbuf *frame, const uint8_t *ip, unsigned header_len)
{
    switch (frame->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) {
    case RTE_MBUF_F_RX_IP_CKSUM_GOOD:
        return false;
    case RTE_MBUF_F_RX_IP_CKSUM_BAD:
        return true;
    default:
        return !pkt_header_is_whole(ip, header_len);
    }
}

/* What a whole header says, checked or known to be right. */
static inline void pkt_fields_ipv4(const uint8_t *ip, struct pkt *p)
{
    uint32_t address[2];
    memcpy(address, ip + 12, sizeof(address));
    p->family = PKT_IPV4;
    p->header_len = (uint8_t)((ip[0] & 0x0f) * 4);
    p->tos = ip[1];
    p->size = pkt_read16(ip + 2);
    p->fragment = pkt_read16(ip + 6);
    p->ttl = ip[8];
    p->protocol = ip[9];
    p->source = pkt_key(address[0]);
    p->destination = pkt_key(address[1]);
}

static inline void pkt_fields(enum pkt_family family, const uint8_t *ip, struct pkt *p)
{
    if (family == PKT_IPV6)
        ipv6_fields(ip, p);
    else
        pkt_fields_ipv4(ip, p);
}

/* The size of a packet of which `there` bytes have come, in *size. PKT_LOOK_UP: its header is sound. */
static inline enum verdict pkt_check_ipv4(const struct rte_mbuf *frame, const uint8_t *ip, unsigned there,
                                          unsigned *size)
{
    unsigned header_len = (ip[0] & 0x0fU) * 4;
    *size = pkt_read16(ip + 2);
    if (ip[0] >> 4 != PKT_IPV4 || header_len < IPV4_LEN_MIN)
        return VERDICT_DROP_IP_VERSION;
    if (*size < header_len || *size > there)
        return VERDICT_DROP_IP_LENGTH;
    if (pkt_checksum_is_bad(frame, ip, header_len))
        return VERDICT_DROP_IP_CHECKSUM;
    return pkt_source_is_bad(ip) ? VERDICT_DROP_BAD_SOURCE : PKT_LOOK_UP;
}

/* A jumbogram (RFC 2675) has the length 0 and an option that nobody here reads. */
static inline enum verdict pkt_check_ipv6(const uint8_t *ip, unsigned there, unsigned *size)
{
    struct addr source;
    memcpy(&source, ip + 8, sizeof(source));
    *size = IPV6_LEN + pkt_read16(ip + 4);
    if (ip[0] >> 4 != PKT_IPV6)
        return VERDICT_DROP_IP_VERSION;
    if (*size > there || (*size == IPV6_LEN && ip[6] == IPPROTO_HOPOPTS))
        return VERDICT_DROP_IP_LENGTH;
    return source.b[0] == 0xff || ipv6_is_internal(&source) ? VERDICT_DROP_BAD_SOURCE : PKT_LOOK_UP;
}

/* What its addresses and upper layer say of a sound packet without a look into the table. No router may send
 * neighbour discovery on: what neighbours ask of a home address that we stand for comes to us by our MAC
 * address, when they make sure that it is still there (RFC 6275 section 10.4.1, RFC 4861 section 7.3). From
 * nowhere comes nothing else than that (RFC 4291 section 2.5.2). */
static inline enum verdict pkt_verdict_ipv6(const uint8_t *ip, const struct pkt *p)
{
    enum verdict v = PKT_LOOK_UP;
    if (p->destination.b[0] == 0xff)
        v = pkt_group_verdict_ipv6(ip, p);
    else if (p->ttl == IPV6_ND_HOP_LIMIT && ipv6_is_nd(ip, p))
        v = VERDICT_PUNT_ND;
    else if (ipv6_is_unspecified(&p->destination) || ipv6_is_internal(&p->destination))
        v = VERDICT_DROP_NO_BINDING;
    return v != VERDICT_PUNT_ND && ipv6_is_unspecified(&p->source) ? VERDICT_DROP_BAD_SOURCE : v;
}

static inline enum verdict pkt_verdict_ipv4(const uint8_t *ip, const struct pkt *p)
{
    return ip[16] < 0xe0 ? PKT_LOOK_UP : pkt_group_verdict_ipv4(ip, p);
}

static inline enum verdict pkt_parse_ip(enum pkt_family family, struct rte_mbuf *frame, struct pkt *p)
{
    const bool ipv6 = family == PKT_IPV6;
    unsigned there = frame->data_len - ETHERNET_LEN, size;
    const uint8_t *ip = pkt_ip(frame);
    if (there < (ipv6 ? IPV6_LEN : IPV4_LEN_MIN))
        return VERDICT_DROP_RUNT;
    enum verdict v = ipv6 ? pkt_check_ipv6(ip, there, &size) : pkt_check_ipv4(frame, ip, there, &size);
    if (v != PKT_LOOK_UP)
        return v;
    if (size != there) /* Ethernet padding must not travel on inside a tunnel */
        rte_pktmbuf_trim(frame, (uint16_t)(there - size));
    pkt_fields(family, ip, p);
    return ipv6 ? pkt_verdict_ipv6(ip, p) : pkt_verdict_ipv4(ip, p);
}

/* frame begins at the Ethernet header; own is the receiving port's address. PKT_LOOK_UP: *p is filled in, and
 * the frame ends where the IP packet ends. */
static inline enum verdict pkt_parse(struct rte_mbuf *frame, const struct mac *own, struct pkt *p)
{
    const uint8_t *ethernet = rte_pktmbuf_mtod(frame, const uint8_t *);
    *p = (struct pkt){0};
    if (frame->nb_segs != 1)
        return VERDICT_DROP_SEGMENTED;
    if (frame->data_len < ETHERNET_LEN)
        return VERDICT_DROP_RUNT;
    p->link_cast = (ethernet[0] & 1) != 0;
    if (!p->link_cast && !mac_equal((const struct mac *)ethernet, own))
        return VERDICT_DROP_FOREIGN_MAC;
    switch (pkt_read16(ethernet + 12)) {
    case ETHERTYPE_IPV4:
        return pkt_parse_ip(PKT_IPV4, frame, p);
    case ETHERTYPE_IPV6:
        return pkt_parse_ip(PKT_IPV6, frame, p);
    case ETHERTYPE_ARP:
        /* RFC 826: to everybody or to us, to no other group */
        if (p->link_cast && memcmp(ethernet, mac_broadcast.b, sizeof(mac_broadcast.b)) != 0)
            return VERDICT_DROP_FOREIGN_MAC;
        return frame->data_len < ETHERNET_LEN + ARP_LEN ? VERDICT_DROP_RUNT : VERDICT_PUNT_ARP;
    default:
        return VERDICT_DROP_ETHERTYPE;
    }
}

#endif
