/* SPDX-License-Identifier: BSD-3-Clause */
#include "peer_world.h"

#include <string.h>

static void check_bindings(struct end *end)
{
    struct binding_view v;
    size_t cursor = 0, n = 0;
    while (agent_binding_next(end->agent, &cursor, SIZE_MAX, *world_now(), &v)) {
        const struct forwarding *f = world_installed(end, &v.home);
        fuzz_require(f != NULL && f->n_care_of == v.n_care_of);
        fuzz_require(addr_equal(&f->source, &v.home_agent));
        for (size_t i = 0; i < v.n_care_of; i++)
            fuzz_require(addr_equal(&f->care_of[i].address, &v.care_of[i].address));
        n++;
    }
    fuzz_require(n == end->n_installed && n == agent_bindings(end->agent));
}

static void check_flow(const struct peer *peer)
{
    const struct transaction *t;
    unsigned n = 0;
    DL_FOREACH(peer->flow.open, t)
    {
        fuzz_require(t->peer == peer && peer->session.live);
        n += !t->unbounded;
    }
    fuzz_require(n == peer->flow.n_open && n <= FLOW_WINDOW_MAX);
}

/* A secondary's. */
static void check_entry(const struct principal *p, const struct held *held)
{
    struct addr care_of[AGENT_CARE_OF_MAX];
    size_t n = 0;
    for (const struct care *care = held->mobile->cares; care != NULL; care = care->next)
        care_of[n++] = care->tunnel->far;
    const uint64_t digest = delegation_entry_digest(0, &held->mobile->home, held->start, care_of, n);
    fuzz_require(held->principal == p && held->start <= held->generation);
    fuzz_require(timer_is_set(&held->duration) && (n > 0 || held_lingers(held)));
    fuzz_require(held_left_ms(held, *world_now()) <= DELEGATION_DURATION_MAX_MS);
    fuzz_require(held->digest == (held->state == HELD_ACTIVE ? digest : 0));
    fuzz_require(held->state != HELD_ACTIVE || !held_lingers(held));
    fuzz_require(held_entry(held->mobile) == held);
    fuzz_require(held->rank == 0 || p->busiest.heap[held->rank - 1] == held);
}

static void check_entries(const struct principal *p)
{
    const struct held *held;
    uint32_t n[HELD_TOMBSTONE + 1] = {0};
    uint64_t digest = 0, buckets = 0, last = 0;
    DL_FOREACH2(p->entries, held, at_next)
    {
        check_entry(p, held);
        n[held->state]++;
        digest ^= held->digest;
        fuzz_require(held->entered >= last && held->entered < p->entered);
        last = held->entered;
    }
    for (size_t i = 0; i < DELEGATION_BUCKETS; i++)
        buckets ^= p->buckets[i];
    fuzz_require(digest == p->digest && buckets == digest);
    fuzz_require(n[HELD_ACTIVE] == p->n_active && n[HELD_FORWARD_ONLY] == p->n_lingering);
    fuzz_require(n[HELD_ABSENT] + n[HELD_INSTALLING] + n[HELD_TOMBSTONE] == 0);
}

static void check_tombstones(const struct principal *p)
{
    const struct held *held;
    uint32_t n = 0;
    bool found = p->forgetting == NULL;
    DL_FOREACH2(p->tombstones, held, at_next)
    {
        n++;
        found |= held == p->forgetting;
        fuzz_require(held->state == HELD_TOMBSTONE && held->digest == 0 && held->rank == 0);
        fuzz_require(!timer_is_set(&held->duration) && !timer_is_set(&held->linger));
        fuzz_require(held->generation > p->floor || p->forgetting != NULL);
    }
    fuzz_require(found && n == p->n_tombstones);
}

/* What was forgotten stays refused by the floor. */
static void check_generations(struct end *end, const struct principal *p)
{
    const bool same = memcmp(&end->session, &p->peer.session.key, sizeof(end->session)) == 0;
    end->session = p->peer.session.key;
    for (size_t i = 0; i < HOMES; i++) {
        const struct addr home = world_home(i);
        const struct held *held = held_find(mobile_by_home(end->agent, &home), p);
        const uint64_t bar = held == NULL ? 0 : held->generation;
        const uint64_t highest = bar > p->floor ? bar : p->floor;
        fuzz_require(!same || !p->peer.session.live || highest >= end->generations[i]);
        end->generations[i] = highest;
    }
}

static void check_leases(const struct principal *p)
{
    const struct held *held;
    DL_FOREACH2(p->entries, held, at_next)
    {
        if (held_intercepts_now(held->mobile, *world_now()))
            fuzz_require(held->state == HELD_ACTIVE && p->lease.place != 0);
    }
}

static void check_outbox(const struct principal *p)
{
    fuzz_require(p->outbox.in_flight <= p->outbox.n && p->outbox.n <= OUTBOX_EVENTS);
    for (uint32_t i = 0; i < p->busiest.n; i++)
        fuzz_require(p->busiest.heap[i]->rank == i + 1 && p->busiest.heap[i]->principal == p);
}

static void check_secondary(struct end *end)
{
    PRINCIPALS_FOREACH(end->agent, principal)
    {
        check_flow(&principal->peer);
        check_entries(principal);
        check_tombstones(principal);
        check_leases(principal);
        check_outbox(principal);
        check_generations(end, principal);
    }
}

/* A primary's. */
static void check_holdings(const struct node *node)
{
    const struct holding *h;
    uint64_t digest = 0;
    uint32_t n_open = 0;
    DL_FOREACH2(node->holdings, h, at_next)
    {
        fuzz_require(h->node == node);
        digest ^= h->digest;
        n_open += h->open;
    }
    fuzz_require(digest == node->digest && n_open == node->n_open);
}

static void check_primary(struct end *end)
{
    NODES_FOREACH(end->agent, node)
    {
        check_flow(&node->peer);
        check_holdings(node);
    }
}

void world_check(void)
{
    check_bindings(&world.ends[PRIMARY]);
    check_bindings(&world.ends[SECONDARY]);
    check_primary(&world.ends[PRIMARY]);
    check_secondary(&world.ends[SECONDARY]);
}
