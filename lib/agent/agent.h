/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The home agent as a pure state machine: mobile nodes and their security associations, bindings,
 * registration, interception and its announcements, what is known of each tunnel, and delegation in either
 * role. It does no I/O and reads no clock: the shell feeds it events with the present instant, and takes out
 * the effects that it wants done.
 *
 *     agent_input, agent_heard, agent_tunnel_error  something came in
 *     agent_rates, agent_load                       what the data path has counted
 *     agent_expire                                  time passed
 *     agent_deadline                                when to call agent_expire next
 *     agent_pop                                     what is to be done now, in this order
 *
 * One owner thread (the control lcore); no locks. Addresses of both families are struct addr.
 */
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

#include "addr.h"
#include "auth.h"
#include "delegation.h"
#include "encapsulation.h"
#include "esp.h"
#include "icmp.h"
#include "instant.h"
#include "nd.h"

enum { AGENT_HOME_AGENTS_MAX = 8, AGENT_HOME_NETWORKS_MAX = 64, AGENT_CARE_OF_MAX = 8, AGENT_SEED = 32 };
enum { AGENT_MESSAGE_MAX = DELEGATION_MAX }; /* bytes: longest message an agent sends */
enum { AGENT_NAI_MAX = 255, AGENT_NAME_MAX = 64, AGENT_SECONDARIES_MAX = 63, AGENT_PRIMARIES_MAX = 8 };

enum agent_role { AGENT_PRIMARY, AGENT_SECONDARY };

/* Of IPv4 home addresses the first two (RFC 5944 section 5.7); of IPv6 ones timestamps ask for RFC 4285's
 * replay option, and sequence numbers (RFC 6275 section 9.5.1) do without. */
enum replay_style { REPLAY_TIMESTAMP, REPLAY_NONCE, REPLAY_SEQUENCE };
enum reverse_tunnel { REVERSE_TUNNEL_OFF, REVERSE_TUNNEL_OPTIONAL, REVERSE_TUNNEL_REQUIRED };

/* A security association: what an SPI means between us and one peer (RFC 5944 section 1.6). */
struct association {
    uint32_t spi;
    struct auth_key key;
    uint8_t replay; /* enum replay_style; unused towards foreign agents */
};

/* When a primary delegates a binding by itself, and to whom. */
enum delegation_when { WHEN_AFTER_REGISTRATION, WHEN_ON_REGISTRATION, WHEN_ON_LOAD, WHEN_MANUAL };
enum delegation_policy { POLICY_EQUAL, POLICY_RATE };

struct delegation_settings {
    uint16_t port;          /* UDP */
    uint8_t when;           /* enum delegation_when */
    uint8_t policy;         /* enum delegation_policy */
    bool own_source;        /* secondaries tunnel from their own addresses */
    uint32_t threshold_pps; /* WHEN_ON_LOAD: the primary delegates from here on */
    uint32_t linger_ms;     /* how long a former forwarder goes on for stale neighbour caches */
    uint32_t lease_ms;      /* how long a secondary may intercept after it last heard from its primary */
    uint32_t moves_per_s;   /* by itself, all nodes together */
    uint32_t announcements_per_s;
};
/* What an appliance uses whose configuration says nothing. */
struct delegation_settings delegation_defaults(void);

struct agent_settings {
    uint8_t role;   /* enum agent_role; never changes */
    uint16_t id;    /* this node's number in the delegation protocol, 1-65535 */
    struct mac mac; /* on the home link, for peers to know our ARP by */
    struct delegation_settings delegation;
    struct addr home_agents[AGENT_HOME_AGENTS_MAX]; /* registered with; outer source of every tunnel */
    size_t n_home_agents;
    struct prefix home_networks[AGENT_HOME_NETWORKS_MAX];
    size_t n_home_networks;
    const struct addr *reserved; /* no mobile node's home address: the appliance's own, its routers */
    size_t n_reserved;
    size_t n_own; /* so many at their beginning are the appliance's own: no care-of address either */
    uint32_t max_bindings;
    uint16_t max_lifetime_s;
    uint8_t max_care_of; /* simultaneous bindings of one mobile node; 1: none */
    uint32_t timestamp_window_s;
    /* Bit (1 << enum encapsulation) for each that is granted; IPIP and IPV6_IN_IPV6 always. */
    uint16_t encapsulations;
    uint8_t reverse_tunnel; /* enum reverse_tunnel */
    /* IPv6 home networks as the home link's routers advertise them (RFC 6275 section 10.3.1: no binding
     * outlives its prefix): beside home_networks, of the same index. 0: valid_s for ever, not deprecated. */
    struct home_prefix {
        uint32_t valid_s, preferred_s;
    } home_prefixes[AGENT_HOME_NETWORKS_MAX];
    struct advertised {
        uint16_t preference, lifetime_s; /* as a home agent (RFC 6275 section 7.4) */
    } advertised;
    bool withhold_prefixes; /* mobile prefix solicitations go unanswered (section 8.4) */
};

