/* SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

#include <stdlib.h>

#include "primary/policy.h"
#include "primary/reply_held.h"
#include "primary/resync.h"

enum {
    RENEW_MS = DELEGATION_DURATION_MAX_MS / 2,
    MUTED_MS = 100 /* how often one that may not intercept yet looks again */
};

/* ---- What is known of it ---- */
struct node *delegation_owner(const struct mobile *mobile)
{
    return mobile->delegation == NULL ? NULL : mobile->delegation->owner;
}

bool delegation_is_local(const struct mobile *mobile)
{
    const struct delegation *d = mobile->delegation;
    return d == NULL || (d->local && !d->muted);
}

static bool is_bound(const struct delegation *d)
{
    return d->mobile->cares != NULL;
}

static bool somebody_else_may_intercept(const struct delegation *d)
{
    for (const struct holding *h = d->holdings; h != NULL; h = h->next)
        if (h->may_intercept)
            return true;
    return false;
}

/* [S] A START may have been obeyed that is not known to be undone: nobody else becomes the final home before
 * that. */
static bool is_haunted(const struct delegation *d)
{
    for (const struct holding *h = d->holdings; h != NULL; h = h->next)
        if (h->open && h->may_intercept)
            return true;
    return false;
}

static enum delegation_state state_of(const struct delegation *d)
{
    if (!is_bound(d))
        return DELEGATION_STATE_ENDED;
    if (d->orphan)
        return DELEGATION_STATE_ORPHAN;
    if (d->target != NULL)
        return d->owner != NULL ? DELEGATION_STATE_MOVING : DELEGATION_STATE_STARTING;
    if (d->owner != NULL)
        return DELEGATION_STATE_DELEGATED;
    return somebody_else_may_intercept(d) ? DELEGATION_STATE_RECALLING : DELEGATION_STATE_LOCAL;
}

static void restate(struct delegation *d)
{
    d->state = (uint8_t)state_of(d);
}

const char *delegation_state_text(const struct mobile *mobile)
{
    static const char *const texts[] = {
#define X(name, text) text,
        DELEGATION_STATES(X)
#undef X
    };
    return texts[mobile->delegation == NULL ? DELEGATION_STATE_LOCAL : mobile->delegation->state];
}

static void note(struct agent *agent, const struct delegation *d, enum note_kind kind,
                 const struct node *node)
{
    struct note n = {.kind = (uint8_t)kind, .home = d->mobile->home};
    if (node != NULL)
        memcpy(n.name, node->peer.is.name, sizeof(n.name));
    effect_note(agent, &n);
}

/* ---- Its life ---- */
struct delegation *delegation_get(struct agent *agent, struct mobile *mobile)
{
    (void)agent;
    if (mobile->delegation != NULL)
        return mobile->delegation;
    struct delegation *d = calloc(1, sizeof(*d));
    if (d == NULL)
        return NULL;
    d->mobile = mobile;
    d->local = true;
    d->renew.kind = TIMER_RENEW;
    mobile->delegation = d;
    restate(d);
    return d;
}

static void set_owner(struct delegation *d, struct node *node, struct instant now)
{
    if (d->owner != NULL)
        d->owner->n_owned--;
    if (node != NULL)
        node->n_owned++;
    d->owner = node;
    d->since_ns = now.mono_ns;
}

static void set_target(struct delegation *d, struct node *node)
{
    if (d->target != NULL)
        d->target->n_targeted--;
    if (node != NULL)
        node->n_targeted++;
    d->target = node;
}

static void delegation_free(struct agent *agent, struct delegation *d)
{
    const struct instant never = {0};
    set_owner(d, NULL, never);
    set_target(d, NULL);
    held_reply_drop(agent, d);
    timerq_cancel(agent->timers, &d->renew);
    d->mobile->delegation = NULL;
    free(d);
}

