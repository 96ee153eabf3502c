/* SPDX-License-Identifier: BSD-3-Clause */
#include "host_fragment.h"

#include "icmp.h"
#include "reassembly.h"
#include "transmit.h"

/* An IPv6 packet in a single fragment is whole and waits for no other (RFC 6946 section 4); what is malformed
 * or a problem in front of the fragment header is so without the rest. */
static bool is_fragment(const struct arrival *a, struct ip_header *ip)
{
    switch (ip_decode(a->datagram, a->len, ip, NULL)) {
    case IP_FRAGMENT:
        return true;
    case IP_DECODED:
        return addr_is_ipv4(&ip->destination) && (ip->fragment & (IPV4_FLAG_MF | IPV4_OFFSET_MASK)) != 0;
    default:
        return false;
    }
}

static void count(struct control *c, const struct reassembled *result)
{
    static const enum control_counter by_outcome[] = {
        [REASSEMBLY_WHOLE] = CONTROL_REASSEMBLED,
        [REASSEMBLY_DUPLICATE] = CONTROL_FRAGMENTS_TWICE,
        [REASSEMBLY_MALFORMED] = CONTROL_FRAGMENTS_MALFORMED,
        [REASSEMBLY_OVERLAP] = CONTROL_REASSEMBLY_OVERLAP,
        [REASSEMBLY_TOO_LONG] = CONTROL_REASSEMBLY_TOO_LONG,
        [REASSEMBLY_TOO_MANY] = CONTROL_REASSEMBLY_TOO_MANY,
        [REASSEMBLY_GIVEN_UP] = CONTROL_FRAGMENTS_GIVEN_UP,
        [REASSEMBLY_CONGESTED] = CONTROL_REASSEMBLY_CONGESTED,
    };
    control_count(c, CONTROL_FRAGMENTS_RECEIVED);
    if (result->ousted)
        control_count(c, CONTROL_REASSEMBLY_OUSTED);
    if (result->outcome != REASSEMBLY_WAITS)
        control_count(c, by_outcome[result->outcome]);
}

bool host_fragment_collect(struct control *c, struct arrival *a)
{
    struct ip_header ip;
    if (!is_fragment(a, &ip))
        return true;
    const struct fragment fragment = {.ip = &ip,
                                      .datagram = a->datagram,
                                      .origin = {.port_index = a->port_index, .source_mac = a->source_mac}};
    const struct reassembled result = reassembly_add(c->reassembly, &fragment, c->now.mono_ns);
    count(c, &result);
    if (result.is_problem)
        transmit_icmp_error(c, &(struct transmit_error){.what = icmp_error_of(&result.problem),
                                                        .value = result.problem.pointer,
                                                        .port_index = a->port_index,
                                                        .datagram = a->datagram,
                                                        .len = a->len});
    if (result.outcome != REASSEMBLY_WHOLE)
        return false;
    a->datagram = result.datagram;
    a->len = result.len;
    a->port_index = result.origin.port_index;
    a->source_mac = result.origin.source_mac;
    return true;
}

bool host_fragment_work(struct control *c)
{
    struct reassembly_expired expired;
    bool worked = false;
    while (reassembly_expire(c->reassembly, c->now.mono_ns, &expired)) {
        worked = true;
        control_count(c, CONTROL_REASSEMBLY_TIMED_OUT);
        if (expired.first != NULL)
            transmit_icmp_error(c, &(struct transmit_error){.what = ICMP_ERROR_REASSEMBLY,
                                                            .port_index = expired.origin.port_index,
                                                            .datagram = expired.first,
                                                            .len = expired.len});
    }
    return worked;
}
