/* anomaly_baselines.c - patches are compared as coordinates along their principal components (train/klt.h):
 * distances are those of the pixels, and most of a distance is in the first few, so that all but a few
 * patches are found too far after these. The nearest is sought in the order of the first component, outward
 * from the patch's own. */
#include "anomaly/anomaly_baselines.h"

#include "base/mem.h"
#include "base/rng.h"
#include "train/klt.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* STEP: of the patches of a picture; FIRST: coordinates that are compared before the others. */
enum { SIDE = 8, N = SIDE * SIDE, SAMPLES = 16384, NEAREST = 4096, STEP = 4, FIRST = 8, BOX = 4 };

/* Share of the patches' variance that the components of the PCA have. Most of it is the brightness: 90 %
 * would often be that one component. */
static const double KEPT = 0.98;

struct anomaly_patches {
    float mean[N], basis[N][N]; /* a component a row */
    size_t components;          /* of the PCA */
    float (*known)[N];          /* [NEAREST], by the first coordinate */
};

/* --- Patches of good pictures -------------------------------------------------------------------------- */

static float luminance(const struct caelum_picture *p, size_t x, size_t y) {
    const uint8_t *rgb = p->pixels + 3 * (y * p->width + x);
    return 0.299f * (float)rgb[0] + 0.587f * (float)rgb[1] + 0.114f * (float)rgb[2];
}

/* A patch, which is extended by the last pixels of a picture that is smaller. */
static void cut(const struct caelum_picture *p, size_t x0, size_t y0, float patch[N]) {
    for (size_t i = 0; i < N; i++) {
        const size_t x = x0 + i % SIDE, y = y0 + i / SIDE;
        patch[i] = luminance(p, x < p->width ? x : p->width - 1, y < p->height ? y : p->height - 1);
    }
}

static size_t places(size_t size) {
    return size > SIDE ? size - SIDE + 1 : 1;
}

static void sample(const struct caelum_picture *p, struct rng *rng, uint8_t bytes[N]) {
    float patch[N];
    const size_t x = rng_below(rng, (uint32_t)places(p->width)),
                 y = rng_below(rng, (uint32_t)places(p->height));
    cut(p, x, y, patch);
    for (size_t i = 0; i < N; i++) bytes[i] = (uint8_t)(patch[i] + 0.5f);
}

/* As many of each picture as of the others; those that can't be read leave their share to the next. */
static int sample_pictures(struct anomaly_baselines *b, const struct tree *tree, uint64_t seed,
                           uint8_t *bytes, struct caelum_error *err) {
    size_t taken = 0, pictures = 0, seen = 0;
    struct caelum_error why = {.text = "it has none"};
    for (size_t i = 0; i < tree->count; i++) pictures += tree->file[i].picture;
    for (size_t i = 0; i < tree->count; i++) {
        struct caelum_picture picture = {0};
        struct rng rng = rng_make(seed, RNG_PATCHES, (uint32_t)i);
        if (!tree->file[i].picture) continue;
        const size_t end = ++seen * SAMPLES / pictures;
        if (end == taken) continue;
        const int result = tree_picture(tree, &tree->file[i], &picture, &why);
        if (result == CAELUM_ERESOURCE) return caelum_fail(err, result, "%s", why.text);
        b->left_out += result != 0;
        for (; result == 0 && taken < end; taken++) sample(&picture, &rng, bytes + taken * N);
        caelum_picture_free(&picture);
    }
    if (taken == 0)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: no good picture can be read: %s", tree->root, why.text);
    for (size_t i = taken; i < SAMPLES; i++) memcpy(bytes + i * N, bytes + i % taken * N, N);
    return CAELUM_OK;
}

/* --- What is known of them ------------------------------------------------------------------------------ */

static void to_coordinates(const struct anomaly_patches *p, const float patch[N], size_t components,
                           float to[N]) {
    for (size_t k = 0; k < components; k++) {
        float sum = 0;
        for (size_t i = 0; i < N; i++) sum += p->basis[k][i] * (patch[i] - p->mean[i]);
        to[k] = sum;
    }
}

/* By all of them, so that any sort gives one order. */
static int by_coordinates(const void *a, const void *b) {
    const float *x = a, *y = b;
    for (size_t k = 0; k < N; k++)
        if (x[k] != y[k]) return x[k] < y[k] ? -1 : 1;
    return 0;
}

