/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is left to do for each holding of a node after its death, or a change of session with it: one at a
 * time, however many there are.
 */
#include "internal.h"

#include "primary/batch.h"
#include "primary/delegation.h"
#include "primary/rated.h"

static bool is_wanted(const struct holding *h)
{
    return h->delegation->owner == h->node || h->delegation->target == h->node;
}

static bool is_busy(const struct mobile *mobile)
{
    return mobile->rated != NULL && !rated_is_silent(mobile->rated);
}

/* ---- Death ---- */

/* Nothing there intercepts any more, and what was open is moot. */
static void bury(struct agent *agent, struct holding *h, struct instant now)
{
    struct delegation *delegation = h->delegation;
    holding_settle(agent, h);
    if (delegation->owner == h->node)
        delegation_orphaned(agent, h, now);
    else if (delegation->target == h->node)
        delegation_failed(agent, h, STATUS_OK, now);
    if (holding_release(agent, h, now))
        holding_free(agent, h);
}

static void bury_next(struct agent *agent, struct node *node, struct instant now)
{
    struct holding *h = node->moot;
    node->moot = h->at_next;
    bury(agent, h, now);
    if (node->moot == NULL && node->n_queued > 0)
        batch_schedule(agent, node, now.mono_ns);
}

void operations_node_dead(struct agent *agent, struct node *node, struct instant now)
{
    (void)agent;
    (void)now;
    node->moot = node->holdings;
    node->reissue = NULL;
    node->lapsed = NULL;
}

/* ---- A new session ---- */

/* Its table is lost: lingers and stops with it. What it owns is sent again, the busy ones before those at
 * rest. */
static void recover(struct agent *agent, struct holding *h, struct instant now)
{
    struct delegation *delegation = h->delegation;
    const struct operation start = {.wish = WISH_INTERCEPT,
                                    .announce = true,
                                    .order = is_busy(delegation->mobile) ? SEND_MOVE : SEND_RESYNC};
    if (!is_wanted(h)) {
        if (holding_release(agent, h, now))
            holding_free(agent, h);
        return;
    }
    holding_settle(agent, h);
    delegation_lost_table(agent, h);
    if (!operation_issue(agent, delegation, h->node, &start, now))
        count(agent, AGENT_NO_MEMORY); /* never: it has a holding */
}

/* [S] An entry intercepts only after a START in the session, also one that was found right; and what is sent
 * again bears a new generation. */
static void renew(struct agent *agent, struct holding *h, struct instant now)
{
    if (!h->open && is_wanted(h))
        h->order = SEND_RESYNC;
    h->tries = 0;
    if (h->open || is_wanted(h))
        operation_repeat(agent, h, now);
}

static void reissue_next(struct agent *agent, struct node *node, struct instant now)
{
    struct holding *h = node->reissue;
    node->reissue = h->at_next;
    if (node->restarted && h->told != node->sessions) /* else its new table may have it already */
        recover(agent, h, now);
    else
        renew(agent, h, now);
}

/* A death that is not through with is finished first. Until then nothing of what the new session is for
 * begins: no operation is sent (batch.c), no answer to the synchronisation read (resync.c). */
void operations_session_began(struct agent *agent, struct node *node, bool restarted, struct instant now)
{
    node->restarted = restarted;
    node->reissue = node->holdings;
    node->blocked = false;
    if (node->n_queued > 0)
        batch_schedule(agent, node, now.mono_ns);
}

/* ---- The lease of a former session is over ---- */
void operations_lapsed(struct agent *agent, struct node *node, struct instant now)
{
    (void)agent;
    (void)now;
    node->lapsed = node->holdings;
}

static void lapse_next(struct agent *agent, struct node *node, struct instant now)
{
    struct holding *h = node->lapsed;
    node->lapsed = h->at_next;
    if (h->delegation->owner == node && h->session != node->sessions)
        delegation_lapsed(agent, h, now);
}

/* ---- Steps ---- */
bool operations_have_work(const struct node *node)
{
    return node->moot != NULL || node->reissue != NULL || node->lapsed != NULL;
}

bool operations_step(struct agent *agent, struct node *node, struct instant now)
{
    if (node->moot != NULL)
        bury_next(agent, node, now);
    else if (node->reissue != NULL)
        reissue_next(agent, node, now);
    else if (node->lapsed != NULL)
        lapse_next(agent, node, now);
    else
        return false;
    return true;
}
