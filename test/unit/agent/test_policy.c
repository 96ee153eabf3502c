/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Policy with the primary's real halves, and in the place of secondaries what acknowledges every operation
 * after a few milliseconds. Virtual time.
 */
#include "lab_check.h"

#include "internal.h"

#include "peer/session.h"
#include "primary/delegation.h"
#include "primary/liveness.h"
#include "primary/policy_state.h"
#include "primary/resync.h"

#include <stdio.h>

enum { NODES = 9, STEP_MS = 5 };

struct fake {
    struct node *node;
    bool mute; /* neither lives nor answers */
    bool refuses;
    uint64_t beats; /* KEEPALIVEs */
    struct delegation_load load;
};

struct scene {
    struct agent *agent;
    struct agent_settings settings;
    struct instant now;
    struct fake fakes[NODES];
    size_t n_fakes;
    size_t n_bound;
    uint32_t *pps; /* of each binding */

    unsigned drained; /* notes */
    struct addr announced[10];
    size_t n_announced;
};

static struct scene scene;

static struct addr home(size_t i)
{
    return addr_from_ipv4(0x0a020000u + (uint32_t)i);
}

static void scene_open(uint8_t when, uint8_t policy)
{
    static const uint8_t secret[AGENT_SEED] = {7};
    scene = (struct scene){.now = {.mono_ns = 1000 * NSEC_PER_S, .ntp = ntp_from_unix(1700000000, 0)}};
    scene.settings = (struct agent_settings){
        .role = AGENT_PRIMARY,
        .id = 1,
        .delegation = delegation_defaults(),
        .home_agents = {ip("10.1.0.1")},
        .n_home_agents = 1,
        .home_networks = {{ip("10.0.0.0"), 8}},
        .n_home_networks = 1,
        .max_bindings = 200000,
        .max_lifetime_s = 65534,
        .max_care_of = 1,
        .timestamp_window_s = 7,
        .encapsulations = 1u << ENCAPSULATION_IPIP,
    };
    scene.settings.delegation.when = when;
    scene.settings.delegation.policy = policy;
    scene.agent = agent_create(&scene.settings, secret, scene.now);
    ck_assert_ptr_nonnull(scene.agent);
    scene.now.mono_ns += 5 * NSEC_PER_S; /* what former leases there were are over */
}

static void scene_close(void)
{
    agent_destroy(scene.agent);
    free(scene.pps);
}

/* ---- Secondaries ---- */
static void beat(struct fake *fake)
{
    const struct delegation_header header = {.type = DELEGATION_KEEPALIVE, .sequence = ++fake->beats};
    fake->load.heard = fake->beats - 1;
    fake->load.state = LOAD_READY;
    if (effects_reserve(&scene.agent->effects))
        liveness_keepalive(scene.agent, fake->node, &header, &fake->load, scene.now);
}

static const char *name_of(size_t i)
{
    static char names[NODES][4];
    snprintf(names[i], sizeof(names[i]), "s%zu", i);
    return names[i];
}

static struct agent_peer peer_of(size_t i, uint16_t weight)
{
    struct agent_peer peer = {.address = addr_from_ipv4(0x0a010100u + (uint32_t)i),
                              .local = ip("10.1.0.1"),
                              .spi = 300 + (uint32_t)i,
                              .weight = weight};
    peer.key.algorithm = AUTH_HMAC_SHA256;
    peer.key.len = DELEGATION_KEY;
    snprintf(peer.name, sizeof(peer.name), "%s", name_of(i));
    return peer;
}

/* In session, synchronised, its lease in force. */
static void join(uint16_t weight)
{
    struct fake *fake = &scene.fakes[scene.n_fakes];
    const struct agent_peer peer = peer_of(scene.n_fakes, weight);
    ck_assert_int_eq(agent_peer_set(scene.agent, &peer), 0);
    fake->node = node_by_name(scene.agent, peer.name);
    ck_assert_ptr_nonnull(fake->node);
    fake->node->peer.id = (uint16_t)(100 + scene.n_fakes);
    fake->node->peer.payload_max = DELEGATION_MAX;
    fake->node->peer.session.live = true;
    fake->node->peer.session.key = peer.key;
    timerq_cancel(scene.agent->timers, &fake->node->peer.greeting);
    flow_begin(&fake->node->peer.flow);
    liveness_session_began(scene.agent, fake->node, scene.now);
    fake->node->synchronised = true;
    fake->node->rebuilds = false;
    scene.n_fakes++;
    beat(fake);
    ck_assert(node_is_eligible(fake->node));
}

static struct holding *first_sent(struct node *node)
{
    struct holding *h = node->open;
    while (h != NULL && h->batch == NULL)
        h = h->open_next;
    return h;
}

