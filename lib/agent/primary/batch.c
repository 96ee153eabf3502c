/* SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

#include <stdlib.h>

#include "primary/batch.h"
#include "primary/delegation.h"
#include "primary/rebuild.h"

struct batch {
    struct transaction t; /* first */
    struct node *node;
    struct holding *members;
    bool rebuilding; /* its members are being gone through: it stays, though they all may leave */
};

static bool is_stop(const struct holding *h)
{
    return h->wish == WISH_STOP;
}

static struct holding **queue_of(struct holding *h)
{
    return &h->node->queue[h->order][is_stop(h)];
}

/* ---- Queues ---- */
void batch_schedule(struct agent *agent, struct node *node, uint64_t at_ns)
{
    node->flush.kind = TIMER_NODE_FLUSH;
    if (timer_is_set(&node->flush) && node->flush.deadline_ns <= at_ns)
        return;
    if (!timerq_set(agent->timers, &node->flush, at_ns))
        count(agent, AGENT_NO_MEMORY); /* goes out with the next */
}

static void put(struct holding *h)
{
    struct holding **queue = queue_of(h);
    DL_APPEND2(*queue, h, queue_prev, queue_next);
    h->queued = true;
    h->node->n_queued++;
}

static void take(struct holding *h)
{
    struct holding **queue = queue_of(h);
    DL_DELETE2(*queue, h, queue_prev, queue_next);
    h->queued = false;
    h->node->n_queued--;
}

/* Urgent ones wait 1 ms for company, others 5 ms; a full datagram does not wait. */
void batch_enqueue(struct agent *agent, struct holding *h, struct instant now)
{
    put(h);
    const uint64_t wait_ms = h->order == SEND_URGENT ? BATCH_URGENT_MS : BATCH_MS;
    const bool full = h->node->n_queued % BATCH_FULL == 0;
    if (!h->node->blocked)
        batch_schedule(agent, h->node, full ? now.mono_ns : now.mono_ns + wait_ms * NSEC_PER_MS);
}

/* ---- Batches ---- */
static void room_came(struct agent *agent, struct node *node)
{
    if (!node->blocked)
        return;
    node->blocked = false;
    batch_schedule(agent, node, 0);
}

static void close_batch(struct agent *agent, struct batch *b)
{
    struct node *node = b->node;
    transaction_close(agent, &b->t);
    free(b);
    room_came(agent, node);
}

static void leave(struct batch *b, struct holding *h)
{
    DL_DELETE2(b->members, h, queue_prev, queue_next);
    h->batch = NULL;
}

void batch_withdraw(struct agent *agent, struct holding *h)
{
    struct batch *b = h->batch;
    if (h->queued)
        take(h);
    if (b == NULL)
        return;
    leave(b, h);
    if (b->members == NULL && !b->rebuilding)
        close_batch(agent, b);
}

/* From h on: they did not fit, or were left out of an answer. */
static void put_back(struct batch *b, struct holding *h)
{
    while (h != NULL) {
        struct holding *next = h->queue_next;
        leave(b, h);
        put(h);
        h = next;
    }
}

/* ---- Records ---- */
static uint32_t lifetime_left_ms(const struct care *care, struct instant now)
{
    if (!timer_is_set(&care->lifetime))
        return DELEGATION_DURATION_MAX_MS;
    const uint64_t end = care->lifetime.deadline_ns;
    if (end <= now.mono_ns)
        return 1; /* 0 is illegal; its end is being told in this very turn */
    const uint64_t ms = (end - now.mono_ns + NSEC_PER_MS - 1) / NSEC_PER_MS;
    return ms < DELEGATION_DURATION_MAX_MS ? (uint32_t)ms : DELEGATION_DURATION_MAX_MS;
}

/* The entry ends as a whole, so it is given the longest: the end of each care-of address is told when it
 * comes. A START without intercept may reach a node whose linger has ended: its duration is what is left of
 * that [S]. */
static uint32_t duration_ms(const struct agent *agent, struct holding *h, struct instant now)
{
    uint32_t longest = 0;
    for (const struct care *care = h->delegation->mobile->cares; care != NULL; care = care->next) {
        const uint32_t left = lifetime_left_ms(care, now);
        longest = left > longest ? left : longest;
    }
    if (h->wish != WISH_FORWARD)
        return longest;
    h->duration_ms = holding_linger_left_ms(agent, h, now);
    return longest < h->duration_ms ? longest : h->duration_ms;
}

/* The same for all of a set: what holds of each of them. That reverse tunnels are granted a secondary only
 * remembers, for a primary that has lost its state: their packets come to the primary's address. */
