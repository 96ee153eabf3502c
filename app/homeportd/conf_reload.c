/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What cannot change while the appliance runs, because EAL, the devices or the tables were made from it.
 */
#include <stdarg.h>
#include <string.h>

#include "conf.h"

struct refusal {
    const struct conf *next;
    FILE *errors;
    bool any;
};

__attribute__((format(printf, 2, 3))) static void refuse(struct refusal *r, const char *format, ...)
{
    va_list arguments;
    fprintf(r->errors, "%s:1: ", r->next->path);
    va_start(arguments, format);
    vfprintf(r->errors, format, arguments);
    va_end(arguments);
    fputs(" cannot change at run time: restart the appliance\n", r->errors);
    r->any = true;
}

static void compare_eal(struct refusal *r, const struct conf_eal *now, const struct conf_eal *next)
{
    if (strcmp(now->lcores, next->lcores) != 0)
        refuse(r, "eal: lcores");
    if (now->memory_mib != next->memory_mib)
        refuse(r, "eal: memory");
    if (now->huge_pages != next->huge_pages)
        refuse(r, "eal: huge-pages");
    if (now->buffers != next->buffers)
        refuse(r, "eal: buffers");
    if (strcmp(now->prefix, next->prefix) != 0)
        refuse(r, "eal: prefix");
}

static void compare_ports(struct refusal *r, const struct conf *now, const struct conf *next)
{
    if (now->n_ports != next->n_ports)
        refuse(r, "the number of ports");
    for (size_t i = 0; i < now->n_ports && i < next->n_ports; i++) {
        if (strcmp(now->ports[i].name, next->ports[i].name) != 0)
            refuse(r, "port %s: its name", now->ports[i].name);
        if (strcmp(now->ports[i].device, next->ports[i].device) != 0)
            refuse(r, "port %s: device", now->ports[i].name);
        if (now->ports[i].mtu != next->ports[i].mtu)
            refuse(r, "port %s: mtu", now->ports[i].name);
    }
}

static void compare_console(struct refusal *r, const struct conf *now, const struct conf *next)
{
    if (now->console_port != next->console_port || !addr_equal(&now->console_address, &next->console_address))
        refuse(r, "console: listen");
    if (strcmp(now->console_socket, next->console_socket) != 0)
        refuse(r, "console: socket");
}

bool conf_can_reload(const struct conf *now, const struct conf *next, FILE *errors)
{
    struct refusal r = {.next = next, .errors = errors};
    if (now->role != next->role)
        refuse(&r, "role");
    if (now->idle != next->idle)
        refuse(&r, "workers: idle");
    compare_eal(&r, &now->eal, &next->eal);
    compare_ports(&r, now, next);
    if (now->agent.max_bindings != next->agent.max_bindings)
        refuse(&r, "home-agent: max-bindings");
    compare_console(&r, now, next);
    return !r.any;
}
