/* SPDX-License-Identifier: BSD-3-Clause */
#include "commands.h"

#include <stdarg.h>
#include <string.h>

/* ---- Words ---- */

/* Splits in place. False: too long or too many. */
static bool split(struct commands_line *line, const char *text)
{
    line->n_words = 0;
    size_t len = strlen(text);
    if (len >= sizeof(line->text))
        return false;
    memcpy(line->text, text, len + 1);
    char *rest = NULL;
    for (char *word = strtok_r(line->text, " \t\r\n", &rest); word != NULL;
         word = strtok_r(NULL, " \t\r\n", &rest)) {
        if (line->n_words == COMMANDS_WORDS_MAX)
            return false;
        line->words[line->n_words++] = word;
    }
    return true;
}

/* A word of a row, or of its arguments' description. */
struct word {
    const char *at;
    size_t len;
};

static bool next_word(const char **text, struct word *out)
{
    *text += strspn(*text, " ");
    *out = (struct word){.at = *text, .len = strcspn(*text, " ")};
    *text += out->len;
    return out->len > 0;
}

static bool nth_word(const char *text, int n, struct word *out)
{
    while (next_word(&text, out)) {
        if (n-- == 0)
            return true;
    }
    return false;
}

static int count_words(const char *text)
{
    struct word word;
    int n = 0;
    while (next_word(&text, &word))
        n++;
    return n;
}

static bool begins(const struct word *word, const char *typed)
{
    size_t len = strlen(typed);
    return len <= word->len && memcmp(word->at, typed, len) == 0;
}

/* ---- Finding a row ---- */

struct match {
    int words;     /* of the row's own */
    bool complete; /* all of them were typed */
    bool exact;    /* and none shortened */
};

/* False: the row is not meant. */
static bool match_row(const struct command_row *row, const struct commands_line *line, struct match *out)
{
    const char *words = row->words;
    struct word word;
    *out = (struct match){.exact = true};
    for (; next_word(&words, &word); out->words++) {
        if (out->words >= line->n_words)
            return true;
        const char *typed = line->words[out->words];
        if (!begins(&word, typed))
            return false;
        out->exact &= strlen(typed) == word.len;
    }
    out->complete = true;
    return true;
}

struct search {
    const struct command_row *row; /* the best so far */
    struct match match;
    bool certain; /* typed in full: what else it might begin does not matter */
    unsigned found;
    char names[160]; /* of all, for the one who has to choose */
};

static void search_add(struct search *s, const struct command_row *row, const struct match *match)
{
    size_t len = strlen(s->names);
    snprintf(s->names + len, sizeof(s->names) - len, "%s%s", s->found > 0 ? ", " : "", row->words);
    s->found++;
    bool whole = match->complete && match->exact;
    if (s->row != NULL && (!whole || (s->certain && match->words < s->match.words)))
        return;
    s->row = row;
    s->match = *match;
    s->certain = whole;
}

static const struct command_row *find_row(const struct commands_line *line, int *own_words,
                                          struct command *command)
{
    struct search s = {0};
    struct match match;
    for (size_t i = 0; i < commands_table_rows; i++) {
        if (match_row(&commands_table[i], line, &match))
            search_add(&s, &commands_table[i], &match);
    }
    if (s.found == 0)
        commands_refuse(command, "no such command: %s (help lists them)", line->words[0]);
    else if (s.found > 1 && !s.certain)
        commands_refuse(command, "which one: %s", s.names);
    else if (!s.match.complete)
        commands_refuse(command, "incomplete: %s", s.row->words);
    else {
        *own_words = s.match.words;
        return s.row;
    }
    return NULL;
}

static bool take_arguments(const struct command_row *row, struct commands_line *line, int own_words,
                           struct command *command)
{
    int most = count_words(row->arguments), least = 0;
    struct word word;
    for (const char *at = row->arguments; next_word(&at, &word);)
        least += *word.at != '[';
    command->argc = line->n_words - own_words;
    if (command->argc < least || command->argc > most) {
        commands_refuse(command, "usage: %s%s%s%s", row->words, *row->arguments != '\0' ? " " : "",
                        row->arguments, row->json ? " [json]" : "");
        return false;
    }
    for (int i = 0; i < command->argc; i++)
        command->argv[i] = line->words[own_words + i];
    return true;
}

