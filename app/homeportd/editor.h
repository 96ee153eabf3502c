/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A line being typed at the far end of a telnet connection: editing, history, and the few words of the
 * telnet protocol (RFC 854) that a console needs. Bytes go in one by one; what is to be echoed, and what
 * happened, comes out. No I/O, and nothing that grows: a line ends at EDITOR_LINE_MAX.
 */
#ifndef HOMEPORTD_EDITOR_H
#define HOMEPORTD_EDITOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    EDITOR_LINE_MAX = 256, /* NUL included */
    EDITOR_HISTORY = 32,
    EDITOR_ECHO_MAX = 4 * EDITOR_LINE_MAX, /* most that one byte, or one insertion, causes */
    EDITOR_ROWS_DEFAULT = 24
};

enum editor_event {
    EDITOR_NOTHING,
    EDITOR_LINE,      /* text holds a whole line; editor_next when it is done with */
    EDITOR_COMPLETE,  /* TAB; editor_insert what is to be added */
    EDITOR_HELP,      /* ? ; editor_redraw after the help */
    EDITOR_INTERRUPT, /* ^C: the line has been thrown away; editor_next */
    EDITOR_END        /* ^D on an empty line */
};

struct editor {
    char text[EDITOR_LINE_MAX]; /* always NUL at len */
    size_t len, cursor;
    bool too_long; /* more was typed than there is room for */
    bool terminal; /* the far end speaks telnet: it wants an echo and pages */
    uint16_t rows; /* of that terminal */
    char prompt[80];
    /* To be sent, and then set to zero by the caller, after each call. */
    size_t n_echo;
    char echo[EDITOR_ECHO_MAX];

    uint8_t telnet, escape; /* where in such a sequence we are */
    uint8_t verb;
    uint8_t option_len, option[5]; /* a subnegotiation, as far as it is of interest */
    bool after_cr;                 /* a line feed or NUL that follows belongs to the same end of line */
    char history[EDITOR_HISTORY][EDITOR_LINE_MAX];
    unsigned n_history, at_history; /* at_history counts back from the newest; 0: the line itself */
};

void editor_init(struct editor *e, const char *prompt);
/* Offers echo, and asks for the size of the window. */
void editor_greet(struct editor *e);
enum editor_event editor_feed(struct editor *e, uint8_t byte);
/* For a question that one key answers: the key, or -1: the byte was part of something else. */
int editor_key(struct editor *e, uint8_t byte);
/* An empty line with its prompt; the one that was there goes into the history. */
void editor_next(struct editor *e);
/* Shows the prompt and the line again. */
void editor_redraw(struct editor *e);
/* Puts text in at the cursor. */
void editor_insert(struct editor *e, const char *text, size_t len);
void editor_bell(struct editor *e);

#endif
