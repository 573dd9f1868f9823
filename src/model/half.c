#include "model/half.h"

#include <math.h>

enum { MANTISSA = 10, BIAS = 15, LARGEST = 31 };

uint16_t half_from(float value) {
    const uint16_t sign = signbit(value) ? 0x8000 : 0;
    const float x = fabsf(value);
    if (isnan(x)) return sign | 0x7e00;
    if (x >= 65520.0f) return sign | LARGEST << MANTISSA; /* halfway to what would come next */
    /* below 2^-14 the steps no longer shrink */
    int exponent = -BIAS + 1;
    if (x >= 0x1p-14f) {
        frexpf(x, &exponent);
        exponent--;
    }
    const uint16_t steps = (uint16_t)rintf(ldexpf(x, MANTISSA - exponent)); /* exact but for the rounding */
    /* a mantissa that was rounded up to 2^11 carries into the exponent by itself */
    if (x < 0x1p-14f) return sign | steps;
    return (uint16_t)(sign | (((exponent + BIAS) << MANTISSA) + (steps - (1 << MANTISSA))));
}

float half_to(uint16_t half) {
    const int exponent = half >> MANTISSA & LARGEST, mantissa = half & ((1 << MANTISSA) - 1);
    float x;
    if (exponent == LARGEST)
        x = mantissa ? NAN : INFINITY;
    else if (exponent == 0)
        x = ldexpf((float)mantissa, 1 - BIAS - MANTISSA);
    else
        x = ldexpf((float)(mantissa + (1 << MANTISSA)), exponent - BIAS - MANTISSA);
    return half & 0x8000 ? -x : x;
}
