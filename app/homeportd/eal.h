/* SPDX-License-Identifier: BSD-3-Clause */
/* DPDK's environment from the configuration. Main thread, once, before everything else of DPDK. */
#ifndef HOMEPORTD_EAL_H
#define HOMEPORTD_EAL_H

#include "conf.h"

/* Starts the EAL with what conf says and, after it, the operator's own EAL options. 0, or -errno after a line
 * in the log. */
int eal_start(const char *program, const struct conf *conf, int n_extra, char **extra);
void eal_stop(void);
/* Lets the calling thread, and those that it makes from now on, run where no lcore does; where every
 * processor has an lcore, beside the main one. eal_rejoin brings it back to where EAL put it. What the
 * console's threads do would hold up control otherwise. */
void eal_step_aside(void);
void eal_rejoin(void);
/* The name by which DPDK knows a device of the configuration: a PCI address, or a vdev's name without its
 * arguments. */
void eal_device_name(const char *device, char name[static CONF_DEVICE_MAX]);

#endif
