/* SPDX-License-Identifier: BSD-3-Clause */
/* UDP sockets of port 434's other end (RFC 5944 section 3.2). */
#include "mip4.h"
#include "net_family.h"

#include <arpa/inet.h>
#include <errno.h>
#include <unistd.h>

static int open_udp(const struct addr *address, const char *interface, uint16_t port)
{
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    const int ttl = 255; /* RFC 3024 section 3.2; without its T any will do */
    const struct sockaddr_in local = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(address != NULL ? addr_ipv4(address) : INADDR_ANY),
    };

    if (fd < 0)
        return -errno;
    net_enlarge_buffers(fd);
    /* The home link's socket shares its port with those of the care-of addresses. */
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        setsockopt(fd, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl)) < 0 ||
        (interface != NULL &&
         setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface, (socklen_t)strlen(interface)) < 0) ||
        bind(fd, (const struct sockaddr *)&local, sizeof(local)) < 0) {
        const int err = -errno;
        close(fd);
        return err;
    }
    return fd;
}

/* The kernel takes the source address of each datagram on the home link from its control data. */
static void set_source(struct letter *l, struct msghdr *h, const struct addr *source)
{
    const struct in_pktinfo info = {.ipi_spec_dst.s_addr = htonl(addr_ipv4(source))};
    h->msg_control = l->control;
    h->msg_controllen = sizeof(l->control);
    struct cmsghdr *c = CMSG_FIRSTHDR(h);
    c->cmsg_level = IPPROTO_IP;
    c->cmsg_type = IP_PKTINFO;
    c->cmsg_len = CMSG_LEN(sizeof(info));
    memcpy(CMSG_DATA(c), &info, sizeof(info));
}

static void write_letter(struct letter *l, struct msghdr *h, const struct mobile_output *out, bool home)
{
    const struct sockaddr_in to = {
        .sin_family = AF_INET,
        .sin_port = htons(MIP4_PORT),
        .sin_addr.s_addr = htonl(addr_ipv4(&out->destination)),
    };
    memcpy(&l->to, &to, sizeof(to));
    memcpy(l->bytes, out->message, out->len);
    l->part = (struct iovec){.iov_base = l->bytes, .iov_len = out->len};
    *h = (struct msghdr){.msg_name = &l->to, .msg_namelen = sizeof(to), .msg_iov = &l->part, .msg_iovlen = 1};
    if (home)
        set_source(l, h, &out->source);
}

static bool read_reply(const struct sockaddr_storage *from, const uint8_t *bytes, size_t len,
                       struct mobile_reply *out, struct addr *care_of)
{
    struct sockaddr_in sender;
    memcpy(&sender, from, sizeof(sender));
    *out = (struct mobile_reply){.source = addr_from_ipv4(ntohl(sender.sin_addr.s_addr)),
                                 .home = addr_unspecified,
                                 .message = bytes,
                                 .len = len};
    *care_of = addr_unspecified;
    return true;
}

const struct net_family net_ipv4 = {.open = open_udp, .write = write_letter, .read = read_reply};
