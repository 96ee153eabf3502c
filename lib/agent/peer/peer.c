/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The peers as they are configured: in the order of the configuration, and behind those the ones that are
 * dismissed. At most 63 of them: a list will do.
 */
#include "internal.h"

#include <errno.h>

#include "peer/session.h"

/* ---- Lookup ---- */
struct peer *peer_by_name(const struct agent *agent, const char *name)
{
    struct peer *peer;
    LL_FOREACH(agent->peers, peer)
    if (strcmp(peer->is.name, name) == 0)
        return peer;
    return NULL;
}

struct peer *peer_by_address(const struct agent *agent, const struct addr *address)
{
    struct peer *peer;
    LL_FOREACH(agent->peers, peer)
    if (addr_equal(&peer->is.address, address))
        return peer;
    return NULL;
}

struct peer *peer_between(const struct agent *agent, const struct addr *theirs, const struct addr *ours)
{
    struct peer *peer;
    LL_FOREACH(agent->peers, peer)
    if (addr_equal(&peer->is.address, theirs) && addr_equal(&peer->is.local, ours))
        return peer;
    return NULL;
}

bool peer_is_mac(const struct agent *agent, const struct mac *mac)
{
    const struct peer *peer;
    LL_FOREACH(agent->peers, peer)
    if (peer->id != 0 && mac_equal(&peer->mac, mac))
        return true;
    return false;
}

bool peer_is_address(const struct agent *agent, const struct addr *address)
{
    return peer_by_address(agent, address) != NULL;
}

const struct auth_key *peer_key(const struct agent_peer *is, uint32_t spi)
{
    if (spi == is->spi)
        return &is->key;
    return is->other_spi != 0 && spi == is->other_spi ? &is->other_key : NULL;
}

/* ---- End ---- */
static void destroy(struct agent *agent, struct peer *peer)
{
    LL_DELETE(agent->peers, peer);
    peer->held++;
    peer_end_session(agent, peer);
    ipsec_free(agent, &peer->ipsec);
    agent->role->destroy(agent, peer);
}

void peer_hold(struct peer *peer)
{
    peer->held++;
}

void peer_let_go(struct agent *agent, struct peer *peer)
{
    if (--peer->held == 0 && peer->released)
        destroy(agent, peer);
}

void peer_release(struct agent *agent, struct peer *peer)
{
    if (!peer->dismissed)
        return;
    peer_hold(peer);
    peer->released = true;
    peer_let_go(agent, peer);
}

void peers_destroy(struct agent *agent)
{
    while (agent->peers != NULL)
        destroy(agent, agent->peers);
}

/* ---- Configuration ---- */
static bool is_configured(const struct agent *agent, const struct peer *peer)
{
    return peer->seen == agent->sweep && !peer->dismissed;
}

/* Another one of this configuration has its name, or its place on the network. */
static bool is_taken(const struct agent *agent, const struct agent_peer *is)
{
    const struct peer *peer;
    LL_FOREACH(agent->peers, peer)
    if (is_configured(agent, peer) &&
        (strcmp(peer->is.name, is->name) == 0 ||
         (addr_equal(&peer->is.address, &is->address) && addr_equal(&peer->is.local, &is->local))))
        return true;
    return false;
}

static bool is_full(const struct agent *agent)
{
    const size_t max = agent->settings.role == AGENT_PRIMARY ? AGENT_SECONDARIES_MAX : AGENT_PRIMARIES_MAX;
    const struct peer *peer;
    size_t n = 0;
    LL_FOREACH(agent->peers, peer)
    n += is_configured(agent, peer);
    return n >= max;
}

/* Behind those that this configuration has named before. */
static void put(struct agent *agent, struct peer *peer)
{
    struct peer **at = &agent->peers;
    while (*at != NULL && is_configured(agent, *at))
        at = &(*at)->next;
    peer->next = *at;
    *at = peer;
    peer->seen = agent->sweep;
    peer->dismissed = false;
}

