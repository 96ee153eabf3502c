/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What reached one home address through the tunnel: packets, bytes, and the numbered test streams that
 * homeport-stream sends. One owner thread.
 */
#ifndef MN_ARRIVALS_H
#define MN_ARRIVALS_H

#include "inet.h"
#include "sequence.h"

/* One sender's numbering: a sender that starts again has another port. */
struct stream {
    struct stream *next;
    struct addr source;
    uint16_t source_port;
    struct sequence sequence;
    uint64_t last_ns; /* when its newest datagram came */
    uint64_t longest_gap_ns;
};

/* Zero-initialised: nothing arrived. */
struct arrivals {
    uint64_t packets;
    uint64_t bytes; /* of the inner datagrams */
    struct stream *streams;
};

/* All streams to one home address, summed. */
struct stream_sum {
    uint64_t received;
    uint64_t lost;
    uint64_t duplicates;
    uint64_t out_of_order;
    uint64_t longest_gap_ns; /* between two that came, of any of them */
};

void arrivals_clear(struct arrivals *a);
/* A whole inner datagram of ip->total_len bytes. UDP to stream_port (0: none) is taken as a numbered stream.
 */
void arrivals_note(struct arrivals *a, const struct ip_header *ip, const uint8_t *datagram,
                   uint16_t stream_port, uint64_t now_ns);
struct stream_sum arrivals_sum(const struct arrivals *a);
void stream_sum_add(struct stream_sum *total, const struct stream_sum *sum);

#endif
