/* SPDX-License-Identifier: BSD-3-Clause */
#include "invariants.h"

#include "world.h"

#include <stdio.h>
#include <stdlib.h>

enum { FEW_MOBILES = 24, SOME_MOBILES = 4 };
/* Until a node has heard: 5 ms to batch, and a window of datagrams in front of it. */
static const uint64_t trip_ns = 100 * NSEC_PER_MS;

/* ---- I1: what a secondary said that it holds never falls ---- */
struct held {
    uint64_t epoch, peer_epoch; /* of the session */
    uint64_t generation;
};

static struct held *held; /* by secondary and mobile */

void invariants_init(struct world *world)
{
    held = world_alloc(NODES_MAX * world->n_mobiles * sizeof(*held));
}

void invariants_fini(struct world *world)
{
    (void)world;
    free(held);
    held = NULL;
}

static void check_held(struct world *world, const struct appliance *from, const struct delegation_header *h,
                       const struct delegation_ack *ack)
{
    const int mobile = mobile_by_address(world, &ack->home);
    /* FENCED names the term obeyed, of whichever home address. */
    if (mobile < 0 || ack->state == HELD_ABSENT || ack->status == STATUS_FENCED)
        return;
    struct held *was = &held[from->number * world->n_mobiles + (size_t)mobile];
    if (was->epoch == h->epoch && was->peer_epoch == h->peer_epoch && ack->held < was->generation)
        world_violates(world, "I1", "%s held %lx of m%d, and holds %lx now", from->name,
                       (unsigned long)was->generation, mobile, (unsigned long)ack->held);
    *was = (struct held){h->epoch, h->peer_epoch, ack->held};
}

void invariants_acknowledged(struct world *world, const struct appliance *from, const struct message *m)
{
    struct delegation_header header;
    struct delegation_records records;
    struct delegation_record r;
    if (delegation_decode(m->bytes, m->len, &header, &records) != DELEGATION_DECODED)
        return;
    if (header.type != DELEGATION_START_ACK && header.type != DELEGATION_STOP_ACK)
        return;
    while (delegation_next(&records, &r))
        if (r.type == DELEGATION_RECORD_ACK)
            check_held(world, from, &header, &r.ack);
}

/* ---- What the primary knows ---- */
static bool peer_of(const struct appliance *node, const char *name, struct peer_view *out)
{
    size_t cursor = 0;
    while (agent_peer_next(node->agent, &cursor, appliance_instant(node), out))
        if (strcmp(out->name, name) == 0)
            return true;
    return false;
}

static bool holding_of(const struct appliance *primary, const struct addr *home, const char *name,
                       struct holding_view *out)
{
    size_t cursor = 0;
    while (agent_holding_next(primary->agent, home, &cursor, out))
        if (strcmp(out->node, name) == 0)
            return true;
    return false;
}

/* Its table is not known yet: an unfinished synchronisation, before which there is no floor, also of a node
 * that is suspect meanwhile; or it was taken out of the configuration before the primary restarted, and has
 * the rest of a lease. */
static bool is_unknown(const struct appliance *primary, const struct appliance *secondary)
{
    const uint64_t lease_ns = (primary->settings.delegation.lease_ms + 250) * NSEC_PER_MS;
    struct peer_view v;
    if (!peer_of(primary, secondary->name, &v))
        return primary->starts > 1 && primary->world->now_ns < primary->up_ns + lease_ns;
    return v.state != PEER_DEAD && v.floor == 0;
}

/* ---- I5: who intercepts is the owner, or is named in something unfinished ---- */

/* True: it intercepts for good, by what the primary knows. */
static bool is_settled(struct world *world, const struct mobile *m, const struct appliance *secondary)
{
    const struct appliance *primary = &world->nodes[0];
    struct holding_view h;
    if (!appliance_is_current(primary))
        return false;
    const bool known = holding_of(primary, &m->home, secondary->name, &h);
    if (known && h.may_intercept)
        return h.acknowledged && h.wanted;
    if (is_unknown(primary, secondary))
        return false;
    world_violates(world, "I5", "%s intercepts m%zu, and the primary %s", secondary->name, m->number,
                   known ? "holds that it may not" : "knows nothing of it");
}

