/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A checked configuration put in force on the running appliance, in slices of a turn each: what it does not
 * change is not touched. All that can fail is done first, before anything is changed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "effects.h"
#include "forwarding.h"
#include "log.h"
#include "routing.h"
#include "worker_settings.h"

enum { RELOAD_SLICE = 512 };

struct reload {
    struct routes *routes; /* of the configuration to come, until it begins */
    size_t mobile;         /* the next one to be set */
};

static void report_failure(int ret, const struct addr *home)
{
    char text[ADDR_TEXT_MAX];
    if (ret != 0)
        log_error("reload: mobile node %s: %s", addr_format(home, text),
                  ret == -EEXIST ? "its NAI is in use" : "no memory");
}

static void set_ipsec(struct control *c)
{
    char text[ADDR_TEXT_MAX];
    for (size_t i = 0; i < c->conf->n_ipsec; i++) {
        const struct conf_ipsec *s = &c->conf->ipsec[i];
        int ret = control_set_ipsec(c, s);
        if (ret != 0)
            log_error("reload: ESP of mobile node %s: %s", addr_format(&s->home, text), strerror(-ret));
        effects_carry_out(c); /* one by one: there may be as many as mobile nodes */
    }
}

static void begin(struct control *c, struct reload *r)
{
    routes_destroy(c->routes);
    c->routes = r->routes;
    ports_readdress(&c->ports, c->conf);
    if (forwarding_set_local(c) != 0)
        log_error("reload: no memory for all of the appliance's own addresses");
    host_nd_readdressed(c);
    host_mld_readdressed(c);
    agent_sweep_begin(c->agent);
    for (size_t i = 0; i < c->conf->n_foreign_agents; i++)
        report_failure(
            agent_foreign_set(c->agent, &c->conf->foreign_agents[i].address, &c->conf->foreign_agents[i].sa),
            &c->conf->foreign_agents[i].address);
    set_ipsec(c);
    for (size_t i = 0; i < c->conf->n_peers; i++) {
        int ret = agent_peer_set(c->agent, &c->conf->peers[i]);
        if (ret != 0)
            log_error("reload: %s cannot take part in delegation: %s", c->conf->peers[i].name,
                      strerror(-ret));
    }
    if (worker_settings_publish(c) != 0) /* the first peer divides identifications */
        log_error("reload: no memory for the workers' settings");
}

int control_reload(struct control *c, struct conf **conf)
{
    struct conf *next = *conf;
    if (c->reload != NULL)
        return -EBUSY;
    struct reload *r = calloc(1, sizeof(*r));
    if (r == NULL)
        return -ENOMEM;
    int ret = routing_build(next, &r->routes);
    next->agent.mac = c->conf->agent.mac;
    if (ret == 0)
        ret = agent_configure(c->agent, &next->agent);
    if (ret != 0) {
        routes_destroy(r->routes);
        free(r);
        return ret;
    }
    *conf = c->conf;
    c->conf = next;
    c->reload = r;
    begin(c, r);
    effects_carry_out(c);
    return 0;
}

bool control_reloading(const struct control *c)
{
    return c->reload != NULL;
}

void control_reload_abandon(struct control *c)
{
    free(c->reload); /* its configuration and routes are control's since it began */
    c->reload = NULL;
}

bool control_reload_work(struct control *c)
{
    struct reload *r = c->reload;
    if (r == NULL)
        return false;
    for (size_t n = 0; n < RELOAD_SLICE && r->mobile < c->conf->n_mobiles; n++) {
        const struct conf_mobile *m = &c->conf->mobiles[r->mobile++];
        report_failure(agent_mobile_set(c->agent, &m->home, &m->sa, m->nai), &m->home);
    }
    if (r->mobile < c->conf->n_mobiles)
        return true;
    if (agent_sweep(c->agent, RELOAD_SLICE, c->now)) {
        effects_carry_out(c);
        return true;
    }
    effects_carry_out(c);
    forwarding_refresh(c); /* routes and next hops may have changed under every binding */
    log_info("configuration reloaded: %zu mobile nodes", agent_mobiles(c->agent));
    control_reload_abandon(c);
    return false;
}
