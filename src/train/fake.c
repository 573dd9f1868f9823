/* fake.c - fake defects: a mask of one of a few shapes, and through it one of a few kinds of damage. As in
 * DRAEM (Zavrtanik et al. 2021) and NSA (Schlueter et al. 2022), but with nothing that is not in the pictures
 * themselves. */
#include "train/fake.h"

#include "base/mirror.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* What a change of one level counts in the mask. */
enum { STEEP = 24 };

struct canvas {
    struct rng *rng;
    float largest;
    const uint8_t *good, *other;
    size_t channels, h, w;
    uint8_t *now;  /* [channels][h][w] */
    uint8_t *mask; /* [h][w], 255: all of the damage */
};

static float uniform(struct canvas *c, float low, float high) {
    return low + (high - low) * rng_uniform(c->rng);
}

/* Log-uniform, by square roots as in crops.c: the same everywhere. */
static float octaves(struct canvas *c, float low, float high) {
    float ratio = high / low, result = low;
    uint32_t bits = rng_u32(c->rng);
    for (int i = 0; i < 12; i++, bits >>= 1) {
        ratio = sqrtf(ratio);
        if (bits & 1) result *= ratio;
    }
    return result;
}

/* A direction, as cosine and sine. */
static void direction(struct canvas *c, float d[2]) {
    float square = 0;
    while (square < 0.01f || square > 1) {
        d[0] = uniform(c, -1, 1), d[1] = uniform(c, -1, 1);
        square = d[0] * d[0] + d[1] * d[1];
    }
    d[0] /= sqrtf(square), d[1] /= sqrtf(square);
}

static float clamp(float x, float low, float high) {
    return x < low ? low : x > high ? high : x;
}

/* --- Places ---------------------------------------------------------------------------------------- */

struct place {
    float x, y, d[2], a, b; /* middle, direction and half axes */
};

static struct place place_draw(struct canvas *c) {
    const float side = (float)(c->h < c->w ? c->h : c->w);
    struct place p = {.x = uniform(c, 0, (float)c->w), .y = uniform(c, 0, (float)c->h)};
    direction(c, p.d);
    p.a = octaves(c, 1, fmaxf(1, c->largest * side));
    p.b = p.a * uniform(c, 0.3f, 1);
    return p;
}

/* Coordinates of a pixel along the axes of the place. */
static void along(const struct place *p, size_t x, size_t y, float uv[2]) {
    const float dx = (float)x + 0.5f - p->x, dy = (float)y + 0.5f - p->y;
    uv[0] = dx * p->d[0] + dy * p->d[1];
    uv[1] = dy * p->d[0] - dx * p->d[1];
}

/* How much of a pixel is inside, from its signed distance to the edge. */
static uint8_t inside(float distance, float soft) {
    return (uint8_t)(255 * clamp(0.5f + distance / soft, 0, 1));
}

/* Fills the mask by how deep inside a shape a pixel is. Where defects may be large, edges may be soft. */
static void draw_area(struct canvas *c, float (*depth)(const struct place *, const float uv[2])) {
    const struct place p = place_draw(c);
    const float side = (float)(c->h < c->w ? c->h : c->w),
                soft = octaves(c, 1, fmaxf(1, c->largest * c->largest * side));
    for (size_t y = 0; y < c->h; y++)
        for (size_t x = 0; x < c->w; x++) {
            float uv[2];
            along(&p, x, y, uv);
            c->mask[y * c->w + x] = inside(depth(&p, uv), soft);
        }
}

static float ellipse_depth(const struct place *p, const float uv[2]) {
    return (1 - sqrtf(uv[0] * uv[0] / (p->a * p->a) + uv[1] * uv[1] / (p->b * p->b))) * p->b;
}

static void draw_ellipse(struct canvas *c) {
    draw_area(c, ellipse_depth);
}

static float rectangle_depth(const struct place *p, const float uv[2]) {
    const float u = p->a - fabsf(uv[0]), v = p->b - fabsf(uv[1]);
    return u < v ? u : v;
}

static void draw_rectangle(struct canvas *c) {
    draw_area(c, rectangle_depth);
}

/* A disc that is added to the mask. */
static void stamp(struct canvas *c, float x, float y, float radius) {
    const long reach = (long)radius + 2, left = (long)x - reach, top = (long)y - reach;
    for (long i = top; i <= top + 2 * reach; i++)
        for (long j = left; j <= left + 2 * reach; j++) {
            if (i < 0 || j < 0 || i >= (long)c->h || j >= (long)c->w) continue;
            const float dx = (float)j + 0.5f - x, dy = (float)i + 0.5f - y;
            const uint8_t m = inside(radius - sqrtf(dx * dx + dy * dy), 1.2f);
            uint8_t *at = &c->mask[(size_t)i * c->w + (size_t)j];
            if (m > *at) *at = m;
        }
}

