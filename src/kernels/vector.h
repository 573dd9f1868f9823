/* vector.h - the vector type of one instruction set. An isa_*.c file defines VW, the floats in a
 * register (16, 8 or 4), and ISA, the suffix of its functions, then includes the families.
 * A pixel of a block, LANES floats, is one register, or two where registers are short; families loop over
 * these parts as close to the arithmetic as they can, so that a cache line is read once. GCC 12 splits wider
 * vectors than the machine's own badly, hence the parameter. */
#ifndef CAELUM_KERNELS_VECTOR_H
#define CAELUM_KERNELS_VECTOR_H

#include "kernels/kernels.h"

#include <stdbool.h>
#include <string.h>

#define PASTE2(a, b) a##_##b
#define PASTE(a, b) PASTE2(a, b)
/* Name of a function in this instruction set. */
#define FN(name) PASTE(name, ISA)

#define INLINE static inline __attribute__((always_inline))
/* Tiles live in registers only if their loops are unrolled. GCC wants to be told; clang does it by itself,
 * at its own time; told to, it unrolls too late and leaves the tiles in memory (measured: 26
 * instead of 110 GFLOP/s with clang 14). */
#if defined(__clang__)
#define UNROLL
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

typedef float vf __attribute__((vector_size(VW * 4), may_alias));
typedef int32_t vi __attribute__((vector_size(VW * 4), may_alias));

/* Pictures in a block of this instruction set. */
enum { LANES = VW < SUM_LANES ? SUM_LANES : VW };

INLINE vf load(const float *p) {
    return *(const vf *)p;
}
INLINE void save(float *p, vf v) {
    *(vf *)p = v;
}
INLINE vf splat(float x) {
    return x - (vf){0};
}

/* Makes of v a value of which the compiler knows nothing: it is loaded once where it is used more than once
 * (GCC 12 would rather load it again each time), and products of it are not taken for others. */
#if defined(__x86_64__) && (VW < 16 || defined(__AVX512F__))
#define ONE_LOAD(v) __asm__("" : "+v"(v))
#elif defined(__aarch64__) && VW == 4
#define ONE_LOAD(v) __asm__("" : "+w"(v))
#else
#define ONE_LOAD(v) __asm__("" : "+m"(v))
#endif

/* mask ? a : b; a mask lane is all ones or all zeros. */
INLINE vf pick(vi mask, vf a, vf b) {
    return (vf)((mask & (vi)a) | (~mask & (vi)b));
}
/* max(x, 0), NaN stays NaN. */
INLINE vf positive(vf x) {
    return (vf)((vi)x & ~(x < 0));
}

/* e^x to about 1 ulp for |x| <= 87, beyond that held at the ends: x = n ln 2 + r with |r| <= ln 2 / 2,
 * e^r by its Taylor series to degree 7 (remainder 2e-9), 2^n by the exponent field. */
INLINE vf vexp(vf x) {
    const vf lo = splat(-87.0f), hi = splat(88.0f);
    x = pick(x < lo, lo, x);
    x = pick(x > hi, hi, x);
    const float shift = 0x1.8p23f; /* adding it rounds to the nearest integer */
    const vf t = x * 1.44269504f + shift;
    const vf n = t - shift;
    vf r = x - n * 0.693145752f; /* ln 2 in two parts, the first with trailing zeros */
    r = r - n * 1.42860677e-6f;
    vf p = splat(1.98412698e-4f);
    p = p * r + 1.38888889e-3f;
    p = p * r + 8.33333333e-3f;
    p = p * r + 4.16666667e-2f;
    p = p * r + 1.66666667e-1f;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    /* the low bits of t hold n; into the exponent field */
    return (vf)((vi)p + (((vi)t - (int32_t)0x4B400000) << 23));
}

/* ln x to about 1 ulp (near 1: of x - 1) for normal x > 0: x = 2^n m with m in [sqrt(1/2), sqrt 2), and with
 * f = m - 1, ln m = f + f^2 (f P(f) - 1/2), P a minimax polynomial (Cephes' logf, Moshier 1989). NaN stays.
 */
INLINE vf vlog(vf x) {
    const vi bits = (vi)x, up = (bits - 0x3f3504f3) >> 23; /* the bits of sqrt(1/2) */
    const vf m = (vf)(bits - (up << 23)), f = m - 1.0f;
    const vf n = __builtin_convertvector(up, vf);
    vf p = splat(7.0376836292e-2f);
    p = p * f - 1.1514610310e-1f;
    p = p * f + 1.1676998740e-1f;
    p = p * f - 1.2420140846e-1f;
    p = p * f + 1.4249322787e-1f;
    p = p * f - 1.6668057665e-1f;
    p = p * f + 2.0000714765e-1f;
    p = p * f - 2.4999993993e-1f;
    p = p * f + 3.3333331174e-1f;
    p = p * f - 0.5f;
    vf r = f * f * p + f;
    r = r - n * 2.12194440e-4f; /* ln 2 in two parts, the first short enough for n times it to be exact */
    r = r + n * 0.693359375f;
    return pick(x == x, r, x);
}

#endif
