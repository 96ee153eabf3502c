/* SPDX-License-Identifier: BSD-3-Clause */
#include "secondary/held.h"

#include <stdlib.h>

#include "secondary/snapshot.h"

enum {
    FORGET_AT_ONCE = 64, /* tombstones of one step */
    LINGER_UNIT_MS = 100
};

/* ---- What there is ---- */
struct held *held_find(const struct mobile *mobile, const struct principal *principal)
{
    struct held *held = mobile == NULL ? NULL : mobile->held;
    while (held != NULL && held->principal != principal)
        held = held->next;
    return held;
}

struct held *held_entry(const struct mobile *mobile)
{
    struct held *held = mobile->held;
    while (held != NULL && held->state == HELD_TOMBSTONE)
        held = held->next;
    return held;
}

uint32_t held_left_ms(const struct held *held, struct instant now)
{
    if (!held_is_entry(held))
        return 0;
    uint64_t end = held->duration.deadline_ns;
    if (held_lingers(held) && held->linger.deadline_ns < end)
        end = held->linger.deadline_ns;
    return end <= now.mono_ns ? 0 : (uint32_t)((end - now.mono_ns + NSEC_PER_MS - 1) / NSEC_PER_MS);
}

/* [S] Under a new session's lease it intercepts only after a START in that session; until then at most to the
 * end of the lease of the session of its last START. */
static const struct lease *lease_of(const struct held *held)
{
    if (held == NULL || held->state != HELD_ACTIVE)
        return NULL;
    const struct lease *lease = principal_lease(held->principal, held->session);
    return lease != NULL && lease->in_force ? lease : NULL;
}

bool held_intercepts(const struct mobile *mobile)
{
    return lease_of(held_entry(mobile)) != NULL;
}

bool held_is_to_intercept(const struct mobile *mobile)
{
    const struct held *held = held_entry(mobile);
    return held != NULL && held->state == HELD_ACTIVE;
}

bool held_intercepts_now(const struct mobile *mobile, struct instant now)
{
    const struct lease *lease = lease_of(held_entry(mobile));
    return lease != NULL && now.mono_ns < lease->end_ns;
}

/* Of the one that is an entry, or becomes one with what is being installed: it has its duration. Our own
 * address is nobody else's source. */
uint8_t held_id_slot(const struct mobile *mobile)
{
    const struct held *held = mobile->held;
    while (held != NULL && !timer_is_set(&held->duration))
        held = held->next;
    return held == NULL || held->own_source ? 0 : held->principal->peer.id_slot;
}

static const char *state_text(const struct held *held)
{
    if (held_lingers(held))
        return "lingering";
    if (held->state == HELD_FORWARD_ONLY)
        return "forward-only";
    return lease_of(held) != NULL ? "active" : "no-lease";
}

void held_view(const struct mobile *mobile, struct instant now, struct binding_view *out)
{
    const struct held *held = held_entry(mobile);
    if (held == NULL)
        return;
    for (size_t i = 0; i < out->n_care_of; i++)
        out->lifetime_left_s[i] = held_left_ms(held, now) / 1000;
    out->id_slot = held_id_slot(mobile);
    out->state = state_text(held);
    out->packets = held->packets;
    out->bytes = held->bytes;
    out->pps = held->pps;
    out->kbps = held->kbps;
}

/* ---- Lists and sums ---- */
static void digest_set(struct held *held, uint64_t digest)
{
    held->principal->digest ^= held->digest ^ digest;
    held->principal->buckets[held->bucket] ^= held->digest ^ digest;
    held->digest = digest;
}

static uint64_t digest_now(const struct held *held)
{
    struct addr care_of[AGENT_CARE_OF_MAX];
    size_t n = 0;
    for (const struct care *care = held->mobile->cares; care != NULL; care = care->next)
        care_of[n++] = care->tunnel->far;
    return delegation_entry_digest(0, &held->mobile->home, held->start, care_of, n);
}

