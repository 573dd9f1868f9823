/* color_baselines.c - chroma from next to nothing: none at all, one constant, a table by luminance, a table
 * by luminance and place; and two oracles, which know the truth's mean chroma in a picture or in blocks of
 * it. They are what a trained colorizer has to beat, and what chroma of a coarser grain would reach. */
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

/* In the order in which they are measured. */
enum predictor { NONE, CONSTANT, LUMA, PLACE, PICTURE_MEAN, BLOCK_MEANS, MOST };
static const char *const names[MOST] = {
    "grey copy",
    "constant",
    "table by luminance",
    "table by luminance and place",
    "oracle: one color a picture",
    "oracle: UV of 8x8 blocks",
};

/* --- Fitting -------------------------------------------------------------------------------------- */

static size_t bin_of(double y) {
    return (size_t)(y * 255 + 0.5);
}

static struct cell *place_of(const struct tables *t, size_t bin, size_t i) {
    return &t->place[bin * BANDS / BINS * t->h * t->w + i];
}

/* Makes means of n cells that hold sums over count[n] pixels, drawn towards `known`. */
static void take_means(struct cell *cell, const double *count, size_t n, struct cell known) {
    for (size_t i = 0; i < n; i++) {
        cell[i].u = (cell[i].u + prior * known.u) / (count[i] + prior);
        cell[i].v = (cell[i].v + prior * known.v) / (count[i] + prior);
    }
}

/* Adds up all chroma by luminance or, of what that table leaves over, by place and wider bands of luminance;
 * count: zeroed, of pixels in each cell. */
static void add_up(struct tables *t, const struct pictures *train, bool by_place, double *count) {
    const size_t plane = train->h * train->w;
    for (size_t p = 0; p < train->n; p++)
        for (size_t i = 0; i < plane; i++) {
            double yuv[3];
            color_bytes_to_yuv(pictures_at(train, p) + i, plane, yuv);
            struct cell *luma = &t->luma[bin_of(yuv[0])], *cell = luma;
            if (by_place) {
                cell = place_of(t, bin_of(yuv[0]), i);
                yuv[1] -= luma->u, yuv[2] -= luma->v;
            }
            cell->u += yuv[1], cell->v += yuv[2];
            count[by_place ? cell - t->place : cell - t->luma]++;
        }
}

static int fit(struct tables *t, const struct pictures *train, struct caelum_error *err) {
    const size_t plane = train->h * train->w;
    const double pixels = (double)(train->n * plane);
    double luma[BINS] = {0}, *place = NULL;
    CHECK(mem_alloc(&place, BANDS * plane, sizeof *place, err));
    add_up(t, train, false, luma);
    for (size_t b = 0; b < BINS; b++) t->constant.u += t->luma[b].u, t->constant.v += t->luma[b].v;
    t->constant.u /= pixels, t->constant.v /= pixels;
    take_means(t->luma, luma, BINS, t->constant);
    add_up(t, train, true, place);
    take_means(t->place, place, BANDS * plane, (struct cell){0, 0});
    mem_free(&place);
    return CAELUM_OK;
}

/* --- Predicting: chroma [2][h][w] of one picture [3][h][w] ------------------------------------------ */

static void put(float *chroma, size_t plane, size_t i, struct cell c) {
    chroma[i] = (float)c.u, chroma[plane + i] = (float)c.v;
}