static uint8_t start_flags(const struct holding *h)
{
    uint8_t flags = START_CO_LOCATED | START_DECAPSULATE | START_LINK_LOCAL | START_HOME_TESTS;
    for (const struct care *care = h->delegation->mobile->cares; care != NULL; care = care->next) {
        if (!care->co_located)
            flags &= (uint8_t)~START_CO_LOCATED;
        if (!care->reverse)
            flags &= (uint8_t)~START_DECAPSULATE;
        if (!care->link_local)
            flags &= (uint8_t)~START_LINK_LOCAL;
        if (!care->home_tests)
            flags &= (uint8_t)~START_HOME_TESTS;
    }
    if (h->wish == WISH_INTERCEPT)
        flags |= START_INTERCEPT | (h->announces ? START_ANNOUNCE : 0);
    return flags;
}

/* A set of care-of addresses is atomic: all of it in one datagram. */
static void write_start(const struct agent *agent, struct packet *packet, struct holding *h,
                        struct instant now)
{
    const struct mobile *mobile = h->delegation->mobile;
    struct delegation_start r = {.home = mobile->home,
                                 .flags = start_flags(h),
                                 .generation = h->generation,
                                 .duration_ms = duration_ms(agent, h, now),
                                 .count = (uint8_t)care_count(mobile),
                                 .cookie = rebuild_cookie(mobile)};
    for (const struct care *care = mobile->cares; care != NULL; care = care->next, r.index++) {
        struct care_of described;
        tunnel_describe(care->tunnel, &described);
        r.care_of = described.address;
        r.tunnel_mtu = described.path_mtu;
        r.source = agent->settings.delegation.own_source ? addr_unspecified : care->tunnel->source;
        r.encapsulation = care->encapsulation;
        delegation_start_encode(&packet->w, &r);
        packet->records++;
    }
}

static void write_stop(const struct agent *agent, struct packet *packet, const struct holding *h)
{
    const struct delegation_stop r = {
        .home = h->delegation->mobile->home,
        .generation = h->generation,
        .reason = h->reason,
        .mode = h->mode,
        .linger_ds = h->mode == STOP_DROP ? 0 : (uint16_t)((agent->settings.delegation.linger_ms + 99) / 100),
        .mac = h->mac,
    };
    delegation_stop_encode(&packet->w, &r);
    packet->records++;
}

static bool fits(const struct packet *packet, const struct holding *h)
{
    const size_t len =
        is_stop(h) ? DELEGATION_STOP_SIZE : care_count(h->delegation->mobile) * DELEGATION_START_SIZE;
    return packet->records == 0 || packet_has_room(packet, len);
}

static void write_member(struct agent *agent, struct packet *packet, struct holding *h, struct instant now)
{
    if (is_stop(h)) {
        write_stop(agent, packet, h);
    } else {
        h->may_intercept |= h->wish == WISH_INTERCEPT;
        write_start(agent, packet, h, now);
    }
    if (h->tries == 0)
        count(agent, is_stop(h) ? AGENT_STOPS_SENT : AGENT_STARTS_SENT);
    h->told = h->node->sessions;
    if (h->tries < UINT8_MAX)
        h->tries++;
}

/* ---- Sending ---- */

/* What is not sent now is sent again by the timer, or with the next datagram. */
static void dispatch(struct agent *agent, struct batch *b, struct packet *packet, struct instant now)
{
    packet_send(agent, packet, now);
    if (transaction_sent(agent, &b->t, now))
        return;
    struct node *node = b->node;
    put_back(b, b->members);
    close_batch(agent, b);
    batch_schedule(agent, node, now.mono_ns + BATCH_AGAIN_MS * NSEC_PER_MS);
}

/* Its linger has ended by our count while it waited: there is nothing to be changed there any more. */
static bool is_pointless(const struct agent *agent, const struct holding *h, struct instant now)
{
    return h->wish == WISH_FORWARD && holding_linger_left_ms(agent, h, now) == 0;
}

static bool is_exhausted(const struct holding *h)
{
    return !is_stop(h) && h->tries >= START_TRIES;
}

/* False: nothing more of this queue fits, or can be given up now. */
static bool fill_from(struct agent *agent, struct batch *b, struct packet *packet, struct holding **queue,
                      struct instant now)
{
    while (*queue != NULL) {
        struct holding *h = *queue;
        if (!effects_reserve(&agent->effects))
            return false;
        if (is_pointless(agent, h, now) || is_exhausted(h)) {
            operation_give_up(agent, h, now);
            continue;
        }
        if (!fits(packet, h))
            return false;
        take(h);
        h->batch = b;
        DL_APPEND2(b->members, h, queue_prev, queue_next);
        write_member(agent, packet, h, now);
    }
    return true;
}

