/* kernels.c - the choice of a table, and the packing of weights, which all tables share. */
#include "kernels/kernels.h"

#include <string.h>

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

/* G g, three numbers to four, a row or a column `apart`. */
static void filter_row(const float *g, size_t apart, float out[4]) {
    const float ends = g[0] + g[2 * apart], middle = g[apart];
    out[0] = g[0];
    out[1] = 0.5f * (ends + middle);
    out[2] = 0.5f * (ends - middle);
    out[3] = g[2 * apart];
}

void winograd_pack(const float *w, size_t k, size_t c, bool turned, float *packed) {
    const size_t outs = turned ? c : k, ins = turned ? k : c;
    for (size_t o0 = 0; o0 < outs; o0 += CONV_GROUP) {
        const size_t group = outs - o0 < CONV_GROUP ? outs - o0 : CONV_GROUP;
        for (size_t in = 0; in < ins; in++)
            for (size_t o = o0; o < o0 + group; o++, packed++) {
                const float *from = w + (turned ? in * c + o : o * c + in) * 9;
                float g[9], half[3][4], u[4];
                for (size_t t = 0; t < 9; t++) g[t] = from[turned ? 8 - t : t];
                for (size_t j = 0; j < 3; j++) filter_row(g + j, 3, half[j]);
                for (size_t a = 0; a < 4; a++) {
                    const float row[3] = {half[0][a], half[1][a], half[2][a]};
                    filter_row(row, 1, u);
                    for (size_t b = 0; b < 4; b++) packed[(a * 4 + b) * k * c] = u[b];
                }
            }
    }
}

size_t winograd_scratch(size_t c, size_t k) {
    return 16 * MOST_LANES * ((c + k) * winograd_tiles(c, k) + 2 * MOST_LANES / SUM_LANES);
}

/* G g (kernels/winograd4_tmpl.c) for CONV_GROUP kernels at a time. */
typedef float four __attribute__((vector_size(CONV_GROUP * 4)));

static void filter_points(const four g[3], four u[6]) {
    const four even = (g[0] + g[2] * 0.5f) * (-2.0f / 3), odd = g[1] * (-2.0f / 3 * SQRT_HALF);
    const four even2 = g[0] * (1.0f / 6) + g[2] * (1.0f / 3), odd2 = g[1] * (SQRT_TWO / 6);
    u[0] = g[0];
    u[1] = even + odd;
    u[2] = even - odd;
    u[3] = even2 + odd2;
    u[4] = even2 - odd2;
    u[5] = g[2] * (2 * SQRT_TWO);
}

/* Four input channels at a time, which are a cache line at each place: line by line the places, a power of
 * two apart, would drive each other out of the first cache. */
void winograd4_pack(const float *w, size_t k, size_t c, bool turned, float *packed) {
    const size_t outs = turned ? c : k, ins = turned ? k : c;
    const size_t apart = turned ? 9 : c * 9, next = turned ? c * 9 : 9; /* of output and input channels */
    for (size_t o = 0; o < outs; o += CONV_GROUP)
        for (size_t in = 0; in < ins; in += 4, packed += 4 * CONV_GROUP) {
            four line[36][4];
            for (size_t j = 0; j < 4; j++) {
                const float *from = w + o * apart + (in + j) * next;
                four g[9], half[3][6], u[6];
                for (size_t t = 0; t < 9; t++)
                    for (size_t i = 0; i < CONV_GROUP; i++) g[t][i] = from[i * apart + (turned ? 8 - t : t)];
                for (size_t q = 0; q < 3; q++) filter_points((four[3]){g[q], g[3 + q], g[6 + q]}, half[q]);
                for (size_t a = 0; a < 6; a++) {
                    filter_points((four[3]){half[0][a], half[1][a], half[2][a]}, u);
                    for (size_t b = 0; b < 6; b++) line[a * 6 + b][j] = u[b];
                }
            }
            for (size_t place = 0; place < 36; place++)
                memcpy(packed + place * k * c, line[place], sizeof line[place]);
        }
}

