/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The operator's commands: rows of a table, and how a line of text finds its row. Words may be shortened as
 * long as only one row is meant.
 *
 * What looks at text is pure; a row's run is called by control alone, through the mailbox, and never sees
 * text but its arguments. prepare and finish are called by the session's own thread, where files may be read.
 */
#ifndef HOMEPORTD_COMMANDS_H
#define HOMEPORTD_COMMANDS_H

#include <stdio.h>

#include "mailbox.h"

enum { COMMANDS_LINE_MAX = 512, COMMANDS_WORDS_MAX = 16, COMMANDS_COMPLETIONS_MAX = 32 };

/* Who carries a row out. */
enum command_place { COMMAND_AT_CONTROL, COMMAND_QUIT, COMMAND_HELP };

struct command_row {
    const char *words;
    const char *arguments; /* as help shows them, blanks between; [OPTIONAL] ones last; "": none */
    const char *help;
    const char *const *choices; /* the words that may be the first argument, NULL at the end; NULL: any */
    bool json;                  /* may be followed by the word json */
    enum command_place place;
    enum command_step (*run)(struct control *control, struct command *command);
    /* Before the first run. False: refused; errors has details, a line each, and refusal the reason. May be
     * NULL. */
    bool (*prepare)(struct command *command, const char *conf_path, FILE *errors);
    /* After the last, whatever became of it. May be NULL. */
    void (*finish)(struct command *command);
};

/* commands_table.c */
extern const struct command_row commands_table[];
extern const size_t commands_table_rows;

/* A line as typed; a command's arguments point into it. */
struct commands_line {
    char text[COMMANDS_LINE_MAX];
    int n_words;
    char *words[COMMANDS_WORDS_MAX];
};

/* Finds the row, checks the number of arguments, and makes a command ready to run. False: *command has the
 * reason in refusal and no row. An empty line is refused with an empty reason. */
bool commands_parse(struct commands_line *line, const char *text, bool json, struct command *command);

/* For a handler: says why, with the result that it returns. */
enum command_step commands_refuse(struct command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

struct commands_completion {
    const char *word; /* len bytes of the table, which are not followed by NUL */
    size_t len;
    const char *help; /* NULL: several commands begin so */
    bool insertable;  /* else a placeholder, for the eye only */
};

/* What may stand where text[0..len) ends, its last word perhaps begun. Returns how many, in the table's
 * order. *partial: bytes of the word that has been begun. */
size_t commands_complete(const char *text, size_t len,
                         struct commands_completion out[static COMMANDS_COMPLETIONS_MAX], size_t *partial);

/* Every command with its help, as text. */
void commands_help(struct report *out);

#endif
