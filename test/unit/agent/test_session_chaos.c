/* SPDX-License-Identifier: BSD-3-Clause */
/* A network that loses, repeats and reorders, ends that restart and give up, and somebody who records
 * all and sends it again, to whoever it was for or back. Nothing is taken twice, and when it is over the ends
 * come to a session. */
#include "pair_check.h"

#include <stdio.h>

enum { RECORDED = 512, EVENTS = 400 };
static struct message recorded[RECORDED];
static size_t n_recorded;

static void disturb(uint32_t *transaction)
{
    const int which = (int)(random() % 2);
    struct end *end = &pair.ends[which];
    struct message m;
    switch (random() % 12) {
    case 0:
        if (!peer_in_session(end->peer) || random() % 4 == 0)
            greet(end);
        break;
    case 1:
        if (random() % 8 == 0)
            pair_restart(&pair, which);
        break;
    case 2:
        if (random() % 8 == 0)
            peer_end_session(end->agent, end->peer);
        break;
    case 3:
    case 4:
    case 5:
        pair_say_as(&pair, which, DELEGATION_RATES, (*transaction)++);
        break;
    case 6:
        m = recorded[(size_t)random() % RECORDED];
        if (m.len > 0)
            pair_deliver(&pair, &m);
        break;
    case 7: /* reflected */
        m = recorded[(size_t)random() % RECORDED];
        if (m.len > 0) {
            const struct addr from = m.source;
            m.source = m.destination;
            m.destination = from;
            pair_deliver(&pair, &m);
        }
        break;
    default:
        pair_collect(&pair);
        if (pair.n_wire == 0)
            break;
        const size_t i = (size_t)random() % pair.n_wire;
        m = pair.wire[i];
        recorded[n_recorded++ % RECORDED] = m;
        if (random() % 10 != 0) /* it may come again */
            pair.wire[i] = pair.wire[--pair.n_wire];
        if (random() % 5 != 0)
            pair_deliver(&pair, &m);
    }
    pair.now.mono_ns += (uint64_t)random() % (20 * NSEC_PER_MS);
    for (int i = 0; i < 2; i++)
        agent_expire(pair.ends[i].agent, pair.now, 10);
    pair_collect(&pair);
    if (pair.n_wire > PAIR_WIRE / 2)
        pair.n_wire = PAIR_WIRE / 4;
}

/* What the halves do: an end that hears nothing gives the session up, and greets. */
static void come_to_rest(void)
{
    pair_wait(&pair, 2 * NSEC_PER_S);
    if (pair_works(&pair))
        return;
    for (int i = 0; i < 2; i++) {
        peer_end_session(pair.ends[i].agent, pair.ends[i].peer);
        peer_greet(pair.ends[i].agent, pair.ends[i].peer, pair.now);
        pair_wait(&pair, 500 * NSEC_PER_MS);
    }
    pair_wait(&pair, 2 * NSEC_PER_S);
    ck_assert(pair_works(&pair));
}

START_TEST(chaos)
{
    static uint8_t heard[2][PAIR_HEARD];
    const unsigned seed = 20261123 + (unsigned)_i;
    printf("chaos: seed %u\n", seed);
    srandom(seed);
    uint32_t transaction = 1;
    for (int i = 0; i < 2; i++)
        pair.ends[i].heard = heard[i];
    for (int round = 0; round < 20; round++) {
        for (int event = 0; event < EVENTS; event++)
            disturb(&transaction);
        come_to_rest();
    }
    unsigned taken = 0;
    for (uint32_t t = 1; t < transaction; t++) {
        ck_assert_uint_le(heard[PRIMARY][t] + heard[SECONDARY][t], 1);
        taken += heard[PRIMARY][t] + heard[SECONDARY][t];
    }
    ck_assert_uint_gt(taken, 100);
    for (int i = 0; i < 2; i++)
        pair.ends[i].heard = NULL;
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("session_chaos");
    TCase *tcase = pair_case(suite, "chaos");
    tcase_add_loop_test(tcase, chaos, 0, 10);
    return check_main(suite);
}
