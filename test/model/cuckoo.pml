/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The argument at the top of lib/fwd/cuckoo.c, checked exhaustively by spin: one reader beside a writer who
 * inserts, displaces, replaces and removes without end. Every load and store of a shared word is a step of
 * its own; a place is one. The reader loads the places in any order, so that every body of the search is
 * among what is checked; the writer may displace whatever there is a place for, also where it need not.
 *
 * x86 shows stores and does loads in program order, so that interleaving is all there is; elsewhere the
 * acquires and releases see to that.
 *
 * K is there throughout; L, which has the same mark, and M come and go. An empty place has that mark, too.
 * All three may stand in the same two buckets. What must hold: K is found, by an entry of its own; and no
 * entry that the reader looks into is free to be used again, until the reader lets go of it.
 *
 * A -D leaves out one rule; an assertion fails then:
 *     NO_VERSION_RAISED        displacing leaves the version as it is
 *     VERSION_BEFORE_COPY      the version is raised before the address stands in its other bucket
 *     VERSION_AFTER_OVERWRITE  ... or after the place where it was is somebody else's
 *     CLEARED_BEFORE_COPY      the place where it was is cleared first
 *     REPLACED_IN_TWO_STEPS    a new entry takes the place of the old one after that was removed
 *     FREED_AT_ONCE            a number is used again though the reader may hold it
 *     RETIRED_BEFOREHAND       the wait for the reader begins while the number can still be found
 *     NO_VERSION_CHECK         a search that found nothing is believed
 *     VERSION_READ_LATE        ... if the version is what it was when the search was over
 *     NO_VERSION_CHECK_AGAIN   the second search is believed
 *     VERSION_READ_LATE_AGAIN  ... if the version is what it was when the second search was over
 *     UNPROVEN_IS_A_MISS       a number that is another key's is taken for none
 *     EMPTY_COUNTS             of several places with the mark, an empty one may be the answer
 *     NO_PROOF_ASKED           the mark is proof enough
 */
#define PLACES 4 /* two of each bucket */

#define NOBODY 0
#define K      1
#define L      2
#define M      3

/* Numbers of entries: two are K's, two L's, one M's. They need no other owner, for none is free again too
 * soon. */
#define ENTRIES 5
#define NONE    0

#define bucket(p) ((p) / 2)
#define home(n)   (((n) + 1) / 2)
#define fits(n)   (home(n) != M) /* its mark is K's */

byte place[PLACES]; /* the number there; its mark goes with it */
bool raised; /* the version, as the one reader sees it: since that read it last */

/* ---- The writer ---- */
#define NOWHERE 255
byte at[M + 1] = NOWHERE; /* of a key: its place */
bool taken[ENTRIES + 1];  /* in use, or retired */
bool retired[ENTRIES + 1];

inline retire(n)
{
#ifdef FREED_AT_ONCE
    taken[n] = false
#else
    retired[n] = true
#endif
}

/* If one is free; else the writer waits for the reader. */
inline take_entry(x)
{
    if
    :: !taken[2 * x - 1] -> e = 2 * x - 1
    :: x != M && taken[2 * x - 1] && !taken[2 * x] -> e = 2 * x
    fi;
    taken[e] = true
}

/* What stands at p moves to the place `hole`, which then is where it was. */
inline displace(p)
{
    d_step { moved = place[p]; moves++ }
#ifdef CLEARED_BEFORE_COPY
    place[p] = NONE;
#endif
#ifdef VERSION_BEFORE_COPY
    raised = true;
#endif
    place[hole] = moved;
#if !defined(NO_VERSION_RAISED) && !defined(VERSION_BEFORE_COPY) && !defined(VERSION_AFTER_OVERWRITE)
    raised = true;
#endif
    d_step { at[home(moved)] = hole; hole = p; moved = 0 }
}

/* On a way of at most two. */
#define movable(p) (moves < 2 && place[p] != NONE && bucket(p) != bucket(hole))

