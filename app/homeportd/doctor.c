/* SPDX-License-Identifier: BSD-3-Clause */
#include "doctor.h"

#include <rte_ethdev.h>

#include "control.h"
#include "transmit.h"

enum { SURVEY_MS = 1000, SAMPLE_S = 10, PROBE_IDENTIFIER = 0x4850 };

/* ---- Probes ---- */

bool doctor_router(struct control *c, const struct addr *primary, struct doctor_router *out)
{
    const struct addr anywhere = addr_is_ipv4(primary) ? addr_from_ipv4(0) : addr_unspecified;
    struct route route;
    struct neighbor_view view;
    if (!routes_lookup(c->routes, &anywhere, &route, &out->address) || addr_is_unspecified(&route.via))
        return false;
    out->port_index = route.port_index;
    uint32_t adjacency =
        neighbor_reference(c->neighbors, route.port_index, &out->address, c->now.mono_ns); /* asks for it */
    out->answers = adjacency != ADJACENCY_NONE &&
                   neighbor_by_adjacency(c->neighbors, adjacency, c->now.mono_ns, &view) &&
                   (view.state == NEIGHBOR_REACHABLE || view.state == NEIGHBOR_PROBING);
    if (adjacency != ADJACENCY_NONE)
        neighbor_release_reference(c->neighbors, adjacency, c->now.mono_ns);
    return true;
}

static void send_probe(struct control *c, const struct doctor_router *router, const struct addr *primary)
{
    struct writer w;
    struct rte_mbuf *m = transmit_begin(c, &w);
    icmp_encode_echo_request(&w, primary, &router->address,
                             &(struct icmp_echo){.identifier = PROBE_IDENTIFIER, .sequence = c->conf->id},
                             c->next_identification++);
    m = transmit_end(m, &w);
    if (m == NULL)
        return;
    control_count(c, CONTROL_PROBES_SENT);
    neighbor_send(c->neighbors, router->port_index, &router->address, m, c->now.mono_ns);
}

static bool probe_is_due(const struct control *c, const struct doctor_peer *peer)
{
    return c->conf->role == ROLE_SECONDARY && !c->conf->agent.delegation.own_source && peer->leased_ns != 0 &&
           (peer->sent_ns == 0 || c->now.mono_ns - peer->sent_ns >= DOCTOR_PROBE_S * NSEC_PER_S);
}

/* Only once the router's MAC address is known: else, if it stayed silent, its sender, the primary, would be
 * told. */
static void probe(struct control *c, struct doctor_peer *peer, const struct addr *primary)
{
    struct doctor_router router;
    if (!probe_is_due(c, peer) || !doctor_router(c, primary, &router) || !router.answers ||
        addr_equal(&router.address, primary))
        return;
    peer->sent_ns = c->now.mono_ns;
    send_probe(c, &router, primary);
}

/* n_peers: none. */
static size_t find(const struct doctor *d, uint16_t id)
{
    size_t i = 0;
    while (i < d->n_peers && (id == 0 || d->peers[i].id != id))
        i++;
    return i;
}

const struct doctor_peer *doctor_peer(const struct control *c, uint16_t id)
{
    const size_t i = find(&c->doctor, id);
    return i < c->doctor.n_peers ? &c->doctor.peers[i] : NULL;
}

bool doctor_probe_returned(struct control *c, const struct ip_header *ip, const struct icmp *reply)
{
    struct icmp_echo echo;
    if (c->conf->role != ROLE_PRIMARY || !icmp_echo_returned(ip, reply, &echo) ||
        echo.identifier != PROBE_IDENTIFIER)
        return false;
    const size_t i = find(&c->doctor, echo.sequence);
    if (i == c->doctor.n_peers)
        return false;
    control_count(c, CONTROL_PROBES_RETURNED);
    c->doctor.peers[i].returned_ns = c->now.mono_ns;
    return true;
}

/* ---- Peers ---- */

static struct doctor_peer follow(struct control *c, const struct peer_view *view)
{
    const struct doctor_peer *known = doctor_peer(c, view->id);
    struct doctor_peer peer = known != NULL ? *known : (struct doctor_peer){.id = view->id};
    if (view->lease_left_ms == 0)
        peer.leased_ns = peer.sent_ns = 0;
    else if (peer.leased_ns == 0)
        peer.leased_ns = c->now.mono_ns;
    return peer;
}

/* Anew from the agent's: a reload may have changed them. */
static void survey_peers(struct control *c)
{
    struct doctor_peer peers[DOCTOR_PEERS_MAX];
    struct peer_view view;
    size_t n = 0;
    for (size_t cursor = 0; n < DOCTOR_PEERS_MAX && agent_peer_next(c->agent, &cursor, c->now, &view); n++) {
        peers[n] = follow(c, &view);
        probe(c, &peers[n], &view.address);
    }
    memcpy(c->doctor.peers, peers, n * sizeof(peers[0]));
    c->doctor.n_peers = n;
}

/* ---- Counters ---- */

static uint64_t second_chances(const struct control *c)
{
    return control_verdicts(c, VERDICT_SECOND_CHANCE) + control_verdicts(c, VERDICT_DROP_SECOND_CHANCE);
}

static uint64_t port_losses(const struct control *c, unsigned port_index)
{
    struct rte_eth_stats stats;
    if (rte_eth_stats_get(c->ports.port[port_index].port_id, &stats) != 0)
        return 0;
    return stats.imissed + stats.rx_nombuf + stats.ierrors + stats.oerrors;
}

static void sample(struct control *c)
{
    struct doctor *d = &c->doctor;
    const bool first = d->recent.at_ns == 0;
    if (!first && c->now.mono_ns - d->recent.at_ns < SAMPLE_S * NSEC_PER_S)
        return;
    d->before = d->recent;
    d->recent.at_ns = c->now.mono_ns;
    d->recent.second_chances = second_chances(c);
    for (unsigned i = 0; i < c->ports.n; i++)
        d->recent.port_losses[i] = port_losses(c, i);
    memcpy(d->recent.agent, agent_counters(c->agent)->n, sizeof(d->recent.agent));
    if (first)
        d->before = d->recent;
}

static uint64_t growth(uint64_t now, uint64_t before)
{
    return now >= before ? now - before : now; /* cleared meanwhile */
}

uint64_t doctor_lately(const struct control *c, enum agent_counter counter)
{
    return growth(agent_counters(c->agent)->n[counter], c->doctor.before.agent[counter]);
}

uint64_t doctor_second_chances_lately(const struct control *c)
{
    return growth(second_chances(c), c->doctor.before.second_chances);
}

uint64_t doctor_port_losses_lately(const struct control *c, unsigned port_index)
{
    return growth(port_losses(c, port_index), c->doctor.before.port_losses[port_index]);
}

uint64_t doctor_lately_s(const struct control *c)
{
    return RTE_MAX((c->now.mono_ns - c->doctor.before.at_ns) / NSEC_PER_S, UINT64_C(1));
}

void doctor_work(struct control *c)
{
    if (c->now.mono_ns < c->doctor.survey_ns)
        return;
    c->doctor.survey_ns = c->now.mono_ns + SURVEY_MS * NSEC_PER_MS;
    survey_peers(c);
    sample(c);
}
