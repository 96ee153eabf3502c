/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "conf_sections.h"
#include "conf_values.h"

/* Defaults that are no more than numbers; conf/primary.conf explains each. */
enum {
    MEMORY_MIB = 512,
    MEMORY_MIB_MIN = 64,
    MEMORY_MIB_MAX = 1 << 20,
    BUFFERS_MAX = 1 << 24,
    BINDINGS = 1 << 20,
    BINDINGS_MAX = 1 << 24,
    LIFETIME_S = 3600,
    TIMESTAMP_WINDOW_S = 7, /* RFC 5944 section 5.7.1 */
    TIMESTAMP_WINDOW_MAX_S = 3600
};

/* ---- The appliance itself ---- */

static void read_role(struct reading *reading, const struct section *file)
{
    static const char *const roles[] = {[ROLE_PRIMARY] = "primary",
                                        [ROLE_SECONDARY] = "secondary",
                                        [ROLE_FOREIGN_AGENT] = "foreign-agent",
                                        NULL};
    const struct word *w = section_require(file, "role");
    unsigned role = ROLE_PRIMARY;
    if (!value_choice(w, roles, &role))
        return;
    reading->conf->role = (enum conf_role)role;
    reading->conf->agent.role = role == ROLE_SECONDARY ? AGENT_SECONDARY : AGENT_PRIMARY;
    if (role == ROLE_FOREIGN_AGENT)
        word_fault(w, "role %s is not available in this version", w->text);
}

static void read_identity(struct reading *reading, const struct section *file)
{
    uint32_t id = 0;
    value_name(section_require(file, "node"), reading->conf->node);
    value_number(section_require(file, "id"), 1, UINT16_MAX, &id);
    reading->conf->id = (uint16_t)id;
    reading->conf->agent.id = (uint16_t)id;
    read_role(reading, file);
}

static void read_eal(struct reading *reading, const struct section *file)
{
    struct conf_eal *eal = &reading->conf->eal;
    struct section s;
    uint32_t memory = MEMORY_MIB;
    strcpy(eal->lcores, "0,1");
    eal->huge_pages = true;
    memcpy(eal->prefix, reading->conf->node, sizeof(eal->prefix));
    if (section_only(file, "eal", &s)) {
        value_lcores(section_word(&s, "lcores"), eal->lcores);
        value_number(section_word(&s, "memory"), MEMORY_MIB_MIN, MEMORY_MIB_MAX, &memory);
        value_bool(section_word(&s, "huge-pages"), &eal->huge_pages);
        value_number(section_word(&s, "buffers"), 0, BUFFERS_MAX, &eal->buffers);
        value_name(section_word(&s, "prefix"), eal->prefix);
    }
    eal->memory_mib = memory;
}

static void read_workers(struct reading *reading, const struct section *file)
{
    static const char *const idle[] = {[IDLE_BUSY] = "busy", [IDLE_ADAPTIVE] = "adaptive", NULL};
    struct section s;
    unsigned choice = IDLE_ADAPTIVE;
    if (section_only(file, "workers", &s)) {
        value_choice(section_word(&s, "idle"), idle, &choice);
        value_number(section_word(&s, "capacity"), 1, UINT32_MAX, &reading->conf->capacity_pps);
    }
    reading->conf->idle = (enum conf_idle)choice;
}

static void read_console(struct reading *reading, const struct section *file)
{
    struct conf *conf = reading->conf;
    struct section s;
    if (!section_only(file, "console", &s))
        return;
    value_loopback(section_word(&s, "listen"), &conf->console_address, &conf->console_port);
    value_socket(section_word(&s, "socket"), conf->console_socket);
}

/* ---- The home agent ---- */

static void home_agent_address(struct reading *reading, const struct word *w)
{
    struct agent_settings *agent = &reading->conf->agent;
    struct addr a;
    if (!value_host(w, &a))
        return;
    if (reading->ports_sound && network_owner(reading->conf, &a) == NULL)
        word_fault(w, "'%s' is on no port", w->text);
    for (size_t i = 0; i < agent->n_home_agents; i++) {
        if (addr_equal(&agent->home_agents[i], &a))
            word_fault(w, "'%s' for the second time", w->text);
    }
    if (agent->n_home_agents == AGENT_HOME_AGENTS_MAX)
        word_fault(w, "more than %d addresses", AGENT_HOME_AGENTS_MAX);
    else
        agent->home_agents[agent->n_home_agents++] = a;
}

