/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The packets that the appliance is there for, in straight code: a whole IPv4 packet without options, or an
 * IPv6 packet without extension headers, for one care-of address. Each step asks in few tests whether
 * everything is as usual. Where it is not, it changes nothing and says so, and pkt_parse and decide, which
 * know all cases, see the packet instead; they come to the same end for the usual ones, which a test holds
 * them to.
 *
 * Of the worker alone.
 */
#ifndef FWD_EXPRESS_H
#define FWD_EXPRESS_H

#include "decide.h"

/* The first six bytes of a frame, and those of the EtherType, version and header length, as whole words. */
static inline uint64_t express_mac(const struct mac *mac)
{
    uint64_t word = 0;
    memcpy(&word, mac->b, sizeof(mac->b));
    return word;
}

static inline bool express_is_for(const uint8_t *ethernet, uint64_t own)
{
    static const struct mac all = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
    uint64_t word;
    memcpy(&word, ethernet, sizeof(word));
    return ((word ^ own) & express_mac(&all)) == 0;
}

static inline bool express_is_plain_ipv4(const uint8_t *ethernet)
{
    uint32_t word;
    memcpy(&word, ethernet + 12, sizeof(word));
    return (word & RTE_BE32(0xffffff00)) == RTE_BE32((uint32_t)ETHERTYPE_IPV4 << 16 | 0x4500);
}

static inline bool express_is_ipv6(const uint8_t *ethernet)
{
    uint32_t word;
    memcpy(&word, ethernet + 12, sizeof(word));
    return (word & RTE_BE32(0xfffff000)) == RTE_BE32((uint32_t)ETHERTYPE_IPV6 << 16 | 0x6000);
}

/* The device's word counts, if it has said that the checksum is right and not that it is wrong. */
static inline bool express_checksum_is_right(const struct rte_mbuf *frame, const uint8_t *ip)
{
    if ((frame->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_BAD) != 0)
        return false;
    return (frame->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_GOOD) != 0 || pkt_header_is_whole(ip, IPV4_LEN_MIN);
}

/* Is this what pkt_parse would say PKT_LOOK_UP to, without options and padding? own: express_mac of the
 * receiving port. */
static inline bool express_parse(const struct rte_mbuf *frame, uint64_t own)
{
    const uint8_t *ethernet = rte_pktmbuf_mtod(frame, const uint8_t *), *ip = ethernet + ETHERNET_LEN;
    return frame->nb_segs == 1 && frame->data_len >= ETHERNET_LEN + IPV4_LEN_MIN &&
           express_is_for(ethernet, own) && express_is_plain_ipv4(ethernet) &&
           pkt_read16(ip + 2) == frame->data_len - ETHERNET_LEN && !pkt_source_is_bad(ip) && ip[16] < 0xe0 &&
           express_checksum_is_right(frame, ip);
}

/* Neither of ::/8, where unspecified, loopback and mapped addresses are, nor of fe00::/7, where link-local
 * addresses and groups are. */
static inline bool express_is_usual_address(const uint8_t *address)
{
    return (uint8_t)(address[0] - 1) < 0xfd;
}

/* The same for IPv6. A hop limit of 255 may be that of neighbour discovery, one below 2 has run out; both
 * are left to the general way, as all that could hold an encapsulation limit. */
static inline bool express_parse_ipv6(const struct rte_mbuf *frame, uint64_t own)
{
    const uint8_t *ethernet = rte_pktmbuf_mtod(frame, const uint8_t *), *ip = ethernet + ETHERNET_LEN;
    return frame->nb_segs == 1 && frame->data_len >= ETHERNET_LEN + IPV6_LEN &&
           express_is_for(ethernet, own) && express_is_ipv6(ethernet) &&
           pkt_read16(ip + 4) == frame->data_len - ETHERNET_LEN - IPV6_LEN &&
           (uint8_t)(ip[7] - 2) < IPV6_ND_HOP_LIMIT - 2 && !ipv6_is_skipped(ip[6]) &&
           express_is_usual_address(ip + 8) && express_is_usual_address(ip + 24);
}

static inline bool express_is_usual(const struct entry *e)
{
    return e->kind == ENTRY_TUNNEL && (e->flags & ~ENTRY_REVERSE) == 0;
}

/* One whose home tests go by ESP has the same way for all that cannot be one. */
static inline bool express_is_usual_ipv6(const struct entry *e, const uint8_t *ip)
{
    return express_is_usual(e) || (e->kind == ENTRY_TUNNEL && mobility_is_none(ip[6]) &&
                                   (e->flags & ~(ENTRY_REVERSE | ENTRY_HOME_TESTS)) == 0);
}

/* Room for the longest outer header is room for all. */
static inline bool express_has_room(const struct rte_mbuf *frame)
{
    return rte_pktmbuf_headroom(frame) >= TUNNEL_OUTER_MAX;
}

