/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A synchronisation by digest goes through the bindings for the digests of 1024 buckets, asks for some of the
 * buckets at a time, and goes through the bindings again for what was not among the answers. One for
 * everything asks once, and looks for nothing missing: after a change of session all that a node owns is
 * started again anyhow.
 */
#include "internal.h"

#include "primary/delegation.h"
#include "primary/rebuild.h"
#include "primary/resync.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    MISMATCHES = 2,
    UNCOMPARED_S = 60,
    SLOTS_A_STEP = 8, /* or one holding: a step is to stay within some microseconds */
    REST = 8          /* so many times as long as a synchronisation took, none by digest follows it */
};

enum phase { ADDING_UP, ASKING, MENDING };

struct resync {
    struct transaction request; /* SYNC_REQ */
    struct node *node;
    uint64_t begun_ns;
    uint32_t number;
    uint32_t id;      /* of the request, also when it is closed */
    uint64_t before;  /* operations from this generation on are newer than what the answers describe, or were
                         not acknowledged when the present request was sent */
    uint64_t settled; /* the same for the first request */
    size_t at;        /* slot that a walk has come to */
    uint16_t first, count; /* buckets of the present request */
    uint8_t phase;         /* enum phase */
    bool everything;
    bool asked; /* request is open */
    uint64_t differs[DELEGATION_BUCKETS / 64];
    uint64_t digests[DELEGATION_BUCKETS]; /* host order */
};

bool resync_is_over(const struct node *node)
{
    return node->synchronised;
}

/* ---- Beginning and end ---- */
static struct resync *create(struct agent *agent, struct node *node, struct instant now)
{
    struct resync *resync = calloc(1, sizeof(*resync));
    if (resync == NULL)
        return NULL;
    resync->node = node;
    resync->begun_ns = now.mono_ns;
    resync->number = ++node->synchronisations;
    node->resync = resync;
    node_progress(agent, node, now);
    count(agent, AGENT_SYNCHRONISATIONS);
    return resync;
}

static void close_request(struct agent *agent, struct resync *resync)
{
    if (resync->asked)
        transaction_close(agent, &resync->request);
    resync->asked = false;
}

void resync_abandon(struct agent *agent, struct node *node)
{
    if (node->resync == NULL)
        return;
    close_request(agent, node->resync);
    free(node->resync);
    node->resync = NULL;
}

static void note_synchronised(struct agent *agent, const struct node *node)
{
    struct note note = {
        .kind = NOTE_SYNCHRONISED, .peer = node->peer.is.address, .value = node->load.bindings};
    snprintf(note.name, sizeof(note.name), "%s", node->peer.is.name);
    effect_note(agent, &note);
}

static void session_is_synchronised(struct agent *agent, struct node *node, struct instant now)
{
    node->synchronised = true;
    node->rebuilds = false;
    note_synchronised(agent, node);
    node_settle(agent, node, now);
}

static void end(struct agent *agent, struct node *node, struct instant now)
{
    const bool everything = node->resync->everything;
    node->rested_ns = now.mono_ns + REST * (now.mono_ns - node->resync->begun_ns);
    resync_abandon(agent, node);
    node->mismatches = 0;
    node->compared_ns = now.mono_ns;
    if (everything)
        session_is_synchronised(agent, node, now);
}

/* ---- Asking ---- */

/* Below it, everything was acknowledged. */
static uint64_t lowest_open(const struct agent *agent, const struct node *node)
{
    return node->open != NULL ? node->open->generation : agent->generation + 1;
}

/* False: no memory for the timer that would repeat it. */
static bool send_request(struct agent *agent, struct resync *resync, struct instant now)
{
    struct packet packet;
    packet_begin(&packet, &resync->node->peer, DELEGATION_SYNC_REQ, resync->id);
    if (!resync->everything) {
        delegation_digest_encode(&packet.w, resync->first, resync->count, resync->digests + resync->first);
        packet.records++;
    }
    packet_send(agent, &packet, now);
    return transaction_sent(agent, &resync->request, now);
}

static void resend(struct agent *agent, struct transaction *t, struct instant now)
{
    struct resync *resync = timer_owner(t, struct resync, request);
    if (!send_request(agent, resync, now))
        resync_abandon(agent, resync->node);
}

