/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Out of memory at every place in turn, while a binding update waits for duplicate address detection and is
 * granted.
 */
#include "lab6_check.h"
#include "short_memory.h"

static struct answer6 send_short(const struct ask6 *ask, int nth)
{
    refuse(nth);
    return lab6_send(&lab, ask);
}

static struct answer6 detect_short(const struct ask6 *ask, int nth)
{
    refuse(nth);
    lab_wait(&lab, LAB6_DETECTION_MS * NSEC_PER_MS);
    return lab6_answer(&lab, ask);
}

/* Nothing is left of it, and the same may be asked again. */
static void came_to_nothing(const struct answer6 *a, const struct ask6 *ask)
{
    struct binding_view v;
    if (a->sent)
        check_ack(a, MIP6_NO_RESOURCES, true);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_NO_MEMORY), 1);
    ck_assert(!is_bound(0, &v));
    wait_for_detection();
    ck_assert_uint_eq(agent_bindings(lab.agent), 0);
    in_order("");
    accepted(ask);
}

START_TEST(update)
{
    const struct ask6 ask = lab6_ask(&lab, 0);
    const struct answer6 a = send_short(&ask, _i);
    if (end_refusal() && (a.sent || lab.n_log == 0)) {
        came_to_nothing(&a, &ask);
        return;
    }
    in_order("P");
    wait_for_detection();
    const struct answer6 later = lab6_answer(&lab, &ask);
    check_ack(&later, MIP6_ACCEPTED, true);
}
END_TEST

START_TEST(detection)
{
    const struct ask6 ask = lab6_ask(&lab, 0);
    ck_assert(!lab6_send(&lab, &ask).sent);
    const struct answer6 a = detect_short(&ask, _i);
    end_refusal();
    ck_assert(a.sent);
    if (mip6_status_is_success(a.ack.status))
        ck_assert_uint_eq(agent_bindings(lab.agent), 1);
    else
        came_to_nothing(&a, &ask);
}
END_TEST

START_TEST(move)
{
    bind_node6(0);
    struct binding_view before, after;
    ck_assert(is_bound(0, &before));
    struct ask6 ask = lab6_ask(&lab, 0);
    ask.source = ip("2001:db8:c::42");
    const struct answer6 a = send_short(&ask, _i);
    const bool success = end_refusal() ? a.sent && mip6_status_is_success(a.ack.status) : true;
    ck_assert(is_bound(0, &after));
    ck_assert(addr_equal(&after.care_of[0].address, success ? &ask.source : &before.care_of[0].address));
    ck_assert_uint_eq(after.n_care_of, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("binding updates out of memory");
    TCase *t = lab6_case(suite, "out of memory");
    tcase_add_short_test(t, update, 8);
    tcase_add_short_test(t, detection, 8);
    tcase_add_short_test(t, move, 8);
    return check_main(suite);
}
