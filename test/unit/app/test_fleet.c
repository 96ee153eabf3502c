/* SPDX-License-Identifier: BSD-3-Clause */
/* Many mobile nodes in virtual time, against a home agent of a few lines that answers at once or not at all.
 */
#include "../check_main.h"
#include "fleet.h"
#include "mip4.h"

enum { NODES = 200, SECONDS_MAX = 100, ANSWERS_MAX = 2048 };

static struct fleet *fleet;
static struct roster roster;
static struct auth *auth;
static struct instant now;
static struct addr care_of[2];
static unsigned sent_in[SECONDS_MAX]; /* requests, by the second since the start */
static unsigned at_care_of[2];
static bool silent;
static uint8_t code;

/* What the home agent says, to be read when the fleet's turn is over. */
static struct {
    uint8_t bytes[128];
    size_t len;
} answers[ANSWERS_MAX];
static size_t answer_count;

static void emit(void *shell, const struct mobile *m, const struct mobile_output *out)
{
    (void)shell;
    struct mip4_request request;
    ck_assert_int_eq(mip4_request_decode(out->message, out->len, &request), MIP4_DECODED);
    sent_in[now.mono_ns / NSEC_PER_S - 1]++;
    for (int i = 0; i < 2; i++)
        at_care_of[i] += addr_equal(&request.care_of, &care_of[i]);
    if (silent)
        return;

    const struct mip4_reply reply = {.code = code,
                                     .lifetime_s = request.lifetime_s,
                                     .home = request.home,
                                     .home_agent = request.home_agent,
                                     .identification = request.identification};
    struct writer w = writer_over(answers[answer_count].bytes, sizeof(answers[0].bytes));
    mip4_reply_encode(&w, &reply);
    ck_assert(mip4_append_auth(&w, MIP4_EXT_MOBILE_HOME_AUTH, m->identity.spi, &m->identity.key, auth));
    answers[answer_count++].len = writer_len(&w);
}

static void create(uint64_t rate)
{
    struct addr twice;
    const struct fleet_conf conf = {.policy = {.lifetime_s = 600, .tries = 3},
                                    .home_agent = addr_from_ipv4(0x0a010002),
                                    .rate = rate,
                                    .seed = 1,
                                    .emit = emit};
    fleet = fleet_create(&conf, &roster, &twice);
    ck_assert_ptr_nonnull(fleet);
}

static void setup(void)
{
    char error[ROSTER_ERROR_MAX];
    const struct mobile_identity like = {
        .home = addr_from_ipv4(0x0a010032), .key = {.len = 16}, .spi = 256, .replay = MOBILE_TIMESTAMP};
    auth = auth_create();
    ck_assert(roster_add_range(&roster, &like, NODES, error));
    care_of[0] = addr_from_ipv4(0x0a020005);
    care_of[1] = addr_from_ipv4(0x0a030005);
    now = (struct instant){.mono_ns = NSEC_PER_S, .ntp = UINT64_C(0xe7000000) << 32};
}

static void teardown(void)
{
    fleet_destroy(fleet);
    roster_clear(&roster);
    auth_destroy(auth);
}

static void input(const uint8_t *message, size_t len)
{
    const struct mobile_reply reply = {.source = addr_from_ipv4(0x0a010002), .message = message, .len = len};
    fleet_input(fleet, now, &reply);
}

static void read_answers(void)
{
    for (size_t i = 0; i < answer_count; i++)
        input(answers[i].bytes, answers[i].len);
    answer_count = 0;
}

/* Sleeps from deadline to deadline, as the shell does. */
static void run_for(uint64_t ns)
{
    const uint64_t end_ns = now.mono_ns + ns;
    for (unsigned turns = 0; turns < 1000000; turns++) {
        fleet_turn(fleet, now);
        read_answers();
        uint64_t next_ns = fleet_deadline(fleet);
        if (next_ns >= end_ns)
            next_ns = end_ns;
        if (next_ns > now.mono_ns) {
            now.ntp += ((next_ns - now.mono_ns) << 32) / NSEC_PER_S;
            now.mono_ns = next_ns;
        }
        if (now.mono_ns == end_ns)
            return;
    }
    ck_abort_msg("the deadlines do not move on");
}

