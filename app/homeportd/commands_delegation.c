/* SPDX-License-Identifier: BSD-3-Clause */
/* What an operator sees of delegation, and does about it. */
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "commands_handlers.h"
#include "control.h"
#include "effects.h"

/* ---- Peers ---- */

static void report_last_heard(struct report *out, const struct peer_view *view)
{
    if (view->last_heard_ms == UINT32_MAX)
        report_none(out, "never");
    else
        report_number(out, view->last_heard_ms);
}

static void report_secondary(struct report *out, const struct peer_view *view)
{
    report_row(out);
    report_string(out, view->name);
    report_addr(out, &view->address);
    report_string(out, peer_state_text(view->state));
    report_number(out, view->bindings);
    report_number(out, view->lingering);
    report_number(out, view->pending);
    report_number(out, view->state == PEER_DEAD ? 0 : view->load.tx_pps); /* what it last said */
    report_number(out, view->weight);
    report_number(out, view->rtt_us);
    report_number(out, view->retransmissions);
    report_last_heard(out, view);
    report_number(out, view->lease_left_ms);
    report_row_end(out);
}

enum command_step commands_show_secondaries(struct control *c, struct command *command)
{
    static const struct report_column columns[] = {
        {"name", "SECONDARY", 10, false},
        {"address", "ADDRESS", 15, false},
        {"state", "STATE", 10, false},
        {"bindings", "BINDINGS", 8, true},
        {"lingering", "LINGERING", 9, true},
        {"pending", "PENDING", 7, true},
        {"pps", "PPS", 9, true},
        {"weight", "WEIGHT", 6, true},
        {"rtt_us", "RTT US", 7, true},
        {"retransmissions", "RETRANS", 7, true},
        {"last_heard_ms", "HEARD MS", 8, true},
        {"lease_left_ms", "LEASE MS", 8, true},
    };
    struct report *out = &command->out;
    struct peer_view view;
    size_t cursor = 0;
    if (c->conf->role != ROLE_PRIMARY)
        return commands_refuse(command, "%s", agent_refusal_text(REFUSAL_NOT_PRIMARY));
    report_begin(out);
    report_table(out, "secondaries", columns, RTE_DIM(columns));
    while (agent_peer_next(c->agent, &cursor, c->now, &view))
        report_secondary(out, &view);
    report_table_end(out);
    report_end(out);
    return COMMAND_DONE;
}

static void report_primary(struct report *out, const struct peer_view *view)
{
    report_row(out);
    report_string(out, view->name);
    report_addr(out, &view->address);
    report_string(out, peer_state_text(view->state));
    report_number(out, view->bindings);
    report_number(out, view->lingering);
    report_number(out, view->term);
    report_number(out, view->rtt_us);
    report_number(out, view->retransmissions);
    report_last_heard(out, view);
    report_number(out, view->lease_left_ms);
    report_row_end(out);
}

enum command_step commands_show_primaries(struct control *c, struct command *command)
{
    static const struct report_column columns[] = {
        {"name", "PRIMARY", 10, false},         {"address", "ADDRESS", 15, false},
        {"state", "STATE", 10, false},          {"bindings", "BINDINGS", 8, true},
        {"lingering", "LINGERING", 9, true},    {"term", "TERM", 6, true},
        {"rtt_us", "RTT US", 7, true},          {"retransmissions", "RETRANS", 7, true},
        {"last_heard_ms", "HEARD MS", 8, true}, {"lease_left_ms", "LEASE MS", 8, true},
    };
    struct report *out = &command->out;
    struct peer_view view;
    size_t cursor = 0;
    if (c->conf->role != ROLE_SECONDARY)
        return commands_refuse(command, "only a secondary home agent has primaries");
    report_begin(out);
    report_table(out, "primaries", columns, RTE_DIM(columns));
    while (agent_peer_next(c->agent, &cursor, c->now, &view))
        report_primary(out, &view);
    report_table_end(out);
    report_end(out);
    return COMMAND_DONE;
}

/* ---- Load, and what was and would be done about it ---- */

static const char *name_or_self(const char *name)
{
    return name != NULL ? name : "self";
}

static void report_nodes(struct control *c, struct report *out)
{
    static const struct report_column columns[] = {
        {"name", "NODE", 10, false},
        {"bindings", "BINDINGS", 8, true},
        {"pps", "PPS", 10, true},
        {"kbps", "KBIT/S", 10, true},
        {"share_permille", "SHARE PM", 8, true},
        {"utilisation_permille", "USED PM", 7, true},
        {"weight", "WEIGHT", 6, true},
    };
    struct load_view view;
    size_t cursor = 0;
    report_table(out, "nodes", columns, RTE_DIM(columns));
    while (agent_load_next(c->agent, &cursor, c->now, &view)) {
        report_row(out);
        report_string(out, name_or_self(view.name));
        report_number(out, view.bindings);
        report_number(out, view.pps);
        report_number(out, view.kbps);
        report_number(out, view.permille_of_all);
        report_number(out, view.utilisation_permille);
        report_number(out, view.weight);
        report_row_end(out);
    }
    report_table_end(out);
}

