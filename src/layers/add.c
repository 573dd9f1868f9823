/* add.c - adds a saved tensor of the same shape: the end of a residual connection. */
#include "layers/layer.h"
#include "layers/onnx.h"

struct add {
    struct shape saved;
};

static const char usage[] = "add NAME";

static int parse(struct layer_args *args, void *state, struct caelum_error *err) {
    struct add *s = state;
    CHECK(args_saved(args, &s->saved, err));
    return args_end(args, usage, err);
}

static int shape(const void *state, struct shape in, struct shape *out, struct layer_sizes *sizes,
                 struct caelum_error *err) {
    const struct add *s = state;
    if (s->saved.c != in.c || s->saved.h != in.h || s->saved.w != in.w)
        return caelum_fail(err, CAELUM_EFORMAT,
                           "%zux%zux%zu was saved, %zux%zux%zu comes in; to add they must be equal",
                           s->saved.c, s->saved.h, s->saved.w, in.c, in.h, in.w);
    *out = in;
    *sizes = (struct layer_sizes){.window = 1, .stride = 1, .spread = 1};
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

const struct layer_ops layer_add = {
    .name = "add",
    .usage = usage,
    .examples = examples,
    .state_size = sizeof(struct add),
    .parse = parse,
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .onnx = onnx,
};
