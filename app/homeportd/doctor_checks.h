/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the command `doctor` looks at: a table of checks, each about the appliance itself, one peer or one
 * port, and each ending in one finding. A check reads what control knows and changes nothing.
 *
 * Control's alone.
 */
#ifndef HOMEPORTD_DOCTOR_CHECKS_H
#define HOMEPORTD_DOCTOR_CHECKS_H

#include "control.h"

enum { DOCTOR_DETAIL_MAX = 640 };

/* X(name, text): unknown is what cannot be told from here, or not yet. */
#define DOCTOR_GRADES(X)  \
    X(OK, "ok")           \
    X(WARNING, "warning") \
    X(FAULT, "fault")     \
    X(UNKNOWN, "unknown")
enum doctor_grade {
#define X(name, text) DOCTOR_##name,
    DOCTOR_GRADES(X)
#undef X
};
const char *doctor_grade_text(enum doctor_grade grade);

struct doctor_finding {
    enum doctor_grade grade;
    char detail[DOCTOR_DETAIL_MAX]; /* what was seen, and what to do about it */
};

/* Packets that come to a primary for bindings which it has delegated to one secondary. */
struct doctor_strays {
    char name[AGENT_NAME_MAX]; /* the secondary's */
    uint32_t bindings;
    uint64_t pps;
    struct addr home; /* one of them */
};

enum doctor_about { DOCTOR_SELF, DOCTOR_PEER, DOCTOR_PORT };

struct doctor_subject {
    struct control *c;
    struct peer_view peer;              /* DOCTOR_PEER */
    const struct doctor_strays *strays; /* DOCTOR_PEER, at a primary; NULL: none were found */
    const struct port *port;            /* DOCTOR_PORT */
};

struct doctor_check {
    const char *name;
    unsigned roles; /* bit (1 << enum conf_role) for each that it is for */
    enum doctor_about about;
    void (*look)(const struct doctor_subject *subject, struct doctor_finding *out);
};
extern const struct doctor_check doctor_checks[];
extern const size_t doctor_checks_rows;

void doctor_find(struct doctor_finding *out, enum doctor_grade grade, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* doctor_ports.c */
void doctor_check_link(const struct doctor_subject *subject, struct doctor_finding *out);
void doctor_check_port_mtu(const struct doctor_subject *subject, struct doctor_finding *out);
void doctor_check_peer_mtu(const struct doctor_subject *subject, struct doctor_finding *out);
void doctor_check_too_big(const struct doctor_subject *subject, struct doctor_finding *out);

#endif
