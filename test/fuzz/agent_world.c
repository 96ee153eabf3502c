/* SPDX-License-Identifier: BSD-3-Clause */
#include "agent_world.h"

#include "inet.h"

struct addr world_home(size_t n)
{
    return n < LAB_MOBILES ? lab_home(n) : lab6_home(n - LAB_MOBILES);
}

static size_t node_of(const struct addr *home)
{
    for (size_t n = 0; n < WORLD_HOMES; n++) {
        const struct addr own = world_home(n);
        if (addr_equal(&own, home))
            return n;
    }
    fuzz_require(false);
    return 0;
}

bool world_replay(struct world *w)
{
    bool changed = false;
    for (size_t i = 0; i < w->lab.n_log; i++) {
        const struct effect *e = &w->lab.log[i];
        if (e->kind == EFFECT_INSTALL) {
            const size_t n = node_of(&e->install.home);
            fuzz_require(e->install.n_care_of >= 1 && e->install.n_care_of <= w->lab.settings.max_care_of);
            w->installed[n] = e->install;
            w->is_installed[n] = changed = true;
        } else if (e->kind == EFFECT_REMOVE) {
            const size_t n = node_of(&e->remove);
            fuzz_require(w->is_installed[n]);
            w->is_installed[n] = false;
            changed = true;
        } else if (e->kind == EFFECT_RELAY) {
            fuzz_require(e->relay.len <= ICMP6_ERROR_MAX);
        }
    }
    return changed;
}

void world_check(const struct world *w)
{
    size_t n = 0;
    for (size_t i = 0; i < WORLD_HOMES; i++) {
        struct binding_view v;
        const struct addr home = world_home(i);
        const bool bound = agent_binding(w->lab.agent, &home, w->lab.now, &v);
        fuzz_require(bound == w->is_installed[i]);
        fuzz_require(bound == agent_intercepts(w->lab.agent, &home));
        n += bound;
        if (!bound)
            continue;
        fuzz_require(v.n_care_of == w->installed[i].n_care_of);
        fuzz_require(addr_equal(&v.home_agent, &w->installed[i].source));
        for (size_t c = 0; c < v.n_care_of; c++)
            fuzz_require(addr_equal(&v.care_of[c].address, &w->installed[i].care_of[c].address));
    }
    fuzz_require(agent_bindings(w->lab.agent) == n);
}

void world_send_update(struct world *w, const struct ask6 *ask)
{
    lab6_send(&w->lab, ask);
    fuzz_require(!world_replay(w) || ask->times > 0);
}

static void make_checksum_right(const struct ask6 *ask, uint8_t *message, size_t len)
{
    message[4] = message[5] = 0;
    const uint32_t pseudo = ip_pseudo_sum(&ask->home, &ask->destination, IPPROTO_NUM_MOBILITY, len);
    const uint16_t sum = inet_finish(inet_sum(pseudo, message, len));
    message[4] = (uint8_t)(sum >> 8);
    message[5] = (uint8_t)sum;
}

void world_send_bytes(struct world *w, const struct ask6 *ask, const uint8_t *bytes, size_t len,
                      bool right_checksum)
{
    uint8_t message[256];
    memcpy(message, bytes, len);
    if (len >= 6 && right_checksum)
        make_checksum_right(ask, message, len);
    const struct agent_datagram d = lab6_datagram(ask, message, len);
    lab_forget(&w->lab);
    agent_input(w->lab.agent, &d, w->lab.now);
    lab_drain(&w->lab);
    fuzz_require(lab_count(&w->lab, EFFECT_SEND) <= 1);
    fuzz_require(!world_replay(w));
}

void world_revoke(struct world *w, const struct addr *home)
{
    lab_forget(&w->lab);
    agent_revoke(w->lab.agent, home, w->lab.now);
    lab_drain(&w->lab);
    world_replay(w);
}
