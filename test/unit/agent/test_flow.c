/* SPDX-License-Identifier: BSD-3-Clause */
#include "pair_check.h"

/* A request of the primary's, and what became of it. */
struct asked {
    struct transaction t; /* first */
    unsigned answered, abandoned, resent;
    uint64_t sent_ns[32]; /* each time */
    unsigned tries_at_most;
};

static void send(struct asked *asked)
{
    struct packet packet;
    packet_begin(&packet, primary->peer, asked->t.type, asked->t.id);
    ck_assert_uint_gt(packet_send(primary->agent, &packet, pair.now), 0);
    asked->sent_ns[asked->t.tries % ROWS(asked->sent_ns)] = pair.now.mono_ns;
    ck_assert(transaction_sent(primary->agent, &asked->t, pair.now));
}

static void resend(struct agent *agent, struct transaction *t, struct instant now)
{
    struct asked *asked = (struct asked *)t;
    (void)now;
    asked->resent++;
    if (t->tries == asked->tries_at_most)
        transaction_close(agent, t);
    else
        send(asked);
}

static void answered(struct agent *agent, struct transaction *t, struct instant now)
{
    (void)agent;
    (void)now;
    ((struct asked *)t)->answered++;
}

static void abandoned(struct agent *agent, struct transaction *t)
{
    (void)agent;
    ((struct asked *)t)->abandoned++;
}

static const struct transaction_ops ops = {.resend = resend, .answered = answered, .abandoned = abandoned};

static void ask(struct asked *asked, uint8_t type)
{
    *asked = (struct asked){0};
    transaction_open(primary->peer, &asked->t, type, &ops, false);
    ck_assert(effects_reserve(&primary->agent->effects));
    send(asked);
    pair_collect(&pair);
}

/* The request arrives, and its answer is on the wire. */
static struct message answer(void)
{
    const struct message request = pair_take(&pair);
    pair_deliver(&pair, &request);
    pair_collect(&pair);
    return pair_take(&pair);
}

static void setup_session(void)
{
    setup();
    pair_meet(&pair, PRIMARY);
    primary->told.received = 0;
}

static struct flow *flow(void)
{
    return &primary->peer->flow;
}

/* ---- Time ---- */
/* Asks, and is answered after so long. */
static void round_trip(uint64_t us)
{
    struct asked asked;
    ask(&asked, DELEGATION_START);
    const struct message m = answer();
    pair.now.mono_ns += us * NSEC_PER_US;
    pair_deliver(&pair, &m);
    ck_assert_uint_eq(asked.answered, 1);
}

static void within_a_tenth(uint64_t ns, uint64_t of_ms)
{
    ck_assert_uint_ge(ns, of_ms * NSEC_PER_MS);
    ck_assert_uint_lt(ns, of_ms * NSEC_PER_MS + of_ms * NSEC_PER_MS / 10);
}

START_TEST(doubled_up_to_a_limit)
{
    static const unsigned ms[] = {100, 200, 400, 800, 1600, 3200, 3200, 3200};
    struct asked asked;
    pair.cut = true;
    ask(&asked, DELEGATION_STOP);
    asked.tries_at_most = 9;
    const uint32_t id = asked.t.id;
    pair_wait(&pair, 30 * NSEC_PER_S);
    ck_assert_uint_eq(asked.resent, 9);
    for (int i = 0; i < ROWS(ms); i++)
        within_a_tenth(asked.sent_ns[i + 1] - asked.sent_ns[i], ms[i]);
    ck_assert_uint_eq(asked.t.id, id);
    ck_assert_uint_eq(flow()->retransmissions, 8);
    ck_assert_uint_eq(pair_counter(&pair, PRIMARY, AGENT_PEER_RETRANSMITTED), 8);
    ck_assert_uint_eq(flow()->n_open, 0);
}
END_TEST

/* Two that were lost together are not sent again together. */
START_TEST(jitter)
{
    struct asked asked[8];
    uint64_t first = UINT64_MAX, last = 0;
    for (int i = 0; i < ROWS(asked); i++)
        ask(&asked[i], DELEGATION_STOP);
    pair.n_wire = 0;
    pair.cut = true;
    pair_wait(&pair, 120 * NSEC_PER_MS);
    for (int i = 0; i < ROWS(asked); i++) {
        ck_assert_uint_eq(asked[i].resent, 1);
        first = asked[i].sent_ns[1] < first ? asked[i].sent_ns[1] : first;
        last = asked[i].sent_ns[1] > last ? asked[i].sent_ns[1] : last;
    }
    ck_assert_uint_gt(last - first, NSEC_PER_MS);
    peer_end_session(primary->agent, primary->peer);
}
END_TEST

/* For ever, if its owner will: the count of tries does not come round. */
START_TEST(tries_stay)
{
    struct asked asked;
    pair.cut = true;
    ask(&asked, DELEGATION_STOP);
    pair_wait(&pair, 1200 * NSEC_PER_S);
    ck_assert_uint_ge(asked.resent, 1200 * 10 / 32 * 10 / 11);
    ck_assert_uint_le(asked.resent, 1200 * 10 / 32 + 6);
    ck_assert_uint_eq(asked.t.tries, UINT8_MAX);
    transaction_close(primary->agent, &asked.t);
    transaction_close(primary->agent, &asked.t); /* no effect */
    ck_assert_uint_eq(flow()->n_open, 0);
}
END_TEST

