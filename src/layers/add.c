/* add.c - adds a saved tensor of the same shape: the end of a residual connection. */
#include "layers/layer.h"
#include "layers/onnx.h"

struct add {
    struct saved saved;
};

static const struct attribute attributes[] = {ATTRIBUTE_NAME(struct add, saved, ATTRIBUTE_SAVED), {0}};

static int shape(const void *state, struct shape in, struct shape *out, struct layer_reach *reach,
                 struct caelum_error *err) {
    const struct shape saved = ((const struct add *)state)->saved.shape;
    if (saved.c != in.c || saved.h != in.h || saved.w != in.w)
        return caelum_fail(err, CAELUM_EFORMAT,
                           "%zux%zux%zu was saved, %zux%zux%zu comes in; to add they must be equal", saved.c,
                           saved.h, saved.w, in.c, in.h, in.w);
    (void)out, (void)reach;
    return CAELUM_OK;
}

static void forward(const struct layer_io *io) {
    io->kernels->add(&io->x, &io->skip, &io->y);
}

static void backward(const struct layer_io *io) {
    io->kernels->add(&io->dskip, &io->dy, &io->dskip);
    if (io->dx.data) io->kernels->copy(&io->dy, &io->dx);
}

static void onnx(const void *state, struct shape in, struct onnx_graph *graph) {
    (void)state, (void)in;
    onnx_node(graph, "Add", NULL, graph->value, graph->skip);
}

static const char *const examples[] = {"save here\nconv 4 k=1\nadd here\nconv 4\nadd here", NULL};

static const struct step_ops step = {
    .name = "add",
    .forward = forward,
    .backward = backward,
    .by_channels = forward,
};

const struct layer_ops layer_add = {
    .name = "add",
    .attributes = attributes,
    .examples = examples,
    .state_size = sizeof(struct add),
    .shape = shape,
    .onnx = onnx,
    .step = &step,
};
