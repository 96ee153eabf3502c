/* SPDX-License-Identifier: BSD-3-Clause */
#include "network.h"

#include "world.h"

#include <stdlib.h>

void network_init(struct world *world)
{
    world->network = (struct network){.drop_type = world->plan.drop_type, .drop_left = world->plan.drops};
    for (size_t i = 0; i < NETWORK_SECONDARIES; i++)
        world->network.up[i].faults = world->network.down[i].faults = world->plan.faults;
}

struct path *network_path(struct world *world, size_t from, size_t to)
{
    if (from == 0)
        return &world->network.down[to];
    return to == 0 ? &world->network.up[from] : NULL;
}

uint64_t network_calm_ns(const struct world *world, size_t secondary)
{
    const uint64_t up = world->network.up[secondary].calm_ns, down = world->network.down[secondary].calm_ns;
    return up > down ? up : down;
}

static struct appliance *node_at(struct world *world, const struct addr *address)
{
    for (size_t i = 0; i < world->n_nodes; i++)
        if (addr_equal(&world->nodes[i].address, address))
            return &world->nodes[i];
    return NULL;
}

/* ---- Listening in ---- */
static int mobile_of(const struct world *world, const struct delegation_record *r, uint64_t *generation)
{
    switch (r->type) {
    case DELEGATION_RECORD_START:
        *generation = r->start.generation;
        return mobile_by_address(world, &r->start.home);
    case DELEGATION_RECORD_STOP:
        *generation = r->stop.generation;
        return mobile_by_address(world, &r->stop.home);
    case DELEGATION_RECORD_ACK:
        *generation = r->ack.asked;
        return mobile_by_address(world, &r->ack.home);
    default:
        return TRACE_NOBODY;
    }
}

static uint64_t detail_of(const struct delegation_record *r)
{
    switch (r->type) {
    case DELEGATION_RECORD_START:
        return (uint64_t)r->start.flags << 32 | r->start.duration_ms;
    case DELEGATION_RECORD_STOP:
        return (uint64_t)r->stop.mode << 8 | r->stop.reason;
    case DELEGATION_RECORD_ACK:
        return (uint64_t)r->ack.status << 8 | r->ack.state;
    case DELEGATION_RECORD_LEASE:
        return r->lease.sequence;
    case DELEGATION_RECORD_LOAD:
        return r->load.digest;
    default:
        return 0;
    }
}

/* One line a datagram; more where all is shown. */
static void show(struct world *world, int from, int to, const struct message *m)
{
    struct delegation_header header;
    struct delegation_records records;
    struct delegation_record r;
    if (delegation_decode(m->bytes, m->len, &header, &records) != DELEGATION_DECODED)
        world_violates(world, "wire", "a datagram that does not decode");
    const char *text = delegation_type_text(header.type);
    if (header.type < TYPES_MAX)
        world->network.sent[header.type]++;
    bool first = true;
    while (delegation_next(&records, &r) || first) {
        uint64_t generation = header.sequence;
        const int mobile = header.records > 0 ? mobile_of(world, &r, &generation) : TRACE_NOBODY;
        if (first || mobile != TRACE_NOBODY)
            world_trace(world, text, from, to, mobile, generation, header.records > 0 ? detail_of(&r) : 0);
        first = false;
        if (header.records == 0)
            break;
    }
    if (records.failed)
        world_violates(world, "wire", "a %s whose records do not decode", text);
}

static uint8_t type_of(const struct message *m)
{
    return m->bytes[5];
}

/* ---- Sending ---- */
static uint64_t delay_on(struct world *world, struct path *path)
{
    struct chance *c = &world->chance;
    uint64_t ns = path->faults.delay_ns + chance_below(c, path->faults.jitter_ns + 1);
    if (chance_percent(c, path->faults.slow)) {
        ns += chance_below(c, path->faults.slow_ns + 1);
        path->calm_ns = world->now_ns + ns;
    }
    return ns;
}

