/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How homeportctl speaks with homeportd, on the same sockets as the operators' terminals. One command a
 * connection.
 *
 * The client speaks first, at once, with a byte that no telnet client begins with:
 *
 *     SCRIPT_HELLO "text " COMMAND "\n"      or      SCRIPT_HELLO "json " COMMAND "\n"
 *
 * The appliance answers with the same byte, chunks, and one last line:
 *
 *     SCRIPT_HELLO
 *     "out " LENGTH "\n" then LENGTH bytes of the answer
 *     "err " LENGTH "\n" then LENGTH bytes for the standard error output: faults, warnings, the reason
 *     "ok\n" or "refused\n"
 *
 * A connection that ends before that last line has given no whole answer. In place of chunks and last line
 * the appliance may say "busy\n": no session is free, try again. What stands before the appliance's
 * SCRIPT_HELLO is a greeting for terminals, sent to a client that was slow to speak; it is to be skipped.
 */
#ifndef HOMEPORTCTL_SCRIPT_H
#define HOMEPORTCTL_SCRIPT_H

enum {
    SCRIPT_HELLO = 0x02,
    SCRIPT_GREETING_MAX = 1024, /* bytes before the appliance's hello */
    SCRIPT_REQUEST_MAX = 512,   /* the client's whole line, both ends included */
    SCRIPT_HEADER_MAX = 32      /* a line of the answer */
};

#define SCRIPT_TEXT    "text "
#define SCRIPT_JSON    "json "
#define SCRIPT_OUT     "out"
#define SCRIPT_ERR     "err"
#define SCRIPT_OK      "ok"
#define SCRIPT_REFUSED "refused"
#define SCRIPT_BUSY    "busy"

#endif
