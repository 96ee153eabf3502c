/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mobile IPv6 nodes register, renew, roam and come home over a network that loses, doubles, delays and so
 * reorders; others forge, replay, and now and then have an address on the home link. A model that knows
 * nothing of the agent's insides says what must be bound, and after every event the agent is held against it:
 *
 *     - a binding exists if and only if the model says so, with this care-of address, to the second;
 *     - the first binding waits for duplicate address detection, once, and the newest update is answered;
 *     - home addresses are intercepted if and only if they are bound;
 *     - INSTALL and REMOVE, replayed, give exactly the agent's bindings;
 *     - there is no acknowledgement without an update, and each has the status, sequence number and lifetime
 *       that the model expects;
 *     - what is forged changes nothing;
 *     - when the network behaves at last, everybody gets bound where it is.
 *
 *     test_binding_update [OPTION]..., see trial.h
 */
#include "lab6.h"

#include "inet.h"
#include "timerq.h"
#include "trial.h"

enum { NODES = 300, ROOM = 150, HISTORY = 2048, MESSAGE = 128, LIFETIME_MAX_S = 120 };
enum { FIRST_RETRY_MS = 1500, LAST_RETRY_MS = 32000 }; /* RFC 6275 sections 11.8 and 12 */

/* ---- The world ---- */
enum wake { WAKE_ACT, WAKE_RETRY, WAKE_UPDATE, WAKE_ACK };

struct packet {
    struct ask6 ask;
    uint8_t bytes[MESSAGE];
    size_t len;
};

struct flight {
    struct timer timer;
    size_t node;
    struct packet packet; /* of an update */
    struct mip6_ack ack;  /* of an acknowledgement */
};

struct node {
    size_t number;
    struct addr home;
    struct association sa;

    /* the mobile node's own */
    struct timer act, retry;
    struct addr care_of;
    bool at_home, waiting, registered;
    uint16_t sequence;
    int64_t clock; /* ahead of the agent's */
    uint64_t stamp;
    unsigned tries;

    /* the model */
    bool bound, link_local;
    struct addr bound_at;
    uint64_t ends_ns;
    bool detecting, for_link_local;
    struct packet pending;
    uint64_t detected_ns;
    bool has_last;
    uint16_t last;
    uint64_t newest;

    /* what forwarding was told */
    bool is_installed;
    bool is_listened_to; /* what the shell was told */
    struct addr installed_at;
};

static struct lab lab;
static struct timerq *events;
static struct node *nodes;
static struct packet *history; /* of updates that went over the wire */
static size_t n_history, n_bound;
static bool calm;
static struct {
    uint64_t delivered, lost, forged, accepted, refused, absorbed, expired, taken, wraps;
} tally;

static bool uses_timestamps(const struct node *n)
{
    return n->sa.replay == REPLAY_TIMESTAMP;
}

static struct node *node_at(const struct addr *home)
{
    const size_t i = (size_t)home->b[14] << 8 | home->b[15];
    require(i >= 0x1000 && i - 0x1000 < NODES, "a home address of nobody");
    return &nodes[i - 0x1000];
}

/* ---- The model ---- */
static void bind_model(struct node *n, bool bound)
{
    n_bound = n_bound + bound - n->bound;
    n->bound = bound;
}

static void model_expire(struct node *n)
{
    if (!n->bound || n->ends_ns > lab.now.mono_ns)
        return;
    bind_model(n, false);
    tally.expired++;
}

static bool has_room(void)
{
    for (size_t i = 0; i < NODES; i++)
        model_expire(&nodes[i]);
    return n_bound < lab.settings.max_bindings;
}

enum { SILENCE = 255 };

static uint8_t judge_timestamp(const struct node *n, uint64_t stamp)
{
    const int64_t ahead = ntp_since(stamp, lab.now.ntp);
    const int64_t window = INT64_C(7) << 32;
    if (ahead < -window || ahead > window || ntp_since(stamp, n->newest) <= 0)
        return MIP6_TIMESTAMP_MISMATCH;
    if (n->detecting && ntp_since(stamp, n->pending.ask.m.options.timestamp) <= 0)
        return SILENCE;
    return MIP6_ACCEPTED;
}

