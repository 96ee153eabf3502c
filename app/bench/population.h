/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The bindings that traffic is for: N home addresses in no order, each with a care-of address and so a tunnel
 * of its own, over sixteen next hops. The same in three places: an array (direct index), the binding table,
 * and its peer over rte_hash.
 *
 * Home addresses with a number from N on have no binding. Filled by the main thread; of the table the rows
 * about changes then own the writer's side.
 */
#ifndef BENCH_POPULATION_H
#define BENCH_POPULATION_H

#include <stdint.h>

#include "adjacency.h"
#include "capture.h"
#include "peer.h"
#include "setup.h"
#include "table.h"
#include "worker.h"

#define POPULATION_HOME_AGENT UINT32_C(0xc0000201)         /* 192.0.2.1, host order */
#define POPULATION_OWN_IPV6   UINT64_C(0x20010db8c0000000) /* 2001:db8:c000::1 */

enum { POPULATION_ADDRESSES = 1 << 25 }; /* numbers are below */

struct population {
    enum family family;
    enum encapsulation encapsulation;
    uint32_t n;
    const struct capture *capture; /* NULL: addresses of our own */
    struct entry *entries;         /* n, home filled in, slot the index */
    struct table *table;
    struct peer *peer;
    struct adjacencies *adjacencies;
    struct worker_settings settings; /* as control publishes them */
    struct exits *exits;             /* in them: where packets out of reverse tunnels go */
};

/* capture: its destinations, instead of `bindings` of our own; NULL: none. NULL: no memory. */
struct population *population_create(enum family family, enum encapsulation encapsulation, uint32_t bindings,
                                     const struct capture *capture, unsigned readers, int socket);
void population_destroy(struct population *population);

struct addr population_address(uint64_t prefix, uint64_t interface);
struct addr population_home(const struct population *population, uint32_t number);
/* Binding `number` as it is ready for the table. moves: how often it has changed its next hop, but not its
 * care-of address, from which reverse tunnelled packets may come. */
struct entry population_tunnel(const struct population *population, uint32_t number, uint32_t moves);
/* Bytes of memory for each binding: of the table, of its peer. */
double population_table_bytes(const struct population *population);
double population_peer_bytes(const struct population *population);
/* Mebibytes that n bindings take, everything in: packet buffers, workers, both tables. */
unsigned population_mib(uint32_t n, unsigned workers, unsigned buffers);

#endif
