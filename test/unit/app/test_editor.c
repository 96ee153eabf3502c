/* SPDX-License-Identifier: BSD-3-Clause */
#include "../check_main.h"

#include <stdio.h>

#include "editor.h"

/* What a terminal of one long line would show after all the echo: enough of one to tell whether the operator
 * sees what will be run. */
struct screen {
    char cells[4096];
    size_t at, len;
};

static void screen_show(struct screen *s, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] == '\b') {
            ck_assert_uint_gt(s->at, 0);
            s->at--;
        } else if (bytes[i] == '\n') {
            memset(s, 0, sizeof(*s));
        } else if (bytes[i] >= ' ') {
            s->cells[s->at++] = bytes[i];
            s->len = s->at > s->len ? s->at : s->len;
        }
    }
}

static void begin(struct editor *e)
{
    editor_init(e, "> ");
    e->terminal = true;
    editor_next(e);
    e->n_echo = 0;
}

/* The last event; the screen follows. */
static enum editor_event type(struct editor *e, const char *bytes, size_t n, struct screen *screen)
{
    enum editor_event event = EDITOR_NOTHING;
    for (size_t i = 0; i < n; i++) {
        event = editor_feed(e, (uint8_t)bytes[i]);
        screen_show(screen, e->echo, e->n_echo);
        e->n_echo = 0;
    }
    return event;
}

#define UP    "\x1b[A"
#define DOWN  "\x1b[B"
#define RIGHT "\x1b[C"
#define LEFT  "\x1b[D"

static const struct {
    const char *what, *typed, *line;
    size_t cursor;
} edits[] = {
    {"plain", "show ports", "show ports", 10},
    {"backspace and delete", "shox\bw\x7fw", "show", 4},
    {"backspace on nothing", "\b\bab", "ab", 2},
    {"in the middle", "shw" LEFT "o", "show", 3},
    {"erase in the middle", "shoxw" LEFT "\b", "show", 3},
    {"word", "show  ports  \x17", "show  ", 6},
    {"word in the middle", "set log info" LEFT LEFT LEFT LEFT LEFT "\x17", "set  info", 4},
    {"whole line", "rubbish\x15quit", "quit", 4},
    {"to the end", "quit now\x01" RIGHT RIGHT RIGHT RIGHT "\x0b", "quit", 4},
    {"start and end",
     "bc\x01"
     "a\x05"
     "d",
     "abcd", 4},
    {"home and end keys", "bc\x1b[Ha\x1bOFd", "abcd", 4},
    {"arrows stop at the ends", LEFT "a" RIGHT RIGHT "b", "ab", 2},
    {"unknown sequences vanish", "a\x1b[3~b\x1b[1;5Qc\x1bxd", "abcd", 4},
    {"what is no character rings",
     "a\x01\x02\x80\xe4"
     "b",
     "ba", 1},
};

START_TEST(editing_changes_line_and_screen_alike)
{
    struct editor e;
    struct screen screen = {0};
    begin(&e);
    type(&e, edits[_i].typed, strlen(edits[_i].typed), &screen);
    ck_assert_msg(strcmp(e.text, edits[_i].line) == 0, "%s: line is '%s'", edits[_i].what, e.text);
    ck_assert_uint_eq(e.cursor, edits[_i].cursor);
    ck_assert_uint_eq(screen.at, e.cursor);
    size_t len = strlen(edits[_i].line);
    ck_assert_msg(memcmp(screen.cells, edits[_i].line, len) == 0, "%s: screen '%s'", edits[_i].what,
                  screen.cells);
    for (size_t i = len; i < screen.len; i++)
        ck_assert_int_eq(screen.cells[i], ' ');
}
END_TEST

/* Lines end in as many ways as there are clients. */
static const struct {
    const char *what, *bytes;
    size_t n;
} ends[] = {
    {"CR LF", "a\r\nb\r\n", 6}, {"CR NUL", "a\r\0b\r\0", 6}, {"CR", "a\rb\r", 4}, {"LF", "a\nb\n", 4}};