/* The delegation protocol's, at either end. */
#define DELEGATION_COUNTERS(X)                                                                     \
    X(PEER_RECEIVED, "delegation datagrams received and authentic")                                \
    X(PEER_SENT, "delegation datagrams sent")                                                      \
    X(PEER_RETRANSMITTED, "delegation datagrams sent again")                                       \
    X(PEER_BAD_LENGTH, "delegation datagrams discarded: length")                                   \
    X(PEER_BAD_MAGIC, "delegation datagrams discarded: not this protocol")                         \
    X(PEER_BAD_VERSION, "delegation datagrams discarded: version")                                 \
    X(PEER_UNKNOWN, "delegation datagrams discarded: from no configured peer")                     \
    X(PEER_UNKNOWN_SPI, "delegation datagrams discarded: unknown key")                             \
    X(PEER_FORGED, "delegation datagrams discarded: authenticator wrong")                          \
    X(PEER_UNPROTECTED, "delegation datagrams discarded: not in this peer's ESP")                  \
    X(PEER_REFLECTED, "delegation datagrams discarded: bearing our own node id")                   \
    X(PEER_WRONG_EPOCH, "delegation datagrams discarded: of another session")                      \
    X(PEER_REPLAYED, "delegation datagrams discarded: replayed or too old")                        \
    X(PEER_WRONG_NONCE, "delegation datagrams discarded: answer to no hello of ours")              \
    X(PEER_MALFORMED, "delegation datagrams authentic but malformed")                              \
    X(PEER_UNEXPECTED, "delegation datagrams of a type that this role does not take")              \
    X(SESSIONS, "delegation sessions begun")                                                       \
    X(STARTS_SENT, "start forwarding sent, by binding, without repeats")                           \
    X(STARTS_ACKNOWLEDGED, "start forwarding acknowledged")                                        \
    X(STARTS_REFUSED, "start forwarding refused")                                                  \
    X(STARTS_GIVEN_UP, "start forwarding given up")                                                \
    X(STOPS_SENT, "stop forwarding sent, by binding, without repeats")                             \
    X(STOPS_ACKNOWLEDGED, "stop forwarding acknowledged")                                          \
    X(NODES_DEAD, "secondaries declared dead")                                                     \
    X(LEASES_WITHHELD, "leases withheld from secondaries that do not hear us or make no progress") \
    X(SYNCHRONISATIONS, "synchronisations of a secondary's table begun")                           \
    X(REBUILT, "bindings rebuilt from a secondary's table")                                        \
    X(REPLIES_HELD, "registration replies held until a secondary acknowledged")                    \
    X(REPLIES_LATE, "held registration replies sent without the acknowledgement")                  \
    X(MOVES, "bindings moved between forwarders")                                                  \
    X(STARTS_TAKEN, "start forwarding obeyed")                                                     \
    X(STARTS_DECLINED, "start forwarding declined")                                                \
    X(STOPS_TAKEN, "stop forwarding obeyed")                                                       \
    X(LEASES_LOST, "leases that ran out")                                                          \
    X(DURATIONS_OVER, "delegations that ran out at this secondary")                                \
    X(EVENTS_SENT, "delegation events reported")                                                   \
    X(EVENTS_HEARD, "delegation events heard")                                                     \
    X(EVENTS_LOST, "delegation events not reported: too many waited")

