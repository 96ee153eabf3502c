/* SPDX-License-Identifier: BSD-3-Clause */
#include "changes.h"

#include "zipf.h"

enum { TURN = 32 /* changes between two times that control reclaims */ };

bool changes_open(struct bench *bench)
{
    bench->moved = true;
    return true;
}

/* Evenly over all bindings, from anywhere on: each once. The lane's keys and entries are at hand when the lap
 * begins, as they are for control. */
void changes_prepare(struct lane *lane)
{
    uint32_t n = lane->population->n;
    table_reclaim(lane->population->table, SIZE_MAX); /* of other rows' */
    lane->work = lane->bound = RTE_MIN(RTE_MIN(n, (uint32_t)LANE_CHANGES), lane->buffers);
    uint32_t start = random_below(&lane->random, n), step = n / lane->work;
    lane->moves++;
    for (unsigned k = 0; k < lane->work; k++) {
        uint32_t number = (uint32_t)(((uint64_t)start + (uint64_t)k * step) % n);
        lane->keys[k] = population_home(lane->population, number);
        lane->ready[k] = population_tunnel(lane->population, number, lane->moves);
    }
}

static void reclaim(struct lane *lane, unsigned k)
{
    if ((k + 1) % TURN == 0 || k + 1 == lane->work)
        table_reclaim(lane->population->table, TURN);
}

unsigned changes_install(struct lane *lane)
{
    unsigned done = 0;
    for (unsigned k = 0; k < lane->work; k++)
        done += table_install(lane->population->table, &lane->keys[k], &lane->ready[k]) == 0;
    return done;
}

unsigned changes_replace(struct lane *lane)
{
    unsigned done = 0;
    for (unsigned k = 0; k < lane->work; k++) {
        done += table_install(lane->population->table, &lane->keys[k], &lane->ready[k]) == 0;
        reclaim(lane, k);
    }
    return done;
}

unsigned changes_remove(struct lane *lane)
{
    unsigned done = 0;
    for (unsigned k = 0; k < lane->work; k++) {
        done += table_remove(lane->population->table, &lane->keys[k]) == 0;
        reclaim(lane, k);
    }
    return done;
}

void changes_prepare_install(struct lane *lane)
{
    changes_prepare(lane);
    changes_remove(lane);
}

void changes_restore(struct lane *lane)
{
    changes_install(lane);
}
