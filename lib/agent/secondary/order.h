/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * START and STOP as a secondary takes them: its whole rule about generations, terms and floor
 * (doc/delegation-protocol.md, "Generations, terms, floor"), and the acknowledgements.
 */
#ifndef AGENT_SECONDARY_ORDER_H
#define AGENT_SECONDARY_ORDER_H

#include "secondary/held.h"

/* The START or STOP records of one datagram; their acknowledgements go back in one, or more if they do not
 * fit. */
void order_receive(struct agent *agent, struct principal *principal, const struct delegation_header *header,
                   struct delegation_records *records, struct instant now);

/* ---- permit.c ---- */
/* What speaks against obeying this START, whatever its generation; entry: what it would replace, or NULL.
 * STATUS_OK: nothing. */
enum delegation_status permit_offer(const struct agent *agent, const struct principal *principal,
                                    const struct held *entry, const struct offer *offer);

#endif
