/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Dynamic home agent address discovery and mobile prefix discovery (RFC 6275 sections 10.5 and 10.6), and the
 * list of the home links' home agents that the former answers with (section 10.1).
 *
 * Router advertisements do not say which link they came from; their prefixes do. One that names no prefix of
 * ours is let be: its router's link-local address may be on every home link, and what it says of itself ends
 * with its lifetime anyway.
 */
#include "internal.h"

#include <assert.h>
#include <stdlib.h>

#include "mip6_discovery.h"

enum {
    HEARD_MAX = 16,  /* other home agents of one home link */
    GLOBALS_MAX = 4, /* global addresses of one of them */
    REPLIES_PER_S = 100,
    PREFIXES_PAUSE_MS = 1000 /* RFC 6275 section 6.8 */
};
static_assert(HEARD_MAX * GLOBALS_MAX + AGENT_HOME_AGENTS_MAX <= MIP6_HOME_AGENTS_MAX,
              "a reply holds them all within 1,280 bytes (section 10.5.1)");
#define FOR_EVER UINT32_MAX /* as a prefix's lifetime (RFC 4861 section 4.6.2) */

struct global {
    struct addr address;
    uint64_t until_ns; /* 0: none */
};

/* Another home agent (section 10.1). */
struct heard {
    struct addr link_local;
    uint64_t until_ns; /* 0: none */
    uint16_t preference;
    struct global globals[GLOBALS_MAX];
};

/* The list of one home network's link. */
struct list {
    bool used;
    struct prefix network; /* none of ours any more: free for another */
    struct heard heard[HEARD_MAX];
};

struct discovery {
    struct limit replies;
    struct list lists[AGENT_HOME_NETWORKS_MAX]; /* one for each: no link takes another's room */
};

static struct discovery *discovery_of(struct agent *agent)
{
    if (agent->discovery != NULL)
        return agent->discovery;
    agent->discovery = calloc(1, sizeof(*agent->discovery));
    if (agent->discovery == NULL)
        count(agent, AGENT_NO_MEMORY);
    else
        agent->discovery->replies = limit_of(REPLIES_PER_S, REPLIES_PER_S);
    return agent->discovery;
}

void discovery_free(struct agent *agent)
{
    free(agent->discovery);
    agent->discovery = NULL;
}

/* ---- Home agents heard (section 10.5.1) ---- */
static uint64_t end_of(uint32_t lifetime_s, struct instant now)
{
    return lifetime_s == FOR_EVER ? UINT64_MAX : now.mono_ns + lifetime_s * NSEC_PER_S;
}

static bool prefix_equal(const struct prefix *a, const struct prefix *b)
{
    return a->bits == b->bits && addr_equal(&a->addr, &b->addr);
}

static bool is_ours(const struct agent *agent, const struct prefix *network)
{
    for (size_t i = 0; i < agent->settings.n_home_networks; i++)
        if (prefix_equal(&agent->settings.home_networks[i], network))
            return true;
    return false;
}

/* Of a home network of ours. As many lists as home networks may be: one is there, or one is free. */
static struct list *list_of(const struct agent *agent, struct discovery *d, const struct prefix *network)
{
    struct list *list = d->lists;
    for (struct list *l = d->lists; l < d->lists + AGENT_HOME_NETWORKS_MAX; l++)
        if (l->used && prefix_equal(&l->network, network))
            return l;
    while (list->used && is_ours(agent, &list->network))
        list++;
    *list = (struct list){.used = true, .network = *network};
    return list;
}

static struct heard *heard_find(struct list *list, const struct addr *link_local, struct instant now)
{
    for (struct heard *h = list->heard; h < list->heard + HEARD_MAX; h++)
        if (h->until_ns > now.mono_ns && addr_equal(&h->link_local, link_local))
            return h;
    return NULL;
}

static bool goes_before(const struct heard *a, const struct heard *b)
{
    return a->preference != b->preference ? a->preference < b->preference : a->until_ns < b->until_ns;
}

/* A place for one of this preference: free, or that of the least wanted, lest those who come first keep all
 * others out. NULL: all are preferred to it. */
static struct heard *heard_place(struct list *list, uint16_t preference, struct instant now)
{
    struct heard *least = list->heard;
    for (struct heard *h = list->heard; h < list->heard + HEARD_MAX; h++) {
        if (h->until_ns <= now.mono_ns)
            return h;
        if (goes_before(h, least))
            least = h;
    }
    return least->preference <= preference ? least : NULL;
}

