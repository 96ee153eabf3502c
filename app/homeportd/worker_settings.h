/* SPDX-License-Identifier: BSD-3-Clause */
/* What workers are told beside the binding table (struct worker_settings): home networks, own addresses,
 * peers and, where reverse tunnels are granted, routes. Control's alone. */
#ifndef HOMEPORTD_WORKER_SETTINGS_H
#define HOMEPORTD_WORKER_SETTINGS_H

#include "control.h"

/* Publishes it as it is now; frees the former after a grace period. After forwarding_set_local. 0 or -ENOMEM.
 */
int worker_settings_publish(struct control *c);
/* Frees it when the workers and the neighbours are gone. */
void worker_settings_forget(struct control *c);

#endif
