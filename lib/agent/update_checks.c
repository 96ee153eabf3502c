/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a binding update must pass (RFC 6275 sections 9.2, 9.3.1, 9.5.1 and 10.3.1, RFC 4285): two rows of
 * phases, each of which lets it pass, drops it in silence, or ends in a refusal. Sections without a number of
 * their RFC are RFC 6275's.
 */
#include "update.h"

static struct verdict pass(void)
{
    return (struct verdict){.outcome = PASS};
}

static struct verdict discard(enum agent_counter counter)
{
    return (struct verdict){.outcome = DISCARD, .counter = counter};
}

static struct verdict problem(uint8_t pointer)
{
    return (struct verdict){.outcome = PROBLEM, .pointer = pointer, .counter = AGENT_DISCARD_MH_FORMAT};
}

/* ---- Questions that phases ask ---- */
static bool is_home_registration(const struct update *u)
{
    return (u->asked.flags & MIP6_HOME_REGISTRATION) != 0;
}

/* ---- First row: is it what it says it is? ---- */

/* Section 9.3.1: before anything else is looked at. */
static struct verdict home_option(struct update *u)
{
    const bool sound = !u->asked.by_option || addr_is_ipv6_routable(&u->asked.home);
    return sound ? pass() : discard(AGENT_DISCARD_HOME_ADDRESS);
}

/* Section 9.2, in its order; the addresses are those that the checksum covers. */
static struct verdict header(struct update *u)
{
    const struct agent_datagram *d = u->datagram;
    enum mip6_type type;
    switch (mip6_check(d->payload, d->len, &u->asked.home, &d->destination, &type)) {
    case MIP6_BAD_CHECKSUM:
        return discard(AGENT_DISCARD_MH_CHECKSUM);
    case MIP6_UNKNOWN_TYPE:
        return (struct verdict){.outcome = UNKNOWN_TYPE};
    case MIP6_BAD_PAYLOAD_PROTO:
        return problem(0);
    case MIP6_BAD_LENGTH:
        return problem(1);
    case MIP6_DECODED:
        return type == MIP6_UPDATE ? pass() : discard(AGENT_DISCARD_MH_TYPE);
    default:
        return discard(AGENT_DISCARD_SHORT);
    }
}

/* Sections 9.5.1 and 9.5.4: a source that can be neither a home address nor answered elsewhere. */
static struct verdict addresses(struct update *u)
{
    count(u->agent, AGENT_REQUESTS);
    if (!is_home_agent(u->agent, &u->asked.destination))
        return discard(AGENT_DISCARD_DESTINATION);
    return addr_is_ipv6_routable(&u->asked.source) ? pass() : discard(AGENT_DISCARD_HOME_ADDRESS);
}

/* Sections 6.1.7 and 9.5.1. Nonce indices belong to correspondents' updates. */
static struct verdict form(struct update *u)
{
    struct mip6_update m;
    if (mip6_update_decode(u->datagram->payload, u->datagram->len, &m) != MIP6_DECODED)
        return discard(AGENT_DISCARD_MALFORMED);
    struct petition *p = &u->asked;
    u->options = m.options;
    p->sequence = m.sequence;
    p->flags = m.flags;
    p->lifetime = m.lifetime;
    p->has_timestamp = m.options.has_timestamp;
    p->timestamp = m.options.timestamp;
    p->care_of = m.options.has_alternate_care_of ? m.options.alternate_care_of : p->source;
    if (!addr_is_ipv6_routable(&p->care_of))
        return discard(AGENT_DISCARD_CARE_OF);
    if (is_home_registration(u) && m.options.has_nonce_indices)
        return discard(AGENT_DISCARD_MALFORMED);
    return pass();
}

/* RFC 4285 section 5: at most one of each kind, and in its place. */
static bool signatures_are_sound(const struct mip6_options *o)
{
    return o->mobile_home.count <= 1 && o->mobile_aaa.count <= 1 && !o->auth_misplaced;
}

/* Section 10.3.1: the home address says whose security association it is. One that we do not know leaves the
 * identifier (RFC 4283) to say who it is, so that its owner can be told. */
static struct verdict mobile_node(struct update *u)
{
    const struct mip6_options *o = &u->options;
    if (u->mobile == NULL)
        u->mobile = mobile_by_home(u->agent, &u->asked.home);
    if (u->mobile == NULL && o->nai != NULL)
        u->mobile = mobile_by_nai(u->agent, o->nai, o->nai_len);
    if (u->mobile == NULL || !mobile_is_configured(u->mobile) || addr_is_ipv4(&u->mobile->home))
        return discard(AGENT_DISCARD_UNKNOWN_MOBILE);
    return signatures_are_sound(o) ? pass() : discard(AGENT_DISCARD_MALFORMED);
}

/* RFC 4285 section 5.1: HMAC-SHA-1, whatever else an association of the same mobile node may use. */
static struct security *association(const struct update *u)
{
    struct security *s = security_find(u->mobile->securities, u->options.mobile_home.spi);
    return s != NULL && s->algorithm == AUTH_HMAC_SHA1 ? s : NULL;
}

static bool verify(const struct update *u)
{
    const struct agent_datagram *d = u->datagram;
    const struct auth_key key = security_key(u->security);
    return mip6_auth_verify(d->payload, d->len, &u->options.mobile_home, &key, &u->asked.care_of,
                            &u->asked.home, u->agent->auth);
}

/* RFC 4285 section 5.1.1: 146 where there is an association; no more of them than we can afford. */
static struct verdict forged(struct update *u)
{
    if (limit_take(&u->agent->denials, u->now.mono_ns))
        return refuse(MIP6_AUTH_FAILED);
    update_note(u, NOTE_AUTH_FAILED, 0, 0);
    return discard(AGENT_DISCARD_DENIAL_RATE);
}

