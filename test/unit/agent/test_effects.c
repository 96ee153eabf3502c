/* SPDX-License-Identifier: BSD-3-Clause */
#include "lab_check.h"

#include "timerq.h"

/* A shell that takes nothing out for long: all comes out, whole and in order. */
START_TEST(queue_grows)
{
    enum { MANY = 3000 };
    for (size_t i = 0; i < MANY; i++) {
        struct ask ask = lab_ask(&lab, 0);
        ask.q.care_of = addr_from_ipv4(0xc0000200u + (uint32_t)(i % 200));
        uint8_t bytes[256];
        const size_t len = lab_encode(&lab, &ask, bytes, sizeof(bytes));
        const struct agent_datagram d = {.source = ask.source,
                                         .destination = ask.destination,
                                         .protocol = IPPROTO_NUM_UDP,
                                         .source_port = (uint16_t)i,
                                         .destination_port = MIP4_PORT,
                                         .payload = bytes,
                                         .len = len};
        agent_input(lab.agent, &d, lab.now);
    }
    size_t sent = 0, installed = 0;
    const struct effect *e;
    while ((e = agent_pop(lab.agent)) != NULL) {
        if (e->kind == EFFECT_SEND)
            ck_assert_uint_eq(e->send.destination_port, sent++);
        if (e->kind == EFFECT_INSTALL)
            ck_assert_uint_eq(addr_ipv4(&e->install.care_of[0].address), 0xc0000200u + installed++ % 200);
    }
    ck_assert_uint_eq(sent, MANY);
    ck_assert_uint_eq(installed, MANY);
    ck_assert_ptr_null(agent_pop(lab.agent));
}
END_TEST

static void feed(uint16_t port)
{
    struct ask ask = lab_ask(&lab, 0);
    uint8_t bytes[256];
    const size_t len = lab_encode(&lab, &ask, bytes, sizeof(bytes));
    const struct agent_datagram d = {.source = ask.source,
                                     .destination = ask.destination,
                                     .protocol = IPPROTO_NUM_UDP,
                                     .source_port = port,
                                     .destination_port = MIP4_PORT,
                                     .payload = bytes,
                                     .len = len};
    agent_input(lab.agent, &d, lab.now);
}

/* One that takes out a little less than comes in. */
START_TEST(queue_moves_along)
{
    uint16_t sent = 0;
    const struct effect *e;
    for (uint16_t i = 0; i < 3000; i++) {
        feed(i);
        for (int pops = 0; pops < (i % 7 == 0 ? 1 : 2) && (e = agent_pop(lab.agent)) != NULL; pops++)
            if (e->kind == EFFECT_SEND)
                ck_assert_uint_eq(e->send.destination_port, sent++);
    }
    while ((e = agent_pop(lab.agent)) != NULL)
        if (e->kind == EFFECT_SEND)
            ck_assert_uint_eq(e->send.destination_port, sent++);
    ck_assert_uint_eq(sent, 3000);
}
END_TEST

START_TEST(texts)
{
    for (int i = 0; i < AGENT_COUNTERS_COUNT; i++)
        ck_assert_uint_gt(strlen(agent_counter_text((enum agent_counter)i)), 0);
    ck_assert_str_eq(agent_counter_text(AGENT_NO_MEMORY), "requests refused for want of memory");
    for (int i = 0; i <= NOTE_UNREACHABLE; i++)
        ck_assert_uint_gt(strlen(note_text((enum note_kind)i)), 0);
    ck_assert_int_eq(note_level(NOTE_RENEWED), NOTE_DEBUG);
    ck_assert_int_eq(note_level(NOTE_CONFLICT), NOTE_WARNING);
    ck_assert_str_eq(encapsulation_text(ENCAPSULATION_IPIP), "ipip");
    ck_assert_str_eq(encapsulation_text(ENCAPSULATION_GRE), "gre");
    ck_assert_str_eq(encapsulation_text((enum encapsulation)0), "unknown");
}
END_TEST

START_TEST(counters_are_cleared)
{
    bind_node(0);
    ck_assert_uint_gt(lab_counter(&lab, AGENT_REQUESTS), 0);
    agent_counters_clear(lab.agent);
    ck_assert_uint_eq(lab_counter(&lab, AGENT_REQUESTS), 0);
    ck_assert_uint_eq(lab_replies(&lab, MIP4_ACCEPTED_NO_SIMULTANEOUS), 0);
}
END_TEST

START_TEST(nothing_to_do)
{
    ck_assert(agent_deadline(lab.agent) == TIMER_NEVER);
    agent_expire(lab.agent, lab.now, 100);
    ck_assert_ptr_null(agent_pop(lab.agent));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("effects");
    TCase *all = lab_case(suite, "effects");
    tcase_add_test(all, queue_grows);
    tcase_add_test(all, queue_moves_along);
    tcase_add_test(all, texts);
    tcase_add_test(all, counters_are_cleared);
    tcase_add_test(all, nothing_to_do);
    return check_main(suite);
}
