/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "conf_sections.h"
#include "conf_values.h"

enum { PEER_KEY = 32, PEER_WEIGHT_MAX = 1000 };

/* ---- Foreign agents ---- */

static void foreign_agent_read(struct reading *reading, const struct section *s)
{
    struct conf *conf = reading->conf;
    struct conf_foreign_agent fa = {.sa.key.algorithm = AUTH_HMAC_MD5};
    bool known = value_host(&s->name, &fa.address);
    if (known && !addr_is_ipv4(&fa.address))
        known = word_fault(&s->name, "'%s' is not IPv4: IPv6 has no foreign agents", s->name.text);
    if (known && network_owner(conf, &fa.address) != NULL)
        known = word_fault(&s->name, "'%s' is the appliance's own address", s->name.text);
    value_number(section_require(s, "spi"), SPI_MIN, UINT32_MAX, &fa.sa.spi);
    value_key(section_require(s, "key"), 1, AUTH_KEY_MAX, &fa.sa.key);
    value_algorithm(section_word(s, "algorithm"), &fa.sa.key.algorithm);
    for (size_t i = 0; known && i < conf->n_foreign_agents; i++) {
        const struct conf_foreign_agent *other = &conf->foreign_agents[i];
        if (other->sa.spi == fa.sa.spi && addr_equal(&other->address, &fa.address))
            word_fault(&s->name, "a second association with %s and SPI %u", s->name.text, fa.sa.spi);
    }

    struct conf_foreign_agent *grown =
        reading_grow(reading, conf->foreign_agents, &conf->n_foreign_agents, sizeof(*grown));
    if (grown == NULL)
        return;
    conf->foreign_agents = grown;
    grown[conf->n_foreign_agents - 1] = fa;
}

/* ---- Secondaries and primaries: checked now, of use only to delegation ---- */

struct peer {
    char name[CONF_NAME_MAX];
    struct addr address;
    uint32_t spi;
    int line;
};

static void peer_unlike(const struct section *s, const struct peer *peer, const struct peer *other)
{
    if (strcmp(peer->name, other->name) == 0)
        word_fault(&s->name, "a second '%s'; the first is at line %d", peer->name, other->line);
    if (peer->spi != 0 && peer->spi == other->spi)
        word_fault(section_word(s, "spi"), "%u is that of '%s' already", peer->spi, other->name);
    if (!addr_is_unspecified(&peer->address) && addr_equal(&peer->address, &other->address))
        word_fault(section_word(s, "address"), "that of '%s' already", other->name);
}

static void peer_read(const struct conf *conf, const struct section *s, struct peer *peer)
{
    struct auth_key key;
    peer->line = s->name.line;
    if (value_name(&s->name, peer->name) && strcmp(peer->name, conf->node) == 0)
        word_fault(&s->name, "'%s' is the name of this appliance", peer->name);
    const struct word *address = section_require(s, "address");
    if (address != NULL && value_host(address, &peer->address) && network_owner(conf, &peer->address) != NULL)
        word_fault(address, "'%s' is the appliance's own address", address->text);
    value_number(section_require(s, "spi"), SPI_MIN, UINT32_MAX, &peer->spi);
    value_key(section_require(s, "key"), PEER_KEY, PEER_KEY, &key);
    explicit_bzero(&key, sizeof(key));
}

static void peers_of_kind(struct reading *reading, const struct section *file, const char *kind)
{
    size_t n = section_count(file, kind);
    struct peer *peers = calloc(n + 1, sizeof(*peers));
    for (size_t i = 0; peers != NULL && i < n; i++) {
        struct section s = section_at(file, kind, i);
        peer_read(reading->conf, &s, &peers[i]);
        for (size_t k = 0; k < i; k++)
            peer_unlike(&s, &peers[i], &peers[k]);
    }
    free(peers);
}

static void secondaries_read(struct reading *reading, const struct section *file)
{
    uint32_t weight;
    peers_of_kind(reading, file, "secondary");
    for (size_t i = 0; i < section_count(file, "secondary"); i++) {
        struct section s = section_at(file, "secondary", i);
        value_number(section_word(&s, "weight"), 1, PEER_WEIGHT_MAX, &weight);
        warning(&reading->origin, s.name.line, "secondary %s has no effect: delegation is not served yet",
                s.name.text);
    }
}

static void primaries_read(struct reading *reading, const struct section *file)
{
    peers_of_kind(reading, file, "primary");
    for (size_t i = 0; i < section_count(file, "primary"); i++) {
        struct section s = section_at(file, "primary", i);
        if (reading->conf->role == ROLE_PRIMARY)
            word_fault(&s.name, "'%s': only an appliance with role = secondary has primaries", s.name.text);
    }
}

static void delegation_read(struct reading *reading, const struct section *file)
{
    static const char *const when[] = {"on-registration", "after-registration", "on-load", "manual", NULL};
    static const char *const policies[] = {"equal", "rate", NULL};
    static const char *const sources[] = {"primary", "own", NULL};
    struct section s;
    unsigned choice;
    uint32_t threshold;
    if (!section_only(file, "delegation", &s))
        return;
    value_choice(section_word(&s, "when"), when, &choice);
    value_choice(section_word(&s, "policy"), policies, &choice);
    value_number(section_word(&s, "threshold"), 1, UINT32_MAX, &threshold);
    value_choice(section_word(&s, "outer-source"), sources, &choice);
    warning(&reading->origin, s.name.line, "delegation is not served yet: this section has no effect");
}

void peers_read(struct reading *reading, const struct section *file)
{
    for (size_t i = 0; i < section_count(file, "foreign-agent"); i++) {
        struct section s = section_at(file, "foreign-agent", i);
        foreign_agent_read(reading, &s);
    }
    secondaries_read(reading, file);
    primaries_read(reading, file);
    delegation_read(reading, file);
}