static void draw_stroke(struct canvas *c) {
    const float side = (float)(c->h < c->w ? c->h : c->w);
    const float radius = octaves(c, 0.4f, side / 24), length = octaves(c, 6, side * 0.9f);
    const float bend = octaves(c, 0.01f, 0.6f), step = radius > 1 ? radius / 2 : 0.5f;
    float x = uniform(c, 0, (float)c->w), y = uniform(c, 0, (float)c->h), d[2];
    direction(c, d);
    for (float done = 0; done < length; done += step) {
        const float turn = bend * uniform(c, -1, 1), dx = d[0] - turn * d[1], dy = d[1] + turn * d[0];
        const float norm = sqrtf(dx * dx + dy * dy);
        d[0] = dx / norm, d[1] = dy / norm;
        x += step * d[0], y += step * d[1];
        stamp(c, x, y, radius);
    }
}

/* Noise between the points of a grid, as a sum of two octaves, in [0, 1]. */
static float lattice(uint32_t seed, float x, float y) {
    float sum = 0;
    for (uint32_t octave = 0; octave < 2; octave++, x *= 2, y *= 2) {
        const uint32_t i = (uint32_t)(int32_t)y, j = (uint32_t)(int32_t)x;
        const float v = y - (float)i, u = x - (float)j;
        float corner[4];
        for (uint32_t k = 0; k < 4; k++) {
            const uint32_t counter[4] = {i + k / 2, j + k % 2, octave, 0}, key[2] = {seed, 1};
            uint32_t random[4];
            rng_philox(counter, key, random);
            corner[k] = (float)(random[0] >> 8) * 0x1p-24f;
        }
        const float top = corner[0] + u * (corner[1] - corner[0]),
                    low = corner[2] + u * (corner[3] - corner[2]);
        sum += (octave ? 1.0f / 3 : 2.0f / 3) * (top + v * (low - top));
    }
    return sum;
}

static void draw_cloud(struct canvas *c) {
    const struct place p = place_draw(c);
    const float grain = octaves(c, 3, 20), soft = octaves(c, 0.05f, 0.5f), size = 1.4f * p.a + 3;
    const uint32_t seed = rng_u32(c->rng);
    for (size_t y = 0; y < c->h; y++)
        for (size_t x = 0; x < c->w; x++) {
            float uv[2];
            along(&p, x, y, uv);
            const float r2 = (uv[0] * uv[0] + uv[1] * uv[1]) / (size * size);
            uint8_t *at = &c->mask[y * c->w + x];
            *at = r2 < 1 ? inside(lattice(seed, (float)x / grain, (float)y / grain) - 0.3f - 0.6f * r2, soft)
                         : 0;
        }
}

/* --- Damage ---------------------------------------------------------------------------------------- */

/* Replaces through the mask: `level` is what a pixel would be. */
static void blend(struct canvas *c, size_t at, size_t pixel, float level) {
    const float share = (float)c->mask[pixel] / 255, now = (float)c->now[at];
    c->now[at] = (uint8_t)(clamp(now + share * (level - now), 0, 255) + 0.5f);
}

/* A piece from elsewhere, moved by (dx, dy). */
static void paste(struct canvas *c, const uint8_t *from, long dx, long dy) {
    const float gain = uniform(c, 0.8f, 1.25f);
    for (size_t k = 0; k < c->channels; k++)
        for (size_t y = 0; y < c->h; y++)
            for (size_t x = 0; x < c->w; x++) {
                const size_t pixel = y * c->w + x;
                if (c->mask[pixel] == 0) continue;
                const size_t source = mirrored((size_t)labs((long)y + dy), c->h) * c->w +
                                      mirrored((size_t)labs((long)x + dx), c->w);
                blend(c, k * c->h * c->w + pixel, pixel, gain * (float)from[k * c->h * c->w + source]);
            }
}

static void paste_far(struct canvas *c) {
    const long dx = (long)rng_below(c->rng, 2 * (uint32_t)c->w) - (long)c->w,
               dy = (long)rng_below(c->rng, 2 * (uint32_t)c->h) - (long)c->h;
    paste(c, rng_u32(c->rng) & 1 ? c->other : c->good, dx / 2, dy / 2);
}

static void move_a_little(struct canvas *c) {
    const long dx = (long)rng_below(c->rng, 13) - 6, dy = (long)rng_below(c->rng, 13) - 6;
    paste(c, c->now, dx, dy ? dy : 2);
}