static const struct {
    const char *what;
    uint32_t us[4]; /* round-trip times; 0: no more */
    uint32_t srtt_us, rttvar_us, rto_us;
} trips[] = {
    {"the first: R, R/2, R + 4 * R/2", {50000}, 50000, 25000, 150000},
    {"the second: 7/8, 1/8; 3/4, 1/4", {50000, 70000}, 52500, 23750, 147500},
    {"a shorter one", {50000, 30000}, 47500, 23750, 142500},
    {"a short one: at least 20 ms", {300}, 300, 150, 20000},
    {"a constant one", {40000, 40000, 40000, 40000}, 40000, 8437, 73748},
    {"none at all is not no measurement", {0}, 1, 0, 20000},
    {"a long one: at most 3.2 s", {3000000}, 3000000, 1500000, 3200000},
};

START_TEST(round_trip_times)
{
    flow()->srtt_us = 0; /* forget the handshake */
    /* a round trip as long as that would be sent again meanwhile, but that no time is told to pass */
    round_trip(trips[_i].us[0]);
    for (int i = 1; i < 4 && trips[_i].us[i] != 0; i++)
        round_trip(trips[_i].us[i]);
    ck_assert_msg(flow()->srtt_us == trips[_i].srtt_us, "%s: srtt %u", trips[_i].what, flow()->srtt_us);
    ck_assert_msg(flow()->rttvar_us == trips[_i].rttvar_us, "%s: rttvar %u", trips[_i].what,
                  flow()->rttvar_us);
    ck_assert_msg(flow()->rto_us == trips[_i].rto_us, "%s: rto %u", trips[_i].what, flow()->rto_us);
}
END_TEST

START_TEST(measured_timeout)
{
    struct asked asked;
    round_trip(50000);
    pair.cut = true;
    ask(&asked, DELEGATION_STOP);
    asked.tries_at_most = 8;
    pair_wait(&pair, 20 * NSEC_PER_S);
    within_a_tenth(asked.sent_ns[1] - asked.sent_ns[0], 150);
    within_a_tenth(asked.sent_ns[2] - asked.sent_ns[1], 300);
    within_a_tenth(asked.sent_ns[6] - asked.sent_ns[5], 3200);
}
END_TEST

/* Karn: the answer to what was sent twice says nothing of the round trip. */
START_TEST(karn)
{
    struct asked asked;
    ask(&asked, DELEGATION_START);
    const struct message m = answer();
    pair.cut = true;
    pair_wait(&pair, 150 * NSEC_PER_MS);
    ck_assert_uint_eq(asked.resent, 1);
    pair_deliver(&pair, &m);
    ck_assert_uint_eq(asked.answered, 1);
    ck_assert_uint_eq(flow()->srtt_us, 0);
    ck_assert_uint_eq(flow()->rto_us, FLOW_RTO_FIRST_MS * 1000);
}
END_TEST

/* ---- Window ---- */
START_TEST(window_holds)
{
    struct asked asked[FLOW_WINDOW_MAX], unbounded = {0};
    secondary->mute = true;
    for (int i = 0; i < FLOW_WINDOW_MAX; i++) {
        ck_assert(flow_has_room(primary->peer));
        ask(&asked[i], DELEGATION_START);
    }
    ck_assert(!flow_has_room(primary->peer));
    transaction_close(primary->agent, &asked[7].t);
    ck_assert(flow_has_room(primary->peer));
    transaction_open(primary->peer, &unbounded.t, DELEGATION_KEEPALIVE, &ops, true);
    ck_assert(flow_has_room(primary->peer));
    transaction_close(primary->agent, &unbounded.t);
    ck_assert_uint_eq(flow()->n_open, FLOW_WINDOW_MAX - 1);
    peer_end_session(primary->agent, primary->peer);
    ck_assert(!flow_has_room(primary->peer));
    ck_assert_uint_eq(flow()->n_open, 0);
    ck_assert_uint_eq(asked[7].abandoned, 0);
    ck_assert_uint_eq(asked[8].abandoned, 1);
    ck_assert_ptr_null(flow()->open);
}
END_TEST

/* Many lost at once are one loss; each round trip more with losses halves again, down to the minimum. */
START_TEST(window_is_halved)
{
    struct asked asked[20];
    pair.cut = true;
    for (int i = 0; i < ROWS(asked); i++)
        ask(&asked[i], DELEGATION_START);
    pair_wait(&pair, 115 * NSEC_PER_MS);
    ck_assert_uint_eq(asked[0].resent, 1);
    ck_assert_uint_eq(flow()->window / 256, FLOW_WINDOW_MAX / 2);
    pair_wait(&pair, 220 * NSEC_PER_MS);
    ck_assert_uint_eq(flow()->window / 256, FLOW_WINDOW_MAX / 4);
    pair_wait(&pair, 20 * NSEC_PER_S);
    ck_assert_uint_eq(flow()->window / 256, FLOW_WINDOW_MIN);
    ck_assert(!flow_has_room(primary->peer));
    peer_end_session(primary->agent, primary->peer);
}
END_TEST

