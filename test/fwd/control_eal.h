/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An EAL for suites of the appliance's control: an lcore for it and one for a worker, on one CPU. All tests
 * of a suite run in one process (an EAL does not survive a fork).
 */
#ifndef TEST_FWD_CONTROL_EAL_H
#define TEST_FWD_CONTROL_EAL_H

#include "../unit/check_main.h"

#include <stdio.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_eal.h>
#include <rte_errno.h>

#include "log.h"

/* The exit status for main. name: of the suite, no two of which may share it. */
static inline int control_main(const char *program, const char *name, Suite *(*suite)(void))
{
    const char *const arguments[] = {program,    "--no-huge",        "-m",       "256",     "--no-shconf",
                                     "--no-pci", "--no-telemetry",   "--lcores", "0@0,1@0", "--file-prefix",
                                     name,       "--log-level=error"};
    char *vector[RTE_DIM(arguments)];
    memcpy(vector, arguments, sizeof(vector));
    setenv("CK_FORK", "no", 1);
    if (rte_eal_init((int)RTE_DIM(arguments), vector) < 0) {
        fprintf(stderr, "%s: no EAL: %s\n", program, rte_strerror(rte_errno));
        return EXIT_FAILURE;
    }
    log_set_level(LOG_LEVEL_ERROR);
    int status = check_main(suite());
    rmdir(rte_eal_get_runtime_dir());
    rte_eal_cleanup();
    return status;
}

#endif