/* Brightness or color is off by 5 to 120 levels. */
static void shade(struct canvas *c) {
    const bool grey = rng_below(c->rng, 3) > 0;
    const float sign = rng_u32(c->rng) & 1 ? -1 : 1, off = sign * octaves(c, 5, 120);
    for (size_t k = 0; k < c->channels; k++) {
        const float by = grey || c->channels == 1 ? off : off * uniform(c, -1, 1);
        for (size_t i = 0; i < c->h * c->w; i++)
            if (c->mask[i]) blend(c, k * c->h * c->w + i, i, (float)c->now[k * c->h * c->w + i] + by);
    }
}

/* One level, with or without a little grain: a part is gone. */
static void fill(struct canvas *c) {
    const float grain = rng_u32(c->rng) & 1 ? octaves(c, 1, 20) : 0;
    for (size_t k = 0; k < c->channels; k++) {
        const size_t plane = k * c->h * c->w, some = rng_below(c->rng, (uint32_t)(c->h * c->w));
        const float level = rng_u32(c->rng) & 1 ? (float)c->good[plane + some] : uniform(c, 0, 255);
        for (size_t i = 0; i < c->h * c->w; i++)
            if (c->mask[i]) blend(c, plane + i, i, level + (grain > 0 ? grain * uniform(c, -1, 1) : 0));
    }
}

static void noise(struct canvas *c) {
    const float amplitude = octaves(c, 8, 100);
    for (size_t k = 0; k < c->channels; k++)
        for (size_t i = 0; i < c->h * c->w; i++)
            if (c->mask[i])
                blend(c, k * c->h * c->w + i, i,
                      (float)c->now[k * c->h * c->w + i] + amplitude * uniform(c, -1, 1));
}

/* The mean of a square of the good picture. */
static void blur(struct canvas *c) {
    const long reach = 1 + (long)rng_below(c->rng, 3);
    for (size_t k = 0; k < c->channels; k++)
        for (size_t i = 0; i < c->h * c->w; i++) {
            const uint8_t *plane = c->good + k * c->h * c->w;
            float sum = 0;
            if (c->mask[i] == 0) continue;
            for (long dy = -reach; dy <= reach; dy++)
                for (long dx = -reach; dx <= reach; dx++)
                    sum += (float)plane[mirrored((size_t)labs((long)(i / c->w) + dy), c->h) * c->w +
                                        mirrored((size_t)labs((long)(i % c->w) + dx), c->w)];
            blend(c, k * c->h * c->w + i, i, sum / (float)((2 * reach + 1) * (2 * reach + 1)));
        }
}

/* --- All of it ------------------------------------------------------------------------------------- */

static void draw_one(struct canvas *c) {
    static void (*const shapes[])(struct canvas *) = {draw_ellipse, draw_rectangle, draw_stroke, draw_cloud};
    static void (*const damages[])(struct canvas *) = {paste_far, paste_far, move_a_little, shade, shade,
                                                       shade,     fill,      noise,         blur};
    memset(c->mask, 0, c->h * c->w);
    shapes[rng_below(c->rng, sizeof shapes / sizeof *shapes)](c);
    damages[rng_below(c->rng, sizeof damages / sizeof *damages)](c);
}

/* How much a pixel was changed, in levels. */
static int change(const struct canvas *c, size_t y, size_t x) {
    int most = 0;
    for (size_t k = 0; k < c->channels; k++) {
        const size_t at = (k * c->h + y) * c->w + x;
        const int by = abs(c->now[at] - c->good[at]);
        most = by > most ? by : most;
    }
    return most;
}

/* The mean change of 3x3 pixels, so that a defect has no holes where it happens to be like what was there. */
static void draw_changes(struct canvas *c) {
    for (size_t y = 0; y < c->h; y++)
        for (size_t x = 0; x < c->w; x++) {
            int sum = 0, n = 0;
            for (size_t i = y - (y > 0); i <= y + (y + 1 < c->h); i++)
                for (size_t j = x - (x > 0); j <= x + (x + 1 < c->w); j++, n++) sum += change(c, i, j);
            const int level = sum * STEEP / n;
            c->mask[y * c->w + x] = (uint8_t)(level > 255 ? 255 : level);
        }
}

void fake_draw(struct rng *rng, double largest, const uint8_t *picture, const uint8_t *other, size_t channels,
               size_t h, size_t w, uint8_t *out) {
    const size_t size = channels * h * w;
    struct canvas c = {.rng = rng,
                       .largest = (float)largest,
                       .good = picture,
                       .other = other,
                       .channels = channels,
                       .h = h,
                       .w = w,
                       .now = out,
                       .mask = out + 2 * size};
    memcpy(out, picture, size);
    memcpy(out + size, picture, size);
    for (uint32_t i = rng_below(rng, 4); i > 0; i--) draw_one(&c);
    draw_changes(&c);
}
