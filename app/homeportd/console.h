/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The console: listens on the loopback address and the Unix socket of the configuration, and serves each
 * operator and each script in a thread of its own. Knows control only by its mailbox.
 *
 * The threads inherit the processors of the one that calls console_start.
 */
#ifndef HOMEPORTD_CONSOLE_H
#define HOMEPORTD_CONSOLE_H

#include "conf.h"
#include "mailbox.h"

enum { CONSOLE_SESSIONS_MAX = 8 };

struct console;

/* Copies what it needs of conf. NULL after a line in the log that gives the reason. */
struct console *console_start(const struct conf *conf, struct mailbox *mailbox);
/* Closes the mailbox, ends every session and waits for its thread. NULL is fine. */
void console_stop(struct console *console);

#endif