static uint32_t *count_of(struct held *held)
{
    struct principal *p = held->principal;
    switch (held->state) {
    case HELD_ACTIVE:
        return &p->n_active;
    case HELD_FORWARD_ONLY:
        return &p->n_lingering;
    default:
        return &p->n_tombstones;
    }
}

static void leave_list(struct held *held)
{
    struct principal *p = held->principal;
    (*count_of(held))--;
    if (held_is_entry(held)) {
        snapshot_pass(p, held);
        DL_DELETE2(p->entries, held, at_prev, at_next);
        return;
    }
    if (p->forgetting == held)
        p->forgetting = held->at_next;
    DL_DELETE2(p->tombstones, held, at_prev, at_next);
}

static void join_list(struct held *held, enum delegation_entry_state state)
{
    struct principal *p = held->principal;
    held->state = (uint8_t)state;
    (*count_of(held))++;
    if (state == HELD_TOMBSTONE) {
        DL_APPEND2(p->tombstones, held, at_prev, at_next);
        return;
    }
    held->entered = p->entered++;
    DL_APPEND2(p->entries, held, at_prev, at_next);
}

/* From one kind of entry to the other. */
static void turn(struct held *held, enum delegation_entry_state state)
{
    (*count_of(held))--;
    held->state = (uint8_t)state;
    (*count_of(held))++;
}

/* ---- Coming and going ---- */

/* In no list yet. */
static struct held *create(struct agent *agent, struct principal *principal, const struct addr *home)
{
    struct mobile *mobile = mobile_adopt(agent, home);
    if (mobile == NULL)
        return NULL;
    struct held *held = calloc(1, sizeof(*held));
    if (held == NULL) {
        mobile_release(agent, mobile);
        return NULL;
    }
    held->mobile = mobile;
    held->principal = principal;
    held->linger.kind = TIMER_LINGER;
    held->duration.kind = TIMER_DURATION;
    held->bucket = delegation_bucket(0, home);
    LL_PREPEND(mobile->held, held);
    return held;
}

/* It is in no list any more, and has no timer. */
static void discard(struct agent *agent, struct held *held)
{
    struct mobile *mobile = held->mobile;
    LL_DELETE(mobile->held, held);
    free(held);
    mobile_release(agent, mobile);
}

void held_destroy(struct agent *agent, struct held *held)
{
    digest_set(held, 0);
    leave_list(held);
    report_forget(held->principal, held);
    timerq_cancel(agent->timers, &held->linger);
    timerq_cancel(agent->timers, &held->duration);
    LL_DELETE(held->mobile->held, held);
    free(held);
}

static void forget(struct agent *agent, struct held *tombstone)
{
    leave_list(tombstone);
    discard(agent, tombstone);
}

void held_entomb(struct agent *agent, struct held *held)
{
    if (held->mobile->cares != NULL)
        binding_end(agent, held->mobile);
    timerq_cancel(agent->timers, &held->linger);
    timerq_cancel(agent->timers, &held->duration);
    report_forget(held->principal, held);
    digest_set(held, 0);
    leave_list(held);
    held->start = 0;
    join_list(held, HELD_TOMBSTONE);
    listen_settle(agent, held->mobile);
    if (held->generation <= held->principal->floor)
        forget(agent, held);
}

bool held_bury(struct agent *agent, struct principal *principal, const struct addr *home, uint64_t generation)
{
    struct held *tombstone = held_find(mobile_by_home(agent, home), principal);
    if (tombstone != NULL) {
        tombstone->generation = generation;
        return true;
    }
    if (principal->n_tombstones >= agent->settings.max_bindings)
        return false;
    tombstone = create(agent, principal, home);
    if (tombstone == NULL)
        return false;
    tombstone->generation = generation;
    join_list(tombstone, HELD_TOMBSTONE);
    return true;
}

/* ---- START ---- */

