/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A moment on the two clocks that Mobile IP needs: deadlines run on the monotonic clock, Identification
 * fields on the wall clock in NTP format (RFC 5905 section 6: seconds since 1900 << 32 | fraction).
 * The core never reads a clock; the shell passes one of these.
 */
#ifndef BASE_INSTANT_H
#define BASE_INSTANT_H

#include <stdint.h>
#include <time.h>

#define NSEC_PER_S  UINT64_C(1000000000)
#define NSEC_PER_MS UINT64_C(1000000)
#define NSEC_PER_US UINT64_C(1000)

struct instant {
    uint64_t mono_ns;
    uint64_t ntp;
};

/* NTP's era ends in 2036: the order of two timestamps is the sign of their difference. */
static inline int64_t ntp_since(uint64_t later, uint64_t earlier)
{
    return (int64_t)(later - earlier);
}

static inline uint64_t ntp_from_unix(int64_t s, uint32_t ns)
{
    const uint64_t unix_epoch_in_ntp = UINT64_C(2208988800);
    return ((uint64_t)s + unix_epoch_in_ntp) << 32 | (uint64_t)(((uint64_t)ns << 32) / NSEC_PER_S);
}

static inline uint64_t ntp_from_seconds(uint32_t s)
{
    return (uint64_t)s << 32;
}

/* For the shell alone. */
static inline struct instant instant_now(void)
{
    struct timespec mono, wall;
    clock_gettime(CLOCK_MONOTONIC, &mono);
    clock_gettime(CLOCK_REALTIME, &wall);
    return (struct instant){
        .mono_ns = (uint64_t)mono.tv_sec * NSEC_PER_S + (uint64_t)mono.tv_nsec,
        .ntp = ntp_from_unix(wall.tv_sec, (uint32_t)wall.tv_nsec),
    };
}

#endif