static bool first_is_stop(const struct node *node)
{
    for (int order = 0; order < SEND_ORDERS; order++) {
        if (node->queue[order][true] != NULL)
            return true;
        if (node->queue[order][false] != NULL)
            return false;
    }
    return false;
}

static const struct transaction_ops batch_ops;

/* What goes first decides the type; others of that type fill it up. False: no memory. */
static bool send_one(struct agent *agent, struct node *node, struct instant now)
{
    struct batch *b = calloc(1, sizeof(*b));
    if (b == NULL)
        return false;
    const bool stop = first_is_stop(node);
    const uint8_t type = stop ? DELEGATION_STOP : DELEGATION_START;
    struct packet packet;
    b->node = node;
    transaction_open(&node->peer, &b->t, type, &batch_ops, false);
    packet_begin(&packet, &node->peer, type, b->t.id);
    if (node->queue[SEND_URGENT][stop] != NULL)
        packet.flags |= DELEGATION_URGENT;
    for (int order = 0; order < SEND_ORDERS; order++)
        if (!fill_from(agent, b, &packet, &node->queue[order][stop], now))
            break;
    if (b->members == NULL)
        close_batch(agent, b);
    else
        dispatch(agent, b, &packet, now);
    return true;
}

/* What is left of a death may be in the queues as well (aftermath.c). */
static bool may_send(const struct node *node)
{
    return node->n_queued > 0 && node->moot == NULL && peer_in_session(&node->peer);
}

void operations_send(struct agent *agent, struct node *node, struct instant now)
{
    for (int budget = BATCH_SEND_AT_ONCE; may_send(node); budget--) {
        node->blocked = !flow_has_room(&node->peer);
        if (node->blocked)
            return;
        if (budget == 0) {
            batch_schedule(agent, node, now.mono_ns);
            return;
        }
        if (!effects_reserve(&agent->effects) || !send_one(agent, node, now)) {
            batch_schedule(agent, node, now.mono_ns + BATCH_AGAIN_MS * NSEC_PER_MS);
            return;
        }
    }
}

void operations_flush_due(struct agent *agent, struct timer *timer, struct instant now)
{
    operations_send(agent, timer_owner(timer, struct node, flush), now);
}

/* ---- What becomes of a batch ---- */
static void shed(struct agent *agent, struct batch *b, struct instant now)
{
    struct holding *h, *next;
    b->rebuilding = true;
    for (h = b->members; h != NULL && effects_reserve(&agent->effects); h = next) {
        next = h->queue_next;
        if (is_pointless(agent, h, now) || is_exhausted(h))
            operation_give_up(agent, h, now);
    }
    b->rebuilding = false;
}

static void resend(struct agent *agent, struct transaction *t, struct instant now)
{
    struct batch *b = (struct batch *)t;
    shed(agent, b, now);
    if (b->members == NULL) {
        close_batch(agent, b);
        return;
    }
    struct packet packet;
    packet_begin(&packet, &b->node->peer, t->type, t->id);
    for (struct holding *h = b->members; h != NULL; h = h->queue_next) {
        if (!fits(&packet, h)) {
            put_back(b, h);
            batch_schedule(agent, b->node, now.mono_ns);
            break;
        }
        write_member(agent, &packet, h, now);
    }
    if (effects_reserve(&agent->effects))
        dispatch(agent, b, &packet, now);
    else if (!transaction_sent(agent, t, now))
        count(agent, AGENT_NO_MEMORY);
}

/* The records come next and take theirs out of the queue again; what they leave out is asked once more. */
static void answered(struct agent *agent, struct transaction *t, struct instant now)
{
    struct batch *b = (struct batch *)t;
    struct node *node = b->node;
    put_back(b, b->members);
    free(b);
    room_came(agent, node);
    batch_schedule(agent, node, now.mono_ns + BATCH_AGAIN_MS * NSEC_PER_MS);
}

/* Not in a queue: what is sent again after a change of session bears a new generation [S], and gets it when
 * its turn comes (aftermath.c). */
static void abandoned(struct agent *agent, struct transaction *t)
{
    (void)agent;
    struct batch *b = (struct batch *)t;
    while (b->members != NULL)
        leave(b, b->members);
    free(b);
}

static const struct transaction_ops batch_ops = {
    .resend = resend, .answered = answered, .abandoned = abandoned};
