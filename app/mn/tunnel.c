/* SPDX-License-Identifier: BSD-3-Clause */
#include "tunnel.h"
#include "iface.h"
#include "tunnel_family.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdalign.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { BATCH = 64, TURNS = 8, DATAGRAM_MAX = 65536, BUFFER_BYTES = 64 << 20 };
enum { ECN_MASK = 3, ECN_NOT_ECT = 0, ECN_ECT1 = 1, ECN_ECT0 = 2, ECN_CE = 3 };
enum { LINK_MTU = 1500, OUTER_TTL = 64 };

struct tunnel {
    struct tunnel_conf conf;
    const struct tunnel_family *family;
    int raw;
    int tun;  /* -1: none */
    int back; /* sends outer datagrams as they are; -1: no reverse tunnel */
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

/* Returns the socket or -1. */
static int open_raw(const struct tunnel_family *family)
{
    const int fd = family->listen();
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

/* The kernel's datagrams are to fit into the link when they are encapsulated. 0, or -1 with errno. */
static int open_back(struct tunnel *t)
{
    const int err = iface_set_mtu(t->conf.tun, LINK_MTU - t->family->header);
    if (err < 0) {
        errno = -err;
        return -1;
    }
    t->back = socket(t->family->domain, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_RAW);
    return t->back < 0 ? -1 : 0;
}

/* *what: what was tried last. 0, or -1 with errno. */
static int open_all(struct tunnel *t, const char **what)
{
    *what = "raw socket for the tunnel";
    t->raw = open_raw(t->family);
    if (t->raw < 0)
        return -1;
    if (t->conf.tun == NULL)
        return 0;
    *what = t->conf.tun;
    t->tun = open_tun(t->conf.tun);
    if (t->tun < 0)
        return -1;
    return t->conf.reverse ? open_back(t) : 0;
}

struct tunnel *tunnel_create(const struct tunnel_conf *conf, const char **what)
{
    struct tunnel *t = calloc(1, sizeof(*t));
    *what = "memory";
    if (t == NULL)
        return NULL;
    t->conf = *conf;
    t->family = conf->ipv6 ? &tunnel_ipv6 : &tunnel_ipv4;
    t->raw = t->tun = t->back = -1;
    if (open_all(t, what) == 0)
        return t;
    const int err = errno;
    tunnel_destroy(t);
    errno = err;
    return NULL;
}

void tunnel_destroy(struct tunnel *t)
{
    if (t == NULL)
        return;
    if (t->raw >= 0)
        close(t->raw);
    if (t->tun >= 0)
        close(t->tun);
    if (t->back >= 0)
        close(t->back);
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

/* RFC 6040 section 4.2. False: the datagram must be dropped. */
static bool combine_ecn(const struct tunnel *t, const struct ip_header *outer, const struct ip_header *inner,
                        uint8_t *inner_bytes)
{
    const uint8_t out = outer->tos & ECN_MASK;
    const uint8_t in = inner->tos & ECN_MASK;
    if (in == ECN_NOT_ECT)
        return out != ECN_CE;
    const bool worse = (out == ECN_CE && in != ECN_CE) || (out == ECN_ECT1 && in == ECN_ECT0);
    if (worse)
        t->family->set_tos(inner_bytes, inner, (uint8_t)((inner->tos & ~ECN_MASK) | out));
    return true;
}

static void deliver(struct tunnel *t, struct node *node, const struct ip_header *inner,
                    const uint8_t *datagram)
{
    arrivals_note(&node->arrivals, inner, datagram, t->conf.stream_port, instant_now().mono_ns);
    t->counters.bytes += inner->total_len;
    if (t->tun >= 0 && write(t->tun, datagram, inner->total_len) < 0)
        t->counters.refused++;
}

/* Whatever is in it, fragments and headers that we do not know too: that is the kernel's to judge. */
static bool read_inner(const struct tunnel *t, const uint8_t *bytes, size_t len, struct ip_header *inner)
{
    return ip_decode(bytes, len, inner, NULL) != IP_MALFORMED &&
           addr_is_ipv4(&inner->destination) != t->conf.ipv6;
}

static enum tunnel_verdict judge(struct tunnel *t, const struct msghdr *h, uint8_t *bytes, size_t len)
{
    struct ip_header outer, inner;
    size_t at;
    if (!t->family->read(h, bytes, len, &outer, &at))
        return TUNNEL_MALFORMED;
    uint8_t *datagram = bytes + at;
    if (!read_inner(t, datagram, outer.total_len - at, &inner))
        return TUNNEL_MALFORMED;

    struct node *node = fleet_find(t->conf.fleet, &inner.destination);
    if (node == NULL)
        return TUNNEL_UNKNOWN_HOME;
    if (!addr_equal(&outer.source, &node->mobile.home_agent))
        return TUNNEL_WRONG_SOURCE;
    if (!t->conf.is_care_of(t->conf.shell, &outer.destination))
        return TUNNEL_WRONG_DESTINATION;
    if (!combine_ecn(t, &outer, &inner, datagram))
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
    struct sockaddr_storage senders[BATCH];
    alignas(struct cmsghdr) char controls[BATCH][TUNNEL_CONTROL];

    for (int i = 0; i < BATCH; i++) {
        parts[i] = (struct iovec){.iov_base = t->datagrams[i], .iov_len = DATAGRAM_MAX};
        batch[i].msg_hdr = (struct msghdr){.msg_name = &senders[i],
                                           .msg_namelen = sizeof(senders[i]),
                                           .msg_iov = &parts[i],
                                           .msg_iovlen = 1,
                                           .msg_control = controls[i],
                                           .msg_controllen = sizeof(controls[i])};
    }
    const int got = recvmmsg(t->raw, batch, BATCH, 0, NULL);
    for (int i = 0; i < got; i++) {
        note_overflow(t, &batch[i].msg_hdr);
        t->counters.verdicts[judge(t, &batch[i].msg_hdr, t->datagrams[i], batch[i].msg_len)]++;
    }
    return got;
}

void tunnel_receive(struct tunnel *t)
{
    for (int turn = 0; turn < TURNS; turn++)
        if (receive_batch(t) < BATCH)
            return;
}

/* ---- The reverse tunnel ---- */

int tunnel_reverse_fd(const struct tunnel *t)
{
    return t->back >= 0 ? t->tun : -1;
}

/* RFC 2003 section 3.1, RFC 3024 section 5.1.2; RFC 2473 section 3.1: from the care-of address to the home
 * agent of the last reply. The kernel sent the inner datagram itself, so no hop is taken. */
static struct ip_header outer_of(const struct tunnel *t, const struct mobile *m,
                                 const struct ip_header *inner)
{
    return (struct ip_header){
        .tos = inner->tos,
        .ttl = OUTER_TTL,
        .protocol = t->family->protocol,
        .total_len = (uint16_t)(t->family->header + inner->total_len),
        .fragment = inner->fragment & IPV4_FLAG_DF,
        .source = m->care_of,
        .destination = m->home_agent,
    };
}

/* The datagram stands behind room for its outer header. */
static bool send_back(struct tunnel *t, uint8_t *outer_bytes, size_t len)
{
    struct ip_header inner;
    if (!read_inner(t, outer_bytes + t->family->header, len, &inner))
        return false;
    const struct node *node = fleet_find(t->conf.fleet, &inner.source);
    if (node == NULL || !mobile_is_bound(&node->mobile, instant_now().mono_ns))
        return false;
    const struct ip_header outer = outer_of(t, &node->mobile, &inner);
    struct writer w = writer_over(outer_bytes, t->family->header);
    ip_encode(&w, &outer);
    return t->family->send(t->back, outer_bytes, &outer);
}

void tunnel_reverse(struct tunnel *t)
{
    uint8_t *outer = t->datagrams[0];
    const size_t header = t->family->header;
    for (int i = 0; i < BATCH * TURNS; i++) {
        const ssize_t len = read(t->tun, outer + header, DATAGRAM_MAX - header);
        if (len <= 0)
            return;
        if (send_back(t, outer, (size_t)len))
            t->counters.reversed++;
        else
            t->counters.unreversed++;
    }
}
