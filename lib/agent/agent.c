/* SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>

#include "primary/delegation.h"
#include "primary/policy.h"
#include "random.h"
#include "secondary/held.h"

enum {
    DENIALS_PER_S = 1000, /* 131 or 146 to those who cannot prove who they are */
    ERRORS_PER_S = 100,   /* binding errors and ICMP to anybody (RFC 6275 section 9.3.3) */
    NOTES_PER_S = 5       /* of each kind that a stranger can cause */
};

/* The epoch tells one start from another; 0 is none. */
static void begin_delegation(struct agent *agent, struct instant boot)
{
    uint8_t secret[16];
    agent->role = agent->settings.role == AGENT_PRIMARY ? &primary_role : &secondary_role;
    agent->boot_ns = boot.mono_ns;
    agent_secret(agent, secret);
    memcpy(&agent->epoch, secret, sizeof(agent->epoch));
    memcpy(&agent->random, secret + sizeof(agent->epoch), sizeof(agent->random));
    agent->epoch |= 1;
}

static bool begin(struct agent *agent, const struct agent_settings *settings, const uint8_t *seed,
                  struct instant boot)
{
    agent->seed.algorithm = AUTH_HMAC_SHA256;
    agent->seed.len = AGENT_SEED;
    memcpy(agent->seed.bytes, seed, AGENT_SEED);
    agent->denials = limit_of(DENIALS_PER_S, DENIALS_PER_S);
    agent->errors = limit_of(ERRORS_PER_S, ERRORS_PER_S);
    for (size_t i = 0; i < sizeof(agent->notes) / sizeof(agent->notes[0]); i++)
        agent->notes[i] = limit_of(NOTES_PER_S, NOTES_PER_S);
    agent->auth = auth_create();
    agent->timers = timerq_create();
    if (agent->auth == NULL || agent->timers == NULL || settings_replace(agent, settings) != 0)
        return false;
    begin_delegation(agent, boot);
    if (settings->role != AGENT_PRIMARY)
        return true;
    agent->policy = policy_create(agent);
    return agent->policy != NULL;
}

