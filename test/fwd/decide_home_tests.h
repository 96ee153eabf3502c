/* SPDX-License-Identifier: BSD-3-Clause */
/* test_decide.c's packets of the return routability procedure: a binding that has them in ESP alone lets none
 * into its tunnel, nor out of it, in clear (RFC 6275 section 10.4.6), in whatever they may hide. */
#ifndef TEST_FWD_DECIDE_HOME_TESTS_H
#define TEST_FWD_DECIDE_HOME_TESTS_H

#include "decide_ipv6.h"

#define TESTED       SIX, .dst = AWAY_TESTED
#define HEADER       .protocol = 135, .mobility
#define TEST         .dst = AWAY_TESTED, HEADER = 3
#define BEHIND(kind) .protocol = (kind), .mobility = 3, .options
#define OUT_OF(...)                                                                  \
    SIX, .from = CARE_OF, .dst = HOME_AGENT, .protocol = 41, .inner = &(struct spec) \
    {                                                                                \
        SIX, __VA_ARGS__                                                             \
    }

static const struct row rows_home_tests[] = {
    {"home test", {SIX, TEST}, VERDICT_PUNT_HOME_TEST},
    {"home test, hop limit 2", {SIX, TEST, .ttl = 2}, VERDICT_PUNT_HOME_TEST},
    {"home test of a binding that says nothing of them", {SIX, HEADER = 3}, VERDICT_TUNNELLED},
    {"home test for who is at home", {SIX, .dst = AT_HOME, HEADER = 3}, VERDICT_ON_LINK},
    {"home test init", {TESTED, HEADER = 1}, VERDICT_TUNNELLED},
    {"care-of test", {TESTED, HEADER = 4}, VERDICT_TUNNELLED},
    {"binding refresh request",
     {TESTED, .protocol = 135, .options = "\x3b\1\0\0\0\0\0\0", .n_options = 8},
     VERDICT_TUNNELLED},
    {"any other packet", {TESTED}, VERDICT_TUNNELLED},
    {"one that is too big", {TESTED, .payload = 1421}, VERDICT_PUNT_TOO_BIG},
    {"what looks like it, of TCP", {TESTED, .protocol = 6, .mobility = 3}, VERDICT_TUNNELLED},
    {"encrypted end to end", {TESTED, .protocol = 50, .mobility = 3}, VERDICT_TUNNELLED},
    {"behind options", {TESTED, BEHIND(60) = "\x87\0\1\4\0\0\0\0", .n_options = 8}, VERDICT_PUNT_HOME_TEST},
    {"behind options for every hop",
     {TESTED, BEHIND(0) = "\x87\0\1\4\0\0\0\0", .n_options = 8, .hop_by_hop = true},
     VERDICT_PUNT_HOME_TEST},
    {"behind a routing header",
     {TESTED, BEHIND(43) = "\x87\0\4\0\0\0\0\0", .n_options = 8},
     VERDICT_PUNT_HOME_TEST},
    {"authenticated",
     {TESTED, BEHIND(51) = "\x87\2\0\0\0\0\1\0\0\0\0\1\1\2\3\4", .n_options = 16},
     VERDICT_PUNT_HOME_TEST},
    {"another one, authenticated",
     {TESTED, .protocol = 51, .options = "\x11\2\0\0\0\0\1\0\0\0\0\1\1\2\3\4", .n_options = 16},
     VERDICT_TUNNELLED},
    {"whole, with a fragment header",
     {TESTED, BEHIND(44) = "\x87\0\0\0\0\0\0\1", .n_options = 8},
     VERDICT_PUNT_HOME_TEST},
    {"the first fragment of one",
     {TESTED, BEHIND(44) = "\x87\0\0\1\0\0\0\1", .n_options = 8},
     VERDICT_DROP_HOME_TEST_HIDDEN},
    {"the same behind options",
     {TESTED, BEHIND(44) = "\x3c\0\0\1\0\0\0\1\x87\0\1\4\0\0\0\0", .n_options = 16},
     VERDICT_DROP_HOME_TEST_HIDDEN},
    {"its last fragment",
     {TESTED, BEHIND(44) = "\x87\0\0\x10\0\0\0\1", .n_options = 8},
     VERDICT_DROP_HOME_TEST_HIDDEN},
    {"a later fragment of what begins with options",
     {TESTED, .protocol = 44, .options = "\x3c\0\0\x10\0\0\0\1", .n_options = 8},
     VERDICT_DROP_HOME_TEST_HIDDEN},
    {"the first fragment of another one",
     {TESTED, .protocol = 44, .options = "\x11\0\0\1\0\0\0\1", .n_options = 8},
     VERDICT_TUNNELLED},
    {"its last fragment",
     {TESTED, .protocol = 44, .options = "\x11\0\0\x10\0\0\0\1", .n_options = 8},
     VERDICT_TUNNELLED},
    {"behind eight headers",
     {TESTED,
      BEHIND(60) = "\x3c\0\1\4\0\0\0\0\x3c\0\1\4\0\0\0\0\x3c\0\1\4\0\0\0\0\x3c\0\1\4\0\0\0\0"
                   "\x3c\0\1\4\0\0\0\0\x3c\0\1\4\0\0\0\0\x3c\0\1\4\0\0\0\0\x87\0\1\4\0\0\0\0",
      .n_options = 64},
     VERDICT_PUNT_HOME_TEST},
    {"behind nine",
     {TESTED,
      BEHIND(60) = "\x3c\0\1\4\0\0\0\0\x3c\0\1\4\0\0\0\0\x3c\0\1\4\0\0\0\0\x3c\0\1\4\0\0\0\0"
                   "\x3c\0\1\4\0\0\0\0\x3c\0\1\4\0\0\0\0\x3c\0\1\4\0\0\0\0\x3c\0\1\4\0\0\0\0"
                   "\x87\0\1\4\0\0\0\0",
      .n_options = 72},
     VERDICT_DROP_HOME_TEST_HIDDEN},
    {"cut before its type", {TESTED, .protocol = 135, .payload = 2}, VERDICT_DROP_HOME_TEST_HIDDEN},
    {"options cut before their end",
     {TESTED, BEHIND(60) = "\x87\x20\1\4\0\0\0\0", .n_options = 8},
     VERDICT_DROP_HOME_TEST_HIDDEN},
    {"hop limit 1", {SIX, TEST, .ttl = 1}, VERDICT_PUNT_TTL_EXCEEDED},
    {"in no more tunnels",
     {TESTED, BEHIND(60) = "\x87\0\4\1\0\1\1\0", .n_options = 8},
     VERDICT_PUNT_ENCAPSULATION_LIMIT},
    {"from the care-of address", {SIX, TEST, .from = CARE_OF}, VERDICT_DROP_LOOP_CARE_OF},
    {"home test init out of the tunnel",
     {OUT_OF(.from = AWAY_TESTED, .dst = ELSEWHERE, HEADER = 1)},
     VERDICT_DROP_HOME_TEST_INIT},
    {"the same behind options",
     {OUT_OF(.from = AWAY_TESTED, .dst = ELSEWHERE, .protocol = 60, .mobility = 1,
             .options = "\x87\0\1\4\0\0\0\0", .n_options = 8)},
     VERDICT_DROP_HOME_TEST_INIT},
    {"the same in fragments",
     {OUT_OF(.from = AWAY_TESTED, .dst = ELSEWHERE, .protocol = 44, .mobility = 1,
             .options = "\x87\0\0\1\0\0\0\1", .n_options = 8)},
     VERDICT_DROP_HOME_TEST_INIT},
    {"the same out of a tunnel that is not its binding's",
     {SIX, .from = CARE_OF + 1, .dst = HOME_AGENT, .protocol = 41,
      .inner = &(struct spec){SIX, .from = AWAY_TESTED, .dst = ELSEWHERE, HEADER = 1}},
     VERDICT_DROP_REVERSE_TUNNEL},
    {"of a binding that says nothing of them",
     {OUT_OF(.from = AWAY_REVERSE, .dst = ELSEWHERE, HEADER = 1)},
     VERDICT_DECAPSULATED},
    {"any other packet out of the tunnel",
     {OUT_OF(.from = AWAY_TESTED, .dst = ELSEWHERE)},
     VERDICT_DECAPSULATED},
    {"home test of a mobile node that is a correspondent",
     {OUT_OF(.from = AWAY_TESTED, .dst = ELSEWHERE, HEADER = 3)},
     VERDICT_DECAPSULATED},
    {"the same to one that has them in ESP",
     {OUT_OF(.from = AWAY_REVERSE, .dst = AWAY_TESTED, HEADER = 3)},
     VERDICT_PUNT_HOME_TEST},
};

#endif
