/* SPDX-License-Identifier: BSD-3-Clause */
/* Files beside the configuration: of keys, and of mobile nodes in bulk. */
#include "conf_good.h"

/* ---- Key files ---- */

static const struct {
    const char *text;
    mode_t mode;
    const char *says; /* NULL: good */
} key_files[] = {
    {KEY16, 0600, NULL},
    {KEY16 "\n", 0400, NULL},
    {"hex:" KEY16 "\r\n", 0600, NULL},
    {KEY32 KEY32 "\n", 0600, NULL},
    {KEY16, 0644, "/key: others can use this file (mode 0644)"},
    {KEY16, 0640, "/key: others can use this file (mode 0640)"},
    {KEY16, 0602, "/key: others can use this file (mode 0602)"},
    {"", 0600, "0 bytes"},
    {"secret", 0600, "digit 1 is not hexadecimal"},
    {KEY16 "\n" KEY16 "\n", 0600, "digit 33 is not hexadecimal"},
    {KEY32 KEY32 "00", 0600, "65 bytes; it must be from 1 to 64"},
    {KEY32 KEY32 KEY32 KEY32 KEY32, 0600, "holds no key"},
};

START_TEST(key_file)
{
    write_text("nodes.csv", "", 0600);
    write_text("key", key_files[_i].text, key_files[_i].mode);
    char *errors;
    struct conf *conf = load(good, &errors);
    if (key_files[_i].says == NULL)
        ck_assert_msg(conf != NULL, "%s", errors);
    else
        assert_only_line(errors, "t.conf", 34, key_files[_i].says);
    free(errors);
    conf_free(conf);
}
END_TEST

START_TEST(key_in_readable_file)
{
    char *errors;
    write_text("t.conf", good, 0640);
    struct conf *conf = load_path(conf_path, &errors);
    assert_line(conf->warnings, "t.conf", 40, "a key in a file that others can use (mode 0640)");
    free(errors);
    conf_free(conf);
}
END_TEST

/* ---- Mobile nodes in bulk ---- */

static const struct {
    const char *rows;
    int line;
    const char *says;
} csv_faults[] = {
    {"10.1.0.100,256\n", 1, "key is missing"},
    {"# one\n\n10.1.0.100\n", 3, "spi is missing"},
    {"10.1.0.100,256,hex:00,,,,\n", 1, "more than 6 fields"},
    {"address,256,hex:00\n", 1, "address: 'address' is no address"},
    {"10.2.0.100,256,hex:00\n", 1, "address: '10.2.0.100' is in no home network"},
    {"10.1.0.1,256,hex:00\n", 1, "address: '10.1.0.1' is the address of a router"},
    {"10.1.0.100,,hex:00\n", 1, "spi: '' is no whole number"},
    {"10.1.0.100,0xff,hex:00\n", 1, "spi: '0xff' is no whole number"},
    {"10.1.0.100,256,\n", 1, "key: neither hex:DIGITS nor file:PATH"},
    {"10.1.0.100,256,hex:00,sha1\n", 1, "algorithm: 'sha1' is none of"},
    {"10.1.0.100,256,hex:00,,later\n", 1, "replay: 'later' is none of"},
    {"10.1.0.100,256,hex:00,,,a b\n", 1, "nai: 'a b' holds blanks"},
    {"10.1.0.100,256,hex:00\n10.1.0.101,256,hex:00\n10.1.0.100,256,hex:01\n", 3,
     "10.1.0.100: a second association with the same SPI; the first is at"},
    {"10.1.0.50,256,hex:00\n", 1, "t.conf:32"},
    {"10.1.0.100,256,hex:00,,,x\n10.1.0.101,256,hex:00,,,x\n", 2, "the NAI of another home address"},
    {"10.1.0.100,256,hex:00,,,truck7@fleet.example", 1, "the NAI of another home address"},
};

START_TEST(csv_refuses)
{
    write_text("nodes.csv", csv_faults[_i].rows, 0600);
    char *errors;
    ck_assert_ptr_null(load(good, &errors));
    assert_only_line(errors, "nodes.csv", csv_faults[_i].line, csv_faults[_i].says);
    free(errors);
}
END_TEST

START_TEST(csv_many_associations)
{
    enum { SPIS = 500 };
    char *rows;
    size_t len;
    FILE *f = open_memstream(&rows, &len);
    for (int i = 0; i < SPIS; i++)
        fprintf(f, "10.1.0.100,%d,hex:00,,,van@fleet.example\n", 256 + i);
    fclose(f);
    write_text("nodes.csv", rows, 0600);
    struct conf *conf = loaded(good);
    ck_assert_uint_eq(conf->n_mobiles, 3 + SPIS);
    conf_free(conf);
    free(rows);
}
END_TEST

START_TEST(csv_refuses_zero_bytes)
{
    static const char rows[] = "10.1.0.100,256,hex:00\n10.1.0.101,256,hex:00\0\n";
    char *errors;
    write_file("nodes.csv", rows, sizeof(rows) - 1, 0600);
    ck_assert_ptr_null(load(good, &errors));
    assert_only_line(errors, "nodes.csv", 2, "a zero byte");
    free(errors);
}
END_TEST

START_TEST(csv_secret)
{
    char *errors;
    write_text("nodes.csv", good_rows, 0640);
    struct conf *conf = load(good, &errors);
    ck_assert_msg(conf != NULL, "%s", errors);
    assert_line(conf->warnings, "nodes.csv", 3, "a key in a file that others can use (mode 0640)");
    conf_free(conf);
    free(errors);
}
END_TEST

START_TEST(csv_faults_are_capped)
{
    char *rows;
    char *errors;
    size_t len;
    FILE *f = open_memstream(&rows, &len);
    for (int i = 0; i < 100000; i++)
        fputs("10.1.0.100;256;hex:00\n", f);
    fclose(f);
    write_text("nodes.csv", rows, 0600);
    ck_assert_ptr_null(load(good, &errors));
    ck_assert_uint_eq(lines_in(errors), 101);
    assert_line(errors, "nodes.csv", 100, "spi is missing");
    assert_line(errors, "t.conf", 1, "and 99900 more faults, not shown");
    free(errors);
    free(rows);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("conf_mobiles");
    TCase *tests = conf_case(suite, "conf_mobiles", setup);
    tcase_add_loop_test(tests, key_file, 0, ROWS(key_files));
    tcase_add_test(tests, key_in_readable_file);
    tcase_add_loop_test(tests, csv_refuses, 0, ROWS(csv_faults));
    tcase_add_test(tests, csv_many_associations);
    tcase_add_test(tests, csv_refuses_zero_bytes);
    tcase_add_test(tests, csv_secret);
    tcase_add_test(tests, csv_faults_are_capped);
    return check_main(suite);
}
