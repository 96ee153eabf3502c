/* SPDX-License-Identifier: BSD-3-Clause */
#include "punt.h"

#include <errno.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_errno.h>

static const struct {
    const char *text;
    uint32_t rate, burst, ring;
} classes_of[PUNT_CLASS_COUNT] = {
#define X(name, text, rate, burst, ring) [PUNT_##name] = {text, rate, burst, ring},
    PUNT_CLASSES(X)
#undef X
};

const char *punt_class_text(enum punt_class c)
{
    return c < PUNT_CLASS_COUNT ? classes_of[c].text : NULL;
}

static void refill(struct token_bucket *b, uint32_t rate, uint32_t burst, uint64_t now_tsc)
{
    if (now_tsc <= b->filled_tsc)
        return;
    uint64_t hz = rte_get_tsc_hz();
    uint64_t elapsed = now_tsc - b->filled_tsc;
    if (elapsed >= hz * burst / rate) {
        b->tokens = burst;
        b->filled_tsc = now_tsc;
        return;
    }
    /* elapsed * rate < hz * burst: no overflow. The time that made no whole token stays for the next; rounded
     * up what is used of it, never above elapsed, lest many small steps add up to more than the rate. */
    uint64_t fresh = elapsed * rate / hz;
    b->filled_tsc += (fresh * hz + rate - 1) / rate;
    b->tokens = b->tokens + fresh < burst ? b->tokens + (uint32_t)fresh : burst;
}

bool token_bucket_take(struct token_bucket *b, uint32_t rate, uint32_t burst, uint64_t now_tsc)
{
    refill(b, rate, burst, now_tsc);
    if (b->tokens == 0)
        return false;
    b->tokens--;
    return true;
}

unsigned punt_source_bucket(const struct addr *source)
{
    uint32_t word[4];
    memcpy(word, source->b, sizeof(word));
    uint32_t who = (word[0] | word[1]) == 0 ? word[3] : word[0] * UINT32_C(2246822519) ^ word[1];
    return (who * UINT32_C(2654435769)) >> 22 & (PUNT_SOURCE_BUCKETS - 1);
}

bool punt_admit(struct token_bucket *classes, struct token_bucket *sources, enum punt_class c,
                const struct addr *source, uint64_t now_tsc)
{
    /* The source goes first: what one source sends too much must not use up the tokens of all. */
    if (c == PUNT_SIGNALLING && !token_bucket_take(&sources[punt_source_bucket(source)], PUNT_SOURCE_RATE,
                                                   PUNT_SOURCE_BURST, now_tsc))
        return false;
    return token_bucket_take(&classes[c], classes_of[c].rate, classes_of[c].burst, now_tsc);
}

static struct rte_ring *create_ring(enum punt_class c, const char *prefix, int socket)
{
    char name[RTE_RING_NAMESIZE];
    if (strlen(prefix) + 1 + strlen(classes_of[c].text) >= sizeof(name)) {
        rte_errno = ENAMETOOLONG;
        return NULL;
    }
    stpcpy(stpcpy(stpcpy(name, prefix), "-"), classes_of[c].text);
    return rte_ring_create(name, classes_of[c].ring, socket, RING_F_SC_DEQ);
}

int punt_rings_create(struct punt_rings *rings, const char *prefix, int socket)
{
    *rings = (struct punt_rings){0};
    for (int c = 0; c < PUNT_CLASS_COUNT; c++) {
        rings->ring[c] = create_ring(c, prefix, socket);
        if (rings->ring[c] == NULL) {
            int error = rte_errno;
            punt_rings_destroy(rings);
            return -error;
        }
    }
    return 0;
}

void punt_rings_destroy(struct punt_rings *rings)
{
    for (int c = 0; c < PUNT_CLASS_COUNT; c++) {
        struct rte_mbuf *m;
        while (rings->ring[c] != NULL && rte_ring_sc_dequeue(rings->ring[c], (void **)&m) == 0)
            rte_pktmbuf_free(m);
        rte_ring_free(rings->ring[c]);
        rings->ring[c] = NULL;
    }
}
