/* tiles.c - cutting and blending. */
#include "image/tiles.h"

#include "base/mirror.h"

/* Tiles along one side: as few as cover it with that overlap. */
static size_t along(size_t length, size_t tile, size_t share) {
    if (length <= tile) return 1;
    const size_t stride = tile - tile / share;
    return (length - tile + stride - 1) / stride + 1;
}

struct tiles tiles_plan(size_t width, size_t height, size_t tile_w, size_t tile_h, size_t share) {
    return (struct tiles){.width = width,
                          .height = height,
                          .tile_w = tile_w,
                          .tile_h = tile_h,
                          .columns = along(width, tile_w, share),
                          .rows = along(height, tile_h, share)};
}

size_t tiles_count(const struct tiles *t) {
    return t->columns * t->rows;
}

/* First pixel of the i-th of n tiles: spread evenly, the last one flush with the end. */
static size_t origin(size_t i, size_t n, size_t length, size_t tile) {
    return n > 1 ? (length - tile) * i / (n - 1) : 0;
}

static size_t origin_x(const struct tiles *t, size_t i) {
    return origin(i % t->columns, t->columns, t->width, t->tile_w);
}
static size_t origin_y(const struct tiles *t, size_t i) {
    return origin(i / t->columns, t->rows, t->height, t->tile_h);
}

void tiles_cut(const struct tiles *t, const struct caelum_picture *picture, size_t i, uint8_t *tile) {
    const size_t x0 = origin_x(t, i), y0 = origin_y(t, i);
    for (size_t c = 0; c < 3; c++)
        for (size_t y = 0; y < t->tile_h; y++)
            for (size_t x = 0; x < t->tile_w; x++)
                *tile++ =
                    picture
                        ->pixels[(mirrored(y0 + y, t->height) * t->width + mirrored(x0 + x, t->width)) * 3 +
                                 c];
}

/* A pyramid: 1 at the edge, growing inwards. */
static float ramp(size_t at, size_t length) {
    const size_t from_end = length - 1 - at;
    return (float)(1 + (at < from_end ? at : from_end));
}

void tiles_add(const struct tiles *t, size_t i, const float *result, size_t channels, float *sum,
               float *weight) {
    const size_t x0 = origin_x(t, i), y0 = origin_y(t, i), plane = t->tile_h * t->tile_w;
    for (size_t y = 0; y < t->tile_h && y0 + y < t->height; y++)
        for (size_t x = 0; x < t->tile_w && x0 + x < t->width; x++) {
            const size_t at = (y0 + y) * t->width + x0 + x;
            const float w = tiles_count(t) == 1 ? 1.0f : ramp(x, t->tile_w) * ramp(y, t->tile_h);
            for (size_t c = 0; c < channels; c++)
                sum[at * channels + c] += w * result[c * plane + y * t->tile_w + x];
            weight[at] += w;
        }
}

void tiles_finish(const struct tiles *t, const float *sum, const float *weight, uint8_t *pixels) {
    for (size_t i = 0; i < t->width * t->height; i++)
        for (size_t c = 0; c < 3; c++) {
            const float v = sum[i * 3 + c] / weight[i];
            pixels[i * 3 + c] = v > 0 ? (v < 1 ? (uint8_t)(v * 255 + 0.5f) : 255) : 0;
        }
}
