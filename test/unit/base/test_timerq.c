/* SPDX-License-Identifier: BSD-3-Clause */
#include "timerq.h"

#include "../check_main.h"

#include <stdio.h>
#include <time.h>

static struct timerq *q;

static void setup(void)
{
    q = timerq_create();
    ck_assert_ptr_nonnull(q);
}

static void teardown(void)
{
    timerq_destroy(q);
}

START_TEST(empty)
{
    ck_assert(timerq_next(q) == TIMER_NEVER);
    ck_assert_ptr_null(timerq_pop(q, TIMER_NEVER));
    ck_assert_uint_eq(timerq_count(q), 0);
}
END_TEST

START_TEST(due_at_its_deadline_not_before)
{
    struct timer t = {0};
    ck_assert(!timer_is_set(&t));
    ck_assert(timerq_set(q, &t, 100));
    ck_assert(timer_is_set(&t));
    ck_assert(timerq_next(q) == 100);
    ck_assert_ptr_null(timerq_pop(q, 99));
    ck_assert_ptr_eq(timerq_pop(q, 100), &t);
    ck_assert(!timer_is_set(&t));
    ck_assert_ptr_null(timerq_pop(q, 100));
}
END_TEST

START_TEST(earliest_first)
{
    struct timer t[3] = {0};
    ck_assert(timerq_set(q, &t[0], 30));
    ck_assert(timerq_set(q, &t[1], 10));
    ck_assert(timerq_set(q, &t[2], 20));
    ck_assert_ptr_eq(timerq_pop(q, 1000), &t[1]);
    ck_assert_ptr_eq(timerq_pop(q, 1000), &t[2]);
    ck_assert_ptr_eq(timerq_pop(q, 1000), &t[0]);
}
END_TEST

START_TEST(moved_later)
{
    struct timer moved = {0}, other = {0};
    ck_assert(timerq_set(q, &moved, 10));
    ck_assert(timerq_set(q, &other, 20));
    ck_assert(timerq_set(q, &moved, 30));
    ck_assert_uint_eq(timerq_count(q), 2);
    ck_assert(timerq_next(q) <= 20); /* early is allowed, late is not */
    ck_assert_ptr_null(timerq_pop(q, 15));
    ck_assert(timerq_next(q) == 20); /* that pop corrected it */
    ck_assert_ptr_eq(timerq_pop(q, 30), &other);
    ck_assert_ptr_eq(timerq_pop(q, 30), &moved);
}
END_TEST

START_TEST(moved_later_then_earlier)
{
    struct timer moved = {0}, other = {0};
    ck_assert(timerq_set(q, &other, 20));
    ck_assert(timerq_set(q, &moved, 10));
    ck_assert(timerq_set(q, &moved, 50));
    ck_assert(timerq_set(q, &moved, 15)); /* earlier than asked last, later than the key kept */
    ck_assert_ptr_null(timerq_pop(q, 14));
    ck_assert_ptr_eq(timerq_pop(q, 15), &moved);
    ck_assert(timerq_set(q, &moved, 25));
    ck_assert(timerq_set(q, &moved, 5));
    ck_assert(timerq_next(q) == 5);
    ck_assert_ptr_eq(timerq_pop(q, 100), &moved);
    ck_assert_ptr_eq(timerq_pop(q, 100), &other);
}
END_TEST

START_TEST(cancelled)
{
    struct timer t[2] = {0};
    timerq_cancel(q, &t[0]); /* not set: nothing happens */
    ck_assert(timerq_set(q, &t[0], 10));
    ck_assert(timerq_set(q, &t[1], 20));
    timerq_cancel(q, &t[0]);
    ck_assert(!timer_is_set(&t[0]));
    ck_assert(timerq_next(q) == 20);
    ck_assert_uint_eq(timerq_count(q), 1);
    ck_assert_ptr_eq(timerq_pop(q, 100), &t[1]);
}
END_TEST

START_TEST(never_is_a_deadline)
{
    struct timer t = {0};
    ck_assert(timerq_set(q, &t, TIMER_NEVER));
    ck_assert(timer_is_set(&t));
    ck_assert(timerq_next(q) == TIMER_NEVER);
    ck_assert_ptr_null(timerq_pop(q, TIMER_NEVER - 1));
    ck_assert(timerq_set(q, &t, 7));
    ck_assert_ptr_eq(timerq_pop(q, 7), &t);
}
END_TEST

struct owner {
    int before;
    struct timer timer;
};

START_TEST(owner_of_a_timer)
{
    struct owner owner = {0};
    ck_assert(timerq_set(q, &owner.timer, 1));
    struct timer *t = timerq_pop(q, 1);
    ck_assert_ptr_eq(timer_owner(t, struct owner, timer), &owner);
}
END_TEST

