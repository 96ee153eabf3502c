/* SPDX-License-Identifier: BSD-3-Clause */
/* IPv6 in IPv6 (RFC 2473), with a tunnel encapsulation limit option or without, which the kernel sees to. */
#include "tunnel_family.h"

#include <errno.h>
#include <unistd.h>

static int listen_ipv6(void)
{
    const int fd = socket(AF_INET6, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_NUM_IPV6);
    const int on = 1;
    if (fd < 0)
        return -1;
    if (setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on)) == 0 &&
        setsockopt(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, &on, sizeof(on)) == 0)
        return fd;
    const int err = errno;
    close(fd);
    errno = err;
    return -1;
}

static struct addr addr_of(const struct in6_addr *in6)
{
    struct addr a;
    memcpy(a.b, in6, sizeof(a.b));
    return a;
}

static void read_control(struct cmsghdr *c, struct ip_header *outer)
{
    struct in6_pktinfo info;
    int tclass;
    if (c->cmsg_level != IPPROTO_IPV6)
        return;
    if (c->cmsg_type == IPV6_PKTINFO) {
        memcpy(&info, CMSG_DATA(c), sizeof(info));
        outer->destination = addr_of(&info.ipi6_addr);
    } else if (c->cmsg_type == IPV6_TCLASS) {
        memcpy(&tclass, CMSG_DATA(c), sizeof(tclass));
        outer->tos = (uint8_t)tclass;
    }
}

/* The kernel has taken the outer header off and tells what was in it. */
static bool read_outer(const struct msghdr *h, const uint8_t *bytes, size_t len, struct ip_header *outer,
                       size_t *at)
{
    (void)bytes;
    struct sockaddr_in6 from;
    memcpy(&from, h->msg_name, sizeof(from));
    *outer = (struct ip_header){.source = addr_of(&from.sin6_addr),
                                .protocol = IPPROTO_NUM_IPV6,
                                .header_len = 0,
                                .total_len = (uint16_t)len};
    for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c != NULL; c = CMSG_NXTHDR((struct msghdr *)h, c))
        read_control(c, outer);
    *at = 0;
    return true;
}

static void set_tos(uint8_t *header, const struct ip_header *inner, uint8_t tos)
{
    (void)inner;
    header[0] = (uint8_t)((header[0] & 0xf0) | tos >> 4);
    header[1] = (uint8_t)((header[1] & 0x0f) | tos << 4);
}

static bool send_outer(int fd, const uint8_t *datagram, const struct ip_header *outer)
{
    struct sockaddr_in6 to = {.sin6_family = AF_INET6};
    memcpy(&to.sin6_addr, outer->destination.b, sizeof(outer->destination.b));
    return sendto(fd, datagram, outer->total_len, 0, (const struct sockaddr *)&to, sizeof(to)) > 0;
}

const struct tunnel_family tunnel_ipv6 = {.domain = AF_INET6,
                                          .protocol = IPPROTO_NUM_IPV6,
                                          .header = IPV6_HEADER,
                                          .listen = listen_ipv6,
                                          .read = read_outer,
                                          .set_tos = set_tos,
                                          .send = send_outer};
