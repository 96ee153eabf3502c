/* SPDX-License-Identifier: BSD-3-Clause */
#include "peer_world.h"

#include <string.h>

struct world world;

struct instant *world_now(void)
{
    return &world.flock.lab.now;
}

struct addr world_address(unsigned end)
{
    return addr_from_ipv4(0x0a010001u + end);
}

struct peer *world_peer(unsigned end)
{
    return world.ends[end].agent->peers;
}

/* ---- Mobile nodes ---- */

/* The lab's number, among those of its family. */
static size_t number(size_t home)
{
    return home < MOBILES ? home / 2 : LAB_MOBILES + home / 2;
}

bool world_is_ipv6(size_t home)
{
    return home % 2 == 1;
}

struct addr world_home(size_t n)
{
    return world_is_ipv6(n) ? lab6_home(number(n)) : lab_home(number(n));
}

struct addr world_care_of(size_t home, unsigned n)
{
    return world_is_ipv6(home) ? lab6_care_of(n) : addr_from_ipv4(0xc0000200u + n);
}

static struct agent_datagram registration(size_t i, const struct addr *care_of, uint8_t bytes[static 512])
{
    struct lab *lab = &world.flock.lab;
    struct ask ask = care_of == NULL ? lab_ask_return(lab, i) : lab_ask(lab, i);
    if (care_of != NULL)
        ask.q.care_of = ask.source = *care_of;
    return (struct agent_datagram){.source = ask.source,
                                   .destination = ask.destination,
                                   .protocol = IPPROTO_NUM_UDP,
                                   .source_port = ask.source_port,
                                   .destination_port = MIP4_PORT,
                                   .on_home_link = true,
                                   .source_mac = ask.mac,
                                   .payload = bytes,
                                   .len = lab_encode(lab, &ask, bytes, 512)};
}

static struct agent_datagram update(size_t i, const struct addr *care_of, uint8_t bytes[static 512])
{
    struct lab *lab = &world.flock.lab;
    struct ask6 ask = care_of == NULL ? lab6_ask_return(lab, i) : lab6_ask(lab, i);
    if (care_of != NULL)
        ask.source = *care_of;
    return lab6_datagram(&ask, bytes, lab6_encode(lab, &ask, bytes, 512));
}

struct agent_datagram world_request(size_t mobile, const struct addr *care_of, uint8_t bytes[static 512])
{
    return world_is_ipv6(mobile) ? update(number(mobile), care_of, bytes)
                                 : registration(number(mobile), care_of, bytes);
}

void world_populate(void)
{
    lab_populate(&world.flock.lab);
    lab6_populate(&world.flock.lab);
}

/* ---- Effects ---- */
struct forwarding *world_installed(struct end *end, const struct addr *home)
{
    for (size_t i = 0; i < end->n_installed; i++)
        if (addr_equal(&end->installed[i].home, home))
            return &end->installed[i];
    return NULL;
}

static void install(struct end *end, const struct forwarding *f)
{
    struct forwarding *known = world_installed(end, &f->home);
    fuzz_require(f->n_care_of >= 1 && f->n_care_of <= AGENT_CARE_OF_MAX);
    fuzz_require(known != NULL || end->n_installed < INSTALLED);
    *(known != NULL ? known : &end->installed[end->n_installed++]) = *f;
}

static void uninstall(struct end *end, const struct addr *home)
{
    struct forwarding *known = world_installed(end, home);
    if (known != NULL)
        *known = end->installed[--end->n_installed];
}

static void post(const struct message *m)
{
    fuzz_require(m->len <= DELEGATION_MAX);
    if (m->destination_port != DELEGATION_PORT)
        return;
    fuzz_require(world.n_wire < WIRE);
    world.wire[world.n_wire++] = *m;
    world.kept[world.n_kept++ % KEPT] = *m;
}

static void carry_out(struct end *end, const struct effect *e)
{
    if (e->kind == EFFECT_INSTALL)
        install(end, &e->install);
    else if (e->kind == EFFECT_REMOVE)
        uninstall(end, &e->remove);
    else if (e->kind == EFFECT_SEND)
        post(&e->send);
    else if (e->kind == EFFECT_ANNOUNCE)
        fuzz_require(!e->announce.ours || agent_intercepts(end->agent, &e->announce.home));
}

void world_collect(void)
{
    const struct effect *e;
    for (size_t i = 0; i < ENDS; i++)
        while ((e = agent_pop(world.ends[i].agent)) != NULL)
            carry_out(&world.ends[i], e);
}

/* ---- The wire ---- */
unsigned world_end_at(const struct addr *address)
{
    const struct addr primary = world_address(PRIMARY);
    return addr_equal(address, &primary) ? PRIMARY : SECONDARY;
}

void world_feed(unsigned to, const struct addr *from, const uint8_t *bytes, size_t len)
{
    const struct agent_datagram d = {.source = *from,
                                     .destination = world_address(to),
                                     .protocol = IPPROTO_NUM_UDP,
                                     .source_port = DELEGATION_PORT,
                                     .destination_port = DELEGATION_PORT,
                                     .on_home_link = true,
                                     .payload = bytes,
                                     .len = len};
    agent_input(world.ends[to].agent, &d, *world_now());
}

void world_pump(void)
{
    for (world_collect(); world.n_wire > 0; world_collect()) {
        const struct message m = world.wire[0];
        const unsigned to = world_end_at(&m.destination);
        memmove(world.wire, world.wire + 1, --world.n_wire * sizeof(world.wire[0]));
        if (!world.ends[to].lost)
            world_feed(to, &m.source, m.bytes, m.len);
    }
}

static uint64_t next_due(void)
{
    const uint64_t one = agent_deadline(world.ends[PRIMARY].agent);
    const uint64_t other = agent_deadline(world.ends[SECONDARY].agent);
    return one < other ? one : other;
}

static void advance(uint64_t to_ns)
{
    const uint64_t ns = to_ns - world_now()->mono_ns;
    world_now()->mono_ns = to_ns;
    world_now()->ntp +=
        ntp_from_seconds((uint32_t)(ns / NSEC_PER_S)) + ((ns % NSEC_PER_S) << 32) / NSEC_PER_S;
}

void world_wait_ms(uint64_t ms)
{
    const uint64_t end = world_now()->mono_ns + ms * NSEC_PER_MS;
    unsigned stuck = 0;
    world_pump();
    for (uint64_t at; (at = next_due()) <= end;) {
        stuck = at > world_now()->mono_ns ? 0 : stuck + 1;
        fuzz_require(stuck < STUCK);
        if (at > world_now()->mono_ns)
            advance(at);
        agent_expire(world.ends[PRIMARY].agent, *world_now(), 100);
        agent_expire(world.ends[SECONDARY].agent, *world_now(), 100);
        world_pump();
    }
    advance(end);
}
