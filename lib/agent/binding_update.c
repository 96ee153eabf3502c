/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A binding update's way through the home agent: two rows of checks (update_checks.c), whether it is what it
 * says it is, and whether it can be granted; then, and only then, something is changed. A refused update
 * leaves the binding as it is.
 *
 * The first binding of a home address, and the first with its link-local address, waits for duplicate address
 * detection. All of the update that counts waits as a petition; a newer one takes its place, and the second
 * row is gone through again at the end, since much may have changed meanwhile.
 *
 * Sections without a number of their RFC are RFC 6275's.
 */
#include "update.h"

#include <stdlib.h>

#include "peer/peer.h"
#include "primary/delegation.h"

static bool comes_from_home(const struct update *u)
{
    return addr_equal(&u->asked.source, &u->asked.home);
}

void update_note(const struct update *u, enum note_kind kind, uint8_t status, uint32_t lifetime_s)
{
    const struct note n = {
        .kind = (uint8_t)kind,
        .code = status,
        .home = u->mobile->home,
        .care_of = u->asked.care_of,
        .peer = u->asked.source,
        .value = lifetime_s,
    };
    admission_note(u->agent, &n, u->now);
}

/* Section 10.3.1: L=1 derives a link-local address from the home address by replacing its subnet prefix; what
 * it has in common with one of another length would not be the interface identifier. */
static bool wants_link_local(const struct update *u)
{
    const struct prefix *network = home_network(u->agent, &u->mobile->home);
    return (u->asked.flags & MIP6_LINK_LOCAL) != 0 && network != NULL && network->bits == 64;
}

/* ---- Waiting for duplicate address detection ---- */
void update_forget(struct mobile *mobile)
{
    free(mobile->pending);
    mobile->pending = NULL;
}

static void stop_waiting(struct agent *agent, struct mobile *mobile)
{
    dad_cancel(agent, mobile);
    update_forget(mobile);
    listen_settle(agent, mobile);
}

static bool wait_for_detection(struct update *u)
{
    struct mobile *mobile = u->mobile;
    if (mobile->pending == NULL)
        mobile->pending = malloc(sizeof(*mobile->pending));
    if (mobile->pending == NULL)
        return false;
    *mobile->pending =
        (struct pending){.petition = u->asked, .spi = u->security == NULL ? 0 : u->security->spi};
    return dad_begin(u->agent, mobile, wants_link_local(u), u->now);
}

/* False: it cannot be answered any more, since what protected it was taken out of the configuration. */
static bool resume(struct agent *agent, struct mobile *mobile, struct instant now, struct update *u)
{
    const struct pending *pending = mobile->pending;
    if (pending == NULL)
        return false;
    *u = (struct update){.agent = agent, .now = now, .asked = pending->petition, .mobile = mobile};
    if (pending->spi != 0)
        u->security = security_find(mobile->securities, pending->spi);
    const bool answerable =
        (pending->spi == 0 || u->security != NULL) && (!u->asked.in_esp || mobile->ipsec != NULL);
    update_forget(mobile);
    return answerable;
}

/* ---- What follows ---- */
static void acknowledge(struct update *u, struct acknowledgement *a)
{
    a->mobile = u->mobile;
    a->security = u->security;
    acknowledgement_send(u->agent, &u->asked, a, u->now);
}

static void conclude_refusal(struct update *u, struct verdict v)
{
    struct acknowledgement a = {
        .status = v.status,
        .sequence = v.status == MIP6_SEQUENCE ? u->mobile->sequence : u->asked.sequence,
        .timestamp = v.resynchronise ? replay_resynchronise(u->asked.timestamp, u->now) : u->asked.timestamp,
    };
    update_note(u, v.status == MIP6_AUTH_FAILED ? NOTE_AUTH_FAILED : NOTE_DENIED, v.status, 0);
    acknowledge(u, &a);
}

/* current: the mobile node was heard of since our start (primary/rebuild.c). */
static void take_as_newest(struct update *u)
{
    u->mobile->current = 1;
    if (update_is_timed(u))
        u->mobile->newest = u->asked.timestamp;
}

