/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The listener's part of multicast listener discovery on one link: version 2 (RFC 3810 section 6), and
 * version 1 (RFC 2710) as long as a querier speaks that (RFC 3810 section 8.2.1). Every group is listened to
 * from any source, EXCLUDE {}; ff02::1 is never spoken of (section 6).
 *
 *     changes   said at once, as many in a report as it holds, and repeated at moments by chance
 *     rounds    all groups are told, the reports spread over the time that a query gives
 *     asked     single groups that a query was about
 *
 * It reads no clock and sends nothing: chance and time are arguments. No call takes longer for a million
 * groups. Messages leave at a pace, whatever is asked. Control's alone.
 */
#ifndef HOMEPORTD_LISTENER_H
#define HOMEPORTD_LISTENER_H

#include "groups.h"
#include "limit.h"
#include "mld.h"

enum {
    LISTENER_ROBUSTNESS = 2, /* RFC 3810 section 9.1; a querier may tell more, up to 7 */
    LISTENER_INTERVAL_S = 125,
    LISTENER_UNSOLICITED_MS = 1000,     /* section 9.11 */
    LISTENER_UNSOLICITED_V1_MS = 10000, /* RFC 2710 section 7.10 */
    LISTENER_PER_S = 2000,              /* messages */
    LISTENER_BURST = 64,
    LISTENER_ASKED_MAX = 32, /* single groups at a time; more: all are told */
    LISTENER_SOURCES_MAX = 8 /* of one of them; more: it is told as if none had been named */
};

struct listener_chunk;

/* All zero: closed, listens to nothing. */
struct listener {
    struct groups *groups; /* NULL: none yet */
    uint32_t n;            /* that are listened to */
    size_t per_report;
    uint8_t version;
    uint8_t robustness;
    uint32_t interval_s;  /* the querier's */
    uint64_t v1_until_ns; /* of version 1 */
    struct listener_queue {
        struct listener_chunk *first, *last;
    } fresh, repeats; /* changes to be told, in the order of their moments */
    struct listener_asked {
        uint32_t group;
        uint64_t due_ns;
        size_t n_sources;
        struct addr sources[LISTENER_SOURCES_MAX];
    } asked[LISTENER_ASKED_MAX];
    size_t n_asked;
    struct listener_round {
        bool on;
        uint8_t number; /* 1 to 3 */
        uint32_t at;    /* the group that it has come to */
        uint32_t left;  /* numbers of groups until it is round */
        uint64_t began_ns, width_ns, due_ns;
        uint32_t messages;
        unsigned again; /* rounds that follow */
    } round;
    struct limit pace;
    uint64_t random; /* state of what spreads the moments; not secret */
};

void listener_open(struct listener *l, uint16_t mtu, uint64_t seed);
void listener_close(struct listener *l);
/* Listens to nothing, as after listener_open; what queries have taught stays in force, and so does the pace:
 * the link is the same. */
void listener_begin_anew(struct listener *l);

/* One more address needs the group, or one less. False: out of memory, nothing is changed. */
bool listener_join(struct listener *l, uint32_t group, uint64_t now_ns) __attribute__((warn_unused_result));
void listener_leave(struct listener *l, uint32_t group, uint64_t now_ns);
/* It is told once more as if it had just been joined. */
void listener_tell(struct listener *l, uint32_t group, uint64_t now_ns);
/* All are told, so many times: who hears us may have forgotten, or not heard yet. */
void listener_tell_all(struct listener *l, unsigned times, uint64_t now_ns);
void listener_heard(struct listener *l, const struct mld *heard, uint64_t now_ns);

struct listener_message {
    uint8_t version; /* 1: one record, MLD_TO_INCLUDE means done */
    size_t n;
    struct mld_record record[MLD_RECORDS_MAX];
    struct addr sources[LISTENER_SOURCES_MAX]; /* what a record of few may point to */
};
/* True: this is to be sent now. Call until it is false, or as often as a turn allows. */
bool listener_next(struct listener *l, uint64_t now_ns, struct listener_message *out);
/* TIMER_NEVER: nothing will be due. */
uint64_t listener_deadline(const struct listener *l, uint64_t now_ns);

/* The groups that are listened to, or still being left (*addresses is 0), from *group (0 to begin with) on;
 * false: no more. */
bool listener_group_next(const struct listener *l, uint32_t *group, uint32_t *addresses);

#endif
