/* SPDX-License-Identifier: BSD-3-Clause */
/* A listener in virtual time, and what it said. */
#ifndef TEST_APP_LISTENER_CHECK_H
#define TEST_APP_LISTENER_CHECK_H

#include "listener.h"

#include "../check_main.h"
#include "timerq.h"

#define MS(n)      ((uint64_t)(n)*NSEC_PER_MS)
#define SECONDS(n) ((uint64_t)(n)*NSEC_PER_S)

enum { MTU = 1500, FULL = 72, RECORDS = 4096 };

static struct listener l;
static uint64_t now, began;

/* What was said since forget(). */
static struct said {
    uint64_t at;
    unsigned message;
    uint8_t version;
    enum mld_record_type type;
    struct addr group;
    size_t n_sources;
} said[RECORDS];
static size_t n_said;
static unsigned n_messages;

static inline void forget(void)
{
    n_said = 0;
    n_messages = 0;
}

static inline void setup(void)
{
    now = began = SECONDS(100);
    listener_open(&l, MTU, 1);
    forget();
}

static inline void teardown(void)
{
    listener_close(&l);
}

static inline bool say(void)
{
    static struct listener_message m;
    if (!listener_next(&l, now, &m))
        return false;
    ck_assert_uint_gt(m.n, 0);
    for (size_t i = 0; i < m.n && n_said < RECORDS; i++)
        said[n_said++] = (struct said){.at = now - began,
                                       .message = n_messages,
                                       .version = m.version,
                                       .type = m.record[i].type,
                                       .group = m.record[i].group,
                                       .n_sources = m.record[i].n_sources};
    n_messages++;
    return true;
}

static inline void wait_until(uint64_t end)
{
    for (;;) {
        while (say())
            ;
        const uint64_t next = listener_deadline(&l, now);
        if (next > end)
            break;
        now = next > now ? next : now + 1;
    }
    now = end;
}

static inline void wait(uint64_t ns)
{
    wait_until(now + ns);
}

static inline void join(uint32_t group)
{
    ck_assert(listener_join(&l, group, now));
}

/* Past all that was to be said, which is forgotten. */
static inline void join_quietly(uint32_t group)
{
    join(group);
    wait(SECONDS(60));
    forget();
    began = now;
}

static inline struct mld query(uint8_t version, uint32_t delay_ms)
{
    return (struct mld){.type = MLD_QUERY,
                        .version = version,
                        .delay_ms = delay_ms,
                        .robustness = version == 2 ? 2 : 0,
                        .interval_s = version == 2 ? 125 : 0};
}

static inline struct mld query_of(uint8_t version, uint32_t delay_ms, uint32_t group)
{
    struct mld q = query(version, delay_ms);
    q.group = group_address(group);
    return q;
}

static inline void hear(struct mld m)
{
    listener_heard(&l, &m, now);
}

static inline void check_said(size_t i, enum mld_record_type type, uint32_t group)
{
    const struct addr right = group_address(group);
    ck_assert_uint_lt(i, n_said);
    ck_assert_int_eq(said[i].type, type);
    ck_assert(addr_equal(&said[i].group, &right));
}

static inline TCase *listener_case(Suite *suite, const char *name)
{
    TCase *tcase = tcase_create(name);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return tcase;
}

#endif
