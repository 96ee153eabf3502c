/* SPDX-License-Identifier: BSD-3-Clause */
#include "appliance.h"

#include "world.h"

#include <stdio.h>
#include <stdlib.h>

enum { DRIFT_PPM = 200, BUSY_MAX = 200000, HOMES_BYTE = 0x64 /* mobile nodes' home addresses have it */ };

/* ---- Its clock ---- */
static uint64_t local_ns(const struct clock *clock, uint64_t true_ns)
{
    const int64_t drift = (int64_t)(true_ns / 1000) * clock->ppm / 1000;
    return clock->offset_ns + true_ns + (uint64_t)drift;
}

struct instant appliance_instant(const struct appliance *node)
{
    const uint64_t now_ns = node->world->now_ns;
    const uint64_t wall_ns = now_ns + (uint64_t)node->clock.wall_ns + 10 * NSEC_PER_S;
    return (struct instant){
        .mono_ns = local_ns(&node->clock, now_ns),
        .ntp = ntp_from_unix(1800000000 + (int64_t)(wall_ns / NSEC_PER_S), (uint32_t)(wall_ns % NSEC_PER_S)),
    };
}

/* How long until its clock shows this. */
static uint64_t true_until(const struct appliance *node, uint64_t deadline_ns)
{
    uint64_t true_ns = node->world->now_ns;
    for (uint64_t shown; (shown = local_ns(&node->clock, true_ns)) < deadline_ns;)
        true_ns += deadline_ns - shown;
    return true_ns - node->world->now_ns;
}

/* ---- What it is ---- */
bool appliance_is_live(const struct appliance *node)
{
    return node->agent != NULL && !node->frozen;
}

bool appliance_is_current(const struct appliance *node)
{
    return appliance_is_live(node) && agent_deadline(node->agent) > appliance_instant(node).mono_ns;
}

const struct entry *appliance_entry(const struct appliance *node, size_t mobile)
{
    return node->agent != NULL && node->table[mobile].present ? &node->table[mobile] : NULL;
}

/* ---- Configuration ---- */
static void keep_association(struct appliance *node)
{
    for (size_t i = 0; i < node->world->n_mobiles; i++) {
        const struct mobile *m = &node->world->mobiles[i];
        if (agent_mobile_set(node->agent, &m->home, &m->sa, NULL) != 0)
            abort();
    }
}

static struct auth_key key_of(const struct appliance *secondary, uint32_t number)
{
    struct auth_key key = {.algorithm = AUTH_HMAC_SHA256, .len = DELEGATION_KEY};
    for (size_t i = 0; i < DELEGATION_KEY; i++)
        key.bytes[i] = (uint8_t)(secondary->number * 17 + number * 5 + i);
    return key;
}

static uint32_t spi_of(const struct appliance *secondary, uint32_t number)
{
    return 1000 * (uint32_t)secondary->number + number;
}

/* The former key overlaps with the present one. */
static void set_keys(struct agent_peer *peer, const struct appliance *secondary)
{
    peer->spi = spi_of(secondary, secondary->keys);
    peer->key = key_of(secondary, secondary->keys);
    if (secondary->keys == 0)
        return;
    peer->other_spi = spi_of(secondary, secondary->keys - 1);
    peer->other_key = key_of(secondary, secondary->keys - 1);
}

static struct agent_peer peer_towards(const struct appliance *node, const struct appliance *other)
{
    const struct plan *plan = &node->world->plan;
    struct agent_peer peer = {
        .address = other->address, .local = node->address, .weight = 1, .n_prefixes = 2};
    snprintf(peer.name, sizeof(peer.name), "%s", other->name);
    set_keys(&peer, node->number == 0 ? other : node);
    protection_configure(node, node->number == 0 ? other : node, &peer);
    for (size_t i = 0; i < peer.n_prefixes; i++) {
        peer.prefixes[i] = node->settings.home_networks[i];
        if (!plan->prohibits || node->number % 2 == 0)
            continue;
        /* half of the mobile nodes, or less */
        const bool ipv4 = addr_is_ipv4(&peer.prefixes[i].addr);
        peer.prefixes[i].addr.b[14] = HOMES_BYTE;
        peer.prefixes[i].bits = ipv4 ? 30 : 126;
    }
    return peer;
}

static void set_peer(struct appliance *node, const struct appliance *other)
{
    const struct agent_peer peer = peer_towards(node, other);
    if (agent_peer_set(node->agent, &peer) != 0)
        abort();
}

static void set_everything(struct appliance *node)
{
    struct world *world = node->world;
    if (node->number != 0) {
        set_peer(node, &world->nodes[0]);
        return;
    }
    keep_association(node);
    for (size_t i = 1; i < world->n_nodes; i++)
        if (world->nodes[i].wanted)
            set_peer(node, &world->nodes[i]);
}

