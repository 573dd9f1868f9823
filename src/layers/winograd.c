/* winograd.c - a 3x3 convolution of stride 1 by Winograd's method, which the plan puts in the place of `conv`
 * where it is faster. Agrees with it to rounding (kernels/winograd_tmpl.c). */
#include "layers/conv.h"

static struct conv_shape window_shape(const struct conv *s) {
    const ptrdiff_t pad = s->valid ? 0 : 1;
    return (struct conv_shape){3, 3, 1, pad, pad};
}

static size_t most(size_t a, size_t b) {
    return a > b ? a : b;
}

static void sizes2(const void *state, struct shape in, struct shape out, struct step_sizes *sizes) {
    const struct conv *s = state;
    conv_sizes(state, in, out, sizes);
    sizes->macs = sizes->macs * 4 / 9;
    sizes->packed = 2 * 16 * s->k * in.c;
    sizes->scratch = most(winograd_scratch(in.c, s->k), winograd_dw_scratch(in.c, 2));
}

static void pack(const void *state, struct shape in, const float *params, float *packed) {
    const struct conv *s = state;
    winograd_pack(params, s->k, in.c, false, packed);
    winograd_pack(params, s->k, in.c, true, packed + 16 * s->k * in.c);
}

static struct conv_job forward_job(const struct layer_io *io, const struct tensor *linear) {
    const struct conv *s = io->state;
    return (struct conv_job){.shape = window_shape(s),
                             .x = io->x,
                             .y = *linear,
                             .w = io->packed,
                             .bias = io->params + s->k * io->channels * 9,
                             .relu = s->act == ACT_relu};
}

static void forward(const struct layer_io *io) {
    const struct conv *s = io->state;
    const struct tensor linear = activation_linear(s->act, &io->y, io->saved);
    const struct conv_job job = forward_job(io, &linear);
    io->kernels->winograd(&job, io->scratch);
    activation_forward(s->act, io, &linear);
}

static void weight_gradient(const struct layer_io *io, size_t side) {
    conv_backward(io);
    const struct conv_dw_job dw = {
        .shape = window_shape(io->state), .x = io->x, .dy = io->dy, .dw = io->grads, .next = io->next};
    io->kernels->winograd_dw(&dw, side, io->scratch);
}

static void backward(const struct layer_io *io) {
    const struct conv *s = io->state;
    weight_gradient(io, 2);
    if (!io->dx.data) return;
    /* turned by 180 degrees, a kernel of three reaches back over what padding it does not have */
    const ptrdiff_t pad = s->valid ? 2 : 1;
    const struct conv_job dx = {
        .shape = {3, 3, 1, pad, pad}, .x = io->dy, .y = io->dx, .w = io->packed + 16 * s->k * io->x.c};
    io->kernels->winograd(&dx, io->scratch);
}

/* Even sides, so that tiles of 2x2 fill the picture (and a picture in lanes is cut between them); channels
 * that fill the tiles of products, and enough of them to pay for the transforms (docs/results/speed.md). */
bool conv_winograd(const struct conv *s, struct shape in) {
    return s->kernel == 3 && s->stride == 1 && in.h % 2 == 0 && in.w % 2 == 0 && in.c % 4 == 0 &&
           s->k % 4 == 0 && in.c * s->k >= 512;
}

/* --- Tiles of 4x4 outputs ------------------------------------------------------------------------- */

static void sizes4(const void *state, struct shape in, struct shape out, struct step_sizes *sizes) {
    const struct conv *s = state;
    conv_sizes(state, in, out, sizes);
    sizes->macs /= 4;
    sizes->packed = 36 * s->k * in.c + winograd4_weights(s->k, in.c);
    sizes->scratch = most(winograd4_scratch(in.c, s->k), winograd_dw_scratch(in.c, 4));
}

static void pack4(const void *state, struct shape in, const float *params, float *packed) {
    const struct conv *s = state;
    winograd4_pack(params, s->k, in.c, false, packed);
    winograd4_pack(params, s->k, in.c, true, packed + 36 * s->k * in.c);
}

static void pack4_by_channels(const void *state, struct shape in, float *packed) {
    const struct conv *s = state;
    winograd4_by_channels(packed, s->k, in.c, packed + 36 * s->k * in.c);
}

static void forward4(const struct layer_io *io) {
    const struct conv *s = io->state;
    const struct tensor linear = activation_linear(s->act, &io->y, io->saved);
    const struct conv_job job = forward_job(io, &linear);
    io->kernels->winograd4(&job, io->scratch);
    activation_forward(s->act, io, &linear);
}

static void by_channels4(const struct layer_io *io) {
    const struct conv *s = io->state;
    const struct tensor linear = activation_linear(s->act, &io->y, io->saved);
    struct conv_job job = forward_job(io, &linear);
    job.in = io->channels, job.out = s->k;
    job.w += 36 * s->k * io->channels;
    io->kernels->winograd4(&job, io->scratch);
    activation_forward(s->act, io, &linear);
}

static void backward4(const struct layer_io *io) {
    const struct conv *s = io->state;
    weight_gradient(io, 4);
    if (!io->dx.data) return;
    const struct conv_job dx = {
        .shape = {3, 3, 1, 1, 1}, .x = io->dy, .y = io->dx, .w = io->packed + 36 * s->k * io->x.c};
    io->kernels->winograd4(&dx, io->scratch);
}

/* Tiles of 4x4 outputs fill the picture, forward and backward. */
bool conv_winograd4(const struct conv *s, struct shape in) {
    return conv_winograd(s, in) && !s->valid && in.h % 4 == 0 && in.w % 4 == 0;
}

const struct step_ops step_winograd4 = {
    .name = "winograd4",
    .sizes = sizes4,
    .pack = pack4,
    .forward = forward4,
    .backward = backward4,
    .by_channels = by_channels4,
    .pack_by_channels = pack4_by_channels,
    .settle = conv_settle,
};

const struct step_ops step_winograd = {
    .name = "winograd",
    .sizes = sizes2,
    .pack = pack,
    .forward = forward,
    .backward = backward,
    .settle = conv_settle,
};