inline insert(x)
{
    atomic {
        at[x] == NOWHERE -> take_entry(x);
        if
        :: place[0] == NONE -> hole = 0
        :: place[0] != NONE && place[1] == NONE -> hole = 1
        :: place[2] == NONE -> hole = 2
        :: place[2] != NONE && place[3] == NONE -> hole = 3
        fi
    }
    do
    :: break
    :: movable(0) -> displace(0)
    :: movable(1) -> displace(1)
    :: movable(2) -> displace(2)
    :: movable(3) -> displace(3)
    od;
    place[hole] = e;
    d_step {
#ifdef VERSION_AFTER_OVERWRITE
        raised = raised || moves > 0;
#endif
        at[x] = hole; e = 0; hole = 0; moves = 0
    }
}

inline remove(x)
{
    at[x] != NOWHERE -> e = place[at[x]];
#ifdef RETIRED_BEFOREHAND
    retire(e);
    place[at[x]] = NONE;
#else
    place[at[x]] = NONE;
    retire(e);
#endif
    d_step { at[x] = NOWHERE; e = 0 }
}

inline replace(x)
{
    atomic { at[x] != NOWHERE -> take_entry(x); moved = place[at[x]] }
#ifdef REPLACED_IN_TWO_STEPS
    place[at[x]] = NONE;
    place[at[x]] = e;
#else
    place[at[x]] = e;
#endif
    d_step { retire(moved); e = 0; moved = 0 }
}

proctype writer()
{
    byte e, hole, moved, moves;
    do
    :: insert(L)
    :: insert(M)
    :: remove(L)
    :: remove(M)
    :: replace(K)
    od
}

/* ---- The reader ---- */
#define READ_VERSION raised = false

/* Which of several numbers is the answer is up to the body. */
#define read_place(p, bit)                                  \
    atomic {                                                \
        (unread & bit) != 0 -> unread = unread & ~bit;      \
        if                                                  \
        :: may_be_the_answer(place[p]) -> found = place[p]  \
        :: found != NONE || !may_be_the_answer(place[p])    \
        fi                                                  \
    }

#ifdef EMPTY_COUNTS
#define may_be_the_answer(n) fits(n)
#else
#define may_be_the_answer(n) ((n) != NONE && fits(n))
#endif

#ifdef NO_PROOF_ASKED
#define proves(n) (n != 0)
#else
#define proves(n) (home(n) == K)
#endif

#define look_into(n) assert(n == NONE || taken[n])

inline search()
{
    unread = 15;
    do
    :: read_place(0, 1)
    :: read_place(1, 2)
    :: read_place(2, 4)
    :: read_place(3, 8)
    :: unread == 0 -> break
    od
}

/* Each bucket from its beginning; every place with the mark is asked for proof. */
inline search_again()
{
    do
    :: seen < PLACES ->
        found = place[seen];
        look_into(found);
        if
        :: fits(found) && proves(found) -> break
        :: else -> found = NONE; seen++
        fi
    :: seen == PLACES -> break
    od;
    seen = 0
}

proctype reader()
{
    byte seen, unread, found;
    do
    :: READ_VERSION;
    search();
    look_into(found);
#ifdef VERSION_READ_LATE
    READ_VERSION;
#endif
    if
    :: proves(found) -> goto holds
#ifdef UNPROVEN_IS_A_MISS
    :: !proves(found) -> goto missed
#elif defined(NO_VERSION_CHECK)
    :: !proves(found) && found == NONE -> goto missed
#else
    :: !proves(found) && found == NONE && !raised -> goto missed
    :: !proves(found) && found == NONE && raised
#endif
    :: !proves(found) && found != NONE
    fi;
again:
    atomic { found = NONE; READ_VERSION }
    search_again();
    if
    :: found != NONE -> goto holds
    :: else
    fi;
#ifdef VERSION_READ_LATE_AGAIN
    READ_VERSION;
#endif
#ifndef NO_VERSION_CHECK_AGAIN
    if
    :: raised -> goto again
    :: else
    fi;
#endif
missed:
    assert(false);
holds:
    look_into(found);
    assert(home(found) == K);
    d_step { /* a quiescent state: it lets go */
        look_into(found);
        found = 1;
        do
        :: found <= ENTRIES ->
            if
            :: retired[found] -> retired[found] = false; taken[found] = false
            :: else
            fi;
            found++
        :: else -> break
        od;
        found = NONE
    }
    od
}

init
{
    d_step {
        taken[1] = true;
        place[0] = 1;
        at[K] = 0
    }
    atomic {
        run writer();
        run reader()
    }
}
