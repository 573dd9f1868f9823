/* isa_avx512.c - the kernels for AVX-512 (F, BW, DQ, VL). The build gives this file alone its flags. */
#if defined(__x86_64__)
#define VW 16
#define ISA avx512
#include "kernels/isa.h"
#endif
