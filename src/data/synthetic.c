/* synthetic.c - generated pictures with the statistics of natural ones: dead leaves. Opaque shapes with
 * power-law sizes (density ~ 1/r^3) cover one another from front to back, which gives edges, the 1/f
 * spectrum and the heavy tails of photographs (Lee, Mumford & Huang, "Occlusion models for natural
 * images", IJCV 2001). Colors follow shape, brightness and place - sky above, ground below, bluish far
 * discs, warm rectangles, green ellipses - so that color can be learnt from grey.
 *
 * Only + - * / and square roots of doubles are used, which IEEE 754 fixes to the last bit: the same
 * pixels on every machine and for any number of threads. */
#include "base/color.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/parallel.h"
#include "base/rng.h"
#include "data/data.h"

#include <math.h>
#include <string.h>

enum { LEAVES = 48, SUPER = 2 };

enum kind { DISC, ELLIPSE, RECTANGLE, TRIANGLE, KINDS };

struct leaf {
    enum kind kind;
    double x, y, cos, sin, a, b; /* center, direction, half axes; in picture widths */
    double color[3], slope[2];   /* shade at the center and its change across */
    double stripes, contrast;    /* texture: waves across the shape, and how strong */
};

struct scene {
    struct leaf leaf[LEAVES];
    double horizon, sky[3], ground[3], light[2];
};

static double uniform(struct rng *rng, double low, double high) {
    return low + (high - low) * (double)rng_uniform(rng);
}

/* A direction without sine and cosine: a point in the unit disc, brought to length 1. */
static void direction(struct rng *rng, double *c, double *s) {
    double x, y, r;
    do {
        x = uniform(rng, -1, 1), y = uniform(rng, -1, 1);
        r = x * x + y * y;
    } while (r > 1 || r < 1e-4);
    r = sqrt(r);
    *c = x / r, *s = y / r;
}

/* Radius with density ~ r^-3 between low and high: 1/r^2 is uniform. */
static double radius(struct rng *rng, double low, double high) {
    return 1 / sqrt(uniform(rng, 1 / (high * high), 1 / (low * low)));
}

/* The palette: a base hue for each kind, brightness from a broad range, and the darker the browner. */
static void choose_color(struct rng *rng, enum kind kind, double y, double color[3]) {
    static const double hue[KINDS][3] = {
        {0.85, 0.95, 1.20}, /* discs: bluish */
        {0.80, 1.15, 0.70}, /* ellipses: foliage */
        {1.25, 0.95, 0.75}, /* rectangles: brick and wood */
        {1.10, 1.05, 0.90}, /* triangles: stone */
    };
    const double brightness = 0.08 + 0.84 * uniform(rng, 0, 1), dark = 1 - brightness;
    for (int c = 0; c < 3; c++) {
        const double warm = c == 0 ? 0.10 : c == 2 ? -0.12 : 0.0;
        color[c] = brightness * (1 + 0.9 * (hue[kind][c] - 1)) + warm * dark * y + uniform(rng, -0.03, 0.03);
    }
}

static void choose_leaf(struct rng *rng, struct leaf *leaf) {
    leaf->x = uniform(rng, -0.1, 1.1);
    leaf->y = uniform(rng, -0.1, 1.1);
    const double pick = uniform(rng, 0, 1);
    leaf->kind = leaf->y < 0.45 ? (pick < 0.5   ? DISC
                                   : pick < 0.8 ? RECTANGLE
                                                : TRIANGLE)
                                : (pick < 0.5   ? ELLIPSE
                                   : pick < 0.8 ? RECTANGLE
                                   : pick < 0.9 ? TRIANGLE
                                                : DISC);
    leaf->a = radius(rng, 0.08, 0.5);
    leaf->b = leaf->kind == DISC ? leaf->a : leaf->a * uniform(rng, 0.35, 1);
    direction(rng, &leaf->cos, &leaf->sin);
    choose_color(rng, leaf->kind, leaf->y, leaf->color);
    leaf->slope[0] = uniform(rng, -0.18, 0.18);
    leaf->slope[1] = uniform(rng, -0.18, 0.18);
    leaf->stripes = uniform(rng, 2, 9);
    leaf->contrast = uniform(rng, 0, 1) < 0.4 ? uniform(rng, 0.05, 0.22) : 0;
}

static void choose_scene(struct rng *rng, struct scene *scene) {
    const double day = uniform(rng, 0.35, 1), green = uniform(rng, 0, 1);
    scene->horizon = uniform(rng, 0.3, 0.75);
    const double sky[3] = {0.62, 0.78, 0.98}, grass[3] = {0.36, 0.48, 0.22}, earth[3] = {0.56, 0.44, 0.32};
    for (int c = 0; c < 3; c++) {
        scene->sky[c] = day * sky[c];
        scene->ground[c] = day * (green * grass[c] + (1 - green) * earth[c]);
    }
    scene->light[0] = uniform(rng, -0.25, 0.25);
    scene->light[1] = uniform(rng, -0.25, 0.25);
    for (int i = 0; i < LEAVES; i++) choose_leaf(rng, &scene->leaf[i]);
}

