/* SPDX-License-Identifier: BSD-3-Clause */
/* A directory for each test of the configuration, files in it, and what conf_load says of them. */
#ifndef TEST_CONF_CHECK_H
#define TEST_CONF_CHECK_H

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf.h"

#include "../check_main.h"

#define KEY16 "000102030405060708090a0b0c0d0e0f"
#define KEY32 KEY16 KEY16

/* ---- A directory for each test ---- */

static char directory[] = "/tmp/test_conf.XXXXXX";
static char conf_path[64];

static inline const char *in_directory(const char *name)
{
    static char path[64];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    return path;
}

static inline void write_file(const char *name, const char *text, size_t len, mode_t mode)
{
    const char *path = in_directory(name);
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(text, 1, len, f), len);
    ck_assert_int_eq(fclose(f), 0);
    ck_assert_int_eq(chmod(path, mode), 0);
}

static inline void write_text(const char *name, const char *text, mode_t mode)
{
    write_file(name, text, strlen(text), mode);
}

static inline void directory_setup(void)
{
    strcpy(directory + strlen(directory) - 6, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(conf_path, sizeof(conf_path), "%s", in_directory("t.conf"));
    write_text("key", KEY16 "\n", 0600);
}

static inline void directory_teardown(void)
{
    static const char *const names[] = {"key",  "nodes.csv",    "t.conf",   "more.csv",
                                        "link", "primary.conf", "lab.conf", "secondary.conf"};
    for (int i = 0; i < ROWS(names); i++)
        unlink(in_directory(names[i]));
    ck_assert_int_eq(rmdir(directory), 0);
}

static inline TCase *conf_case(Suite *suite, const char *name, void (*setup)(void))
{
    TCase *tcase = tcase_create(name);
    tcase_add_checked_fixture(tcase, setup, directory_teardown);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return tcase;
}

/* ---- Loading ---- */

/* errors: to be freed. */
static inline struct conf *load_path(const char *path, char **errors)
{
    size_t len;
    FILE *f = open_memstream(errors, &len);
    struct conf *conf = conf_load(path, f);
    fclose(f);
    ck_assert_int_eq(conf == NULL, len > 0);
    return conf;
}

static inline struct conf *load(const char *text, char **errors)
{
    write_text("t.conf", text, 0600);
    return load_path(conf_path, errors);
}

static inline struct conf *loaded(const char *text)
{
    char *errors;
    struct conf *conf = load(text, &errors);
    ck_assert_msg(conf != NULL, "%s", errors);
    free(errors);
    return conf;
}

/* text with `replace` in place of `find`, which it must hold once; to be freed. */
static inline char *changed_in(const char *text, const char *find, const char *replace)
{
    const char *at = strstr(text, find);
    ck_assert_msg(at != NULL && strstr(at + 1, find) == NULL, "'%s' is not there once", find);
    const size_t size = strlen(text) + strlen(replace) + 1;
    char *out = malloc(size);
    ck_assert_ptr_nonnull(out);
    snprintf(out, size, "%.*s%s%s", (int)(at - text), text, replace, at + strlen(find));
    return out;
}

static inline size_t lines_in(const char *text)
{
    size_t n = 0;
    for (; *text != '\0'; text++)
        n += *text == '\n';
    return n;
}

/* One line "DIRECTORY/FILE:LINE: ..." of text says this. */
static inline void assert_line(const char *text, const char *file, int line, const char *says)
{
    char start[96];
    int len = snprintf(start, sizeof(start), "%s/%s:%d: ", directory, file, line);
    for (const char *at = text; at != NULL && *at != '\0'; at = strchr(at, '\n') + 1) {
        const char *found = strncmp(at, start, (size_t)len) == 0 ? strstr(at, says) : NULL;
        if (found != NULL && found < strchr(at, '\n'))
            return;
    }
    ck_abort_msg("expected %s... %s\ngot\n%s", start, says, text);
}

static inline void assert_only_line(const char *text, const char *file, int line, const char *says)
{
    assert_line(text, file, line, says);
    ck_assert_msg(lines_in(text) == 1, "more than expected:\n%s", text);
}

/* One change of a good text, and the one line that is then said. */
struct fault {
    const char *what;
    const char *find, *replace;
    int line;
    const char *says;
};

static inline void refuse(const char *good, const struct fault *fault)
{
    char *text = changed_in(good, fault->find, fault->replace), *errors;
    struct conf *conf = load(text, &errors);
    ck_assert_msg(conf == NULL, "%s: accepted", fault->what);
    assert_only_line(errors, "t.conf", fault->line, fault->says);
    /* Nothing of it is left behind in the parser. */
    conf_free(loaded(good));
    free(errors);
    free(text);
}

static inline struct addr address(const char *text)
{
    struct addr a;
    ck_assert(addr_parse(text, &a));
    return a;
}

static inline void assert_address(const struct addr *a, const char *text)
{
    char buffer[ADDR_TEXT_MAX];
    ck_assert_str_eq(addr_format(a, buffer), text);
}

static inline void assert_key(const struct auth_key *key, const char *hex)
{
    uint8_t bytes[AUTH_KEY_MAX];
    ck_assert_uint_eq(key->len, hex_bytes(hex, bytes, sizeof(bytes)));
    ck_assert_mem_eq(key->bytes, bytes, key->len);
}

static inline void assert_delegation(const struct delegation_settings *a, const struct delegation_settings *b)
{
    ck_assert_uint_eq(a->port, b->port);
    ck_assert_uint_eq(a->when, b->when);
    ck_assert_uint_eq(a->policy, b->policy);
    ck_assert_int_eq(a->own_source, b->own_source);
    ck_assert_uint_eq(a->threshold_pps, b->threshold_pps);
    ck_assert_uint_eq(a->linger_ms, b->linger_ms);
    ck_assert_uint_eq(a->lease_ms, b->lease_ms);
    ck_assert_uint_eq(a->moves_per_s, b->moves_per_s);
    ck_assert_uint_eq(a->announcements_per_s, b->announcements_per_s);
}

#endif
