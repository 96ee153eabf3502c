/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The home agent's part in the return routability procedure of mobile nodes that protect it (RFC 6275 section
 * 10.4.6): what they send to correspondents comes out of ESP in tunnel mode and is forwarded, home tests of
 * correspondents go to them in such ESP. Where both ends of it lie the binding says, so that it moves with
 * the mobile node.
 *
 * Keys are the primary's alone: a secondary passes home tests on to it, on the home link. Nothing of that
 * kind that an agent has sent is passed on, so that none circles.
 */
#include "internal.h"

#include "mip6.h"
#include "secondary/held.h"

enum { TYPE_AT = 2, HOP_LIMIT_AT = 7 };

/* ---- The packet in question ---- */

struct tested {
    const uint8_t *packet;
    size_t len;
    struct ip_header ip;
};

/* IPv6. What is behind it is padding (RFC 4303 section 2.7). */
static bool tested_read(struct tested *t, const uint8_t *packet, size_t len)
{
    if (!ip_decode_beginning(packet, len, &t->ip) || addr_is_ipv4(&t->ip.destination) ||
        t->ip.total_len > len)
        return false;
    t->packet = packet;
    t->len = t->ip.total_len;
    return true;
}

/* The type of its Mobility Header, if it is whole and bears one. */
static bool mobility_type(const struct tested *t, uint8_t *type)
{
    if (t->ip.fragment != 0 || t->ip.protocol != IPPROTO_NUM_MOBILITY ||
        (size_t)t->ip.header_len + TYPE_AT >= t->len)
        return false;
    *type = t->packet[t->ip.header_len + TYPE_AT];
    return true;
}

/* ---- To the mobile node ---- */

/* Outside, ECN is none of the packet's business (RFC 6040 section 4.1, compatibility mode). */
static uint8_t outer_class(const struct tested *t)
{
    enum { ECN = 0x03 };
    return t->ip.tos & (uint8_t)~ECN;
}

/* From where its binding update was sent to, to where the binding says that it is now. It takes its hop. */
static bool seal(struct agent *agent, struct mobile *mobile, const struct tested *t)
{
    struct message message = {.source = mobile->cares->tunnel->source,
                              .destination = mobile->cares->tunnel->far,
                              .protocol = IPPROTO_NUM_IPV6,
                              .tos = outer_class(t),
                              .len = t->len};
    if (t->len > sizeof(message.bytes) || t->ip.ttl <= 1)
        return false;
    memcpy(message.bytes, t->packet, t->len);
    message.bytes[HOP_LIMIT_AT]--;
    if (!ipsec_seal(agent, mobile->home_test, &message))
        return false;
    effect_send(agent, &message);
    return true;
}

static bool is_protected(const struct mobile *mobile)
{
    return mobile != NULL && mobile->cares != NULL && mobile->home_test != NULL;
}

/* To the primary that delegated it, as it came: its worker knows it again. */
static bool pass_on(struct agent *agent, const struct mobile *mobile, const struct tested *t,
                    const struct mac *from)
{
    const struct held *held = mobile == NULL ? NULL : held_entry(mobile);
    if (held == NULL || held->principal->peer.id == 0 || peer_is_mac(agent, from) ||
        t->len > AGENT_MESSAGE_MAX)
        return false;
    struct passage passage = {
        .on_link = true, .home = mobile->home, .mac = held->principal->peer.mac, .len = t->len};
    memcpy(passage.bytes, t->packet, t->len);
    effect_forward(agent, &passage);
    return true;
}

void agent_home_test(struct agent *agent, const uint8_t *packet, size_t len, const struct mac *from)
{
    struct tested t;
    if (!effects_reserve(&agent->effects)) {
        count(agent, AGENT_NO_MEMORY);
        return;
    }
    if (!tested_read(&t, packet, len)) {
        count(agent, AGENT_HOME_TESTS_DISCARDED);
        return;
    }
    struct mobile *mobile = mobile_by_home(agent, &t.ip.destination);
    if (agent->settings.role == AGENT_SECONDARY)
        count(agent, pass_on(agent, mobile, &t, from) ? AGENT_HOME_TESTS_PASSED : AGENT_HOME_TESTS_DISCARDED);
    else
        count(agent, is_protected(mobile) && seal(agent, mobile, &t) ? AGENT_HOME_TESTS_SEALED
                                                                     : AGENT_HOME_TESTS_DISCARDED);
}

/* ---- From the mobile node ---- */

/* Section 10.4.6: the kinds of packets of the procedure need not be told apart. Which of them a mobile node
 * protects is its own policy's to say (RFC 3776 section 5.2.2: all; RFC 4877 section 4.2: by their types). */
static bool is_of_procedure(uint8_t type)
{
    return type >= MIP6_HOME_TEST_INIT && type <= MIP6_CARE_OF_TEST;
}

/* Sections 10.4.5 and 10.4.6: out of the tunnel of the binding whose home address is the source inside, as it
 * is now. To us mobile nodes speak without a tunnel. */
static bool is_permitted(const struct agent *agent, const struct mobile *mobile,
                         const struct agent_datagram *outer, const struct tested *t)
{
    const struct care *care = care_find(mobile, &outer->source);
    return care != NULL && addr_equal(&outer->destination, &care->tunnel->source) &&
           addr_equal(&t->ip.source, &mobile->home) && addr_is_unspecified(&t->ip.home) &&
           addr_is_ipv6_routable(&t->ip.destination) && !is_own(agent, &t->ip.destination) &&
           !is_home_agent(agent, &t->ip.destination);
}

static void forward(struct agent *agent, const struct tested *t)
{
    struct passage passage = {.len = t->len};
    memcpy(passage.bytes, t->packet, t->len);
    effect_forward(agent, &passage);
}

/* To a correspondent, which may be a mobile node of ours. */
static bool send_on(struct agent *agent, const struct tested *t, uint8_t type)
{
    struct mobile *to = type == MIP6_HOME_TEST ? mobile_by_home(agent, &t->ip.destination) : NULL;
    if (is_protected(to))
        return seal(agent, to, t);
    forward(agent, t);
    return true;
}

void home_test_opened(struct agent *agent, const struct agent_datagram *opened, const struct mobile *owner)
{
    struct tested t;
    uint8_t type;
    const bool good = tested_read(&t, opened->payload, opened->len) && mobility_type(&t, &type) &&
                      is_of_procedure(type) && is_permitted(agent, owner, opened, &t) &&
                      send_on(agent, &t, type);
    count(agent, good ? AGENT_HOME_TESTS_OPENED : AGENT_HOME_TESTS_DISCARDED);
}
