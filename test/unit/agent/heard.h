/* SPDX-License-Identifier: BSD-3-Clause */
/* What an agent is told of ARP and neighbour discovery, as a shell tells it. */
#ifndef TEST_AGENT_HEARD_H
#define TEST_AGENT_HEARD_H

#include "agent.h"
#include "arp.h"

/* A probe claims nothing (RFC 5227 section 1.1); only a request asks, and an announcement does not. */
static inline bool hear_arp(struct agent *agent, const struct arp *arp, struct instant now)
{
    const bool asks = arp->operation == ARP_REQUEST && !addr_equal(&arp->sender, &arp->target);
    const struct agent_neighbor heard = {
        .mac = arp->sender_mac,
        .claimed = addr_is_unspecified(&arp->sender) ? addr_unspecified : arp->sender,
        .asked = asks ? arp->target : addr_unspecified,
    };
    return agent_heard(agent, &heard, now);
}

/* An advertisement of target; a solicitation for it from source, which may be addr_unspecified. */
static inline bool hear_advertisement(struct agent *agent, const struct mac *mac, const struct addr *target,
                                      struct instant now)
{
    const struct agent_neighbor heard = {.mac = *mac, .claimed = *target};
    return agent_heard(agent, &heard, now);
}

static inline bool hear_solicitation(struct agent *agent, const struct mac *mac, const struct addr *source,
                                     const struct addr *target, struct instant now)
{
    const struct agent_neighbor heard = {.mac = *mac, .claimed = *source, .asked = *target};
    return agent_heard(agent, &heard, now);
}

#endif
