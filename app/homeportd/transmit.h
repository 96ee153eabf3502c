/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the appliance itself sends: packets built by control, and packets that waited at control, on their way
 * out through binding table, routes and neighbours. Each function takes its packet over; what cannot leave is
 * counted and freed.
 *
 * Control's alone.
 */
#ifndef HOMEPORTD_TRANSMIT_H
#define HOMEPORTD_TRANSMIT_H

#include "bytes.h"
#include "control.h"
#include "icmp.h"
#include "inet.h"

enum { TRANSMIT_TTL = 64 }; /* of our own datagrams, or hop limit */

/* An empty packet and a writer over all its room. NULL: no buffer (counted). */
struct rte_mbuf *transmit_begin(struct control *c, struct writer *w);
/* The packet now holds what the writer wrote; NULL (and freed) where it did not fit. */
struct rte_mbuf *transmit_end(struct rte_mbuf *m, const struct writer *w);

/* A datagram of our own with that header, its total_len and IPv4's identification filled in, in front of len
 * bytes of payload. NULL: no buffer, or too long. */
struct rte_mbuf *transmit_message(struct control *c, const struct ip_header *ip, const void *payload,
                                  size_t len);

/* An address of ours; of IPv6 one that no other station has either, or may have (RFC 4862 section 5.4). */
bool transmit_may_use(const struct control *c, const struct addr *own);

/* An IP datagram by its destination: into the tunnel if that is bound (RFC 2003 section 3.2: our own packets
 * too), else by the routes; to a link-local IPv6 address on the link of its source. NULL is allowed and does
 * nothing. */
void transmit_ip(struct control *c, struct rte_mbuf *m);
/* One that others have sent to others, as transmit_ip after it has taken its hop here; where its hops have
 * run out its sender is told. NULL is allowed. */
void transmit_forwarded(struct control *c, struct rte_mbuf *m);
/* An IP datagram to the next hop of a resolved adjacency. */
void transmit_by_adjacency(struct control *c, uint32_t adjacency, struct rte_mbuf *m);
/* An IP datagram in a frame to a station on a port's link. */
void transmit_on_link(struct control *c, unsigned port_index, const struct mac *to, struct rte_mbuf *m);
/* A whole frame. NULL is allowed. */
void transmit_frame(struct control *c, unsigned port_index, struct rte_mbuf *m);

/* Asks who has target on the port (RFC 826); known: asks that station alone. */
void transmit_arp_request(struct control *c, unsigned port_index, const struct addr *target,
                          const struct mac *known);
/* Tells the port's link that address is at mac (NULL: the port's own). */
void transmit_arp_announcement(struct control *c, unsigned port_index, const struct addr *address,
                               const struct mac *mac);

/* An IP datagram that cannot be delivered, counted as `why`; its sender is told by that ICMP error, unless
 * that is us. Of our own tunnel packets it is the inner sender, who knows nothing of the tunnel (RFC 2003
 * section 4.1, RFC 2473 section 8). */
void transmit_unreachable(struct control *c, enum control_counter why, enum icmp_error what,
                          struct rte_mbuf *m);

/* An ICMP error about datagram, to its source, if RFC 1812 section 4.3.2 or RFC 4443 section 2.4 allow one
 * now. */
struct transmit_error {
    enum icmp_error what;
    uint32_t value;      /* with what */
    unsigned port_index; /* by which it came: where a link-local sender is */
    bool link_cast;      /* the datagram's frame was a broadcast or multicast */
    const uint8_t *datagram;
    size_t len;
};
void transmit_icmp_error(struct control *c, const struct transmit_error *e);

#endif