void appliance_configure(struct appliance *node)
{
    if (!appliance_is_live(node))
        return;
    if (agent_configure(node->agent, &node->settings) != 0)
        abort();
    agent_sweep_begin(node->agent);
    set_everything(node);
    while (agent_sweep(node->agent, 1 + chance_below(&node->world->chance, 100), appliance_instant(node)))
        continue;
    appliance_settle(node);
}

static const struct addr home_networks[2] = {
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 1, 0, 0}},
    {{0x20, 1, 0x0d, 0xb8, 0, 1}},
};

static struct addr address_of(size_t number, bool ipv6)
{
    struct addr a = home_networks[ipv6];
    a.b[15] = (uint8_t)(1 + number);
    return a;
}

/* Its own ones first. */
static size_t reserve(struct appliance *node)
{
    size_t n = 0;
    node->reserved[n++] = node->addresses[1];
    node->reserved[n++] = node->addresses[0];
    for (size_t i = 0; i < node->world->n_nodes; i++) {
        if (i == node->number)
            continue;
        node->reserved[n++] = address_of(i, false);
        node->reserved[n++] = address_of(i, true);
    }
    return n;
}

static void init_settings(struct appliance *node)
{
    const struct plan *plan = &node->world->plan;
    const size_t n_reserved = reserve(node);
    node->settings = (struct agent_settings){
        .role = node->number == 0 ? AGENT_PRIMARY : AGENT_SECONDARY,
        .id = (uint16_t)(1 + node->number),
        .mac = node->mac,
        .delegation = delegation_defaults(),
        .home_agents = {node->addresses[0], node->addresses[1]},
        .n_home_agents = 2,
        .home_networks = {{home_networks[0], 16}, {home_networks[1], 64}},
        .n_home_networks = 2,
        .reserved = node->reserved,
        .n_reserved = n_reserved,
        .n_own = 2,
        .max_bindings = (uint32_t)node->world->n_mobiles + 8,
        .max_lifetime_s = 3600,
        .max_care_of = plan->max_care_of,
        .timestamp_window_s = 7,
        .encapsulations = 1u << ENCAPSULATION_IPIP,
    };
    node->settings.delegation.when = plan->when;
    node->settings.delegation.policy = plan->policy;
    node->settings.delegation.own_source = plan->own_source;
    node->settings.delegation.linger_ms = plan->linger_ms;
    if (plan->room > 0 && node->number > 0)
        node->settings.max_bindings = plan->room;
    if (plan->threshold_pps > 0)
        node->settings.delegation.threshold_pps = plan->threshold_pps;
}

/* ---- Life and death ---- */
/* The monotonic clock begins anew with the machine; the wall clock goes on. */
static void set_clock(struct appliance *node)
{
    struct chance *chance = &node->world->chance;
    node->clock.offset_ns =
        NSEC_PER_S * chance_between(chance, 1, 1000000) + chance_below(chance, NSEC_PER_S);
    node->clock.ppm = (int32_t)chance_between(chance, 0, 2 * DRIFT_PPM) - DRIFT_PPM;
}

void appliance_start(struct appliance *node)
{
    struct world *world = node->world;
    uint8_t seed[AGENT_SEED];
    for (size_t i = 0; i < AGENT_SEED; i++)
        seed[i] = (uint8_t)chance_next(&world->chance);
    set_clock(node);
    timerq_cancel(world->queue, &node->restart);
    node->agent = agent_create(&node->settings, seed, appliance_instant(node));
    if (node->agent == NULL)
        abort();
    node->starts++;
    node->began_ntp = appliance_instant(node).ntp;
    node->frozen = false;
    node->leases_lost = node->nodes_dead = node->durations_over = 0;
    node->up_ns = world->now_ns;
    world_trace(world, "starts", (int)node->number, TRACE_NOBODY, TRACE_NOBODY, node->starts, 0);
    set_everything(node);
    world_at(world, &node->report, WAKE_REPORT, chance_below(&world->chance, NSEC_PER_S));
    appliance_settle(node);
}

static void go_down(struct appliance *node)
{
    struct world *world = node->world;
    agent_destroy(node->agent);
    node->agent = NULL;
    node->frozen = false;
    node->died_ns = world->now_ns;
    memset(node->table, 0, world->n_mobiles * sizeof(*node->table));
    timerq_cancel(world->queue, &node->wake);
    timerq_cancel(world->queue, &node->report);
    timerq_cancel(world->queue, &node->thaw);
}

