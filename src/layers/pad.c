/* pad.c - the picture in the middle of a larger one of zeros; an odd remainder goes to the bottom and the
 * right. */
#include "layers/onnx.h"
#include "layers/place.h"

const struct attribute place_attributes[] = {
    ATTRIBUTE_COUNT("H", struct place, h, "number of rows", 1, 65536),
    ATTRIBUTE_COUNT("W", struct place, w, "number of columns", 1, 65536),
    {0}};

struct tensor place_middle(const struct tensor *large, size_t h, size_t w) {
    struct tensor view = *large;
    view.data = large->data + (large->h - h) / 2 * large->row + (large->w - w) / 2 * large->step;
    view.h = h, view.w = w;
    return view;
}

static int shape(const void *state, struct shape in, struct shape *out, struct layer_reach *reach,
                 struct caelum_error *err) {
    const struct place *s = state;
    if (s->h < in.h || s->w < in.w)
        return caelum_fail(err, CAELUM_EFORMAT, "%zux%zu does not fit into %zux%zu; to cut, use crop", in.h,
                           in.w, s->h, s->w);
    (void)reach;
    *out = (struct shape){in.c, s->h, s->w};
    return CAELUM_OK;
}

static void forward(const struct layer_io *io) {
    const struct tensor middle = place_middle(&io->y, io->x.h, io->x.w);
    io->kernels->clear(&io->y);
    io->kernels->copy(&io->x, &middle);
}

static void backward(const struct layer_io *io) {
    if (!io->dx.data) return;
    const struct tensor middle = place_middle(&io->dy, io->dx.h, io->dx.w);
    io->kernels->copy(&middle, &io->dx);
}

static void onnx(const void *state, struct shape in, struct onnx_graph *graph) {
    const struct place *s = state;
    const int64_t h = (int64_t)(s->h - in.h), w = (int64_t)(s->w - in.w);
    const int64_t zeros[] = {0, 0, h / 2, w / 2, 0, 0, h - h / 2, w - w / 2};
    onnx_node(graph, "Pad", NULL, graph->value, onnx_shape(graph, "pads", 8, zeros));
    onnx_word(graph, "mode", "constant");
    graph->fixed = true;
}

static const char *const examples[] = {"pad 15 15", "pad 12 11", NULL};

static const struct step_ops step = {
    .name = "pad",
    .forward = forward,
    .backward = backward,
    .by_channels = forward,
};

const struct layer_ops layer_pad = {
    .name = "pad",
    .attributes = place_attributes,
    .examples = examples,
    .state_size = sizeof(struct place),
    .shape = shape,
    .onnx = onnx,
    .step = &step,
};