static void acknowledge(struct fake *fake)
{
    struct holding *h;
    while ((h = first_sent(fake->node)) != NULL) {
        const bool refused = fake->refuses && h->wish != WISH_STOP;
        const struct delegation_ack ack = {
            .home = h->delegation->mobile->home,
            .asked = h->generation,
            .held = h->generation,
            .status = refused ? STATUS_NO_RESOURCES : STATUS_OK,
            .state = refused                     ? HELD_TOMBSTONE
                     : h->wish == WISH_INTERCEPT ? HELD_ACTIVE
                                                 : HELD_FORWARD_ONLY,
        };
        operation_acknowledged(scene.agent, fake->node, &ack, scene.now);
    }
    if (effects_reserve(&scene.agent->effects))
        operations_send(scene.agent, fake->node, scene.now);
}

/* ---- Bindings ---- */
static struct mobile *mobile_of(size_t i)
{
    const struct addr h = home(i);
    return mobile_by_home(scene.agent, &h);
}

static void bind_some(size_t n)
{
    const struct association sa = lab_association(0);
    scene.pps = realloc(scene.pps, (scene.n_bound + n) * sizeof(*scene.pps));
    ck_assert_ptr_nonnull(scene.pps);
    for (size_t i = scene.n_bound; i < scene.n_bound + n; i++) {
        const struct addr h = home(i);
        const struct grant grant = {.care_of = addr_from_ipv4(0xc0a80000u + (uint32_t)(i % 200)),
                                    .source = ip("10.1.0.1"),
                                    .encapsulation = ENCAPSULATION_IPIP,
                                    .lifetime_s = 60000};
        scene.pps[i] = 0;
        ck_assert_int_eq(agent_mobile_set(scene.agent, &h, &sa, NULL), 0);
        ck_assert(effects_reserve(&scene.agent->effects));
        ck_assert_int_eq(binding_grant(scene.agent, mobile_of(i), &grant, scene.now), BINDING_CREATED);
        delegation_bound(scene.agent, mobile_of(i), scene.now);
        while (agent_pop(scene.agent) != NULL)
            ;
    }
    scene.n_bound += n;
}

static void end_binding(size_t i)
{
    const struct addr h = home(i);
    ck_assert(agent_revoke(scene.agent, &h, scene.now));
}

/* Whoever forwards reports. */
static void report(void)
{
    for (size_t i = 0; i < scene.n_bound; i++) {
        struct mobile *mobile = mobile_of(i);
        if (scene.pps[i] == 0 || mobile->cares == NULL)
            continue;
        const struct agent_rate rate = {.home = mobile->home, .pps = scene.pps[i], .kbps = scene.pps[i]};
        struct node *owner = delegation_owner(mobile);
        if (owner == NULL)
            agent_rates(scene.agent, &rate, 1, scene.now);
        else
            policy_rate(scene.agent, mobile, owner, &rate, scene.now);
    }
}

/* ---- Time ---- */
static void take_effects(void)
{
    const struct effect *e;
    while ((e = agent_pop(scene.agent)) != NULL) {
        scene.drained += e->kind == EFFECT_NOTE && e->note.kind == NOTE_DRAINED;
        if (e->kind == EFFECT_ANNOUNCE && scene.n_announced < ROWS(scene.announced))
            scene.announced[scene.n_announced++] = e->announce.home;
    }
}

static void step(void)
{
    scene.now.mono_ns += STEP_MS * NSEC_PER_MS;
    const uint64_t ms = scene.now.mono_ns / NSEC_PER_MS;
    for (size_t i = 0; i < scene.n_fakes; i++) {
        if (scene.fakes[i].mute)
            continue;
        if (ms % 500 == 0)
            beat(&scene.fakes[i]);
        acknowledge(&scene.fakes[i]);
    }
    if (ms % 1000 == 0)
        report();
    take_effects();
    int turns = 0;
    while (agent_deadline(scene.agent) <= scene.now.mono_ns) {
        agent_expire(scene.agent, scene.now, 1000);
        take_effects();
        ck_assert_msg(turns++ < 1000, "it spins");
    }
}

static void pass(uint64_t ms)
{
    for (uint64_t t = 0; t < ms; t += STEP_MS)
        step();
}

/* ---- What is so ---- */
static size_t owned_by(size_t fake)
{
    size_t n = 0;
    for (size_t i = 0; i < scene.n_bound; i++)
        n += mobile_of(i)->cares != NULL && delegation_owner(mobile_of(i)) == scene.fakes[fake].node;
    return n;
}

static size_t owned_by_primary(void)
{
    size_t n = 0;
    for (size_t i = 0; i < scene.n_bound; i++)
        n += mobile_of(i)->cares != NULL && delegation_owner(mobile_of(i)) == NULL;
    return n;
}

static uint64_t load_of(const struct node *node)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < scene.n_bound; i++)
        if (mobile_of(i)->cares != NULL && delegation_owner(mobile_of(i)) == node)
            sum += scene.pps[i];
    return sum;
}

static double max_over_mean(void)
{
    uint64_t most = 0, all = 0;
    for (size_t i = 0; i < scene.n_fakes; i++) {
        const uint64_t load = load_of(scene.fakes[i].node);
        most = load > most ? load : most;
        all += load;
    }
    return (double)most * (double)scene.n_fakes / (double)all;
}

