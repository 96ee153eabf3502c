/* SPDX-License-Identifier: BSD-3-Clause */
#include "route.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_errno.h>
#include <rte_memory.h>
#include <rte_rib.h>
#include <rte_rib6.h>

static_assert(sizeof(struct addr) == 16, "addresses are given to rte_rib6 as they are");

enum { RIB_NAME_MAX = 64 }; /* DPDK's RTE_RIB_NAMESIZE, which is not in its headers */

/* The trees hold a route's index in all[] as their next hop. */
struct routes {
    struct rte_rib *v4;
    struct rte_rib6 *v6;
    size_t count;
    size_t capacity;
    struct route all[];
};

/* A tree of n prefixes has at most n - 1 branching nodes besides. */
static int most_nodes(size_t capacity)
{
    return (int)(2 * capacity);
}

static bool name_for(char *out, size_t size, const char *name, const char *family)
{
    int len = snprintf(out, size, "%s_%s", name, family);
    if (len >= 0 && (size_t)len < size)
        return true;
    rte_errno = ENAMETOOLONG;
    return false;
}

static struct rte_rib *create_v4(const char *name, size_t capacity)
{
    const struct rte_rib_conf conf = {.max_nodes = most_nodes(capacity)};
    char own[RIB_NAME_MAX];
    return name_for(own, sizeof(own), name, "4") ? rte_rib_create(own, SOCKET_ID_ANY, &conf) : NULL;
}

static struct rte_rib6 *create_v6(const char *name, size_t capacity)
{
    const struct rte_rib6_conf conf = {.max_nodes = most_nodes(capacity)};
    char own[RIB_NAME_MAX];
    return name_for(own, sizeof(own), name, "6") ? rte_rib6_create(own, SOCKET_ID_ANY, &conf) : NULL;
}

struct routes *routes_create(const char *name, size_t capacity)
{
    if (capacity == 0 || capacity > INT32_MAX / 2) {
        rte_errno = EINVAL;
        return NULL;
    }
    struct routes *r = calloc(1, sizeof(*r) + capacity * sizeof(r->all[0]));
    if (r == NULL) {
        rte_errno = ENOMEM;
        return NULL;
    }
    r->capacity = capacity;
    r->v4 = create_v4(name, capacity);
    if (r->v4 != NULL)
        r->v6 = create_v6(name, capacity);
    if (r->v6 == NULL) {
        int error = rte_errno;
        routes_destroy(r);
        rte_errno = error;
        return NULL;
    }
    return r;
}

void routes_destroy(struct routes *r)
{
    if (r == NULL)
        return;
    rte_rib_free(r->v4);
    rte_rib6_free(r->v6);
    free(r);
}

/* rte_rib6 takes 16 bytes, which DPDK declares as an array of them up to 24.07 and as struct rte_ipv6_addr
 * since 24.11: a pointer to void is good for both. */
static const void *rib6_address(const struct addr *address)
{
    return address->b;
}

/* False: rte_errno. */
static bool insert_v4(struct routes *r, const struct prefix *p, size_t index)
{
    struct rte_rib_node *node = rte_rib_insert(r->v4, addr_ipv4(&p->addr), p->bits);
    return node != NULL && rte_rib_set_nh(node, index) == 0;
}

static bool insert_v6(struct routes *r, const struct prefix *p, size_t index)
{
    struct rte_rib6_node *node = rte_rib6_insert(r->v6, rib6_address(&p->addr), p->bits);
    return node != NULL && rte_rib6_set_nh(node, index) == 0;
}

int routes_add(struct routes *r, const struct route *route)
{
    if (r->count == r->capacity)
        return -ENOSPC;
    const struct prefix network = prefix_network(&route->destination);
    const bool inserted =
        addr_is_ipv4(&network.addr) ? insert_v4(r, &network, r->count) : insert_v6(r, &network, r->count);
    if (!inserted)
        return rte_errno == EEXIST ? -EEXIST : -ENOSPC;
    r->all[r->count] = *route;
    r->all[r->count++].destination = network;
    return 0;
}

static bool lookup_v4(const struct routes *r, const struct addr *address, uint64_t *index)
{
    struct rte_rib_node *node = rte_rib_lookup(r->v4, addr_ipv4(address));
    return node != NULL && rte_rib_get_nh(node, index) == 0;
}

static bool lookup_v6(const struct routes *r, const struct addr *address, uint64_t *index)
{
    struct rte_rib6_node *node = rte_rib6_lookup(r->v6, rib6_address(address));
    return node != NULL && rte_rib6_get_nh(node, index) == 0;
}

const struct route *routes_match(const struct routes *r, const struct addr *address)
{
    uint64_t index;
    if (!(addr_is_ipv4(address) ? lookup_v4(r, address, &index) : lookup_v6(r, address, &index)))
        return NULL;
    return &r->all[index];
}

bool routes_lookup(const struct routes *r, const struct addr *address, struct route *out,
                   struct addr *next_hop)
{
    const struct route *route = routes_match(r, address);
    if (route == NULL)
        return false;
    *out = *route;
    *next_hop = addr_is_unspecified(&out->via) ? *address : out->via;
    return true;
}

size_t routes_count(const struct routes *r)
{
    return r->count;
}

const struct route *routes_at(const struct routes *r, size_t i)
{
    return &r->all[i];
}