/* X(name, operator's text): how often each thing happened. Registrations by code are counted apart. */
#define AGENT_COUNTERS(X)                                                                       \
    X(REQUESTS, "registration requests and binding updates received")                           \
    X(DISCARD_SHORT, "discarded: too short, or no registration request")                        \
    X(DISCARD_DESTINATION, "discarded: sent to an address that is no home agent's")             \
    X(DISCARD_UNKNOWN_EXTENSION, "discarded: unknown extension below 128")                      \
    X(DISCARD_MALFORMED, "discarded: malformed and not authenticated")                          \
    X(DISCARD_UNKNOWN_MOBILE, "discarded: no security association with this mobile node")       \
    X(DISCARD_UNKNOWN_SPI, "discarded: mobile node known, SPI unknown")                         \
    X(DISCARD_NO_AUTH, "discarded: neither mobile-home authentication nor ESP")                 \
    X(DISCARD_UNKNOWN_FOREIGN, "discarded: foreign-home authentication without an association") \
    X(DISCARD_DENIAL_RATE, "authentication failures left unanswered by the rate limit")         \
    X(DISCARD_MH_CHECKSUM, "mobility headers discarded: checksum")                              \
    X(DISCARD_MH_TYPE, "mobility headers discarded: of a type that a home agent does not take") \
    X(DISCARD_MH_FORMAT, "mobility headers discarded: payload protocol or header length")       \
    X(DISCARD_HOME_ADDRESS, "binding updates discarded: source or home address not routable")   \
    X(DISCARD_CARE_OF, "binding updates discarded: care-of address not routable")               \
    X(DISCARD_NOT_HOME, "binding updates discarded: no home registrations")                     \
    X(DISCARD_ERROR_RATE, "binding and ICMP errors withheld by the rate limit")                 \
    X(BINDING_ERRORS, "binding errors sent")                                                    \
    X(UPDATES_WAITED, "binding updates that waited for duplicate address detection")            \
    X(UPDATES_ABSORBED, "binding updates absorbed by one that waits")                           \
    X(DUPLICATES, "duplicates of the current request answered again")                           \
    X(BINDINGS_CREATED, "bindings created")                                                     \
    X(BINDINGS_RENEWED, "bindings renewed")                                                     \
    X(BINDINGS_MOVED, "bindings moved to another care-of address")                              \
    X(BINDINGS_DEREGISTERED, "bindings deregistered")                                           \
    X(BINDINGS_EXPIRED, "bindings expired")                                                     \
    X(BINDINGS_REVOKED, "bindings revoked by the operator or by configuration")                 \
    X(ANNOUNCEMENTS, "gratuitous ARP and neighbour advertisements sent for home addresses")     \
    X(ARP_ANSWERED, "ARP requests and solicitations answered for bound home addresses")         \
    X(ARP_CONFLICTS, "ARP and neighbour advertisements of others for a bound home address")     \
    X(TUNNEL_ERRORS_BELIEVED, "ICMP errors about live tunnels")                                 \
    X(TUNNEL_ERRORS_REFUSED, "ICMP errors about no tunnel of ours")                             \
    X(TUNNEL_ERRORS_RELAYED, "ICMP errors relayed to correspondents")                           \
    X(ESP_OPENED, "ESP packets opened")                                                         \
    X(ESP_SEALED, "ESP packets sealed")                                                         \
    X(ESP_UNKNOWN_SPI, "ESP packets discarded: SPI unknown")                                    \
    X(ESP_MALFORMED, "ESP packets discarded: malformed")                                        \
    X(ESP_FORGED, "ESP packets discarded: integrity check value wrong")                         \
    X(ESP_REPLAYED, "ESP packets discarded: replayed")                                          \
    X(ESP_SELECTOR, "ESP packets discarded: not what the association is for")                   \
    X(ESP_UNSENT, "messages not sent: ESP failed")                                              \
    X(HOME_TESTS_OPENED, "return routability packets of mobile nodes forwarded out of ESP")     \
    X(HOME_TESTS_SEALED, "home tests sent on to mobile nodes in ESP")                           \
    X(HOME_TESTS_PASSED, "home tests passed on to the primary that has their keys")             \
    X(HOME_TESTS_DISCARDED, "return routability packets discarded that come or go in ESP")      \
    X(HOME_AGENTS_TOLD, "home agent address discovery requests answered")                       \
    X(PREFIXES_TOLD, "mobile prefix solicitations answered")                                    \
    X(DISCOVERY_DISCARDED, "discovery messages discarded: malformed, or not to be answered")    \
    X(DISCOVERY_WITHHELD, "discovery messages left unanswered by the rate limit")               \
    X(HOME_AGENTS_REFUSED, "other home agents not listed: too many on their link")              \
    X(NO_MEMORY, "requests refused for want of memory")                                         \
    DELEGATION_COUNTERS(X)

enum agent_counter {
#define X(name, text) AGENT_##name,
    AGENT_COUNTERS(X)
#undef X
        AGENT_COUNTERS_COUNT
};
const char *agent_counter_text(enum agent_counter c);

struct agent_counters {
    uint64_t n[AGENT_COUNTERS_COUNT];
    uint64_t replies[256]; /* registration replies sent, by code */
    uint64_t acks[256];    /* binding acknowledgements sent, by status */
};