/* The policy's accounts are those of delegation, when nothing is under way. */
static void accounts_are_right(void)
{
    const struct policy *policy = scene.agent->policy;
    ck_assert_uint_eq(policy->n_pending, 0);
    ck_assert_uint_eq(policy->orphans.count, 0);
    ck_assert_uint_eq(policy->own.count, owned_by_primary());
    for (size_t i = 0; i < scene.n_fakes; i++) {
        const struct shelf *shelf = scene.fakes[i].node->shelf;
        ck_assert_uint_eq(shelf->count, owned_by(i));
        ck_assert_uint_eq(shelf->count, scene.fakes[i].node->n_owned);
    }
}

static uint64_t moves(void)
{
    return agent_counters(scene.agent)->n[AGENT_MOVES];
}

/* ---- Placement ---- */
START_TEST(equal_to_within_one)
{
    scene_open(_i == 0 ? WHEN_AFTER_REGISTRATION : WHEN_ON_REGISTRATION, POLICY_EQUAL);
    for (size_t i = 0; i < 3; i++)
        join(1);
    bind_some(10000);
    pass(2000);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_uint_ge(owned_by(i), 3333);
        ck_assert_uint_le(owned_by(i), 3334);
    }
    accounts_are_right();
    scene_close();
}
END_TEST

START_TEST(equal_by_weight)
{
    scene_open(WHEN_AFTER_REGISTRATION, POLICY_EQUAL);
    join(4);
    join(1);
    join(1);
    bind_some(600);
    pass(2000);
    ck_assert_uint_eq(owned_by(0), 400);
    ck_assert_uint_eq(owned_by(1), 100);
    ck_assert_uint_eq(owned_by(2), 100);
    scene_close();
}
END_TEST

START_TEST(rendezvous_by_weight)
{
    scene_open(WHEN_AFTER_REGISTRATION, POLICY_RATE);
    join(2);
    join(1);
    join(1);
    bind_some(2000);
    pass(2000);
    ck_assert_uint_ge(owned_by(0), 900);
    ck_assert_uint_le(owned_by(0), 1100);
    ck_assert_uint_ge(owned_by(1), 400);
    ck_assert_uint_ge(owned_by(2), 400);
    scene_close();
}
END_TEST

START_TEST(nothing_by_itself_when_manual)
{
    scene_open(WHEN_MANUAL, POLICY_EQUAL);
    join(1);
    bind_some(100);
    pass(30000);
    ck_assert_uint_eq(owned_by_primary(), 100);
    ck_assert_uint_eq(moves(), 0);
    scene_close();
}
END_TEST

/* They were bound before there was anybody to give them to; even before anybody was configured. */
START_TEST(first_secondary_takes_all)
{
    scene_open(WHEN_AFTER_REGISTRATION, POLICY_EQUAL);
    bind_some(1000);
    ck_assert_uint_eq(agent_deadline(scene.agent) > scene.now.mono_ns, 1);
    join(1);
    pass(3000);
    ck_assert_uint_eq(owned_by(0), 1000);
    accounts_are_right();
    scene_close();
}
END_TEST

START_TEST(ended_bindings_are_forgotten)
{
    scene_open(WHEN_AFTER_REGISTRATION, POLICY_EQUAL);
    join(1);
    join(1);
    bind_some(100);
    for (size_t i = 0; i < 50; i++)
        end_binding(i);
    pass(2000);
    for (size_t i = 50; i < 80; i++)
        end_binding(i);
    pass(10000);
    accounts_are_right();
    ck_assert_uint_eq(owned_by(0), 10);
    ck_assert_uint_eq(owned_by(1), 10);
    scene_close();
}
END_TEST

/* A full node refuses: another serves, and the primary's accounts follow. */
START_TEST(refusals)
{
    scene_open(WHEN_AFTER_REGISTRATION, POLICY_EQUAL);
    join(1);
    join(1);
    scene.fakes[0].refuses = true;
    bind_some(200);
    pass(100);
    const uint64_t refused = agent_counters(scene.agent)->n[AGENT_STARTS_REFUSED];
    ck_assert_uint_gt(refused, 0);
    bind_some(200); /* it is left alone for a while */
    pass(100);
    ck_assert_uint_eq(agent_counters(scene.agent)->n[AGENT_STARTS_REFUSED], refused);
    pass(20000);
    ck_assert_uint_eq(owned_by(0), 0);
    ck_assert_uint_eq(owned_by(1), 400);
    scene.fakes[0].refuses = false;
    pass(60000);
    accounts_are_right();
    ck_assert_uint_eq(owned_by(0), 200);
    scene_close();
}
END_TEST

/* ---- Membership ---- */
START_TEST(new_secondary_ramps_up)
{
    static const struct {
        uint64_t ms;
        size_t least, most;
    } ramp[] = {{4900, 4, 6}, {5000, 23, 26}, {5000, 85, 95}, {15000, 333, 334}};
    scene_open(WHEN_AFTER_REGISTRATION, POLICY_EQUAL);
    join(1);
    join(1);
    bind_some(1000);
    pass(20000);
    const uint64_t before = moves();
    join(1);
    for (size_t i = 0; i < 4; i++) {
        pass(ramp[i].ms);
        ck_assert_uint_ge(owned_by(2), ramp[i].least);
        ck_assert_uint_le(owned_by(2), ramp[i].most);
    }
    ck_assert_uint_le(moves() - before, 335);
    accounts_are_right();
    scene_close();
}
END_TEST

