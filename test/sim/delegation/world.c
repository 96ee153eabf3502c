/* SPDX-License-Identifier: BSD-3-Clause */
#include "world.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void *world_alloc(size_t size)
{
    void *p = calloc(1, size);
    if (p == NULL)
        abort();
    return p;
}

void world_at(struct world *world, struct timer *timer, enum wake kind, uint64_t delay_ns)
{
    timer->kind = kind;
    if (!timerq_set(world->queue, timer, world->now_ns + delay_ns))
        abort();
}

void world_trace(struct world *world, const char *what, int node, int peer, int mobile, uint64_t a,
                 uint64_t b)
{
    const struct trace_line line = {world->now_ns, what, (int16_t)node, (int16_t)peer, mobile, a, b};
    trace_add(&world->trace, &line);
}

void world_violates(struct world *world, const char *rule, const char *format, ...)
{
    va_list args;
    fprintf(stderr, "seed %" PRIu64 ", %.6f s, event %" PRIu64 ": %s: ", world->seed,
            (double)world->now_ns / (double)NSEC_PER_S, world->tally.events, rule);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    snprintf(world->rule, sizeof(world->rule), "%s", rule);
    longjmp(world->abandon, 1);
}

/* ---- Beginning and end ---- */
void world_open(struct world *world, uint64_t seed, const struct plan *plan)
{
    const bool live = world->trace.live;
    world->seed = seed;
    world->chance.state = seed;
    world->plan = *plan;
    world->n_nodes = 1 + plan->secondaries;
    world->n_mobiles = plan->mobiles;
    world->trace = (struct trace){.live = live};
    world->queue = timerq_create();
    world->auth = auth_create();
    if (world->queue == NULL || world->auth == NULL)
        abort();
    world->mobiles = world_alloc(world->n_mobiles * sizeof(*world->mobiles));
    network_init(world);
    protection_init(world);
    invariants_init(world);
    for (size_t i = 0; i < world->n_mobiles; i++)
        mobile_init(world, i);
    for (size_t i = 0; i < world->n_nodes; i++)
        appliance_init(world, i);
    attacker_init(world);
}

static void free_what_travels(struct world *world)
{
    struct timer *t;
    while (timerq_next(world->queue) != TIMER_NEVER) {
        t = timerq_pop(world->queue, TIMER_NEVER);
        if (t == NULL)
            continue;
        if (t->kind == WAKE_FLIGHT)
            free(timer_owner(t, struct flight, timer));
        else if (t->kind == WAKE_REQUEST || t->kind == WAKE_REPLY)
            free(timer_owner(t, struct letter, timer));
    }
}

void world_close(struct world *world)
{
    free_what_travels(world);
    for (size_t i = 0; i < world->n_nodes; i++)
        appliance_fini(&world->nodes[i]);
    attacker_fini(world);
    protection_fini(world);
    invariants_fini(world);
    timerq_destroy(world->queue);
    auth_destroy(world->auth);
    free(world->mobiles);
}

/* ---- Time ---- */
static void happen(struct world *world, struct timer *t)
{
    switch ((enum wake)t->kind) {
    case WAKE_AGENT:
        appliance_wake_due(timer_owner(t, struct appliance, wake));
        break;
    case WAKE_REPORT:
        appliance_report_due(timer_owner(t, struct appliance, report));
        break;
    case WAKE_THAW:
        appliance_thaw_due(timer_owner(t, struct appliance, thaw));
        break;
    case WAKE_RESTART:
        appliance_start(timer_owner(t, struct appliance, restart));
        break;
    case WAKE_FLIGHT:
        network_arrive(world, timer_owner(t, struct flight, timer));
        break;
    case WAKE_ACT:
        mobile_act_due(timer_owner(t, struct mobile, act));
        break;
    case WAKE_RETRY:
        mobile_retry_due(timer_owner(t, struct mobile, retry));
        break;
    case WAKE_REQUEST:
        mobile_request_arrives(world, timer_owner(t, struct letter, timer));
        break;
    case WAKE_REPLY:
        mobile_reply_arrives(world, timer_owner(t, struct letter, timer));
        break;
    case WAKE_PACKET:
        link_packet_due(world, timer_owner(t, struct mobile, packet));
        break;
    case WAKE_ATTACK:
        attacker_due(world);
        break;
    case WAKE_MISCHIEF:
        world->mischief_due(world);
        break;
    }
}

void world_run(struct world *world, uint64_t ns)
{
    const uint64_t end_ns = world->now_ns + ns;
    for (uint64_t next; (next = timerq_next(world->queue)) <= end_ns;) {
        struct timer *t = timerq_pop(world->queue, next);
        if (t == NULL)
            continue;
        if (t->deadline_ns > world->now_ns)
            world->now_ns = t->deadline_ns;
        world->tally.events++;
        happen(world, t);
    }
    world->now_ns = end_ns;
}

/* ---- Peace ---- */
void world_heal(struct world *world)
{
    world->settling = true;
    world->network.drop_left = 0;
    timerq_cancel(world->queue, &world->mischief);
    for (size_t i = 0; i < NETWORK_SECONDARIES; i++) {
        struct path *both[] = {&world->network.up[i], &world->network.down[i]};
        for (size_t j = 0; j < 2; j++)
            *both[j] =
                (struct path){.faults = {.delay_ns = 200 * NSEC_PER_US, .jitter_ns = 200 * NSEC_PER_US},
                              .calm_ns = both[j]->calm_ns};
    }
    for (size_t i = 0; i < world->n_nodes; i++)
        if (world->nodes[i].agent == NULL)
            appliance_start(&world->nodes[i]);
}

/* Each binding that ends leaves something lingering; they have all ended in the longest lifetime. */
void world_settle(struct world *world)
{
    const uint64_t patience_ns = (30 + world->plan.lifetime_high_s) * NSEC_PER_S +
                                 (3 * world->plan.linger_ms + 2 * world->plan.act_ms) * NSEC_PER_MS;
    world_heal(world);
    const uint64_t end_ns = world->now_ns + patience_ns;
    const char *why = "";
    while (world->now_ns < end_ns && why != NULL) {
        world_run(world, NSEC_PER_S);
        why = invariants_unquiet(world);
    }
    if (why != NULL)
        world_violates(world, "quiet", "%s", why);
}
