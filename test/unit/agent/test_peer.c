/* SPDX-License-Identifier: BSD-3-Clause */
#include "pair_check.h"

#include <errno.h>
#include <stdio.h>

static struct agent *agent(void)
{
    return primary->agent;
}

/* The pair's own peer is "other". */
static struct agent_peer named(const char *name, int i)
{
    struct agent_peer is = pair_config(SECONDARY);
    snprintf(is.name, sizeof(is.name), "%s", name);
    is.address.b[15] = (uint8_t)(100 + i);
    return is;
}

static int set(const char *name, int i)
{
    const struct agent_peer is = named(name, i);
    return agent_peer_set(agent(), &is);
}

static void sweep(void)
{
    while (agent_sweep(agent(), 10, pair.now))
        continue;
}

static void in_this_order(const char *expected)
{
    char names[256] = "";
    const struct peer *peer;
    LL_FOREACH(agent()->peers, peer)
    snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s ", peer->is.name);
    ck_assert_str_eq(names, expected);
}

/* ---- Configuration ---- */
START_TEST(order_of_configuration)
{
    agent_sweep_begin(agent());
    ck_assert_int_eq(set("b", 1), 0);
    ck_assert_int_eq(set("a", 2), 0);
    ck_assert_int_eq(set("c", 3), 0);
    in_this_order("b a c other ");
    sweep();
    in_this_order("b a c ");
    agent_sweep_begin(agent());
    ck_assert_int_eq(set("c", 3), 0);
    ck_assert_int_eq(set("d", 4), 0);
    ck_assert_int_eq(set("b", 1), 0);
    sweep();
    in_this_order("c d b ");
}
END_TEST

START_TEST(twice_in_one_sweep)
{
    agent_sweep_begin(agent());
    ck_assert_int_eq(set("a", 1), 0);
    ck_assert_int_eq(set("a", 2), -EEXIST);
    ck_assert_int_eq(set("b", 1), -EEXIST); /* the same address */
    ck_assert_int_eq(set("b", 2), 0);
    agent_sweep_begin(agent());
    ck_assert_int_eq(set("b", 1), 0); /* they change places */
    ck_assert_int_eq(set("a", 2), 0);
    sweep();
    in_this_order("b a ");
}
END_TEST

START_TEST(no_more_than)
{
    const int max = _i == AGENT_PRIMARY ? AGENT_SECONDARIES_MAX : AGENT_PRIMARIES_MAX;
    char name[8];
    agent()->settings.role = (uint8_t)_i;
    for (int round = 0; round < 2; round++) { /* others altogether in the second */
        agent_sweep_begin(agent());
        for (int i = 0; i <= max; i++) {
            snprintf(name, sizeof(name), "%d-%d", round, i);
            ck_assert_int_eq(set(name, i + round), i < max ? 0 : -ENOSPC);
        }
        sweep();
    }
    agent()->settings.role = AGENT_SECONDARY;
}
END_TEST

START_TEST(lookup)
{
    ck_assert_int_eq(set("a", 1), 0);
    const struct addr a = named("a", 1).address, nobody = named("b", 2).address;
    ck_assert_str_eq(peer_by_name(agent(), "a")->is.name, "a");
    ck_assert_ptr_null(peer_by_name(agent(), "b"));
    ck_assert_str_eq(peer_by_address(agent(), &a)->is.name, "a");
    ck_assert_ptr_null(peer_by_address(agent(), &nobody));
    ck_assert(peer_is_address(agent(), &a));
    ck_assert(!peer_is_address(agent(), &nobody));
    const struct mac theirs = {{2, 0, 0, 0, 0, 2}}, none = {{0}};
    ck_assert(!peer_is_mac(agent(), &theirs));
    pair_meet(&pair, PRIMARY);
    ck_assert(peer_is_mac(agent(), &theirs));
    ck_assert(!peer_is_mac(agent(), &none)); /* "a" has not been met */
}
END_TEST

