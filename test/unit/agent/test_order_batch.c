/* SPDX-License-Identifier: BSD-3-Clause */
/* Several records in a datagram: those of a set, and those that have nothing to do with each other. */
#include "deputy_check.h"

static void add_set(struct dispatch *d, struct delegation_start start, unsigned from, unsigned n)
{
    start.count = (uint8_t)n;
    for (start.index = 0; start.index < n; start.index++) {
        start.care_of = deputy_care_of(from + start.index);
        delegation_start_encode(&d->w, &start);
    }
}

static unsigned read_acks(const struct heard *h, struct delegation_ack *acks)
{
    struct delegation_records records = deputy_records(h);
    struct delegation_record record;
    unsigned n = 0;
    while (delegation_next(&records, &record)) {
        ck_assert_uint_eq(record.type, DELEGATION_RECORD_ACK);
        acks[n++] = record.ack;
    }
    ck_assert(!records.failed);
    return n;
}

/* One generation, one step, one acknowledgement; what leaves the set leaves in the same step. */
START_TEST(set_is_atomic)
{
    struct dispatch d;
    struct delegation_ack acks[32];
    const struct delegation_start first = deputy_start_of(&deputy, 0, 0),
                                  second = deputy_start_of(&deputy, 0, 0);
    deputy_begin(&d);
    add_set(&d, first, 10, 8);
    deputy_send(&deputy, 0, DELEGATION_START, &d);
    expect_order("eight", 0, "I S A");
    ck_assert_uint_eq(deputy_effect(&deputy, EFFECT_INSTALL)->install.n_care_of, 8);
    ck_assert_uint_eq(read_acks(deputy_take(&deputy, 0, DELEGATION_START_ACK), acks), 1);
    ck_assert_uint_eq(acks[0].index, 0);
    deputy_forget(&deputy);
    deputy_begin(&d);
    add_set(&d, second, 16, 3);
    deputy_send(&deputy, 0, DELEGATION_START, &d);
    expect_order("three", 0, "I S A");
    const struct forwarding *f = &deputy_effect(&deputy, EFFECT_INSTALL)->install;
    ck_assert_uint_eq(f->n_care_of, 3);
    for (unsigned i = 0; i < 3; i++) {
        const struct addr care_of = deputy_care_of(16 + i);
        ck_assert(addr_equal(&f->care_of[i].address, &care_of));
    }
    ck_assert_uint_eq(agent_bindings(deputy.agent), 1);
}
END_TEST

START_TEST(set_with_one_address_twice)
{
    struct dispatch d;
    struct delegation_ack ack;
    struct delegation_start start = deputy_start_of(&deputy, 0, 0);
    start.count = 2;
    deputy_begin(&d);
    delegation_start_encode(&d.w, &start);
    start.index = 1;
    delegation_start_encode(&d.w, &start);
    deputy_send(&deputy, 0, DELEGATION_START, &d);
    ck_assert_uint_eq(read_acks(deputy_take(&deputy, 0, DELEGATION_START_ACK), &ack), 1);
    ck_assert_uint_eq(ack.status, STATUS_BAD_RECORD);
    ck_assert(!forwards(0));
}
END_TEST

START_TEST(batch_goes_in_the_order_of_things)
{
    struct dispatch d;
    struct delegation_ack acks[32];
    deputy_begin(&d);
    const struct delegation_start start = deputy_start_of(&deputy, 0, 3);
    add_set(&d, deputy_start_of(&deputy, 0, 1), 10, 1);
    add_set(&d, deputy_start_of(&deputy, 0, 2), 11, 2);
    delegation_lease_encode(&d.w, &deputy.primaries[0].lease); /* out of place */
    add_set(&d, start, 13, 1);
    const uint32_t transaction = deputy_send(&deputy, 0, DELEGATION_START, &d);
    expect_order("batch", 0, "I I I S A A A");
    const struct heard *h = deputy_take(&deputy, 0, DELEGATION_START_ACK);
    ck_assert_uint_eq(h->header.transaction, transaction);
    ck_assert_uint_eq(h->header.flags, DELEGATION_RESPONSE);
    ck_assert_uint_eq(read_acks(h, acks), 4);
    static const uint16_t indexes[] = {0, 1, 3, 4};
    for (unsigned i = 0; i < 4; i++) {
        ck_assert_uint_eq(acks[i].index, indexes[i]);
        ck_assert_uint_eq(acks[i].status, i == 2 ? STATUS_BAD_RECORD : STATUS_OK);
    }
    ck_assert_uint_eq(acks[3].asked, start.generation);
    ck_assert_uint_eq(deputy_counter(&deputy, AGENT_STARTS_TAKEN), 3);
}
END_TEST

