/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What rows are measured under: one value of everything that changes the figure. Two setups that differ in
 * one member show what that member costs.
 *
 * Plain values.
 */
#ifndef BENCH_SETUP_H
#define BENCH_SETUP_H

#include <stdbool.h>
#include <stdint.h>

#include "encapsulation.h"

/* X(name, text) */
#define FAMILIES(X) \
    X(IPV4, "ipv4") \
    X(IPV6, "ipv6")
/* Frames on the wire, with their checksum: 64 bytes; seven of 64, four of 594 and one of 1518; an IP packet
 * of 1500 bytes; those of a capture. */
#define SIZES(X)    \
    X(64, "64")     \
    X(IMIX, "imix") \
    X(1500, "1500") \
    X(PCAP, "pcap")
/* Of the destinations: all are bound, none is, every other one is. */
#define HITS(X)     \
    X(HIT, "hit")   \
    X(MISS, "miss") \
    X(MIXED, "mixed")
/* How often each destination comes: Zipf with exponent 1. */
#define TRAFFICS(X)       \
    X(UNIFORM, "uniform") \
    X(ZIPF, "zipf")       \
    X(PCAP, "pcap")

#define X(name, text) FAMILY_##name,
enum family { FAMILIES(X) FAMILY_COUNT };
#undef X
#define X(name, text) SIZE_##name,
enum size { SIZES(X) SIZE_COUNT };
#undef X
#define X(name, text) HIT_##name,
enum hit { HITS(X) HIT_COUNT };
#undef X
#define X(name, text) TRAFFIC_##name,
enum traffic_kind { TRAFFICS(X) TRAFFIC_COUNT };
#undef X

const char *family_text(enum family family);
/* Of the packets that an encapsulation makes, and whether it is for packets of that family. */
enum family setup_outer(enum encapsulation encapsulation);
bool setup_bears(enum encapsulation encapsulation, enum family family);
/* What is measured of a family unless another is asked for. */
enum encapsulation setup_usual(enum family family);
const char *size_text(enum size size);
const char *hit_text(enum hit hit);
const char *traffic_text(enum traffic_kind traffic);

enum { SETUP_BURST_MAX = 256, SETUP_WORKERS_MAX = 32, SETUP_BINDINGS_MAX = 14000000 };

struct setup {
    enum family family;
    enum encapsulation encapsulation;
    enum size size;
    enum hit hit;
    enum traffic_kind traffic;
    uint32_t bindings;
    unsigned burst;
    unsigned workers;
};

#endif