/* A mobile node that was taken out of the configuration stayed only for this. */
void delegation_forget_if_idle(struct agent *agent, struct delegation *d)
{
    struct mobile *mobile = d->mobile;
    if (d->holdings != NULL || d->owner != NULL || d->target != NULL || d->reply != NULL || d->muted)
        return;
    delegation_free(agent, d);
    if (mobile->securities == NULL && mobile->cares == NULL)
        mobile_release(agent, mobile);
}

void delegation_destroy(struct agent *agent, struct delegation *d)
{
    while (d->holdings != NULL && d->holdings->next != NULL)
        holding_free(agent, d->holdings);
    d->muted = true; /* keeps it while the last one goes */
    if (d->holdings != NULL)
        holding_free(agent, d->holdings);
    delegation_free(agent, d);
}

/* ---- Who attracts its packets ---- */
static bool may_intercept(const struct agent *agent, struct instant now)
{
    return agent->peers == NULL || node_may_intercept(agent, now);
}

/* [S] Without a store nothing is intercepted before every secondary has synchronised, or its lease is over:
 * it may be theirs. */
static void attract(struct agent *agent, struct delegation *d, struct instant now)
{
    d->local = true;
    d->muted = !may_intercept(agent, now) &&
               timerq_set(agent->timers, &d->renew, now.mono_ns + MUTED_MS * NSEC_PER_MS);
    if (!d->muted)
        announce_bound(agent, d->mobile, now);
}

static void cease(struct agent *agent, struct delegation *d)
{
    d->local = false;
    d->muted = false;
    timerq_cancel(agent->timers, &d->renew);
    announce_cancel(agent, d->mobile);
}

static bool outlives_a_start(const struct mobile *mobile, struct instant now)
{
    for (const struct care *care = mobile->cares; care != NULL; care = care->next)
        if (care_left_s(care, now) > DELEGATION_DURATION_MAX_MS / 1000)
            return true;
    return false;
}

/* Longer lifetimes are told an hour at a time, and again after half of it. */
static void arm_renewal(struct agent *agent, struct delegation *d, struct instant now)
{
    if (d->muted)
        return;
    timerq_cancel(agent->timers, &d->renew);
    if ((d->owner == NULL && d->target == NULL) || !outlives_a_start(d->mobile, now))
        return;
    if (!timerq_set(agent->timers, &d->renew, now.mono_ns + RENEW_MS * NSEC_PER_MS))
        count(agent, AGENT_NO_MEMORY);
}

/* ---- Operations ---- */
static bool issue_start(struct agent *agent, struct delegation *d, struct node *node, enum send_order order,
                        bool announce, struct instant now)
{
    const struct operation intercept = {.wish = WISH_INTERCEPT, .announce = announce, .order = order};
    if (!operation_issue(agent, d, node, &intercept, now)) {
        count(agent, AGENT_NO_MEMORY);
        return false;
    }
    return true;
}

/* node is to become the owner. False: out of memory. */
static bool start(struct agent *agent, struct delegation *d, struct node *node, enum send_order order,
                  struct instant now)
{
    if (!issue_start(agent, d, node, order, true, now))
        return false;
    set_target(d, node);
    arm_renewal(agent, d, now);
    return true;
}

static void issue_stop(struct agent *agent, struct holding *h, uint8_t reason, uint8_t mode,
                       struct instant now)
{
    const struct operation stop = {.wish = WISH_STOP, .order = SEND_URGENT, .reason = reason, .mode = mode};
    if (!operation_issue(agent, h->delegation, h->node, &stop, now))
        count(agent, AGENT_NO_MEMORY); /* never: it has a holding */
}

static void forward_only(struct agent *agent, struct holding *h, struct instant now)
{
    const struct operation forward = {.wish = WISH_FORWARD, .order = SEND_URGENT};
    if (holding_linger_left_ms(agent, h, now) == 0)
        return;
    if (!operation_issue(agent, h->delegation, h->node, &forward, now))
        count(agent, AGENT_NO_MEMORY); /* never: it has a holding */
}

