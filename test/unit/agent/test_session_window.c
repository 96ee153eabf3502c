/* SPDX-License-Identifier: BSD-3-Clause */
/* The window of numbers that a session still tells apart. */
#include "../check_main.h"
#include "internal.h"
#include "peer/session.h"

#include <stdio.h>

static const struct {
    const char *what;
    uint64_t highest, marked, sequence;
    bool fresh;
} windows[] = {
    {"none is 0", 0, 0, 0, false},
    {"the first", 0, 0, 1, true},
    {"the first again", 1, 1, 1, false},
    {"the next", 1, 1, 2, true},
    {"0 later on", 5, 5, 0, false},
    {"one left out", 5, 5, 4, true},
    {"the oldest that can be told", 5000, 5000, 5000 - 4095, true},
    {"the same, marked", 5000, 5000 - 4095, 5000 - 4095, false},
    {"the newest that cannot be told", 5000, 5000, 5000 - 4096, false},
    {"a leap", 5000, 5000, 5000000, true},
    {"the last there is", UINT64_MAX - 1, UINT64_MAX - 1, UINT64_MAX, true},
    {"the last there is, again", UINT64_MAX, UINT64_MAX, UINT64_MAX, false},
    {"a window's length apart", 4097, 4097, 1, false},
    {"as far back as that", 4096, 4096, 1, true},
};

START_TEST(window_edges)
{
    struct session s = {0};
    if (windows[_i].highest > 0)
        session_mark(&s, windows[_i].highest);
    if (windows[_i].marked > 0 && windows[_i].marked != windows[_i].highest)
        session_mark(&s, windows[_i].marked);
    ck_assert_msg(session_is_fresh(&s, windows[_i].sequence) == windows[_i].fresh, "%s", windows[_i].what);
}
END_TEST

/* Against a list of all that was received. */
START_TEST(window_at_random)
{
    enum { SPAN = 60000, STEPS = 200000 };
    static bool received[SPAN + 1];
    const unsigned seed = 20261123;
    printf("window_at_random: seed %u\n", seed);
    srandom(seed);
    struct session s = {0};
    uint64_t highest = 0;
    for (int i = 0; i < STEPS; i++) {
        const uint64_t ahead = random() % 100 == 0 ? (uint64_t)random() % 5000 : (uint64_t)random() % 3;
        uint64_t sequence = random() % 2 == 0 ? highest + ahead : highest - (uint64_t)random() % 4200;
        if (sequence > SPAN)
            continue;
        const bool fresh = sequence > 0 && sequence + SESSION_WINDOW > highest && !received[sequence];
        ck_assert_msg(session_is_fresh(&s, sequence) == fresh, "step %d, sequence %lu, highest %lu", i,
                      sequence, highest);
        if (!fresh)
            continue;
        session_mark(&s, sequence);
        received[sequence] = true;
        highest = sequence > highest ? sequence : highest;
    }
    ck_assert_uint_gt(highest, SPAN / 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("session_window");
    TCase *tcase = tcase_create("window");
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, window_edges, 0, ROWS(windows));
    tcase_add_test(tcase, window_at_random);
    return check_main(suite);
}