/* What the core wants done. */
enum effect_kind {
    EFFECT_INSTALL,
    EFFECT_REMOVE,
    EFFECT_SEND,
    EFFECT_ANNOUNCE,
    EFFECT_PROBE,
    EFFECT_LISTEN,
    EFFECT_RELAY,
    EFFECT_FORWARD,
    EFFECT_NOTE
};

struct care_of {
    struct addr address;
    uint8_t encapsulation; /* enum encapsulation */
    bool unreachable;      /* soft state: forward all the same, and tell the sender (RFC 2003 section 5) */
    bool reverse;          /* what comes from it by the same encapsulation is to be decapsulated (RFC 3024) */
    uint16_t path_mtu;     /* of the outer packet, learnt; 0: that of the link */
};

/* All that forwarding needs to know of a binding; replaces what was installed for home, in one step. */
struct forwarding {
    struct addr home;
    struct addr source; /* outer source address */
    struct care_of care_of[AGENT_CARE_OF_MAX];
    size_t n_care_of;
    uint8_t id_slot; /* our part of the identifications of source: 0-63; meaningful with agent_id_slots */
    bool home_tests; /* IPv6: home tests go to agent_home_test, and the mobile node's own are not taken out of
                        the tunnel (RFC 6275 section 10.4.6) */
};

/* A message from the agent, of the family of its addresses: a UDP datagram, or what follows the IP header
 * (Mobility Header, ESP, ICMPv6), its checksum filled in. */
struct message {
    struct addr source;
    struct addr destination;
    struct addr home;     /* the mobile node's, for a type 2 routing header; addr_unspecified: without one */
    uint8_t protocol;     /* IPPROTO_NUM_UDP, _MOBILITY, _ESP, _ICMPV6; of IPv4 the first and ESP */
    uint8_t tos;          /* of what is not UDP: or traffic class */
    uint16_t source_port; /* of UDP */
    uint16_t destination_port;
    bool on_link;   /* straight onto the home link to mac, past any binding (RFC 5944 section 3.8.3.1) */
    struct mac mac; /* only with on_link; all zero: it has to be asked for */
    size_t len;
    uint8_t bytes[AGENT_MESSAGE_MAX];
};

/* One gratuitous ARP, or unsolicited neighbour advertisement to all nodes (RFC 6275 section 10.4.1: override,
 * neither router nor solicited), on the home link of home. */
struct announcement {
    struct addr home;
    bool ours;   /* home is at the sending interface's own MAC address; else at mac */
    bool silent; /* nothing is sent: only what still comes here for home goes to mac, on the link */
    bool
        link_local; /* IPv6: addr_link_local_of(&home) likewise, on the same link (RFC 6275 section 10.4.1) */
    struct mac mac; /* the mobile node's own, on its return */
};

/* One solicitation each, from no address, on the home link of home (RFC 4862 section 5.4.2). */
struct probe {
    struct addr home;
    bool link_local; /* for addr_link_local_of(&home) too */
};

/* From now on (on), or no more, what stations ask of home in the solicited-node group of home has to reach us
 * on its home link: that is to be joined, or left, unless it is for another home address. IPv6 alone. */
struct listening {
    struct addr home;
    bool on;
};

/* An ICMP error to the sender of a packet that we tunnelled (RFC 2003 section 4, RFC 2473 section 8);
 * datagram is what was quoted of it. */
struct relay {
    uint8_t what; /* enum icmp_error */
    uint32_t value;
    size_t len;
    uint8_t datagram[ICMP6_ERROR_MAX];
};

/* A whole IP datagram of others. Forwarded by the routes and bindings, for which it takes its hop; or,
 * on_link, to mac on the home link of home as it is. */
struct passage {
    bool on_link;
    struct addr home;
    struct mac mac;
    size_t len;
    uint8_t bytes[AGENT_MESSAGE_MAX];
};

