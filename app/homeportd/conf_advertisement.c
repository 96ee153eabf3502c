/* SPDX-License-Identifier: BSD-3-Clause */
/* router-advertisement sections, and what follows from them for the home networks. */
#include <string.h>

#include "conf_sections.h"
#include "conf_values.h"

/* RFC 4861 section 6.2.1; RFC 6275 section 7.4. */
enum {
    INTERVAL_MIN_S = 4,
    INTERVAL_MAX_S = 1800,
    INTERVAL_S = 600,
    ROUTER_LIFETIME_MAX_S = 9000,
    HOME_AGENT_LIFETIME_S = 1800,
    VALID_S = 2592000,
    PREFERRED_S = 604800
};

static struct conf_port *port_named(struct conf *conf, const char *name)
{
    for (size_t i = 0; i < conf->n_ports; i++)
        if (strcmp(conf->ports[i].name, name) == 0)
            return &conf->ports[i];
    return NULL;
}

static bool has_ipv6(const struct conf_port *port)
{
    for (size_t i = 0; i < port->n_addresses; i++)
        if (!addr_is_ipv4(&port->addresses[i].addr))
            return true;
    return false;
}

/* A router's lifetime is none, or no less than the time to its next advertisement. */
static void router_lifetime(const struct section *s, uint32_t interval_s, uint32_t *out)
{
    const struct word *w = section_word(s, "router-lifetime");
    if (value_number(w, 0, ROUTER_LIFETIME_MAX_S, out) && *out != 0 && *out < interval_s)
        word_fault(w, "%s is shorter than the interval, %u", w->text, interval_s);
}

static void prefix_lifetimes(const struct section *s, struct conf_advertisement *a)
{
    const struct word *preferred = section_word(s, "preferred-lifetime");
    value_number(section_word(s, "valid-lifetime"), 1, UINT32_MAX, &a->valid_s);
    if (preferred == NULL && a->preferred_s > a->valid_s)
        a->preferred_s = a->valid_s;
    value_number(preferred, 1, UINT32_MAX, &a->preferred_s);
    if (preferred != NULL && a->preferred_s > a->valid_s)
        word_fault(preferred, "%s is longer than the valid lifetime, %u", preferred->text, a->valid_s);
}

static void section_read(struct conf *conf, const struct section *s)
{
    struct conf_port *port = port_named(conf, s->name.text);
    if (port == NULL)
        word_fault(&s->name, "there is no port '%s'", s->name.text);
    else if (!has_ipv6(port))
        word_fault(&s->name, "port %s has no IPv6 address", port->name);
    else if (port->advertisement.on)
        word_fault(&s->name, "a second section for port '%s'", port->name);
    uint32_t interval = INTERVAL_S, router = 0, preference = 0, home_agent = HOME_AGENT_LIFETIME_S;
    struct conf_advertisement a = {.on = true, .valid_s = VALID_S, .preferred_s = PREFERRED_S};
    const bool paced = value_number(section_word(s, "interval"), INTERVAL_MIN_S, INTERVAL_MAX_S, &interval);
    router_lifetime(s, paced ? interval : 0, &router);
    value_number(section_word(s, "preference"), 0, UINT16_MAX, &preference);
    value_number(section_word(s, "home-agent-lifetime"), 1, UINT16_MAX, &home_agent);
    prefix_lifetimes(s, &a);
    a.interval_s = (uint16_t)interval;
    a.router_lifetime_s = (uint16_t)router;
    a.preference = (uint16_t)preference;
    a.home_agent_lifetime_s = (uint16_t)home_agent;
    if (port != NULL)
        port->advertisement = a;
}

/* No binding outlives the prefix of its home address (RFC 6275 section 10.3.1). Where nothing is advertised,
 * somebody else does that, and we know of no end. */
static void settle_homes(struct conf *conf)
{
    struct agent_settings *agent = &conf->agent;
    for (size_t i = 0; i < agent->n_home_networks; i++) {
        const struct conf_port *port = network_connected(conf, &agent->home_networks[i].addr);
        if (port == NULL || !port->advertisement.on || addr_is_ipv4(&agent->home_networks[i].addr))
            continue;
        agent->home_prefixes[i] = (struct home_prefix){
            .valid_s = port->advertisement.valid_s == UINT32_MAX ? 0 : port->advertisement.valid_s,
            .preferred_s = port->advertisement.preferred_s,
        };
        agent->advertised = (struct advertised){
            .preference = port->advertisement.preference,
            .lifetime_s = port->advertisement.home_agent_lifetime_s,
        };
    }
}

void advertisements_read(struct reading *reading, const struct section *file)
{
    reading->conf->agent.advertised.lifetime_s = HOME_AGENT_LIFETIME_S;
    for (size_t i = 0; i < section_count(file, "router-advertisement"); i++) {
        struct section s = section_at(file, "router-advertisement", i);
        section_read(reading->conf, &s);
    }
    settle_homes(reading->conf);
}
