/* SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

#include <stdlib.h>

#include "primary/reply_held.h"

/* A message without the room that it does not use. */
struct held_reply {
    size_t size;
    uint8_t message[];
};

void held_reply_keep(struct agent *agent, struct delegation *delegation, const struct message *reply,
                     struct instant now)
{
    const size_t size = offsetof(struct message, bytes) + reply->len;
    struct held_reply *held = malloc(sizeof(*held) + size);
    struct timer *timer = &delegation->reply_timer;
    timer->kind = TIMER_HELD_REPLY;
    if (held == NULL || (!timer_is_set(timer) &&
                         !timerq_set(agent->timers, timer, now.mono_ns + REPLY_HELD_MS * NSEC_PER_MS))) {
        free(held);
        held_reply_drop(agent, delegation);
        effect_send(agent, reply);
        return;
    }
    held->size = size;
    memcpy(held->message, reply, size);
    free(delegation->reply);
    delegation->reply = held;
    count(agent, AGENT_REPLIES_HELD);
}

void held_reply_release(struct agent *agent, struct delegation *delegation)
{
    struct message m;
    if (delegation->reply == NULL)
        return;
    memcpy(&m, delegation->reply->message, delegation->reply->size);
    held_reply_drop(agent, delegation);
    effect_send(agent, &m);
}

void held_reply_drop(struct agent *agent, struct delegation *delegation)
{
    timerq_cancel(agent->timers, &delegation->reply_timer);
    free(delegation->reply);
    delegation->reply = NULL;
}