START_TEST(all_register_at_the_rate)
{
    create(50);
    fleet_want(fleet, MOBILE_ABROAD, care_of, 1, now.mono_ns);
    ck_assert(!fleet_is_quiet(fleet));
    run_for(6 * NSEC_PER_S);
    for (int s = 0; s < 4; s++)
        ck_assert_msg(sent_in[s] >= 49 && sent_in[s] <= 51, "second %d: %u", s, sent_in[s]);
    ck_assert_uint_eq(sent_in[0] + sent_in[1] + sent_in[2] + sent_in[3] + sent_in[4], NODES);

    const struct tally *t = fleet_tally(fleet);
    ck_assert_uint_eq(t->requests, NODES);
    ck_assert_uint_eq(t->accepted, NODES);
    ck_assert_uint_eq(t->retransmissions, 0);
    ck_assert_uint_eq(fleet_census(fleet, now.mono_ns).registered, NODES);
    ck_assert(fleet_is_quiet(fleet));
    fleet_close(fleet, now.mono_ns);
    ck_assert(fleet_is_content(fleet));
}
END_TEST

START_TEST(without_a_rate_all_at_once)
{
    create(0);
    fleet_want(fleet, MOBILE_ABROAD, care_of, 1, now.mono_ns);
    run_for(NSEC_PER_MS);
    ck_assert_uint_eq(fleet_tally(fleet)->accepted, NODES);
}
END_TEST

START_TEST(what_piled_up_keeps_to_the_rate)
{
    create(50);
    silent = true;
    fleet_want(fleet, MOBILE_ABROAD, care_of, 1, now.mono_ns);
    /* Starts, first and second retransmissions together ask for more than 50/s. */
    run_for(12 * NSEC_PER_S);
    for (int s = 0; s < 12; s++)
        ck_assert_msg(sent_in[s] <= 51, "second %d: %u", s, sent_in[s]);
}
END_TEST

START_TEST(a_long_start_does_not_delay_retransmissions)
{
    create(50);
    silent = true;
    fleet_want(fleet, MOBILE_ABROAD, care_of, 1, now.mono_ns);
    run_for(2 * NSEC_PER_S);
    ck_assert_uint_ge(fleet_tally(fleet)->retransmissions, 20);
}
END_TEST

START_TEST(spread_over_care_of_addresses)
{
    create(0);
    fleet_want(fleet, MOBILE_ABROAD, care_of, 2, now.mono_ns);
    run_for(NSEC_PER_MS);
    ck_assert_uint_eq(at_care_of[0], NODES / 2);
    ck_assert_uint_eq(at_care_of[1], NODES / 2);
}
END_TEST

START_TEST(silence_disappoints)
{
    create(0);
    silent = true;
    fleet_want(fleet, MOBILE_ABROAD, care_of, 1, now.mono_ns);
    run_for(20 * NSEC_PER_S);
    const struct tally *t = fleet_tally(fleet);
    ck_assert_uint_eq(t->requests, NODES);
    ck_assert_uint_eq(t->retransmissions, 2 * NODES);
    ck_assert_uint_eq(t->timeouts, NODES);
    ck_assert_uint_eq(fleet_census(fleet, now.mono_ns).failed, NODES);
    ck_assert(fleet_is_quiet(fleet));
    ck_assert(!fleet_is_content(fleet));
}
END_TEST

START_TEST(denials_are_counted_by_code)
{
    create(0);
    code = MIP4_PROHIBITED;
    fleet_want(fleet, MOBILE_ABROAD, care_of, 1, now.mono_ns);
    run_for(NSEC_PER_S);
    ck_assert_uint_eq(fleet_tally(fleet)->denied[MIP4_PROHIBITED], NODES);
    ck_assert(!fleet_is_content(fleet));
}
END_TEST

START_TEST(closing_while_asking_disappoints)
{
    create(0);
    silent = true;
    fleet_want(fleet, MOBILE_ABROAD, care_of, 1, now.mono_ns);
    run_for(NSEC_PER_MS);
    ck_assert(fleet_is_content(fleet));
    fleet_close(fleet, now.mono_ns);
    ck_assert(!fleet_is_content(fleet));
}
END_TEST

