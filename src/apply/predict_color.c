/* predict_color.c - luminance and random hints through a colorizer's network. */
#include "apply/predict_color.h"

#include "base/color.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/parallel.h"

int colorizer_gain_check(double vivid, struct caelum_error *err) {
    if (vivid >= 0 && vivid <= 1) return CAELUM_OK;
    return caelum_fail(err, CAELUM_EUSAGE, "vivid: expected 0 to 1, got %g", vivid);
}

double colorizer_gain(const struct caelum_model *model, double vivid) {
    static const double usual = 2, most = 10;
    const char *text = caelum_model_metadata(model, COLORIZER_GAIN_KEY);
    double gain;
    if (!number_real(text, &gain) || !(gain >= 1 && gain <= most)) gain = usual;
    return 1 + vivid * (gain - 1);
}

int predict_color_check(const struct caelum_net *net, const struct pictures *p, struct caelum_error *err) {
    const struct shape in = net->input, out = net->layer[net->layers - 1].out;
    if (caelum_net_task(net) != CAELUM_COLORIZE || out.c != 2 || out.h != in.h || out.w != in.w)
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

struct work {
    const struct predict_color *job;
    float *input; /* [n][4][h][w], where there are hints */
};

static size_t plane_of(const struct work *w) {
    return w->job->pictures->h * w->job->pictures->w;
}

static const uint8_t *give(void *cookie, size_t i, int worker) {
    const struct work *w = cookie;
    (void)worker;
    return pictures_at(w->job->pictures, w->job->first + i);
}

/* Luminance and hints. */
static void hint(void *cookie, size_t i, int worker) {
    const struct work *w = cookie;
    const size_t plane = plane_of(w), at = w->job->first + i;
    const uint8_t *picture = pictures_at(w->job->pictures, at);
    float *input = w->input + i * 4 * plane;
    struct rng rng = rng_make(w->job->seed, RNG_HINTS, (uint32_t)at);
    (void)worker;
    for (size_t left = w->job->hints; left > 0;) {
        float *mask = input + 3 * plane + rng_below(&rng, (uint32_t)plane);
        left -= *mask == 0;
        *mask = 1;
    }
    for (size_t p = 0; p < plane; p++) {
        double yuv[3];
        color_bytes_to_yuv(picture + p, plane, yuv);
        input[p] = (float)yuv[0];
        for (size_t c = 1; c < 3; c++) input[c * plane + p] = input[3 * plane + p] * (float)yuv[c];
    }
}

int predict_color(struct engine *engine, const struct predict_color *job, float *uv,
                  struct caelum_error *err) {
    struct work work = {.job = job};
    const size_t plane = plane_of(&work);
    if (job->hints > 0 && (!task_takes_hints(CAELUM_COLORIZE, engine->net) || job->hints > plane))
        return caelum_fail(err, CAELUM_EUSAGE,
                           "%zu hints: expected at most %zu, and a model that takes hints (4 input channels)",
                           job->hints, plane);
    if (job->hints > 0) {
        CHECK(mem_alloc(&work.input, job->n, 4 * plane * sizeof(float), err));
        parallel_for(engine->settings.threads, job->n, hint, &work);
    }
    const struct engine_job run = {.n = job->n, .in = work.input, .input = give, .out = uv, .cookie = &work};
    const int result = engine_run(engine, &run, err);
    for (size_t v = 0; result == 0 && v < job->n * 2 * plane; v++) uv[v] *= job->gain;
    mem_free(&work.input);
    return result;
}
