/* SPDX-License-Identifier: BSD-3-Clause */
#include "editor.h"

#include <stdio.h>
#include <string.h>

/* RFC 854; options of RFC 857, RFC 858, RFC 1073. */
enum { SE = 240, IP = 244, SB = 250, WILL = 251, WONT = 252, DO = 253, DONT = 254, IAC = 255 };
enum { OPTION_ECHO = 1, OPTION_SUPPRESS_GO_AHEAD = 3, OPTION_WINDOW_SIZE = 31 };

enum telnet_state { TELNET_DATA, TELNET_COMMAND, TELNET_OPTION, TELNET_SUB, TELNET_SUB_COMMAND };
enum escape_state { ESCAPE_NONE, ESCAPE_BEGUN, ESCAPE_SEQUENCE };

#define CONTROL(letter) ((letter) - '@')
enum { DELETE = 0x7f, ESCAPE = 0x1b };

/* ---- Echo ---- */

static void echo(struct editor *e, const char *bytes, size_t n)
{
    if (!e->terminal || n > sizeof(e->echo) - e->n_echo)
        return;
    memcpy(e->echo + e->n_echo, bytes, n);
    e->n_echo += n;
}

static void echo_times(struct editor *e, char byte, size_t times)
{
    while (times-- > 0)
        echo(e, &byte, 1);
}

/* Moves to `to`; the cursor is at `from`, both in characters of the line. */
static void echo_move(struct editor *e, size_t from, size_t to)
{
    if (to < from)
        echo_times(e, '\b', from - to);
    else
        echo(e, e->text + from, to - from);
}

/* Writes the line from the cursor on, `gone` characters shorter than it was. */
static void echo_tail(struct editor *e, size_t gone)
{
    echo(e, e->text + e->cursor, e->len - e->cursor);
    echo_times(e, ' ', gone);
    echo_times(e, '\b', e->len - e->cursor + gone);
}

static void send_always(struct editor *e, const char *bytes, size_t n)
{
    bool terminal = e->terminal;
    e->terminal = true;
    echo(e, bytes, n);
    e->terminal = terminal;
}

void editor_bell(struct editor *e)
{
    echo(e, "\a", 1);
}

void editor_init(struct editor *e, const char *prompt)
{
    memset(e, 0, sizeof(*e));
    e->rows = EDITOR_ROWS_DEFAULT;
    snprintf(e->prompt, sizeof(e->prompt), "%s", prompt);
}

void editor_redraw(struct editor *e)
{
    send_always(e, e->prompt, strlen(e->prompt));
    echo(e, e->text, e->len);
    echo_move(e, e->len, e->cursor);
}

/* ---- Changing the line ---- */

void editor_insert(struct editor *e, const char *text, size_t len)
{
    if (len >= sizeof(e->text) - e->len) {
        e->too_long = true;
        editor_bell(e);
        return;
    }
    memmove(e->text + e->cursor + len, e->text + e->cursor, e->len - e->cursor);
    memcpy(e->text + e->cursor, text, len);
    e->len += len;
    e->text[e->len] = '\0';
    echo(e, text, len);
    e->cursor += len;
    if (e->cursor < e->len)
        echo_tail(e, 0);
}

/* Takes out what is between `from` and the cursor. */
static void erase_from(struct editor *e, size_t from)
{
    size_t gone = e->cursor - from;
    echo_move(e, e->cursor, from);
    memmove(e->text + from, e->text + e->cursor, e->len - e->cursor + 1);
    e->len -= gone;
    e->cursor = from;
    echo_tail(e, gone);
}

static void erase_to_end(struct editor *e)
{
    size_t gone = e->len - e->cursor;
    e->len = e->cursor;
    e->text[e->len] = '\0';
    echo_tail(e, gone);
}

static size_t word_start(const struct editor *e)
{
    size_t at = e->cursor;
    while (at > 0 && e->text[at - 1] == ' ')
        at--;
    while (at > 0 && e->text[at - 1] != ' ')
        at--;
    return at;
}

static void move_to(struct editor *e, size_t to)
{
    echo_move(e, e->cursor, to);
    e->cursor = to;
}