/* ---- Dismissal ---- */
START_TEST(dismissed_and_gone)
{
    pair_meet(&pair, PRIMARY);
    agent_sweep_begin(agent());
    sweep();
    ck_assert_uint_eq(primary->told.dismissed, 1);
    ck_assert_uint_eq(primary->told.destroyed, 1);
    ck_assert_ptr_null(agent()->peers);
    ck_assert(agent_deadline(agent()) == TIMER_NEVER);
}
END_TEST

START_TEST(dismissed_and_still_needed)
{
    primary->clings = true;
    pair_meet(&pair, PRIMARY);
    agent_sweep_begin(agent());
    ck_assert_int_eq(set("a", 1), 0);
    sweep();
    in_this_order("a other ");
    ck_assert(pair_works(&pair)); /* to the end */
    agent_sweep_begin(agent());
    ck_assert_int_eq(set("a", 1), 0);
    sweep();
    ck_assert_uint_eq(primary->told.dismissed, 2); /* asked again */
    peer_release(agent(), peer_by_name(agent(), "other"));
    in_this_order("a ");
    peer_release(agent(), peer_by_name(agent(), "a")); /* it is configured */
    in_this_order("a ");
}
END_TEST

START_TEST(back_again)
{
    primary->clings = true;
    pair_meet(&pair, PRIMARY);
    agent_sweep_begin(agent());
    sweep();
    ck_assert(primary->peer->dismissed);
    agent_sweep_begin(agent());
    ck_assert_int_eq(agent_peer_set(agent(), &primary->other), 0);
    sweep();
    ck_assert(!primary->peer->dismissed);
    ck_assert_uint_eq(primary->told.reconfigured, 1);
    ck_assert_uint_eq(primary->told.dismissed, 1);
    ck_assert_uint_eq(primary->told.began, 1); /* all the time the same session */
    ck_assert(pair_works(&pair));
}
END_TEST

/* Nothing of it is left but to be forgotten: it is not met again. Configured anew, it is. */
START_TEST(done_with)
{
    primary->clings = true;
    pair_meet(&pair, PRIMARY);
    agent_sweep_begin(agent());
    sweep();
    peer_end_session(agent(), primary->peer);
    peer_greet(agent(), primary->peer, pair.now); /* something is left */
    pair_pump(&pair);
    ck_assert(pair_works(&pair));
    peer_end_session(agent(), primary->peer);
    peer_greet(secondary->agent, secondary->peer, pair.now);
    pair_wait(&pair, 3 * NSEC_PER_S);
    ck_assert(!peer_in_session(primary->peer));
    ck_assert_uint_ge(pair_counter(&pair, PRIMARY, AGENT_PEER_UNKNOWN), 3);
    ck_assert_int_eq(agent_peer_set(agent(), &primary->other), 0);
    pair_wait(&pair, 3 * NSEC_PER_S);
    ck_assert(pair_works(&pair));
}
END_TEST

/* From within what its own datagram has led to. */
START_TEST(released_while_in_use)
{
    primary->clings = primary->lets_go_at = true;
    secondary->mute = true;
    pair_meet(&pair, PRIMARY);
    agent_sweep_begin(agent());
    sweep();
    ck_assert_ptr_nonnull(primary->peer);
    pair_say(&pair, SECONDARY, DELEGATION_RATES);
    pair_pump(&pair);
    ck_assert_uint_eq(primary->told.destroyed, 1);
    ck_assert_ptr_null(agent()->peers);
}
END_TEST

/* ---- Change ---- */
static void configure(int which, const struct agent_peer *is)
{
    struct end *end = &pair.ends[which];
    agent_sweep_begin(end->agent);
    ck_assert_int_eq(agent_peer_set(end->agent, is), 0);
    while (agent_sweep(end->agent, 10, pair.now))
        continue;
}