/* RFC 6275 section 9.5.1 in its own words: the last one and the 32,768 before it. */
static uint8_t judge_sequence(const struct node *n, uint16_t sequence)
{
    for (uint32_t back = 0; n->has_last && back <= 32768; back++)
        if ((uint16_t)(n->last - back) == sequence)
            return MIP6_SEQUENCE;
    return MIP6_ACCEPTED;
}

static uint16_t granted(const struct packet *p)
{
    const uint16_t most = LIFETIME_MAX_S / 4;
    return p->ask.m.lifetime < most ? p->ask.m.lifetime : most;
}

static void use_timestamp(struct node *n, const struct packet *p)
{
    if (uses_timestamps(n))
        n->newest = p->ask.m.options.timestamp;
}

static bool wants_link_local(const struct packet *p)
{
    return (p->ask.m.flags & MIP6_LINK_LOCAL) != 0;
}

static void model_bind(struct node *n, const struct packet *p)
{
    use_timestamp(n, p);
    bind_model(n, true);
    n->link_local = wants_link_local(p);
    n->detecting = false;
    n->bound_at = lab6_asked_care_of(&p->ask);
    n->ends_ns = lab.now.mono_ns + granted(p) * 4ull * NSEC_PER_S;
}

static void model_wait(struct node *n, const struct packet *p)
{
    const bool link_local = wants_link_local(p);
    const bool more = link_local && !n->for_link_local;
    if (!n->detecting || more)
        n->detected_ns = lab.now.mono_ns + LAB6_DETECTION_MS * NSEC_PER_MS;
    n->for_link_local = link_local || (n->detecting && n->for_link_local);
    n->detecting = true;
    n->pending = *p;
}

/* The status of the answer that must come at once; SILENCE: none. */
static uint8_t model_update(struct node *n, const struct packet *p)
{
    model_expire(n);
    const uint8_t status = uses_timestamps(n) ? judge_timestamp(n, p->ask.m.options.timestamp)
                                              : judge_sequence(n, p->ask.m.sequence);
    if (status != MIP6_ACCEPTED)
        return status;
    if (!uses_timestamps(n)) {
        tally.wraps += n->has_last && p->ask.m.sequence < n->last;
        n->last = p->ask.m.sequence;
        n->has_last = true;
    }
    if (p->ask.m.lifetime == 0) {
        const bool was = n->bound;
        n->detecting = false;
        bind_model(n, false);
        use_timestamp(n, p);
        return was ? MIP6_ACCEPTED : MIP6_NOT_HOME_AGENT;
    }
    if (n->bound && (n->link_local || !wants_link_local(p))) {
        model_bind(n, p);
        return MIP6_ACCEPTED;
    }
    if (!n->bound && !has_room())
        return MIP6_NO_RESOURCES;
    model_wait(n, p);
    return SILENCE;
}

static uint8_t model_detected(struct node *n)
{
    n->detecting = false;
    model_expire(n);
    if (!n->bound && !has_room())
        return MIP6_NO_RESOURCES;
    model_bind(n, &n->pending);
    return MIP6_ACCEPTED;
}

/* ---- The agent against the model ---- */
static void check_node(struct node *n)
{
    struct binding_view v;
    model_expire(n);
    const bool bound = agent_binding(lab.agent, &n->home, lab.now, &v);
    require(bound == n->bound, "node %zu", n->number);
    require(agent_intercepts(lab.agent, &n->home) == n->bound, "node %zu", n->number);
    require(n->is_installed == n->bound, "node %zu", n->number);
    require(n->is_listened_to == (n->bound || n->detecting), "node %zu: listening", n->number);
    if (!bound)
        return;
    require(v.n_care_of == 1 && addr_equal(&v.care_of[0].address, &n->bound_at), "node %zu", n->number);
    require(addr_equal(&n->installed_at, &n->bound_at), "node %zu", n->number);
    require(v.lifetime_left_s[0] == (n->ends_ns - lab.now.mono_ns) / NSEC_PER_S, "node %zu", n->number);
    require(v.care_of[0].reverse && v.care_of[0].encapsulation == ENCAPSULATION_IPV6_IN_IPV6, "node %zu",
            n->number);
}

