/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One run of simulated mobile nodes: the only place that knows the clock, the sockets and the mobile nodes
 * together. One thread, one epoll loop.
 */
#ifndef MN_RUN_H
#define MN_RUN_H

#include "options.h"

struct run;

/* NULL: what is wrong is on stderr. The options must outlive it. */
struct run *run_create(const struct options *o);
void run_destroy(struct run *r);

/* Until it ends by itself or is stopped, then reports. True: every mobile node got what it asked for. */
bool run_loop(struct run *r);

/* What may be asked of it meanwhile. Those that can be refused return 0 or -errno. */
int run_roam(struct run *r, const struct addr *care_of, size_t count);
int run_go_home(struct run *r, const char *interface);
int run_register(struct run *r);
void run_deregister(struct run *r);
/* Prints the status now, or as soon as no request waits for its answer. */
void run_status(struct run *r);
void run_status_when_quiet(struct run *r);
/* The graceful end, with the deregistration that the options ask for. */
void run_stop(struct run *r);

#endif
