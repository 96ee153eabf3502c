/* SPDX-License-Identifier: BSD-3-Clause */
/* What is discarded without a warning: it comes of itself, without anybody who means ill. */
#include "suspect_check.h"

static unsigned warnings(int which, const struct message *m)
{
    const struct effect *e;
    unsigned n = 0;
    pair_deliver(&pair, m);
    while ((e = agent_pop(pair.ends[which].agent)) != NULL)
        n += e->kind == EFFECT_NOTE && e->note.kind == NOTE_PEER_SUSPICIOUS;
    return n;
}

/* They waited together for an ARP reply. Whoever repeats it later is worth a warning. */
START_TEST(burst_of_one_hello)
{
    const struct message hello = one_of(DELEGATION_HELLO);
    for (int i = 0; i < 3; i++)
        ck_assert_uint_eq(warnings(SECONDARY, &hello), 0);
    ck_assert_uint_eq(pair_counter(&pair, SECONDARY, AGENT_PEER_REPLAYED), 2);
    pair.now.mono_ns += 50 * NSEC_PER_MS;
    ck_assert_uint_eq(warnings(SECONDARY, &hello), 0); /* answered */
    ck_assert_uint_eq(warnings(SECONDARY, &hello), 1);
    ck_assert_uint_eq(pair_counter(&pair, SECONDARY, AGENT_PEER_REPLAYED), 3);
}
END_TEST

/* The primary's HELLO overtaken by the session that the secondary's brought: its answer is of no use. */
START_TEST(crossing_greetings)
{
    greet(primary);
    const struct message slow = pair_take(&pair);
    greet(secondary);
    pair_pump(&pair);
    in_one_session();
    pair_deliver(&pair, &slow);
    pair_collect(&pair);
    const struct message late = pair_take(&pair);
    ck_assert_uint_eq(warnings(PRIMARY, &late), 0);
    ck_assert_uint_eq(pair_counter(&pair, PRIMARY, AGENT_PEER_WRONG_NONCE), 1);
    in_one_session();
    ck_assert_uint_eq(primary->told.began, 1);
    pair_wait(&pair, 1000 * NSEC_PER_MS);
    ck_assert_uint_eq(warnings(PRIMARY, &late), 1);
}
END_TEST

/* Two appliances that are started one after the other. What they send waits until addresses are resolved, and
 * takes a little time; nothing is lost and nothing comes out of order. */
enum { IN_FLIGHT = 64, BOTH_UP_MS = 3000 };

struct link {
    struct {
        struct message message;
        uint64_t at_ns;
    } flights[IN_FLIGHT];
    size_t n;
    uint64_t last_ns[2], resolved_ns;
    unsigned warnings;
};

static void depart(struct link *link, int from, const struct message *m)
{
    uint64_t at_ns = pair.now.mono_ns + (uint64_t)(random() % 3) * NSEC_PER_MS;
    at_ns = at_ns > link->resolved_ns ? at_ns : link->resolved_ns;
    at_ns = at_ns > link->last_ns[from] ? at_ns : link->last_ns[from];
    ck_assert_uint_lt(link->n, IN_FLIGHT);
    link->flights[link->n].message = *m;
    link->flights[link->n++].at_ns = link->last_ns[from] = at_ns;
}

static void carry_out(struct link *link)
{
    const struct effect *e;
    for (int i = 0; i < 2; i++)
        while ((e = agent_pop(pair.ends[i].agent)) != NULL) {
            if (e->kind == EFFECT_SEND)
                depart(link, i, &e->send);
            link->warnings += e->kind == EFFECT_NOTE && e->note.kind == NOTE_PEER_SUSPICIOUS;
        }
}

static void arrive(struct link *link)
{
    for (size_t i = 0; i < link->n;) {
        if (link->flights[i].at_ns > pair.now.mono_ns) {
            i++;
            continue;
        }
        const struct message m = link->flights[i].message;
        memmove(&link->flights[i], &link->flights[i + 1], (--link->n - i) * sizeof(link->flights[0]));
        pair_deliver(&pair, &m);
        carry_out(link);
    }
}

START_TEST(normal_start_up)
{
    static struct link link;
    link = (struct link){.n = 0};
    srandom((unsigned)_i);
    const uint64_t began_ns = pair.now.mono_ns;
    const int up[] = {(int)(random() % BOTH_UP_MS), _i % 2 == 0 ? 5 : (int)(random() % BOTH_UP_MS)};
    const int later = up[0] > up[1] ? up[0] : up[1];
    link.resolved_ns = began_ns + (uint64_t)(later + random() % 5) * NSEC_PER_MS;
    for (int ms = 0; ms < later + 2000; ms++, pair.now.mono_ns += NSEC_PER_MS) {
        for (int i = 0; i < 2; i++) {
            if (ms == up[i])
                peer_greet(pair.ends[i].agent, pair.ends[i].peer, pair.now);
            if (ms >= up[i])
                agent_expire(pair.ends[i].agent, pair.now, 10);
        }
        carry_out(&link);
        arrive(&link);
    }
    ck_assert_msg(link.warnings == 0, "seed %d: %u warnings", _i, link.warnings);
    in_one_session();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("session_warnings");
    TCase *tcase = pair_case(suite, "warnings");
    tcase_add_test(tcase, burst_of_one_hello);
    tcase_add_test(tcase, crossing_greetings);
    tcase_add_loop_test(tcase, normal_start_up, 0, 100);
    return check_main(suite);
}
