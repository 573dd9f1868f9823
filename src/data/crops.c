/* crops.c - the places of crops, and their pixels. */
#include "data/crops.h"

#include "base/rng.h"

#include <math.h>

size_t crops_share(size_t photos) {
    const size_t share = (CROPS_WANTED + photos / 2) / photos;
    return share < 1 ? 1 : share > CROPS_MOST ? CROPS_MOST : share;
}

size_t crops_count(size_t width, size_t height, size_t side, size_t share) {
    const size_t covering = (width / side) * (height / side);
    return covering < share ? covering : share;
}

/* ratio^u for u in [0, 1) of 24 binary digits, by square roots, which unlike pow are the same everywhere. */
static double power(double ratio, uint32_t u) {
    double result = 1;
    for (uint32_t bit = 1u << 23; bit > 0; bit >>= 1) {
        ratio = sqrt(ratio);
        if (u & bit) result *= ratio;
    }
    return result;
}

struct crop_window crop_window(size_t width, size_t height, size_t side, uint64_t seed, uint32_t photo,
                               uint32_t crop) {
    struct rng rng = rng_make(seed, RNG_CROPS, photo * CROPS_MOST + crop);
    const size_t most = width < height ? width : height;
    struct crop_window w = {0};
    w.side = (size_t)((double)side * power((double)most / (double)side, rng_u32(&rng) >> 8) + 0.5);
    if (w.side > most) w.side = most;
    w.x = rng_below(&rng, (uint32_t)(width - w.side + 1));
    w.y = rng_below(&rng, (uint32_t)(height - w.side + 1));
    return w;
}

/* Counted in parts of which a photo's pixel has `side`, both grids fall on whole numbers: pixel p of the
 * window covers [p side, (p + 1) side), pixel i of the crop [i window, (i + 1) window). How many parts they
 * share. */
static size_t shared(size_t i, size_t p, size_t window, size_t side) {
    const size_t from = i * window > p * side ? i * window : p * side;
    const size_t to = (i + 1) * window < (p + 1) * side ? (i + 1) * window : (p + 1) * side;
    return to - from;
}

void crop_make(const struct caelum_picture *photo, struct crop_window window, size_t side, uint8_t *out) {
    const size_t n = window.side, plane = side * side;
    const uint64_t area = (uint64_t)n * n; /* below 2^28, so sums of bytes stay below 2^36 */
    for (size_t i = 0; i < side; i++)
        for (size_t j = 0; j < side; j++) {
            const size_t y0 = i * n / side, y1 = ((i + 1) * n + side - 1) / side;
            const size_t x0 = j * n / side, x1 = ((j + 1) * n + side - 1) / side;
            uint64_t sum[3] = {0};
            for (size_t y = y0; y < y1; y++) {
                const uint8_t *p = photo->pixels + ((window.y + y) * photo->width + window.x + x0) * 3;
                uint64_t row[3] = {0};
                for (size_t x = x0; x < x1; x++, p += 3) {
                    const uint64_t weight = shared(j, x, n, side);
                    for (size_t c = 0; c < 3; c++) row[c] += weight * p[c];
                }
                for (size_t c = 0; c < 3; c++) sum[c] += row[c] * shared(i, y, n, side);
            }
            for (size_t c = 0; c < 3; c++)
                out[c * plane + i * side + j] = (uint8_t)((sum[c] + area / 2) / area);
        }
}
