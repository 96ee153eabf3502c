/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the two families' sockets differ in. For net.c and the families alone.
 */
#ifndef MN_NET_FAMILY_H
#define MN_NET_FAMILY_H

#include "inet.h"
#include "net.h"

#include <netinet/in.h>
#include <stdalign.h>
#include <sys/socket.h>

enum { NET_HEADERS_MAX = IPV6_HEADER + 24 }; /* with a Home Address option */

/* A request on its way to the kernel. */
struct letter {
    struct sockaddr_storage to;
    struct iovec part;
    alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct in_pktinfo))];
    uint8_t bytes[NET_HEADERS_MAX + MOBILE_MESSAGE_MAX];
};

struct net_family {
    /* A socket that sends from address, or (NULL) from any by interface. Or -errno. */
    int (*open)(const struct addr *address, const char *interface, uint16_t port);
    /* The one socket that hears replies, whichever they are for; NULL: each of the above hears its own. Or
     * -errno. */
    int (*listen)(void);
    /* Fills in the letter and its header; home: it goes by the home link's socket. */
    void (*write)(struct letter *l, struct msghdr *h, const struct mobile_output *out, bool home);
    /* False: it is none. *care_of: where it came to, addr_unspecified if that does not matter. */
    bool (*read)(const struct sockaddr_storage *from, const uint8_t *bytes, size_t len,
                 struct mobile_reply *out, struct addr *care_of);
};

extern const struct net_family net_ipv4;
extern const struct net_family net_ipv6;

/* A storm of replies must not be lost here: the forced size needs a privilege, the other may be cut. */
void net_enlarge_buffers(int fd);

#endif
