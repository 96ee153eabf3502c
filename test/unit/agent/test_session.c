/* SPDX-License-Identifier: BSD-3-Clause */
/* Two ends agree on a session. */
#include "pair_check.h"

START_TEST(handshake)
{
    struct end *greeter = &pair.ends[_i], *other = &pair.ends[!_i];
    greet(greeter);
    ck_assert_uint_eq(pair.n_wire, 1);
    ck_assert_uint_eq(pair.wire[0].source_port, DELEGATION_PORT);
    ck_assert_uint_eq(pair.wire[0].destination_port, DELEGATION_PORT);
    pair_pump(&pair);
    in_one_session();
    ck_assert(greeter->told.first);
    ck_assert(!other->told.first);
    for (int i = 0; i < 2; i++) {
        const struct peer *peer = pair.ends[i].peer;
        const struct mac theirs = {{2, 0, 0, 0, 0, (uint8_t)(2 - i)}};
        ck_assert_uint_eq(pair.ends[i].told.began, 1);
        ck_assert_uint_eq(pair.ends[i].told.introduced, 1);
        ck_assert(pair.ends[i].told.restarted);
        ck_assert_uint_eq(pair.ends[i].told.term, PAIR_TERM + !i);
        ck_assert_uint_eq(peer->id, 2 - i);
        ck_assert(mac_equal(&peer->mac, &theirs));
        ck_assert_uint_eq(peer->payload_max, DELEGATION_MAX);
        ck_assert_uint_eq(peer->id_slot, PAIR_SLOT);
        ck_assert_uint_eq(pair_counter(&pair, i, AGENT_SESSIONS), 1);
    }
}
END_TEST

START_TEST(both_greet_at_once)
{
    greet(primary);
    greet(secondary);
    ck_assert_uint_eq(pair.n_wire, 2);
    pair_pump(&pair);
    in_one_session();
    ck_assert_uint_eq(primary->told.began, 1);
    ck_assert_uint_eq(secondary->told.began, 1);
}
END_TEST

/* The nth datagram of the handshake is lost: HELLO, HELLO_ACK, the first of the session. */
START_TEST(one_is_lost)
{
    greet(secondary);
    for (int i = 0; i < _i; i++)
        pass();
    pair_take(&pair);
    if (_i == 2) { /* the greeter is in session and says more */
        ck_assert(peer_in_session(secondary->peer));
        ck_assert(!peer_in_session(primary->peer));
        pair_say(&pair, SECONDARY, DELEGATION_KEEPALIVE);
        pair_pump(&pair);
    }
    pair_wait(&pair, 1200 * NSEC_PER_MS);
    in_one_session();
    ck_assert_uint_eq(secondary->told.began, 1);
}
END_TEST

START_TEST(greets_each_second)
{
    pair.cut = true;
    greet(primary);
    pair_wait(&pair, 10 * NSEC_PER_S);
    const uint64_t sent = pair_counter(&pair, PRIMARY, AGENT_PEER_SENT);
    ck_assert_uint_ge(sent, 10);
    ck_assert_uint_le(sent, 11);
    peer_greet(primary->agent, primary->peer, pair.now); /* it does already */
    ck_assert_uint_eq(pair_counter(&pair, PRIMARY, AGENT_PEER_SENT), sent);
}
END_TEST

START_TEST(greets_no_more)
{
    pair.cut = true;
    greet(primary);
    peer_end_session(primary->agent, primary->peer);
    ck_assert(agent_deadline(primary->agent) == TIMER_NEVER);
    greet(primary); /* at once */
    ck_assert_uint_eq(pair_counter(&pair, PRIMARY, AGENT_PEER_SENT), 2);
}
END_TEST

/* The session in use stays until a datagram verifies under the new key. */
START_TEST(old_session_stays)
{
    pair_meet(&pair, PRIMARY);
    const struct auth_key old = primary->peer->session.key;
    greet(secondary);
    pass();
    const struct message ack = pair_take(&pair);
    ck_assert_mem_eq(&primary->peer->session.key, &old, sizeof(old));
    ck_assert(pair_works(&pair));
    pair_deliver(&pair, &ack);
    pair_pump(&pair);
    ck_assert_mem_ne(&primary->peer->session.key, &old, sizeof(old));
    in_one_session();
    ck_assert(!primary->told.restarted); /* the same boot of it */
    ck_assert(!secondary->told.restarted);
}
END_TEST

