/* color_baselines.c - chroma from next to nothing: none at all, one constant, a table by luminance, a table
 * by luminance and place; and two oracles, which know the truth's mean chroma in a picture or in blocks of
 * it. */
#include "eval/color_baselines.h"

#include "base/color.h"
#include "base/mem.h"
#include "base/parallel.h"
#include "eval/figure_cache.h"
#include "metrics/color_metrics.h"

#include <string.h>

enum { BINS = 256, BANDS = 32, BLOCK = 8 };

/* A table's cell is shrunk towards the simpler prediction as if by this many pixels: within a cell of
 * luminance and place U varies 53 and V 34 times as much as the cells' means do (CIFAR-10, train split). */
static const double prior = 40;

struct cell {
    double u, v;
};

/* What is learnt from the train split. */
struct tables {
    size_t h, w;
    struct cell constant;   /* mean chroma */
    struct cell luma[BINS]; /* mean chroma of pixels with luminance i / 255 */
    struct cell *place;     /* [BANDS][h][w], added to luma's */
};

/* --- Fitting -------------------------------------------------------------------------------------- */

static size_t bin_of(double y) {
    return (size_t)(y * 255 + 0.5);
}

static struct cell *place_of(const struct tables *t, size_t bin, size_t i) {
    return &t->place[bin * BANDS / BINS * t->h * t->w + i];
}

/* The mean of a cell that holds sums over n pixels, drawn towards `known`. */
static void settle(struct cell *cell, double n, struct cell known) {
    cell->u = (cell->u + prior * known.u) / (n + prior);
    cell->v = (cell->v + prior * known.v) / (n + prior);
}

static void fit_luma(struct tables *t, const struct pictures *train) {
    const size_t plane = train->h * train->w;
    double count[BINS] = {0};
    for (size_t p = 0; p < train->n; p++)
        for (size_t i = 0; i < plane; i++) {
            double yuv[3];
            color_bytes_to_yuv(pictures_at(train, p) + i, plane, yuv);
            const size_t bin = bin_of(yuv[0]);
            t->luma[bin].u += yuv[1], t->luma[bin].v += yuv[2];
            count[bin]++;
        }
    for (size_t b = 0; b < BINS; b++) t->constant.u += t->luma[b].u, t->constant.v += t->luma[b].v;
    t->constant.u /= (double)(train->n * plane);
    t->constant.v /= (double)(train->n * plane);
    for (size_t b = 0; b < BINS; b++) settle(&t->luma[b], count[b], t->constant);
}

/* What the table by luminance leaves over at each place, by wider bands of luminance, drawn towards nothing.
 */
static int fit_place(struct tables *t, const struct pictures *train, struct caelum_error *err) {
    const size_t plane = train->h * train->w;
    double *count = NULL;
    CHECK(mem_alloc(&count, BANDS * plane, sizeof *count, err));
    for (size_t p = 0; p < train->n; p++)
        for (size_t i = 0; i < plane; i++) {
            double yuv[3];
            color_bytes_to_yuv(pictures_at(train, p) + i, plane, yuv);
            const size_t bin = bin_of(yuv[0]);
            struct cell *cell = place_of(t, bin, i);
            cell->u += yuv[1] - t->luma[bin].u, cell->v += yuv[2] - t->luma[bin].v;
            count[cell - t->place]++;
        }
    for (size_t i = 0; i < BANDS * plane; i++) settle(&t->place[i], count[i], (struct cell){0, 0});
    mem_free(&count);
    return CAELUM_OK;
}

/* --- Predicting: chroma [2][h][w] of one picture [3][h][w] ------------------------------------------ */

static void put(float *chroma, size_t plane, size_t i, struct cell c) {
    chroma[i] = (float)c.u, chroma[plane + i] = (float)c.v;
}

static void predict_grey(const struct tables *t, const uint8_t *rgb, float *chroma) {
    (void)rgb;
    memset(chroma, 0, 2 * t->h * t->w * sizeof *chroma);
}

static void predict_constant(const struct tables *t, const uint8_t *rgb, float *chroma) {
    (void)rgb;
    for (size_t i = 0; i < t->h * t->w; i++) put(chroma, t->h * t->w, i, t->constant);
}

static void predict_luma(const struct tables *t, const uint8_t *rgb, float *chroma) {
    const size_t plane = t->h * t->w;
    for (size_t i = 0; i < plane; i++) {
        double yuv[3];
        color_bytes_to_yuv(rgb + i, plane, yuv);
        put(chroma, plane, i, t->luma[bin_of(yuv[0])]);
    }
}

static void predict_place(const struct tables *t, const uint8_t *rgb, float *chroma) {
    const size_t plane = t->h * t->w;
    for (size_t i = 0; i < plane; i++) {
        double yuv[3];
        color_bytes_to_yuv(rgb + i, plane, yuv);
        const size_t bin = bin_of(yuv[0]);
        const struct cell luma = t->luma[bin], *rest = place_of(t, bin, i);
        put(chroma, plane, i, (struct cell){luma.u + rest->u, luma.v + rest->v});
    }
}