static bool is_within(const struct prefix *inner, const struct prefix *outer)
{
    return inner->bits >= outer->bits && prefix_contains(outer, &inner->addr);
}

/* Interception is ARP or neighbour discovery: it reaches no further than the link of a port. */
static bool is_on_link(const struct conf *conf, const struct prefix *network)
{
    for (size_t i = 0; i < conf->n_ports; i++) {
        for (size_t k = 0; k < conf->ports[i].n_addresses; k++) {
            if (is_within(network, &conf->ports[i].addresses[k]))
                return true;
        }
    }
    return false;
}

static void home_network(struct reading *reading, const struct word *w)
{
    struct agent_settings *agent = &reading->conf->agent;
    struct prefix p;
    if (!value_network(w, &p))
        return;
    if (reading->ports_sound && !is_on_link(reading->conf, &p))
        word_fault(w, "no port is connected to '%s'", w->text);
    for (size_t i = 0; i < agent->n_home_networks; i++) {
        if (is_within(&p, &agent->home_networks[i]) || is_within(&agent->home_networks[i], &p))
            word_fault(w, "'%s' overlaps another home network", w->text);
    }
    if (agent->n_home_networks == AGENT_HOME_NETWORKS_MAX)
        word_fault(w, "more than %d networks", AGENT_HOME_NETWORKS_MAX);
    else
        agent->home_networks[agent->n_home_networks++] = p;
}

/* Mobile nodes register with an address of their own family, and tunnels bear it. */
static void network_without_agent(const struct reading *reading, const struct word *w)
{
    const struct agent_settings *agent = &reading->conf->agent;
    struct prefix p;
    if (!prefix_parse(w->text, &p))
        return;
    for (size_t i = 0; i < agent->n_home_agents; i++)
        if (addr_is_ipv4(&agent->home_agents[i]) == addr_is_ipv4(&p.addr))
            return;
    word_fault(w, "no home agent's address is of the family of '%s'", w->text);
}

static void home_agent_lists(struct reading *reading, const struct section *s)
{
    struct agent_settings *agent = &reading->conf->agent;
    size_t before = reading->faults;
    for (size_t i = 0; i < section_words(s, "addresses"); i++)
        home_agent_address(reading, section_word_at(s, "addresses", i));
    bool primary = reading->conf->role != ROLE_SECONDARY;
    if (!primary && section_words(s, "addresses") > 0)
        word_fault(section_word_at(s, "addresses", 0), "mobile nodes register with the primary alone");
    if (primary && agent->n_home_agents == 0 && reading->faults == before)
        fault(s->name.origin, s->name.line, "home-agent: addresses needs an address");

    before = reading->faults;
    for (size_t i = 0; i < section_words(s, "home-networks"); i++)
        home_network(reading, section_word_at(s, "home-networks", i));
    if (primary && agent->n_home_networks == 0 && reading->faults == before)
        fault(s->name.origin, s->name.line, "home-agent: home-networks needs a network");
    reading->homes_sound = reading->faults == before;
    for (size_t i = 0; primary && agent->n_home_agents > 0 && i < section_words(s, "home-networks"); i++)
        network_without_agent(reading, section_word_at(s, "home-networks", i));
}

enum {
    every_encapsulation = 0
#define X(name, number, text, bytes) | 1 << number
    ENCAPSULATIONS(X)
#undef X
        ,
    /* RFC 5944 section 3.7.1, RFC 6275 section 10.4.2: in any case. */
    common_encapsulations = 1 << ENCAPSULATION_IPIP | 1 << ENCAPSULATION_IPV6_IN_IPV6
};

/* What is granted, or at a secondary obeyed. */
static void encapsulations(const struct section *s, uint16_t *granted)
{
    static const char *const texts[] = {
#define X(name, number, text, bytes) text,
        ENCAPSULATIONS(X)
#undef X
            NULL};
    static const uint16_t bits[] = {
#define X(name, number, text, bytes) 1u << number,
        ENCAPSULATIONS(X)
#undef X
    };
    size_t n = section_words(s, "encapsulations");
    if (n > 0)
        *granted = common_encapsulations;
    for (size_t i = 0; i < n; i++) {
        unsigned choice;
        if (value_choice(section_word_at(s, "encapsulations", i), texts, &choice))
            *granted |= bits[choice];
    }
}

