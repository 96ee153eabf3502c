/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A registration request's way through the home agent (RFC 5944 section 3.8.2): a row of phases, each of
 * which lets it pass, drops it in silence, or ends in a denial; then, and only then, something is changed.
 */
#include "internal.h"

#include "primary/delegation.h"

struct verdict {
    enum { PASS, DISCARD, DENY, REPEAT } outcome; /* REPEAT: answer what was answered before */
    uint8_t code;                                 /* DENY: enum mip4_code */
    bool signed_cause;          /* DENY: for what the mobile node has signed, not for how it came here */
    enum agent_counter counter; /* DISCARD */
};

static struct verdict pass(void)
{
    return (struct verdict){.outcome = PASS};
}

static struct verdict deny(enum mip4_code code)
{
    return (struct verdict){.outcome = DENY, .code = (uint8_t)code, .signed_cause = true};
}

/* For something outside the mobile node's authentication: the same request may come by a better way. Were its
 * nonce used up, whoever spoils a copy of it would have it refused. */
static struct verdict deny_this_copy(enum mip4_code code)
{
    return (struct verdict){.outcome = DENY, .code = (uint8_t)code};
}

/* A message with a fault that cannot be answered is dropped for the fault. */
static struct verdict discard(const struct registration *r, enum agent_counter counter)
{
    return (struct verdict){.outcome = DISCARD, .counter = r->malformed ? AGENT_DISCARD_MALFORMED : counter};
}

/* ---- Questions that phases and replies ask ---- */
static bool asks_to_end(const struct registration *r)
{
    return r->request.lifetime_s == 0;
}

static bool care_of_is_home(const struct registration *r)
{
    return addr_equal(&r->request.care_of, &r->mobile->home) ||
           addr_equal(&r->request.care_of, &r->request.home);
}

bool registration_is_return(const struct registration *r)
{
    return r->datagram->on_home_link && registration_is_from_home(r);
}

bool registration_is_from_home(const struct registration *r)
{
    return asks_to_end(r) && care_of_is_home(r) && addr_equal(&r->datagram->source, &r->request.care_of);
}

bool registration_is_farewell(const struct registration *r)
{
    return asks_to_end(r) || care_of_is_home(r);
}

/* RFC 2794 section 2: the NAI stands before the mobile-home authentication; behind it anybody may have put it
 * there. */
bool registration_nai_is_signed(const struct registration *r)
{
    const struct mip4_extensions *ext = &r->request.ext;
    return ext->nai.bytes != NULL && ext->mobile_home.count > 0 && ext->nai.offset < ext->mobile_home.offset;
}

static void note(const struct registration *r, enum note_kind kind, uint8_t code, uint32_t value)
{
    const struct note n = {
        .kind = (uint8_t)kind,
        .code = code,
        .home = r->mobile->home,
        .care_of = r->request.care_of,
        .peer = r->datagram->source,
        .value = value,
    };
    admission_note(r->agent, &n, r->now);
}

/* ---- Phases, in their order ---- */

/* Sections 1.8 and 3.8.2.3. A malformed request goes on: if what came before the fault authenticates it, it
 * is answered. */
static struct verdict decode(struct registration *r)
{
    switch (mip4_request_decode(r->datagram->payload, r->datagram->len, &r->request)) {
    case MIP4_TOO_SHORT:
        return discard(r, AGENT_DISCARD_SHORT);
    case MIP4_UNKNOWN_EXTENSION:
        count(r->agent, AGENT_REQUESTS);
        return discard(r, AGENT_DISCARD_UNKNOWN_EXTENSION);
    case MIP4_MALFORMED:
        r->malformed = true;
        break;
    case MIP4_DECODED:
        break;
    }
    count(r->agent, AGENT_REQUESTS);
    return pass();
}

/* To an address of ours, or to everybody, of whom we are one only with an IPv4 address. */
static bool is_for_us(const struct registration *r)
{
    const struct addr *to = &r->datagram->destination;
    if (!addr_is_ipv4(to))
        return false;
    return is_home_agent(r->agent, to) || (r->broadcast && addr_is_ipv4(home_agent_for(r->agent, to)));
}

/* Only what can be answered: a reply goes to the source, whoever that is (section 3.8.3.1), so the source
 * must be a host, not a whole network. */
static struct verdict recipients(struct registration *r)
{
    const struct agent_datagram *d = r->datagram;
    r->broadcast = d->broadcast || is_broadcast(r->agent, &d->destination);
    if (!is_for_us(r))
        return discard(r, AGENT_DISCARD_DESTINATION);
    if (addr_is_unspecified(&d->source) || addr_is_multicast(&d->source) ||
        is_broadcast(r->agent, &d->source))
        return discard(r, AGENT_DISCARD_MALFORMED);
    return pass();
}

