/* SPDX-License-Identifier: BSD-3-Clause */
#include "lab_check.h"

/* ---- Timestamps (RFC 5944 section 5.7.1) ---- */
static const struct {
    const char *what;
    int64_t offset; /* from our clock, in units of 2^-32 s */
    bool good;
} stamps[] = {
    {"now", 1, true},
    {"slow by the tolerance", -(INT64_C(7) << 32), true},
    {"slow by a little more", -(INT64_C(7) << 32) - 1, false},
    {"fast by the tolerance", INT64_C(7) << 32, true},
    {"fast by a little more", (INT64_C(7) << 32) + 1, false},
    {"an hour ago", -(INT64_C(3600) << 32), false},
    {"the other end of time", INT64_MIN, false},
};

START_TEST(tolerance)
{
    struct ask ask = lab_ask(&lab, 0);
    ask.q.identification = lab.now.ntp + (uint64_t)stamps[_i].offset;
    const struct answer a = lab_send(&lab, &ask);
    ck_assert_msg(mip4_code_is_success(a.reply.code) == stamps[_i].good, "%s: %u", stamps[_i].what,
                  a.reply.code);
    if (stamps[_i].good) {
        ck_assert(a.reply.identification == ask.q.identification);
        return;
    }
    ck_assert_uint_eq(a.reply.code, MIP4_IDENTIFICATION_MISMATCH);
    ck_assert(a.reply.identification >> 32 == lab.now.ntp >> 32);
    ck_assert((uint32_t)a.reply.identification == (uint32_t)ask.q.identification);
    ck_assert_uint_eq(agent_bindings(lab.agent), 0);
}
END_TEST

START_TEST(must_be_greater_than_all_accepted)
{
    struct ask first = lab_ask(&lab, 0);
    struct ask older = first;
    granted(&first);
    older.q.identification -= 1;
    denied(&older, MIP4_IDENTIFICATION_MISMATCH);
    struct ask newer = first;
    newer.q.identification += 1;
    granted(&newer);
    denied(&first, MIP4_IDENTIFICATION_MISMATCH);
}
END_TEST

/* The greatest counts whichever association brought it. */
START_TEST(second_association_of_the_same_mobile_node)
{
    const struct addr home = lab_home(0);
    struct association second = lab_association(0);
    second.spi = 9000;
    ck_assert_int_eq(agent_mobile_set(lab.agent, &home, &second, NULL), 0);
    struct ask late = lab_ask(&lab, 0);
    struct ask by_second = lab_ask(&lab, 0);
    by_second.mobile = second;
    granted(&by_second);
    denied(&late, MIP4_IDENTIFICATION_MISMATCH);
}
END_TEST

START_TEST(denied_request_uses_no_timestamp)
{
    struct ask ask = lab_ask(&lab, 0);
    struct ask gre = ask;
    gre.q.flags |= MIP4_GRE;
    denied(&gre, MIP4_NO_ENCAPSULATION);
    granted(&ask);
}
END_TEST

START_TEST(boot_is_the_first_floor)
{
    struct lab other;
    lab_open(&other);
    agent_destroy(other.agent);
    static const uint8_t seed[AGENT_SEED] = {9};
    other.agent = agent_create(&other.settings, seed, other.now);
    lab_populate(&other);
    struct ask ask = lab_ask(&other, 0);
    ask.q.identification = other.now.ntp;
    ck_assert_uint_eq(lab_send(&other, &ask).reply.code, MIP4_IDENTIFICATION_MISMATCH);
    ask.q.identification++;
    ck_assert_uint_eq(lab_send(&other, &ask).reply.code, MIP4_ACCEPTED_NO_SIMULTANEOUS);
    lab_close(&other);
}
END_TEST

START_TEST(outlives_the_binding)
{
    struct ask ask = lab_ask(&lab, 0);
    ask.q.lifetime_s = 1;
    ask.q.identification = lab.now.ntp + ntp_from_seconds(6);
    granted(&ask);
    lab_wait(&lab, 2 * NSEC_PER_S);
    ck_assert_uint_eq(agent_bindings(lab.agent), 0);
    denied(&ask, MIP4_IDENTIFICATION_MISMATCH);
}
END_TEST

START_TEST(outlives_a_removal_by_configuration)
{
    const struct addr home = lab_home(0);
    const struct association sa = lab_association(0);
    struct ask ask = lab_ask(&lab, 0);
    granted(&ask);
    agent_sweep_begin(lab.agent);
    while (agent_sweep(lab.agent, 1, lab.now))
        continue;
    ck_assert_uint_eq(agent_mobiles(lab.agent), 0);
    ck_assert_int_eq(agent_mobile_set(lab.agent, &home, &sa, NULL), 0);
    lab_drain(&lab);
    denied(&ask, MIP4_IDENTIFICATION_MISMATCH);
}
END_TEST

