/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the two families' tunnels differ in at a mobile node: IP in IP (RFC 2003) and IPv6 in IPv6 (RFC 2473).
 * For tunnel.c and the families alone.
 */
#ifndef MN_TUNNEL_FAMILY_H
#define MN_TUNNEL_FAMILY_H

#include "inet.h"

#include <netinet/in.h>
#include <sys/socket.h>

/* Room for what a socket tells of each datagram: drops, destination, traffic class. */
enum {
    TUNNEL_CONTROL =
        CMSG_SPACE(sizeof(uint32_t)) + CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(int))
};

struct tunnel_family {
    int domain;
    uint8_t protocol; /* of the inner datagram in the outer one */
    uint8_t header;   /* bytes in front of it */
    /* The socket that gets tunnelled datagrams, whole ones. While it is open the kernel does not say that it
     * knows no such protocol. Or -1 with errno. */
    int (*listen)(void);
    /* The outer header of what came, and where in it the inner datagram begins. False: malformed. */
    bool (*read)(const struct msghdr *h, const uint8_t *bytes, size_t len, struct ip_header *outer,
                 size_t *at);
    /* Type of service or traffic class of the inner datagram. */
    void (*set_tos)(uint8_t *datagram, const struct ip_header *inner, uint8_t tos);
    /* An outer datagram as it is, by a socket of IPPROTO_RAW. */
    bool (*send)(int fd, const uint8_t *datagram, const struct ip_header *outer);
};

extern const struct tunnel_family tunnel_ipv4;
extern const struct tunnel_family tunnel_ipv6;

#endif