static struct heard *heard_add(struct agent *agent, struct list *list, const struct addr *link_local,
                               uint16_t preference, struct instant now)
{
    struct heard *h = heard_place(list, preference, now);
    if (h == NULL)
        count(agent, AGENT_HOME_AGENTS_REFUSED);
    else
        *h = (struct heard){.link_local = *link_local};
    return h;
}

/* Where address stands, or else may stand; NULL: there are too many. */
static struct global *global_place(struct heard *h, const struct addr *address, struct instant now)
{
    struct global *place = NULL;
    for (struct global *g = h->globals; g < h->globals + GLOBALS_MAX; g++) {
        if (addr_equal(&g->address, address))
            return g;
        if (place == NULL && g->until_ns <= now.mono_ns)
            place = g;
    }
    return place;
}

/* A router's whole address in this network (section 7.2). */
static bool is_global_of(const struct agent *agent, const struct nd_prefix *p, const struct prefix *network)
{
    return (p->flags & ND_PREFIX_ADDRESS) != 0 && prefix_contains(network, &p->prefix.addr) &&
           addr_is_routable(&p->prefix.addr) && !is_home_agent(agent, &p->prefix.addr);
}

static bool has_global(const struct agent *agent, const struct nd_router *router,
                       const struct prefix *network)
{
    for (size_t i = 0; i < router->n_prefixes; i++)
        if (is_global_of(agent, &router->prefixes[i], network))
            return true;
    return false;
}

/* An advertisement need not name them all: those of earlier ones stay as long as their prefixes are valid. */
static void globals_update(const struct agent *agent, const struct prefix *network, struct heard *h,
                           const struct nd_router *router, struct instant now)
{
    for (size_t i = 0; i < router->n_prefixes; i++) {
        const struct nd_prefix *p = &router->prefixes[i];
        if (!is_global_of(agent, p, network))
            continue;
        struct global *g = global_place(h, &p->prefix.addr, now);
        if (g != NULL)
            *g = (struct global){.address = p->prefix.addr, .until_ns = end_of(p->valid_s, now)};
    }
}

static void hear(struct agent *agent, struct list *list, const struct nd *ra, struct instant now)
{
    const struct nd_router *router = &ra->router;
    const uint16_t lifetime_s = router->has_home_agent ? router->home_agent_lifetime_s : router->lifetime_s;
    const uint16_t preference = router->has_home_agent ? router->preference : 0;
    struct heard *h = heard_find(list, &ra->source, now);
    if ((router->flags & ND_HOME_AGENT) == 0 || lifetime_s == 0) {
        if (h != NULL)
            h->until_ns = 0;
        return;
    }
    if (h == NULL && has_global(agent, router, &list->network))
        h = heard_add(agent, list, &ra->source, preference, now);
    if (h == NULL)
        return;
    h->until_ns = end_of(lifetime_s, now);
    h->preference = preference;
    globals_update(agent, &list->network, h, router, now);
}

static bool names(const struct nd_router *router, const struct prefix *network)
{
    for (size_t i = 0; i < router->n_prefixes; i++)
        if (prefix_contains(network, &router->prefixes[i].prefix.addr))
            return true;
    return false;
}

void agent_router_heard(struct agent *agent, const struct nd *advertisement, struct instant now)
{
    struct discovery *d = agent->settings.role == AGENT_PRIMARY ? discovery_of(agent) : NULL;
    if (d == NULL || advertisement->type != ND_ROUTER_ADVERTISEMENT)
        return;
    for (size_t i = 0; i < agent->settings.n_home_networks; i++) {
        const struct prefix *network = &agent->settings.home_networks[i];
        if (names(&advertisement->router, network))
            hear(agent, list_of(agent, d, network), advertisement, now);
    }
}

/* ---- Home agent address discovery ---- */

/* Candidates in the order in which they are told: by falling preference, and by lot. */
struct candidates {
    size_t n;
    struct candidate {
        uint64_t order;
        struct addr address;
    } all[HEARD_MAX * GLOBALS_MAX + AGENT_HOME_AGENTS_MAX];
};