bool commands_parse(struct commands_line *line, const char *text, bool json, struct command *command)
{
    int own_words;
    command->row = NULL;
    command->argc = 0;
    command->cursor = command->state = 0;
    command->conf = NULL;
    command->examination = NULL;
    command->refusal[0] = '\0';
    report_init(&command->out, json);
    if (!split(line, text)) {
        commands_refuse(command, "the line is too long");
        return false;
    }
    if (line->n_words == 0)
        return false;
    const struct command_row *row = find_row(line, &own_words, command);
    if (row == NULL)
        return false;
    if (row->json && line->n_words > own_words && strcmp(line->words[line->n_words - 1], "json") == 0) {
        command->out.json = true;
        line->n_words--;
    }
    if (!take_arguments(row, line, own_words, command))
        return false;
    command->row = row;
    return true;
}

enum command_step commands_refuse(struct command *command, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(command->refusal, sizeof(command->refusal), format, args);
    va_end(args);
    return COMMAND_REFUSED;
}

/* ---- Completion ---- */

struct completions {
    struct commands_completion *out;
    size_t n;
    const char *begun; /* the word that has been begun; empty: none */
};

static void complete_with(struct completions *c, struct word word, const char *help, bool insertable)
{
    struct commands_completion *last = c->n > 0 ? &c->out[c->n - 1] : NULL;
    if (insertable && !begins(&word, c->begun))
        return;
    /* Rows that begin with the same word stand together in the table. */
    if (last != NULL && last->len == word.len && memcmp(last->word, word.at, word.len) == 0) {
        last->help = NULL;
        return;
    }
    if (c->n == COMMANDS_COMPLETIONS_MAX)
        return;
    c->out[c->n++] = (struct commands_completion){
        .word = word.at, .len = word.len, .help = help, .insertable = insertable};
}

static struct word word_of(const char *text)
{
    return (struct word){.at = text, .len = strlen(text)};
}

/* index: how many arguments stand before. */
static void complete_argument(struct completions *c, const struct command_row *row, int index)
{
    struct word placeholder;
    bool any = nth_word(row->arguments, index, &placeholder);
    if (any && index == 0 && row->choices != NULL) {
        for (size_t i = 0; row->choices[i] != NULL; i++)
            complete_with(c, word_of(row->choices[i]), "", true);
    } else if (any) {
        complete_with(c, placeholder, "", false);
    }
    if (any && *placeholder.at != '[')
        return; /* that one has to come first */
    if (row->json)
        complete_with(c, word_of("json"), "as one JSON object", true);
    if (*c->begun == '\0')
        complete_with(c, word_of("<cr>"), row->help, false);
}

/* line: the words that stand before. */
static void complete_row(struct completions *c, const struct command_row *row,
                         const struct commands_line *line)
{
    struct match match;
    struct word word;
    if (!match_row(row, line, &match))
        return;
    if (nth_word(row->words, line->n_words, &word)) {
        bool last = line->n_words + 1 == count_words(row->words);
        complete_with(c, word, last ? row->help : NULL, true);
        return;
    }
    int index = line->n_words - match.words;
    if (row->json && index > 0 && strcmp(line->words[line->n_words - 1], "json") == 0)
        complete_with(c, word_of("<cr>"), row->help, false);
    else if (index <= count_words(row->arguments))
        complete_argument(c, row, index);
}

size_t commands_complete(const char *text, size_t len,
                         struct commands_completion out[static COMMANDS_COMPLETIONS_MAX], size_t *partial)
{
    struct commands_line line;
    char copy[COMMANDS_LINE_MAX];
    *partial = 0;
    if (len >= sizeof(copy))
        return 0;
    memcpy(copy, text, len);
    copy[len] = '\0';
    if (!split(&line, copy))
        return 0;
    struct completions c = {.out = out, .begun = ""};
    if (len > 0 && copy[len - 1] != ' ') {
        c.begun = line.words[--line.n_words];
        *partial = strlen(c.begun);
    }
    for (size_t i = 0; i < commands_table_rows; i++)
        complete_row(&c, &commands_table[i], &line);
    return c.n;
}

void commands_help(struct report *out)
{
    static const struct report_column columns[] = {{"command", "COMMAND", 40, false},
                                                   {"help", "WHAT IT DOES", 0, false}};
    report_begin(out);
    report_table(out, "commands", columns, 2);
    for (size_t i = 0; i < commands_table_rows; i++) {
        const struct command_row *row = &commands_table[i];
        char usage[128];
        snprintf(usage, sizeof(usage), "%s%s%s%s", row->words, *row->arguments != '\0' ? " " : "",
                 row->arguments, row->json ? " [json]" : "");
        report_row(out);
        report_string(out, usage);
        report_string(out, row->help);
        report_row_end(out);
    }
    report_table_end(out);
    report_end(out);
}
