/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packets and bytes in one word: counting is one addition, and both are read at one moment.
 *
 * A counter is a tally that is never cleared. Its bytes carry into its packets, and its packets are lost at
 * its upper end, so that alone it says nothing. But the difference of two readings, modulo 2^64, is exactly
 * what was counted between them if that was less than 2^29 packets and 2^35 bytes; and so is the sum of
 * several counters' differences, if it was less than that for all of them together.
 *
 * Of one binding that is 2^35 / 12.5e9 = 2.7 s of 100 Gbit/s in large packets, and 2^29 / 148.8e6 = 3.6 s in
 * the smallest (84 bytes on the wire); every counter is looked at once a second. What is above spoils the
 * difference, not the counter: 2^35 bytes are then taken for one packet, 2^29 packets for none.
 */
#ifndef FWD_TALLY_H
#define FWD_TALLY_H

#include <stdint.h>

enum { TALLY_BYTES_BITS = 35 };
#define TALLY_BYTES_END   (UINT64_C(1) << TALLY_BYTES_BITS)
#define TALLY_PACKETS_END (UINT64_C(1) << (64 - TALLY_BYTES_BITS))

/* Of any numbers, modulo 2^64: then one to compare counters with, not to be read. */
static inline uint64_t tally_of(uint64_t packets, uint64_t bytes)
{
    return (packets << TALLY_BYTES_BITS) + bytes;
}

/* Of a difference. */
static inline uint64_t tally_packets(uint64_t tally)
{
    return tally >> TALLY_BYTES_BITS;
}

static inline uint64_t tally_bytes(uint64_t tally)
{
    return tally & (TALLY_BYTES_END - 1);
}

#endif
