/* SPDX-License-Identifier: BSD-3-Clause */
/* The doctor's checks of ports: link, addresses, MTU. */
#include <inttypes.h>
#include <limits.h>

#include "counters.h"
#include "doctor.h"
#include "doctor_checks.h"

enum {
    WHOLE_MTU = 1500, /* what senders on an Ethernet take for granted */
    /* A START of eight care-of addresses, and the most that IP, UDP and ESP add. */
    DELEGATION_PACKET = 768 + IPV6_HEADER + UDP_HEADER + ESP_OVERHEAD_MAX
};

/* NULL: all its IPv6 addresses are its own. */
static const struct addr *unusable_address(const struct control *c, const struct port *port)
{
    const unsigned port_index = (unsigned)(port - c->ports.port);
    for (size_t i = 0; i < port->n_addresses; i++)
        if (!addr_is_ipv4(&port->addresses[i].addr) &&
            !host_nd_is_usable(c, port_index, &port->addresses[i].addr))
            return &port->addresses[i].addr;
    if (!addr_is_unspecified(&port->link_local) && !host_nd_is_usable(c, port_index, &port->link_local))
        return &port->link_local;
    return NULL;
}

void doctor_check_link(const struct doctor_subject *s, struct doctor_finding *out)
{
    const uint64_t lost = doctor_port_losses_lately(s->c, (unsigned)(s->port - s->c->ports.port));
    const struct addr *unusable = unusable_address(s->c, s->port);
    char text[ADDR_TEXT_MAX];
    if (!s->port->link_up)
        doctor_find(out, DOCTOR_FAULT, "down: cable, switch port, or the device's driver");
    else if (unusable != NULL)
        doctor_find(out, DOCTOR_FAULT,
                    "up, but another station has our address %s (the log names it); we do without. Just "
                    "after the link "
                    "came up: look again",
                    addr_format(unusable, text));
    else
        doctor_find(
            out, lost > 0 ? DOCTOR_WARNING : DOCTOR_OK,
            "up, %u Mbit/s; %" PRIu64 " packets lost by the device in the last %" PRIu64 " s%s",
            s->port->link_mbps, lost, doctor_lately_s(s->c),
            lost > 0 ? ": show ports says how (a device that cannot tell its link loses what it sends)" : "");
}

static bool has_ipv6(const struct control *c)
{
    for (unsigned i = 0; i < c->ports.n; i++)
        if (!addr_is_unspecified(&c->ports.port[i].link_local))
            return true;
    return false;
}

/* Of the encapsulations that may come to pass here. */
static unsigned most_overhead(const struct control *c)
{
    const struct conf *conf = c->conf;
    const unsigned over_ipv6 = 1U << ENCAPSULATION_IPV6_IN_IPV6 | 1U << ENCAPSULATION_IPV4_IN_IPV6;
    unsigned granted = conf->role == ROLE_SECONDARY ? UINT_MAX : conf->agent.encapsulations;
    unsigned most = encapsulation_bytes(ENCAPSULATION_IPIP);
    if (!has_ipv6(c))
        granted &= ~over_ipv6;
#define X(name, number, text, bytes)     \
    if ((granted & 1U << (number)) != 0) \
        most = RTE_MAX(most, (unsigned)(bytes));
    ENCAPSULATIONS(X)
#undef X
    return most;
}

void doctor_check_port_mtu(const struct doctor_subject *s, struct doctor_finding *out)
{
    const unsigned mtu = s->port->mtu, overhead = most_overhead(s->c);
    if (mtu < DELEGATION_PACKET)
        doctor_find(out, DOCTOR_FAULT,
                    "%u: delegation datagrams of up to %d bytes may have to be fragmented, and are lost "
                    "then; set mtu = %d",
                    mtu, DELEGATION_PACKET, WHOLE_MTU);
    else if (mtu < WHOLE_MTU)
        doctor_find(out, DOCTOR_WARNING,
                    "%u, less than the %d that senders take for granted; tunnels add up to %u", mtu,
                    WHOLE_MTU, overhead);
    else if (mtu < WHOLE_MTU + overhead)
        doctor_find(out, DOCTOR_OK,
                    "%u: tunnels add up to %u, so packets above %u are fragmented, or with DF or of IPv6 "
                    "refused, which "
                    "their senders must hear (ICMP fragmentation needed, ICMPv6 packet too big). With %u on "
                    "the whole way "
                    "%d would pass",
                    mtu, overhead, mtu - overhead, WHOLE_MTU + overhead, WHOLE_MTU);
    else
        doctor_find(out, DOCTOR_OK, "%u: packets of %d pass whole, tunnels add up to %u", mtu, WHOLE_MTU,
                    overhead);
}

void doctor_check_peer_mtu(const struct doctor_subject *s, struct doctor_finding *out)
{
    doctor_find(out, DOCTOR_UNKNOWN,
                "a secondary does not report the MTU of its ports: doctor at %s shows them", s->peer.name);
}

void doctor_check_too_big(const struct doctor_subject *s, struct doctor_finding *out)
{
    const uint64_t untold = counters_control(s->c, CONTROL_ICMP_ERRORS_LIMITED);
    doctor_find(out, untold > 0 ? DOCTOR_WARNING : DOCTOR_OK,
                "%" PRIu64 " packets too big for their tunnel; %" PRIu64 " ICMP errors sent, %" PRIu64
                " left out by their rate limit (since the counters were cleared)",
                control_verdicts(s->c, VERDICT_PUNT_TOO_BIG),
                counters_control(s->c, CONTROL_ICMP_ERRORS_SENT), untold);
}
