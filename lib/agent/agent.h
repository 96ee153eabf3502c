/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The home agent as a pure state machine: mobile nodes and their security associations, bindings,
 * registration, interception and its announcements, and what is known of each tunnel. It does no I/O and
 * reads no clock: the shell feeds it events with the present instant, and takes out the effects that it wants
 * done.
 *
 *     agent_input, agent_arp, agent_tunnel_error    something came in
 *     agent_expire                                  time passed
 *     agent_deadline                                when to call agent_expire next
 *     agent_pop                                     what is to be done now, in this order
 *
 * One owner thread (the control lcore); no locks. Addresses of both families are struct addr.
 */
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

#include "addr.h"
#include "arp.h"
#include "auth.h"
#include "encapsulation.h"
#include "icmp.h"
#include "instant.h"

enum { AGENT_HOME_AGENTS_MAX = 8, AGENT_HOME_NETWORKS_MAX = 64, AGENT_CARE_OF_MAX = 8, AGENT_SEED = 32 };
enum { AGENT_MESSAGE_MAX = 1024 }; /* bytes: longest message an agent sends */
enum { AGENT_NAI_MAX = 255 };

enum replay_style { REPLAY_TIMESTAMP, REPLAY_NONCE };
enum reverse_tunnel { REVERSE_TUNNEL_OFF, REVERSE_TUNNEL_OPTIONAL, REVERSE_TUNNEL_REQUIRED };

/* A security association: what an SPI means between us and one peer (RFC 5944 section 1.6). */
struct association {
    uint32_t spi;
    struct auth_key key;
    uint8_t replay; /* enum replay_style; unused towards foreign agents */
};

struct agent_settings {
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
    uint8_t encapsulations; /* bit (1 << enum encapsulation) for each that is granted; IPIP always */
    uint8_t reverse_tunnel; /* enum reverse_tunnel */
};

/* X(name, operator's text): how often each thing happened. Registrations by code are counted apart. */
#define AGENT_COUNTERS(X)                                                                       \
    X(REQUESTS, "registration requests received")                                               \
    X(DISCARD_SHORT, "discarded: too short or no registration request")                         \
    X(DISCARD_DESTINATION, "discarded: sent to an address that is no home agent's")             \
    X(DISCARD_UNKNOWN_EXTENSION, "discarded: unknown extension below 128")                      \
    X(DISCARD_MALFORMED, "discarded: malformed and not authenticated")                          \
    X(DISCARD_UNKNOWN_MOBILE, "discarded: no security association with this mobile node")       \
    X(DISCARD_UNKNOWN_SPI, "discarded: mobile node known, SPI unknown")                         \
    X(DISCARD_NO_AUTH, "discarded: no mobile-home authentication extension")                    \
    X(DISCARD_UNKNOWN_FOREIGN, "discarded: foreign-home authentication without an association") \
    X(DISCARD_DENIAL_RATE, "authentication failures left unanswered by the rate limit")         \
    X(DUPLICATES, "duplicates of the current request answered again")                           \
    X(BINDINGS_CREATED, "bindings created")                                                     \
    X(BINDINGS_RENEWED, "bindings renewed")                                                     \
    X(BINDINGS_MOVED, "bindings moved to another care-of address")                              \
    X(BINDINGS_DEREGISTERED, "bindings deregistered")                                           \
    X(BINDINGS_EXPIRED, "bindings expired")                                                     \
    X(BINDINGS_REVOKED, "bindings revoked by the operator or by configuration")                 \
    X(ANNOUNCEMENTS, "gratuitous ARP sent for home addresses")                                  \
    X(ARP_ANSWERED, "ARP requests answered for bound home addresses")                           \
    X(ARP_CONFLICTS, "ARP from others claiming a bound home address")                           \
    X(TUNNEL_ERRORS_BELIEVED, "ICMP errors about live tunnels")                                 \
    X(TUNNEL_ERRORS_REFUSED, "ICMP errors about no tunnel of ours")                             \
    X(TUNNEL_ERRORS_RELAYED, "ICMP errors relayed to correspondents")                           \
    X(NO_MEMORY, "requests refused for want of memory")

enum agent_counter {
#define X(name, text) AGENT_##name,
    AGENT_COUNTERS(X)
#undef X
        AGENT_COUNTERS_COUNT
};
const char *agent_counter_text(enum agent_counter c);

struct agent_counters {
    uint64_t n[AGENT_COUNTERS_COUNT];
    uint64_t replies[256]; /* replies sent, by code */
};

/* What the core wants done. */
enum effect_kind { EFFECT_INSTALL, EFFECT_REMOVE, EFFECT_SEND, EFFECT_ANNOUNCE, EFFECT_RELAY, EFFECT_NOTE };

struct care_of {
    struct addr address;
    uint8_t encapsulation; /* enum encapsulation */
    bool unreachable;      /* soft state: forward all the same, and tell the sender (RFC 2003 section 5) */
    uint16_t path_mtu;     /* of the outer packet, learnt; 0: that of the link */
};

