/* SPDX-License-Identifier: BSD-3-Clause */
#include "advertiser.h"

#include "instant.h"
#include "random.h"
#include "timerq.h"

enum { HOP_LIMIT = 64, SLAAC_BITS = 64 /* interface identifiers are of 64 bits (RFC 2464 section 4) */ };

/* Anywhere in from..to. */
static uint64_t between(struct advertiser *a, uint64_t from, uint64_t to)
{
    return from + random_next(&a->random) % (to - from + 1);
}

void advertiser_start(struct advertiser *a, uint64_t seed, uint64_t now_ns)
{
    *a = (struct advertiser){.on = true,
                             .initial_left = ADVERTISER_INITIAL,
                             .due_ns = now_ns,
                             .last_ns = a->last_ns,
                             .random = seed};
    if (a->last_ns != 0 && a->due_ns < a->last_ns + ADVERTISER_APART_MS * NSEC_PER_MS)
        a->due_ns = a->last_ns + ADVERTISER_APART_MS * NSEC_PER_MS;
}

void advertiser_stop(struct advertiser *a)
{
    a->on = false;
}

/* RFC 4861 section 6.2.6: after a delay at random, to all nodes, but not within three seconds of another; a
 * sooner one that is planned answers too. */
void advertiser_solicited(struct advertiser *a, uint64_t now_ns)
{
    if (!a->on)
        return;
    const uint64_t delay = between(a, 0, ADVERTISER_DELAY_MS * NSEC_PER_MS);
    const uint64_t apart = a->last_ns + ADVERTISER_APART_MS * NSEC_PER_MS;
    const uint64_t from = a->last_ns != 0 && apart > now_ns ? apart : now_ns;
    if (from + delay < a->due_ns)
        a->due_ns = from + delay;
}

/* Section 6.2.4: uniformly between a third of the interval and the whole; the first few sooner, so that the
 * router is found soon. */
static uint64_t next_interval(struct advertiser *a, uint16_t interval_s)
{
    const uint64_t most = interval_s * NSEC_PER_S;
    const uint64_t least = most / 3;
    const uint64_t initial = ADVERTISER_INITIAL_INTERVAL_MS * NSEC_PER_MS;
    const uint64_t wait = between(a, least, most);
    if (a->initial_left > 0 && wait > initial)
        return initial;
    return wait < ADVERTISER_APART_MS * NSEC_PER_MS ? ADVERTISER_APART_MS * NSEC_PER_MS : wait;
}

bool advertiser_due(struct advertiser *a, uint16_t interval_s, uint64_t now_ns)
{
    if (!a->on || a->due_ns > now_ns)
        return false;
    if (a->initial_left > 0)
        a->initial_left--;
    a->last_ns = now_ns;
    a->due_ns = now_ns + next_interval(a, interval_s);
    return true;
}

uint64_t advertiser_deadline(const struct advertiser *a)
{
    return a->on ? a->due_ns : TIMER_NEVER;
}

/* RFC 6275 section 7.2: the whole address, by which home agents find each other. */
static struct nd_prefix prefix_of(const struct conf_advertisement *settings, const struct prefix *address)
{
    struct nd_prefix p = {.prefix = *address,
                          .flags = ND_PREFIX_ON_LINK | ND_PREFIX_ADDRESS,
                          .valid_s = settings->valid_s,
                          .preferred_s = settings->preferred_s};
    if (address->bits == SLAAC_BITS)
        p.flags |= ND_PREFIX_AUTONOMOUS;
    return p;
}

struct nd_router advertiser_content(const struct conf_advertisement *settings, bool home_agent, uint16_t mtu,
                                    const struct prefix *addresses, size_t n)
{
    struct nd_router r = {.hop_limit = HOP_LIMIT,
                          .lifetime_s = settings->router_lifetime_s,
                          .mtu = mtu,
                          .interval_ms = (uint32_t)settings->interval_s * 1000};
    if (home_agent) {
        r.flags = ND_HOME_AGENT;
        /* RFC 6275 section 7.4: a lifetime of zero is not said. */
        r.has_home_agent = settings->home_agent_lifetime_s != 0;
        r.preference = settings->preference;
        r.home_agent_lifetime_s = settings->home_agent_lifetime_s;
    }
    for (size_t i = 0; i < n && r.n_prefixes < ND_PREFIXES_MAX; i++)
        r.prefixes[r.n_prefixes++] = prefix_of(settings, &addresses[i]);
    return r;
}

struct nd_router advertiser_farewell(void)
{
    return (struct nd_router){.hop_limit = HOP_LIMIT};
}
