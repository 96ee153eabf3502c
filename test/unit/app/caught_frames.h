/* SPDX-License-Identifier: BSD-3-Clause */
/* What a part of control without an EAL sends, caught as frames; and the networks of its ports. */
#ifndef TEST_UNIT_APP_CAUGHT_FRAMES_H
#define TEST_UNIT_APP_CAUGHT_FRAMES_H

#include "../check_main.h"
#include "control.h"
#include "transmit.h"

enum { FRAMES_MAX = 64, FRAME_MAX = 1514 };

static struct caught {
    uint8_t bytes[FRAME_MAX];
    size_t len;
    unsigned port_index;
} frames[FRAMES_MAX];
static size_t n_frames;
static bool no_buffer; /* to be had */

struct rte_mbuf *transmit_begin(struct control *c, struct writer *w)
{
    (void)c;
    ck_assert_uint_lt(n_frames, FRAMES_MAX);
    *w = no_buffer ? writer_over(NULL, 0) : writer_over(frames[n_frames].bytes, FRAME_MAX);
    return no_buffer ? NULL : (struct rte_mbuf *)&frames[n_frames];
}

struct rte_mbuf *transmit_end(struct rte_mbuf *m, const struct writer *w)
{
    if (m == NULL)
        return NULL;
    ck_assert(!w->failed);
    ((struct caught *)m)->len = writer_len(w);
    return m;
}

void transmit_frame(struct control *c, unsigned port_index, struct rte_mbuf *m)
{
    (void)c;
    if (m == NULL)
        return;
    ((struct caught *)m)->port_index = port_index;
    n_frames++;
}

int ports_connected(const struct ports *ports, const struct addr *address)
{
    for (unsigned i = 0; i < ports->n; i++)
        for (size_t j = 0; j < ports->port[i].n_addresses; j++)
            if (prefix_contains(&ports->port[i].addresses[j], address))
                return (int)i;
    return -1;
}

#endif
