/* SPDX-License-Identifier: BSD-3-Clause */
#include "suspect_check.h"

#include <stdio.h>

START_TEST(flipped_bits)
{
    secondary->mute = true;
    const uint8_t type = (uint8_t)_i;
    const struct message good = one_of(type);
    const struct state before = state_of(SECONDARY);
    for (size_t bit = 0; bit < 8 * good.len; bit++) {
        struct message bad = good;
        char what[64];
        snprintf(what, sizeof(what), "type %u with bit %zu flipped", type, bit);
        bad.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        pair_deliver(&pair, &bad);
        changed_nothing(SECONDARY, &before, what);
    }
    for (size_t len = 0; len < good.len; len++) {
        struct message bad = good;
        bad.len = len;
        pair_deliver(&pair, &bad);
        changed_nothing(SECONDARY, &before, "a piece");
    }
    pair_deliver(&pair, &good);
    const struct state after = state_of(SECONDARY);
    ck_assert_mem_ne(&before.peer, &after.peer, sizeof(after.peer));
}
END_TEST

START_TEST(reflected)
{
    struct message m = one_of((uint8_t)_i);
    const struct addr from = m.source;
    m.source = m.destination;
    m.destination = from;
    discarded(&m, PRIMARY, AGENT_PEER_REFLECTED, "a reflected datagram");
}
END_TEST

static void wrong_source(struct message *m)
{
    m->source.b[15] = 99;
}
static void wrong_destination(struct message *m)
{
    secondary->peer->is.local.b[15] = 99;
    (void)m;
}
static void wrong_key(struct message *m)
{
    (void)m;
    secondary->peer->is.key = pair_key(9);
    secondary->peer->session.key = pair_key(9);
}
static void wrong_spi(struct message *m)
{
    (void)m;
    secondary->peer->is.spi = 555;
    secondary->peer->session.spi = 555;
}
static void no_spi(struct message *m)
{
    memset(m->bytes + 12, 0, 4);
}
static void wrong_own_epoch(struct message *m)
{
    (void)m;
    secondary->agent->epoch += 2;
}
static void wrong_peer_epoch(struct message *m)
{
    (void)m;
    secondary->peer->session.peer_epoch += 2;
}
static void wrong_nonce(struct message *m)
{
    (void)m;
    secondary->peer->nonce[3] ^= 1;
}
static void wrong_role(struct message *m)
{
    (void)m;
    secondary->role.hello_role = HELLO_PRIMARY;
}

static const struct {
    const char *what;
    uint8_t type;
    void (*spoil)(struct message *m);
    enum agent_counter why;
} suspicions[] = {
    {"HELLO from a stranger", DELEGATION_HELLO, wrong_source, AGENT_PEER_UNKNOWN},
    {"START from a stranger", DELEGATION_START, wrong_source, AGENT_PEER_UNKNOWN},
    {"HELLO to another address of ours", DELEGATION_HELLO, wrong_destination, AGENT_PEER_UNKNOWN},
    {"HELLO under another key", DELEGATION_HELLO, wrong_key, AGENT_PEER_FORGED},
    {"HELLO_ACK under another key", DELEGATION_HELLO_ACK, wrong_key, AGENT_PEER_FORGED},
    {"START under another key", DELEGATION_START, wrong_key, AGENT_PEER_FORGED},
    {"HELLO naming no key", DELEGATION_HELLO, wrong_spi, AGENT_PEER_UNKNOWN_SPI},
    {"START naming no key", DELEGATION_START, wrong_spi, AGENT_PEER_UNKNOWN_SPI},
    {"HELLO naming the other key where there is none", DELEGATION_HELLO, no_spi, AGENT_PEER_UNKNOWN_SPI},
    {"START to our former boot", DELEGATION_START, wrong_own_epoch, AGENT_PEER_WRONG_EPOCH},
    {"HELLO_ACK to our former boot", DELEGATION_HELLO_ACK, wrong_own_epoch, AGENT_PEER_WRONG_EPOCH},
    {"START of the peer's former boot", DELEGATION_START, wrong_peer_epoch, AGENT_PEER_WRONG_EPOCH},
    {"HELLO_ACK to another nonce", DELEGATION_HELLO_ACK, wrong_nonce, AGENT_PEER_WRONG_NONCE},
    {"HELLO of our own role", DELEGATION_HELLO, wrong_role, AGENT_PEER_UNEXPECTED},
    {"HELLO_ACK of our own role", DELEGATION_HELLO_ACK, wrong_role, AGENT_PEER_UNEXPECTED},
};

