/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Thousands of mobile nodes register, renew, move and come home over a network that loses, doubles, delays
 * and so reorders; others forge and replay. A model that knows nothing of the agent's insides says what must
 * be bound, and after every event the agent is held against it:
 *
 *     - a binding exists if and only if the model says so, with these care-of addresses, to the second, and
 *       with reverse tunnels from those of them that asked;
 *     - home addresses are intercepted if and only if they are bound;
 *     - INSTALL and REMOVE, replayed, give exactly the agent's bindings;
 *     - there is no reply without a request, and each reply bears the code that the model expects;
 *     - what is forged or replayed changes nothing.
 *
 *     test_random [OPTION]..., see trial.h
 */
#include "configuration.h"
#include "deliver.h"
#include "judge.h"
#include "mischief.h"
#include "mobile.h"

static void happen(struct timer *t)
{
    if (t->kind == WAKE_ACT) {
        mobile_act(timer_owner(t, struct node, act));
        return;
    }
    if (t->kind == WAKE_RETRY) {
        mobile_retry(timer_owner(t, struct node, retry));
        return;
    }
    struct flight *f = timer_owner(t, struct flight, timer);
    struct node *n = &nodes[f->node];
    if (t->kind == WAKE_REQUEST)
        deliver(n, &f->packet);
    else
        mobile_hear_reply(n, f);
    free(f);
    judge_node(n);
}

static void live(uint64_t n_events)
{
    for (trial.event = 0; trial.event < n_events; trial.event++) {
        uint64_t at = timerq_next(events);
        judge_until(at);
        if (at > lab.now.mono_ns)
            lab_pass(&lab, at - lab.now.mono_ns);
        struct timer *t = timerq_pop(events, lab.now.mono_ns);
        if (t != NULL)
            happen(t);
        mischief();
        if (trial.event % 4096 == 0)
            judge_all();
    }
    judge_all();
}

static void begin(void)
{
    lab_open(&lab);
    agent_sweep_begin(lab.agent); /* the lab's own people go */
    while (agent_sweep(lab.agent, 100, lab.now))
        continue;
    lab.settings.max_bindings = ROOM;
    lab.settings.max_care_of = percent(50) ? 1 : SETS;
    lab.settings.reverse_tunnel = (uint8_t)below(REVERSE_TUNNEL_REQUIRED + 1);
    require(agent_configure(lab.agent, &lab.settings) == 0, "out of memory");
    events = timerq_create();
    nodes = calloc(NODES, sizeof(*nodes));
    history = calloc(HISTORY, sizeof(*history));
    require(events != NULL && nodes != NULL && history != NULL, "out of memory");
    configuration_begin();
    configuration_foreigns();
    for (size_t i = 0; i < NODES; i++) {
        nodes[i].number = i;
        nodes[i].home = addr_from_ipv4(0x0a016400u + (uint32_t)i);
        nodes[i].sa = lab_association(i % LAB_MOBILES);
        configuration_add(&nodes[i]);
        world_arm(&nodes[i].act, WAKE_ACT, below(60 * NSEC_PER_S));
    }
}

static void end(void)
{
    struct timer *t;
    while ((t = timerq_pop(events, TIMER_NEVER)) != NULL)
        if (t->kind == WAKE_REQUEST || t->kind == WAKE_REPLY)
            free(timer_owner(t, struct flight, timer));
    timerq_destroy(events);
    free(nodes);
    free(history);
    lab_close(&lab);
}

static void run(uint64_t n_events)
{
    begin();
    const uint64_t began = lab.now.mono_ns;
    live(n_events);
    printf("%" PRIu64 " events in %" PRIu64
           " virtual seconds, %u care-of addresses allowed, reverse tunnel policy "
           "%u, %zu bound\n",
           n_events, (lab.now.mono_ns - began) / NSEC_PER_S, lab.settings.max_care_of,
           lab.settings.reverse_tunnel, n_bound_nodes);
    printf("delivered %" PRIu64 ", lost %" PRIu64 ", forged %" PRIu64 ", replayed %" PRIu64 "\n",
           tally.delivered, tally.lost, tally.forged, tally.replayed);
    printf("accepted %" PRIu64 ", denied %" PRIu64 ", answered again %" PRIu64 ", expired %" PRIu64 "\n",
           tally.accepted, tally.denied, tally.again, tally.expired);
    end();
}

int main(int argc, char **argv)
{
    return trial_main(argc, argv, 200000, run);
}
