/* upsample.c - upsampling by a whole factor: nearest neighbour, every pixel becoming FACTOR x FACTOR equal
 * ones, or bilinear, straight lines between pixel centers. */
#include "layers/layer.h"
#include "layers/onnx.h"

struct upsample {
    size_t factor;
    size_t bilinear;
};

static const char *const ways[] = {"nearest", "bilinear", NULL};

static const struct attribute attributes[] = {
    ATTRIBUTE_OPTIONAL("FACTOR", struct upsample, factor, "pixels across", 1, 64, 2),
    ATTRIBUTE_WORD(struct upsample, bilinear, ways),
    {0}};

static int shape(const void *state, struct shape in, struct shape *out, struct layer_reach *reach,
                 struct caelum_error *err) {
    const struct upsample *s = state;
    (void)err;
    *out = (struct shape){in.c, in.h * s->factor, in.w * s->factor};
    *reach = (struct layer_reach){s->bilinear ? 2 : 1, 1, s->factor};
    return CAELUM_OK;
}

static void forward(const struct layer_io *io) {
    const struct upsample *s = io->state;
    (s->bilinear ? io->kernels->bilinear : io->kernels->upsample)(&io->x, &io->y, s->factor);
}

static void backward(const struct layer_io *io) {
    const struct upsample *s = io->state;
    if (io->dx.data)
        (s->bilinear ? io->kernels->bilinear_grad : io->kernels->upsample_grad)(&io->dy, &io->dx, s->factor);
}

static void onnx(const void *state, struct shape in, struct onnx_graph *graph) {
    const struct upsample *s = state;
    const float factor = (float)s->factor;
    (void)in;
    onnx_node(graph, "Resize", NULL, graph->value, ""); /* no region of interest */
    onnx_input(graph, onnx_reals(graph, "scales", 4, (float[]){1, 1, factor, factor}));
    onnx_word(graph, "mode", s->bilinear ? "linear" : "nearest");
    onnx_word(graph, "coordinate_transformation_mode", s->bilinear ? "half_pixel" : "asymmetric");
    if (!s->bilinear) onnx_word(graph, "nearest_mode", "floor");
}

static const char *const examples[] = {"upsample", "upsample 3", "upsample bilinear", "upsample 3 bilinear",
                                       NULL};

static const struct step_ops step = {
    .name = "upsample",
    .forward = forward,
    .backward = backward,
    .by_channels = forward,
};

const struct layer_ops layer_upsample = {
    .name = "upsample",
    .attributes = attributes,
    .examples = examples,
    .state_size = sizeof(struct upsample),
    .shape = shape,
    .onnx = onnx,
    .step = &step,
};
