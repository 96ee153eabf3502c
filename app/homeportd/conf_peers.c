/* SPDX-License-Identifier: BSD-3-Clause */
/* Who takes part in delegation: secondary sections at a primary, primary sections at a secondary. */
#include <stdlib.h>
#include <string.h>

#include "conf_sections.h"
#include "conf_values.h"

enum { WEIGHT_MAX = 1000 };

/* ---- What both kinds have ---- */

static void key_of(const struct section *s, const char *spi_name, const char *key_name, uint32_t *spi,
                   struct auth_key *key)
{
    value_number(section_word(s, spi_name), SPI_MIN, UINT32_MAX, spi);
    value_key(section_word(s, key_name), DELEGATION_KEY, DELEGATION_KEY, key);
    key->algorithm = AUTH_HMAC_SHA256;
}

/* Both or neither; during a rotation either end may still use the one or use the other already. */
static void other_key(const struct section *s, struct agent_peer *peer)
{
    const struct word *spi = section_word(s, "other-spi");
    const struct word *key = section_word(s, "other-key");
    if ((spi == NULL) != (key == NULL)) {
        word_fault(spi != NULL ? spi : key, "other-spi and other-key go together");
        return;
    }
    key_of(s, "other-spi", "other-key", &peer->other_spi, &peer->other_key);
    if (spi != NULL && peer->other_spi == peer->spi)
        word_fault(spi, "%u is that of the key already", peer->spi);
}

/* A primary speaks from the addresses that its secondaries tunnel from; a secondary from any. */
static bool speaks_from(const struct conf *conf, const struct addr *own)
{
    for (size_t i = 0; i < conf->agent.n_home_agents; i++)
        if (addr_equal(&conf->agent.home_agents[i], own))
            return true;
    return conf->role != ROLE_PRIMARY;
}

/* The address of ours by which the peer knows us: one in its network, else the first of its family. */
static struct addr local_address(const struct conf *conf, const struct addr *peer)
{
    struct addr first = addr_unspecified;
    for (size_t i = 0; i < conf->n_ports; i++) {
        for (size_t k = 0; k < conf->ports[i].n_addresses; k++) {
            const struct prefix *own = &conf->ports[i].addresses[k];
            if (addr_is_ipv4(&own->addr) != addr_is_ipv4(peer) || !speaks_from(conf, &own->addr))
                continue;
            if (prefix_contains(own, peer))
                return own->addr;
            if (addr_is_unspecified(&first))
                first = own->addr;
        }
    }
    return first;
}

/* Of the link on which the peer is, the least of several; by way of routers, the least that ours take. */
static uint16_t mtu_towards(const struct conf *conf, const struct addr *peer)
{
    uint16_t there = UINT16_MAX, anywhere = UINT16_MAX;
    for (size_t i = 0; i < conf->n_ports; i++) {
        const struct conf_port *port = &conf->ports[i];
        anywhere = port->mtu < anywhere ? port->mtu : anywhere;
        if (network_is_on(port, peer))
            there = port->mtu < there ? port->mtu : there;
    }
    return there != UINT16_MAX ? there : anywhere;
}

static void address_of(struct reading *reading, const struct section *s, struct agent_peer *peer)
{
    const struct conf *conf = reading->conf;
    const struct word *w = section_require(s, "address");
    if (w == NULL || !value_host(w, &peer->address))
        return;
    if (network_owner(conf, &peer->address) != NULL)
        word_fault(w, "'%s' is the appliance's own address", w->text);
    peer->local = local_address(conf, &peer->address);
    peer->mtu = mtu_towards(conf, &peer->address);
    bool sound = reading->ports_sound && (conf->role == ROLE_SECONDARY || conf->agent.n_home_agents > 0);
    if (sound && addr_is_unspecified(&peer->local))
        word_fault(w, "no address of ours is of the family of '%s'", w->text);
}

/* Where there is an ipsec section inside, the delegation protocol is spoken in ESP alone. */
static void protection_of(const struct reading *reading, const struct section *s, struct agent_peer *peer)
{
    struct section ipsec;
    if (section_only(s, "ipsec", &ipsec))
        peer->protected = associations_read(reading, &ipsec, &peer->esp_in, &peer->esp_out);
}

static void unlike_others(const struct conf *conf, const struct section *s, const struct agent_peer *peer)
{
    for (size_t i = 0; i < conf->n_peers; i++) {
        const struct agent_peer *other = &conf->peers[i];
        if (strcmp(peer->name, other->name) == 0)
            word_fault(&s->name, "a second '%s'", peer->name);
        if (peer->spi != 0 && peer->spi == other->spi)
            word_fault(section_word(s, "spi"), "%u is that of '%s' already", peer->spi, other->name);
        if (!addr_is_unspecified(&peer->address) && addr_equal(&peer->address, &other->address))
            word_fault(section_word(s, "address"), "that of '%s' already", other->name);
    }
}

static void keep(struct reading *reading, const struct agent_peer *peer)
{
    struct conf *conf = reading->conf;
    struct agent_peer *grown = reading_grow(reading, conf->peers, &conf->n_peers, sizeof(*grown));
    if (grown == NULL)
        return;
    conf->peers = grown;
    grown[conf->n_peers - 1] = *peer;
}

