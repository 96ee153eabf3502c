/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bindings (RFC 5944 section 3.8): the set of care-of addresses of a mobile node, each with its own lifetime.
 * A mobile node with a care-of address is bound, and what forwarding has been told last (INSTALL, REMOVE) is
 * always exactly this set.
 */
#include "internal.h"

#include <stdlib.h>

#include "primary/delegation.h"
#include "primary/policy.h"
#include "secondary/held.h"

/* ---- The set ---- */
struct care *care_find(const struct mobile *mobile, const struct addr *care_of)
{
    struct care *care = mobile->cares;
    while (care != NULL && !addr_equal(&care->tunnel->far, care_of))
        care = care->next;
    return care;
}

size_t care_count(const struct mobile *mobile)
{
    size_t n = 0;
    for (const struct care *care = mobile->cares; care != NULL; care = care->next)
        n++;
    return n;
}

uint32_t care_left_s(const struct care *care, struct instant now)
{
    if (!timer_is_set(&care->lifetime))
        return UINT32_MAX;
    const uint64_t end = care->lifetime.deadline_ns;
    return end <= now.mono_ns ? 0 : (uint32_t)((end - now.mono_ns) / NSEC_PER_S);
}

void binding_install(struct agent *agent, struct mobile *mobile)
{
    struct forwarding f = {.home = mobile->home, .source = mobile->cares->tunnel->source};
    f.id_slot = held_id_slot(mobile);
    f.home_tests = mobile->cares->home_tests;
    for (const struct care *care = mobile->cares; care != NULL; care = care->next) {
        struct care_of *out = &f.care_of[f.n_care_of++];
        tunnel_describe(care->tunnel, out);
        out->encapsulation = care->encapsulation;
        out->reverse = care->reverse;
    }
    effect_install(agent, &f);
    listen_settle(agent, mobile);
}

void binding_drop_quietly(struct agent *agent, struct care *care)
{
    struct mobile *mobile = care->mobile;
    timerq_cancel(agent->timers, &care->lifetime);
    tunnel_detach(agent, care);
    LL_DELETE(mobile->cares, care);
    free(care);
    if (mobile->cares == NULL)
        agent->n_bindings--;
}

void binding_end(struct agent *agent, struct mobile *mobile)
{
    while (mobile->cares != NULL)
        binding_drop_quietly(agent, mobile->cares);
    announce_cancel(agent, mobile);
    effect_remove(agent, &mobile->home);
    listen_settle(agent, mobile);
}

void binding_drop(struct agent *agent, struct care *care)
{
    struct mobile *mobile = care->mobile;
    if (mobile->cares->next == NULL) {
        binding_end(agent, mobile);
        return;
    }
    binding_drop_quietly(agent, care);
    binding_install(agent, mobile);
}

/* ---- Granting ---- */

/* All that a grant needs to have before anything is changed. */
struct preparation {
    struct care *care; /* the one granted; new if it has no mobile yet */
    struct tunnel *tunnel;
    struct tunnel
        *moved[AGENT_CARE_OF_MAX]; /* for the others in their order, where the outer source changes */
    size_t n_moved;
};

static void abandon(struct agent *agent, struct preparation *p)
{
    if (p->care != NULL && p->care->mobile == NULL)
        free(p->care);
    if (p->tunnel != NULL)
        tunnel_discard_idle(agent, p->tunnel);
    for (size_t i = 0; i < p->n_moved; i++)
        tunnel_discard_idle(agent, p->moved[i]);
}

/* One binding has one outer source: what stays moves to the home-agent address registered with now. */
static bool prepare_others(struct agent *agent, const struct mobile *mobile, const struct grant *grant,
                           struct preparation *p)
{
    if (!grant->keep_others)
        return true;
    for (const struct care *care = mobile->cares; care != NULL; care = care->next) {
        if (care == p->care)
            continue;
        struct tunnel *tunnel = tunnel_get(agent, &grant->source, &care->tunnel->far);
        if (tunnel == NULL)
            return false;
        p->moved[p->n_moved++] = tunnel;
    }
    return true;
}

