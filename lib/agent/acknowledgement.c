/* SPDX-License-Identifier: BSD-3-Clause */
/* Binding acknowledgements (RFC 6275 sections 6.1.8, 9.5.4 and 10.3) and binding errors (section 9.3.3). */
#include "internal.h"

#include "mip6.h"
#include "primary/delegation.h"

/* ---- Acknowledgements ---- */

/* Section 9.5.4: to the source of the update, whatever is bound, with a routing header where a Home Address
 * option stood. To a mobile node on its home link onto that link, past the binding that may still attract its
 * packets (section 10.3.2 says so of refusals; on its way home it may not answer neighbour solicitations for
 * its home address at all, section 11.5.5). */
static void address(const struct petition *p, struct message *m)
{
    m->source = p->destination;
    m->destination = p->source;
    m->home = p->by_option ? p->home : addr_unspecified;
    m->protocol = IPPROTO_NUM_MOBILITY;
    m->source_port = m->destination_port = 0;
    m->tos = 0;
    m->on_link = addr_equal(&p->source, &p->home);
    m->mac = p->on_home_link ? p->mac : (struct mac){{0}};
}

/* RFC 4285 sections 5.1.1 and 6: what the update had, the acknowledgement has. */
static bool append_options(struct agent *agent, const struct petition *p, const struct acknowledgement *a,
                           struct writer *w)
{
    if (p->has_timestamp)
        mip6_append_timestamp(w, a->timestamp);
    if (a->security == NULL)
        return true;
    const struct auth_key key = security_key(a->security);
    return mip6_append_auth(w, a->security->spi, &key, &p->care_of, &p->home, agent->auth);
}

/* K stays clear: our keys are configured ones (section 10.3.1). There is no refresh advice: what is bound
 * stays bound for the whole lifetime. The checksum covers the home address, wherever the message goes. */
static bool encode(struct agent *agent, const struct petition *p, const struct acknowledgement *a,
                   struct message *m)
{
    const struct mip6_ack ack = {.status = a->status, .sequence = a->sequence, .lifetime = a->lifetime};
    struct writer w = writer_over(m->bytes, sizeof(m->bytes));
    mip6_ack_begin(&w, &ack);
    if (!append_options(agent, p, a, &w) || !mip6_finish(&w, &m->source, &p->home))
        return false;
    m->len = writer_len(&w);
    return true;
}

void acknowledgement_send(struct agent *agent, const struct petition *p, const struct acknowledgement *a,
                          struct instant now)
{
    struct message m;
    address(p, &m);
    if (!encode(agent, p, a, &m) || (p->in_esp && !ipsec_seal(agent, a->mobile->ipsec, &m)))
        return;
    agent->counters.acks[a->status]++;
    if (a->hold)
        delegation_hold_reply(agent, a->mobile, &m, now);
    else
        effect_send(agent, &m);
}

/* ---- Binding errors ---- */
bool home_option_holds(const struct agent *agent, const struct agent_datagram *d)
{
    if (addr_is_unspecified(&d->home) || d->protocol == IPPROTO_NUM_MOBILITY ||
        d->protocol == IPPROTO_NUM_ESP)
        return true;
    const struct mobile *mobile = mobile_by_home(agent, &d->home);
    return mobile != NULL && care_find(mobile, &d->source) != NULL;
}

/* Straight to the source on the wire, with the home address from the wire. */
void binding_error_send(struct agent *agent, const struct agent_datagram *about, uint8_t status,
                        struct instant now)
{
    if (addr_is_unspecified(&about->source) || addr_is_multicast(&about->source))
        return;
    if (!limit_take(&agent->errors, now.mono_ns)) {
        count(agent, AGENT_DISCARD_ERROR_RATE);
        return;
    }
    const bool ours = is_home_agent(agent, &about->destination) || is_own(agent, &about->destination);
    struct message m = {
        .source = ours ? about->destination : *home_agent_for(agent, &about->destination),
        .destination = about->source,
        .home = addr_unspecified,
        .protocol = IPPROTO_NUM_MOBILITY,
    };
    struct writer w = writer_over(m.bytes, sizeof(m.bytes));
    mip6_error_encode(&w, status, &about->home, &m.source, &m.destination);
    m.len = writer_len(&w);
    count(agent, AGENT_BINDING_ERRORS);
    effect_send(agent, &m);
}
