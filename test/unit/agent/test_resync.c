/* SPDX-License-Identifier: BSD-3-Clause */
/* doc/delegation-protocol.md, "Synchronisation", the primary's half: asking, and answers. */
#include "former_check.h"

START_TEST(session_that_we_begin_begins_with_sync_req)
{
    from_before(0);
    ck_assert_uint_eq(script(0)->types[0], DELEGATION_SYNC_REQ);
    ck_assert_uint_eq(script(0)->requests, 1);
    ck_assert_uint_eq(script(0)->buckets, 0); /* everything */
    ck_assert_uint_eq(script(0)->data_acks, 1);
    ck_assert_uint_eq(counted(AGENT_SYNCHRONISATIONS), 1);
    ck_assert_uint_eq(flock.notes[NOTE_SYNCHRONISED], 1);
    ck_assert_int_eq(node(0)->state, PEER_READY);
    ck_assert(resync_is_over(node(0)));
}
END_TEST

START_TEST(every_session_is_synchronised)
{
    from_before(0);
    for (unsigned n = 2; n < 5; n++) {
        flock_greet(&flock, 0);
        flock_keepalive(&flock, 0);
        ck_assert_uint_eq(script(0)->requests, 1);
        ck_assert_uint_eq(counted(AGENT_SYNCHRONISATIONS), n);
    }
}
END_TEST

START_TEST(it_is_syncing_until_the_last_one)
{
    script(0)->never_last = true;
    from_before(0);
    ck_assert_int_eq(node(0)->state, PEER_SYNCING);
    ck_assert(!node_is_eligible(node(0)) && !resync_is_over(node(0)));
    struct packet packet;
    packet_begin(&packet, script(0)->agent->peers, DELEGATION_SYNC_DATA, 99);
    packet.flags |= DELEGATION_LAST;
    packet.request = (uint16_t)(script(0)->request + 1);
    flock_say(&flock, 0, &packet);
    ck_assert_int_eq(node(0)->state, PEER_SYNCING); /* the answer to another request */
    packet_begin(&packet, script(0)->agent->peers, DELEGATION_SYNC_DATA, 100);
    packet.flags |= DELEGATION_LAST;
    packet.request = (uint16_t)script(0)->request;
    flock_say(&flock, 0, &packet);
    ck_assert_int_eq(node(0)->state, PEER_READY);
    ck_assert_uint_eq(script(0)->data_acks, 3);
}
END_TEST

START_TEST(request_is_repeated_until_answered)
{
    script(0)->syncs_nothing = true;
    from_before(0);
    flock_wait_ms(&flock, 3000);
    ck_assert_uint_gt(script(0)->requests, 3);
    ck_assert_int_eq(node(0)->state, PEER_SYNCING);
    const uint32_t request = script(0)->request;
    script(0)->syncs_nothing = false;
    flock_wait_ms(&flock, 3600);
    ck_assert_uint_eq(script(0)->request, request);
    ck_assert_int_eq(node(0)->state, PEER_READY);
}
END_TEST

START_TEST(data_is_acknowledged_again_after_the_end)
{
    from_before(0);
    const unsigned before = script(0)->data_acks;
    struct packet packet;
    packet_begin(&packet, script(0)->agent->peers, DELEGATION_SYNC_DATA, script(0)->transaction);
    packet.request = (uint16_t)script(0)->request;
    packet.flags |= DELEGATION_LAST;
    flock_say(&flock, 0, &packet);
    ck_assert_uint_eq(script(0)->data_acks, before + 1);
    ck_assert_uint_eq(flock.notes[NOTE_SYNCHRONISED], 1);
}
END_TEST

START_TEST(long_synchronisation_makes_progress)
{
    script(0)->never_last = true;
    from_before(0);
    for (int i = 0; i < 10; i++) {
        struct packet packet;
        packet_begin(&packet, script(0)->agent->peers, DELEGATION_SYNC_DATA, 100 + (uint32_t)i);
        packet.request = (uint16_t)script(0)->request;
        flock_say(&flock, 0, &packet);
        flock_wait_ms(&flock, 2000);
    }
    ck_assert_uint_eq(counted(AGENT_LEASES_WITHHELD), 0);
    flock_wait_ms(&flock, 10000);
    ck_assert_uint_eq(counted(AGENT_LEASES_WITHHELD), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("resync");
    TCase *one = flock_case(suite, "one secondary", open_1);
    tcase_add_test(one, session_that_we_begin_begins_with_sync_req);
    tcase_add_test(one, every_session_is_synchronised);
    tcase_add_test(one, it_is_syncing_until_the_last_one);
    tcase_add_test(one, request_is_repeated_until_answered);
    tcase_add_test(one, data_is_acknowledged_again_after_the_end);
    tcase_add_test(one, long_synchronisation_makes_progress);
    return check_main(suite);
}