/* Two lots: one for the home agent, one for its address. */
static uint64_t order_of(struct agent *agent, uint16_t preference, uint32_t lot)
{
    return (uint64_t)(UINT16_MAX - preference) << 48 | (uint64_t)(lot & 0xffffff) << 24 |
           (agent_random(agent) & 0xffffff);
}

static void candidate_add(struct agent *agent, struct candidates *c, uint16_t preference, uint32_t lot,
                          const struct addr *address)
{
    c->all[c->n++] = (struct candidate){.order = order_of(agent, preference, lot), .address = *address};
}

static void add_ourselves(struct agent *agent, const struct prefix *network, const struct addr *otherwise,
                          struct candidates *c)
{
    const struct agent_settings *s = &agent->settings;
    const uint32_t lot = (uint32_t)agent_random(agent);
    for (size_t i = 0; i < s->n_home_agents; i++)
        if (prefix_contains(network, &s->home_agents[i]))
            candidate_add(agent, c, s->advertised.preference, lot, &s->home_agents[i]);
    if (c->n == 0)
        candidate_add(agent, c, s->advertised.preference, lot, otherwise);
}

static void add_heard(struct agent *agent, const struct heard *h, struct instant now, struct candidates *c)
{
    const uint32_t lot = (uint32_t)agent_random(agent);
    for (size_t i = 0; i < GLOBALS_MAX; i++)
        if (h->globals[i].until_ns > now.mono_ns)
            candidate_add(agent, c, h->preference, lot, &h->globals[i].address);
}

static int by_order(const void *a, const void *b)
{
    const uint64_t x = ((const struct candidate *)a)->order, y = ((const struct candidate *)b)->order;
    return (x > y) - (x < y);
}

static void list_home_agents(struct agent *agent, const struct list *list, const struct addr *own,
                             struct instant now, struct mip6_discovery *reply)
{
    struct candidates c;
    c.n = 0;
    add_ourselves(agent, &list->network, own, &c);
    for (const struct heard *h = list->heard; h < list->heard + HEARD_MAX; h++)
        if (h->until_ns > now.mono_ns)
            add_heard(agent, h, now, &c);
    qsort(c.all, c.n, sizeof(c.all[0]), by_order);
    for (size_t i = 0; i < c.n; i++)
        reply->addresses[reply->n_addresses++] = c.all[i].address;
}

/* The home network whose home agents are asked for; NULL: none of ours. */
static const struct prefix *asked_network(const struct agent *agent, const struct addr *destination)
{
    for (size_t i = 0; i < agent->settings.n_home_networks; i++) {
        const struct prefix *network = &agent->settings.home_networks[i];
        if (addr_is_ipv4(&network->addr))
            continue;
        const struct addr anycast = mip6_home_agents_anycast(network);
        if (addr_equal(&anycast, destination))
            return network;
    }
    return NULL;
}

static bool send(struct agent *agent, struct message *m, const struct mip6_discovery *d, struct mobile *owner)
{
    const bool routed = !addr_is_unspecified(&m->home);
    struct writer w = writer_over(m->bytes, sizeof(m->bytes));
    mip6_discovery_encode(&w, d, &m->source, routed ? &m->home : &m->destination);
    m->len = writer_len(&w);
    m->protocol = IPPROTO_NUM_ICMPV6;
    if (w.failed || (owner != NULL && !ipsec_seal(agent, owner->ipsec, m)))
        return false;
    effect_send(agent, m);
    return true;
}

/* From one of our global addresses, straight to where it came from (section 6.5). */
static void tell_home_agents(struct agent *agent, const struct agent_datagram *datagram, uint16_t identifier,
                             struct instant now)
{
    const struct prefix *network = asked_network(agent, &datagram->destination);
    const struct addr *own = home_agent_for(agent, &datagram->destination);
    struct discovery *d = discovery_of(agent);
    if (network == NULL || addr_is_ipv4(own) || d == NULL || !addr_is_routable(&datagram->source)) {
        count(agent, AGENT_DISCOVERY_DISCARDED);
        return;
    }
    if (!limit_take(&d->replies, now.mono_ns)) {
        count(agent, AGENT_DISCOVERY_WITHHELD);
        return;
    }
    struct mip6_discovery reply = {.type = MIP6_HOME_AGENT_REPLY, .identifier = identifier};
    struct message m = {.source = *own, .destination = datagram->source, .home = addr_unspecified};
    list_home_agents(agent, list_of(agent, d, network), &m.source, now, &reply);
    if (send(agent, &m, &reply, NULL))
        count(agent, AGENT_HOME_AGENTS_TOLD);
}

