/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which packet comes when: a long list of destinations, drawn before anything is measured, and how a frame to
 * one of them is written into a packet buffer. The packets have DF set where there is such a bit, and TOS or
 * traffic class 0; their payload is never looked at, and stays what it was. The smallest IPv6 packets have
 * six bytes of it, fewer than a UDP header.
 *
 * Immutable once made; any number of lanes read it, each from a place of its own.
 */
#ifndef BENCH_TRAFFIC_H
#define BENCH_TRAFFIC_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "addr.h"
#include "population.h"
#include "setup.h"

struct traffic {
    const struct population *population;
    enum size size;
    uint32_t n;         /* draws */
    uint32_t *number;   /* of the home address, in the population; with a capture, of the frame */
    struct mac port;    /* frames are for it */
    bool checksum_good; /* frames bear the mark of a device that has verified the checksum */
};

/* NULL: no memory. */
struct traffic *traffic_create(const struct setup *setup, const struct population *population,
                               bool checksum_good);
void traffic_destroy(struct traffic *traffic);

/* The home address of draw i, its number. */
uint32_t traffic_number(const struct traffic *traffic, uint32_t i);
/* Makes m, which may have been used before, the frame of draw i. */
void traffic_write(const struct traffic *traffic, uint32_t i, struct rte_mbuf *m);
/* The same by the way back: encapsulated by the binding's far end, to the home agent. */
void traffic_write_reverse(const struct traffic *traffic, uint32_t i, struct rte_mbuf *m);

#endif