/* For long loops: Check's own macros write a mark each time they pass. */
#define require(condition)                                \
    do {                                                  \
        if (!(condition))                                 \
            ck_abort_msg("%s does not hold", #condition); \
    } while (0)

/* The same in the plainest way: deadlines in an array, searched from end to end. */
enum { TIMERS = 60, OPERATIONS = 100000 };

struct model {
    uint64_t deadline[TIMERS];
    bool set[TIMERS];
    size_t count;
};

static uint64_t model_earliest(const struct model *m)
{
    uint64_t earliest = TIMER_NEVER;
    for (int i = 0; i < TIMERS; i++) {
        if (m->set[i] && m->deadline[i] < earliest)
            earliest = m->deadline[i];
    }
    return earliest;
}

static void model_set(struct model *m, int i, uint64_t deadline)
{
    m->count += !m->set[i];
    m->set[i] = true;
    m->deadline[i] = deadline;
}

static void model_remove(struct model *m, int i)
{
    m->count -= m->set[i];
    m->set[i] = false;
}

/* Pops all that is due from both; equal deadlines may come in any order. */
static void pop_both(struct model *m, struct timer *timers, uint64_t now)
{
    while (timerq_next(q) <= now) {
        struct timer *t = timerq_pop(q, now);
        if (t == NULL)
            continue; /* it corrected stale keys, as many as it does at once */
        int i = (int)(t - timers);
        require(m->set[i]);
        require(m->deadline[i] == model_earliest(m));
        require(m->deadline[i] <= now);
        model_remove(m, i);
    }
    require(model_earliest(m) > now);
}

START_TEST(agrees_with_a_plain_list)
{
    static struct timer timers[TIMERS];
    struct model m = {0};
    memset(timers, 0, sizeof(timers));
    const char *given = getenv("SEED");
    unsigned int seed = given != NULL ? (unsigned int)strtoul(given, NULL, 0) : (unsigned int)time(NULL);
    printf("timerq: SEED=%u\n", seed);
    fflush(stdout);
    srandom(seed);

    uint64_t now = 0;
    size_t popped_from = 0;
    for (int n = 0; n < OPERATIONS; n++) {
        int i = (int)(random() % TIMERS);
        switch (random() % 8) {
        case 0:
            timerq_cancel(q, &timers[i]);
            model_remove(&m, i);
            break;
        case 1:
            now += (uint64_t)(random() % 64);
            popped_from += m.count;
            pop_both(&m, timers, now);
            break;
        default: { /* set, move later, move earlier; sometimes into the past */
            uint64_t deadline = now + (uint64_t)(random() % 1000);
            deadline -= deadline >= 20 ? 20 : deadline;
            require(timerq_set(q, &timers[i], deadline));
            model_set(&m, i, deadline);
        }
        }
        require(timerq_count(q) == m.count);
        require(timerq_next(q) <= model_earliest(&m));
        require(timer_is_set(&timers[i]) == m.set[i]);
    }
    ck_assert_uint_gt(popped_from, 0);
    pop_both(&m, timers, TIMER_NEVER - 1);
    ck_assert_uint_eq(timerq_count(q), 0);
}
END_TEST

START_TEST(renewals_leave_the_heap_alone)
{
    enum { MANY = 100000 };
    struct timer *timers = calloc(MANY, sizeof(*timers));
    ck_assert_ptr_nonnull(timers);
    for (uint64_t i = 0; i < MANY; i++)
        require(timerq_set(q, &timers[i], 1000 + i));
    uint32_t place = timers[MANY / 2].place;
    for (uint64_t i = 0; i < MANY; i++)
        require(timerq_set(q, &timers[i], 1000000 + i));
    ck_assert_uint_eq(timers[MANY / 2].place, place); /* a store, no more */
    unsigned calls = 0;
    for (; timerq_next(q) <= 999999; calls++)
        ck_assert_ptr_null(timerq_pop(q, 999999));
    ck_assert_uint_ge(calls, MANY / TIMERQ_CORRECTIONS); /* no call does it all */
    ck_assert(timerq_next(q) == 1000000);
    for (uint64_t i = 0; i < MANY; i++)
        require(timerq_pop(q, 2000000) == &timers[i]);
    free(timers);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("timerq");
    TCase *tc = tcase_create("timerq");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60); /* for valgrind and a busy machine */
    tcase_add_test(tc, empty);
    tcase_add_test(tc, due_at_its_deadline_not_before);
    tcase_add_test(tc, earliest_first);
    tcase_add_test(tc, moved_later);
    tcase_add_test(tc, moved_later_then_earlier);
    tcase_add_test(tc, cancelled);
    tcase_add_test(tc, never_is_a_deadline);
    tcase_add_test(tc, owner_of_a_timer);
    tcase_add_test(tc, agrees_with_a_plain_list);
    tcase_add_test(tc, renewals_leave_the_heap_alone);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return check_main(suite());
}
