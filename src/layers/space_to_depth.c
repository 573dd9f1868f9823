/* space_to_depth.c - every N x N square of pixels becomes one pixel of N^2 times the channels:
 *
 *   y[c N^2 + a N + b][i][j] = x[c][N i + a][N j + b]
 *
 * the order of PyTorch's pixel_unshuffle. */
#include "layers/onnx.h"
#include "layers/shuffle.h"

static int shape(const void *state, struct shape in, struct shape *out, struct layer_reach *reach,
                 struct caelum_error *err) {
    const struct shuffle *s = state;
    if (in.h % s->n != 0 || in.w % s->n != 0)
        return caelum_fail(err, CAELUM_EFORMAT, "a %zux%zu picture can't be cut into squares of %zu", in.h,
                           in.w, s->n);
    *out = (struct shape){in.c * s->n * s->n, in.h / s->n, in.w / s->n};
    *reach = (struct layer_reach){s->n, s->n, 1};
    return CAELUM_OK;
}

static void forward(const struct layer_io *io) {
    const struct shuffle *s = io->state;
    shuffle_copy(s, io->kernels, &io->x, &io->y, false);
}

static void backward(const struct layer_io *io) {
    const struct shuffle *s = io->state;
    if (io->dx.data) shuffle_copy(s, io->kernels, &io->dx, &io->dy, true);
}

/* ONNX counts channels the other way round, y[(a N + b) C + c]; Gather puts them in order. */
static void onnx(const void *state, struct shape in, struct onnx_graph *graph) {
    const struct shuffle *s = state;
    const size_t squares = s->n * s->n, channels = in.c * squares;
    int64_t *from = onnx_memory(graph, channels * sizeof *from);
    for (size_t i = 0; from && i < channels; i++) from[i] = (int64_t)(i % squares * in.c + i / squares);
    onnx_node(graph, "SpaceToDepth", "squares", graph->value, NULL);
    onnx_int(graph, "blocksize", (int64_t)s->n);
    if (from) onnx_node(graph, "Gather", NULL, graph->value, onnx_shape(graph, "order", channels, from));
    onnx_int(graph, "axis", 1);
}

static const char *const examples[] = {"crop 12 10\nspace_to_depth", "crop 12 9\nspace_to_depth 3", NULL};

static const struct step_ops step = {
    .name = "space_to_depth",
    .forward = forward,
    .backward = backward,
};

const struct layer_ops layer_space_to_depth = {
    .name = "space_to_depth",
    .attributes = shuffle_attributes,
    .examples = examples,
    .state_size = sizeof(struct shuffle),
    .shape = shape,
    .onnx = onnx,
    .step = &step,
};
