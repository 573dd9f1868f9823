/* sham.c - a layer of the tests alone: y = TIMES gain[c] x + bias[c]. It is this file and one line of a list
 * of layers; the tests that are built with that list show that nothing more is needed. */
#include "layers/layer.h"
#include "layers/onnx.h"

struct sham {
    size_t times;
};

static const struct attribute attributes[] = {ATTRIBUTE_KEY("times", struct sham, times, 1, 9, 1), {0}};

static int tensor(const void *state, struct shape in, size_t i, struct layer_tensor *t) {
    (void)state;
    if (i >= 2) return 0;
    *t = (struct layer_tensor){i == 0 ? "gain" : "bias", 1, {in.c, 0, 0, 0}};
    return 1;
}

static void init(const void *state, struct shape in, struct rng *rng, float *params) {
    (void)state, (void)rng;
    for (size_t c = 0; c < in.c; c++) params[c] = 1, params[in.c + c] = 0;
}

static void forward(const struct layer_io *io) {
    const struct sham *s = io->state;
    for (size_t c = 0; c < io->x.c; c++)
        for (size_t i = 0; i < io->x.h; i++) {
            const float *x = tensor_at(&io->x, c, (ptrdiff_t)i, 0);
            float *y = tensor_at(&io->y, c, (ptrdiff_t)i, 0);
            for (size_t j = 0; j < io->x.w * io->x.step; j++)
                y[j] = (float)s->times * io->params[c] * x[j] + io->params[io->x.c + c];
        }
}

static void backward(const struct layer_io *io) {
    const struct sham *s = io->state;
    const size_t channels = io->x.c, live = io->x.step - io->x.idle;
    for (size_t c = 0; c < channels; c++)
        for (size_t i = 0; i < io->x.h; i++)
            for (size_t j = 0; j < io->x.w; j++) {
                const float *x = tensor_at(&io->x, c, (ptrdiff_t)i, (ptrdiff_t)j);
                const float *dy = tensor_at(&io->dy, c, (ptrdiff_t)i, (ptrdiff_t)j);
                float *dx = io->dx.data ? tensor_at(&io->dx, c, (ptrdiff_t)i, (ptrdiff_t)j) : NULL;
                for (size_t lane = 0; lane < live; lane++) {
                    float *grads = io->grads + lane / SUM_LANES * io->next;
                    grads[c] += (float)s->times * dy[lane] * x[lane];
                    grads[channels + c] += dy[lane];
                }
                for (size_t lane = 0; dx && lane < io->x.step; lane++)
                    dx[lane] = lane < live ? (float)s->times * io->params[c] * dy[lane] : 0;
            }
}

static void onnx(const void *state, struct shape in, struct onnx_graph *graph) {
    const struct sham *s = state;
    const char *shape = onnx_shape(graph, "shape", 3, (int64_t[]){(int64_t)in.c, 1, 1});
    const char *x = graph->value,
               *gain = onnx_node(graph, "Reshape", "gain", onnx_param(graph, "gain"), shape);
    const char *bias = onnx_node(graph, "Reshape", "bias", onnx_param(graph, "bias"), shape);
    onnx_node(graph, "Mul", "scaled", x, gain);
    onnx_node(graph, "Mul", "times", graph->value, onnx_scalar(graph, "factor", (float)s->times));
    onnx_node(graph, "Add", NULL, graph->value, bias);
}

static const char *const examples[] = {"sham", "sham times=3", NULL};

static const struct step_ops step = {
    .name = "sham",
    .forward = forward,
    .backward = backward,
};

const struct layer_ops layer_sham = {
    .name = "sham",
    .attributes = attributes,
    .examples = examples,
    .state_size = sizeof(struct sham),
    .tensor = tensor,
    .init = init,
    .onnx = onnx,
    .step = &step,
};