void appliance_crash(struct appliance *node, uint64_t restart_after_ns)
{
    if (node->agent == NULL)
        return;
    struct world *world = node->world;
    world->disturbed = true;
    world->tally.crashes++;
    world_trace(world, "crashes", (int)node->number, TRACE_NOBODY, TRACE_NOBODY, restart_after_ns, 0);
    go_down(node);
    if (restart_after_ns != TIMER_NEVER)
        world_at(world, &node->restart, WAKE_RESTART, restart_after_ns);
}

void appliance_freeze(struct appliance *node, uint64_t ns)
{
    if (!appliance_is_live(node))
        return;
    struct world *world = node->world;
    world->disturbed = true;
    world->tally.freezes++;
    world_trace(world, "freezes", (int)node->number, TRACE_NOBODY, TRACE_NOBODY, ns, 0);
    node->frozen = true;
    node->froze_ns = world->now_ns;
    node->thaw_ns = world->now_ns + ns;
    timerq_cancel(world->queue, &node->wake);
    world_at(world, &node->thaw, WAKE_THAW, ns);
}

void appliance_thaw_due(struct appliance *node)
{
    struct world *world = node->world;
    world_trace(world, "thaws", (int)node->number, TRACE_NOBODY, TRACE_NOBODY, 0, 0);
    node->frozen = false;
    node->up_ns = world->now_ns;
    for (size_t i = 0; node->number == 0 && i < world->n_mobiles; i++)
        mobile_was_kept_waiting(&world->mobiles[i], node->froze_ns);
    world_at(world, &node->wake, WAKE_AGENT, chance_below(&world->chance, 50 * NSEC_PER_US));
}

/* ---- Effects ---- */
static struct entry *entry_of(struct appliance *node, const struct addr *home)
{
    const int mobile = mobile_by_address(node->world, home);
    if (mobile < 0)
        world_violates(node->world, "effects", "%s acts for a stranger", node->name);
    return &node->table[mobile];
}

static bool same_care_of(const struct forwarding *a, const struct forwarding *b)
{
    bool same = a->n_care_of == b->n_care_of;
    for (size_t i = 0; same && i < a->n_care_of; i++)
        same = addr_equal(&a->care_of[i].address, &b->care_of[i].address);
    return same;
}

static void install(struct appliance *node, const struct forwarding *is)
{
    struct entry *e = entry_of(node, &is->home);
    struct mobile *mobile = &node->world->mobiles[e - node->table];
    world_trace(node->world, "installs", (int)node->number, TRACE_NOBODY, (int)mobile->number,
                addr_tail(&is->care_of[0].address), is->n_care_of);
    if (node->number == 0 && paper_is_ipv6(mobile) && !is->care_of[0].reverse)
        world_violates(node->world, "10.4.5", "m%zu may not send by its tunnel", mobile->number);
    if (node->number == 0 && !e->present) {
        mobile->replied_ns = mobile->ended_ns = TIMER_NEVER;
        mobile->bound_ns = node->world->now_ns;
    }
    if (node->number == 0 && !(e->present && same_care_of(&e->is, is)))
        mobile->changed_ns = node->world->now_ns;
    if (!e->present)
        *e = (struct entry){.present = true};
    e->is = *is;
    e->installed_ns = node->world->now_ns;
}

/* Not by a STOP. */
static bool ended_by_itself(struct appliance *node)
{
    if (node->durations_over == agent_counters(node->agent)->n[AGENT_DURATIONS_OVER])
        return false;
    node->durations_over++;
    return true;
}

static void remove_entry(struct appliance *node, const struct addr *home)
{
    struct entry *e = entry_of(node, home);
    const size_t mobile = (size_t)(e - node->table);
    world_trace(node->world, "removes", (int)node->number, TRACE_NOBODY, (int)mobile, 0, 0);
    e->present = false;
    node->world->mobiles[mobile].ran_out |= ended_by_itself(node);
    if (node->number == 0)
        node->world->mobiles[mobile].ended_ns = node->world->now_ns;
}

static void send(struct appliance *node, const struct message *message)
{
    if (message->protocol == IPPROTO_NUM_ESP || /* mobile nodes have none */
        (message->protocol == IPPROTO_NUM_UDP && message->destination_port == node->settings.delegation.port))
        network_send(node->world, node, message);
    else if (node->number == 0)
        mobile_send_reply(node->world, message);
    else
        world_violates(node->world, "P2", "%s answers a mobile node", node->name);
}