static void replace(struct editor *e, const char *text)
{
    move_to(e, 0);
    erase_to_end(e);
    editor_insert(e, text, strlen(text));
}

/* ---- History: history[0] is the newest ---- */

static void remember(struct editor *e)
{
    if (e->len == 0 || (e->n_history > 0 && strcmp(e->history[0], e->text) == 0))
        return;
    memmove(e->history[1], e->history[0], sizeof(e->history) - sizeof(e->history[0]));
    memcpy(e->history[0], e->text, e->len + 1);
    if (e->n_history < EDITOR_HISTORY)
        e->n_history++;
}

static void older(struct editor *e)
{
    if (e->at_history == e->n_history)
        editor_bell(e);
    else
        replace(e, e->history[e->at_history++]);
}

static void newer(struct editor *e)
{
    if (e->at_history == 0)
        editor_bell(e);
    else if (--e->at_history == 0)
        replace(e, "");
    else
        replace(e, e->history[e->at_history - 1]);
}

void editor_next(struct editor *e)
{
    remember(e);
    e->len = e->cursor = 0;
    e->text[0] = '\0';
    e->too_long = false;
    e->at_history = 0;
    editor_redraw(e);
}

/* ---- Telnet ---- */

static void send_option(struct editor *e, uint8_t verb, uint8_t option)
{
    const char bytes[] = {(char)IAC, (char)verb, (char)option};
    send_always(e, bytes, sizeof(bytes));
}

void editor_greet(struct editor *e)
{
    send_option(e, WILL, OPTION_ECHO);
    send_option(e, WILL, OPTION_SUPPRESS_GO_AHEAD);
    send_option(e, DO, OPTION_WINDOW_SIZE);
}

/* Ours have been offered, so their acceptance wants no answer; everything else is declined. Refusals are
 * never answered, so two declining ends do not talk for ever (RFC 854, "General Considerations"). */
static void on_option(struct editor *e, uint8_t verb, uint8_t option)
{
    bool offered = option == OPTION_ECHO || option == OPTION_SUPPRESS_GO_AHEAD;
    e->terminal = true;
    if (verb == DO && !offered)
        send_option(e, WONT, option);
    if (verb == WILL && option != OPTION_WINDOW_SIZE)
        send_option(e, DONT, option);
}

static void on_subnegotiation(struct editor *e)
{
    if (e->option_len != sizeof(e->option) || e->option[0] != OPTION_WINDOW_SIZE)
        return;
    uint16_t rows = (uint16_t)(e->option[3] << 8 | e->option[4]);
    e->rows = rows >= 2 ? rows : EDITOR_ROWS_DEFAULT;
}

static void sub_byte(struct editor *e, uint8_t byte)
{
    if (e->option_len < sizeof(e->option))
        e->option[e->option_len++] = byte;
}

static void telnet_command(struct editor *e, uint8_t byte)
{
    e->telnet = TELNET_DATA;
    if (byte == SB) {
        e->option_len = 0;
        e->telnet = TELNET_SUB;
    } else if (byte >= WILL && byte <= DONT) {
        e->verb = byte;
        e->telnet = TELNET_OPTION;
    }
}

static void telnet_sub_command(struct editor *e, uint8_t byte)
{
    e->telnet = TELNET_SUB;
    if (byte == IAC) {
        sub_byte(e, IAC);
    } else if (byte == SE) {
        on_subnegotiation(e);
        e->telnet = TELNET_DATA;
    }
}

/* True: the byte belonged to the protocol. *interrupt: it was the telnet way to say ^C. */
static bool telnet(struct editor *e, uint8_t byte, bool *interrupt)
{
    switch ((enum telnet_state)e->telnet) {
    case TELNET_DATA:
        if (byte != IAC)
            return false;
        e->telnet = TELNET_COMMAND;
        return true;
    case TELNET_COMMAND:
        *interrupt = byte == IP;
        telnet_command(e, byte);
        return true;
    case TELNET_OPTION:
        on_option(e, e->verb, byte);
        e->telnet = TELNET_DATA;
        return true;
    case TELNET_SUB:
        if (byte == IAC)
            e->telnet = TELNET_SUB_COMMAND;
        else
            sub_byte(e, byte);
        return true;
    case TELNET_SUB_COMMAND:
        telnet_sub_command(e, byte);
        return true;
    }
    return false;
}

