/* upsample.c - upsampling by a whole factor: nearest neighbour, every pixel becoming FACTOR x FACTOR equal
 * ones, or bilinear, straight lines between pixel centers. */
#include "layers/layer.h"
#include "layers/onnx.h"

struct upsample {
    size_t factor;
    size_t bilinear;
};

static const char usage[] = "upsample [FACTOR=2] [nearest|bilinear]";

static int parse(struct layer_args *args, void *state, struct caelum_error *err) {
    struct upsample *s = state;
    s->factor = 2;
    static const char *const ways[] = {"nearest", "bilinear", NULL};
    CHECK(args_optional(args, "pixels across", 64, &s->factor, err));
    args_word(args, ways, &s->bilinear);
    return args_end(args, usage, err);
}

static int shape(const void *state, struct shape in, struct shape *out, struct layer_sizes *sizes,
                 struct caelum_error *err) {
    const struct upsample *s = state;
    (void)err;
    *out = (struct shape){in.c, in.h * s->factor, in.w * s->factor};
    *sizes = (struct layer_sizes){.window = s->bilinear ? 2 : 1, .stride = 1, .spread = s->factor};
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

const struct layer_ops layer_upsample = {
    .name = "upsample",
    .usage = usage,
    .examples = examples,
    .state_size = sizeof(struct upsample),
    .parse = parse,
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .onnx = onnx,
};