/* How many attract its packets; settled: of them for good. */
static unsigned interceptors(struct world *world, const struct mobile *m, unsigned *settled)
{
    unsigned n = 0;
    for (size_t i = 0; i < world->n_nodes; i++) {
        const struct appliance *node = &world->nodes[i];
        if (!appliance_is_live(node) || !agent_intercepts(node->agent, &m->home))
            continue;
        n++;
        if (appliance_is_current(node))
            *settled += i == 0 || is_settled(world, m, node);
    }
    return n;
}

/* ---- I8: never without an interceptor for longer than lease + detection ---- */

/* A secondary that hears no answer stops a lease after the last KEEPALIVE answered; the primary, whose
 * answers are lost, withholds the lease when that is more than a lease old, and counts lease + 250 ms from
 * the last one that it gave: KEEPALIVEs are 500 ms apart. One more lease given on trial (S26) and lost makes
 * that two leases and a KEEPALIVE at most. */
static uint64_t gap_max_ns(const struct world *world)
{
    const uint64_t lease_ms = world->nodes[0].settings.delegation.lease_ms;
    return (2 * lease_ms + 250 + 500 + 300) * NSEC_PER_MS;
}

static void check_gap(struct world *world, struct mobile *m, unsigned n)
{
    const struct appliance *primary = &world->nodes[0];
    if (n > 0)
        m->ran_out = false;
    if (n > 0 || !appliance_is_current(primary) || !mobile_is_bound(m)) {
        m->gap_ns = TIMER_NEVER;
        return;
    }
    if (m->gap_ns == TIMER_NEVER)
        m->gap_ns = world->now_ns;
    const uint64_t since_ns = m->gap_ns > primary->up_ns ? m->gap_ns : primary->up_ns;
    if (world->now_ns - since_ns > gap_max_ns(world))
        world_violates(world, "I8", "nobody intercepts m%zu since %.3f", m->number,
                       (double)since_ns / (double)NSEC_PER_S);
}

/* ---- I6 ---- */
static void check_reply(struct world *world, struct mobile *m)
{
    const struct appliance *primary = &world->nodes[0];
    if (m->asked_ns == TIMER_NEVER)
        return;
    if (!appliance_is_live(primary) || primary->up_ns > m->asked_ns)
        m->asked_ns = TIMER_NEVER;
    else if (appliance_is_current(primary) && world->now_ns - m->asked_ns > mobile_patience_ns(m))
        world_violates(world, "I6", "m%zu waits for a reply since %.3f", m->number,
                       (double)m->asked_ns / (double)NSEC_PER_S);
}

/* What follows them is open beside the next move. */
static bool has_failed_starts(const struct appliance *primary)
{
    const uint64_t *n = agent_counters(primary->agent)->n;
    return n[AGENT_STARTS_REFUSED] > 0 || n[AGENT_STARTS_GIVEN_UP] > 0;
}

static void check_mobile(struct world *world, struct mobile *m)
{
    unsigned settled = 0;
    const unsigned n = interceptors(world, m, &settled);
    if (settled > 1)
        world_violates(world, "I5", "%u nodes intercept m%zu for good", settled, m->number);
    if (n > 2 && !world->disturbed && !has_failed_starts(&world->nodes[0]))
        world_violates(world, "I5", "%u nodes intercept m%zu at once, though no node died", n, m->number);
    check_gap(world, m, n);
    check_reply(world, m);
}

void invariants_check(struct world *world, const struct appliance *node)
{
    (void)node;
    world->tally.checks++;
    const size_t n = world->n_mobiles <= FEW_MOBILES ? world->n_mobiles : SOME_MOBILES;
    for (size_t i = 0; i < n; i++)
        check_mobile(
            world,
            &world->mobiles[n == world->n_mobiles ? i : (world->tally.checks * n + i) % world->n_mobiles]);
}

