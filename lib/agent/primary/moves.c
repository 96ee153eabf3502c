/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Moves of a binding from one forwarder to another: how they begin, and what becomes of them.
 */
#include "primary/delegation_state.h"

#include "primary/policy.h"
#include "primary/reply_held.h"
#include "primary/resync.h"

static void note(struct agent *agent, const struct delegation *d, enum note_kind kind,
                 const struct node *node)
{
    struct note n = {.kind = (uint8_t)kind, .home = d->mobile->home};
    if (node != NULL)
        memcpy(n.name, node->peer.is.name, sizeof(n.name));
    effect_note(agent, &n);
}

/* ---- How they begin ---- */

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
        delegation_attract(agent, d, now);
    d->orphan = false;
    delegation_set_owner(d, NULL);
    delegation_set_target(d, NULL);
    if (target != NULL)
        delegation_stop_with_linger(agent, d, target, STOP_MOVED, now);
    if (owner != NULL) {
        delegation_stop_with_linger(agent, d, owner, STOP_MOVED, now);
        count(agent, AGENT_MOVES);
        note(agent, d, NOTE_RECALLED, owner);
        policy_moved(agent, d->mobile, owner, NULL, now);
    }
    held_reply_release(agent, d);
    delegation_arm_renewal(agent, d, now);
    delegation_restate(d);
}

static enum agent_refusal recall(struct agent *agent, struct delegation *d, struct instant now)
{
    if (d == NULL || (d->owner == NULL && d->target == NULL))
        return REFUSAL_ALREADY;
    if (operations_open(d, d->owner != NULL ? d->owner : d->target) || is_being_synchronised(d))
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
    if (d == NULL || !delegation_start_at(agent, d, node, d->owner == NULL ? SEND_NEW : SEND_MOVE, now)) {
        if (d != NULL)
            delegation_forget_if_idle(agent, d);
        return REFUSAL_OUT_OF_MEMORY;
    }
    delegation_restate(d);
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
        delegation_start_at(agent, d, node, SEND_MOVE, now);
    delegation_restate(d);
    delegation_forget_if_idle(agent, d);
}

bool delegation_rebuilt(struct agent *agent, struct mobile *mobile, struct node *node, struct instant now)
{
    struct delegation *d = delegation_get(agent, mobile);
    if (d == NULL || !delegation_issue_start(agent, d, node, SEND_RESYNC, false, now)) {
        if (d != NULL)
            delegation_forget_if_idle(agent, d);
        return false;
    }
    holding_find(d, node)->may_intercept = true; /* as its table says: before our START has left, too */
    struct node *former = d->owner;
    delegation_cease(agent, d);
    delegation_set_owner(d, node);
    if (d->target == node)
        delegation_set_target(d, NULL);
    if (former != NULL && former != node)
        delegation_stop_with_linger(agent, d, former, STOP_MOVED, now);
    for (struct holding *h = d->holdings; h != NULL; h = h->next)
        if (h->node != node)
            delegation_tell(agent, h, now);
    policy_moved(agent, mobile, former, node, now);
    delegation_arm_renewal(agent, d, now);
    delegation_restate(d);
    return true;
}

/* ---- What becomes of them ---- */
static void became_owner(struct agent *agent, struct delegation *d, struct node *node, struct instant now)
{
    struct node *former = d->owner;
    delegation_set_target(d, NULL);
    delegation_set_owner(d, node);
    d->orphan = d->replaced = false;
    if (d->local)
        delegation_cease(agent, d);
    if (former != NULL)
        delegation_stop_with_linger(agent, d, former, STOP_MOVED, now);
    count(agent, AGENT_MOVES);
    note(agent, d, NOTE_DELEGATED, node);
    policy_moved(agent, d->mobile, former, node, now);
    held_reply_release(agent, d);
    delegation_arm_renewal(agent, d, now);
}

void delegation_started(struct agent *agent, struct holding *holding, struct instant now)
{
    struct delegation *d = holding->delegation;
    if (holding->node == d->target)
        became_owner(agent, d, holding->node, now);
    else if (holding->node == d->owner)
        d->orphan = false;
    delegation_restate(d);
}

/* Closed refusals leave nothing open that would have to be waited for: another node is tried, once. */
static void try_another(struct agent *agent, struct delegation *d, const struct holding *failed,
                        struct instant now)
{
    if (failed->open || d->replaced || d->owner != NULL || !delegation_is_bound(d) ||
        delegation_is_haunted(d))
        return;
    struct node *other = policy_replace(agent, d->mobile, failed->node, now);
    d->replaced =
        other != NULL && other != failed->node && delegation_start_at(agent, d, other, SEND_NEW, now);
}

/* "B fails ... and A is told to announce again"; where there is no A, the primary forwards, and replies. */
static void target_failed(struct agent *agent, struct delegation *d, struct holding *failed,
                          struct instant now)
{
    delegation_set_target(d, NULL);
    if (d->owner != NULL)
        delegation_announce_again(agent, d->mobile, now);
    else if (!d->local)
        delegation_attract(agent, d, now);
    held_reply_release(agent, d);
    try_another(agent, d, failed, now);
}

/* [S] An owner that refuses a change loses the binding to the primary itself. */
static void owner_failed(struct agent *agent, struct delegation *d, struct node *owner, struct instant now)
{
    delegation_set_owner(d, NULL);
    d->orphan = false;
    delegation_attract(agent, d, now);
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
    if (!delegation_is_bound(d))
        return;
    if (holding->node == d->target)
        target_failed(agent, d, holding, now);
    else if (holding->node == d->owner)
        owner_failed(agent, d, holding->node, now);
    delegation_arm_renewal(agent, d, now);
    delegation_restate(d);
}

static void place_postponed(struct agent *agent, struct delegation *d, struct instant now)
{
    if (!d->postponed || delegation_is_haunted(d) || !delegation_is_bound(d))
        return;
    d->postponed = false;
    struct node *node = d->owner != NULL || d->target != NULL ? NULL : policy_place(agent, d->mobile, now);
    if (node != NULL)
        delegation_start_at(agent, d, node, SEND_NEW, now);
}

/* [S] */
void delegation_released(struct agent *agent, struct delegation *d, bool haunts, struct instant now)
{
    if (haunts)
        delegation_announce_again(agent, d->mobile, now);
    place_postponed(agent, d, now);
    delegation_restate(d);
}

void delegation_lost_table(struct agent *agent, struct holding *holding)
{
    (void)agent;
    struct delegation *d = holding->delegation;
    d->orphan |= d->owner == holding->node;
    delegation_restate(d);
}

/* With another START in flight the primary forwards until that is answered. */
void delegation_orphaned(struct agent *agent, struct holding *holding, struct instant now)
{
    struct delegation *d = holding->delegation;
    if (d->target != NULL) {
        owner_failed(agent, d, holding->node, now);
    } else {
        d->orphan = true;
        delegation_restate(d);
        policy_orphan(agent, d->mobile, now);
    }
    delegation_restate(d);
}

/* Make before break: it becomes the owner again with the acknowledgement that is missing. */
void delegation_lapsed(struct agent *agent, struct holding *holding, struct instant now)
{
    struct delegation *d = holding->delegation;
    struct node *node = holding->node;
    owner_failed(agent, d, node, now);
    if (d->target == NULL)
        delegation_start_at(agent, d, node, SEND_NEW, now);
    else
        delegation_stop_with_linger(agent, d, node, STOP_MOVED, now);
    delegation_restate(d);
}
