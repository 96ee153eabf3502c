/* SPDX-License-Identifier: BSD-3-Clause */
#include "registration.h"

#include <stdlib.h>

enum { LIFETIME = 0xfffe };

struct addr population_home(size_t i)
{
    return addr_from_ipv4(0x0b000001u + (uint32_t)i);
}

static struct association association_of(size_t i)
{
    struct association sa = {.spi = 256, .replay = REPLAY_TIMESTAMP};
    sa.key.algorithm = AUTH_HMAC_MD5;
    sa.key.len = 16;
    memcpy(sa.key.bytes, &i, sizeof(i));
    return sa;
}

static struct addr home_agent(void)
{
    return ip(POPULATION_HOME_AGENT);
}

static bool configure(struct population *p)
{
    for (size_t i = 0; i < p->n; i++) {
        const struct addr home = population_home(i);
        const struct association sa = association_of(i);
        if (agent_mobile_set(p->agent, &home, &sa, NULL) != 0)
            return false;
    }
    return true;
}

struct population population_over(struct agent *agent, size_t n, struct instant now)
{
    struct population p = {.agent = agent, .now = now, .n = n, .state = n};
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

struct population population_open(size_t n)
{
    static const uint8_t seed[AGENT_SEED] = {1};
    const struct instant now = {.mono_ns = NSEC_PER_S, .ntp = ntp_from_unix(1700000000, 0)};
    struct agent_settings settings = {
        .home_agents = {home_agent()},
        .n_home_agents = 1,
        .n_home_networks = 1,
        .max_bindings = (uint32_t)n,
        .max_lifetime_s = LIFETIME,
        .max_care_of = 1,
        .timestamp_window_s = 7,
        .encapsulations = 1u << ENCAPSULATION_IPIP,
    };
    if (!prefix_parse(POPULATION_HOME_NETWORK, &settings.home_networks[0]))
        abort();
    struct agent *agent = agent_create(&settings, seed, now);
    if (agent == NULL)
        return (struct population){0};
    struct population p = population_over(agent, n, now);
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

static struct addr care_of(size_t i)
{
    return addr_from_ipv4(0x64000000u + (uint32_t)i); /* co-located: a tunnel for each */
}

static void encode(struct population *p, size_t place)
{
    const size_t i = p->order[place];
    const struct association sa = association_of(i);
    struct writer w = writer_over(p->datagrams[place], PERF_DATAGRAM);
    const struct mip4_request q = {
        .flags = MIP4_COLOCATED,
        .lifetime_s = LIFETIME,
        .home = population_home(i),
        .home_agent = home_agent(),
        .care_of = care_of(i),
        .identification = p->now.ntp,
    };
    mip4_request_encode(&w, &q);
    if (!mip4_append_auth(&w, MIP4_EXT_MOBILE_HOME_AUTH, sa.spi, &sa.key, p->auth))
        abort();
}

void population_prepare(struct population *p)
{
    shuffle(p);
    p->now.mono_ns += NSEC_PER_S;
    p->now.ntp += ntp_from_seconds(1);
    for (size_t place = 0; place < p->n; place++)
        encode(p, place);
}

static bool is_accepted(const struct effect *e)
{
    return e->kind == EFFECT_SEND && mip4_code_is_success(e->send.bytes[1]);
}

struct addr population_source(const struct population *p, size_t place)
{
    return care_of(p->order[place]);
}

size_t population_register(struct population *p, size_t first, size_t end, perf_effect effect, void *context)
{
    size_t accepted = 0;
    struct agent_datagram d = {
        .destination = home_agent(), .source_port = MIP4_PORT, .destination_port = MIP4_PORT};
    for (size_t place = first; place < end; place++) {
        d.source = population_source(p, place);
        d.payload = p->datagrams[place];
        d.len = PERF_REQUEST;
        agent_input(p->agent, &d, p->now);
        const struct effect *e;
        while ((e = agent_pop(p->agent)) != NULL) {
            accepted += is_accepted(e);
            if (effect != NULL)
                effect(context, e);
        }
    }
    return accepted;
}

/* The repeats of the announcements are let pass, too: they are no part of a registration. */
void population_revoke(struct population *p)
{
    for (size_t i = 0; i < p->n; i++) {
        const struct addr home = population_home(i);
        agent_revoke(p->agent, &home, p->now);
        while (agent_pop(p->agent) != NULL)
            continue;
    }
}
