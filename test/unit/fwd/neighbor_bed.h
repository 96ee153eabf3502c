/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Neighbours in virtual time, on a bed of adjacencies in ordinary memory: those of lib/fwd/adjacency.c need
 * an EAL. Packets are numbers, hosts the last 16 bits of an address, MAC addresses letters. The bed sees to
 * it that no packet is lost or seen twice, and nobody is asked more than once a second.
 */
#ifndef TEST_FWD_NEIGHBOR_BED_H
#define TEST_FWD_NEIGHBOR_BED_H

#include "../check_main.h"
#include "neighbor.h"

enum {
    BED_LOG = 4096,
    BED_HOSTS = 65536,
    BED_PACKETS = 200000,
    REACHABLE_LEAST_MS = NEIGHBOR_REACHABLE_S * 1000 * 3 / 4
};

enum fate { UNSENT, WAITING, RELEASED, DISCARDED };

extern struct bed {
    struct adjacencies *adjacencies;
    struct neighbors *n;
    uint64_t now_ns;
    bool logs;
    bool ipv6; /* the hosts have addresses of that family */
    char log[BED_LOG];
    size_t log_len;
    uint64_t logged_ns; /* when something was last logged */

    enum fate fate[BED_PACKETS];
    unsigned sent, released, discarded, unanswered;
    uint64_t asked_ns[BED_HOSTS]; /* 1 + time of the last solicitation, by the address' last 16 bits */
    unsigned asked;
    uint8_t on_link[BED_HOSTS]; /* what ops->changed said last */
    uint32_t adjacency[BED_HOSTS];
    bool rate_unwatched;
    unsigned icmp_for_discard; /* so many discards are answered by a send to ROUTER */
} bed;

enum { ROUTER = 1, SOLICITED = 1, OVERRIDE = 2 };

extern const struct neighbor_ops bed_ops;

/* Of so many neighbours. */
void bed_make(uint32_t capacity, uint64_t seed);
/* Fails where a packet is lost, or an adjacency is left. */
void bed_clear(void);

struct addr bed_host(unsigned i);
unsigned bed_host_of(const struct addr *a);
struct mac bed_mac(char letter);
/* A new one. */
void *bed_packet(void);
/* Into the log, behind the time since the last note. */
__attribute__((format(printf, 1, 2))) void bed_note(const char *format, ...);

void bed_send(unsigned h);
void bed_hear(unsigned h, char letter, bool for_us);
/* letter 0: without a link-layer address. */
void bed_advertise(unsigned h, char letter, unsigned flags);
uint32_t bed_reference(unsigned h);
/* Time passes; what is due is done at its very time. */
void bed_wait_ms(unsigned ms);

#endif
