/* save.c - gives its input a name, so that `add NAME` and `concat NAME` further on can read it: the
 * beginning of a skip connection. */
#include "layers/layer.h"

static const char usage[] = "save NAME";

struct save {
    char nothing; /* the name lives in the network */
};

static int parse(struct layer_args *args, void *state, struct caelum_error *err) {
    (void)state;
    CHECK(args_save(args, err));
    return args_end(args, usage, err);
}

static int shape(const void *state, struct shape in, struct shape *out, struct layer_sizes *sizes,
                 struct caelum_error *err) {
    (void)state, (void)err;
    *out = in;
    *sizes = (struct layer_sizes){.window = 1, .stride = 1, .spread = 1};
    return CAELUM_OK;
}

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

const struct layer_ops layer_save = {
    .name = "save",
    .usage = usage,
    .examples = examples,
    .state_size = sizeof(struct save),
    .parse = parse,
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .onnx = onnx,
};
