// plain_loops.hpp - what oneDNN 2.6 does in slow reference code, as loops that a compiler vectorizes.
#pragma once
#include <cstdint>
#include <cstring>
#include <vector>

// A tensor as rows of channels: channels last, or channels in blocks with each block channels last.
struct Rows {
    long images, blocks, pixels, channels; // [image][block][pixel][channel in the block]
};

inline float to_float(float v) {
    return v;
}
// bfloat16 is the upper half of a float.
inline float to_float(uint16_t v) {
    const uint32_t bits = static_cast<uint32_t>(v) << 16;
    float f;
    std::memcpy(&f, &bits, sizeof f);
    return f;
}

inline void add_bias(float *x, const float *bias, Rows r, bool relu) {
#pragma omp parallel for
    for (long n = 0; n < r.images * r.blocks; n++) {
        const float *b = bias + n % r.blocks * r.channels;
        for (long p = 0; p < r.pixels; p++) {
            float *row = x + (n * r.pixels + p) * r.channels;
#pragma omp simd
            for (long c = 0; c < r.channels; c++) {
                const float v = row[c] + b[c];
                row[c] = relu && v < 0 ? 0 : v;
            }
        }
    }
}

// Sums over pixels with the number of channels known to the compiler, so that they stay in registers.
template <class T, int channels> void sum_pixels(float *sum, const T *x, long pixels) {
    float s[channels] = {0};
    for (long p = 0; p < pixels; p++, x += channels)
        for (int c = 0; c < channels; c++) s[c] += to_float(x[c]);
    for (int c = 0; c < channels; c++) sum[c] += s[c];
}

template <class T> void sum_pixels(float *sum, const T *x, long pixels, long channels) {
    if (channels == 8) return sum_pixels<T, 8>(sum, x, pixels);
    if (channels == 16) return sum_pixels<T, 16>(sum, x, pixels);
    if (channels == 32) return sum_pixels<T, 32>(sum, x, pixels);
    for (long p = 0; p < pixels; p++)
        for (long c = 0; c < channels; c++) sum[c] += to_float(x[p * channels + c]);
}

template <class T> void bias_gradient(float *sum, const T *gradient, Rows r) {
    const long n = r.blocks * r.channels;
    for (long i = 0; i < n; i++) sum[i] = 0;
#pragma omp parallel
    {
        std::vector<float> mine(static_cast<size_t>(n), 0.f);
#pragma omp for nowait
        for (long image = 0; image < r.images; image++)
            for (long b = 0; b < r.blocks; b++)
                sum_pixels(mine.data() + b * r.channels,
                           gradient + (image * r.blocks + b) * r.pixels * r.channels, r.pixels, r.channels);
#pragma omp critical
        for (long i = 0; i < n; i++) sum[i] += mine[static_cast<size_t>(i)];
    }
}

// Gradient of nearest upsampling: `small` is [..][side][side][channels], each of its pixels the sum of
// factor x factor pixels of `large`.
template <int factor> void upsample_gradient(float *small, const float *large, Rows r, long side) {
    const long wide = side * factor;
#pragma omp parallel for collapse(2)
    for (long n = 0; n < r.images * r.blocks; n++)
        for (long h = 0; h < side; h++)
            for (long w = 0; w < side; w++) {
                const float *from = large + ((n * wide + h * factor) * wide + w * factor) * r.channels;
                float *to = small + ((n * side + h) * side + w) * r.channels;
#pragma omp simd
                for (long c = 0; c < r.channels; c++) {
                    float s = 0;
                    for (int i = 0; i < factor; i++)
                        for (int j = 0; j < factor; j++) s += from[(i * wide + j) * r.channels + c];
                    to[c] = s;
                }
            }
}