/* Section 3.8.2.1a: silence towards those with whom we share nothing. A home address of zero, or one that we
 * do not know, leaves the NAI to say who it is (section 3.8.3.2). */
static struct verdict mobile_node(struct registration *r)
{
    const struct mip4_request *q = &r->request;
    if (!addr_is_unspecified(&q->home))
        r->mobile = mobile_by_home(r->agent, &q->home);
    if (r->mobile == NULL && registration_nai_is_signed(r))
        r->mobile = mobile_by_nai(r->agent, q->ext.nai.bytes, q->ext.nai.len);
    /* One that was taken out of the configuration may still be kept, until nobody forwards for it. */
    if (r->mobile == NULL || r->mobile->securities == NULL || !addr_is_ipv4(&r->mobile->home))
        return discard(r, AGENT_DISCARD_UNKNOWN_MOBILE);
    return q->ext.mobile_home.count == 0 ? discard(r, AGENT_DISCARD_NO_AUTH) : pass();
}

static bool verify(const struct registration *r, const struct mip4_auth *ext, const struct security *s)
{
    const struct auth_key key = security_key(s);
    return mip4_auth_verify(r->datagram->payload, ext, &key, r->agent->auth);
}

static bool foreign_vouches(const struct registration *r)
{
    const struct mip4_auth *ext = &r->request.ext.foreign_home;
    if (r->foreign == NULL || ext->count != 1)
        return false;
    const struct security *s = security_find(r->foreign->securities, ext->spi);
    return s != NULL && verify(r, ext, s);
}

/*
 * Section 3.8.2.1a: a wrong authenticator is refused. A foreign agent that proves who it is MUST have its
 * 131; to all others it is a MAY, and there are no more than we can afford of them; none where the SPI is
 * unknown. Several mobile-home extensions are refused likewise: which one would count?
 */
static struct verdict authorization(struct registration *r)
{
    const struct mip4_extensions *ext = &r->request.ext;
    r->security = security_find(r->mobile->securities, ext->mobile_home.spi);
    r->foreign = foreign_by_address(r->agent, &r->datagram->source);
    if (r->security != NULL && ext->mobile_home.count == 1 && verify(r, &ext->mobile_home, r->security))
        return pass();
    if (r->malformed)
        return discard(r, AGENT_DISCARD_MALFORMED);
    if (ext->foreign_home.count > 0 && r->foreign == NULL)
        return discard(r, AGENT_DISCARD_UNKNOWN_FOREIGN);
    const bool vouched = foreign_vouches(r);
    if (r->security == NULL && !vouched)
        return discard(r, AGENT_DISCARD_UNKNOWN_SPI);
    if (r->security == NULL)
        r->security = r->mobile->securities; /* signs the reply: one that the mobile node is likely to have */
    if (!vouched && !limit_take(&r->agent->denials, r->now.mono_ns)) {
        note(r, NOTE_AUTH_FAILED, 0, 0);
        return discard(r, AGENT_DISCARD_DENIAL_RATE);
    }
    return deny(MIP4_MOBILE_AUTH_FAILED);
}

/* Sections 3.8.2.1b and 5.7. */
static struct verdict identification(struct registration *r)
{
    binding_expire_due(r->agent, r->mobile, r->now);
    r->freshness = replay_judge(r->agent, r->mobile, r->security, &r->request, r->now);
    return r->freshness == STALE ? deny(MIP4_IDENTIFICATION_MISMATCH) : pass();
}

/* Section 3.8.2.1c and d. Foreign agents do not sign deregistrations (section 3.5.4); the lack of it must not
 * matter, and if it is there, it need not be checked (section 3.8.1). */
static struct verdict foreign_agent(struct registration *r)
{
    if (r->foreign == NULL)
        return r->request.ext.foreign_home.count > 0 ? discard(r, AGENT_DISCARD_UNKNOWN_FOREIGN) : pass();
    if (registration_is_farewell(r) || foreign_vouches(r))
        return pass();
    return deny_this_copy(MIP4_FOREIGN_AUTH_FAILED);
}

/* Section 3.8.2.1a: all authentications that a request bears are to be carried out. With AAA we share
 * nothing, so that one fails (RFC 4721 section 3.4). */
static struct verdict aaa_authentication(struct registration *r)
{
    const bool borne = r->request.ext.generalized_auth.bytes != NULL;
    return borne ? deny_this_copy(MIP4_AAA_AUTH_FAILED) : pass();
}

/* Section 3.8.2.2: what was answered once gets the same answer. */
static struct verdict repetition(struct registration *r)
{
    if (r->freshness == AGAIN)
        return (struct verdict){.outcome = REPEAT};
    if (r->freshness == DENIED_BEFORE)
        return deny((enum mip4_code)r->security->denied_code);
    return pass();
}

