/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The port through which measured workers receive and send: a device of DPDK's that does nothing, with our
 * own two functions in its place. What they cost is the least that a driver must do: pointers are copied.
 *
 * Opened by the main thread; each queue belongs to one lane.
 */
#ifndef BENCH_DEVICE_H
#define BENCH_DEVICE_H

#include <stdint.h>

#include <rte_mbuf.h>

/* What waits to be received by a worker, and what it has sent. */
struct queue {
    struct rte_mbuf **frames;
    unsigned n, next;
    unsigned burst; /* no more at once */
    struct rte_mbuf **sent;
    unsigned n_sent;
};

/* 0 or -errno. */
int device_open(unsigned queues);
/* Its number. */
uint16_t device_port(void);
void device_attach(unsigned index, struct queue *queue);
void device_close(void);

#endif
