/* maxpool.c - the largest pixel of each window of size x size, windows side by side. Rows and columns
 * that fill no window are dropped, as Keras does with padding 'valid'. */
#include "layers/layer.h"
#include "layers/onnx.h"

struct maxpool {
    size_t size;
};

static const char usage[] = "maxpool [SIZE=2]";

static int parse(struct layer_args *args, void *state, struct caelum_error *err) {
    struct maxpool *s = state;
    s->size = 2;
    CHECK(args_optional(args, "pixels across", 64, &s->size, err));
    return args_end(args, usage, err);
}

static int shape(const void *state, struct shape in, struct shape *out, struct layer_sizes *sizes,
                 struct caelum_error *err) {
    const struct maxpool *s = state;
    CHECK(shape_pooled(in, s->size, out, err));
    *sizes = (struct layer_sizes){.window = s->size, .stride = s->size, .spread = 1};
    return CAELUM_OK;
}

static void forward(const struct layer_io *io) {
    const struct maxpool *s = io->state;
    io->kernels->maxpool(&io->x, &io->y, s->size);
}

static void backward(const struct layer_io *io) {
    const struct maxpool *s = io->state;
    if (io->dx.data) io->kernels->maxpool_grad(&io->x, &io->y, &io->dy, &io->dx, s->size);
}

static void onnx(const void *state, struct shape in, struct onnx_graph *graph) {
    const struct maxpool *s = state;
    (void)in;
    onnx_node(graph, "MaxPool", NULL, graph->value, NULL);
    onnx_ints(graph, "kernel_shape", 2, (size_t[]){s->size, s->size});
    onnx_ints(graph, "strides", 2, (size_t[]){s->size, s->size});
}

static const char *const examples[] = {"maxpool", "maxpool 3", "maxpool 1", NULL};

const struct layer_ops layer_maxpool = {
    .name = "maxpool",
    .usage = usage,
    .examples = examples,
    .state_size = sizeof(struct maxpool),
    .parse = parse,
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .selects = true,
    .onnx = onnx,
};
