/* prelu.c - a ReLU that lets a share of what is below zero pass, one for each channel, and learns it:
 *
 *   y = x for x > 0, else weight[c] x
 *
 * (He et al. 2015, arXiv 1502.01852). It starts at 1/4, as there. */
#include "layers/lanes.h"
#include "layers/onnx.h"

static int tensor(const void *state, struct shape in, size_t i, struct layer_tensor *t) {
    (void)state;
    *t = (struct layer_tensor){"weight", 3, {in.c, 1, 1, 0}};
    return i < 1;
}

static void init(const void *state, struct shape in, struct rng *rng, float *params) {
    (void)state, (void)rng;
    for (size_t c = 0; c < in.c; c++) params[c] = 0.25f;
}

static void forward(const struct layer_io *io) {
    const struct tensor *x = &io->x, *y = &io->y;
    for (size_t c = 0; c < x->c; c++)
        for (size_t i = 0; i < x->h; i++) {
            const float *from = tensor_at(x, c, (ptrdiff_t)i, 0), share = io->params[c];
            float *to = tensor_at(y, c, (ptrdiff_t)i, 0);
            for (size_t j = 0; j < x->w * x->step; j++) to[j] = from[j] > 0 ? from[j] : share * from[j];
        }
}

static void backward(const struct layer_io *io) {
    const struct tensor *x = &io->x, *dy = &io->dy;
    const size_t lanes = x->step;
    for (size_t c = 0; c < x->c; c++) {
        float sums[MOST_LANES] = {0};
        const float share = io->params[c];
        for (size_t i = 0; i < x->h; i++) {
            const float *at = tensor_at(x, c, (ptrdiff_t)i, 0), *d = tensor_at(dy, c, (ptrdiff_t)i, 0);
            float *dx = io->dx.data ? tensor_at(&io->dx, c, (ptrdiff_t)i, 0) : NULL;
            for (size_t j = 0; j < x->w; j++)
                for (size_t l = 0; l < lanes; l++)
                    sums[l] += at[j * lanes + l] > 0 ? 0 : d[j * lanes + l] * at[j * lanes + l];
            for (size_t j = 0; dx && j < x->w * lanes; j++) dx[j] = at[j] > 0 ? d[j] : share * d[j];
        }
        lanes_add(sums, lanes, io->dy.idle, io->grads + c, io->next);
    }
}

static void onnx(const void *state, struct shape in, struct onnx_graph *graph) {
    (void)state, (void)in;
    onnx_node(graph, "PRelu", NULL, graph->value, onnx_param(graph, "weight"));
}

static const char *const examples[] = {"prelu", NULL};

static const struct step_ops step = {
    .name = "prelu",
    .forward = forward,
    .backward = backward,
};

const struct layer_ops layer_prelu = {
    .name = "prelu",
    .examples = examples,
    .tensor = tensor,
    .init = init,
    .onnx = onnx,
    .step = &step,
};
