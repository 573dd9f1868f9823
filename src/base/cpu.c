/* cpu.c - processor detection. GCC's and clang's __builtin_cpu_supports reads cpuid and asks XGETBV
 * whether the system saves the wide registers, so an AVX-512 machine under an old kernel counts as
 * what it can really run. */
#include "base/cpu.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[CPU_LEVELS] = {"generic", "avx2", "avx512"};

const char *cpu_name(enum cpu_level level) {
    return names[level];
}

enum cpu_level cpu_detect(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    return avx512 ? CPU_AVX512 : avx2 ? CPU_AVX2 : CPU_GENERIC;
#else
    return CPU_GENERIC;
#endif
}

int cpu_choose(enum cpu_level *level, struct caelum_error *err) {
    const enum cpu_level most = cpu_detect();
    const char *mask = getenv("CAELUM_CPU");
    if (!mask || !*mask) {
        *level = most;
        return CAELUM_OK;
    }
    for (int i = 0; i < CPU_LEVELS; i++) {
        if (strcmp(mask, names[i]) != 0) continue;
        if (i > (int)most)
            return caelum_fail(err, CAELUM_EUSAGE, "CAELUM_CPU=%s: this machine has no more than %s", mask,
                               names[most]);
        *level = (enum cpu_level)i;
        return CAELUM_OK;
    }
    return caelum_fail(err, CAELUM_EUSAGE, "CAELUM_CPU=%s: expected generic, avx2 or avx512", mask);
}
