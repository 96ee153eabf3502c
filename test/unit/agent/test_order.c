/* SPDX-License-Identifier: BSD-3-Clause */
#include "deputy_check.h"

/* ---- The rule, row by row (doc/delegation-protocol.md, "Generations, terms, floor") ---- */
enum op {
    END,
    START,   /* intercept, announce; mobile 0, 100 s */
    FORWARD, /* the same without intercept */
    SHORT,   /* FORWARD for 5 s */
    LOOPING, /* a START that is refused: its care-of address is the home address */
    STOP,    /* linger 30 s */
    DROP,
    DELIVER,
    FLOOR,   /* a lease with this floor */
    WAIT,    /* milliseconds, under lease */
    SILENCE, /* milliseconds without an answer of the primary */
    SESSION, /* a new one, with a lease */
    UNLEASED /* a new one, without */
};

enum { OTHER_TERM = 1 << 20 /* a generation of the term after the primary's */, OLD_TERM = 1 << 21 };

struct step {
    enum op op;
    unsigned g; /* generation, floor, or milliseconds */
    uint8_t status;
    uint8_t state;
    unsigned held;
    char now; /* after it: i intercepts, f forwards only, - neither */
};

static const struct {
    const char *what;
    struct step steps[10];
} rule[] = {
    {"START, no entry: installed", {{START, 1, STATUS_OK, HELD_ACTIVE, 1, 'i'}}},
    {"START without intercept, no entry: installed", {{FORWARD, 1, STATUS_OK, HELD_FORWARD_ONLY, 1, 'f'}}},
    {"START of an older term is fenced",
     {{START, 1, STATUS_OK, HELD_ACTIVE, 1, 'i'}, {START, 2 | OLD_TERM, STATUS_FENCED, HELD_ACTIVE, 1, 'i'}}},
    {"so is STOP",
     {{START, 1, STATUS_OK, HELD_ACTIVE, 1, 'i'}, {STOP, 2 | OLD_TERM, STATUS_FENCED, HELD_ACTIVE, 1, 'i'}}},
    {"a newer term supersedes",
     {{START, 5, STATUS_OK, HELD_ACTIVE, 5, 'i'},
      {START, 1 | OTHER_TERM, STATUS_OK, HELD_ACTIVE, 1 | OTHER_TERM, 'i'},
      {START, 6, STATUS_FENCED, HELD_ACTIVE, 1 | OTHER_TERM, 'i'}}},
    {"fenced without an entry: the term is told",
     {{STOP, 1 | OTHER_TERM, STATUS_OK_ABSENT, HELD_TOMBSTONE, 1 | OTHER_TERM, '-'},
      {FLOOR, 1 | OTHER_TERM, 0, 0, 0, '-'},
      {SESSION, 0, 0, 0, 0, '-'},
      {START, 9, STATUS_FENCED, HELD_ABSENT, 0 | OTHER_TERM, '-'}}},
    {"[S] START without a lease installs nothing",
     {{UNLEASED, 0, 0, 0, 0, '-'},
      {START, 1, STATUS_NOT_ASSOCIATED, HELD_ABSENT, 0, '-'},
      {SESSION, 0, 0, 0, 0, '-'},
      {START, 1, STATUS_OK, HELD_ACTIVE, 1, 'i'}}},
    {"without intercept it needs no lease",
     {{UNLEASED, 0, 0, 0, 0, '-'}, {FORWARD, 1, STATUS_OK, HELD_FORWARD_ONLY, 1, 'f'}}},
    {"START, no entry, at the floor: stale",
     {{FLOOR, 3, 0, 0, 0, '-'},
      {START, 3, STATUS_STALE, HELD_ABSENT, 3, '-'},
      {START, 4, STATUS_OK, HELD_ACTIVE, 4, 'i'}}},
    {"START, no entry, at the tombstone: stale",
     {{STOP, 2, STATUS_OK_ABSENT, HELD_TOMBSTONE, 2, '-'},
      {START, 1, STATUS_STALE, HELD_TOMBSTONE, 2, '-'},
      {START, 2, STATUS_STALE, HELD_TOMBSTONE, 2, '-'},
      {START, 3, STATUS_OK, HELD_ACTIVE, 3, 'i'}}},
    {"[S] START refused, no entry: a tombstone",
     {{LOOPING, 2, STATUS_LOOP, HELD_TOMBSTONE, 2, '-'},
      {START, 2, STATUS_STALE, HELD_TOMBSTONE, 2, '-'},
      {START, 3, STATUS_OK, HELD_ACTIVE, 3, 'i'}}},
    {"START, entry, older: stale",
     {{START, 5, STATUS_OK, HELD_ACTIVE, 5, 'i'}, {START, 4, STATUS_STALE, HELD_ACTIVE, 5, 'i'}}},
    {"START, entry, the same again",
     {{START, 5, STATUS_OK, HELD_ACTIVE, 5, 'i'}, {START, 5, STATUS_OK_ALREADY, HELD_ACTIVE, 5, 'i'}}},
    {"START, entry, newer: replaced",
     {{START, 5, STATUS_OK, HELD_ACTIVE, 5, 'i'}, {START, 6, STATUS_OK, HELD_ACTIVE, 6, 'i'}}},
    {"START, entry, newer without intercept",
     {{START, 5, STATUS_OK, HELD_ACTIVE, 5, 'i'}, {FORWARD, 6, STATUS_OK, HELD_FORWARD_ONLY, 6, 'f'}}},
    {"[S] START, entry, refused: as it was, its generation risen; the same again is stale",
     {{START, 5, STATUS_OK, HELD_ACTIVE, 5, 'i'},
      {LOOPING, 7, STATUS_LOOP, HELD_ACTIVE, 7, 'i'},
      {START, 6, STATUS_STALE, HELD_ACTIVE, 7, 'i'},
      {START, 7, STATUS_STALE, HELD_ACTIVE, 7, 'i'},
      {START, 8, STATUS_OK, HELD_ACTIVE, 8, 'i'}}},
    {"START without intercept, lingering: no more intercepting",
     {{START, 1, STATUS_OK, HELD_ACTIVE, 1, 'i'},
      {STOP, 2, STATUS_OK, HELD_FORWARD_ONLY, 2, 'f'},
      {FORWARD, 3, STATUS_OK, HELD_FORWARD_ONLY, 3, 'f'}}},
    {"[S] ... and its linger deadline stays",
     {{START, 1, STATUS_OK, HELD_ACTIVE, 1, 'i'},
      {STOP, 2, STATUS_OK, HELD_FORWARD_ONLY, 2, 'f'},
      {WAIT, 29000, 0, 0, 0, 'f'},
      {FORWARD, 3, STATUS_OK, HELD_FORWARD_ONLY, 3, 'f'},
      {WAIT, 999, 0, 0, 0, 'f'},
      {WAIT, 1, 0, 0, 0, '-'},
      {START, 3, STATUS_STALE, HELD_TOMBSTONE, 3, '-'}}},
    {"its duration may end it before",
     {{START, 1, STATUS_OK, HELD_ACTIVE, 1, 'i'},
      {STOP, 2, STATUS_OK, HELD_FORWARD_ONLY, 2, 'f'},
      {SHORT, 3, STATUS_OK, HELD_FORWARD_ONLY, 3, 'f'},
      {WAIT, 4999, 0, 0, 0, 'f'},
      {WAIT, 1, 0, 0, 0, '-'}}},
    {"START with intercept, lingering: active again, linger over",
     {{START, 1, STATUS_OK, HELD_ACTIVE, 1, 'i'},
      {STOP, 2, STATUS_OK, HELD_FORWARD_ONLY, 2, 'f'},
      {START, 3, STATUS_OK, HELD_ACTIVE, 3, 'i'},
      {WAIT, 60000, 0, 0, 0, 'i'}}},
    {"STOP, no entry, at the floor: nothing recorded",
     {{FLOOR, 3, 0, 0, 0, '-'}, {STOP, 3, STATUS_OK_ABSENT, HELD_ABSENT, 3, '-'}}},
    {"STOP, no entry: a tombstone, which only rises",
     {{STOP, 3, STATUS_OK_ABSENT, HELD_TOMBSTONE, 3, '-'},
      {STOP, 2, STATUS_OK_ABSENT, HELD_TOMBSTONE, 3, '-'},
      {STOP, 4, STATUS_OK_ABSENT, HELD_TOMBSTONE, 4, '-'},
      {START, 4, STATUS_STALE, HELD_TOMBSTONE, 4, '-'}}},
    {"STOP, entry, older: stale",
     {{START, 5, STATUS_OK, HELD_ACTIVE, 5, 'i'}, {STOP, 4, STATUS_STALE, HELD_ACTIVE, 5, 'i'}}},
    {"STOP, entry, lingering by this one: already",
     {{START, 1, STATUS_OK, HELD_ACTIVE, 1, 'i'},
      {STOP, 2, STATUS_OK, HELD_FORWARD_ONLY, 2, 'f'},
      {STOP, 2, STATUS_OK_ALREADY, HELD_FORWARD_ONLY, 2, 'f'}}},
    {"a STOP's repeat does not prolong the linger",
     {{START, 1, STATUS_OK, HELD_ACTIVE, 1, 'i'},
      {STOP, 2, STATUS_OK, HELD_FORWARD_ONLY, 2, 'f'},
      {WAIT, 20000, 0, 0, 0, 'f'},
      {STOP, 2, STATUS_OK_ALREADY, HELD_FORWARD_ONLY, 2, 'f'},
      {WAIT, 9999, 0, 0, 0, 'f'},
      {WAIT, 1, 0, 0, 0, '-'}}},
    {"STOP, lingering, newer: its generation rises, the deadline stays",
     {{START, 1, STATUS_OK, HELD_ACTIVE, 1, 'i'},
      {STOP, 2, STATUS_OK, HELD_FORWARD_ONLY, 2, 'f'},
      {WAIT, 20000, 0, 0, 0, 'f'},
      {STOP, 3, STATUS_OK, HELD_FORWARD_ONLY, 3, 'f'},
      {WAIT, 9999, 0, 0, 0, 'f'},
      {WAIT, 1, 0, 0, 0, '-'},
      {START, 3, STATUS_STALE, HELD_TOMBSTONE, 3, '-'}}},
    {"STOP, lingering, to drop at once",
     {{START, 1, STATUS_OK, HELD_ACTIVE, 1, 'i'},
      {STOP, 2, STATUS_OK, HELD_FORWARD_ONLY, 2, 'f'},
      {DROP, 3, STATUS_OK, HELD_TOMBSTONE, 3, '-'},
      {DROP, 3, STATUS_OK_ABSENT, HELD_TOMBSTONE, 3, '-'}}},
    {"STOP, active, to drop at once",
     {{START, 1, STATUS_OK, HELD_ACTIVE, 1, 'i'},
      {DROP, 2, STATUS_OK, HELD_TOMBSTONE, 2, '-'},
      {START, 2, STATUS_STALE, HELD_TOMBSTONE, 2, '-'}}},
    {"[S] STOP after a START refused ends the entry",
     {{START, 1, STATUS_OK, HELD_ACTIVE, 1, 'i'},
      {LOOPING, 2, STATUS_LOOP, HELD_ACTIVE, 2, 'i'},
      {STOP, 3, STATUS_OK, HELD_FORWARD_ONLY, 3, 'f'}}},
    {"STOP, back home: nothing is tunnelled any more, and it may leave again",
     {{START, 1, STATUS_OK, HELD_ACTIVE, 1, 'i'},
      {DELIVER, 2, STATUS_OK, HELD_FORWARD_ONLY, 2, '-'},
      {START, 3, STATUS_OK, HELD_ACTIVE, 3, 'i'}}},
    {"STOP, back home, lingering: likewise, to the deadline",
     {{START, 1, STATUS_OK, HELD_ACTIVE, 1, 'i'},
      {STOP, 2, STATUS_OK, HELD_FORWARD_ONLY, 2, 'f'},
      {DELIVER, 3, STATUS_OK, HELD_FORWARD_ONLY, 3, '-'},
      {WAIT, 30000, 0, 0, 0, '-'},
      {START, 3, STATUS_STALE, HELD_TOMBSTONE, 3, '-'}}},
    {"STOP of what only forwards: it lingers",
     {{FORWARD, 1, STATUS_OK, HELD_FORWARD_ONLY, 1, 'f'},
      {STOP, 2, STATUS_OK, HELD_FORWARD_ONLY, 2, 'f'},
      {WAIT, 30000, 0, 0, 0, '-'}}},
    {"duration over",
     {{START, 1, STATUS_OK, HELD_ACTIVE, 1, 'i'},
      {WAIT, 99999, 0, 0, 0, 'i'},
      {WAIT, 1, 0, 0, 0, '-'},
      {START, 1, STATUS_STALE, HELD_TOMBSTONE, 1, '-'}}},
    {"the floor forgets tombstones, and stands for them",
     {{STOP, 3, STATUS_OK_ABSENT, HELD_TOMBSTONE, 3, '-'},
      {FLOOR, 4, 0, 0, 0, '-'},
      {WAIT, 0, 0, 0, 0, '-'},
      {START, 4, STATUS_STALE, HELD_ABSENT, 4, '-'},
      {START, 5, STATUS_OK, HELD_ACTIVE, 5, 'i'}}},
    {"the floor never falls in a session, and says nothing of entries",
     {{START, 2, STATUS_OK, HELD_ACTIVE, 2, 'i'},
      {FLOOR, 4, 0, 0, 0, 'i'},
      {FLOOR, 1, 0, 0, 0, 'i'},
      {START, 3, STATUS_OK, HELD_ACTIVE, 3, 'i'},
      {DROP, 4, STATUS_OK, HELD_ABSENT, 4, '-'},
      {START, 4, STATUS_STALE, HELD_ABSENT, 4, '-'}}},
    {"it starts anew with the session, which keeps what is held",
     {{START, 2, STATUS_OK, HELD_ACTIVE, 2, 'i'},
      {FLOOR, 4, 0, 0, 0, 'i'},
      {SESSION, 0, 0, 0, 0, 'i'},
      {DROP, 3, STATUS_OK, HELD_TOMBSTONE, 3, '-'},
      {START, 4, STATUS_OK, HELD_ACTIVE, 4, 'i'}}},
    {"[S] the lease over: intercepts nothing, forwards to the end of the duration",
     {{START, 1, STATUS_OK, HELD_ACTIVE, 1, 'i'},
      {SILENCE, 1499, 0, 0, 0, 'i'},
      {SILENCE, 1, 0, 0, 0, 'f'},
      {SILENCE, 98499, 0, 0, 0, 'f'},
      {SILENCE, 1, 0, 0, 0, '-'}}},
    {"a lease in the same session again: intercepts again",
     {{START, 1, STATUS_OK, HELD_ACTIVE, 1, 'i'}, {SILENCE, 3000, 0, 0, 0, 'f'}, {FLOOR, 0, 0, 0, 0, 'i'}}},
    {"[S] a new session's lease does not hold up what no START of it has confirmed",
     {{START, 1, STATUS_OK, HELD_ACTIVE, 1, 'i'},
      {SESSION, 0, 0, 0, 0, 'i'},
      {WAIT, 1499, 0, 0, 0, 'i'},
      {WAIT, 1, 0, 0, 0, 'f'},
      {START, 2, STATUS_OK, HELD_ACTIVE, 2, 'i'},
      {WAIT, 10000, 0, 0, 0, 'i'}}},
    {"[S] nor does the one after that",
     {{START, 1, STATUS_OK, HELD_ACTIVE, 1, 'i'},
      {SESSION, 0, 0, 0, 0, 'i'},
      {SESSION, 0, 0, 0, 0, 'i'},
      {WAIT, 1500, 0, 0, 0, 'f'}}},
    {"[S] nor one whose number is remembered in the same place",
     {{START, 1, STATUS_OK, HELD_ACTIVE, 1, 'i'},
      {SESSION, 0, 0, 0, 0, 'i'},
      {SESSION, 0, 0, 0, 0, 'i'},
      {SESSION, 0, 0, 0, 0, 'i'},
      {SESSION, 0, 0, 0, 0, 'i'},
      {SESSION, 0, 0, 0, 0, 'i'},
      {SESSION, 0, 0, 0, 0, 'i'},
      {SESSION, 0, 0, 0, 0, 'i'},
      {SESSION, 0, 0, 0, 0, 'f'}}},
    {"[S] a START in a new session, the one after and no lease there: only to the end of that one's",
     {{SESSION, 0, 0, 0, 0, '-'},
      {WAIT, 500, 0, 0, 0, '-'},
      {START, 2, STATUS_OK, HELD_ACTIVE, 2, 'i'},
      {UNLEASED, 0, 0, 0, 0, 'i'},
      {SILENCE, 1499, 0, 0, 0, 'i'},
      {SILENCE, 1, 0, 0, 0, 'f'}}},
};

