/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A scene for tests of policy: the primary's real halves, and in the place of secondaries what acknowledges
 * every operation after a few milliseconds. Virtual time.
 */
#ifndef TEST_AGENT_POLICY_SCENE_H
#define TEST_AGENT_POLICY_SCENE_H

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

static inline struct addr home(size_t i)
{
    return addr_from_ipv4(0x0a020000u + (uint32_t)i);
}

static inline void scene_open(uint8_t when, uint8_t policy)
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

static inline void scene_close(void)
{
    agent_destroy(scene.agent);
    free(scene.pps);
}

static inline TCase *policy_case(Suite *suite, const char *name)
{
    TCase *tcase = tcase_create(name);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return tcase;
}

/* ---- Secondaries ---- */

static inline void beat(struct fake *fake)
{
    const struct delegation_header header = {.type = DELEGATION_KEEPALIVE, .sequence = ++fake->beats};
    fake->load.heard = fake->beats - 1;
    fake->load.state = LOAD_READY;
    if (effects_reserve(&scene.agent->effects))
        liveness_keepalive(scene.agent, fake->node, &header, &fake->load, scene.now);
}

static inline const char *name_of(size_t i)
{
    static char names[NODES][4];
    snprintf(names[i], sizeof(names[i]), "s%zu", i);
    return names[i];
}

static inline struct agent_peer peer_of(size_t i, uint16_t weight)
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
static inline void join(uint16_t weight)
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

static inline struct holding *first_sent(struct node *node)
{
    struct holding *h = node->open;
    while (h != NULL && h->batch == NULL)
        h = h->open_next;
    return h;
}

static inline void acknowledge(struct fake *fake)
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

static inline struct mobile *mobile_of(size_t i)
{
    const struct addr h = home(i);
    return mobile_by_home(scene.agent, &h);
}

static inline void bind_some(size_t n)
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

static inline void end_binding(size_t i)
{
    const struct addr h = home(i);
    ck_assert(agent_revoke(scene.agent, &h, scene.now));
}

/* Whoever forwards reports. */
static inline void report(void)
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

static inline void take_effects(void)
{
    const struct effect *e;
    while ((e = agent_pop(scene.agent)) != NULL) {
        scene.drained += e->kind == EFFECT_NOTE && e->note.kind == NOTE_DRAINED;
        if (e->kind == EFFECT_ANNOUNCE && scene.n_announced < ROWS(scene.announced))
            scene.announced[scene.n_announced++] = e->announce.home;
    }
}

static inline void step(void)
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

static inline void pass(uint64_t ms)
{
    for (uint64_t t = 0; t < ms; t += STEP_MS)
        step();
}

/* ---- What is so ---- */

static inline size_t owned_by(size_t fake)
{
    size_t n = 0;
    for (size_t i = 0; i < scene.n_bound; i++)
        n += mobile_of(i)->cares != NULL && delegation_owner(mobile_of(i)) == scene.fakes[fake].node;
    return n;
}

static inline size_t owned_by_primary(void)
{
    size_t n = 0;
    for (size_t i = 0; i < scene.n_bound; i++)
        n += mobile_of(i)->cares != NULL && delegation_owner(mobile_of(i)) == NULL;
    return n;
}

static inline uint64_t load_of(const struct node *node)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < scene.n_bound; i++)
        if (mobile_of(i)->cares != NULL && delegation_owner(mobile_of(i)) == node)
            sum += scene.pps[i];
    return sum;
}

static inline bool intercepted(size_t i)
{
    struct node *owner = delegation_owner(mobile_of(i));
    if (owner == NULL)
        return mobile_intercepts(scene.agent, mobile_of(i));
    for (size_t n = 0; n < scene.n_fakes; n++)
        if (scene.fakes[n].node == owner)
            return !scene.fakes[n].mute;
    return false;
}

/* The policy's accounts are those of delegation, when nothing is under way. */
static inline void accounts_are_right(void)
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

static inline uint64_t moves(void)
{
    return agent_counters(scene.agent)->n[AGENT_MOVES];
}

#endif
