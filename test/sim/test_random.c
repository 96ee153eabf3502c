/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Thousands of mobile nodes register, renew, move and come home over a network that loses, doubles, delays
 * and so reorders; others forge and replay. A model that knows nothing of the agent's insides says what must
 * be bound, and after every event the agent is held against it:
 *
 *     - a binding exists if and only if the model says so, with these care-of addresses, to the second, and
 *       with reverse tunnels from those of them that asked;
 *     - home addresses are intercepted if and only if they are bound;
 *     - INSTALL and REMOVE, replayed, give exactly the agent's bindings;
 *     - there is no reply without a request, and each reply bears the code that the model expects;
 *     - what is forged or replayed changes nothing.
 *
 *     test_random [OPTION]..., see trial.h
 */
#include "heard.h"
#include "lab.h"

#include "timerq.h"
#include "trial.h"

enum { NODES = 2000, FOREIGNS = 20, SETS = 3, NONCES_MAX = 256, MESSAGE = 256, ROOM = 1700 };

/* ---- The world ---- */
enum wake { WAKE_ACT, WAKE_RETRY, WAKE_REQUEST, WAKE_REPLY };

/* A request's bytes, and who sent them how. */
struct packet {
    struct ask ask;
    uint8_t bytes[MESSAGE];
    size_t len;
    size_t signed_len; /* up to the end of the mobile-home authentication */
    bool forged;
};

struct flight {
    struct timer timer;
    size_t node;
    struct packet packet;    /* of a request */
    uint64_t identification; /* of a reply */
    uint8_t code;
};

struct bound {
    struct addr care_of;
    uint64_t ends_ns;
    bool reverse;
};

struct node {
    size_t number;
    struct addr home;
    struct association sa;
    bool configured;

    /* the mobile node's own */
    struct timer act, retry;
    uint32_t nonce, low;
    struct packet pending;
    bool waiting;
    unsigned tries;

    /* the model */
    struct bound bound[SETS];
    size_t n_bound;
    uint64_t newest;
    uint32_t nonces[NONCES_MAX]; /* told and not used up */
    size_t n_nonces;
    struct packet accepted, denied; /* len 0: none */
    uint8_t denied_code;

    /* what forwarding was told */
    struct forwarding installed;
    bool is_installed;
};

static struct lab lab;
static struct timerq *events;
static struct node *nodes;
static struct packet *history; /* of requests that went over the wire */
enum { HISTORY = 4096 };
static size_t n_history;
static size_t n_bound_nodes;
static uint64_t model_floor;
static struct {
    uint64_t delivered, lost, forged, replayed, accepted, denied, again, expired;
} tally;

static size_t care_of_limit(void)
{
    return lab.settings.max_care_of;
}

static struct addr foreign_address(size_t i)
{
    return addr_from_ipv4(0xc6336400u + 1 + (uint32_t)i);
}

static struct association foreign_association(void)
{
    return lab_foreign_association();
}

/* ---- The model ---- */
static void note_bound(struct node *n, size_t count)
{
    n_bound_nodes = n_bound_nodes + (count > 0) - (n->n_bound > 0);
    n->n_bound = count;
}

static void model_expire(struct node *n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n->n_bound; i++)
        if (n->bound[i].ends_ns > lab.now.mono_ns)
            n->bound[kept++] = n->bound[i];
        else
            tally.expired++;
    note_bound(n, kept);
}

static struct bound *model_find(struct node *n, const struct addr *care_of)
{
    for (size_t i = 0; i < n->n_bound; i++)
        if (addr_equal(&n->bound[i].care_of, care_of))
            return &n->bound[i];
    return NULL;
}

static bool same_request(const struct packet *a, const struct packet *b)
{
    return a->len > 0 && a->signed_len == b->signed_len && memcmp(a->bytes, b->bytes, a->signed_len) == 0;
}

static bool model_fresh(const struct node *n, uint64_t identification)
{
    if (n->sa.replay == REPLAY_TIMESTAMP) {
        const int64_t ahead = ntp_since(identification, lab.now.ntp);
        const int64_t window = INT64_C(7) << 32;
        return ahead >= -window && ahead <= window && ntp_since(identification, n->newest) > 0;
    }
    for (size_t i = 0; i < n->n_nonces; i++)
        if (n->nonces[i] == identification >> 32)
            return true;
    return false;
}

struct expectation {
    bool answered;
    bool again; /* the answer that was given before */
    bool fresh;
    uint8_t code;
};

