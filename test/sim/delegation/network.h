/* SPDX-License-Identifier: BSD-3-Clause */
/* The network between primary and secondaries: it loses, doubles, delays, reorders and cuts. */
#ifndef SIM_NETWORK_H
#define SIM_NETWORK_H

#include "agent.h"
#include "timerq.h"

struct world;
struct appliance;

struct faults {
    uint8_t loss, duplicate, slow; /* percent */
    uint64_t delay_ns, jitter_ns;  /* of all */
    uint64_t slow_ns;              /* of the slow ones, at most, besides */
};

/* One direction between the primary and a secondary. */
struct path {
    struct faults faults;
    bool cut;
    uint64_t calm_ns; /* since when nothing was lost or slow on it */
};

enum { NETWORK_SECONDARIES = 8, TYPES_MAX = 16 };

struct network {
    struct path up[NETWORK_SECONDARIES];   /* from that node to the primary */
    struct path down[NETWORK_SECONDARIES]; /* ... and back */
    uint8_t drop_type;                     /* scripted: the next so many of this type vanish */
    uint32_t drop_left, dropped;
    uint64_t sent[TYPES_MAX]; /* by enum delegation_type */
};

struct flight {
    struct timer timer;
    size_t from, to; /* nodes */
    uint64_t sent_ns;
    struct addr source, destination;
    uint16_t source_port, destination_port;
    uint8_t protocol;
    uint8_t type;               /* enum delegation_type */
    size_t len, size;           /* of the bytes that travel, which come first; of all */
    size_t inner_at, inner_len; /* behind them: the delegation datagram as it is in clear */
    uint8_t bytes[];
};

void network_init(struct world *world);
/* A datagram that node `from` sends. */
void network_send(struct world *world, struct appliance *from, const struct message *message);
/* It arrives; frees it. */
void network_arrive(struct world *world, struct flight *flight);
/* The agent takes bytes that came from source; true: as authentic and new. */
bool network_hand_over(struct appliance *to, const struct flight *flight);
struct path *network_path(struct world *world, size_t from, size_t to);
/* The node and the primary have reached each other without loss or delay since then. */
uint64_t network_calm_ns(const struct world *world, size_t secondary);

#endif