START_TEST(drain_and_undrain)
{
    scene_open(WHEN_AFTER_REGISTRATION, POLICY_EQUAL);
    scene.settings.delegation.moves_per_s = 100;
    ck_assert_int_eq(agent_configure(scene.agent, &scene.settings), 0);
    for (size_t i = 0; i < 3; i++)
        join(1);
    bind_some(600);
    pass(5000);
    ck_assert_int_eq(agent_drain(scene.agent, "s1", true, scene.now), REFUSAL_DONE);
    ck_assert_int_eq(agent_drain(scene.agent, "s1", true, scene.now), REFUSAL_ALREADY);
    ck_assert_int_eq(agent_drain(scene.agent, "s7", true, scene.now), REFUSAL_NO_SECONDARY);
    pass(1000);
    ck_assert_uint_ge(owned_by(1), 80); /* paced */
    ck_assert_uint_le(owned_by(1), 110);
    ck_assert_uint_eq(scene.drained, 0);
    pass(2500);
    ck_assert_uint_eq(owned_by(1), 0);
    ck_assert_uint_eq(scene.drained, 1);
    ck_assert_uint_eq(owned_by(0), 300);
    accounts_are_right();
    ck_assert_int_eq(agent_drain(scene.agent, "s1", false, scene.now), REFUSAL_DONE);
    pass(60000);
    ck_assert_uint_eq(owned_by(1), 200);
    ck_assert_uint_eq(scene.drained, 1);
    scene_close();
}
END_TEST

START_TEST(last_secondary_drains_to_primary)
{
    scene_open(WHEN_AFTER_REGISTRATION, POLICY_EQUAL);
    join(1);
    bind_some(100);
    pass(3000);
    ck_assert_int_eq(agent_drain(scene.agent, "s0", true, scene.now), REFUSAL_DONE);
    pass(3000);
    ck_assert_uint_eq(owned_by_primary(), 100);
    ck_assert_uint_eq(scene.drained, 1);
    accounts_are_right();
    scene_close();
}
END_TEST

static bool intercepted(size_t i)
{
    struct node *owner = delegation_owner(mobile_of(i));
    if (owner == NULL)
        return mobile_intercepts(scene.agent, mobile_of(i));
    for (size_t n = 0; n < scene.n_fakes; n++)
        if (scene.fakes[n].node == owner)
            return !scene.fakes[n].mute;
    return false;
}

static bool is_among_busiest(const struct addr *a)
{
    for (size_t i = 900; i < 1000; i++) {
        const struct addr h = home(i * 7);
        if (addr_equal(a, &h))
            return true;
    }
    return false;
}

/* ARP is answered for all of 10,000 as soon as it is dead, however slowly that may be announced: the busiest
 * first. */
START_TEST(dead_secondary)
{
    scene_open(WHEN_AFTER_REGISTRATION, POLICY_EQUAL);
    join(1);
    bind_some(10000);
    pass(3000);
    ck_assert_uint_eq(owned_by(0), 10000);
    join(1);
    for (size_t i = 0; i < 1000; i++)
        scene.pps[i * 7] = (uint32_t)(100 + i);
    report();
    scene.settings.delegation.announcements_per_s = 40;
    ck_assert_int_eq(agent_configure(scene.agent, &scene.settings), 0);
    scene.fakes[0].mute = true;
    scene.n_announced = 0;
    pass(2300); /* a KEEPALIVE's interval, lease, 250 ms */
    for (size_t i = 0; i < 10000; i++)
        ck_assert_msg(intercepted(i), "binding %zu", i);
    ck_assert_uint_eq(scene.n_announced, ROWS(scene.announced));
    for (size_t i = 0; i < scene.n_announced; i++)
        ck_assert_msg(is_among_busiest(&scene.announced[i]), "announcement %zu", i);
    pass(20000);
    ck_assert_uint_eq(owned_by(1), 10000);
    scene_close();
}
END_TEST

/* ---- On load ---- */
START_TEST(on_load)
{
    scene_open(WHEN_ON_LOAD, POLICY_EQUAL);
    scene.settings.delegation.threshold_pps = 1000;
    ck_assert_int_eq(agent_configure(scene.agent, &scene.settings), 0);
    join(1);
    bind_some(100);
    for (size_t i = 0; i < 100; i++)
        scene.pps[i] = 9;
    pass(10000);
    ck_assert_uint_eq(moves(), 0);
    scene.pps[50] = 300;
    scene.pps[51] = 200;
    const uint64_t before = scene.now.mono_ns;
    while (owned_by(0) == 0 && scene.now.mono_ns - before < 5 * NSEC_PER_S)
        step();
    ck_assert_uint_le(scene.now.mono_ns - before, 1200 * NSEC_PER_MS);
    ck_assert_ptr_eq(delegation_owner(mobile_of(50)), scene.fakes[0].node);
    pass(10000);
    ck_assert_ptr_eq(delegation_owner(mobile_of(51)), scene.fakes[0].node);
    ck_assert_uint_le(load_of(NULL), 700);
    ck_assert_uint_ge(load_of(NULL), 600);
    const uint64_t moved = moves();
    for (size_t i = 0; i < 100; i++)
        scene.pps[i] = 4;
    pass(20000);
    ck_assert_uint_eq(moves(), moved); /* nor back */
    scene_close();
}
END_TEST

