/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A secondary out of memory, at every place in turn: each allocation of an operation is refused once. What
 * was refused says so and has changed nothing; what was not acknowledged may be asked again.
 */
#include "deputy_check.h"
#include "short_memory.h"

static struct delegation_start two_care_ofs(struct dispatch *d, unsigned from)
{
    struct delegation_start start = deputy_start_of(&deputy, 0, 0);
    start.count = 2;
    start.tunnel_mtu = 1400;
    deputy_begin(d);
    for (; start.index < 2; start.index++) {
        start.care_of = deputy_care_of(from + start.index);
        delegation_start_encode(&d->w, &start);
    }
    return start;
}

/* Sends it with its nth allocation refused. Returns the status. */
static uint8_t send_short(struct dispatch *d, int nth)
{
    deputy_forget(&deputy);
    refuse(nth);
    deputy_send(&deputy, 0, DELEGATION_START, d);
    const bool happened = end_refusal();
    const struct heard *h = deputy_take(&deputy, 0, DELEGATION_START_ACK);
    ck_assert_ptr_nonnull(h);
    struct delegation_records records = deputy_records(h);
    struct delegation_record record;
    ck_assert(delegation_next(&records, &record));
    ck_assert(happened || record.ack.status == STATUS_OK);
    return record.ack.status;
}

START_TEST(first_start)
{
    struct dispatch d;
    two_care_ofs(&d, 0);
    const uint8_t status = send_short(&d, _i);
    ck_assert(status == STATUS_OK || status == STATUS_NO_RESOURCES);
    ck_assert(forwards(0) == (status == STATUS_OK));
    ck_assert_uint_eq(deputy_effects(&deputy, EFFECT_INSTALL), status == STATUS_OK);
    ck_assert_uint_eq(agent_bindings(deputy.agent), status == STATUS_OK);
    two_care_ofs(&d, 0);
    ck_assert_uint_eq(send_short(&d, 0), STATUS_OK);
    ck_assert(intercepts(0));
}
END_TEST

START_TEST(another_start)
{
    struct dispatch d;
    struct binding_view view;
    const struct addr home = deputy_home(0), before = deputy_care_of(0);
    two_care_ofs(&d, 0);
    ck_assert_uint_eq(send_short(&d, 0), STATUS_OK);
    two_care_ofs(&d, 10);
    const uint8_t status = send_short(&d, _i);
    ck_assert(status == STATUS_OK || status == STATUS_NO_RESOURCES);
    ck_assert(agent_binding(deputy.agent, &home, deputy.now, &view));
    ck_assert_uint_eq(view.n_care_of, 2);
    ck_assert(addr_equal(&view.care_of[0].address, &before) == (status != STATUS_OK));
    ck_assert(intercepts(0));
    two_care_ofs(&d, 20);
    ck_assert_uint_eq(send_short(&d, 0), STATUS_OK);
    ck_assert_uint_eq(agent_bindings(deputy.agent), 1);
}
END_TEST

/* An acknowledged STOP is remembered; one that could not be says so. */
START_TEST(stop_of_the_unknown)
{
    struct dispatch d;
    const struct delegation_stop stop = deputy_stop_of(&deputy, 0, 0);
    deputy_begin(&d);
    delegation_stop_encode(&d.w, &stop);
    refuse(_i);
    deputy_send(&deputy, 0, DELEGATION_STOP, &d);
    const bool happened = end_refusal();
    struct delegation_records records = deputy_records(deputy_take(&deputy, 0, DELEGATION_STOP_ACK));
    struct delegation_record record;
    ck_assert(delegation_next(&records, &record));
    ck_assert(happened || record.ack.status == STATUS_OK_ABSENT);
    ck_assert_uint_eq(record.ack.state, record.ack.status == STATUS_OK_ABSENT ? HELD_TOMBSTONE : HELD_ABSENT);
}
END_TEST

/* Its timer is that of its duration, and no announcement's beside. */
static void hold_quietly(unsigned i)
{
    struct delegation_start start = deputy_start_of(&deputy, 0, i);
    start.flags = START_INTERCEPT;
    ck_assert_uint_eq(deputy_do_start(&deputy, 0, &start).status, STATUS_OK);
}

static bool stop_short(unsigned i, int nth)
{
    struct dispatch d;
    const struct delegation_stop stop = deputy_stop_of(&deputy, 0, i);
    deputy_begin(&d);
    delegation_stop_encode(&d.w, &stop);
    refuse(nth);
    deputy_send(&deputy, 0, DELEGATION_STOP, &d);
    return end_refusal();
}

/* Lingering needs another timer: without it the entry ends. Room is made for many: one STOP of these asks for
 * it. */
START_TEST(stop_of_an_entry)
{
    enum { ENTRIES = 40 };
    for (unsigned i = 0; i < ENTRIES; i++)
        hold_quietly(i);
    for (unsigned i = 0; i < ENTRIES; i++) {
        const bool refused = stop_short(i, _i);
        ck_assert(!intercepts(i));
        ck_assert(forwards(i) == !refused);
    }
    deputy_wait(&deputy, 30000);
    ck_assert_uint_eq(agent_bindings(deputy.agent), 0);
}
END_TEST

/* Unfinished, or whole. */
START_TEST(synchronisation)
{
    struct dispatch d;
    for (unsigned i = 0; i < 40; i++)
        hold(i);
    deputy_forget(&deputy);
    deputy_begin(&d);
    refuse(_i);
    deputy_send(&deputy, 0, DELEGATION_SYNC_REQ, &d);
    deputy_wait(&deputy, 100);
    end_refusal();
    deputy_forget(&deputy);
    deputy_begin(&d);
    deputy_send(&deputy, 0, DELEGATION_SYNC_REQ, &d);
    deputy_wait(&deputy, 100);
    ck_assert_uint_eq(deputy_count(&deputy, 0, DELEGATION_SYNC_DATA), 4);
}
END_TEST

START_TEST(session_and_lease)
{
    deputy_close(&deputy);
    deputy_open(&deputy);
    refuse(_i);
    deputy_meet(&deputy, 0, true);
    end_refusal();
    deputy_wait(&deputy, 3000);
    const struct delegation_start start = deputy_start_of(&deputy, 0, 0);
    const uint8_t status = deputy_do_start(&deputy, 0, &start).status;
    ck_assert(status == STATUS_OK || status == STATUS_NOT_ASSOCIATED);
    /* interception without an end in sight there must not be */
    deputy.primaries[0].deaf = true;
    deputy_wait(&deputy, 3000);
    ck_assert(!intercepts(0));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("held_memory");
    TCase *orders = deputy_case(suite, "orders");
    tcase_add_short_test(orders, first_start, 18);
    tcase_add_short_test(orders, another_start, 18);
    tcase_add_short_test(orders, stop_of_the_unknown, 18);
    tcase_add_short_test(orders, stop_of_an_entry, 18);
    TCase *others = deputy_case(suite, "others");
    tcase_add_short_test(others, synchronisation, 18);
    tcase_add_short_test(others, session_and_lease, 18);
    return check_main(suite);
}
