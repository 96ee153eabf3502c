/* SPDX-License-Identifier: BSD-3-Clause */
#include "link.h"

#include "world.h"

static const struct mac observer_mac = {{2, 0, 0, 0, 9, 9}};

static void learn(struct world *world, struct cached *cached, int who)
{
    const uint64_t linger_ns = world->plan.linger_ms * NSEC_PER_MS;
    *cached = (struct cached){
        .who = who,
        .since_ns = world->now_ns,
        .valid_ns = chance_between(&world->chance, linger_ns / 4, linger_ns * 3 / 4),
    };
}

/* ---- Gratuitous ARP ---- */
static void tell_observers(struct world *world, struct mobile *mobile, int who)
{
    for (size_t i = 0; i < OBSERVERS; i++)
        if (!chance_percent(&world->chance, world->plan.announcement_loss))
            learn(world, &mobile->cache[i], who);
}

/* Other appliances are on the link, too. */
static void tell_appliances(struct world *world, const struct agent_neighbor *heard,
                            const struct appliance *but)
{
    for (size_t i = 0; i < world->n_nodes; i++) {
        struct appliance *node = &world->nodes[i];
        if (node == but || !appliance_is_live(node) ||
            chance_percent(&world->chance, world->plan.announcement_loss))
            continue;
        if (agent_heard(node->agent, heard, appliance_instant(node)))
            world_violates(world, "ARP", "%s answers an announcement, or a peer", node->name);
        appliance_settle(node);
    }
}

void link_announce(struct world *world, struct appliance *from, const struct announcement *a)
{
    const int number = mobile_by_address(world, &a->home);
    if (number < 0)
        world_violates(world, "effects", "%s announces a stranger", from->name);
    struct mobile *mobile = &world->mobiles[number];
    world->tally.announcements++;
    world_trace(world, a->ours ? "announces" : "announces the mobile node", (int)from->number, TRACE_NOBODY,
                number, 0, 0);
    if (a->ours && !agent_intercepts(from->agent, &a->home))
        world_violates(world, "I5", "%s announces m%d and does not intercept it", from->name, number);
    tell_observers(world, mobile, a->ours ? (int)from->number : CACHE_MOBILE);
    const struct agent_neighbor heard = {.mac = a->ours ? from->mac : a->mac, .claimed = mobile->home};
    tell_appliances(world, &heard, from);
}

void link_probe(struct world *world, struct appliance *from, const struct probe *probe)
{
    struct agent_neighbor heard = {.mac = from->mac, .asked = probe->home};
    const int number = mobile_by_address(world, &probe->home);
    if (number < 0 || probe->link_local != world->mobiles[number].link_local)
        world_violates(world, "effects", "%s probes for a stranger", from->name);
    world_trace(world, "probes", (int)from->number, TRACE_NOBODY, number, 0, 0);
    tell_appliances(world, &heard, from);
    heard.asked = addr_link_local_of(&probe->home);
    if (probe->link_local)
        tell_appliances(world, &heard, from);
}

void link_mobile_announces(struct world *world, struct mobile *mobile)
{
    tell_observers(world, mobile, CACHE_MOBILE);
    const struct agent_neighbor heard = {.mac = mobile->mac, .claimed = mobile->home};
    tell_appliances(world, &heard, NULL);
}

void link_asks_for_home_agent(struct world *world, struct mobile *mobile)
{
    const struct agent_neighbor heard = {.mac = mobile->mac, .asked = mobile->home};
    for (size_t i = 0; i < world->n_nodes; i++) {
        struct appliance *node = &world->nodes[i];
        if (!appliance_is_live(node))
            continue;
        const bool current = appliance_is_current(node), bound = agent_forwards(node->agent, &mobile->home);
        const bool yes = agent_heard(node->agent, &heard, appliance_instant(node));
        if (i == 0 ? current && yes != bound : yes)
            world_violates(world, "N11c", "%s %s m%zu, which comes home", node->name,
                           yes ? "answers" : "does not answer", mobile->number);
        appliance_settle(node);
    }
}

/* ---- ARP requests, neighbour solicitations ---- */
static struct addr observer_address(const struct mobile *mobile)
{
    const struct addr router = {{0xfe, 0x80, [15] = 0xfe}};
    return paper_is_ipv6(mobile) ? router : addr_from_ipv4(0x0a0100fe);
}

/* Where there are two, it is the same node that is asked for by either. */
static struct addr asked_address(const struct mobile *mobile)
{
    const bool by_link_local =
        paper_is_ipv6(mobile) && mobile->link_local && chance_percent(&mobile->world->chance, 50);
    return by_link_local ? addr_link_local_of(&mobile->home) : mobile->home;
}