static bool prepare_lifetime(struct agent *agent, struct care *care, const struct grant *grant,
                             struct instant now)
{
    care->lifetime.kind = TIMER_LIFETIME;
    if (grant->lifetime_s == MIP4_LIFETIME_INFINITE) {
        timerq_cancel(agent->timers, &care->lifetime);
        return true;
    }
    return timerq_set(agent->timers, &care->lifetime, now.mono_ns + grant->lifetime_s * NSEC_PER_S);
}

/* The timer is the last thing that can fail. */
static bool prepare(struct agent *agent, const struct mobile *mobile, const struct grant *grant,
                    struct instant now, struct preparation *p)
{
    p->care = care_find(mobile, &grant->care_of);
    p->tunnel = tunnel_get(agent, &grant->source, &grant->care_of);
    if (p->tunnel == NULL || !prepare_others(agent, mobile, grant, p))
        return false;
    if (p->care == NULL)
        p->care = calloc(1, sizeof(*p->care));
    return p->care != NULL && prepare_lifetime(agent, p->care, grant, now);
}

static void settle_in_tunnel(struct agent *agent, struct care *care, struct tunnel *tunnel)
{
    if (care->tunnel == tunnel)
        return;
    if (care->tunnel != NULL)
        tunnel_detach(agent, care);
    tunnel_attach(tunnel, care);
}

static void settle_others(struct agent *agent, const struct grant *grant, const struct preparation *p)
{
    struct care *care, *next;
    size_t i = 0;
    LL_FOREACH_SAFE(p->care->mobile->cares, care, next)
    {
        if (care == p->care)
            continue;
        if (grant->keep_others)
            settle_in_tunnel(agent, care, p->moved[i++]);
        else
            binding_drop_quietly(agent, care);
    }
}

/* True: forwarding has to know. */
static bool commit(struct agent *agent, struct mobile *mobile, const struct grant *grant,
                   const struct preparation *p)
{
    struct care *care = p->care;
    const bool alone = mobile->cares == NULL || (mobile->cares == care && care->next == NULL);
    const bool changed = care->tunnel != p->tunnel || care->encapsulation != grant->encapsulation ||
                         care->reverse != grant->reverse || care->home_tests != (mobile->home_test != NULL) ||
                         (!alone && !grant->keep_others);
    if (mobile->cares == NULL)
        agent->n_bindings++;
    if (care->mobile == NULL) {
        care->mobile = mobile;
        LL_APPEND(mobile->cares, care);
    }
    settle_in_tunnel(agent, care, p->tunnel);
    settle_others(agent, grant, p);
    care->encapsulation = grant->encapsulation;
    care->granted_s = grant->lifetime_s;
    care->co_located = grant->co_located;
    care->reverse = grant->reverse;
    care->link_local = grant->link_local;
    care->home_tests = mobile->home_test != NULL;
    const bool revived = grant->heard && tunnel_alive(agent, care->tunnel);
    return changed || revived;
}

enum binding_change binding_grant(struct agent *agent, struct mobile *mobile, const struct grant *grant,
                                  struct instant now)
{
    struct preparation p = {0};
    if (!prepare(agent, mobile, grant, now, &p)) {
        abandon(agent, &p);
        return BINDING_NO_MEMORY;
    }
    const enum binding_change change = mobile->cares == NULL    ? BINDING_CREATED
                                       : p.care->mobile == NULL ? BINDING_MOVED
                                                                : BINDING_RENEWED;
    if (commit(agent, mobile, grant, &p))
        binding_install(agent, mobile);
    return change;
}

/* ---- A whole set at once ---- */
static bool prepare_set(struct agent *agent, const struct mobile *mobile, const struct care_set *set,
                        struct care **cares, struct tunnel **tunnels)
{
    for (size_t i = 0; i < set->n; i++) {
        tunnels[i] = tunnel_get(agent, &set->source, &set->grants[i].care_of);
        cares[i] = care_find(mobile, &set->grants[i].care_of);
        if (cares[i] == NULL)
            cares[i] = calloc(1, sizeof(*cares[i]));
        if (tunnels[i] == NULL || cares[i] == NULL)
            return false;
    }
    return true;
}