/* ---- Mobile prefix discovery ---- */

/* The home network as it is advertised on the home link, with our address in it (section 7.2). */
static struct nd_prefix advertised_prefix(const struct agent *agent, const struct addr *home)
{
    const struct prefix *network = home_network(agent, home);
    const struct home_prefix *lifetimes = home_prefix(agent, home);
    const struct addr *own = home_agent_for(agent, home);
    const bool ours = prefix_contains(network, own);
    return (struct nd_prefix){
        .prefix = {.addr = ours ? *own : prefix_network(network).addr, .bits = network->bits},
        .flags = (uint8_t)(ND_PREFIX_ON_LINK | ND_PREFIX_AUTONOMOUS | (ours ? ND_PREFIX_ADDRESS : 0)),
        .valid_s = lifetimes->valid_s == 0 ? FOR_EVER : lifetimes->valid_s,
        .preferred_s = lifetimes->valid_s == 0 ? FOR_EVER : lifetimes->preferred_s,
    };
}

static bool pause_is_over(uint32_t told_ms, uint32_t ms)
{
    return told_ms == 0 || ms - told_ms >= PREFIXES_PAUSE_MS + 1;
}

/* Not more than one a second to any mobile node (section 6.8). But who asks in the clear may be anybody: such
 * an answer does not delay the one to who has proven by ESP to be the mobile node. 0 is kept for never, by an
 * odd number. */
static bool may_be_told(struct mobile *mobile, bool proven, struct instant now)
{
    const uint32_t ms = (uint32_t)(now.mono_ns / NSEC_PER_MS) | 1;
    if (!pause_is_over(mobile->prefixes_told_ms[true], ms) ||
        (!proven && !pause_is_over(mobile->prefixes_told_ms[false], ms)))
        return false;
    mobile->prefixes_told_ms[proven] = ms;
    return true;
}

/* Who asks for prefixes: its home address in the option that it has to bear (section 6.7), and bound to where
 * it asks from, which ESP does not cover either. NULL: nobody who is to be answered. */
static struct mobile *asking_mobile(const struct agent *agent, const struct agent_datagram *datagram)
{
    struct mobile *mobile = mobile_by_home(agent, &datagram->home);
    const bool bound = mobile != NULL && care_find(mobile, &datagram->source) != NULL &&
                       home_network(agent, &mobile->home) != NULL;
    const bool answers = is_home_agent(agent, &datagram->destination) && !agent->settings.withhold_prefixes;
    return bound && answers ? mobile : NULL;
}

/* Section 10.6.3: from the address that it registered with, to the source of the solicitation, with a routing
 * header; M and O are clear without DHCPv6 (section 6.8). */
static void tell_prefixes(struct agent *agent, const struct agent_datagram *datagram, uint16_t identifier,
                          struct mobile *owner, struct instant now)
{
    struct mobile *mobile = asking_mobile(agent, datagram);
    if (mobile == NULL) {
        count(agent, AGENT_DISCOVERY_DISCARDED);
        return;
    }
    if (!may_be_told(mobile, owner != NULL, now)) {
        count(agent, AGENT_DISCOVERY_WITHHELD);
        return;
    }
    struct mip6_discovery reply = {
        .type = MIP6_PREFIX_ADVERTISEMENT, .identifier = identifier, .n_prefixes = 1};
    struct message m = {
        .source = mobile->cares->tunnel->source, .destination = datagram->source, .home = mobile->home};
    reply.prefixes[0] = advertised_prefix(agent, &mobile->home);
    if (send(agent, &m, &reply, owner))
        count(agent, AGENT_PREFIXES_TOLD);
}

void discovery_handle(struct agent *agent, const struct agent_datagram *datagram, struct mobile *owner,
                      struct instant now)
{
    struct mip6_discovery asked;
    const bool whole = mip6_discovery_decode(datagram->payload, datagram->len, &asked);
    if (whole && asked.type == MIP6_HOME_AGENT_REQUEST)
        tell_home_agents(agent, datagram, asked.identifier, now);
    else if (whole && asked.type == MIP6_PREFIX_SOLICITATION)
        tell_prefixes(agent, datagram, asked.identifier, owner, now);
    else
        count(agent, AGENT_DISCOVERY_DISCARDED);
}
