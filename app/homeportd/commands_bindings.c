/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <rte_common.h>

#include "commands_handlers.h"
#include "control.h"
#include "effects.h"

enum {
    LOOKED_AT_MAX = 8192
}; /* mobile nodes looked at in one slice: the bound where few of many are bound */

static const struct report_column columns[] = {
    {"home_address", "HOME ADDRESS", 15, false},
    {"care_of_addresses", "CARE-OF ADDRESSES", 17, false},
    {"encapsulation", "ENCAPSULATION", 13, false},
    {"reverse_tunnel", "REVERSE", 7, false},
    {"lifetime_left", "LEFT", 6, true},
    {"forwarder", "FORWARDER", 9, false},
    {"state", "STATE", 11, false},
    {"packets", "PACKETS", 12, true},
    {"bytes", "BYTES", 14, true},
    {"pps", "PPS", 9, true},
};

static void report_care_of(struct report *out, const struct binding_view *view)
{
    char text[ADDR_TEXT_MAX];
    report_list(out);
    for (size_t i = 0; i < view->n_care_of; i++)
        report_list_item(out, addr_format(&view->care_of[i].address, text));
    report_list_end(out);
}

/* How many of its care-of addresses were granted one. */
static const char *reverse_tunnel_text(const struct binding_view *view)
{
    size_t n = 0;
    for (size_t i = 0; i < view->n_care_of; i++)
        n += view->care_of[i].reverse;
    return n == 0 ? "none" : n < view->n_care_of ? "some" : "all";
}

/* The binding lives as long as the last of its care-of addresses. */
static void report_lifetime(struct report *out, const struct binding_view *view)
{
    uint32_t left_s = 0;
    for (size_t i = 0; i < view->n_care_of; i++)
        left_s = view->lifetime_left_s[i] > left_s ? view->lifetime_left_s[i] : left_s;
    if (left_s == UINT32_MAX)
        report_none(out, "never");
    else
        report_number(out, left_s);
}

/* A binding that somebody else forwards, or will, is in the state of its delegation. */
static const char *state_text(const struct binding_view *view, const struct entry *entry)
{
    if (view->state != NULL && strcmp(view->state, "local") != 0)
        return view->state;
    if (entry == NULL || entry->kind != ENTRY_TUNNEL)
        return "pending"; /* registered, but not in the table yet: no room, or no route */
    for (size_t i = 0; i < view->n_care_of; i++) {
        if (!view->care_of[i].unreachable)
            return "active";
    }
    return "unreachable";
}

static void report_binding(struct control *c, struct report *out, const struct binding_view *view)
{
    const struct entry *entry = table_get(c->table, &view->home);
    struct rate_total total = {0};
    uint64_t pps = 0;
    if (entry != NULL && entry->kind == ENTRY_TUNNEL) {
        total = control_binding_total(c, entry->slot);
        pps = rates_pps(c->rates, entry->slot);
    }
    report_row(out);
    report_addr(out, &view->home);
    report_care_of(out, view);
    report_string(out, encapsulation_text(view->care_of[0].encapsulation));
    report_string(out, reverse_tunnel_text(view));
    report_lifetime(out, view);
    report_string(out, view->forwarder != NULL ? view->forwarder : "self");
    report_string(out, state_text(view, entry));
    /* Our own are exact at this moment; those of all forwarders as they were last reported. */
    report_number(out, RTE_MAX(total.packets, view->packets));
    report_number(out, RTE_MAX(total.bytes, view->bytes));
    report_number(out, RTE_MAX(pps, (uint64_t)view->pps));
    report_row_end(out);
}

static void begin(struct report *out)
{
    report_begin(out);
    report_table(out, "bindings", columns, sizeof(columns) / sizeof(columns[0]));
}

static enum command_step end(struct report *out)
{
    report_table_end(out);
    report_end(out);
    return COMMAND_DONE;
}

static enum command_step show_one(struct control *c, struct command *command)
{
    struct addr home;
    struct binding_view view;
    if (!addr_parse(command->argv[0], &home))
        return commands_refuse(command, "not an address: %s", command->argv[0]);
    if (!agent_binding(c->agent, &home, c->now, &view))
        return commands_refuse(command, "%s has no binding", command->argv[0]);
    begin(&command->out);
    report_binding(c, &command->out, &view);
    return end(&command->out);
}

enum command_step commands_show_bindings(struct control *c, struct command *command)
{
    struct binding_view view;
    if (command->argc > 0)
        return show_one(c, command);
    if (!command->out.begun)
        begin(&command->out);
    size_t cursor = (size_t)command->cursor, before = cursor;
    while (!report_full(&command->out) && cursor - before < LOOKED_AT_MAX) {
        if (!agent_binding_next(c->agent, &cursor, LOOKED_AT_MAX, c->now, &view))
            return end(&command->out);
        if (view.n_care_of == 0)
            break;
        report_binding(c, &command->out, &view);
    }
    command->cursor = cursor;
    return COMMAND_MORE;
}

enum command_step commands_clear_binding(struct control *c, struct command *command)
{
    struct addr home;
    if (!addr_parse(command->argv[0], &home))
        return commands_refuse(command, "not an address: %s", command->argv[0]);
    if (!agent_revoke(c->agent, &home, c->now))
        return commands_refuse(command, "%s has no binding", command->argv[0]);
    effects_carry_out(c);
    return COMMAND_DONE;
}
