/* SPDX-License-Identifier: BSD-3-Clause */
/* The rule, row by row (doc/delegation-protocol.md, "Generations, terms, floor"). */
#include "deputy_check.h"

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

int main(void)
{
    Suite *suite = suite_create("order");
    TCase *rows = deputy_case(suite, "rule");
    tcase_add_loop_test(rows, rule_of_generations, 0, ROWS(rule));
    return check_main(suite);
}
