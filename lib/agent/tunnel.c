/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tunnels: pairs of outer addresses, and what is known of the way between them (RFC 2003 sections 4 and 5,
 * RFC 2473 sections 6.7 and 8).
 *
 * A foreign agent's care-of address is shared by all its visitors, so one ICMP error speaks for all of them:
 * the soft state belongs to the tunnel, and the bindings on it are installed anew a few at a time. Most
 * tunnels never draw an error; their soft state does not exist.
 */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>

#include "primary/delegation.h"

struct soft {
    struct timer age;
    struct tunnel *tunnel;
    struct care *refresh;     /* the next binding to be installed with the news; NULL: all have been */
    struct soft *prev, *next; /* on agent->refreshing while refresh is not NULL */
    uint64_t mtu_until;       /* monotonic */
    uint64_t unreachable_until;
    uint16_t mtu; /* 0: none learnt */
    bool unreachable;
};

enum {
    MTU_AGE_S = 600, /* a larger one is tried after this: RFC 1191 section 6.3 advises 10 minutes, and so does
                        RFC 8201 section 4 */
    /* RFC 2003 leaves this open. Errors about a live path annoy correspondents, so it is forgotten soon: if
     * it still holds, the next packet brings the error again. */
    UNREACHABLE_AGE_S = 60,
    REFRESH_AT_ONCE = 16, /* bindings; most tunnels have one */
    IPV4_MTU_MIN = 68     /* RFC 1191 section 3 */
};

/* ---- The table of tunnels: as many buckets as bindings are allowed, so that it never has to grow while
 * registrations come in ---- */
static size_t bucket_of(const struct agent *agent, const struct addr *source, const struct addr *far)
{
    uint64_t words[4];
    memcpy(&words[0], source, sizeof(*source));
    memcpy(&words[2], far, sizeof(*far));
    uint64_t h = 0;
    for (size_t i = 0; i < 4; i++) {
        /* Addresses differ in their last bytes, the high ones of these words: they must reach the low bits.
         */
        h = (h ^ words[i] ^ words[i] >> 32) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 32;
        h *= UINT64_C(0xd6e8feb86659fd93);
        h ^= h >> 32;
    }
    return h & (agent->n_buckets - 1);
}

static void link_tunnel(struct agent *agent, struct tunnel *tunnel)
{
    struct tunnel **bucket = &agent->tunnels[bucket_of(agent, &tunnel->source, &tunnel->far)];
    LL_PREPEND(*bucket, tunnel);
}

int tunnels_resize(struct agent *agent, size_t bindings)
{
    size_t n = 64;
    while (n < bindings)
        n *= 2;
    if (n == agent->n_buckets)
        return 0;
    struct tunnel **buckets = calloc(n, sizeof(struct tunnel *));
    if (buckets == NULL)
        return -ENOMEM;
    struct tunnel **old = agent->tunnels;
    const size_t n_old = agent->n_buckets;
    agent->tunnels = buckets;
    agent->n_buckets = n;
    for (size_t i = 0; i < n_old; i++) {
        struct tunnel *tunnel, *next;
        LL_FOREACH_SAFE(old[i], tunnel, next)
        link_tunnel(agent, tunnel);
    }
    free(old);
    return 0;
}

struct tunnel *tunnel_find(const struct agent *agent, const struct addr *source, const struct addr *far)
{
    struct tunnel *tunnel = agent->tunnels[bucket_of(agent, source, far)];
    while (tunnel != NULL && !(addr_equal(&tunnel->far, far) && addr_equal(&tunnel->source, source)))
        tunnel = tunnel->next;
    return tunnel;
}

struct tunnel *tunnel_get(struct agent *agent, const struct addr *source, const struct addr *far)
{
    struct tunnel *tunnel = tunnel_find(agent, source, far);
    if (tunnel != NULL)
        return tunnel;
    tunnel = calloc(1, sizeof(*tunnel));
    if (tunnel == NULL)
        return NULL;
    tunnel->source = *source;
    tunnel->far = *far;
    link_tunnel(agent, tunnel);
    return tunnel;
}

/* ---- Soft state ---- */
static void refresh_end(struct agent *agent, struct soft *soft)
{
    if (soft->refresh == NULL)
        return;
    DL_DELETE(agent->refreshing, soft);
    soft->refresh = NULL;
}

