/* SPDX-License-Identifier: BSD-3-Clause */
/* ICMP errors: whether one may be sent, and from which address. */
#include <rte_common.h>

#include "inet.h"
#include "transmit.h"

enum { ICMP_ERRORS_PER_S = 1000, ICMP_ERRORS_BURST = 100 };

/* RFC 1812 section 4.3.2.8, RFC 4443 section 2.4 (f). */
static bool is_admitted(struct control *c)
{
    struct icmp_limit *limit = &c->icmp_limit;
    const uint64_t token_ns = NSEC_PER_S / ICMP_ERRORS_PER_S;
    uint64_t earned = (c->now.mono_ns - limit->filled_ns) / token_ns;
    if (earned > 0) {
        limit->tokens = (uint32_t)RTE_MIN(limit->tokens + earned, (uint64_t)ICMP_ERRORS_BURST);
        limit->filled_ns += earned * token_ns;
    }
    if (limit->tokens == 0)
        return false;
    limit->tokens--;
    return true;
}

/* RFC 1812 section 4.3.2.4: the address of the interface by which the error leaves. ICMPv6: the one that the
 * offender was sent to, if it is ours (RFC 4443 section 2.2 (a)). */
static struct addr error_source(struct control *c, const struct transmit_error *e,
                                const struct ip_header *offender)
{
    struct route route;
    struct addr next_hop;
    if (!addr_is_ipv4(&offender->destination) && ports_own(&c->ports, &offender->destination) >= 0)
        return offender->destination;
    if (!addr_is_ipv4(&offender->source) && addr_is_link_local(&offender->source))
        return port_source(&c->ports.port[e->port_index], &offender->source);
    if (!routes_lookup(c->routes, &offender->source, &route, &next_hop))
        return addr_unspecified;
    return port_source(&c->ports.port[route.port_index],
                       addr_is_link_local(&next_hop) ? &offender->source : &next_hop);
}

void transmit_icmp_error(struct control *c, const struct transmit_error *e)
{
    struct ip_header offender;
    if (!ip_decode_beginning(e->datagram, e->len, &offender) ||
        !icmp_error_allowed(e->what, e->datagram, e->len, e->link_cast)) {
        control_count(c, CONTROL_ICMP_ERRORS_FORBIDDEN);
        return;
    }
    if (!is_admitted(c)) {
        control_count(c, CONTROL_ICMP_ERRORS_LIMITED);
        return;
    }
    struct addr source = error_source(c, e, &offender);
    if (!transmit_may_use(c, &source)) {
        control_count(c, CONTROL_SEND_NO_ROUTE);
        return;
    }
    struct writer w;
    struct rte_mbuf *m = transmit_begin(c, &w);
    icmp_encode_error(&w, &source, e->what, e->value, e->datagram, e->len, c->next_identification++);
    m = transmit_end(m, &w);
    if (m == NULL)
        return;
    control_count(c, CONTROL_ICMP_ERRORS_SENT);
    transmit_ip(c, m);
}