/* ---- By rates ---- */
START_TEST(zipf_by_rate)
{
    scene_open(WHEN_AFTER_REGISTRATION, POLICY_RATE);
    for (size_t i = 0; i < 4; i++)
        join(1);
    bind_some(4000);
    for (size_t i = 0; i < 4000; i++)
        scene.pps[(i * 1231) % 4000] = (uint32_t)(20000 / (i + 1));
    pass(20000);
    const double before = max_over_mean();
    const uint64_t early = moves();
    ck_assert_uint_eq(early, 4000); /* none has been where it is for a minute */
    pass(50000);
    ck_assert_uint_gt(moves(), early);
    pass(20000);
    printf("max/mean %.3f -> %.3f by %llu moves\n", before, max_over_mean(),
           (unsigned long long)(moves() - early));
    ck_assert_double_le(max_over_mean(), 1.05);
    const uint64_t after = moves();
    pass(20000);
    ck_assert_uint_eq(moves(), after);
    accounts_are_right();
    scene_close();
}
END_TEST

START_TEST(no_voluntary_moves_while_suspect)
{
    scene_open(WHEN_AFTER_REGISTRATION, POLICY_EQUAL);
    join(1);
    join(1);
    join(1);
    bind_some(90);
    pass(15000);
    for (size_t i = 0; i < 90; i++)
        if (delegation_owner(mobile_of(i)) == scene.fakes[0].node)
            end_binding(i);
    scene.fakes[2].node->silent = true;
    node_settle(scene.agent, scene.fakes[2].node, scene.now);
    ck_assert_int_eq(scene.fakes[2].node->state, PEER_SUSPECT);
    ck_assert_int_eq(agent_rebalance(scene.agent, scene.now), REFUSAL_DONE);
    const uint64_t before = moves();
    for (int i = 0; i < 60; i++) {

        scene.fakes[2].mute = i < 40; /* its KEEPALIVEs come again before it is dead */
        pass(25);
        if (i < 40)
            ck_assert_uint_eq(moves(), before);
    }
    pass(30000);
    ck_assert_uint_eq(owned_by(0), 20);
    scene_close();
}
END_TEST

/* A change of membership settles before others than newcomers are given any. */
START_TEST(no_voluntary_moves_after_a_change)
{
    scene_open(WHEN_AFTER_REGISTRATION, POLICY_EQUAL);
    join(1);
    join(1);
    bind_some(60);
    pass(15000);
    for (size_t i = 0; i < 60; i++)
        if (delegation_owner(mobile_of(i)) == scene.fakes[0].node)
            end_binding(i);
    join(1);
    ck_assert_int_eq(agent_drain(scene.agent, "s2", true, scene.now), REFUSAL_DONE);
    const uint64_t before = moves();
    pass(9900);
    ck_assert_uint_eq(moves(), before);
    pass(6000);
    ck_assert_uint_eq(owned_by(0), 15);
    scene_close();
}
END_TEST

/* At most a tenth of all in a period, however fast moves may be. */
START_TEST(voluntary_moves_have_a_budget)
{
    scene_open(WHEN_AFTER_REGISTRATION, POLICY_EQUAL);
    join(1);
    join(1);
    bind_some(2000);
    pass(15000);
    for (size_t i = 0; i < 2000; i++)
        if (delegation_owner(mobile_of(i)) == scene.fakes[0].node)
            end_binding(i);
    const uint64_t before = moves();
    pass(4500);
    ck_assert_uint_le(moves() - before, 110);
    pass(40000);
    ck_assert_uint_eq(owned_by(0), 500);
    scene_close();
}
END_TEST

/* Reports name the busiest only; what a node sends beyond them counts as well. */
START_TEST(unreported_load_counts)
{
    scene_open(WHEN_AFTER_REGISTRATION, POLICY_RATE);
    join(1);
    join(1);
    bind_some(400);
    for (size_t i = 0; i < 400; i++)
        scene.pps[i] = 100;
    for (int s = 0; s < 150; s++) {
        scene.fakes[0].load.tx_pps = (uint32_t)load_of(scene.fakes[0].node) + 20000;
        scene.fakes[1].load.tx_pps = (uint32_t)load_of(scene.fakes[1].node);
        pass(1000);
    }
    ck_assert_uint_ge(load_of(scene.fakes[0].node), 8000);
    ck_assert_uint_le(load_of(scene.fakes[0].node), 12000);
    scene_close();
}
END_TEST

