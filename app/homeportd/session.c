/* SPDX-License-Identifier: BSD-3-Clause */
#include "session.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../homeportctl/script.h"
#include "instant.h"

enum {
    HELLO_MS = 50,           /* a script has spoken by then */
    WAIT_NS = 10 * 1000000,  /* between two questions whether a command is done */
    DETAILS_MAX = 64 * 1024, /* of the faults of one file */
};

void session_serve(const struct session_settings *settings, int fd)
{
    struct session *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return;
    s->settings = settings;
    s->connection.fd = fd;
    if (connection_peek(&s->connection, HELLO_MS) == SCRIPT_HELLO) {
        connection_byte(&s->connection, 0);
        session_script(s);
    } else {
        session_terminal(s);
    }
    free(s);
}

/* Calls the row's prepare with a file of bounded size to write details into. */
static bool prepare(struct session *s, const struct session_sink *sink)
{
    struct command *command = &s->command;
    if (command->row->prepare == NULL)
        return true;
    char *details = malloc(DETAILS_MAX);
    FILE *file = details != NULL ? fmemopen(details, DETAILS_MAX, "w") : NULL;
    if (file == NULL) {
        free(details);
        commands_refuse(command, "no memory");
        return false;
    }
    details[0] = '\0';
    bool ready = command->row->prepare(command, s->settings->conf_path, file);
    fclose(file);
    details[DETAILS_MAX - 1] = '\0';
    size_t len = strlen(details);
    if (len > 0)
        sink->detail(sink->context, details, len);
    free(details);
    return ready;
}

static bool bring(struct session *s, const struct session_sink *sink)
{
    struct report *out = &s->command.out;
    bool wanted = out->len == 0 || sink->out(sink->context, out->text, out->len);
    report_taken(out);
    return wanted;
}

static enum session_outcome run_slices(struct session *s, const struct session_sink *sink)
{
    for (;;) {
        enum command_step step = mailbox_run(s->settings->mailbox, &s->command);
        if (step == COMMAND_REFUSED)
            return SESSION_REFUSED;
        if (!bring(s, sink))
            return SESSION_STOPPED;
        if (step == COMMAND_DONE)
            return SESSION_DONE;
        if (step == COMMAND_WAIT)
            nanosleep(&(struct timespec){.tv_nsec = WAIT_NS}, NULL);
    }
}

enum session_outcome session_run(struct session *s, const struct session_sink *sink)
{
    const struct command_row *row = s->command.row;
    if (row->place == COMMAND_HELP) {
        commands_help(&s->command.out);
        return bring(s, sink) ? SESSION_DONE : SESSION_STOPPED;
    }
    enum session_outcome outcome = prepare(s, sink) ? run_slices(s, sink) : SESSION_REFUSED;
    if (row->finish != NULL)
        row->finish(&s->command);
    return outcome;
}
