/* SPDX-License-Identifier: BSD-3-Clause */
#include "shelf.h"

#include "rated.h"

#include <utlist.h>

/* 0 for those at rest. */
static unsigned bucket_of(uint64_t rate)
{
    if (rate == 0)
        return 0;
    if (rate > UINT32_MAX)
        return SHELF_BUCKETS - 1;
    const unsigned octave = 63u - (unsigned)__builtin_clzll(rate);
    return 1 + octave * SHELF_PER_OCTAVE + (unsigned)(rate * SHELF_PER_OCTAVE >> octave) % SHELF_PER_OCTAVE;
}

static void enter(struct shelf *shelf, struct rated *rated)
{
    rated->bucket = (uint16_t)bucket_of(rated->traffic.rate);
    DL_APPEND(shelf->buckets[rated->bucket], rated);
    shelf->filled[rated->bucket / 64] |= UINT64_C(1) << rated->bucket % 64;
}

static void leave(struct shelf *shelf, struct rated *rated)
{
    DL_DELETE(shelf->buckets[rated->bucket], rated);
    if (shelf->buckets[rated->bucket] == NULL)
        shelf->filled[rated->bucket / 64] &= ~(UINT64_C(1) << rated->bucket % 64);
}

static void add(struct traffic *sum, const struct traffic *t)
{
    sum->rate += t->rate;
    sum->last += t->last;
    sum->pps += t->pps;
    sum->kbps += t->kbps;
}

static void subtract(struct traffic *sum, const struct traffic *t)
{
    sum->rate -= t->rate;
    sum->last -= t->last;
    sum->pps -= t->pps;
    sum->kbps -= t->kbps;
}

void shelf_put(struct shelf *shelf, struct rated *rated)
{
    shelf_take(rated);
    rated->shelf = shelf;
    enter(shelf, rated);
    add(&shelf->sum, &rated->traffic);
    shelf->count++;
}

void shelf_take(struct rated *rated)
{
    struct shelf *shelf = rated->shelf;
    if (shelf == NULL)
        return;
    leave(shelf, rated);
    subtract(&shelf->sum, &rated->traffic);
    shelf->count--;
    rated->shelf = NULL;
}

void shelf_weigh(struct rated *rated, const struct traffic *traffic)
{
    struct shelf *shelf = rated->shelf;
    if (shelf != NULL)
        subtract(&shelf->sum, &rated->traffic);
    rated->traffic = *traffic;
    if (shelf == NULL)
        return;
    add(&shelf->sum, traffic);
    if (bucket_of(traffic->rate) == rated->bucket)
        return;
    leave(shelf, rated);
    enter(shelf, rated);
}

/* The highest that is not empty, at or below `from`; -1: none. */
static int next_filled(const struct shelf *shelf, int from)
{
    for (int word = from / 64; from >= 0; from = word * 64 - 1, word--) {
        const uint64_t bits = shelf->filled[word] << (63 - from % 64);
        if (bits != 0)
            return from - __builtin_clzll(bits);
    }
    return -1;
}

/* Those that may not move go to the end, so that the next search sees others. */
static struct rated *probe(struct rated **bucket, const struct shelf_query *query, unsigned *probes)
{
    struct rated *const last = (*bucket)->prev;
    for (struct rated *rated = *bucket; *probes > 0; rated = *bucket) {
        (*probes)--;
        const bool fits = rated->traffic.rate >= query->least && rated->traffic.rate <= query->most;
        if (fits && (query->may_move == NULL || query->may_move(query->context, rated)))
            return rated;
        DL_DELETE(*bucket, rated);
        DL_APPEND(*bucket, rated);
        if (rated == last)
            return NULL;
    }
    return NULL;
}

struct rated *shelf_find(struct shelf *shelf, const struct shelf_query *query)
{
    unsigned probes = SHELF_PROBES;
    const int lowest = (int)bucket_of(query->least);
    for (int b = next_filled(shelf, (int)bucket_of(query->most)); b >= lowest && probes > 0;
         b = next_filled(shelf, b - 1)) {
        struct rated *found = probe(&shelf->buckets[b], query, &probes);
        if (found != NULL)
            return found;
    }
    return NULL;
}

uint64_t shelf_heaviest(const struct shelf *shelf)
{
    uint64_t most = 0;
    unsigned probes = 8;
    const int b = next_filled(shelf, SHELF_BUCKETS - 1);
    if (b < 0)
        return 0;
    for (const struct rated *rated = shelf->buckets[b]; rated != NULL && probes > 0;
         rated = rated->next, probes--)
        if (rated->traffic.rate > most)
            most = rated->traffic.rate;
    return most;
}