START_TEST(an_overloaded_node_does_not_wait)
{
    scene_open(WHEN_AFTER_REGISTRATION, POLICY_RATE);
    join(1);
    join(1);
    bind_some(40);
    scene.fakes[0].load.capacity_pps = scene.fakes[1].load.capacity_pps = 10000;
    for (size_t i = 0; i < 40; i++)
        scene.pps[i] = 100;
    pass(120000);
    const uint64_t before = moves();
    scene.agent->policy->run.next_ns = scene.now.mono_ns + 5 * NSEC_PER_S;
    for (size_t i = 0; i < 40; i++)
        if (delegation_owner(mobile_of(i)) == scene.fakes[0].node)
            scene.pps[i] = _i == 0 ? 150 : 700; /* hot; and nearly at its end */
    pass(2500);
    if (_i == 0)
        ck_assert_uint_eq(moves(), before);
    else
        ck_assert_uint_gt(moves(), before);
    scene_close();
}
END_TEST

/* ---- By hand ---- */
START_TEST(by_hand_stays)
{
    const struct addr h = home(3);
    const struct addr unknown = home(77777);
    scene_open(WHEN_AFTER_REGISTRATION, POLICY_EQUAL);
    join(1);
    join(1);
    bind_some(20);
    pass(15000);
    struct node *former = delegation_owner(mobile_of(3));
    const char *other = former == scene.fakes[0].node ? "s1" : "s0";
    ck_assert_int_eq(agent_delegate(scene.agent, &unknown, other, scene.now), REFUSAL_NO_BINDING);
    ck_assert_int_eq(agent_delegate(scene.agent, &h, "s8", scene.now), REFUSAL_NO_SECONDARY);
    ck_assert_int_eq(agent_delegate(scene.agent, &h, former->peer.is.name, scene.now), REFUSAL_ALREADY);
    ck_assert_int_eq(agent_delegate(scene.agent, &h, other, scene.now), REFUSAL_DONE);
    pass(40000);
    ck_assert_str_eq(delegation_owner(mobile_of(3))->peer.is.name, other);
    ck_assert_uint_eq(owned_by(0), 10); /* another went the other way */
    ck_assert_int_eq(agent_recall(scene.agent, &h, scene.now), REFUSAL_DONE);
    pass(40000);
    ck_assert_ptr_null(delegation_owner(mobile_of(3)));
    ck_assert_int_eq(agent_recall(scene.agent, &h, scene.now), REFUSAL_ALREADY);
    ck_assert_int_eq(agent_delegate_all(scene.agent, scene.now), REFUSAL_DONE);
    pass(10000);
    ck_assert_uint_eq(owned_by(0), 10);
    ck_assert_uint_eq(owned_by(1), 10);
    struct decision d;
    ck_assert(agent_decision(scene.agent, 0, &d));
    ck_assert_str_eq(d.from, "self");
    scene_close();
}
END_TEST

START_TEST(delegate_all_when_manual)
{
    scene_open(WHEN_MANUAL, POLICY_EQUAL);
    ck_assert_int_eq(agent_delegate_all(scene.agent, scene.now), REFUSAL_NO_SECONDARY);
    join(1);
    join(1);
    join(1);
    bind_some(300);
    ck_assert_int_eq(agent_delegate_all(scene.agent, scene.now), REFUSAL_DONE);
    pass(5000);
    for (size_t i = 0; i < 3; i++)
        ck_assert_uint_eq(owned_by(i), 100);
    bind_some(10);
    pass(5000);
    ck_assert_uint_eq(owned_by_primary(), 10); /* it was for once */
    accounts_are_right();
    for (size_t i = 0; i < 300; i++)
        if (delegation_owner(mobile_of(i)) == scene.fakes[0].node)
            end_binding(i);
    const uint64_t before = moves();
    pass(20000);
    ck_assert_uint_eq(moves(), before);
    scene_close();
}
END_TEST

START_TEST(delegate_busiest)
{
    scene_open(WHEN_MANUAL, POLICY_EQUAL);
    join(1);
    join(1);
    bind_some(100);
    for (size_t i = 0; i < 100; i++)
        scene.pps[i] = (uint32_t)(10 + 10 * i);
    pass(2000);
    ck_assert_int_eq(agent_delegate_busiest(scene.agent, 5, "s1", scene.now), REFUSAL_DONE);
    pass(2000);
    ck_assert_uint_eq(owned_by(1), 5);
    ck_assert_uint_eq(owned_by(0), 0);
    ck_assert_uint_ge(load_of(scene.fakes[1].node), 5 * 880); /* to within a bucket */
    scene_close();
}
END_TEST

