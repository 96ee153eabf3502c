/* SPDX-License-Identifier: BSD-3-Clause */
/* lib/fwd/worker.c itself, but no packet is a usual one: all are parsed and decided. */
#include "general_worker.h"

#include "express.h"

#define express_parse(family, frame, form) ((void)(form), false)
#define worker_burst                       general_burst
#define worker_turn                        general_turn
#define worker_start                       general_start
#define worker_offline                     general_offline
#define worker_online                      general_online

#include "worker.c"
