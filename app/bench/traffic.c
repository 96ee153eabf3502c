/* SPDX-License-Identifier: BSD-3-Clause */
#include "traffic.h"

#include <netinet/in.h>
#include <stdlib.h>

#include "tunnel.h"
#include "zipf.h"

enum {
    DRAWS = 1 << 22,
    INNER_SIZE_SMALL = 64 - 4 - ETHERNET_LEN,
    INNER_SIZE_MIDDLE = 594 - 4 - ETHERNET_LEN,
    INNER_SIZE_LARGE = 1500,
    IMIX_PARTS = 12,
    TTL = 64
};

#define CORRESPONDENTS      UINT32_C(0xc6120000)         /* 198.18.0.0/16, RFC 2544 */
#define CORRESPONDENTS_IPV6 UINT64_C(0x2001000200000000) /* 2001:2::/48, RFC 5180 */

static const struct mac port_mac = {{2, 0, 0, 0, 0, 1}};

/* ---- Draws ---- */

/* Which binding has a rank, so that the busiest do not lie side by side: each of n once. */
static uint32_t of_rank(uint32_t rank, uint32_t n)
{
    uint32_t mask = rte_align32pow2(n) - 1;
    do
        rank = (rank * UINT32_C(0x9e3779b1) + UINT32_C(0x7f4a7c15)) & mask;
    while (rank >= n);
    return rank;
}

static uint32_t draw_bound(const struct setup *setup, const struct zipf *zipf, uint64_t *state)
{
    if (setup->traffic == TRAFFIC_ZIPF)
        return of_rank(zipf_next(zipf, state), zipf->n);
    return random_below(state, zipf->n);
}

/* As many home addresses without a binding as there are bindings. */
static bool draws_miss(const struct setup *setup, uint64_t *state)
{
    return setup->hit == HIT_MISS || (setup->hit == HIT_MIXED && (random_next(state) & 1) != 0);
}

static void draw(struct traffic *t, const struct setup *setup)
{
    uint64_t state = 1;
    const struct zipf zipf = zipf_begin(t->population->n);
    for (uint32_t i = 0; i < t->n; i++) {
        t->number[i] = draw_bound(setup, &zipf, &state);
        if (draws_miss(setup, &state))
            t->number[i] += t->population->n;
    }
}

static void replay(struct traffic *t, const struct capture *capture)
{
    t->port = capture->mac;
    for (uint32_t i = 0; i < t->n; i++)
        t->number[i] = i % capture->n_frames;
}

struct traffic *traffic_create(const struct setup *setup, const struct population *population,
                               bool checksum_good)
{
    struct traffic *t = calloc(1, sizeof(*t));
    if (t == NULL)
        return NULL;
    t->population = population;
    t->size = setup->size;
    t->port = port_mac;
    t->checksum_good = checksum_good;
    t->n = population->capture != NULL ? population->capture->n_frames : DRAWS;
    t->number = malloc(t->n * sizeof(*t->number));
    if (t->number == NULL) {
        traffic_destroy(t);
        return NULL;
    }
    if (population->capture != NULL)
        replay(t, population->capture);
    else
        draw(t, setup);
    return t;
}

void traffic_destroy(struct traffic *t)
{
    if (t == NULL)
        return;
    free(t->number);
    free(t);
}

uint32_t traffic_number(const struct traffic *t, uint32_t i)
{
    const struct capture *capture = t->population->capture;
    return capture != NULL ? capture->frames[t->number[i]].binding : t->number[i];
}

/* ---- Frames ---- */

/* Of the IP packet. */
static uint16_t size_of(const struct traffic *t, uint32_t i)
{
    if (t->size == SIZE_64)
        return INNER_SIZE_SMALL;
    if (t->size == SIZE_1500)
        return INNER_SIZE_LARGE;
    uint32_t part = (i * UINT32_C(0x9e3779b1) >> 16) % IMIX_PARTS;
    return part < 7 ? INNER_SIZE_SMALL : part < 11 ? INNER_SIZE_MIDDLE : INNER_SIZE_LARGE;
}

static void renew(const struct traffic *t, struct rte_mbuf *m, unsigned len)
{
    rte_pktmbuf_reset(m);
    m->data_len = (uint16_t)len;
    m->pkt_len = len;
    m->packet_type = 0;
    if (t->checksum_good)
        m->ol_flags |= RTE_MBUF_F_RX_IP_CKSUM_GOOD;
}