/* A record that breaks off a set is one of its own. */
START_TEST(set_broken_off)
{
    struct dispatch d;
    struct delegation_ack acks[32];
    struct delegation_start broken = deputy_start_of(&deputy, 0, 1);
    broken.count = 3;
    deputy_begin(&d);
    delegation_start_encode(&d.w, &broken);
    add_set(&d, deputy_start_of(&deputy, 0, 2), 11, 1);
    deputy_send(&deputy, 0, DELEGATION_START, &d);
    ck_assert_uint_eq(read_acks(deputy_take(&deputy, 0, DELEGATION_START_ACK), acks), 2);
    ck_assert_uint_eq(acks[0].status, STATUS_BAD_RECORD);
    ck_assert_uint_eq(acks[1].status, STATUS_OK);
    ck_assert_uint_eq(acks[1].index, 1);
    ck_assert(!forwards(1) && forwards(2));
}
END_TEST

/* Twenty-seven acknowledgements do not go into 600 bytes. */
START_TEST(acknowledgements_are_divided)
{
    struct dispatch d;
    struct delegation_ack acks[32];
    unsigned responses = 0, total = 0;
    deputy.primaries[0].payload_max = 600;
    deputy_meet_again(&deputy, 0, true);
    deputy_begin(&d);
    for (unsigned i = 0; i < 27; i++) {
        const struct delegation_stop stop = deputy_stop_of(&deputy, 0, i);
        delegation_stop_encode(&d.w, &stop);
    }
    const uint32_t transaction = deputy_send(&deputy, 0, DELEGATION_STOP, &d);
    const struct heard *h;
    for (; (h = deputy_take(&deputy, 0, DELEGATION_STOP_ACK)) != NULL; responses++) {
        ck_assert_uint_le(h->len, 600);
        ck_assert_uint_eq(h->header.transaction, transaction);
        total += read_acks(h, acks + total);
    }
    ck_assert_uint_eq(responses, 3);
    ck_assert_uint_eq(total, 27);
    for (unsigned i = 0; i < 27; i++)
        ck_assert_uint_eq(acks[i].index, i);
}
END_TEST

/* As many records as fit, none of them known: all are answered. */
START_TEST(all_bad_records_are_answered)
{
    struct dispatch d;
    struct delegation_ack acks[200];
    unsigned total = 0;
    deputy_begin(&d);
    for (unsigned i = 0; i < 160; i++)
        delegation_digest_encode(&d.w, 0, 0, NULL);
    deputy_send(&deputy, 0, DELEGATION_START, &d);
    const struct heard *h;
    while ((h = deputy_take(&deputy, 0, DELEGATION_START_ACK)) != NULL)
        total += read_acks(h, acks + total);
    ck_assert_uint_eq(total, 160);
    ck_assert_uint_eq(acks[159].index, 159);
    ck_assert_uint_eq(acks[159].status, STATUS_BAD_RECORD);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("order_batch");
    TCase *sets = deputy_case(suite, "sets");
    tcase_add_test(sets, set_is_atomic);
    tcase_add_test(sets, set_with_one_address_twice);
    TCase *batches = deputy_case(suite, "batches");
    tcase_add_test(batches, batch_goes_in_the_order_of_things);
    tcase_add_test(batches, set_broken_off);
    tcase_add_test(batches, acknowledgements_are_divided);
    tcase_add_test(batches, all_bad_records_are_answered);
    return check_main(suite);
}
