/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One binding between a primary and two secondaries: generations, tombstones and the floor
 * (doc/delegation-protocol.md, "Generations, terms, floor" and "Timers, flow control, liveness"), checked exhaustively by spin
 * within one session.
 *
 * The network is the set of all operations and acknowledgements ever sent: any of them may arrive at any time,
 * in any order, any number of times, or never. That is every channel that loses, doubles, delays and reorders, and
 * needs no bound but the number of generations.
 *
 * A -D leaves out one rule; an assertion fails then:
 *     NO_FLOOR_CHECK             an unknown home address is taken whatever the floor is
 *     NO_TOMBSTONE_ON_REFUSAL    a refused START leaves no trace
 *     START_REUSES_STOP          a START bears the generation of the STOP before it, and equal is "already"
 *     NO_STOP_AFTER_GIVING_UP    a START given up, or refused with an entry there, is forgotten
 *     NO_STOP_TO_LINGERING       the end of a binding is told to its owner alone
 *     ARRIVAL_ORDER              what comes last counts, whatever its generation
 */
#ifndef GENERATIONS
#define GENERATIONS 7
#endif
#define NODES     2
#define NOT_NODES 2 /* owner: the primary itself */

/* Operations, by generation: each has one of its own. */
#define NONE      0
#define INTERCEPT 1
#define FORWARD   2 /* START without intercept: follows who lingers */
#define LINGER    3 /* STOP, forward for a while */
#define DROP      4 /* STOP, at once */
byte operation[GENERATIONS + 1];
byte addressee[GENERATIONS + 1];

/* Acknowledgements ever sent of the newest operation for a node. */
#define OK     1
#define CLOSED 2 /* refused or stale, nothing there: absent or tombstone, held >= asked */
#define OPEN   4 /* refused or stale, an entry is there */
byte answers[NODES];

/* ---- A secondary ---- */
#define ABSENT     0
#define ACTIVE     1
#define LINGERING  2
#define TOMBSTONE  3
byte state[NODES];
byte held[NODES];     /* e.g: of the newest operation obeyed */
byte contents[NODES]; /* generation of the START whose contents the entry has */
byte floor[NODES];

/* ---- What the primary knows ---- */
byte newest; /* generation issued last */
byte asked[NODES]; /* ... for this node */
bool unacknowledged[NODES];
bool lingers[NODES]; /* may go on tunnelling, for all that the primary knows */
byte owner = NOT_NODES;
bool intercepts = true; /* the primary itself */
bool bound = true;
byte floor_sent[NODES];

/* ---- Ghosts ---- */
byte obeyed[NODES];  /* highest operation ever obeyed, refusals included: never forgotten */
byte stopped[NODES]; /* highest STOP ever obeyed, or START refused without an entry */
byte refused[NODES]; /* the latter */

#define entry(n)     (state[n] == ACTIVE || state[n] == LINGERING)
#define attracts(n)  (state[n] == ACTIVE)
#define settled(n)   (attracts(n) && !unacknowledged[n])
#define is_start(g)  (operation[g] == INTERCEPT || operation[g] == FORWARD)
#define is_stop(g)   (operation[g] == LINGER || operation[g] == DROP)
#define quiet        (!unacknowledged[0] && !unacknowledged[1])

/* Whatever arrives late: I5, I4, and that an owner who said so does intercept. */
inline check()
{
    assert(settled(0) + settled(1) + intercepts <= 1);
    assert(!settled(0) || owner == 0);
    assert(!settled(1) || owner == 1);
    assert(!(bound && owner == 0 && !unacknowledged[0]) || (attracts(0) && held[0] == asked[0]));
    assert(!(bound && owner == 1 && !unacknowledged[1]) || (attracts(1) && held[1] == asked[1]));
    assert(bound || unacknowledged[0] || !entry(0));
    assert(bound || unacknowledged[1] || !entry(1));
    assert(!bound || intercepts || owner != NOT_NODES)
}

/* ---- The secondary's whole rule ---- */
/* Only the answer to the newest operation is heeded, so no other is kept. */
inline answer(g, a)
{
    if
    :: g == asked[n] && unacknowledged[n] -> answers[n] = answers[n] | a
    :: !(g == asked[n] && unacknowledged[n])
    fi
}

