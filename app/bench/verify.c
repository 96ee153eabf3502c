/* SPDX-License-Identifier: BSD-3-Clause */
#include "verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct made {
    uint16_t len;
    uint8_t bytes[RTE_MBUF_DEFAULT_DATAROOM];
};

static bool equals(const struct made *made, const struct rte_mbuf *m)
{
    return made->len == m->data_len && made->len == m->pkt_len &&
           memcmp(made->bytes, rte_pktmbuf_mtod(m, const void *), made->len) == 0;
}

static void keep(struct made *made, const struct rte_mbuf *m)
{
    made->len = RTE_MIN(m->data_len, (uint16_t)sizeof(made->bytes));
    memcpy(made->bytes, rte_pktmbuf_mtod(m, const void *), made->len);
}

static void make_by_worker(struct lane *lane)
{
    worker_start(lane->worker);
    while (lane->queue.next < lane->queue.n)
        worker_turn(lane->worker);
    worker_offline(lane->worker);
}

static bool compare(const struct lane *lane, const struct made *made)
{
    if (lane->queue.n_sent != lane->work) {
        fprintf(stderr, "homeport-bench: the worker sent %u of %u packets\n", lane->queue.n_sent, lane->work);
        return false;
    }
    for (unsigned k = 0; k < lane->work; k++)
        if (!equals(&made[k], lane->queue.sent[k])) {
            fprintf(stderr, "homeport-bench: floor and worker make different packets of frame %u\n", k);
            return false;
        }
    return true;
}

bool verify_floor(struct lane *lane, unsigned (*yardstick)(struct lane *))
{
    uint32_t cursor = lane->cursor;
    struct made *made = malloc(lane->buffers * sizeof(*made));
    if (made == NULL)
        return false;
    lane_prepare_frames(lane);
    yardstick(lane);
    for (unsigned k = 0; k < lane->work; k++)
        keep(&made[k], lane->frames[k]);

    lane->cursor = cursor;
    lane_prepare_frames(lane);
    make_by_worker(lane);
    bool same = compare(lane, made);
    free(made);
    return same;
}