START_TEST(every_line_ends_once)
{
    struct editor e;
    begin(&e);
    char lines[8] = "";
    for (size_t i = 0; i < ends[_i].n; i++) {
        if (editor_feed(&e, (uint8_t)ends[_i].bytes[i]) == EDITOR_LINE) {
            strcat(lines, e.text);
            strcat(lines, "|");
            editor_next(&e);
        }
    }
    ck_assert_str_eq(lines, "a|b|");
}
END_TEST

START_TEST(history_goes_back_and_forth)
{
    struct editor e;
    struct screen screen = {0};
    begin(&e);
    const char *const lines[] = {"one\r", "two\r", "two\r", "\r"};
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(type(&e, lines[i], strlen(lines[i]), &screen), EDITOR_LINE);
        editor_next(&e);
        e.n_echo = 0;
    }
    memset(&screen, 0, sizeof(screen));
    static const struct {
        const char *key, *line;
    } steps[] = {{UP, "two"}, {UP, "one"}, {UP, "one"},    {DOWN, "two"},
                 {DOWN, ""},  {DOWN, ""},  {"\x10", "two"}};
    for (int i = 0; i < ROWS(steps); i++) {
        type(&e, steps[i].key, strlen(steps[i].key), &screen);
        ck_assert_str_eq(e.text, steps[i].line);
        ck_assert_int_eq(strncmp(screen.cells, steps[i].line, strlen(steps[i].line)), 0);
    }
}
END_TEST

START_TEST(history_keeps_the_newest)
{
    struct editor e;
    struct screen screen = {0};
    char line[16];
    begin(&e);
    for (int i = 0; i < 100; i++) {
        int n = snprintf(line, sizeof(line), "%d\r", i);
        type(&e, line, (size_t)n, &screen);
        editor_next(&e);
        e.n_echo = 0;
    }
    memset(&screen, 0, sizeof(screen));
    for (int i = 0; i < 100; i++)
        type(&e, UP, 3, &screen);
    ck_assert_str_eq(e.text, "68");
}
END_TEST

static const struct {
    const char *what, *bytes;
    size_t n;
    const char *answer;
    size_t answer_len;
    int rows;
} negotiations[] = {
    {"accepts echo", "\xff\xfd\x01", 3, "", 0, EDITOR_ROWS_DEFAULT},
    {"asks for the unknown", "\xff\xfd\x18", 3, "\xff\xfc\x18", 3, EDITOR_ROWS_DEFAULT},
    {"offers the unknown", "\xff\xfb\x18", 3, "\xff\xfe\x18", 3, EDITOR_ROWS_DEFAULT},
    {"refusals are not answered", "\xff\xfe\x01\xff\xfc\x1f", 6, "", 0, EDITOR_ROWS_DEFAULT},
    {"window size", "\xff\xfb\x1f\xff\xfa\x1f\x00\x50\x00\x32\xff\xf0", 12, "", 0, 50},
    {"window of 255 rows, doubled IAC", "\xff\xfb\x1f\xff\xfa\x1f\x00\x50\x00\xff\xff\xff\xf0", 13, "", 0,
     255},
    {"window without rows", "\xff\xfb\x1f\xff\xfa\x1f\x00\x00\x00\x00\xff\xf0", 12, "", 0,
     EDITOR_ROWS_DEFAULT},
    {"long subnegotiation", "\xff\xfb\x1f\xff\xfa\x18zzzzzzzzzzzzzzzzzzzzzz\xff\xf0", 30, "", 0,
     EDITOR_ROWS_DEFAULT},
};

