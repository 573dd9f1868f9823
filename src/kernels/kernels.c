/* kernels.c - the table of tables, and the packing of weights, which is the same for all. */
#include "kernels/kernels.h"

extern const struct kernels kernels_generic;
#if defined(__x86_64__)
extern const struct kernels kernels_avx2, kernels_avx512;
#endif

const struct kernels *kernels_get(enum cpu_level level) {
#if defined(__x86_64__)
    if (level == CPU_AVX512) return &kernels_avx512;
    if (level == CPU_AVX2) return &kernels_avx2;
#endif
    (void)level;
    return &kernels_generic;
}

void conv_pack(const float *w, size_t k, size_t c, size_t taps, float *packed) {
    for (size_t k0 = 0; k0 < k; k0 += CONV_GROUP) {
        const size_t group = k - k0 < CONV_GROUP ? k - k0 : CONV_GROUP;
        for (size_t ct = 0; ct < c * taps; ct++)
            for (size_t i = 0; i < group; i++) *packed++ = w[(k0 + i) * c * taps + ct];
    }
}

void conv_pack_transposed(const float *w, size_t k, size_t c, size_t taps, float *packed) {
    for (size_t c0 = 0; c0 < c; c0 += CONV_GROUP) {
        const size_t group = c - c0 < CONV_GROUP ? c - c0 : CONV_GROUP;
        for (size_t ki = 0; ki < k; ki++)
            for (size_t t = 0; t < taps; t++)
                for (size_t i = 0; i < group; i++) *packed++ = w[(ki * c + c0 + i) * taps + (taps - 1 - t)];
    }
}