static void answered(struct agent *agent, struct transaction *t, struct instant now)
{
    struct resync *resync = timer_owner(t, struct resync, request);
    resync->asked = false;
    node_progress(agent, resync->node, now);
}

/* Whoever ended the session, or resync_step, lets go of the rest. */
static void abandoned(struct agent *agent, struct transaction *t)
{
    (void)agent;
    timer_owner(t, struct resync, request)->asked = false;
}

static const struct transaction_ops request_ops = {
    .resend = resend, .answered = answered, .abandoned = abandoned};

static bool ask(struct agent *agent, struct resync *resync, struct instant now)
{
    resync->phase = ASKING;
    resync->before = lowest_open(agent, resync->node);
    transaction_open(&resync->node->peer, &resync->request, DELEGATION_SYNC_REQ, &request_ops, true);
    resync->id = resync->request.id;
    resync->asked = true;
    if (send_request(agent, resync, now))
        return true;
    resync_abandon(agent, resync->node);
    return false;
}

/* As many as a datagram bears: 1024 in seven requests. */
static void ask_for_buckets(struct agent *agent, struct resync *resync, uint16_t first, struct instant now)
{
    const unsigned overhead = DELEGATION_HEADER + DELEGATION_AUTHENTICATOR + DELEGATION_DIGEST_SIZE;
    const unsigned room = (resync->node->peer.payload_max - overhead) / sizeof(uint64_t);
    const unsigned left = DELEGATION_BUCKETS - first;
    resync->first = first;
    resync->count = (uint16_t)(room < left ? room : left);
    if (ask(agent, resync, now) && first == 0)
        resync->settled = resync->before;
}

bool resync_begin(struct agent *agent, struct node *node, struct instant now)
{
    resync_abandon(agent, node);
    struct resync *resync = create(agent, node, now);
    if (resync == NULL)
        return false;
    resync->everything = true;
    return ask(agent, resync, now);
}

static void begin_by_digest(struct agent *agent, struct node *node, struct instant now)
{
    if (create(agent, node, now) == NULL)
        count(agent, AGENT_NO_MEMORY); /* the next LOAD starts another */
}

static bool in_flight(const struct node *node)
{
    return node->open != NULL || node->reissue != NULL || node->moot != NULL || node->lapsed != NULL;
}

/* Two mismatches in a row with nothing in flight; or sixty seconds of change without a comparison. */
static bool is_due(struct node *node, uint64_t digest, struct instant now)
{
    if (in_flight(node)) {
        node->mismatches = 0;
        return now.mono_ns - node->compared_ns >= UNCOMPARED_S * NSEC_PER_S;
    }
    if (now.mono_ns < node->rested_ns)
        return false;
    node->compared_ns = now.mono_ns;
    node->mismatches = digest == node->digest ? 0 : node->mismatches + 1;
    return node->mismatches >= MISMATCHES;
}

/* A session whose first synchronisation could not be begun, or repeated, for want of memory gets another. */
void resync_compare(struct agent *agent, struct node *node, uint64_t digest, struct instant now)
{
    if (node->resync != NULL || !peer_in_session(&node->peer))
        return;
    if (!node->synchronised)
        resync_begin(agent, node, now);
    else if (is_due(node, digest, now))
        begin_by_digest(agent, node, now);
}

/* ---- What it holds ---- */
static void start_again(struct agent *agent, struct holding *h, struct instant now)
{
    const struct operation start = {.wish = WISH_INTERCEPT, .announce = true, .order = SEND_RESYNC};
    if (!operation_issue(agent, h->delegation, h->node, &start, now))
        count(agent, AGENT_NO_MEMORY); /* never: it has a holding */
}

/* Where the binding lives, neighbours may still send there; where it does not, nobody is to forward for it,
 * but that a binding may yet be found elsewhere. */
static struct operation stop_of_surplus(const struct node *node, const struct mobile *mobile)
{
    const bool bound = mobile->cares != NULL;
    const bool known = mobile_is_configured(mobile);
    const bool lingers = bound || (node->rebuilds && known);
    return (struct operation){.wish = WISH_STOP,
                              .order = SEND_URGENT,
                              .reason = bound ? STOP_MOVED : STOP_ADMIN,
                              .mode = lingers ? STOP_LINGER : STOP_DROP};
}

