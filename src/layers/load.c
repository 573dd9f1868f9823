/* load.c - outputs a saved tensor, which begins a branch. The layer's input is ignored; where it is needed
 * later, a `save` before this layer keeps it. */
#include "layers/layer.h"
#include "layers/onnx.h"

struct load {
    struct saved saved;
};

static const struct attribute attributes[] = {ATTRIBUTE_NAME(struct load, saved, ATTRIBUTE_SAVED), {0}};

static int shape(const void *state, struct shape in, struct shape *out, struct layer_reach *reach,
                 struct caelum_error *err) {
    (void)in, (void)err;
    reach->window = 0;
    *out = ((const struct load *)state)->saved.shape;
    return CAELUM_OK;
}

static void forward(const struct layer_io *io) {
    io->kernels->copy(&io->skip, &io->y);
}

static void backward(const struct layer_io *io) {
    io->kernels->add(&io->dskip, &io->dy, &io->dskip);
    if (io->dx.data) io->kernels->clear(&io->dx);
}

static void onnx(const void *state, struct shape in, struct onnx_graph *graph) {
    (void)state, (void)in;
    graph->value = graph->skip;
}

static const char *const examples[] = {"save here\nconv 4 k=1\nsave there\nload here\nconv 4 relu\nadd there",
                                       "save a\nmaxpool\nsave b\nload a\navgpool\nconcat b", NULL};

static const struct step_ops step = {
    .name = "load",
    .forward = forward,
    .backward = backward,
    .by_channels = forward,
};

const struct layer_ops layer_load = {
    .name = "load",
    .attributes = attributes,
    .examples = examples,
    .state_size = sizeof(struct load),
    .shape = shape,
    .onnx = onnx,
    .step = &step,
};