/* A change that it has not acknowledged must not be lost under the STOP: it would linger with what it had. */
static void stop_with_linger(struct agent *agent, struct delegation *d, const struct node *node,
                             uint8_t reason, struct instant now)
{
    struct holding *h = holding_find(d, node);
    if (h == NULL || h->wish == WISH_STOP)
        return;
    if (h->open && h->wish == WISH_INTERCEPT && h->start != 0)
        forward_only(agent, h, now);
    else
        issue_stop(agent, h, reason, STOP_LINGER, now);
}

/* It forwards for stale neighbour caches, or is about to; not one that is to drop all. */
static bool lingers(const struct holding *h)
{
    return h->wish == WISH_FORWARD || (h->wish == WISH_STOP && h->mode != STOP_DROP);
}

/* ---- What happened to a binding ---- */
/* Of a former life of the binding: whoever lingers, or has not heard of its end yet, forwards to where the
 * mobile node is now. */
static void tell_former(struct agent *agent, struct delegation *d, struct instant now)
{
    for (struct holding *h = d->holdings; h != NULL; h = h->next)
        forward_only(agent, h, now);
}

/* A local binding of which nobody else holds anything needs no delegation. */
static bool stays_local(const struct agent *agent, const struct mobile *mobile, const struct node *node,
                        struct instant now)
{
    return mobile->delegation == NULL && node == NULL && may_intercept(agent, now);
}

bool delegation_bound(struct agent *agent, struct mobile *mobile, struct instant now)
{
    const bool postponed = mobile->delegation != NULL && is_haunted(mobile->delegation);
    struct node *node = agent->peers == NULL || postponed ? NULL : policy_place(agent, mobile, now);
    struct delegation *d = stays_local(agent, mobile, node, now) ? NULL : delegation_get(agent, mobile);
    if (d == NULL) {
        announce_bound(agent, mobile, now);
        return false;
    }
    d->postponed = postponed;
    tell_former(agent, d, now);
    const bool first = agent->settings.delegation.when == WHEN_ON_REGISTRATION;
    const bool started = node != NULL && start(agent, d, node, SEND_NEW, now);
    d->local = false;
    if (!started || !first)
        attract(agent, d, now);
    restate(d);
    return started && first;
}

void delegation_hold_reply(struct agent *agent, struct mobile *mobile, const struct message *reply,
                           struct instant now)
{
    held_reply_keep(agent, mobile->delegation, reply, now);
}

bool delegation_holds_reply(const struct mobile *mobile)
{
    return mobile->delegation != NULL && mobile->delegation->reply != NULL;
}

/* [S] To every lingering node as well: what still comes to it goes where the mobile node is now. */
void delegation_changed(struct agent *agent, struct mobile *mobile, struct instant now)
{
    struct delegation *d = mobile->delegation;
    if (d == NULL || mobile->cares == NULL)
        return;
    for (struct holding *h = d->holdings; h != NULL; h = h->next) {
        if (h->node == d->owner || h->node == d->target)
            issue_start(agent, d, h->node, SEND_URGENT, false, now);
        else if (lingers(h))
            forward_only(agent, h, now);
    }
    arm_renewal(agent, d, now);
}

/* [S] To every lingering node as well. One that is to drop it already has nothing more to hear. */
static void stop_everywhere(struct agent *agent, struct delegation *d, uint8_t reason, const struct mac *mac,
                            struct instant now)
{
    const struct operation stop = {.wish = WISH_STOP,
                                   .order = SEND_URGENT,
                                   .reason = reason,
                                   .mode = mac != NULL ? STOP_DELIVER : STOP_DROP,
                                   .mac = mac != NULL ? *mac : (struct mac){{0}}};
    for (struct holding *h = d->holdings; h != NULL; h = h->next) {
        if (mac == NULL && h->wish == WISH_STOP && h->mode == STOP_DROP)
            continue;
        if (!operation_issue(agent, d, h->node, &stop, now))
            count(agent, AGENT_NO_MEMORY); /* never: it has a holding */
    }
}

