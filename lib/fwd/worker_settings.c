/* SPDX-License-Identifier: BSD-3-Clause */
#include "decide.h"

void worker_settings_finish(struct worker_settings *settings)
{
    settings->not_own = UINT64_MAX;
    for (unsigned i = 0; i < settings->n_own; i++)
        settings->not_own &= ~(UINT64_C(1) << own_bit(pkt_ipv4(&settings->own[i])));
}