static uint8_t success(void)
{
    return care_of_limit() > 1 ? MIP4_ACCEPTED : MIP4_ACCEPTED_NO_SIMULTANEOUS;
}

/* RFC 3024 section 4.3.1; 0: the policy does not mind. */
static uint8_t reverse_tunnel_denial(const struct mip4_request *q)
{
    const bool wanted = (q->flags & MIP4_REVERSE_TUNNEL) != 0;
    if (q->lifetime_s > 0 && wanted && lab.settings.reverse_tunnel == REVERSE_TUNNEL_OFF)
        return MIP4_NO_REVERSE_TUNNEL;
    if (q->lifetime_s > 0 && !wanted && lab.settings.reverse_tunnel == REVERSE_TUNNEL_REQUIRED)
        return MIP4_REVERSE_TUNNEL_REQUIRED;
    return 0;
}

/* What the agent has to say to a request that nobody tampered with. */
static struct expectation expect(struct node *n, const struct packet *p)
{
    const struct mip4_request *q = &p->ask.q;
    struct expectation e = {.answered = n->configured, .code = success()};
    model_expire(n);
    e.again = same_request(&n->accepted, p) && (q->lifetime_s == 0 || model_find(n, &q->care_of) != NULL);
    if (e.again)
        return e;
    if (n->sa.replay == REPLAY_NONCE && same_request(&n->denied, p)) {
        e.again = true;
        e.code = n->denied_code;
        return e;
    }
    e.fresh = model_fresh(n, q->identification);
    if (!e.fresh)
        e.code = MIP4_IDENTIFICATION_MISMATCH;
    else if (q->lifetime_s > 0 && (q->flags & MIP4_GRE))
        e.code = MIP4_NO_ENCAPSULATION;
    else if (q->lifetime_s > 0 && n->n_bound == 0 && n_bound_nodes >= lab.settings.max_bindings)
        e.code = MIP4_NO_RESOURCES;
    else if (q->lifetime_s > 0 && n->n_bound > 0 && care_of_limit() > 1 && (q->flags & MIP4_SIMULTANEOUS) &&
             model_find(n, &q->care_of) == NULL && n->n_bound >= care_of_limit())
        e.code = MIP4_TOO_MANY_BINDINGS;
    else if (reverse_tunnel_denial(q) != 0)
        e.code = reverse_tunnel_denial(q);
    return e;
}

static void model_bind(struct node *n, const struct mip4_request *q)
{
    const uint16_t s = q->lifetime_s < LAB_MAX_LIFETIME ? q->lifetime_s : LAB_MAX_LIFETIME;
    const struct bound b = {q->care_of, lab.now.mono_ns + s * NSEC_PER_S,
                            (q->flags & MIP4_REVERSE_TUNNEL) != 0};
    struct bound *old = model_find(n, &q->care_of);
    if (care_of_limit() == 1 || !(q->flags & MIP4_SIMULTANEOUS)) {
        n->bound[0] = b;
        note_bound(n, 1);
    } else if (old != NULL) {
        *old = b;
    } else {
        n->bound[n->n_bound] = b;
        note_bound(n, n->n_bound + 1);
    }
}

static void model_drop(struct node *n, const struct mip4_request *q)
{
    struct bound *b = model_find(n, &q->care_of);
    if (addr_equal(&q->care_of, &n->home)) {
        note_bound(n, 0);
    } else if (b != NULL) {
        *b = n->bound[n->n_bound - 1];
        note_bound(n, n->n_bound - 1);
    }
}

/* Nonces that the mobile node was told stay good until one of them has been used. */
static void model_learn(struct node *n, const struct expectation *e, uint64_t identification)
{
    if (n->sa.replay != REPLAY_NONCE)
        return;
    if (e->fresh)
        n->n_nonces = 0;
    const uint32_t nonce = (uint32_t)(identification >> 32);
    for (size_t i = 0; i < n->n_nonces; i++)
        if (n->nonces[i] == nonce)
            return;
    require(n->n_nonces < NONCES_MAX, "node %zu was told too many nonces", n->number);
    n->nonces[n->n_nonces++] = nonce;
}