/* I1, and: a STOP obeyed, or a refusal, is never undone by what is older. */
inline obey(n, g)
{
    assert(g >= obeyed[n]);
    obeyed[n] = g;
    held[n] = g
}

inline install(n, g)
{
    assert(g > stopped[n] && g > refused[n]);
    obey(n, g);
    contents[n] = g;
    if
    :: operation[g] == INTERCEPT -> state[n] = ACTIVE
    :: operation[g] == FORWARD && state[n] != LINGERING -> state[n] = LINGERING
    :: else
    fi;
    answer(g, OK)
}

inline bury(n, g)
{
    obey(n, g);
    stopped[n] = g;
    contents[n] = 0;
    state[n] = TOMBSTONE
}

inline refuse(n, g)
{
    if
    :: entry(n) -> obey(n, g); answer(g, OPEN)
    :: !entry(n) -> /* no else: it would be the surrounding choice's */
        refused[n] = g;
#ifndef NO_TOMBSTONE_ON_REFUSAL
        bury(n, g);
#endif
        answer(g, CLOSED)
    fi
}

inline hear_start(n, g)
{
    if
#ifndef ARRIVAL_ORDER
    :: entry(n) && g < held[n] -> answer(g, OPEN)
#endif
#ifdef START_REUSES_STOP
    :: entry(n) && g == held[n] -> answer(g, OK)
#else
    :: entry(n) && g == held[n] && contents[n] == g -> answer(g, OK)
    :: entry(n) && g == held[n] && contents[n] != g -> answer(g, OPEN)
#endif
#ifndef NO_FLOOR_CHECK
    :: !entry(n) && g <= floor[n] -> answer(g, CLOSED)
#endif
    :: state[n] == TOMBSTONE && g <= held[n] -> answer(g, CLOSED)
    :: else ->
        if
        :: install(n, g)
        :: refuse(n, g)
        fi
    fi
}

inline hear_stop(n, g)
{
    if
    :: !entry(n) && (g <= floor[n] || (state[n] == TOMBSTONE && g <= held[n])) -> answer(g, OK)
    :: !entry(n) && !(g <= floor[n] || (state[n] == TOMBSTONE && g <= held[n])) -> bury(n, g); answer(g, OK)
#ifndef ARRIVAL_ORDER
    :: entry(n) && g < held[n] -> answer(g, OPEN)
#endif
    :: entry(n) && g == held[n] -> answer(g, OK)
#ifdef ARRIVAL_ORDER
    :: entry(n) && g != held[n] && operation[g] == DROP -> bury(n, g); answer(g, OK)
    :: entry(n) && g != held[n] && operation[g] == LINGER -> obey(n, g); state[n] = LINGERING; answer(g, OK)
#else
    :: entry(n) && g > held[n] && operation[g] == DROP -> bury(n, g); answer(g, OK)
    :: entry(n) && g > held[n] && operation[g] == LINGER ->
        obey(n, g);
        stopped[n] = g;
        state[n] = LINGERING;
        answer(g, OK)
#endif
    fi
}

proctype secondary(byte n)
{
    byte g;
    do
    :: atomic {
        select(g : 1 .. GENERATIONS);
        if
        :: g <= newest && addressee[g] == n && is_start(g) -> hear_start(n, g)
        :: g <= newest && addressee[g] == n && is_stop(g) -> hear_stop(n, g)
        :: else
        fi;
        check();
        g = 0
    }
    /* It lingers no more, or its duration is over. An entry that attracts ends by its STOP. */
    :: atomic {
        state[n] == LINGERING ->
        stopped[n] = held[n];
        contents[n] = 0;
        state[n] = TOMBSTONE;
        check()
    }
    /* A LEASE. An older one than the newest sent would have told less. */
    :: atomic {
        floor[n] < floor_sent[n] ->
        floor[n] = floor_sent[n];
        if
        :: state[n] == TOMBSTONE && held[n] <= floor[n] -> state[n] = ABSENT; held[n] = 0
        :: else
        fi;
        check()
    }
    od
}

/* ---- The primary ---- */
#define can(operations) (newest + operations <= GENERATIONS)

