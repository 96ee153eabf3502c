/* SPDX-License-Identifier: BSD-3-Clause */
/* The delegation protocol in ESP (doc/delegation-protocol.md, "In ESP"). */
#include "pair_check.h"

#include <errno.h>
#include <stdio.h>

enum { TO_PRIMARY = 2000, TO_SECONDARY = 2001, STRANGER = 3000 };

static const uint8_t seed[16] = {1, 2, 3};

static struct esp_association association(uint32_t spi, enum esp_algorithm algorithm)
{
    struct esp_association sa = {.spi = spi, .algorithm = (uint8_t)algorithm, .key_len = 20};
    if (algorithm == ESP_AES_CBC_SHA256) {
        sa.key_len = 16;
        sa.auth_key_len = 32;
    }
    for (uint8_t i = 0; i < 20; i++)
        sa.key[i] = (uint8_t)(spi + i);
    return sa;
}

/* ---- Ends ---- */
static void configure(int which, const struct agent_peer *is)
{
    struct end *end = &pair.ends[which];
    end->other = *is;
    agent_sweep_begin(end->agent);
    ck_assert_int_eq(agent_peer_set(end->agent, is), 0);
    while (agent_sweep(end->agent, 10, pair.now))
        continue;
    greeting_stop(end->agent, end->peer);
    while (agent_pop(end->agent) != NULL)
        continue;
    agent_counters_clear(end->agent);
}

static struct agent_peer protected_from(int which, enum esp_algorithm algorithm)
{
    struct agent_peer is = pair.ends[which].other;
    is.protected = true;
    is.esp_in = association(which == PRIMARY ? TO_PRIMARY : TO_SECONDARY, algorithm);
    is.esp_out = association(which == PRIMARY ? TO_SECONDARY : TO_PRIMARY, algorithm);
    return is;
}

static void protect(int which, enum esp_algorithm algorithm)
{
    const struct agent_peer is = protected_from(which, algorithm);
    configure(which, &is);
}

static void protect_both(void)
{
    protect(PRIMARY, ESP_AES_GCM);
    protect(SECONDARY, ESP_AES_GCM);
}

static struct addr as_ipv6(const struct addr *ipv4)
{
    struct addr a = {{0x20, 0x01, 0x0d, 0xb8}};
    a.b[15] = ipv4->b[15];
    return a;
}

static void speak_ipv6(int which)
{
    struct agent_peer is = pair.ends[which].other;
    is.address = as_ipv6(&is.address);
    is.local = as_ipv6(&is.local);
    configure(which, &is);
}

static struct message hello_of(int which)
{
    peer_greet(pair.ends[which].agent, pair.ends[which].peer, pair.now);
    pair_collect(&pair);
    return pair_take(&pair);
}

static uint64_t counted(int which, enum agent_counter c)
{
    const uint64_t n = pair_counter(&pair, which, c);
    agent_counters_clear(pair.ends[which].agent);
    return n;
}

/* ---- What passes ---- */
START_TEST(speaks_in_esp_alone)
{
    for (int i = 0; _i == 1 && i < 2; i++)
        speak_ipv6(i);
    protect_both();
    const struct message hello = hello_of(SECONDARY);
    ck_assert_uint_eq(hello.protocol, IPPROTO_NUM_ESP);
    ck_assert_int_eq(addr_is_ipv4(&hello.destination), _i == 0);
    pair_deliver(&pair, &hello);
    pair_collect(&pair);
    ck_assert_uint_eq(pair.n_wire, 1);
    for (size_t i = 0; i < pair.n_wire; i++)
        ck_assert_uint_eq(pair.wire[i].protocol, IPPROTO_NUM_ESP);
    pair_pump(&pair);
    ck_assert(pair_works(&pair));
    for (int i = 0; i < 2; i++) {
        ck_assert_uint_eq(pair_counter(&pair, i, AGENT_ESP_SEALED), pair_counter(&pair, i, AGENT_PEER_SENT));
        ck_assert_uint_eq(pair_counter(&pair, i, AGENT_ESP_OPENED),
                          pair_counter(&pair, i, AGENT_PEER_RECEIVED));
        ck_assert_uint_gt(pair_counter(&pair, i, AGENT_PEER_RECEIVED), 1);
    }
}
END_TEST

/* With IPv6's header no longer than the link takes, known or not (and those of 1400 in clear are shorter than
 * 1500 bytes). */
static const uint16_t links[] = {0, 1500, 1280};

