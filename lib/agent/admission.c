/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a registration request (RFC 5944) and a binding update (RFC 6275) have in common, once their own rules
 * have been followed: which addresses can be served, and what a binding that begins, changes or ends brings
 * about.
 */
#include "internal.h"

#include "mip6_discovery.h"
#include "primary/delegation.h"

/* ---- Addresses ---- */
static bool is_everybody(const struct prefix *network, const struct addr *a)
{
    const struct addr broadcast = prefix_broadcast(network);
    const struct prefix first = prefix_network(network);
    return !addr_is_unspecified(&broadcast) && (addr_equal(a, &broadcast) || addr_equal(a, &first.addr));
}

/* RFC 4291 section 2.6.1: the routers'; RFC 6164: unless all addresses are needed for hosts. RFC 2526: the
 * home agents'. */
static bool is_anycast(const struct prefix *network, const struct addr *a)
{
    const struct prefix routers = prefix_network(network);
    const struct addr home_agents = mip6_home_agents_anycast(network);
    return network->bits < 127 && (addr_equal(a, &routers.addr) || addr_equal(a, &home_agents));
}

bool home_is_served(const struct agent *agent, const struct addr *home)
{
    const struct prefix *network = home_network(agent, home);
    if (network == NULL || !addr_is_routable(home))
        return false;
    return addr_is_ipv4(home) ? !is_everybody(network, home) : !is_anycast(network, home);
}

bool home_is_taken(const struct agent *agent, const struct addr *home)
{
    return is_home_agent(agent, home) || is_reserved(agent, home);
}

bool care_of_leads_back(const struct agent *agent, const struct addr *care_of)
{
    return home_network(agent, care_of) != NULL || is_home_agent(agent, care_of) || is_own(agent, care_of);
}

/* ---- Bindings ---- */
bool admission_has_room(const struct agent *agent, const struct mobile *mobile)
{
    return mobile->cares != NULL || agent->n_bindings < agent->settings.max_bindings;
}

/* What is counted and noted of each change. */
static const struct {
    enum agent_counter counter;
    enum note_kind note;
} changes[] = {
    [BINDING_CREATED] = {AGENT_BINDINGS_CREATED, NOTE_BOUND},
    [BINDING_RENEWED] = {AGENT_BINDINGS_RENEWED, NOTE_RENEWED},
    [BINDING_MOVED] = {AGENT_BINDINGS_MOVED, NOTE_MOVED},
    [BINDING_NO_MEMORY] = {AGENT_NO_MEMORY, NOTE_DENIED},
};

enum note_kind admission_change_note(enum binding_change change)
{
    return changes[change].note;
}

/* A reply that waits for a secondary already keeps later ones waiting, too. */
struct admission admit(struct agent *agent, struct mobile *mobile, const struct grant *grant,
                       struct instant now)
{
    struct admission a = {.change = binding_grant(agent, mobile, grant, now)};
    count(agent, changes[a.change].counter);
    if (a.change == BINDING_NO_MEMORY)
        return a;
    if (a.change == BINDING_CREATED)
        a.hold = delegation_bound(agent, mobile, now);
    else
        delegation_changed(agent, mobile, now);
    a.hold = a.hold || delegation_holds_reply(mobile);
    return a;
}

void admission_reduced(struct agent *agent, struct mobile *mobile, const struct mac *back_home,
                       struct instant now)
{
    if (mobile->cares != NULL)
        delegation_changed(agent, mobile, now);
    else
        delegation_ended(agent, mobile, back_home != NULL ? STOP_BACK_HOME : STOP_DEREGISTERED, back_home,
                         now);
}

void admission_note(struct agent *agent, const struct note *note, struct instant now)
{
    if (note->kind == NOTE_AUTH_FAILED || note->kind == NOTE_DENIED)
        effect_note_limited(agent, note, now);
    else
        effect_note(agent, note);
}
