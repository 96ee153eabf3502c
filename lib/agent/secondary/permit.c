/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a primary may ask of us: the refusals of doc/delegation-protocol.md, "Records", in the order from what
 * is wrong with the question to what is wrong with us.
 */
#include "secondary/order.h"

/* What an encapsulation that we do not grant would ask for is another question, and so is whether we have a
 * source of our own. */
static bool families_fit(const struct agent *agent, const struct offer *offer)
{
    const struct addr *source = offer->own_source ? &offer->set.grants[0].care_of : &offer->set.source;
    for (size_t i = 0; i < offer->set.n; i++) {
        const struct care_grant *g = &offer->set.grants[i];
        if (encapsulation_is_granted(agent, g->encapsulation) &&
            !encapsulation_fits(g->encapsulation, &offer->start.home, source, &g->care_of))
            return false;
    }
    return true;
}

static bool care_of_differ(const struct care_set *set)
{
    for (size_t i = 0; i < set->n; i++) {
        if (!addr_is_routable(&set->grants[i].care_of))
            return false;
        for (size_t j = 0; j < i; j++)
            if (addr_equal(&set->grants[i].care_of, &set->grants[j].care_of))
                return false;
    }
    return true;
}

static bool is_sound(const struct agent *agent, const struct offer *offer)
{
    const struct delegation_start *s = &offer->start;
    return offer->whole && s->duration_ms > 0 && s->duration_ms <= DELEGATION_DURATION_MAX_MS &&
           addr_is_routable(&s->home) && care_of_differ(&offer->set) && families_fit(agent, offer);
}

/* A primary without prefixes of its own has those of our home networks; without either it has none. */
static bool is_on_its_ground(const struct agent *agent, const struct principal *principal,
                             const struct addr *a)
{
    const struct agent_peer *peer = &principal->peer.is;
    int bits = -1;
    if (peer->n_prefixes > 0 && prefix_longest(peer->prefixes, peer->n_prefixes, a, &bits) < 0)
        return false;
    if (agent->settings.n_home_networks > 0)
        return home_network(agent, a) != NULL;
    return peer->n_prefixes > 0;
}

static bool is_ours(const struct agent *agent, const struct principal *principal, const struct addr *a)
{
    return is_own(agent, a) || is_home_agent(agent, a) || addr_equal(a, &principal->peer.is.local);
}

static bool home_is_permitted(const struct agent *agent, const struct principal *principal,
                              const struct addr *home)
{
    return is_on_its_ground(agent, principal, home) && !is_broadcast(agent, home);
}

static bool encapsulations_are_granted(const struct agent *agent, const struct care_set *set)
{
    for (size_t i = 0; i < set->n; i++)
        if (!encapsulation_is_granted(agent, set->grants[i].encapsulation))
            return false;
    return true;
}

static bool leads_back(const struct agent *agent, const struct principal *principal,
                       const struct offer *offer, const struct addr *care_of)
{
    return addr_equal(care_of, &offer->start.home) || addr_equal(care_of, &offer->set.source) ||
           is_ours(agent, principal, care_of) || home_network(agent, care_of) != NULL ||
           is_on_its_ground(agent, principal, care_of);
}

static bool loops(const struct agent *agent, const struct principal *principal, const struct offer *offer)
{
    for (size_t i = 0; i < offer->set.n; i++)
        if (leads_back(agent, principal, offer, &offer->set.grants[i].care_of))
            return true;
    return false;
}

/* Ours, the primary's, or another home-agent address of the primary's in its home networks. */
static bool source_is_permitted(const struct agent *agent, const struct principal *principal,
                                const struct offer *offer)
{
    const struct addr *source = &offer->set.source;
    if (offer->own_source)
        return addr_is_ipv4(source) == addr_is_ipv4(&offer->set.grants[0].care_of);
    if (addr_equal(source, &principal->peer.is.address))
        return true;
    return addr_is_routable(source) && is_on_its_ground(agent, principal, source) &&
           !is_ours(agent, principal, source);
}

static bool conflicts(const struct agent *agent, const struct principal *principal, const struct addr *home)
{
    const struct mobile *mobile = mobile_by_home(agent, home);
    const struct held *other = mobile == NULL ? NULL : held_entry(mobile);
    return is_reserved(agent, home) || is_ours(agent, principal, home) || peer_is_address(agent, home) ||
           (other != NULL && other->principal != principal && !held_lingers(other));
}

/* Every entry becomes a tombstone one day, and stays one while the floor does not rise. */
static bool is_full(const struct agent *agent, const struct principal *principal)
{
    return agent->n_bindings >= agent->settings.max_bindings ||
           principal->n_tombstones > agent->settings.max_bindings;
}

enum delegation_status permit_offer(const struct agent *agent, const struct principal *principal,
                                    const struct held *entry, const struct offer *offer)
{
    const struct delegation_start *s = &offer->start;
    const bool is_new = entry == NULL || entry->mobile->cares == NULL;
    if (!is_sound(agent, offer))
        return STATUS_BAD_RECORD;
    if (!home_is_permitted(agent, principal, &s->home))
        return STATUS_PROHIBITED;
    if (!encapsulations_are_granted(agent, &offer->set))
        return STATUS_ENCAPSULATION_UNSUPPORTED;
    if (loops(agent, principal, offer))
        return STATUS_LOOP;
    if (!source_is_permitted(agent, principal, offer))
        return STATUS_SOURCE_NOT_PERMITTED;
    if (conflicts(agent, principal, &s->home))
        return STATUS_ADDRESS_CONFLICT;
    if (agent->load.link_down && (s->flags & START_INTERCEPT) != 0)
        return STATUS_LINK_DOWN;
    return is_new && is_full(agent, principal) ? STATUS_NO_RESOURCES : STATUS_OK;
}
