/* SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

#include <stdlib.h>

#include "primary/batch.h"
#include "primary/delegation.h"
#include "primary/resync.h"

enum {
    LEAVE_MARGIN_MS = 1000, /* beyond the linger, by our count */
    ASK_AGAIN_MS = 100,     /* a START that came before the lease; doubled each time */
    ASK_AGAIN_MAX_MS = 3200
};

/* ---- Holdings ---- */
struct holding *holding_find(const struct delegation *delegation, const struct node *node)
{
    struct holding *h = delegation->holdings;
    while (h != NULL && h->node != node)
        h = h->next;
    return h;
}

static void set_wish(struct holding *h, enum wish wish)
{
    h->node->n_lingering -= h->wish != WISH_INTERCEPT;
    h->wish = (uint8_t)wish;
    h->node->n_lingering += h->wish != WISH_INTERCEPT;
}

/* In front of all others: those behind a cursor are left to it (aftermath.c). */
static struct holding *holding_create(struct delegation *delegation, struct node *node)
{
    struct holding *h = calloc(1, sizeof(*h));
    if (h == NULL)
        return NULL;
    h->delegation = delegation;
    h->node = node;
    h->wish = WISH_INTERCEPT;
    h->bucket = delegation_bucket(0, &delegation->mobile->home);
    h->leave.kind = TIMER_HOLDING;
    LL_PREPEND(delegation->holdings, h);
    DL_PREPEND2(node->holdings, h, at_prev, at_next);
    return h;
}

static void share_set(struct holding *h, uint64_t digest)
{
    h->node->digest ^= h->digest ^ digest;
    h->digest = digest;
}

static void move_cursor(struct holding **cursor, const struct holding *h)
{
    if (*cursor == h)
        *cursor = h->at_next;
}

static void close_operation(struct agent *agent, struct holding *h)
{
    batch_withdraw(agent, h);
    timerq_cancel(agent->timers, &h->leave);
    if (!h->open)
        return;
    DL_DELETE2(h->node->open, h, open_prev, open_next);
    h->node->n_open--;
    h->open = false;
    h->tries = 0;
}

void holding_settle(struct agent *agent, struct holding *h)
{
    close_operation(agent, h);
    share_set(h, 0);
    h->start = 0;
    h->may_intercept = false;
}

void holding_free(struct agent *agent, struct holding *h)
{
    struct delegation *delegation = h->delegation;
    struct node *node = h->node;
    holding_settle(agent, h);
    set_wish(h, WISH_INTERCEPT);
    move_cursor(&node->reissue, h);
    move_cursor(&node->moot, h);
    move_cursor(&node->lapsed, h);
    DL_DELETE2(node->holdings, h, at_prev, at_next);
    LL_DELETE(delegation->holdings, h);
    free(h);
    delegation_forget_if_idle(agent, delegation);
}

uint32_t holding_linger_left_ms(const struct agent *agent, const struct holding *h, struct instant now)
{
    if (h->linger_ns == 0)
        return agent->settings.delegation.linger_ms;
    if (h->linger_ns <= now.mono_ns)
        return 0;
    return (uint32_t)((h->linger_ns - now.mono_ns + NSEC_PER_MS - 1) / NSEC_PER_MS);
}

/* It ends by itself at linger_ns; a second more makes up for what the node began to count later. */
static void linger_from_now(struct agent *agent, struct holding *h, struct instant now, uint32_t ms)
{
    h->linger_ns = now.mono_ns + ms * NSEC_PER_MS;
    const uint64_t end = h->linger_ns + LEAVE_MARGIN_MS * NSEC_PER_MS;
    if (!timerq_set(agent->timers, &h->leave, end))
        holding_free(agent, h);
}

/* ---- Issuing ---- */

/* A new generation, at the tail of what is open: the floor is below the head. */
static void open_operation(struct agent *agent, struct holding *h, struct instant now)
{
    struct node *node = h->node;
    batch_withdraw(agent, h);
    timerq_cancel(agent->timers, &h->leave);
    if (node->open == NULL)
        node->progress_ns = now.mono_ns;
    if (h->open)
        DL_DELETE2(node->open, h, open_prev, open_next);
    else
        node->n_open++;
    h->open = true;
    h->generation = generation_next(agent);
    DL_APPEND2(node->open, h, open_prev, open_next);
}

/* [S] What may have announced and was not acknowledged is remembered until this node is done with. */
static void remember_announcement(struct holding *h, const struct operation *operation)
{
    h->haunts |= h->open && h->announces;
    h->announces = operation->announce || h->haunts;
}