static void check_all(void)
{
    size_t count = 0;
    for (size_t i = 0; i < NODES; i++) {
        check_node(&nodes[i]);
        require(!nodes[i].detecting || nodes[i].detected_ns > lab.now.mono_ns, "node %zu waits on", i);
        count += nodes[i].bound;
    }
    require(count == n_bound && agent_bindings(lab.agent) == n_bound, "%zu bound", n_bound);
}

static void take_effects(void)
{
    for (size_t i = 0; i < lab.n_log; i++) {
        const struct effect *e = &lab.log[i];
        struct node *n;
        if (e->kind == EFFECT_INSTALL) {
            n = node_at(&e->install.home);
            n->is_installed = true;
            n->installed_at = e->install.care_of[0].address;
        } else if (e->kind == EFFECT_REMOVE) {
            node_at(&e->remove)->is_installed = false;
        } else if (e->kind == EFFECT_LISTEN) {
            n = node_at(&e->listen.home);
            require(n->is_listened_to != e->listen.on, "told to listen as before");
            n->is_listened_to = e->listen.on;
        } else if (e->kind == EFFECT_PROBE) {
            require(node_at(&e->probe.home)->detecting, "a probe for nothing");
            require(node_at(&e->probe.home)->is_listened_to, "a probe without a listener");
        }
    }
}

/* ---- The network ---- */
static void arm(struct timer *t, enum wake kind, uint64_t after_ns)
{
    t->kind = kind;
    require(timerq_set(events, t, lab.now.mono_ns + after_ns), "out of memory");
}

static uint64_t delay(void)
{
    const uint64_t usual = 1 + below(200 * NSEC_PER_MS);
    return !calm && percent(5) ? usual + below(5 * NSEC_PER_S) : usual;
}

static struct flight *launch(const struct node *n, enum wake kind)
{
    struct flight *f = calloc(1, sizeof(*f));
    require(f != NULL, "out of memory");
    f->node = n->number;
    arm(&f->timer, kind, delay());
    return f;
}

static bool is_lost(void)
{
    const bool lost = !calm && percent(12);
    tally.lost += lost;
    return lost;
}

static void transmit(const struct node *n, const struct packet *p)
{
    history[n_history++ % HISTORY] = *p;
    for (int copies = !calm && percent(5) ? 2 : 1; copies > 0; copies--)
        if (!is_lost())
            launch(n, WAKE_UPDATE)->packet = *p;
}

static void transmit_ack(const struct node *n, const struct mip6_ack *ack)
{
    if (!is_lost())
        launch(n, WAKE_ACK)->ack = *ack;
}

/* ---- Mobile nodes ---- */
static uint64_t next_stamp(struct node *n)
{
    const uint64_t now = lab.now.ntp + (uint64_t)n->clock;
    n->stamp = n->stamp != 0 && ntp_since(now, n->stamp) <= 0 ? n->stamp + 1 : now;
    return n->stamp;
}

/* Each is a new one, also when it says the same again (RFC 6275 section 11.8). */
static void send_update(struct node *n)
{
    struct packet p = {.ask = lab6_ask(&lab, 0)};
    p.ask.home = n->home;
    p.ask.sa = n->sa;
    p.ask.source = n->at_home ? n->home : n->care_of;
    p.ask.by_option = !n->at_home;
    p.ask.elsewhere = !n->at_home;
    p.ask.m.lifetime = n->registered ? (uint16_t)((calm ? 25 : 5) + below(40)) : 0;
    if (percent(20))
        p.ask.m.flags |= MIP6_LINK_LOCAL;
    n->sequence = (uint16_t)(n->sequence + 1 + (percent(10) ? below(30000) : 0));
    p.ask.m.sequence = n->sequence;
    p.ask.m.options.has_timestamp = uses_timestamps(n);
    if (uses_timestamps(n))
        p.ask.m.options.timestamp = next_stamp(n);
    p.len = lab6_encode(&lab, &p.ask, p.bytes, sizeof(p.bytes));
    transmit(n, &p);
}