/* Whether the leaf covers (x, y); u and v are the place in its own axes. */
static bool covers(const struct leaf *leaf, double x, double y, double *u, double *v) {
    const double dx = x - leaf->x, dy = y - leaf->y;
    *u = (dx * leaf->cos + dy * leaf->sin) / leaf->a;
    *v = (dy * leaf->cos - dx * leaf->sin) / leaf->b;
    switch (leaf->kind) {
    case RECTANGLE:
        return *u > -1 && *u < 1 && *v > -1 && *v < 1;
    case TRIANGLE:
        return *v > -1 && *v < 1 - 2 * (*u < 0 ? -*u : *u);
    default:
        return *u * *u + *v * *v < 1;
    }
}

/* The color at a point: the first leaf that covers it, else sky or ground. */
static void shade(const struct scene *scene, double x, double y, double color[3]) {
    double u, v;
    for (int i = 0; i < LEAVES; i++) {
        const struct leaf *leaf = &scene->leaf[i];
        if (!covers(leaf, x, y, &u, &v)) continue;
        double t = u * leaf->stripes; /* a triangle wave of period 2 */
        t -= 2 * floor(t / 2);
        const double wave = (t < 1 ? t : 2 - t) - 0.5;
        const double f = 1 + leaf->slope[0] * u + leaf->slope[1] * v + leaf->contrast * wave;
        for (int c = 0; c < 3; c++) color[c] = leaf->color[c] * f;
        return;
    }
    const bool above = y < scene->horizon;
    const double f = above ? 1.05 - 0.35 * (scene->horizon - y) : 0.75 + 0.5 * (y - scene->horizon);
    for (int c = 0; c < 3; c++) color[c] = (above ? scene->sky[c] : scene->ground[c]) * f;
}

struct synthesis {
    uint8_t *pixels;
    size_t size, first; /* first: the picture that is job 0 */
    uint64_t seed;
};

static void paint(void *cookie, size_t job, int worker) {
    const struct synthesis *s = cookie;
    const size_t plane = s->size * s->size, picture = s->first + job;
    uint8_t *out = s->pixels + picture * 3 * plane;
    struct rng rng = rng_make(s->seed, RNG_SYNTHETIC, (uint32_t)picture);
    struct scene scene;
    (void)worker;
    choose_scene(&rng, &scene);
    for (size_t i = 0; i < plane; i++) {
        double sum[3] = {0};
        const double px = (double)(i % s->size), py = (double)(i / s->size);
        for (int a = 0; a < SUPER * SUPER; a++) {
            double color[3];
            shade(&scene, (px + (0.5 + a % SUPER) / SUPER) / (double)s->size,
                  (py + (0.5 + (double)(a / SUPER)) / SUPER) / (double)s->size, color);
            for (int c = 0; c < 3; c++) sum[c] += color[c];
        }
        const double light =
            1 + scene.light[0] * (px / (double)s->size - 0.5) + scene.light[1] * (py / (double)s->size - 0.5);
        const double noise = uniform(&rng, -0.012, 0.012);
        for (size_t c = 0; c < 3; c++)
            out[c * plane + i] = color_byte(sum[c] / (SUPER * SUPER) * light + noise);
    }
}

bool data_is_synthetic(const char *spec, uint64_t *count, uint64_t *size) {
    static const char word[] = "synthetic";
    uint64_t given[2] = {6000, 32};
    if (strncmp(spec, word, sizeof word - 1) != 0) return false;
    const char *at = spec + sizeof word - 1;
    for (size_t i = 0; i < 2 && *at == ':'; i++)
        if (!number_whole_at(at + 1, &at, 0, UINT64_MAX, &given[i])) return false;
    if (count) *count = given[0];
    if (size) *size = given[1];
    return *at == '\0';
}

int synthetic_open(struct caelum_data *data, const char *spec, const struct caelum_data_settings *settings,
                   struct caelum_error *err) {
    enum { PORTION = 1024 }; /* between two reports of progress */
    uint64_t count = 0, size = 0;
    if (!data_is_synthetic(spec, &count, &size) || count < 10 || count > 10000000 || size < 8 || size > 256)
        return caelum_fail(
            err, CAELUM_EUSAGE,
            "data '%s': expected synthetic[:COUNT[:SIZE]], COUNT from 10 to 10000000, SIZE from 8 to 256",
            spec);
    CHECK(mem_alloc(&data->memory, count, size * size * 3, err));
    struct synthesis s = {.pixels = data->memory, .size = size, .seed = settings->synthetic_seed};
    for (; s.first < count; s.first += PORTION) {
        const size_t n = count - s.first < PORTION ? count - s.first : PORTION;
        parallel_for(parallel_default_threads(), n, paint, &s);
        if (settings->progress && settings->progress(settings->cookie, "generating", s.first + n, count) != 0)
            return caelum_fail(err, CAELUM_ESTOPPED, "stopped while pictures were generated");
    }
    snprintf(data->name, sizeof data->name, "synthetic");
    snprintf(data->fingerprint, sizeof data->fingerprint, "synthetic:%zu:%zu:seed%llu:v1", (size_t)count,
             (size_t)size, (unsigned long long)settings->synthetic_seed);
    data->count = count;
    data->c = 3, data->h = size, data->w = size;
    data->pixels = data->memory;
    return CAELUM_OK;
}
