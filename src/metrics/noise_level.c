/* noise_level.c - the deviation of white noise (Ponomarenko et al. 2007; Colom & Buades, "Analysis and
 * extension of the Ponomarenko et al. method", IPOL 2013). Of patches, transformed by a DCT, those are looked
 * for whose low frequencies have the least energy: places without texture. What they have in high frequencies
 * is noise, and since white noise of high frequencies is independent of that of low ones, the choice does not
 * distort it. */
#include "metrics/noise_level.h"

#include "base/mem.h"
#include "base/number.h"

#include <math.h>
#include <stdlib.h>

enum {
    SIDE = 8,
    LOW = 8,       /* coefficients u, v are low ones if u + v <= LOW */
    MOST = 300000, /* patches that are looked at, about */
    SHARE = 32,    /* the smoothest 32nd part is taken, */
    LEAST = 128,   /* but not fewer than these */
};

/* [u][x]: the orthonormal DCT-II of eight values. */
static void make_dct(float dct[SIDE][SIDE]) {
    /* cos(k pi / 16) / 2 */
    static const double c[9] = {0.5,
                                0.49039264020161522,
                                0.46193976625564337,
                                0.41573480615127262,
                                0.35355339059327379,
                                0.27778511650980109,
                                0.19134171618254492,
                                0.09754516100806413,
                                0};
    for (size_t u = 0; u < SIDE; u++)
        for (size_t x = 0; x < SIDE; x++) {
            const size_t k = (2 * x + 1) * u % 32, m = k > 16 ? 32 - k : k; /* cos is even, of period 32 */
            const double v = m > 8 ? -c[16 - m] : c[m];
            dct[u][x] = (float)(u == 0 ? c[4] : v);
        }
}

/* A patch of one channel, from sample `at` on, transformed: out[u][v]. */
static void transform(const struct samples *p, size_t at, float dct[SIDE][SIDE], float out[SIDE][SIDE]) {
    float rows[SIDE][SIDE]; /* [y][v] */
    for (size_t y = 0; y < SIDE; y++)
        for (size_t v = 0; v < SIDE; v++) {
            rows[y][v] = 0;
            for (size_t x = 0; x < SIDE; x++)
                rows[y][v] += dct[v][x] * sample_at(p, at + (y * p->width + x) * 3);
        }
    for (size_t u = 0; u < SIDE; u++)
        for (size_t v = 0; v < SIDE; v++) {
            out[u][v] = 0;
            for (size_t y = 0; y < SIDE; y++) out[u][v] += dct[u][y] * rows[y][v];
        }
}

/* Whether noise may have been cut off at black or white. */
static bool is_clipped(const struct samples *p, size_t at) {
    for (size_t i = 0; !p->values && i < SIDE * SIDE; i++) {
        const float v = sample_at(p, at + (i / SIDE * p->width + i % SIDE) * 3);
        if (v <= 0 || v >= 1) return true;
    }
    return false;
}

struct patch {
    float low; /* energy of low frequencies */
    size_t at;
};

static int by_energy(const void *a, const void *b) {
    const struct patch *p = a, *q = b;
    if (p->low != q->low) return p->low < q->low ? -1 : 1;
    return p->at < q->at ? -1 : p->at > q->at;
}

/* The patches that are not clipped, by their energy; returns their number. */
static size_t find_patches(const struct samples *p, size_t step, float dct[SIDE][SIDE], struct patch *patch) {
    const size_t across = p->width - SIDE + 1, all = across * (p->height - SIDE + 1) * 3;
    size_t n = 0;
    for (size_t i = 0; i < all; i += step) {
        const size_t at = (i / 3 / across * p->width + i / 3 % across) * 3 + i % 3;
        float t[SIDE][SIDE], low = 0;
        if (is_clipped(p, at)) continue;
        transform(p, at, dct, t);
        for (size_t u = 0; u < SIDE; u++)
            for (size_t v = 0; v < SIDE && u + v <= LOW; v++) low += u + v > 0 ? t[u][v] * t[u][v] : 0;
        patch[n++] = (struct patch){low, at};
    }
    qsort(patch, n, sizeof *patch, by_energy);
    return n;
}

/* The median of the mean squares of the high frequencies of n patches. */
static double median_square(const struct samples *p, float dct[SIDE][SIDE], const struct patch *patch,
                            size_t n) {
    double square[SIDE * SIDE] = {0};
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        float t[SIDE][SIDE];
        transform(p, patch[i].at, dct, t);
        count = 0;
        for (size_t u = 0; u < SIDE; u++)
            for (size_t v = 0; v < SIDE; v++)
                if (u + v > LOW) square[count++] += (double)t[u][v] * (double)t[u][v] / (double)n;
    }
    qsort(square, count, sizeof *square, number_ascending);
    return (square[(count - 1) / 2] + square[count / 2]) / 2;
}

int noise_level(const struct samples *p, double *deviation, struct caelum_error *err) {
    if (p->width < NOISE_LEAST_SIDE || p->height < NOISE_LEAST_SIDE)
        return caelum_fail(err, CAELUM_EUSAGE,
                           "the noise of %zux%zu pixels can't be estimated, which takes %dx%d: give its "
                           "standard deviation",
                           p->width, p->height, NOISE_LEAST_SIDE, NOISE_LEAST_SIDE);
    const size_t all = (p->width - SIDE + 1) * (p->height - SIDE + 1) * 3;
    const size_t step = all / MOST / 3 * 3 + 1; /* not a multiple of 3: all channels in turn */
    float dct[SIDE][SIDE];
    struct patch *patch = NULL;
    CHECK(mem_alloc(&patch, all / step + 1, sizeof *patch, err));
    make_dct(dct);
    const size_t n = find_patches(p, step, dct, patch), share = n / SHARE;
    const size_t least = n < LEAST ? n : LEAST, taken = share > least ? share : least;
    *deviation = taken > 0 ? sqrt(median_square(p, dct, patch, taken)) : 0;
    mem_free(&patch);
    return CAELUM_OK;
}
