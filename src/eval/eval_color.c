/* eval_color.c - a colorizer measured over a split. */
#include "apply/model_sheet.h"
#include "apply/predict_color.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/parallel.h"
#include "data/data.h"
#include "metrics/color_metrics.h"

#include <stdlib.h>

enum { ROUND = 2048 }; /* pictures whose chroma is kept at a time */

struct evaluation {
    struct pictures pictures;
    struct pooled *pooled;
    size_t first;               /* picture of this round */
    float *uv;                  /* [ROUND][2][h][w] */
    struct color_error *errors; /* [pictures.n] */
    double *scratch;            /* one part a thread */
};

static int evaluation_open(struct evaluation *e, const caelum_model *model, const caelum_data *data,
                           enum caelum_split split, int threads, struct caelum_error *err) {
    e->pictures = data_pictures(data, split);
    const struct pictures *p = &e->pictures;
    CHECK(predict_color_check(model->net, p, err));
    CHECK(pool_take(&e->pooled, model, model->net->layers, threads, err));
    CHECK(mem_alloc(&e->uv, ROUND, 2 * p->h * p->w * sizeof *e->uv, err));
    CHECK(mem_alloc(&e->errors, p->n, sizeof *e->errors, err));
    return mem_alloc(&e->scratch, (size_t)e->pooled->threads * color_metrics_scratch(p->h, p->w),
                     sizeof *e->scratch, err);
}

static void evaluation_close(struct evaluation *e) {
    mem_free(&e->uv);
    mem_free(&e->errors);
    mem_free(&e->scratch);
    pool_give(&e->pooled);
}

static void measure_one(void *cookie, size_t i, int worker) {
    const struct evaluation *e = cookie;
    const struct pictures *p = &e->pictures;
    color_metrics_picture(pictures_at(p, e->first + i), e->uv + i * 2 * p->h * p->w, p->h, p->w,
                          e->scratch + (size_t)worker * color_metrics_scratch(p->h, p->w),
                          &e->errors[e->first + i]);
}

/* All pictures, round by round. */
static int evaluate(struct evaluation *e, double gain, const struct caelum_eval_settings *s,
                    struct caelum_color_metrics *metrics, struct caelum_error *err) {
    const struct pictures *p = &e->pictures;
    for (e->first = 0; e->first < p->n; e->first += ROUND) {
        if (s->progress && s->progress(s->cookie, "evaluating", e->first, p->n) != 0)
            return caelum_fail(err, CAELUM_ESTOPPED, "stopped during the evaluation");
        const struct predict_color job = {.pictures = p,
                                          .first = e->first,
                                          .n = p->n - e->first < ROUND ? p->n - e->first : ROUND,
                                          .hints = s->hints,
                                          .seed = s->seed,
                                          .gain = (float)gain};
        CHECK(predict_color(&e->pooled->engine, &job, e->uv, err));
        parallel_for(e->pooled->threads, job.n, measure_one, e);
    }
    if (s->progress) s->progress(s->cookie, "evaluating", p->n, p->n);
    color_metrics_total(e->errors, p->n, p->h, p->w, metrics);
    return CAELUM_OK;
}

/* --- Sheets --------------------------------------------------------------------------------------- */

enum { CHOSEN = 20, EXTREMES = 10 };

struct gain {
    double by; /* how much nearer to the truth than grey */
    uint32_t picture;
};

static int by_gain(const void *a, const void *b) {
    const struct gain *x = a, *y = b;
    if (x->by != y->by) return x->by > y->by ? -1 : 1;
    return x->picture < y->picture ? -1 : x->picture > y->picture;
}

/* A sheet of the n pictures that are numbers `which` of the split. */
static int write_some(const struct evaluation *e, const caelum_model *model, const uint32_t *which, size_t n,
                      const char *dir, const char *name, const char *title, struct caelum_error *err) {
    uint32_t index[CHOSEN];
    char path[PATH_SIZE];
    struct pictures some = e->pictures;
    for (size_t i = 0; i < n; i++) index[i] = e->pictures.index[which[i]];
    some.index = index;
    some.n = n;
    CHECK(file_join(path, sizeof path, dir, name, err));
    return model_sheet_color(model, &some, title, path, err);
}

