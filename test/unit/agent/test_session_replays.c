/* SPDX-License-Identifier: BSD-3-Clause */
#include "suspect_check.h"

START_TEST(replayed_datagrams)
{
    greet(primary);
    const struct message hello = pass();
    const struct message ack = pass();
    const struct message first = pair_take(&pair);
    pair_deliver(&pair, &first);
    pair_pump(&pair);
    in_one_session();
    const struct session before = secondary->peer->session;

    discarded(&ack, PRIMARY, AGENT_PEER_WRONG_NONCE, "HELLO_ACK again");
    discarded(&first, SECONDARY, AGENT_PEER_REPLAYED, "a datagram again");
    /* The HELLO costs an answer and makes a candidate, and nothing else. */
    const struct told told = secondary->told;
    const uint64_t sent = pair_counter(&pair, SECONDARY, AGENT_PEER_SENT);
    pair_deliver(&pair, &hello);
    ck_assert_uint_eq(pair_counter(&pair, SECONDARY, AGENT_PEER_SENT), sent + 1);
    ck_assert(secondary->peer->candidates[0].live);
    ck_assert_mem_eq(&secondary->peer->session, &before, sizeof(before));
    ck_assert_mem_eq(&secondary->told, &told, sizeof(told));
    discarded(&hello, SECONDARY, AGENT_PEER_REPLAYED, "HELLO at once again");
    /* That candidate is another session than the one that began with the first datagram. */
    discarded(&first, SECONDARY, AGENT_PEER_REPLAYED, "a datagram again behind its HELLO");
    pair_pump(&pair);
    ck_assert_mem_eq(&secondary->peer->session, &before, sizeof(before));
    in_one_session();
}
END_TEST

/* A candidate of which the session was ended does not come back. */
START_TEST(nothing_comes_back)
{
    greet(primary);
    const struct message hello = pass();
    pass();
    const struct message first = pair_take(&pair);
    peer_end_session(secondary->agent, secondary->peer);
    discarded(&first, SECONDARY, AGENT_PEER_UNKNOWN_SPI, "a datagram under a candidate that is gone");
    pair_deliver(&pair, &hello);
    discarded(&first, SECONDARY, AGENT_PEER_FORGED, "the same behind its HELLO");
    ck_assert(!peer_in_session(secondary->peer));
}
END_TEST

START_TEST(late_answer)
{
    greet(primary);
    pass();
    const struct message ack = pair_take(&pair);
    peer_end_session(primary->agent, primary->peer);
    discarded(&ack, PRIMARY, AGENT_PEER_WRONG_NONCE, "an answer from before the end");
}
END_TEST

/* HELLOs of former boots, recorded, and over and over again: the real one gets its place, and keeps it for
 * longer than it needs to be answered and to answer. */
START_TEST(flood_of_replays)
{
    struct message old[SESSION_CANDIDATES];
    for (int i = 0; i < SESSION_CANDIDATES; i++) {
        old[i] = one_of(DELEGATION_HELLO);
        pair_restart(&pair, PRIMARY);
        pair_collect(&pair);
    }
    uint64_t at_most = 0;
    for (int ms = 0; ms < 1000; ms++) {
        pair.now.mono_ns += NSEC_PER_MS;
        for (int i = 0; i < SESSION_CANDIDATES; i++)
            pair_deliver(&pair, &old[i]);
    }
    at_most = pair_counter(&pair, SECONDARY, AGENT_PEER_SENT);
    ck_assert_uint_le(at_most, 60);
    pair_collect(&pair);
    pair.n_wire = 0;

    greet(primary);
    pass();
    ck_assert_uint_eq(pair.n_wire, 1);
    const struct message ack = pair_take(&pair);
    for (int ms = 0; ms < 150; ms++) {
        pair.now.mono_ns += NSEC_PER_MS;
        for (int i = 0; i < SESSION_CANDIDATES; i++)
            pair_deliver(&pair, &old[i]);
    }
    pair_collect(&pair);
    pair.n_wire = 0;
    pair_deliver(&pair, &ack);
    pair_pump(&pair);
    in_one_session();
}
END_TEST