static uint64_t generation(unsigned g)
{
    const uint32_t term = (g & OTHER_TERM) != 0 ? DEPUTY_TERM + 1
                          : (g & OLD_TERM) != 0 ? DEPUTY_TERM - 1
                                                : DEPUTY_TERM;
    return delegation_first_generation(term) + (g & (OTHER_TERM - 1));
}

static void expect_order(const char *what, unsigned n, const char *expected)
{
    char order[64];
    ck_assert_msg(strcmp(deputy_order(&deputy, order), expected) == 0, "%s, step %u: %s", what, n, order);
}

static struct delegation_ack do_start(const struct step *s)
{
    struct delegation_start start = deputy_start_of(&deputy, 0, 0);
    start.generation = generation(s->g);
    if (s->op == FORWARD || s->op == SHORT)
        start.flags = 0;
    if (s->op == SHORT)
        start.duration_ms = 5000;
    if (s->op == LOOPING)
        start.care_of = start.home;
    return deputy_do_start(&deputy, 0, &start);
}

static struct delegation_ack do_stop(const struct step *s)
{
    struct delegation_stop stop = deputy_stop_of(&deputy, 0, 0);
    stop.generation = generation(s->g);
    stop.mode = s->op == DROP ? STOP_DROP : s->op == DELIVER ? STOP_DELIVER : STOP_LINGER;
    return deputy_do_stop(&deputy, 0, &stop);
}