static void model_apply(struct node *n, const struct packet *p, const struct expectation *e)
{
    tally.again += e->again;
    tally.denied += !e->again && !mip4_code_is_success(e->code);
    if (!e->fresh)
        return;
    if (!mip4_code_is_success(e->code)) {
        n->denied = *p;
        n->denied_code = e->code;
        return;
    }
    tally.accepted++;
    n->accepted = *p;
    n->denied.len = 0;
    if (n->sa.replay == REPLAY_TIMESTAMP)
        n->newest = p->ask.q.identification;
    if (p->ask.q.lifetime_s > 0)
        model_bind(n, &p->ask.q);
    else
        model_drop(n, &p->ask.q);
}

/* ---- The agent against the model ---- */
static struct node *node_at(const struct addr *home)
{
    const uint32_t i = addr_ipv4(home) - addr_ipv4(&nodes[0].home);
    require(i < NODES, "an effect for a stranger");
    return &nodes[i];
}

/* Replays what forwarding was told; counts replies. */
static size_t take_effects(void)
{
    size_t sent = 0;
    for (size_t i = 0; i < lab.n_log; i++) {
        const struct effect *e = &lab.log[i];
        if (e->kind == EFFECT_INSTALL) {
            struct node *n = node_at(&e->install.home);
            n->installed = e->install;
            n->is_installed = true;
        } else if (e->kind == EFFECT_REMOVE) {
            struct node *n = node_at(&e->remove);
            require(n->is_installed, "node %zu removed twice", n->number);
            n->is_installed = false;
        }
        sent += e->kind == EFFECT_SEND;
    }
    return sent;
}

static const struct care_of *among(const struct care_of *list, size_t n, const struct addr *a)
{
    for (size_t i = 0; i < n; i++)
        if (addr_equal(&list[i].address, a))
            return &list[i];
    return NULL;
}

static void check_care_of(struct node *n, const struct binding_view *v, size_t i)
{
    const struct care_of *told = among(n->installed.care_of, n->installed.n_care_of, &v->care_of[i].address);
    const struct bound *b = model_find(n, &v->care_of[i].address);
    require(told != NULL && b != NULL, "node %zu: a care-of address too many", n->number);
    require(told->path_mtu == v->care_of[i].path_mtu && told->unreachable == v->care_of[i].unreachable,
            "node %zu: forwarding does not know the tunnel", n->number);
    require(told->reverse == b->reverse && v->care_of[i].reverse == b->reverse,
            "node %zu: reverse tunnel of another request", n->number);
    require(v->lifetime_left_s[i] == (b->ends_ns - lab.now.mono_ns) / NSEC_PER_S, "node %zu: %u s left",
            n->number, v->lifetime_left_s[i]);
}

static void check_node(struct node *n)
{
    struct binding_view v = {0};
    model_expire(n);
    const bool bound = agent_binding(lab.agent, &n->home, lab.now, &v);
    require(bound == (n->n_bound > 0), "node %zu: %zu care-of addresses", n->number, n->n_bound);
    require(bound == n->is_installed, "node %zu", n->number);
    require(bound == agent_intercepts(lab.agent, &n->home), "node %zu", n->number);
    require(v.n_care_of == n->n_bound, "node %zu: %zu and %zu", n->number, v.n_care_of, n->n_bound);
    require(!bound || n->installed.n_care_of == n->n_bound, "node %zu", n->number);
    require(!bound || addr_equal(&n->installed.source, &v.home_agent), "node %zu", n->number);
    for (size_t i = 0; i < v.n_care_of; i++)
        check_care_of(n, &v, i);
}

/* ---- Time ---- */
static void expire(uint64_t until)
{
    while (agent_deadline(lab.agent) <= until) {
        if (agent_deadline(lab.agent) > lab.now.mono_ns)
            lab_pass(&lab, agent_deadline(lab.agent) - lab.now.mono_ns);
        lab_forget(&lab);
        agent_expire(lab.agent, lab.now, 1 + below(8));
        lab_drain(&lab);
        require(take_effects() == 0, "a reply to nobody");
        for (size_t i = 0; i < lab.n_log; i++)
            if (lab.log[i].kind == EFFECT_REMOVE) {
                struct node *n = node_at(&lab.log[i].remove);
                model_expire(n);
                require(n->n_bound == 0, "node %zu ended early", n->number);
            }
    }
}

static void settle(void)
{
    while (agent_deadline(lab.agent) <= lab.now.mono_ns)
        expire(lab.now.mono_ns);
}

