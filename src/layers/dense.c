/* dense.c - a fully connected layer: every output is a weighted sum of all values of the input, in the
 * order channel, row, column. It is a 1x1 convolution of one pixel with as many channels as there are
 * values, so the input is laid out that way first and kept for the backward pass. */
#include "layers/conv.h"
#include "layers/onnx.h"
#include "layers/reshape.h"
#include "layers/window.h"

struct dense {
    size_t n;
    size_t act;
};

static const struct attribute attributes[] = {
    ATTRIBUTE_COUNT("N", struct dense, n, "number of outputs", 1, 65536),
    ATTRIBUTE_WORD(struct dense, act, activation_words),
    {0}};

/* One pixel to one pixel. */
static const struct window one = {1, 1, 0, 0, 1, 1, 1, 1};

static int shape(const void *state, struct shape in, struct shape *out, struct layer_reach *reach,
                 struct caelum_error *err) {
    const size_t side = in.h > in.w ? in.h : in.w;
    (void)err;
    *out = (struct shape){((const struct dense *)state)->n, 1, 1};
    *reach = (struct layer_reach){side, side, 1};
    return CAELUM_OK;
}

static void sizes(const void *state, struct shape in, struct shape out, struct step_sizes *sizes) {
    const struct dense *s = state;
    const size_t values = shape_values(in);
    sizes->packed = 2 * s->n * values;
    sizes->saved = 2 * values + activation_saved(s->act, out);
    sizes->macs = s->n * values;
}

static int tensor(const void *state, struct shape in, size_t i, struct layer_tensor *t) {
    const struct dense *s = state;
    if (i == 0) *t = (struct layer_tensor){"weight", 2, {s->n, shape_values(in), 0, 0}};
    if (i == 1) *t = (struct layer_tensor){"bias", 1, {s->n, 0, 0, 0}};
    return i < 2;
}

static void init(const void *state, struct shape in, struct rng *rng, float *params) {
    const struct dense *s = state;
    const size_t values = shape_values(in);
    glorot_init(rng, s->n * values, values + s->n, s->n, params);
}

static void pack(const void *state, struct shape in, const float *params, float *packed) {
    const struct dense *s = state;
    const size_t values = shape_values(in);
    window_pack(&one, s->n, values, params, packed);
    window_pack_adjoint(&one, s->n, values, params, packed + s->n * values);
}

/* In `saved`: the input as one pixel, its gradient, and the linear part of the output. */
static struct tensor flat_input(const struct layer_io *io) {
    return reshape_flat(&io->x, io->saved);
}
static struct tensor flat_gradient(const struct layer_io *io) {
    return reshape_flat(&io->x, io->saved + io->x.c * io->x.h * io->x.w * io->x.step);
}
static struct tensor linear_part(const struct layer_io *io) {
    const struct dense *s = io->state;
    return activation_linear(s->act, &io->y, io->saved + 2 * io->x.c * io->x.h * io->x.w * io->x.step);
}

static void forward(const struct layer_io *io) {
    const struct dense *s = io->state;
    const struct tensor flat = flat_input(io), linear = linear_part(io);
    reshape_copy(&io->x, &flat);
    window_apply(&one, io->kernels, &flat, &linear, io->packed, io->params + s->n * flat.c,
                 s->act == ACT_relu);
    activation_forward(s->act, io, &linear);
}

static void backward(const struct layer_io *io) {
    const struct dense *s = io->state;
    const struct tensor flat = flat_input(io), linear = linear_part(io);
    activation_backward(s->act, io, &linear);
    window_grad(&one, io->kernels, &flat, &io->dy, io->grads, io->next);
    io->kernels->conv_db(&io->dy, io->grads + s->n * flat.c, io->next);
    if (!io->dx.data) return;
    const struct tensor dflat = flat_gradient(io);
    window_apply_adjoint(&one, io->kernels, &io->dy, &dflat, io->packed + s->n * flat.c, NULL, 0);
    reshape_copy(&dflat, &io->dx);
}

static void onnx(const void *state, struct shape in, struct onnx_graph *graph) {
    const struct dense *s = state;
    (void)in;
    onnx_node(graph, "Flatten", "flat", graph->value, NULL);
    onnx_int(graph, "axis", 1);
    onnx_node(graph, "Gemm", NULL, graph->value, onnx_param(graph, "weight"));
    onnx_input(graph, onnx_param(graph, "bias"));
    onnx_int(graph, "transB", 1);
    activation_onnx(s->act, graph);
    onnx_node(graph, "Unsqueeze", "pixel", graph->value, onnx_shape(graph, "axes", 2, (int64_t[]){2, 3}));
    graph->fixed = true;
}

static const char *const examples[] = {"dense 5", "dense 7 relu", "dense 3 gelu", NULL};

static const struct step_ops step = {
    .name = "dense",
    .sizes = sizes,
    .pack = pack,
    .forward = forward,
    .backward = backward,
};

const struct layer_ops layer_dense = {
    .name = "dense",
    .attributes = attributes,
    .examples = examples,
    .state_size = sizeof(struct dense),
    .shape = shape,
    .tensor = tensor,
    .init = init,
    .onnx = onnx,
    .step = &step,
};