static void ask(struct node *n)
{
    n->waiting = true;
    n->tries = 0;
    send_update(n);
    arm(&n->retry, WAKE_RETRY, FIRST_RETRY_MS * NSEC_PER_MS);
}

static void retry(struct node *n)
{
    uint64_t wait_ms = FIRST_RETRY_MS << ++n->tries;
    if (!n->waiting)
        return;
    send_update(n);
    arm(&n->retry, WAKE_RETRY, (wait_ms < LAST_RETRY_MS ? wait_ms : LAST_RETRY_MS) * NSEC_PER_MS);
}

static void roam(struct node *n)
{
    n->care_of = lab6_care_of(below(60000));
    n->at_home = false;
}

static void act(struct node *n)
{
    const uint64_t dice = below(100);
    if (calm || dice < 40 || !n->registered)
        roam(n);
    else if (dice < 60)
        n->at_home = true;
    n->registered = calm || (!n->at_home && dice < 90);
    if (calm || dice < 95) /* else it falls silent */
        ask(n);
    if (!calm)
        arm(&n->act, WAKE_ACT, below(60 * NSEC_PER_S));
}

static void again(struct node *n)
{
    if (++n->tries < 6)
        send_update(n);
}

static void hear_ack(struct node *n, const struct mip6_ack *ack)
{
    if (!n->waiting)
        return;
    if (ack->status == MIP6_SEQUENCE) {
        n->sequence = ack->sequence;
        again(n);
    } else if (ack->status == MIP6_TIMESTAMP_MISMATCH) {
        n->clock = ntp_since(ack->options.timestamp, lab.now.ntp);
        n->stamp = 0;
        again(n);
    } else if (ack->sequence == n->sequence) {
        n->waiting = calm && !mip6_status_is_success(ack->status);
    }
}

/* ---- Deliveries ---- */
static void check_ack(const struct packet *p, const struct answer6 *a, uint8_t status)
{
    const struct node *n = node_at(&p->ask.home);
    require(a->ack.status == status, "node %zu: %u instead of %u", n->number, a->ack.status, status);
    require(a->good, "node %zu: not signed", n->number);
    require(a->ack.sequence == (status == MIP6_SEQUENCE ? n->last : p->ask.m.sequence), "node %zu",
            n->number);
    require(a->ack.lifetime == (status == MIP6_ACCEPTED ? granted(p) : 0), "node %zu", n->number);
    require(addr_equal(&a->message.destination, &p->ask.source), "sent to somebody else");
    require(addr_equal(&a->message.home, p->ask.by_option ? &p->ask.home : &addr_unspecified), "route");
    require(a->message.on_link == !p->ask.by_option, "on the wrong link");
    if (status == MIP6_ACCEPTED)
        tally.accepted++;
    else
        tally.refused++;
}

static void answer(struct node *n, const struct packet *p, uint8_t status)
{
    const struct answer6 a = lab6_answer(&lab, &p->ask);
    require(a.sent == (status != SILENCE), "node %zu: %u expected", n->number, status);
    take_effects();
    if (!a.sent) {
        tally.absorbed++;
        return;
    }
    check_ack(p, &a, status);
    transmit_ack(n, &a.ack);
}

static void deliver(struct node *n, const struct packet *p)
{
    tally.delivered++;
    const uint8_t status = model_update(n, p);
    lab6_send_bytes(&lab, &p->ask, p->bytes, p->len);
    answer(n, p, status);
}

/* ---- Mischief ---- */
static const struct packet *from_history(void)
{
    return &history[below(n_history < HISTORY ? n_history : HISTORY)];
}