START_TEST(window_grows)
{
    flow()->window = FLOW_WINDOW_MIN * 256;
    for (int i = 0; i < FLOW_WINDOW_MIN; i++)
        round_trip(1000);
    ck_assert_uint_ge(flow()->window, (FLOW_WINDOW_MIN + 1) * 256 - 24); /* one a windowful, nearly */
    ck_assert_uint_le(flow()->window, (FLOW_WINDOW_MIN + 1) * 256);
    for (int i = 0; i < 5000; i++)
        round_trip(1000);
    ck_assert_uint_eq(flow()->window, FLOW_WINDOW_MAX * 256);
}
END_TEST

/* ---- Responses ---- */
static const struct {
    uint8_t request, response;
} responses[] = {
    {DELEGATION_START, DELEGATION_START_ACK},         {DELEGATION_STOP, DELEGATION_STOP_ACK},
    {DELEGATION_KEEPALIVE, DELEGATION_KEEPALIVE_ACK}, {DELEGATION_RATES, DELEGATION_RATES_ACK},
    {DELEGATION_SYNC_REQ, DELEGATION_SYNC_ACK},       {DELEGATION_SYNC_DATA, DELEGATION_SYNC_ACK},
    {DELEGATION_EVENT, DELEGATION_EVENT_ACK},
};

static void respond(uint8_t type, uint32_t transaction)
{
    struct packet packet;
    packet_begin(&packet, secondary->peer, type, transaction);
    ck_assert_uint_gt(packet_send(secondary->agent, &packet, pair.now), 0);
    pair_pump(&pair);
}

START_TEST(responses_match)
{
    struct asked asked, other;
    secondary->mute = true;
    ask(&asked, responses[_i].request);
    ask(&other, responses[_i].request);
    pair_pump(&pair);
    for (uint8_t type = DELEGATION_START; type <= DELEGATION_EVENT_ACK; type++)
        if (is_response(type) && type != responses[_i].response)
            respond(type, asked.t.id);
    respond(responses[_i].response, asked.t.id + 5);
    ck_assert_uint_eq(asked.answered, 0);
    respond(responses[_i].response, asked.t.id);
    ck_assert_uint_eq(asked.answered, 1);
    ck_assert_uint_eq(other.answered, 0);
    ck_assert(!timer_is_set(&asked.t.timer));
    ck_assert_uint_eq(flow()->n_open, 1);
    peer_end_session(primary->agent, primary->peer);
    ck_assert_uint_eq(asked.abandoned, 0);
    ck_assert_uint_eq(other.abandoned, 1);
}
END_TEST

/* What it acknowledges counts, whoever waits for it or not. */
START_TEST(late_response)
{
    struct asked asked;
    ask(&asked, DELEGATION_START);
    const struct message m = answer();
    transaction_close(primary->agent, &asked.t);
    pair_deliver(&pair, &m);
    ck_assert_uint_eq(asked.answered, 0);
    ck_assert_uint_eq(primary->told.received, 1);
    ck_assert_uint_eq(primary->told.header.type, DELEGATION_START_ACK);
    ck_assert_uint_eq(primary->told.header.transaction, asked.t.id);
}
END_TEST

/* A new session abandons what was open in the old one, and begins its flow anew. */
START_TEST(new_session)
{
    struct asked asked;
    round_trip(50000);
    flow()->window = FLOW_WINDOW_MIN * 256;
    ask(&asked, DELEGATION_START);
    pair_restart(&pair, SECONDARY);
    pair_meet(&pair, SECONDARY);
    ck_assert_uint_eq(asked.abandoned, 1);
    ck_assert_uint_eq(asked.answered, 0);
    ck_assert_uint_eq(flow()->window, FLOW_WINDOW_MAX * 256);
    ck_assert_uint_eq(flow()->srtt_us, 0);
    ck_assert_uint_eq(flow()->rto_us, FLOW_RTO_FIRST_MS * 1000);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("flow");
    TCase *all = tcase_create("flow");
    tcase_add_checked_fixture(all, setup_session, teardown);
    suite_add_tcase(suite, all);
    tcase_add_test(all, doubled_up_to_a_limit);
    tcase_add_test(all, jitter);
    tcase_add_test(all, tries_stay);
    tcase_add_loop_test(all, round_trip_times, 0, ROWS(trips));
    tcase_add_test(all, measured_timeout);
    tcase_add_test(all, karn);
    tcase_add_test(all, window_holds);
    tcase_add_test(all, window_is_halved);
    tcase_add_test(all, window_grows);
    tcase_add_loop_test(all, responses_match, 0, ROWS(responses));
    tcase_add_test(all, late_response);
    tcase_add_test(all, new_session);
    return check_main(suite);
}