static bool answers(struct world *world, struct mobile *mobile, int who)
{
    if (who == CACHE_MOBILE)
        return !mobile->away;
    if (who < 0 || !appliance_is_live(&world->nodes[who]))
        return false;
    struct appliance *node = &world->nodes[who];
    const struct agent_neighbor heard = {
        .mac = observer_mac, .claimed = observer_address(mobile), .asked = asked_address(mobile)};
    const bool intercepts = agent_intercepts(node->agent, &mobile->home);
    const bool yes = agent_heard(node->agent, &heard, appliance_instant(node));
    if (yes && !intercepts)
        world_violates(world, "I5", "%s answers ARP for m%zu and does not intercept it", node->name,
                       mobile->number);
    appliance_settle(node);
    return yes;
}

/* Who of those that answer is heard first is chance. */
static int ask_all(struct world *world, struct mobile *mobile)
{
    int who = answers(world, mobile, CACHE_MOBILE) ? CACHE_MOBILE : CACHE_NOBODY;
    uint64_t n = who == CACHE_MOBILE;
    for (size_t i = 0; i < world->n_nodes; i++)
        if (answers(world, mobile, (int)i) && chance_below(&world->chance, ++n) == 0)
            who = (int)i;
    return who;
}

static void confirm(struct world *world, struct mobile *mobile, struct cached *cached)
{
    if (cached->who != CACHE_NOBODY && world->now_ns - cached->since_ns < cached->valid_ns)
        return;
    learn(world, cached, answers(world, mobile, cached->who) ? cached->who : ask_all(world, mobile));
}

/* ---- Packets ---- */
static void lose(struct world *world, struct mobile *mobile, const char *why, int node)
{
    world->tally.lost++;
    mobile->lost++;
    world_trace(world, why, node, TRACE_NOBODY, (int)mobile->number, mobile->sent, 0);
    if (!world->disturbed && !mobile->ran_out)
        world_violates(world, "P8", "packet %lu to m%zu: %s, though no node died",
                       (unsigned long)mobile->sent, mobile->number, why);
}

static void forward(struct world *world, struct mobile *mobile, struct appliance *node)
{
    struct entry *e = &node->table[mobile->number];
    e->packets++;
    e->lately++;
    world->tally.delivered++;
    invariants_forwarded(world, mobile, node);
}

/* doc/delegation-protocol.md: a packet for a served network without an entry goes to the primary's MAC. */
static void take_second_chance(struct world *world, struct mobile *mobile, const struct appliance *node)
{
    struct appliance *primary = &world->nodes[0];
    if (node == primary || !appliance_is_live(primary) || !primary->table[mobile->number].present) {
        lose(world, mobile, "lost: no entry", (int)node->number);
        return;
    }
    world->tally.second_chance++;
    forward(world, mobile, primary);
}

static void reach(struct world *world, struct mobile *mobile, const struct cached *cached)
{
    const int who = cached->who;
    if (who == CACHE_NOBODY) {
        world->tally.unresolved++;
        lose(world, mobile, "lost: nobody answers ARP", TRACE_NOBODY);
        return;
    }
    if (who == CACHE_MOBILE) /* the mobile node's own business */
        return;
    struct appliance *node = &world->nodes[who];
    if (!appliance_is_live(node))
        lose(world, mobile, "lost: node down", who);
    else if (node->table[mobile->number].present)
        forward(world, mobile, node);
    else {
        invariants_not_forwarded(world, mobile, node, cached);
        take_second_chance(world, mobile, node);
    }
}

/* From its first accepted reply on its packets have to come through; but a primary without its store
 * intercepts nothing before lease + detection. */
static bool counts(const struct world *world, const struct mobile *mobile)
{
    const struct appliance *primary = &world->nodes[0];
    const uint64_t fast_ns = (primary->settings.delegation.lease_ms + 500) * NSEC_PER_MS;
    if (!world->disturbed && world->now_ns < primary->up_ns + fast_ns)
        return false;
    return mobile->replied_ns != TIMER_NEVER && mobile->replied_ns < world->now_ns && mobile_is_bound(mobile);
}

static void probe_the_ended(struct world *world, struct mobile *mobile, int who)
{
    if (who >= 0 && appliance_is_live(&world->nodes[who]) && world->nodes[who].table[mobile->number].present)
        invariants_forwarded(world, mobile, &world->nodes[who]);
}

void link_packet_due(struct world *world, struct mobile *mobile)
{
    const uint64_t us = world->plan.packet_us;
    world_at(world, &mobile->packet, WAKE_PACKET,
             chance_between(&world->chance, us / 2, us * 3 / 2) * NSEC_PER_US);
    struct cached *cached = &mobile->cache[chance_below(&world->chance, OBSERVERS)];
    if (!counts(world, mobile)) {
        probe_the_ended(world, mobile, cached->who);
        return;
    }
    confirm(world, mobile, cached);
    mobile->sent++;
    world->tally.packets++;
    reach(world, mobile, cached);
}
