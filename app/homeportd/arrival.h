/* SPDX-License-Identifier: BSD-3-Clause */
/* A packet that a worker has punted, as the protocols look at it: they read it, it stays the host's.
 * Control's alone. */
#ifndef HOMEPORTD_ARRIVAL_H
#define HOMEPORTD_ARRIVAL_H

#include "control.h"

struct arrival {
    const struct punt_meta *meta;
    unsigned port_index; /* this and the next: of what was put together, its first fragment's */
    struct mac source_mac;
    const uint8_t *datagram; /* what follows the Ethernet header */
    size_t len;
};

#endif
