/* SPDX-License-Identifier: BSD-3-Clause */
#include "cuckoo_body.h"

#include <rte_cpuflags.h>

#ifdef RTE_ARCH_X86
#include <immintrin.h>
#endif

/* ---- Any processor ---- */

static void locate_scalar(const struct cuckoo *cuckoo, const uint32_t *tags, unsigned n,
                          struct cuckoo_pair *pairs)
{
    for (unsigned i = 0; i < n; i++)
        pairs[i] = cuckoo_pair_of(cuckoo, tags[i]);
}

/* What a place is combined with, so that all bits of its mark become ones if it is the right one. Then the
 * highest word of all has the number that is sought, or none of them has. */
static uint32_t mark_inverted(const struct cuckoo *cuckoo, uint32_t tag)
{
    return cuckoo_mark(cuckoo, ~cuckoo_mix(tag));
}

static uint32_t highest_in(const struct cuckoo_bucket *b, uint32_t inverted, uint32_t highest)
{
    for (unsigned p = 0; p < CUCKOO_PLACES; p++) {
        const uint32_t word = __atomic_load_n(&b->place[p], __ATOMIC_ACQUIRE) ^ inverted;
        highest = RTE_MAX(highest, word);
    }
    return highest;
}

static void search_scalar(const struct cuckoo *cuckoo, const uint32_t *tags, const struct cuckoo_pair *pairs,
                          unsigned n, const struct entry **found)
{
    for (unsigned i = 0; i < n; i++) {
        const uint32_t inverted = mark_inverted(cuckoo, tags[i]);
        const uint32_t highest =
            highest_in(pairs[i].at[1], inverted, highest_in(pairs[i].at[0], inverted, cuckoo->marks));
        found[i] = &cuckoo->entries[highest ^ cuckoo->marks];
    }
}

/* ---- AVX2 ---- */

#ifdef RTE_ARCH_X86
#define TARGET __attribute__((target("avx2,tune=haswell")))
#define AVX2   TARGET static inline

/* What of the table is the same for all, in every lane. In a variable of its own: what is written between two
 * pieces may be anything to the compiler, so that it would read the table anew for each. */
struct lanes {
    __m256i n_buckets, buckets, entries; /* where they begin */
    __m128i marks;
};

AVX2 struct lanes lanes_of(const struct cuckoo *cuckoo)
{
    return (struct lanes){
        .n_buckets = _mm256_set1_epi64x(cuckoo->n_buckets),
        .buckets = _mm256_set1_epi64x((long long)cuckoo->buckets),
        .entries = _mm256_set1_epi64x((long long)cuckoo->entries),
        .marks = _mm_set1_epi32((int)cuckoo->marks),
    };
}

/* Of four hashes, each in the lower half of its word. */
AVX2 __m256i buckets_of(const struct lanes *all, __m256i hashes)
{
    static_assert(sizeof(struct cuckoo_bucket) == 1 << 5, "a bucket's offset is its number, shifted so far");
    const __m256i products = _mm256_mul_epu32(hashes, all->n_buckets);
    const __m256i offsets = _mm256_slli_epi64(_mm256_srli_epi64(products, 32), 5);
    return _mm256_add_epi64(offsets, all->buckets);
}

/* cuckoo_pair_of, of each. */
AVX2 void locate_four(const struct lanes *all, const uint32_t *tags, struct cuckoo_pair *pairs)
{
    const __m256i tag = _mm256_cvtepu32_epi64(_mm_loadu_si128((const __m128i *)tags)),
                  product = _mm256_mul_epu32(tag, _mm256_set1_epi64x(CUCKOO_MIX)),
                  mixed = _mm256_xor_si256(product, _mm256_srli_epi32(product, CUCKOO_MIX_SHIFT)),
                  first = buckets_of(all, _mm256_mul_epu32(mixed, _mm256_set1_epi64x(CUCKOO_FIRST))),
                  second = buckets_of(all, _mm256_mul_epu32(mixed, _mm256_set1_epi64x(CUCKOO_SECOND))),
                  even = _mm256_unpacklo_epi64(first, second), odd = _mm256_unpackhi_epi64(first, second);
    _mm256_storeu_si256((__m256i *)pairs, _mm256_permute2x128_si256(even, odd, 0x20));
    _mm256_storeu_si256((__m256i *)(pairs + 2), _mm256_permute2x128_si256(even, odd, 0x31));
}