void winograd4_by_channels(const float *packed, size_t k, size_t c, float *to) {
    memset(to, 0, winograd4_weights(k, c) * sizeof *to);
    for (size_t place = 0; place < 36; place++, to += winograd4_weights(k, c) / 36)
        for (size_t o = 0; o < k; o += CONV_GROUP)
            for (size_t in = 0; in < c; in++, packed += CONV_GROUP)
                memcpy(to + (o / MOST_LANES * c + in) * MOST_LANES + o % MOST_LANES, packed,
                       CONV_GROUP * sizeof *to);
}

static size_t winograd4_one_way(size_t c) {
    return 36 * MOST_LANES * ((c + WINOGRAD4_KERNELS) * winograd4_tiles(c) + 2 * MOST_LANES / SUM_LANES);
}

size_t winograd4_scratch(size_t c, size_t k) {
    const size_t there = winograd4_one_way(c), back = winograd4_one_way(k);
    return there > back ? there : back;
}

size_t winograd_dw_member(size_t c, size_t side) {
    const size_t places = (side + 2) * (side + 2), tiles = winograd_dw_tiles(c, side);
    const size_t width = (c + MOST_LANES - 1) / MOST_LANES * MOST_LANES;
    const size_t turned = SUM_LANES * ((side + 2) * (side * tiles + 2) + 1) * MOST_LANES;
    return turned + places * (WINOGRAD_DW_KERNELS * (SUM_LANES * tiles + width) + 2 * MOST_LANES);
}

size_t winograd_dw_scratch(size_t c, size_t side) {
    const size_t places = (side + 2) * (side + 2), tiles = winograd_dw_tiles(c, side);
    const size_t width = (c + MOST_LANES - 1) / MOST_LANES * MOST_LANES;
    return winograd_dw_member(c, side) + places * (SUM_LANES * tiles * width + MOST_LANES);
}

/* T w T^T (kernels/upconv_tmpl.c). */
static void upconv_weights(const float w[9], float out[9]) {
    float half[3][3];
    for (size_t j = 0; j < 3; j++) {
        half[0][j] = w[j] + w[3 + j] + w[6 + j];
        half[1][j] = -w[j];
        half[2][j] = w[6 + j];
    }
    for (size_t i = 0; i < 3; i++) {
        out[i * 3] = half[i][0] + half[i][1] + half[i][2];
        out[i * 3 + 1] = -half[i][0];
        out[i * 3 + 2] = half[i][2];
    }
}

void upconv_pack(const float *w, size_t k, size_t c, float *packed) {
    for (size_t k0 = 0; k0 < k; k0 += CONV_GROUP)
        for (size_t ci = 0; ci < c; ci++)
            for (size_t ki = k0; ki < k0 + CONV_GROUP && ki < k; ki++, packed++) {
                float of[9];
                upconv_weights(w + (ki * c + ci) * 9, of);
                for (size_t place = 0; place < 9; place++) packed[place * k * c] = of[place];
            }
}

void upconv_pack_adjoint(const float *w, size_t k, size_t c, float *packed) {
    for (size_t c0 = 0; c0 < c; c0 += CONV_GROUP) {
        const size_t group = c - c0 < CONV_GROUP ? c - c0 : CONV_GROUP;
        for (size_t ki = 0; ki < k; ki++)
            for (size_t i = 0; i < group; i++) {
                float of[9];
                upconv_weights(w + (ki * c + c0 + i) * 9, of);
                for (size_t place = 0; place < 9; place++) packed[(place * k + ki) * group + i] = of[place];
            }
        packed += 9 * k * group;
    }
}

size_t upconv_scratch(size_t c, size_t k, size_t width) {
    const size_t rows = upconv_rows(width);
    return MOST_LANES * (3 * c * (rows + 1) * (width + 1) + 9 * k * rows * width + 2 * (c + 3) * (k + 1));
}
