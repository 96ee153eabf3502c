/* SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>

struct delegation_settings delegation_defaults(void)
{
    return (struct delegation_settings){
        .port = DELEGATION_PORT,
        .when = WHEN_AFTER_REGISTRATION,
        .policy = POLICY_EQUAL,
        .threshold_pps = 100000,
        .linger_ms = 30000,
        .lease_ms = 1500,
        .moves_per_s = 2000,
        .announcements_per_s = 20000,
    };
}

/* Something that was a home network is none any more: bindings may have lost their ground. */
static bool shrinks(const struct agent *agent, const struct agent_settings *settings)
{
    for (size_t i = 0; i < agent->settings.n_home_networks; i++) {
        const struct prefix *old = &agent->settings.home_networks[i];
        bool covered = false;
        for (size_t j = 0; j < settings->n_home_networks; j++)
            covered |= settings->home_networks[j].bits <= old->bits &&
                       prefix_contains(&settings->home_networks[j], &old->addr);
        if (!covered)
            return true;
    }
    return false;
}

int settings_replace(struct agent *agent, const struct agent_settings *settings)
{
    struct addr *reserved = malloc((settings->n_reserved + 1) * sizeof(*reserved));
    if (reserved == NULL)
        return -ENOMEM;
    if (tunnels_resize(agent, settings->max_bindings) != 0) {
        free(reserved);
        return -ENOMEM;
    }
    if (settings->n_reserved > 0)
        memcpy(reserved, settings->reserved, settings->n_reserved * sizeof(*reserved));
    if (shrinks(agent, settings)) {
        agent->auditing = true;
        agent->audit_at = 0;
    }
    free(agent->reserved);
    agent->reserved = reserved;
    agent->settings = *settings;
    agent->settings.reserved = reserved;
    return 0;
}

static bool among(const struct addr *list, size_t n, const struct addr *a)
{
    for (size_t i = 0; i < n; i++)
        if (addr_equal(&list[i], a))
            return true;
    return false;
}

bool is_home_agent(const struct agent *agent, const struct addr *a)
{
    return among(agent->settings.home_agents, agent->settings.n_home_agents, a);
}

bool is_reserved(const struct agent *agent, const struct addr *a)
{
    return among(agent->reserved, agent->settings.n_reserved, a);
}

bool is_own(const struct agent *agent, const struct addr *a)
{
    return among(agent->reserved, agent->settings.n_own, a);
}

const struct prefix *home_network(const struct agent *agent, const struct addr *a)
{
    for (size_t i = 0; i < agent->settings.n_home_networks; i++)
        if (prefix_contains(&agent->settings.home_networks[i], a))
            return &agent->settings.home_networks[i];
    return NULL;
}

const struct home_prefix *home_prefix(const struct agent *agent, const struct addr *a)
{
    const struct prefix *network = home_network(agent, a);
    return network == NULL ? NULL : &agent->settings.home_prefixes[network - agent->settings.home_networks];
}

bool is_broadcast(const struct agent *agent, const struct addr *a)
{
    if (!addr_is_ipv4(a))
        return false;
    if (addr_ipv4(a) == UINT32_MAX)
        return true;
    const struct prefix *network = home_network(agent, a);
    if (network == NULL)
        return false;
    const struct addr broadcast = prefix_broadcast(network);
    return addr_equal(&broadcast, a);
}

const struct addr *home_agent_for(const struct agent *agent, const struct addr *home)
{
    const struct agent_settings *s = &agent->settings;
    const struct prefix *network = home_network(agent, home);
    const struct addr *first = NULL;
    for (size_t i = 0; i < s->n_home_agents; i++) {
        const struct addr *a = &s->home_agents[i];
        if (network != NULL && prefix_contains(network, a))
            return a;
        if (first == NULL && addr_is_ipv4(a) == addr_is_ipv4(home))
            first = a;
    }
    return first != NULL ? first : &s->home_agents[0];
}