START_TEST(only_the_bound_deregister)
{
    create(0);
    fleet_want(fleet, MOBILE_UNBOUND, NULL, 0, now.mono_ns);
    run_for(NSEC_PER_S);
    ck_assert_uint_eq(fleet_tally(fleet)->requests, 0);

    fleet_want(fleet, MOBILE_ABROAD, care_of, 1, now.mono_ns);
    run_for(NSEC_PER_S);
    fleet_want(fleet, MOBILE_UNBOUND, NULL, 0, now.mono_ns);
    run_for(NSEC_PER_S);
    ck_assert_uint_eq(fleet_tally(fleet)->requests, 2 * NODES);
    ck_assert_uint_eq(fleet_census(fleet, now.mono_ns).registered, 0);
    ck_assert(fleet_is_content(fleet));
}
END_TEST

START_TEST(strange_replies)
{
    const uint8_t stranger[20] = {3, 0, 0, 100, 10, 9, 9, 9};
    create(0);
    input(stranger, sizeof(stranger));
    ck_assert_uint_eq(fleet_tally(fleet)->unknown_home, 1);
    input(stranger, 7);
    input(stranger, 0);
    ck_assert_uint_eq(fleet_tally(fleet)->discarded[MOBILE_MALFORMED], 2);
}
END_TEST

START_TEST(replies_are_told_by_the_datagram)
{
    const uint8_t bytes[20] = {59, 1, 6};
    struct mobile_reply reply = {.home = roster.rows[7].home, .message = bytes, .len = sizeof(bytes)};
    create(0);
    fleet_input(fleet, now, &reply);
    ck_assert_uint_eq(fleet_tally(fleet)->unknown_home, 0);
    ck_assert(addr_parse("2001:db8:1::50", &reply.home));
    fleet_input(fleet, now, &reply);
    ck_assert_uint_eq(fleet_tally(fleet)->unknown_home, 1);
}
END_TEST

START_TEST(found_by_home_address)
{
    create(0);
    for (size_t i = 0; i < NODES; i++) {
        struct node *n = fleet_find(fleet, &roster.rows[i].home);
        ck_assert_ptr_eq(n, fleet_node(fleet, i));
    }
    const struct addr other = addr_from_ipv4(0x0a010031);
    ck_assert_ptr_null(fleet_find(fleet, &other));
}
END_TEST

START_TEST(found_by_ipv6_home_address)
{
    char error[ROSTER_ERROR_MAX];
    const struct mobile_identity like = {
        .key = {.len = 16, .algorithm = AUTH_HMAC_SHA1}, .spi = 256, .replay = MOBILE_SEQUENCE};
    struct mobile_identity first = like;
    roster_clear(&roster);
    ck_assert(addr_parse("2001:db8:1::ffff:fff0", &first.home));
    ck_assert(roster_add_range(&roster, &first, NODES, error));
    create(0);
    for (size_t i = 0; i < NODES; i++)
        ck_assert_ptr_eq(fleet_find(fleet, &roster.rows[i].home), fleet_node(fleet, i));
    ck_assert(addr_parse("2001:db8:2::ffff:fff0", &first.home));
    ck_assert_ptr_null(fleet_find(fleet, &first.home));
    ck_assert_str_eq(fleet_code_text(fleet, 134), "duplicate address detection failed");
}
END_TEST

START_TEST(a_home_address_twice)
{
    char error[ROSTER_ERROR_MAX];
    struct addr twice;
    const struct fleet_conf conf = {.emit = emit};
    ck_assert(roster_add_range(&roster, &roster.rows[3], 1, error));
    ck_assert_ptr_null(fleet_create(&conf, &roster, &twice));
    ck_assert(addr_equal(&twice, &roster.rows[3].home));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fleet");
    TCase *c = tcase_create("fleet");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, all_register_at_the_rate);
    tcase_add_test(c, without_a_rate_all_at_once);
    tcase_add_test(c, what_piled_up_keeps_to_the_rate);
    tcase_add_test(c, a_long_start_does_not_delay_retransmissions);
    tcase_add_test(c, spread_over_care_of_addresses);
    tcase_add_test(c, silence_disappoints);
    tcase_add_test(c, denials_are_counted_by_code);
    tcase_add_test(c, closing_while_asking_disappoints);
    tcase_add_test(c, only_the_bound_deregister);
    tcase_add_test(c, strange_replies);
    tcase_add_test(c, replies_are_told_by_the_datagram);
    tcase_add_test(c, found_by_home_address);
    tcase_add_test(c, found_by_ipv6_home_address);
    tcase_add_test(c, a_home_address_twice);
    suite_add_tcase(suite, c);
    return check_main(suite);
}
