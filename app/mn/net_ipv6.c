/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Raw sockets for Mobility Headers (RFC 6275 section 6.1). A kernel without Mobile IPv6 of its own drops what
 * bears a type 2 routing header, so replies are heard where they come in from the link.
 */
#include "net_family.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <unistd.h>

enum { HOP_LIMIT = 64, NEXT_HEADER_AT = 6, ROUTING_HEADER = 43 };

static int attach(int fd, struct sock_filter *filter, uint16_t len)
{
    const struct sock_fprog program = {.len = len, .filter = filter};
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

/* It sends whole datagrams. While it is open the kernel does not tell the home agent that it knows no
 * Mobility Header; what comes to it is left to the socket that listens. */
static int open_raw(const struct addr *address, const char *interface, uint16_t port)
{
    (void)port;
    const int fd = socket(AF_INET6, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_NUM_MOBILITY);
    const int on = 1;
    struct sock_filter nothing[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
    struct sockaddr_in6 local = {.sin6_family = AF_INET6};
    if (address != NULL)
        memcpy(&local.sin6_addr, address->b, sizeof(address->b));

    if (fd < 0)
        return -errno;
    net_enlarge_buffers(fd);
    if (attach(fd, nothing, 1) < 0 || setsockopt(fd, IPPROTO_IPV6, IPV6_HDRINCL, &on, sizeof(on)) < 0 ||
        (interface != NULL &&
         setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface, (socklen_t)strlen(interface)) < 0) ||
        bind(fd, (const struct sockaddr *)&local, sizeof(local)) < 0) {
        const int err = -errno;
        close(fd);
        return err;
    }
    return fd;
}

/* Of what came to this host: Mobility Headers, and routing headers, behind which they may stand. */
static int listen_on_links(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_HOST, 0, 4),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, NEXT_HEADER_AT),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ROUTING_HEADER, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_NUM_MOBILITY, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    const struct sockaddr_ll everywhere = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IPV6)};
    /* Protocol 0: nothing comes before the filter is there. */
    const int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    net_enlarge_buffers(fd);
    if (attach(fd, filter, sizeof(filter) / sizeof(filter[0])) < 0 ||
        bind(fd, (const struct sockaddr *)&everywhere, sizeof(everywhere)) < 0) {
        const int err = -errno;
        close(fd);
        return err;
    }
    return fd;
}

static void write_letter(struct letter *l, struct msghdr *h, const struct mobile_output *out, bool home)
{
    (void)home;
    struct sockaddr_in6 to = {.sin6_family = AF_INET6};
    struct ip_header ip = {
        .source = out->source,
        .destination = out->destination,
        .home = out->home,
        .ttl = HOP_LIMIT,
        .protocol = IPPROTO_NUM_MOBILITY,
    };
    ip.total_len = (uint16_t)(ip_header_size(&ip) + out->len);
    struct writer w = writer_over(l->bytes, sizeof(l->bytes));
    ip_encode(&w, &ip);
    write_bytes(&w, out->message, out->len);

    memcpy(&to.sin6_addr, out->destination.b, sizeof(out->destination.b));
    memcpy(&l->to, &to, sizeof(to));
    l->part = (struct iovec){.iov_base = l->bytes, .iov_len = writer_len(&w)};
    *h = (struct msghdr){.msg_name = &l->to, .msg_namelen = sizeof(to), .msg_iov = &l->part, .msg_iovlen = 1};
}

static bool read_reply(const struct sockaddr_storage *from, const uint8_t *bytes, size_t len,
                       struct mobile_reply *out, struct addr *care_of)
{
    (void)from;
    struct ip_header ip;
    if (ip_decode(bytes, len, &ip, NULL) != IP_DECODED || ip.protocol != IPPROTO_NUM_MOBILITY)
        return false;
    *out = (struct mobile_reply){.source = ip.source,
                                 .home = *ip_destination(&ip),
                                 .message = bytes + ip.header_len,
                                 .len = ip.total_len - (size_t)ip.header_len};
    const bool abroad = !addr_equal(&ip.routed_home, &addr_unspecified);
    *care_of = abroad ? ip.destination : addr_unspecified;
    return true;
}

const struct net_family net_ipv6 = {
    .open = open_raw, .listen = listen_on_links, .write = write_letter, .read = read_reply};
