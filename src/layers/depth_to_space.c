/* depth_to_space.c - the way back from space_to_depth: N^2 channels become an N x N square of pixels, in the
 * order of PyTorch's pixel_shuffle. */
#include "layers/onnx.h"
#include "layers/shuffle.h"

const struct attribute shuffle_attributes[] = {
    ATTRIBUTE_OPTIONAL("N", struct shuffle, n, "pixels across", 1, 64, 2), {0}};

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

static int shape(const void *state, struct shape in, struct shape *out, struct layer_reach *reach,
                 struct caelum_error *err) {
    const struct shuffle *s = state;
    if (in.c % (s->n * s->n) != 0)
        return caelum_fail(err, CAELUM_EFORMAT, "%zu channels are no multiple of %zu", in.c, s->n * s->n);
    *out = (struct shape){in.c / (s->n * s->n), in.h * s->n, in.w * s->n};
    *reach = (struct layer_reach){1, 1, s->n};
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

static const struct step_ops step = {
    .name = "depth_to_space",
    .forward = forward,
    .backward = backward,
};

const struct layer_ops layer_depth_to_space = {
    .name = "depth_to_space",
    .attributes = shuffle_attributes,
    .examples = examples,
    .state_size = sizeof(struct shuffle),
    .shape = shape,
    .onnx = onnx,
    .step = &step,
};