/* ---- I3, I4: what is forwarded, and where to ---- */

/* They have reached each other all the time, quickly, since `ns`. */
static bool was_calm_since(const struct world *world, const struct appliance *node, uint64_t ns)
{
    const struct appliance *primary = &world->nodes[0];
    return appliance_is_live(primary) && primary->up_ns < ns && node->up_ns < ns &&
           (node->number == 0 || network_calm_ns(world, node->number) < ns);
}

/* The time that is left, as it was when that was sent: a datagram may be slow, or wait where a node stands
 * still, and what it brings back or keeps up ends that much later. */
static void note_transit(struct mobile *m, uint32_t duration_ms, uint64_t transit_ns)
{
    const uint64_t end_ns = m->world->now_ns + duration_ms * NSEC_PER_MS;
    if (end_ns > m->due_ns)
        m->due_ns = end_ns < m->due_ns + transit_ns ? end_ns : m->due_ns + transit_ns;
}

void invariants_arrived(struct world *world, const struct flight *f)
{
    struct delegation_header header;
    struct delegation_records records;
    struct delegation_record r;
    if (delegation_decode(f->bytes + f->inner_at, f->inner_len, &header, &records) != DELEGATION_DECODED)
        return;
    while (delegation_next(&records, &r)) {
        const int i = r.type == DELEGATION_RECORD_START ? mobile_by_address(world, &r.start.home) : -1;
        if (i >= 0)
            note_transit(&world->mobiles[i], r.start.duration_ms, world->now_ns - f->sent_ns);
    }
}

static void check_end(struct world *world, const struct mobile *m, const struct appliance *node)
{
    const uint64_t slack_ns = NSEC_PER_S; /* rounding up, drift */
    if (world->now_ns > m->due_ns + slack_ns && node->up_ns + slack_ns < world->now_ns)
        world_violates(world, "I4", "%s forwards for m%zu, whose last lifetime ended at %.3f", node->name,
                       m->number, (double)m->due_ns / (double)NSEC_PER_S);
    if (m->ended_ns == TIMER_NEVER || m->ended_ns + NSEC_PER_S > world->now_ns ||
        m->ended_ns < 5 * NSEC_PER_S)
        return;
    if (was_calm_since(world, node, m->ended_ns - 5 * NSEC_PER_S))
        world_violates(world, "I4", "%s forwards for m%zu, whose binding ended at %.3f", node->name,
                       m->number, (double)m->ended_ns / (double)NSEC_PER_S);
}

static bool leads_to_the_same(const struct forwarding *a, const struct forwarding *b)
{
    bool same = a->n_care_of == b->n_care_of;
    for (size_t i = 0; same && i < a->n_care_of; i++) {
        bool found = false;
        for (size_t j = 0; j < b->n_care_of; j++)
            found |= addr_equal(&a->care_of[i].address, &b->care_of[j].address);
        same = found;
    }
    return same;
}

static void check_care_of(struct world *world, const struct mobile *m, const struct appliance *node)
{
    const struct entry *own = appliance_entry(&world->nodes[0], m->number);
    const struct entry *e = appliance_entry(node, m->number);
    if (own == NULL || leads_to_the_same(&e->is, &own->is) || world->now_ns - m->changed_ns < trip_ns)
        return;
    if (m->changed_ns > 5 * NSEC_PER_S && was_calm_since(world, node, m->changed_ns - 5 * NSEC_PER_S))
        world_violates(world, "I3", "%s forwards m%zu's packets where they went before %.3f", node->name,
                       m->number, (double)m->changed_ns / (double)NSEC_PER_S);
}

void invariants_forwarded(struct world *world, const struct mobile *m, const struct appliance *node)
{
    if (!appliance_is_current(node))
        return;
    check_end(world, m, node);
    check_care_of(world, m, node);
}

