/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The argument at the top of lib/fwd/cuckoo.c, checked exhaustively by spin: one reader beside a writer who
 * inserts, displaces, replaces and removes without end. Every load and store of a shared word is a step of
 * its own. The reader loads a place's number at any time after its tag, so that every body of the search is
 * among what is checked; the writer may displace whatever there is a place for, also where it need not.
 *
 * x86 shows stores and does loads in program order, so that interleaving is all there is; elsewhere the
 * acquires and releases see to that.
 *
 * K is there throughout; L, which has the same tag, and M come and go. All three may stand in the same two
 * buckets. What must hold: K is found, by an entry of its own; and no entry that the reader looks into is free
 * to be used again, until the reader lets go of it.
 *
 * A -D leaves out one rule; an assertion fails then:
 *     NO_VERSION_RAISED        displacing leaves the version as it is
 *     VERSION_BEFORE_COPY      the version is raised before the tag stands in its other bucket
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
 *     EMPTY_COUNTS             of several places with the tag, one that has become empty may be the answer
 *     NO_PROOF_ASKED           the tag is proof enough
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
#define tag_of(x) ((x) == M -> 2 : 1)
#define home(n)   (((n) + 1) / 2)

byte tag[PLACES], number[PLACES];
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

inline put(p, t, n)
{
#ifdef TAG_FIRST /* makes no difference, for a number proves itself */
    tag[p] = t;
    number[p] = n
#else
    number[p] = n;
    tag[p] = t
#endif
}

/* What stands at p moves to the place `hole`, which then is where it was. */
inline displace(p)
{
    d_step { moved_tag = tag[p]; moved = number[p]; moves++ }
#ifdef CLEARED_BEFORE_COPY
    put(p, 0, 0);
#endif
#ifdef VERSION_BEFORE_COPY
    raised = true;
#endif
    put(hole, moved_tag, moved);
#if !defined(NO_VERSION_RAISED) && !defined(VERSION_BEFORE_COPY) && !defined(VERSION_AFTER_OVERWRITE)
    raised = true;
#endif
    d_step { at[home(moved)] = hole; hole = p; moved = 0; moved_tag = 0 }
}

/* On a way of at most two. */
#define movable(p) (moves < 2 && number[p] != 0 && bucket(p) != bucket(hole))

inline insert(x)
{
    atomic {
        at[x] == NOWHERE -> take_entry(x);
        if
        :: number[0] == 0 -> hole = 0
        :: number[0] != 0 && number[1] == 0 -> hole = 1
        :: number[2] == 0 -> hole = 2
        :: number[2] != 0 && number[3] == 0 -> hole = 3
        fi
    }
    do
    :: break
    :: movable(0) -> displace(0)
    :: movable(1) -> displace(1)
    :: movable(2) -> displace(2)
    :: movable(3) -> displace(3)
    od;
    put(hole, tag_of(x), e);
    d_step {
#ifdef VERSION_AFTER_OVERWRITE
        raised = raised || moves > 0;
#endif
        at[x] = hole; e = 0; hole = 0; moves = 0
    }
}

inline remove(x)
{
    at[x] != NOWHERE -> e = number[at[x]];
#ifdef RETIRED_BEFOREHAND
    retire(e);
    put(at[x], 0, 0);
#else
    put(at[x], 0, 0);
    retire(e);
#endif
    d_step { at[x] = NOWHERE; e = 0 }
}

inline replace(x)
{
    atomic { at[x] != NOWHERE -> take_entry(x); moved = number[at[x]] }
#ifdef REPLACED_IN_TWO_STEPS
    put(at[x], 0, 0);
    put(at[x], tag_of(x), e);
#else
    number[at[x]] = e;
#endif
    d_step { retire(moved); e = 0; moved = 0 }
}

proctype writer()
{
    byte e, hole, moved, moved_tag, moves;
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

/* In the order of the places. */
#define read_tag                                                \
    atomic {                                                    \
        seen < PLACES ->                                        \
        if                                                      \
        :: tag[seen] == 1 -> matched = matched | (1 << seen)    \
        :: else                                                 \
        fi;                                                     \
        seen++                                                  \
    }

/* Which of several numbers is the answer is up to the body. */
#define read_number(p, bit)                                 \
    atomic {                                                \
        (matched & bit) != 0 -> matched = matched & ~bit;   \
        if                                                  \
        :: may_be_the_answer(number[p]) -> found = number[p] \
        :: found != 0 || number[p] == 0                     \
        fi                                                  \
    }

#ifdef EMPTY_COUNTS
#define may_be_the_answer(n) true
#else
#define may_be_the_answer(n) (n != 0)
#endif

#ifdef NO_PROOF_ASKED
#define proves(n) (n != 0)
#else
#define proves(n) (home(n) == K)
#endif

#define look_into(n) assert(n == NONE || taken[n])

inline search()
{
    do
    :: read_tag
    :: read_number(0, 1)
    :: read_number(1, 2)
    :: read_number(2, 4)
    :: read_number(3, 8)
    :: seen == PLACES && matched == 0 -> break
    od;
    seen = 0
}

/* Each bucket from its beginning; every place with the tag is asked for proof. */
inline search_again()
{
    do
    :: seen < PLACES && tag[seen] != 1 -> seen++
    :: seen < PLACES && tag[seen] == 1 ->
        found = number[seen];
        look_into(found);
        if
        :: proves(found) -> break
        :: else -> found = 0; seen++
        fi
    :: seen == PLACES -> break
    od;
    seen = 0
}

proctype reader()
{
    byte seen, matched, found;
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
        number[0] = 1;
        tag[0] = tag_of(K);
        at[K] = 0
    }
    atomic {
        run writer();
        run reader()
    }
}
