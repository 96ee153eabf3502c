/* SPDX-License-Identifier: BSD-3-Clause */
#include "../check_main.h"
#include "roster.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static struct roster roster;
static char error[ROSTER_ERROR_MAX];
static char path[] = "/tmp/test_roster.XXXXXX";

static void setup(void)
{
    strcpy(path, "/tmp/test_roster.XXXXXX");
    const int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
    roster = (struct roster){0};
    *error = '\0';
}

static void teardown(void)
{
    roster_clear(&roster);
    unlink(path);
}

static void write_file(const char *text)
{
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static void ck_home(size_t row, const char *expected)
{
    char text[ADDR_TEXT_MAX];
    ck_assert_str_eq(addr_format(&roster.rows[row].home, text), expected);
}

START_TEST(rows_of_a_file)
{
    write_file("# address,spi,key\n"
               "10.1.0.50,256,hex:000102\n"
               "\n"
               " 10.1.0.51 , 4294967295 , hex:FFee , hmac-sha256 , nonce , truck7@fleet.example \r\n"
               "10.1.0.52,300,hex:01,,nonce\n"
               "2001:db8:1::50,256,hex:000102\n"
               "2001:db8:1::51,256,hex:000102,hmac-sha1,sequence,truck8@fleet.example\n");
    ck_assert_msg(roster_add_file(&roster, path, error), "%s", error);
    ck_assert_uint_eq(roster.count, 5);

    ck_home(0, "10.1.0.50");
    ck_assert_uint_eq(roster.rows[0].spi, 256);
    ck_assert_uint_eq(roster.rows[0].key.len, 3);
    ck_assert_mem_eq(roster.rows[0].key.bytes, "\0\1\2", 3);
    ck_assert_int_eq(roster.rows[0].key.algorithm, AUTH_HMAC_MD5);
    ck_assert_int_eq(roster.rows[0].replay, MOBILE_TIMESTAMP);
    ck_assert_ptr_null(roster.rows[0].nai);

    ck_home(1, "10.1.0.51");
    ck_assert_uint_eq(roster.rows[1].spi, UINT32_MAX);
    ck_assert_mem_eq(roster.rows[1].key.bytes, "\xff\xee", 2);
    ck_assert_int_eq(roster.rows[1].key.algorithm, AUTH_HMAC_SHA256);
    ck_assert_int_eq(roster.rows[1].replay, MOBILE_NONCE);
    ck_assert_str_eq(roster.rows[1].nai, "truck7@fleet.example");

    ck_assert_int_eq(roster.rows[2].key.algorithm, AUTH_HMAC_MD5);
    ck_assert_int_eq(roster.rows[2].replay, MOBILE_NONCE);

    ck_home(3, "2001:db8:1::50");
    ck_assert_int_eq(roster.rows[3].key.algorithm, AUTH_HMAC_SHA1);
    ck_assert_int_eq(roster.rows[3].replay, MOBILE_TIMESTAMP);
    ck_home(4, "2001:db8:1::51");
    ck_assert_int_eq(roster.rows[4].replay, MOBILE_SEQUENCE);
    ck_assert_str_eq(roster.rows[4].nai, "truck8@fleet.example");
}
END_TEST

static const char *const bad_rows[] = {
    "10.1.0.50,256",
    "10.1.0,256,hex:00",
    "2001:db8::1::,256,hex:00",
    "2001:db8::1,256,hex:00,hmac-md5",
    "2001:db8::1,256,hex:00,hmac-sha256",
    "2001:db8::1,256,hex:00,hmac-sha1,nonce",
    "::,256,hex:00",
    "0.0.0.0,256,hex:00",
    "10.1.0.50,256,hex:00,hmac-sha1,sequence",
    "10.1.0.50,255,hex:00",
    "10.1.0.50,4294967296,hex:00",
    "10.1.0.50,-1,hex:00",
    "10.1.0.50,256x,hex:00",
    "10.1.0.50,256,00",
    "10.1.0.50,256,hex:",
    "10.1.0.50,256,hex:0",
    "10.1.0.50,256,hex:0g",
    "10.1.0.50,256,file:/nowhere/at/all",
    "10.1.0.50,256,hex:00,md4",
    "10.1.0.50,256,hex:00,hmac-md5,none",
    "10.1.0.50,256,hex:00,hmac-md5,nonce,a@b,c",
};

START_TEST(bad_row)
{
    char text[256], expected[64];
    snprintf(text, sizeof(text), "10.1.0.49,256,hex:00\n%s\n", bad_rows[_i]);
    snprintf(expected, sizeof(expected), "%s:2: ", path);
    write_file(text);
    ck_assert_msg(!roster_add_file(&roster, path, error), "taken: %s", bad_rows[_i]);
    ck_assert_msg(strncmp(error, expected, strlen(expected)) == 0, "%s", error);
    ck_assert_uint_gt(strlen(error), strlen(expected));
}
END_TEST

START_TEST(longest_key)
{
    char text[5 + 2 * AUTH_KEY_MAX + 3] = "hex:";
    struct auth_key key = {0};
    memset(text + 4, 'a', 2 * AUTH_KEY_MAX);
    ck_assert(roster_key(text, &key, error));
    ck_assert_uint_eq(key.len, AUTH_KEY_MAX);
    strcat(text, "aa");
    ck_assert(!roster_key(text, &key, error));
    ck_assert_uint_eq(key.len, AUTH_KEY_MAX);
}
END_TEST

START_TEST(key_file)
{
    char text[64];
    struct auth_key key = {0};
    snprintf(text, sizeof(text), "file:%s", path);
    write_file("0a0b\n");
    ck_assert_msg(roster_key(text, &key, error), "%s", error);
    ck_assert_mem_eq(key.bytes, "\x0a\x0b", 2);
    write_file("hex:0c0d\nsomething else\n");
    ck_assert(roster_key(text, &key, error));
    ck_assert_mem_eq(key.bytes, "\x0c\x0d", 2);

    ck_assert_int_eq(chmod(path, 0640), 0);
    ck_assert_msg(!roster_key(text, &key, error), "its group may read it");
}
END_TEST

START_TEST(ranges)
{
    struct mobile_identity like = {.spi = 256};
    ck_assert(addr_parse("10.1.0.254", &like.home));
    ck_assert(roster_add_range(&roster, &like, 3, error));
    ck_assert_uint_eq(roster.count, 3);
    ck_home(0, "10.1.0.254");
    ck_home(1, "10.1.0.255");
    ck_home(2, "10.1.1.0");
    ck_assert(!roster_add_range(&roster, &like, 0, error));

    ck_assert(addr_parse("255.255.255.254", &like.home));
    ck_assert(roster_add_range(&roster, &like, 2, error));
    ck_assert(!roster_add_range(&roster, &like, 3, error));
}
END_TEST

START_TEST(ipv6_ranges)
{
    struct mobile_identity like = {
        .spi = 256, .key.algorithm = ROSTER_ALGORITHM_OF_FAMILY, .replay = MOBILE_SEQUENCE};
    ck_assert(addr_parse("2001:db8:1::fffe", &like.home));
    ck_assert(roster_add_range(&roster, &like, 3, error));
    ck_home(0, "2001:db8:1::fffe");
    ck_home(1, "2001:db8:1::ffff");
    ck_home(2, "2001:db8:1::1:0");
    ck_assert_int_eq(roster.rows[2].key.algorithm, AUTH_HMAC_SHA1);

    /* Not beyond the subnet. */
    ck_assert(addr_parse("2001:db8:1:0:ffff:ffff:ffff:fffe", &like.home));
    ck_assert(roster_add_range(&roster, &like, 2, error));
    ck_assert(!roster_add_range(&roster, &like, 3, error));
    ck_assert_uint_eq(roster.count, 5);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("roster");
    TCase *c = tcase_create("roster");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, rows_of_a_file);
    tcase_add_loop_test(c, bad_row, 0, ROWS(bad_rows));
    tcase_add_test(c, longest_key);
    tcase_add_test(c, key_file);
    tcase_add_test(c, ranges);
    tcase_add_test(c, ipv6_ranges);
    suite_add_tcase(suite, c);
    return check_main(suite);
}