/* [S] Whoever owns the binding announces again when this is acknowledged; until the node's linger is over it
 * forwards to where the binding leads, not to what was found. False: no memory. */
static bool let_go(struct agent *agent, struct node *node, struct delegation *delegation, struct instant now)
{
    const struct operation stop = stop_of_surplus(node, delegation->mobile);
    if (!operation_issue(agent, delegation, node, &stop, now))
        return false;
    if (delegation->mobile->cares != NULL)
        delegation_tell(agent, holding_find(delegation, node), now);
    return true;
}

/* False: no memory. */
static bool stop_surplus(struct agent *agent, struct node *node, const struct addr *home, struct instant now)
{
    struct mobile *known = mobile_by_home(agent, home);
    struct mobile *mobile = known != NULL ? known : mobile_adopt(agent, home);
    if (mobile == NULL)
        return false;
    struct delegation *delegation = delegation_get(agent, mobile);
    if (delegation != NULL && let_go(agent, node, delegation, now))
        return true;
    if (delegation != NULL)
        delegation_forget_if_idle(agent, delegation);
    else if (known == NULL)
        mobile_release(agent, mobile);
    return false;
}

/* What is not acknowledged, or was issued after the request, is not described by the answer. After a change
 * of session what is owned is started again whatever is found. */
static void compare_known(struct agent *agent, struct holding *h, const struct found *found,
                          struct instant now)
{
    const struct resync *resync = h->node->resync;
    const bool intercepts = (found->starts[0].flags & START_INTERCEPT) != 0;
    h->synced = resync->number;
    if (h->generation >= resync->before)
        return;
    if (h->wish == WISH_INTERCEPT) {
        if (!resync->everything && (!intercepts || h->start != found->starts[0].generation))
            start_again(agent, h, now);
    } else if (intercepts && !let_go(agent, h->node, h->delegation, now)) {
        count(agent, AGENT_NO_MEMORY); /* never: it has a holding */
    }
}

/* False: no memory. */
static bool take(struct agent *agent, struct node *node, const struct found *found, struct instant now)
{
    const struct addr *home = &found->starts[0].home;
    struct mobile *mobile = mobile_by_home(agent, home);
    struct holding *h =
        mobile == NULL || mobile->delegation == NULL ? NULL : holding_find(mobile->delegation, node);
    if (h != NULL) {
        compare_known(agent, h, found, now);
        return true;
    }
    if (mobile != NULL && rebuild_applies(agent, node, mobile, found))
        return rebuild(agent, node, mobile, found, now);
    return stop_surplus(agent, node, home, now);
}

/* ---- Answers ---- */

static bool is_named(const struct found *found, const struct addr *care_of)
{
    for (size_t i = 0; i < found->n; i++)
        if (addr_equal(&found->starts[i].care_of, care_of))
            return true;
    return false;
}

/* Care-of addresses of one binding follow each other, all in one datagram. True: that was the last one. */
static bool collect(struct found *found, const struct delegation_start *start)
{
    const struct delegation_start *head = &found->starts[0];
    if (start->index == 0)
        found->n = 0;
    const bool follows =
        start->index == found->n && found->n < AGENT_CARE_OF_MAX && !is_named(found, &start->care_of);
    const bool same = found->n == 0 || (addr_equal(&start->home, &head->home) &&
                                        start->generation == head->generation && start->count == head->count);
    if (!follows || !same || start->duration_ms == 0 || start->duration_ms > DELEGATION_DURATION_MAX_MS) {
        found->n = 0;
        return false;
    }
    found->starts[found->n++] = *start;
    return found->n == start->count;
}

static void mark(struct resync *resync, const struct delegation_digest *digest)
{
    for (unsigned i = digest->first; i < digest->first + digest->count && i < DELEGATION_BUCKETS; i++)
        resync->differs[i / 64] |= UINT64_C(1) << i % 64;
}

