/* SPDX-License-Identifier: BSD-3-Clause */
/* The command `doctor`: a walk through the bindings for packets that went astray, then check after check. */
#include <stdlib.h>
#include <string.h>

#include "commands_handlers.h"
#include "control.h"
#include "doctor_checks.h"

enum { LOOKED_AT_MAX = 8192 }; /* mobile nodes looked at in one slice */

struct examination {
    bool walked;
    size_t n;
    struct doctor_strays strays[AGENT_SECONDARIES_MAX];
};

bool commands_doctor_prepare(struct command *command, const char *conf_path, FILE *errors)
{
    (void)conf_path;
    (void)errors;
    command->examination = calloc(1, sizeof(*command->examination));
    if (command->examination == NULL)
        commands_refuse(command, "no memory");
    return command->examination != NULL;
}

void commands_doctor_finish(struct command *command)
{
    free(command->examination);
    command->examination = NULL;
}

/* ---- Delegated bindings whose packets come here all the same ---- */

/* NULL: there are more than a primary can have. */
static struct doctor_strays *strays_of(struct examination *x, const char *name)
{
    for (size_t i = 0; i < x->n; i++)
        if (strcmp(x->strays[i].name, name) == 0)
            return &x->strays[i];
    if (x->n == AGENT_SECONDARIES_MAX)
        return NULL;
    snprintf(x->strays[x->n].name, sizeof(x->strays[x->n].name), "%s", name);
    return &x->strays[x->n++];
}

static void look_for_strays(const struct control *c, struct examination *x, const struct binding_view *view)
{
    if (view->forwarder == NULL || view->state == NULL || strcmp(view->state, "delegated") != 0)
        return;
    const struct entry *entry = table_get(c->table, &view->home);
    const uint64_t pps = entry != NULL && entry->kind == ENTRY_TUNNEL ? rates_pps(c->rates, entry->slot) : 0;
    struct doctor_strays *strays = pps > 0 ? strays_of(x, view->forwarder) : NULL;
    if (strays == NULL)
        return;
    strays->bindings++;
    strays->pps += pps;
    strays->home = view->home;
}

/* True: that was the last of them. */
static bool walk(const struct control *c, struct command *command)
{
    struct binding_view view;
    size_t cursor = (size_t)command->cursor, before = cursor;
    if (c->conf->role != ROLE_PRIMARY)
        return true;
    while (cursor - before < LOOKED_AT_MAX) {
        if (!agent_binding_next(c->agent, &cursor, LOOKED_AT_MAX, c->now, &view))
            return true;
        if (view.n_care_of == 0)
            break;
        look_for_strays(c, command->examination, &view);
    }
    command->cursor = cursor;
    return false;
}

/* ---- Findings ---- */

static const struct doctor_strays *known_strays(const struct examination *x, const char *name)
{
    for (size_t i = 0; i < x->n; i++)
        if (strcmp(x->strays[i].name, name) == 0)
            return &x->strays[i];
    return NULL;
}

/* The i-th that a check is about, and its name. NULL: there is none. */
static const char *subject_at(const struct examination *x, enum doctor_about about, size_t i,
                              struct doctor_subject *s)
{
    struct control *c = s->c;
    if (about == DOCTOR_PORT) {
        s->port = &c->ports.port[i];
        return i < c->ports.n ? s->port->name : NULL;
    }
    if (about == DOCTOR_SELF)
        return i == 0 ? "self" : NULL;
    if (!agent_peer_next(c->agent, &i, c->now, &s->peer))
        return NULL;
    s->strays = known_strays(x, s->peer.name);
    return s->peer.name;
}

static void report_finding(struct report *out, const struct doctor_check *check, const char *about,
                           const struct doctor_finding *finding)
{
    report_row(out);
    report_string(out, check->name);
    report_string(out, about);
    report_string(out, doctor_grade_text(finding->grade));
    report_string(out, finding->detail);
    report_row_end(out);
}

/* cursor: whom the check has come to. False: the slice is full. */
static bool carry_out(struct control *c, struct command *command, const struct doctor_check *check)
{
    struct doctor_subject subject = {.c = c};
    const char *about;
    while ((about = subject_at(command->examination, check->about, (size_t)command->cursor, &subject)) !=
           NULL) {
        if (report_full(&command->out))
            return false;
        struct doctor_finding finding;
        check->look(&subject, &finding);
        report_finding(&command->out, check, about, &finding);
        command->cursor++;
    }
    return true;
}

static void begin(struct report *out)
{
    static const struct report_column columns[] = {{"check", "CHECK", 15, false},
                                                   {"about", "ABOUT", 10, false},
                                                   {"verdict", "VERDICT", 7, false},
                                                   {"detail", "DETAIL", 0, false}};
    report_begin(out);
    report_table(out, "checks", columns, RTE_DIM(columns));
}

/* state: the check. */
enum command_step commands_doctor(struct control *c, struct command *command)
{
    if (!command->examination->walked) {
        command->examination->walked = walk(c, command);
        if (!command->examination->walked)
            return COMMAND_MORE;
        command->cursor = 0;
    }
    if (!command->out.begun)
        begin(&command->out);
    for (; command->state < doctor_checks_rows; command->state++, command->cursor = 0) {
        const struct doctor_check *check = &doctor_checks[command->state];
        if ((check->roles & 1U << c->conf->role) != 0 && !carry_out(c, command, check))
            return COMMAND_MORE;
    }
    report_table_end(&command->out);
    report_end(&command->out);
    return COMMAND_DONE;
}