static void change_weight(struct agent_peer *is)
{
    is->weight = 3;
}
static void change_prefixes(struct agent_peer *is)
{
    is->n_prefixes = 1;
}
static void add_key(struct agent_peer *is)
{
    is->other_spi = 301;
    is->other_key = pair_key(2);
}
static void demote_key(struct agent_peer *is)
{
    add_key(is);
    is->other_spi = 300;
    is->other_key = pair_key(1);
    is->spi = 301;
    is->key = pair_key(2);
}
static void replace_key(struct agent_peer *is)
{
    is->key = pair_key(2);
}
static void renumber_key(struct agent_peer *is)
{
    is->spi = 301;
}
static void move_away(struct agent_peer *is)
{
    is->address.b[15] = 50;
}
static void move_ourselves(struct agent_peer *is)
{
    is->local.b[15] = 50;
}
static void narrow_link(struct agent_peer *is)
{
    is->mtu = 1280;
}

static void protect(struct agent_peer *is)
{
    is->protected = true;
    is->esp_in = (struct esp_association){.spi = 2000, .algorithm = ESP_AES_GCM, .key_len = 20};
    is->esp_out = (struct esp_association){.spi = 2001, .algorithm = ESP_AES_GCM, .key_len = 20};
}

static const struct {
    const char *what;
    void (*change)(struct agent_peer *is);
    bool lives, greets;
} changes[] = {
    {"the weight", change_weight, true, false},
    {"the prefixes", change_prefixes, true, false},
    {"another key", add_key, true, false},
    {"the key becomes the other", demote_key, true, true},
    {"the key is replaced", replace_key, false, true},
    {"the key has another SPI", renumber_key, false, true},
    {"the peer's address", move_away, false, true},
    {"our address", move_ourselves, false, true},
    {"ESP is asked for", protect, false, true},
    {"another link, which takes less", narrow_link, false, true},
};

START_TEST(changed)
{
    struct agent_peer is = primary->other;
    pair_meet(&pair, PRIMARY);
    changes[_i].change(&is);
    configure(PRIMARY, &is);
    ck_assert_msg(peer_in_session(primary->peer) == changes[_i].lives, "%s", changes[_i].what);
    ck_assert_msg(timer_is_set(&primary->peer->greeting) == changes[_i].greets, "%s", changes[_i].what);
    ck_assert_mem_eq(&primary->peer->is, &is, sizeof(is));
    ck_assert_uint_eq(primary->told.reconfigured, 1);
}
END_TEST

/* A candidate under a key that is taken away is taken away with it. */
START_TEST(candidate_without_key)
{
    peer_greet(secondary->agent, secondary->peer, pair.now);
    pair_collect(&pair);
    const struct message hello = pair_take(&pair);
    pair_deliver(&pair, &hello);
    ck_assert(primary->peer->candidates[0].live);
    struct agent_peer is = primary->other;
    replace_key(&is);
    configure(PRIMARY, &is);
    ck_assert(!primary->peer->candidates[0].live);
}
END_TEST

/* ---- Rotation of keys: at each end the new key is added, put first, and the old one taken away ---- */
enum { STEPS = 3 };
static struct agent_peer at_step(int whom, int step)
{
    struct agent_peer is = pair_config(whom);
    if (step == 1)
        add_key(&is);
    if (step == 2)
        demote_key(&is);
    if (step == 3) {
        is.spi = 301;
        is.key = pair_key(2);
    }
    return is;
}

static bool share_a_key(const int step[2])
{
    return !(step[0] == 0 && step[1] == 3) && !(step[0] == 3 && step[1] == 0);
}

/* What is wanted of the ends: greeting where they have no session, as the halves see to. */
static void keep_greeting(void)
{
    for (int i = 0; i < 2; i++)
        if (!peer_in_session(pair.ends[i].peer))
            peer_greet(pair.ends[i].agent, pair.ends[i].peer, pair.now);
}

/* Bit n of an order: which end takes the nth step. The ith of all in which each takes its own. */
enum { ORDERS = 20 }; /* 6 over 3 */
static unsigned order_of(int i)
{
    unsigned order = (1u << STEPS) - 1;
    while (i-- > 0)
        do
            order++;
        while (__builtin_popcount(order) != STEPS);
    return order;
}

