/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One packet of the yardstick (floor.h). Its headers are put together in registers, in the order of
 * little-endian machines' bytes, and leave in a few wide stores; where one store's end is another's
 * beginning, the later one is right.
 *
 * On the lcore that owns the packet and the counters.
 */
#ifndef BENCH_FLOOR_PACKET_H
#define BENCH_FLOOR_PACKET_H

#include <rte_byteorder.h>

#include "tunnel.h"
#include "worker.h"

static_assert(RTE_BYTE_ORDER == RTE_LITTLE_ENDIAN, "headers are put together in this order");

enum { FLOOR_FRONT = 64 /* the outer header is written in front of the frame, in another cache line */ };

/* What the loops need, in registers. */
struct floor {
    const struct entry *entries;
    struct binding_counter *counters;
    const struct adjacencies *adjacencies;
    uint64_t mac_begin; /* the port's, where the first two bytes of a source follow the destination */
    uint64_t mac_end;   /* its other four, and the type */
};

static inline uint64_t floor_load64(const void *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof(v));
    return v;
}

static inline uint32_t floor_load32(const void *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof(v));
    return v;
}

static inline void floor_store64(void *p, uint64_t v)
{
    memcpy(p, &v, sizeof(v));
}

static inline void floor_store32(void *p, uint32_t v)
{
    memcpy(p, &v, sizeof(v));
}

/* Sixteen bytes, of which the last two are somebody else's. */
static inline void floor_write_ethernet(const struct floor *f, uint8_t *at, const struct entry *e)
{
    adjacency_word way = adjacency_read(f->adjacencies, e->adjacency);
    floor_store64(at, (rte_cpu_to_be_64(way << 16)) | f->mac_begin);
    floor_store64(at + 8, f->mac_end);
}

/* RFC 1624 with a difference that is always the same. TTL and checksum stand in one word. */
static inline void floor_take_hop(enum pkt_family family, uint8_t *ip)
{
    if (family == PKT_IPV6) {
        ip[7]--;
        return;
    }
    uint32_t word = floor_load32(ip + 8), sum = (word >> 16) + 1;
    sum += sum >= 0xffff;
    floor_store32(ip + 8, ((word & 0xffff) - 1) | sum << 16);
}

/* A sum's bytes may be turned round before it is folded (RFC 1071 section 2): all of it at once. */
static inline void floor_write_outer(uint8_t *outer, const struct entry *e, unsigned total)
{
    uint32_t length = rte_bswap32(total) >> 16, sum = rte_bswap32(e->outer_sum + total);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    floor_store64(outer, floor_load64(e->outer) | (uint64_t)length << 16);
    floor_store64(outer + 8, floor_load64(e->outer + 8) | (uint64_t)(uint16_t)~sum << 16);
    floor_store32(outer + 16, floor_load32(e->outer + 16));
}

/* RFC 2473; the flow label is the one that the worker makes. The packet is behind the header. */
static inline void floor_write_outer_ipv6(uint8_t *outer, enum pkt_family inside, const struct entry *e,
                                          unsigned size)
{
    const unsigned next = inside == PKT_IPV6 ? IPPROTO_IPV6 : IPPROTO_IPIP;
    const uint64_t label = flow_label(inside, outer + IPV6_LEN);
    floor_store64(outer, rte_bswap64(UINT64_C(6) << 60 | label << 32 | size << 16 | next << 8 | TUNNEL_TTL));
    memcpy(outer + 8, &e->source, 2 * sizeof(e->source));
}

/* RFC 2004: the packet's own header moves to the front, twelve bytes take its place. */
static inline void floor_write_minimal(uint8_t *ip, const struct entry *e, unsigned size)
{
    uint8_t *outer = ip - MINIMAL_LEN;
    uint64_t begin = floor_load64(ip), middle = floor_load64(ip + 8);
    uint32_t destination = floor_load32(ip + 16), source = (uint32_t)(middle >> 32);
    uint64_t way = floor_load64(e->outer + 12);

    uint16_t first = (uint16_t)((uint16_t)(middle >> 8 & 0xff) | MINIMAL_SOURCE << 8);
    uint64_t sum = (uint64_t)first + source + destination;
    uint16_t checksum = (uint16_t)~pkt_fold(sum);
    floor_store32(ip + 8, first | (uint32_t)checksum << 16);
    floor_store32(ip + 12, destination);
    floor_store32(ip + 16, source);

    begin = (begin & ~UINT64_C(0xffff0000)) | (rte_bswap32(size + MINIMAL_LEN) & 0xffff0000);
    uint32_t ttl = (uint32_t)(middle & 0xff) - 1;
    uint32_t third = ttl | (uint32_t)PROTOCOL_MINIMAL << 8;
    sum = (begin & 0xffffffff) + (begin >> 32) + third + (way & 0xffffffff) + (way >> 32);
    third |= (uint32_t)(uint16_t)~pkt_fold(sum) << 16;
    floor_store64(outer, begin);
    floor_store32(outer + 8, third);
    floor_store64(outer + 12, way);
}

/* The whole length and the segment's stand side by side. */
static inline void floor_lengthen(struct rte_mbuf *m, unsigned len)
{
    static_assert(offsetof(struct rte_mbuf, data_len) == offsetof(struct rte_mbuf, pkt_len) + 4, "");
    uint8_t *lengths = (uint8_t *)m + offsetof(struct rte_mbuf, pkt_len);
    floor_store64(lengths, floor_load64(lengths) + len + ((uint64_t)len << 32));
    m->data_off = (uint16_t)(m->data_off - len);
}

/* For the frames of one port; entries, counters and adjacencies are to be filled in. */
static inline struct floor floor_from(const struct mac *port, enum pkt_family outside)
{
    uint8_t header[16] = {0};
    memcpy(header + 6, port->b, sizeof(port->b));
    pkt_write16(header + 12, pkt_ethertype(outside));
    return (struct floor){.mac_begin = floor_load64(header), .mac_end = floor_load64(header + 8)};
}

/* m, a whole frame without padding, by the tunnel of entry `number`. */
static inline __attribute__((always_inline)) void floor_encapsulate(const struct floor *f, struct rte_mbuf *m,
                                                                    uint32_t number, enum encapsulation how)
{
    const struct entry *e = &f->entries[number];
    const unsigned len = tunnel_len(how);
    const enum pkt_family inside = tunnel_family_inside(how);
    uint8_t *ip = pkt_ip(m);
    unsigned size = m->data_len - ETHERNET_LEN;
    struct binding_counter *c = &f->counters[e->slot];

    floor_write_ethernet(f, ip - len - ETHERNET_LEN, e);
    if (how == ENCAPSULATION_MINIMAL) {
        floor_write_minimal(ip, e, size);
    } else {
        floor_take_hop(inside, ip);
        if (tunnel_family_outside(how) == PKT_IPV6)
            floor_write_outer_ipv6(ip - len, inside, e, size);
        else
            floor_write_outer(ip - len, e, size + len);
        if (how == ENCAPSULATION_GRE)
            floor_store32(ip - GRE_LEN, floor_load32(e->outer + IPV4_LEN_MIN));
    }
    floor_lengthen(m, len);
    c->tally += tally_of(1, size);
}

#endif
