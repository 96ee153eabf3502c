/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An interface of the kernel's on which mobile nodes are, as far as their kernel is concerned: the TUN device
 * while they are abroad, the interface on the home link when they are home. Their home addresses are put
 * on it and taken off it again; so the kernel answers ARP and neighbour solicitations for them only at home,
 * as RFC 5944 section 4.6 and RFC 6275 section 11.5.5 ask.
 *
 * One owner thread.
 */
#ifndef MN_IFACE_H
#define MN_IFACE_H

#include "addr.h"

#include <net/if.h>

struct iface {
    char name[IF_NAMESIZE];
    int index;
    int netlink;
    int packet; /* -1: not Ethernet, cannot announce */
    struct mac mac;
};

/* 0 or -errno. */
int iface_open(struct iface *i, const char *name);
void iface_close(struct iface *i);

int iface_up(const struct iface *i);
/* 0 or -errno. */
int iface_set_mtu(const char *name, int mtu);
/* Without duplicate address detection (RFC 6275 section 11.5.5). 0 or -errno; -EEXIST: it was there. */
int iface_add(const struct iface *i, const struct addr *a, uint8_t bits);
int iface_remove(const struct iface *i, const struct addr *a, uint8_t bits);
/* The kernel reaches an IPv6 neighbour at that MAC address for now. 0 or -errno. */
int iface_set_neighbor(const struct iface *i, const struct addr *a, const struct mac *mac);
/* A whole frame. 0 or -errno; -EOPNOTSUPP: it is not Ethernet. */
int iface_send(const struct iface *i, const uint8_t *frame, size_t len);
/* Broadcasts a gratuitous ARP for home, or multicasts a neighbour advertisement, with the interface's own MAC
 * address. 0 or -errno. */
int iface_announce(const struct iface *i, const struct addr *home);

#endif
