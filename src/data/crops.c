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

struct box {
    size_t x, y, width, height;
};

/* Averages what is in the box `from` of a photo into the box `to` of out, whose rows are `row` pixels and
 * whose planes are `plane` pixels apart. */
static void average(const struct caelum_picture *photo, struct box from, struct box to, size_t row,
                    size_t plane, uint8_t *out) {
    const uint64_t area = (uint64_t)from.width * from.height; /* at most 2^28: sums of bytes are below 2^36 */
    for (size_t i = 0; i < to.height; i++)
        for (size_t j = 0; j < to.width; j++) {
            const size_t y0 = i * from.height / to.height,
                         y1 = ((i + 1) * from.height + to.height - 1) / to.height;
            const size_t x0 = j * from.width / to.width,
                         x1 = ((j + 1) * from.width + to.width - 1) / to.width;
            uint64_t sum[3] = {0};
            for (size_t y = y0; y < y1; y++) {
                const uint8_t *p = photo->pixels + ((from.y + y) * photo->width + from.x + x0) * 3;
                uint64_t line[3] = {0};
                for (size_t x = x0; x < x1; x++, p += 3) {
                    const uint64_t weight = shared(j, x, from.width, to.width);
                    for (size_t c = 0; c < 3; c++) line[c] += weight * p[c];
                }
                for (size_t c = 0; c < 3; c++) sum[c] += line[c] * shared(i, y, from.height, to.height);
            }
            for (size_t c = 0; c < 3; c++)
                out[c * plane + (to.y + i) * row + to.x + j] = (uint8_t)((sum[c] + area / 2) / area);
        }
}

void crop_make(const struct caelum_picture *photo, struct crop_window window, size_t side, uint8_t *out) {
    const struct box from = {window.x, window.y, window.side, window.side};
    average(photo, from, (struct box){0, 0, side, side}, side, side * side, out);
}

/* Parts of `all`, in which a picture's side is `side` where the longer one is `longer`; at least 1. */
static size_t reduced(size_t side, size_t longer, size_t all) {
    const size_t length = (side * all + longer / 2) / longer;
    return length > 0 ? length : 1;
}

void crop_whole(const struct caelum_picture *photo, enum caelum_resize how, size_t width, size_t height,
                uint8_t *out) {
    struct box from = {0, 0, photo->width, photo->height}, to = {0, 0, width, height};
    const bool lying = from.width > from.height;
    const size_t longer = lying ? from.width : from.height, shorter = lying ? from.height : from.width;
    if (how == CAELUM_RESIZE_FIT) {
        to.width = reduced(from.width, longer, width), to.height = reduced(from.height, longer, height);
        to.x = (width - to.width) / 2, to.y = (height - to.height) / 2;
    } else if (how == CAELUM_RESIZE_CROP) {
        from.x = (from.width - shorter) / 2, from.y = (from.height - shorter) / 2;
        from.width = from.height = shorter;
    }
    average(photo, from, to, width, width * height, out);
}
