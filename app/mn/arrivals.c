/* SPDX-License-Identifier: BSD-3-Clause */
#include "arrivals.h"

#include <stdlib.h>

enum { STREAMS_MAX = 64 }; /* of one home address: a stranger's packets must not eat our memory */

void arrivals_clear(struct arrivals *a)
{
    while (a->streams != NULL) {
        struct stream *next = a->streams->next;
        free(a->streams);
        a->streams = next;
    }
    *a = (struct arrivals){0};
}

static struct stream *stream_of(struct arrivals *a, const struct udp *udp)
{
    int n = 0;
    for (struct stream *s = a->streams; s != NULL; s = s->next, n++)
        if (s->source_port == udp->source_port && addr_equal(&s->source, &udp->source))
            return s;

    struct stream *s = n < STREAMS_MAX ? calloc(1, sizeof(*s)) : NULL;
    if (s == NULL)
        return NULL;
    s->source = udp->source;
    s->source_port = udp->source_port;
    s->next = a->streams;
    a->streams = s;
    return s;
}

static void note_stream(struct arrivals *a, const struct ipv4 *ip, const uint8_t *datagram, uint16_t port)
{
    const bool whole = (ip->fragment & (IPV4_FLAG_MF | IPV4_OFFSET_MASK)) == 0;
    struct udp udp;

    if (ip->protocol != IPPROTO_NUM_UDP || !whole)
        return;
    if (udp_decode(ip, datagram + ip->header_len, ip->total_len - ip->header_len, &udp) != UDP_OK ||
        udp.destination_port != port)
        return;

    struct reader r = reader_over(udp.payload, udp.payload_len);
    const uint64_t number = read_u64(&r);
    struct stream *s = r.failed ? NULL : stream_of(a, &udp);
    if (s != NULL)
        sequence_note(&s->sequence, number);
}

void arrivals_note(struct arrivals *a, const struct ipv4 *ip, const uint8_t *datagram, uint16_t stream_port)
{
    a->packets++;
    a->bytes += ip->total_len;
    if (stream_port != 0)
        note_stream(a, ip, datagram, stream_port);
}

struct stream_sum arrivals_sum(const struct arrivals *a)
{
    struct stream_sum sum = {0};
    for (const struct stream *s = a->streams; s != NULL; s = s->next) {
        sum.received += s->sequence.received;
        sum.lost += sequence_lost(&s->sequence);
        sum.duplicates += s->sequence.duplicates;
        sum.out_of_order += s->sequence.out_of_order;
    }
    return sum;
}
