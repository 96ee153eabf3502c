/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fragments of IPv6: two against bytes that scapy 2.5 made of the same packet (fragment6), and all sizes.
 */
#include "eal.h"
#include "frame.h"

#include "fragment.h"
#include "pkt.h"

enum { POOL = 127, BUFFER = 9216, SIZE = 1900, IDENTIFICATION = (int)0xdeadbeef };
static struct rte_mempool *pool;

/* A UDP packet behind an encapsulation limit; its payload counts up. */
static const char header[] =
    "6b81234507443c4020010db80a010000000000000000000220010db80a020000000000000000004d"
    "1100040104010100 0fa01388073c1111";

static const struct golden {
    unsigned len;
    const char *front;   /* as far as it differs from the packet */
    unsigned from, size; /* what follows it, in the packet */
} golden[] = {
    {1280,
     "6b81234504d83c4020010db80a010000000000000000000220010db80a020000000000000000004d"
     "2c00040104010100 11000001deadbeef",
     48, 1224},
    {684,
     "6b81234502843c4020010db80a010000000000000000000220010db80a020000000000000000004d"
     "2c00040104010100 110004c8deadbeef",
     48 + 1224, 628},
};

static struct rte_mbuf *packet_of(unsigned size)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
    uint8_t *ip = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)size);
    ck_assert_ptr_nonnull(ip);
    size_t front = hex_bytes(header, ip, size);
    put16(ip + 4, size - 40);
    for (size_t i = front; i < size; i++)
        ip[i] = (uint8_t)(i - front);
    return m;
}

START_TEST(golden_fragments)
{
    struct rte_mbuf *m = packet_of(SIZE), *out[FRAGMENTS_MAX];
    const uint8_t *ip = rte_pktmbuf_mtod(m, const uint8_t *);
    ck_assert_int_eq(fragment_ipv6(m, 1280, (uint32_t)IDENTIFICATION, pool, out), ROWS(golden));
    for (int i = 0; i < ROWS(golden); i++) {
        uint8_t front[64];
        size_t len = hex_bytes(golden[i].front, front, sizeof(front));
        ck_assert_uint_eq(rte_pktmbuf_pkt_len(out[i]), golden[i].len);
        ck_assert_uint_eq(out[i]->nb_segs, 1);
        const uint8_t *piece = rte_pktmbuf_mtod(out[i], const uint8_t *);
        ck_assert_mem_eq(piece, front, len);
        ck_assert_mem_eq(piece + len, ip + golden[i].from, golden[i].size);
        rte_pktmbuf_free(out[i]);
    }
    rte_pktmbuf_free(m);
}
END_TEST

/* Every size and MTU: in order, without gap or overlap, none larger than may be. */
START_TEST(any_size)
{
    uint64_t random = eal_seed("any size");
    for (int i = 0; i < 3000; i++) {
        unsigned size = 100 + (unsigned)(eal_random(&random) % 8800),
                 mtu = (unsigned)(eal_random(&random) % 3000);
        unsigned done = 48, fits = mtu < 1280 ? 1280 : mtu;
        struct rte_mbuf *m = packet_of(size), *out[FRAGMENTS_MAX];
        const uint8_t *ip = rte_pktmbuf_mtod(m, const uint8_t *);
        int n = fragment_ipv6(m, (uint16_t)mtu, 7, pool, out);
        MUST(n > 0);
        for (int k = 0; k < n; k++) {
            const uint8_t *piece = rte_pktmbuf_mtod(out[k], const uint8_t *);
            unsigned len = rte_pktmbuf_pkt_len(out[k]), part = len - 56;
            MUST(len <= fits && (k == n - 1 || len + 8 > fits));
            MUST_EQ(get16(piece + 4), len - 40);
            MUST_EQ(get16(piece + 50), (done - 48) | (k < n - 1));
            MUST(memcmp(piece + 56, ip + done, part) == 0);
            done += part;
        }
        MUST_EQ(done, size);
        rte_pktmbuf_free_bulk(out, (unsigned)n);
        rte_pktmbuf_free(m);
    }
}
END_TEST

START_TEST(what_cannot_be)
{
    struct rte_mbuf *m = packet_of(SIZE), *hoard[POOL], *out[FRAGMENTS_MAX];
    unsigned n = 0;
    while ((hoard[n] = rte_pktmbuf_alloc(pool)) != NULL)
        n++;
    rte_pktmbuf_free(hoard[--n]);
    ck_assert_int_eq(fragment_ipv6(m, 1280, 7, pool, out), -ENOMEM);
    rte_pktmbuf_free_bulk(hoard, n);

    /* Headers that every fragment must have, and no room behind them. */
    uint8_t *ip = rte_pktmbuf_mtod(m, uint8_t *);
    ip[40] = 60;
    ip[41] = (1280 - 48) / 8 - 1;
    memset(ip + 42, 0, 1280);
    ck_assert_int_eq(fragment_ipv6(m, 1280, 7, pool, out), -EINVAL);
    rte_pktmbuf_free(m);
}
END_TEST

static void make_pool(void)
{
    pool = rte_pktmbuf_pool_create("fragment", POOL, 0, PUNT_META_SIZE, BUFFER + RTE_PKTMBUF_HEADROOM,
                                   SOCKET_ID_ANY);
    ck_assert_ptr_nonnull(pool);
}

static void check_pool(void)
{
    ck_assert_uint_eq(rte_mempool_avail_count(pool), POOL);
    rte_mempool_free(pool);
}

static Suite *suite(void)
{
    Suite *s = suite_create("fragment");
    TCase *c = tcase_create("ipv6");
    tcase_add_checked_fixture(c, make_pool, check_pool);
    tcase_add_test(c, golden_fragments);
    tcase_add_test(c, any_size);
    tcase_add_test(c, what_cannot_be);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return eal_main("test_fragment", "64", NULL, suite);
}