static void acknowledged(const char *what, unsigned n, const struct step *s, const struct delegation_ack *ack)
{
    const struct addr home = deputy_home(0);
    ck_assert(addr_equal(&ack->home, &home));
    ck_assert_uint_eq(ack->asked, generation(s->g));
    ck_assert_msg(ack->status == s->status, "%s, step %u: %s", what, n, delegation_status_text(ack->status));
    ck_assert_msg(ack->state == s->state, "%s, step %u: state %u", what, n, ack->state);
    const uint64_t held = s->held == 0 ? 0 : generation(s->held);
    ck_assert_msg(ack->held == held, "%s, step %u: held %lx", what, n, ack->held);
    ck_assert_msg((ack->remaining_ms > 0) == (ack->state == HELD_ACTIVE || ack->state == HELD_FORWARD_ONLY),
                  "%s, step %u: remaining", what, n);
}

static void take(const char *what, unsigned n, const struct step *s)
{
    struct delegation_ack ack;
    deputy_forget(&deputy);
    switch (s->op) {
    case START:
    case FORWARD:
    case SHORT:
    case LOOPING:
        ack = do_start(s);
        acknowledged(what, n, s, &ack);
        /* visible, acknowledged, announced; without effect but that it is acknowledged */
        expect_order(what, n, ack.status != STATUS_OK ? "S" : s->op == START ? "I S A" : "I S");
        break;
    case STOP:
    case DROP:
    case DELIVER:
        ack = do_stop(s);
        acknowledged(what, n, s, &ack);
        if (ack.status != STATUS_OK)
            expect_order(what, n, "S");
        break;
    case FLOOR:
        deputy.primaries[0].floor = s->g == 0 ? 0 : generation(s->g);
        deputy.primaries[0].deaf = false;
        deputy_wait(&deputy, 500);
        break;
    case WAIT:
    case SILENCE:
        deputy.primaries[0].deaf = s->op == SILENCE;
        deputy_wait(&deputy, s->g);
        break;
    case SESSION:
    case UNLEASED:
        deputy.primaries[0].floor = 0;
        deputy_meet_again(&deputy, 0, s->op == SESSION);
        break;
    case END:
        break;
    }
    ck_assert_msg(intercepts(0) == (s->now == 'i'), "%s, step %u: intercepts", what, n);
    ck_assert_msg(forwards(0) == (s->now != '-'), "%s, step %u: forwards", what, n);
}

