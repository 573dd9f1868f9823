/* reshape.c - the same values in another shape, in the order channel, row, column. */
#include "layers/reshape.h"
#include "layers/onnx.h"

#include <string.h>

struct reshape {
    struct shape to;
};

static const struct attribute attributes[] = {
    ATTRIBUTE_COUNT("C", struct reshape, to.c, "number of channels", 1, 65536),
    ATTRIBUTE_COUNT("H", struct reshape, to.h, "number of rows", 1, 65536),
    ATTRIBUTE_COUNT("W", struct reshape, to.w, "number of columns", 1, 65536),
    {0}};

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

static int shape(const void *state, struct shape in, struct shape *out, struct layer_reach *reach,
                 struct caelum_error *err) {
    const struct reshape *s = state;
    if (shape_values(s->to) != shape_values(in))
        return caelum_fail(err, CAELUM_EFORMAT, "%zux%zux%zu numbers don't fill %zux%zux%zu", in.c, in.h,
                           in.w, s->to.c, s->to.h, s->to.w);
    (void)reach;
    *out = s->to;
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

static const struct step_ops step = {
    .name = "reshape",
    .forward = forward,
    .backward = backward,
};

const struct layer_ops layer_reshape = {
    .name = "reshape",
    .attributes = attributes,
    .examples = examples,
    .state_size = sizeof(struct reshape),
    .shape = shape,
    .onnx = onnx,
    .step = &step,
};
