/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The sockets of the mobile nodes: one for each care-of address, one on the home link for all that are home;
 * of UDP for IPv4, raw for IPv6. Requests are collected and sent in batches. One owner thread.
 */
#ifndef MN_NET_H
#define MN_NET_H

#include "mobile.h"

enum { NET_SOCKETS_MAX = 64 };

struct net;

typedef void net_input(void *shell, const struct mobile_reply *reply);

/* Sockets of the home agent's family, added to the epoll set with data.fd; port: the local one of UDP. NULL:
 * errno says why not. */
struct net *net_create(int epoll, uint16_t port, const struct addr *home_agent);
void net_destroy(struct net *n);

/* A socket for a care-of address of this host; nothing to do where there is one. 0 or -errno. */
int net_open(struct net *n, const struct addr *care_of);
/* The socket on the home link, from which everything goes whose source is no care-of address; one on
 * another interface is closed. 0 or -errno. */
int net_open_home(struct net *n, const char *interface);
bool net_has(const struct net *n, const struct addr *care_of);

/* Copies the message into the batch. */
void net_send(struct net *n, const struct mobile_output *out);
void net_flush(struct net *n);
/* Reads what a socket has, at most a bounded number. */
void net_receive(struct net *n, int fd, net_input *input, void *shell);

/* Requests that the kernel did not take, and why the last of them. */
uint64_t net_unsent(const struct net *n, int *last_errno);

#endif