START_TEST(rule_of_generations)
{
    for (unsigned n = 0; n < 10 && rule[_i].steps[n].op != END; n++)
        take(rule[_i].what, n, &rule[_i].steps[n]);
}
END_TEST

/* ---- What is refused ---- */
enum { OTHER_HOLDS = 1, OTHER_LINGERS, LINK_IS_DOWN, FULL, LAST_PLACE };

static const struct {
    const char *what;
    uint8_t status;
    const char *home, *care_of, *source; /* NULL: as deputy_start_of has it */
    uint8_t encapsulation, count, index;
    uint32_t duration_ms, home_link;
    unsigned circumstance;
} refusals[] = {
    {"as it should be", STATUS_OK, .source = "10.1.0.1"},
    {"no duration", STATUS_BAD_RECORD, .duration_ms = 1},
    {"an hour", STATUS_OK, .duration_ms = DELEGATION_DURATION_MAX_MS},
    {"more than an hour", STATUS_BAD_RECORD, .duration_ms = DELEGATION_DURATION_MAX_MS + 1},
    {"no member of a set of none", STATUS_BAD_RECORD, .count = 255},
    {"more members than there are", STATUS_BAD_RECORD, .count = 2},
    {"an index beyond the set", STATUS_BAD_RECORD, .count = 1, .index = 1},
    {"the second member alone", STATUS_BAD_RECORD, .count = 2, .index = 1},
    {"a care-of address that is nobody's", STATUS_BAD_RECORD, .care_of = "127.0.0.1"},
    {"a multicast care-of address", STATUS_BAD_RECORD, .care_of = "224.0.0.9"},
    {"a care-of address of the other family", STATUS_BAD_RECORD, .care_of = "2001:db8::1"},
    {"a home address outside the primary's prefixes", STATUS_PROHIBITED, .home = "10.2.0.7"},
    {"a home address outside our home networks", STATUS_PROHIBITED, .home = "203.0.113.9"},
    {"the subnet broadcast address", STATUS_PROHIBITED, .home = "10.1.255.255"},
    {"another home link than the one we have", STATUS_PROHIBITED, .home_link = 3},
    {"GRE is not granted", STATUS_ENCAPSULATION_UNSUPPORTED, .encapsulation = ENCAPSULATION_GRE},
    {"an encapsulation beyond what there is", STATUS_ENCAPSULATION_UNSUPPORTED, .encapsulation = 200},
    {"the care-of address is the home address", STATUS_LOOP, .care_of = "10.1.1.0"},
    {"the care-of address is the source", STATUS_LOOP, .care_of = "10.1.0.1", .source = "10.1.0.1"},
    {"the care-of address is ours", STATUS_LOOP, .care_of = "10.1.0.9"},
    {"the care-of address is another one of ours", STATUS_LOOP, .care_of = "198.51.100.9"},
    {"the care-of address is in a home network", STATUS_LOOP, .care_of = "10.2.0.77"},
    {"another address of the primary's", STATUS_OK, .source = "10.1.0.3"},
    {"the source is a stranger's", STATUS_SOURCE_NOT_PERMITTED, .source = "192.0.2.200"},
    {"the source is another one of ours", STATUS_SOURCE_NOT_PERMITTED, .source = "10.1.0.10"},
    {"the source is nobody's", STATUS_SOURCE_NOT_PERMITTED, .source = "127.0.0.1"},
    {"the home address is ours", STATUS_ADDRESS_CONFLICT, .home = "10.1.0.9", .source = "10.1.0.1"},
    {"the home address is a router's", STATUS_ADDRESS_CONFLICT, .home = "10.1.0.254"},
    {"the home address is the primary's", STATUS_ADDRESS_CONFLICT, .home = "10.1.0.1"},
    {"another primary's entry holds it", STATUS_ADDRESS_CONFLICT, .circumstance = OTHER_HOLDS},
    {"another primary's entry lingers", STATUS_OK, .circumstance = OTHER_LINGERS},
    {"the home link is down", STATUS_LINK_DOWN, .circumstance = LINK_IS_DOWN},
    {"the last place", STATUS_OK, .circumstance = LAST_PLACE},
    {"no place is left", STATUS_NO_RESOURCES, .circumstance = FULL},
};

