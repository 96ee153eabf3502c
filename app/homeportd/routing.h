/* SPDX-License-Identifier: BSD-3-Clause */
/* The routes that a configuration means: its ports' connected prefixes and its route sections. Main thread or
 * control. */
#ifndef HOMEPORTD_ROUTING_H
#define HOMEPORTD_ROUTING_H

#include "conf.h"
#include "route.h"

/* 0 and *out, or -errno: -ENOMEM, -EEXIST (a prefix twice), -EHOSTUNREACH (a next hop on no connected
 * prefix). */
int routing_build(const struct conf *conf, struct routes **out);

#endif
