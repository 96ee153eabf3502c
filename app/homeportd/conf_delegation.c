/* SPDX-License-Identifier: BSD-3-Clause */
/* The delegation section: when a primary delegates, to whom, and how fast. */
#include "conf_sections.h"
#include "conf_values.h"
#include "mip4.h"

enum { LINGER_MIN_S = 1, LINGER_MAX_S = 600, PACE_MAX = 1000000, MS_PER_S = 1000 };

static void choices_of(const struct section *s, struct delegation_settings *d)
{
    static const char *const when[] = {[WHEN_AFTER_REGISTRATION] = "after-registration",
                                       [WHEN_ON_REGISTRATION] = "on-registration",
                                       [WHEN_ON_LOAD] = "on-load",
                                       [WHEN_MANUAL] = "manual",
                                       NULL};
    static const char *const policies[] = {[POLICY_EQUAL] = "equal", [POLICY_RATE] = "rate", NULL};
    static const char *const sources[] = {"primary", "own", NULL};
    unsigned when_choice = d->when, policy = d->policy, source = d->own_source;
    value_choice(section_word(s, "when"), when, &when_choice);
    value_choice(section_word(s, "policy"), policies, &policy);
    value_choice(section_word(s, "outer-source"), sources, &source);
    d->when = (uint8_t)when_choice;
    d->policy = (uint8_t)policy;
    d->own_source = source == 1;
}

void delegation_read(struct reading *reading, const struct section *file)
{
    struct delegation_settings *d = &reading->conf->agent.delegation;
    struct section s;
    *d = delegation_defaults();
    if (!section_only(file, "delegation", &s))
        return;
    choices_of(&s, d);
    uint32_t port = d->port, linger_s = d->linger_ms / MS_PER_S;
    const struct word *w = section_word(&s, "port");
    if (value_number(w, 1, UINT16_MAX, &port) && port == MIP4_PORT)
        word_fault(w, "%u is the port of registrations", port);
    d->port = (uint16_t)port;
    value_number(section_word(&s, "linger"), LINGER_MIN_S, LINGER_MAX_S, &linger_s);
    d->linger_ms = linger_s * MS_PER_S;
    value_number(section_word(&s, "threshold"), 1, UINT32_MAX, &d->threshold_pps);
    value_number(section_word(&s, "moves"), 1, PACE_MAX, &d->moves_per_s);
    value_number(section_word(&s, "announcements"), 1, PACE_MAX, &d->announcements_per_s);
}
