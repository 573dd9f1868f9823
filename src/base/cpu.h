/* cpu.h - the instruction sets that machine and operating system support. */
#ifndef CAELUM_BASE_CPU_H
#define CAELUM_BASE_CPU_H

#include "base/error.h"

/* Ascending: each level runs everything below it. */
enum cpu_level { CPU_GENERIC, CPU_AVX2, CPU_AVX512, CPU_LEVELS };

const char *cpu_name(enum cpu_level level);

/* The highest level that the processor has and the operating system saves the registers of. */
enum cpu_level cpu_detect(void);

/* cpu_detect, lowered by the environment variable CAELUM_CPU. CAELUM_EUSAGE for an unknown word or a
 * level that the machine lacks: never a silent fallback. */
int cpu_choose(enum cpu_level *level, struct caelum_error *err);

#endif
