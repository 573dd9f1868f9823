/* wide_kernels.c - the kernels of an AVX-512 machine, built for AVX2: blocks of 16, in registers of two
 * halves. */
#if defined(__x86_64__)
#define VW 16
#define ISA wide
#include "kernels/isa.h"
#endif