/* Sections 3.8.2.1 and 3.8.3.2: sent to everybody, or naming another home agent, it might be granted twice.
 * The reply tells our address. */
static struct verdict home_agent(struct registration *r)
{
    if (r->broadcast)
        return deny_this_copy(MIP4_UNKNOWN_HOME_AGENT);
    return is_home_agent(r->agent, &r->request.home_agent) ? pass() : deny(MIP4_UNKNOWN_HOME_AGENT);
}

/* Section 3.8.2.3. A care-of address at which nobody can be is a fault of form, not of policy. The reserved
 * flags r and x are to be ignored (section 3.3); the format has no other reserved field. */
static struct verdict form(struct registration *r)
{
    if (r->malformed)
        return deny_this_copy(MIP4_POOR_REQUEST);
    return addr_is_routable(&r->request.care_of) ? pass() : deny(MIP4_POOR_REQUEST);
}

/* Section 3.8.3.2: a home address that we cannot support, though the request be authentic. */
static struct verdict home_address(struct registration *r)
{
    const struct addr *home = &r->mobile->home;
    if (!addr_is_unspecified(&r->request.home) && !addr_equal(&r->request.home, home))
        return deny(MIP4_PROHIBITED);
    const bool ours = home_is_served(r->agent, home) && !home_is_taken(r->agent, home);
    return ours ? pass() : deny(MIP4_PROHIBITED);
}

/* A care-of address in a network that we serve, the mobile node's own above all, would have us tunnel to
 * ourselves, or two mobile nodes to each other for ever; so would one of our own addresses. */
static struct verdict care_of_address(struct registration *r)
{
    if (asks_to_end(r))
        return pass();
    const bool back = care_of_is_home(r) || care_of_leads_back(r->agent, &r->request.care_of);
    return back ? deny(MIP4_PROHIBITED) : pass();
}

static bool is_granted(const struct registration *r, enum encapsulation e)
{
    return (r->agent->settings.encapsulations & 1u << e) != 0;
}

/* Sections 3.3 and 3.8.2.3. M and G together leave the choice to us. */
static struct verdict encapsulation(struct registration *r)
{
    const bool minimal = (r->request.flags & MIP4_MINIMAL) != 0;
    const bool gre = (r->request.flags & MIP4_GRE) != 0;
    r->encapsulation = ENCAPSULATION_IPIP;
    if (asks_to_end(r) || (!minimal && !gre))
        return pass();
    if (minimal && is_granted(r, ENCAPSULATION_MINIMAL))
        r->encapsulation = ENCAPSULATION_MINIMAL;
    else if (gre && is_granted(r, ENCAPSULATION_GRE))
        r->encapsulation = ENCAPSULATION_GRE;
    else
        return deny(MIP4_NO_ENCAPSULATION);
    return pass();
}

static size_t care_of_limit(const struct registration *r)
{
    const size_t limit = r->agent->settings.max_care_of;
    return limit < AGENT_CARE_OF_MAX ? limit : AGENT_CARE_OF_MAX;
}

static bool keeps_others(const struct registration *r)
{
    return care_of_limit(r) > 1 && (r->request.flags & MIP4_SIMULTANEOUS) != 0;
}

/* Section 3.8.2.3. What is bound already may always stay bound. */
static struct verdict resources(struct registration *r)
{
    if (asks_to_end(r))
        return pass();
    if (!admission_has_room(r->agent, r->mobile))
        return deny(MIP4_NO_RESOURCES);
    if (r->mobile->cares != NULL && keeps_others(r) && care_find(r->mobile, &r->request.care_of) == NULL &&
        care_count(r->mobile) >= care_of_limit(r))
        return deny(MIP4_TOO_MANY_BINDINGS);
    return pass();
}

static bool wants_reverse_tunnel(const struct registration *r)
{
    return (r->request.flags & MIP4_REVERSE_TUNNEL) != 0;
}

/* RFC 3024 section 4.3.1: the last check, when the forward tunnel can be granted: the reverse tunnel is the
 * same one the other way. */
static struct verdict reverse_tunnel(struct registration *r)
{
    const uint8_t policy = r->agent->settings.reverse_tunnel;
    if (asks_to_end(r))
        return pass();
    if (wants_reverse_tunnel(r) && policy == REVERSE_TUNNEL_OFF)
        return deny(MIP4_NO_REVERSE_TUNNEL);
    if (!wants_reverse_tunnel(r) && policy == REVERSE_TUNNEL_REQUIRED)
        return deny(MIP4_REVERSE_TUNNEL_REQUIRED);
    return pass();
}

static struct verdict (*const phases[])(struct registration *) = {
    decode,        recipients,         mobile_node,   authorization, identification,
    foreign_agent, aaa_authentication, repetition,    home_agent,    form,
    home_address,  care_of_address,    encapsulation, resources,     reverse_tunnel,
};

