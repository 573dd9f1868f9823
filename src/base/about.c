/* about.c - what this build is. */
#include "base/cpu.h"
#include "base/parallel.h"

const char *caelum_version(void) {
    return CAELUM_VERSION;
}

const char *caelum_build_info(void) {
    return CAELUM_COMPILER
#if defined(__x86_64__)
        ", kernels: generic avx2 avx512"
#else
        ", kernels: generic"
#endif
        ", parts: png jpeg archive " CAELUM_PART_WORDS;
}

int caelum_cpu(const char **name, struct caelum_error *err) {
    enum cpu_level level;
    CHECK(cpu_choose(&level, err));
    *name = cpu_name(level);
    return CAELUM_OK;
}

int caelum_default_threads(void) {
    return parallel_default_threads();
}
