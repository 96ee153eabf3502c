/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Commands to a run, one a line, as they come in pieces from standard input. One owner thread.
 */
#ifndef MN_COMMANDS_H
#define MN_COMMANDS_H

#include "run.h"

enum { COMMAND_MAX = 1024 };

/* Zero-initialised: nothing read yet. */
struct commands {
    char line[COMMAND_MAX];
    size_t len;
    bool too_long; /* the rest of this line is skipped */
};

/* Bytes read; every line completed is carried out. Errors go to stderr. */
void commands_input(struct commands *c, struct run *r, const char *bytes, size_t len);

#endif
