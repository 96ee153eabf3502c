/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is known of a binding's traffic, and where it stands with the balancer. Made by policy.c for each
 * binding once there are secondaries, else at the first traffic; gone with the binding.
 *
 * Two moving averages of packets and bits, 10 s and 60 s. Balancing goes by the larger one of the packets: a
 * rise is seen in seconds, a pause is not believed for a minute.
 */
#ifndef AGENT_PRIMARY_RATED_H
#define AGENT_PRIMARY_RATED_H

#include "agent.h"
#include "shelf.h"

enum { RATE_UNIT = 16 }; /* of averages: parts of a packet, or kilobit, a second */
/* Not mentioned for so long: at rest. */
#define RATED_QUIET_NS (3 * NSEC_PER_S)

/* The totals of one forwarder, as it told them last. */
struct told {
    struct told *next;
    uint16_t node; /* its number in the protocol; 0: the primary itself */
    uint64_t packets, bytes;
};

struct average {
    double short_term, long_term; /* a second */
};

struct rated {
    struct mobile *mobile;
    struct shelf *shelf; /* of who forwards it, or is about to; NULL: none */
    struct rated *prev, *next;
    struct rated *sounding_prev,
        *sounding_next;                        /* those with a rate, the one not heard of for longest first */
    struct rated *pending_prev, *pending_next; /* moves begun, in that order */
    struct traffic traffic;
    struct average packets_s, kbits_s;
    uint64_t first_ns, heard_ns; /* since it was at rest; the last report, or decay */
    uint64_t since_ns;           /* where it is */
    uint64_t rest_ns;            /* not to be moved before */
    uint64_t asked_ns;           /* when the pending move began */
    uint64_t packets, bytes;     /* of all forwarders */
    struct told *told;
    uint32_t planned; /* the plan that has moved it */
    uint16_t bucket;
    bool sounding : 1, pending : 1, by_hand : 1;
};

struct rated *rated_create(struct mobile *mobile);
/* On no list any more. */
void rated_destroy(struct rated *rated);
/* Adds what node's totals have grown by. */
void rated_count(struct rated *rated, uint16_t node, const struct agent_rate *rate);
/* The owner counts so much now. */
void rated_sample(struct rated *rated, uint32_t pps, uint32_t kbps, struct instant now);
/* Too little to be told from nothing. */
bool rated_is_silent(const struct rated *rated);

#endif
