/* SPDX-License-Identifier: BSD-3-Clause */
#include "lane.h"

#include <stdio.h>
#include <stdlib.h>

#include <rte_malloc.h>
#include <rte_prefetch.h>

enum {
    POOL_CACHE = 256,
    POOL_SPARE = 1023, /* in caches, and what a worker holds back */
    PREPARE_AHEAD = 8,
    MTU = 1500
};

static struct worker *make_worker(struct lane *lane)
{
    struct worker *w = rte_zmalloc("bench worker", sizeof(*w), RTE_CACHE_LINE_SIZE);
    if (w == NULL)
        return NULL;
    w->index = lane->index;
    w->workers = lane->setup->workers;
    w->table = lane->population->table;
    w->adjacencies = lane->population->adjacencies;
    w->settings = &lane->population->settings;
    w->punts = &lane->punts;
    w->pool = lane->pool;
    w->bindings = lane->counters;
    w->n_ports = 1;
    w->port[0] = (struct worker_port){.port_id = device_port(),
                                      .mtu = MTU,
                                      .mac = lane->traffic->port,
                                      .receive = true,
                                      .own_tx = true,
                                      .rx_queue = (uint16_t)lane->index,
                                      .tx_queue = (uint16_t)lane->index};
    return w;
}

static bool make_lists(struct lane *lane)
{
    size_t n = lane->buffers;
    lane->number = calloc(n, sizeof(*lane->number));
    lane->keys = calloc(n, sizeof(*lane->keys));
    lane->tags = calloc(n, sizeof(*lane->tags));
    lane->frames = calloc(n + POOL_SPARE, sizeof(struct rte_mbuf *));
    lane->queue.sent = calloc(n + POOL_SPARE, sizeof(struct rte_mbuf *));
    return lane->number != NULL && lane->keys != NULL && lane->tags != NULL && lane->frames != NULL &&
           lane->queue.sent != NULL;
}

static bool make_counters(struct lane *lane, int socket)
{
    uint32_t slots = RTE_MAX(table_slots(lane->population->table), lane->population->n);
    size_t size = (size_t)slots * sizeof(*lane->counters);
    lane->counters = rte_malloc_socket("bench counters", size, RTE_CACHE_LINE_SIZE, socket);
    if (lane->counters == NULL)
        return false;
    memset(lane->counters, 0, size); /* here, and not in a lap, the kernel brings its pages */
    return true;
}

static bool make(struct lane *lane, int socket)
{
    char name[RTE_MEMPOOL_NAMESIZE];
    snprintf(name, sizeof(name), "lane%u", lane->index);
    if (punt_rings_create(&lane->punts, name, socket) != 0)
        return false;
    lane->pool = rte_pktmbuf_pool_create(name, lane->buffers + POOL_SPARE, POOL_CACHE, PUNT_META_SIZE,
                                         RTE_MBUF_DEFAULT_BUF_SIZE, socket);
    if (lane->pool == NULL || !make_lists(lane) || !make_counters(lane, socket))
        return false;
    lane->worker = make_worker(lane);
    lane->peer_worker = make_worker(lane);
    return lane->worker != NULL && lane->peer_worker != NULL;
}

struct lane *lane_create(unsigned index, const struct setup *setup, struct population *population,
                         const struct traffic *traffic, unsigned buffers, int socket)
{
    struct lane *lane = calloc(1, sizeof(*lane));
    if (lane == NULL)
        return NULL;
    lane->index = index;
    lane->setup = setup;
    lane->population = population;
    lane->traffic = traffic;
    lane->cursor = (uint32_t)((uint64_t)traffic->n * index / setup->workers);
    lane->buffers = buffers;
    lane->random = index;
    if (make(lane, socket))
        return lane;
    lane_destroy(lane);
    return NULL;
}

static void free_frames(struct lane *lane)
{
    rte_pktmbuf_free_bulk(lane->queue.sent, lane->queue.n_sent);
    rte_pktmbuf_free_bulk(lane->frames, lane->n_frames);
}

void lane_destroy(struct lane *lane)
{
    if (lane == NULL)
        return;
    if (lane->frames != NULL)
        free_frames(lane);
    rte_free(lane->worker);
    rte_free(lane->peer_worker);
    rte_free(lane->counters);
    punt_rings_destroy(&lane->punts);
    rte_mempool_free(lane->pool);
    free(lane->number);
    free(lane->keys);
    free(lane->tags);
    free(lane->frames);
    free(lane->queue.sent);
    free(lane);
}

/* ---- Between laps ---- */

static void drop_punted(struct lane *lane)
{
    struct rte_mbuf *m;
    for (int c = 0; c < PUNT_CLASS_COUNT; c++)
        while (rte_ring_sc_dequeue(lane->punts.ring[c], (void **)&m) == 0)
            rte_pktmbuf_free(m);
}

/* What a worker has sent is at hand again; what it has dropped comes anew from the pool, which has it. */
static void take_back(struct lane *lane)
{
    struct queue *q = &lane->queue;
    if (q->next > 0) {
        struct rte_mbuf **sent = q->sent;
        q->sent = lane->frames;
        lane->frames = sent;
        lane->n_frames = q->n_sent;
        q->next = q->n_sent = 0;
        drop_punted(lane);
    }
    if (lane->n_frames < lane->buffers && rte_pktmbuf_alloc_bulk(lane->pool, lane->frames + lane->n_frames,
                                                                 lane->buffers - lane->n_frames) == 0)
        lane->n_frames = lane->buffers;
}

/* Returns the draw. */
static uint32_t next_draw(struct lane *lane, unsigned k)
{
    uint32_t i = lane->cursor;
    lane->cursor = i + 1 < lane->traffic->n ? i + 1 : 0;
    lane->number[k] = traffic_number(lane->traffic, i);
    lane->bound += lane->number[k] < lane->population->n;
    return i;
}

static void write_key(struct lane *lane, unsigned k)
{
    lane->keys[k] = population_home(lane->population, lane->number[k]);
    lane->tags[k] = cuckoo_tag(&lane->keys[k]);
}

void lane_prepare_keys(struct lane *lane)
{
    lane->bound = 0;
    lane->work = lane->buffers;
    for (unsigned k = 0; k < lane->work; k++) {
        next_draw(lane, k);
        write_key(lane, k);
    }
}

/* For a worker to receive. */
static void offer(struct lane *lane)
{
    struct queue *q = &lane->queue;
    q->frames = lane->frames;
    q->n = lane->work;
    q->burst = lane->setup->burst;
}

static void prepare(struct lane *lane, void (*write)(const struct traffic *, uint32_t, struct rte_mbuf *))
{
    take_back(lane);
    lane->bound = 0;
    lane->work = lane->n_frames;
    for (unsigned k = 0; k < lane->work; k++) {
        if (k + PREPARE_AHEAD < lane->work) {
            rte_prefetch0(lane->frames[k + PREPARE_AHEAD]);
            rte_prefetch0(rte_pktmbuf_mtod(lane->frames[k + PREPARE_AHEAD / 2], void *));
        }
        write(lane->traffic, next_draw(lane, k), lane->frames[k]);
    }
    offer(lane);
}

void lane_prepare_frames(struct lane *lane)
{
    prepare(lane, traffic_write);
}

void lane_prepare_hot(struct lane *lane)
{
    lane_prepare_frames(lane);
    memset(lane->number, 0, lane->work * sizeof(lane->number[0]));
}

void lane_prepare_reverse(struct lane *lane)
{
    prepare(lane, traffic_write_reverse);
}
