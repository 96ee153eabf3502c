/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "commands_handlers.h"
#include "control.h"
#include "counters.h"
#include "mip6.h"

/* ---- One line of each group. False: the group has none at this index. ---- */

static bool line_verdict(const struct control *c, struct report *out, unsigned i)
{
    if (i >= VERDICT_COUNT)
        return false;
    report_count(out, verdict_name(i), verdict_text(i), control_verdicts(c, i));
    return true;
}

static bool line_policed(const struct control *c, struct report *out, unsigned i)
{
    if (i >= PUNT_CLASS_COUNT)
        return false;
    report_count(out, punt_class_text(i), punt_class_text(i), counters_policed(c, i));
    return true;
}

static void report_agent(const struct control *c, struct report *out, enum agent_counter i)
{
    static const char *const keys[] = {
#define X(name, text) #name,
        AGENT_COUNTERS(X)
#undef X
    };
    report_count(out, keys[i], agent_counter_text(i), agent_counters(c->agent)->n[i]);
}

/* Delegation's are the agent's last. */
static bool line_registration(const struct control *c, struct report *out, unsigned i)
{
    if (i >= AGENT_PEER_RECEIVED)
        return false;
    report_agent(c, out, i);
    return true;
}

static bool line_delegation(const struct control *c, struct report *out, unsigned i)
{
    if (AGENT_PEER_RECEIVED + i >= AGENT_COUNTERS_COUNT)
        return false;
    report_agent(c, out, AGENT_PEER_RECEIVED + i);
    return true;
}

/* Code 0 always, the others once they have been sent. */
static bool line_reply(const struct control *c, struct report *out, unsigned i)
{
    if (i >= 256)
        return false;
    uint64_t sent = agent_counters(c->agent)->replies[i];
    if (i > 0 && sent == 0)
        return true;
    char key[8], text[32];
    snprintf(key, sizeof(key), "%u", i);
    snprintf(text, sizeof(text), "code %u%s", i, i <= 1 ? ", accepted" : ", denied");
    report_count(out, key, text, sent);
    return true;
}

/* Status 0 always, the others once they have been sent. */
static bool line_ack(const struct control *c, struct report *out, unsigned i)
{
    if (i >= 256)
        return false;
    uint64_t sent = agent_counters(c->agent)->acks[i];
    if (i > 0 && sent == 0)
        return true;
    char key[8], text[64];
    snprintf(key, sizeof(key), "%u", i);
    snprintf(text, sizeof(text), "status %u, %s", i, mip6_status_text((uint8_t)i));
    report_count(out, key, text, sent);
    return true;
}

static bool line_control(const struct control *c, struct report *out, unsigned i)
{
    static const char *const keys[] = {
#define X(name, text) #name,
        CONTROL_COUNTERS(X)
#undef X
    };
    if (i >= CONTROL_COUNTERS_COUNT)
        return false;
    report_count(out, keys[i], control_counter_text(i), counters_control(c, i));
    return true;
}

static bool line_neighbor(const struct control *c, struct report *out, unsigned i)
{
    static const char *const keys[] = {
#define X(name, text) #name,
        NEIGHBOR_COUNTERS(X)
#undef X
    };
    if (i >= NEIGHBOR_COUNTERS_COUNT)
        return false;
    report_count(out, keys[i], neighbor_counter_text(i), neighbor_counters(c->neighbors)[i]);
    return true;
}

static bool line_tunnel(const struct control *c, struct report *out, unsigned i)
{
    static const struct {
        const char *key, *text;
        size_t offset;
    } lines[] = {
        {"unreachable_told", "senders told that a tunnel's far end is unreachable",
         offsetof(struct worker_counters, unreachable_told)},
        {"copies_lost", "copies for one of several care-of addresses lost: no packet buffer",
         offsetof(struct worker_counters, copies_lost)},
        {"rate_reports_put_off", "reports of a binding's packets put off: their ring was full",
         offsetof(struct worker_counters, rate_reports_put_off)},
    };
    if (i >= sizeof(lines) / sizeof(lines[0]))
        return false;
    report_count(out, lines[i].key, lines[i].text, counters_worker(c, lines[i].offset));
    return true;
}

static const struct group {
    const char *key, *heading;
    bool (*line)(const struct control *c, struct report *out, unsigned i);
} groups[] = {
    {"verdicts", "What became of every packet received", line_verdict},
    {"policed", "Dropped before the control lcore, by class", line_policed},
    {"tunnels", "Tunnels", line_tunnel},
    {"registration", "Registration", line_registration},
    {"replies", "Registration replies sent", line_reply},
    {"acknowledgements", "Binding acknowledgements sent", line_ack},
    {"delegation", "Delegation", line_delegation},
    {"host", "The appliance as a host", line_control},
    {"neighbors", "Neighbours", line_neighbor},
};

/* state: the group; cursor: its next line. */
enum command_step commands_show_counters(struct control *c, struct command *command)
{
    struct report *out = &command->out;
    if (!out->begun)
        report_begin(out);
    for (; command->state < sizeof(groups) / sizeof(groups[0]); command->state++, command->cursor = 0) {
        const struct group *group = &groups[command->state];
        if (command->cursor == 0)
            report_group(out, group->key, group->heading);
        while (group->line(c, out, (unsigned)command->cursor)) {
            command->cursor++;
            if (report_full(out))
                return COMMAND_MORE;
        }
        report_group_end(out);
    }
    report_end(out);
    return COMMAND_DONE;
}

enum command_step commands_clear_counters(struct control *c, struct command *command)
{
    (void)command;
    control_counters_clear(c);
    return COMMAND_DONE;
}