START_TEST(plan_then_rebalance)
{
    struct decision d;
    size_t planned = 0;
    scene_open(WHEN_MANUAL, POLICY_RATE);
    join(1);
    join(1);
    bind_some(40);
    for (size_t i = 0; i < 40; i++) {
        const struct addr h = home(i);
        scene.pps[i] = 100;
        ck_assert_int_eq(agent_delegate(scene.agent, &h, "s0", scene.now), REFUSAL_DONE);
    }
    pass(5000);
    ck_assert(!agent_plan(scene.agent, 0, scene.now, &d)); /* all by hand */
    ck_assert_int_eq(agent_delegate_all(scene.agent, scene.now), REFUSAL_DONE);
    scene.agent->policy->run.asked = false;
    pass(1000);
    while (agent_plan(scene.agent, planned, scene.now, &d)) {
        ck_assert_str_eq(d.from, "s0");
        ck_assert_str_eq(d.to, "s1");
        planned++;
    }
    ck_assert_uint_ge(planned, 19);
    ck_assert_uint_le(planned, 20);
    ck_assert_uint_eq(owned_by(0), 40);
    ck_assert_int_eq(agent_rebalance(scene.agent, scene.now), REFUSAL_DONE);
    pass(11000);
    ck_assert_int_eq(agent_rebalance(scene.agent, scene.now), REFUSAL_DONE);
    pass(3000);
    ck_assert_uint_ge(owned_by(1), 19);
    ck_assert_uint_le(owned_by(1), 21);
    scene_close();
}
END_TEST

/* ---- Whatever happens ---- */
static uint64_t chance(uint64_t below)
{
    static uint64_t state;
    if (below == 0)
        return state = (uint64_t)scene.n_bound; /* a new seed */
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (state >> 33) % below;
}

static void something_happens(void)
{
    const size_t i = chance(scene.n_bound);
    const struct addr h = home(i);
    struct fake *fake = &scene.fakes[chance(scene.n_fakes)];
    switch (chance(8)) {
    case 0:
        agent_revoke(scene.agent, &h, scene.now);
        break;
    case 1:
        bind_some(1 + chance(20));
        break;
    case 2:
        agent_delegate(scene.agent, &h, chance(2) ? NULL : fake->node->peer.is.name, scene.now);
        break;
    case 3:
        agent_recall(scene.agent, &h, scene.now);
        break;
    case 4:
        agent_drain(scene.agent, fake->node->peer.is.name, chance(2), scene.now);
        break;
    case 5:
        fake->refuses = chance(3) == 0;
        break;
    case 6:
        scene.pps[i] = (uint32_t)chance(5000);
        break;
    default:
        fake->mute = chance(4) == 0 || fake->node->state == PEER_DEAD;
    }
}

START_TEST(accounts_survive_everything)
{
    scene_open((uint8_t)(_i % 4), (uint8_t)(_i / 4 % 2));
    scene.settings.delegation.threshold_pps = 20000;
    ck_assert_int_eq(agent_configure(scene.agent, &scene.settings), 0);
    for (size_t i = 0; i < 5; i++)
        join(1 + (uint16_t)(i % 3));
    bind_some(100 + (size_t)_i);
    printf("seed %llu\n", (unsigned long long)chance(0));
    for (int round = 0; round < 400; round++) {
        something_happens();
        pass(STEP_MS * (1 + chance(60)));
    }
    for (size_t i = 0; i < scene.n_fakes; i++) {
        scene.fakes[i].refuses = false;
        scene.fakes[i].mute = scene.fakes[i].node->state == PEER_DEAD;
    }
    pass(90000);
    const uint64_t before = moves();
    pass(10000);
    ck_assert_uint_eq(moves(), before); /* it comes to rest */
    accounts_are_right();
    for (size_t i = 0; i < scene.n_bound; i++)
        ck_assert(mobile_of(i)->cares == NULL || intercepted(i));
    scene_close();
}
END_TEST

/* ---- Views ---- */
START_TEST(loads_are_shown)
{
    scene_open(WHEN_AFTER_REGISTRATION, POLICY_EQUAL);
    join(3);
    bind_some(10);
    for (size_t i = 0; i < 10; i++)
        scene.pps[i] = 100;
    pass(10000);
    size_t cursor = 0;
    struct load_view v;
    ck_assert(agent_load_next(scene.agent, &cursor, scene.now, &v));
    ck_assert_ptr_null(v.name);
    ck_assert_uint_eq(v.bindings, 0);
    ck_assert(agent_load_next(scene.agent, &cursor, scene.now, &v));
    ck_assert_str_eq(v.name, "s0");
    ck_assert_uint_eq(v.bindings, 10);
    ck_assert_uint_eq(v.pps, 1000);
    ck_assert_uint_eq(v.permille_of_all, 1000);
    ck_assert_uint_eq(v.weight, 3);
    ck_assert(!agent_load_next(scene.agent, &cursor, scene.now, &v));
    scene_close();
}
END_TEST

