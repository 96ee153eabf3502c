/* SPDX-License-Identifier: BSD-3-Clause */
#include "rated.h"

#include <stdlib.h>
#include <utlist.h>

enum { SHORT_TERM_S = 10, LONG_TERM_S = 60 };

struct rated *rated_create(struct mobile *mobile)
{
    struct rated *rated = calloc(1, sizeof(*rated));
    if (rated != NULL)
        rated->mobile = mobile;
    return rated;
}

void rated_destroy(struct rated *rated)
{
    struct told *told, *next;
    LL_FOREACH_SAFE(rated->told, told, next)
    free(told);
    free(rated);
}

/* ---- Totals ---- */
static struct told *told_by(struct rated *rated, uint16_t node)
{
    struct told *told;
    LL_SEARCH_SCALAR(rated->told, told, node, node);
    if (told != NULL)
        return told;
    told = calloc(1, sizeof(*told));
    if (told == NULL)
        return NULL;
    told->node = node;
    LL_PREPEND(rated->told, told);
    return told;
}

/* A smaller total than before is that of a forwarder that began anew. */
static uint64_t growth(uint64_t before, uint64_t total)
{
    return total >= before ? total - before : total;
}

void rated_count(struct rated *rated, uint16_t node, const struct agent_rate *rate)
{
    struct told *told = told_by(rated, node);
    if (told == NULL)
        return;
    rated->packets += growth(told->packets, rate->packets);
    rated->bytes += growth(told->bytes, rate->bytes);
    told->packets = rate->packets;
    told->bytes = rate->bytes;
}

/* ---- Averages ---- */

/* What a span of dt leaves of an average over term_s: exp(-x) by the first terms of its inverse. */
static double remainder_of(double dt_s, double term_s)
{
    const double x = dt_s / term_s;
    return 1 / (1 + x + x * x / 2);
}

/* While less than the term has been heard, it is the plain mean of what was. */
static double blend(double old, double sample, double dt_s, double heard_s, double term_s)
{
    double keep = remainder_of(dt_s, term_s);
    const double plain = heard_s > 0 ? 1 - dt_s / heard_s : 0;
    keep = plain < keep ? plain : keep;
    return old * keep + sample * (1 - keep);
}

static void average_in(struct average *a, double sample, double dt_s, double heard_s)
{
    a->short_term = blend(a->short_term, sample, dt_s, heard_s, SHORT_TERM_S);
    a->long_term = blend(a->long_term, sample, dt_s, heard_s, LONG_TERM_S);
}

static uint64_t units(double a_second)
{
    return (uint64_t)(a_second * RATE_UNIT + 0.5);
}

void rated_sample(struct rated *rated, uint32_t pps, uint32_t kbps, struct instant now)
{
    const bool anew = rated_is_silent(rated);
    const double dt_s = anew ? 0 : (double)(now.mono_ns - rated->heard_ns) / (double)NSEC_PER_S;
    if (anew) /* the first sample stands for the second before it */
        rated->first_ns = now.mono_ns > NSEC_PER_S ? now.mono_ns - NSEC_PER_S : 0;
    const double heard_s = anew ? 0 : (double)(now.mono_ns - rated->first_ns) / (double)NSEC_PER_S;
    average_in(&rated->packets_s, pps, dt_s, heard_s);
    average_in(&rated->kbits_s, kbps, dt_s, heard_s);
    rated->heard_ns = now.mono_ns;
    const struct average *p = &rated->packets_s;
    const struct traffic traffic = {
        .rate = units(p->short_term > p->long_term ? p->short_term : p->long_term),
        .last = pps,
        .pps = units(p->short_term),
        .kbps = units(rated->kbits_s.short_term),
    };
    shelf_weigh(rated, &traffic);
}

bool rated_is_silent(const struct rated *rated)
{
    const double least = 0.5;
    return rated->traffic.last == 0 && rated->packets_s.short_term < least &&
           rated->packets_s.long_term < least && rated->kbits_s.short_term < least;
}