TARGET static void locate_avx2(const struct cuckoo *cuckoo, const uint32_t *tags, unsigned n,
                               struct cuckoo_pair *pairs)
{
    const struct lanes all = lanes_of(cuckoo);
    unsigned i = 0;
    for (; i + 4 <= n; i += 4)
        locate_four(&all, tags + i, pairs + i);
    locate_scalar(cuckoo, tags + i, n - i, pairs + i);
}

/* mark_inverted, of each. */
AVX2 __m128i marks_inverted(const struct lanes *all, const uint32_t *tags)
{
    const __m128i tag = _mm_loadu_si128((const __m128i *)tags),
                  product = _mm_mullo_epi32(tag, _mm_set1_epi32((int)CUCKOO_MIX)),
                  mixed = _mm_xor_si128(product, _mm_srli_epi32(product, CUCKOO_MIX_SHIFT));
    return _mm_andnot_si128(mixed, all->marks);
}

/* The higher one of each two places. No branch and no index. */
AVX2 __m256i higher_places(uint32_t inverted, const struct cuckoo_pair *pair)
{
    const __m256i mark = _mm256_set1_epi32((int)inverted);
    return _mm256_max_epu32(_mm256_xor_si256(mark, _mm256_load_si256((const __m256i *)pair->at[0]->place)),
                            _mm256_xor_si256(mark, _mm256_load_si256((const __m256i *)pair->at[1]->place)));
}

/* The higher ones of both's neighbours: two from a, two from b, in each half. */
AVX2 __m256i highest_of_pairs(__m256i a, __m256i b)
{
    return _mm256_max_epu32(_mm256_unpacklo_epi32(a, b), _mm256_unpackhi_epi32(a, b));
}

/* The highest unsigned number of each of four vectors. */
AVX2 __m128i highest_of_each(const __m256i v[static 4])
{
    __m256i a = highest_of_pairs(v[0], v[2]), b = highest_of_pairs(v[1], v[3]);
    __m256i max = highest_of_pairs(a, b);
    return _mm_max_epu32(_mm256_castsi256_si128(max), _mm256_extracti128_si256(max, 1));
}

AVX2 void search_four(const struct lanes *all, const uint32_t *tags, const struct cuckoo_pair *pairs,
                      const struct entry **found)
{
    uint32_t inverted[4];
    __m256i places[4];
    _mm_storeu_si128((__m128i *)inverted, marks_inverted(all, tags));
    for (unsigned k = 0; k < 4; k++)
        places[k] = higher_places(inverted[k], &pairs[k]);
    const __m128i numbers = _mm_xor_si128(_mm_max_epu32(highest_of_each(places), all->marks), all->marks);
    const __m256i at = _mm256_slli_epi64(_mm256_cvtepu32_epi64(numbers), 6);
    _mm256_storeu_si256((__m256i *)found, _mm256_add_epi64(at, all->entries));
}

/* Of fewer than four, the last one stands for those that are missing. */
AVX2 void search_rest(const struct lanes *all, const uint32_t *tags, const struct cuckoo_pair *pairs,
                      unsigned n, const struct entry **found)
{
    uint32_t tag[4];
    struct cuckoo_pair pair[4];
    const struct entry *entry[4];
    for (unsigned k = 0; k < 4; k++) {
        tag[k] = tags[RTE_MIN(k, n - 1)];
        pair[k] = pairs[RTE_MIN(k, n - 1)];
    }
    search_four(all, tag, pair, entry);
    memcpy(found, entry, n * sizeof(found[0]));
}

TARGET static void search_avx2(const struct cuckoo *cuckoo, const uint32_t *tags,
                               const struct cuckoo_pair *pairs, unsigned n, const struct entry **found)
{
    const struct lanes all = lanes_of(cuckoo);
    unsigned i = 0;
    for (; i + 4 <= n; i += 4)
        search_four(&all, tags + i, pairs + i, found + i);
    if (i < n)
        search_rest(&all, tags + i, pairs + i, n - i, found + i);
}

#undef TARGET
#undef AVX2
#endif

/* ---- Which ---- */

const struct cuckoo_body_functions *cuckoo_body_functions(enum cuckoo_body body)
{
    static const struct cuckoo_body_functions scalar = {locate_scalar, search_scalar};
#ifdef RTE_ARCH_X86
    static const struct cuckoo_body_functions avx2 = {locate_avx2, search_avx2};
    if (body == CUCKOO_AVX2)
        return rte_cpu_get_flag_enabled(RTE_CPUFLAG_AVX2) == 1 ? &avx2 : NULL;
#endif
    return body == CUCKOO_SCALAR ? &scalar : NULL;
}