static void soft_free(struct agent *agent, struct soft *soft)
{
    refresh_end(agent, soft);
    timerq_cancel(agent->timers, &soft->age);
    soft->tunnel->soft = NULL;
    free(soft);
}

static struct soft *soft_get(struct tunnel *tunnel)
{
    if (tunnel->soft != NULL)
        return tunnel->soft;
    struct soft *soft = calloc(1, sizeof(*soft));
    if (soft == NULL)
        return NULL;
    soft->age.kind = TIMER_TUNNEL_AGE;
    soft->tunnel = tunnel;
    tunnel->soft = soft;
    return soft;
}

/* Nothing is known any more, and everybody knows that. */
static void soft_forget_if_empty(struct agent *agent, struct soft *soft)
{
    if (soft->mtu == 0 && !soft->unreachable && soft->refresh == NULL)
        soft_free(agent, soft);
}

/* The state wears off at the earlier of its ends. */
static bool soft_schedule(struct agent *agent, struct soft *soft)
{
    uint64_t at = TIMER_NEVER;
    if (soft->mtu != 0)
        at = soft->mtu_until;
    if (soft->unreachable && soft->unreachable_until < at)
        at = soft->unreachable_until;
    if (at != TIMER_NEVER)
        return timerq_set(agent->timers, &soft->age, at);
    timerq_cancel(agent->timers, &soft->age);
    return true;
}

void tunnel_describe(const struct tunnel *tunnel, struct care_of *out)
{
    *out = (struct care_of){.address = tunnel->far};
    if (tunnel->soft == NULL)
        return;
    out->path_mtu = tunnel->soft->mtu;
    out->unreachable = tunnel->soft->unreachable;
}

/* ---- Telling the bindings ---- */
static void refresh_begin(struct agent *agent, struct soft *soft)
{
    if (soft->refresh == NULL)
        DL_APPEND(agent->refreshing, soft);
    soft->refresh = soft->tunnel->cares;
}

static void refresh_one(struct agent *agent, struct soft *soft, struct instant now)
{
    struct care *care = soft->refresh;
    binding_install(agent, care->mobile);
    delegation_changed(agent, care->mobile, now);
    if (care->on_tunnel_next != NULL)
        soft->refresh = care->on_tunnel_next;
    else
        refresh_end(agent, soft);
}

void tunnel_refresh_step(struct agent *agent, struct instant now)
{
    struct soft *soft = agent->refreshing;
    refresh_one(agent, soft, now);
    soft_forget_if_empty(agent, soft);
}

/* The first few at once: the very next packet is to meet the new state (RFC 2003 section 5). */
static void refresh_some(struct agent *agent, struct soft *soft, struct instant now)
{
    refresh_begin(agent, soft);
    for (size_t i = 0; i < REFRESH_AT_ONCE && soft->refresh != NULL && effects_reserve(&agent->effects); i++)
        refresh_one(agent, soft, now);
}

void tunnel_attach(struct tunnel *tunnel, struct care *care)
{
    care->tunnel = tunnel;
    /* In front of any refresh that is under way: it is about to be installed as things are. */
    DL_PREPEND2(tunnel->cares, care, on_tunnel_prev, on_tunnel_next);
}

void tunnel_detach(struct agent *agent, struct care *care)
{
    struct tunnel *tunnel = care->tunnel;
    struct soft *soft = tunnel->soft;
    if (soft != NULL && soft->refresh == care) {
        if (care->on_tunnel_next != NULL)
            soft->refresh = care->on_tunnel_next;
        else
            refresh_end(agent, soft);
    }
    DL_DELETE2(tunnel->cares, care, on_tunnel_prev, on_tunnel_next);
    care->tunnel = NULL;
    tunnel_discard_idle(agent, tunnel);
}

void tunnel_discard_idle(struct agent *agent, struct tunnel *tunnel)
{
    if (tunnel->cares != NULL)
        return;
    if (tunnel->soft != NULL)
        soft_free(agent, tunnel->soft);
    LL_DELETE(agent->tunnels[bucket_of(agent, &tunnel->source, &tunnel->far)], tunnel);
    free(tunnel);
}

bool tunnel_alive(struct agent *agent, struct tunnel *tunnel)
{
    struct soft *soft = tunnel->soft;
    if (soft == NULL || !soft->unreachable)
        return false;
    soft->unreachable = false;
    /* Moving a timer later, or taking it out, does not fail. */
    if (soft_schedule(agent, soft))
        refresh_begin(agent, soft);
    return true;
}

