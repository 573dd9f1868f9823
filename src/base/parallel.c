/* parallel.c - OpenMP behind one function, and how many threads this machine grants us. */
#define _GNU_SOURCE
#include "base/parallel.h"

#include "base/number.h"

#include <omp.h>
#include <sched.h>
#include <stdio.h>

void parallel_for(int threads, size_t n, void (*job)(void *cookie, size_t i, int worker), void *cookie) {
    if (threads < 1) threads = 1;
    if ((size_t)threads > n) threads = (int)n;
    if (threads <= 1) {
        for (size_t i = 0; i < n; i++) job(cookie, i, 0);
        return;
    }
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
    for (size_t i = 0; i < n; i++) job(cookie, i, omp_get_thread_num());
}

/* cgroup v2 writes "QUOTA PERIOD" or "max PERIOD"; a quota of 150000/100000 grants 2 threads. */
static int quota_threads(void) {
    FILE *f = fopen("/sys/fs/cgroup/cpu.max", "r");
    if (!f) return 0;
    char line[64];
    const char *at = fgets(line, sizeof line, f);
    fclose(f);
    uint64_t quota, period;
    if (!at || !number_whole_at(at, &at, 1, UINT32_MAX, &quota) || *at++ != ' ' ||
        !number_whole_at(at, &at, 1, UINT32_MAX, &period))
        return 0;
    return (int)((quota + period - 1) / period);
}

int parallel_default_threads(void) {
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    const int quota = quota_threads();
    if (quota > 0 && quota < n) n = quota;
    return n < 1 ? 1 : n;
}