static void accept(struct update *u, struct acknowledgement *a)
{
    take_as_newest(u);
    a->sequence = u->asked.sequence;
    a->timestamp = u->asked.timestamp;
    acknowledge(u, a);
}

/* Section 10.3.2. What waits to begin is ended all the same, and an older update must not begin it again. */
static void nothing_to_end(struct update *u)
{
    take_as_newest(u);
    conclude_refusal(u, refuse(MIP6_NOT_HOME_AGENT));
}

/* Section 10.3.2: interception ends, then the acknowledgement goes. Neighbours hear of it from the mobile
 * node itself. */
static void deregister(struct update *u)
{
    const bool is_return = u->asked.on_home_link && comes_from_home(u);
    const struct mac *back_home = is_return ? &u->asked.mac : NULL;
    struct acknowledgement a = {.status = MIP6_ACCEPTED};
    binding_end(u->agent, u->mobile);
    admission_reduced(u->agent, u->mobile, back_home, u->now);
    if (back_home != NULL)
        announce_returned(u->agent, u->mobile, back_home, u->now);
    accept(u, &a);
    count(u->agent, AGENT_BINDINGS_DEREGISTERED);
    update_note(u, NOTE_DEREGISTERED, a.status, 0);
}

static uint32_t in_units(uint32_t seconds)
{
    return seconds / MIP6_LIFETIME_UNIT_S;
}

/* Section 10.3.1: at most what is asked for, at most what we give, and no longer than the prefix is valid;
 * never zero, which would say something else. */
static uint16_t lifetime(const struct update *u, const struct home_prefix *prefix)
{
    uint32_t units = u->asked.lifetime;
    const uint32_t most = in_units(u->agent->settings.max_lifetime_s);
    if (units > most)
        units = most;
    if (prefix->valid_s != 0 && units > in_units(prefix->valid_s))
        units = in_units(prefix->valid_s);
    return units > 0 ? (uint16_t)units : 1;
}

/* Section 10.3.1: 1 if the prefix is deprecated, or will be before the binding ends, or is invalid then. */
static enum mip6_status success(uint16_t lifetime, const struct home_prefix *prefix)
{
    if (prefix->valid_s == 0)
        return MIP6_ACCEPTED;
    const bool fades = in_units(prefix->preferred_s) < lifetime || in_units(prefix->valid_s) <= lifetime;
    return fades ? MIP6_ACCEPTED_PREFIX : MIP6_ACCEPTED;
}

/* A binding that stands is to bear the link-local address from now on: section 10.3.1 has it detected,
 * section 10.4.1 announced, as the home address was at first. */
static bool adds_link_local(const struct update *u)
{
    const struct care *cares = u->mobile->cares;
    return cares != NULL && !cares->link_local && wants_link_local(u);
}

static void bind(struct update *u)
{
    const struct home_prefix *prefix = home_prefix(u->agent, &u->mobile->home);
    const uint16_t granted = lifetime(u, prefix);
    const struct grant grant = {
        .care_of = u->asked.care_of,
        .source = u->asked.destination,
        .encapsulation = ENCAPSULATION_IPV6_IN_IPV6,
        .lifetime_s = (uint16_t)(granted * MIP6_LIFETIME_UNIT_S),
        .heard = addr_equal(&u->asked.source, &u->asked.care_of),
        .co_located = true,
        .reverse = true, /* section 10.4.5: always */
        .link_local = wants_link_local(u),
    };
    const bool adds = adds_link_local(u);
    const struct admission admission = admit(u->agent, u->mobile, &grant, u->now);
    if (admission.change == BINDING_NO_MEMORY) {
        conclude_refusal(u, refuse(MIP6_NO_RESOURCES));
        return;
    }
    if (adds)
        delegation_announce_again(u->agent, u->mobile, u->now);
    struct acknowledgement a = {
        .status = (uint8_t)success(granted, prefix), .lifetime = granted, .hold = admission.hold};
    accept(u, &a);
    update_note(u, admission_change_note(admission.change), a.status, grant.lifetime_s);
}

