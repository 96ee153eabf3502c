/* SPDX-License-Identifier: BSD-3-Clause */
/* The worker lcores: made, started, stopped. Main thread. */
#ifndef HOMEPORTD_WORKERS_H
#define HOMEPORTD_WORKERS_H

#include "control.h"

/* Makes one worker for each lcore but the main one, from the ports, table and rings of c. 0 or -ENOMEM. */
int workers_create(struct control *c);
void workers_destroy(struct control *c);
/* Runs them until workers_stop. 0 or -errno. */
int workers_start(struct control *c);
void workers_stop(struct control *c);

#endif
