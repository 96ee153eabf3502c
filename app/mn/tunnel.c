/* SPDX-License-Identifier: BSD-3-Clause */
#include "tunnel.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdalign.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BATCH = 64, TURNS = 8, DATAGRAM_MAX = 65536, BUFFER_BYTES = 64 << 20 };
enum { ECN_MASK = 3, ECN_NOT_ECT = 0, ECN_ECT1 = 1, ECN_ECT0 = 2, ECN_CE = 3 };

struct tunnel {
    struct tunnel_conf conf;
    int raw;
    int tun; /* -1: none */
    struct tunnel_counters counters;
    uint8_t datagrams[BATCH][DATAGRAM_MAX];
};

const char *tunnel_verdict_text(enum tunnel_verdict verdict)
{
    static const char *const texts[] = {
#define X(name, text) text,
        TUNNEL_VERDICTS(X)
#undef X
    };
    return texts[verdict];
}

/* Returns the socket or -1. While it is open the kernel answers no IP-in-IP with "protocol unreachable". */
static int open_raw(void)
{
    const int fd = socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_IPIP);
    const int bytes = BUFFER_BYTES;
    const int on = 1;
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
    (void)setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on));
    return fd;
}

static int open_tun(const char *name)
{
    const int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    struct ifreq ifr = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    if (fd < 0)
        return -1;
    strncpy(ifr.ifr_name, name, sizeof(ifr.ifr_name) - 1);
    if (ioctl(fd, TUNSETIFF, &ifr) < 0) {
        const int err = errno;
        close(fd);
        errno = err;
        return -1;
    }
    return fd;
}

struct tunnel *tunnel_create(const struct tunnel_conf *conf, const char **what)
{
    struct tunnel *t = calloc(1, sizeof(*t));
    *what = "memory";
    if (t == NULL)
        return NULL;
    t->conf = *conf;
    t->tun = -1;
    *what = "raw socket for IP in IP";
    t->raw = open_raw();
    if (t->raw >= 0 && conf->tun != NULL) {
        *what = conf->tun;
        t->tun = open_tun(conf->tun);
    }
    if (t->raw < 0 || (conf->tun != NULL && t->tun < 0)) {
        const int err = errno;
        tunnel_destroy(t);
        errno = err;
        return NULL;
    }
    return t;
}

void tunnel_destroy(struct tunnel *t)
{
    if (t == NULL)
        return;
    if (t->raw >= 0)
        close(t->raw);
    if (t->tun >= 0)
        close(t->tun);
    free(t);
}

int tunnel_fd(const struct tunnel *t)
{
    return t->raw;
}

const struct tunnel_counters *tunnel_counters(const struct tunnel *t)
{
    return &t->counters;
}

static void set_tos(uint8_t *header, size_t header_len, uint8_t tos)
{
    enum { TOS = 1, CHECKSUM = 10 };
    header[TOS] = tos;
    header[CHECKSUM] = header[CHECKSUM + 1] = 0;
    const uint16_t sum = inet_finish(inet_sum(0, header, header_len));
    header[CHECKSUM] = (uint8_t)(sum >> 8);
    header[CHECKSUM + 1] = (uint8_t)sum;
}

/* RFC 6040 section 4.2. False: the datagram must be dropped. */
static bool combine_ecn(const struct ipv4 *outer, const struct ipv4 *inner, uint8_t *inner_bytes)
{
    const uint8_t out = outer->tos & ECN_MASK;
    const uint8_t in = inner->tos & ECN_MASK;
    if (in == ECN_NOT_ECT)
        return out != ECN_CE;
    const bool worse = (out == ECN_CE && in != ECN_CE) || (out == ECN_ECT1 && in == ECN_ECT0);
    if (worse)
        set_tos(inner_bytes, inner->header_len, (uint8_t)((inner->tos & ~ECN_MASK) | out));
    return true;
}

static void deliver(struct tunnel *t, struct node *node, const struct ipv4 *inner, const uint8_t *datagram)
{
    arrivals_note(&node->arrivals, inner, datagram, t->conf.stream_port, instant_now().mono_ns);
    t->counters.bytes += inner->total_len;
    if (t->tun >= 0 && write(t->tun, datagram, inner->total_len) < 0)
        t->counters.refused++;
}

static enum tunnel_verdict judge(struct tunnel *t, uint8_t *bytes, size_t len)
{
    struct ipv4 outer, inner;
    if (!ipv4_decode(bytes, len, &outer) || outer.protocol != IPPROTO_NUM_IPIP)
        return TUNNEL_MALFORMED;
    uint8_t *datagram = bytes + outer.header_len;
    if (!ipv4_decode(datagram, outer.total_len - outer.header_len, &inner))
        return TUNNEL_MALFORMED;

    struct node *node = fleet_find(t->conf.fleet, &inner.destination);
    if (node == NULL)
        return TUNNEL_UNKNOWN_HOME;
    if (!addr_equal(&outer.source, &node->mobile.home_agent))
        return TUNNEL_WRONG_SOURCE;
    if (!t->conf.is_care_of(t->conf.shell, &outer.destination))
        return TUNNEL_WRONG_DESTINATION;
    if (!combine_ecn(&outer, &inner, datagram))
        return TUNNEL_CONGESTION;
    deliver(t, node, &inner, datagram);
    return TUNNEL_DELIVERED;
}

/* The kernel tells with each datagram how many it has dropped in all, modulo 2^32. */
static void note_overflow(struct tunnel *t, struct msghdr *h)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c != NULL; c = CMSG_NXTHDR(h, c)) {
        uint32_t dropped;
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SO_RXQ_OVFL)
            continue;
        memcpy(&dropped, CMSG_DATA(c), sizeof(dropped));
        t->counters.overflowed += dropped - (uint32_t)t->counters.overflowed;
    }
}

static int receive_batch(struct tunnel *t)
{
    struct mmsghdr batch[BATCH] = {0};
    struct iovec parts[BATCH];
    alignas(struct cmsghdr) char controls[BATCH][CMSG_SPACE(sizeof(uint32_t))];

    for (int i = 0; i < BATCH; i++) {
        parts[i] = (struct iovec){.iov_base = t->datagrams[i], .iov_len = DATAGRAM_MAX};
        batch[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i],
                                           .msg_iovlen = 1,
                                           .msg_control = controls[i],
                                           .msg_controllen = sizeof(controls[i])};
    }
    const int got = recvmmsg(t->raw, batch, BATCH, 0, NULL);
    for (int i = 0; i < got; i++) {
        note_overflow(t, &batch[i].msg_hdr);
        t->counters.verdicts[judge(t, t->datagrams[i], batch[i].msg_len)]++;
    }
    return got;
}

void tunnel_receive(struct tunnel *t)
{
    for (int turn = 0; turn < TURNS; turn++)
        if (receive_batch(t) < BATCH)
            return;
}
