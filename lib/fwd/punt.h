/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The way from the workers to the control lcore: one bounded ring a class, each class policed at every
 * worker, so that a flood in one class neither starves the others nor the control lcore. Registration
 * messages are policed by source as well: one flooding source leaves the others their share.
 *
 * Workers enqueue, control dequeues; a full ring is normal: the packet is counted and freed.
 */
#ifndef FWD_PUNT_H
#define FWD_PUNT_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>
#include <rte_ring.h>

#include "addr.h"
#include "verdict.h"

/* X(name, text, packets/s a worker may pass, burst, ring size) in the order in which control serves them */
#define PUNT_CLASSES(X)                             \
    X(DELEGATION, "delegation", 200000, 8192, 8192) \
    X(NEIGHBOR, "neighbor", 20000, 2048, 2048)      \
    X(SIGNALLING, "signalling", 400000, 8192, 8192) \
    X(LOCAL, "local", 10000, 512, 1024)             \
    X(HOME_TEST, "home-test", 20000, 512, 1024)     \
    X(FRAGMENT, "fragment", 2000, 256, 512)         \
    X(RESOLVE, "resolve", 50000, 1024, 2048)        \
    X(ERROR, "error", 2000, 128, 256)

enum punt_class {
#define X(name, text, rate, burst, ring) PUNT_##name,
    PUNT_CLASSES(X)
#undef X
        PUNT_CLASS_COUNT
};
const char *punt_class_text(enum punt_class c);

enum { PUNT_SOURCE_BUCKETS = 1024, PUNT_SOURCE_RATE = 100000, PUNT_SOURCE_BURST = 4096 };

/* Lies in the mbuf's private area (pools are made with PUNT_META_SIZE). What data points at depends on the
 * class: the Ethernet header, but for RESOLVE the IP header that is to be sent. */
struct punt_meta {
    uint8_t class;
    uint8_t verdict;      /* enum verdict: why */
    uint8_t port_index;   /* where it came in */
    uint8_t link_cast;    /* the frame was not unicast to us */
    uint16_t mtu;         /* ERROR, too big: next-hop MTU to report */
    uint16_t pointer;     /* ERROR, encapsulation limit: of the value, from the IP header's first byte */
    uint16_t unreachable; /* ERROR: 1: the tunnel is reported unreachable; the packet itself was forwarded */
    uint32_t
        adjacency; /* RESOLVE: the next hop waited for, or ADJACENCY_NONE: its IP destination, on the link */
};
/* A whole cache line, so that the packets behind it begin at one: a short frame across two lines costs every
 * copy and every look at it a second miss. */
enum { PUNT_META_SIZE = RTE_CACHE_LINE_ROUNDUP(sizeof(struct punt_meta)) };

static inline struct punt_meta *punt_meta(struct rte_mbuf *m)
{
    return rte_mbuf_to_priv(m);
}

struct punt_rings {
    struct rte_ring *ring[PUNT_CLASS_COUNT]; /* many producers, one consumer */
};

/* Tokens come in at a rate, up to a burst; each packet takes one. Zeroed: full. Belongs to one worker. */
struct token_bucket {
    uint64_t filled_tsc;
    uint32_t tokens;
};

/* Takes a token if there is one. A time before the last one adds nothing. */
bool token_bucket_take(struct token_bucket *bucket, uint32_t rate, uint32_t burst, uint64_t now_tsc);
/* May this packet pass? By its class (PUNT_CLASS_COUNT buckets) and, for SIGNALLING, first by its source
 * (PUNT_SOURCE_BUCKETS buckets). */
bool punt_admit(struct token_bucket *classes, struct token_bucket *sources, enum punt_class c,
                const struct addr *source, uint64_t now_tsc);
/* The bucket that serves a source: an IPv4 address, or a whole /64, whose hosts choose their addresses as
 * they like. */
unsigned punt_source_bucket(const struct addr *source);

/* prefix makes the rings' names unique. 0 or -rte_errno (nothing left behind). */
int punt_rings_create(struct punt_rings *rings, const char *prefix, int socket);
void punt_rings_destroy(struct punt_rings *rings);

#endif