START_TEST(rotation)
{
    const unsigned order = order_of(_i);
    int step[2] = {0, 0};
    pair_meet(&pair, PRIMARY);
    for (int n = 0; n < 2 * STEPS; n++) {
        const int end = (int)(order >> n & 1);
        step[end]++;
        const struct agent_peer is = at_step(!end, step[end]);
        configure(end, &is);
        /* No step is more than one ahead of the other end: the session is never away. */
        const bool in_step = abs(step[0] - step[1]) <= 1;
        pair_pump(&pair);
        if (in_step)
            ck_assert_msg(pair_works(&pair), "order %x: session lost at step %d", order, n);
        for (int s = 0; s < 3; s++) {
            keep_greeting();
            pair_wait(&pair, NSEC_PER_S);
        }
        ck_assert_msg(pair_works(&pair) == share_a_key(step), "order %x, step %d", order, n);
    }
    ck_assert_uint_eq(primary->peer->session.spi, 301);
    ck_assert(!timer_is_set(&primary->peer->greeting));
    ck_assert(!timer_is_set(&secondary->peer->greeting));
}
END_TEST

/* With time for both ends in between, it takes one change of session. */
START_TEST(rotation_in_step)
{
    pair_meet(&pair, PRIMARY);
    for (int step = 1; step <= STEPS; step++)
        for (int i = 0; i < 2; i++) {
            const int end = i ^ _i;
            const struct agent_peer is = at_step(!end, step);
            configure(end, &is);
            ck_assert(pair_works(&pair));
            pair_wait(&pair, 2 * NSEC_PER_S);
        }
    ck_assert_uint_eq(primary->told.began, 2);
    ck_assert_uint_eq(secondary->told.began, 2);
    ck_assert_uint_eq(primary->peer->session.spi, 301);
}
END_TEST

/* Who alone greets, and puts first a key that the other has not got, tries the one that both have. */
START_TEST(other_key_is_tried)
{
    const struct agent_peer is = at_step(SECONDARY, 2);
    configure(PRIMARY, &is);
    peer_greet(agent(), primary->peer, pair.now);
    pair_wait(&pair, 1200 * NSEC_PER_MS);
    ck_assert(pair_works(&pair));
    ck_assert_uint_eq(primary->peer->session.spi, 300);
}
END_TEST

/* A session under the old key is not replaced by another under the old key. */
START_TEST(only_by_the_new)
{
    pair_meet(&pair, PRIMARY);
    struct agent_peer is = at_step(SECONDARY, 2);
    configure(PRIMARY, &is);
    pair_wait(&pair, 5 * NSEC_PER_S);
    ck_assert_uint_eq(primary->told.began, 1);
    is = at_step(PRIMARY, 1);
    configure(SECONDARY, &is);
    pair_wait(&pair, 2 * NSEC_PER_S);
    ck_assert_uint_eq(primary->told.began, 2);
    ck_assert_uint_eq(primary->peer->session.spi, 301);
    ck_assert(pair_works(&pair));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("peer");
    TCase *all = pair_case(suite, "peer");
    tcase_add_test(all, order_of_configuration);
    tcase_add_test(all, twice_in_one_sweep);
    tcase_add_loop_test(all, no_more_than, 0, 2);
    tcase_add_test(all, lookup);
    tcase_add_test(all, dismissed_and_gone);
    tcase_add_test(all, dismissed_and_still_needed);
    tcase_add_test(all, back_again);
    tcase_add_test(all, done_with);
    tcase_add_test(all, released_while_in_use);
    tcase_add_loop_test(all, changed, 0, ROWS(changes));
    tcase_add_test(all, candidate_without_key);
    tcase_add_loop_test(all, rotation, 0, ORDERS);
    tcase_add_loop_test(all, rotation_in_step, 0, 2);
    tcase_add_test(all, other_key_is_tried);
    tcase_add_test(all, only_by_the_new);
    return check_main(suite);
}
