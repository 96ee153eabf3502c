/* SPDX-License-Identifier: BSD-3-Clause */
#include "routing.h"

#include <errno.h>
#include <stdio.h>

#include <rte_errno.h>

static int connected_port(const struct conf *conf, const struct addr *address)
{
    int found = -1, bits = -1;
    for (size_t i = 0; i < conf->n_ports; i++)
        if (prefix_longest(conf->ports[i].addresses, conf->ports[i].n_addresses, address, &bits) >= 0)
            found = (int)i;
    return found;
}

static int add_connected(struct routes *routes, const struct conf *conf)
{
    for (size_t i = 0; i < conf->n_ports; i++)
        for (size_t k = 0; k < conf->ports[i].n_addresses; k++) {
            struct route route = {.destination = prefix_network(&conf->ports[i].addresses[k]),
                                  .via = addr_unspecified,
                                  .port_index = (uint8_t)i};
            int ret = routes_add(routes, &route);
            if (ret != 0 && ret != -EEXIST) /* a port may have several addresses in one prefix */
                return ret;
        }
    return 0;
}

static int add_configured(struct routes *routes, const struct conf *conf)
{
    for (size_t i = 0; i < conf->n_routes; i++) {
        int port_index = connected_port(conf, &conf->routes[i].via);
        if (port_index < 0)
            return -EHOSTUNREACH;
        struct route route = {.destination = prefix_network(&conf->routes[i].destination),
                              .via = conf->routes[i].via,
                              .port_index = (uint8_t)port_index};
        int ret = routes_add(routes, &route);
        if (ret != 0)
            return ret;
    }
    return 0;
}

int routing_build(const struct conf *conf, struct routes **out)
{
    static unsigned generation; /* the old and the new one live at the same time: their names differ */
    char name[32];
    snprintf(name, sizeof(name), "routes_%u", generation++);
    struct routes *routes = routes_create(name, conf->n_routes + CONF_PORTS_MAX * CONF_PORT_ADDRESSES_MAX);
    if (routes == NULL)
        return -rte_errno;
    int ret = add_connected(routes, conf);
    if (ret == 0)
        ret = add_configured(routes, conf);
    if (ret != 0) {
        routes_destroy(routes);
        return ret;
    }
    *out = routes;
    return 0;
}