/* HELLOs of former sessions take no place at all, however many there are. */
START_TEST(replays_of_what_made_sessions)
{
    struct message old[SESSION_NONCES];
    for (int i = 0; i < SESSION_NONCES; i++) {
        greet(primary);
        old[i] = pair.wire[0];
        pair_pump(&pair);
        in_one_session();
        pair_restart(&pair, PRIMARY);
        pair_collect(&pair);
        pair.now.mono_ns += NSEC_PER_S;
    }
    greet(primary);
    pair_pump(&pair); /* now the last one's nonce is spent, too */
    in_one_session();
    const uint64_t sent = pair_counter(&pair, SECONDARY, AGENT_PEER_SENT);
    for (int i = 0; i < SESSION_NONCES; i++)
        discarded(&old[i], SECONDARY, AGENT_PEER_REPLAYED, "a HELLO that had made a session");
    ck_assert_uint_eq(pair_counter(&pair, SECONDARY, AGENT_PEER_SENT), sent);
}
END_TEST

/* A session that the peer never used leaves its nonce pending: it must be heard again. */
START_TEST(nonce_of_an_unused_session)
{
    greet(primary);
    const struct message hello = pair.wire[0];
    pair.n_wire = 0;
    greet(secondary);
    pass();
    const struct message ack = pair_take(&pair);
    pair_deliver(&pair, &ack);
    ck_assert(peer_in_session(secondary->peer)); /* and its first datagram is lost */
    pair_collect(&pair);
    pair.n_wire = 0;
    peer_end_session(secondary->agent, secondary->peer);
    pair_deliver(&pair, &hello);
    pair_pump(&pair);
    in_one_session();
}
END_TEST

/* It is the oldest that goes: two new ones, one right after the other, both find a place. */
START_TEST(oldest_goes)
{
    struct message hello[4];
    for (int i = 0; i < 4; i++) {
        hello[i] = one_of(DELEGATION_HELLO);
        pair_restart(&pair, PRIMARY);
        pair_collect(&pair);
        pair.n_wire = 0;
    }
    for (int i = 0; i < 4; i++) {
        pair.now.mono_ns += (i == 2 ? 1000 : 10) * NSEC_PER_MS;
        pair_deliver(&pair, &hello[i]);
        ck_assert_uint_eq(pair_counter(&pair, SECONDARY, AGENT_PEER_SENT), i + 1);
    }
    discarded(&hello[0], SECONDARY, AGENT_PEER_REPLAYED, "a third one in so short a time");
}
END_TEST

/* All that is sent in one window may arrive in any order; what is one older may not. */
START_TEST(reordered)
{
    secondary->mute = true;
    pair_meet(&pair, PRIMARY);
    secondary->told.received = 0;
    pair_say(&pair, PRIMARY, DELEGATION_RATES);
    const struct message oldest = pair_take(&pair);
    pair_say(&pair, PRIMARY, DELEGATION_RATES);
    const struct message second = pair_take(&pair);
    uint64_t sequence = 0;
    for (int i = 0; i < SESSION_WINDOW - 1; i++) {
        sequence = pair_say(&pair, PRIMARY, DELEGATION_RATES);
        if (i % 2 == 0) /* every other one is lost */
            pair_pump(&pair);
        else
            pair_take(&pair);
    }
    pair_pump(&pair);
    ck_assert_uint_eq(secondary->peer->session.highest, sequence);
    ck_assert_uint_eq(secondary->told.received, SESSION_WINDOW / 2);
    discarded(&oldest, SECONDARY, AGENT_PEER_REPLAYED, "one older than the window");
    pair_deliver(&pair, &second);
    ck_assert_uint_eq(secondary->told.received, SESSION_WINDOW / 2 + 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("session_replays");
    TCase *tcase = pair_case(suite, "replays");
    tcase_add_test(tcase, replayed_datagrams);
    tcase_add_test(tcase, nothing_comes_back);
    tcase_add_test(tcase, late_answer);
    tcase_add_test(tcase, flood_of_replays);
    tcase_add_test(tcase, replays_of_what_made_sessions);
    tcase_add_test(tcase, nonce_of_an_unused_session);
    tcase_add_test(tcase, oldest_goes);
    tcase_add_test(tcase, reordered);
    return check_main(suite);
}
