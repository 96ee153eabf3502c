/* SPDX-License-Identifier: BSD-3-Clause */
#include "mischief.h"

#include "configuration.h"
#include "deliver.h"
#include "heard.h"
#include "judge.h"
#include "model.h"

static void forge(void)
{
    if (n_history == 0)
        return;
    struct packet p = history[below(n_history < HISTORY ? n_history : HISTORY)];
    const size_t bit = below(p.signed_len * 8);
    p.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    p.forged = true;
    deliver(world_node_at(&p.ask.q.home), &p);
}

static void replay(void)
{
    if (n_history == 0)
        return;
    const struct packet *p = &history[below(n_history < HISTORY ? n_history : HISTORY)];
    tally.replayed++;
    deliver(world_node_at(&p->ask.q.home), p);
}

static void revoke(void)
{
    struct node *n = &nodes[below(NODES)];
    model_expire(n);
    lab_forget(&lab);
    const bool was = agent_revoke(lab.agent, &n->home, lab.now);
    lab_drain(&lab);
    require(was == (n->n_bound > 0), "node %zu", n->number);
    model_note_bound(n, 0);
    require(judge_effects() == 0, "a reply to nobody");
    judge_node(n);
}

static void take_arp(void)
{
    const struct node *n = &nodes[below(NODES)];
    const bool claim = percent(50);
    const struct arp arp = {.operation = ARP_REQUEST,
                            .sender = claim ? n->home : ip("10.1.200.200"),
                            .sender_mac = {{2, 3}},
                            .target = n->home};
    lab_forget(&lab);
    const bool answered = hear_arp(lab.agent, &arp, lab.now);
    lab_drain(&lab);
    require(answered == (!claim && n->n_bound > 0), "node %zu", n->number);
    require(lab_count(&lab, EFFECT_NOTE) == lab.n_log, "ARP acts at once");
}

static void break_tunnel(void)
{
    const struct node *n = &nodes[below(NODES)];
    if (!n->is_installed)
        return;
    uint8_t quote[IPV4_HEADER + 8];
    struct writer w = writer_over(quote, sizeof(quote));
    const struct ip_header outer = {.ttl = 60,
                                    .protocol = IPPROTO_NUM_IPIP,
                                    .total_len = 1500,
                                    .source = n->installed.source,
                                    .destination = n->installed.care_of[0].address};
    ip_encode(&w, &outer);
    const struct ip_header from = {.source = ip("203.0.113.1")};
    const struct icmp icmp = {.type = ICMP_UNREACHABLE,
                              .code = percent(50) ? ICMP_HOST_UNREACHABLE : ICMP_FRAGMENTATION_NEEDED,
                              .rest = 1200 + (uint32_t)below(300),
                              .data = quote,
                              .data_len = sizeof(quote)};
    lab_forget(&lab);
    agent_tunnel_error(lab.agent, &from, &icmp, lab.now);
    lab_drain(&lab);
    require(judge_effects() == 0, "a reply to nobody");
}

void mischief(void)
{
    const uint64_t dice = below(1000);
    if (dice < 100)
        forge();
    else if (dice < 200)
        replay();
    else if (dice < 250)
        take_arp();
    else if (dice < 270)
        break_tunnel();
    else if (dice < 280)
        revoke();
    else if (dice == 999 && percent(20))
        configuration_reload();
}