/* All that forwarding needs to know of a binding; replaces what was installed for home, in one step. */
struct forwarding {
    struct addr home;
    struct addr source; /* outer source address */
    struct care_of care_of[AGENT_CARE_OF_MAX];
    size_t n_care_of;
};

/* A UDP message from the agent. */
struct message {
    struct addr source;
    struct addr destination;
    uint16_t source_port;
    uint16_t destination_port;
    bool on_link;   /* straight onto the home link to mac, past any binding (RFC 5944 section 3.8.3.1) */
    struct mac mac; /* only with on_link; all zero: it has to be asked for */
    size_t len;
    uint8_t bytes[AGENT_MESSAGE_MAX];
};

/* One gratuitous ARP on the home link of home. */
struct announcement {
    struct addr home;
    bool ours;      /* home is at the sending interface's own MAC address; else at mac */
    struct mac mac; /* the mobile node's own, on its return */
};

/* An ICMP error to the sender of a packet that we tunnelled (RFC 2003 section 4); datagram is what was quoted
 * of it. */
struct relay {
    uint8_t type, code;
    uint32_t rest;
    size_t len;
    uint8_t datagram[ICMP_ERROR_MAX];
};

/* X(name, severity 0 debug..3 warning as enum note_level, operator's text) */
#define AGENT_NOTES(X)                                               \
    X(BOUND, INFO, "registered")                                     \
    X(RENEWED, DEBUG, "registration renewed")                        \
    X(MOVED, INFO, "care-of address changed")                        \
    X(DEREGISTERED, INFO, "deregistered")                            \
    X(EXPIRED, INFO, "registration expired")                         \
    X(REVOKED, INFO, "registration revoked")                         \
    X(DENIED, INFO, "registration denied")                           \
    X(AUTH_FAILED, WARNING, "authentication failed")                 \
    X(CONFLICT, WARNING, "another station claims this home address") \
    X(PATH_MTU, INFO, "path MTU of the tunnel changed")              \
    X(UNREACHABLE, INFO, "the tunnel's far end is reported unreachable")

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
    struct addr peer; /* who sent what caused it */
    uint32_t value;   /* lifetime in seconds, or MTU */
};

struct effect {
    enum effect_kind kind;
    union {
        struct forwarding install;
        struct addr remove; /* the home address */
        struct message send;
        struct announcement announce;
        struct relay relay;
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
int agent_foreign_set(struct agent *agent, const struct addr *address, const struct association *sa);
/* Looks at no more than budget mobile nodes; true while there are more. */
bool agent_sweep(struct agent *agent, size_t budget, struct instant now);

/* ---- Events ---- */
struct agent_datagram {
    struct addr source;
    struct addr destination;
    uint16_t source_port;
    uint16_t destination_port;
    bool broadcast;        /* destination is a (subnet) broadcast address */
    bool on_home_link;     /* it came in on the link to which its source address belongs */
    struct mac source_mac; /* of the frame that brought it */
    const uint8_t *payload;
    size_t len;
};

/* A UDP datagram to the registration port, its checksum good. */
void agent_input(struct agent *agent, const struct agent_datagram *datagram, struct instant now);
/* An ARP packet heard on the home link that is not about the appliance's own addresses. True: answer it with
 * the interface's MAC address (RFC 5944 section 4.6: only while bound; RFC 5227 probes too; no announcement,
 * no conflict). */
bool agent_arp(struct agent *agent, const struct arp *arp, struct instant now);
/* An ICMP error to one of our home-agent addresses that quotes an IP-in-IP packet: soft state and relaying of
 * RFC 2003 sections 4 and 5. ip: the error's own header; icmp: the error. */
void agent_tunnel_error(struct agent *agent, const struct ipv4 *ip, const struct icmp *icmp,
                        struct instant now);
/* Ends a binding at once. False: there is none. */
bool agent_revoke(struct agent *agent, const struct addr *home, struct instant now);

/* Does what is due, at most budget steps of it. */
void agent_expire(struct agent *agent, struct instant now, size_t budget);
/* The monotonic time at which agent_expire has work; TIMER_NEVER if none. */
uint64_t agent_deadline(const struct agent *agent);
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
    const char *nai; /* NULL: none; the agent's, valid until its next call */
};

/* The first binding at or after *cursor (0 to begin with); moves *cursor past it. False: no more. A walk in
 * slices meanwhile sees each binding that lives throughout exactly once. Looks at no more than budget mobile
 * nodes: true with out->n_care_of 0 means that the budget ran out first. */
bool agent_binding_next(const struct agent *agent, size_t *cursor, size_t budget, struct instant now,
                        struct binding_view *out);
/* False: home has no binding. */
bool agent_binding(const struct agent *agent, const struct addr *home, struct instant now,
                   struct binding_view *out);
/* Bound now: its packets are ours to tunnel, its ARP ours to answer. */
bool agent_intercepts(const struct agent *agent, const struct addr *home);
size_t agent_bindings(const struct agent *agent);
size_t agent_mobiles(const struct agent *agent);
const struct agent_counters *agent_counters(const struct agent *agent);
void agent_counters_clear(struct agent *agent);

#endif
