/* SPDX-License-Identifier: BSD-3-Clause */
#include "registration.h"

#include "inet.h"
#include "mip6.h"

#include <stdlib.h>

enum { LIFETIME = 0xfffe };

static struct addr numbered(const char *first, size_t i)
{
    struct addr a = ip(first);
    for (size_t at = sizeof(a.b); i > 0; i >>= 8)
        a.b[--at] = (uint8_t)i;
    return a;
}

struct addr population_home(const struct population *p, size_t i)
{
    return p->ipv6 ? numbered("2001:db8:1:0:1::", i) : addr_from_ipv4(0x0b000001u + (uint32_t)i);
}

static struct association association_of(const struct population *p, size_t i)
{
    struct association sa = {.spi = 256, .replay = REPLAY_TIMESTAMP};
    sa.key.algorithm = p->ipv6 ? AUTH_HMAC_SHA1 : AUTH_HMAC_MD5;
    sa.key.len = 16;
    memcpy(sa.key.bytes, &i, sizeof(i));
    return sa;
}

static struct addr home_agent(bool ipv6)
{
    return ip(ipv6 ? POPULATION_HOME_AGENT6 : POPULATION_HOME_AGENT);
}

static bool configure(struct population *p)
{
    for (size_t i = 0; i < p->n; i++) {
        const struct addr home = population_home(p, i);
        const struct association sa = association_of(p, i);
        if (agent_mobile_set(p->agent, &home, &sa, NULL) != 0)
            return false;
    }
    return true;
}

struct population population_over(struct agent *agent, size_t n, bool ipv6, struct instant now)
{
    struct population p = {.agent = agent, .ipv6 = ipv6, .now = now, .n = n, .state = n};
    p.auth = auth_create();
    p.order = malloc(n * sizeof(*p.order));
    p.datagrams = malloc(n * sizeof(*p.datagrams));
    if (p.auth == NULL || p.order == NULL || p.datagrams == NULL || !configure(&p)) {
        population_close(&p);
        return (struct population){0};
    }
    for (size_t i = 0; i < n; i++)
        p.order[i] = (uint32_t)i;
    return p;
}

struct population population_open(size_t n, bool ipv6)
{
    static const uint8_t seed[AGENT_SEED] = {1};
    const struct instant now = {.mono_ns = NSEC_PER_S, .ntp = ntp_from_unix(1700000000, 0)};
    struct agent_settings settings = {
        .home_agents = {home_agent(ipv6)},
        .n_home_agents = 1,
        .n_home_networks = 1,
        .max_bindings = (uint32_t)n,
        .max_lifetime_s = LIFETIME,
        .max_care_of = 1,
        .timestamp_window_s = 7,
        .encapsulations = 1u << ENCAPSULATION_IPIP,
    };
    if (!prefix_parse(ipv6 ? POPULATION_HOME_NETWORK6 : POPULATION_HOME_NETWORK, &settings.home_networks[0]))
        abort();
    struct agent *agent = agent_create(&settings, seed, now);
    if (agent == NULL)
        return (struct population){0};
    struct population p = population_over(agent, n, ipv6, now);
    if (p.agent == NULL)
        agent_destroy(agent);
    p.owns_agent = p.agent != NULL;
    return p;
}

void population_close(struct population *p)
{
    if (p->owns_agent)
        agent_destroy(p->agent);
    auth_destroy(p->auth);
    free(p->order);
    free(p->datagrams);
}

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static void shuffle(struct population *p)
{
    for (size_t i = p->n; i > 1; i--) {
        const size_t j = next_random(&p->state) % i;
        const uint32_t kept = p->order[i - 1];
        p->order[i - 1] = p->order[j];
        p->order[j] = kept;
    }
}

/* Co-located: a tunnel for each. */
static struct addr care_of(const struct population *p, size_t i)
{
    return p->ipv6 ? numbered("2001:db8:c::", i + 1) : addr_from_ipv4(0x64000000u + (uint32_t)i);
}