/* Back home, the STOP leaves before the gratuitous ARP with the mobile node's own MAC. */
static void send_at_once(struct agent *agent, struct delegation *d, struct instant now)
{
    for (struct holding *h = d->holdings; h != NULL; h = h->next)
        operations_send(agent, h->node, now);
}

void delegation_ended(struct agent *agent, struct mobile *mobile, uint8_t reason, const struct mac *mac,
                      struct instant now)
{
    struct delegation *d = mobile->delegation;
    if (agent->peers != NULL || mobile->rated != NULL)
        policy_forget(agent, mobile);
    if (d == NULL)
        return;
    set_owner(d, NULL, now);
    set_target(d, NULL);
    cease(agent, d);
    d->orphan = d->by_hand = d->replaced = d->postponed = false;
    held_reply_drop(agent, d);
    stop_everywhere(agent, d, reason, mac, now);
    restate(d);
    if (mac != NULL)
        send_at_once(agent, d, now);
    delegation_forget_if_idle(agent, d);
}

/* ---- Moves ---- */

/* [S] After a change of session with the same epoch, what is held there is not known before the
 * synchronisation has ended. */
static bool is_being_synchronised(const struct delegation *d)
{
    for (const struct holding *h = d->holdings; h != NULL; h = h->next)
        if (peer_in_session(&h->node->peer) && !resync_is_over(h->node))
            return true;
    return false;
}

/* The primary takes it at once, whoever has it or is to have it. */
static void take_home(struct agent *agent, struct delegation *d, struct instant now)
{
    struct node *owner = d->owner, *target = d->target;
    if (!d->local)
        attract(agent, d, now);
    d->orphan = false;
    set_owner(d, NULL, now);
    set_target(d, NULL);
    if (target != NULL)
        stop_with_linger(agent, d, target, STOP_MOVED, now);
    if (owner != NULL) {
        stop_with_linger(agent, d, owner, STOP_MOVED, now);
        count(agent, AGENT_MOVES);
        note(agent, d, NOTE_RECALLED, owner);
        policy_moved(agent, d->mobile, owner, NULL, now);
    }
    held_reply_release(agent, d);
    arm_renewal(agent, d, now);
    restate(d);
}

static enum agent_refusal recall(struct agent *agent, struct delegation *d, struct instant now)
{
    if (d == NULL || (d->owner == NULL && d->target == NULL))
        return REFUSAL_ALREADY;
    if (operations_open(d, d->target != NULL ? d->target : d->owner) || is_being_synchronised(d))
        return REFUSAL_BUSY;
    take_home(agent, d, now);
    return REFUSAL_DONE;
}

static enum agent_refusal may_move(const struct delegation *d, const struct node *node)
{
    if (d != NULL && (d->target == node || (d->target == NULL && d->owner == node)))
        return REFUSAL_ALREADY;
    if (!node_is_eligible(node))
        return node->draining ? REFUSAL_IS_DRAINING : REFUSAL_NOT_READY;
    if (d != NULL && (d->target != NULL || operations_open(d, node) || is_being_synchronised(d)))
        return REFUSAL_BUSY; /* [S] */
    return REFUSAL_DONE;
}

enum agent_refusal delegation_move(struct agent *agent, struct mobile *mobile, struct node *node,
                                   struct instant now)
{
    struct delegation *d = mobile->delegation;
    if (mobile->cares == NULL)
        return REFUSAL_NO_BINDING;
    if (node == NULL)
        return recall(agent, d, now);
    const enum agent_refusal refusal = may_move(d, node);
    if (refusal != REFUSAL_DONE)
        return refusal;
    if (d != NULL && d->orphan) {
        delegation_take_over(agent, mobile, node, now);
        return REFUSAL_DONE;
    }
    d = delegation_get(agent, mobile);
    if (d == NULL || !start(agent, d, node, d->owner == NULL ? SEND_NEW : SEND_MOVE, now)) {
        if (d != NULL)
            delegation_forget_if_idle(agent, d);
        return REFUSAL_OUT_OF_MEMORY;
    }
    restate(d);
    return REFUSAL_DONE;
}

