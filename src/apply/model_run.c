/* model_run.c - arrays through a model, up to any of its layers. */
#include "model/pool.h"

#include <string.h>

struct arrays {
    const float *in;
    float *out;
    size_t in_size, out_size; /* of one picture */
};

static const float *give(void *cookie, size_t i, int worker) {
    const struct arrays *a = cookie;
    (void)worker;
    return a->in + i * a->in_size;
}

static void take(void *cookie, size_t i, const float *values, int worker) {
    const struct arrays *a = cookie;
    (void)worker;
    memcpy(a->out + i * a->out_size, values, a->out_size * sizeof *values);
}

int caelum_model_run(const caelum_model *model, size_t layer, const float *in, size_t count, int threads,
                     float *out, struct caelum_error *err) {
    const struct caelum_net *net = model->net;
    struct arrays arrays = {in, out, shape_values(net->input), 0};
    if (layer > net->layers)
        return caelum_fail(err, CAELUM_EUSAGE, "the network has no layer %zu, its last is %zu", layer,
                           net->layers);
    if (layer == 0) {
        memcpy(out, in, count * arrays.in_size * sizeof *in);
        return CAELUM_OK;
    }
    struct pooled *pooled = NULL;
    const struct engine_job job = {.n = count, .values = give, .output = take, .cookie = &arrays};
    arrays.out_size = shape_values(net->layer[layer - 1].out);
    CHECK(pool_take(&pooled, model, layer, threads, err));
    const int result = engine_run(&pooled->engine, &job, err);
    pool_give(&pooled);
    return result;
}
