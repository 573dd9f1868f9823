/* eval.c - a model measured over a split. */
#include "base/mem.h"
#include "data/data.h"
#include "metrics/metrics.h"
#include "model/pool.h"

#include <string.h>

struct evaluation {
    struct pictures pictures;
    struct picture_error *errors;
    double *scratch; /* one part a thread */
};

static const uint8_t *give(void *cookie, size_t i, int worker) {
    const struct evaluation *e = cookie;
    (void)worker;
    return pictures_at(&e->pictures, i);
}

static void take(void *cookie, size_t i, const float *values, int worker) {
    const struct evaluation *e = cookie;
    const struct pictures *p = &e->pictures;
    metrics_picture(pictures_at(p, i), values, p->c, p->h, p->w,
                    e->scratch + (size_t)worker * metrics_scratch(p->h, p->w), &e->errors[i]);
}

static int check_fit(const struct caelum_net *net, const struct pictures *p, struct caelum_error *err) {
    const struct shape in = net->input, out = net->layer[net->layers - 1].out;
    if (in.c != p->c || in.h != p->h || in.w != p->w)
        return caelum_fail(err, CAELUM_EFORMAT,
                           "the model takes pictures of %zux%zux%zu, the data has %zux%zux%zu", in.c, in.h,
                           in.w, p->c, p->h, p->w);
    if (out.c != in.c || out.h != in.h || out.w != in.w)
        return caelum_fail(err, CAELUM_EFORMAT,
                           "the model's output is %zux%zux%zu: it does not reconstruct its input", out.c,
                           out.h, out.w);
    return CAELUM_OK;
}

struct caelum_eval_settings caelum_eval_defaults(void) {
    return (struct caelum_eval_settings){.split = CAELUM_TEST, .seed = 1};
}

int caelum_eval(const caelum_model *model, const caelum_data *data,
                const struct caelum_eval_settings *settings, struct caelum_metrics *metrics,
                struct caelum_error *err) {
    const struct caelum_eval_settings s = settings ? *settings : caelum_eval_defaults();
    struct evaluation e = {.pictures = data_pictures(data, s.split)};
    const struct pictures *p = &e.pictures;
    struct pooled *pooled = NULL;
    CHECK(check_fit(model->net, p, err));
    if (s.progress && s.progress(s.cookie, "evaluating", 0, p->n) != 0)
        return caelum_fail(err, CAELUM_ESTOPPED, "stopped before the evaluation");
    int result = pool_take(&pooled, model, model->net->layers, s.threads, err);
    if (result == 0) result = mem_alloc(&e.errors, p->n, sizeof *e.errors, err);
    if (result == 0)
        result = mem_alloc(&e.scratch, (size_t)pooled->threads * metrics_scratch(p->h, p->w),
                           sizeof *e.scratch, err);
    const char *task = caelum_model_metadata(model, "task");
    if (result == 0) pooled->engine.noise = task && strcmp(task, "denoise") == 0;
    const struct engine_job job = {.n = p->n, .input = give, .output = take, .cookie = &e};
    if (result == 0) result = engine_run(&pooled->engine, &job, err);
    if (result == 0) metrics_total(e.errors, p->n, p->c, p->h, p->w, metrics);
    if (result == 0 && s.progress) s.progress(s.cookie, "evaluating", p->n, p->n);
    mem_free(&e.errors);
    mem_free(&e.scratch);
    pool_give(&pooled);
    return result;
}
