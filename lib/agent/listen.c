/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whose questions have to reach us on the home link: those about home addresses that we answer for. Of IPv6
 * they come to a multicast group, which the shell listens to for us (RFC 4861 section 7.2.1, RFC 6275 section
 * 10.4.1). A primary answers the detection of duplicates for all that is bound, and has to hear who has an
 * address that it asks for itself; a secondary answers for what it is to intercept, whether its lease is in
 * force or about to be again.
 *
 * The shell is told of each change. What it was told is remembered as a number, so that everything can be
 * told anew (agent_listen_again) while changes go on.
 */
#include "internal.h"

#include "secondary/held.h"

static bool is_wanted(const struct agent *agent, const struct mobile *mobile)
{
    if (addr_is_ipv4(&mobile->home))
        return false;
    if (agent->settings.role == AGENT_SECONDARY)
        return held_is_to_intercept(mobile);
    return mobile->cares != NULL || mobile->dad != NULL;
}

static void tell(struct agent *agent, const struct mobile *mobile, bool on)
{
    const struct listening listening = {.home = mobile->home, .on = on};
    effect_listen(agent, &listening);
}

void listen_settle(struct agent *agent, struct mobile *mobile)
{
    const bool wanted = is_wanted(agent, mobile), told = mobile->listened == agent->listening;
    mobile->listened = wanted ? agent->listening : 0;
    if (wanted != told)
        tell(agent, mobile, wanted);
}

void listen_step(struct agent *agent)
{
    if (agent->listen_at >= agent->n_slots) {
        agent->listening_again = false;
        return;
    }
    struct mobile *mobile = agent->slots[agent->listen_at++];
    if (mobile != NULL)
        listen_settle(agent, mobile);
}

void agent_listen_again(struct agent *agent)
{
    agent->listening = agent->listening == UINT8_MAX ? 1 : agent->listening + 1;
    agent->listening_again = true;
    agent->listen_at = 0;
}
