/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A home agent in virtual time, with scripted mobile nodes around it: what the agent's tests, simulations,
 * fuzzer and benchmark have in common. It aborts where it cannot go on.
 *
 *     home agents       10.1.0.1 of 10.1.0.0/16, and 10.2.0.1 of 10.2.0.0/24
 *     mobile node i     10.1.1.i, SPI 256 + i, care-of address 192.0.2.i; nonces from LAB_NONCES on
 *     foreign agents    198.51.100.1 shares an association, 198.51.100.2 does not
 */
#ifndef TEST_AGENT_LAB_H
#define TEST_AGENT_LAB_H

#include "agent.h"
#include "mip4.h"

enum {
    LAB_MOBILES = 8, /* 0 .. 7 */
    LAB_NONCES = 4,  /* these and the following use nonces */
    LAB_LIFETIME = 300,
    LAB_MAX_LIFETIME = 600
};

struct lab {
    struct agent_settings settings;
    struct addr reserved[1]; /* 10.1.0.254, a router */
    struct agent *agent;
    struct auth *auth;
    struct instant now;
    struct effect *log; /* since the last event */
    size_t n_log, log_size;
    uint32_t nonce[LAB_MOBILES]; /* what each mobile node was told last */
    uint32_t counter;            /* makes Identifications differ */
};

/* A request, and how it travels; lab_ask fills in an ordinary one. */
struct ask {
    struct mip4_request q;
    uint8_t raw_flags; /* set besides, r and x for one */
    const char *nai;
    const uint8_t *before; /* extensions in front of the mobile-home authentication */
    size_t before_len;
    struct association mobile;
    int mobile_times; /* 0: leave it out */
    bool mobile_wrong;
    const uint8_t *after; /* extensions behind it */
    size_t after_len;
    struct association foreign;
    int foreign_times;
    bool foreign_wrong;
    size_t cut; /* bytes lost at the end */
    struct addr source, destination;
    uint16_t source_port;
    bool broadcast;
    struct mac mac;
    bool elsewhere; /* it does not come in on the link to which its source belongs */
};

struct answer {
    bool sent;
    struct message message;
    struct mip4_reply reply; /* points into nothing that lasts: ext is for counts alone */
    bool mobile_good;        /* authenticators of the reply */
    bool foreign_good;
    char nai[AGENT_NAI_MAX + 1];
};

struct addr ip(const char *text);
struct addr lab_home(size_t i);
struct addr lab_care_of(size_t i);
const char *lab_nai(size_t i);
struct association lab_association(size_t i);
struct association lab_foreign_association(void);

void lab_open(struct lab *lab);
void lab_close(struct lab *lab);
/* Sets all associations, again if they are there. */
void lab_populate(struct lab *lab);
/* Takes the agent's effects into the log, after what is there. */
void lab_drain(struct lab *lab);
void lab_forget(struct lab *lab);
/* Lets time pass; the agent is called at each of its deadlines. The log holds what happened meanwhile. */
void lab_wait(struct lab *lab, uint64_t ns);
/* Clocks go on, and nobody is called. */
void lab_pass(struct lab *lab, uint64_t ns);

/* Mobile node i registers from its co-located care-of address, with a fresh Identification. */
struct ask lab_ask(struct lab *lab, size_t i);
/* ... at home, to end it all. */
struct ask lab_ask_return(struct lab *lab, size_t i);
/* ... through the foreign agent that shares an association. */
struct ask lab_ask_relayed(struct lab *lab, size_t i);
/* The next Identification that mobile node i would use. */
uint64_t lab_identification(struct lab *lab, size_t i);

/* Bytes of the request; size is the room. */
size_t lab_encode(struct lab *lab, const struct ask *ask, uint8_t *bytes, size_t size);
/* Sends it, and reads the reply; the log holds all effects. */
struct answer lab_send(struct lab *lab, const struct ask *ask);
/* Sends bytes as the ask would have travelled. */
struct answer lab_send_bytes(struct lab *lab, const struct ask *ask, const uint8_t *bytes, size_t len);

/* Effects in the log. */
size_t lab_count(const struct lab *lab, enum effect_kind kind);
const struct effect *lab_first(const struct lab *lab, enum effect_kind kind);
/* The log without notes and listening as text: "I A S" and so on, R for remove, Y for relay, P for probe;
 * returns buf. */
const char *lab_order(const struct lab *lab, char buf[static 64]);
uint64_t lab_counter(const struct lab *lab, enum agent_counter c);
uint64_t lab_replies(const struct lab *lab, uint8_t code);

#endif
