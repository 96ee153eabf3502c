/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The yardstick: the least that must be done to tunnel a packet, whoever does it. The binding is known by its
 * number, nothing is parsed, checked, looked up or sent; the entry, the counter and the packet are fetched
 * from memory, the headers are written, the packet is counted. The packets are those that the worker makes,
 * byte for byte (of traffic with DF set, TOS 0 and no options).
 *
 * Laps of a lane whose frames are prepared; on its lcore.
 */
#ifndef BENCH_FLOOR_H
#define BENCH_FLOOR_H

#include "lane.h"

/* Each returns the packets it has made. Burst by burst, all lines of one fetched in stages before any is
 * used: */
unsigned floor_staged(struct lane *lane);
/* Twelve packets ahead: */
unsigned floor_rolling(struct lane *lane);

#endif
