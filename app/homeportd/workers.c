/* SPDX-License-Identifier: BSD-3-Clause */
#include "workers.h"

#include <errno.h>
#include <stdatomic.h>

#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_malloc.h>

#include "idle.h"

static atomic_bool stopping;

struct run {
    struct worker *worker;
    bool adaptive;
};

static struct run runs[RTE_MAX_LCORE];

static int run_worker(void *argument)
{
    const struct run *run = argument;
    struct idle idle = idle_begin(run->adaptive);
    worker_start(run->worker);
    while (!atomic_load_explicit(&stopping, memory_order_relaxed)) {
        long sleep_ns = idle_sleep_ns(&idle, worker_turn(run->worker) > 0);
        if (sleep_ns == 0)
            continue;
        worker_offline(run->worker); /* a sleeper must not hold up the writer */
        idle_sleep(sleep_ns);
        worker_online(run->worker);
    }
    worker_offline(run->worker);
    return 0;
}

static struct binding_counter *make_counters(const struct control *c)
{
    return rte_zmalloc("binding counters", sizeof(struct binding_counter) * table_slots(c->table),
                       RTE_CACHE_LINE_SIZE);
}

static void free_worker(struct worker *w)
{
    if (w == NULL)
        return;
    rte_free(w->bindings);
    rte_free(w->rates.reported);
    rte_free(w);
}

static struct worker *make_worker(struct control *c, unsigned index)
{
    struct worker *w = rte_zmalloc("worker", sizeof(*w), RTE_CACHE_LINE_SIZE);
    if (w == NULL)
        return NULL;
    w->index = index;
    w->workers = c->n_workers;
    w->table = c->table;
    w->adjacencies = c->adjacencies;
    w->punts = &c->punts;
    w->pool = c->pool;
    ports_assign(&c->ports, w);
    w->bindings = make_counters(c);
    w->rates = (struct rate_sweep){
        .ring = rates_ring(c->rates), .counters = w->bindings, .reported = make_counters(c)};
    if (w->bindings != NULL && w->rates.reported != NULL)
        return w;
    free_worker(w);
    return NULL;
}

int workers_create(struct control *c)
{
    c->workers = calloc(c->n_workers, sizeof(*c->workers));
    if (c->workers == NULL)
        return -ENOMEM;
    for (unsigned i = 0; i < c->n_workers; i++) {
        c->workers[i] = make_worker(c, i);
        if (c->workers[i] == NULL) {
            workers_destroy(c);
            return -ENOMEM;
        }
    }
    return 0;
}

void workers_destroy(struct control *c)
{
    for (unsigned i = 0; c->workers != NULL && i < c->n_workers; i++)
        free_worker(c->workers[i]);
    free(c->workers);
    c->workers = NULL;
}

int workers_start(struct control *c)
{
    unsigned lcore, i = 0;
    atomic_store(&stopping, false);
    RTE_LCORE_FOREACH_WORKER(lcore)
    {
        runs[lcore] = (struct run){.worker = c->workers[i++], .adaptive = c->conf->idle == IDLE_ADAPTIVE};
        int ret = rte_eal_remote_launch(run_worker, &runs[lcore], lcore);
        if (ret != 0)
            return ret;
    }
    return 0;
}

void workers_stop(struct control *c)
{
    (void)c;
    atomic_store(&stopping, true);
    rte_eal_mp_wait_lcore();
}
