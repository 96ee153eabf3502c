/* SPDX-License-Identifier: BSD-3-Clause */
#include "host_arp.h"

#include "arp.h"
#include "effects.h"
#include "log.h"
#include "transmit.h"

enum { DEFEND_INTERVAL_S = 10 };

static void answer(struct control *c, const struct arrival *a, const struct arp *request)
{
    struct writer w;
    struct rte_mbuf *m = transmit_begin(c, &w);
    arp_encode_answer(&w, request, &c->ports.port[a->port_index].mac);
    transmit_frame(c, a->port_index, transmit_end(m, &w));
}

/* RFC 5227 section 2.4 (c): we keep our own address, and defend it by one announcement in ten seconds. */
static void defend(struct control *c, const struct arrival *a, const struct arp *arp)
{
    control_count(c, CONTROL_ARP_CONFLICTS);
    if (c->now.mono_ns < c->defend_again_ns)
        return;
    c->defend_again_ns = c->now.mono_ns + DEFEND_INTERVAL_S * NSEC_PER_S;
    char text[ADDR_TEXT_MAX], mac[MAC_TEXT_MAX];
    log_warning("address conflict: %s claims our address %s", mac_format(&arp->sender_mac, mac),
                addr_format(&arp->sender, text));
    transmit_arp_announcement(c, a->port_index, &arp->sender, NULL);
}

/* An announcement tells and asks nothing; a probe asks, and claims nothing yet (RFC 5227 sections 1.1 and 3).
 */
static struct agent_neighbor neighbor_of(const struct arp *arp)
{
    const bool is_probe = addr_is_unspecified(&arp->sender);
    const bool asks = arp->operation == ARP_REQUEST && !addr_equal(&arp->sender, &arp->target);
    return (struct agent_neighbor){
        .mac = arp->sender_mac,
        .claimed = is_probe ? addr_unspecified : arp->sender,
        .asked = asks ? arp->target : addr_unspecified,
    };
}

void host_arp_serve(struct control *c, const struct arrival *a)
{
    struct arp arp;
    control_count(c, CONTROL_ARP_RECEIVED);
    if (!arp_decode(a->datagram, a->len, &arp)) {
        control_count(c, CONTROL_ARP_MALFORMED);
        return;
    }
    if (ports_own_mac(&c->ports, &arp.sender_mac))
        return; /* our own, come back, maybe by another port */
    if (ports_own(&c->ports, &arp.sender) == (int)a->port_index) {
        defend(c, a, &arp);
        return;
    }
    bool for_us = ports_own(&c->ports, &arp.target) == (int)a->port_index;
    if (!addr_is_unspecified(&arp.sender) && ports_connected(&c->ports, &arp.sender) == (int)a->port_index)
        neighbor_heard(c->neighbors, (uint8_t)a->port_index, &arp.sender, &arp.sender_mac, for_us,
                       c->now.mono_ns);
    if (for_us && arp.operation == ARP_REQUEST) {
        control_count(c, CONTROL_ARP_ANSWERED);
        answer(c, a, &arp);
        return;
    }
    /* Home addresses are intercepted on their own link alone. */
    if (for_us || ports_connected(&c->ports, &arp.target) != (int)a->port_index)
        return;
    const struct agent_neighbor heard = neighbor_of(&arp);
    if (agent_heard(c->agent, &heard, c->now))
        answer(c, a, &arp);
    effects_carry_out(c);
}
