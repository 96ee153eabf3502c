/* SPDX-License-Identifier: BSD-3-Clause */
/* It loses, doubles, delays and so reorders. */
#ifndef RANDOM_NETWORK_H
#define RANDOM_NETWORK_H

#include "world.h"

void network_request(const struct node *node, const struct packet *packet);
void network_reply(const struct node *node, const struct mip4_reply *reply);

#endif
