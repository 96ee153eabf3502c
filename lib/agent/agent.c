/* SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>

enum {
    DENIALS_PER_S = 1000, /* 131 to those who cannot prove who they are */
    NOTES_PER_S = 5       /* of each kind that a stranger can cause */
};

static bool begin(struct agent *agent, const struct agent_settings *settings, const uint8_t *seed)
{
    agent->seed.algorithm = AUTH_HMAC_SHA256;
    agent->seed.len = AGENT_SEED;
    memcpy(agent->seed.bytes, seed, AGENT_SEED);
    agent->denials = limit_of(DENIALS_PER_S, DENIALS_PER_S);
    for (size_t i = 0; i < sizeof(agent->notes) / sizeof(agent->notes[0]); i++)
        agent->notes[i] = limit_of(NOTES_PER_S, NOTES_PER_S);
    agent->auth = auth_create();
    agent->timers = timerq_create();
    return agent->auth != NULL && agent->timers != NULL && settings_replace(agent, settings) == 0;
}

struct agent *agent_create(const struct agent_settings *settings, const uint8_t seed[static AGENT_SEED],
                           struct instant boot)
{
    struct agent *agent = calloc(1, sizeof(*agent));
    if (agent == NULL)
        return NULL;
    agent->floor = boot.ntp;
    agent->foreigns_swept = true;
    if (!begin(agent, settings, seed)) {
        agent_destroy(agent);
        return NULL;
    }
    return agent;
}

void agent_destroy(struct agent *agent)
{
    if (agent == NULL)
        return;
    mobiles_destroy(agent);
    effects_destroy(&agent->effects);
    timerq_destroy(agent->timers);
    auth_destroy(agent->auth);
    free(agent->tunnels);
    free(agent->reserved);
    explicit_bzero(&agent->seed, sizeof(agent->seed));
    free(agent);
}

int agent_configure(struct agent *agent, const struct agent_settings *settings)
{
    return settings_replace(agent, settings);
}

void agent_input(struct agent *agent, const struct agent_datagram *datagram, struct instant now)
{
    if (effects_reserve(&agent->effects))
        registration_handle(agent, datagram, now);
    else
        count(agent, AGENT_NO_MEMORY);
}

/* ---- Time ---- */
static void fire(struct agent *agent, struct timer *timer, struct instant now)
{
    switch ((enum agent_timer)timer->kind) {
    case TIMER_LIFETIME:
        binding_lifetime_over(agent, timer_owner(timer, struct care, lifetime));
        break;
    case TIMER_REPEAT:
        announce_repeat(agent, timer, now);
        break;
    case TIMER_DEFEND:
        announce_defend(agent, timer);
        break;
    case TIMER_TUNNEL_AGE:
        tunnel_age(agent, timer, now);
        break;
    }
}

/* Bindings whose home network was taken out of the settings go, one at a time. */
static void audit_step(struct agent *agent)
{
    if (agent->audit_at >= agent->n_slots) {
        agent->auditing = false;
        return;
    }
    struct mobile *mobile = agent->slots[agent->audit_at++];
    if (mobile != NULL && mobile->cares != NULL && home_network(agent, &mobile->home) == NULL)
        binding_revoke(agent, mobile);
}

/* False: there was nothing to do. Deadlines come before what can wait. */
static bool step(struct agent *agent, struct instant now)
{
    struct timer *timer = timerq_pop(agent->timers, now.mono_ns);
    if (timer != NULL)
        fire(agent, timer, now);
    else if (agent->refreshing != NULL)
        tunnel_refresh_step(agent);
    else if (agent->auditing)
        audit_step(agent);
    else
        return false;
    return true;
}

void agent_expire(struct agent *agent, struct instant now, size_t budget)
{
    while (budget-- > 0 && effects_reserve(&agent->effects))
        if (!step(agent, now))
            return;
}

uint64_t agent_deadline(const struct agent *agent)
{
    if (agent->refreshing != NULL || agent->auditing)
        return 0;
    return timerq_next(agent->timers);
}

/* ---- Counters ---- */
const struct agent_counters *agent_counters(const struct agent *agent)
{
    return &agent->counters;
}

void agent_counters_clear(struct agent *agent)
{
    agent->counters = (struct agent_counters){0};
}