/* The primary attracts it meanwhile: nobody else does for certain. */
void delegation_take_over(struct agent *agent, struct mobile *mobile, struct node *node, struct instant now)
{
    struct delegation *d = mobile->cares == NULL ? NULL : delegation_get(agent, mobile);
    if (d == NULL || (node != NULL && node == d->target))
        return;
    take_home(agent, d, now);
    if (node != NULL)
        start(agent, d, node, SEND_MOVE, now);
    restate(d);
    delegation_forget_if_idle(agent, d);
}

bool delegation_rebuilt(struct agent *agent, struct mobile *mobile, struct node *node, struct instant now)
{
    struct delegation *d = delegation_get(agent, mobile);
    if (d == NULL || !issue_start(agent, d, node, SEND_RESYNC, false, now)) {
        if (d != NULL)
            delegation_forget_if_idle(agent, d);
        return false;
    }
    holding_find(d, node)->may_intercept = true; /* as its table says: before our START has left, too */
    struct node *former = d->owner;
    cease(agent, d);
    set_owner(d, node, now);
    if (d->target == node)
        set_target(d, NULL);
    if (former != NULL && former != node)
        stop_with_linger(agent, d, former, STOP_MOVED, now);
    policy_moved(agent, mobile, former, node, now);
    arm_renewal(agent, d, now);
    restate(d);
    return true;
}

void delegation_announce_again(struct agent *agent, struct mobile *mobile, struct instant now)
{
    struct delegation *d = mobile->delegation;
    if (mobile->cares == NULL)
        return;
    if (delegation_is_local(mobile))
        announce_bound(agent, mobile, now);
    if (d == NULL)
        return;
    if (d->owner != NULL && holding_find(d, d->owner) != NULL)
        issue_start(agent, d, d->owner, SEND_NEW, true, now);
    if (d->target != NULL)
        issue_start(agent, d, d->target, SEND_NEW, true, now);
}

/* ---- What operations report ---- */
static void became_owner(struct agent *agent, struct delegation *d, struct node *node, struct instant now)
{
    struct node *former = d->owner;
    set_target(d, NULL);
    set_owner(d, node, now);
    d->orphan = d->replaced = false;
    if (d->local)
        cease(agent, d);
    if (former != NULL)
        stop_with_linger(agent, d, former, STOP_MOVED, now);
    count(agent, AGENT_MOVES);
    note(agent, d, NOTE_DELEGATED, node);
    policy_moved(agent, d->mobile, former, node, now);
    held_reply_release(agent, d);
    arm_renewal(agent, d, now);
}

void delegation_started(struct agent *agent, struct holding *holding, struct instant now)
{
    struct delegation *d = holding->delegation;
    if (holding->node == d->target)
        became_owner(agent, d, holding->node, now);
    else if (holding->node == d->owner)
        d->orphan = false;
    restate(d);
}

/* Closed refusals leave nothing open that would have to be waited for: another node is tried, once. */
static void try_another(struct agent *agent, struct delegation *d, const struct holding *failed,
                        struct instant now)
{
    if (failed->open || d->replaced || d->owner != NULL || !is_bound(d) || is_haunted(d))
        return;
    struct node *other = policy_replace(agent, d->mobile, failed->node, now);
    d->replaced = other != NULL && other != failed->node && start(agent, d, other, SEND_NEW, now);
}

/* "B fails ... and A is told to announce again"; where there is no A, the primary forwards, and replies. */
static void target_failed(struct agent *agent, struct delegation *d, struct holding *failed,
                          struct instant now)
{
    set_target(d, NULL);
    if (d->owner != NULL)
        delegation_announce_again(agent, d->mobile, now);
    else if (!d->local)
        attract(agent, d, now);
    held_reply_release(agent, d);
    try_another(agent, d, failed, now);
}

/* [S] An owner that refuses a change loses the binding to the primary itself. */
static void owner_failed(struct agent *agent, struct delegation *d, struct node *owner, struct instant now)
{
    set_owner(d, NULL, now);
    d->orphan = false;
    attract(agent, d, now);
    note(agent, d, NOTE_RECALLED, owner);
    policy_moved(agent, d->mobile, owner, NULL, now);
}

