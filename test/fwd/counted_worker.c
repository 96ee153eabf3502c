/* SPDX-License-Identifier: BSD-3-Clause */
/* lib/fwd/worker.c itself. */
#include "counted_worker.h"

#include "reverse_express.h"

struct counted_reverse counted_reverse;

static inline bool counted(enum pkt_family family, bool taken)
{
    if (family == PKT_IPV6)
        counted_reverse.ipv6 += taken;
    else
        counted_reverse.ipv4 += taken;
    return taken;
}

#define reverse_express(family, ...) counted(family, (reverse_express)(family, __VA_ARGS__))
#define worker_burst                 counted_burst
#define worker_turn                  counted_turn
#define worker_start                 counted_start
#define worker_offline               counted_offline
#define worker_online                counted_online

#include "worker.c"