START_TEST(full_datagrams_fit)
{
    struct packet packet;
    const struct delegation_rate rate = {.pps = 1};
    const uint16_t mtu = links[_i] != 0 ? links[_i] : 1500;
    for (int i = 0; i < 2; i++) {
        speak_ipv6(i);
        protect(i, ESP_AES_CBC_SHA256);
        pair.ends[i].peer->is.mtu = links[_i];
    }
    pair_meet(&pair, SECONDARY);
    packet_begin(&packet, primary->peer, DELEGATION_RATES, 1);
    while (packet_has_room(&packet, DELEGATION_RATE_SIZE))
        delegation_rate_encode(&packet.w, &rate);
    const unsigned received = secondary->told.received;
    ck_assert_uint_gt(packet_send(primary->agent, &packet, pair.now), 0);
    pair_collect(&pair);
    ck_assert_uint_gt(pair.wire[0].len, mtu - 200);
    ck_assert_uint_le(pair.wire[0].len, mtu - IPV6_HEADER);
    pair_pump(&pair);
    ck_assert_uint_eq(secondary->told.received, received + 1);
}
END_TEST

/* ---- What does not ---- */
START_TEST(clear_where_esp_is_due)
{
    protect(PRIMARY, ESP_AES_GCM);
    const struct message hello = hello_of(SECONDARY);
    ck_assert_uint_eq(hello.protocol, IPPROTO_NUM_UDP);
    pair_deliver(&pair, &hello);
    pair_collect(&pair);
    ck_assert_uint_eq(pair.n_wire, 0);
    ck_assert_uint_eq(counted(PRIMARY, AGENT_PEER_UNPROTECTED), 1);
    ck_assert(!primary->peer->candidates[0].live);
}
END_TEST

START_TEST(esp_where_none_is_known)
{
    protect(PRIMARY, ESP_AES_GCM);
    const struct message hello = hello_of(PRIMARY);
    ck_assert_uint_eq(hello.protocol, IPPROTO_NUM_ESP);
    pair_deliver(&pair, &hello);
    pair_collect(&pair);
    ck_assert_uint_eq(pair.n_wire, 0);
    ck_assert_uint_eq(counted(SECONDARY, AGENT_ESP_UNKNOWN_SPI), 1);
}
END_TEST

START_TEST(every_byte_is_protected)
{
    protect_both();
    struct message hello = hello_of(SECONDARY);
    for (size_t i = 0; i < hello.len; i++) {
        hello.bytes[i] ^= 0x40;
        pair_deliver(&pair, &hello);
        ck_assert_uint_eq(counted(PRIMARY, i < 4 ? AGENT_ESP_UNKNOWN_SPI : AGENT_ESP_FORGED), 1);
        hello.bytes[i] ^= 0x40;
    }
    pair_collect(&pair);
    ck_assert_uint_eq(pair.n_wire, 0);
    pair_deliver(&pair, &hello);
    ck_assert(primary->peer->candidates[0].live);
}
END_TEST

/* What the right key protects, but is not what the pair of associations is for. */
static const struct {
    const char *what;
    uint8_t protocol, last_of_source, last_of_destination;
    uint16_t port;
    bool bad_checksum;
} strangers[] = {
    {"another protocol", IPPROTO_NUM_MOBILITY, 2, 1, 49434, false},
    {"another source", IPPROTO_NUM_UDP, 3, 1, 49434, false},
    {"another destination", IPPROTO_NUM_UDP, 2, 4, 49434, false},
    {"another port", IPPROTO_NUM_UDP, 2, 1, 434, false},
    {"a wrong UDP checksum", IPPROTO_NUM_UDP, 2, 1, 49434, true},
};

START_TEST(what_it_is_not_for)
{
    uint8_t inner[64], payload[8] = {0};
    protect_both();
    const struct esp_association sa = association(TO_PRIMARY, ESP_AES_GCM);
    struct esp *esp = esp_create(&sa, seed);
    struct message m = hello_of(SECONDARY);
    m.source.b[15] = strangers[_i].last_of_source;
    m.destination.b[15] = strangers[_i].last_of_destination;
    struct writer w = writer_over(inner, sizeof(inner));
    udp_encode_alone(&w, &(struct udp){.source = m.source,
                                       .destination = m.destination,
                                       .source_port = 49434,
                                       .destination_port = strangers[_i].port,
                                       .payload = payload,
                                       .payload_len = sizeof(payload)});
    inner[7] ^= strangers[_i].bad_checksum;
    m.len = esp_seal(esp, inner, writer_len(&w), strangers[_i].protocol, m.bytes);
    const struct agent_datagram d = {.source = m.source,
                                     .destination = m.destination,
                                     .protocol = IPPROTO_NUM_ESP,
                                     .payload = m.bytes,
                                     .len = m.len};
    agent_input(primary->agent, &d, pair.now);
    ck_assert_msg(counted(PRIMARY, AGENT_ESP_SELECTOR) == 1, "%s", strangers[_i].what);
    ck_assert_ptr_null(agent_pop(primary->agent));
    esp_destroy(esp);
}
END_TEST

