/* conv.c - convolution with bias and activation.
 *
 *   y[k][i][j] = act(b[k] + sum over c, u, v of w[k][c][u][v] x[c][i s + u - p][j s + v - p])
 *
 * pad=same gives ceil(n / s) outputs a side with the zeros that takes shared before and after, the odd one
 * after, as Keras does; pad=valid uses only whole windows (p = 0). */
#include "layers/conv.h"
#include "layers/onnx.h"
#include "layers/window.h"

#include <math.h>
#include <string.h>

const char *const conv_pads[] = {"same", "valid", NULL};
const char *const conv_inits[] = {"glorot", "zero", "klt", NULL};

static const struct attribute attributes[] = {CONV_ATTRIBUTES, {0}};

void glorot_init(struct rng *rng, size_t n, size_t fans, size_t biases, float *params) {
    const float limit = (float)sqrt(6.0 / (double)fans);
    for (size_t i = 0; i < n; i++) params[i] = limit * (2.0f * rng_uniform(rng) - 1.0f);
    for (size_t i = 0; i < biases; i++) params[n + i] = 0.0f;
}

void conv_init(const void *state, struct shape in, struct rng *rng, float *params) {
    const struct conv *s = state;
    const size_t taps = s->kernel * s->kernel, weights = s->k * in.c * taps;
    if (s->init == INIT_ZERO)
        memset(params, 0, (weights + s->k) * sizeof *params);
    else
        glorot_init(rng, weights, (in.c + s->k) * taps, s->k, params);
}

static int check(const void *state, struct caelum_error *err) {
    const struct conv *s = state;
    if (s->init == INIT_KLT && (s->kernel != 1 || s->stride != 1))
        return caelum_fail(err, CAELUM_EFORMAT, "init=klt needs k=1 and stride=1");
    return CAELUM_OK;
}

static size_t klt_size(const void *state, struct shape in) {
    const struct conv *s = state;
    return s->init != INIT_KLT ? 0 : in.c > s->k ? in.c : s->k;
}

/* From a block's n channels to its code, y = B (x - mean), or from there to the block, y = B^T x + mean. */
static void klt_init(const void *state, struct shape in, const double *mean, const double *basis,
                     float *params) {
    const struct conv *s = state;
    const size_t n = klt_size(state, in), code = in.c < s->k ? in.c : s->k;
    const bool encodes = in.c > s->k;
    float *bias = params + n * code;
    for (size_t i = 0; i < s->k; i++) bias[i] = encodes ? 0 : (float)mean[i];
    for (size_t i = 0; i < code; i++) {
        double middle = 0;
        for (size_t j = 0; j < n; j++) {
            const double b = basis[i * n + j];
            params[encodes ? i * n + j : j * code + i] = (float)b;
            middle += b * mean[j];
        }
        if (encodes) bias[i] = (float)-middle;
    }
}

static struct window window_of(const struct conv *s, size_t h, size_t w) {
    struct window win = {.kernel = s->kernel, .stride = s->stride, .big_h = h, .big_w = w};
    if (s->valid) {
        win.small_h = (h - s->kernel) / s->stride + 1;
        win.small_w = (w - s->kernel) / s->stride + 1;
    } else {
        win.small_h = (h + s->stride - 1) / s->stride;
        win.small_w = (w + s->stride - 1) / s->stride;
        win.pad_y = window_same_before(h, win.small_h, s->kernel, s->stride);
        win.pad_x = window_same_before(w, win.small_w, s->kernel, s->stride);
    }
    return win;
}

static int shape(const void *state, struct shape in, struct shape *out, struct layer_reach *reach,
                 struct caelum_error *err) {
    const struct conv *s = state;
    if (s->valid && (in.h < s->kernel || in.w < s->kernel))
        return caelum_fail(err, CAELUM_EFORMAT, "a %zux%zu picture is smaller than the %zux%zu kernel", in.h,
                           in.w, s->kernel, s->kernel);
    const struct window w = window_of(s, in.h, in.w);
    *out = (struct shape){s->k, w.small_h, w.small_w};
    *reach = (struct layer_reach){s->kernel, s->stride, 1};
    return CAELUM_OK;
}

void conv_sizes(const void *state, struct shape in, struct shape out, struct step_sizes *sizes) {
    const struct conv *s = state;
    const size_t weights = s->k * in.c * s->kernel * s->kernel;
    const struct window w = window_of(s, in.h, in.w);
    *sizes = (struct step_sizes){.packed = 2 * weights,
                                 .saved = activation_saved(s->act, out),
                                 .macs = weights * out.h * out.w,
                                 .pad_x = window_border_big(&w),
                                 .pad_dy = window_border_small(&w)};
}

static int tensor(const void *state, struct shape in, size_t i, struct layer_tensor *t) {
    const struct conv *s = state;
    if (i == 0) *t = (struct layer_tensor){"weight", 4, {s->k, in.c, s->kernel, s->kernel}};
    if (i == 1) *t = (struct layer_tensor){"bias", 1, {s->k, 0, 0, 0}};
    return i < 2;
}

