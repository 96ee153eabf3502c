/* SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

#include "primary/delegation.h"
#include "primary/events.h"

#include <stdio.h>

static struct holding *holding_at(const struct node *node, const struct mobile *mobile)
{
    if (mobile == NULL || mobile->delegation == NULL)
        return NULL;
    return holding_find(mobile->delegation, node);
}

/* Its forwarder let go by its own clock; of an older START it does not matter any more. */
static void expired(struct agent *agent, struct node *node, struct mobile *mobile,
                    const struct delegation_event *event, struct instant now)
{
    const struct holding *h = holding_at(node, mobile);
    if (h == NULL || h->open || h->generation != event->generation)
        return;
    if (mobile->cares != NULL && delegation_owner(mobile) == node)
        delegation_announce_again(agent, mobile, now);
}

static void conflict(struct agent *agent, const struct node *node, const struct delegation_event *event,
                     struct instant now)
{
    struct note note = {.kind = NOTE_CONFLICT, .home = event->home, .peer = node->peer.is.address};
    snprintf(note.name, sizeof(note.name), "%s", node->peer.is.name);
    effect_note_limited(agent, &note, now);
}

/* Of several care-of addresses the event does not say which; only the binding's first one is sure to be in
 * use. What a secondary has learnt, the others are to know as well. */
static void too_big(struct agent *agent, struct mobile *mobile, const struct delegation_event *event,
                    struct instant now)
{
    if (mobile == NULL || mobile->cares == NULL)
        return;
    struct reader r = reader_over(event->auxiliary, sizeof(event->auxiliary));
    const uint32_t mtu = read_u32(&r);
    if (mtu == 0 || mtu > UINT16_MAX)
        return;
    tunnel_told_mtu(agent, mobile->cares->tunnel, (uint16_t)mtu, now);
    binding_install(agent, mobile);
    delegation_changed(agent, mobile, now);
}

/* A former forwarder still gets packets: some neighbour has not heard of the present one. */
static void strays(struct agent *agent, const struct node *node, struct mobile *mobile, struct instant now)
{
    if (mobile == NULL || mobile->cares == NULL || delegation_owner(mobile) == node)
        return;
    if (mobile_intercepts(agent, mobile))
        announce_bound(agent, mobile, now);
    else
        delegation_announce_again(agent, mobile, now);
}

/* A repetition may come after what was sent next: the newest datagram tells how the link is. */
static void link_changed(struct agent *agent, struct node *node, bool down, uint64_t sequence,
                         struct instant now)
{
    if (sequence < node->link_told)
        return;
    node->link_told = sequence;
    node->link_down = down;
    node_settle(agent, node, now);
}

/* Until its next LOAD. */
static void table_full(struct agent *agent, struct node *node, struct instant now)
{
    node->load.state = LOAD_OVERLOADED;
    node_settle(agent, node, now);
}

void event_heard(struct agent *agent, struct node *node, const struct delegation_event *event,
                 uint64_t sequence, struct instant now)
{
    struct mobile *mobile = mobile_by_home(agent, &event->home);
    count(agent, AGENT_EVENTS_HEARD);
    switch (event->code) {
    case EVENT_EXPIRED:
        expired(agent, node, mobile, event, now);
        break;
    case EVENT_CONFLICT:
        conflict(agent, node, event, now);
        break;
    case EVENT_TOO_BIG:
        too_big(agent, mobile, event, now);
        break;
    case EVENT_STRAYS:
        strays(agent, node, mobile, now);
        break;
    case EVENT_LINK_DOWN:
    case EVENT_LINK_UP:
        link_changed(agent, node, event->code == EVENT_LINK_DOWN, sequence, now);
        break;
    case EVENT_TABLE_FULL:
        table_full(agent, node, now);
        break;
    default: /* EVENT_UNREACHABLE, and what we do not know: told, no more */
        break;
    }
}
