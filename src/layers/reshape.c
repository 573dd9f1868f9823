/* reshape.c - the same values in another shape, in the order channel, row, column. */
#include "layers/reshape.h"
#include "layers/onnx.h"

#include <string.h>

struct reshape {
    struct shape to;
};

static const char usage[] = "reshape C H W";

void reshape_copy(const struct tensor *x, const struct tensor *y) {
    size_t c = 0, i = 0, j = 0;
    for (size_t k = 0; k < y->c; k++)
        for (size_t r = 0; r < y->h; r++)
            for (size_t q = 0; q < y->w; q++) {
                memcpy(tensor_at(y, k, (ptrdiff_t)r, (ptrdiff_t)q),
                       tensor_at(x, c, (ptrdiff_t)i, (ptrdiff_t)j), x->step * sizeof(float));
                if (++j == x->w) j = 0, i++;
                if (i == x->h) i = 0, c++;
            }
}

static int parse(struct layer_args *args, void *state, struct caelum_error *err) {
    struct reshape *s = state;
    CHECK(args_number(args, "channels", 65536, &s->to.c, err));
    CHECK(args_number(args, "rows", 65536, &s->to.h, err));
    CHECK(args_number(args, "columns", 65536, &s->to.w, err));
    return args_end(args, usage, err);
}

static int shape(const void *state, struct shape in, struct shape *out, struct layer_sizes *sizes,
                 struct caelum_error *err) {
    const struct reshape *s = state;
    if (shape_values(s->to) != shape_values(in))
        return caelum_fail(err, CAELUM_EFORMAT, "%zux%zux%zu numbers don't fill %zux%zux%zu", in.c, in.h,
                           in.w, s->to.c, s->to.h, s->to.w);
    *out = s->to;
    *sizes = (struct layer_sizes){.window = 1, .stride = 1, .spread = 1};
    return CAELUM_OK;
}

static void forward(const struct layer_io *io) {
    reshape_copy(&io->x, &io->y);
}

static void backward(const struct layer_io *io) {
    if (io->dx.data) reshape_copy(&io->dy, &io->dx);
}

/* The 0 keeps the number of pictures. */
static void onnx(const void *state, struct shape in, struct onnx_graph *graph) {
    const struct reshape *s = state;
    const int64_t to[] = {0, (int64_t)s->to.c, (int64_t)s->to.h, (int64_t)s->to.w};
    (void)in;
    onnx_node(graph, "Reshape", NULL, graph->value, onnx_shape(graph, "shape", 4, to));
    graph->fixed = true;
}

static const char *const examples[] = {"reshape 2 24 11", "reshape 528 1 1", NULL};

const struct layer_ops layer_reshape = {
    .name = "reshape",
    .usage = usage,
    .examples = examples,
    .state_size = sizeof(struct reshape),
    .parse = parse,
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .onnx = onnx,
};
