/* SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

#include <stdlib.h>

#include "primary/reply_held.h"

/* A message without the room that it does not use. */
struct held_reply {
    struct timer timer; /* TIMER_HELD_REPLY */
    struct delegation *delegation;
    size_t size;
    uint8_t message[];
};

struct delegation *held_reply_owner(struct timer *timer)
{
    return timer_owner(timer, struct held_reply, timer)->delegation;
}

static uint64_t deadline(const struct held_reply *former, struct instant now)
{
    return former != NULL ? former->timer.deadline_ns : now.mono_ns + REPLY_HELD_MS * NSEC_PER_MS;
}

static struct held_reply *create(struct agent *agent, struct delegation *delegation,
                                 const struct message *reply, uint64_t deadline_ns)
{
    const size_t size = offsetof(struct message, bytes) + reply->len;
    struct held_reply *held = malloc(sizeof(*held) + size);
    if (held == NULL)
        return NULL;
    *held = (struct held_reply){.timer = {.kind = TIMER_HELD_REPLY}, .delegation = delegation, .size = size};
    memcpy(held->message, reply, size);
    if (timerq_set(agent->timers, &held->timer, deadline_ns))
        return held;
    free(held);
    return NULL;
}

void held_reply_keep(struct agent *agent, struct delegation *delegation, const struct message *reply,
                     struct instant now)
{
    struct held_reply *held = create(agent, delegation, reply, deadline(delegation->reply, now));
    held_reply_drop(agent, delegation);
    delegation->reply = held;
    if (held == NULL)
        effect_send(agent, reply);
    else
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
    if (delegation->reply == NULL)
        return;
    timerq_cancel(agent->timers, &delegation->reply->timer);
    free(delegation->reply);
    delegation->reply = NULL;
}
