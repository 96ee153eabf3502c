/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets of the return routability procedure, built byte by byte: IPv6, then what the test wants in front of
 * it, then a Mobility Header of 24 bytes. */
#ifndef TEST_AGENT_TESTED_H
#define TEST_AGENT_TESTED_H

#include <string.h>

#include "addr.h"

enum { TESTED_IPV6 = 40, TESTED_MOBILITY = 24, TESTED_MAX = 2048, HOTI = 1, COTI, HOT, COT, UPDATE };

struct tested_spec {
    struct addr source, destination;
    uint8_t type, hops, tos;
    uint8_t next;        /* first header; 0: the Mobility Header */
    const char *headers; /* n of their bytes */
    size_t n;
    size_t more;    /* zeros at the end */
    size_t padding; /* behind the packet */
};

static inline size_t tested_packet(const struct tested_spec *s, uint8_t packet[static TESTED_MAX])
{
    const size_t payload = s->n + TESTED_MOBILITY + s->more;
    uint8_t *mobility = packet + TESTED_IPV6 + s->n;
    memset(packet, 0, TESTED_MAX);
    packet[0] = (uint8_t)(0x60 | s->tos >> 4);
    packet[1] = (uint8_t)(s->tos << 4);
    packet[4] = (uint8_t)(payload >> 8);
    packet[5] = (uint8_t)payload;
    packet[6] = s->next != 0 ? s->next : 135;
    packet[7] = s->hops;
    memcpy(packet + 8, s->source.b, 16);
    memcpy(packet + 24, s->destination.b, 16);
    if (s->n > 0)
        memcpy(packet + TESTED_IPV6, s->headers, s->n);
    mobility[0] = 59;
    mobility[1] = 2;
    mobility[2] = s->type;
    for (uint8_t i = 6; i < TESTED_MOBILITY; i++)
        mobility[i] = i;
    return TESTED_IPV6 + payload + s->padding;
}

#endif
