/* SPDX-License-Identifier: BSD-3-Clause */
#include "population.h"

#include <netinet/in.h>
#include <stdlib.h>

#include <rte_malloc.h>

#include "tunnel.h"

enum {
    ADDRESS_BITS = 25,
    NEXT_HOPS = 16,
    LOCAL_MAX = 1,           /* addresses of the appliance in the table */
    PATH_MTU = 2000,         /* nothing is fragmented, also with the largest header in front */
    BYTES_PER_BINDING = 640, /* all of a row together, with room to spare */
    BYTES_PER_WORKER = 16,   /* and binding: counters, and what of them was reported */
    BYTES_PER_BUFFER = 2560,
    MIB_BEFORE_BINDINGS = 160, /* packets, rings, the rest */
};
static_assert(1 << ADDRESS_BITS == POPULATION_ADDRESSES, "");

#define HOMES         UINT32_C(0x0a000000) /* 10.0.0.0/7 */
#define HOMES_IPV6    UINT64_C(0x20010db800000000)
#define CARE_OFS      UINT32_C(0x40000000) /* 64.0.0.0/7 */
#define CARE_OFS_IPV6 UINT64_C(0x20010db840000000)

/* A number below 2^25 becomes another one, each a different one. */
static uint32_t shuffled(uint32_t number)
{
    const uint32_t mask = POPULATION_ADDRESSES - 1;
    number = number * UINT32_C(0x9e3779b1) & mask;
    number ^= number >> 13;
    number = number * UINT32_C(0x85ebca6b) & mask;
    return number ^ number >> 12;
}