START_TEST(suspicion)
{
    struct message m = one_of(suspicions[_i].type);
    suspicions[_i].spoil(&m);
    discarded(&m, SECONDARY, suspicions[_i].why, suspicions[_i].what);
    bool noted = false;
    const struct effect *e;
    while ((e = agent_pop(secondary->agent)) != NULL)
        noted |= e->kind == EFFECT_NOTE && e->note.kind == NOTE_PEER_SUSPICIOUS;
    ck_assert(noted);
}
END_TEST

/* A HELLO as the primary would send it, but for what is wrong with it. */
static struct message hello_with(struct delegation_hello hello)
{
    struct message m = one_of(DELEGATION_HELLO);
    uint8_t bytes[DELEGATION_MAX];
    struct writer w = writer_over(bytes, sizeof(bytes));
    const struct delegation_header header = {
        .type = DELEGATION_HELLO, .spi = 300, .epoch = primary->agent->epoch, .node = 1};
    delegation_begin(&w);
    delegation_hello_encode(&w, &hello);
    const struct auth_key key = pair_key(1);
    ck_assert(delegation_seal(&w, &header, &key, primary->agent->auth));
    m.len = writer_len(&w);
    memcpy(m.bytes, bytes, m.len);
    return m;
}

static const struct {
    const char *what;
    struct delegation_hello hello;
    enum agent_counter why;
} hellos[] = {
    {"good",
     {.role = HELLO_PRIMARY, .lowest_version = 1, .highest_version = 1, .payload_max = 1400},
     AGENT_PEER_RECEIVED},
    {"of a later version too",
     {.role = HELLO_PRIMARY, .lowest_version = 1, .highest_version = 9, .payload_max = 60000},
     AGENT_PEER_RECEIVED},
    {"of a later version only",
     {.role = HELLO_PRIMARY, .lowest_version = 2, .highest_version = 9, .payload_max = 1400},
     AGENT_PEER_BAD_VERSION},
    {"of an earlier version only",
     {.role = HELLO_PRIMARY, .lowest_version = 0, .highest_version = 0, .payload_max = 1400},
     AGENT_PEER_BAD_VERSION},
    {"of a secondary",
     {.role = HELLO_SECONDARY, .lowest_version = 1, .highest_version = 1, .payload_max = 1400},
     AGENT_PEER_UNEXPECTED},
    {"of no room",
     {.role = HELLO_PRIMARY, .lowest_version = 1, .highest_version = 1, .payload_max = 599},
     AGENT_PEER_MALFORMED},
    {"of a slot beyond",
     {.role = HELLO_PRIMARY,
      .lowest_version = 1,
      .highest_version = 1,
      .payload_max = 1400,
      .ip_id_slot = 64},
     AGENT_PEER_MALFORMED},
};

START_TEST(hello_contents)
{
    const struct message m = hello_with(hellos[_i].hello);
    if (hellos[_i].why != AGENT_PEER_RECEIVED) {
        discarded(&m, SECONDARY, hellos[_i].why, hellos[_i].what);
        return;
    }
    pair_deliver(&pair, &m);
    ck_assert(secondary->peer->candidates[0].live);
    ck_assert_uint_eq(pair_counter(&pair, SECONDARY, AGENT_PEER_SENT), 1);
}
END_TEST

/* An authentic one whose type and response flag disagree. */
START_TEST(flag_of_a_response)
{
    pair_meet(&pair, PRIMARY);
    struct packet packet;
    packet_begin(&packet, primary->peer, DELEGATION_START_ACK, 1);
    packet.flags = 0;
    ck_assert_uint_gt(packet_send(primary->agent, &packet, pair.now), 0);
    pair_collect(&pair);
    const unsigned before = secondary->told.received;
    pair_pump(&pair);
    ck_assert_uint_eq(secondary->told.received, before);
    ck_assert_uint_eq(pair_counter(&pair, SECONDARY, AGENT_PEER_MALFORMED), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("session_suspicion");
    TCase *tcase = pair_case(suite, "suspicion");
    tcase_add_loop_test(tcase, flipped_bits, DELEGATION_HELLO, DELEGATION_EVENT_ACK + 1);
    tcase_add_loop_test(tcase, reflected, DELEGATION_HELLO, DELEGATION_EVENT_ACK + 1);
    tcase_add_loop_test(tcase, suspicion, 0, ROWS(suspicions));
    tcase_add_loop_test(tcase, hello_contents, 0, ROWS(hellos));
    tcase_add_test(tcase, flag_of_a_response);
    return check_main(suite);
}