/* Its former primary has stopped it; another one's START leaves no time to linger. */
static void evict(struct agent *agent, const struct principal *principal, const struct addr *home)
{
    struct mobile *mobile = mobile_by_home(agent, home);
    struct held *other = mobile == NULL ? NULL : held_entry(mobile);
    if (other != NULL && other->principal != principal)
        held_entomb(agent, other);
}

static bool take_contents(struct agent *agent, struct held *held, const struct offer *offer,
                          struct instant now)
{
    const bool was_set = timer_is_set(&held->duration);
    const uint64_t end = now.mono_ns + offer->start.duration_ms * NSEC_PER_MS;
    /* A timer that is set can be moved; the other may be lacking memory. */
    if (!was_set && !timerq_set(agent->timers, &held->duration, end))
        return false;
    if (!binding_set(agent, held->mobile, &offer->set, now)) {
        if (!was_set)
            timerq_cancel(agent->timers, &held->duration);
        return false;
    }
    return timerq_set(agent->timers, &held->duration, end);
}

/* [S] Without intercept a lingering entry goes on lingering, to the deadline it has; with it, it is active
 * again. */
static void take_state(struct agent *agent, struct held *held, const struct offer *offer)
{
    const bool intercepts = (offer->start.flags & START_INTERCEPT) != 0;
    const enum delegation_entry_state state = intercepts ? HELD_ACTIVE : HELD_FORWARD_ONLY;
    if (intercepts)
        timerq_cancel(agent->timers, &held->linger);
    else
        announce_cancel(agent, held->mobile);
    if (held_is_entry(held)) {
        turn(held, state);
        return;
    }
    leave_list(held);
    join_list(held, state);
}

static struct held *get(struct agent *agent, struct principal *principal, const struct addr *home)
{
    struct held *held = held_find(mobile_by_home(agent, home), principal);
    if (held != NULL)
        return held;
    held = create(agent, principal, home);
    if (held != NULL)
        join_list(held, HELD_TOMBSTONE);
    return held;
}

struct held *held_install(struct agent *agent, struct principal *principal, const struct offer *offer,
                          struct instant now)
{
    struct held *held = get(agent, principal, &offer->start.home);
    if (held == NULL)
        return NULL;
    evict(agent, principal, &offer->start.home);
    const bool own_source = held->own_source;
    held->own_source = offer->own_source;
    if (!take_contents(agent, held, offer, now)) {
        held->own_source = own_source;
        if (held->generation == 0) /* made just now */
            forget(agent, held);
        return NULL;
    }
    take_state(agent, held, offer);
    held->generation = held->start = offer->start.generation;
    held->session = principal->sessions;
    held->flags = offer->start.flags;
    held->cookie = offer->start.cookie;
    digest_set(held, held->state == HELD_ACTIVE ? digest_now(held) : 0);
    listen_settle(agent, held->mobile);
    return held;
}

/* ---- STOP ---- */

static bool linger(struct agent *agent, struct held *held, const struct delegation_stop *stop,
                   struct instant now)
{
    const uint64_t end = now.mono_ns + stop->linger_ds * LINGER_UNIT_MS * NSEC_PER_MS;
    if (stop->linger_ds == 0 || !timerq_set(agent->timers, &held->linger, end))
        return false;
    held->stopped_ns = now.mono_ns;
    held->strays_ns = 0;
    return true;
}

void held_stop(struct agent *agent, struct held *held, const struct delegation_stop *stop, struct instant now)
{
    held->generation = stop->generation;
    announce_cancel(agent, held->mobile);
    turn(held, HELD_FORWARD_ONLY);
    listen_settle(agent, held->mobile);
    digest_set(held, 0);
    if (stop->mode == STOP_DROP || (!held_lingers(held) && !linger(agent, held, stop, now))) {
        held_entomb(agent, held);
        return;
    }
    /* Where the mobile node is at home nothing may be tunnelled to where it was. */
    if (stop->mode == STOP_DELIVER && held->mobile->cares != NULL) {
        binding_end(agent, held->mobile);
        announce_nothing(agent, &held->mobile->home, &stop->mac);
    }
}

