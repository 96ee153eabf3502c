/* SPDX-License-Identifier: BSD-3-Clause */
/* An operator at a terminal: prompt, editing, help, pages. */
#include "session.h"

#include <string.h>

#include "../homeportctl/script.h"
#include "editor.h"

enum { FIRST_BYTE_MS = 30 * 1000, IDLE_MS = 10 * 60 * 1000, SEND_SIZE = 4096, HELP_COLUMN = 17 };

struct terminal {
    struct session *session;
    struct editor editor;
    unsigned shown; /* lines since the last prompt of any kind */
    size_t n;       /* of out */
    char out[SEND_SIZE];
};

/* ---- Output: CR LF at each line's end, buffered, paged ---- */

static void flush(struct terminal *t)
{
    connection_send(&t->session->connection, t->out, t->n);
    t->n = 0;
}

static void put_byte(struct terminal *t, char byte)
{
    if (t->n == sizeof(t->out))
        flush(t);
    t->out[t->n++] = byte;
}

static void put(struct terminal *t, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\n')
            put_byte(t, '\r');
        put_byte(t, *text);
    }
}

static void put_echo(struct terminal *t)
{
    for (size_t i = 0; i < t->editor.n_echo; i++)
        put_byte(t, t->editor.echo[i]);
    t->editor.n_echo = 0;
    flush(t);
}

static int next_key(struct terminal *t)
{
    int byte, key = -1;
    while (key < 0) {
        byte = connection_byte(&t->session->connection, IDLE_MS);
        if (byte < 0)
            return byte;
        key = editor_key(&t->editor, (uint8_t)byte);
        put_echo(t);
    }
    return key;
}

/* The page is full: false, if the rest is not wanted. */
static bool ask_for_more(struct terminal *t)
{
    put(t, "--More--");
    flush(t);
    int key = next_key(t);
    put(t, "\r        \r");
    if (key == '\r' || key == '\n')
        t->shown--; /* one line more */
    else
        t->shown = 0;
    return key >= 0 && key != 'q' && key != 'Q' && key != 'C' - '@';
}

static bool show(void *context, const char *bytes, size_t n)
{
    struct terminal *t = context;
    for (size_t i = 0; i < n; i++) {
        if (t->editor.terminal && t->shown + 1 >= t->editor.rows && !ask_for_more(t))
            return false;
        if (bytes[i] == '\n') {
            put_byte(t, '\r');
            t->shown++;
        }
        put_byte(t, bytes[i]);
    }
    return !t->session->connection.broken;
}

/* ---- Help and completion ---- */

static size_t complete(const struct terminal *t,
                       struct commands_completion out[static COMMANDS_COMPLETIONS_MAX], size_t *partial)
{
    return commands_complete(t->editor.text, t->editor.cursor, out, partial);
}

static void show_help(struct terminal *t)
{
    struct commands_completion choice[COMMANDS_COMPLETIONS_MAX];
    size_t partial, n = complete(t, choice, &partial);
    put(t, "\n");
    for (size_t i = 0; i < n; i++) {
        put(t, "  ");
        for (size_t k = 0; k < choice[i].len || k < HELP_COLUMN; k++)
            put_byte(t, k < choice[i].len ? choice[i].word[k] : ' ');
        put(t, choice[i].help != NULL ? choice[i].help : "...");
        put(t, "\n");
    }
    if (n == 0)
        put(t, "  no such command\n");
    editor_redraw(&t->editor);
}

static size_t common_length(const char *a, const char *b, size_t most)
{
    size_t n = 0;
    while (n < most && a[n] == b[n])
        n++;
    return n;
}

/* Puts in what all that may stand here have in common. */
static void complete_word(struct terminal *t)
{
    struct commands_completion choice[COMMANDS_COMPLETIONS_MAX];
    const char *word = NULL;
    size_t partial, words = 0, common = 0, n = complete(t, choice, &partial);
    for (size_t i = 0; i < n; i++) {
        if (!choice[i].insertable)
            continue;
        size_t most = word == NULL || choice[i].len < common ? choice[i].len : common;
        common = word == NULL ? most : common_length(word, choice[i].word, most);
        word = choice[i].word;
        words++;
    }
    if (words == 0) {
        editor_bell(&t->editor);
        return;
    }
    editor_insert(&t->editor, word + partial, common - partial);
    if (words == 1)
        editor_insert(&t->editor, " ", 1);
    else if (common == partial)
        show_help(t);
}

/* ---- Commands ---- */

/* False: the operator leaves. */
static bool run_line(struct terminal *t)
{
    struct session *s = t->session;
    const struct session_sink sink = {.context = t, .out = show, .detail = show};
    t->shown = 0;
    if (t->editor.too_long) {
        put(t, "refused: the line is too long\n");
        return true;
    }
    enum session_outcome outcome = SESSION_REFUSED;
    if (commands_parse(&s->line, t->editor.text, false, &s->command)) {
        if (s->command.row->place == COMMAND_QUIT)
            return false;
        outcome = session_run(s, &sink);
    }
    if (outcome == SESSION_REFUSED && *s->command.refusal != '\0') {
        put(t, "refused: ");
        put(t, s->command.refusal);
        put(t, "\n");
    }
    return true;
}

/* False: the session is over. */
static bool handle(struct terminal *t, enum editor_event event)
{
    put_echo(t);
    switch (event) {
    case EDITOR_NOTHING:
        return true;
    case EDITOR_LINE:
        if (!run_line(t))
            return false;
        editor_next(&t->editor);
        return true;
    case EDITOR_INTERRUPT:
        editor_next(&t->editor);
        return true;
    case EDITOR_COMPLETE:
        complete_word(t);
        return true;
    case EDITOR_HELP:
        show_help(t);
        return true;
    case EDITOR_END:
        return false;
    }
    return false;
}

static void greet(struct terminal *t)
{
    char prompt[80];
    snprintf(prompt, sizeof(prompt), "%.70s> ", t->session->settings->node);
    editor_init(&t->editor, prompt);
    editor_greet(&t->editor);
    put_echo(t);
    put(t, "Homeport " HOMEPORT_VERSION " at ");
    put(t, t->session->settings->node);
    put(t, ". ? or help for help, quit to leave.\n");
    editor_next(&t->editor);
}

void session_terminal(struct session *s)
{
    struct terminal t = {.session = s};
    greet(&t);
    for (bool first = true;; first = false) {
        put_echo(&t); /* of what handle did with the line */
        /* Seats are few: who says nothing at all, not even what a telnet client says by itself, soon loses
         * his. */
        int byte = connection_byte(&s->connection, first ? FIRST_BYTE_MS : IDLE_MS);
        if (first && byte == SCRIPT_HELLO) { /* it was slow to speak */
            session_script(s);
            return;
        }
        if (byte == CONNECTION_TIMEOUT)
            put(&t, first ? "\nnothing was typed\n" : "\nnothing was typed for ten minutes\n");
        if (byte < 0 || s->connection.broken)
            break;
        if (!handle(&t, editor_feed(&t.editor, (uint8_t)byte)))
            break;
    }
    flush(&t);
}
