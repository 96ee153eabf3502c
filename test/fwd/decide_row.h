/* SPDX-License-Identifier: BSD-3-Clause */
/* A row of test_decide.c. */
#ifndef TEST_FWD_DECIDE_ROW_H
#define TEST_FWD_DECIDE_ROW_H

#include "worker_bed.h"

struct row {
    const char *what;
    struct spec frame;
    enum verdict expected;
};

#endif