/* X(name, severity 0 debug..3 warning as enum note_level, operator's text) */
#define AGENT_NOTES(X)                                                   \
    X(BOUND, INFO, "registered")                                         \
    X(RENEWED, DEBUG, "registration renewed")                            \
    X(MOVED, INFO, "care-of address changed")                            \
    X(DEREGISTERED, INFO, "deregistered")                                \
    X(EXPIRED, INFO, "registration expired")                             \
    X(REVOKED, INFO, "registration revoked")                             \
    X(DENIED, INFO, "registration denied")                               \
    X(AUTH_FAILED, WARNING, "authentication failed")                     \
    X(CONFLICT, WARNING, "another station claims this home address")     \
    X(PATH_MTU, INFO, "path MTU of the tunnel changed")                  \
    X(UNREACHABLE, INFO, "the tunnel's far end is reported unreachable") \
    X(DELEGATED, DEBUG, "delegated to")                                  \
    X(RECALLED, DEBUG, "forwarded by the primary again")                 \
    X(REFUSED_BY, WARNING, "delegation refused by")                      \
    X(PEER_UP, INFO, "delegation session begun")                         \
    X(PEER_DEAD, WARNING, "declared dead")                               \
    X(PEER_SUSPICIOUS, WARNING, "discarded a delegation datagram from")  \
    X(LEASE_LOST, WARNING, "no lease in force any more")                 \
    X(LEASE_GAINED, INFO, "lease in force")                              \
    X(SYNCHRONISED, INFO, "table synchronised")                          \
    X(DRAINED, INFO, "drained")

enum note_level { NOTE_DEBUG, NOTE_INFO, NOTE_WARNING };
enum note_kind {
#define X(name, level, text) NOTE_##name,
    AGENT_NOTES(X)
#undef X
};
const char *note_text(enum note_kind kind);
enum note_level note_level(enum note_kind kind);

/* Something an operator may want to read; those that a stranger can trigger are limited to a few a second. */
struct note {
    uint8_t kind; /* enum note_kind */
    uint8_t code; /* reply code, where one was sent */
    struct addr home;
    struct addr care_of;
    struct addr peer;          /* who sent what caused it */
    uint32_t value;            /* lifetime in seconds, MTU, or a number of bindings */
    char name[AGENT_NAME_MAX]; /* of the primary or secondary it is about; empty: none */
};

struct effect {
    enum effect_kind kind;
    union {
        struct forwarding install;
        struct addr remove; /* the home address */
        struct message send;
        struct announcement announce;
        struct probe probe;
        struct listening listen;
        struct relay relay;
        struct passage forward;
        struct note note;
    };
};

struct agent;

/*
 * seed makes nonces unpredictable; it must be random in production. boot is the instant of the start:
 * timestamps up to it are refused as replays, since what was accepted before is unknown (RFC 5944
 * section 5.7.1 asks for "greater than all previously accepted"). NULL: out of memory, or libcrypto lacks an
 * algorithm.
 */
struct agent *agent_create(const struct agent_settings *settings, const uint8_t seed[static AGENT_SEED],
                           struct instant boot);
void agent_destroy(struct agent *agent);

/* Replaces the settings; copies all, reserved included. Bindings that the new settings would not grant live
 * on to their end, except those whose home address is outside every home network, which agent_expire revokes
 * in its next steps. 0 or -ENOMEM (nothing changed). */
int agent_configure(struct agent *agent, const struct agent_settings *settings);

/* ---- Mobile nodes and foreign agents. A change of configuration is a sweep: begin, one _set for each that
 * stays or is new, then _sweep until it says that nothing is left: what was not set again is removed, its
 * binding revoked. ---- */
void agent_sweep_begin(struct agent *agent);
/* Adds an association with the mobile node at home, or replaces the one with the same SPI; a kept key keeps
 * its replay state. nai may be NULL. 0, -ENOMEM, or -EEXIST: another home address has this NAI. Several SPIs
 * may name one home. */
int agent_mobile_set(struct agent *agent, const struct addr *home, const struct association *sa,
                     const char *nai);
/* ESP for binding updates from home and the acknowledgements to it (RFC 3776 section 4.2; RFC 4877). Replaces
 * those that were set before; a direction that is the same goes on, out with its sequence numbers and in,
 * where it has replay_protection, with its window. Part of the sweep. 0, -ENOMEM, -EEXIST: another home
 * address has in->spi, -EINVAL: not sound. */
int agent_ipsec_set(struct agent *agent, const struct addr *home, const struct esp_association *in,
                    const struct esp_association *out);
/* ESP in tunnel mode for the return routability procedure of home (RFC 6275 section 10.4.6), where it is
 * bound and what it sends through its tunnel, likewise; a binding that it has is protected at once. They are
 * not to be of the null cipher: -EINVAL. */
int agent_home_test_set(struct agent *agent, const struct addr *home, const struct esp_association *in,
                        const struct esp_association *out, struct instant now);
int agent_foreign_set(struct agent *agent, const struct addr *address, const struct association *sa);
/* Looks at no more than budget mobile nodes; true while there are more. */
bool agent_sweep(struct agent *agent, size_t budget, struct instant now);

