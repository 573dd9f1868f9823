/* save.c - gives its input a name, so that `add NAME` and `concat NAME` further on can read it: the
 * beginning of a skip connection. */
#include "layers/layer.h"

struct save {
    struct saved output;
};

static const struct attribute attributes[] = {ATTRIBUTE_NAME(struct save, output, ATTRIBUTE_SAVES), {0}};

static void forward(const struct layer_io *io) {
    io->kernels->copy(&io->x, &io->y);
}

/* What comes back along the main path, and along the skips. */
static void backward(const struct layer_io *io) {
    if (io->dx.data) io->kernels->add(&io->dy, &io->dskip, &io->dx);
}

/* Nothing: every tensor of a graph has a name. */
static void onnx(const void *state, struct shape in, struct onnx_graph *graph) {
    (void)state, (void)in, (void)graph;
}

static const char *const examples[] = {"save here\nconv 4\nadd here", "save a\nsave b\nconv 3\nconcat b",
                                       NULL};

static const struct step_ops step = {
    .name = "save",
    .forward = forward,
    .backward = backward,
    .by_channels = forward,
};

const struct layer_ops layer_save = {
    .name = "save",
    .attributes = attributes,
    .examples = examples,
    .state_size = sizeof(struct save),
    .onnx = onnx,
    .step = &step,
};
