/* SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

#include "primary/delegation.h"
#include "primary/events.h"
#include "primary/liveness.h"
#include "primary/node.h"
#include "primary/operation.h"
#include "primary/policy.h"
#include "primary/resync.h"

#include <stdlib.h>

enum { TERM_MAX = 0xffffff, ID_SLOTS = 64 };

struct node *node_by_name(const struct agent *agent, const char *name)
{
    struct peer *peer = agent->settings.role == AGENT_PRIMARY ? peer_by_name(agent, name) : NULL;
    return peer == NULL ? NULL : node_of(peer);
}

/* ---- Terms and generations ---- */
void node_raise_term(struct agent *agent, uint32_t seen)
{
    if (agent->term > seen || agent->term >= TERM_MAX)
        return;
    agent->term = seen < TERM_MAX ? seen + 1 : TERM_MAX;
    agent->generation = delegation_first_generation(agent->term);
}

/* A counter that is full carries into the term. */
uint64_t generation_next(struct agent *agent)
{
    if (agent->term == 0)
        node_raise_term(agent, 0);
    agent->term = delegation_term(++agent->generation);
    return agent->generation;
}

/* ---- Whether the primary may intercept ---- */
bool node_may_intercept(const struct agent *agent, struct instant now)
{
    const uint64_t count_ms = (uint64_t)agent->settings.delegation.lease_ms + NODE_DETECTION_MS;
    if (now.mono_ns >= agent->boot_ns + count_ms * NSEC_PER_MS)
        return true;
    NODES_FOREACH(agent, node)
    if (node->rebuilds)
        return false;
    return true;
}

/* ---- Coming and going ---- */

/* The primary's own is 0. Nodes that share an outer source must not use the same identifications (RFC 6864).
 */
static uint8_t free_id_slot(const struct agent *agent)
{
    uint64_t taken = 0;
    NODES_FOREACH(agent, node)
    taken |= UINT64_C(1) << node->peer.id_slot;
    for (uint8_t slot = 1; slot < ID_SLOTS; slot++)
        if ((taken >> slot & 1) == 0)
            return slot;
    return 0;
}

static struct peer *create(struct agent *agent, const struct agent_peer *is)
{
    struct node *node = calloc(1, sizeof(*node));
    if (node == NULL)
        return NULL;
    node->peer.is = *is;
    node->peer.id_slot = free_id_slot(agent);
    node->state = PEER_UNMET;
    node->flush.kind = TIMER_NODE_FLUSH;
    if (!liveness_create(agent, node)) {
        free(node);
        return NULL;
    }
    return &node->peer;
}

static void destroy(struct agent *agent, struct peer *peer)
{
    struct node *node = node_of(peer);
    resync_abandon(agent, node);
    liveness_destroy(agent, node);
    timerq_cancel(agent->timers, &node->flush);
    if (agent->stepping == node)
        agent->stepping = NULL;
    free(node);
}

static void reconfigured(struct agent *agent, struct peer *peer, struct instant now)
{
    struct node *node = node_of(peer);
    node->dismissed = false;
    node_settle(agent, node, now);
    policy_membership(agent, now);
}

/* What it holds has to be taken away first; of a dead one, all is let go in steps. */
static bool dismissed(struct agent *agent, struct peer *peer, struct instant now)
{
    struct node *node = node_of(peer);
    node->dismissed = true;
    node_settle(agent, node, now);
    return operations_are_over(node);
}

void node_set_draining(struct agent *agent, struct node *node, bool draining, struct instant now)
{
    node->drained = draining;
    node_settle(agent, node, now);
}

/* ---- Introductions ---- */

/* A node that has told us nothing yet is not told our term: what it then says that it has seen, somebody else
 * has used. */
static void introduce(struct agent *agent, struct peer *peer, struct delegation_hello *hello)
{
    hello->term = node_of(peer)->sessions == 0 ? 0 : agent->term;
    hello->ip_id_slot = peer->id_slot;
}

/* Before any START can go there, our term is above every one that it has seen. */
static void introduced(struct agent *agent, struct peer *peer, const struct delegation_hello *hello,
                       struct instant now)
{
    (void)now;
    const bool ours = node_of(peer)->sessions > 0 && hello->term == agent->term;
    if (!ours)
        node_raise_term(agent, hello->term);
}

/* The first datagram of a session asks for everything; what else there is to be sent comes after. */
static void began(struct agent *agent, struct peer *peer, bool restarted, bool first, struct instant now)
{
    (void)first;
    struct node *node = node_of(peer);
    resync_abandon(agent, node);
    liveness_session_began(agent, node, now);
    if (!resync_begin(agent, node, now))
        count(agent, AGENT_NO_MEMORY);
    operations_session_began(agent, node, restarted, now);
    node_settle(agent, node, now);
}

