/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The frames of a capture file that a home agent would tunnel: whole IPv4 packets in Ethernet frames to one
 * host. Their destinations, each once, are the bindings of a replay.
 *
 * Read once, by the main thread; then nobody changes it.
 */
#ifndef BENCH_CAPTURE_H
#define BENCH_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "addr.h"

enum { CAPTURE_FRAME_MAX = 2048, CAPTURE_FRAMES_MAX = 1 << 20 };

struct captured {
    uint8_t *bytes;
    uint16_t len;
    uint32_t binding; /* index of its destination */
};

struct capture {
    struct captured *frames;
    uint32_t n_frames, n_left_out;
    uint32_t *homes; /* network order */
    uint32_t n_homes;
    struct mac mac; /* the first frame's destination: the port's address */
};

/* NULL: why is on stderr. */
struct capture *capture_read(const char *path);
void capture_free(struct capture *capture);

#endif
