/* SPDX-License-Identifier: BSD-3-Clause */
#include "statistics.h"

#include <stdlib.h>

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct spread spread_of(double *samples, size_t n)
{
    qsort(samples, n, sizeof(*samples), compare);
    return (struct spread){
        .median = n % 2 != 0 ? samples[n / 2] : (samples[n / 2 - 1] + samples[n / 2]) / 2,
        .min = samples[0],
        .max = samples[n - 1],
    };
}

double mean_of(const double *samples, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += samples[i];
    return sum / (double)n;
}

double quantile_of(const double *sorted, size_t n, double share)
{
    double wanted = share * (double)n;
    size_t count = (size_t)wanted + ((double)(size_t)wanted < wanted);
    return sorted[count == 0 ? 0 : count > n ? n - 1 : count - 1];
}