static inline struct tunnel_inner express_inner(const struct rte_mbuf *frame, const uint8_t *ip)
{
    return (struct tunnel_inner){
        .size = (uint16_t)(frame->data_len - ETHERNET_LEN),
        .tos = ip[1],
        .ttl = (uint8_t)(ip[8] - 1), /* it takes its hop */
        .header_len = IPV4_LEN_MIN,
        .df = (ip[6] & IPV4_DF >> 8) != 0,
        .fragment = (pkt_read16(ip + 6) & IPV4_FRAGMENT) != 0,
    };
}

static inline void express_ipip(struct burst *b, struct rte_mbuf *frame, const struct entry *e, uint8_t *ip,
                                adjacency_word way)
{
    struct tunnel_inner inner = express_inner(frame, ip);
    bool df = sets_df(b, e, &inner);
    uint8_t *outer = tunnel_grow(frame, ETHERNET_LEN, ipip_len());
    ethernet_write_wide(outer - ETHERNET_LEN, &b->w->tx[adjacency_port(way)].ipv4, way);
    ipip_build(outer, e, &inner, df, df ? 0 : next_identification(b, e));
    pkt_decrement_ttl(PKT_IPV4, ip);
}

static inline void express_six_in_six(struct burst *b, struct rte_mbuf *frame, const struct entry *e,
                                      uint8_t *ip, adjacency_word way)
{
    const struct tunnel_inner inner = {.size = (uint16_t)(frame->data_len - ETHERNET_LEN),
                                       .tos = (uint8_t)(pkt_read16(ip) >> 4)};
    uint8_t *outer = tunnel_grow(frame, ETHERNET_LEN, six_in_six_len());
    ethernet_write_wide(outer - ETHERNET_LEN, &b->w->tx[adjacency_port(way)].ipv6, way);
    six_in_six_build(outer, e, &inner, true, 0);
    pkt_decrement_ttl(PKT_IPV6, ip);
}

/* Apart, so that the description of the packet has a place in memory here alone. */
static __rte_noinline void express_other(struct burst *b, struct rte_mbuf *frame, const struct entry *e,
                                         uint8_t *ip, adjacency_word way)
{
    take_hop(frame);
    struct tunnel_inner inner = tunnel_inner_of(ip, e);
    wrap(b, e, frame, ETHERNET_LEN, &inner);
    ethernet_write(rte_pktmbuf_mtod(frame, uint8_t *), &b->w->port[adjacency_port(way)].mac, way,
                   pkt_ethertype(pkt_family_of(pkt_ip(frame))));
}

/* What both families' do with a frame that has its tunnel: encapsulated, it is put into its port's queue. */
static inline void express_leave(struct burst *b, struct rte_mbuf *frame, const struct entry *e,
                                 uint16_t size, adjacency_word way)
{
    output_frame(b->w, adjacency_port(way), frame, VERDICT_TUNNELLED);
    count_binding(b, e->slot, size);
}

/* A frame to which express_parse has said yes, by the entry that was found. */
static inline bool express_forward(struct burst *b, struct rte_mbuf *frame, const struct entry *e)
{
    uint8_t *ip = pkt_ip(frame);
    uint16_t size = (uint16_t)(frame->data_len - ETHERNET_LEN);
    uint32_t source, far_end; /* what lies there over IPv6 is none; then the general way knows better */
    memcpy(&source, ip + 12, sizeof(source));
    memcpy(&far_end, e->outer + 16, sizeof(far_end));
    if (unlikely(!express_is_usual(e) || ip[8] <= 1 || size > e->mtu || is_own_ipv4(b, source) ||
                 source == far_end))
        return false;
    adjacency_word way = way_by(b->w, e->adjacency);
    if (unlikely(way == 0 || !express_has_room(frame)))
        return false;
    if (likely(e->encapsulation == ENCAPSULATION_IPIP))
        express_ipip(b, frame, e, ip, way);
    else
        express_other(b, frame, e, ip, way);
    express_leave(b, frame, e, size, way);
    return true;
}

static inline uint64_t express_half(const void *at)
{
    uint64_t half;
    memcpy(&half, at, sizeof(half));
    return half;
}

/* Of the source the latter half is enough to tell that it is not the tunnel's far end. */
static inline bool express_forward_ipv6(struct burst *b, struct rte_mbuf *frame, const struct entry *e)
{
    uint8_t *ip = pkt_ip(frame);
    uint16_t size = (uint16_t)(frame->data_len - ETHERNET_LEN);
    uint64_t source = express_half(ip + 16);
    if (unlikely(!express_is_usual_ipv6(e, ip) || size > e->mtu || is_own(b, (const struct addr *)(ip + 8))))
        return false;
    adjacency_word way = way_by(b->w, e->adjacency);
    if (unlikely(way == 0 || !express_has_room(frame)))
        return false;
    if (unlikely(e->encapsulation != ENCAPSULATION_IPV6_IN_IPV6))
        express_other(b, frame, e, ip, way); /* no address over IPv4 is this packet's source */
    else if (unlikely(source == express_half(&e->destination.b[8])))
        return false;
    else
        express_six_in_six(b, frame, e, ip, way);
    express_leave(b, frame, e, size, way);
    return true;
}

#endif
