/* SPDX-License-Identifier: BSD-3-Clause */
#include "net.h"
#include "net_family.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { BATCH = 64, TURNS = 8, REPLY_MAX = 2048, BUFFER_BYTES = 16 << 20 };

struct port {
    struct addr address; /* unspecified: the home link's */
    int fd;
};

struct net {
    const struct net_family *family;
    int epoll;
    int listener; /* -1: each socket hears its own replies */
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
    struct sockaddr_storage senders[BATCH];
    uint8_t replies[BATCH][REPLY_MAX];
};

static int watch(const struct net *n, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    return epoll_ctl(n->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

/* 0 or -errno. */
static int begin_listening(struct net *n)
{
    if (n->family->listen == NULL)
        return 0;
    n->listener = n->family->listen();
    return n->listener < 0 ? n->listener : watch(n, n->listener);
}

struct net *net_create(int epoll, uint16_t port, const struct addr *home_agent)
{
    struct net *n = calloc(1, sizeof(*n));
    if (n == NULL)
        return NULL;
    n->family = addr_is_ipv4(home_agent) ? &net_ipv4 : &net_ipv6;
    n->epoll = epoll;
    n->local_port = port;
    n->home.fd = n->listener = -1;
    const int err = begin_listening(n);
    if (err == 0)
        return n;
    net_destroy(n);
    errno = -err;
    return NULL;
}

void net_destroy(struct net *n)
{
    if (n == NULL)
        return;
    for (size_t i = 0; i < n->count; i++)
        close(n->ports[i].fd);
    if (n->home.fd >= 0)
        close(n->home.fd);
    if (n->listener >= 0)
        close(n->listener);
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

void net_enlarge_buffers(int fd)
{
    const int bytes = BUFFER_BYTES;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) < 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

/* address NULL: any; interface NULL: any. Returns the socket or -errno. */
static int open_bound(const struct net *n, const struct addr *address, const char *interface)
{
    const int fd = n->family->open(address, interface, n->local_port);
    if (fd < 0 || n->listener >= 0)
        return fd;
    const int err = watch(n, fd);
    if (err == 0)
        return fd;
    close(fd);
    return err;
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

void net_send(struct net *n, const struct mobile_output *out)
{
    const struct port *port = find(n, &out->source);
    const bool home = port == NULL;
    if (home)
        port = &n->home;
    if (n->waiting == BATCH || (n->waiting > 0 && n->waiting_fd != port->fd))
        net_flush(n);

    n->family->write(&n->letters[n->waiting], &n->batch[n->waiting].msg_hdr, out, home);
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

/* What is for a care-of address of somebody else's on this host is no concern of ours. */
static void take_reply(struct net *n, int place, size_t len, net_input *input, void *shell)
{
    struct mobile_reply reply;
    struct addr care_of;
    if (!n->family->read(&n->senders[place], n->replies[place], len, &reply, &care_of))
        return;
    if (addr_equal(&care_of, &addr_unspecified) || net_has(n, &care_of))
        input(shell, &reply);
}

static int receive_batch(struct net *n, int fd, net_input *input, void *shell)
{
    struct mmsghdr batch[BATCH] = {0};
    struct iovec parts[BATCH];
    for (int i = 0; i < BATCH; i++) {
        parts[i] = (struct iovec){.iov_base = n->replies[i], .iov_len = REPLY_MAX};
        batch[i].msg_hdr = (struct msghdr){.msg_name = &n->senders[i],
                                           .msg_namelen = sizeof(n->senders[i]),
                                           .msg_iov = &parts[i],
                                           .msg_iovlen = 1};
    }
    const int got = recvmmsg(fd, batch, BATCH, 0, NULL);
    for (int i = 0; i < got; i++)
        take_reply(n, i, batch[i].msg_len, input, shell);
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