START_TEST(telnet_is_understood)
{
    struct editor e;
    editor_init(&e, "> ");
    ck_assert(!e.terminal);
    for (size_t i = 0; i < negotiations[_i].n; i++)
        ck_assert_int_eq(editor_feed(&e, (uint8_t)negotiations[_i].bytes[i]), EDITOR_NOTHING);
    ck_assert_msg(e.n_echo == negotiations[_i].answer_len &&
                      memcmp(e.echo, negotiations[_i].answer, e.n_echo) == 0,
                  "%s", negotiations[_i].what);
    ck_assert(e.terminal);
    ck_assert_int_eq(e.rows, negotiations[_i].rows);
    ck_assert_str_eq(e.text, "");
    editor_feed(&e, 'x');
    ck_assert_str_eq(e.text, "x");
}
END_TEST

START_TEST(who_speaks_no_telnet_gets_no_echo)
{
    struct editor e;
    editor_init(&e, "> ");
    editor_next(&e);
    ck_assert_uint_eq(e.n_echo, 2); /* the prompt */
    e.n_echo = 0;
    editor_feed(&e, 'x');
    ck_assert_uint_eq(e.n_echo, 0);
}
END_TEST

START_TEST(a_line_has_an_end)
{
    struct editor e;
    struct screen screen = {0};
    begin(&e);
    for (int i = 0; i < 10000; i++)
        type(&e, "x", 1, &screen);
    ck_assert_uint_eq(e.len, EDITOR_LINE_MAX - 1);
    ck_assert(e.too_long);
    editor_insert(&e, "completion", 10);
    ck_assert_uint_eq(strlen(e.text), EDITOR_LINE_MAX - 1);
    editor_next(&e);
    ck_assert(!e.too_long);
}
END_TEST

START_TEST(noise_breaks_nothing)
{
    struct editor e;
    unsigned seed = 20240607U + (unsigned)_i;
    begin(&e);
    for (int i = 0; i < 30000; i++) {
        /* Keys and telnet bytes more often than their share. */
        static const char favoured[] = "\r\n\t?\b\x15\x17\x1b[ABCD\x10\x0e\xff\xfa\xf0\xfb\xfd\x1f";
        unsigned r = (unsigned)rand_r(&seed);
        uint8_t byte = r & 0x100 ? (uint8_t)favoured[r % (sizeof(favoured) - 1)] : (uint8_t)r;
        if (editor_feed(&e, byte) == EDITOR_LINE)
            editor_next(&e);
        ck_assert_uint_le(e.cursor, e.len);
        ck_assert_uint_lt(e.len, EDITOR_LINE_MAX);
        ck_assert_int_eq(e.text[e.len], '\0');
        ck_assert_uint_le(e.n_echo, EDITOR_ECHO_MAX);
        e.n_echo = 0;
    }
}
END_TEST

START_TEST(one_key_answers)
{
    struct editor e;
    begin(&e);
    const uint8_t bytes[] = {255, 251, 31, 'q', '\r', 0, '\r', '\n', '\n', 255, 244};
    const int keys[] = {-1, -1, -1, 'q', '\r', -1, '\r', -1, '\n', -1, 3};
    for (int i = 0; i < ROWS(bytes); i++)
        ck_assert_int_eq(editor_key(&e, bytes[i]), keys[i]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("editor");
    TCase *cases = tcase_create("editor");
    tcase_add_loop_test(cases, editing_changes_line_and_screen_alike, 0, ROWS(edits));
    tcase_add_loop_test(cases, every_line_ends_once, 0, ROWS(ends));
    tcase_add_test(cases, history_goes_back_and_forth);
    tcase_add_test(cases, history_keeps_the_newest);
    tcase_add_loop_test(cases, telnet_is_understood, 0, ROWS(negotiations));
    tcase_add_test(cases, who_speaks_no_telnet_gets_no_echo);
    tcase_add_test(cases, a_line_has_an_end);
    tcase_add_loop_test(cases, noise_breaks_nothing, 0, 3);
    tcase_add_test(cases, one_key_answers);
    suite_add_tcase(suite, cases);
    return check_main(suite);
}