/* Every few samples are the known patches, and how they vary says how many components are kept. */
static void learn(struct anomaly_patches *p, const uint8_t *bytes, const double *mean, const double *basis) {
    float patch[N], at[N];
    double variance[N] = {0}, all = 0, kept = 0;
    for (size_t i = 0; i < N; i++) p->mean[i] = (float)(255 * mean[i]);
    for (size_t i = 0; i < N * N; i++) p->basis[i / N][i % N] = (float)basis[i];
    for (size_t s = 0; s < SAMPLES; s++) {
        for (size_t i = 0; i < N; i++) patch[i] = bytes[s * N + i];
        to_coordinates(p, patch, N, at);
        for (size_t k = 0; k < N; k++) variance[k] += (double)at[k] * (double)at[k];
        if (s % (SAMPLES / NEAREST) == 0) memcpy(p->known[s / (SAMPLES / NEAREST)], at, sizeof at);
    }
    qsort(p->known, NEAREST, sizeof *p->known, by_coordinates);
    for (size_t k = 0; k < N; k++) all += variance[k];
    while (p->components < N && kept < KEPT * all) kept += variance[p->components++];
}

static int fit(struct anomaly_patches *p, const uint8_t *bytes, struct mem_group *scratch,
               struct caelum_error *err) {
    uint32_t *index = NULL;
    double *mean = NULL, *basis = NULL;
    CHECK(mem_take(scratch, &index, SAMPLES, sizeof *index, err));
    CHECK(mem_take(scratch, &mean, N, sizeof *mean, err));
    CHECK(mem_take(scratch, &basis, N, N * sizeof *basis, err));
    for (uint32_t i = 0; i < SAMPLES; i++) index[i] = i;
    const struct pictures patches = {bytes, index, SAMPLES, 1, SIDE, SIDE, NULL, 0};
    CHECK(klt_fit(&patches, SIDE, mean, basis, err));
    learn(p, bytes, mean, basis);
    return CAELUM_OK;
}

/* --- Maps ------------------------------------------------------------------------------------------------
 */

/* Both put what they know in the place of coordinates. */
typedef void (*approximation)(const struct anomaly_patches *p, float at[N]);

static void project(const struct anomaly_patches *p, float at[N]) {
    memset(at + p->components, 0, (N - p->components) * sizeof *at);
}

static float distance(const float *a, const float *b, size_t from, size_t to) {
    float sum = 0;
    for (size_t i = from; i < to; i++) sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum;
}

/* Looks at one known patch; false: it and all beyond it are too far, by the first coordinate alone. */
static bool look(const float *known, const float at[N], float *least, const float **nearest) {
    if ((known[0] - at[0]) * (known[0] - at[0]) >= *least) return false;
    float d = distance(known, at, 0, FIRST);
    if (d < *least) d += distance(known, at, FIRST, N);
    if (d < *least) *least = d, *nearest = known;
    return true;
}

static void replace(const struct anomaly_patches *p, float at[N]) {
    size_t low = 0, high = NEAREST; /* the first known one that is not before it */
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (p->known[middle][0] < at[0])
            low = middle + 1;
        else
            high = middle;
    }
    float least = INFINITY;
    const float *nearest = p->known[0];
    bool up = true, down = true;
    for (size_t i = 0; up || down; i++) {
        up = up && low + i < NEAREST && look(p->known[low + i], at, &least, &nearest);
        down = down && low >= i + 1 && look(p->known[low - i - 1], at, &least, &nearest);
    }
    memcpy(at, nearest, N * sizeof *at);
}

/* Adds the squared differences of a patch. */
static void add_patch(const struct anomaly_patches *p, approximation approximate,
                      const struct caelum_picture *picture, size_t x0, size_t y0, float *sum, float *weight) {
    float patch[N], at[N], back[N];
    cut(picture, x0, y0, patch);
    to_coordinates(p, patch, N, at);
    approximate(p, at);
    memcpy(back, p->mean, sizeof back);
    for (size_t k = 0; k < N; k++)
        for (size_t i = 0; i < N && at[k] != 0; i++) back[i] += at[k] * p->basis[k][i];
    for (size_t i = 0; i < N; i++) {
        const size_t x = x0 + i % SIDE, y = y0 + i / SIDE;
        if (x >= picture->width || y >= picture->height) continue;
        sum[y * picture->width + x] += (patch[i] - back[i]) * (patch[i] - back[i]);
        weight[y * picture->width + x] += 1;
    }
}