struct agent *agent_create(const struct agent_settings *settings, const uint8_t seed[static AGENT_SEED],
                           struct instant boot)
{
    struct agent *agent = calloc(1, sizeof(*agent));
    if (agent == NULL)
        return NULL;
    agent->floor = boot.ntp;
    agent->listening = 1;
    agent->foreigns_swept = true;
    if (!begin(agent, settings, seed, boot)) {
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
    if (agent->role != NULL)
        peers_destroy(agent);
    if (agent->policy != NULL)
        policy_destroy(agent);
    discovery_free(agent);
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
    const int error = settings_replace(agent, settings);
    if (error == 0 && agent->policy != NULL)
        policy_configured(agent);
    return error;
}

/* HMAC-SHA-256 of a counter under the seed: unpredictable outside, repeatable in a test. */
void agent_secret(struct agent *agent, uint8_t out[static 16])
{
    const uint64_t n = agent->secrets_made++;
    uint8_t mac[AUTH_MAX] = {0};
    if (!auth_sign(agent->auth, &agent->seed, &n, sizeof(n), mac))
        memcpy(mac, &n, sizeof(n)); /* unique at least */
    memcpy(out, mac, 16);
}

uint64_t agent_random(struct agent *agent)
{
    return random_next(&agent->random);
}

/* ---- Input ---- */
static void udp_input(struct agent *agent, const struct agent_datagram *datagram, struct instant now)
{
    if (datagram->destination_port == agent->settings.delegation.port)
        peer_input(agent, datagram, NULL, now);
    else if (agent->settings.role == AGENT_PRIMARY)
        registration_handle(agent, datagram, now);
}

static void esp_input(struct agent *agent, const struct agent_datagram *sealed, struct instant now)
{
    uint8_t buffer[AGENT_MESSAGE_MAX];
    struct agent_datagram inner;
    const struct ipsec_owner *owner = ipsec_open(agent, sealed, buffer, &inner);
    if (owner == NULL)
        return;
    inner.whole = NULL; /* no part of it can be quoted */
    if (owner->use == IPSEC_DELEGATION)
        peer_input(agent, &inner, owner->peer, now);
    else if (owner->use == IPSEC_HOME_TEST)
        home_test_opened(agent, &inner, owner->mobile);
    else if (inner.protocol == IPPROTO_NUM_MOBILITY)
        update_handle(agent, &inner, owner->mobile, now);
    else
        discovery_handle(agent, &inner, owner->mobile, now);
}

/* Mobile IPv6 signalling is the primary's alone, as registration is. */
static void input(struct agent *agent, const struct agent_datagram *datagram, struct instant now)
{
    const bool primary = agent->settings.role == AGENT_PRIMARY;
    if (datagram->protocol == IPPROTO_NUM_UDP)
        udp_input(agent, datagram, now);
    else if (primary && datagram->protocol == IPPROTO_NUM_MOBILITY)
        update_handle(agent, datagram, NULL, now);
    else if (datagram->protocol == IPPROTO_NUM_ESP)
        esp_input(agent, datagram, now);
    else if (primary && datagram->protocol == IPPROTO_NUM_ICMPV6)
        discovery_handle(agent, datagram, NULL, now);
}

void agent_input(struct agent *agent, const struct agent_datagram *datagram, struct instant now)
{
    if (!effects_reserve(&agent->effects))
        count(agent, AGENT_NO_MEMORY);
    else if (home_option_holds(agent, datagram))
        input(agent, datagram, now);
    else
        binding_error_send(agent, datagram, BINDING_ERROR_NO_BINDING, now);
}

bool agent_home_option(struct agent *agent, const struct agent_datagram *datagram, struct instant now)
{
    if (home_option_holds(agent, datagram))
        return true;
    if (effects_reserve(&agent->effects))
        binding_error_send(agent, datagram, BINDING_ERROR_NO_BINDING, now);
    return false;
}

/* ---- Time ---- */
static void fire(struct agent *agent, struct timer *timer, struct instant now)
{
    switch ((enum agent_timer)timer->kind) {
    case TIMER_LIFETIME:
        binding_lifetime_over(agent, timer_owner(timer, struct care, lifetime), now);
        break;
    case TIMER_REPEAT:
        announce_repeat(agent, timer, now);
        break;
    case TIMER_DEFEND:
        announce_defend(agent, timer, now);
        break;
    case TIMER_TUNNEL_AGE:
        tunnel_age(agent, timer, now);
        break;
    case TIMER_GREETING:
        peer_greeting_due(agent, timer, now);
        break;
    case TIMER_TRANSACTION:
        transaction_due(agent, timer, now);
        break;
    case TIMER_NODE_LEASE:
        node_lease_over(agent, timer, now);
        break;
    case TIMER_NODE_STALLED:
        node_stalled(agent, timer, now);
        break;
    case TIMER_NODE_FLUSH:
        operations_flush_due(agent, timer, now);
        break;
    case TIMER_HOLDING:
        holding_leave_due(agent, timer, now);
        break;
    case TIMER_HELD_REPLY:
        delegation_reply_due(agent, timer, now);
        break;
    case TIMER_RENEW:
        delegation_renew_due(agent, timer, now);
        break;
    case TIMER_POLICY:
        policy_due(agent, timer, now);
        break;
    case TIMER_LEASE:
        principal_lease_due(agent, timer, now);
        break;
    case TIMER_KEEPALIVE:
        principal_keepalive_due(agent, timer, now);
        break;
    case TIMER_REPORT:
        principal_report_due(agent, timer, now);
        break;
    case TIMER_LINGER:
        held_linger_due(agent, timer, now);
        break;
    case TIMER_DURATION:
        held_duration_due(agent, timer, now);
        break;
    case TIMER_ANNOUNCE:
        announce_turn(agent, now);
        break;
    case TIMER_UNIQUE:
        dad_over(agent, timer, now);
        break;
    }
}

/* Bindings whose home network was taken out of the settings go, one at a time. */
static void audit_step(struct agent *agent, struct instant now)
{
    if (agent->audit_at >= agent->n_slots) {
        agent->auditing = false;
        return;
    }
    struct mobile *mobile = agent->slots[agent->audit_at++];
    if (mobile != NULL && mobile->cares != NULL && home_network(agent, &mobile->home) == NULL)
        binding_revoke(agent, mobile, now);
}

/* False: there was nothing to do. Deadlines come before what can wait. */
static bool step(struct agent *agent, struct instant now)
{
    struct timer *timer = timerq_pop(agent->timers, now.mono_ns);
    if (timer != NULL)
        fire(agent, timer, now);
    else if (agent->refreshing != NULL)
        tunnel_refresh_step(agent, now);
    else if (agent->auditing)
        audit_step(agent, now);
    else if (agent->listening_again)
        listen_step(agent);
    else
        return agent->role->step(agent, now);
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
    const uint64_t next = timerq_next(agent->timers);
    if (agent->refreshing != NULL || agent->auditing || agent->listening_again ||
        agent->role->has_work(agent, next))
        return 0;
    return next;
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