static int write_sheets(const struct evaluation *e, const caelum_model *model,
                        const struct caelum_eval_settings *s, struct caelum_error *err) {
    const size_t n = e->pictures.n, few = n < EXTREMES ? n : EXTREMES, many = n < CHOSEN ? n : CHOSEN;
    struct rng rng = rng_make(s->seed, RNG_SAMPLES, 0);
    struct gain *gains = NULL;
    uint32_t *order = NULL, which[EXTREMES] = {0};
    CHECK(file_make_directory(s->sheets, err));
    int result = mem_alloc(&gains, n, sizeof *gains, err);
    if (result == 0) result = mem_alloc(&order, n, sizeof *order, err);
    for (size_t i = 0; result == 0 && i < n; i++) {
        gains[i] = (struct gain){e->errors[i].chroma_grey - e->errors[i].chroma, (uint32_t)i};
        order[i] = (uint32_t)i;
    }
    if (result == 0) {
        rng_shuffle(&rng, order, n);
        qsort(gains, n, sizeof *gains, by_gain);
        result = write_some(e, model, order, many, s->sheets, "chosen.png", "Chosen by chance", err);
    }
    for (size_t i = 0; result == 0 && i < few; i++) which[i] = gains[i].picture;
    if (result == 0)
        result = write_some(e, model, which, few, s->sheets, "best.png", "Where color gains most", err);
    for (size_t i = 0; result == 0 && i < few; i++) which[i] = gains[n - 1 - i].picture;
    if (result == 0)
        result = write_some(e, model, which, few, s->sheets, "worst.png", "Where color loses most", err);
    mem_free(&gains);
    mem_free(&order);
    return result;
}

/* --- The public calls ----------------------------------------------------------------------------- */

int caelum_eval_color(const caelum_model *model, const caelum_data *data,
                      const struct caelum_eval_settings *settings, struct caelum_color_metrics *metrics,
                      struct caelum_error *err) {
    const struct caelum_eval_settings s = settings ? *settings : caelum_eval_defaults();
    struct evaluation e = {0};
    struct caelum_color_metrics m;
    CHECK(colorizer_gain_check(s.vivid, err));
    int result = evaluation_open(&e, model, data, s.split, s.threads, err);
    if (result == 0) result = evaluate(&e, colorizer_gain(model, s.vivid), &s, &m, err);
    if (result == 0 && s.sheets) result = write_sheets(&e, model, &s, err);
    evaluation_close(&e);
    if (result == 0) *metrics = m;
    return result;
}

/* Whether chroma is too much at that gain: more colorful than the truth, or further from it than grey is. */
static bool is_too_vivid(const struct caelum_color_metrics *m) {
    return m->colorfulness > m->colorfulness_truth || m->r2 < 0;
}

int caelum_color_calibrate(caelum_model *model, const caelum_data *data,
                           const struct caelum_eval_settings *settings, struct caelum_error *err) {
    enum { HALVINGS = 6 };
    struct evaluation e = {0};
    struct caelum_eval_settings unaided = settings ? *settings : caelum_eval_defaults();
    double low = 1, high = 5;
    char text[32];
    unaided.hints = 0;
    int result = evaluation_open(&e, model, data, CAELUM_VALIDATION, unaided.threads, err);
    for (int i = 0; result == 0 && i < HALVINGS; i++) {
        struct caelum_color_metrics m;
        const double middle = (low + high) / 2;
        result = evaluate(&e, middle, &unaided, &m, err);
        if (result == 0) *(is_too_vivid(&m) ? &high : &low) = middle;
    }
    evaluation_close(&e);
    if (result != 0) return result;
    number_print(text, sizeof text, "%.2f", low);
    return caelum_model_set_metadata(model, COLORIZER_GAIN_KEY, text, err);
}

bool caelum_color_learned(const struct caelum_color_metrics *m, const struct caelum_color_metrics *grey) {
    return m->colorfulness >= 5 && m->r2 >= 0.05 && m->psnr - grey->psnr >= 0.3;
}
