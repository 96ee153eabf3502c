/* SPDX-License-Identifier: BSD-3-Clause */
/* What the doctor says of a port's MTU; what doctor_ports.c calls of the rest is played here. */
#include <stdarg.h>
#include <stdio.h>

#include "../check_main.h"
#include "counters.h"
#include "doctor.h"
#include "doctor_checks.h"

void doctor_find(struct doctor_finding *out, enum doctor_grade grade, const char *format, ...)
{
    va_list args;
    out->grade = grade;
    va_start(args, format);
    vsnprintf(out->detail, sizeof(out->detail), format, args);
    va_end(args);
}

uint64_t doctor_port_losses_lately(const struct control *c, unsigned port_index)
{
    (void)c;
    (void)port_index;
    return 0;
}

uint64_t doctor_lately_s(const struct control *c)
{
    (void)c;
    return 10;
}

bool host_nd_is_usable(const struct control *c, unsigned port_index, const struct addr *own)
{
    (void)c;
    (void)port_index;
    (void)own;
    return true;
}

uint64_t control_verdicts(const struct control *c, enum verdict v)
{
    (void)c;
    (void)v;
    return 0;
}

uint64_t counters_control(const struct control *c, enum control_counter counter)
{
    (void)c;
    (void)counter;
    return 0;
}

/* Delegation keeps to the link, down to what it cannot divide. */
static const struct {
    uint16_t mtu;
    enum doctor_grade grade;
    const char *says;
} mtus[] = {
    {576, DOCTOR_FAULT, "delegation datagrams of up to 874 bytes"},
    {873, DOCTOR_FAULT, "delegation datagrams of up to 874 bytes"},
    {874, DOCTOR_WARNING, "less than the 1500"},
    {1280, DOCTOR_WARNING, "less than the 1500"},
    {1499, DOCTOR_WARNING, "less than the 1500"},
    {1500, DOCTOR_OK, "1500: tunnels add up to 20"},
    {1520, DOCTOR_OK, "packets of 1500 pass whole"},
};

START_TEST(mtu)
{
    struct conf conf = {.role = ROLE_PRIMARY, .agent.encapsulations = 1U << ENCAPSULATION_IPIP};
    struct control c = {.conf = &conf, .ports.n = 1, .ports.port[0].mtu = mtus[_i].mtu};
    const struct doctor_subject subject = {.c = &c, .port = &c.ports.port[0]};
    struct doctor_finding finding;
    doctor_check_port_mtu(&subject, &finding);
    ck_assert_msg(finding.grade == mtus[_i].grade && strstr(finding.detail, mtus[_i].says) != NULL, "%u: %s",
                  (unsigned)mtus[_i].mtu, finding.detail);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("doctor_ports");
    TCase *tc = tcase_create("doctor_ports");
    tcase_add_loop_test(tc, mtu, 0, ROWS(mtus));
    suite_add_tcase(s, tc);
    return s;
}

int main(void)
{
    return check_main(suite());
}
