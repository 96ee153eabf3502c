/* SPDX-License-Identifier: BSD-3-Clause */
#include "deliver.h"

#include "judge.h"
#include "model.h"
#include "network.h"

static void deliver_forged(struct node *n, const struct packet *p)
{
    const struct answer a = lab_send_bytes(&lab, &p->ask, p->bytes, p->len);
    tally.forged++;
    require(!a.sent || !mip4_code_is_success(a.reply.code), "node %zu: forged, answered %u", n->number,
            a.reply.code);
    for (size_t i = 0; i < lab.n_log; i++)
        require(lab.log[i].kind == EFFECT_SEND || lab.log[i].kind == EFFECT_NOTE, "a forged request acts");
    if (a.sent && a.mobile_good)
        model_learn(n, &(struct expectation){0}, a.reply.identification);
}

static void check_reply(const struct packet *p, const struct answer *a)
{
    require(a->mobile_good, "not signed");
    require(a->foreign_good == (p->ask.foreign_times > 0), "foreign authentication");
    require((uint32_t)a->reply.identification == (uint32_t)p->ask.q.identification, "Identification");
    require(addr_equal(&a->message.destination, &p->ask.source), "sent to somebody else");
    require(a->message.on_link == addr_equal(&p->ask.source, &p->ask.q.home), "on the wrong link");
}

void deliver(struct node *n, const struct packet *p)
{
    tally.delivered++;
    if (p->forged) {
        deliver_forged(n, p);
        return;
    }
    struct expectation e = model_expect(n, p);
    const struct answer a = lab_send_bytes(&lab, &p->ask, p->bytes, p->len);
    require(a.sent == e.answered, "node %zu: %s", n->number, a.sent ? "answered" : "not answered");
    require(judge_effects() == (a.sent ? 1u : 0u), "replies");
    if (!a.sent)
        return;
    require(a.reply.code == e.code, "node %zu: %u instead of %u", n->number, a.reply.code, e.code);
    check_reply(p, &a);
    model_apply(n, p, &e);
    model_learn(n, &e, a.reply.identification);
    if (e.again)
        for (size_t i = 0; i < lab.n_log; i++)
            require(lab.log[i].kind == EFFECT_SEND || lab.log[i].kind == EFFECT_NOTE, "a duplicate acts");
    network_reply(n, &a.reply);
}