/* By what is known of pixel i, with luminance y, in general. */
static struct cell look_up(const struct tables *t, enum predictor by, size_t i, double y) {
    const struct cell *rest = place_of(t, bin_of(y), i);
    struct cell cell = {0, 0};
    if (by == CONSTANT) cell = t->constant;
    if (by == LUMA || by == PLACE) cell = t->luma[bin_of(y)];
    if (by == PLACE) cell.u += rest->u, cell.v += rest->v;
    return cell;
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

static void predict(const struct tables *t, enum predictor by, const uint8_t *rgb, float *chroma) {
    const size_t plane = t->h * t->w;
    if (by == PICTURE_MEAN) predict_blocks(t, rgb, t->h, t->w, chroma);
    if (by == BLOCK_MEANS) predict_blocks(t, rgb, BLOCK, BLOCK, chroma);
    for (size_t i = 0; by < PICTURE_MEAN && i < plane; i++) {
        double yuv[3];
        color_bytes_to_yuv(rgb + i, plane, yuv);
        put(chroma, plane, i, look_up(t, by, i, yuv[0]));
    }
}

/* --- Measuring ------------------------------------------------------------------------------------ */

struct work {
    struct pictures train, target;
    struct figure_cache cache;
    struct mem_group memory;
    int threads;
    struct tables tables;
    enum predictor predictor;
    struct color_error *errors; /* [n]; NULL: nothing is fitted yet */
    float *chroma;              /* a picture a thread */
    double *scratch;            /* likewise */
};

static void measure_one(void *cookie, size_t i, int worker) {
    const struct work *w = cookie;
    const struct pictures *p = &w->target;
    const uint8_t *truth = pictures_at(p, i);
    float *chroma = w->chroma + (size_t)worker * 2 * p->h * p->w;
    predict(&w->tables, w->predictor, truth, chroma);
    color_metrics_picture(truth, chroma, p->h, p->w,
                          w->scratch + (size_t)worker * color_metrics_scratch(p->h, p->w), &w->errors[i]);
}

static int open_work(struct work *w, struct caelum_error *err) {
    const struct pictures *p = &w->target;
    const size_t plane = p->h * p->w;
    w->threads = parallel_default_threads();
    w->tables.h = p->h, w->tables.w = p->w;
    CHECK(mem_take(&w->memory, &w->tables.place, BANDS * plane, sizeof *w->tables.place, err));
    CHECK(mem_take(&w->memory, &w->chroma, (size_t)w->threads * 2 * plane, sizeof *w->chroma, err));
    CHECK(mem_take(&w->memory, &w->scratch, (size_t)w->threads * color_metrics_scratch(p->h, p->w),
                   sizeof *w->scratch, err));
    CHECK(mem_take(&w->memory, &w->errors, p->n, sizeof *w->errors, err));
    return fit(&w->tables, &w->train, err);
}

static int measure_all(struct work *w, const struct caelum_eval_settings *s,
                       struct caelum_color_baseline *list, size_t n, struct caelum_error *err) {
    static const char doing[] = "measuring simple colorizers";
    const struct pictures *p = &w->target;
    for (size_t i = 0; i < n; i++) {
        list[i] = (struct caelum_color_baseline){0};
        snprintf(list[i].name, sizeof list[i].name, "%s", names[i]);
        if (figure_cache_find(&w->cache, names[i], &list[i].metrics)) continue;
        if (s->progress && s->progress(s->cookie, doing, i, n) != 0)
            return caelum_fail(err, CAELUM_ESTOPPED, "stopped while simple colorizers were measured");
        if (!w->errors) CHECK(open_work(w, err));
        w->predictor = (enum predictor)i;
        parallel_for(w->threads, p->n, measure_one, w);
        color_metrics_total(w->errors, p->n, p->h, p->w, &list[i].metrics);
        figure_cache_add(&w->cache, names[i], &list[i].metrics);
        if (s->progress) s->progress(s->cookie, doing, i + 1, n);
    }
    return CAELUM_OK;
}

int caelum_color_baselines(const caelum_data *data, const struct caelum_eval_settings *settings,
                           struct caelum_color_baseline *list, size_t *count, struct caelum_error *err) {
    const struct caelum_eval_settings s = settings ? *settings : caelum_eval_defaults();
    struct work w = {.train = data_pictures(data, CAELUM_TRAIN), .target = data_pictures(data, s.split)};
    const size_t n = *count < MOST ? *count : MOST;
    if (w.target.c != 3)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: grey pictures have no colors", data->source);
    CHECK(figure_cache_open(&w.cache, data, s.split, "colorizers", CAELUM_COLORIZE, err));
    const int result = measure_all(&w, &s, list, n, err);
    figure_cache_close(&w.cache);
    mem_end(&w.memory);
    if (result == 0) *count = n;
    return result;
}
