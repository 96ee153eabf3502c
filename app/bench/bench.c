/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

#include <rte_lcore.h>

#include "machine.h"

static bool serves(const struct population *p, const struct setup *setup)
{
    return p->family == setup->family && p->encapsulation == setup->encapsulation && p->n == setup->bindings;
}

static struct population *renew(struct population *before, const struct setup *setup,
                                const struct capture *capture)
{
    if (before != NULL && serves(before, setup))
        return before;
    population_destroy(before);
    return population_create(setup->family, setup->encapsulation, setup->bindings, capture, SETUP_WORKERS_MAX,
                             (int)rte_socket_id());
}

static int socket_of(unsigned lane)
{
    return (int)rte_lcore_to_socket_id(machine_lane_lcore(lane));
}

static bool make(struct bench *b, const struct bench_wish *wish, struct population *before)
{
    b->population = renew(before, &b->setup, wish->capture);
    if (b->population == NULL)
        return false;
    peer_choose(b->population->peer);
    b->traffic = traffic_create(&b->setup, b->population, wish->checksum_good);
    if (b->traffic == NULL)
        return false;
    for (unsigned i = 0; i < b->setup.workers; i++) {
        b->lane[i] = lane_create(i, &b->setup, b->population, b->traffic, wish->buffers, socket_of(i));
        if (b->lane[i] == NULL)
            return false;
        device_attach(i, &b->lane[i]->queue);
    }
    return true;
}

struct bench *bench_create(const struct setup *setup, const struct bench_wish *wish,
                           struct population *population)
{
    struct bench *b = calloc(1, sizeof(*b));
    if (b == NULL) {
        population_destroy(population);
        return NULL;
    }
    b->setup = *setup;
    b->spare_lcore = machine_spare_lcore(setup->workers);
    if (make(b, wish, population))
        return b;
    fprintf(stderr, "homeport-bench: no memory for %u bindings and %u workers\n", setup->bindings,
            setup->workers);
    population_destroy(bench_destroy(b));
    return NULL;
}

struct population *bench_destroy(struct bench *b)
{
    struct population *population = b->population;
    for (unsigned i = 0; i < b->setup.workers; i++)
        lane_destroy(b->lane[i]);
    traffic_destroy(b->traffic);
    if (b->moved) {
        population_destroy(population);
        population = NULL;
    }
    free(b);
    return population;
}