/* Changed tunnels are told in slices, so the agent is let finish first. */
static void check_all(void)
{
    settle();
    for (size_t i = 0; i < NODES; i++)
        check_node(&nodes[i]);
    require(agent_bindings(lab.agent) == n_bound_nodes, "%zu bindings", n_bound_nodes);
    size_t cursor = 0, walked = 0;
    struct binding_view v;
    while (agent_binding_next(lab.agent, &cursor, 1 + below(100), lab.now, &v))
        walked += v.n_care_of > 0;
    require(walked == n_bound_nodes, "%zu walked", walked);
}

/* ---- Messages in flight ---- */
static struct flight *launch(size_t node, enum wake kind, uint64_t delay_ns)
{
    struct flight *f = calloc(1, sizeof(*f));
    require(f != NULL, "out of memory");
    f->node = node;
    f->timer.kind = kind;
    require(timerq_set(events, &f->timer, lab.now.mono_ns + delay_ns), "out of memory");
    return f;
}

/* 5 ms, but for one in ten up to three seconds: later messages overtake. */
static uint64_t delay(void)
{
    return percent(10) ? below(3 * NSEC_PER_S) : 5 * NSEC_PER_MS;
}

static void transmit(const struct node *n, const struct packet *p)
{
    for (unsigned copies = percent(10) ? 2 : 1; copies > 0; copies--) {
        if (percent(15)) {
            tally.lost++;
            continue;
        }
        launch(n->number, WAKE_REQUEST, delay())->packet = *p;
    }
}

static void encode(struct packet *p)
{
    struct ask alone = p->ask;
    alone.foreign_times = 0;
    p->signed_len = lab_encode(&lab, &alone, p->bytes, sizeof(p->bytes));
    p->len = lab_encode(&lab, &p->ask, p->bytes, sizeof(p->bytes));
}

/* ---- Mobile nodes ---- */
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
    ask->foreign = foreign_association();
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

static void arm(struct timer *t, enum wake kind, uint64_t delay_ns)
{
    t->kind = kind;
    require(timerq_set(events, t, lab.now.mono_ns + delay_ns), "out of memory");
}

static void remember(const struct packet *p)
{
    history[n_history++ % HISTORY] = *p;
}

static void send_pending(struct node *n)
{
    transmit(n, &n->pending);
    remember(&n->pending);
    arm(&n->retry, WAKE_RETRY, NSEC_PER_S << n->tries);
}

static void act(struct node *n)
{
    arm(&n->act, WAKE_ACT, (1 + below(120)) * NSEC_PER_S);
    n->pending = (struct packet){.ask = decide(n)};
    encode(&n->pending);
    n->waiting = true;
    n->tries = 0;
    send_pending(n);
}

/* Section 3.6.3: with timestamps each transmission has a new one, with nonces it is the same bytes. */
static void retry(struct node *n)
{
    if (!n->waiting || ++n->tries > 4)
        return;
    if (n->sa.replay == REPLAY_TIMESTAMP) {
        n->pending.ask.q.identification = identification(n);
        encode(&n->pending);
    }
    send_pending(n);
}

static void hear_reply(struct node *n, const struct flight *f)
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

/* ---- Deliveries ---- */
static void deliver_forged(struct node *n, const struct packet *p)
{
    const struct answer a = lab_send_bytes(&lab, &p->ask, p->bytes, p->len);
    tally.forged++;
    require(!a.sent || !mip4_code_is_success(a.reply.code), "node %zu: forged, answered %u", n->number,
            a.reply.code);
    for (size_t i = 0; i < lab.n_log; i++)
        require(lab.log[i].kind == EFFECT_SEND || lab.log[i].kind == EFFECT_NOTE, "a forged request acts");
    if (a.sent && a.mobile_good)
        model_learn(n, &(struct expectation){0}, a.reply.identification);
}

static void check_reply(const struct packet *p, const struct answer *a)
{
    require(a->mobile_good, "not signed");
    require(a->foreign_good == (p->ask.foreign_times > 0), "foreign authentication");
    require((uint32_t)a->reply.identification == (uint32_t)p->ask.q.identification, "Identification");
    require(addr_equal(&a->message.destination, &p->ask.source), "sent to somebody else");
    require(a->message.on_link == addr_equal(&p->ask.source, &p->ask.q.home), "on the wrong link");
}