/* Section 10.3.1: unless there is a binding already, with all the addresses, the home link is asked first.
 * The binding stands meanwhile, and after a refusal. */
static void detect_or_bind(struct update *u)
{
    const bool waits = u->mobile->pending != NULL;
    if (u->mobile->cares != NULL && !adds_link_local(u)) {
        stop_waiting(u->agent, u->mobile);
        bind(u);
    } else if (wait_for_detection(u)) {
        count(u->agent, waits ? AGENT_UPDATES_ABSORBED : AGENT_UPDATES_WAITED);
    } else {
        stop_waiting(u->agent, u->mobile);
        count(u->agent, AGENT_NO_MEMORY);
        conclude_refusal(u, refuse(MIP6_NO_RESOURCES));
    }
}

/* Section 9.2: an ICMP error, where there is a datagram to quote. */
static void conclude_problem(struct update *u, struct verdict v)
{
    const struct agent_datagram *d = u->datagram;
    count(u->agent, v.counter);
    if (d->whole == NULL)
        return;
    if (!limit_take(&u->agent->errors, u->now.mono_ns)) {
        count(u->agent, AGENT_DISCARD_ERROR_RATE);
        return;
    }
    struct relay relay = {.what = ICMP_ERROR_PARAMETER,
                          .value = (uint32_t)(d->payload - d->whole) + v.pointer,
                          .len =
                              d->whole_len < sizeof(relay.datagram) ? d->whole_len : sizeof(relay.datagram)};
    memcpy(relay.datagram, d->whole, relay.len);
    effect_relay(u->agent, &relay);
}

static void end(struct update *u)
{
    stop_waiting(u->agent, u->mobile);
    if (u->mobile->cares != NULL)
        deregister(u);
    else
        nothing_to_end(u);
}

static void conclude(struct update *u, struct verdict v)
{
    switch (v.outcome) {
    case DISCARD:
        count(u->agent, v.counter);
        break;
    case PROBLEM:
        conclude_problem(u, v);
        break;
    case UNKNOWN_TYPE:
        binding_error_send(u->agent, u->datagram, BINDING_ERROR_UNKNOWN_TYPE, u->now);
        break;
    case ABSORB:
        count(u->agent, AGENT_UPDATES_ABSORBED);
        break;
    case REFUSE:
        conclude_refusal(u, v);
        break;
    case PASS:
        if (update_asks_to_end(u))
            end(u);
        else
            detect_or_bind(u);
        break;
    }
}

/* While it is delegated a mobile node that comes home may take the secondary that attracts its packets for
 * its router (RFC 6275 section 11.5.5): the frame then is the secondary's. */
static struct petition petition_of(const struct agent *agent, const struct agent_datagram *d,
                                   const struct mobile *owner)
{
    const bool by_option = !addr_is_unspecified(&d->home);
    return (struct petition){
        .home = by_option ? d->home : d->source,
        .source = d->source,
        .destination = d->destination,
        .by_option = by_option,
        .in_esp = owner != NULL,
        .on_home_link = d->on_home_link && !peer_is_mac(agent, &d->source_mac),
        .mac = d->source_mac,
    };
}

void update_handle(struct agent *agent, const struct agent_datagram *datagram, struct mobile *owner,
                   struct instant now)
{
    struct update u = {.agent = agent,
                       .datagram = datagram,
                       .now = now,
                       .asked = petition_of(agent, datagram, owner),
                       .mobile = owner};
    struct verdict v = update_is_genuine(&u);
    if (v.outcome == PASS)
        v = update_is_grantable(&u);
    conclude(&u, v);
}

void update_proved_unique(struct agent *agent, struct mobile *mobile, struct instant now)
{
    struct update u;
    if (!resume(agent, mobile, now, &u))
        return;
    const struct verdict v = update_is_grantable(&u);
    if (v.outcome == PASS)
        bind(&u);
    else
        conclude(&u, v);
}

void update_found_taken(struct agent *agent, struct mobile *mobile, struct instant now)
{
    struct update u;
    if (resume(agent, mobile, now, &u))
        conclude_refusal(&u, refuse(MIP6_DAD_FAILED));
}