/* Who takes part in delegation: for a primary one of its secondaries, for a secondary one of its primaries.
 */
struct agent_peer {
    char name[AGENT_NAME_MAX];
    struct addr address; /* theirs */
    struct addr local;   /* ours towards them: what they have configured as our address */
    uint32_t spi;
    struct auth_key key; /* AUTH_HMAC_SHA256, DELEGATION_KEY bytes */
    uint32_t other_spi;  /* 0: none. Accepted as well, for rotation: what we begin uses spi */
    struct auth_key other_key;
    /* ESP in transport mode around all datagrams of both directions; without it they are not taken. */
    bool protected;
    struct esp_association esp_in, esp_out;
    uint16_t mtu;    /* of the link of ours that leads there: datagrams keep to it; 0: not known */
    uint16_t weight; /* of a secondary */
    /* Of a primary: where the home addresses may lie that it delegates here. */
    struct prefix prefixes[AGENT_HOME_NETWORKS_MAX];
    size_t n_prefixes;
};
/* Part of the sweep. A peer is the same as before if its name is: a changed key or address ends its session,
 * and so does a changed MTU; a changed weight ends nothing, nor do changed keys of ESP. A secondary that is
 * not set again is drained as by agent_drain and forgotten when it holds nothing any more; a primary that is
 * not set again has what it delegated dropped. 0, -ENOMEM, -ENOSPC, -EINVAL: ESP is not sound, or -EEXIST:
 * another one of this sweep has its name or its pair of addresses, or esp_in's SPI. */
int agent_peer_set(struct agent *agent, const struct agent_peer *peer);

/* ---- Events ---- */
struct agent_datagram {
    struct addr source; /* of the IP header */
    struct addr destination;
    struct addr home;     /* IPv6: of a Home Address option; addr_unspecified: there is none */
    uint8_t protocol;     /* IPPROTO_NUM_UDP, _MOBILITY, _ESP, _ICMPV6 */
    uint16_t source_port; /* of UDP */
    uint16_t destination_port;
    bool broadcast;         /* destination is a (subnet) broadcast address */
    bool on_home_link;      /* it came in on the link to which its source address belongs */
    struct mac source_mac;  /* of the frame that brought it */
    const uint8_t *payload; /* of UDP its payload, its checksum good; of others what follows the extension
                               headers, as it came but for ICMPv6's checksum, which is good */
    size_t len;
    const uint8_t *whole; /* IPv6: the datagram from its IP header on, for ICMP errors to quote; payload is
                             part of it. NULL: not at hand */
    size_t whole_len;
};

/* A UDP datagram to the registration port or the delegation port, a Mobility Header, an ESP packet, or an
 * ICMPv6 message of home-agent or prefix discovery (RFC 6275 sections 6.5 to 6.8), to one of our addresses
 * (or, of discovery, to the home agents' anycast address). */
void agent_input(struct agent *agent, const struct agent_datagram *datagram, struct instant now);

/* RFC 6275 section 9.3.1, for packets to our own addresses that agent_input does not take: true if there is
 * no Home Address option (datagram->home), or it is bound to the source. False: the packet is to be dropped;
 * a Binding Error goes back. Only addresses and protocol are looked at. */
bool agent_home_option(struct agent *agent, const struct agent_datagram *datagram, struct instant now);

/* A home test that was on its way into the tunnel of a binding installed with home_tests: a whole IPv6 packet
 * that has not taken its hop yet, in a frame that was sent by from. */
void agent_home_test(struct agent *agent, const uint8_t *packet, size_t len, const struct mac *from);

/* What a station on a home link says and asks there, by ARP or neighbour discovery. */
struct agent_neighbor {
    struct mac mac;      /* the sender's */
    struct addr claimed; /* it says that it has this address; addr_unspecified: none (ARP probe, or duplicate
                            address detection, which claims nothing yet) */
    struct addr asked;   /* it asks for this one; addr_unspecified: for none */
};
/* An ARP packet, neighbour solicitation or advertisement heard on the home link that is not about the
 * appliance's own addresses. True: answer it with the interface's MAC address (RFC 5944 section 4.6, RFC 6275
 * section 10.4.1: only while bound; probes too; no announcement, no conflict). */
bool agent_heard(struct agent *agent, const struct agent_neighbor *heard, struct instant now);
/* A router advertisement heard on the link of a home network (RFC 6275 sections 7 and 10.5: the list of home
 * agents). */