static uint8_t *write_ethernet(const struct traffic *t, uint8_t *frame, enum family family)
{
    static const struct mac router = {{2, 0, 0, 0, 0, 0xaa}};
    memcpy(frame, t->port.b, sizeof(t->port.b));
    memcpy(frame + 6, router.b, sizeof(router.b));
    pkt_write16(frame + 12, family == FAMILY_IPV6 ? ETHERTYPE_IPV6 : ETHERTYPE_IPV4);
    return frame + ETHERNET_LEN;
}

static void write_ipv4(uint8_t *ip, uint16_t size, const struct addr *source, const struct addr *destination)
{
    static const uint8_t template[IPV4_LEN_MIN] = {
        [0] = 0x45, [6] = IPV4_DF >> 8, [8] = TTL, [9] = IPPROTO_UDP};
    memcpy(ip, template, sizeof(template));
    pkt_write16(ip + 2, size);
    memcpy(ip + 12, &source->b[12], 4);
    memcpy(ip + 16, &destination->b[12], 4);
    pkt_header_checksum(ip, IPV4_LEN_MIN);
}

static void write_ipv6(uint8_t *ip, uint16_t size, const struct addr *source, const struct addr *destination)
{
    static const uint8_t template[8] = {[0] = 0x60, [6] = IPPROTO_UDP, [7] = TTL};
    memcpy(ip, template, sizeof(template));
    pkt_write16(ip + 4, (uint16_t)(size - IPV6_LEN));
    memcpy(ip + 8, source->b, sizeof(source->b));
    memcpy(ip + 24, destination->b, sizeof(destination->b));
}

static void write_ip(const struct traffic *t, uint8_t *ip, uint16_t size, const struct addr *source,
                     const struct addr *destination)
{
    if (t->population->family == FAMILY_IPV6)
        write_ipv6(ip, size, source, destination);
    else
        write_ipv4(ip, size, source, destination);
}

static struct addr correspondent(const struct traffic *t, uint32_t i)
{
    return t->population->family == FAMILY_IPV6 ? population_address(CORRESPONDENTS_IPV6, i & 0xffff)
                                                : addr_from_ipv4(CORRESPONDENTS | (i & 0xffff));
}

static void write_captured(const struct traffic *t, uint32_t i, struct rte_mbuf *m)
{
    const struct captured *frame = &t->population->capture->frames[t->number[i]];
    renew(t, m, frame->len);
    uint8_t *to = rte_pktmbuf_mtod(m, uint8_t *);
    memcpy(to, frame->bytes, frame->len);
    memcpy(to, t->port.b, sizeof(t->port.b));
}

void traffic_write(const struct traffic *t, uint32_t i, struct rte_mbuf *m)
{
    if (t->population->capture != NULL) {
        write_captured(t, i, m);
        return;
    }
    uint16_t size = size_of(t, i);
    const struct addr source = correspondent(t, i),
                      destination = population_home(t->population, t->number[i]);
    renew(t, m, ETHERNET_LEN + size);
    uint8_t *ip = write_ethernet(t, rte_pktmbuf_mtod(m, uint8_t *), t->population->family);
    write_ip(t, ip, size, &source, &destination);
}

/* No sum sees it. */
static void swap_ends(uint8_t *ip, enum family family)
{
    const unsigned at = family == FAMILY_IPV6 ? 8 : 12, len = family == FAMILY_IPV6 ? 16 : 4;
    uint8_t source[16];
    memcpy(source, ip + at, len);
    memcpy(ip + at, ip + at + len, len);
    memcpy(ip + at + len, source, len);
}

void traffic_write_reverse(const struct traffic *t, uint32_t i, struct rte_mbuf *m)
{
    const struct population *p = t->population;
    const struct entry *e = &p->entries[t->number[i]];
    const struct addr source = population_home(p, t->number[i]), destination = correspondent(t, i);
    const enum family family = setup_outer(p->encapsulation);
    uint16_t size = size_of(t, i);
    unsigned len = tunnel_len(p->encapsulation);
    renew(t, m, ETHERNET_LEN + len + size);
    uint8_t *outer = write_ethernet(t, rte_pktmbuf_mtod(m, uint8_t *), family);
    write_ip(t, outer + len, size, &source, &destination);

    /* As the home agent does it, then its ends the other way round. */
    struct tunnel_inner inner = tunnel_inner_of(outer + len, e);
    tunnel_build(outer, p->encapsulation, e, &inner, true, 0);
    swap_ends(outer, family);
}
