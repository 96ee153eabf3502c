/* SPDX-License-Identifier: BSD-3-Clause */
#include "judge.h"

#include "model.h"

size_t judge_effects(void)
{
    size_t sent = 0;
    for (size_t i = 0; i < lab.n_log; i++) {
        const struct effect *e = &lab.log[i];
        if (e->kind == EFFECT_INSTALL) {
            struct node *n = world_node_at(&e->install.home);
            n->installed = e->install;
            n->is_installed = true;
        } else if (e->kind == EFFECT_REMOVE) {
            struct node *n = world_node_at(&e->remove);
            require(n->is_installed, "node %zu removed twice", n->number);
            n->is_installed = false;
        }
        sent += e->kind == EFFECT_SEND;
    }
    return sent;
}

static const struct care_of *among(const struct care_of *list, size_t n, const struct addr *a)
{
    for (size_t i = 0; i < n; i++)
        if (addr_equal(&list[i].address, a))
            return &list[i];
    return NULL;
}

static void check_care_of(struct node *n, const struct binding_view *v, size_t i)
{
    const struct care_of *told = among(n->installed.care_of, n->installed.n_care_of, &v->care_of[i].address);
    const struct bound *b = model_find(n, &v->care_of[i].address);
    require(told != NULL && b != NULL, "node %zu: a care-of address too many", n->number);
    require(told->path_mtu == v->care_of[i].path_mtu && told->unreachable == v->care_of[i].unreachable,
            "node %zu: forwarding does not know the tunnel", n->number);
    require(told->reverse == b->reverse && v->care_of[i].reverse == b->reverse,
            "node %zu: reverse tunnel of another request", n->number);
    require(v->lifetime_left_s[i] == (b->ends_ns - lab.now.mono_ns) / NSEC_PER_S, "node %zu: %u s left",
            n->number, v->lifetime_left_s[i]);
}

void judge_node(struct node *n)
{
    struct binding_view v = {0};
    model_expire(n);
    const bool bound = agent_binding(lab.agent, &n->home, lab.now, &v);
    require(bound == (n->n_bound > 0), "node %zu: %zu care-of addresses", n->number, n->n_bound);
    require(bound == n->is_installed, "node %zu", n->number);
    require(bound == agent_intercepts(lab.agent, &n->home), "node %zu", n->number);
    require(v.n_care_of == n->n_bound, "node %zu: %zu and %zu", n->number, v.n_care_of, n->n_bound);
    require(!bound || n->installed.n_care_of == n->n_bound, "node %zu", n->number);
    require(!bound || addr_equal(&n->installed.source, &v.home_agent), "node %zu", n->number);
    for (size_t i = 0; i < v.n_care_of; i++)
        check_care_of(n, &v, i);
}

/* ---- Time ---- */
void judge_until(uint64_t until)
{
    while (agent_deadline(lab.agent) <= until) {
        if (agent_deadline(lab.agent) > lab.now.mono_ns)
            lab_pass(&lab, agent_deadline(lab.agent) - lab.now.mono_ns);
        lab_forget(&lab);
        agent_expire(lab.agent, lab.now, 1 + below(8));
        lab_drain(&lab);
        require(judge_effects() == 0, "a reply to nobody");
        for (size_t i = 0; i < lab.n_log; i++)
            if (lab.log[i].kind == EFFECT_REMOVE) {
                struct node *n = world_node_at(&lab.log[i].remove);
                model_expire(n);
                require(n->n_bound == 0, "node %zu ended early", n->number);
            }
    }
}

static void settle(void)
{
    while (agent_deadline(lab.agent) <= lab.now.mono_ns)
        judge_until(lab.now.mono_ns);
}

/* Changed tunnels are told in slices, so the agent is let finish first. */
void judge_all(void)
{
    settle();
    for (size_t i = 0; i < NODES; i++)
        judge_node(&nodes[i]);
    require(agent_bindings(lab.agent) == n_bound_nodes, "%zu bindings", n_bound_nodes);
    size_t cursor = 0, walked = 0;
    struct binding_view v;
    while (agent_binding_next(lab.agent, &cursor, 1 + below(100), lab.now, &v))
        walked += v.n_care_of > 0;
    require(walked == n_bound_nodes, "%zu walked", walked);
}
