/* SPDX-License-Identifier: BSD-3-Clause */
/* show groups, as JSON, in slices as control writes them. */
#include <stdarg.h>
#include <stdlib.h>

#include "../check_main.h"
#include "commands_handlers.h"
#include "control.h"
#include "timerq.h"

enum { MANY = 20000 };

enum command_step commands_refuse(struct command *command, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(command->refusal, sizeof(command->refusal), format, args);
    va_end(args);
    return COMMAND_REFUSED;
}

static struct control control;
static struct command command;
static char *answer;
static unsigned slices;

static void add_port(const char *name, enum conf_mld mld, bool ipv6)
{
    struct port *port = &control.ports.port[control.ports.n];
    struct host_mld_port *state = &control.mld.port[control.ports.n++];
    snprintf(port->name, sizeof(port->name), "%s", name);
    if (ipv6)
        ck_assert(addr_parse("fe80::1", &port->link_local));
    state->wanted = mld;
    listener_open(&state->listener, 1500, 1);
}

static void setup(void)
{
    control = (struct control){.now.mono_ns = NSEC_PER_S};
    add_port("home", CONF_MLD_ALL, true);
    add_port("net", CONF_MLD_OWN, true);
    add_port("old", CONF_MLD_ALL, false);
}

static void teardown(void)
{
    for (unsigned i = 0; i < control.ports.n; i++)
        listener_close(&control.mld.port[i].listener);
    free(answer);
    answer = NULL;
}

static void join(unsigned port_index, uint32_t group)
{
    ck_assert(listener_join(&control.mld.port[port_index].listener, group, control.now.mono_ns));
}

/* False: refused. */
static bool show(const char *argument)
{
    static char word[64];
    size_t len = 0;
    snprintf(word, sizeof(word), "%s", argument);
    command.argc = *argument != '\0';
    command.argv[0] = word;
    command.cursor = 0;
    report_init(&command.out, true);
    free(answer);
    answer = NULL;
    for (slices = 1;; slices++) {
        const enum command_step step = commands_show_groups(&control, &command);
        if (step == COMMAND_REFUSED)
            return false;
        ck_assert_uint_le(command.out.len, REPORT_SLICE + REPORT_SLACK);
        answer = realloc(answer, len + command.out.len + 1);
        memcpy(answer + len, command.out.text, command.out.len);
        answer[len += command.out.len] = '\0';
        if (step == COMMAND_DONE)
            return true;
        ck_assert_int_eq(step, COMMAND_MORE);
        report_taken(&command.out);
    }
}

static void check_answer(const char *argument, const char *right)
{
    ck_assert_msg(show(argument), "%s: %s", argument, command.refusal);
    ck_assert_str_eq(answer, right);
}

static void check_refusal(const char *argument, const char *right)
{
    ck_assert_msg(!show(argument), "%s: %s", argument, answer);
    ck_assert_str_eq(command.refusal, right);
}

START_TEST(ports)
{
    const struct mld query = {
        .type = MLD_QUERY, .version = 2, .delay_ms = 1000, .robustness = 3, .interval_s = 60};
    join(0, 2);
    join(0, 0x50);
    listener_heard(&control.mld.port[0].listener, &query, control.now.mono_ns);
    control.mld.port[1].wanted = CONF_MLD_OFF;
    check_answer(
        "",
        "{\"listeners\": [\n"
        "{\"port\": \"home\", \"mld\": \"all\", \"version\": 2, \"robustness\": 3, \"query_interval_s\": 60, "
        "\"groups\": 2},\n"
        "{\"port\": \"net\", \"mld\": \"off\", \"version\": null, \"robustness\": null, "
        "\"query_interval_s\": null, \"groups\": 0},\n"
        "{\"port\": \"old\", \"mld\": \"all\", \"version\": null, \"robustness\": null, "
        "\"query_interval_s\": null, \"groups\": 0}]}\n");
}
END_TEST

START_TEST(of_a_port)
{
    join(0, GROUP_ALL_ROUTERS);
    join(0, 0x50);
    join(0, 0x50);
    join(0, 0x51);
    join(1, 0x52);
    listener_leave(&control.mld.port[0].listener, 0x51, control.now.mono_ns);
    check_answer("home", "{\"groups\": [\n"
                         "{\"group\": \"ff02::1:ff00:50\", \"port\": \"home\", \"addresses\": 2},\n"
                         "{\"group\": \"ff02::1:ff00:51\", \"port\": \"home\", \"addresses\": 0},\n"
                         "{\"group\": \"ff02::2\", \"port\": \"home\", \"addresses\": 1}]}\n");
    check_answer("old", "{\"groups\": []}\n");
    check_refusal("nowhere", "neither a port nor an IPv6 address: nowhere");
    check_refusal("10.1.0.50", "neither a port nor an IPv6 address: 10.1.0.50");
}
END_TEST

START_TEST(of_an_address)
{
    static const char right[] = "{\"groups\": [\n"
                                "{\"group\": \"ff02::1:ff00:50\", \"port\": \"home\", \"addresses\": 1},\n"
                                "{\"group\": \"ff02::1:ff00:50\", \"port\": \"net\", \"addresses\": 1}]}\n";
    join(0, 0x50);
    join(1, 0x50);
    join(0, 0x60);
    join(0, GROUP_ALL_ROUTERS);
    check_answer("2001:db8:1::50", right);
    check_answer("ff02::1:ff00:50", right);
    check_answer("ff02::2",
                 "{\"groups\": [\n{\"group\": \"ff02::2\", \"port\": \"home\", \"addresses\": 1}]}\n");
    check_refusal("2001:db8:1::55", "no port listens for 2001:db8:1::55");
    check_refusal("ff02::1", "no port listens for ff02::1");
}
END_TEST

/* Each once, and no slice larger than others. */
START_TEST(many)
{
    for (uint32_t i = 0; i < MANY; i++)
        join(0, i * 16);
    ck_assert(show("home"));
    ck_assert_uint_gt(slices, 50);
    unsigned rows = 0;
    for (const char *at = answer; (at = strstr(at, "\"group\": ")) != NULL; at++)
        rows++;
    ck_assert_uint_eq(rows, MANY);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("commands_groups");
    TCase *tc = tcase_create("commands_groups");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, ports);
    tcase_add_test(tc, of_a_port);
    tcase_add_test(tc, of_an_address);
    tcase_add_test(tc, many);
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return check_main(suite());
}
