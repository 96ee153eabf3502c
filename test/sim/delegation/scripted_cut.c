/* SPDX-License-Identifier: BSD-3-Clause */
/* Scripts in which a path is cut for a moment. */
#include "script.h"

/* ---- For a second, less than a lease: whoever hears again is soon given one again ---- */
enum way { WAY_BOTH, WAY_DOWN, WAY_UP, WAYS };
enum { LENGTHS = 3, TRIPS = 2, PHASES = CUT_VARIANTS / WAYS / LENGTHS / TRIPS };
enum { KEEPALIVE_MS = 500, RETRY_MS = 200, BATCH_MS = 5, WATCHED_MS = 5000 };

static void cut(struct world *world, enum way way, bool on)
{
    if (way != WAY_UP)
        world->network.down[1].cut = on;
    if (way != WAY_DOWN)
        world->network.up[1].cut = on;
}

/* The last moment from now on at which somebody was intercepted by nobody. */
static uint64_t gap_ms(struct world *world)
{
    uint64_t last = 0;
    for (uint64_t ms = 1; ms <= WATCHED_MS; ms++) {
        wait_ms(world, 1);
        if (intercepted(world) < world->n_mobiles)
            last = ms;
    }
    return last;
}

/* At each moment between two KEEPALIVEs; also so that an answer is lost whose KEEPALIVE was not. */
void cut_for_a_second(struct world *world, uint64_t variant)
{
    static const uint64_t length_ms[LENGTHS] = {1000, 1020, 1040}, trip_ms[TRIPS] = {1, 20};
    const enum way way = variant % WAYS;
    const uint64_t length = length_ms[variant / WAYS % LENGTHS];
    const uint64_t trip = trip_ms[variant / WAYS / LENGTHS % TRIPS];
    const uint64_t phase = variant / WAYS / LENGTHS / TRIPS;
    struct plan plan = plan_of(1, 4);
    plan.faults = (struct faults){.delay_ns = trip * NSEC_PER_MS};
    scenario_begin(world, variant, &plan);
    wait_ms(world, 4000);
    register_all(world, 300);
    delegate_all_to_s1(world);
    wait_ms(world, phase * KEEPALIVE_MS / PHASES);
    world->disturbed = true;
    cut(world, way, true);
    wait_ms(world, length);
    cut(world, way, false);
    /* A KEEPALIVE, at once another one that says that the answer was heard, and its answer; or HELLO, its
     * answer, KEEPALIVE, and STARTs when they have waited for company. */
    expect(world, gap_ms(world) <= RETRY_MS + 4 * trip + BATCH_MS + 1, "everybody is soon intercepted again");
    world_settle(world);
}