/* Another peer's key does not stand for this one's, even if that one speaks in clear. */
START_TEST(esp_of_another_peer)
{
    struct agent_peer other = protected_from(PRIMARY, ESP_AES_GCM);
    snprintf(other.name, sizeof(other.name), "another");
    other.address.b[15] = 77;
    ck_assert_int_eq(agent_peer_set(primary->agent, &other), 0);
    while (agent_pop(primary->agent) != NULL)
        continue;
    protect(SECONDARY, ESP_AES_GCM);
    const struct message hello = hello_of(SECONDARY);
    pair_deliver(&pair, &hello);
    ck_assert_uint_eq(counted(PRIMARY, AGENT_ESP_SELECTOR), 1);
}
END_TEST

/* An agent's own judgement comes first where numbers are not to begin anew. */
START_TEST(replays_where_esp_is_to_judge_them)
{
    struct agent_peer is = protected_from(PRIMARY, ESP_AES_GCM);
    is.esp_in.replay_protection = true;
    configure(PRIMARY, &is);
    protect(SECONDARY, ESP_AES_GCM);
    const struct message hello = hello_of(SECONDARY);
    pair_deliver(&pair, &hello);
    pair_deliver(&pair, &hello);
    ck_assert_uint_eq(counted(PRIMARY, AGENT_ESP_REPLAYED), 1);
}
END_TEST

/* ---- Configuration ---- */
START_TEST(keys_can_change)
{
    protect_both();
    pair_meet(&pair, SECONDARY);
    for (int i = 0; i < 2; i++) {
        struct agent_peer is = pair.ends[i].other;
        is.esp_in.key[0] ^= 1;
        is.esp_out.key[0] ^= 1;
        configure(i, &is);
        ck_assert(peer_in_session(pair.ends[i].peer));
        ck_assert_int_eq(pair_works(&pair), i == 1);
    }
}
END_TEST

/* What it cannot have leaves it what it has. */
START_TEST(refused)
{
    protect_both();
    pair_meet(&pair, SECONDARY);
    struct agent_peer is = primary->other;
    is.esp_in.spi = 255;
    ck_assert_int_eq(agent_peer_set(primary->agent, &is), -EEXIST); /* a second time in one sweep */
    agent_sweep_begin(primary->agent);
    ck_assert_int_eq(agent_peer_set(primary->agent, &is), -EINVAL);
    is = primary->other;
    ck_assert_int_eq(agent_peer_set(primary->agent, &is), 0);
    snprintf(is.name, sizeof(is.name), "another");
    is.address.b[15] = 77;
    ck_assert_int_eq(agent_peer_set(primary->agent, &is), -EEXIST);
    ck_assert_ptr_null(peer_by_name(primary->agent, "another"));
    ck_assert(pair_works(&pair));
}
END_TEST

/* One that is dismissed, and whose SPI is another's now, falls silent; it does not fall back to the clear. */
START_TEST(without_its_pair_it_is_silent)
{
    protect_both();
    pair_meet(&pair, SECONDARY);
    primary->clings = true;
    struct agent_peer heir = primary->other;
    snprintf(heir.name, sizeof(heir.name), "heir");
    heir.address.b[15] = 77;
    agent_sweep_begin(primary->agent);
    ck_assert_int_eq(agent_peer_set(primary->agent, &heir), 0);
    while (agent_sweep(primary->agent, 10, pair.now))
        continue;
    while (agent_pop(primary->agent) != NULL)
        continue;
    ck_assert(peer_in_session(primary->peer));
    ck_assert_uint_eq(pair_say(&pair, PRIMARY, DELEGATION_KEEPALIVE), 0);
    ck_assert_uint_eq(pair.n_wire, 0);
    ck_assert_uint_eq(counted(PRIMARY, AGENT_ESP_UNSENT), 1);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("agent_protected");
    TCase *tc = pair_case(s, "agent_protected");
    tcase_add_loop_test(tc, speaks_in_esp_alone, 0, 2);
    tcase_add_loop_test(tc, full_datagrams_fit, 0, ROWS(links));
    tcase_add_test(tc, clear_where_esp_is_due);
    tcase_add_test(tc, esp_where_none_is_known);
    tcase_add_test(tc, every_byte_is_protected);
    tcase_add_loop_test(tc, what_it_is_not_for, 0, ROWS(strangers));
    tcase_add_test(tc, esp_of_another_peer);
    tcase_add_test(tc, replays_where_esp_is_to_judge_them);
    tcase_add_test(tc, keys_can_change);
    tcase_add_test(tc, refused);
    tcase_add_test(tc, without_its_pair_it_is_silent);
    return s;
}

int main(void)
{
    return check_main(suite());
}
