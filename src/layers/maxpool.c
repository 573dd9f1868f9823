/* maxpool.c - the largest pixel of each window of size x size, windows side by side. Rows and columns
 * that fill no window are dropped, as Keras does with padding 'valid'. */
#include "layers/layer.h"
#include "layers/onnx.h"

struct maxpool {
    size_t size;
};

static const struct attribute attributes[] = {
    ATTRIBUTE_OPTIONAL("SIZE", struct maxpool, size, "pixels across", 1, 64, 2), {0}};

static int shape(const void *state, struct shape in, struct shape *out, struct layer_reach *reach,
                 struct caelum_error *err) {
    return shape_pooled(in, ((const struct maxpool *)state)->size, out, reach, err);
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

static const struct step_ops step = {
    .name = "maxpool",
    .traits = STEP_SELECTS,
    .forward = forward,
    .backward = backward,
    .by_channels = forward,
};

const struct layer_ops layer_maxpool = {
    .name = "maxpool",
    .attributes = attributes,
    .examples = examples,
    .state_size = sizeof(struct maxpool),
    .shape = shape,
    .onnx = onnx,
    .step = &step,
};
