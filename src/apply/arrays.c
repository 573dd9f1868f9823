/* arrays.c - arrays through a model, up to any of its layers. */
#include "base/mem.h"
#include "model/pool.h"

#include <string.h>

/* The engines themselves are kept with the model (pool.h): each run takes one that nobody works with. */
struct caelum_engine {
    const struct caelum_model *model;
    size_t layer;
    int threads;
};

static int check_layer(const struct caelum_model *model, size_t layer, struct caelum_error *err) {
    const size_t last = model->net->layers;
    if (layer <= last) return CAELUM_OK;
    return caelum_fail(err, CAELUM_EUSAGE, "the network has no layer %zu, its last is %zu", layer, last);
}

struct caelum_engine_settings caelum_engine_defaults(void) {
    return (struct caelum_engine_settings){0};
}

int caelum_engine_open(caelum_engine **out, const caelum_model *model,
                       const struct caelum_engine_settings *settings, struct caelum_error *err) {
    struct pooled *pooled = NULL;
    caelum_engine *e = NULL;
    const size_t layer = settings->layer > 0 ? settings->layer : model->net->layers;
    CHECK(check_layer(model, layer, err));
    CHECK(pool_take(&pooled, model, layer, settings->threads, err));
    pool_give(&pooled);
    CHECK(mem_alloc(&e, 1, sizeof *e, err));
    *e = (caelum_engine){model, layer, settings->threads};
    *out = e;
    return CAELUM_OK;
}

int caelum_engine_run(const caelum_engine *e, const float *in, size_t count, float *out,
                      struct caelum_error *err) {
    const struct engine_job job = {.n = count, .in = in, .out = out};
    if (e->layer > 0) return pool_run(e->model, e->layer, e->threads, &job, err);
    memcpy(out, in, count * shape_values(e->model->net->input) * sizeof *in);
    return CAELUM_OK;
}

void caelum_engine_close(caelum_engine **engine) {
    mem_free(engine);
}

int caelum_model_run(const caelum_model *model, size_t layer, const float *in, size_t count, float *out,
                     struct caelum_error *err) {
    CHECK(check_layer(model, layer, err));
    return caelum_engine_run(&(caelum_engine){model, layer, 0}, in, count, out, err);
}