static void take(struct appliance *node, const struct effect *e)
{
    switch (e->kind) {
    case EFFECT_INSTALL:
        install(node, &e->install);
        break;
    case EFFECT_REMOVE:
        remove_entry(node, &e->remove);
        break;
    case EFFECT_SEND:
        send(node, &e->send);
        break;
    case EFFECT_ANNOUNCE:
        if (!e->announce.silent)
            link_announce(node->world, node, &e->announce);
        break;
    case EFFECT_NOTE:
        world_trace(node->world, note_text(e->note.kind), (int)node->number, TRACE_NOBODY,
                    mobile_by_address(node->world, &e->note.home), e->note.value, 0);
        break;
    case EFFECT_PROBE:
        link_probe(node->world, node, &e->probe);
        break;
    case EFFECT_LISTEN:
    case EFFECT_RELAY:
    case EFFECT_FORWARD:
        break;
    }
}

/* What makes the loss of packets excusable. */
static void note_deaths(struct appliance *node)
{
    const uint64_t *n = agent_counters(node->agent)->n;
    if (n[AGENT_LEASES_LOST] != node->leases_lost || n[AGENT_NODES_DEAD] != node->nodes_dead)
        node->world->disturbed = true;
    node->leases_lost = n[AGENT_LEASES_LOST];
    node->nodes_dead = n[AGENT_NODES_DEAD];
}

static void arm(struct appliance *node)
{
    struct world *world = node->world;
    const uint64_t deadline = agent_deadline(node->agent);
    if (node->frozen)
        return;
    if (deadline == TIMER_NEVER) {
        timerq_cancel(world->queue, &node->wake);
        node->busy = 0;
        return;
    }
    if (deadline > appliance_instant(node).mono_ns) {
        node->busy = 0;
        world_at(world, &node->wake, WAKE_AGENT, true_until(node, deadline));
        return;
    }
    if (++node->busy > BUSY_MAX)
        world_violates(world, "busy", "%s has always something due", node->name);
    world_at(world, &node->wake, WAKE_AGENT, chance_between(&world->chance, 1, 20) * NSEC_PER_US);
}

static void take_all(struct appliance *node)
{
    const struct effect *e;
    while ((e = agent_pop(node->agent)) != NULL)
        take(node, e);
}

void appliance_settle(struct appliance *node)
{
    take_all(node);
    note_deaths(node);
    arm(node);
    invariants_check(node->world, node);
}

void appliance_wake_due(struct appliance *node)
{
    if (!appliance_is_live(node))
        return;
    const struct instant now = appliance_instant(node);
    for (uint64_t steps = 1 + chance_below(&node->world->chance, 64); steps > 0; steps--) {
        agent_expire(node->agent, now, 1); /* step by step: an effect is judged by what holds at its time */
        take_all(node);
        if (agent_deadline(node->agent) > now.mono_ns)
            break;
    }
    appliance_settle(node);
}

/* ---- What it counts ---- */
enum { RATES_AT_ONCE = 256 };

static void report_rates(struct appliance *node)
{
    struct agent_rate rates[RATES_AT_ONCE];
    size_t n = 0;
    for (size_t i = 0; i < node->world->n_mobiles; i++) {
        struct entry *e = &node->table[i];
        if (!e->present || e->lately == 0)
            continue;
        rates[n++] = (struct agent_rate){.home = node->world->mobiles[i].home,
                                         .pps = e->lately,
                                         .kbps = e->lately * 4,
                                         .packets = e->packets,
                                         .bytes = e->packets * 500};
        e->lately = 0;
        if (n == RATES_AT_ONCE) {
            agent_rates(node->agent, rates, n, appliance_instant(node));
            n = 0;
        }
    }
    if (n > 0)
        agent_rates(node->agent, rates, n, appliance_instant(node));
}

void appliance_report_due(struct appliance *node)
{
    if (node->agent == NULL)
        return;
    world_at(node->world, &node->report, WAKE_REPORT, NSEC_PER_S);
    if (node->frozen)
        return;
    const struct agent_load load = {.capacity_pps = 1000000, .link_down = node->link_down};
    report_rates(node);
    agent_load(node->agent, &load, appliance_instant(node));
    appliance_settle(node);
}

/* ---- The beginning and the end ---- */
void appliance_init(struct world *world, size_t number)
{
    struct appliance *node = &world->nodes[number];
    *node = (struct appliance){.world = world,
                               .number = number,
                               .address = address_of(number, world->plan.ipv6_peers),
                               .addresses = {address_of(number, false), address_of(number, true)},
                               .mac = {{2, 0, 0, 0, 1, (uint8_t)number}},
                               .wanted = true};
    snprintf(node->name, sizeof(node->name), number == 0 ? "p" : "s%zu", number);
    /* Never behind the mobile nodes', or what they sent before a restart would look as if sent after it. */
    node->clock.wall_ns = (int64_t)chance_below(&world->chance, NSEC_PER_S);
    node->table = world_alloc(world->n_mobiles * sizeof(*node->table));
    init_settings(node);
}

void appliance_fini(struct appliance *node)
{
    agent_destroy(node->agent);
    free(node->table);
}
