/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include <rte_ethdev.h>
#include <rte_version.h>

#include "commands_handlers.h"
#include "control.h"

/* ---- Ports ---- */

enum { LINK_LOCAL_BITS = 64 }; /* RFC 4291 section 2.5.6 */

static void report_prefix_item(struct report *out, const struct addr *addr, unsigned bits)
{
    char address[ADDR_TEXT_MAX], text[ADDR_TEXT_MAX + 4];
    snprintf(text, sizeof(text), "%s/%u", addr_format(addr, address), bits);
    report_list_item(out, text);
}

static void report_port(struct report *out, const struct port *port)
{
    struct rte_eth_stats stats = {0};
    if (rte_eth_stats_get(port->port_id, &stats) != 0)
        stats = (struct rte_eth_stats){0};
    report_row(out);
    report_string(out, port->name);
    report_string(out, port->link_up ? "up" : "down");
    report_number(out, port->link_mbps);
    report_mac(out, &port->mac);
    report_number(out, port->mtu);
    report_number(out, port->rx_queues);
    report_number(out, port->tx_queues);
    report_number(out, stats.ipackets);
    report_number(out, stats.opackets);
    report_number(out, stats.imissed);
    report_number(out, stats.rx_nombuf);
    report_number(out, stats.ierrors);
    report_number(out, stats.oerrors);
    report_list(out);
    for (size_t i = 0; i < port->n_addresses; i++)
        report_prefix_item(out, &port->addresses[i].addr, port->addresses[i].bits);
    if (!addr_is_unspecified(&port->link_local))
        report_prefix_item(out, &port->link_local, LINK_LOCAL_BITS);
    report_list_end(out);
    report_string(out, port->device);
    report_row_end(out);
}

enum command_step commands_show_ports(struct control *c, struct command *command)
{
    static const struct report_column columns[] = {
        {"name", "PORT", 10, false},
        {"link", "LINK", 4, false},
        {"mbps", "MBIT/S", 7, true},
        {"mac", "MAC ADDRESS", 17, false},
        {"mtu", "MTU", 5, true},
        {"rx_queues", "RXQ", 3, true},
        {"tx_queues", "TXQ", 3, true},
        {"rx_packets", "RECEIVED", 12, true},
        {"tx_packets", "SENT", 12, true},
        {"rx_missed", "MISSED", 8, true},
        {"rx_no_buffer", "NO BUFFER", 9, true},
        {"rx_errors", "RX ERR", 6, true},
        {"tx_errors", "TX ERR", 6, true},
        {"addresses", "ADDRESSES", 18, false},
        {"device", "DEVICE", 0, false},
    };
    struct report *out = &command->out;
    report_begin(out);
    report_table(out, "ports", columns, RTE_DIM(columns));
    for (unsigned i = 0; i < c->ports.n; i++)
        report_port(out, &c->ports.port[i]);
    report_table_end(out);
    report_end(out);
    return COMMAND_DONE;
}

/* ---- Neighbours ---- */

static void report_neighbor(struct report *out, const struct control *c, const struct neighbor_view *view)
{
    report_row(out);
    report_addr(out, &view->address);
    report_string(out, c->ports.port[view->port_index].name);
    if (view->state == NEIGHBOR_REACHABLE || view->state == NEIGHBOR_PROBING)
        report_mac(out, &view->mac);
    else
        report_none(out, "-");
    report_string(out, neighbor_state_text(view->state));
    report_number(out, view->references);
    report_number(out, view->waiting);
    report_number(out, view->age_s);
    report_row_end(out);
}

enum command_step commands_show_neighbors(struct control *c, struct command *command)
{
    static const struct report_column columns[] = {
        {"address", "ADDRESS", 15, false},
        {"port", "PORT", 10, false},
        {"mac", "MAC ADDRESS", 17, false},
        {"state", "STATE", 10, false},
        {"references", "REFERENCES", 10, true},
        {"waiting", "WAITING", 7, true},
        {"age_s", "AGE", 6, true},
    };
    struct report *out = &command->out;
    struct neighbor_view view;
    uint32_t cursor = (uint32_t)command->cursor;
    if (!out->begun) {
        report_begin(out);
        report_table(out, "neighbors", columns, RTE_DIM(columns));
    }
    while (!report_full(out)) {
        if (!neighbor_next(c->neighbors, &cursor, c->now.mono_ns, &view)) {
            report_table_end(out);
            report_end(out);
            return COMMAND_DONE;
        }
        report_neighbor(out, c, &view);
    }
    command->cursor = cursor;
    return COMMAND_MORE;
}