/* All that agent_peer_set knows of the time: it is not earlier. */
static struct instant start(const struct agent *agent)
{
    return (struct instant){.mono_ns = agent->boot_ns, .ntp = agent->floor};
}

/* 0, or as ipsec_set; nothing changed then. */
static int protect(struct agent *agent, struct peer *peer, const struct agent_peer *is)
{
    const struct ipsec_owner owner = {.use = IPSEC_DELEGATION, .at = &peer->ipsec, .peer = peer};
    if (is->protected)
        return ipsec_set(agent, &owner, &is->esp_in, &is->esp_out);
    ipsec_free(agent, &peer->ipsec);
    return 0;
}

static int add(struct agent *agent, const struct agent_peer *is)
{
    struct peer *peer = agent->role->create(agent, is);
    if (peer == NULL)
        return -ENOMEM;
    const int error = protect(agent, peer, is);
    if (error != 0) {
        agent->role->destroy(agent, peer);
        return error;
    }
    put(agent, peer);
    peer_greet(agent, peer, start(agent));
    return 0;
}

static bool same_key(const struct auth_key *a, const struct auth_key *b)
{
    return a->algorithm == b->algorithm && a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

/* The key that this came from is still one of the two. */
static bool survives(const struct session *session, const struct agent_peer *before,
                     const struct agent_peer *is)
{
    const struct auth_key *old = peer_key(before, session->spi);
    const struct auth_key *new = peer_key(is, session->spi);
    return old != NULL && new != NULL &&same_key(old, new);
}

static void end_without_key(struct agent *agent, struct peer *peer, const struct agent_peer *is)
{
    for (size_t i = 0; i < SESSION_CANDIDATES; i++)
        if (!survives(&peer->candidates[i], &peer->is, is))
            session_end(&peer->candidates[i]);
    if (peer->session.live && !survives(&peer->session, &peer->is, is))
        peer_end_session(agent, peer);
}

/* Between the same addresses, with room for datagrams as long as before. */
static bool is_same_path(const struct agent_peer *a, const struct agent_peer *b)
{
    return addr_equal(&a->address, &b->address) && addr_equal(&a->local, &b->local) &&
           a->protected == b->protected && a->mtu == b->mtu;
}

/* A change of keys goes: the new one as the other at both ends, then as the first, then the old one away. The
 * session lives on under the old key until one under the new has taken its place. */
static void change(struct agent *agent, struct peer *peer, const struct agent_peer *is)
{
    if (!is_same_path(&peer->is, is))
        peer_end_session(agent, peer);
    end_without_key(agent, peer, is);
    const bool new_key = is->spi != peer->is.spi || !same_key(&is->key, &peer->is.key);
    peer->is = *is;
    LL_DELETE(agent->peers, peer);
    put(agent, peer);
    agent->role->reconfigured(agent, peer, start(agent));
    if (!peer->session.live || (new_key && peer->session.spi != is->spi))
        peer_greet(agent, peer, start(agent));
}

int agent_peer_set(struct agent *agent, const struct agent_peer *is)
{
    if (is_taken(agent, is))
        return -EEXIST;
    if (is_full(agent))
        return -ENOSPC;
    if (!effects_reserve(&agent->effects))
        return -ENOMEM;
    struct peer *peer = peer_by_name(agent, is->name);
    if (peer == NULL)
        return add(agent, is);
    const int error = protect(agent, peer, is);
    if (error == 0)
        change(agent, peer, is);
    return error;
}

/* True: its half has let go of it. */
static bool dismiss(struct agent *agent, struct peer *peer, struct instant now)
{
    peer->dismissed = true;
    return agent->role->dismissed(agent, peer, now);
}

void peers_sweep(struct agent *agent, struct instant now)
{
    for (struct peer *peer = agent->peers, *next; peer != NULL; peer = next) {
        next = peer->next;
        if (peer->seen == agent->sweep)
            continue;
        if (!effects_reserve(&agent->effects)) {
            count(agent, AGENT_NO_MEMORY);
            return;
        }
        peer_hold(peer);
        peer->released |= dismiss(agent, peer, now);
        peer_let_go(agent, peer);
    }
}
