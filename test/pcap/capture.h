/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames with their times, as pcap files hold them: read, collected, compared, written. A frame's time is
 * that of the capture, in microseconds since 1970, so that comparing is exact.
 */
#ifndef TEST_PCAP_CAPTURE_H
#define TEST_PCAP_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { CAPTURE_FRAME_MAX = 65535 };

struct frame {
    uint64_t at_us;
    uint32_t len;
    uint8_t *bytes;
};

struct capture {
    struct frame *frame;
    size_t n, room;
};

/* False after a line to stderr. */
bool capture_read(struct capture *c, const char *path);
bool capture_write(const struct capture *c, const char *path);
void capture_append(struct capture *c, uint64_t at_us, const uint8_t *bytes, uint32_t len);
void capture_free(struct capture *c);
/* Same frames at the same times; if not, writes to out where they part and what is there in both. */
bool capture_compare(const struct capture *expected, const struct capture *actual, const char *name,
                     FILE *out);

#endif
