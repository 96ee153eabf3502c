/* SPDX-License-Identifier: BSD-3-Clause */
/* Forgers, replayers, neighbours, broken tunnels and the operator. */
#ifndef RANDOM_MISCHIEF_H
#define RANDOM_MISCHIEF_H

/* One of them, now and then. */
void mischief(void);

#endif