/* Section 5.1: either ESP or the option protects a home registration; without both there is silence. With AAA
 * we share nothing, so its authentication fails. */
static struct verdict authorization(struct update *u)
{
    const bool is_signed = u->options.mobile_home.count == 1;
    if (!is_signed && !u->asked.in_esp)
        return discard(AGENT_DISCARD_NO_AUTH);
    if (is_signed)
        u->security = association(u);
    if (is_signed && u->security == NULL)
        return discard(AGENT_DISCARD_UNKNOWN_SPI);
    if (is_signed && !verify(u))
        return forged(u);
    return u->options.mobile_aaa.count == 0 ? pass() : forged(u);
}

/* RFC 4285 section 6: judged after authentication. One that waits for detection is not accepted yet, but an
 * older one comes too late to take its place. */
static struct verdict timestamp(const struct update *u)
{
    const struct pending *pending = u->mobile->pending;
    if (!u->asked.has_timestamp)
        return refuse(MIP6_TIMESTAMP_REQUIRED);
    if (!replay_timestamp_is_good(u->agent, u->mobile, u->asked.timestamp, u->now))
        return (struct verdict){.outcome = REFUSE, .status = MIP6_TIMESTAMP_MISMATCH, .resynchronise = true};
    if (pending != NULL && pending->petition.has_timestamp &&
        ntp_since(u->asked.timestamp, pending->petition.timestamp) <= 0)
        return (struct verdict){.outcome = ABSORB};
    return pass();
}

/* Section 9.5.1; sequence numbers do not count beside timestamps (RFC 4285 section 7). */
static struct verdict freshness(struct update *u)
{
    binding_expire_due(u->agent, u->mobile, u->now);
    if (update_is_timed(u))
        return timestamp(u);
    return replay_sequence_is_good(u->mobile, u->asked.sequence) ? pass() : refuse(MIP6_SEQUENCE);
}

/* Section 9.5.1: without H it is for a correspondent node, which we are not. */
static struct verdict kind(struct update *u)
{
    if (is_home_registration(u))
        return pass();
    return u->mobile->cares != NULL ? refuse(MIP6_TYPE_CHANGE) : discard(AGENT_DISCARD_NOT_HOME);
}

/* Section 9.5.1: from here on it counts as the last valid one, whatever becomes of it. */
static struct verdict validity(struct update *u)
{
    if (!update_is_timed(u)) {
        u->mobile->sequence = u->asked.sequence;
        u->mobile->has_sequence = true;
    }
    return pass();
}

static struct verdict (*const genuine[])(struct update *) = {
    home_option, header, addresses, form, mobile_node, authorization, freshness, kind, validity,
};

/* ---- Second row: can it be granted? Section 10.3.1, and 10.3.2 for what ends a binding ---- */

/* The identifier named its owner: the home address is not the one that we have for it. */
static struct verdict ownership(struct update *u)
{
    if (addr_equal(&u->asked.home, &u->mobile->home))
        return pass();
    return refuse(update_asks_to_end(u) ? MIP6_NOT_HOME_AGENT : MIP6_PROHIBITED);
}

static struct verdict home_subnet(struct update *u)
{
    if (update_asks_to_end(u) || home_network(u->agent, &u->asked.home) != NULL)
        return pass();
    return refuse(MIP6_NOT_HOME_SUBNET);
}

/* A Home Address option must be there to register. */
static struct verdict home_address(struct update *u)
{
    const struct addr *home = &u->asked.home;
    if (update_asks_to_end(u))
        return pass();
    const bool ours = home_is_served(u->agent, home) && !home_is_taken(u->agent, home);
    return ours && u->asked.by_option ? pass() : refuse(MIP6_PROHIBITED);
}

/* Section 11.7.1, RFC 3776 section 4.3: ESP does not cover the source address, so that the care-of address
 * has to stand inside, too. The authentication option covers both. */
static struct verdict protected_care_of(struct update *u)
{
    const bool covered = u->security != NULL || u->datagram == NULL || u->options.has_alternate_care_of;
    return update_asks_to_end(u) || covered ? pass() : refuse(MIP6_PROHIBITED);
}

/* RFC 3963 section 4.2, R. */
static struct verdict mobile_router(struct update *u)
{
    const bool router = (u->asked.flags & MIP6_MOBILE_ROUTER) != 0;
    return update_asks_to_end(u) || !router ? pass() : refuse(MIP6_NO_MOBILE_ROUTERS);
}

/* The home address itself is in a network that we serve. */
static struct verdict care_of_address(struct update *u)
{
    const bool back = care_of_leads_back(u->agent, &u->asked.care_of);
    return update_asks_to_end(u) || !back ? pass() : refuse(MIP6_INVALID_CARE_OF);
}

static struct verdict resources(struct update *u)
{
    const bool room = admission_has_room(u->agent, u->mobile);
    return update_asks_to_end(u) || room ? pass() : refuse(MIP6_NO_RESOURCES);
}

static struct verdict (*const grantable[])(struct update *) = {
    ownership, home_subnet, home_address, protected_care_of, mobile_router, care_of_address, resources,
};

static struct verdict go_through(struct update *u, struct verdict (*const phases[])(struct update *),
                                 size_t n)
{
    struct verdict v = pass();
    for (size_t i = 0; i < n && v.outcome == PASS; i++)
        v = phases[i](u);
    return v;
}

struct verdict update_is_genuine(struct update *u)
{
    return go_through(u, genuine, sizeof(genuine) / sizeof(genuine[0]));
}

struct verdict update_is_grantable(struct update *u)
{
    return go_through(u, grantable, sizeof(grantable) / sizeof(grantable[0]));
}
