/* SPDX-License-Identifier: BSD-3-Clause */
/* An input as a row of steps: control, length, that many bytes; the last one may have fewer. */
#ifndef FUZZ_STEPS_H
#define FUZZ_STEPS_H

#include <stdbool.h>

#include "bytes.h"

struct step {
    uint8_t control;
    const uint8_t *bytes;
    size_t len;
};

/* False: the input is at its end. */
static inline bool step_next(struct reader *input, struct step *s)
{
    if (reader_left(input) < 2)
        return false;
    s->control = read_u8(input);
    s->len = read_u8(input);
    if (s->len > reader_left(input))
        s->len = reader_left(input);
    s->bytes = read_bytes(input, s->len);
    return true;
}

#endif
