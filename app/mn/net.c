/* SPDX-License-Identifier: BSD-3-Clause */
#include "net.h"
#include "mip4.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdalign.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BATCH = 64, TURNS = 8, REPLY_MAX = 2048, BUFFER_BYTES = 16 << 20 };

struct port {
    struct addr address; /* unspecified: the home link's */
    int fd;
};

struct letter {
    struct sockaddr_in to;
    struct iovec part;
    alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct in_pktinfo))];
    uint8_t message[MOBILE_MESSAGE_MAX];
};

struct net {
    int epoll;
    uint16_t local_port;
    struct port ports[NET_SOCKETS_MAX];
    size_t count;
    struct port home; /* fd -1: not open */
    char home_interface[IF_NAMESIZE];
    struct letter letters[BATCH];
    struct mmsghdr batch[BATCH];
    unsigned waiting;
    int waiting_fd;
    uint64_t unsent;
    int unsent_errno;
    uint8_t replies[BATCH][REPLY_MAX];
};

struct net *net_create(int epoll, uint16_t port)
{
    struct net *n = calloc(1, sizeof(*n));
    if (n == NULL)
        return NULL;
    n->epoll = epoll;
    n->local_port = port;
    n->home.fd = -1;
    return n;
}

void net_destroy(struct net *n)
{
    if (n == NULL)
        return;
    for (size_t i = 0; i < n->count; i++)
        close(n->ports[i].fd);
    if (n->home.fd >= 0)
        close(n->home.fd);
    free(n);
}

static const struct port *find(const struct net *n, const struct addr *address)
{
    for (size_t i = 0; i < n->count; i++)
        if (addr_equal(&n->ports[i].address, address))
            return &n->ports[i];
    return NULL;
}

bool net_has(const struct net *n, const struct addr *care_of)
{
    return find(n, care_of) != NULL;
}

/* A storm of replies must not be lost here: the forced size needs a privilege, the other may be cut. */
static void enlarge_buffers(int fd)
{
    const int bytes = BUFFER_BYTES;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) < 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

/* interface NULL: any. Returns the socket or -errno. */
static int open_bound(const struct net *n, const struct addr *address, const char *interface)
{
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    const int ttl = 255; /* RFC 3024 section 3.2; without its T any will do */
    const struct sockaddr_in local = {
        .sin_family = AF_INET,
        .sin_port = htons(n->local_port),
        .sin_addr.s_addr = htonl(address != NULL ? addr_ipv4(address) : INADDR_ANY),
    };
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

    if (fd < 0)
        return -errno;
    enlarge_buffers(fd);
    /* The home link's socket shares its port with those of the care-of addresses. */
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        setsockopt(fd, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl)) < 0 ||
        (interface != NULL &&
         setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface, (socklen_t)strlen(interface)) < 0) ||
        bind(fd, (const struct sockaddr *)&local, sizeof(local)) < 0 ||
        epoll_ctl(n->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
        const int err = -errno;
        close(fd);
        return err;
    }
    return fd;
}

int net_open(struct net *n, const struct addr *care_of)
{
    if (net_has(n, care_of))
        return 0;
    if (n->count == NET_SOCKETS_MAX)
        return -ENFILE;
    const int fd = open_bound(n, care_of, NULL);
    if (fd < 0)
        return fd;
    n->ports[n->count++] = (struct port){.address = *care_of, .fd = fd};
    return 0;
}

int net_open_home(struct net *n, const char *interface)
{
    if (n->home.fd >= 0 && strcmp(interface, n->home_interface) == 0)
        return 0;
    if (strlen(interface) >= sizeof(n->home_interface))
        return -ENODEV;
    const int fd = open_bound(n, NULL, interface);
    if (fd < 0)
        return fd;
    net_flush(n);
    if (n->home.fd >= 0)
        close(n->home.fd);
    n->home.fd = fd;
    strcpy(n->home_interface, interface);
    return 0;
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

void net_send(struct net *n, const struct mobile_output *out)
{
    const struct port *port = find(n, &out->source);
    const bool home = port == NULL;
    if (home)
        port = &n->home;
    if (n->waiting == BATCH || (n->waiting > 0 && n->waiting_fd != port->fd))
        net_flush(n);

    struct letter *l = &n->letters[n->waiting];
    struct msghdr *h = &n->batch[n->waiting].msg_hdr;
    l->to = (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons(MIP4_PORT),
        .sin_addr.s_addr = htonl(addr_ipv4(&out->destination)),
    };
    memcpy(l->message, out->message, out->len);
    l->part = (struct iovec){.iov_base = l->message, .iov_len = out->len};
    *h = (struct msghdr){
        .msg_name = &l->to, .msg_namelen = sizeof(l->to), .msg_iov = &l->part, .msg_iovlen = 1};
    if (home)
        set_source(l, h, &out->source);
    n->waiting_fd = port->fd;
    n->waiting++;
}

/* What the kernel refuses is counted and left to retransmission. */
void net_flush(struct net *n)
{
    unsigned done = 0;
    while (done < n->waiting) {
        const int sent = sendmmsg(n->waiting_fd, n->batch + done, n->waiting - done, 0);
        if (sent > 0) {
            done += (unsigned)sent;
            continue;
        }
        n->unsent_errno = errno;
        n->unsent++;
        done++;
    }
    n->waiting = 0;
}

static int receive_batch(struct net *n, int fd, net_input *input, void *shell)
{
    struct mmsghdr batch[BATCH] = {0};
    struct iovec parts[BATCH];
    for (int i = 0; i < BATCH; i++) {
        parts[i] = (struct iovec){.iov_base = n->replies[i], .iov_len = REPLY_MAX};
        batch[i].msg_hdr.msg_iov = &parts[i];
        batch[i].msg_hdr.msg_iovlen = 1;
    }
    const int got = recvmmsg(fd, batch, BATCH, 0, NULL);
    for (int i = 0; i < got; i++)
        input(shell, n->replies[i], batch[i].msg_len);
    return got;
}

void net_receive(struct net *n, int fd, net_input *input, void *shell)
{
    for (int turn = 0; turn < TURNS; turn++)
        if (receive_batch(n, fd, input, shell) < BATCH)
            return;
}

uint64_t net_unsent(const struct net *n, int *last_errno)
{
    *last_errno = n->unsent_errno;
    return n->unsent;
}
