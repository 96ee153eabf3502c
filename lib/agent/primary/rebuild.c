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

static bool is_grantable(const struct agent *agent, const struct delegation_start *start)
{
    const unsigned granted = agent->settings.encapsulations | 1u << ENCAPSULATION_IPIP;
    return start->encapsulation < 8 && (granted >> start->encapsulation & 1) != 0 &&
           names_a_host(&start->care_of) && !is_own(agent, &start->care_of);
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
    const bool configured = mobile->securities != NULL;
    const bool intercepts = (found->starts[0].flags & START_INTERCEPT) != 0;
    return node->rebuilds && configured && intercepts && !heard_of &&
           home_network(agent, &mobile->home) != NULL && is_newer(agent, mobile, found) &&
           all_are_grantable(agent, found);
}

static struct addr source_of(const struct agent *agent, const struct delegation_start *start)
{
    return is_home_agent(agent, &start->source) ? start->source : *home_agent_for(agent, &start->home);
}

static uint16_t seconds_of(uint32_t ms)
{
    return (uint16_t)((ms + 999) / 1000);
}

/* As far as a request for it would be granted now. */
static bool is_reverse(const struct agent *agent, const struct delegation_start *start)
{
    return (start->flags & START_DECAPSULATE) != 0 && agent->settings.reverse_tunnel != REVERSE_TUNNEL_OFF;
}

static struct care_set set_of(const struct agent *agent, const struct found *found)
{
    struct care_set set = {.source = source_of(agent, &found->starts[0]), .n = found->n};
    for (size_t i = 0; i < found->n; i++)
        set.grants[i] = (struct care_grant){.care_of = found->starts[i].care_of,
                                            .path_mtu = found->starts[i].tunnel_mtu,
                                            .encapsulation = found->starts[i].encapsulation,
                                            .reverse = is_reverse(agent, &found->starts[i])};
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

/* Replay protection comes back with it: nothing up to the request that made this binding is taken again
 * (RFC 5944 section 5.7.1). */
static void protect(struct mobile *mobile, uint64_t newest)
{
    if (ntp_since(newest, mobile->newest) > 0)
        mobile->newest = newest;
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
    protect(mobile, found->starts[0].cookie);
    count(agent, AGENT_REBUILT);
    return true;
}
