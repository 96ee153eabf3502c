/* SPDX-License-Identifier: BSD-3-Clause */
/* What shows that a binding update is a new one: a timestamp, or its sequence number. */
#include "update_check.h"

/* ---- Timestamps (RFC 4285 section 6) ---- */

START_TEST(mismatch_resynchronises)
{
    struct ask6 ask = lab6_ask(&lab, 0);
    ask.m.options.timestamp = UINT64_C(0x0123456789abcdef);
    const struct answer6 a = refused(&ask, MIP6_TIMESTAMP_MISMATCH);
    ck_assert(a.ack.options.has_timestamp);
    ck_assert(a.ack.options.timestamp >> 32 == lab.now.ntp >> 32);
    ck_assert((uint32_t)a.ack.options.timestamp == 0x89abcdef);
}
END_TEST

START_TEST(timestamp_greater_than_all_accepted)
{
    struct ask6 older = lab6_ask(&lab, 0);
    struct ask6 ask = lab6_ask(&lab, 0);
    const struct answer6 a = accepted(&ask);
    ck_assert(a.ack.options.has_timestamp);
    ck_assert(a.ack.options.timestamp == ask.m.options.timestamp);
    refused(&ask, MIP6_TIMESTAMP_MISMATCH);
    refused(&older, MIP6_TIMESTAMP_MISMATCH);
    ask.m.options.timestamp++;
    accepted(&ask); /* the same sequence number: it does not count */
}
END_TEST

START_TEST(refused_update_uses_no_timestamp)
{
    struct ask6 ask = lab6_ask(&lab, 0);
    struct ask6 router = ask;
    mobile_router(&router);
    refused(&router, MIP6_NO_MOBILE_ROUTERS);
    accepted(&ask);
}
END_TEST

START_TEST(required_timestamp_is_not_made_up)
{
    struct ask6 ask = lab6_ask(&lab, 0);
    no_timestamp(&ask);
    ck_assert(!refused(&ask, MIP6_TIMESTAMP_REQUIRED).ack.options.has_timestamp);
}
END_TEST

/* An association by sequence numbers: a timestamp comes back as it was. */
START_TEST(timestamp_that_does_not_govern)
{
    struct ask6 ask = lab6_ask(&lab, LAB6_SEQUENCES);
    ask.m.options.has_timestamp = true;
    ask.m.options.timestamp = 12345;
    const struct answer6 a = accepted(&ask);
    ck_assert(a.ack.options.has_timestamp);
    ck_assert(a.ack.options.timestamp == 12345);
}
END_TEST

/* ---- Sequence numbers (RFC 6275 section 9.5.1) ---- */

static const struct {
    uint16_t last, next;
    bool good;
} sequences[] = {
    {15, 0, false},        {15, 14, false},      {15, 15, false},       {15, 16, true},
    {15, 32782, true},     {15, 32783, false},   {15, 65535, false},    {65535, 0, true},
    {65535, 65535, false}, {65535, 32766, true}, {65535, 32767, false}, {0, 1, true},
    {0, 32767, true},      {0, 32768, false},    {0, 65535, false},     {0, 0, false},
};

START_TEST(sequence)
{
    struct ask6 ask = lab6_ask(&lab, LAB6_SEQUENCES);
    ask.m.sequence = sequences[_i].last;
    ck_assert_uint_eq(accepted(&ask).ack.sequence, sequences[_i].last);
    ask.m.sequence = sequences[_i].next;
    if (sequences[_i].good)
        ck_assert_uint_eq(accepted(&ask).ack.sequence, sequences[_i].next);
    else
        ck_assert_uint_eq(refused(&ask, MIP6_SEQUENCE).ack.sequence, sequences[_i].last);
}
END_TEST

/* Valid, and so the last valid one, though it was refused. */
START_TEST(refused_update_uses_its_sequence)
{
    struct ask6 ask = lab6_ask(&lab, LAB6_SEQUENCES);
    ask.m.sequence = 100;
    accepted(&ask);
    struct ask6 router = ask;
    router.m.sequence = 200;
    mobile_router(&router);
    refused(&router, MIP6_NO_MOBILE_ROUTERS);
    ck_assert_uint_eq(refused(&router, MIP6_SEQUENCE).ack.sequence, 200);
    ask.m.sequence = 150;
    ck_assert_uint_eq(refused(&ask, MIP6_SEQUENCE).ack.sequence, 200);
    ask.m.sequence = 201;
    accepted(&ask);
}
END_TEST

/* What is not authentic, or of the other kind, does not count. */
START_TEST(invalid_update_uses_no_sequence)
{
    struct ask6 ask = lab6_ask(&lab, LAB6_SEQUENCES);
    ask.m.sequence = 100;
    accepted(&ask);
    struct ask6 bad = ask;
    bad.m.sequence = 300;
    bad.wrong = true;
    refused(&bad, MIP6_AUTH_FAILED);
    bad.wrong = false;
    bad.m.flags = MIP6_ACKNOWLEDGE;
    refused(&bad, MIP6_TYPE_CHANGE);
    ask.m.sequence = 101;
    accepted(&ask);
}
END_TEST

/* Section 10.3.2, last paragraph: an update that was delayed until after the deregistration. */
START_TEST(delayed_update_after_deregistration)
{
    struct ask6 first = lab6_ask(&lab, LAB6_SEQUENCES);
    struct ask6 delayed = lab6_ask(&lab, LAB6_SEQUENCES);
    struct ask6 end = lab6_ask_return(&lab, LAB6_SEQUENCES);
    accepted(&first);
    accepted(&end);
    refused(&delayed, MIP6_SEQUENCE);
    lab_wait(&lab, 3600 * NSEC_PER_S);
    ck_assert_uint_eq(refused(&delayed, MIP6_SEQUENCE).ack.sequence, end.m.sequence);
    ck_assert_uint_eq(agent_bindings(lab.agent), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("replay of binding updates");
    TCase *t = lab6_case(suite, "replay");
    tcase_add_test(t, mismatch_resynchronises);
    tcase_add_test(t, timestamp_greater_than_all_accepted);
    tcase_add_test(t, refused_update_uses_no_timestamp);
    tcase_add_test(t, required_timestamp_is_not_made_up);
    tcase_add_test(t, timestamp_that_does_not_govern);
    tcase_add_loop_test(t, sequence, 0, ROWS(sequences));
    tcase_add_test(t, refused_update_uses_its_sequence);
    tcase_add_test(t, invalid_update_uses_no_sequence);
    tcase_add_test(t, delayed_update_after_deregistration);
    return check_main(suite);
}