static void abandon_set(struct agent *agent, const struct care_set *set, struct care **cares,
                        struct tunnel **tunnels)
{
    for (size_t i = 0; i < set->n; i++) {
        if (cares[i] != NULL && cares[i]->mobile == NULL)
            free(cares[i]);
        if (tunnels[i] != NULL)
            tunnel_discard_idle(agent, tunnels[i]);
    }
}

static bool is_among(const struct care *care, struct care *const *cares, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (cares[i] == care)
            return true;
    return false;
}

/* What stays is joined by the new ones before the others leave: the mobile is bound throughout. */
static void replace_cares(struct agent *agent, struct mobile *mobile, struct care **cares, size_t n)
{
    struct care *care, *next;
    if (mobile->cares == NULL)
        agent->n_bindings++;
    for (size_t i = 0; i < n; i++) {
        if (cares[i]->mobile != NULL)
            continue;
        cares[i]->mobile = mobile;
        LL_APPEND(mobile->cares, cares[i]);
    }
    LL_FOREACH_SAFE(mobile->cares, care, next)
    {
        if (!is_among(care, cares, n))
            binding_drop_quietly(agent, care);
    }
    mobile->cares = NULL;
    for (size_t i = 0; i < n; i++)
        LL_APPEND(mobile->cares, cares[i]);
}

bool binding_set(struct agent *agent, struct mobile *mobile, const struct care_set *set, struct instant now)
{
    struct care *cares[AGENT_CARE_OF_MAX] = {0};
    struct tunnel *tunnels[AGENT_CARE_OF_MAX] = {0};
    if (!prepare_set(agent, mobile, set, cares, tunnels)) {
        abandon_set(agent, set, cares, tunnels);
        return false;
    }
    for (size_t i = 0; i < set->n; i++)
        settle_in_tunnel(agent, cares[i], tunnels[i]);
    replace_cares(agent, mobile, cares, set->n);
    for (size_t i = 0; i < set->n; i++) {
        cares[i]->encapsulation = set->grants[i].encapsulation;
        cares[i]->reverse = set->grants[i].reverse;
        cares[i]->link_local = set->grants[i].link_local;
        cares[i]->home_tests = set->grants[i].home_tests || mobile->home_test != NULL;
        if (set->grants[i].path_mtu != 0)
            tunnel_told_mtu(agent, tunnels[i], set->grants[i].path_mtu, now);
    }
    binding_install(agent, mobile);
    return true;
}

/* ---- Policy ---- */
void binding_follow_policy(struct agent *agent, struct mobile *mobile, struct instant now)
{
    const bool home_tests = mobile->home_test != NULL;
    if (mobile->cares == NULL || mobile->held != NULL || mobile->cares->home_tests == home_tests)
        return;
    for (struct care *care = mobile->cares; care != NULL; care = care->next)
        care->home_tests = home_tests;
    binding_install(agent, mobile);
    delegation_changed(agent, mobile, now);
}

/* ---- Ends ---- */

/* A care-of address went, and maybe the binding with it. */
static void tell_delegation(struct agent *agent, struct mobile *mobile, uint8_t reason, struct instant now)
{
    if (mobile->cares == NULL)
        delegation_ended(agent, mobile, reason, NULL, now);
    else
        delegation_changed(agent, mobile, now);
}

void binding_revoke(struct agent *agent, struct mobile *mobile, struct instant now)
{
    if (mobile->cares == NULL)
        return;
    const struct note note = {
        .kind = NOTE_REVOKED, .home = mobile->home, .care_of = mobile->cares->tunnel->far};
    count(agent, AGENT_BINDINGS_REVOKED);
    if (agent->settings.role == AGENT_SECONDARY) {
        held_revoke(agent, mobile); /* which may be the end of the mobile, too */
    } else {
        binding_end(agent, mobile);
        tell_delegation(agent, mobile, STOP_ADMIN, now);
    }
    effect_note(agent, &note);
}

bool agent_revoke(struct agent *agent, const struct addr *home, struct instant now)
{
    struct mobile *mobile = mobile_by_home(agent, home);
    if (mobile == NULL || mobile->cares == NULL || !effects_reserve(&agent->effects))
        return false;
    binding_revoke(agent, mobile, now);
    return true;
}