/* ---- Routes ---- */

static void report_route(struct report *out, const struct control *c, const struct route *route)
{
    report_row(out);
    report_prefix(out, &route->destination);
    if (addr_equal(&route->via, &addr_unspecified))
        report_none(out, "connected");
    else
        report_addr(out, &route->via);
    report_string(out, c->ports.port[route->port_index].name);
    report_row_end(out);
}

enum command_step commands_show_routes(struct control *c, struct command *command)
{
    static const struct report_column columns[] = {
        {"destination", "DESTINATION", 18, false},
        {"via", "VIA", 15, false},
        {"port", "PORT", 0, false},
    };
    struct report *out = &command->out;
    if (!out->begun) {
        report_begin(out);
        report_table(out, "routes", columns, RTE_DIM(columns));
    }
    for (; command->cursor < routes_count(c->routes); command->cursor++) {
        if (report_full(out))
            return COMMAND_MORE;
        report_route(out, c, routes_at(c->routes, (size_t)command->cursor));
    }
    report_table_end(out);
    report_end(out);
    return COMMAND_DONE;
}

/* ---- Workers ---- */

static uint64_t read_relaxed(const uint64_t *counter)
{
    return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static void report_worker(struct report *out, const struct worker *w)
{
    const uint64_t busy = read_relaxed(&w->counters.busy_tsc),
                   all = rte_rdtsc() - read_relaxed(&w->began_tsc);
    report_row(out);
    report_number(out, w->index);
    report_number(out, read_relaxed(&w->counters.turns));
    report_number(out, RTE_MIN(busy / (all / 100 + 1), UINT64_C(100)));
    report_number(out, read_relaxed(&w->counters.rx_packets));
    report_number(out, read_relaxed(&w->counters.rx_bytes));
    report_number(out, read_relaxed(&w->counters.tx_packets));
    report_number(out, read_relaxed(&w->counters.tx_bytes));
    report_row_end(out);
}

enum command_step commands_show_workers(struct control *c, struct command *command)
{
    static const struct report_column columns[] = {
        {"worker", "WORKER", 6, true},
        {"turns", "TURNS", 14, true},
        {"busy_percent", "BUSY %", 6, true},
        {"rx_packets", "RECEIVED", 14, true},
        {"rx_bytes", "RECEIVED BYTES", 16, true},
        {"tx_packets", "SENT", 14, true},
        {"tx_bytes", "SENT BYTES", 16, true},
    };
    struct report *out = &command->out;
    if (!out->begun) {
        report_begin(out);
        report_table(out, "workers", columns, RTE_DIM(columns));
    }
    for (; command->cursor < c->n_workers; command->cursor++) {
        if (report_full(out))
            return COMMAND_MORE;
        report_worker(out, c->workers[command->cursor]);
    }
    report_table_end(out);
    report_end(out);
    return COMMAND_DONE;
}

/* ---- Version ---- */

static const char *role_text(enum conf_role role)
{
    static const char *const texts[] = {
        [ROLE_PRIMARY] = "primary", [ROLE_SECONDARY] = "secondary", [ROLE_FOREIGN_AGENT] = "foreign-agent"};
    return texts[role];
}

enum command_step commands_show_version(struct control *c, struct command *command)
{
    struct report *out = &command->out;
    const char *dpdk = rte_version();
    if (strncmp(dpdk, "DPDK ", 5) == 0)
        dpdk += 5;
    report_begin(out);
    report_fact(out, "version", "Homeport", HOMEPORT_VERSION);
    report_fact(out, "dpdk", "DPDK", dpdk);
    report_fact(out, "node", "Node", c->conf->node);
    report_fact(out, "role", "Role", role_text(c->conf->role));
    report_fact_number(out, "uptime_s", "Uptime (s)", (c->now.mono_ns - c->started_ns) / NSEC_PER_S);
    report_fact_number(out, "workers", "Workers", c->n_workers);
    report_fact_number(out, "mobile_nodes", "Mobile nodes", agent_mobiles(c->agent));
    report_fact_number(out, "bindings", "Bindings", agent_bindings(c->agent));
    report_fact_number(out, "max_bindings", "Most bindings", c->conf->agent.max_bindings);
    report_fact(out, "configuration", "Configuration", c->conf->path);
    report_end(out);
    return COMMAND_DONE;
}
