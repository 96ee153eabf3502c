/* SPDX-License-Identifier: BSD-3-Clause */
#include "iface.h"
#include "arp.h"
#include "nd.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FRAME_MAX = 128 };

struct neighbor_change {
    struct nlmsghdr header;
    struct ndmsg message;
    struct rtattr address;
    struct addr addr;
    struct rtattr lladdr;
    struct mac mac;
    uint8_t padding[2];
};

struct address_change {
    struct nlmsghdr header;
    struct ifaddrmsg message;
    struct rtattr attribute;
    uint8_t address[sizeof(struct addr)];
};

/* One interface ioctl; the socket is only there to carry it. */
static int ask_kernel(unsigned long request, struct ifreq *ifr, const char *name)
{
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    strcpy(ifr->ifr_name, name);
    const int err = ioctl(fd, request, ifr) < 0 ? -errno : 0;
    close(fd);
    return err;
}

/* An interface without a MAC address (TUN) gets no packet socket: there is no ARP on it. */
static int open_packet(struct iface *i)
{
    struct ifreq ifr = {0};
    const int err = ask_kernel(SIOCGIFHWADDR, &ifr, i->name);
    if (err < 0 || ifr.ifr_hwaddr.sa_family != ARPHRD_ETHER)
        return err;

    memcpy(i->mac.b, ifr.ifr_hwaddr.sa_data, sizeof(i->mac.b));
    /* Protocol 0: it sends, and receives nothing. */
    i->packet = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    return i->packet < 0 ? -errno : 0;
}

int iface_open(struct iface *i, const char *name)
{
    *i = (struct iface){.netlink = -1, .packet = -1};
    if (strlen(name) >= sizeof(i->name))
        return -ENODEV;
    strcpy(i->name, name);
    i->index = (int)if_nametoindex(name);
    if (i->index == 0)
        return -ENODEV;
    i->netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    const int err = i->netlink < 0 ? -errno : open_packet(i);
    if (err < 0)
        iface_close(i);
    return err;
}

void iface_close(struct iface *i)
{
    if (i->netlink >= 0)
        close(i->netlink);
    if (i->packet >= 0)
        close(i->packet);
    *i = (struct iface){.netlink = -1, .packet = -1};
}

int iface_up(const struct iface *i)
{
    struct ifreq ifr = {0};
    const int err = ask_kernel(SIOCGIFFLAGS, &ifr, i->name);
    if (err < 0)
        return err;
    ifr.ifr_flags |= IFF_UP;
    return ask_kernel(SIOCSIFFLAGS, &ifr, i->name);
}

int iface_set_mtu(const char *name, int mtu)
{
    struct ifreq ifr = {.ifr_mtu = mtu};
    return strlen(name) >= sizeof(ifr.ifr_name) ? -ENODEV : ask_kernel(SIOCSIFMTU, &ifr, name);
}

/* Reads the kernel's acknowledgement. */
static int netlink_result(int fd)
{
    struct {
        struct nlmsghdr header;
        struct nlmsgerr error;
        char rest[512];
    } answer;
    const ssize_t n = recv(fd, &answer, sizeof(answer), 0);
    if (n < 0)
        return -errno;
    if ((size_t)n < sizeof(answer.header) + sizeof(answer.error) || answer.header.nlmsg_type != NLMSG_ERROR)
        return -EPROTO;
    return answer.error.error;
}

static int change_address(const struct iface *i, uint16_t type, uint16_t flags, const struct addr *a,
                          uint8_t bits)
{
    const bool ipv4 = addr_is_ipv4(a);
    const size_t len = ipv4 ? sizeof(uint32_t) : sizeof(a->b);
    struct address_change c = {
        .header = {.nlmsg_len = (uint32_t)(offsetof(struct address_change, address) + len),
                   .nlmsg_type = type,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags},
        .message = {.ifa_family = ipv4 ? AF_INET : AF_INET6,
                    .ifa_prefixlen = bits,
                    .ifa_flags = ipv4 ? 0 : IFA_F_NODAD,
                    .ifa_index = (uint32_t)i->index},
        .attribute = {.rta_len = (uint16_t)RTA_LENGTH(len), .rta_type = IFA_LOCAL},
    };
    memcpy(c.address, a->b + sizeof(a->b) - len, len);
    if (send(i->netlink, &c, c.header.nlmsg_len, 0) < 0)
        return -errno;
    return netlink_result(i->netlink);
}

int iface_add(const struct iface *i, const struct addr *a, uint8_t bits)
{
    return change_address(i, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, a, bits);
}

int iface_remove(const struct iface *i, const struct addr *a, uint8_t bits)
{
    return change_address(i, RTM_DELADDR, 0, a, bits);
}

int iface_set_neighbor(const struct iface *i, const struct addr *a, const struct mac *mac)
{
    struct neighbor_change c = {
        .header = {.nlmsg_len = sizeof(c),
                   .nlmsg_type = RTM_NEWNEIGH,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE},
        .message = {.ndm_family = AF_INET6, .ndm_ifindex = i->index, .ndm_state = NUD_REACHABLE},
        .address = {.rta_len = RTA_LENGTH(sizeof(c.addr)), .rta_type = NDA_DST},
        .addr = *a,
        .lladdr = {.rta_len = RTA_LENGTH(sizeof(c.mac)), .rta_type = NDA_LLADDR},
        .mac = *mac,
    };
    if (send(i->netlink, &c, sizeof(c), 0) < 0)
        return -errno;
    return netlink_result(i->netlink);
}

int iface_send(const struct iface *i, const uint8_t *frame, size_t len)
{
    if (i->packet < 0)
        return -EOPNOTSUPP;
    const struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = i->index};
    const ssize_t n = sendto(i->packet, frame, len, 0, (const struct sockaddr *)&to, sizeof(to));
    return n < 0 ? -errno : 0;
}

int iface_announce(const struct iface *i, const struct addr *home)
{
    uint8_t frame[FRAME_MAX];
    struct writer w = writer_over(frame, sizeof(frame));
    if (addr_is_ipv4(home))
        arp_encode_announcement(&w, &i->mac, &i->mac, home);
    else /* RFC 6275 section 11.5.5: neither a router's nor solicited */
        nd_encode_advertisement(&w, &i->mac, home, &addr_all_nodes, NULL, home, &i->mac, ND_OVERRIDE);
    return iface_send(i, frame, writer_len(&w));
}