/* One bit of what the authenticator covers, or of itself, and the checksum made good again. */
static void forge(void)
{
    struct packet p = *from_history();
    const size_t bit = (8 + below(p.len - 8)) * 8 + below(8);
    p.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    p.bytes[4] = p.bytes[5] = 0;
    const uint32_t pseudo = ip_pseudo_sum(&p.ask.home, &p.ask.destination, IPPROTO_NUM_MOBILITY, p.len);
    const uint16_t sum = inet_finish(inet_sum(pseudo, p.bytes, p.len));
    p.bytes[4] = (uint8_t)(sum >> 8);
    p.bytes[5] = (uint8_t)sum;
    struct node *n = node_at(&p.ask.home);
    model_expire(n);
    tally.forged++;
    const struct answer6 a = lab6_send_bytes(&lab, &p.ask, p.bytes, p.len);
    require(!a.sent || a.ack.status == MIP6_AUTH_FAILED, "node %zu: forged, answered %u", n->number,
            a.ack.status);
    for (size_t i = 0; i < lab.n_log; i++)
        require(lab.log[i].kind == EFFECT_SEND || lab.log[i].kind == EFFECT_NOTE, "a forged update acts");
    check_node(n);
}

static void claim(void)
{
    struct node *n = &nodes[below(NODES)];
    const struct agent_neighbor heard = {.mac = {{2, 9, 9, 9, 9, 9}}, .claimed = n->home};
    lab_forget(&lab);
    agent_heard(lab.agent, &heard, lab.now);
    lab_drain(&lab);
    if (!n->detecting)
        return;
    tally.taken++;
    n->detecting = false;
    answer(n, &n->pending, MIP6_DAD_FAILED);
}

static void revoke(void)
{
    struct node *n = &nodes[below(NODES)];
    model_expire(n);
    lab_forget(&lab);
    require(agent_revoke(lab.agent, &n->home, lab.now) == n->bound, "node %zu", n->number);
    lab_drain(&lab);
    bind_model(n, false);
    take_effects();
    check_node(n);
}

static void interfere(void)
{
    const uint64_t dice = below(1000);
    if (calm || n_history == 0)
        return;
    if (dice < 50) {
        forge();
    } else if (dice < 100) {
        const struct packet p = *from_history();
        deliver(node_at(&p.ask.home), &p);
    } else if (dice < 200) {
        claim();
    } else if (dice < 210) {
        revoke();
    }
}

/* ---- Time ---- */
/* One step of the agent: at most one acknowledgement, of a detection that is over. */
static void step(void)
{
    lab_forget(&lab);
    agent_expire(lab.agent, lab.now, 1);
    lab_drain(&lab);
    const struct effect *sent = lab_first(&lab, EFFECT_SEND);
    if (sent == NULL) {
        take_effects();
        return;
    }
    struct node *n = node_at(&sent->send.home);
    require(n->detecting && n->detected_ns == lab.now.mono_ns, "node %zu: too early or late", n->number);
    answer(n, &n->pending, model_detected(n));
}

static void expire(uint64_t until)
{
    while (agent_deadline(lab.agent) <= until) {
        if (agent_deadline(lab.agent) > lab.now.mono_ns)
            lab_pass(&lab, agent_deadline(lab.agent) - lab.now.mono_ns);
        step();
    }
}

static void happen(struct timer *t)
{
    if (t->kind == WAKE_ACT) {
        act(timer_owner(t, struct node, act));
        return;
    }
    if (t->kind == WAKE_RETRY) {
        retry(timer_owner(t, struct node, retry));
        return;
    }
    struct flight *f = timer_owner(t, struct flight, timer);
    struct node *n = &nodes[f->node];
    if (t->kind == WAKE_UPDATE)
        deliver(n, &f->packet);
    else
        hear_ack(n, &f->ack);
    free(f);
    check_node(n);
}

static bool one_event(uint64_t until_ns)
{
    const uint64_t at = timerq_next(events);
    if (at > until_ns)
        return false;
    expire(at);
    if (at > lab.now.mono_ns)
        lab_pass(&lab, at - lab.now.mono_ns);
    struct timer *t = timerq_pop(events, lab.now.mono_ns);
    if (t != NULL)
        happen(t);
    interfere();
    if (trial.event++ % 1024 == 0)
        check_all();
    return true;
}

