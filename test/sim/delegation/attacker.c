/* SPDX-License-Identifier: BSD-3-Clause */
#include "attacker.h"

#include "world.h"

#include <stdlib.h>

enum { OFFSET_TYPE = 5 };

void attacker_init(struct world *world)
{
    world->attacker = (struct attacker){0};
    if (world->plan.attacks)
        world_at(world, &world->attacker.next, WAKE_ATTACK, NSEC_PER_S);
}

void attacker_fini(struct world *world)
{
    for (size_t i = 0; i < ATTACKER_HEARD; i++)
        free(world->attacker.heard[i]);
}

static struct flight *copy_of(const struct flight *f)
{
    struct flight *copy = world_alloc(sizeof(*copy) + f->size);
    memcpy(copy, f, sizeof(*f) + f->size);
    copy->timer = (struct timer){0};
    return copy;
}

void attacker_hears(struct world *world, const struct flight *f)
{
    if (!world->plan.attacks)
        return;
    struct flight **place = &world->attacker.heard[world->attacker.n_heard++ % ATTACKER_HEARD];
    free(*place);
    *place = copy_of(f);
}

/* ---- Ways of attacking ---- */
static void flip(struct world *world, struct flight *f)
{
    for (int n = chance_percent(&world->chance, 50) ? 1 : 3; n > 0; n--) { /* odd: they do not all cancel */
        const uint64_t bit = chance_below(&world->chance, f->len * 8);
        f->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void truncate(struct world *world, struct flight *f)
{
    f->len = chance_below(&world->chance, f->len);
}

static void reflect(struct flight *f)
{
    const struct addr source = f->source;
    const size_t from = f->from;
    f->source = f->destination;
    f->destination = source;
    f->from = f->to;
    f->to = from;
}

static void sign_with_another_key(struct world *world, struct flight *f)
{
    const struct auth_key key = {.algorithm = AUTH_HMAC_SHA256, .len = DELEGATION_KEY};
    uint8_t mac[AUTH_MAX];
    if (!auth_sign(world->auth, &key, f->bytes, f->len - DELEGATION_AUTHENTICATOR, mac))
        abort();
    memcpy(f->bytes + f->len - DELEGATION_AUTHENTICATOR, mac, DELEGATION_AUTHENTICATOR);
}

/* A later sequence, another epoch, other contents: whatever is worth having. */
static void forge(struct world *world, struct flight *f)
{
    f->bytes[32 + chance_below(&world->chance, 8)] ^= 1;
    if (chance_percent(&world->chance, 30))
        f->bytes[OFFSET_TYPE] = (uint8_t)chance_between(&world->chance, 1, TYPES_MAX);
    if (f->len > DELEGATION_HEADER + DELEGATION_AUTHENTICATOR)
        f->bytes[DELEGATION_HEADER + chance_below(&world->chance, 8)] ^= 0x80;
    sign_with_another_key(world, f);
}

static void misdirect(struct world *world, struct flight *f)
{
    f->source = addr_from_ipv4(0x0a0100c8u + (uint32_t)chance_below(&world->chance, 8));
}

/* As if it had been told what is inside. */
static void bare(struct flight *f)
{
    memmove(f->bytes, f->bytes + f->inner_at, f->inner_len);
    f->len = f->inner_len;
    f->protocol = IPPROTO_NUM_UDP;
}

enum attack { REPLAY, FLIP, TRUNCATE, REFLECT, FORGE, MISDIRECT, BARE, ATTACKS };

static void prepare(struct world *world, enum attack attack, struct flight *f)
{
    switch (attack) {
    case FLIP:
        flip(world, f);
        break;
    case TRUNCATE:
        truncate(world, f);
        break;
    case REFLECT:
        reflect(f);
        break;
    case FORGE:
        forge(world, f);
        break;
    case MISDIRECT:
        misdirect(world, f);
        break;
    case BARE:
        bare(f);
        break;
    case REPLAY:
    case ATTACKS:
        break;
    }
}

/* ---- What may come of it ---- */

/* HELLO bears no sequence: one that was heard before is answered again, and changes nothing. */
static bool may_answer(struct world *world, const struct effect *e, enum attack attack,
                       const struct flight *f)
{
    struct message answer;
    return e->kind == EFFECT_SEND && attack == REPLAY && f->type == DELEGATION_HELLO &&
           protection_open(world, f->to, f->from, &e->send, &answer) &&
           answer.bytes[OFFSET_TYPE] == DELEGATION_HELLO_ACK;
}

static void judge_effects(struct world *world, struct appliance *to, enum attack attack,
                          const struct flight *f)
{
    const struct effect *e;
    while ((e = agent_pop(to->agent)) != NULL)
        if (e->kind != EFFECT_NOTE && !may_answer(world, e, attack, f))
            world_violates(world, "I7", "attack %d with a %s makes %s act (effect %d)", attack,
                           delegation_type_text(f->type), to->name, e->kind);
}

static void strike(struct world *world, enum attack attack, const struct flight *f)
{
    struct appliance *to = &world->nodes[f->to];
    if (!appliance_is_current(to))
        return;
    world->tally.attacks++;
    world_trace(world, "  attack", (int)f->from, (int)f->to, TRACE_NOBODY, attack, f->type);
    const uint64_t before = invariants_fingerprint(to);
    network_hand_over(to, f);
    judge_effects(world, to, attack, f);
    if (invariants_fingerprint(to) != before)
        world_violates(world, "I7", "attack %d with a %s changes %s", attack, delegation_type_text(f->type),
                       to->name);
    appliance_settle(to);
}

static bool is_behind_what_was_taken(const struct mobile *m, const struct paper_request *q)
{
    return m->sa.replay == REPLAY_SEQUENCE ? !paper_is_later(m, q->number, m->taken.number)
                                           : ntp_since(q->time, m->taken.time) <= 0;
}

/* The primary has no store: of what was accepted before its last start it refuses the timestamps up to that
 * start, whose clock they may have been ahead of, and no sequence number (doc/architecture.md,
 * doc/mobile-ipv6.md: RFC 6275 section 15.3 asks for a store), until it has heard from the mobile node
 * itself. */
static bool may_be_forgotten(const struct mobile *m)
{
    const struct appliance *primary = &m->world->nodes[0];
    const struct paper_request q = paper_read_request(m, m->old, m->old_len);
    if (m->sa.replay == REPLAY_NONCE || (m->taken_life == primary->starts && is_behind_what_was_taken(m, &q)))
        return false;
    return m->sa.replay == REPLAY_SEQUENCE || ntp_since(q.time, primary->began_ntp) > 0;
}

/* An old registration is no use either: bindings stay as they are. */
void attacker_replays(struct world *world, struct mobile *m)
{
    if (m->old_len == 0 || !appliance_is_current(&world->nodes[0]) || may_be_forgotten(m))
        return;
    const uint64_t before = m->changed_ns;
    const bool was = mobile_is_bound(m);
    world_trace(world, "  old registration", TRACE_NOBODY, 0, (int)m->number, 0, 0);
    mobile_deliver(world, m, &m->old_source, m->old, m->old_len);
    if (m->changed_ns != before || mobile_is_bound(m) != was)
        world_violates(world, "I7", "an old registration of m%zu was accepted", m->number);
}

void attacker_due(struct world *world)
{
    struct attacker *a = &world->attacker;
    world_at(world, &a->next, WAKE_ATTACK, chance_below(&world->chance, 200 * NSEC_PER_MS));
    if (chance_percent(&world->chance, 10))
        attacker_replays(world, &world->mobiles[chance_below(&world->chance, world->n_mobiles)]);
    if (a->n_heard == 0)
        return;
    const uint64_t n = a->n_heard < ATTACKER_HEARD ? a->n_heard : ATTACKER_HEARD;
    struct flight *f = copy_of(a->heard[chance_below(&world->chance, n)]);
    const enum attack attack = (enum attack)chance_below(&world->chance, world->protects ? ATTACKS : BARE);
    prepare(world, attack, f);
    strike(world, attack, f);
    free(f);
}
