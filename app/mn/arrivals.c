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

static void note_time(struct stream *s, uint64_t now_ns)
{
    if (s->last_ns != 0 && now_ns - s->last_ns > s->longest_gap_ns)
        s->longest_gap_ns = now_ns - s->last_ns;
    s->last_ns = now_ns;
}

static void note_stream(struct arrivals *a, const struct ip_header *ip, const uint8_t *datagram,
                        uint16_t port, uint64_t now_ns)
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
    if (s == NULL)
        return;
    sequence_note(&s->sequence, number);
    note_time(s, now_ns);
}

void arrivals_note(struct arrivals *a, const struct ip_header *ip, const uint8_t *datagram,
                   uint16_t stream_port, uint64_t now_ns)
{
    a->packets++;
    a->bytes += ip->total_len;
    if (stream_port != 0)
        note_stream(a, ip, datagram, stream_port, now_ns);
}

void stream_sum_add(struct stream_sum *total, const struct stream_sum *sum)
{
    total->received += sum->received;
    total->lost += sum->lost;
    total->duplicates += sum->duplicates;
    total->out_of_order += sum->out_of_order;
    if (sum->longest_gap_ns > total->longest_gap_ns)
        total->longest_gap_ns = sum->longest_gap_ns;
}

struct stream_sum arrivals_sum(const struct arrivals *a)
{
    struct stream_sum sum = {0};
    for (const struct stream *s = a->streams; s != NULL; s = s->next) {
        const struct stream_sum one = {
            .received = s->sequence.received,
            .lost = sequence_lost(&s->sequence),
            .duplicates = s->sequence.duplicates,
            .out_of_order = s->sequence.out_of_order,
            .longest_gap_ns = s->longest_gap_ns,
        };
        stream_sum_add(&sum, &one);
    }
    return sum;
}
