/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One accepted socket of the console: bytes in and out, each with a time limit, so that a far end that hangs
 * holds nobody up. Belongs to its session's thread; another thread may shut the socket down, which ends every
 * wait.
 */
#ifndef HOMEPORTD_CONNECTION_H
#define HOMEPORTD_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CONNECTION_SEND_MS = 10000 }; /* for one call of connection_send */

struct connection {
    int fd;
    bool broken; /* by the far end, an error, or a time limit: nothing is sent any more */
    size_t at, len;
    uint8_t in[512];
};

enum { CONNECTION_END = -1, CONNECTION_TIMEOUT = -2 };

/* The next byte, or one of the above. */
int connection_byte(struct connection *c, int timeout_ms);
/* The same without taking it. */
int connection_peek(struct connection *c, int timeout_ms);
/* False: broken. */
bool connection_send(struct connection *c, const void *bytes, size_t n);

#endif
