/* half.h - IEEE 754 binary16, for weights in files: 11 bits of precision, 6.0e-8 to 65504. By hand, because
 * compilers differ in whether they have the type. */
#ifndef CAELUM_MODEL_HALF_H
#define CAELUM_MODEL_HALF_H

#include <stdint.h>

/* The nearest, halves to even; beyond 65504 infinity. */
uint16_t half_from(float value);
/* Exact. */
float half_to(uint16_t half);

#endif
