/* SPDX-License-Identifier: BSD-3-Clause */
#include "mobile.h"

#include "network.h"

static void encode(struct packet *p)
{
    struct ask alone = p->ask;
    alone.foreign_times = 0;
    p->signed_len = lab_encode(&lab, &alone, p->bytes, sizeof(p->bytes));
    p->len = lab_encode(&lab, &p->ask, p->bytes, sizeof(p->bytes));
}

static uint64_t identification(struct node *n)
{
    n->low++;
    if (n->sa.replay == REPLAY_TIMESTAMP) /* a clock that is wrong by up to 3 s, the same all the time */
        return lab.now.ntp + n->low + ntp_from_seconds((uint32_t)(n->number % 7)) - ntp_from_seconds(3);
    return (uint64_t)n->nonce << 32 | n->low;
}

/* Most do what the policy wants. */
static bool asks_for_reverse_tunnel(void)
{
    static const unsigned percents[] = {
        [REVERSE_TUNNEL_OFF] = 3, [REVERSE_TUNNEL_OPTIONAL] = 50, [REVERSE_TUNNEL_REQUIRED] = 97};
    return percent(percents[lab.settings.reverse_tunnel]);
}

static struct ask ordinary(struct node *n)
{
    struct ask ask = lab_ask(&lab, 0);
    ask.q.home = n->home;
    ask.q.lifetime_s = (uint16_t)(1 + below(percent(50) ? 30 : 900));
    ask.q.identification = identification(n);
    ask.mobile = n->sa;
    if (percent(10))
        ask.q.home_agent = lab.settings.home_agents[1];
    if (percent(30))
        ask.q.flags |= MIP4_SIMULTANEOUS;
    if (percent(3))
        ask.q.flags |= MIP4_GRE;
    if (asks_for_reverse_tunnel())
        ask.q.flags |= MIP4_REVERSE_TUNNEL;
    return ask;
}

static void go_through_foreign_agent(struct ask *ask)
{
    ask->q.care_of = ask->source = foreign_address(below(FOREIGNS));
    ask->q.flags &= (uint8_t)~MIP4_COLOCATED;
    ask->foreign = lab_foreign_association();
    ask->foreign_times = 1;
}

static void stay_co_located(struct ask *ask, const struct node *n)
{
    ask->q.care_of = addr_from_ipv4(0xc0a80000u + (uint32_t)(n->number * 4 + below(4)));
    ask->source = ask->q.care_of;
}

static void leave_care_of(struct ask *ask)
{
    ask->q.lifetime_s = 0;
    ask->foreign_times = 0; /* RFC 5944 section 3.5.4 */
}

static void come_home(struct ask *ask)
{
    leave_care_of(ask);
    ask->q.care_of = ask->source = ask->q.home;
}

static struct ask decide(struct node *n)
{
    struct ask ask = ordinary(n);
    if (percent(40))
        go_through_foreign_agent(&ask);
    else
        stay_co_located(&ask, n);
    const uint64_t dice = below(100);
    if (dice < 10)
        come_home(&ask);
    else if (dice < 20)
        leave_care_of(&ask);
    return ask;
}

static void remember(const struct packet *p)
{
    history[n_history++ % HISTORY] = *p;
}

static void send_pending(struct node *n)
{
    network_request(n, &n->pending);
    remember(&n->pending);
    world_arm(&n->retry, WAKE_RETRY, NSEC_PER_S << n->tries);
}

void mobile_act(struct node *n)
{
    world_arm(&n->act, WAKE_ACT, (1 + below(120)) * NSEC_PER_S);
    n->pending = (struct packet){.ask = decide(n)};
    encode(&n->pending);
    n->waiting = true;
    n->tries = 0;
    send_pending(n);
}

/* RFC 5944 section 3.6.3: with timestamps each transmission has a new one, with nonces it is the same bytes.
 */
void mobile_retry(struct node *n)
{
    if (!n->waiting || ++n->tries > 4)
        return;
    if (n->sa.replay == REPLAY_TIMESTAMP) {
        n->pending.ask.q.identification = identification(n);
        encode(&n->pending);
    }
    send_pending(n);
}

void mobile_hear_reply(struct node *n, const struct flight *f)
{
    if (!n->waiting || (uint32_t)f->identification != (uint32_t)n->pending.ask.q.identification)
        return;
    n->waiting = false;
    if (n->sa.replay == REPLAY_NONCE)
        n->nonce = (uint32_t)(f->identification >> 32);
    if (f->code == MIP4_IDENTIFICATION_MISMATCH && n->tries < 4) {
        n->pending.ask.q.identification = identification(n);
        encode(&n->pending);
        n->waiting = true;
        n->tries++;
        send_pending(n);
    }
}