static void peer_read(struct reading *reading, const struct section *s, struct agent_peer *peer)
{
    if (value_name(&s->name, peer->name) && strcmp(peer->name, reading->conf->node) == 0)
        word_fault(&s->name, "'%s' is the name of this appliance", peer->name);
    address_of(reading, s, peer);
    section_require(s, "spi");
    section_require(s, "key");
    key_of(s, "spi", "key", &peer->spi, &peer->key);
    other_key(s, peer);
    protection_of(reading, s, peer);
    unlike_others(reading->conf, s, peer);
}

/* ---- Secondaries ---- */

static void secondary_read(struct reading *reading, const struct section *s)
{
    struct agent_peer peer = {.weight = 1};
    uint32_t weight = 1;
    if (reading->conf->role == ROLE_SECONDARY) {
        word_fault(&s->name, "'%s': only an appliance with role = primary has secondaries", s->name.text);
        return;
    }
    peer_read(reading, s, &peer);
    value_number(section_word(s, "weight"), 1, WEIGHT_MAX, &weight);
    peer.weight = (uint16_t)weight;
    if (reading->conf->n_peers == AGENT_SECONDARIES_MAX)
        word_fault(&s->name, "more than %d secondaries", AGENT_SECONDARIES_MAX);
    keep(reading, &peer);
}

/* ---- Primaries ---- */

static void delegable(const struct word *w, const struct conf *conf, struct agent_peer *peer)
{
    struct prefix p;
    if (!value_network(w, &p))
        return;
    if (network_connected(conf, &p.addr) == NULL)
        word_fault(w, "no port is connected to '%s'", w->text);
    else if (peer->n_prefixes == AGENT_HOME_NETWORKS_MAX)
        word_fault(w, "more than %d networks", AGENT_HOME_NETWORKS_MAX);
    else
        peer->prefixes[peer->n_prefixes++] = p;
}

static bool is_known(const struct prefix *list, size_t n, const struct prefix *p)
{
    for (size_t i = 0; i < n; i++)
        if (list[i].bits == p->bits && addr_equal(&list[i].addr, &p->addr))
            return true;
    return false;
}

/* The networks of the link on which this primary is. Care-of addresses may be on our other links. */
static void networks_around(const struct conf *conf, const struct agent_peer *primary, struct prefix *list,
                            size_t *n)
{
    const struct conf_port *port = network_connected(conf, &primary->address);
    for (size_t k = 0; port != NULL && k < port->n_addresses; k++) {
        const struct prefix network = prefix_network(&port->addresses[k]);
        if (*n < AGENT_HOME_NETWORKS_MAX && !is_known(list, *n, &network))
            list[(*n)++] = network;
    }
}

/* What a primary may delegate here: by default everything on its link with us. */
static void primary_networks(const struct section *s, const struct conf *conf, struct agent_peer *peer)
{
    const struct word *address = section_word(s, "address");
    for (size_t i = 0; i < section_words(s, "home-networks"); i++)
        delegable(section_word_at(s, "home-networks", i), conf, peer);
    if (section_words(s, "home-networks") > 0)
        return;
    networks_around(conf, peer, peer->prefixes, &peer->n_prefixes);
    if (peer->n_prefixes == 0 && !addr_is_unspecified(&peer->address) && address != NULL)
        word_fault(address, "'%s' is on no link of ours: its home-networks must be given", address->text);
}

/* Unless it is told otherwise, a secondary serves the links on which its primaries are. */
static void networks_served(struct conf *conf)
{
    struct agent_settings *agent = &conf->agent;
    bool given = agent->n_home_networks > 0;
    for (size_t i = 0; !given && i < conf->n_peers; i++)
        for (size_t k = 0; k < conf->peers[i].n_prefixes; k++)
            if (agent->n_home_networks < AGENT_HOME_NETWORKS_MAX &&
                !is_known(agent->home_networks, agent->n_home_networks, &conf->peers[i].prefixes[k]))
                agent->home_networks[agent->n_home_networks++] = conf->peers[i].prefixes[k];
}

static void primary_read(struct reading *reading, const struct section *s)
{
    struct agent_peer peer = {0};
    if (reading->conf->role != ROLE_SECONDARY) {
        word_fault(&s->name, "'%s': only an appliance with role = secondary has primaries", s->name.text);
        return;
    }
    peer_read(reading, s, &peer);
    primary_networks(s, reading->conf, &peer);
    if (reading->conf->n_peers == AGENT_PRIMARIES_MAX)
        word_fault(&s->name, "more than %d primaries", AGENT_PRIMARIES_MAX);
    keep(reading, &peer);
}

void peers_read(struct reading *reading, const struct section *file)
{
    for (size_t i = 0; i < section_count(file, "secondary"); i++) {
        struct section s = section_at(file, "secondary", i);
        secondary_read(reading, &s);
    }
    for (size_t i = 0; i < section_count(file, "primary"); i++) {
        struct section s = section_at(file, "primary", i);
        primary_read(reading, &s);
    }
    if (reading->conf->role == ROLE_SECONDARY)
        networks_served(reading->conf);
    if (reading->conf->role == ROLE_SECONDARY && section_count(file, "primary") == 0)
        fault(&reading->origin, 1, "a primary section is missing, which role = secondary needs");
}
