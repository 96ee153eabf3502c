/* SPDX-License-Identifier: BSD-3-Clause */
/* A lab with Mobile IPv6 for each test of a Check suite. */
#ifndef TEST_AGENT_LAB6_CHECK_H
#define TEST_AGENT_LAB6_CHECK_H

#include "inet.h"
#include "lab6.h"
#include "lab_check.h"

static inline void lab6_setup(void)
{
    lab6_open(&lab);
}

static inline TCase *lab6_case(Suite *suite, const char *name)
{
    return lab_case_after(suite, name, lab6_setup);
}

static inline uint64_t acks(uint8_t status)
{
    return agent_counters(lab.agent)->acks[status];
}

/* Lets duplicate address detection find nobody. */
static inline void wait_for_detection(void)
{
    lab_wait(&lab, LAB6_DETECTION_MS * NSEC_PER_MS);
}

static inline void check_ack(const struct answer6 *a, uint8_t status, bool is_signed)
{
    ck_assert_msg(a->sent, "no acknowledgement");
    ck_assert_uint_eq(a->ack.status, status);
    ck_assert(a->good == is_signed);
}

/* The update is refused at once. */
static inline struct answer6 refused(const struct ask6 *ask, uint8_t status)
{
    const struct answer6 a = lab6_send(&lab, ask);
    check_ack(&a, status, true);
    ck_assert_uint_eq(a.ack.lifetime, 0);
    in_order("S");
    return a;
}

/* The update is granted, after detection if there is no binding yet. The log holds what came with it. */
static inline struct answer6 accepted(const struct ask6 *ask)
{
    struct answer6 a = lab6_send(&lab, ask);
    if (!a.sent) {
        in_order("P");
        wait_for_detection();
        a = lab6_answer(&lab, ask);
    }
    check_ack(&a, a.ack.status, true);
    ck_assert_msg(mip6_status_is_success(a.ack.status), "status %u", a.ack.status);
    return a;
}

static inline bool is_bound(size_t i, struct binding_view *view)
{
    const struct addr home = lab6_home(i);
    return agent_binding(lab.agent, &home, lab.now, view);
}

static inline void bind_node6(size_t i)
{
    const struct ask6 ask = lab6_ask(&lab, i);
    struct binding_view v;
    accepted(&ask);
    ck_assert(is_bound(i, &v));
}

#endif