bool invariants_is_about_to_end(const struct mobile *m)
{
    const struct appliance *primary = &m->world->nodes[0];
    struct binding_view b;
    if (!agent_binding(primary->agent, &m->home, appliance_instant(primary), &b))
        return true;
    for (size_t i = 0; i < b.n_care_of; i++)
        if (b.lifetime_left_s[i] > 0)
            return false;
    return true;
}

/* In its last second a secondary whose clock is fast ends it first, also when it has just been renewed, and
 * the START is on its way. */
static bool may_have_ended(const struct mobile *m)
{
    return invariants_is_about_to_end(m) || m->world->now_ns - m->renewed_late_ns < trip_ns;
}

/* Linger outlasts neighbour caches; only who could not be told may have forgotten. */
void invariants_not_forwarded(struct world *world, const struct mobile *m, const struct appliance *node,
                              const struct cached *cached)
{
    if (cached->since_ns < 5 * NSEC_PER_S || m->bound_ns > cached->since_ns || !appliance_is_current(node))
        return;
    if (has_failed_starts(&world->nodes[0])) /* who refused a change is told to drop what it has */
        return;
    if (was_calm_since(world, node, cached->since_ns - 5 * NSEC_PER_S) && !may_have_ended(m))
        world_violates(world, "I3", "%s has no entry of m%zu, but a neighbour cache since %.3f knows it",
                       node->name, m->number, (double)cached->since_ns / (double)NSEC_PER_S);
}

/* ---- Quiet ---- */

/* The digest that the secondary's table must have, by what the primary says of its holdings. */
static uint64_t digest_expected(const struct world *world, const struct appliance *secondary)
{
    const struct appliance *primary = &world->nodes[0];
    uint64_t digest = 0;
    for (size_t i = 0; i < world->n_mobiles; i++) {
        struct addr care_of[AGENT_CARE_OF_MAX];
        struct binding_view b;
        struct holding_view h;
        if (!agent_binding(primary->agent, &world->mobiles[i].home, appliance_instant(primary), &b) ||
            !holding_of(primary, &b.home, secondary->name, &h) || !h.wanted)
            continue;
        for (size_t j = 0; j < b.n_care_of; j++)
            care_of[j] = b.care_of[j].address;
        digest ^= delegation_entry_digest(0, &b.home, h.generation, care_of, b.n_care_of);
    }
    return digest;
}

static const char *peer_unquiet(struct world *world, const struct peer_view *v)
{
    static char why[160];
    const struct appliance *node = NULL;
    for (size_t i = 1; i < world->n_nodes; i++)
        if (strcmp(world->nodes[i].name, v->name) == 0)
            node = &world->nodes[i];
    if (node == NULL)
        return "a peer that nobody is";
    const uint64_t expected = digest_expected(world, node);
    if (v->state != PEER_READY && v->state != PEER_DRAINING)
        snprintf(why, sizeof(why), "%s is %s", v->name, peer_state_text(v->state));
    else if (v->pending > 0)
        snprintf(why, sizeof(why), "%s has %u operations pending", v->name, v->pending);
    else if (v->lingering > 0)
        snprintf(why, sizeof(why), "%s has %u lingering entries", v->name, v->lingering);
    else if (v->load.digest != expected)
        snprintf(why, sizeof(why), "I2: the digest of %s is %lx, expected %lx", v->name,
                 (unsigned long)v->load.digest, (unsigned long)expected);
    else if (v->load.tombstones > 0)
        snprintf(why, sizeof(why), "%s keeps %u tombstones", v->name, v->load.tombstones);
    else
        return NULL;
    return why;
}

