/* avgpool.c - the mean of each window of size x size, windows side by side. Rows and columns that fill no
 * window are dropped, as Keras does with padding 'valid'. */
#include "layers/layer.h"
#include "layers/onnx.h"

struct avgpool {
    size_t size;
};

static const struct attribute attributes[] = {
    ATTRIBUTE_OPTIONAL("SIZE", struct avgpool, size, "pixels across", 1, 64, 2), {0}};

static int shape(const void *state, struct shape in, struct shape *out, struct layer_reach *reach,
                 struct caelum_error *err) {
    return shape_pooled(in, ((const struct avgpool *)state)->size, out, reach, err);
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

static const struct step_ops step = {
    .name = "avgpool",
    .forward = forward,
    .backward = backward,
    .by_channels = forward,
};

const struct layer_ops layer_avgpool = {
    .name = "avgpool",
    .attributes = attributes,
    .examples = examples,
    .state_size = sizeof(struct avgpool),
    .shape = shape,
    .onnx = onnx,
    .step = &step,
};