/* NTP's era ends in February 2036. */
START_TEST(rollover)
{
    static const uint8_t seed[AGENT_SEED] = {7};
    agent_destroy(lab.agent);
    lab.now.ntp = UINT64_MAX - ntp_from_seconds(30);
    lab.agent = agent_create(&lab.settings, seed, lab.now);
    lab_populate(&lab);
    for (int i = 0; i < 60; i++) {
        struct ask ask = lab_ask(&lab, 0);
        ask.q.identification += ntp_from_seconds(3); /* a fast clock crosses first */
        granted(&ask);
        struct ask older = ask;
        older.q.identification -= ntp_from_seconds(1);
        denied(&older, MIP4_IDENTIFICATION_MISMATCH);
        lab_wait(&lab, NSEC_PER_S);
    }
    ck_assert(lab.now.ntp < ntp_from_seconds(60));
}
END_TEST

/* ---- Duplicates (section 3.8.2.2) ---- */
START_TEST(duplicate_does_not_extend)
{
    struct ask ask = lab_ask(&lab, 0);
    granted(&ask);
    lab_wait(&lab, 5 * NSEC_PER_S + 1);
    const struct answer again = granted(&ask);
    ck_assert_uint_eq(again.reply.lifetime_s, LAB_LIFETIME - 6);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_DUPLICATES), 1);
    in_order("S");
    lab_wait(&lab, (LAB_LIFETIME - 5) * NSEC_PER_S);
    ck_assert_uint_eq(agent_bindings(lab.agent), 0);
}
END_TEST

START_TEST(same_identification_in_another_request)
{
    struct ask ask = lab_ask(&lab, 0);
    granted(&ask);
    struct ask longer = ask;
    longer.q.lifetime_s++;
    denied(&longer, MIP4_IDENTIFICATION_MISMATCH);
    struct ask flags = ask;
    flags.q.flags |= MIP4_BROADCASTS;
    denied(&flags, MIP4_IDENTIFICATION_MISMATCH);
    struct ask moved = ask;
    moved.q.care_of = ip("192.0.2.99");
    denied(&moved, MIP4_IDENTIFICATION_MISMATCH);
}
END_TEST

START_TEST(duplicate_of_what_is_current_no_more)
{
    struct ask first = lab_ask(&lab, 0);
    granted(&first);
    struct ask moved = lab_ask(&lab, 0);
    moved.q.care_of = ip("192.0.2.99");
    granted(&moved);
    denied(&first, MIP4_IDENTIFICATION_MISMATCH);
    const struct addr home = lab_home(0);
    agent_revoke(lab.agent, &home, lab.now);
    lab_drain(&lab);
    denied(&moved, MIP4_IDENTIFICATION_MISMATCH);
    ck_assert_uint_eq(agent_bindings(lab.agent), 0);
}
END_TEST

START_TEST(duplicate_of_a_deregistration)
{
    bind_node(0);
    struct ask ask = lab_ask_return(&lab, 0);
    granted(&ask);
    const struct answer again = granted(&ask);
    ck_assert_uint_eq(again.reply.lifetime_s, 0);
    ck_assert(again.message.on_link);
    in_order("S");
}
END_TEST

/* ---- Nonces (section 5.7.2) ---- */
START_TEST(first_request_synchronises)
{
    struct ask ask = lab_ask(&lab, LAB_NONCES);
    const struct answer refused = lab_send(&lab, &ask);
    ck_assert_uint_eq(refused.reply.code, MIP4_IDENTIFICATION_MISMATCH);
    ck_assert((uint32_t)refused.reply.identification == (uint32_t)ask.q.identification);
    ask = lab_ask(&lab, LAB_NONCES);
    const struct answer a = granted(&ask);
    ck_assert((uint32_t)a.reply.identification == (uint32_t)ask.q.identification);
    ck_assert(a.reply.identification >> 32 != ask.q.identification >> 32);
}
END_TEST

START_TEST(lost_reply_needs_no_resynchronisation)
{
    bind_node(LAB_NONCES);
    lab_wait(&lab, NSEC_PER_S);
    struct ask ask = lab_ask(&lab, LAB_NONCES);
    const struct answer lost = granted(&ask);
    const struct answer again = granted(&ask); /* the same bytes */
    ck_assert(lost.reply.identification == again.reply.identification);
    ask = lab_ask(&lab, LAB_NONCES);
    granted(&ask);
}
END_TEST

START_TEST(lost_denial_needs_no_resynchronisation)
{
    bind_node(LAB_NONCES);
    struct ask ask = lab_ask(&lab, LAB_NONCES);
    ask.q.flags |= MIP4_GRE;
    const struct answer lost = lab_send(&lab, &ask);
    const struct answer again = lab_send(&lab, &ask);
    ck_assert_uint_eq(lost.reply.code, MIP4_NO_ENCAPSULATION);
    ck_assert_uint_eq(again.reply.code, MIP4_NO_ENCAPSULATION);
    ck_assert(lost.reply.identification == again.reply.identification);
    ask = lab_ask(&lab, LAB_NONCES);
    granted(&ask);
}
END_TEST

