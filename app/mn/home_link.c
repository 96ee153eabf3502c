/* SPDX-License-Identifier: BSD-3-Clause */
#include "home_link.h"
#include "iface.h"
#include "instant.h"
#include "nd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WAIT_MS = 300, FRAME_MAX = 128, DATAGRAM_MAX = 2048 };

/* IPv6 as it comes in by the interface. Or -errno. */
static int open_ear(const struct iface *i)
{
    const struct sockaddr_ll here = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IPV6), .sll_ifindex = i->index};
    const int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (bind(fd, (const struct sockaddr *)&here, sizeof(here)) == 0)
        return fd;
    const int err = -errno;
    close(fd);
    return err;
}

/* From no address, for the home agent must not take it for somebody who has the home address; 0 or -errno. */
static int ask(const struct iface *i, const struct addr *home)
{
    uint8_t frame[FRAME_MAX];
    struct writer w = writer_over(frame, sizeof(frame));
    nd_encode_solicitation(&w, &i->mac, &addr_unspecified, home, NULL);
    return iface_send(i, frame, writer_len(&w));
}

/* What is heard, the home agent's advertisement or something else. */
static bool take(int fd, const struct addr *home, struct mac *mac)
{
    uint8_t bytes[DATAGRAM_MAX];
    struct ip_header ip;
    struct nd nd;
    const ssize_t len = recv(fd, bytes, sizeof(bytes), 0);
    if (len < 0 || ip_decode(bytes, (size_t)len, &ip, NULL) != IP_DECODED ||
        !nd_decode(&ip, bytes + ip.header_len, ip.total_len - (size_t)ip.header_len, &nd))
        return false;
    if (nd.type != ND_NEIGHBOR_ADVERTISEMENT || !addr_equal(&nd.target, home) || !nd.has_mac)
        return false;
    *mac = nd.mac;
    return true;
}

/* 0 or -errno. */
static int listen_for_agent(int fd, const struct addr *home, struct mac *mac)
{
    const uint64_t end_ns = instant_now().mono_ns + WAIT_MS * NSEC_PER_MS;
    struct pollfd ear = {.fd = fd, .events = POLLIN};
    for (uint64_t now_ns; (now_ns = instant_now().mono_ns) < end_ns;) {
        const int ready = poll(&ear, 1, (int)((end_ns - now_ns) / NSEC_PER_MS) + 1);
        if (ready < 0 && errno != EINTR)
            return -errno;
        if (ready > 0 && take(fd, home, mac))
            return 0;
    }
    return -ETIMEDOUT;
}

static int meet(const struct iface *i, const struct addr *home, const struct addr *home_agent)
{
    struct mac mac;
    const int fd = open_ear(i);
    if (fd < 0)
        return fd;
    int err = ask(i, home);
    if (err == 0)
        err = listen_for_agent(fd, home, &mac);
    close(fd);
    return err < 0 ? err : iface_set_neighbor(i, home_agent, &mac);
}

int home_link_meet_agent(const char *interface, const struct addr *home, const struct addr *home_agent)
{
    struct iface i;
    int err = iface_open(&i, interface);
    if (err < 0)
        return err;
    err = iface_up(&i);
    if (err == 0)
        err = meet(&i, home, home_agent);
    iface_close(&i);
    return err;
}
