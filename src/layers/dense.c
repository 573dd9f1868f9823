/* dense.c - a fully connected layer: every output is a weighted sum of all values of the input, in the
 * order channel, row, column. It is a 1x1 convolution of one pixel with as many channels as there are
 * values, so the input is laid out that way first and kept for the backward pass. */
#include "layers/conv.h"
#include "layers/onnx.h"
#include "layers/reshape.h"
#include "layers/window.h"

struct dense {
    size_t n;
    enum activation act;
};

static const char usage[] = "dense N [" ACTIVATION_USAGE "]";

/* One pixel to one pixel. */
static const struct window one = {1, 1, 0, 0, 1, 1, 1, 1};

static int parse(struct layer_args *args, void *state, struct caelum_error *err) {
    struct dense *s = state;
    CHECK(args_number(args, "outputs", 65536, &s->n, err));
    args_activation(args, &s->act);
    return args_end(args, usage, err);
}

static int shape(const void *state, struct shape in, struct shape *out, struct layer_sizes *sizes,
                 struct caelum_error *err) {
    const struct dense *s = state;
    const size_t values = shape_values(in), side = in.h > in.w ? in.h : in.w;
    (void)err;
    *out = (struct shape){s->n, 1, 1};
    *sizes = (struct layer_sizes){.params = s->n * values + s->n,
                                  .packed = 2 * s->n * values,
                                  .saved = 2 * values + activation_saved(s->act, *out),
                                  .macs = s->n * values,
                                  .window = side,
                                  .stride = side,
                                  .spread = 1};
    return CAELUM_OK;
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
                 s->act == ACT_RELU);
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

const struct layer_ops layer_dense = {
    .name = "dense",
    .usage = usage,
    .examples = examples,
    .state_size = sizeof(struct dense),
    .parse = parse,
    .shape = shape,
    .tensor = tensor,
    .init = init,
    .pack = pack,
    .forward = forward,
    .backward = backward,
    .onnx = onnx,
};