static void hold_for_two(bool lingers)
{
    deputy_meet(&deputy, 1, true);
    const struct delegation_start start = deputy_start_of(&deputy, 1, 0);
    ck_assert_uint_eq(deputy_do_start(&deputy, 1, &start).status, STATUS_OK);
    const struct delegation_stop stop = deputy_stop_of(&deputy, 1, 0);
    if (lingers)
        ck_assert_uint_eq(deputy_do_stop(&deputy, 1, &stop).status, STATUS_OK);
}

static void fill(unsigned n)
{
    for (unsigned i = 1; i <= n; i++)
        hold(i);
}

static void arrange(unsigned circumstance)
{
    const struct agent_load down = {.link_down = true};
    if (circumstance == OTHER_HOLDS || circumstance == OTHER_LINGERS)
        hold_for_two(circumstance == OTHER_LINGERS);
    if (circumstance == LINK_IS_DOWN)
        agent_load(deputy.agent, &down, deputy.now);
    if (circumstance == FULL || circumstance == LAST_PLACE)
        fill(deputy.settings.max_bindings - (circumstance == LAST_PLACE));
}

START_TEST(refusal)
{
    struct delegation_start start = deputy_start_of(&deputy, 0, 0);
    arrange(refusals[_i].circumstance);
    start.generation = deputy_next(&deputy, 0);
    if (refusals[_i].home != NULL)
        start.home = ip(refusals[_i].home);
    if (refusals[_i].care_of != NULL)
        start.care_of = ip(refusals[_i].care_of);
    if (refusals[_i].source != NULL)
        start.source = ip(refusals[_i].source);
    if (refusals[_i].encapsulation != 0)
        start.encapsulation = refusals[_i].encapsulation;
    if (refusals[_i].count != 0)
        start.count = refusals[_i].count == 255 ? 0 : refusals[_i].count;
    if (refusals[_i].duration_ms != 0)
        start.duration_ms = refusals[_i].duration_ms == 1 ? 0 : refusals[_i].duration_ms;
    start.index = refusals[_i].index;
    start.home_link = refusals[_i].home_link;
    deputy_forget(&deputy);
    const struct delegation_ack ack = deputy_do_start(&deputy, 0, &start);
    ck_assert_msg(ack.status == refusals[_i].status, "%s: %s", refusals[_i].what,
                  delegation_status_text(ack.status));
    ck_assert_uint_eq(ack.home_link, start.home_link);
    ck_assert_uint_eq(ack.held, start.generation);
    const uint8_t refused = start.home_link == 0 ? HELD_TOMBSTONE : HELD_ABSENT;
    ck_assert_uint_eq(ack.state, ack.status == STATUS_OK ? HELD_ACTIVE : refused);
    ck_assert_uint_eq(deputy_effects(&deputy, EFFECT_INSTALL), ack.status == STATUS_OK);
}
END_TEST

/* ---- Families: what an encapsulation carries, and in what ---- */
enum { GRANT_ALL = 1, NO_IPV6_OF_OURS };

