/* crop.c - the middle of the picture; of an odd remainder the larger half is cut at the bottom and at the
 * right. */
#include "layers/onnx.h"
#include "layers/place.h"

static int shape(const void *state, struct shape in, struct shape *out, struct layer_reach *reach,
                 struct caelum_error *err) {
    const struct place *s = state;
    if (s->h > in.h || s->w > in.w)
        return caelum_fail(err, CAELUM_EFORMAT, "%zux%zu can't be cut out of %zux%zu", s->h, s->w, in.h,
                           in.w);
    (void)reach;
    *out = (struct shape){in.c, s->h, s->w};
    return CAELUM_OK;
}

static void forward(const struct layer_io *io) {
    const struct tensor middle = place_middle(&io->x, io->y.h, io->y.w);
    io->kernels->copy(&middle, &io->y);
}

static void backward(const struct layer_io *io) {
    if (!io->dx.data) return;
    const struct tensor middle = place_middle(&io->dx, io->dy.h, io->dy.w);
    io->kernels->clear(&io->dx);
    io->kernels->copy(&io->dy, &middle);
}

static void onnx(const void *state, struct shape in, struct onnx_graph *graph) {
    const struct place *s = state;
    const int64_t y = (int64_t)((in.h - s->h) / 2), x = (int64_t)((in.w - s->w) / 2);
    const int64_t h = (int64_t)s->h, w = (int64_t)s->w;
    onnx_node(graph, "Slice", NULL, graph->value, onnx_shape(graph, "starts", 2, (int64_t[]){y, x}));
    onnx_input(graph, onnx_shape(graph, "ends", 2, (int64_t[]){y + h, x + w}));
    onnx_input(graph, onnx_shape(graph, "axes", 2, (int64_t[]){2, 3}));
    graph->fixed = true;
}

static const char *const examples[] = {"crop 5 4", "crop 12 11", NULL};

static const struct step_ops step = {
    .name = "crop",
    .forward = forward,
    .backward = backward,
    .by_channels = forward,
};

const struct layer_ops layer_crop = {
    .name = "crop",
    .attributes = place_attributes,
    .examples = examples,
    .state_size = sizeof(struct place),
    .shape = shape,
    .onnx = onnx,
    .step = &step,
};