static const struct report_column decision_columns[] = {
    {"age_ms", "MS AGO", 9, true}, {"home_address", "HOME ADDRESS", 15, false},
    {"from", "FROM", 10, false},   {"to", "TO", 10, false},
    {"pps", "PPS", 9, true},       {"why", "WHY", 0, false},
};

static void report_decision(const struct control *c, struct report *out, const struct decision *d)
{
    report_row(out);
    report_number(out, d->at_ns < c->now.mono_ns ? (c->now.mono_ns - d->at_ns) / NSEC_PER_MS : 0);
    report_addr(out, &d->home);
    report_string(out, d->from);
    report_string(out, d->to);
    report_number(out, d->pps);
    report_string(out, d->why);
    report_row_end(out);
}

enum command_step commands_show_load(struct control *c, struct command *command)
{
    struct report *out = &command->out;
    struct decision d;
    if (c->conf->role != ROLE_PRIMARY)
        return commands_refuse(command, "%s", agent_refusal_text(REFUSAL_NOT_PRIMARY));
    report_begin(out);
    report_nodes(c, out);
    report_table(out, "decisions", decision_columns, RTE_DIM(decision_columns));
    for (size_t i = 0; !report_full(out) && agent_decision(c->agent, i, &d); i++)
        report_decision(c, out, &d);
    report_table_end(out);
    report_end(out);
    return COMMAND_DONE;
}

/* ---- Verbs ---- */

static enum command_step conclude(struct control *c, struct command *command, enum agent_refusal refusal)
{
    effects_carry_out(c);
    return refusal == REFUSAL_DONE ? COMMAND_DONE
                                   : commands_refuse(command, "%s", agent_refusal_text(refusal));
}

static bool number_of(const char *text, uint32_t *out)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || value == 0 || value > UINT32_MAX)
        return false;
    *out = (uint32_t)value;
    return true;
}

enum command_step commands_delegate(struct control *c, struct command *command)
{
    struct addr home;
    uint32_t count;
    const char *what = command->argv[0];
    const char *secondary = command->argc > 1 ? command->argv[1] : NULL;
    if (strcmp(what, "all") == 0)
        return secondary == NULL ? conclude(c, command, agent_delegate_all(c->agent, c->now))
                                 : commands_refuse(command, "all are divided among all secondaries");
    if (secondary == NULL)
        return commands_refuse(command, "to which secondary?");
    if (addr_parse(what, &home))
        return conclude(c, command, agent_delegate(c->agent, &home, secondary, c->now));
    if (number_of(what, &count))
        return conclude(c, command, agent_delegate_busiest(c->agent, count, secondary, c->now));
    return commands_refuse(command, "neither an address, nor a number, nor all: %s", what);
}

enum command_step commands_recall(struct control *c, struct command *command)
{
    struct addr home;
    if (!addr_parse(command->argv[0], &home))
        return commands_refuse(command, "not an address: %s", command->argv[0]);
    return conclude(c, command, agent_recall(c->agent, &home, c->now));
}

enum command_step commands_drain(struct control *c, struct command *command)
{
    return conclude(c, command, agent_drain(c->agent, command->argv[0], true, c->now));
}

enum command_step commands_undrain(struct control *c, struct command *command)
{
    return conclude(c, command, agent_drain(c->agent, command->argv[0], false, c->now));
}

enum command_step commands_rebalance(struct control *c, struct command *command)
{
    return conclude(c, command, agent_rebalance(c->agent, c->now));
}

enum command_step commands_rebalance_plan(struct control *c, struct command *command)
{
    struct report *out = &command->out;
    struct decision d;
    if (c->conf->role != ROLE_PRIMARY)
        return commands_refuse(command, "%s", agent_refusal_text(REFUSAL_NOT_PRIMARY));
    report_begin(out);
    report_table(out, "plan", decision_columns, RTE_DIM(decision_columns));
    for (size_t i = 0; !report_full(out) && agent_plan(c->agent, i, c->now, &d); i++)
        report_decision(c, out, &d);
    report_table_end(out);
    report_end(out);
    return COMMAND_DONE;
}

/* ---- Settings until the next reload ---- */

enum command_step commands_set_threshold(struct control *c, struct command *command)
{
    uint32_t pps;
    if (!number_of(command->argv[0], &pps))
        return commands_refuse(command, "no number of packets/s: %s", command->argv[0]);
    return conclude(c, command, agent_set_threshold(c->agent, pps));
}

const char *const commands_policies[] = {[POLICY_EQUAL] = "equal", [POLICY_RATE] = "rate", NULL};

enum command_step commands_set_policy(struct control *c, struct command *command)
{
    for (unsigned i = 0; commands_policies[i] != NULL; i++)
        if (strcmp(command->argv[0], commands_policies[i]) == 0)
            return conclude(c, command, agent_set_policy(c->agent, (enum delegation_policy)i));
    return commands_refuse(command, "no such policy: %s (equal, rate)", command->argv[0]);
}
