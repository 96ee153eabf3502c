/* SPDX-License-Identifier: BSD-3-Clause */
/* Scripts in which a lifetime ends before or after its time. */
#include "script.h"

/* ---- The primary stands still: durations end by themselves (P14) ---- */
void primary_stands_still(struct world *world, uint64_t variant)
{
    const struct plan plan = plan_of(1, 4);
    scenario_begin(world, variant, &plan);
    wait_ms(world, 4000);
    register_all(world, 10);
    for (size_t i = 0; i < world->n_mobiles; i++)
        delegate(world, i, "s1");
    wait_ms(world, 500);
    expect(world, intercepted_by(world, 1) == world->n_mobiles, "s1 has everything");
    appliance_freeze(&world->nodes[0], 20 * NSEC_PER_S);
    wait_ms(world, 1600);
    expect(world, intercepted_by(world, 1) == 0, "its lease is over");
    for (size_t i = 0; i < world->n_mobiles; i++)
        expect(world, appliance_entry(&world->nodes[1], i) != NULL, "it goes on forwarding");
    wait_ms(world, 9500);
    for (size_t i = 0; i < world->n_mobiles; i++)
        expect(world, appliance_entry(&world->nodes[1], i) == NULL, "it has stopped by itself");
    wait_ms(world, 20000);
    world_settle(world);
}

/* ---- The primary stands still while home addresses are detected: lifetimes begin after ---- */
void detection_meets_standstill(struct world *world, uint64_t variant)
{
    const struct plan plan = plan_of(1, 4);
    scenario_begin(world, variant, &plan);
    wait_ms(world, 4000);
    for (size_t i = 0; i < world->n_mobiles; i++)
        mobile_register(&world->mobiles[i], true, 8);
    wait_ms(world, 500);
    appliance_freeze(&world->nodes[0], 10 * NSEC_PER_S);
    wait_ms(world, 10 * 1000 + 100);
    for (size_t i = 0; i < world->n_mobiles; i++)
        expect(world, mobile_is_bound(&world->mobiles[i]) == paper_is_ipv6(&world->mobiles[i]),
               "who was detected has its lifetime before it, who was bound at once has had it");
    wait_ms(world, 7500);
    expect(world, intercepted(world) == world->n_mobiles / 2, "that lasts");
    wait_ms(world, 6000); /* whoever heard nothing has asked once more */
    expect(world, intercepted(world) == 0, "and ends");
    world_settle(world);
}

/* ---- Renewed in the last moment: the START comes when the entry has ended ---- */
static void request_at_once(struct mobile *m, uint16_t lifetime_s)
{
    struct letter *letter = world_alloc(sizeof(*letter));
    m->wish = (struct wish){.lifetime_s = lifetime_s, .care_of = m->care_of};
    paper_write(m, &m->wish);
    letter->mobile = m->number;
    letter->source = m->care_of;
    letter->len = m->pending_len;
    memcpy(letter->bytes, m->pending, m->pending_len);
    mobile_request_arrives(m->world, letter);
}

void renewal_at_the_end(struct world *world, uint64_t variant)
{
    const struct plan plan = plan_of(1, 8);
    scenario_begin(world, variant, &plan);
    wait_ms(world, 4000);
    register_all(world, 300);
    delegate_all_to_s1(world);
    for (size_t i = 0; i < world->n_mobiles; i++)
        request_at_once(&world->mobiles[i], 8);
    wait_ms(world, 7980);
    world->network.down[1].faults.delay_ns = 60 * NSEC_PER_MS;
    for (size_t i = 0; i < world->n_mobiles; i++)
        request_at_once(&world->mobiles[i], 8);
    wait_ms(world, 1000);
    expect(world, intercepted_by(world, 1) == world->n_mobiles, "s1 has everything again");
    world_settle(world);
}

/* ---- What a secondary says of its table waits at a primary that stands still ---- */
void table_meets_standstill(struct world *world, uint64_t variant)
{
    const struct plan plan = plan_of(1, 8);
    scenario_begin(world, variant, &plan);
    wait_ms(world, 4000);
    register_all(world, 16);
    delegate_all_to_s1(world);
    const uint64_t before = world->network.sent[DELEGATION_SYNC_DATA];
    appliance_crash(&world->nodes[0], 20 * NSEC_PER_MS);
    while (world->network.sent[DELEGATION_SYNC_DATA] == before)
        world_run(world, 10 * NSEC_PER_US);
    appliance_freeze(&world->nodes[0], 8 * NSEC_PER_S);
    wait_ms(world, 30000);
    expect(world, intercepted(world) == 0, "all has ended");
    world_settle(world);
}
