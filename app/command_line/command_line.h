/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The command line of a program that takes long options alone: a row for each, with the function that takes
 * its value. The program defines struct state, into which they are read; it has a struct command_line,
 * `line`.
 */
#ifndef COMMAND_LINE_H
#define COMMAND_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { COMMAND_LINE_ERROR_MAX = 256, COMMAND_LINE_OPTIONS_MAX = 64 };

struct state;

struct command_line_option {
    const char *name;
    bool (*take)(struct state *, const char *text); /* false: line.error says why */
    int argument;                                   /* as getopt.h has it */
};

struct command_line {
    const char *program;
    const struct command_line_option *options;
    size_t n_options;
    const char *option; /* being read; NULL: none */
    bool done;          /* help or version was printed: the rest is not read */
    char error[COMMAND_LINE_ERROR_MAX];
};

enum options_result { OPTIONS_RUN, OPTIONS_DONE, OPTIONS_BAD };

/* Returns false. */
bool command_line_complain(struct command_line *line, const char *what);
bool command_line_number(struct command_line *line, const char *text, uint32_t min, uint32_t max,
                         uint32_t *out);
/* Reads all of it into s; complete judges what only all options together show. OPTIONS_DONE: help or version
 * was printed; OPTIONS_BAD: what is wrong is on stderr. */
enum options_result command_line_read(struct command_line *line, struct state *s,
                                      bool (*complete)(struct state *), int argc, char **argv);

#define NUMBER_OPTION(name, field, min, max)                        \
    static bool take_##name(struct state *s, const char *text)      \
    {                                                               \
        uint32_t value;                                             \
        if (!command_line_number(&s->line, text, min, max, &value)) \
            return false;                                           \
        field = (typeof(field))value;                               \
        return true;                                                \
    }

#define FLAG_OPTION(name, field)                               \
    static bool take_##name(struct state *s, const char *text) \
    {                                                          \
        (void)text;                                            \
        return field = true;                                   \
    }

#endif