bool operation_issue(struct agent *agent, struct delegation *delegation, struct node *node,
                     const struct operation *operation, struct instant now)
{
    struct holding *h = holding_find(delegation, node);
    const bool is_surprise =
        operation->wish == WISH_STOP && (h == NULL || (!h->open && h->wish != WISH_INTERCEPT));
    if (h == NULL)
        h = holding_create(delegation, node);
    if (h == NULL)
        return false;
    batch_withdraw(agent, h);
    remember_announcement(h, operation);
    if (is_surprise)
        h->may_intercept = h->haunts = true;
    set_wish(h, operation->wish);
    h->order = (uint8_t)operation->order;
    h->reason = operation->reason;
    h->mode = operation->mode;
    h->mac = operation->mac;
    h->tries = 0;
    if (operation->wish == WISH_INTERCEPT)
        h->linger_ns = 0; /* active again: the next STOP begins another linger */
    open_operation(agent, h, now);
    batch_enqueue(agent, h, now);
    return true;
}

void operation_repeat(struct agent *agent, struct holding *h, struct instant now)
{
    h->haunts |= h->open && h->announces;
    h->announces = h->haunts;
    open_operation(agent, h, now);
    batch_enqueue(agent, h, now);
}

bool operations_open(const struct delegation *delegation, const struct node *but)
{
    for (const struct holding *h = delegation->holdings; h != NULL; h = h->next)
        if (h->open && h->node != but)
            return true;
    return false;
}

bool holding_may_be_behind(const struct holding *h)
{
    return h->open && (h->start != 0 || h->haunts || h->wish == WISH_FORWARD);
}

/* A node that may bear other contents than these is not to go on forwarding to them. */
static void follow_with_stop(struct agent *agent, struct holding *h, struct instant now)
{
    const struct operation stop = {.wish = WISH_STOP,
                                   .order = SEND_URGENT,
                                   .reason = STOP_ADMIN,
                                   .mode = holding_may_be_behind(h) ? STOP_DROP : STOP_LINGER};
    if (!operation_issue(agent, h->delegation, h->node, &stop, now))
        count(agent, AGENT_NO_MEMORY); /* never: it has a holding */
}

/* [S] A STOP with a new generation follows. */
void operation_give_up(struct agent *agent, struct holding *h, struct instant now)
{
    if (h->wish == WISH_INTERCEPT)
        count(agent, AGENT_STARTS_GIVEN_UP);
    follow_with_stop(agent, h, now);
    delegation_failed(agent, h, STATUS_OK, now);
}

/* ---- Answers ---- */

/* Once for each answer, and later each time: a node that knows no other answer causes no storm. */
static void ask_again(struct agent *agent, struct holding *h, bool at_once, struct instant now)
{
    if (h->wish != WISH_STOP && h->tries >= START_TRIES) {
        operation_give_up(agent, h, now);
        return;
    }
    h->haunts |= h->announces;
    open_operation(agent, h, now);
    uint64_t wait_ms = ASK_AGAIN_MAX_MS;
    if (h->tries < 6)
        wait_ms = (ASK_AGAIN_MS / 2) << h->tries;
    if ((at_once && h->tries <= 1) ||
        !timerq_set(agent->timers, &h->leave, now.mono_ns + wait_ms * NSEC_PER_MS))
        batch_enqueue(agent, h, now);
}

/* FENCED or STALE for what is still wanted: above what is held, and again. A term is raised once for all that
 * were asked in the old one. */
static void overtake(struct agent *agent, struct holding *h, const struct delegation_ack *ack,
                     struct instant now)
{
    const uint32_t held = delegation_term(ack->held);
    if (held > agent->term || (held == agent->term && ack->held > agent->generation))
        node_raise_term(agent, held);
    else if (ack->status == STATUS_FENCED && delegation_term(ack->asked) == agent->term)
        node_raise_term(agent, agent->term);
    ask_again(agent, h, true, now);
}

static uint64_t entry_digest(const struct holding *h)
{
    const struct mobile *mobile = h->delegation->mobile;
    struct addr care_of[AGENT_CARE_OF_MAX];
    size_t n = 0;
    for (const struct care *care = mobile->cares; care != NULL; care = care->next)
        care_of[n++] = care->tunnel->far;
    return delegation_entry_digest(0, &mobile->home, h->start, care_of, n);
}

static void intercept_taken(struct agent *agent, struct holding *h, struct instant now)
{
    close_operation(agent, h);
    h->start = h->generation;
    h->session = h->node->sessions;
    h->linger_ns = 0;
    h->announces = h->haunts = false;
    share_set(h, entry_digest(h));
    count(agent, AGENT_STARTS_ACKNOWLEDGED);
    delegation_started(agent, h, now);
}