inline issue(n, what)
{
#ifdef START_REUSES_STOP
    if
    :: what == INTERCEPT && asked[n] > 0 && is_stop(asked[n]) -> skip /* the generation stays what it was */
    :: else -> newest++; asked[n] = newest
    fi;
#else
    newest++;
    asked[n] = newest;
#endif
    operation[asked[n]] = what;
    addressee[asked[n]] = n;
    answers[n] = NONE;
    unacknowledged[n] = true
}

inline acknowledge(n)
{
    unacknowledged[n] = false;
    answers[n] = NONE
}

inline stop_owner(former)
{
    issue(former, LINGER);
    lingers[former] = true
}

/* START acknowledged: make before break. */
inline hand_over(n)
{
    if
    :: owner != n && owner == 0 -> stop_owner(0)
    :: owner != n && owner == 1 -> stop_owner(1)
    :: else
    fi;
    owner = n;
    intercepts = false;
    lingers[n] = false
}

/* A START refused, or given up. An owner that refuses a change loses the binding to the primary itself. */
inline fail(n)
{
    if
    :: owner == n -> owner = NOT_NODES; intercepts = bound
    :: else
    fi;
#ifdef NO_STOP_AFTER_GIVING_UP
    acknowledge(n)
#else
    issue(n, DROP)
#endif
}

inline closed(n)
{
    acknowledge(n);
    lingers[n] = false;
    if
    :: owner == n -> owner = NOT_NODES; intercepts = bound
    :: else
    fi
}

inline hear_answer(n, g)
{
    if
    :: operation[g] == INTERCEPT && (answers[n] & OK) && can(1) -> acknowledge(n); hand_over(n)
    :: operation[g] == FORWARD && (answers[n] & OK) -> acknowledge(n)
    :: is_start(g) && (answers[n] & CLOSED) -> closed(n)
    :: is_start(g) && (answers[n] & OPEN) && can(1) -> fail(n)
    :: is_stop(g) && (answers[n] & OK) -> acknowledge(n); lingers[n] = operation[g] == LINGER
    :: else
    fi
}

inline end(n)
{
    if
#ifdef NO_STOP_TO_LINGERING
    :: owner == n || (unacknowledged[n] && !lingers[n]) -> issue(n, DROP)
#else
    :: owner == n || unacknowledged[n] || lingers[n] -> issue(n, DROP)
#endif
    :: else
    fi
}

inline change(n)
{
    if
    :: owner == n -> issue(n, INTERCEPT)
    :: owner != n && lingers[n] && !unacknowledged[n] -> issue(n, FORWARD)
    :: else
    fi
}

/* Below every operation for this node that is not acknowledged or superseded. */
#define floor_of(n) (unacknowledged[n] -> asked[n] - 1 : newest)

proctype primary()
{
    byte n, g;
    do
    :: atomic { select(n : 0 .. 1); unacknowledged[n] && answers[n] != NONE -> g = asked[n]; hear_answer(n, g); g = 0; check(); n = 0 }
    :: atomic { select(n : 0 .. 1); floor_sent[n] < floor_of(n) -> floor_sent[n] = floor_of(n); n = 0 }
    /* START given up after its tries */
    :: atomic { select(n : 0 .. 1); unacknowledged[n] && is_start(asked[n]) && can(1) -> fail(n); check(); n = 0 }
    /* A voluntary move begins only when nothing is unacknowledged elsewhere; delegation is one from the primary. */
    :: atomic { select(n : 0 .. 1); bound && quiet && owner != n && can(2) && (newest > 0 || n == 0) /* they are alike */ -> issue(n, INTERCEPT); check(); n = 0 }
    :: atomic { bound && quiet && owner != NOT_NODES && can(1) -> n = owner; owner = NOT_NODES; intercepts = true; stop_owner(n); check(); n = 0 }
    /* A new care-of address */
    :: atomic { bound && can(2) && (owner != NOT_NODES || lingers[0] || lingers[1]) -> change(0); change(1); check() }
    :: atomic { bound && can(2) -> bound = false; intercepts = false; end(0); end(1); owner = NOT_NODES; check() }
    :: atomic { !bound && quiet -> bound = true; intercepts = true; check() }
    od
}

init
{
    atomic {
        run primary();
        run secondary(0);
        run secondary(1)
    }
}
