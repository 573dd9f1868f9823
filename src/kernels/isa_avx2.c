/* isa_avx2.c - the kernels for AVX2 and FMA. The build gives this file alone its flags. */
#if defined(__x86_64__)
#define VW 8
#define ISA avx2
#include "kernels/isa.h"
#endif