bool holding_release(struct agent *agent, struct holding *h, struct instant now)
{
    const bool haunts = h->haunts;
    holding_settle(agent, h);
    h->announces = h->haunts = false;
    delegation_released(agent, h->delegation, haunts, now);
    return !h->open;
}

static void forward_taken(struct agent *agent, struct holding *h, struct instant now)
{
    count(agent, AGENT_STARTS_ACKNOWLEDGED);
    if (holding_release(agent, h, now))
        linger_from_now(agent, h, now, h->duration_ms);
}

static bool holds_nothing(const struct delegation_ack *ack)
{
    return ack->state == HELD_ABSENT || ack->state == HELD_TOMBSTONE;
}

/* A node leaves the linger that it has begun, not the one that a later STOP names: that is counted once. */
static void stop_taken(struct agent *agent, struct holding *h, const struct delegation_ack *ack,
                       struct instant now)
{
    count(agent, AGENT_STOPS_ACKNOWLEDGED);
    /* Neighbours may have asked meanwhile, and been answered by both. */
    h->haunts |= h->may_intercept && h->tries > 1;
    if (!holding_release(agent, h, now))
        return;
    if (h->mode == STOP_DROP || ack->status == STATUS_OK_ABSENT || holds_nothing(ack))
        holding_free(agent, h);
    else if (h->linger_ns == 0)
        linger_from_now(agent, h, now, agent->settings.delegation.linger_ms);
    else
        linger_from_now(agent, h, now, holding_linger_left_ms(agent, h, now));
}

/* [S] A refusal is closed only where nothing is held, and no older START can be obeyed any more. */
static void refused(struct agent *agent, struct holding *h, const struct delegation_ack *ack,
                    struct instant now)
{
    const bool closed = holds_nothing(ack) && ack->held >= ack->asked;
    count(agent, AGENT_STARTS_REFUSED);
    if (closed)
        holding_settle(agent, h);
    else
        follow_with_stop(agent, h, now);
    delegation_failed(agent, h, ack->status, now);
    if (!h->open && holding_release(agent, h, now))
        holding_free(agent, h);
}

static void start_answered(struct agent *agent, struct holding *h, const struct delegation_ack *ack,
                           struct instant now)
{
    switch (ack->status) {
    case STATUS_OK:
    case STATUS_OK_ALREADY:
        if (h->wish == WISH_INTERCEPT)
            intercept_taken(agent, h, now);
        else
            forward_taken(agent, h, now);
        break;
    case STATUS_STALE:
    case STATUS_FENCED:
        overtake(agent, h, ack, now);
        break;
    case STATUS_NOT_ASSOCIATED:
        ask_again(agent, h, false, now);
        break;
    default:
        refused(agent, h, ack, now);
        break;
    }
}

/* Never given up: whatever the answer is, if it is not done, it is asked again with a new generation [S]. */
static void stop_answered(struct agent *agent, struct holding *h, const struct delegation_ack *ack,
                          struct instant now)
{
    switch (ack->status) {
    case STATUS_OK:
    case STATUS_OK_ALREADY:
    case STATUS_OK_ABSENT:
        stop_taken(agent, h, ack, now);
        break;
    case STATUS_STALE:
    case STATUS_FENCED:
        overtake(agent, h, ack, now);
        break;
    default:
        ask_again(agent, h, false, now);
        break;
    }
}

void operation_acknowledged(struct agent *agent, struct node *node, const struct delegation_ack *ack,
                            struct instant now)
{
    const struct mobile *mobile = mobile_by_home(agent, &ack->home);
    if (mobile == NULL || mobile->delegation == NULL || ack->home_link != 0)
        return;
    struct holding *h = holding_find(mobile->delegation, node);
    if (h == NULL || !h->open || h->generation != ack->asked)
        return;
    if (!effects_reserve(&agent->effects)) {
        count(agent, AGENT_NO_MEMORY); /* it is asked once more */
        return;
    }
    node_progress(agent, node, now);
    if (h->wish == WISH_STOP)
        stop_answered(agent, h, ack, now);
    else
        start_answered(agent, h, ack, now);
}

void holding_leave_due(struct agent *agent, struct timer *timer, struct instant now)
{
    struct holding *h = timer_owner(timer, struct holding, leave);
    if (h->open)
        batch_enqueue(agent, h, now);
    else
        holding_free(agent, h);
}

uint64_t operations_floor(const struct agent *agent, const struct node *node)
{
    if (!resync_is_over(node))
        return 0;
    return node->open == NULL ? agent->generation : node->open->generation - 1;
}

bool operations_are_over(const struct node *node)
{
    return node->holdings == NULL && node->n_owned == 0 && node->n_targeted == 0;
}
