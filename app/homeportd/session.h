/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One operator's, or one script's, connection: reads commands, has them carried out, brings the answers. Runs
 * in a thread of its own and sees nothing of control but the mailbox.
 */
#ifndef HOMEPORTD_SESSION_H
#define HOMEPORTD_SESSION_H

#include "commands.h"
#include "connection.h"

/* What every session of a console shares; immutable while there is one. */
struct session_settings {
    struct mailbox *mailbox;
    char *node;
    char *conf_path; /* what reload reads */
};

struct session {
    const struct session_settings *settings;
    struct connection connection;
    struct commands_line line;
    struct command command;
};

enum session_outcome {
    SESSION_DONE,
    SESSION_REFUSED, /* the command's refusal says why */
    SESSION_STOPPED  /* by who reads the answer, or because nobody does any more */
};

/* Where an answer goes. False: no more of it is wanted. */
struct session_sink {
    void *context;
    bool (*out)(void *context, const char *bytes, size_t n);
    bool (*detail)(void *context, const char *bytes, size_t n); /* what a faulty file gives */
};

/* Serves the socket until its end; does not close it. */
void session_serve(const struct session_settings *settings, int fd);

/* Carries out the session's command, whatever its place but COMMAND_QUIT. */
enum session_outcome session_run(struct session *s, const struct session_sink *sink);

/* session_terminal.c, session_script.c: the two kinds; of the latter the hello has been taken already. */
void session_terminal(struct session *s);
void session_script(struct session *s);

#endif