/* Means of up to 2 BOX + 1 numbers, as many as there are, along a line of n. */
static void smooth_line(float *line, size_t n, size_t step, double *scratch) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) scratch[i] = (double)line[i * step];
    for (size_t i = 0; i < n && i < BOX; i++) sum += scratch[i];
    for (size_t i = 0; i < n; i++) {
        if (i + BOX < n) sum += scratch[i + BOX];
        if (i > BOX) sum -= scratch[i - BOX - 1];
        const size_t first = i > BOX ? i - BOX : 0, end = i + BOX < n ? i + BOX + 1 : n;
        line[i * step] = (float)(sum / (double)(end - first));
    }
}

static int map_of(const struct anomaly_patches *p, approximation approximate,
                  const struct caelum_picture *picture, float *map, float *score, struct caelum_error *err) {
    const size_t w = picture->width, h = picture->height, rows = places(h), columns = places(w);
    struct mem_group scratch = {0};
    float *weight = NULL;
    double *line = NULL;
    int result = mem_take(&scratch, &weight, w, h * sizeof *weight, err);
    if (result == 0) result = mem_take(&scratch, &line, w > h ? w : h, sizeof *line, err);
    if (result == 0) {
        memset(map, 0, w * h * sizeof *map);
        for (size_t y = 0; y < rows + STEP - 1; y += STEP) /* the last are at the edges */
            for (size_t x = 0; x < columns + STEP - 1; x += STEP)
                add_patch(p, approximate, picture, x < columns ? x : columns - 1, y < rows ? y : rows - 1,
                          map, weight);
        for (size_t i = 0; i < w * h; i++) map[i] /= weight[i];
        for (size_t y = 0; y < h; y++) smooth_line(map + y * w, w, 1, line);
        for (size_t x = 0; x < w; x++) smooth_line(map + x, h, w, line);
        *score = map[0];
        for (size_t i = 0; i < w * h; i++) *score = map[i] > *score ? map[i] : *score;
    }
    mem_end(&scratch);
    return result;
}

static int score_pca(void *cookie, const struct caelum_picture *picture, float *map, float *score,
                     struct caelum_error *err) {
    return map_of(cookie, project, picture, map, score, err);
}

static int score_nearest(void *cookie, const struct caelum_picture *picture, float *map, float *score,
                         struct caelum_error *err) {
    return map_of(cookie, replace, picture, map, score, err);
}

/* --- Opening ----------------------------------------------------------------------------------------------
 */

static int open_patches(struct anomaly_baselines *b, const struct tree *tree, uint64_t seed,
                        struct caelum_error *err) {
    struct mem_group scratch = {0};
    uint8_t *bytes = NULL;
    CHECK(mem_alloc(&b->patches, 1, sizeof *b->patches, err));
    CHECK(mem_alloc(&b->patches->known, NEAREST, sizeof *b->patches->known, err));
    int result = mem_take(&scratch, &bytes, SAMPLES, N, err);
    if (result == 0) result = sample_pictures(b, tree, seed, bytes, err);
    if (result == 0) result = fit(b->patches, bytes, &scratch, err);
    mem_end(&scratch);
    return result;
}

int anomaly_baselines_open(struct anomaly_baselines *b, const char *directory, uint64_t seed,
                           struct caelum_error *err) {
    struct tree tree;
    *b = (struct anomaly_baselines){0};
    CHECK(tree_find(&tree, directory, err));
    const int result = open_patches(b, &tree, seed, err);
    tree_close(&tree);
    if (result != 0) return anomaly_baselines_close(b), result;
    b->detector[0] = (struct detector){"PCA of patches", score_pca, b->patches, NAN};
    b->detector[1] = (struct detector){"nearest patch", score_nearest, b->patches, NAN};
    return CAELUM_OK;
}

void anomaly_baselines_close(struct anomaly_baselines *b) {
    if (b->patches) mem_free(&b->patches->known);
    mem_free(&b->patches);
    *b = (struct anomaly_baselines){0};
}