void tunnel_age(struct agent *agent, struct timer *timer, struct instant now)
{
    struct soft *soft = timer_owner(timer, struct soft, age);
    if (soft->mtu != 0 && soft->mtu_until <= now.mono_ns)
        soft->mtu = 0;
    if (soft->unreachable && soft->unreachable_until <= now.mono_ns)
        soft->unreachable = false;
    if (!soft_schedule(agent, soft)) {
        soft->mtu = 0;
        soft->unreachable = false;
    }
    refresh_begin(agent, soft);
}

/* ---- What is said of the way ---- */
uint16_t tunnel_mtu(const struct tunnel *tunnel)
{
    return tunnel->soft == NULL ? 0 : tunnel->soft->mtu;
}

uint16_t tunnel_mtu_min(const struct tunnel *tunnel)
{
    return addr_is_ipv4(&tunnel->far) ? IPV4_MTU_MIN : IPV6_MTU_MIN;
}

enum news { NEWS, NO_NEWS, NOT_KEPT };

/* Never raised by a message (RFC 1191 section 3, RFC 8201 section 4), only by age. */
static enum news take_mtu(struct agent *agent, struct tunnel *tunnel, uint16_t mtu, struct instant now)
{
    struct soft *soft = mtu < tunnel_mtu_min(tunnel) ? NULL : soft_get(tunnel);
    if (soft == NULL || (soft->mtu != 0 && mtu > soft->mtu))
        return NOT_KEPT;
    const bool news = soft->mtu != mtu;
    soft->mtu = mtu;
    soft->mtu_until = now.mono_ns + MTU_AGE_S * NSEC_PER_S;
    if (soft_schedule(agent, soft))
        return news ? NEWS : NO_NEWS;
    soft_free(agent, soft);
    return NOT_KEPT;
}

bool tunnel_learn_mtu(struct agent *agent, struct tunnel *tunnel, uint16_t mtu, struct instant now)
{
    if (take_mtu(agent, tunnel, mtu, now) != NEWS)
        return false;
    refresh_some(agent, tunnel->soft, now);
    return true;
}

/* Told, not overheard: it need not be believed sooner than our own ears, so that it never raises either. */
void tunnel_told_mtu(struct agent *agent, struct tunnel *tunnel, uint16_t mtu, struct instant now)
{
    if (take_mtu(agent, tunnel, mtu, now) == NEWS && tunnel->cares->on_tunnel_next != NULL)
        refresh_begin(agent, tunnel->soft);
}

bool tunnel_learn_unreachable(struct agent *agent, struct tunnel *tunnel, struct instant now)
{
    struct soft *soft = soft_get(tunnel);
    if (soft == NULL)
        return false;
    const bool news = !soft->unreachable;
    soft->unreachable = true;
    soft->unreachable_until = now.mono_ns + UNREACHABLE_AGE_S * NSEC_PER_S;
    if (!soft_schedule(agent, soft)) {
        soft_free(agent, soft);
        return false;
    }
    if (news)
        refresh_some(agent, soft, now);
    return news;
}

/* ---- Encapsulations ---- */
bool encapsulation_fits(enum encapsulation e, const struct addr *home, const struct addr *source,
                        const struct addr *far)
{
    const bool inner_ipv4 = addr_is_ipv4(home), outer_ipv4 = addr_is_ipv4(far);
    if (addr_is_ipv4(source) != outer_ipv4)
        return false;
    switch (e) {
    case ENCAPSULATION_IPIP:
    case ENCAPSULATION_MINIMAL:
    case ENCAPSULATION_GRE:
        return inner_ipv4 && outer_ipv4;
    case ENCAPSULATION_IPV6_IN_IPV6:
        return !inner_ipv4 && !outer_ipv4;
    case ENCAPSULATION_IPV4_IN_IPV6:
        return inner_ipv4 && !outer_ipv4;
    case ENCAPSULATION_IPV6_IN_IPV4:
        return !inner_ipv4 && outer_ipv4;
    }
    return false;
}

bool encapsulation_is_granted(const struct agent *agent, unsigned number)
{
    const unsigned granted =
        agent->settings.encapsulations | 1U << ENCAPSULATION_IPIP | 1U << ENCAPSULATION_IPV6_IN_IPV6;
    return number < 16 && (granted >> number & 1U) != 0;
}
