/* SPDX-License-Identifier: BSD-3-Clause */
#include "command_line.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIRST = 256 }; /* value of the first option, beyond any character */

bool command_line_complain(struct command_line *line, const char *what)
{
    snprintf(line->error, sizeof(line->error), "%s", what);
    return false;
}

bool command_line_number(struct command_line *line, const char *text, uint32_t min, uint32_t max,
                         uint32_t *out)
{
    char *end;
    errno = 0;
    const unsigned long long value = strtoull(text, &end, 10);
    if (!isdigit((unsigned char)*text) || *end != '\0' || errno != 0 || value < min || value > max) {
        snprintf(line->error, sizeof(line->error), "%.60s is not a number from %u to %u", text, min, max);
        return false;
    }
    *out = (uint32_t)value;
    return true;
}

/* Each has a value of its own, lest getopt take an ambiguous abbreviation for the first that fits. */
static void name_options(const struct command_line *line, struct option *names)
{
    assert(line->n_options <= COMMAND_LINE_OPTIONS_MAX);
    for (size_t i = 0; i < line->n_options; i++)
        names[i] = (struct option){
            .name = line->options[i].name, .has_arg = line->options[i].argument, .val = FIRST + (int)i};
    names[line->n_options] = (struct option){0};
}

static bool take_all(struct command_line *line, struct state *s, int argc, char **argv)
{
    struct option names[COMMAND_LINE_OPTIONS_MAX + 1];
    name_options(line, names);
    for (int c; !line->done && (c = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        if (c == '?')
            return command_line_complain(line, "try --help");
        const struct command_line_option *o = &line->options[c - FIRST];
        line->option = o->name;
        if (!o->take(s, optarg))
            return false;
        line->option = NULL;
    }
    return line->done || optind == argc || command_line_complain(line, "there are options only; try --help");
}

enum options_result command_line_read(struct command_line *line, struct state *s,
                                      bool (*complete)(struct state *), int argc, char **argv)
{
    if (take_all(line, s, argc, argv)) {
        if (line->done)
            return OPTIONS_DONE;
        if (complete(s))
            return OPTIONS_RUN;
    }
    const bool blamed = line->option != NULL;
    fprintf(stderr, "%s: %s%s%s%s\n", line->program, blamed ? "--" : "", blamed ? line->option : "",
            blamed ? ": " : "", line->error);
    return OPTIONS_BAD;
}
