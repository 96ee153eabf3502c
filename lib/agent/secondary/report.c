/* SPDX-License-Identifier: BSD-3-Clause */
#include "secondary/report.h"

#include <stdlib.h>

#include "secondary/held.h"

/* ---- The busiest: a binary heap, the least busy in front ---- */
static void rank_put(struct busiest *b, uint32_t i, struct held *held)
{
    b->heap[i] = held;
    held->rank = i + 1;
}

static void sift_up(struct busiest *b, uint32_t i, struct held *held)
{
    for (; i > 0 && b->heap[(i - 1) / 2]->pps > held->pps; i = (i - 1) / 2)
        rank_put(b, i, b->heap[(i - 1) / 2]);
    rank_put(b, i, held);
}

static void sift_down(struct busiest *b, uint32_t i, struct held *held)
{
    for (uint32_t child; (child = 2 * i + 1) < b->n; i = child) {
        if (child + 1 < b->n && b->heap[child + 1]->pps < b->heap[child]->pps)
            child++;
        if (b->heap[child]->pps >= held->pps)
            break;
        rank_put(b, i, b->heap[child]);
    }
    rank_put(b, i, held);
}

static void settle(struct busiest *b, uint32_t i, struct held *held)
{
    if (i > 0 && b->heap[(i - 1) / 2]->pps > held->pps)
        sift_up(b, i, held);
    else
        sift_down(b, i, held);
}

void report_rate(struct principal *principal, struct held *held)
{
    struct busiest *b = &principal->busiest;
    if (held->rank != 0) {
        settle(b, held->rank - 1, held);
    } else if (b->n < b->size) {
        sift_up(b, b->n++, held);
    } else if (b->n > 0 && b->heap[0]->pps < held->pps) {
        b->heap[0]->rank = 0;
        sift_down(b, 0, held);
    }
}

void report_forget(struct principal *principal, struct held *held)
{
    struct busiest *b = &principal->busiest;
    if (held->rank == 0)
        return;
    const uint32_t i = held->rank - 1;
    held->rank = 0;
    struct held *last = b->heap[--b->n];
    if (last != held)
        settle(b, i, last);
}

static void forget_all(struct busiest *b)
{
    while (b->n > 0)
        b->heap[--b->n]->rank = 0;
}

void report_resize(struct principal *principal, uint16_t top)
{
    struct busiest *b = &principal->busiest;
    forget_all(b);
    free(b->heap);
    b->heap = top == 0 ? NULL : malloc(top * sizeof(*b->heap));
    b->size = b->heap == NULL ? 0 : top;
}

static int by_pps_falling(const void *one, const void *other)
{
    const struct held *const *a = one, *const *b = other;
    return (*a)->pps < (*b)->pps ? 1 : (*a)->pps > (*b)->pps ? -1 : 0;
}

static void add_rate(struct packet *packet, const struct held *held)
{
    const struct delegation_rate rate = {
        .home = held->mobile->home,
        .generation = held->generation,
        .pps = held->pps,
        .kbps = held->kbps,
        .packets = held->packets,
        .bytes = held->bytes,
    };
    delegation_rate_encode(&packet->w, &rate);
    packet->records++;
}

/* Not repeated if it is lost: the totals are cumulative, and the next report is not far. */
void report_send_rates(struct agent *agent, struct principal *principal, struct instant now)
{
    struct busiest *b = &principal->busiest;
    struct packet packet;
    if (b->n > 0)
        qsort(b->heap, b->n, sizeof(*b->heap), by_pps_falling);
    for (uint32_t i = 0; i < b->n;) {
        packet_begin(&packet, &principal->peer, DELEGATION_RATES, ++principal->peer.flow.next_transaction);
        for (; i < b->n && packet_has_room(&packet, DELEGATION_RATE_SIZE); i++)
            add_rate(&packet, b->heap[i]);
        packet_send(agent, &packet, now);
    }
    forget_all(b);
}

/* ---- Events ---- */
/* Of the link's coming and going the last one counts. */
static uint16_t subject(const struct delegation_event *event)
{
    return event->code == EVENT_LINK_UP ? EVENT_LINK_DOWN : event->code;
}

static bool same_event(const struct delegation_event *a, const struct delegation_event *b)
{
    return subject(a) == subject(b) && addr_equal(&a->home, &b->home);
}

void report_event(struct agent *agent, struct principal *principal, const struct delegation_event *event)
{
    struct outbox *o = &principal->outbox;
    for (unsigned i = o->in_flight; i < o->n; i++)
        if (same_event(&o->events[i], event)) {
            o->events[i] = *event;
            return;
        }
    if (o->n == OUTBOX_EVENTS)
        count(agent, AGENT_EVENTS_LOST);
    else
        o->events[o->n++] = *event;
}

void report_link(struct agent *agent, bool down)
{
    const struct delegation_event event = {.code = down ? EVENT_LINK_DOWN : EVENT_LINK_UP};
    PRINCIPALS_FOREACH(agent, principal)
    report_event(agent, principal, &event);
}

static void send(struct agent *agent, struct principal *principal, struct instant now)
{
    struct outbox *o = &principal->outbox;
    struct packet packet;
    packet_begin(&packet, &principal->peer, DELEGATION_EVENT, o->transaction.id);
    const unsigned limit = o->in_flight != 0 ? o->in_flight : o->n;
    for (o->in_flight = 0; o->in_flight < limit && packet_has_room(&packet, DELEGATION_EVENT_SIZE);
         o->in_flight++, packet.records++)
        delegation_event_encode(&packet.w, &o->events[o->in_flight]);
    packet_send(agent, &packet, now);
    if (transaction_sent(agent, &o->transaction, now))
        return;
    transaction_close(agent, &o->transaction);
    o->in_flight = 0;
}

static struct principal *owner_of(struct transaction *t)
{
    return timer_owner(t, struct principal, outbox.transaction);
}

static void resend(struct agent *agent, struct transaction *t, struct instant now)
{
    send(agent, owner_of(t), now);
}

static void answered(struct agent *agent, struct transaction *t, struct instant now)
{
    (void)agent;
    (void)now;
    struct outbox *o = &owner_of(t)->outbox;
    o->n -= o->in_flight;
    memmove(o->events, o->events + o->in_flight, o->n * sizeof(*o->events));
    o->in_flight = 0;
}

/* They wait for the next session. */
static void abandoned(struct agent *agent, struct transaction *t)
{
    (void)agent;
    owner_of(t)->outbox.in_flight = 0;
}

bool report_has_work(const struct principal *principal)
{
    const struct outbox *o = &principal->outbox;
    return o->n > 0 && o->in_flight == 0 && flow_has_room(&principal->peer);
}

bool report_step(struct agent *agent, struct principal *principal, struct instant now)
{
    static const struct transaction_ops ops = {resend, answered, abandoned};
    struct outbox *o = &principal->outbox;
    if (!report_has_work(principal))
        return false;
    transaction_open(&principal->peer, &o->transaction, DELEGATION_EVENT, &ops, false);
    send(agent, principal, now);
    agent->counters.n[AGENT_EVENTS_SENT] += o->in_flight;
    return true;
}

void report_destroy(struct agent *agent, struct principal *principal)
{
    transaction_close(agent, &principal->outbox.transaction);
    forget_all(&principal->busiest);
    free(principal->busiest.heap);
}
