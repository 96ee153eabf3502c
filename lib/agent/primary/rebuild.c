/* SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

#include "primary/delegation.h"
#include "primary/rebuild.h"

static bool is_newer(const struct agent *agent, const struct mobile *mobile, const struct found *found)
{
    if (mobile->cares == NULL)
        return agent->n_bindings < agent->settings.max_bindings;
    const struct delegation *delegation = mobile->delegation;
    return delegation != NULL && delegation->rebuilt != 0 &&
           delegation->rebuilt < found->starts[0].generation;
}

static struct addr source_of(const struct agent *agent, const struct delegation_start *start)
{
    return is_home_agent(agent, &start->source) ? start->source : *home_agent_for(agent, &start->home);
}

static bool is_grantable(const struct agent *agent, const struct delegation_start *start)
{
    const struct addr source = source_of(agent, start);
    return encapsulation_is_granted(agent, start->encapsulation) &&
           encapsulation_fits(start->encapsulation, &start->home, &source, &start->care_of) &&
           addr_is_routable(&start->care_of) && !is_own(agent, &start->care_of);
}

static bool all_are_grantable(const struct agent *agent, const struct found *found)
{
    for (size_t i = 0; i < found->n; i++)
        if (!is_grantable(agent, &found->starts[i]))
            return false;
    return true;
}

/* One that lingers is not the binding's forwarder, and may be behind. */
bool rebuild_applies(const struct agent *agent, const struct node *node, const struct mobile *mobile,
                     const struct found *found)
{
    const bool heard_of = mobile->current != 0;
    const bool configured = mobile_is_configured(mobile);
    const bool intercepts = (found->starts[0].flags & START_INTERCEPT) != 0;
    return node->rebuilds && configured && intercepts && !heard_of &&
           home_network(agent, &mobile->home) != NULL && is_newer(agent, mobile, found) &&
           all_are_grantable(agent, found);
}

static uint16_t seconds_of(uint32_t ms)
{
    return (uint16_t)((ms + 999) / 1000);
}

/* As far as a request for it would be granted now; of IPv6 always (RFC 6275 section 10.4.5). */
static bool is_reverse(const struct agent *agent, const struct delegation_start *start)
{
    if (!addr_is_ipv4(&start->home))
        return true;
    return (start->flags & START_DECAPSULATE) != 0 && agent->settings.reverse_tunnel != REVERSE_TUNNEL_OFF;
}

static struct care_set set_of(const struct agent *agent, const struct found *found)
{
    struct care_set set = {.source = source_of(agent, &found->starts[0]), .n = found->n};
    for (size_t i = 0; i < found->n; i++)
        set.grants[i] = (struct care_grant){.care_of = found->starts[i].care_of,
                                            .path_mtu = found->starts[i].tunnel_mtu,
                                            .encapsulation = found->starts[i].encapsulation,
                                            .reverse = is_reverse(agent, &found->starts[i]),
                                            .link_local = (found->starts[i].flags & START_LINK_LOCAL) != 0};
    return set;
}

/* It ends when what the secondary holds ends. */
static bool limit_lifetimes(struct agent *agent, struct mobile *mobile, const struct found *found,
                            struct instant now)
{
    for (size_t i = 0; i < found->n; i++) {
        const struct delegation_start *start = &found->starts[i];
        struct care *care = care_find(mobile, &start->care_of);
        care->granted_s = seconds_of(start->duration_ms);
        care->co_located = (start->flags & START_CO_LOCATED) != 0;
        care->lifetime.kind = TIMER_LIFETIME;
        if (!timerq_set(agent->timers, &care->lifetime, now.mono_ns + start->duration_ms * NSEC_PER_MS))
            return false;
    }
    return true;
}

/* ---- Replay protection comes back with it: nothing up to the request that made this binding is taken again
 * (RFC 5944 section 5.7.1, RFC 6275 section 9.5.1). The cookie of an IPv4 home address is the newest
 * timestamp; that of an IPv6 one has the sequence number in its last 17 bits, and the timestamp rounded up by
 * less than 31 us before them. ---- */
enum { COOKIE_SEQUENCE = 1 << 16, COOKIE_LOW = (1 << 17) - 1 };

uint64_t rebuild_cookie(const struct mobile *mobile)
{
    if (addr_is_ipv4(&mobile->home))
        return mobile->newest;
    const uint64_t newest = (mobile->newest + COOKIE_LOW) & ~(uint64_t)COOKIE_LOW;
    return mobile->has_sequence ? newest | COOKIE_SEQUENCE | mobile->sequence : newest;
}

/* Section 9.5.1: what was heard since our start is newer than what made the binding, modulo 2^16. */
static bool heard_newer(const struct mobile *mobile, uint16_t sequence)
{
    const uint16_t ahead = (uint16_t)(mobile->sequence - sequence);
    return mobile->has_sequence && ahead != 0 && ahead < 0x8000;
}

/* An old binding update may have been sent to us again by anybody before we knew: it must neither count as
 * the last one nor, when its detection is over, move the binding. */
static void protect(struct agent *agent, struct mobile *mobile, uint64_t cookie)
{
    const bool ipv4 = addr_is_ipv4(&mobile->home);
    const uint64_t newest = ipv4 ? cookie : cookie & ~(uint64_t)COOKIE_LOW;
    if (newest != 0 && ntp_since(newest, mobile->newest) > 0)
        mobile->newest = newest;
    if (ipv4 || (cookie & COOKIE_SEQUENCE) == 0 || heard_newer(mobile, (uint16_t)cookie))
        return;
    dad_cancel(agent, mobile);
    update_forget(mobile);
    mobile->sequence = (uint16_t)cookie;
    mobile->has_sequence = true;
}

bool rebuild(struct agent *agent, struct node *node, struct mobile *mobile, const struct found *found,
             struct instant now)
{
    const struct care_set set = set_of(agent, found);
    if (!binding_set(agent, mobile, &set, now))
        return false;
    if (!limit_lifetimes(agent, mobile, found, now) || !delegation_rebuilt(agent, mobile, node, now)) {
        binding_end(agent, mobile);
        delegation_ended(agent, mobile, STOP_ADMIN, NULL, now);
        return false;
    }
    mobile->delegation->rebuilt = holding_find(mobile->delegation, node)->start = found->starts[0].generation;
    protect(agent, mobile, found->starts[0].cookie);
    count(agent, AGENT_REBUILT);
    return true;
}