/* Nobody wants more than there is room for. */
static void settle(void)
{
    calm = true;
    lab.settings.max_bindings = NODES;
    require(agent_configure(lab.agent, &lab.settings) == 0, "out of memory");
    const uint64_t end = lab.now.mono_ns + 100 * NSEC_PER_S;
    for (size_t i = 0; i < NODES; i++) {
        timerq_cancel(events, &nodes[i].act);
        timerq_cancel(events, &nodes[i].retry);
        nodes[i].waiting = false;
        arm(&nodes[i].act, WAKE_ACT, 30 * NSEC_PER_S + below(10 * NSEC_PER_S));
    }
    while (one_event(end))
        continue;
}

/* ---- The run ---- */
static void begin(void)
{
    lab6_open(&lab);
    agent_sweep_begin(lab.agent); /* the lab's own people go */
    while (agent_sweep(lab.agent, 100, lab.now))
        continue;
    lab_drain(&lab);
    lab.settings.max_bindings = ROOM;
    lab.settings.max_lifetime_s = LIFETIME_MAX_S + 3;
    require(agent_configure(lab.agent, &lab.settings) == 0, "out of memory");
    events = timerq_create();
    nodes = calloc(NODES, sizeof(*nodes));
    history = calloc(HISTORY, sizeof(*history));
    require(events != NULL && nodes != NULL && history != NULL, "out of memory");
    for (size_t i = 0; i < NODES; i++) {
        struct node *n = &nodes[i];
        n->number = i;
        n->home = ip("2001:db8:1::1000");
        n->home.b[14] = (uint8_t)(n->home.b[14] + i / 256);
        n->home.b[15] = (uint8_t)i;
        n->sa = lab6_association(i % LAB6_MOBILES);
        n->sequence = (uint16_t)below(65536);
        n->clock = (int64_t)below(percent(10) ? UINT64_C(40) << 32 : UINT64_C(4) << 32) - (INT64_C(2) << 32);
        n->newest = lab.now.ntp - ntp_from_seconds(60); /* the lab waits that long after boot */
        require(agent_mobile_set(lab.agent, &n->home, &n->sa, NULL) == 0, "out of memory");
        arm(&n->act, WAKE_ACT, below(60 * NSEC_PER_S));
    }
}

static void end(void)
{
    struct timer *t;
    while ((t = timerq_pop(events, TIMER_NEVER)) != NULL)
        if (t->kind == WAKE_UPDATE || t->kind == WAKE_ACK)
            free(timer_owner(t, struct flight, timer));
    timerq_destroy(events);
    free(nodes);
    free(history);
    lab_close(&lab);
}

static void check_settled(void)
{
    check_all();
    for (size_t i = 0; i < NODES; i++)
        require(nodes[i].bound && !nodes[i].waiting && addr_equal(&nodes[i].bound_at, &nodes[i].care_of),
                "node %zu is not bound where it is", i);
}

static void run(uint64_t n_events)
{
    begin();
    const uint64_t began = lab.now.mono_ns;
    while (trial.event < n_events && one_event(TIMER_NEVER))
        continue;
    check_all();
    settle();
    check_settled();
    printf("%" PRIu64 " events in %" PRIu64 " virtual seconds, %zu bound\n", trial.event,
           (lab.now.mono_ns - began) / NSEC_PER_S, n_bound);
    printf("delivered %" PRIu64 ", lost %" PRIu64 ", forged %" PRIu64 ", addresses taken %" PRIu64 "\n",
           tally.delivered, tally.lost, tally.forged, tally.taken);
    printf("accepted %" PRIu64 ", refused %" PRIu64 ", waiting or absorbed %" PRIu64 ", expired %" PRIu64
           ", sequence numbers wrapped %" PRIu64 "\n",
           tally.accepted, tally.refused, tally.absorbed, tally.expired, tally.wraps);
    end();
}

int main(int argc, char **argv)
{
    return trial_main(argc, argv, 100000, run);
}
