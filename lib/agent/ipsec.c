/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pairs of ESP associations with configured keys, which are found by the SPI of what comes in (RFC 4303
 * section 2.1): with a mobile node for its signalling and its home tests (RFC 3776, RFC 4877), with a peer
 * for all that the delegation protocol says (RFC 4301).
 *
 * ESP's own sequence numbers are judged where the association says so. Else they are not: configured keys
 * outlive a restart of the other end, which begins with 1 again, and what is replayed is found out by the
 * binding update's sequence number (RFC 3776 section 4.4, RFC 6275 section 15.3) or the delegation session's.
 */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>

#include "mip6_discovery.h"
#include "peer/peer.h"

/* ---- Configuration ---- */
static struct ipsec *find(const struct agent *agent, uint32_t spi)
{
    struct ipsec *ipsec;
    HASH_FIND(hh, agent->ipsecs, &spi, sizeof(spi), ipsec);
    return ipsec;
}

static void destroy(struct ipsec *ipsec)
{
    esp_destroy(ipsec->in);
    esp_destroy(ipsec->out);
    free(ipsec);
}

void ipsec_free(struct agent *agent, struct ipsec **at)
{
    if (*at == NULL)
        return;
    HASH_DEL(agent->ipsecs, *at);
    destroy(*at);
    *at = NULL;
}

void ipsec_sweep(struct agent *agent, struct ipsec **at)
{
    if (*at != NULL && (*at)->seen != agent->sweep)
        ipsec_free(agent, at);
}

/* The one that is there, if it is the same: its sequence numbers go on. */
static struct esp *keep_or_create(struct agent *agent, struct esp *old, const struct esp_association *sa)
{
    uint8_t seed[16];
    if (old != NULL && esp_is(old, sa))
        return old;
    agent_secret(agent, seed);
    return esp_create(sa, seed);
}

static void replace(struct esp **old, struct esp *new)
{
    if (*old != new)
        esp_destroy(*old);
    *old = new;
}

/* False: out of memory, nothing changed. */
static bool renew(struct agent *agent, struct ipsec *ipsec, const struct esp_association *in,
                  const struct esp_association *out)
{
    struct esp *new_in = keep_or_create(agent, ipsec->in, in);
    struct esp *new_out = keep_or_create(agent, ipsec->out, out);
    if (new_in == NULL || new_out == NULL) {
        if (new_in != ipsec->in)
            esp_destroy(new_in);
        if (new_out != ipsec->out)
            esp_destroy(new_out);
        return false;
    }
    replace(&ipsec->in, new_in);
    replace(&ipsec->out, new_out);
    ipsec->seen = agent->sweep;
    return true;
}

static struct ipsec *create(struct agent *agent, const struct ipsec_owner *owner,
                            const struct esp_association *in, const struct esp_association *out)
{
    struct ipsec *ipsec = calloc(1, sizeof(*ipsec));
    if (ipsec == NULL)
        return NULL;
    ipsec->spi = in->spi;
    ipsec->owner = *owner;
    if (renew(agent, ipsec, in, out)) {
        HASH_ADD(hh, agent->ipsecs, spi, sizeof(ipsec->spi), ipsec);
        if (ipsec->hh.tbl != NULL)
            return ipsec;
    }
    destroy(ipsec);
    return NULL;
}

static void keep_outgoing(struct ipsec *old, struct ipsec *new, const struct esp_association *out)
{
    if (!esp_is(old->out, out))
        return;
    struct esp *kept = old->out;
    old->out = new->out;
    new->out = kept;
}

static bool put(struct agent *agent, const struct ipsec_owner *owner, const struct esp_association *in,
                const struct esp_association *out)
{
    struct ipsec *old = *owner->at;
    if (old != NULL && old->spi == in->spi)
        return renew(agent, old, in, out);
    struct ipsec *new = create(agent, owner, in, out);
    if (new == NULL)
        return false;
    if (old != NULL) {
        keep_outgoing(old, new, out);
        ipsec_free(agent, owner->at);
    }
    *owner->at = new;
    return true;
}

