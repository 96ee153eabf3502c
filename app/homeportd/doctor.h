/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the command `doctor` needs to have been watched: since when a peer holds a lease, whether probes come
 * back, and what the agent's counters stood at a moment ago.
 *
 * A probe finds out whether the network lets a secondary send with its primary's address, as its tunnels do:
 * an echo request from that address to the next hop of the secondary's default route, one every
 * DOCTOR_PROBE_S seconds for each primary whose lease is in force. Its answer goes to the primary, which
 * knows it by identifier and by sequence, the secondary's id. It changes nothing but what `doctor` says, so
 * that it need not be authentic.
 *
 * Control's alone.
 */
#ifndef HOMEPORTD_DOCTOR_H
#define HOMEPORTD_DOCTOR_H

#include "conf.h"

enum {
    DOCTOR_PROBE_S = 10,
    DOCTOR_OVERDUE_S = 25, /* no probe came back for so long: two of them are lost */
    DOCTOR_PEERS_MAX = AGENT_SECONDARIES_MAX
};

struct doctor_peer {
    uint16_t id;          /* as it says; 0: not met */
    uint64_t leased_ns;   /* since when the lease is in force; 0: it is not */
    uint64_t sent_ns;     /* the last probe from that primary's address; 0: none under this lease */
    uint64_t returned_ns; /* when the last probe of that secondary came back; 0: none did */
};

struct doctor_sample {
    uint64_t at_ns;
    uint64_t second_chances;
    uint64_t port_losses[CONF_PORTS_MAX];
    uint64_t agent[AGENT_COUNTERS_COUNT];
};

struct doctor {
    uint64_t survey_ns; /* when the next is due */
    struct doctor_peer peers[DOCTOR_PEERS_MAX];
    size_t n_peers;                      /* in the agent's order */
    struct doctor_sample recent, before; /* one period old at most, and one to two */
};

struct control;

/* In every turn: follows leases and counters, and sends the probes that are due. */
void doctor_work(struct control *c);
/* An echo reply came for us. True: it answers a probe of a configured secondary, and is dealt with. */
bool doctor_probe_returned(struct control *c, const struct ip_header *ip, const struct icmp *reply);

/* What is watched of the peer with this id; NULL: nothing yet. */
const struct doctor_peer *doctor_peer(const struct control *c, uint16_t id);
/* What a counter grew by in the last ten to twenty seconds, or since it was cleared. */
uint64_t doctor_lately(const struct control *c, enum agent_counter counter);
uint64_t doctor_second_chances_lately(const struct control *c);
/* Packets that a port's device could not take or send. */
uint64_t doctor_port_losses_lately(const struct control *c, unsigned port_index);
/* How long that is, at least 1. */
uint64_t doctor_lately_s(const struct control *c);

/* Where a secondary's probes go that bear its primary's address, by the default route of that family. False:
 * nowhere, since there is none to a router. */
struct doctor_router {
    struct addr address;
    uint8_t port_index;
    bool answers; /* ARP, or neighbour solicitations */
};
bool doctor_router(struct control *c, const struct addr *primary, struct doctor_router *out);

#endif