static const char *forwarder_unquiet(struct world *world, const struct mobile *m,
                                     const struct binding_view *b)
{
    static char why[160];
    const char *owner = b->forwarder == NULL ? world->nodes[0].name : b->forwarder;
    const struct forwarding *own = &world->nodes[0].table[m->number].is;
    for (size_t i = 0; i < world->n_nodes; i++) {
        const struct appliance *node = &world->nodes[i];
        const bool intercepts = agent_intercepts(node->agent, &m->home);
        const bool owns = strcmp(node->name, owner) == 0;
        const struct entry *e = appliance_entry(node, m->number);
        if (intercepts != owns)
            snprintf(why, sizeof(why), "%s %s m%zu, whose forwarder is %s", node->name,
                     intercepts ? "intercepts" : "does not intercept", m->number, owner);
        else if ((i == 0 || owns) && e == NULL)
            snprintf(why, sizeof(why), "%s has no entry of m%zu", node->name, m->number);
        else if (i > 0 && !owns && e != NULL)
            snprintf(why, sizeof(why), "%s has an entry of m%zu too much", node->name, m->number);
        else if (owns && !leads_to_the_same(&e->is, own))
            snprintf(why, sizeof(why), "%s forwards m%zu to an old place", node->name, m->number);
        else
            continue;
        return why;
    }
    return NULL;
}

static const char *absence_unquiet(struct world *world, const struct mobile *m)
{
    static char why[160];
    for (size_t i = 0; i < world->n_nodes; i++) {
        const struct appliance *node = &world->nodes[i];
        if (appliance_entry(node, m->number) == NULL && !agent_intercepts(node->agent, &m->home))
            continue;
        snprintf(why, sizeof(why), "%s still has m%zu, which has no binding", node->name, m->number);
        return why;
    }
    return NULL;
}

static const char *mobile_unquiet(struct world *world, const struct mobile *m)
{
    const struct appliance *primary = &world->nodes[0];
    struct binding_view b;
    const bool bound = agent_binding(primary->agent, &m->home, appliance_instant(primary), &b);
    if (bound != mobile_is_bound(m))
        return "the primary's table is not what its bindings are";
    return bound ? forwarder_unquiet(world, m, &b) : absence_unquiet(world, m);
}

const char *invariants_unquiet(struct world *world)
{
    const struct appliance *primary = &world->nodes[0];
    const char *why = NULL;
    for (size_t i = 0; i < world->n_nodes; i++)
        if (!appliance_is_current(&world->nodes[i]))
            return "a node is not current";
    size_t cursor = 0;
    struct peer_view v;
    while (why == NULL && agent_peer_next(primary->agent, &cursor, appliance_instant(primary), &v))
        why = peer_unquiet(world, &v);
    for (size_t i = 0; why == NULL && i < world->n_mobiles; i++)
        why = mobile_unquiet(world, &world->mobiles[i]);
    return why;
}

/* ---- I7 ---- */
static uint64_t mix(uint64_t sum, uint64_t value)
{
    struct chance c = {sum ^ value};
    return chance_next(&c);
}

static uint64_t mobile_fingerprint(const struct appliance *node, const struct mobile *m, uint64_t sum)
{
    struct holding_view h;
    size_t cursor = 0;
    sum = mix(sum, agent_intercepts(node->agent, &m->home) | agent_forwards(node->agent, &m->home) << 1);
    while (agent_holding_next(node->agent, &m->home, &cursor, &h))
        sum = mix(sum, h.generation << 4 | h.acknowledged | h.may_intercept << 1 | h.wanted << 2 |
                           h.lingering << 3);
    return sum;
}

uint64_t invariants_fingerprint(const struct appliance *node)
{
    const struct world *world = node->world;
    uint64_t sum = 0;
    size_t cursor = 0;
    struct peer_view v;
    while (agent_peer_next(node->agent, &cursor, appliance_instant(node), &v)) {
        sum = mix(sum, v.state);
        sum = mix(sum, (uint64_t)v.bindings << 32 | v.lingering);
        sum = mix(sum, (uint64_t)v.pending << 32 | v.lease_left_ms);
        sum = mix(sum, v.floor);
        sum = mix(sum, (uint64_t)v.term << 16 | v.id);
        sum = mix(sum, v.retransmissions);
        sum = mix(sum, v.load.digest);
    }
    for (size_t i = 0; i < world->n_mobiles && i < FEW_MOBILES; i++)
        sum = mobile_fingerprint(node, &world->mobiles[i], sum);
    return sum;
}