/* ---- What happens to it ---- */
void held_floor(struct principal *principal, uint64_t floor)
{
    if (floor <= principal->floor)
        return;
    principal->floor = floor;
    principal->forgetting = principal->tombstones;
}

bool held_has_work(const struct principal *principal)
{
    return principal->forgetting != NULL || (principal->peer.dismissed && principal->entries != NULL);
}

static void forget_some(struct agent *agent, struct principal *principal)
{
    for (unsigned i = 0; i < FORGET_AT_ONCE && principal->forgetting != NULL; i++) {
        struct held *tombstone = principal->forgetting;
        principal->forgetting = tombstone->at_next;
        if (tombstone->generation <= principal->floor)
            forget(agent, tombstone);
    }
}

bool held_step(struct agent *agent, struct principal *principal)
{
    if (!held_has_work(principal))
        return false;
    if (principal->forgetting != NULL)
        forget_some(agent, principal);
    else
        held_entomb(agent, principal->entries);
    return true;
}

void held_linger_due(struct agent *agent, struct timer *timer, struct instant now)
{
    (void)now;
    held_entomb(agent, timer_owner(timer, struct held, linger));
}

static void tell(struct agent *agent, const struct held *held, enum delegation_event_code code,
                 const void *auxiliary, size_t len)
{
    struct delegation_event event = {
        .home = held->mobile->home, .generation = held->generation, .code = (uint16_t)code};
    if (len > 0)
        memcpy(event.auxiliary, auxiliary, len);
    report_event(agent, held->principal, &event);
}

void held_duration_due(struct agent *agent, struct timer *timer, struct instant now)
{
    (void)now;
    struct held *held = timer_owner(timer, struct held, duration);
    count(agent, AGENT_DURATIONS_OVER);
    tell(agent, held, EVENT_EXPIRED, NULL, 0);
    held_entomb(agent, held);
}

void held_revoke(struct agent *agent, struct mobile *mobile)
{
    struct held *held = held_entry(mobile);
    if (held == NULL)
        return;
    tell(agent, held, EVENT_EXPIRED, NULL, 0);
    held_entomb(agent, held);
}

static bool is_stray(const struct held *held, struct instant now)
{
    const uint64_t since = held->strays_ns > held->stopped_ns ? held->strays_ns : held->stopped_ns;
    return held_lingers(held) && held->pps > 0 && now.mono_ns >= since + HELD_STRAYS_MS * NSEC_PER_MS;
}

void held_rate(struct agent *agent, struct mobile *mobile, const struct agent_rate *rate, struct instant now)
{
    struct held *held = held_entry(mobile);
    if (held == NULL)
        return;
    held->packets = rate->packets;
    held->bytes = rate->bytes;
    held->pps = rate->pps;
    held->kbps = rate->kbps;
    report_rate(held->principal, held);
    if (!is_stray(held, now))
        return;
    held->strays_ns = now.mono_ns;
    tell(agent, held, EVENT_STRAYS, NULL, 0);
}

void held_conflict(struct agent *agent, const struct mobile *mobile, const struct mac *claimant)
{
    const struct held *held = held_entry(mobile);
    if (held != NULL)
        tell(agent, held, EVENT_CONFLICT, claimant, sizeof(*claimant));
}

void held_tunnel_trouble(struct agent *agent, const struct mobile *mobile, uint16_t mtu)
{
    const struct held *held = held_entry(mobile);
    const uint8_t value[4] = {0, 0, (uint8_t)(mtu >> 8), (uint8_t)mtu};
    if (held == NULL)
        return;
    if (mtu == 0)
        tell(agent, held, EVENT_UNREACHABLE, NULL, 0);
    else
        tell(agent, held, EVENT_TOO_BIG, value, sizeof(value));
}