/* Totals of several forwarders add up, whoever owns it; a forwarder that began anew does not take away. */
START_TEST(totals)
{
    static const struct {
        int node; /* -1: the primary */
        uint64_t packets, sum;
    } rows[] = {{-1, 100, 100}, {-1, 150, 150}, {0, 10, 160},  {-1, 155, 165},
                {0, 40, 195},   {0, 5, 200},    {-1, 155, 200}};
    scene_open(WHEN_AFTER_REGISTRATION, POLICY_EQUAL);
    join(1);
    bind_some(1);
    pass(1000);
    for (int i = 0; i < ROWS(rows); i++) {
        const struct agent_rate rate = {.home = home(0),
                                        .pps = rows[i].node < 0 ? 1000 : 10,
                                        .packets = rows[i].packets,
                                        .bytes = 2 * rows[i].packets};
        struct binding_view v = {0};
        policy_rate(scene.agent, mobile_of(0), rows[i].node < 0 ? NULL : scene.fakes[0].node, &rate,
                    scene.now);
        policy_view(scene.agent, mobile_of(0), scene.now, &v);
        ck_assert_uint_eq(v.packets, rows[i].sum);
        ck_assert_uint_eq(v.bytes, 2 * rows[i].sum);
        ck_assert_uint_le(v.pps, 10); /* strays that the primary forwards are not its rate */
    }
    scene_close();
}
END_TEST

START_TEST(rates_fade)
{
    struct binding_view v = {0};
    scene_open(WHEN_AFTER_REGISTRATION, POLICY_EQUAL);
    if (_i == 1)
        join(1);
    bind_some(1);
    scene.pps[0] = 1000;
    pass(30000);
    policy_view(scene.agent, mobile_of(0), scene.now, &v);
    ck_assert_uint_eq(v.pps, 1000);
    scene.pps[0] = 0;
    pass(30000);
    policy_view(scene.agent, mobile_of(0), scene.now, &v);
    ck_assert_uint_le(v.pps, 150);
    pass(1200000);
    policy_view(scene.agent, mobile_of(0), scene.now, &v);
    ck_assert_uint_eq(v.pps, 0);
    ck_assert_uint_eq(scene.agent->policy->sounding == NULL, 1);
    scene_close();
}
END_TEST

/* Without secondaries there is nothing to be woken for. */
START_TEST(costs_nothing_alone)
{
    scene_open(WHEN_AFTER_REGISTRATION, POLICY_EQUAL);
    bind_some(10);
    ck_assert_ptr_null(mobile_of(0)->rated);
    scene.pps[0] = 10;
    report();
    ck_assert_ptr_nonnull(mobile_of(0)->rated);
    pass(5000);
    ck_assert(!timer_is_set(&scene.agent->policy->timer));
    ck_assert(!policy_has_work(scene.agent, 0));
    ck_assert_int_eq(agent_rebalance(scene.agent, scene.now), REFUSAL_NO_SECONDARY);
    scene_close();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("policy");
    TCase *placement = tcase_create("placement");
    tcase_set_timeout(placement, 60);
    tcase_add_loop_test(placement, equal_to_within_one, 0, 2);
    tcase_add_test(placement, equal_by_weight);
    tcase_add_test(placement, rendezvous_by_weight);
    tcase_add_test(placement, nothing_by_itself_when_manual);
    tcase_add_test(placement, first_secondary_takes_all);
    tcase_add_test(placement, ended_bindings_are_forgotten);
    tcase_add_test(placement, refusals);
    suite_add_tcase(suite, placement);
    TCase *membership = tcase_create("membership");
    tcase_set_timeout(membership, 60);
    tcase_add_test(membership, new_secondary_ramps_up);
    tcase_add_test(membership, drain_and_undrain);
    tcase_add_test(membership, last_secondary_drains_to_primary);
    tcase_add_test(membership, dead_secondary);
    suite_add_tcase(suite, membership);
    TCase *balancing = tcase_create("balancing");
    tcase_set_timeout(balancing, 60);
    tcase_add_test(balancing, on_load);
    tcase_add_test(balancing, zipf_by_rate);
    tcase_add_test(balancing, no_voluntary_moves_while_suspect);
    tcase_add_test(balancing, no_voluntary_moves_after_a_change);
    tcase_add_test(balancing, voluntary_moves_have_a_budget);
    tcase_add_test(balancing, unreported_load_counts);
    tcase_add_loop_test(balancing, an_overloaded_node_does_not_wait, 0, 2);
    suite_add_tcase(suite, balancing);
    TCase *by_hand = tcase_create("operator");
    tcase_set_timeout(by_hand, 60);
    tcase_add_test(by_hand, by_hand_stays);
    tcase_add_test(by_hand, delegate_all_when_manual);
    tcase_add_test(by_hand, delegate_busiest);
    tcase_add_test(by_hand, plan_then_rebalance);
    suite_add_tcase(suite, by_hand);
    TCase *life = tcase_create("life");
    tcase_set_timeout(life, 60);
    tcase_add_loop_test(life, accounts_survive_everything, 0, 16);
    suite_add_tcase(suite, life);
    TCase *views = tcase_create("views");
    tcase_set_timeout(views, 60);
    tcase_add_test(views, loads_are_shown);
    tcase_add_test(views, totals);
    tcase_add_loop_test(views, rates_fade, 0, 2);
    tcase_add_test(views, costs_nothing_alone);
    suite_add_tcase(suite, views);
    return check_main(suite);
}