START_TEST(restart)
{
    pair_meet(&pair, PRIMARY);
    pair_restart(&pair, _i);
    greet(&pair.ends[_i]);
    pair_pump(&pair);
    in_one_session();
    ck_assert(pair.ends[!_i].told.restarted);
    ck_assert_uint_eq(pair.ends[!_i].told.began, 2);
}
END_TEST

/* The same boot of the peer is known as such, though the session with it was ended. */
START_TEST(known_after_an_end)
{
    pair_meet(&pair, PRIMARY);
    peer_end_session(primary->agent, primary->peer);
    ck_assert(!peer_in_session(primary->peer));
    ck_assert_uint_eq(pair_say(&pair, PRIMARY, DELEGATION_KEEPALIVE), 0);
    greet(primary);
    pair_pump(&pair);
    in_one_session();
    ck_assert(!primary->told.restarted);
}
END_TEST

START_TEST(small_payload)
{
    pair.ends[_i].peer->small_payload = true;
    pair_meet(&pair, PRIMARY);
    for (int i = 0; i < 2; i++) {
        struct packet packet;
        ck_assert_uint_eq(pair.ends[i].peer->payload_max, PEER_SMALL_PAYLOAD);
        packet_begin(&packet, pair.ends[i].peer, DELEGATION_START, 1);
        const size_t room = PEER_SMALL_PAYLOAD - DELEGATION_HEADER - DELEGATION_AUTHENTICATOR;
        ck_assert(packet_has_room(&packet, room));
        ck_assert(!packet_has_room(&packet, room + 1));
        /* but what cannot be divided is sent */
        for (int n = 0; n < DELEGATION_CARE_OF_MAX; n++)
            delegation_start_encode(&packet.w, &(struct delegation_start){.duration_ms = 1});
        ck_assert(!packet_has_room(&packet, 0));
        ck_assert_uint_gt(packet_send(pair.ends[i].agent, &packet, pair.now), 0);
    }
}
END_TEST

/* Datagrams are not taken out of fragments, so both ends make none that the smaller of their links cuts. */
static const struct {
    const char *what;
    uint16_t mtu[2];
    uint16_t payload;
} links[] = {
    {"not known", {0, 0}, DELEGATION_MAX},
    {"1500", {1500, 1500}, DELEGATION_MAX},
    {"as much as it takes", {1428, 9000}, DELEGATION_MAX},
    {"a byte less", {1427, 1500}, DELEGATION_MAX - 1},
    {"1280", {1500, 1280}, 1280 - IPV4_HEADER - UDP_HEADER},
    {"different ones", {1400, 1300}, 1300 - IPV4_HEADER - UDP_HEADER},
    {"no less than every peer takes", {576, 1500}, PEER_SMALL_PAYLOAD},
    {"next to nothing", {68, 68}, PEER_SMALL_PAYLOAD},
};

START_TEST(no_more_than_links_take)
{
    for (int i = 0; i < 2; i++)
        pair.ends[i].peer->is.mtu = links[_i].mtu[i];
    pair_meet(&pair, PRIMARY);
    for (int i = 0; i < 2; i++)
        ck_assert_msg(pair.ends[i].peer->payload_max == links[_i].payload, "%s: %u", links[_i].what,
                      (unsigned)pair.ends[i].peer->payload_max);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("session");
    TCase *tcase = pair_case(suite, "agreement");
    tcase_add_loop_test(tcase, handshake, 0, 2);
    tcase_add_test(tcase, both_greet_at_once);
    tcase_add_loop_test(tcase, one_is_lost, 0, 3);
    tcase_add_test(tcase, greets_each_second);
    tcase_add_test(tcase, greets_no_more);
    tcase_add_test(tcase, old_session_stays);
    tcase_add_loop_test(tcase, restart, 0, 2);
    tcase_add_test(tcase, known_after_an_end);
    tcase_add_loop_test(tcase, small_payload, 0, 2);
    tcase_add_loop_test(tcase, no_more_than_links_take, 0, ROWS(links));
    return check_main(suite);
}
