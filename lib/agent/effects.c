/* SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

#include <assert.h>
#include <stdlib.h>

/*
 * Effects wait as records of their own length in one run of bytes: head..tail are taken, and when the last
 * is popped the run starts over. struct effect as a whole exists once, for the one popped.
 */
struct record {
    uint32_t kind; /* enum effect_kind */
    uint32_t len;  /* of what follows, padded to a whole number of records */
};

enum {
    /* One step: all care-of addresses of one mobile node end, a new one is installed and announced, a reply
     * and some notes are made; a delegation datagram and a reply that was held are sent. What may send more
     * in one step reserves for each. */
    STEP_ROOM = 3 * AGENT_MESSAGE_MAX + ICMP6_ERROR_MAX + 2 * (int)sizeof(struct probe) +
                4 * (int)(sizeof(struct listening) + sizeof(struct record)) +
                (AGENT_CARE_OF_MAX + 4) * (int)(sizeof(struct forwarding) + 2 * sizeof(struct note)),
    KEEP = 4 * STEP_ROOM /* what an idle queue holds on to */
};

static size_t padded(size_t len)
{
    return (len + sizeof(struct record) - 1) / sizeof(struct record) * sizeof(struct record);
}

static void close_gap(struct effects *e)
{
    if (e->head == 0)
        return;
    memmove(e->bytes, e->bytes + e->head, e->tail - e->head);
    e->tail -= e->head;
    e->head = 0;
}

bool effects_reserve(struct effects *e)
{
    if (e->size - e->tail >= STEP_ROOM)
        return true;
    close_gap(e);
    if (e->size - e->tail >= STEP_ROOM)
        return true;
    size_t size = e->size == 0 ? KEEP : 2 * e->size;
    uint8_t *bytes = realloc(e->bytes, size);
    if (bytes == NULL)
        return false;
    e->bytes = bytes;
    e->size = size;
    return true;
}

void effects_destroy(struct effects *e)
{
    free(e->bytes);
}

static void add(struct effects *e, enum effect_kind kind, const void *body, size_t len)
{
    struct record record = {.kind = kind, .len = (uint32_t)len};
    assert(e->size - e->tail >= sizeof(record) + padded(len));
    memcpy(e->bytes + e->tail, &record, sizeof(record));
    memcpy(e->bytes + e->tail + sizeof(record), body, len);
    e->tail += sizeof(record) + padded(len);
}

void effect_install(struct agent *agent, const struct forwarding *install)
{
    add(&agent->effects, EFFECT_INSTALL, install, sizeof(*install));
}

void effect_remove(struct agent *agent, const struct addr *home)
{
    add(&agent->effects, EFFECT_REMOVE, home, sizeof(*home));
}

void effect_send(struct agent *agent, const struct message *send)
{
    add(&agent->effects, EFFECT_SEND, send, offsetof(struct message, bytes) + send->len);
}

void effect_announce(struct agent *agent, const struct announcement *announce)
{
    if (!announce->silent)
        count(agent, AGENT_ANNOUNCEMENTS);
    add(&agent->effects, EFFECT_ANNOUNCE, announce, sizeof(*announce));
}

void effect_probe(struct agent *agent, const struct probe *probe)
{
    add(&agent->effects, EFFECT_PROBE, probe, sizeof(*probe));
}

void effect_listen(struct agent *agent, const struct listening *listening)
{
    add(&agent->effects, EFFECT_LISTEN, listening, sizeof(*listening));
}

void effect_relay(struct agent *agent, const struct relay *relay)
{
    add(&agent->effects, EFFECT_RELAY, relay, offsetof(struct relay, datagram) + relay->len);
}

void effect_forward(struct agent *agent, const struct passage *passage)
{
    add(&agent->effects, EFFECT_FORWARD, passage, offsetof(struct passage, bytes) + passage->len);
}

void effect_note(struct agent *agent, const struct note *note)
{
    add(&agent->effects, EFFECT_NOTE, note, sizeof(*note));
}

void effect_note_limited(struct agent *agent, const struct note *note, struct instant now)
{
    if (limit_take(&agent->notes[note->kind], now.mono_ns))
        effect_note(agent, note);
}

/* A sweep may have made the run long; it need not stay so. */
static void start_over(struct effects *e)
{
    e->head = e->tail = 0;
    if (e->size <= KEEP)
        return;
    uint8_t *bytes = realloc(e->bytes, KEEP);
    if (bytes == NULL)
        return;
    e->bytes = bytes;
    e->size = KEEP;
}

const struct effect *agent_pop(struct agent *agent)
{
    struct effects *e = &agent->effects;
    if (e->head == e->tail)
        return NULL;
    struct record record;
    memcpy(&record, e->bytes + e->head, sizeof(record));
    e->out.kind = (enum effect_kind)record.kind;
    memcpy((uint8_t *)&e->out + offsetof(struct effect, install), e->bytes + e->head + sizeof(record),
           record.len);
    e->head += sizeof(record) + padded(record.len);
    if (e->head == e->tail)
        start_over(e);
    return &e->out;
}