/* The same for 64 bits (the finalizer of splitmix64). */
static uint64_t shuffled_64(uint64_t z)
{
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

struct addr population_address(uint64_t prefix, uint64_t interface)
{
    const uint64_t half[2] = {rte_cpu_to_be_64(prefix), rte_cpu_to_be_64(interface)};
    struct addr a;
    memcpy(a.b, half, sizeof(a.b));
    return a;
}

struct addr population_home(const struct population *p, uint32_t number)
{
    if (p->capture != NULL)
        return addr_from_ipv4(ntohl(p->capture->homes[number]));
    return p->family == FAMILY_IPV6 ? population_address(HOMES_IPV6, shuffled_64(number + 1))
                                    : addr_from_ipv4(HOMES | shuffled(number));
}

static struct addr care_of(const struct population *p, uint32_t number)
{
    return setup_outer(p->encapsulation) == FAMILY_IPV6
               ? population_address(CARE_OFS_IPV6, shuffled_64(~(uint64_t)number))
               : addr_from_ipv4(CARE_OFS | shuffled(number));
}

static struct addr home_agent(enum family family)
{
    return family == FAMILY_IPV6 ? population_address(POPULATION_OWN_IPV6, 1)
                                 : addr_from_ipv4(POPULATION_HOME_AGENT);
}

struct entry population_tunnel(const struct population *p, uint32_t number, uint32_t moves)
{
    const struct tunnel tunnel = {
        .source = home_agent(setup_outer(p->encapsulation)),
        .destination = care_of(p, number),
        .encapsulation = p->encapsulation,
        .adjacency = 1 + (number + moves) % NEXT_HOPS,
        .path_mtu = PATH_MTU,
        .flags = ENTRY_REVERSE,
    };
    struct entry e = {.kind = ENTRY_NONE};
    entry_tunnel(&e, &tunnel);
    return e;
}

static void publish_next_hops(struct adjacencies *adjacencies)
{
    for (uint32_t i = 0; i < NEXT_HOPS; i++) {
        const struct mac mac = {{2, 0, 0, 0, 1, (uint8_t)i}};
        adjacency_publish(adjacencies, 1 + i, 0, &mac);
    }
}

/* ---- What workers are told ---- */

static uint32_t first_hop(void *context, const struct route *route)
{
    (void)context;
    (void)route;
    return 1;
}

/* Three routes of each family, as an appliance has them: its link, another one, and whatever is beyond. */
static struct exits *make_exits(void)
{
    static const char *const destinations[] = {"0.0.0.0/0", "192.0.2.0/24",       "192.168.0.0/16",
                                               "::/0",      "2001:db8:c000::/64", "2001:db8:c0a8::/48"};
    struct routes *routes = routes_create("bench", RTE_DIM(destinations));
    struct exits *exits = NULL;
    bool added = routes != NULL;
    for (size_t i = 0; added && i < RTE_DIM(destinations); i++) {
        struct route route = {.via = addr_unspecified};
        added = prefix_parse(destinations[i], &route.destination) && routes_add(routes, &route) == 0;
    }
    if (added)
        exits = exits_create(routes, first_hop, NULL);
    routes_destroy(routes);
    return exits;
}

/* The traffic meets neither network nor address: what its packets are compared with. */
static bool make_settings(struct population *p)
{
    p->exits = make_exits();
    p->settings = (struct worker_settings){
        .n_home_networks = FAMILY_COUNT,
        .id_slots = 1,
        .exits = p->exits,
    };
    struct home_network *network = p->settings.home_networks;
    network[FAMILY_IPV4].address = addr_from_ipv4(0xc0a80000);
    network[FAMILY_IPV4].mask = addr_from_ipv4(0xffff0000);
    memset(network[FAMILY_IPV4].mask.b, 0xff, 12);
    network[FAMILY_IPV6].address = population_address(UINT64_C(0x20010db8c0a80000), 0);
    network[FAMILY_IPV6].mask = population_address(UINT64_MAX, 0);
    for (int family = 0; family < FAMILY_COUNT; family++) {
        const struct addr own = home_agent((enum family)family);
        own_add(&p->settings.own, &own);
    }
    return p->exits != NULL;
}

/* ---- Filling ---- */

static void fill_array(struct population *p)
{
    for (uint32_t i = 0; i < p->n; i++) {
        p->entries[i] = population_tunnel(p, i, 0);
        p->entries[i].home = population_home(p, i);
        p->entries[i].slot = i;
    }
}

static bool fill_table(struct population *p)
{
    for (uint32_t i = 0; i < p->n; i++)
        if (table_install(p->table, &p->entries[i].home, &p->entries[i]) != 0)
            return false;
    if (p->capture != NULL)
        return true;
    struct addr own = home_agent(setup_outer(p->encapsulation));
    return table_install(p->table, &own, &(struct entry){.kind = ENTRY_LOCAL}) == 0;
}

static bool fill(struct population *p, unsigned readers, int socket)
{
    p->adjacencies = adjacencies_create(1 + NEXT_HOPS);
    p->entries =
        rte_malloc_socket("bench entries", (size_t)p->n * sizeof(*p->entries), RTE_CACHE_LINE_SIZE, socket);
    p->table = table_create(p->n + LOCAL_MAX, readers, socket);
    if (p->adjacencies == NULL || p->entries == NULL || p->table == NULL || !make_settings(p))
        return false;
    publish_next_hops(p->adjacencies);
    fill_array(p);
    p->peer = peer_create(p->family, p->entries, p->n, socket);
    return p->peer != NULL && fill_table(p);
}

struct population *population_create(enum family family, enum encapsulation encapsulation, uint32_t bindings,
                                     const struct capture *capture, unsigned readers, int socket)
{
    struct population *p = calloc(1, sizeof(*p));
    if (p == NULL)
        return NULL;
    p->family = family;
    p->encapsulation = encapsulation;
    p->capture = capture;
    p->n = capture != NULL ? capture->n_homes : bindings;
    if (fill(p, readers, socket))
        return p;
    population_destroy(p);
    return NULL;
}

void population_destroy(struct population *p)
{
    if (p == NULL)
        return;
    peer_destroy(p->peer);
    table_destroy(p->table);
    rte_free(p->entries);
    exits_destroy(p->exits);
    adjacencies_destroy(p->adjacencies);
    free(p);
}

double population_table_bytes(const struct population *p)
{
    return (double)table_memory(p->table) / p->n;
}

double population_peer_bytes(const struct population *p)
{
    return (double)peer_memory(p->peer) / p->n + sizeof(struct entry);
}

unsigned population_mib(uint32_t n, unsigned workers, unsigned buffers)
{
    uint64_t bytes = (uint64_t)n * (BYTES_PER_BINDING + BYTES_PER_WORKER * workers) +
                     (uint64_t)buffers * BYTES_PER_BUFFER * workers;
    return MIB_BEFORE_BINDINGS + (unsigned)(bytes >> 20);
}
