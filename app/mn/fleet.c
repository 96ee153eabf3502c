/* SPDX-License-Identifier: BSD-3-Clause */
#include "fleet.h"

#include <stdlib.h>

/* Requests that fell behind are sent in bursts of at most so much of the rate. */
static const uint64_t burst_ns = 20 * NSEC_PER_MS;

enum { TURN_MAX = 512 }; /* requests in one turn: replies must be read meanwhile */

struct fleet {
    struct fleet_conf conf;
    struct auth *auth;
    struct timerq *timers;
    struct node *nodes;
    size_t count;
    uint32_t *index; /* open addressing by home address: 1 + place in nodes; 0: free */
    uint32_t index_mask;
    size_t busy;      /* mobile nodes that are not quiet */
    uint64_t cost_ns; /* of one request at the rate; 0: no limit */
    uint64_t credit_ns;
    uint64_t credited_ns; /* up to when */
    struct tally tally;
    struct mobile_output output;
};

/* Home addresses are mostly numbered through from their end. */
static uint32_t slot_of(const struct fleet *f, const struct addr *home)
{
    struct reader r = reader_over(home->b, sizeof(home->b));
    const uint64_t network = read_u64(&r);
    const uint64_t host = read_u64(&r);
    return (uint32_t)((network * 31 + host) * UINT64_C(0x9e3779b97f4a7c15) >> 32) & f->index_mask;
}

struct node *fleet_find(struct fleet *f, const struct addr *home)
{
    for (uint32_t slot = slot_of(f, home); f->index[slot] != 0; slot = (slot + 1) & f->index_mask) {
        struct node *node = &f->nodes[f->index[slot] - 1];
        if (addr_equal(&node->mobile.identity.home, home))
            return node;
    }
    return NULL;
}

static void index_node(struct fleet *f, size_t place)
{
    uint32_t slot = slot_of(f, &f->nodes[place].mobile.identity.home);
    while (f->index[slot] != 0)
        slot = (slot + 1) & f->index_mask;
    f->index[slot] = (uint32_t)place + 1;
}

static bool add_nodes(struct fleet *f, const struct roster *roster, struct addr *twice)
{
    for (size_t i = 0; i < roster->count; i++) {
        const struct mobile_identity *row = &roster->rows[i];
        struct mobile *m = &f->nodes[i].mobile;
        if (fleet_find(f, &row->home) != NULL) {
            *twice = row->home;
            return false;
        }
        mobile_init(m, &f->conf.policy, row, &f->conf.home_agent, f->conf.seed + i);
        index_node(f, i);
        /* Every timer stays in the queue for good, so that setting one never needs memory again. */
        if (!timerq_set(f->timers, &m->timer, TIMER_NEVER))
            return false;
    }
    return true;
}

struct fleet *fleet_create(const struct fleet_conf *conf, const struct roster *roster, struct addr *twice)
{
    struct fleet *f = calloc(1, sizeof(*f));
    if (f == NULL)
        return NULL;

    size_t slots = 16;
    while (slots < 2 * roster->count)
        slots *= 2;
    f->conf = *conf;
    f->cost_ns = conf->rate == 0 ? 0 : NSEC_PER_S / conf->rate;
    f->index_mask = (uint32_t)slots - 1;
    f->count = roster->count;
    f->nodes = calloc(roster->count, sizeof(*f->nodes));
    f->index = calloc(slots, sizeof(*f->index));
    f->timers = timerq_create();
    f->auth = auth_create();
    *twice = addr_unspecified;
    if (f->nodes == NULL || f->index == NULL || f->timers == NULL || f->auth == NULL ||
        !add_nodes(f, roster, twice)) {
        fleet_destroy(f);
        return NULL;
    }
    return f;
}

void fleet_destroy(struct fleet *f)
{
    if (f == NULL)
        return;
    for (size_t i = 0; f->nodes != NULL && i < f->count; i++)
        arrivals_clear(&f->nodes[i].arrivals);
    if (f->auth != NULL)
        auth_destroy(f->auth);
    if (f->timers != NULL)
        timerq_destroy(f->timers);
    free(f->index);
    free(f->nodes);
    free(f);
}

size_t fleet_count(const struct fleet *f)
{
    return f->count;
}

struct node *fleet_node(struct fleet *f, size_t place)
{
    return &f->nodes[place];
}

/* After each call that may have changed a mobile node. */
static void reschedule(struct fleet *f, struct mobile *m, bool was_quiet)
{
    const bool is_quiet = mobile_is_quiet(m);
    if (was_quiet && !is_quiet)
        f->busy++;
    if (!was_quiet && is_quiet)
        f->busy--;
    if (!timerq_set(f->timers, &m->timer, mobile_deadline(m)))
        abort(); /* there was room for every timer from the start */
}

/* A registration that waits for its answer may already be a binding. */
static bool may_be_bound(const struct mobile *m, uint64_t now_ns)
{
    return m->bound_until_ns > now_ns || (m->goal == MOBILE_ABROAD && m->state == MOBILE_ASKING);
}

void fleet_want(struct fleet *f, enum mobile_goal goal, const struct addr *care_of, size_t count,
                uint64_t now_ns)
{
    uint64_t at_ns = now_ns;
    for (size_t i = 0; i < f->count; i++) {
        struct mobile *m = &f->nodes[i].mobile;
        if (goal == MOBILE_UNBOUND && !may_be_bound(m, now_ns))
            continue;
        const bool was_quiet = mobile_is_quiet(m);
        mobile_want(m, goal, count == 0 ? NULL : &care_of[i % count], at_ns);
        reschedule(f, m, was_quiet);
        at_ns += f->cost_ns;
    }
}