/* Every block of bh x bw (smaller at the far edges) gets its own true mean. */
static void predict_blocks(const struct tables *t, const uint8_t *rgb, size_t bh, size_t bw, float *chroma) {
    const size_t plane = t->h * t->w;
    for (size_t y0 = 0; y0 < t->h; y0 += bh)
        for (size_t x0 = 0; x0 < t->w; x0 += bw) {
            const size_t y1 = y0 + bh < t->h ? y0 + bh : t->h, x1 = x0 + bw < t->w ? x0 + bw : t->w;
            const double n = (double)((y1 - y0) * (x1 - x0));
            struct cell mean = {0, 0};
            for (size_t y = y0; y < y1; y++)
                for (size_t x = x0; x < x1; x++) {
                    double yuv[3];
                    color_bytes_to_yuv(rgb + y * t->w + x, plane, yuv);
                    mean.u += yuv[1] / n, mean.v += yuv[2] / n;
                }
            for (size_t y = y0; y < y1; y++)
                for (size_t x = x0; x < x1; x++) put(chroma, plane, y * t->w + x, mean);
        }
}

static void predict_picture_mean(const struct tables *t, const uint8_t *rgb, float *chroma) {
    predict_blocks(t, rgb, t->h, t->w, chroma);
}

static void predict_block_means(const struct tables *t, const uint8_t *rgb, float *chroma) {
    predict_blocks(t, rgb, BLOCK, BLOCK, chroma);
}

static const struct {
    const char *name;
    void (*predict)(const struct tables *tables, const uint8_t *rgb, float *chroma);
} predictors[] = {
    {"grey copy", predict_grey},
    {"constant", predict_constant},
    {"table by luminance", predict_luma},
    {"table by luminance and place", predict_place},
    {"oracle: one color a picture", predict_picture_mean},
    {"oracle: UV of 8x8 blocks", predict_block_means},
};
enum { MOST = sizeof predictors / sizeof *predictors };

/* --- Measuring ------------------------------------------------------------------------------------ */

struct work {
    const struct pictures *pictures;
    struct tables tables;
    size_t predictor;
    struct color_error *errors; /* [n] */
    float *chroma;              /* a picture a thread */
    double *scratch;            /* likewise */
};

static void measure_one(void *cookie, size_t i, int worker) {
    const struct work *work = cookie;
    const struct pictures *p = work->pictures;
    const uint8_t *truth = pictures_at(p, i);
    float *chroma = work->chroma + (size_t)worker * 2 * p->h * p->w;
    predictors[work->predictor].predict(&work->tables, truth, chroma);
    color_metrics_picture(truth, chroma, p->h, p->w,
                          work->scratch + (size_t)worker * color_metrics_scratch(p->h, p->w),
                          &work->errors[i]);
}

static int open_work(struct work *work, const struct pictures *train, int threads, struct caelum_error *err) {
    const struct pictures *p = work->pictures;
    work->tables.h = p->h, work->tables.w = p->w;
    CHECK(mem_alloc(&work->tables.place, BANDS * p->h * p->w, sizeof *work->tables.place, err));
    CHECK(mem_alloc(&work->errors, p->n, sizeof *work->errors, err));
    CHECK(mem_alloc(&work->chroma, (size_t)threads * 2 * p->h * p->w, sizeof *work->chroma, err));
    CHECK(mem_alloc(&work->scratch, (size_t)threads * color_metrics_scratch(p->h, p->w),
                    sizeof *work->scratch, err));
    fit_luma(&work->tables, train);
    return fit_place(&work->tables, train, err);
}

int color_baselines_measure(const struct pictures *train, const struct pictures *target, size_t n,
                            caelum_progress progress, void *cookie, struct caelum_color_baseline *list,
                            struct caelum_error *err) {
    const int threads = parallel_default_threads();
    struct work work = {.pictures = target};
    int result = open_work(&work, train, threads, err);
    for (size_t i = 0; result == 0 && i < n; i++) {
        if (progress && progress(cookie, "measuring simple colorizers", i, n) != 0) {
            result = caelum_fail(err, CAELUM_ESTOPPED, "stopped while simple colorizers were measured");
            break;
        }
        work.predictor = i;
        parallel_for(threads, target->n, measure_one, &work);
        snprintf(list[i].name, sizeof list[i].name, "%s", predictors[i].name);
        color_metrics_total(work.errors, target->n, target->h, target->w, &list[i].metrics);
    }
    if (result == 0 && progress) progress(cookie, "measuring simple colorizers", n, n);
    mem_free(&work.tables.place);
    mem_free(&work.errors);
    mem_free(&work.chroma);
    mem_free(&work.scratch);
    return result;
}

int caelum_color_baselines(const caelum_data *data, const struct caelum_eval_settings *settings,
                           struct caelum_color_baseline *list, size_t *count, struct caelum_error *err) {
    const struct caelum_eval_settings s = settings ? *settings : caelum_eval_defaults();
    const struct pictures train = data_pictures(data, CAELUM_TRAIN), target = data_pictures(data, s.split);
    const size_t n = *count < MOST ? *count : MOST;
    struct caelum_color_baseline found[MOST] = {0};
    struct figure_cache cache;
    bool known = true;
    int result = CAELUM_OK;
    CHECK(figure_cache_open(&cache, data, s.split, "colorizers", CAELUM_COLORIZE, err));
    for (size_t i = 0; i < n; i++) {
        snprintf(found[i].name, sizeof found[i].name, "%s", predictors[i].name);
        known = known && figure_cache_find(&cache, found[i].name, &found[i].metrics);
    }
    if (!known) result = color_baselines_measure(&train, &target, n, s.progress, s.cookie, found, err);
    for (size_t i = 0; result == 0 && !known && i < n; i++)
        figure_cache_add(&cache, found[i].name, &found[i].metrics);
    figure_cache_close(&cache);
    if (result != 0) return result;
    *count = n;
    memcpy(list, found, n * sizeof *list);
    return CAELUM_OK;
}
