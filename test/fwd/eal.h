/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the suites of lib/fwd share: an EAL in ordinary memory without devices of the machine, packet pools,
 * and frames. All tests of a suite run in one process (an EAL does not survive a fork).
 */
#ifndef TEST_FWD_EAL_H
#define TEST_FWD_EAL_H

#include "../unit/check_main.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mbuf.h>

#include "addr.h"
#include "punt.h"

/* Only what the suite names of options comes on top: memory in MiB, and device strings. */
static inline int eal_start(const char *program, const char *memory_mib, const char *const *vdevs)
{
    const char *argv[32] = {program,
                            "--no-huge",
                            "-m",
                            memory_mib,
                            "--no-shconf",
                            "--no-pci",
                            "--lcores",
                            "0",
                            "--no-telemetry",
                            "--log-level=lib.eal:error",
                            "--log-level=lib.ring:critical",
                            "--log-level=lib.hash:critical"};
    int argc = 12;
    for (; vdevs != NULL && *vdevs != NULL; vdevs++) {
        argv[argc++] = "--vdev";
        argv[argc++] = *vdevs;
    }
    return rte_eal_init(argc, (char **)argv);
}

static inline int eal_main(const char *program, const char *memory_mib, const char *const *vdevs,
                           Suite *(*suite)(void))
{
    setenv("CK_FORK", "no", 1);
    if (eal_start(program, memory_mib, vdevs) < 0) {
        fprintf(stderr, "%s: no EAL: %s\n", program, rte_strerror(rte_errno));
        return EXIT_FAILURE;
    }
    int status = check_main(suite());
    rte_eal_cleanup();
    rmdir(rte_eal_get_runtime_dir()); /* which EAL leaves behind, empty */
    return status;
}

/* n should be a power of two minus one. */
static inline struct rte_mempool *eal_pool(const char *name, unsigned n)
{
    struct rte_mempool *pool =
        rte_pktmbuf_pool_create(name, n, 0, PUNT_META_SIZE, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
    ck_assert_msg(pool != NULL, "no pool: %s", rte_strerror(rte_errno));
    return pool;
}

static inline struct rte_mbuf *eal_frame(struct rte_mempool *pool, const void *bytes, size_t len)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
    ck_assert_ptr_nonnull(m);
    char *data = rte_pktmbuf_append(m, (uint16_t)len);
    ck_assert_ptr_nonnull(data);
    memcpy(data, bytes, len);
    return m;
}

/* For loops that run a million times: Check's own assertions report home by a system call even when they
 * hold. */
#define MUST(condition)                                   \
    do {                                                  \
        if (!(condition))                                 \
            ck_abort_msg("%s does not hold", #condition); \
    } while (0)
#define MUST_EQ(a, b)                                                           \
    do {                                                                        \
        long long must_a = (long long)(a), must_b = (long long)(b);             \
        if (must_a != must_b)                                                   \
            ck_abort_msg("%s is %lld, but %s is %lld", #a, must_a, #b, must_b); \
    } while (0)

/* A run's seed: printed, and taken from SEED when a run shall be repeated. */
static inline uint64_t eal_seed(const char *what)
{
    const char *given = getenv("SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 0) : (uint64_t)time(NULL) * 2654435761U;
    printf("%s: SEED=%#llx\n", what, (unsigned long long)seed);
    fflush(stdout);
    return seed;
}

/* splitmix64 */
static inline uint64_t eal_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

#endif
