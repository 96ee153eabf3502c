/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Out of memory at every place in turn: each allocation of a binding's life among secondaries is refused
 * once. Afterwards nothing is left anywhere.
 */
#include "cast_check.h"
#include "short_memory.h"

enum { LOG_ROOM = 4096 };

/* The log is not to grow meanwhile: its memory is the test's own. */
static void make_room(void)
{
    struct lab *lab = &cast.lab;
    lab->log_size = LOG_ROOM;
    lab->log = realloc(lab->log, lab->log_size * sizeof(*lab->log));
    ck_assert_ptr_nonnull(lab->log);
}

static void live(void)
{
    cast_register(&cast, 0, 10);
    cast_wait_ms(&cast, 50);
    for (size_t to = 0; to < 3; to++) {
        move(0, to);
        cast_wait_ms(&cast, 50);
    }
    cast_register(&cast, 0, 11);
    cast_wait_ms(&cast, 50);
    recall(0);
    cast_wait_ms(&cast, 50);
}

static void nothing_is_left(void)
{
    ck_assert_ptr_null(cast_mobile(&cast, 0)->delegation);
    for (size_t k = 0; k < cast.n; k++) {
        const struct node *node = cast_node(&cast, k);
        ck_assert(operations_are_over(node));
        ck_assert_uint_eq(node->n_open + node->n_queued + node->n_lingering, 0);
        ck_assert_uint_eq(node->digest, 0);
        ck_assert_uint_eq(node->peer.flow.n_open, 0);
    }
}

static void short_of_memory(enum delegation_when when, int nth)
{
    set_when(when);
    make_room();
    refuse(nth);
    live();
    end_refusal();
    cast_wait_ms(&cast, 3000);
    ck_assert(cast_register(&cast, 0, 12)); /* works as ever */
    cast_wait_ms(&cast, 3000);
    ck_assert(is_local(0) || owner(0) != NULL);
    struct ask ask = lab_ask_return(&cast.lab, 0);
    ck_assert(cast_send(&cast, &ask));
    cast_wait_ms(&cast, 40000);
    nothing_is_left();
}

START_TEST(by_hand)
{
    short_of_memory(WHEN_MANUAL, _i);
}
END_TEST

START_TEST(after_registration)
{
    short_of_memory(WHEN_AFTER_REGISTRATION, _i);
}
END_TEST

START_TEST(on_registration)
{
    set_when(WHEN_ON_REGISTRATION);
    make_room();
    refuse(_i);
    live();
    end_refusal();
    cast_wait_ms(&cast, 3000);
    struct ask ask = lab_ask_return(&cast.lab, 0);
    ck_assert(cast_send(&cast, &ask));
    cast_wait_ms(&cast, 40000);
    nothing_is_left();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("delegation, memory");
    TCase *tc = cast_case(suite, "memory");
    tcase_add_short_test(tc, by_hand, 28);
    tcase_add_short_test(tc, after_registration, 28);
    tcase_add_short_test(tc, on_registration, 28);
    return check_main(suite);
}
