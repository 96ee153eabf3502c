/* SPDX-License-Identifier: BSD-3-Clause */
#include "connection.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "instant.h"

static uint64_t now_ms(void)
{
    return instant_now().mono_ns / NSEC_PER_MS;
}

/* True: ready. False: the time is over, or poll itself failed. */
static bool wait_for(int fd, short events, uint64_t deadline_ms)
{
    for (;;) {
        struct pollfd p = {.fd = fd, .events = events};
        uint64_t now = now_ms();
        int n = poll(&p, 1, deadline_ms > now ? (int)(deadline_ms - now) : 0);
        if (n > 0)
            return true;
        if (n == 0 || errno != EINTR)
            return false;
    }
}

static bool again(ssize_t n)
{
    return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
}

int connection_peek(struct connection *c, int timeout_ms)
{
    uint64_t deadline_ms = now_ms() + (uint64_t)timeout_ms;
    while (c->at == c->len) {
        if (c->broken)
            return CONNECTION_END;
        if (!wait_for(c->fd, POLLIN, deadline_ms))
            return CONNECTION_TIMEOUT;
        ssize_t n = recv(c->fd, c->in, sizeof(c->in), MSG_DONTWAIT);
        if (again(n))
            continue;
        if (n <= 0) {
            c->broken = n < 0; /* after an orderly end of input answers may still be sent */
            return CONNECTION_END;
        }
        c->at = 0;
        c->len = (size_t)n;
    }
    return c->in[c->at];
}

int connection_byte(struct connection *c, int timeout_ms)
{
    int byte = connection_peek(c, timeout_ms);
    if (byte >= 0)
        c->at++;
    return byte;
}

bool connection_send(struct connection *c, const void *bytes, size_t n)
{
    uint64_t deadline_ms = now_ms() + CONNECTION_SEND_MS;
    const uint8_t *at = bytes;
    while (n > 0 && !c->broken) {
        ssize_t sent = send(c->fd, at, n, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent >= 0) {
            at += sent;
            n -= (size_t)sent;
        } else {
            c->broken = !again(sent) || !wait_for(c->fd, POLLOUT, deadline_ms);
        }
    }
    return !c->broken;
}
