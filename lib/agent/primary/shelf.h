/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bindings sorted by rate: what one node carries, or what waits to be taken over. Eight buckets an octave of
 * intrusive lists: putting, taking and a new rate cost the same however many there are, and a search looks at
 * a bounded number of them.
 */
#ifndef AGENT_PRIMARY_SHELF_H
#define AGENT_PRIMARY_SHELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rated;
struct node;

enum { SHELF_PER_OCTAVE = 8, SHELF_BUCKETS = 1 + 32 * SHELF_PER_OCTAVE, SHELF_PROBES = 64 };

/* What a binding, or the sum of a shelf, counts for. */
struct traffic {
    uint64_t rate;      /* balancing's: the larger average of packets/s, in RATE_UNITs */
    uint64_t last;      /* packets/s as reported last */
    uint64_t pps, kbps; /* averages of 10 s, in RATE_UNITs */
};

struct shelf {
    struct shelf *next;
    const struct node *node; /* whose it is; an identity */
    struct rated *buckets[SHELF_BUCKETS];
    uint64_t filled[(SHELF_BUCKETS + 63) / 64]; /* bit n: bucket n is not empty */
    uint32_t count;
    struct traffic sum;

    /* policy.c's, of the node */
    bool eligible;       /* when looked at last */
    bool told_drained;   /* NOTE_DRAINED was sent */
    uint8_t refusals;    /* in a row */
    uint64_t joined_ns;  /* its weight ramps up from then on; 0: it does not */
    uint64_t refused_ns; /* when it refused last */
    uint64_t rest;       /* carried beyond sum.rate, as it tells, in RATE_UNITs */
    uint64_t load_ns;    /* of the LOAD looked at last */
    uint8_t restless;    /* so many LOADs are not to be looked at: its bindings have just become others */
};

struct shelf_query {
    uint64_t least, most; /* rate */
    bool (*may_move)(const void *context, const struct rated *rated);
    const void *context;
};

void shelf_put(struct shelf *shelf, struct rated *rated);
/* Off whatever shelf it is on. */
void shelf_take(struct rated *rated);
/* Its traffic is another now. */
void shelf_weigh(struct rated *rated, const struct traffic *traffic);
/* The busiest that the query admits, to within the width of a bucket; those that may not move go to the end
 * of their bucket. NULL: none, or none within SHELF_PROBES of them. */
struct rated *shelf_find(struct shelf *shelf, const struct shelf_query *query);
/* The rate of the busiest, to within the width of a bucket. */
uint64_t shelf_heaviest(const struct shelf *shelf);

#endif
