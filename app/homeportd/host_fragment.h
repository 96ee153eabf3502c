/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fragments for the appliance itself: they are counted, collected until their datagram is whole, and their
 * senders told what the RFCs say of those of which nothing comes.
 *
 * Control's alone.
 */
#ifndef HOMEPORTD_HOST_FRAGMENT_H
#define HOMEPORTD_HOST_FRAGMENT_H

#include "arrival.h"

/* True: *a is a whole datagram now, until the next call, or what is to be judged like one. */
bool host_fragment_collect(struct control *c, struct arrival *a);
/* Forgets those whose time ran out. True: there were some. */
bool host_fragment_work(struct control *c);

#endif