static void deliver(struct node *n, const struct packet *p)
{
    tally.delivered++;
    if (p->forged) {
        deliver_forged(n, p);
        return;
    }
    struct expectation e = expect(n, p);
    const struct answer a = lab_send_bytes(&lab, &p->ask, p->bytes, p->len);
    require(a.sent == e.answered, "node %zu: %s", n->number, a.sent ? "answered" : "not answered");
    require(take_effects() == (a.sent ? 1u : 0u), "replies");
    if (!a.sent)
        return;
    require(a.reply.code == e.code, "node %zu: %u instead of %u", n->number, a.reply.code, e.code);
    check_reply(p, &a);
    model_apply(n, p, &e);
    model_learn(n, &e, a.reply.identification);
    if (e.again)
        for (size_t i = 0; i < lab.n_log; i++)
            require(lab.log[i].kind == EFFECT_SEND || lab.log[i].kind == EFFECT_NOTE, "a duplicate acts");
    if (percent(85)) {
        struct flight *f = launch(n->number, WAKE_REPLY, delay());
        f->identification = a.reply.identification;
        f->code = a.reply.code;
    }
}

/* ---- Mischief and administration ---- */
static void forge(void)
{
    if (n_history == 0)
        return;
    struct packet p = history[below(n_history < HISTORY ? n_history : HISTORY)];
    const size_t bit = below(p.signed_len * 8);
    p.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    p.forged = true;
    deliver(node_at(&p.ask.q.home), &p);
}

static void replay(void)
{
    if (n_history == 0)
        return;
    const struct packet *p = &history[below(n_history < HISTORY ? n_history : HISTORY)];
    tally.replayed++;
    deliver(node_at(&p->ask.q.home), p);
}

static void revoke(void)
{
    struct node *n = &nodes[below(NODES)];
    model_expire(n);
    lab_forget(&lab);
    const bool was = agent_revoke(lab.agent, &n->home, lab.now);
    lab_drain(&lab);
    require(was == (n->n_bound > 0), "node %zu", n->number);
    note_bound(n, 0);
    require(take_effects() == 0, "a reply to nobody");
    check_node(n);
}

static void take_arp(void)
{
    const struct node *n = &nodes[below(NODES)];
    const bool claim = percent(50);
    const struct arp arp = {.operation = ARP_REQUEST,
                            .sender = claim ? n->home : ip("10.1.200.200"),
                            .sender_mac = {{2, 3}},
                            .target = n->home};
    lab_forget(&lab);
    const bool answered = hear_arp(lab.agent, &arp, lab.now);
    lab_drain(&lab);
    require(answered == (!claim && n->n_bound > 0), "node %zu", n->number);
    require(lab_count(&lab, EFFECT_NOTE) == lab.n_log, "ARP acts at once");
}

static void break_tunnel(void)
{
    const struct node *n = &nodes[below(NODES)];
    if (!n->is_installed)
        return;
    uint8_t quote[IPV4_HEADER + 8];
    struct writer w = writer_over(quote, sizeof(quote));
    const struct ip_header outer = {.ttl = 60,
                                    .protocol = IPPROTO_NUM_IPIP,
                                    .total_len = 1500,
                                    .source = n->installed.source,
                                    .destination = n->installed.care_of[0].address};
    ip_encode(&w, &outer);
    const struct ip_header from = {.source = ip("203.0.113.1")};
    const struct icmp icmp = {.type = ICMP_UNREACHABLE,
                              .code = percent(50) ? ICMP_HOST_UNREACHABLE : ICMP_FRAGMENTATION_NEEDED,
                              .rest = 1200 + (uint32_t)below(300),
                              .data = quote,
                              .data_len = sizeof(quote)};
    lab_forget(&lab);
    agent_tunnel_error(lab.agent, &from, &icmp, lab.now);
    lab_drain(&lab);
    require(take_effects() == 0, "a reply to nobody");
}

static void configure_node(struct node *n)
{
    require(agent_mobile_set(lab.agent, &n->home, &n->sa, NULL) == 0, "out of memory");
    if (n->configured)
        return;
    n->configured = true;
    n->newest = model_floor;
    n->n_nonces = 0;
    n->accepted.len = n->denied.len = 0;
}

static void unconfigure_node(struct node *n)
{
    if (!n->configured)
        return;
    if (ntp_since(n->newest, model_floor) > 0)
        model_floor = n->newest;
    n->configured = false;
}

static void configure_foreigns(void)
{
    const struct association sa = foreign_association();
    for (size_t i = 0; i < FOREIGNS; i++) {
        const struct addr a = foreign_address(i);
        require(agent_foreign_set(lab.agent, &a, &sa) == 0, "out of memory");
    }
}

