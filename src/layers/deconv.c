/* deconv.c - transposed convolution with bias and activation: the adjoint of a convolution from the output
 * to the input, plus bias.
 *
 *   y[k][i s + u - p][j s + v - p] += w[c][k][u][v] x[c][i][j]
 *
 * pad=same gives n s outputs a side (p = (K - s) / 2, rounded down, where the kernel is wider than the
 * stride), pad=valid (n - 1) s + max(K, s), as Keras's Conv2DTranspose does. Weights lie as in PyTorch's
 * ConvTranspose2d. */
#include "layers/conv.h"
#include "layers/onnx.h"
#include "layers/window.h"

static const struct attribute attributes[] = {CONV_ATTRIBUTES, {0}};

static int check(const void *state, struct caelum_error *err) {
    if (((const struct conv *)state)->init != INIT_KLT) return CAELUM_OK;
    return caelum_fail(err, CAELUM_EFORMAT, "init=klt is for conv");
}

/* The big picture is the output. */
static struct window window_of(const struct conv *s, size_t h, size_t w) {
    struct window win = {.kernel = s->kernel, .stride = s->stride, .small_h = h, .small_w = w};
    if (s->valid) {
        const size_t last = s->kernel > s->stride ? s->kernel : s->stride;
        win.big_h = (h - 1) * s->stride + last;
        win.big_w = (w - 1) * s->stride + last;
    } else {
        win.big_h = h * s->stride;
        win.big_w = w * s->stride;
        win.pad_y = window_same_before(win.big_h, h, s->kernel, s->stride);
        win.pad_x = window_same_before(win.big_w, w, s->kernel, s->stride);
    }
    return win;
}

static int shape(const void *state, struct shape in, struct shape *out, struct layer_reach *reach,
                 struct caelum_error *err) {
    const struct conv *s = state;
    const struct window w = window_of(s, in.h, in.w);
    (void)err;
    *out = (struct shape){s->k, w.big_h, w.big_w};
    *reach = (struct layer_reach){(s->kernel + s->stride - 1) / s->stride, 1, s->stride};
    return CAELUM_OK;
}

static void sizes(const void *state, struct shape in, struct shape out, struct step_sizes *sizes) {
    const struct conv *s = state;
    const size_t weights = s->k * in.c * s->kernel * s->kernel;
    const struct window w = window_of(s, in.h, in.w);
    *sizes = (struct step_sizes){.packed = 2 * weights,
                                 .saved = activation_saved(s->act, out),
                                 .macs = weights * in.h * in.w,
                                 .pad_x = window_border_small(&w),
                                 .pad_dy = window_border_big(&w)};
}

static int tensor(const void *state, struct shape in, size_t i, struct layer_tensor *t) {
    const struct conv *s = state;
    if (i == 0) *t = (struct layer_tensor){"weight", 4, {in.c, s->k, s->kernel, s->kernel}};
    if (i == 1) *t = (struct layer_tensor){"bias", 1, {s->k, 0, 0, 0}};
    return i < 2;
}

static void pack(const void *state, struct shape in, const float *params, float *packed) {
    const struct conv *s = state;
    const struct window w = window_of(s, in.h, in.w);
    window_pack_adjoint(&w, in.c, s->k, params, packed);
    window_pack(&w, in.c, s->k, params, packed + s->k * in.c * s->kernel * s->kernel);
}

static void forward(const struct layer_io *io) {
    const struct conv *s = io->state;
    const struct window w = window_of(s, io->x.h, io->x.w);
    const struct tensor linear = activation_linear(s->act, &io->y, io->saved);
    const float *bias = io->params + s->k * io->x.c * s->kernel * s->kernel;
    window_apply_adjoint(&w, io->kernels, &io->x, &linear, io->packed, bias, s->act == ACT_relu);
    activation_forward(s->act, io, &linear);
}

static void backward(const struct layer_io *io) {
    const struct conv *s = io->state;
    const struct window w = window_of(s, io->x.h, io->x.w);
    const size_t weights = s->k * io->x.c * s->kernel * s->kernel;
    conv_backward(io);
    window_grad(&w, io->kernels, &io->dy, &io->x, io->grads, io->next);
    if (io->dx.data) window_apply(&w, io->kernels, &io->dy, &io->dx, io->packed + weights, NULL, 0);
}

/* ONNX's output has (n - 1) s + K rows, cut by `pads` and extended by `output_padding`. */
static void onnx(const void *state, struct shape in, struct onnx_graph *graph) {
    const struct conv *s = state;
    const struct window w = window_of(s, in.h, in.w);
    const size_t over = s->kernel > s->stride ? s->kernel - s->stride : 0;
    const size_t more = s->kernel < s->stride ? s->stride - s->kernel : 0;
    onnx_node(graph, "ConvTranspose", NULL, graph->value, onnx_param(graph, "weight"));
    onnx_input(graph, onnx_param(graph, "bias"));
    onnx_ints(graph, "kernel_shape", 2, (size_t[]){s->kernel, s->kernel});
    onnx_ints(graph, "strides", 2, (size_t[]){s->stride, s->stride});
    if (more > 0) onnx_ints(graph, "output_padding", 2, (size_t[]){more, more});
    if (!s->valid) onnx_ints(graph, "pads", 4, (size_t[]){w.pad_y, w.pad_x, over - w.pad_y, over - w.pad_x});
    activation_onnx(s->act, graph);
}

static const char *const examples[] = {"deconv 5",
                                       "deconv 4 stride=2 relu",
                                       "deconv 3 k=2 stride=2 sigmoid",
                                       "deconv 6 k=5 stride=2 gelu",
                                       "deconv 2 pad=valid",
                                       "deconv 4 k=4 stride=3 pad=valid tanh",
                                       "deconv 3 k=1 stride=2",
                                       "deconv 3 k=2 stride=3 pad=valid",
                                       "deconv 2 k=13 stride=2",
                                       NULL};

static const struct step_ops step = {
    .name = "deconv",
    .sizes = sizes,
    .pack = pack,
    .forward = forward,
    .backward = backward,
    .settle = conv_settle,
};

const struct layer_ops layer_deconv = {
    .name = "deconv",
    .attributes = attributes,
    .examples = examples,
    .state_size = sizeof(struct conv),
    .check = check,
    .shape = shape,
    .tensor = tensor,
    .init = conv_init,
    .onnx = onnx,
    .step = &step,
};