static const struct {
    const char *what;
    uint8_t status;
    const char *home, *care_of, *source; /* NULL: as deputy_start_ipv6 has it; "": our own */
    uint8_t encapsulation;
    unsigned circumstance;
} families[] = {
    {"IPv6 in IPv6", STATUS_OK, .encapsulation = ENCAPSULATION_IPV6_IN_IPV6},
    {"from the address of ours that is of its family", STATUS_OK, .source = ""},
    {"which we have not", STATUS_SOURCE_NOT_PERMITTED, .source = "", .circumstance = NO_IPV6_OF_OURS},
    {"from the primary's IPv4 address", STATUS_BAD_RECORD, .source = "10.1.0.1"},
    {"to an IPv4 care-of address", STATUS_BAD_RECORD, .care_of = "192.0.2.1"},
    {"IPv4 in IPv4's encapsulation", STATUS_BAD_RECORD, .encapsulation = ENCAPSULATION_IPIP},
    {"an IPv4 home in IPv6 in IPv6", STATUS_BAD_RECORD, .home = "10.1.1.1"},
    {"an IPv4 home in IPv6, not granted", STATUS_ENCAPSULATION_UNSUPPORTED, .home = "10.1.1.1",
     .encapsulation = ENCAPSULATION_IPV4_IN_IPV6},
    {"an IPv4 home in IPv6", STATUS_OK, .home = "10.1.1.1", .encapsulation = ENCAPSULATION_IPV4_IN_IPV6,
     .circumstance = GRANT_ALL},
    {"an IPv6 home in IPv4, not granted", STATUS_ENCAPSULATION_UNSUPPORTED, .care_of = "192.0.2.1",
     .source = "", .encapsulation = ENCAPSULATION_IPV6_IN_IPV4},
    {"an IPv6 home in IPv4", STATUS_OK, .care_of = "192.0.2.1", .source = "",
     .encapsulation = ENCAPSULATION_IPV6_IN_IPV4, .circumstance = GRANT_ALL},
    {"an IPv6 home in IPv4 that is IPv6", STATUS_BAD_RECORD, .encapsulation = ENCAPSULATION_IPV6_IN_IPV4,
     .circumstance = GRANT_ALL},
    {"a link-local care-of address", STATUS_BAD_RECORD, .care_of = "fe80::1"},
    {"a multicast care-of address", STATUS_BAD_RECORD, .care_of = "ff02::1"},
    {"a loopback care-of address", STATUS_BAD_RECORD, .care_of = "::1"},
    {"a link-local home address", STATUS_BAD_RECORD, .home = "fe80::1"},
    {"a home address outside", STATUS_PROHIBITED, .home = "2001:db8:3::1"},
    {"a care-of address in the home network", STATUS_LOOP, .care_of = "2001:db8:1::77"},
    {"the care-of address is the source", STATUS_LOOP, .care_of = "2001:db8:1::1"},
    {"the source is a stranger's", STATUS_SOURCE_NOT_PERMITTED, .source = "2001:db8:5::1"},
    {"the home address is ours", STATUS_ADDRESS_CONFLICT, .home = "2001:db8:1::9"},
};

START_TEST(families_go_together)
{
    if (families[_i].circumstance == GRANT_ALL)
        deputy.settings.encapsulations = UINT16_MAX;
    if (families[_i].circumstance == NO_IPV6_OF_OURS)
        deputy.settings.n_own = 3;
    ck_assert_int_eq(agent_configure(deputy.agent, &deputy.settings), 0);
    struct delegation_start start = deputy_start_ipv6(&deputy, 0, 1);
    if (families[_i].home != NULL)
        start.home = ip(families[_i].home);
    if (families[_i].care_of != NULL)
        start.care_of = ip(families[_i].care_of);
    if (families[_i].source != NULL)
        start.source = *families[_i].source == '\0' ? addr_unspecified : ip(families[_i].source);
    if (families[_i].encapsulation != 0)
        start.encapsulation = families[_i].encapsulation;
    const struct delegation_ack ack = deputy_do_start(&deputy, 0, &start);
    ck_assert_msg(ack.status == families[_i].status, "%s: %s", families[_i].what,
                  delegation_status_text(ack.status));
}
END_TEST

/* Its identifications are divided where its source is the primary's. */
START_TEST(own_source_of_the_other_family)
{
    struct delegation_start start = deputy_start_ipv6(&deputy, 0, 1);
    deputy_do_start(&deputy, 0, &start);
    const struct forwarding theirs = deputy_effect(&deputy, EFFECT_INSTALL)->install;
    ck_assert(addr_equal(&theirs.source, &start.source));
    ck_assert_uint_eq(theirs.id_slot, 5);
    deputy_forget(&deputy);
    start = deputy_start_ipv6(&deputy, 0, 2);
    start.source = addr_unspecified;
    deputy_do_start(&deputy, 0, &start);
    const struct forwarding ours = deputy_effect(&deputy, EFFECT_INSTALL)->install;
    const struct addr own = ip("2001:db8:1::9");
    ck_assert(addr_equal(&ours.source, &own));
    ck_assert_uint_eq(ours.id_slot, 0);
}
END_TEST

/* The same address on another link is another one. */
START_TEST(orders_for_another_link_leave_ours_alone)
{
    const uint64_t g = hold(0);
    struct delegation_stop stop = deputy_stop_of(&deputy, 0, 0);
    stop.home_link = 7;
    struct delegation_ack ack = deputy_do_stop(&deputy, 0, &stop);
    ck_assert_uint_eq(ack.status, STATUS_OK_ABSENT);
    ck_assert_uint_eq(ack.state, HELD_ABSENT);
    ck_assert_uint_eq(ack.home_link, 7);
    struct delegation_start start = deputy_start_of(&deputy, 0, 0);
    start.home_link = 7;
    ck_assert_uint_eq(deputy_do_start(&deputy, 0, &start).status, STATUS_PROHIBITED);
    ck_assert(intercepts(0));
    start.home_link = 0;
    start.generation = g;
    ack = deputy_do_start(&deputy, 0, &start);
    ck_assert_uint_eq(ack.status, STATUS_OK_ALREADY);
    ck_assert_uint_eq(ack.held, g);
}
END_TEST

