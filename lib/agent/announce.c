/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the home link hears of a home address (RFC 5944 section 4.6, RFC 6275 section 10.4.1): announcements
 * when a mobile node leaves and, of IPv4, when it returns, each repeated; answers to who asks for it while it
 * is away; and, at last, an announcement against another station that goes on using its address.
 *
 * Many may be owed at once, when a whole node's bindings change hands: beyond the pace that is set they wait
 * in the order in which they were asked for, and first announcements go before repeats.
 */
#include "internal.h"

#include <stdlib.h>

#include "peer/peer.h"
#include "secondary/held.h"

/* How often an announcement is made, and when: after this long from the first. */
struct schedule {
    unsigned n;
    uint64_t at_ns[4];
    uint64_t gap_ns; /* at least, between any two, where the first of them had to wait its turn */
};
enum { TURNS_AT_ONCE = 32 }; /* announcements of one step */

/* RFC 5227 section 1.1, DEFEND_INTERVAL: no more than one announcement in this time. We wait it out before
 * the first, too: a mobile node that comes home announces itself before it deregisters (section 4.6), and
 * must not be fought. */
static const uint64_t defend_ns = 10 * NSEC_PER_S;

/* RFC 5944 section 4.6: "SHOULD be retransmitted a small number of times". RFC 4861 section 7.2.6: at most
 * MAX_NEIGHBOR_ADVERTISEMENT in all, RetransTimer apart. */
static const struct schedule *schedule_of(const struct mobile *mobile)
{
    static const struct schedule arp = {4, {0, 200 * NSEC_PER_MS, NSEC_PER_S, 3 * NSEC_PER_S}, 0};
    static const struct schedule nd = {3, {0, NSEC_PER_S, 3 * NSEC_PER_S}, NSEC_PER_S};
    return addr_is_ipv4(&mobile->home) ? &arp : &nd;
}

/* RFC 6275 section 10.4.1: where the mobile node asked for it (L), the link-local address of the same
 * interface identifier is treated as its home address is. */
static bool bears_link_local(const struct mobile *mobile)
{
    return mobile->cares != NULL && mobile->cares->link_local;
}

static struct vigil *vigil_get(struct mobile *mobile)
{
    if (mobile->vigil != NULL)
        return mobile->vigil;
    struct vigil *v = calloc(1, sizeof(*v));
    if (v == NULL)
        return NULL;
    v->mobile = mobile;
    v->repeat.kind = TIMER_REPEAT;
    v->defend.kind = TIMER_DEFEND;
    v->step = (uint8_t)schedule_of(mobile)->n;
    mobile->vigil = v;
    return v;
}

static void vigil_end_if_idle(struct vigil *v)
{
    if (v->waits || timer_is_set(&v->repeat) || timer_is_set(&v->defend))
        return;
    v->mobile->vigil = NULL;
    free(v);
}

static struct vigil **queue_of(struct agent *agent, const struct vigil *v)
{
    return &agent->announcing.waiting[v->step == 0 ? 0 : 1];
}

static void stop_waiting(struct agent *agent, struct vigil *v)
{
    if (!v->waits)
        return;
    DL_DELETE2(*queue_of(agent, v), v, queue_prev, queue_next);
    v->waits = false;
}

void announce_cancel(struct agent *agent, struct mobile *mobile)
{
    if (mobile->vigil == NULL)
        return;
    stop_waiting(agent, mobile->vigil);
    timerq_cancel(agent->timers, &mobile->vigil->repeat);
    timerq_cancel(agent->timers, &mobile->vigil->defend);
    vigil_end_if_idle(mobile->vigil);
}

/* ---- Pace ---- */

/* A quarter of what a second may bear at once, the rest spread over it: no more than all of it can fall into
 * any one second. */
static struct limit pace(uint32_t per_s)
{
    const uint32_t burst = per_s < 8 ? 1 : per_s / 4;
    return limit_of(per_s == 1 ? 1 : per_s - burst, burst);
}

static void follow_settings(struct agent *agent)
{
    struct limit *limit = &agent->announcing.limit;
    const struct limit now = pace(agent->settings.delegation.announcements_per_s);
    limit->per_s = now.per_s;
    limit->burst = now.burst;
}

static bool may_leave(struct agent *agent, struct instant now)
{
    if (agent->settings.delegation.announcements_per_s == 0)
        return true;
    follow_settings(agent);
    return limit_take(&agent->announcing.limit, now.mono_ns);
}

static bool set_turn(struct agent *agent, struct instant now)
{
    struct announcing *a = &agent->announcing;
    a->turn.kind = TIMER_ANNOUNCE;
    if (timer_is_set(&a->turn))
        return true;
    const uint64_t at = a->limit.per_s == 0 ? now.mono_ns : limit_ready_ns(&a->limit, now.mono_ns);
    return timerq_set(agent->timers, &a->turn, at);
}

