/* SPDX-License-Identifier: BSD-3-Clause */
#include "../check_main.h"

#include <stdio.h>

#include "report.h"

static const struct report_column columns[] = {
    {"name", "NAME", 8, false},
    {"addresses", "ADDRESSES", 20, false},
    {"packets", "PACKETS", 8, true},
    {"left", "LEFT", 0, false},
};

static void write_row(struct report *r, const char *name, uint64_t packets)
{
    report_row(r);
    report_string(r, name);
    report_list(r);
    report_list_item(r, "10.2.0.1");
    report_list_item(r, "10.2.0.2");
    report_list_end(r);
    report_number(r, packets);
    report_none(r, "never");
    report_row_end(r);
}

static void write_answer(struct report *r)
{
    report_begin(r);
    report_table(r, "things", columns, 4);
    write_row(r, "one", 18446744073709551615U);
    write_row(r, "a long name", 0);
    report_table_end(r);
    report_group(r, "first", "The first group");
    report_count(r, "SOME_KEY", "some text", 7);
    report_count(r, "other", "other text", 8);
    report_group_end(r);
    report_group(r, "second", "The second group");
    report_group_end(r);
    report_fact(r, "node", "Node", "pha1");
    report_fact_number(r, "uptime_s", "Uptime (s)", 12);
    report_end(r);
}

static void expect(const struct report *r, const char *text)
{
    ck_assert_uint_eq(r->len, strlen(text));
    ck_assert_msg(memcmp(r->text, text, r->len) == 0, "got:\n%.*s", (int)r->len, r->text);
}

START_TEST(one_description_as_text)
{
    static struct report r;
    report_init(&r, false);
    write_answer(&r);
    expect(&r, "NAME      ADDRESSES              PACKETS  LEFT\n"
               "one       10.2.0.1,10.2.0.2     18446744073709551615  never\n"
               "a long name  10.2.0.1,10.2.0.2            0  never\n"
               "The first group\n"
               "               7  some text\n"
               "               8  other text\n"
               "\n"
               "The second group\n"
               "Node:             pha1\n"
               "Uptime (s):       12\n");
}
END_TEST

START_TEST(the_same_description_as_json)
{
    static struct report r;
    report_init(&r, true);
    write_answer(&r);
    expect(&r, "{\"things\": [\n"
               "{\"name\": \"one\", \"addresses\": [\"10.2.0.1\", \"10.2.0.2\"], "
               "\"packets\": 18446744073709551615, \"left\": null},\n"
               "{\"name\": \"a long name\", \"addresses\": [\"10.2.0.1\", \"10.2.0.2\"], "
               "\"packets\": 0, \"left\": null}], "
               "\"first\": {\"some_key\": 7, \"other\": 8}, \"second\": {}, "
               "\"node\": \"pha1\", \"uptime_s\": 12}\n");
}
END_TEST

START_TEST(an_empty_list_is_a_dash_or_empty_brackets)
{
    static const struct report_column two[] = {{"a", "A", 3, false}, {"b", "B", 0, false}};
    static struct report r;
    for (int json = 0; json < 2; json++) {
        report_init(&r, json);
        report_begin(&r);
        report_table(&r, "t", two, 2);
        report_row(&r);
        for (int i = 0; i < 2; i++) {
            report_list(&r);
            report_list_end(&r);
        }
        report_row_end(&r);
        report_table_end(&r);
        report_end(&r);
        expect(&r, json ? "{\"t\": [\n{\"a\": [], \"b\": []}]}\n" : "A    B\n-    -\n");
    }
}
END_TEST

/* What a configuration or a stranger may have put into a name. */
static const struct {
    const char *what, *name, *text, *json;
} strings[] = {
    {"quotes", "a\"b\\c", "a\"b\\c", "a\\\"b\\\\c"},
    {"control characters", "a\n\x1b[2J\x7f", "a??[2J?", "a\\u000a\\u001b[2J\\u007f"},
    {"UTF-8 stays", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",
     "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"},
    {"Latin-1", "\xe4z", "?z", "\\ufffdz"},
    {"overlong", "\xc0\xaf", "??", "\\ufffd\\ufffd"},
    {"surrogate", "\xed\xa0\x80", "???", "\\ufffd\\ufffd\\ufffd"},
    {"cut off", "\xf0\x9f\x98", "???", "\\ufffd\\ufffd\\ufffd"},
    {"beyond Unicode", "\xf5\x80", "??", "\\ufffd\\ufffd"},
};

START_TEST(strings_cannot_break_out)
{
    static struct report r;
    char expected[128];
    report_init(&r, true);
    report_begin(&r);
    report_fact(&r, "k", "K", strings[_i].name);
    report_end(&r);
    snprintf(expected, sizeof(expected), "{\"k\": \"%s\"}\n", strings[_i].json);
    expect(&r, expected);
    report_init(&r, false);
    report_fact(&r, "k", "K", strings[_i].name);
    snprintf(expected, sizeof(expected), "K:                %s\n", strings[_i].text);
    expect(&r, expected);
}
END_TEST

START_TEST(slices_continue_the_same_object)
{
    enum { MANY = 1000 };
    static struct report r;
    static char whole[MANY * 200];
    size_t len = 0;
    unsigned slices = 0, rows = 0;
    report_init(&r, true);
    report_begin(&r);
    report_table(&r, "things", columns, 4);
    for (unsigned i = 0; i < MANY; i++) {
        if (report_full(&r)) {
            ck_assert_uint_lt(r.len, REPORT_SLICE + REPORT_SLACK);
            memcpy(whole + len, r.text, r.len);
            len += r.len;
            report_taken(&r);
            slices++;
        }
        write_row(&r, "name", i);
    }
    report_table_end(&r);
    report_end(&r);
    memcpy(whole + len, r.text, r.len);
    len += r.len;
    ck_assert_uint_gt(slices, 3);
    for (const char *at = whole; (at = strstr(at, "},\n{")) != NULL; at++)
        rows++;
    ck_assert_uint_eq(rows, MANY - 1);
    ck_assert_int_eq(strncmp(whole, "{\"things\": [\n{", 14), 0);
    ck_assert_int_eq(memcmp(whole + len - 4, "}]}\n", 4), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("report");
    TCase *cases = tcase_create("report");
    tcase_add_test(cases, one_description_as_text);
    tcase_add_test(cases, the_same_description_as_json);
    tcase_add_test(cases, an_empty_list_is_a_dash_or_empty_brackets);
    tcase_add_loop_test(cases, strings_cannot_break_out, 0, ROWS(strings));
    tcase_add_test(cases, slices_continue_the_same_object);
    suite_add_tcase(suite, cases);
    return check_main(suite);
}
