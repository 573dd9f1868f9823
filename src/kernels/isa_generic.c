/* isa_generic.c - the kernels for any processor: 128-bit vectors, which the compiler maps to the processor's
 * own. The build gives this file alone its flags. */
#define VW 4
#define ISA generic
#include "kernels/isa.h"