/* False: no memory; it will be sent again, and what was done already is not done twice. */
static bool read_answer(struct agent *agent, struct node *node, struct delegation_records *records,
                        struct instant now)
{
    struct delegation_record record;
    struct found found = {.n = 0};
    while (delegation_next(records, &record)) {
        if (record.type == DELEGATION_RECORD_DIGEST)
            mark(node->resync, &record.digest);
        if (record.type != DELEGATION_RECORD_START || !collect(&found, &record.start))
            continue;
        if (!effects_reserve(&agent->effects) || !take(agent, node, &found, now)) {
            count(agent, AGENT_NO_MEMORY);
            return false;
        }
        found.n = 0;
    }
    return true;
}

static void acknowledge(struct agent *agent, struct node *node, const struct delegation_header *data,
                        struct instant now)
{
    struct packet packet;
    packet_begin(&packet, &node->peer, DELEGATION_SYNC_ACK, data->transaction);
    packet_send(agent, &packet, now);
}

/* The answer to one request is complete. */
static void answer_is_over(struct agent *agent, struct node *node, struct instant now)
{
    struct resync *resync = node->resync;
    const unsigned next = resync->first + resync->count;
    if (resync->everything) {
        end(agent, node, now);
    } else if (next < DELEGATION_BUCKETS) {
        ask_for_buckets(agent, resync, (uint16_t)next, now);
    } else {
        resync->phase = MENDING;
        resync->at = 0;
    }
}

void resync_receive(struct agent *agent, struct node *node, const struct delegation_header *header,
                    struct delegation_records *records, struct instant now)
{
    struct resync *resync = node->resync;
    if (header->type != DELEGATION_SYNC_DATA)
        return;
    const bool awaited = resync != NULL && resync->phase == ASKING && header->request == (uint16_t)resync->id;
    if (awaited && (node->moot != NULL || !read_answer(agent, node, records, now)))
        return; /* it comes again */
    acknowledge(agent, node, header, now);
    if (!awaited)
        return;
    close_request(agent, resync);
    node_progress(agent, node, now);
    if (header->flags & DELEGATION_LAST)
        answer_is_over(agent, node, now);
}

/* ---- Walks ---- */
static void add_up(struct resync *resync, const struct holding *h)
{
    resync->digests[h->bucket] ^= h->digest;
}

static bool differs(const struct resync *resync, const struct holding *h)
{
    return (resync->differs[h->bucket / 64] >> h->bucket % 64 & 1) != 0;
}

/* In a bucket that differs, and not named: the node has lost it. */
static void mend(struct agent *agent, const struct resync *resync, struct holding *h, struct instant now)
{
    if (h->generation < resync->settled && h->wish == WISH_INTERCEPT && h->synced != resync->number &&
        differs(resync, h))
        start_again(agent, h, now);
}

/* False: nothing of the node's. */
static bool visit(struct agent *agent, struct resync *resync, const struct mobile *mobile, struct instant now)
{
    if (mobile == NULL || mobile->delegation == NULL)
        return false;
    struct holding *h = holding_find(mobile->delegation, resync->node);
    if (h == NULL)
        return false;
    if (resync->phase == ADDING_UP)
        add_up(resync, h);
    else
        mend(agent, resync, h, now);
    return true;
}

static void walk(struct agent *agent, struct resync *resync, struct instant now)
{
    for (int i = 0; i < SLOTS_A_STEP && resync->at < agent->n_slots; i++)
        if (visit(agent, resync, agent->slots[resync->at++], now))
            return;
}

static void walk_is_over(struct agent *agent, struct node *node, struct instant now)
{
    if (node->resync->phase == ADDING_UP)
        ask_for_buckets(agent, node->resync, 0, now);
    else
        end(agent, node, now);
}

bool resync_has_work(const struct node *node)
{
    return node->resync != NULL && (node->resync->phase != ASKING || !peer_in_session(&node->peer));
}

bool resync_step(struct agent *agent, struct node *node, struct instant now)
{
    struct resync *resync = node->resync;
    if (!resync_has_work(node))
        return false;
    if (!peer_in_session(&node->peer)) {
        resync_abandon(agent, node);
        return true;
    }
    walk(agent, resync, now);
    node_progress(agent, node, now);
    if (resync->at >= agent->n_slots)
        walk_is_over(agent, node, now);
    return true;
}