/* ---- What follows ---- */

/* Section 3.8.2.2: at most what is asked for and at most what we give; ffff is infinite only if both say so.
 */
static uint16_t lifetime(const struct registration *r)
{
    const uint16_t most = r->agent->settings.max_lifetime_s;
    return r->request.lifetime_s < most ? r->request.lifetime_s : most;
}

static void conclude_denial(struct registration *r, struct verdict v)
{
    note(r, v.code == MIP4_MOBILE_AUTH_FAILED ? NOTE_AUTH_FAILED : NOTE_DENIED, v.code, 0);
    if (r->freshness == FRESH && v.signed_cause)
        replay_deny(r->agent, r->security, &r->request, v.code);
    reply_send(r, v.code, lifetime(r));
}

/* Section 3.8.3.2: 1 tells that simultaneous bindings are not supported, asked for or not. */
static uint8_t success(const struct registration *r)
{
    return care_of_limit(r) > 1 ? MIP4_ACCEPTED : MIP4_ACCEPTED_NO_SIMULTANEOUS;
}

/* Section 3.8.2.2: a duplicate's lifetime ends when the original's does. Nothing is announced or changed. */
static void repeat(struct registration *r)
{
    const struct care *care = care_find(r->mobile, &r->request.care_of);
    uint32_t left = asks_to_end(r) || care == NULL ? 0 : care_left_s(care, r->now);
    count(r->agent, AGENT_DUPLICATES);
    if (delegation_holds_reply(r->mobile))
        return;
    reply_send(r, success(r), left < MIP4_LIFETIME_INFINITE ? (uint16_t)left : MIP4_LIFETIME_INFINITE);
}

static void accepted(struct registration *r, uint16_t lifetime_s)
{
    replay_accept(r->agent, r->mobile, r->security, &r->request);
    reply_send(r, success(r), lifetime_s);
}

static void drop_bindings(struct registration *r)
{
    struct care *care = care_find(r->mobile, &r->request.care_of);
    if (care_of_is_home(r) && r->mobile->cares != NULL)
        binding_end(r->agent, r->mobile);
    else if (care != NULL)
        binding_drop(r->agent, care);
}

/* Section 4.6: stop answering for it, then announce where it is, then reply. With no binding left it is
 * announced as well: neighbours may still have us in their caches. */
static void deregister(struct registration *r)
{
    const struct mac *back_home = registration_is_return(r) ? &r->datagram->source_mac : NULL;
    const size_t before = care_count(r->mobile);
    drop_bindings(r);
    const bool ended = care_count(r->mobile) < before;
    if (ended)
        admission_reduced(r->agent, r->mobile, back_home, r->now);
    if (back_home != NULL)
        announce_returned(r->agent, r->mobile, back_home, r->now);
    r->hold = delegation_holds_reply(r->mobile);
    accepted(r, 0);
    if (!ended)
        return;
    count(r->agent, AGENT_BINDINGS_DEREGISTERED);
    note(r, NOTE_DEREGISTERED, success(r), 0);
}

/* Sections 3.8.2.2 and 4.6: announced is only the first binding. */
static void bind(struct registration *r)
{
    const struct mip4_request *q = &r->request;
    const struct grant grant = {
        .care_of = q->care_of,
        .source = q->home_agent,
        .encapsulation = r->encapsulation,
        .lifetime_s = lifetime(r),
        .keep_others = keeps_others(r),
        .heard = addr_equal(&r->datagram->source, &q->care_of),
        .co_located = (q->flags & MIP4_COLOCATED) != 0,
        .reverse = wants_reverse_tunnel(r),
    };
    const struct admission admission = admit(r->agent, r->mobile, &grant, r->now);
    if (admission.change == BINDING_NO_MEMORY) {
        conclude_denial(r, deny(MIP4_NO_RESOURCES));
        return;
    }
    r->hold = admission.hold;
    accepted(r, grant.lifetime_s);
    note(r, admission_change_note(admission.change), success(r), grant.lifetime_s);
}

static void conclude(struct registration *r, struct verdict v)
{
    switch (v.outcome) {
    case DISCARD:
        count(r->agent, v.counter);
        return;
    case DENY:
        conclude_denial(r, v);
        return;
    case REPEAT:
        repeat(r);
        return;
    case PASS:
        break;
    }
    if (asks_to_end(r))
        deregister(r);
    else
        bind(r);
}

void registration_handle(struct agent *agent, const struct agent_datagram *datagram, struct instant now)
{
    struct registration r = {.agent = agent, .datagram = datagram, .now = now};
    struct verdict v = pass();
    for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]) && v.outcome == PASS; i++)
        v = phases[i](&r);
    conclude(&r, v);
}
