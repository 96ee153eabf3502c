/* SPDX-License-Identifier: BSD-3-Clause */
#include "configuration.h"

#include "judge.h"
#include "model.h"

/* What the timestamps of those removed came to. */
static uint64_t newest_floor;

void configuration_begin(void)
{
    newest_floor = lab.now.ntp - ntp_from_seconds(60); /* the lab waits that long after boot */
}

void configuration_add(struct node *n)
{
    require(agent_mobile_set(lab.agent, &n->home, &n->sa, NULL) == 0, "out of memory");
    if (n->configured)
        return;
    n->configured = true;
    n->newest = newest_floor;
    n->n_nonces = 0;
    n->accepted.len = n->denied.len = 0;
}

static void configuration_remove(struct node *n)
{
    if (!n->configured)
        return;
    if (ntp_since(n->newest, newest_floor) > 0)
        newest_floor = n->newest;
    n->configured = false;
}

void configuration_foreigns(void)
{
    const struct association sa = lab_foreign_association();
    for (size_t i = 0; i < FOREIGNS; i++) {
        const struct addr a = foreign_address(i);
        require(agent_foreign_set(lab.agent, &a, &sa) == 0, "out of memory");
    }
}

void configuration_reload(void)
{
    agent_sweep_begin(lab.agent);
    configuration_foreigns();
    bool stays[NODES];
    for (size_t i = 0; i < NODES; i++)
        if ((stays[i] = percent(98)))
            configuration_add(&nodes[i]);
    for (size_t i = 0; i < NODES; i++) /* the agent forgets them only in the sweep, too */
        if (!stays[i])
            configuration_remove(&nodes[i]);
    for (bool more = true; more;) {
        lab_forget(&lab);
        more = agent_sweep(lab.agent, 1 + below(500), lab.now);
        lab_drain(&lab);
        require(judge_effects() == 0, "a reply to nobody");
    }
    for (size_t i = 0; i < NODES; i++)
        if (!nodes[i].configured)
            model_note_bound(&nodes[i], 0);
    judge_all();
}
