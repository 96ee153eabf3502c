/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The bounded mailbox between other threads (console sessions) and control. A thread posts a command and
 * sleeps until control has run a slice of it; control writes at most COMMAND_SLICE bytes of answer a turn,
 * and the thread takes them away before it asks for the next slice. So a long listing, or a session that
 * hangs, costs control no time and no memory.
 */
#ifndef HOMEPORTD_MAILBOX_H
#define HOMEPORTD_MAILBOX_H

#include "report.h"

struct control;
struct command_row; /* a row of the commands' table */
struct conf;
struct examination;

enum {
    MAILBOX_CAPACITY = 32,
    COMMAND_SLICE = REPORT_SLICE,
    COMMAND_ARGUMENTS_MAX = 8,
    COMMAND_REFUSAL_MAX = 512
};

enum command_step {
    COMMAND_MORE, /* there is more to write: run it again when the slice has been taken */
    COMMAND_WAIT, /* nothing to write yet: run it again in the next turn */
    COMMAND_DONE,
    COMMAND_REFUSED /* refusal says why; nothing was changed */
};

/* One command under way. The session owns it; control touches it only between post and reply. */
struct command {
    const struct command_row *row;
    int argc; /* arguments after the row's own words */
    const char *argv[COMMAND_ARGUMENTS_MAX];
    struct report out; /* a slice of the answer */
    uint64_t cursor;   /* the handler's; 0 at first */
    uint64_t state;    /* likewise */
    struct conf *conf; /* reload: what to apply; then what was in force before, for the session to free */
    struct examination *examination; /* doctor: what it has found out so far */
    char refusal[COMMAND_REFUSAL_MAX];
};

struct mailbox;

struct mailbox *mailbox_create(void);
void mailbox_destroy(struct mailbox *m);
/* ---- Sessions ---- */
/* Runs one slice of the command at control and waits for it. COMMAND_REFUSED also when the mailbox is full or
 * closed. */
enum command_step mailbox_run(struct mailbox *m, struct command *command);
/* ---- Control ---- */
/* Runs at most budget waiting commands, a slice each. */
void mailbox_serve(struct mailbox *m, struct control *control, unsigned budget);
/* Refuses what waits and what comes. */
void mailbox_close(struct mailbox *m);

#endif