/* A reload: some mobile nodes are left out, those left out before may be back. */
static void reload(void)
{
    agent_sweep_begin(lab.agent);
    configure_foreigns();
    bool stays[NODES];
    for (size_t i = 0; i < NODES; i++)
        if ((stays[i] = percent(98)))
            configure_node(&nodes[i]);
    for (size_t i = 0; i < NODES; i++) /* the agent forgets them only in the sweep, too */
        if (!stays[i])
            unconfigure_node(&nodes[i]);
    for (bool more = true; more;) {
        lab_forget(&lab);
        more = agent_sweep(lab.agent, 1 + below(500), lab.now);
        lab_drain(&lab);
        require(take_effects() == 0, "a reply to nobody");
    }
    for (size_t i = 0; i < NODES; i++)
        if (!nodes[i].configured)
            note_bound(&nodes[i], 0);
    check_all();
}

static void interfere(void)
{
    const uint64_t dice = below(1000);
    if (dice < 100)
        forge();
    else if (dice < 200)
        replay();
    else if (dice < 250)
        take_arp();
    else if (dice < 270)
        break_tunnel();
    else if (dice < 280)
        revoke();
    else if (dice == 999 && percent(20))
        reload();
}

/* ---- The run ---- */
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
    if (t->kind == WAKE_REQUEST)
        deliver(n, &f->packet);
    else
        hear_reply(n, f);
    free(f);
    check_node(n);
}

static void live(uint64_t n_events)
{
    for (trial.event = 0; trial.event < n_events; trial.event++) {
        uint64_t at = timerq_next(events);
        expire(at);
        if (at > lab.now.mono_ns)
            lab_pass(&lab, at - lab.now.mono_ns);
        struct timer *t = timerq_pop(events, lab.now.mono_ns);
        if (t != NULL)
            happen(t);
        interfere();
        if (trial.event % 4096 == 0)
            check_all();
    }
    check_all();
}

static void begin(void)
{
    lab_open(&lab);
    agent_sweep_begin(lab.agent); /* the lab's own people go */
    while (agent_sweep(lab.agent, 100, lab.now))
        continue;
    lab.settings.max_bindings = ROOM;
    lab.settings.max_care_of = percent(50) ? 1 : SETS;
    lab.settings.reverse_tunnel = (uint8_t)below(REVERSE_TUNNEL_REQUIRED + 1);
    require(agent_configure(lab.agent, &lab.settings) == 0, "out of memory");
    events = timerq_create();
    nodes = calloc(NODES, sizeof(*nodes));
    history = calloc(HISTORY, sizeof(*history));
    require(events != NULL && nodes != NULL && history != NULL, "out of memory");
    model_floor = lab.now.ntp - ntp_from_seconds(60); /* the lab waits that long after boot */
    configure_foreigns();
    for (size_t i = 0; i < NODES; i++) {
        nodes[i].number = i;
        nodes[i].home = addr_from_ipv4(0x0a016400u + (uint32_t)i);
        nodes[i].sa = lab_association(i % LAB_MOBILES);
        configure_node(&nodes[i]);
        arm(&nodes[i].act, WAKE_ACT, below(60 * NSEC_PER_S));
    }
}

static void end(void)
{
    struct timer *t;
    while ((t = timerq_pop(events, TIMER_NEVER)) != NULL)
        if (t->kind == WAKE_REQUEST || t->kind == WAKE_REPLY)
            free(timer_owner(t, struct flight, timer));
    timerq_destroy(events);
    free(nodes);
    free(history);
    lab_close(&lab);
}

static void run(uint64_t n_events)
{
    begin();
    const uint64_t began = lab.now.mono_ns;
    live(n_events);
    printf("%" PRIu64 " events in %" PRIu64
           " virtual seconds, %u care-of addresses allowed, reverse tunnel policy "
           "%u, %zu bound\n",
           n_events, (lab.now.mono_ns - began) / NSEC_PER_S, lab.settings.max_care_of,
           lab.settings.reverse_tunnel, n_bound_nodes);
    printf("delivered %" PRIu64 ", lost %" PRIu64 ", forged %" PRIu64 ", replayed %" PRIu64 "\n",
           tally.delivered, tally.lost, tally.forged, tally.replayed);
    printf("accepted %" PRIu64 ", denied %" PRIu64 ", answered again %" PRIu64 ", expired %" PRIu64 "\n",
           tally.accepted, tally.denied, tally.again, tally.expired);
    end();
}

int main(int argc, char **argv)
{
    return trial_main(argc, argv, 200000, run);
}
