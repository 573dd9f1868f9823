/* model_run.c - arrays through a model, up to any of its layers. */
#include "api/runner.h"
#include "base/mem.h"

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

/* The network's first `layers` layers. Their parameters are the first of the whole network's. */
static int cut(struct caelum_net **part, const struct caelum_net *net, size_t layers,
               struct caelum_error *err) {
    char *text = NULL;
    CHECK(mem_strdup(&text, net->text, err));
    char *end = text;
    for (size_t line = 0; line < net->layer[layers - 1].line; line++) end += strcspn(end, "\n") + (*end != 0);
    *end = '\0';
    const int result = caelum_net_parse(part, text, net->file, net->input.h, net->input.w, err);
    mem_free(&text);
    return result;
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
    struct caelum_net *part = NULL;
    struct runner runner = {0};
    if (layer < net->layers) CHECK(cut(&part, net, layer, err));
    const struct runner_job job = {.n = count, .values = give, .output = take, .cookie = &arrays};
    arrays.out_size = shape_values(net->layer[layer - 1].out);
    int result = runner_open(&runner, part ? part : net, model->params, threads, err);
    if (result == 0) result = runner_run(&runner, &job, err);
    runner_close(&runner);
    caelum_net_close(&part);
    return result;
}