/* Without prefixes of its own a primary has our home networks. */
START_TEST(a_primary_without_prefixes)
{
    struct agent_peer peer = deputy_peer(&deputy, 0);
    peer.n_prefixes = 0;
    agent_sweep_begin(deputy.agent);
    ck_assert_int_eq(agent_peer_set(deputy.agent, &peer), 0);
    struct delegation_start start = deputy_start_of(&deputy, 0, 0);
    start.home = ip("10.2.0.7");
    ck_assert_uint_eq(deputy_do_start(&deputy, 0, &start).status, STATUS_OK);
    start.home = ip("203.0.113.9");
    ck_assert_uint_eq(deputy_do_start(&deputy, 0, &start).status, STATUS_PROHIBITED);
}
END_TEST

START_TEST(tombstones_have_their_bound)
{
    struct delegation_stop stop = deputy_stop_of(&deputy, 0, 0);
    for (unsigned i = 0; i < deputy.settings.max_bindings; i++) {
        stop.home = deputy_home(i);
        ck_assert_uint_eq(deputy_do_stop(&deputy, 0, &stop).status, STATUS_OK_ABSENT);
    }
    stop.home = deputy_home(200);
    struct delegation_ack ack = deputy_do_stop(&deputy, 0, &stop);
    ck_assert_uint_eq(ack.status, STATUS_NO_RESOURCES);
    ck_assert_uint_eq(ack.state, HELD_ABSENT);
    ck_assert_uint_eq(ack.held, 0);
    ck_assert_uint_eq(load_told(0).tombstones, deputy.settings.max_bindings);
    deputy.primaries[0].floor = deputy.primaries[0].generation;
    deputy_wait(&deputy, 500);
    ck_assert_uint_eq(load_told(0).tombstones, 0);
}
END_TEST

/* ---- What is installed ---- */
START_TEST(own_source_or_the_primarys)
{
    struct delegation_start start = deputy_start_of(&deputy, 0, 0);
    deputy_do_start(&deputy, 0, &start);
    const struct addr own = ip("10.1.0.9"), theirs = ip("10.1.0.1");
    ck_assert(addr_equal(&deputy_effect(&deputy, EFFECT_INSTALL)->install.source, &own));
    ck_assert_uint_eq(deputy_effect(&deputy, EFFECT_INSTALL)->install.id_slot, 0);
    deputy_forget(&deputy);
    start = deputy_start_of(&deputy, 0, 1);
    start.source = theirs;
    start.tunnel_mtu = 1320;
    deputy_do_start(&deputy, 0, &start);
    const struct forwarding *f = &deputy_effect(&deputy, EFFECT_INSTALL)->install;
    const struct addr care_of = deputy_care_of(1);
    ck_assert(addr_equal(&f->source, &theirs));
    ck_assert_uint_eq(f->id_slot, 5);
    ck_assert_uint_eq(f->n_care_of, 1);
    ck_assert(addr_equal(&f->care_of[0].address, &care_of));
    ck_assert_uint_eq(f->care_of[0].path_mtu, 1320);
    ck_assert_uint_eq(f->care_of[0].encapsulation, ENCAPSULATION_IPIP);
}
END_TEST

static void add_set(struct dispatch *d, struct delegation_start start, unsigned from, unsigned n)
{
    start.count = (uint8_t)n;
    for (start.index = 0; start.index < n; start.index++) {
        start.care_of = deputy_care_of(from + start.index);
        delegation_start_encode(&d->w, &start);
    }
}

static unsigned read_acks(const struct heard *h, struct delegation_ack *acks)
{
    struct delegation_records records = deputy_records(h);
    struct delegation_record record;
    unsigned n = 0;
    while (delegation_next(&records, &record)) {
        ck_assert_uint_eq(record.type, DELEGATION_RECORD_ACK);
        acks[n++] = record.ack;
    }
    ck_assert(!records.failed);
    return n;
}

/* One generation, one step, one acknowledgement; what leaves the set leaves in the same step. */
START_TEST(set_is_atomic)
{
    struct dispatch d;
    struct delegation_ack acks[32];
    const struct delegation_start first = deputy_start_of(&deputy, 0, 0),
                                  second = deputy_start_of(&deputy, 0, 0);
    deputy_begin(&d);
    add_set(&d, first, 10, 8);
    deputy_send(&deputy, 0, DELEGATION_START, &d);
    expect_order("eight", 0, "I S A");
    ck_assert_uint_eq(deputy_effect(&deputy, EFFECT_INSTALL)->install.n_care_of, 8);
    ck_assert_uint_eq(read_acks(deputy_take(&deputy, 0, DELEGATION_START_ACK), acks), 1);
    ck_assert_uint_eq(acks[0].index, 0);
    deputy_forget(&deputy);
    deputy_begin(&d);
    add_set(&d, second, 16, 3);
    deputy_send(&deputy, 0, DELEGATION_START, &d);
    expect_order("three", 0, "I S A");
    const struct forwarding *f = &deputy_effect(&deputy, EFFECT_INSTALL)->install;
    ck_assert_uint_eq(f->n_care_of, 3);
    for (unsigned i = 0; i < 3; i++) {
        const struct addr care_of = deputy_care_of(16 + i);
        ck_assert(addr_equal(&f->care_of[i].address, &care_of));
    }
    ck_assert_uint_eq(agent_bindings(deputy.agent), 1);
}
END_TEST

START_TEST(set_with_one_address_twice)
{
    struct dispatch d;
    struct delegation_ack ack;
    struct delegation_start start = deputy_start_of(&deputy, 0, 0);
    start.count = 2;
    deputy_begin(&d);
    delegation_start_encode(&d.w, &start);
    start.index = 1;
    delegation_start_encode(&d.w, &start);
    deputy_send(&deputy, 0, DELEGATION_START, &d);
    ck_assert_uint_eq(read_acks(deputy_take(&deputy, 0, DELEGATION_START_ACK), &ack), 1);
    ck_assert_uint_eq(ack.status, STATUS_BAD_RECORD);
    ck_assert(!forwards(0));
}
END_TEST