void agent_router_heard(struct agent *agent, const struct nd *advertisement, struct instant now);
/* An ICMP error to one of our home-agent addresses that quotes a packet of a tunnel: soft state and relaying
 * of RFC 2003 sections 4 and 5, RFC 2473 section 8. ip: the error's own header; icmp: the error. */
void agent_tunnel_error(struct agent *agent, const struct ip_header *ip, const struct icmp *icmp,
                        struct instant now);
/* What the data path counted of a home address lately. */
struct agent_rate {
    struct addr home;
    uint32_t pps, kbps;
    uint64_t packets, bytes; /* cumulative, of this node, since it began to forward for home */
};
/* Of those with traffic in the last second or so, each about once in that time; those not mentioned for three
 * seconds are at rest. */
void agent_rates(struct agent *agent, const struct agent_rate *rates, size_t n, struct instant now);

/* What this node as a whole carries; told once a second or so. */
struct agent_load {
    uint32_t capacity_pps; /* what it is known to bear; 0: not known */
    uint32_t rx_pps, tx_pps, drop_pps, tx_kbps;
    uint16_t busiest_permille; /* of the busiest lcore's time */
    uint32_t unknown_pps;      /* packets for home addresses without an entry */
    bool link_down;
};
void agent_load(struct agent *agent, const struct agent_load *load, struct instant now);
/* Ends a binding at once. False: there is none. */
bool agent_revoke(struct agent *agent, const struct addr *home, struct instant now);

/* ---- What an operator asks of a primary ---- */
/* X(name, text): why it was not done. */
#define AGENT_REFUSALS(X)                                                   \
    X(DONE, "done")                                                         \
    X(NOT_PRIMARY, "only a primary home agent delegates")                   \
    X(NO_BINDING, "no such binding")                                        \
    X(NO_SECONDARY, "no such secondary")                                    \
    X(NOT_READY, "this secondary is not ready")                             \
    X(IS_DRAINING, "this secondary is being drained")                       \
    X(ALREADY, "it is so already")                                          \
    X(BUSY, "an earlier operation on this binding is not acknowledged yet") \
    X(OUT_OF_MEMORY, "out of memory")

enum agent_refusal {
#define X(name, text) REFUSAL_##name,
    AGENT_REFUSALS(X)
#undef X
};
const char *agent_refusal_text(enum agent_refusal refusal);

/* A binding placed by hand stays where it was put until it is recalled, its forwarder fails, or the operator
 * asks for a division of all. */
enum agent_refusal agent_delegate(struct agent *agent, const struct addr *home, const char *secondary,
                                  struct instant now);
enum agent_refusal agent_recall(struct agent *agent, const struct addr *home, struct instant now);
/* Divides all bindings by the policy in force, at the pace of moves_per_s. */
enum agent_refusal agent_delegate_all(struct agent *agent, struct instant now);
/* The count busiest that the primary itself forwards. */
enum agent_refusal agent_delegate_busiest(struct agent *agent, uint32_t count, const char *secondary,
                                          struct instant now);
enum agent_refusal agent_drain(struct agent *agent, const char *secondary, bool drain, struct instant now);
enum agent_refusal agent_rebalance(struct agent *agent, struct instant now);
/* Until the next agent_configure. */
enum agent_refusal agent_set_policy(struct agent *agent, enum delegation_policy policy);
enum agent_refusal agent_set_threshold(struct agent *agent, uint32_t pps);

/* Does what is due, at most budget steps of it. */
void agent_expire(struct agent *agent, struct instant now, size_t budget);
/* The monotonic time at which agent_expire has work; TIMER_NEVER if none. */
uint64_t agent_deadline(const struct agent *agent);
/* The shell has forgotten for which home addresses it listens: EFFECT_LISTEN says so again of each that there
 * is, by agent_expire; none that is due no more is taken back. */
void agent_listen_again(struct agent *agent);
/* The next effect, valid until the next call of any agent function; NULL when there is none left. */
const struct effect *agent_pop(struct agent *agent);

/* ---- What is known (console) ---- */
struct binding_view {
    struct addr home;
    struct care_of care_of[AGENT_CARE_OF_MAX];
    uint32_t lifetime_left_s[AGENT_CARE_OF_MAX]; /* UINT32_MAX: never ends */
    uint16_t lifetime_granted_s[AGENT_CARE_OF_MAX];
    size_t n_care_of;
    struct addr home_agent;
    uint8_t id_slot;
    const char *nai;         /* NULL: none; the agent's, valid until its next call */
    const char *forwarder;   /* who attracts its packets: NULL this node; the agent's */
    bool home_tests;         /* as in struct forwarding */
    const char *state;       /* of its delegation, as the protocol names it ("local", "delegated", ...) */
    uint64_t packets, bytes; /* of all forwarders, as far as reported */
    uint32_t pps, kbps;
};