static void launch(struct world *world, const struct appliance *from, const struct appliance *to,
                   const struct message *m, const struct message *inner, uint64_t delay_ns)
{
    const size_t size = m->len + inner->len;
    struct flight *f = world_alloc(sizeof(*f) + size);
    f->from = from->number;
    f->to = to->number;
    f->sent_ns = world->now_ns;
    f->source = m->source;
    f->destination = m->destination;
    f->source_port = m->source_port;
    f->destination_port = m->destination_port;
    f->protocol = m->protocol;
    f->type = type_of(inner);
    f->inner_at = m->len;
    f->inner_len = inner->len;
    f->size = size;
    f->len = m->len;
    memcpy(f->bytes, m->bytes, m->len);
    memcpy(f->bytes + f->inner_at, inner->bytes, inner->len);
    world_at(world, &f->timer, WAKE_FLIGHT, delay_ns);
}

static bool vanishes(struct world *world, struct path *path, const struct message *m)
{
    struct network *n = &world->network;
    if (n->drop_left > 0 && type_of(m) == n->drop_type) {
        n->drop_left--;
        n->dropped++;
        path->calm_ns = world->now_ns;
        return true;
    }
    if (!path->cut && !chance_percent(&world->chance, path->faults.loss))
        return false;
    path->calm_ns = world->now_ns;
    return true;
}

void network_send(struct world *world, struct appliance *from, const struct message *message)
{
    struct appliance *to = node_at(world, &message->destination);
    if (to == NULL || to == from || network_path(world, from->number, to->number) == NULL)
        world_violates(world, "wire", "%s sends a delegation datagram to no peer of its", from->name);
    struct path *path = network_path(world, from->number, to->number);
    struct message inner;
    if (!protection_open(world, from->number, to->number, message, &inner))
        world_violates(world, "wire", "%s sends what is not protected as it should be", from->name);
    world->tally.datagrams++;
    show(world, (int)from->number, (int)to->number, &inner);
    invariants_acknowledged(world, from, &inner);
    for (int copies = 1 + chance_percent(&world->chance, path->faults.duplicate); copies > 0; copies--) {
        if (vanishes(world, path, &inner)) {
            world_trace(world, "  lost", (int)from->number, (int)to->number, TRACE_NOBODY, 0, 0);
            continue;
        }
        launch(world, from, to, message, &inner, delay_on(world, path));
    }
}

/* ---- Arriving ---- */
bool network_hand_over(struct appliance *to, const struct flight *f)
{
    struct world *world = to->world;
    const struct agent_datagram d = {
        .source = f->source,
        .destination = f->destination,
        .protocol = f->protocol,
        .source_port = f->source_port,
        .destination_port = f->destination_port,
        .on_home_link = true,
        .source_mac = world->nodes[f->from].mac,
        .payload = f->bytes,
        .len = f->len,
    };
    const uint64_t before = agent_counters(to->agent)->n[AGENT_PEER_RECEIVED];
    agent_input(to->agent, &d, appliance_instant(to));
    return agent_counters(to->agent)->n[AGENT_PEER_RECEIVED] != before;
}

void network_arrive(struct world *world, struct flight *f)
{
    struct appliance *to = &world->nodes[f->to];
    if (to->frozen && chance_percent(&world->chance, 50)) { /* waits in a queue */
        const uint64_t late = chance_below(&world->chance, 100 * NSEC_PER_US);
        world_at(world, &f->timer, WAKE_FLIGHT, to->thaw_ns - world->now_ns + late);
        return;
    }
    if (!appliance_is_live(to)) {
        network_path(world, f->from, f->to)->calm_ns = world->now_ns;
        free(f);
        return;
    }
    world_trace(world, "  arrives", (int)f->from, (int)f->to, TRACE_NOBODY, f->type, 0);
    if (network_hand_over(to, f)) {
        attacker_hears(world, f);
        invariants_arrived(world, f);
    }
    free(f);
    appliance_settle(to);
}