static void encode_request(struct population *p, size_t place)
{
    const size_t i = p->order[place];
    const struct association sa = association_of(p, i);
    struct writer w = writer_over(p->datagrams[place], PERF_DATAGRAM);
    const struct mip4_request q = {
        .flags = MIP4_COLOCATED,
        .lifetime_s = LIFETIME,
        .home = population_home(p, i),
        .home_agent = home_agent(false),
        .care_of = care_of(p, i),
        .identification = p->now.ntp,
    };
    mip4_request_encode(&w, &q);
    if (!mip4_append_auth(&w, MIP4_EXT_MOBILE_HOME_AUTH, sa.spi, &sa.key, p->auth))
        abort();
}

static void encode_update(struct population *p, size_t place)
{
    const size_t i = p->order[place];
    const struct association sa = association_of(p, i);
    const struct addr home = population_home(p, i), at = care_of(p, i), agent = home_agent(true);
    struct writer w = writer_over(p->datagrams[place], PERF_DATAGRAM);
    const struct mip6_update update = {.sequence = (uint16_t)place,
                                       .flags = MIP6_HOME_REGISTRATION,
                                       .lifetime = LIFETIME / MIP6_LIFETIME_UNIT_S};
    mip6_update_begin(&w, &update);
    mip6_append_timestamp(&w, p->now.ntp);
    if (!mip6_append_auth(&w, sa.spi, &sa.key, &at, &home, p->auth) || !mip6_finish(&w, &home, &agent) ||
        writer_len(&w) != PERF_UPDATE)
        abort();
}

void population_prepare(struct population *p)
{
    shuffle(p);
    p->now.mono_ns += NSEC_PER_S;
    p->now.ntp += ntp_from_seconds(1);
    for (size_t place = 0; place < p->n; place++)
        if (p->ipv6)
            encode_update(p, place);
        else
            encode_request(p, place);
}

static bool is_accepted(const struct effect *e)
{
    enum { STATUS = 6 };
    if (e->kind != EFFECT_SEND)
        return false;
    return e->send.protocol == IPPROTO_NUM_MOBILITY ? mip6_status_is_success(e->send.bytes[STATUS])
                                                    : mip4_code_is_success(e->send.bytes[1]);
}

static size_t take_effects(struct population *p, perf_effect effect, void *context)
{
    size_t accepted = 0;
    const struct effect *e;
    while ((e = agent_pop(p->agent)) != NULL) {
        accepted += is_accepted(e);
        if (effect != NULL)
            effect(context, e);
    }
    return accepted;
}

struct addr population_source(const struct population *p, size_t place)
{
    return care_of(p, p->order[place]);
}

size_t population_register(struct population *p, size_t first, size_t end, perf_effect effect, void *context)
{
    size_t accepted = 0;
    struct agent_datagram d = {.destination = home_agent(p->ipv6),
                               .protocol = p->ipv6 ? IPPROTO_NUM_MOBILITY : IPPROTO_NUM_UDP,
                               .source_port = MIP4_PORT,
                               .destination_port = MIP4_PORT,
                               .len = p->ipv6 ? PERF_UPDATE : PERF_REQUEST};
    for (size_t place = first; place < end; place++) {
        d.source = population_source(p, place);
        d.home = p->ipv6 ? population_home(p, p->order[place]) : addr_unspecified;
        d.payload = p->datagrams[place];
        agent_input(p->agent, &d, p->now);
        accepted += take_effects(p, effect, context);
    }
    return accepted;
}

size_t population_detect(struct population *p)
{
    size_t accepted = 0;
    p->now.mono_ns += NSEC_PER_S;
    p->now.ntp += ntp_from_seconds(1);
    while (agent_deadline(p->agent) <= p->now.mono_ns) {
        agent_expire(p->agent, p->now, 16);
        accepted += take_effects(p, NULL, NULL);
    }
    return accepted;
}

/* The repeats of the announcements are let pass, too: they are no part of a registration. */
void population_revoke(struct population *p)
{
    for (size_t i = 0; i < p->n; i++) {
        const struct addr home = population_home(p, i);
        agent_revoke(p->agent, &home, p->now);
        while (agent_pop(p->agent) != NULL)
            continue;
    }
}