static void schedule_next(struct agent *agent, struct vigil *v, struct instant now)
{
    const struct schedule *s = schedule_of(v->mobile);
    /* Called late, it does not catch up on repeats that are overdue together. */
    while (v->step < s->n && v->began_ns + s->at_ns[v->step] <= now.mono_ns)
        v->step++;
    if (v->step >= s->n) {
        vigil_end_if_idle(v);
        return;
    }
    uint64_t at = v->began_ns + s->at_ns[v->step];
    if (at < now.mono_ns + s->gap_ns)
        at = now.mono_ns + s->gap_ns;
    /* Without memory for the repeats the first one must do. */
    if (!timerq_set(agent->timers, &v->repeat, at))
        vigil_end_if_idle(v);
}

static void leave(struct agent *agent, struct vigil *v, struct instant now)
{
    const struct announcement a = {
        .home = v->mobile->home, .ours = v->ours, .link_local = bears_link_local(v->mobile), .mac = v->mac};
    effect_announce(agent, &a);
    if (v->step == 0)
        v->began_ns = now.mono_ns;
    schedule_next(agent, v, now);
}

/* Nobody overtakes who waits already; first ones stand before repeats. */
static bool must_wait(struct agent *agent, const struct vigil *v, struct instant now)
{
    const struct announcing *a = &agent->announcing;
    if (a->waiting[0] != NULL || (v->step != 0 && a->waiting[1] != NULL))
        return true;
    return !may_leave(agent, now);
}

static void announce(struct agent *agent, struct vigil *v, struct instant now)
{
    if (v->waits)
        return;
    if (!must_wait(agent, v, now) || !set_turn(agent, now)) {
        leave(agent, v, now);
        return;
    }
    DL_APPEND2(*queue_of(agent, v), v, queue_prev, queue_next);
    v->waits = true;
}

/* Interception may have ended without anybody's doing: a lease that is over. */
static bool is_moot(const struct agent *agent, const struct vigil *v)
{
    return v->ours && !mobile_intercepts(agent, v->mobile);
}

static struct vigil *next_waiting(const struct agent *agent)
{
    const struct announcing *a = &agent->announcing;
    return a->waiting[0] != NULL ? a->waiting[0] : a->waiting[1];
}

void announce_turn(struct agent *agent, struct instant now)
{
    struct vigil *v;
    for (unsigned i = 0; i < TURNS_AT_ONCE && (v = next_waiting(agent)) != NULL; i++) {
        if (!is_moot(agent, v) && !may_leave(agent, now))
            break;
        stop_waiting(agent, v);
        if (is_moot(agent, v))
            vigil_end_if_idle(v);
        else
            leave(agent, v, now);
    }
    /* It was set a moment ago: there is room for it again. */
    if (next_waiting(agent) != NULL && !set_turn(agent, now))
        count(agent, AGENT_NO_MEMORY);
}

/* ---- What is announced ---- */
static void begin(struct agent *agent, struct mobile *mobile, const struct announcement *a,
                  struct instant now)
{
    struct vigil *v = vigil_get(mobile);
    if (v == NULL) {
        effect_announce(agent, a);
        return;
    }
    stop_waiting(agent, v);
    timerq_cancel(agent->timers, &v->repeat);
    v->step = 0;
    v->ours = a->ours;
    v->mac = a->mac;
    announce(agent, v, now);
}

void announce_bound(struct agent *agent, struct mobile *mobile, struct instant now)
{
    const struct announcement a = {
        .home = mobile->home, .ours = true, .link_local = bears_link_local(mobile)};
    begin(agent, mobile, &a, now);
}

/* An IPv6 mobile node announces itself, after the acknowledgement (RFC 6275 section 11.5.5). */
void announce_returned(struct agent *agent, struct mobile *mobile, const struct mac *mac, struct instant now)
{
    if (!addr_is_ipv4(&mobile->home)) {
        announce_cancel(agent, mobile);
        announce_nothing(agent, &mobile->home, mac);
        return;
    }
    const struct announcement a = {.home = mobile->home, .mac = *mac};
    begin(agent, mobile, &a, now);
}

void announce_nothing(struct agent *agent, const struct addr *home, const struct mac *mac)
{
    static const struct mac unknown;
    const struct announcement a = {.home = *home, .silent = true, .mac = *mac};
    if (!mac_equal(mac, &unknown))
        effect_announce(agent, &a);
}

void announce_repeat(struct agent *agent, struct timer *timer, struct instant now)
{
    struct vigil *v = timer_owner(timer, struct vigil, repeat);
    if (is_moot(agent, v))
        vigil_end_if_idle(v);
    else
        announce(agent, v, now);
}

/* ---- Conflicts ---- */
static void note_conflict(struct agent *agent, const struct mobile *mobile, struct instant now)
{
    const struct note note = {.kind = NOTE_CONFLICT,
                              .home = mobile->home,
                              .care_of = mobile->cares->tunnel->far,
                              .peer = mobile->home};
    effect_note_limited(agent, &note, now);
}