static void pack(const void *state, struct shape in, const float *params, float *packed) {
    const struct conv *s = state;
    const struct window w = window_of(s, in.h, in.w);
    window_pack(&w, s->k, in.c, params, packed);
    window_pack_adjoint(&w, s->k, in.c, params, packed + s->k * in.c * s->kernel * s->kernel);
}

static void forward(const struct layer_io *io) {
    const struct conv *s = io->state;
    const struct window w = window_of(s, io->x.h, io->x.w);
    const struct tensor linear = activation_linear(s->act, &io->y, io->saved);
    const float *bias = io->params + s->k * io->x.c * s->kernel * s->kernel;
    window_apply(&w, io->kernels, &io->x, &linear, io->packed, bias, s->act == ACT_relu);
    activation_forward(s->act, io, &linear);
}

void conv_settle(const struct layer_io *io) {
    const struct conv *s = io->state;
    const struct tensor linear = activation_linear(s->act, &io->y, io->saved);
    activation_backward(s->act, io, &linear);
    io->kernels->conv_db(&io->dy, io->grads + s->k * io->x.c * s->kernel * s->kernel, io->next);
}

void conv_backward(const struct layer_io *io) {
    if (!io->settled) conv_settle(io);
    if (tiling_count(io->tiles) > 1 && io->dy.pad > 0) io->kernels->halo(&io->dy, io->tiles);
}

static void backward(const struct layer_io *io) {
    const struct conv *s = io->state;
    const struct window w = window_of(s, io->x.h, io->x.w);
    const size_t weights = s->k * io->x.c * s->kernel * s->kernel;
    conv_backward(io);
    window_grad(&w, io->kernels, &io->x, &io->dy, io->grads, io->next);
    if (io->dx.data) window_apply_adjoint(&w, io->kernels, &io->dy, &io->dx, io->packed + weights, NULL, 0);
}

static void geometry(const void *state, struct shape in, size_t *kernel, size_t *padding, size_t *stride) {
    const struct conv *s = state;
    *kernel = s->kernel;
    *padding = window_of(s, in.h, in.w).pad_x;
    *stride = s->stride;
}

static const struct step_ops *fuse(const void *state, const struct layer_ops *before,
                                   const struct layer_reach *reach) {
    const struct conv *s = state;
    /* nearest neighbour: bilinear sees more */
    const bool doubled = before == &layer_upsample && reach->spread == 2 && reach->window == 1;
    return doubled && s->kernel == 3 && s->stride == 1 && !s->valid ? &step_upconv : NULL;
}

static const struct step_ops *faster(const void *state, struct shape in) {
    if (conv_winograd4(state, in)) return &step_winograd4;
    return conv_winograd(state, in) ? &step_winograd : NULL;
}

/* ONNX's SAME_UPPER is pad=same; with stride 1 the zeros are the same for every size and said as numbers. */
static void onnx(const void *state, struct shape in, struct onnx_graph *graph) {
    const struct conv *s = state;
    const struct window w = window_of(s, in.h, in.w);
    const size_t y = w.pad_y, x = w.pad_x, all = s->kernel - 1;
    onnx_node(graph, "Conv", NULL, graph->value, onnx_param(graph, "weight"));
    onnx_input(graph, onnx_param(graph, "bias"));
    onnx_ints(graph, "kernel_shape", 2, (size_t[]){s->kernel, s->kernel});
    onnx_ints(graph, "strides", 2, (size_t[]){s->stride, s->stride});
    if (!s->valid && s->stride > 1) onnx_word(graph, "auto_pad", "SAME_UPPER");
    if (!s->valid && s->stride == 1) onnx_ints(graph, "pads", 4, (size_t[]){y, x, all - y, all - x});
    activation_onnx(s->act, graph);
}

static const char *const examples[] = {"conv 5",
                                       "conv 4 relu",
                                       "conv 3 sigmoid",
                                       "conv 1 k=1 tanh",
                                       "conv 7 k=2 relu",
                                       "conv 2 pad=valid gelu",
                                       "conv 6 k=5 silu",
                                       "conv 4 k=4 leaky",
                                       "conv 9 k=7 elu",
                                       "conv 3 k=16 stride=2",
                                       "conv 8 k=5 pad=valid relu",
                                       "conv 4 stride=2",
                                       "conv 5 k=5 stride=3 pad=valid",
                                       "conv 3 k=1 stride=2",
                                       "conv 128 relu",
                                       "conv 6 k=1 init=glorot",
                                       "conv 6 k=1 init=klt",
                                       "conv 128 pad=valid gelu",
                                       NULL};

static const struct step_ops step = {
    .name = "conv",
    .sizes = conv_sizes,
    .pack = pack,
    .forward = forward,
    .backward = backward,
    .settle = conv_settle,
};

const struct layer_ops layer_conv = {
    .name = "conv",
    .attributes = attributes,
    .examples = examples,
    .state_size = sizeof(struct conv),
    .check = check,
    .shape = shape,
    .tensor = tensor,
    .init = conv_init,
    .klt_size = klt_size,
    .klt_init = klt_init,
    .geometry = geometry,
    .onnx = onnx,
    .step = &step,
    .fuse = fuse,
    .faster = faster,
};
