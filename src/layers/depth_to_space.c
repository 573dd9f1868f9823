/* depth_to_space.c - the way back from space_to_depth: N^2 channels become an N x N square of pixels, in the
 * order of PyTorch's pixel_shuffle. */
#include "layers/onnx.h"
#include "layers/shuffle.h"

static const char usage[] = "depth_to_space [N=2]";

static int parse(struct layer_args *args, void *state, struct caelum_error *err) {
    return shuffle_parse(args, state, usage, err);
}

int shuffle_parse(struct layer_args *args, struct shuffle *s, const char *words, struct caelum_error *err) {
    s->n = 2;
    CHECK(args_optional(args, "pixels across", 64, &s->n, err));
    return args_end(args, words, err);
}

void shuffle_copy(const struct shuffle *s, const struct kernels *kernels, const struct tensor *wide,
                  const struct tensor *deep, bool to_wide) {
    const size_t n = s->n;
    for (size_t ab = 0; ab < n * n; ab++) {
        struct tensor pixels = *wide, channels = *deep;
        pixels.data = wide->data + ab / n * wide->row + ab % n * wide->step;
        pixels.h = deep->h, pixels.w = deep->w;
        pixels.row = n * wide->row, pixels.step = n * wide->step;
        channels.data = deep->data + ab * deep->plane;
        channels.c = wide->c, channels.plane = n * n * deep->plane;
        if (to_wide)
            kernels->copy(&channels, &pixels);
        else
            kernels->copy(&pixels, &channels);
    }
}

static int shape(const void *state, struct shape in, struct shape *out, struct layer_sizes *sizes,
                 struct caelum_error *err) {
    const struct shuffle *s = state;
    if (in.c % (s->n * s->n) != 0)
        return caelum_fail(err, CAELUM_EFORMAT, "%zu channels are no multiple of %zu", in.c, s->n * s->n);
    *out = (struct shape){in.c / (s->n * s->n), in.h * s->n, in.w * s->n};
    *sizes = (struct layer_sizes){.window = 1, .stride = 1, .spread = s->n};
    return CAELUM_OK;
}

static void forward(const struct layer_io *io) {
    const struct shuffle *s = io->state;
    shuffle_copy(s, io->kernels, &io->y, &io->x, true);
}

static void backward(const struct layer_io *io) {
    const struct shuffle *s = io->state;
    if (io->dx.data) shuffle_copy(s, io->kernels, &io->dy, &io->dx, false);
}

static void onnx(const void *state, struct shape in, struct onnx_graph *graph) {
    const struct shuffle *s = state;
    (void)in;
    onnx_node(graph, "DepthToSpace", NULL, graph->value, NULL);
    onnx_int(graph, "blocksize", (int64_t)s->n);
    onnx_word(graph, "mode", "CRD");
}

static const char *const examples[] = {"depth_to_space", "conv 18\ndepth_to_space 3", NULL};

const struct layer_ops layer_depth_to_space = {
    .name = "depth_to_space",
    .usage = usage,
    .examples = examples,
    .state_size = sizeof(struct shuffle),
    .parse = parse,
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .onnx = onnx,
};
