/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <rte_common.h>

#include "commands_handlers.h"
#include "control.h"

/* ---- A row a port ---- */

static const char *mld_text(enum conf_mld mld)
{
    static const char *const texts[] = {
        [CONF_MLD_ALL] = "all", [CONF_MLD_OWN] = "own", [CONF_MLD_OFF] = "off"};
    return texts[mld];
}

static void report_listener(struct report *out, const struct port *port, const struct host_mld_port *mld)
{
    const struct listener *l = &mld->listener;
    report_row(out);
    report_string(out, port->name);
    report_string(out, mld_text(mld->wanted));
    if (mld->wanted == CONF_MLD_OFF || addr_is_unspecified(&port->link_local)) {
        for (int i = 0; i < 3; i++)
            report_none(out, "-");
    } else {
        report_number(out, l->version);
        report_number(out, l->robustness);
        report_number(out, l->interval_s);
    }
    report_number(out, l->n);
    report_row_end(out);
}

static enum command_step show_listeners(const struct control *c, struct report *out)
{
    static const struct report_column columns[] = {
        {"port", "PORT", 10, false},
        {"mld", "MLD", 4, false},
        {"version", "VERSION", 7, true},
        {"robustness", "ROBUSTNESS", 10, true},
        {"query_interval_s", "INTERVAL", 8, true},
        {"groups", "GROUPS", 8, true},
    };
    report_begin(out);
    report_table(out, "listeners", columns, RTE_DIM(columns));
    for (unsigned i = 0; i < c->ports.n; i++)
        report_listener(out, &c->ports.port[i], &c->mld.port[i]);
    report_table_end(out);
    report_end(out);
    return COMMAND_DONE;
}

/* ---- A row a group ---- */

static void begin_groups(struct report *out)
{
    static const struct report_column columns[] = {
        {"group", "GROUP", 17, false},
        {"port", "PORT", 10, false},
        {"addresses", "ADDRESSES", 9, true},
    };
    report_begin(out);
    report_table(out, "groups", columns, RTE_DIM(columns));
}

static enum command_step end_groups(struct report *out)
{
    report_table_end(out);
    report_end(out);
    return COMMAND_DONE;
}

static void report_membership(struct report *out, const struct port *port, uint32_t group, uint32_t addresses)
{
    const struct addr address = group_address(group);
    report_row(out);
    report_addr(out, &address);
    report_string(out, port->name);
    report_number(out, addresses);
    report_row_end(out);
}

static enum command_step show_port(const struct control *c, unsigned port_index, struct command *command)
{
    struct report *out = &command->out;
    uint32_t group = (uint32_t)command->cursor, addresses;
    if (!out->begun)
        begin_groups(out);
    for (; !report_full(out); group++) {
        if (!listener_group_next(&c->mld.port[port_index].listener, &group, &addresses))
            return end_groups(out);
        report_membership(out, &c->ports.port[port_index], group, addresses);
    }
    command->cursor = group;
    return COMMAND_MORE;
}

/* The group itself, or that of who has the address. */
static bool group_meant(const struct addr *address, uint32_t *group)
{
    if (addr_is_multicast(address))
        return group_named(address, group);
    *group = group_of(address);
    return true;
}

static enum command_step show_address(const struct control *c, const struct addr *address,
                                      struct command *command)
{
    uint32_t meant, addresses;
    const bool is_one = group_meant(address, &meant);
    bool found = false;
    for (unsigned i = 0; i < c->ports.n && is_one; i++) {
        uint32_t group = meant;
        if (!listener_group_next(&c->mld.port[i].listener, &group, &addresses) || group != meant)
            continue;
        if (!found)
            begin_groups(&command->out);
        found = true;
        report_membership(&command->out, &c->ports.port[i], group, addresses);
    }
    return found ? end_groups(&command->out)
                 : commands_refuse(command, "no port listens for %s", command->argv[0]);
}

enum command_step commands_show_groups(struct control *c, struct command *command)
{
    struct addr address;
    if (command->argc == 0)
        return show_listeners(c, &command->out);
    for (unsigned i = 0; i < c->ports.n; i++)
        if (strcmp(c->ports.port[i].name, command->argv[0]) == 0)
            return show_port(c, i, command);
    if (!addr_parse(command->argv[0], &address) || addr_is_ipv4(&address))
        return commands_refuse(command, "neither a port nor an IPv6 address: %s", command->argv[0]);
    return show_address(c, &address, command);
}
