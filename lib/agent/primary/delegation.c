/* SPDX-License-Identifier: BSD-3-Clause */
#include "primary/delegation_state.h"

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

bool delegation_is_bound(const struct delegation *d)
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

bool delegation_is_haunted(const struct delegation *d)
{
    for (const struct holding *h = d->holdings; h != NULL; h = h->next)
        if (h->open && h->may_intercept)
            return true;
    return false;
}

static enum delegation_state state_of(const struct delegation *d)
{
    if (!delegation_is_bound(d))
        return DELEGATION_STATE_ENDED;
    if (d->orphan)
        return DELEGATION_STATE_ORPHAN;
    if (d->target != NULL)
        return d->owner != NULL ? DELEGATION_STATE_MOVING : DELEGATION_STATE_STARTING;
    if (d->owner != NULL)
        return DELEGATION_STATE_DELEGATED;
    return somebody_else_may_intercept(d) ? DELEGATION_STATE_RECALLING : DELEGATION_STATE_LOCAL;
}

void delegation_restate(struct delegation *d)
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
    delegation_restate(d);
    return d;
}

void delegation_set_owner(struct delegation *d, struct node *node)
{
    if (d->owner != NULL)
        d->owner->n_owned--;
    if (node != NULL)
        node->n_owned++;
    d->owner = node;
}

void delegation_set_target(struct delegation *d, struct node *node)
{
    if (d->target != NULL)
        d->target->n_targeted--;
    if (node != NULL)
        node->n_targeted++;
    d->target = node;
}

static void delegation_free(struct agent *agent, struct delegation *d)
{
    delegation_set_owner(d, NULL);
    delegation_set_target(d, NULL);
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
    if (!mobile_is_configured(mobile) && mobile->cares == NULL)
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
void delegation_attract(struct agent *agent, struct delegation *d, struct instant now)
{
    d->local = true;
    d->muted = !may_intercept(agent, now) &&
               timerq_set(agent->timers, &d->renew, now.mono_ns + MUTED_MS * NSEC_PER_MS);
    if (!d->muted)
        announce_bound(agent, d->mobile, now);
}

void delegation_cease(struct agent *agent, struct delegation *d)
{
    d->local = false;
    d->muted = false;
    timerq_cancel(agent->timers, &d->renew);
    announce_cancel(agent, d->mobile);
}

static bool outlives_a_start(const struct mobile *mobile, struct instant now)
{
    const uint64_t end_ns = now.mono_ns + DELEGATION_DURATION_MAX_MS * NSEC_PER_MS;
    for (const struct care *care = mobile->cares; care != NULL; care = care->next)
        if (!timer_is_set(&care->lifetime) || care->lifetime.deadline_ns > end_ns)
            return true;
    return false;
}

void delegation_arm_renewal(struct agent *agent, struct delegation *d, struct instant now)
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
bool delegation_issue_start(struct agent *agent, struct delegation *d, struct node *node,
                            enum send_order order, bool announce, struct instant now)
{
    const struct operation intercept = {.wish = WISH_INTERCEPT, .announce = announce, .order = order};
    if (!operation_issue(agent, d, node, &intercept, now)) {
        count(agent, AGENT_NO_MEMORY);
        return false;
    }
    return true;
}

bool delegation_start_at(struct agent *agent, struct delegation *d, struct node *node, enum send_order order,
                         struct instant now)
{
    if (!delegation_issue_start(agent, d, node, order, true, now))
        return false;
    delegation_set_target(d, node);
    delegation_arm_renewal(agent, d, now);
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
void delegation_stop_with_linger(struct agent *agent, struct delegation *d, const struct node *node,
                                 uint8_t reason, struct instant now)
{
    struct holding *h = holding_find(d, node);
    if (h == NULL || h->wish == WISH_STOP)
        return;
    if (holding_may_be_behind(h) && h->wish == WISH_INTERCEPT)
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
    const bool postponed = mobile->delegation != NULL && delegation_is_haunted(mobile->delegation);
    struct node *node = agent->peers == NULL || postponed ? NULL : policy_place(agent, mobile, now);
    struct delegation *d = stays_local(agent, mobile, node, now) ? NULL : delegation_get(agent, mobile);
    if (d == NULL) {
        announce_bound(agent, mobile, now);
        return false;
    }
    d->postponed = postponed;
    tell_former(agent, d, now);
    const bool first = agent->settings.delegation.when == WHEN_ON_REGISTRATION;
    const bool started = node != NULL && delegation_start_at(agent, d, node, SEND_NEW, now);
    d->local = false;
    if (!started || !first)
        delegation_attract(agent, d, now);
    delegation_restate(d);
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
void delegation_tell(struct agent *agent, struct holding *h, struct instant now)
{
    struct delegation *d = h->delegation;
    if (h->node == d->owner || h->node == d->target)
        delegation_issue_start(agent, d, h->node, SEND_URGENT, false, now);
    else if (lingers(h))
        forward_only(agent, h, now);
}

void delegation_changed(struct agent *agent, struct mobile *mobile, struct instant now)
{
    struct delegation *d = mobile->delegation;
    if (d == NULL || mobile->cares == NULL)
        return;
    for (struct holding *h = d->holdings; h != NULL; h = h->next)
        delegation_tell(agent, h, now);
    delegation_arm_renewal(agent, d, now);
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
    delegation_set_owner(d, NULL);
    delegation_set_target(d, NULL);
    delegation_cease(agent, d);
    d->orphan = d->replaced = d->postponed = false;
    held_reply_drop(agent, d);
    stop_everywhere(agent, d, reason, mac, now);
    delegation_restate(d);
    if (mac != NULL)
        send_at_once(agent, d, now);
    delegation_forget_if_idle(agent, d);
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
        delegation_issue_start(agent, d, d->owner, SEND_NEW, true, now);
    if (d->target != NULL)
        delegation_issue_start(agent, d, d->target, SEND_NEW, true, now);
}

/* ---- Timers ---- */
void delegation_reply_due(struct agent *agent, struct timer *timer, struct instant now)
{
    struct delegation *d = held_reply_owner(timer);
    struct holding *h = d->target == NULL ? NULL : holding_find(d, d->target);
    count(agent, AGENT_REPLIES_LATE);
    held_reply_release(agent, d);
    if (h != NULL)
        operation_give_up(agent, h, now);
}

static void look_again(struct agent *agent, struct delegation *d, struct instant now)
{
    delegation_attract(agent, d, now);
    delegation_arm_renewal(agent, d, now);
    delegation_restate(d);
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
        delegation_issue_start(agent, d, d->owner, SEND_RESYNC, false, now);
    if (d->target != NULL)
        delegation_issue_start(agent, d, d->target, SEND_RESYNC, false, now);
    delegation_arm_renewal(agent, d, now);
}