int ipsec_set(struct agent *agent, const struct ipsec_owner *owner, const struct esp_association *in,
              const struct esp_association *out)
{
    struct ipsec *holder = find(agent, in->spi);
    if (!esp_association_is_sound(in) || !esp_association_is_sound(out))
        return -EINVAL;
    if (holder == *owner->at)
        holder = NULL;
    if (holder != NULL && holder->seen == agent->sweep)
        return -EEXIST;
    if (!put(agent, owner, in, out)) {
        if (*owner->at != NULL) /* rather the old keys than none */
            (*owner->at)->seen = agent->sweep;
        return -ENOMEM;
    }
    /* An SPI that another one had before the present sweep, and has not been given again, is free. */
    if (holder != NULL)
        ipsec_free(agent, holder->owner.at);
    return 0;
}

static int set_mobile(struct agent *agent, const struct addr *home, enum ipsec_use use,
                      const struct esp_association *in, const struct esp_association *out)
{
    struct mobile *mobile = addr_is_ipv4(home) ? NULL : mobile_adopt(agent, home);
    if (mobile == NULL)
        return addr_is_ipv4(home) ? -EINVAL : -ENOMEM;
    struct ipsec **at = use == IPSEC_HOME_TEST ? &mobile->home_test : &mobile->ipsec;
    const struct ipsec_owner owner = {.use = (uint8_t)use, .at = at, .mobile = mobile};
    const int error = ipsec_set(agent, &owner, in, out);
    if (error == 0)
        mobile->seen = agent->sweep;
    else
        mobile_release(agent, mobile);
    return error;
}

int agent_ipsec_set(struct agent *agent, const struct addr *home, const struct esp_association *in,
                    const struct esp_association *out)
{
    return set_mobile(agent, home, IPSEC_SIGNALLING, in, out);
}

/* RFC 3776 section 4.3: with a non-null encryption transform. RFC 4301 section 5.2: what is protected from
 * now on does not go in clear until the sweep comes by. */
int agent_home_test_set(struct agent *agent, const struct addr *home, const struct esp_association *in,
                        const struct esp_association *out, struct instant now)
{
    if (!esp_association_encrypts(in) || !esp_association_encrypts(out))
        return -EINVAL;
    const int error = set_mobile(agent, home, IPSEC_HOME_TEST, in, out);
    if (error == 0 && effects_reserve(&agent->effects)) /* else the sweep tells forwarding */
        binding_follow_policy(agent, mobile_by_home(agent, home), now);
    return error;
}

/* ---- What comes in ---- */
static enum agent_counter counter_of(enum esp_verdict verdict)
{
    switch (verdict) {
    case ESP_OPENED:
        return AGENT_ESP_OPENED;
    case ESP_MALFORMED:
        break;
    case ESP_REPLAYED:
        return AGENT_ESP_REPLAYED;
    case ESP_FORGED:
        return AGENT_ESP_FORGED;
    }
    return AGENT_ESP_MALFORMED;
}

/* The home address that the packet claims (RFC 3776 section 4.3: it takes the source's place before the
 * policy is looked at). */
static const struct addr *claimed_home(const struct agent_datagram *datagram)
{
    return addr_is_unspecified(&datagram->home) ? &datagram->source : &datagram->home;
}

/* Mobile prefix discovery: the only ICMPv6 that is signalling. */
static bool is_prefix_solicitation(const struct agent_datagram *inner)
{
    const uint32_t base =
        ip_pseudo_sum(claimed_home(inner), &inner->destination, IPPROTO_NUM_ICMPV6, inner->len);
    return inner->len > 0 && inner->payload[0] == MIP6_PREFIX_SOLICITATION &&
           inet_finish(inet_sum(base, inner->payload, inner->len)) == 0;
}

/* RFC 3776 section 4.2, RFC 4877 section 4: an association is for signalling of one home address. */
static bool is_signalling(const struct mobile *mobile, const struct agent_datagram *inner)
{
    if (!addr_equal(claimed_home(inner), &mobile->home))
        return false;
    return inner->protocol == IPPROTO_NUM_MOBILITY ||
           (inner->protocol == IPPROTO_NUM_ICMPV6 && is_prefix_solicitation(inner));
}

