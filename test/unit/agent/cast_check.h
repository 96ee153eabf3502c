/* SPDX-License-Identifier: BSD-3-Clause */
/* A cast for each test of a Check suite. */
#ifndef TEST_AGENT_CAST_CHECK_H
#define TEST_AGENT_CAST_CHECK_H

#include "../check_main.h"
#include "cast.h"

static struct cast cast;

static inline void setup(void)
{
    cast_open(&cast, 3);
}

static inline void teardown(void)
{
    cast_close(&cast);
}

static inline TCase *cast_case(Suite *suite, const char *name)
{
    TCase *tcase = tcase_create(name);
    tcase_add_checked_fixture(tcase, setup, teardown);
    suite_add_tcase(suite, tcase);
    return tcase;
}

/* From now on delegation happens as it is asked for, or as `when` says. */
static inline void set_when(enum delegation_when when)
{
    cast.lab.settings.delegation.when = (uint8_t)when;
    cast_configure(&cast);
}

static inline const char *state(size_t i)
{
    return delegation_state_text(cast_mobile(&cast, i));
}

static inline struct node *owner(size_t i)
{
    return delegation_owner(cast_mobile(&cast, i));
}

static inline bool is_local(size_t i)
{
    const struct addr home = lab_home(i);
    return agent_intercepts(cast.lab.agent, &home);
}

static inline enum agent_refusal move(size_t i, size_t to)
{
    return delegation_move(cast.lab.agent, cast_mobile(&cast, i), cast_node(&cast, to), cast.lab.now);
}

static inline enum agent_refusal recall(size_t i)
{
    return delegation_move(cast.lab.agent, cast_mobile(&cast, i), NULL, cast.lab.now);
}

static inline struct holding *holding(size_t i, size_t at)
{
    struct delegation *d = cast_mobile(&cast, i)->delegation;
    return d == NULL ? NULL : holding_find(d, cast_node(&cast, at));
}

static inline void forget(void)
{
    lab_forget(&cast.lab);
    for (size_t i = 0; i < cast.n; i++)
        actor_forget(&cast.actors[i]);
}

static inline void registers(size_t i)
{
    ck_assert(cast_register(&cast, i, 10));
}

/* Mobile node i is bound, and secondary `to` forwards for it; nothing is in flight. */
static inline void delegated(size_t i, size_t to)
{
    set_when(WHEN_MANUAL);
    registers(i);
    ck_assert_int_eq(move(i, to), REFUSAL_DONE);
    cast_wait_ms(&cast, 4000);
    ck_assert_ptr_eq(owner(i), cast_node(&cast, to));
    ck_assert_str_eq(state(i), "delegated");
    forget();
}

static inline const struct line *line(size_t actor, size_t mobile, size_t nth)
{
    const struct line *l = actor_line(&cast.actors[actor], mobile, nth);
    ck_assert_msg(l != NULL, "secondary %zu heard nothing (%zu) about mobile node %zu", actor, nth, mobile);
    return l;
}

static inline size_t lines(size_t actor, size_t mobile)
{
    return actor_count(&cast.actors[actor], mobile);
}

static inline const struct line *last_line(size_t actor, size_t mobile)
{
    const size_t n = lines(actor, mobile);
    return line(actor, mobile, n == 0 ? 0 : n - 1);
}

#endif