/* RFC 5944 section 3.8.2.2: the entry is deleted; nobody is told (section 3.8), and as no MAC address of the
 * mobile node is known, nothing is announced either. */
void binding_lifetime_over(struct agent *agent, struct care *care, struct instant now)
{
    struct mobile *mobile = care->mobile;
    const struct note note = {
        .kind = NOTE_EXPIRED, .home = mobile->home, .care_of = care->tunnel->far, .value = care->granted_s};
    count(agent, AGENT_BINDINGS_EXPIRED);
    binding_drop(agent, care);
    tell_delegation(agent, mobile, STOP_EXPIRED, now);
    effect_note(agent, &note);
}

void binding_expire_due(struct agent *agent, struct mobile *mobile, struct instant now)
{
    struct care *care, *next;
    LL_FOREACH_SAFE(mobile->cares, care, next)
    {
        if (timer_is_set(&care->lifetime) && care->lifetime.deadline_ns <= now.mono_ns)
            binding_lifetime_over(agent, care, now);
    }
}

/* ---- Views ---- */
static void view_delegation(const struct agent *agent, const struct mobile *mobile, struct instant now,
                            struct binding_view *out)
{
    const struct node *owner = delegation_owner(mobile);
    out->forwarder = owner == NULL ? NULL : owner->peer.is.name;
    out->state = delegation_state_text(mobile);
    policy_view(agent, mobile, now, out);
}

static void view(const struct agent *agent, const struct mobile *mobile, struct instant now,
                 struct binding_view *out)
{
    *out = (struct binding_view){.home = mobile->home, .nai = mobile->name ? mobile->name->text : NULL};
    for (const struct care *care = mobile->cares; care != NULL; care = care->next) {
        const size_t i = out->n_care_of++;
        out->home_agent = care->tunnel->source;
        out->home_tests = care->home_tests;
        tunnel_describe(care->tunnel, &out->care_of[i]);
        out->care_of[i].encapsulation = care->encapsulation;
        out->care_of[i].reverse = care->reverse;
        out->lifetime_granted_s[i] = care->granted_s;
        out->lifetime_left_s[i] = care_left_s(care, now);
    }
    if (agent->settings.role == AGENT_PRIMARY)
        view_delegation(agent, mobile, now, out);
    else
        held_view(mobile, now, out);
}

bool agent_binding_next(const struct agent *agent, size_t *cursor, size_t budget, struct instant now,
                        struct binding_view *out)
{
    for (; *cursor < agent->n_slots; budget--) {
        if (budget == 0) {
            *out = (struct binding_view){0};
            return true;
        }
        const struct mobile *mobile = agent->slots[(*cursor)++];
        if (mobile == NULL || mobile->cares == NULL)
            continue;
        view(agent, mobile, now, out);
        return true;
    }
    return false;
}

bool agent_binding(const struct agent *agent, const struct addr *home, struct instant now,
                   struct binding_view *out)
{
    const struct mobile *mobile = mobile_by_home(agent, home);
    if (mobile == NULL || mobile->cares == NULL)
        return false;
    view(agent, mobile, now, out);
    return true;
}

bool agent_forwards(const struct agent *agent, const struct addr *home)
{
    const struct mobile *mobile = mobile_by_home(agent, home);
    return mobile != NULL && mobile->cares != NULL;
}

bool mobile_intercepts(const struct agent *agent, const struct mobile *mobile)
{
    if (mobile->cares == NULL)
        return false;
    return agent->settings.role == AGENT_PRIMARY ? delegation_is_local(mobile) : held_intercepts(mobile);
}

bool agent_intercepts(const struct agent *agent, const struct addr *home)
{
    const struct mobile *mobile = mobile_by_home(agent, home);
    return mobile != NULL && mobile_intercepts(agent, mobile);
}

/* Nodes that share an outer source must not use the same identifications (RFC 6864): alone, we have them all.
 */
unsigned agent_id_slots(const struct agent *agent)
{
    return agent->settings.role == AGENT_PRIMARY && agent->peers == NULL ? 1 : 64;
}

size_t agent_bindings(const struct agent *agent)
{
    return agent->n_bindings;
}
