/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What every Check suite needs: a main, and bytes written as hex text. Each test is a process of its own
 * unless CK_FORK=no, which is what valgrind and debuggers want.
 */
#ifndef CHECK_MAIN_H
#define CHECK_MAIN_H

#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ROWS(array) ((int)(sizeof(array) / sizeof((array)[0])))

/* Sanitizers on a busy machine take longer than Check's 4 s; what hangs, meson ends. */
static __attribute__((constructor)) void allow_time(void)
{
    setenv("CK_DEFAULT_TIMEOUT", "60", 0);
}

/* Runs the suite (and frees it); the exit status for main. */
static inline int check_main(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static inline uint8_t hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = strchr(digits, c);
    ck_assert_msg(at != NULL && c != '\0', "not a hex digit: '%c'", c);
    return (uint8_t)(at - digits);
}

/* Blanks may stand between bytes. Returns how many bytes were written to out. */
static inline size_t hex_bytes(const char *hex, uint8_t *out, size_t max)
{
    size_t n = 0;
    for (; *hex != '\0'; hex++) {
        if (*hex == ' ')
            continue;
        ck_assert_uint_lt(n, max);
        out[n++] = (uint8_t)(hex_digit(hex[0]) << 4 | hex_digit(hex[1]));
        hex++;
    }
    return n;
}

#endif