/* Still ours after all this time, or the end of the binding would have cancelled it: not a mobile node on
 * its way home. */
void announce_defend(struct agent *agent, struct timer *timer, struct instant now)
{
    struct vigil *v = timer_owner(timer, struct vigil, defend);
    struct mobile *mobile = v->mobile;
    if (!mobile_intercepts(agent, mobile)) {
        vigil_end_if_idle(v);
        return;
    }
    if (agent->settings.role == AGENT_SECONDARY) {
        note_conflict(agent, mobile, now);
        held_conflict(agent, mobile, &v->claimant);
    }
    v->ours = true;
    announce(agent, v, now);
}

/* A secondary's fellows, whom it does not know, announce what is moved to them before it hears of that: it
 * says nothing unless the conflict stands. */
static void conflict(struct agent *agent, struct mobile *mobile, const struct mac *claimant,
                     struct instant now)
{
    count(agent, AGENT_ARP_CONFLICTS);
    if (agent->settings.role == AGENT_PRIMARY)
        note_conflict(agent, mobile, now);
    struct vigil *v = vigil_get(mobile);
    if (v == NULL || timer_is_set(&v->defend))
        return;
    v->claimant = *claimant;
    if (!timerq_set(agent->timers, &v->defend, now.mono_ns + defend_ns))
        vigil_end_if_idle(v);
}

size_t homes_named(const struct agent *agent, const struct addr *a,
                   struct addr homes[static AGENT_HOME_NETWORKS_MAX])
{
    size_t n = 0;
    if (addr_is_ipv4(a) || !addr_is_link_local(a)) {
        homes[0] = *a;
        return 1;
    }
    for (size_t i = 0; i < agent->settings.n_home_networks; i++) {
        const struct prefix *network = &agent->settings.home_networks[i];
        struct addr home = network->addr;
        memcpy(home.b + 8, a->b + 8, 8);
        if (!addr_is_ipv4(&network->addr) && prefix_contains(network, &home))
            homes[n++] = home;
    }
    return n;
}

/* We attract its packets at this moment. */
static bool attracts(const struct agent *agent, const struct mobile *mobile, struct instant now)
{
    if (!mobile_intercepts(agent, mobile))
        return false;
    return agent->settings.role != AGENT_SECONDARY || held_intercepts_now(mobile, now);
}

/* The mobile node whose address a is, if we attract its packets or, elsewhere, it is bound at all; NULL:
 * none.
 */
static struct mobile *named(const struct agent *agent, const struct addr *a, bool elsewhere,
                            struct instant now)
{
    struct addr homes[AGENT_HOME_NETWORKS_MAX];
    const size_t n = homes_named(agent, a, homes);
    for (size_t i = 0; i < n; i++) {
        struct mobile *mobile = mobile_by_home(agent, &homes[i]);
        if (mobile == NULL || !(addr_equal(&mobile->home, a) || bears_link_local(mobile)))
            continue;
        if (elsewhere ? mobile->cares != NULL : attracts(agent, mobile, now))
            return mobile;
    }
    return NULL;
}

/* Whoever comes home asks for its own address from none, to learn its home agent's MAC address (RFC 6275
 * section 11.5.5), and sends its binding update there: as every other detection of duplicates, this is the
 * primary's to answer for all that is bound, whoever intercepts it. ARP's probes ask for no such thing. */
static bool is_asked(const struct agent *agent, const struct agent_neighbor *heard, struct instant now)
{
    const bool detection = addr_equal(&heard->claimed, &addr_unspecified) && !addr_is_ipv4(&heard->asked);
    if (!detection)
        return named(agent, &heard->asked, false, now) != NULL;
    return agent->settings.role == AGENT_PRIMARY && named(agent, &heard->asked, true, now) != NULL;
}

/* An announcement tells and asks nothing; a probe asks, and claims nothing yet. What a peer agent claims it
 * intercepts, by its primary's will or ours; and it is never answered (doc/delegation-protocol.md, "State
 * machines"): it knows who else may forward. */
bool agent_heard(struct agent *agent, const struct agent_neighbor *heard, struct instant now)
{
    if (peer_is_mac(agent, &heard->mac) || peer_is_address(agent, &heard->claimed))
        return false;
    if (!effects_reserve(&agent->effects)) {
        count(agent, AGENT_NO_MEMORY);
        return false;
    }
    dad_heard(agent, heard, now);
    struct mobile *claimed = named(agent, &heard->claimed, false, now);
    if (claimed != NULL)
        conflict(agent, claimed, &heard->mac, now);
    if (addr_equal(&heard->claimed, &heard->asked) || !is_asked(agent, heard, now))
        return false;
    count(agent, AGENT_ARP_ANSWERED);
    return true;
}
