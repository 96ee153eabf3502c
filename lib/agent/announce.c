/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the home link hears of a home address (RFC 5944 section 4.6): gratuitous ARP when a mobile node leaves
 * and when it returns, each repeated; answers to ARP requests while it is away; and, at last, an announcement
 * against another station that goes on using its address.
 */
#include "internal.h"

#include <stdlib.h>

/* "SHOULD be retransmitted a small number of times": after this long from the first. */
static const uint64_t repeat_ns[] = {0, 200 * NSEC_PER_MS, NSEC_PER_S, 3 * NSEC_PER_S};
enum { REPEATS = sizeof(repeat_ns) / sizeof(repeat_ns[0]) };

/* RFC 5227 section 1.1, DEFEND_INTERVAL: no more than one announcement in this time. We wait it out before
 * the first, too: a mobile node that comes home announces itself before it deregisters (section 4.6), and
 * must not be fought. */
static const uint64_t defend_ns = 10 * NSEC_PER_S;

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
    mobile->vigil = v;
    return v;
}

static void vigil_end_if_idle(struct vigil *v)
{
    if (timer_is_set(&v->repeat) || timer_is_set(&v->defend))
        return;
    v->mobile->vigil = NULL;
    free(v);
}

void announce_cancel(struct agent *agent, struct mobile *mobile)
{
    if (mobile->vigil == NULL)
        return;
    timerq_cancel(agent->timers, &mobile->vigil->repeat);
    timerq_cancel(agent->timers, &mobile->vigil->defend);
    vigil_end_if_idle(mobile->vigil);
}

/* Without memory for the repeats the first one must do. */
static void begin(struct agent *agent, struct mobile *mobile, const struct announcement *a,
                  struct instant now)
{
    effect_announce(agent, a);
    struct vigil *v = vigil_get(mobile);
    if (v == NULL)
        return;
    v->began_ns = now.mono_ns;
    v->step = 1;
    v->ours = a->ours;
    v->mac = a->mac;
    if (!timerq_set(agent->timers, &v->repeat, v->began_ns + repeat_ns[v->step]))
        vigil_end_if_idle(v);
}

void announce_bound(struct agent *agent, struct mobile *mobile, struct instant now)
{
    if (!addr_is_ipv4(&mobile->home))
        return;
    const struct announcement a = {.home = mobile->home, .ours = true};
    begin(agent, mobile, &a, now);
}

void announce_returned(struct agent *agent, struct mobile *mobile, const struct mac *mac, struct instant now)
{
    if (!addr_is_ipv4(&mobile->home))
        return;
    const struct announcement a = {.home = mobile->home, .mac = *mac};
    begin(agent, mobile, &a, now);
}

/* Called late, it does not catch up on repeats that are overdue together. */
void announce_repeat(struct agent *agent, struct timer *timer, struct instant now)
{
    struct vigil *v = timer_owner(timer, struct vigil, repeat);
    const struct announcement a = {.home = v->mobile->home, .ours = v->ours, .mac = v->mac};
    effect_announce(agent, &a);
    while (v->step < REPEATS && v->began_ns + repeat_ns[v->step] <= now.mono_ns)
        v->step++;
    if (v->step == REPEATS || !timerq_set(agent->timers, timer, v->began_ns + repeat_ns[v->step]))
        vigil_end_if_idle(v);
}

/* ---- Conflicts ---- */

/* Still bound after all this time, or the end of the binding would have cancelled it: not a mobile node on
 * its way home. */
void announce_defend(struct agent *agent, struct timer *timer)
{
    struct vigil *v = timer_owner(timer, struct vigil, defend);
    const struct announcement a = {.home = v->mobile->home, .ours = true};
    effect_announce(agent, &a);
    vigil_end_if_idle(v);
}

static void conflict(struct agent *agent, struct mobile *mobile, struct instant now)
{
    count(agent, AGENT_ARP_CONFLICTS);
    const struct note note = {.kind = NOTE_CONFLICT,
                              .home = mobile->home,
                              .care_of = mobile->cares->tunnel->far,
                              .peer = mobile->home};
    effect_note_limited(agent, &note, now);
    struct vigil *v = vigil_get(mobile);
    if (v == NULL || timer_is_set(&v->defend))
        return;
    if (!timerq_set(agent->timers, &v->defend, now.mono_ns + defend_ns))
        vigil_end_if_idle(v);
}

static struct mobile *bound(const struct agent *agent, const struct addr *home)
{
    struct mobile *mobile = mobile_by_home(agent, home);
    return mobile == NULL || mobile->cares == NULL ? NULL : mobile;
}

/* An announcement tells and asks nothing; a probe (sender 0) asks, and claims nothing yet. */
bool agent_arp(struct agent *agent, const struct arp *arp, struct instant now)
{
    struct mobile *claimed = bound(agent, &arp->sender);
    if (claimed != NULL && effects_reserve(&agent->effects))
        conflict(agent, claimed, now);
    if (arp->operation != ARP_REQUEST || addr_equal(&arp->sender, &arp->target))
        return false;
    if (bound(agent, &arp->target) == NULL)
        return false;
    count(agent, AGENT_ARP_ANSWERED);
    return true;
}
