/* SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

#include "peer/session.h"

enum {
    UNIT = 256,           /* of flow.window */
    GRANULARITY_US = 1000 /* G of RFC 6298 section 2: how finely the shell serves its timers */
};

void flow_begin(struct flow *flow)
{
    flow->window = FLOW_WINDOW_MAX * UNIT;
    flow->srtt_us = flow->rttvar_us = 0;
    flow->rto_us = FLOW_RTO_FIRST_MS * 1000;
    flow->halved_ns = 0;
}

bool flow_has_room(const struct peer *peer)
{
    return peer->session.live && peer->flow.n_open < peer->flow.window / UNIT;
}

/* ---- Round-trip time (RFC 6298 section 2) ---- */
static uint32_t clamp(uint64_t us)
{
    const uint64_t min = FLOW_RTO_MIN_MS * 1000, max = FLOW_RTO_MAX_MS * 1000;
    return (uint32_t)(us < min ? min : us > max ? max : us);
}

static void measure(struct flow *flow, uint64_t rtt_ns)
{
    const uint64_t max_ns = FLOW_RTO_MAX_MS * NSEC_PER_MS;
    const uint32_t rtt_us = (uint32_t)((rtt_ns < max_ns ? rtt_ns : max_ns) / 1000);
    const uint32_t sample = rtt_us > 0 ? rtt_us : 1; /* 0 says that there is none */
    if (flow->srtt_us == 0) {
        flow->srtt_us = sample;
        flow->rttvar_us = sample / 2;
    } else {
        const uint32_t off = flow->srtt_us > sample ? flow->srtt_us - sample : sample - flow->srtt_us;
        flow->rttvar_us = (3 * flow->rttvar_us + off) / 4;
        flow->srtt_us = (7 * flow->srtt_us + sample) / 8;
    }
    const uint32_t spread = 4 * flow->rttvar_us;
    flow->rto_us = clamp((uint64_t)flow->srtt_us + (spread > GRANULARITY_US ? spread : GRANULARITY_US));
}

/* ---- Window: one datagram more for each windowful answered, half of it for a loss ---- */
static void grow(struct flow *flow)
{
    flow->window += UNIT * UNIT / flow->window;
    if (flow->window > FLOW_WINDOW_MAX * UNIT)
        flow->window = FLOW_WINDOW_MAX * UNIT;
}

/* What is lost within one round trip is one sign of congestion. */
static void shrink(struct flow *flow, struct instant now)
{
    const uint64_t trip_us = flow->srtt_us != 0 ? flow->srtt_us : flow->rto_us;
    if (flow->halved_ns != 0 && now.mono_ns - flow->halved_ns < trip_us * 1000)
        return;
    flow->halved_ns = now.mono_ns;
    flow->window /= 2;
    if (flow->window < FLOW_WINDOW_MIN * UNIT) /* [S] */
        flow->window = FLOW_WINDOW_MIN * UNIT;
}

/* ---- Transactions ---- */
/* utlist: the first one's prev is the last, so that only what is in no list has none. */
static bool is_open(const struct transaction *t)
{
    return t->prev != NULL;
}

static uint32_t next_id(struct flow *flow)
{
    if (++flow->next_transaction == 0)
        flow->next_transaction = 1; /* 0 is HELLO's */
    return flow->next_transaction;
}

void transaction_open(struct peer *peer, struct transaction *t, uint8_t type,
                      const struct transaction_ops *ops, bool unbounded)
{
    struct flow *flow = &peer->flow;
    *t = (struct transaction){
        .peer = peer, .id = next_id(flow), .type = type, .ops = ops, .unbounded = unbounded};
    t->timer.kind = TIMER_TRANSACTION;
    DL_APPEND(flow->open, t);
    flow->n_open += !unbounded;
}

void transaction_close(struct agent *agent, struct transaction *t)
{
    if (!is_open(t))
        return;
    struct flow *flow = &t->peer->flow;
    DL_DELETE(flow->open, t);
    t->prev = t->next = NULL;
    flow->n_open -= !t->unbounded;
    timerq_cancel(agent->timers, &t->timer);
}

/* Doubled for each try, and spread over a tenth more so that what was lost together is not sent together. */
static uint64_t timeout_ns(struct agent *agent, const struct transaction *t)
{
    uint64_t us = t->peer->flow.rto_us;
    for (unsigned i = 1; i < t->tries && us < FLOW_RTO_MAX_MS * 1000; i++)
        us *= 2;
    us = clamp(us);
    return (us + agent_random(agent) % (us / 10)) * 1000;
}

bool transaction_sent(struct agent *agent, struct transaction *t, struct instant now)
{
    if (t->tries == 0)
        t->sent_ns = now.mono_ns;
    else {
        count(agent, AGENT_PEER_RETRANSMITTED);
        t->peer->flow.retransmissions++;
    }
    t->tries += t->tries < UINT8_MAX;
    return timerq_set(agent->timers, &t->timer, now.mono_ns + timeout_ns(agent, t));
}

void transaction_due(struct agent *agent, struct timer *timer, struct instant now)
{
    struct transaction *t = timer_owner(timer, struct transaction, timer);
    shrink(&t->peer->flow, now);
    t->ops->resend(agent, t, now);
}

/* ---- Responses ---- */
static uint8_t response_to(uint8_t type)
{
    switch (type) {
    case DELEGATION_SYNC_REQ:
    case DELEGATION_SYNC_DATA:
        return DELEGATION_SYNC_ACK;
    default:
        return (uint8_t)(type + 1);
    }
}

static struct transaction *find(const struct flow *flow, const struct delegation_header *response)
{
    struct transaction *t;
    DL_FOREACH(flow->open, t)
    if (t->id == response->transaction && response_to(t->type) == response->type)
        return t;
    return NULL;
}

/* What was sent more than once tells no round-trip time: the answer may be to any of them (Karn). */
void flow_answered(struct agent *agent, struct peer *peer, const struct delegation_header *header,
                   struct instant now)
{
    struct transaction *t = find(&peer->flow, header);
    if (t == NULL)
        return;
    if (t->tries == 1)
        measure(&peer->flow, now.mono_ns - t->sent_ns);
    grow(&peer->flow);
    transaction_close(agent, t);
    if (t->ops->answered != NULL)
        t->ops->answered(agent, t, now);
}

void flow_abandon(struct agent *agent, struct peer *peer)
{
    while (peer->flow.open != NULL) {
        struct transaction *t = peer->flow.open;
        transaction_close(agent, t);
        t->ops->abandoned(agent, t);
    }
}