/* ---- What it says ---- */
static void acknowledge(struct agent *agent, struct node *node, const struct delegation_header *request,
                        uint8_t type, struct instant now)
{
    struct packet packet;
    packet_begin(&packet, &node->peer, type, request->transaction);
    packet_send(agent, &packet, now);
}

/* Room that came with the answer is used in the next turn: what an answer left out is not sent again at once.
 */
static void receive_acks(struct agent *agent, struct node *node, struct delegation_records *records,
                         struct instant now)
{
    struct delegation_record record;
    while (delegation_next(records, &record) && effects_reserve(&agent->effects))
        if (record.type == DELEGATION_RECORD_ACK)
            operation_acknowledged(agent, node, &record.ack, now);
}

static void receive_keepalive(struct agent *agent, struct node *node, const struct delegation_header *header,
                              struct delegation_records *records, struct instant now)
{
    struct delegation_record record;
    while (delegation_next(records, &record)) {
        if (record.type != DELEGATION_RECORD_LOAD)
            continue;
        liveness_keepalive(agent, node, header, &record.load, now);
        resync_compare(agent, node, record.load.digest, now);
        return;
    }
    records->failed = true;
}

static void receive_rates(struct agent *agent, struct node *node, const struct delegation_header *header,
                          struct delegation_records *records, struct instant now)
{
    struct delegation_record record;
    acknowledge(agent, node, header, DELEGATION_RATES_ACK, now);
    while (delegation_next(records, &record)) {
        if (record.type != DELEGATION_RECORD_RATE)
            continue;
        const struct delegation_rate *r = &record.rate;
        const struct agent_rate rate = {
            .home = r->home, .pps = r->pps, .kbps = r->kbps, .packets = r->packets, .bytes = r->bytes};
        struct mobile *mobile = mobile_by_home(agent, &r->home);
        if (mobile != NULL)
            policy_rate(agent, mobile, node, &rate, now);
    }
}

/* Acknowledged when all was done: what memory did not suffice for comes again. */
static void receive_events(struct agent *agent, struct node *node, const struct delegation_header *header,
                           struct delegation_records *records, struct instant now)
{
    struct delegation_record record;
    while (delegation_next(records, &record)) {
        if (!effects_reserve(&agent->effects)) {
            count(agent, AGENT_NO_MEMORY);
            return;
        }
        if (record.type == DELEGATION_RECORD_EVENT)
            event_heard(agent, node, &record.event, header->sequence, now);
    }
    acknowledge(agent, node, header, DELEGATION_EVENT_ACK, now);
}

static void receive(struct agent *agent, struct peer *peer, const struct delegation_header *header,
                    struct delegation_records *records, struct instant now)
{
    struct node *node = node_of(peer);
    switch (header->type) {
    case DELEGATION_START_ACK:
    case DELEGATION_STOP_ACK:
        receive_acks(agent, node, records, now);
        break;
    case DELEGATION_KEEPALIVE:
        receive_keepalive(agent, node, header, records, now);
        break;
    case DELEGATION_RATES:
        receive_rates(agent, node, header, records, now);
        break;
    case DELEGATION_SYNC_DATA:
    case DELEGATION_SYNC_ACK:
        resync_receive(agent, node, header, records, now);
        break;
    case DELEGATION_EVENT:
        receive_events(agent, node, header, records, now);
        break;
    default:
        count(agent, AGENT_PEER_UNEXPECTED);
    }
}

/* ---- Paced work ---- */
static bool may_go(const struct node *node)
{
    return node->dismissed && operations_are_over(node);
}

static bool node_step(struct agent *agent, struct node *node, struct instant now)
{
    if (operations_step(agent, node, now) || resync_step(agent, node, now))
        return true;
    if (!may_go(node))
        return false;
    peer_release(agent, &node->peer);
    return true;
}

static struct node *next_of(const struct agent *agent, const struct node *node)
{
    return node_of(node == NULL ? agent->peers : node->peer.next);
}

/* Each in turn, and policy after the last: nobody's million bindings hold up the others. */
static bool step(struct agent *agent, struct instant now)
{
    size_t turns = 1;
    NODES_FOREACH(agent, node)
    turns++;
    while (turns-- > 0) {
        struct node *node = agent->stepping;
        agent->stepping = next_of(agent, node);
        if (node == NULL ? policy_step(agent, now) : node_step(agent, node, now))
            return true;
    }
    return false;
}

static bool has_work(const struct agent *agent, uint64_t now_ns)
{
    NODES_FOREACH(agent, node)
    if (operations_have_work(node) || resync_has_work(node) || may_go(node))
        return true;
    return policy_has_work(agent, now_ns);
}

const struct peer_role primary_role = {
    .hello_role = HELLO_PRIMARY,
    .create = create,
    .destroy = destroy,
    .reconfigured = reconfigured,
    .dismissed = dismissed,
    .introduce = introduce,
    .introduced = introduced,
    .began = began,
    .receive = receive,
    .step = step,
    .has_work = has_work,
};
