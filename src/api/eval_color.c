/* eval_color.c - a colorizer measured over a split, and the simple ones beside it. */
#include "api/baseline_file.h"
#include "api/runner.h"
#include "base/mem.h"
#include "data/data.h"
#include "report/color_baselines.h"
#include "train/color_metrics.h"

struct evaluation {
    struct pictures pictures;
    struct color_error *errors;
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
    color_metrics_picture(pictures_at(p, i), values, p->h, p->w,
                          e->scratch + (size_t)worker * color_metrics_scratch(p->h, p->w), &e->errors[i]);
}

static int check_fit(const struct caelum_net *net, const struct pictures *p, struct caelum_error *err) {
    const struct shape in = net->input, out = net->layer[net->layers - 1].out;
    if (task_of(net) != CAELUM_COLORIZE || out.c != 2 || out.h != in.h || out.w != in.w)
        return caelum_fail(err, CAELUM_EFORMAT,
                           "the model turns %zux%zux%zu into %zux%zux%zu: it is no colorizer, which takes 1 "
                           "or 4 channels and gives 2 of the same size",
                           in.c, in.h, in.w, out.c, out.h, out.w);
    if (p->c != 3 || in.h != p->h || in.w != p->w)
        return caelum_fail(err, CAELUM_EFORMAT,
                           "the model colorizes pictures of %zux%zu, the data has %zux%zux%zu", in.h, in.w,
                           p->c, p->h, p->w);
    return CAELUM_OK;
}

int caelum_eval_color(const caelum_model *model, const caelum_data *data, enum caelum_split split,
                      int threads, caelum_progress progress, void *cookie,
                      struct caelum_color_metrics *metrics, struct caelum_error *err) {
    struct evaluation e = {.pictures = data_pictures(data, split)};
    const struct pictures *p = &e.pictures;
    struct runner runner = {0};
    CHECK(check_fit(model->net, p, err));
    if (progress && progress(cookie, "evaluating", 0, p->n) != 0)
        return caelum_fail(err, CAELUM_ESTOPPED, "stopped before the evaluation");
    int result = runner_open(&runner, model->net, model->params, threads, err);
    if (result == 0) result = mem_alloc(&e.errors, p->n, sizeof *e.errors, err);
    if (result == 0)
        result = mem_alloc(&e.scratch, (size_t)runner.threads * color_metrics_scratch(p->h, p->w),
                           sizeof *e.scratch, err);
    const struct runner_job job = {.n = p->n, .input = give, .output = take, .cookie = &e};
    if (result == 0) result = runner_run(&runner, &job, err);
    if (result == 0) color_metrics_total(e.errors, p->n, p->h, p->w, metrics);
    if (result == 0 && progress) progress(cookie, "evaluating", p->n, p->n);
    mem_free(&e.errors);
    mem_free(&e.scratch);
    runner_close(&runner);
    return result;
}

int caelum_color_baselines(const caelum_data *data, enum caelum_split split, caelum_progress progress,
                           void *cookie, struct caelum_color_baseline *list, size_t capacity, size_t *count,
                           struct caelum_error *err) {
    const struct pictures train = data_pictures(data, CAELUM_TRAIN), target = data_pictures(data, split);
    char key[256], path[1024];
    CHECK(baseline_file(data, split, "colorizers", path, key, err));
    return color_baselines_measure(&train, &target, path, key, progress, cookie, list, capacity, count, err);
}

bool caelum_color_learned(const struct caelum_color_metrics *m, const struct caelum_color_metrics *grey) {
    return m->colorfulness >= 5 && m->r2 >= 0.05 && m->psnr - grey->psnr >= 0.3;
}
