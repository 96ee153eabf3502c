/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Coming home by Mobile IPv6: how to reach the home agent while it defends the home address (RFC 6275 section
 * 11.5.5). One owner thread, which it may keep waiting for a moment.
 */
#ifndef MN_HOME_LINK_H
#define MN_HOME_LINK_H

#include "addr.h"

/* Asks the home link who has the home address: the home agent, if it intercepts for it. Its MAC address then
 * goes into the kernel's neighbour cache, so that the kernel need not ask for it with the home address as
 * source. 0, -ETIMEDOUT: nobody has it, or -errno. */
int home_link_meet_agent(const char *interface, const struct addr *home, const struct addr *home_agent);

#endif
