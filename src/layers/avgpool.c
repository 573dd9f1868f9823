/* avgpool.c - the mean of each window of size x size, windows side by side. Rows and columns that fill no
 * window are dropped, as Keras does with padding 'valid'. */
#include "layers/layer.h"
#include "layers/onnx.h"

struct avgpool {
    size_t size;
};

static const char usage[] = "avgpool [SIZE=2]";

static int parse(struct layer_args *args, void *state, struct caelum_error *err) {
    struct avgpool *s = state;
    s->size = 2;
    CHECK(args_optional(args, "pixels across", 64, &s->size, err));
    return args_end(args, usage, err);
}

static int shape(const void *state, struct shape in, struct shape *out, struct layer_sizes *sizes,
                 struct caelum_error *err) {
    const struct avgpool *s = state;
    CHECK(shape_pooled(in, s->size, out, err));
    *sizes = (struct layer_sizes){.window = s->size, .stride = s->size, .spread = 1};
    return CAELUM_OK;
}

static void forward(const struct layer_io *io) {
    const struct avgpool *s = io->state;
    io->kernels->avgpool(&io->x, &io->y, s->size);
}

static void backward(const struct layer_io *io) {
    const struct avgpool *s = io->state;
    if (io->dx.data) io->kernels->avgpool_grad(&io->dy, &io->dx, s->size);
}

static void onnx(const void *state, struct shape in, struct onnx_graph *graph) {
    const struct avgpool *s = state;
    (void)in;
    onnx_node(graph, "AveragePool", NULL, graph->value, NULL);
    onnx_ints(graph, "kernel_shape", 2, (size_t[]){s->size, s->size});
    onnx_ints(graph, "strides", 2, (size_t[]){s->size, s->size});
}

static const char *const examples[] = {"avgpool", "avgpool 3", NULL};

const struct layer_ops layer_avgpool = {
    .name = "avgpool",
    .usage = usage,
    .examples = examples,
    .state_size = sizeof(struct avgpool),
    .parse = parse,
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .onnx = onnx,
};
