/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the data path of this node has counted: to the balancing of a primary, or to the reports of a
 * secondary.
 */
#include "internal.h"

#include "primary/policy.h"
#include "secondary/held.h"

void agent_rates(struct agent *agent, const struct agent_rate *rates, size_t n, struct instant now)
{
    for (size_t i = 0; i < n; i++) {
        struct mobile *mobile = mobile_by_home(agent, &rates[i].home);
        if (mobile == NULL)
            continue;
        if (agent->settings.role == AGENT_PRIMARY)
            policy_rate(agent, mobile, NULL, &rates[i], now);
        else
            held_rate(agent, mobile, &rates[i], now);
    }
}

void agent_load(struct agent *agent, const struct agent_load *load, struct instant now)
{
    (void)now;
    const bool changed = agent->load.link_down != load->link_down;
    agent->load = *load;
    if (changed && agent->settings.role == AGENT_SECONDARY)
        report_link(agent, load->link_down);
}
