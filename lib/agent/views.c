/* SPDX-License-Identifier: BSD-3-Clause */
/* What the console shows of delegation, in either role. */
#include "internal.h"

#include "primary/delegation.h"
#include "primary/operation.h"
#include "secondary/principal.h"

#include <stdio.h>

static uint32_t ms_left(uint64_t until_ns, struct instant now)
{
    if (until_ns == TIMER_NEVER || until_ns <= now.mono_ns)
        return 0;
    const uint64_t ms = (until_ns - now.mono_ns) / NSEC_PER_MS;
    return ms < UINT32_MAX ? (uint32_t)ms : UINT32_MAX;
}

static uint32_t ms_since(uint64_t at_ns, struct instant now)
{
    if (at_ns == 0 || at_ns > now.mono_ns)
        return at_ns == 0 ? UINT32_MAX : 0;
    const uint64_t ms = (now.mono_ns - at_ns) / NSEC_PER_MS;
    return ms < UINT32_MAX ? (uint32_t)ms : UINT32_MAX - 1;
}

static void view_peer(const struct peer *peer, struct instant now, struct peer_view *out)
{
    *out = (struct peer_view){
        .address = peer->is.address,
        .weight = peer->is.weight,
        .rtt_us = peer->flow.srtt_us,
        .retransmissions = peer->flow.retransmissions,
        .last_heard_ms = ms_since(peer->heard_ns, now),
        .id = peer->id,
        .id_slot = peer->id_slot,
    };
    snprintf(out->name, sizeof(out->name), "%s", peer->is.name);
}

static void view_node(const struct agent *agent, const struct node *node, struct instant now,
                      struct peer_view *out)
{
    const uint64_t lease_ns = agent->settings.delegation.lease_ms * NSEC_PER_MS;
    out->state = node->state;
    out->bindings = node->n_owned;
    out->lingering = node->n_lingering;
    out->pending = node->n_open;
    out->lease_left_ms = node->answered_ns == 0 ? 0 : ms_left(node->answered_ns + lease_ns, now);
    out->floor = operations_floor(agent, node);
    out->term = agent->term;
    out->load = node->load;
}

static enum peer_state principal_state(const struct principal *principal, struct instant now)
{
    if (principal_leased(principal, now))
        return PEER_READY;
    return principal->sessions == 0 ? PEER_UNMET : PEER_NO_LEASE;
}

static void view_principal(const struct principal *principal, struct instant now, struct peer_view *out)
{
    out->state = principal_state(principal, now);
    out->bindings = principal->n_active;
    out->lingering = principal->n_lingering;
    out->lease_left_ms = principal->leased ? ms_left(principal->lease_end_ns, now) : 0;
    out->floor = principal->floor;
    out->term = principal->term;
}

bool agent_peer_next(const struct agent *agent, size_t *cursor, struct instant now, struct peer_view *out)
{
    struct peer *peer = agent->peers;
    for (size_t i = 0; i < *cursor && peer != NULL; i++)
        peer = peer->next;
    if (peer == NULL)
        return false;
    (*cursor)++;
    view_peer(peer, now, out);
    if (agent->settings.role == AGENT_PRIMARY)
        view_node(agent, node_of(peer), now, out);
    else
        view_principal(principal_of(peer), now, out);
    return true;
}

bool agent_holding_next(const struct agent *agent, const struct addr *home, size_t *cursor,
                        struct holding_view *out)
{
    const struct mobile *mobile = mobile_by_home(agent, home);
    if (mobile == NULL || mobile->delegation == NULL)
        return false;
    const struct holding *h = mobile->delegation->holdings;
    for (size_t i = 0; i < *cursor && h != NULL; i++)
        h = h->next;
    if (h == NULL)
        return false;
    (*cursor)++;
    *out = (struct holding_view){
        .node = h->node->peer.is.name,
        .generation = h->generation,
        .acknowledged = !h->open,
        .may_intercept = h->may_intercept,
        .wanted = h->wish == WISH_INTERCEPT,
        .lingering = h->wish != WISH_INTERCEPT,
    };
    return true;
}
