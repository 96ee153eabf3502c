/* SPDX-License-Identifier: BSD-3-Clause */
#include "network.h"

static struct flight *launch(size_t node, enum wake kind, uint64_t delay_ns)
{
    struct flight *f = calloc(1, sizeof(*f));
    require(f != NULL, "out of memory");
    f->node = node;
    world_arm(&f->timer, kind, delay_ns);
    return f;
}

/* 5 ms, but for one in ten up to three seconds: later messages overtake. */
static uint64_t delay(void)
{
    return percent(10) ? below(3 * NSEC_PER_S) : 5 * NSEC_PER_MS;
}

void network_request(const struct node *n, const struct packet *p)
{
    for (unsigned copies = percent(10) ? 2 : 1; copies > 0; copies--) {
        if (percent(15)) {
            tally.lost++;
            continue;
        }
        launch(n->number, WAKE_REQUEST, delay())->packet = *p;
    }
}

void network_reply(const struct node *n, const struct mip4_reply *reply)
{
    if (!percent(85))
        return;
    struct flight *f = launch(n->number, WAKE_REPLY, delay());
    f->identification = reply->identification;
    f->code = reply->code;
}