static void count_output(struct fleet *f, const struct mobile_output *out, uint64_t now_ns)
{
    f->tally.timeouts += out->gave_up;
    if (out->len == 0)
        return;
    if (f->tally.first_request_ns == 0)
        f->tally.first_request_ns = now_ns;
    if (out->retransmission)
        f->tally.retransmissions++;
    else
        f->tally.requests++;
}

static void expire(struct fleet *f, struct mobile *m, struct instant now)
{
    const bool was_quiet = mobile_is_quiet(m);
    mobile_expire(m, f->auth, now, &f->output);
    reschedule(f, m, was_quiet);
    count_output(f, &f->output, now.mono_ns);
    if (f->output.announce || f->output.len > 0)
        f->conf.emit(f->conf.shell, m, &f->output);
}

static void earn_credit(struct fleet *f, uint64_t now_ns)
{
    const uint64_t most_ns = burst_ns > f->cost_ns ? burst_ns : f->cost_ns;
    f->credit_ns += now_ns - f->credited_ns;
    f->credited_ns = now_ns;
    if (f->credit_ns > most_ns)
        f->credit_ns = most_ns;
}

void fleet_turn(struct fleet *f, struct instant now)
{
    earn_credit(f, now.mono_ns);
    for (int i = 0; i < TURN_MAX && f->credit_ns >= f->cost_ns; i++) {
        struct timer *t = timerq_pop(f->timers, now.mono_ns);
        if (t == NULL)
            return;
        f->credit_ns -= f->cost_ns;
        expire(f, timer_owner(t, struct mobile, timer), now);
    }
}

uint64_t fleet_deadline(const struct fleet *f)
{
    const uint64_t due_ns = timerq_next(f->timers);
    if (due_ns == TIMER_NEVER || f->credit_ns >= f->cost_ns)
        return due_ns;
    const uint64_t affordable_ns = f->credited_ns + f->cost_ns - f->credit_ns;
    return due_ns > affordable_ns ? due_ns : affordable_ns;
}

static void count_answer(struct fleet *f, const struct mobile_answer *answer, uint64_t now_ns)
{
    struct tally *t = &f->tally;
    switch (answer->verdict) {
    case MOBILE_ACCEPTED:
        t->accepted++;
        t->last_accepted_ns = now_ns;
        if (answer->latency_ns != 0)
            histogram_add(&t->latency_us, answer->latency_ns / NSEC_PER_US);
        return;
    case MOBILE_DENIED:
    case MOBILE_REPAIRING:
        t->denied[answer->code]++;
        return;
    case MOBILE_UNAUTHENTICATED:
    case MOBILE_BAD_AUTHENTICATOR:
        t->unverified[answer->code]++;
        break;
    default:
        break;
    }
    t->discarded[answer->verdict]++;
}

/* Whose reply it is: a registration reply says so itself (RFC 5944 section 3.4). False: it is too short. */
static bool home_of(const struct mobile_reply *reply, struct addr *home)
{
    enum { HOME_OFFSET = 4 };
    *home = reply->home;
    if (!addr_equal(home, &addr_unspecified))
        return true;
    struct reader r = reader_over(reply->message, reply->len);
    read_bytes(&r, HOME_OFFSET);
    *home = addr_from_ipv4(read_u32(&r));
    return !r.failed;
}

void fleet_input(struct fleet *f, struct instant now, const struct mobile_reply *reply)
{
    struct addr home;
    if (!home_of(reply, &home)) {
        f->tally.discarded[MOBILE_MALFORMED]++;
        return;
    }
    struct node *node = fleet_find(f, &home);
    if (node == NULL) {
        f->tally.unknown_home++;
        return;
    }
    const bool was_quiet = mobile_is_quiet(&node->mobile);
    const struct mobile_answer answer = mobile_input(&node->mobile, f->auth, now, reply);
    reschedule(f, &node->mobile, was_quiet);
    count_answer(f, &answer, now.mono_ns);
}

bool fleet_is_quiet(const struct fleet *f)
{
    return f->busy == 0;
}

void fleet_close(struct fleet *f, uint64_t now_ns)
{
    for (size_t i = 0; i < f->count; i++) {
        struct mobile *m = &f->nodes[i].mobile;
        const bool renewing = m->goal == MOBILE_ABROAD && mobile_is_bound(m, now_ns);
        if (m->state == MOBILE_ASKING && !renewing)
            m->disappointed = true;
    }
}

bool fleet_is_content(struct fleet *f)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->nodes[i].mobile.disappointed)
            return false;
    return true;
}

struct census fleet_census(struct fleet *f, uint64_t now_ns)
{
    struct census c = {0};
    for (size_t i = 0; i < f->count; i++) {
        const struct mobile *m = &f->nodes[i].mobile;
        if (m->state == MOBILE_FAILED)
            c.failed++;
        else if (m->goal == MOBILE_ABROAD && mobile_is_bound(m, now_ns))
            c.registered++;
        else if (m->state == MOBILE_ASKING)
            c.pending++;
        else
            c.others++;
    }
    return c;
}

const struct tally *fleet_tally(const struct fleet *f)
{
    return &f->tally;
}

const char *fleet_code_text(const struct fleet *f, uint8_t code)
{
    return mobile_code_text(&f->nodes[0].mobile, code);
}