static void note_refusal(struct agent *agent, const struct holding *h, uint8_t status, struct instant now)
{
    struct note n = {.kind = NOTE_REFUSED_BY, .code = status, .home = h->delegation->mobile->home};
    memcpy(n.name, h->node->peer.is.name, sizeof(n.name));
    effect_note_limited(agent, &n, now);
}

void delegation_failed(struct agent *agent, struct holding *holding, uint8_t status, struct instant now)
{
    struct delegation *d = holding->delegation;
    if (status != STATUS_OK)
        note_refusal(agent, holding, status, now);
    if (!is_bound(d))
        return;
    if (holding->node == d->target)
        target_failed(agent, d, holding, now);
    else if (holding->node == d->owner)
        owner_failed(agent, d, holding->node, now);
    arm_renewal(agent, d, now);
    restate(d);
}

static void place_postponed(struct agent *agent, struct delegation *d, struct instant now)
{
    if (!d->postponed || is_haunted(d) || !is_bound(d))
        return;
    d->postponed = false;
    struct node *node = d->owner != NULL || d->target != NULL ? NULL : policy_place(agent, d->mobile, now);
    if (node != NULL)
        start(agent, d, node, SEND_NEW, now);
}

/* [S] The node that is done with may have announced what it was never acknowledged for. */
void delegation_released(struct agent *agent, struct holding *holding, struct instant now)
{
    if (holding->haunts)
        delegation_announce_again(agent, holding->delegation->mobile, now);
    place_postponed(agent, holding->delegation, now);
    restate(holding->delegation);
}

void delegation_lost_table(struct agent *agent, struct holding *holding)
{
    (void)agent;
    struct delegation *d = holding->delegation;
    d->orphan |= d->owner == holding->node;
    restate(d);
}

/* With another START in flight the primary forwards until that is answered. */
void delegation_orphaned(struct agent *agent, struct holding *holding, struct instant now)
{
    struct delegation *d = holding->delegation;
    if (d->target != NULL) {
        owner_failed(agent, d, holding->node, now);
    } else {
        d->orphan = true;
        restate(d);
        policy_orphan(agent, d->mobile, now);
    }
    restate(d);
}

/* Make before break: it becomes the owner again with the acknowledgement that is missing. */
void delegation_lapsed(struct agent *agent, struct holding *holding, struct instant now)
{
    struct delegation *d = holding->delegation;
    struct node *node = holding->node;
    owner_failed(agent, d, node, now);
    if (d->target == NULL)
        start(agent, d, node, SEND_NEW, now);
    else
        stop_with_linger(agent, d, node, STOP_MOVED, now);
    restate(d);
}

/* ---- Timers ---- */
void delegation_reply_due(struct agent *agent, struct timer *timer, struct instant now)
{
    struct delegation *d = timer_owner(timer, struct delegation, reply_timer);
    struct holding *h = d->target == NULL ? NULL : holding_find(d, d->target);
    count(agent, AGENT_REPLIES_LATE);
    held_reply_release(agent, d);
    if (h != NULL)
        operation_give_up(agent, h, now);
}

static void look_again(struct agent *agent, struct delegation *d, struct instant now)
{
    attract(agent, d, now);
    arm_renewal(agent, d, now);
    restate(d);
    delegation_forget_if_idle(agent, d);
}

void delegation_renew_due(struct agent *agent, struct timer *timer, struct instant now)
{
    struct delegation *d = timer_owner(timer, struct delegation, renew);
    if (d->muted) {
        look_again(agent, d, now);
        return;
    }
    if (d->owner != NULL && holding_find(d, d->owner) != NULL)
        issue_start(agent, d, d->owner, SEND_RESYNC, false, now);
    if (d->target != NULL)
        issue_start(agent, d, d->target, SEND_RESYNC, false, now);
    arm_renewal(agent, d, now);
}
