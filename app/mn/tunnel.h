/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The mobile nodes' end of the tunnel: a raw socket that gets datagrams of IP in IP (RFC 2003) or IPv6 in
 * IPv6 (RFC 2473), whole ones, checks them, counts them per home address, and hands the inner datagrams to
 * the kernel through a TUN device if there is one. By a reverse tunnel (RFC 3024; RFC 6275 section 11.3.1)
 * what the kernel gives to that device goes to the home agent. One owner thread.
 */
#ifndef MN_TUNNEL_H
#define MN_TUNNEL_H

#include "fleet.h"

/* X(name, text): what became of a tunnelled datagram. */
#define TUNNEL_VERDICTS(X)                                     \
    X(DELIVERED, "delivered")                                  \
    X(MALFORMED, "not a datagram in a datagram of its family") \
    X(UNKNOWN_HOME, "for a home address that is none of ours") \
    X(WRONG_SOURCE, "not from the home agent")                 \
    X(WRONG_DESTINATION, "not to a care-of address")           \
    X(CONGESTION, "congestion experienced outside, not ECN-capable inside (RFC 6040)")

enum tunnel_verdict {
#define X(name, text) TUNNEL_##name,
    TUNNEL_VERDICTS(X)
#undef X
        TUNNEL_VERDICT_COUNT
};

struct tunnel_counters {
    uint64_t verdicts[TUNNEL_VERDICT_COUNT];
    uint64_t bytes;      /* of inner datagrams delivered */
    uint64_t overflowed; /* lost between the kernel and us */
    uint64_t refused;    /* by the TUN device */
    uint64_t reversed;   /* sent to the home agent by the reverse tunnel */
    uint64_t unreversed; /* not sent: from no home address that is bound, or the kernel would not */
};

struct tunnel_conf {
    struct fleet *fleet;
    bool ipv6;
    bool (*is_care_of)(void *shell, const struct addr *a);
    void *shell;
    uint16_t stream_port; /* 0: none */
    const char *tun;      /* name of the TUN device, made if it is not there; NULL: none */
    bool reverse;         /* what the kernel gives to it is sent by the reverse tunnel */
};

struct tunnel;

const char *tunnel_verdict_text(enum tunnel_verdict verdict);

/* NULL: errno says why not, *what what was tried. */
struct tunnel *tunnel_create(const struct tunnel_conf *conf, const char **what);
void tunnel_destroy(struct tunnel *t);
/* To be polled for reading. */
int tunnel_fd(const struct tunnel *t);
/* Reads what there is, at most a bounded number. */
void tunnel_receive(struct tunnel *t);
/* The same for what goes by the reverse tunnel; -1: there is none. */
int tunnel_reverse_fd(const struct tunnel *t);
void tunnel_reverse(struct tunnel *t);
const struct tunnel_counters *tunnel_counters(const struct tunnel *t);

#endif
