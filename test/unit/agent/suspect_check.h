/* SPDX-License-Identifier: BSD-3-Clause */
/* Datagrams that are not to be believed, and that they change nothing. */
#ifndef TEST_AGENT_SUSPECT_CHECK_H
#define TEST_AGENT_SUSPECT_CHECK_H

#include "pair_check.h"

/* What is left of everything but counters and notes. */
struct state {
    struct peer peer;
    struct told told;
    uint64_t random, secrets, sent;
};

static inline struct state state_of(int which)
{
    const struct end *end = &pair.ends[which];
    struct state s;
    memset(&s, 0, sizeof(s));
    memcpy(&s.peer, end->peer, sizeof(s.peer));
    s.told = end->told;
    s.random = end->agent->random;
    s.secrets = end->agent->secrets_made;
    s.sent = pair_counter(&pair, which, AGENT_PEER_SENT);
    return s;
}

static inline void changed_nothing(int which, const struct state *before, const char *what)
{
    const struct state after = state_of(which);
    ck_assert_msg(memcmp(&before->peer, &after.peer, sizeof(after.peer)) == 0, "%s changed the peer", what);
    ck_assert_msg(memcmp(&before->told, &after.told, sizeof(after.told)) == 0, "%s told the half", what);
    ck_assert_msg(before->random == after.random && before->secrets == after.secrets, "%s used up chance",
                  what);
    ck_assert_msg(before->sent == after.sent, "%s was answered", what);
}

static inline void discarded(const struct message *m, int which, enum agent_counter why, const char *what)
{
    const struct state before = state_of(which);
    const uint64_t n = pair_counter(&pair, which, why);
    pair_deliver(&pair, m);
    changed_nothing(which, &before, what);
    ck_assert_msg(pair_counter(&pair, which, why) == n + 1, "%s: not counted as %s", what,
                  agent_counter_text(why));
}

/* Not delivered yet: a HELLO, a HELLO_ACK, or one of the session, by type; from the primary. */
static inline struct message one_of(uint8_t type)
{
    if (type == DELEGATION_HELLO) {
        greet(primary);
    } else if (type == DELEGATION_HELLO_ACK) {
        greet(secondary);
        pass();
    } else {
        pair_meet(&pair, PRIMARY);
        struct packet packet;
        packet_begin(&packet, primary->peer, type, 77);
        delegation_stop_encode(&packet.w, &(struct delegation_stop){.generation = 9});
        ck_assert_uint_gt(packet_send(primary->agent, &packet, pair.now), 0);
        pair_collect(&pair);
    }
    return pair_take(&pair);
}

#endif
