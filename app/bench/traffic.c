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

#define CORRESPONDENTS UINT32_C(0xc6120000) /* 198.18.0.0/16, RFC 2544 */

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

static uint8_t *write_ethernet(const struct traffic *t, uint8_t *frame)
{
    static const struct mac router = {{2, 0, 0, 0, 0, 0xaa}};
    memcpy(frame, t->port.b, sizeof(t->port.b));
    memcpy(frame + 6, router.b, sizeof(router.b));
    pkt_write16(frame + 12, ETHERTYPE_IPV4);
    return frame + ETHERNET_LEN;
}

/* Addresses in network order. */
static void write_ip(uint8_t *ip, uint16_t size, uint8_t protocol, uint32_t source, uint32_t destination)
{
    static const uint8_t template[IPV4_LEN_MIN] = {[0] = 0x45, [6] = IPV4_DF >> 8, [8] = TTL};
    memcpy(ip, template, sizeof(template));
    pkt_write16(ip + 2, size);
    ip[9] = protocol;
    memcpy(ip + 12, &source, sizeof(source));
    memcpy(ip + 16, &destination, sizeof(destination));
    pkt_header_checksum(ip, IPV4_LEN_MIN);
}

static uint32_t correspondent(uint32_t i)
{
    return htonl(CORRESPONDENTS | (i & 0xffff));
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
    renew(t, m, ETHERNET_LEN + size);
    uint8_t *ip = write_ethernet(t, rte_pktmbuf_mtod(m, uint8_t *));
    write_ip(ip, size, IPPROTO_UDP, correspondent(i), population_home_ipv4(t->population, t->number[i]));
}

void traffic_write_reverse(const struct traffic *t, uint32_t i, struct rte_mbuf *m)
{
    const struct entry *e = &t->population->entries[t->number[i]];
    uint16_t size = size_of(t, i);
    unsigned len = tunnel_len((enum encapsulation)e->encapsulation);
    renew(t, m, ETHERNET_LEN + len + size);
    uint8_t *outer = write_ethernet(t, rte_pktmbuf_mtod(m, uint8_t *));
    write_ip(outer + len, size, IPPROTO_UDP, population_home_ipv4(t->population, t->number[i]),
             correspondent(i));

    /* As the home agent does it, then the addresses the other way round, which no sum sees. */
    struct tunnel_inner inner = tunnel_inner_of(outer + len);
    tunnel_build(outer, (enum encapsulation)e->encapsulation, e, &inner, true, 0);
    uint8_t care_of[4];
    memcpy(care_of, outer + 16, sizeof(care_of));
    memcpy(outer + 16, outer + 12, sizeof(care_of));
    memcpy(outer + 12, care_of, sizeof(care_of));
}