/* Denied for want of room, the same request must not be let in when there is room. */
START_TEST(denied_request_is_not_good_later)
{
    bind_node(0);
    struct ask probe = lab_ask(&lab, LAB_NONCES);
    lab_send(&lab, &probe);
    lab.settings.max_bindings = 1;
    reconfigure();
    struct ask ask = lab_ask(&lab, LAB_NONCES);
    denied(&ask, MIP4_NO_RESOURCES);
    lab.settings.max_bindings = 1000;
    reconfigure();
    denied(&ask, MIP4_NO_RESOURCES);
    ask = lab_ask(&lab, LAB_NONCES);
    granted(&ask);
    ask = lab_ask(&lab, LAB_NONCES);
    granted(&ask);
}
END_TEST

START_TEST(used_nonce_is_bad)
{
    bind_node(LAB_NONCES);
    struct ask old = lab_ask(&lab, LAB_NONCES);
    granted(&old);
    struct ask ask = lab_ask(&lab, LAB_NONCES);
    granted(&ask);
    denied(&old, MIP4_IDENTIFICATION_MISMATCH);
    struct ask reused = lab_ask(&lab, LAB_NONCES);
    reused.q.identification = (ask.q.identification >> 32 << 32) | (uint32_t)reused.q.identification;
    denied(&reused, MIP4_IDENTIFICATION_MISMATCH);
}
END_TEST

START_TEST(replay_after_expiry)
{
    bind_node(LAB_NONCES);
    struct ask ask = lab_ask(&lab, LAB_NONCES);
    ask.q.lifetime_s = 1;
    granted(&ask);
    lab_wait(&lab, 2 * NSEC_PER_S);
    denied(&ask, MIP4_IDENTIFICATION_MISMATCH);
    ck_assert_uint_eq(agent_bindings(lab.agent), 0);
}
END_TEST

/* Each refusal brings another nonce; those already on their way stay good. */
START_TEST(replayer_cannot_keep_a_mobile_node_out)
{
    struct ask stale = lab_ask(&lab, LAB_NONCES);
    bind_node(LAB_NONCES);
    struct ask mine = lab_ask(&lab, LAB_NONCES);
    uint64_t last = 0;
    for (int i = 0; i < 1000; i++) {
        const struct answer a = lab_send(&lab, &stale);
        ck_assert_uint_eq(a.reply.code, MIP4_IDENTIFICATION_MISMATCH);
        if (i < 200)
            ck_assert(a.reply.identification != last);
        last = a.reply.identification;
    }
    granted(&mine);
}
END_TEST

/* A copy that somebody spoilt outside the mobile node's authentication must not spoil the request. */
START_TEST(spoilt_copy_does_not_spoil_the_request)
{
    bind_node(LAB_NONCES);
    struct ask ask = lab_ask_relayed(&lab, LAB_NONCES);
    struct ask spoilt = ask;
    spoilt.foreign_wrong = true;
    denied(&spoilt, MIP4_FOREIGN_AUTH_FAILED);
    spoilt = ask;
    spoilt.destination = ip("255.255.255.255");
    denied(&spoilt, MIP4_UNKNOWN_HOME_AGENT);
    granted(&ask);
    spoilt = ask;
    spoilt.foreign_wrong = true;
    denied(&spoilt, MIP4_FOREIGN_AUTH_FAILED); /* a duplicate, but from nobody we know */
    granted(&ask);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("replay");
    TCase *timestamps = lab_case(suite, "timestamps");
    tcase_add_loop_test(timestamps, tolerance, 0, ROWS(stamps));
    tcase_add_test(timestamps, must_be_greater_than_all_accepted);
    tcase_add_test(timestamps, second_association_of_the_same_mobile_node);
    tcase_add_test(timestamps, denied_request_uses_no_timestamp);
    tcase_add_test(timestamps, boot_is_the_first_floor);
    tcase_add_test(timestamps, outlives_the_binding);
    tcase_add_test(timestamps, outlives_a_removal_by_configuration);
    tcase_add_test(timestamps, rollover);
    TCase *duplicates = lab_case(suite, "duplicates");
    tcase_add_test(duplicates, duplicate_does_not_extend);
    tcase_add_test(duplicates, same_identification_in_another_request);
    tcase_add_test(duplicates, duplicate_of_what_is_current_no_more);
    tcase_add_test(duplicates, duplicate_of_a_deregistration);
    TCase *nonces = lab_case(suite, "nonces");
    tcase_add_test(nonces, first_request_synchronises);
    tcase_add_test(nonces, lost_reply_needs_no_resynchronisation);
    tcase_add_test(nonces, lost_denial_needs_no_resynchronisation);
    tcase_add_test(nonces, denied_request_is_not_good_later);
    tcase_add_test(nonces, spoilt_copy_does_not_spoil_the_request);
    tcase_add_test(nonces, used_nonce_is_bad);
    tcase_add_test(nonces, replay_after_expiry);
    tcase_add_test(nonces, replayer_cannot_keep_a_mobile_node_out);
    return check_main(suite);
}