/* ---- Keys ---- */

/* The end of "ESC [ 1 ~", "ESC O A": a letter, or a tilde after a number. */
static void escape_key(struct editor *e, uint8_t byte)
{
    switch (byte) {
    case 'A':
        older(e);
        break;
    case 'B':
        newer(e);
        break;
    case 'C':
        if (e->cursor < e->len)
            move_to(e, e->cursor + 1);
        break;
    case 'D':
        if (e->cursor > 0)
            move_to(e, e->cursor - 1);
        break;
    case 'H':
        move_to(e, 0);
        break;
    case 'F':
        move_to(e, e->len);
        break;
    }
}

static void escape(struct editor *e, uint8_t byte)
{
    if (e->escape == ESCAPE_BEGUN) {
        e->escape = byte == '[' || byte == 'O' ? ESCAPE_SEQUENCE : ESCAPE_NONE;
        return;
    }
    if (byte >= '@' || byte < ' ') {
        e->escape = ESCAPE_NONE;
        escape_key(e, byte);
    }
}

static enum editor_event end_of_line(struct editor *e)
{
    echo(e, "\r\n", 2);
    return EDITOR_LINE;
}

static enum editor_event interrupt_line(struct editor *e)
{
    echo(e, "^C\r\n", 4);
    e->len = e->cursor = 0;
    e->text[0] = '\0';
    return EDITOR_INTERRUPT;
}

static enum editor_event end_or_nothing(const struct editor *e)
{
    return e->len == 0 ? EDITOR_END : EDITOR_NOTHING;
}

static void key(struct editor *e, uint8_t byte)
{
    switch (byte) {
    case CONTROL('H'):
    case DELETE:
        if (e->cursor > 0)
            erase_from(e, e->cursor - 1);
        break;
    case CONTROL('W'):
        erase_from(e, word_start(e));
        break;
    case CONTROL('U'):
        erase_from(e, 0);
        break;
    case CONTROL('K'):
        erase_to_end(e);
        break;
    case CONTROL('A'):
        move_to(e, 0);
        break;
    case CONTROL('E'):
        move_to(e, e->len);
        break;
    case CONTROL('B'):
        escape_key(e, 'D');
        break;
    case CONTROL('F'):
        escape_key(e, 'C');
        break;
    case CONTROL('P'):
        older(e);
        break;
    case CONTROL('N'):
        newer(e);
        break;
    case CONTROL('L'):
        echo(e, "\r\n", 2);
        editor_redraw(e);
        break;
    default:
        if (byte >= ' ' && byte < DELETE)
            editor_insert(e, (const char *)&byte, 1);
        else
            editor_bell(e);
    }
}

int editor_key(struct editor *e, uint8_t byte)
{
    bool interrupt = false, after_cr = e->after_cr;
    if (telnet(e, byte, &interrupt))
        return interrupt ? CONTROL('C') : -1;
    e->after_cr = byte == '\r';
    return byte == '\0' || (byte == '\n' && after_cr) ? -1 : byte;
}

enum editor_event editor_feed(struct editor *e, uint8_t byte)
{
    bool interrupt = false, after_cr = e->after_cr;
    if (telnet(e, byte, &interrupt))
        return interrupt ? interrupt_line(e) : EDITOR_NOTHING;
    e->after_cr = byte == '\r';
    if (e->escape != ESCAPE_NONE) {
        escape(e, byte);
        return EDITOR_NOTHING;
    }
    switch (byte) {
    case '\n':
        return after_cr ? EDITOR_NOTHING : end_of_line(e);
    case '\r':
        return end_of_line(e);
    case '\0':
        return EDITOR_NOTHING;
    case '\t':
        return EDITOR_COMPLETE;
    case '?':
        return EDITOR_HELP;
    case CONTROL('C'):
        return interrupt_line(e);
    case CONTROL('D'):
        return end_or_nothing(e);
    case ESCAPE:
        e->escape = ESCAPE_BEGUN;
        return EDITOR_NOTHING;
    default:
        key(e, byte);
        return EDITOR_NOTHING;
    }
}
