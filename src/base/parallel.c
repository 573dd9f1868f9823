/* parallel.c - how many threads this machine grants us. */
#define _GNU_SOURCE
#include "base/parallel.h"

#include "base/quota.h"

#include <sched.h>

int parallel_default_threads(void) {
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    const int quota = quota_processors("");
    if (quota > 0 && quota < n) n = quota;
    return n < 1 ? 1 : n;
}

int parallel_threads(int wanted) {
    enum { HARMLESS = 32 };
    if (wanted >= 1 && wanted <= HARMLESS) return wanted;
    const int processors = parallel_default_threads(), most = processors > HARMLESS ? processors : HARMLESS;
    return wanted < 1 ? processors : wanted < most ? wanted : most;
}
