/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Duplicate address detection on a mobile node's behalf, before its first binding or the first with its
 * link-local address (RFC 6275 section 10.3.1): one solicitation, and RetransTimer to wait for whoever has
 * the address, or asks for it as we do (RFC 4862 section 5.4). The interface is in use already: nothing is
 * delayed at random (section 5.4.2).
 */
#include "internal.h"

#include <stdlib.h>

#include "peer/peer.h"

/* RFC 4861 section 10, RETRANS_TIMER; RFC 4862 section 5.1: DupAddrDetectTransmits is 1. */
static const uint64_t wait_ns = NSEC_PER_S;

struct dad {
    struct timer unique;
    struct mobile *mobile;
    bool link_local;
    bool doubted; /* somebody claimed it who may be a secondary of ours */
};

static void ask(struct agent *agent, const struct dad *dad)
{
    const struct probe probe = {.home = dad->mobile->home, .link_local = dad->link_local};
    effect_probe(agent, &probe);
}

/* What is wanted more is asked for with all the rest, and waited for as long. */
static bool widen(struct agent *agent, struct dad *dad, bool link_local, struct instant now)
{
    if (!link_local || dad->link_local)
        return true;
    dad->link_local = true;
    ask(agent, dad);
    return timerq_set(agent->timers, &dad->unique, now.mono_ns + wait_ns);
}

bool dad_begin(struct agent *agent, struct mobile *mobile, bool link_local, struct instant now)
{
    if (mobile->dad != NULL)
        return widen(agent, mobile->dad, link_local, now);
    struct dad *dad = calloc(1, sizeof(*dad));
    if (dad == NULL)
        return false;
    dad->unique.kind = TIMER_UNIQUE;
    dad->mobile = mobile;
    dad->link_local = link_local;
    if (!timerq_set(agent->timers, &dad->unique, now.mono_ns + wait_ns)) {
        free(dad);
        return false;
    }
    mobile->dad = dad;
    listen_settle(agent, mobile); /* before anybody can answer (RFC 4862 section 5.4.2) */
    ask(agent, dad);
    return true;
}

void dad_cancel(struct agent *agent, struct mobile *mobile)
{
    if (mobile->dad == NULL)
        return;
    timerq_cancel(agent->timers, &mobile->dad->unique);
    free(mobile->dad);
    mobile->dad = NULL;
}

/* A station that has the address answers each time; who only announced it in our place before will have been
 * met, or its lease be over. */
static bool ask_again(struct agent *agent, struct dad *dad, struct instant now)
{
    dad->doubted = false;
    ask(agent, dad);
    /* It was set a moment ago: there is room for it again. */
    return timerq_set(agent->timers, &dad->unique, now.mono_ns + wait_ns);
}

void dad_over(struct agent *agent, struct timer *timer, struct instant now)
{
    struct dad *dad = timer_owner(timer, struct dad, unique);
    struct mobile *mobile = dad->mobile;
    if (dad->doubted && ask_again(agent, dad, now))
        return;
    dad_cancel(agent, mobile);
    update_proved_unique(agent, mobile, now);
    listen_settle(agent, mobile);
}

/* RFC 4862 sections 5.4.3 and 5.4.4: an advertisement or anything else that claims the address, or a
 * solicitation for it from no address, which is another's detection. One from an address only resolves. */
static const struct addr *contested(const struct agent_neighbor *heard)
{
    return addr_is_unspecified(&heard->claimed) ? &heard->asked : &heard->claimed;
}

/* A secondary that we have not met since our start, whose MAC address we do not know, may be announcing what
 * it held for us before; but no longer than its lease lasts. */
static bool may_be_a_secondarys(const struct agent *agent, struct instant now)
{
    const struct peer *peer = agent->peers;
    if (now.mono_ns >= agent->boot_ns + agent->settings.delegation.lease_ms * NSEC_PER_MS)
        return false;
    while (peer != NULL && peer->id != 0)
        peer = peer->next;
    return peer != NULL;
}

/* RFC 6275 section 10.3.1: that fails the whole update. One that may be a secondary's word is no proof, nor
 * is it nothing: we ask again. */
static void claimed(struct agent *agent, struct mobile *mobile, struct instant now)
{
    if (may_be_a_secondarys(agent, now)) {
        mobile->dad->doubted = true;
        return;
    }
    dad_cancel(agent, mobile);
    update_found_taken(agent, mobile, now);
    listen_settle(agent, mobile);
}

/* A link-local address may be wanted in each home network at once: every refusal is a step of its own. */
void dad_heard(struct agent *agent, const struct agent_neighbor *heard, struct instant now)
{
    struct addr homes[AGENT_HOME_NETWORKS_MAX];
    if (mac_equal(&heard->mac, &agent->settings.mac))
        return;
    const struct addr *taken = contested(heard);
    const size_t n = homes_named(agent, taken, homes);
    for (size_t i = 0; i < n; i++) {
        struct mobile *mobile = mobile_by_home(agent, &homes[i]);
        if (mobile == NULL || mobile->dad == NULL)
            continue;
        if (!mobile->dad->link_local && !addr_equal(&mobile->home, taken))
            continue;
        if (!effects_reserve(&agent->effects)) {
            count(agent, AGENT_NO_MEMORY);
            return;
        }
        claimed(agent, mobile, now);
    }
}