/* UDP to the delegation port between the two addresses; inner is the UDP datagram then. */
static bool is_delegation(const struct agent *agent, const struct peer *peer, struct agent_datagram *inner)
{
    const struct ip_header ip = {.source = inner->source, .destination = inner->destination};
    struct udp udp;
    if (inner->protocol != IPPROTO_NUM_UDP || !addr_equal(&inner->source, &peer->is.address) ||
        !addr_equal(&inner->destination, &peer->is.local) ||
        udp_decode(&ip, inner->payload, inner->len, &udp) != UDP_OK ||
        udp.destination_port != agent->settings.delegation.port)
        return false;
    inner->source_port = udp.source_port;
    inner->destination_port = udp.destination_port;
    inner->payload = udp.payload;
    inner->len = udp.payload_len;
    return true;
}

/* What the pair is for (RFC 4301 section 4.4.1: the selectors of its policy). */
static bool selected(const struct agent *agent, const struct ipsec_owner *owner, struct agent_datagram *inner)
{
    switch ((enum ipsec_use)owner->use) {
    case IPSEC_SIGNALLING:
        return is_signalling(owner->mobile, inner);
    case IPSEC_HOME_TEST:
        return inner->protocol == IPPROTO_NUM_IPV6;
    case IPSEC_DELEGATION:
        return is_delegation(agent, owner->peer, inner);
    }
    return false;
}

const struct ipsec_owner *ipsec_open(struct agent *agent, const struct agent_datagram *sealed,
                                     uint8_t buffer[static AGENT_MESSAGE_MAX], struct agent_datagram *inner)
{
    uint32_t spi;
    if (!esp_peek(sealed->payload, sealed->len, &spi) || sealed->len > AGENT_MESSAGE_MAX) {
        count(agent, AGENT_ESP_MALFORMED);
        return NULL;
    }
    const struct ipsec *ipsec = find(agent, spi);
    if (ipsec == NULL) {
        count(agent, AGENT_ESP_UNKNOWN_SPI);
        return NULL;
    }
    *inner = *sealed;
    inner->payload = buffer;
    const enum esp_verdict verdict =
        esp_open(ipsec->in, sealed->payload, sealed->len, buffer, &inner->len, &inner->protocol);
    const bool good = verdict == ESP_OPENED && selected(agent, &ipsec->owner, inner);
    count(agent, verdict == ESP_OPENED && !good ? AGENT_ESP_SELECTOR : counter_of(verdict));
    return good ? &ipsec->owner : NULL;
}

/* ---- What goes out ---- */

/* What follows the IP header. Returns its length; 0: it does not fit. */
static size_t upper_layer(const struct message *message, uint8_t out[static AGENT_MESSAGE_MAX])
{
    struct writer w = writer_over(out, AGENT_MESSAGE_MAX - ESP_OVERHEAD_MAX);
    if (message->protocol == IPPROTO_NUM_UDP)
        udp_encode_alone(&w, &(struct udp){.source = message->source,
                                           .destination = message->destination,
                                           .source_port = message->source_port,
                                           .destination_port = message->destination_port,
                                           .payload = message->bytes,
                                           .payload_len = message->len});
    else
        write_bytes(&w, message->bytes, message->len);
    return w.failed ? 0 : writer_len(&w);
}

bool ipsec_seal(struct agent *agent, struct ipsec *ipsec, struct message *message)
{
    uint8_t inner[AGENT_MESSAGE_MAX];
    size_t len = ipsec == NULL ? 0 : upper_layer(message, inner);
    if (len > 0)
        len = esp_seal(ipsec->out, inner, len, message->protocol, message->bytes);
    count(agent, len > 0 ? AGENT_ESP_SEALED : AGENT_ESP_UNSENT);
    if (len == 0)
        return false;
    message->len = len;
    message->protocol = IPPROTO_NUM_ESP;
    return true;
}