static void reverse_tunnel(const struct section *s, uint8_t *policy)
{
    static const char *const choices[] = {[REVERSE_TUNNEL_OFF] = "off",
                                          [REVERSE_TUNNEL_OPTIONAL] = "optional",
                                          [REVERSE_TUNNEL_REQUIRED] = "required",
                                          NULL};
    unsigned choice = *policy;
    value_choice(section_word(s, "reverse-tunnel"), choices, &choice);
    *policy = (uint8_t)choice;
}

static void read_home_agent(struct reading *reading, const struct section *file)
{
    struct agent_settings *agent = &reading->conf->agent;
    struct section s;
    uint32_t lifetime = LIFETIME_S, care_of = 1;
    bool tell_prefixes = true;
    agent->max_bindings = BINDINGS;
    agent->timestamp_window_s = TIMESTAMP_WINDOW_S;
    /* A secondary obeys whatever its primary has granted. */
    agent->encapsulations =
        reading->conf->role == ROLE_SECONDARY ? every_encapsulation : common_encapsulations;
    agent->reverse_tunnel = REVERSE_TUNNEL_OFF;
    if (section_only(file, "home-agent", &s)) {
        home_agent_lists(reading, &s);
        value_number(section_word(&s, "max-bindings"), 1, BINDINGS_MAX, &agent->max_bindings);
        value_number(section_word(&s, "max-lifetime"), 1, UINT16_MAX, &lifetime);
        value_number(section_word(&s, "timestamp-window"), 1, TIMESTAMP_WINDOW_MAX_S,
                     &agent->timestamp_window_s);
        encapsulations(&s, &agent->encapsulations);
        value_number(section_word(&s, "max-care-of"), 1, AGENT_CARE_OF_MAX, &care_of);
        reverse_tunnel(&s, &agent->reverse_tunnel);
        value_bool(section_word(&s, "prefix-discovery"), &tell_prefixes);
    } else if (reading->conf->role == ROLE_PRIMARY) {
        fault(&reading->origin, 1, "the home-agent section is missing, which role = primary needs");
    }
    agent->max_lifetime_s = (uint16_t)lifetime;
    agent->max_care_of = (uint8_t)care_of;
    agent->withhold_prefixes = !tell_prefixes;
}

/* ---- The whole ---- */

static void read_sections(struct reading *reading, cfg_t *cfg)
{
    struct section file = section_root(reading, cfg);
    read_identity(reading, &file);
    read_eal(reading, &file);
    read_workers(reading, &file);
    network_read(reading, &file);
    read_home_agent(reading, &file);
    peers_read(reading, &file);
    network_settle(reading);
    advertisements_read(reading, &file);
    mobiles_read(reading, &file);
    ipsec_read(reading, &file);
    foreign_agents_read(reading, &file);
    delegation_read(reading, &file);
    read_console(reading, &file);
    reading_warn_readable(&reading->origin);
}

static char *directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return NULL; /* names are used as they are */
    return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

struct conf *conf_load(const char *path, FILE *errors)
{
    struct reading reading = {.conf = calloc(1, sizeof(struct conf)), .errors = errors};
    char *own_path = strdup(path);
    if (reading.conf == NULL || own_path == NULL) {
        fprintf(errors, "%s:1: out of memory\n", path);
        free(reading.conf);
        free(own_path);
        return NULL;
    }
    reading.conf->path = own_path;
    reading.origin = (struct origin){.reading = &reading, .path = own_path};
    reading.directory = directory_of(path);

    cfg_t *cfg = schema_parse(&reading);
    if (cfg != NULL) {
        read_sections(&reading, cfg);
        cfg_free(cfg);
    }
    free(reading.taken);
    free(reading.directory);
    reading_finish(&reading);
    if (reading.faults == 0)
        return reading.conf;
    conf_free(reading.conf);
    return NULL;
}

void conf_free(struct conf *conf)
{
    if (conf == NULL)
        return;
    for (size_t i = 0; i < conf->n_mobiles; i++)
        free(conf->mobiles[i].nai);
    free(conf->mobiles);
    if (conf->ipsec != NULL)
        explicit_bzero(conf->ipsec, conf->n_ipsec * sizeof(*conf->ipsec));
    free(conf->ipsec);
    free(conf->foreign_agents);
    if (conf->peers != NULL)
        explicit_bzero(conf->peers, conf->n_peers * sizeof(*conf->peers));
    free(conf->peers);
    free(conf->routes);
    free(conf->reserved);
    free(conf->path);
    free(conf);
}
