/* SPDX-License-Identifier: BSD-3-Clause */
/* How a line of text finds its row, on a table of the test's own. */
#include "../check_main.h"

#include "commands.h"

static const char *const colours[] = {"red", "green", "grey", NULL};

const struct command_row commands_table[] = {
    {.words = "show bindings", .arguments = "[HOME-ADDRESS]", .help = "bindings", .json = true},
    {.words = "show ports", .arguments = "", .help = "ports", .json = true},
    {.words = "show ports all", .arguments = "", .help = "all of them"},
    {.words = "set colour", .arguments = "COLOUR", .help = "paint", .choices = colours},
    {.words = "move", .arguments = "FROM TO [HOW]", .help = "move", .json = true},
    {.words = "quit", .arguments = "", .help = "leave", .place = COMMAND_QUIT},
};
const size_t commands_table_rows = sizeof(commands_table) / sizeof(commands_table[0]);

static const struct {
    const char *text;
    int row; /* -1: refused */
    int argc;
    const char *last; /* argument, or what the refusal has in it */
    bool json;
} lines[] = {
    {"show bindings", 0, 0, NULL, false},
    {"  show \t bindings  \r\n", 0, 0, NULL, false},
    {"sh b", 0, 0, NULL, false},
    {"show bindings 10.1.0.50", 0, 1, "10.1.0.50", false},
    {"show bindings json", 0, 0, NULL, true},
    {"show bindings 10.1.0.50 json", 0, 1, "10.1.0.50", true},
    {"show bindings json json", 0, 1, "json", true},
    {"show ports", 1, 0, NULL, false},
    {"show ports all", 2, 0, NULL, false},
    {"show ports json", 1, 0, NULL, true},
    {"set colour red", 3, 1, "red", false},
    {"move a b", 4, 2, "b", false},
    {"move a b c json", 4, 3, "c", true},
    {"q", 5, 0, NULL, false},
    {"", -1, 0, "", false},
    {"   ", -1, 0, "", false},
    {"show", -1, 0, "which one", false},
    {"s", -1, 0, "which one", false},
    {"set", -1, 0, "incomplete: set colour", false},
    {"showbindings", -1, 0, "no such command: showbindings", false},
    {"show bindingsx", -1, 0, "no such command", false},
    {"show nothing", -1, 0, "no such command", false},
    {"set colour", -1, 0, "usage: set colour COLOUR", false},
    {"set colour red json", -1, 0, "usage: set colour COLOUR", false},
    {"move a", -1, 0, "usage: move FROM TO [HOW] [json]", false},
    {"move a b c d", -1, 0, "usage", false},
    {"quit now", -1, 0, "usage: quit", false},
    {"1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17", -1, 0, "too long", false},
};

START_TEST(a_line_finds_its_row)
{
    static struct command command;
    struct commands_line line;
    const char *text = lines[_i].text;
    bool found = commands_parse(&line, text, false, &command);
    ck_assert_msg(found == (lines[_i].row >= 0), "'%s': %s", text, command.refusal);
    if (!found) {
        ck_assert_ptr_null(command.row);
        ck_assert_msg(strstr(command.refusal, lines[_i].last) != NULL, "'%s': %s", text, command.refusal);
        ck_assert((*text != '\0' && strspn(text, " ") < strlen(text)) == (*command.refusal != '\0'));
        return;
    }
    ck_assert_msg(command.row == &commands_table[lines[_i].row], "'%s': %s", text, command.row->words);
    ck_assert_int_eq(command.argc, lines[_i].argc);
    ck_assert_int_eq(command.out.json, lines[_i].json);
    if (lines[_i].last != NULL)
        ck_assert_str_eq(command.argv[command.argc - 1], lines[_i].last);
}
END_TEST

START_TEST(a_longer_line_than_there_is_room_for)
{
    static struct command command;
    struct commands_line line;
    char text[COMMANDS_LINE_MAX + 1];
    memset(text, 'x', COMMANDS_LINE_MAX);
    text[COMMANDS_LINE_MAX] = '\0';
    ck_assert(!commands_parse(&line, text, false, &command));
    ck_assert_str_eq(command.refusal, "the line is too long");
    text[COMMANDS_LINE_MAX - 1] = '\0';
    ck_assert(!commands_parse(&line, text, false, &command));
    ck_assert_ptr_nonnull(strstr(command.refusal, "no such command"));
}
END_TEST

/* Words, in brackets those that are for the eye only. */
static const struct {
    const char *text, *choices;
    size_t partial;
} completions[] = {
    {"", "show set move quit ", 0},
    {"s", "show set ", 1},
    {"sh", "show ", 2},
    {"show", "show ", 4},
    {"show ", "bindings ports ", 0},
    {"sh p", "ports ", 1},
    {"show x", "", 1},
    {"show bindings ", "([HOME-ADDRESS]) json (<cr>) ", 0},
    {"show bindings j", "([HOME-ADDRESS]) json ", 1},
    {"show bindings 10.1.0.50 ", "json (<cr>) ", 0},
    {"show bindings 10.1.0.50 json ", "(<cr>) ", 0},
    {"show bindings json ", "(<cr>) ", 0},
    {"show ports ", "json (<cr>) all ", 0},
    {"show bindings a b ", "", 0},
    {"set colour ", "red green grey ", 0},
    {"set colour gr", "green grey ", 2},
    {"set colour red ", "(<cr>) ", 0},
    {"move ", "(FROM) ", 0},
    {"move a ", "(TO) ", 0},
    {"move a b ", "([HOW]) json (<cr>) ", 0},
};

START_TEST(completion_offers_what_may_follow)
{
    struct commands_completion out[COMMANDS_COMPLETIONS_MAX];
    char got[256] = "";
    size_t partial, n = commands_complete(completions[_i].text, strlen(completions[_i].text), out, &partial);
    for (size_t i = 0; i < n; i++) {
        strcat(got, out[i].insertable ? "" : "(");
        strncat(got, out[i].word, out[i].len);
        strcat(got, out[i].insertable ? " " : ") ");
    }
    ck_assert_msg(strcmp(got, completions[_i].choices) == 0, "'%s': %s", completions[_i].text, got);
    ck_assert_uint_eq(partial, completions[_i].partial);
}
END_TEST

START_TEST(help_lists_every_row)
{
    static struct report out;
    report_init(&out, false);
    commands_help(&out);
    out.text[out.len] = '\0';
    for (size_t i = 0; i < commands_table_rows; i++)
        ck_assert_ptr_nonnull(strstr(out.text, commands_table[i].words));
    ck_assert_ptr_nonnull(strstr(out.text, "show bindings [HOME-ADDRESS] [json]"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("commands");
    TCase *cases = tcase_create("commands");
    tcase_add_loop_test(cases, a_line_finds_its_row, 0, ROWS(lines));
    tcase_add_test(cases, a_longer_line_than_there_is_room_for);
    tcase_add_loop_test(cases, completion_offers_what_may_follow, 0, ROWS(completions));
    tcase_add_test(cases, help_lists_every_row);
    suite_add_tcase(suite, cases);
    return check_main(suite);
}
