/* conv.c - convolution with bias and activation.
 *
 *   y[k][i][j] = act(b[k] + sum over c, u, v of w[k][c][u][v] x[c][i + u - p][j + v - p])
 *
 * pad=same keeps height and width (p = (K - 1) / 2 zeros before, the rest after, as Keras does),
 * pad=valid uses only whole windows (p = 0). The gradient with respect to x is a convolution of dy with
 * the turned kernel, for which dy needs a border of K - 1 - p zeros. */
#include "layers/conv.h"

#include <math.h>

static size_t before(const struct conv *s) {
    return s->valid ? 0 : (s->kernel - 1) / 2;
}
static size_t after(const struct conv *s) {
    return s->valid ? 0 : s->kernel - 1 - before(s);
}

static const char usage[] = "conv C [k=3] [pad=same|valid] [relu|sigmoid|linear]";

static int parse(struct layer_args *args, void *state, struct caelum_error *err) {
    static const char *const pads[] = {"same", "valid", NULL};
    struct conv *s = state;
    s->kernel = 3;
    CHECK(args_number(args, "output channels", 65536, &s->k, err));
    CHECK(args_key(args, "k", 1, 7, &s->kernel, err));
    CHECK(args_choice(args, "pad", pads, &s->valid, err));
    args_activation(args, &s->act);
    return args_end(args, usage, err);
}

static int shape(const void *state, struct shape in, struct shape *out, struct layer_sizes *sizes,
                 struct caelum_error *err) {
    const struct conv *s = state;
    const size_t lost = s->kernel - 1 - before(s) - after(s);
    if (in.h <= lost || in.w <= lost)
        return caelum_fail(err, CAELUM_EFORMAT, "a %zux%zu picture is smaller than the %zux%zu kernel", in.h,
                           in.w, s->kernel, s->kernel);
    const size_t taps = s->kernel * s->kernel;
    *out = (struct shape){s->k, in.h - lost, in.w - lost};
    *sizes = (struct layer_sizes){.params = s->k * in.c * taps + s->k,
                                  .packed = 2 * s->k * in.c * taps,
                                  .macs = s->k * in.c * taps * out->h * out->w,
                                  .pad_x = after(s),
                                  .pad_dy = s->kernel - 1 - before(s),
                                  .window = s->kernel,
                                  .stride = 1,
                                  .spread = 1};
    return CAELUM_OK;
}

static int tensor(const void *state, struct shape in, size_t i, struct layer_tensor *t) {
    const struct conv *s = state;
    if (i == 0) *t = (struct layer_tensor){"weight", 4, {s->k, in.c, s->kernel, s->kernel}};
    if (i == 1) *t = (struct layer_tensor){"bias", 1, {s->k, 0, 0, 0}};
    return i < 2;
}

/* Glorot & Bengio (AISTATS 2010): uniform within sqrt(6 / (fan in + fan out)); biases zero. */
static void init(const void *state, struct shape in, struct rng *rng, float *params) {
    const struct conv *s = state;
    const size_t taps = s->kernel * s->kernel, n = s->k * in.c * taps;
    const float limit = (float)sqrt(6.0 / (double)((in.c + s->k) * taps));
    for (size_t i = 0; i < n; i++) params[i] = limit * (2.0f * rng_uniform(rng) - 1.0f);
    for (size_t i = 0; i < s->k; i++) params[n + i] = 0.0f;
}

static void pack(const void *state, struct shape in, const float *params, float *packed) {
    const struct conv *s = state;
    const size_t taps = s->kernel * s->kernel;
    conv_pack(params, s->k, in.c, taps, packed);
    conv_pack_transposed(params, s->k, in.c, taps, packed + s->k * in.c * taps);
}

static void forward(const struct layer_io *io) {
    const struct conv *s = io->state;
    const size_t weights = s->k * io->x.c * s->kernel * s->kernel;
    const ptrdiff_t pad = (ptrdiff_t)before(s);
    const struct conv_job job = {.shape = {s->kernel, s->kernel, 1, pad, pad},
                                 .x = io->x,
                                 .y = io->y,
                                 .w = io->packed,
                                 .bias = io->params + weights,
                                 .relu = s->act == ACT_RELU};
    io->kernels->conv(&job);
    if (s->act != ACT_RELU && s->act != ACT_LINEAR) io->kernels->act(&io->y, &io->y, s->act);
}

static void backward(const struct layer_io *io) {
    const struct conv *s = io->state;
    const size_t weights = s->k * io->x.c * s->kernel * s->kernel;
    const ptrdiff_t pad = (ptrdiff_t)before(s), turned = (ptrdiff_t)s->kernel - 1 - pad;
    io->kernels->act_grad(&io->y, &io->dy, s->act);
    const struct conv_dw_job dw = {
        .shape = {s->kernel, s->kernel, 1, pad, pad}, .x = io->x, .dy = io->dy, .dw = io->grads};
    io->kernels->conv_dw(&dw);
    io->kernels->conv_db(&io->dy, io->grads + weights);
    if (!io->dx.data) return;
    const struct conv_job dx = {.shape = {s->kernel, s->kernel, 1, turned, turned},
                                .x = io->dy,
                                .y = io->dx,
                                .w = io->packed + weights};
    io->kernels->conv(&dx);
}

static void geometry(const void *state, size_t *kernel, size_t *padding, size_t *stride) {
    const struct conv *s = state;
    *kernel = s->kernel;
    *padding = before(s);
    *stride = 1;
}

static const struct layer_ops *fuse(const void *state, const struct layer_ops *previous,
                                    const struct layer_sizes *previous_sizes) {
    const struct conv *s = state;
    const bool doubled = previous == &layer_upsample && previous_sizes->spread == 2;
    return doubled && s->kernel == 3 && !s->valid ? &layer_upconv : NULL;
}

static const char *const examples[] = {"conv 5",
                                       "conv 4 relu",
                                       "conv 3 sigmoid",
                                       "conv 1 k=1",
                                       "conv 7 k=2 relu",
                                       "conv 2 pad=valid",
                                       "conv 6 k=5 relu",
                                       "conv 4 k=4",
                                       "conv 9 k=7",
                                       "conv 8 k=5 pad=valid relu",
                                       NULL};

const struct layer_ops layer_conv = {
    .name = "conv",
    .usage = usage,
    .examples = examples,
    .state_size = sizeof(struct conv),
    .parse = parse,
    .shape = shape,
    .tensor = tensor,
    .init = init,
    .pack = pack,
    .forward = forward,
    .backward = backward,
    .fuse = fuse,
    .geometry = geometry,
};