/* The first binding at or after *cursor (0 to begin with); moves *cursor past it. False: no more. A walk in
 * slices meanwhile sees each binding that lives throughout exactly once. Looks at no more than budget mobile
 * nodes: true with out->n_care_of 0 means that the budget ran out first. */
bool agent_binding_next(const struct agent *agent, size_t *cursor, size_t budget, struct instant now,
                        struct binding_view *out);
/* False: home has no binding. */
bool agent_binding(const struct agent *agent, const struct addr *home, struct instant now,
                   struct binding_view *out);
/* Bound now: its packets are ours to tunnel where they come to us. */
bool agent_forwards(const struct agent *agent, const struct addr *home);
/* Its packets are ours to attract: we answer ARP or neighbour solicitations for it. */
bool agent_intercepts(const struct agent *agent, const struct addr *home);
/* How many parts the identifications of an outer source are divided into: 1 or 64. */
unsigned agent_id_slots(const struct agent *agent);

/* X(name, text) of a secondary, or of a primary as its secondary sees it */
#define PEER_STATES(X)          \
    X(UNMET, "unmet")           \
    X(SYNCING, "syncing")       \
    X(READY, "ready")           \
    X(SUSPECT, "suspect")       \
    X(DRAINING, "draining")     \
    X(OVERLOADED, "overloaded") \
    X(DEAD, "dead")             \
    X(NO_LEASE, "no-lease")
enum peer_state {
#define X(name, text) PEER_##name,
    PEER_STATES(X)
#undef X
};
const char *peer_state_text(enum peer_state state);

struct peer_view {
    char name[AGENT_NAME_MAX];
    struct addr address;
    enum peer_state state;
    uint32_t bindings; /* that it forwards for us, or we for it, intercepting */
    uint32_t lingering;
    uint32_t pending; /* operations not acknowledged */
    uint16_t weight;
    uint32_t rtt_us; /* smoothed; 0: not measured */
    uint64_t retransmissions;
    uint32_t last_heard_ms; /* UINT32_MAX: never */
    uint32_t lease_left_ms;
    uint64_t floor;
    uint32_t term;
    uint16_t id; /* 0: not met */
    uint8_t id_slot;
    struct delegation_load load; /* a secondary's last report; zero in the other role */
};
/* The peer at *cursor (0 to begin with), which is moved on. False: no more. */
bool agent_peer_next(const struct agent *agent, size_t *cursor, struct instant now, struct peer_view *out);

/* What a primary holds its nodes to have been told of a binding, whatever they acknowledged. */
struct holding_view {
    const char *node;
    uint64_t generation; /* of the newest operation */
    bool acknowledged;   /* that one */
    bool may_intercept;  /* it may be attracting packets, for all that we know */
    bool wanted;         /* it is wanted to */
    bool lingering;
};
/* The holding at *cursor of home's binding, also after its end. False: no more. */
bool agent_holding_next(const struct agent *agent, const struct addr *home, size_t *cursor,
                        struct holding_view *out);

/* Of balancing. */
struct load_view {
    const char *name; /* NULL: the primary itself */
    uint32_t bindings, pps, kbps;
    uint32_t permille_of_all;      /* of the packets */
    uint32_t utilisation_permille; /* 0: capacity not known */
    uint16_t weight;               /* in force now: ramping up, or draining */
};
bool agent_load_next(const struct agent *agent, size_t *cursor, struct instant now, struct load_view *out);

struct decision {
    uint64_t at_ns; /* monotonic */
    struct addr home;
    char from[AGENT_NAME_MAX], to[AGENT_NAME_MAX]; /* "self": the primary */
    uint32_t pps;
    const char *why; /* static text */
};
/* The newest is 0. False: no more are remembered. */
bool agent_decision(const struct agent *agent, size_t i, struct decision *out);
/* What a rebalance would do now: the i-th move, at most as many as are kept. Computed anew when i is 0. */
bool agent_plan(struct agent *agent, size_t i, struct instant now, struct decision *out);

size_t agent_bindings(const struct agent *agent);
size_t agent_mobiles(const struct agent *agent);
const struct agent_counters *agent_counters(const struct agent *agent);
void agent_counters_clear(struct agent *agent);

#endif
