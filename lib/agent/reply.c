/* SPDX-License-Identifier: BSD-3-Clause */
/* Registration replies (RFC 5944 sections 3.4 and 3.8.3). */
#include "internal.h"

#include "primary/delegation.h"

/* Section 3.8.3.1: the request's addresses and ports the other way round, but a broadcast is answered from
 * our unicast address. */
static void address(const struct registration *r, struct message *m)
{
    const struct agent_datagram *d = r->datagram;
    m->source = r->broadcast ? *home_agent_for(r->agent, &r->mobile->home) : d->destination;
    m->destination = d->source;
    m->home = addr_unspecified;
    m->protocol = IPPROTO_NUM_UDP;
    m->source_port = d->destination_port;
    m->destination_port = d->source_port;
    m->on_link = registration_is_from_home(r);
    m->mac = d->on_home_link ? d->source_mac : (struct mac){{0}};
}

/* Section 3.8.3.2: the request's own choice if it is one of ours, else one that is. */
static struct addr home_agent(const struct registration *r)
{
    if (is_home_agent(r->agent, &r->request.home_agent))
        return r->request.home_agent;
    return r->broadcast ? *home_agent_for(r->agent, &r->mobile->home) : r->datagram->destination;
}

/* A home address of zero asks for one (RFC 2794); any other is copied, even one that is refused. */
static struct addr home(const struct registration *r)
{
    return addr_is_unspecified(&r->request.home) ? r->mobile->home : r->request.home;
}

/* Towards a foreign agent the association that its request used, else the first that we share. */
static const struct security *foreign_security(const struct registration *r)
{
    if (r->foreign == NULL)
        return NULL;
    const struct security *named = security_find(r->foreign->securities, r->request.ext.foreign_home.spi);
    return named != NULL ? named : r->foreign->securities;
}

static bool append_auth(struct writer *w, uint8_t type, const struct security *s, struct auth *auth)
{
    const struct auth_key key = security_key(s);
    return mip4_append_auth(w, type, s->spi, &key, auth);
}

/* Section 3.8.3.3: what is the mobile node's, its authentication, then the foreign agent's. */
static bool append_extensions(const struct registration *r, struct writer *w)
{
    const struct mip4_span *nai = &r->request.ext.nai;
    if (registration_nai_is_signed(r))
        mip4_append(w, MIP4_EXT_NAI, nai->bytes, nai->len);
    if (!append_auth(w, MIP4_EXT_MOBILE_HOME_AUTH, r->security, r->agent->auth))
        return false;
    const struct security *foreign = foreign_security(r);
    return foreign == NULL || registration_is_farewell(r) ||
           append_auth(w, MIP4_EXT_FOREIGN_HOME_AUTH, foreign, r->agent->auth);
}

void reply_send(struct registration *r, uint8_t code, uint16_t lifetime_s)
{
    const struct mip4_reply reply = {
        .code = code,
        .lifetime_s = lifetime_s,
        .home = home(r),
        .home_agent = home_agent(r),
        .identification = replay_answer(r->security, &r->request, r->freshness, r->now),
    };
    struct message m;
    struct writer w = writer_over(m.bytes, sizeof(m.bytes));
    mip4_reply_encode(&w, &reply);
    if (!append_extensions(r, &w))
        return;
    address(r, &m);
    m.len = writer_len(&w);
    r->agent->counters.replies[code]++;
    if (r->hold)
        delegation_hold_reply(r->agent, r->mobile, &m, r->now);
    else
        effect_send(r->agent, &m);
}