/* ---- Batches ---- */
START_TEST(batch_goes_in_the_order_of_things)
{
    struct dispatch d;
    struct delegation_ack acks[32];
    deputy_begin(&d);
    const struct delegation_start start = deputy_start_of(&deputy, 0, 3);
    add_set(&d, deputy_start_of(&deputy, 0, 1), 10, 1);
    add_set(&d, deputy_start_of(&deputy, 0, 2), 11, 2);
    delegation_lease_encode(&d.w, &deputy.primaries[0].lease); /* out of place */
    add_set(&d, start, 13, 1);
    const uint32_t transaction = deputy_send(&deputy, 0, DELEGATION_START, &d);
    expect_order("batch", 0, "I I I S A A A");
    const struct heard *h = deputy_take(&deputy, 0, DELEGATION_START_ACK);
    ck_assert_uint_eq(h->header.transaction, transaction);
    ck_assert_uint_eq(h->header.flags, DELEGATION_RESPONSE);
    ck_assert_uint_eq(read_acks(h, acks), 4);
    static const uint16_t indexes[] = {0, 1, 3, 4};
    for (unsigned i = 0; i < 4; i++) {
        ck_assert_uint_eq(acks[i].index, indexes[i]);
        ck_assert_uint_eq(acks[i].status, i == 2 ? STATUS_BAD_RECORD : STATUS_OK);
    }
    ck_assert_uint_eq(acks[3].asked, start.generation);
    ck_assert_uint_eq(deputy_counter(&deputy, AGENT_STARTS_TAKEN), 3);
}
END_TEST

/* A record that breaks off a set is one of its own. */
START_TEST(set_broken_off)
{
    struct dispatch d;
    struct delegation_ack acks[32];
    struct delegation_start broken = deputy_start_of(&deputy, 0, 1);
    broken.count = 3;
    deputy_begin(&d);
    delegation_start_encode(&d.w, &broken);
    add_set(&d, deputy_start_of(&deputy, 0, 2), 11, 1);
    deputy_send(&deputy, 0, DELEGATION_START, &d);
    ck_assert_uint_eq(read_acks(deputy_take(&deputy, 0, DELEGATION_START_ACK), acks), 2);
    ck_assert_uint_eq(acks[0].status, STATUS_BAD_RECORD);
    ck_assert_uint_eq(acks[1].status, STATUS_OK);
    ck_assert_uint_eq(acks[1].index, 1);
    ck_assert(!forwards(1) && forwards(2));
}
END_TEST

/* Twenty-seven acknowledgements do not go into 600 bytes. */
START_TEST(acknowledgements_are_divided)
{
    struct dispatch d;
    struct delegation_ack acks[32];
    unsigned responses = 0, total = 0;
    deputy.primaries[0].payload_max = 600;
    deputy_meet_again(&deputy, 0, true);
    deputy_begin(&d);
    for (unsigned i = 0; i < 27; i++) {
        const struct delegation_stop stop = deputy_stop_of(&deputy, 0, i);
        delegation_stop_encode(&d.w, &stop);
    }
    const uint32_t transaction = deputy_send(&deputy, 0, DELEGATION_STOP, &d);
    const struct heard *h;
    for (; (h = deputy_take(&deputy, 0, DELEGATION_STOP_ACK)) != NULL; responses++) {
        ck_assert_uint_le(h->len, 600);
        ck_assert_uint_eq(h->header.transaction, transaction);
        total += read_acks(h, acks + total);
    }
    ck_assert_uint_eq(responses, 3);
    ck_assert_uint_eq(total, 27);
    for (unsigned i = 0; i < 27; i++)
        ck_assert_uint_eq(acks[i].index, i);
}
END_TEST

/* As many records as fit, none of them known: all are answered. */
START_TEST(all_bad_records_are_answered)
{
    struct dispatch d;
    struct delegation_ack acks[200];
    unsigned total = 0;
    deputy_begin(&d);
    for (unsigned i = 0; i < 160; i++)
        delegation_digest_encode(&d.w, 0, 0, NULL);
    deputy_send(&deputy, 0, DELEGATION_START, &d);
    const struct heard *h;
    while ((h = deputy_take(&deputy, 0, DELEGATION_START_ACK)) != NULL)
        total += read_acks(h, acks + total);
    ck_assert_uint_eq(total, 160);
    ck_assert_uint_eq(acks[159].index, 159);
    ck_assert_uint_eq(acks[159].status, STATUS_BAD_RECORD);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("order");
    tcase_add_loop_test(deputy_case(suite, "rule"), rule_of_generations, 0, ROWS(rule));
    TCase *permits = deputy_case(suite, "permits");
    tcase_add_loop_test(permits, refusal, 0, ROWS(refusals));
    tcase_add_test(permits, orders_for_another_link_leave_ours_alone);
    tcase_add_loop_test(permits, families_go_together, 0, ROWS(families));
    tcase_add_test(permits, own_source_of_the_other_family);
    tcase_add_test(permits, a_primary_without_prefixes);
    tcase_add_test(permits, tombstones_have_their_bound);
    TCase *sets = deputy_case(suite, "sets");
    tcase_add_test(sets, own_source_or_the_primarys);
    tcase_add_test(sets, set_is_atomic);
    tcase_add_test(sets, set_with_one_address_twice);
    TCase *batches = deputy_case(suite, "batches");
    tcase_add_test(batches, batch_goes_in_the_order_of_things);
    tcase_add_test(batches, set_broken_off);
    tcase_add_test(batches, acknowledgements_are_divided);
    tcase_add_test(batches, all_bad_records_are_answered);
    return check_main(suite);
}
