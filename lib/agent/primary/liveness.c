/* SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

#include "primary/liveness.h"
#include "primary/operation.h"
#include "primary/policy.h"
#include "primary/resync.h"

#include <stdio.h>

static uint64_t lease_ns(const struct agent *agent)
{
    return agent->settings.delegation.lease_ms * NSEC_PER_MS;
}

/* From our answer to a KEEPALIVE until the lease in it is over for certain. */
static uint64_t count_ns(const struct agent *agent)
{
    return lease_ns(agent) + NODE_DETECTION_MS * NSEC_PER_MS;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* A node's timers stay in the queue for life: moving one does not fail, nor does putting back the one that
 * has just been taken out. */
static void move_timer(struct agent *agent, struct timer *timer, uint64_t at_ns)
{
    if (!timerq_set(agent->timers, timer, at_ns))
        count(agent, AGENT_NO_MEMORY);
}

static void schedule(struct agent *agent, struct node *node)
{
    move_timer(agent, &node->lease, earlier(node->dead_ns, node->former_ns));
}

/* ---- How it stands ---- */
static enum peer_state standing(const struct node *node)
{
    if (node->dead)
        return PEER_DEAD;
    if (node->sessions == 0)
        return PEER_UNMET;
    if (node->silent || node->withheld || node->tried || !peer_in_session(&node->peer))
        return PEER_SUSPECT;
    if (!node->synchronised)
        return PEER_SYNCING;
    if (node->draining)
        return PEER_DRAINING;
    return node->load.state == LOAD_OVERLOADED ? PEER_OVERLOADED : PEER_READY;
}

void node_settle(struct agent *agent, struct node *node, struct instant now)
{
    const enum peer_state before = node->state;
    const bool drained_before = node->draining;
    node->draining = node->drained || node->dismissed || node->link_down || node->load.state == LOAD_DRAINING;
    node->state = standing(node);
    if (node->state != before || node->draining != drained_before)
        policy_membership(agent, now);
}

/* An earlier session's lease is no use in this one: something has to have been answered. */
bool node_is_eligible(const struct node *node)
{
    return node->state == PEER_READY && node->n_answers > 0 && !node->withheld &&
           peer_in_session(&node->peer);
}

void node_progress(struct agent *agent, struct node *node, struct instant now)
{
    (void)agent;
    node->progress_ns = now.mono_ns;
}

/* ---- Life and death ---- */
bool liveness_create(struct agent *agent, struct node *node)
{
    node->lease.kind = TIMER_NODE_LEASE;
    node->stalled.kind = TIMER_NODE_STALLED;
    node->dead_ns = TIMER_NEVER;
    node->former_ns = agent->boot_ns + count_ns(agent);
    node->rebuilds = true;
    if (!timerq_set(agent->timers, &node->stalled, TIMER_NEVER))
        return false;
    if (timerq_set(agent->timers, &node->lease, node->former_ns))
        return true;
    timerq_cancel(agent->timers, &node->stalled);
    return false;
}

void liveness_destroy(struct agent *agent, struct node *node)
{
    timerq_cancel(agent->timers, &node->lease);
    timerq_cancel(agent->timers, &node->stalled);
}

/* Its session is destroyed with it [S]: nothing that it sent, or that was sent to it, may count later. */
static void declare_dead(struct agent *agent, struct node *node, struct instant now)
{
    struct note note = {.kind = NOTE_PEER_DEAD, .peer = node->peer.is.address, .value = node->n_owned};
    snprintf(note.name, sizeof(note.name), "%s", node->peer.is.name);
    count(agent, AGENT_NODES_DEAD);
    effect_note(agent, &note);
    node->dead = true;
    node->dead_ns = node->former_ns = TIMER_NEVER;
    resync_abandon(agent, node);
    peer_end_session(agent, &node->peer);
    move_timer(agent, &node->stalled, TIMER_NEVER);
    operations_node_dead(agent, node, now);
    node_settle(agent, node, now);
    peer_greet(agent, &node->peer, now);
}

/* What no START of the present session was acknowledged for, nobody attracts from now on [S]. */
static void former_leases_over(struct agent *agent, struct node *node, struct instant now)
{
    node->former_ns = TIMER_NEVER;
    operations_lapsed(agent, node, now);
}

void node_lease_over(struct agent *agent, struct timer *timer, struct instant now)
{
    struct node *node = timer_owner(timer, struct node, lease);
    if (node->dead_ns <= now.mono_ns)
        declare_dead(agent, node, now);
    else if (node->former_ns <= now.mono_ns)
        former_leases_over(agent, node, now);
    schedule(agent, node);
}

void node_stalled(struct agent *agent, struct timer *timer, struct instant now)
{
    struct node *node = timer_owner(timer, struct node, stalled);
    move_timer(agent, timer, TIMER_NEVER);
    node->silent = true;
    node_settle(agent, node, now);
}

/* The count for what the former session's leases allowed runs on [S]. A node that never asks for one in this
 * session is given as long. */
static void begin_counts(struct agent *agent, struct node *node, struct instant now)
{
    const bool runs = node->dead_ns != TIMER_NEVER;
    if (runs && node->answered_ns != 0)
        node->former_ns =
            node->former_ns == TIMER_NEVER ? node->dead_ns : later(node->former_ns, node->dead_ns);
    if (!runs)
        node->dead_ns = now.mono_ns + count_ns(agent);
    schedule(agent, node);
}

void liveness_session_began(struct agent *agent, struct node *node, struct instant now)
{
    begin_counts(agent, node, now);
    node->sessions++;
    node->progress_ns = now.mono_ns;
    node->answered_ns = node->heard = node->heard_ns = node->link_told = 0;
    node->n_answers = 0;
    memset(node->answers, 0, sizeof(node->answers));
    node->hears_again = node->tried = false;
    node->dead = node->silent = node->withheld = node->synchronised = node->link_down = false;
    node->load = (struct delegation_load){.state = LOAD_STARTING};
    move_timer(agent, &node->stalled, now.mono_ns + NODE_SILENCE_MS * NSEC_PER_MS);
}

/* ---- The lease ---- */

/* The answer to the KEEPALIVE of this sequence; NULL: it has left the ring. */
static const struct answer_sent *answer_to(const struct node *node, uint64_t sequence)
{
    const struct answer_sent *best = NULL;
    for (size_t i = 0; i < NODE_ANSWERS; i++) {
        const struct answer_sent *a = &node->answers[i];
        if (a->at_ns != 0 && a->sequence <= sequence && (best == NULL || a->sequence > best->sequence))
            best = a;
    }
    return best;
}

/* What has left the ring is older than all in it. */
static uint64_t oldest_answer_ns(const struct node *node)
{
    uint64_t oldest = TIMER_NEVER;
    for (size_t i = 0; i < NODE_ANSWERS; i++)
        if (node->answers[i].at_ns != 0)
            oldest = earlier(oldest, node->answers[i].at_ns);
    return oldest;
}

/* [S] Loss in one direction alone has to end in a declared death, not in nobody intercepting. */
static bool is_deaf(const struct agent *agent, const struct node *node, struct instant now)
{
    return node->n_answers > 0 && now.mono_ns - node->heard_ns > lease_ns(agent);
}

static void notice_heard(const struct agent *agent, struct node *node, uint64_t heard, struct instant now)
{
    const bool news = heard > node->heard && node->n_answers > 0;
    if (!news)
        return;
    node->heard = heard;
    const struct answer_sent *answer = answer_to(node, heard);
    if (answer != NULL && !answer->leased) {
        node->hears_again = true;
        return;
    }
    node->heard_ns = later(node->heard_ns, answer != NULL ? answer->at_ns : oldest_answer_ns(node));
    if (!is_deaf(agent, node, now))
        node->hears_again = node->tried = false;
}

/* [S] Whoever hears us again gets a LEASE, but no second one before it has heard that: else it might go on
 * hearing the other answers alone, and nobody intercept. */
static bool may_try(const struct node *node)
{
    return node->hears_again && !node->tried;
}

/* Not one still waiting for its turn. What is asked again bears a new generation: it was answered. */
static bool operation_is_stuck(struct node *node, struct instant now)
{
    const struct holding *oldest = node->open;
    const uint64_t generation = oldest != NULL && oldest->tries > 0 ? oldest->generation : 0;
    if (generation == 0 || generation != node->oldest)
        node->oldest_ns = now.mono_ns;
    node->oldest = generation;
    return now.mono_ns - node->oldest_ns > NODE_STALLED_MS * NSEC_PER_MS;
}

/* Whatever it is made of. */
static bool all_is_stuck(struct agent *agent, struct node *node, struct instant now)
{
    if (node->open == NULL && node->resync == NULL)
        node_progress(agent, node, now);
    return now.mono_ns - node->progress_ns > NODE_STALLED_MS * NSEC_PER_MS;
}

/* [S] */
static bool must_withhold(struct agent *agent, struct node *node, struct instant now)
{
    const bool stuck = operation_is_stuck(node, now) || all_is_stuck(agent, node, now);
    node->peer.small_payload |= stuck; /* from the next session on */
    return stuck || (is_deaf(agent, node, now) && !may_try(node));
}

static void note_answer(struct node *node, uint64_t sequence, struct instant now)
{
    node->answers[node->n_answers % NODE_ANSWERS] =
        (struct answer_sent){.sequence = sequence, .at_ns = now.mono_ns, .leased = !node->withheld};
    if (node->n_answers++ == 0)
        node->heard_ns = now.mono_ns;
}

/* The lease runs from here at the latest, whether this answer arrives or not. */
static void grant(struct agent *agent, struct node *node, struct instant now)
{
    node->tried |= is_deaf(agent, node, now);
    node->answered_ns = now.mono_ns;
    node->dead_ns = later(node->dead_ns, now.mono_ns + count_ns(agent));
    schedule(agent, node);
}

static void answer(struct agent *agent, struct node *node, const struct delegation_header *keepalive,
                   struct instant now)
{
    const struct delegation_lease lease = {
        .lease_ms = agent->settings.delegation.lease_ms,
        .floor = operations_floor(agent, node),
        .sequence = keepalive->sequence,
        .report_ms = NODE_REPORT_MS,
        .report_top = NODE_REPORT_TOP,
    };
    struct packet packet;
    packet_begin(&packet, &node->peer, DELEGATION_KEEPALIVE_ACK, keepalive->transaction);
    if (!node->withheld) {
        delegation_lease_encode(&packet.w, &lease);
        packet.records++;
    }
    packet_send(agent, &packet, now);
}

static void judge_lease(struct agent *agent, struct node *node, uint64_t sequence, struct instant now)
{
    const bool withheld = must_withhold(agent, node, now);
    if (withheld && !node->withheld)
        count(agent, AGENT_LEASES_WITHHELD);
    node->withheld = withheld;
    if (!withheld)
        grant(agent, node, now);
    note_answer(node, sequence, now);
}

/* Tombstones that stay although nothing of ours is open, and the floor is as high as it can be, bear
 * generations of an earlier life of ours in this same term: the secondary obeyed it only after it had told us
 * the highest term that it knew. */
static void outgrow_earlier_life(struct agent *agent, const struct node *node,
                                 const struct delegation_load *load)
{
    const struct delegation_load *before = &node->load;
    const bool stay = load->tombstones > 0 && load->tombstones == before->tombstones;
    if (stay && load->floor == before->floor && load->floor == agent->generation &&
        load->floor == operations_floor(agent, node))
        node_raise_term(agent, agent->term);
}

void liveness_keepalive(struct agent *agent, struct node *node, const struct delegation_header *header,
                        const struct delegation_load *load, struct instant now)
{
    outgrow_earlier_life(agent, node, load);
    node->load = *load;
    node->load_ns = now.mono_ns;
    node->silent = false;
    move_timer(agent, &node->stalled, now.mono_ns + NODE_SILENCE_MS * NSEC_PER_MS);
    notice_heard(agent, node, load->heard, now);
    judge_lease(agent, node, header->sequence, now);
    answer(agent, node, header, now);
    node_settle(agent, node, now);
}
