/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An interface of the kernel's on which mobile nodes are, as far as their kernel is concerned: the TUN device
 * while they are abroad, the interface on the home link when they are home. Their home addresses are put
 * on it and taken off it again; so the kernel answers ARP for them only at home, as RFC 5944 section 4.6
 * asks.
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
/* 0 or -errno; -EEXIST: it was there. */
int iface_add(const struct iface *i, const struct addr *a, uint8_t bits);
int iface_remove(const struct iface *i, const struct addr *a, uint8_t bits);
/* Broadcasts a gratuitous ARP for home with the interface's own MAC address. 0 or -errno. */
int iface_announce(const struct iface *i, const struct addr *home);

#endif
