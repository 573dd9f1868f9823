/* upconv.c - `upsample 2` and `conv k=3 pad=same` in one, which the plan puts in their place.
 *
 * A 3x3 window over doubled pixels sees only 2x2 different ones, and which ones depends on whether the
 * output's row and column are even or odd. So each of the four phases (p, q) is a 2x2 convolution at the
 * low resolution, 16 multiply-adds a pixel instead of 36, whose weights are sums of the nine:
 *
 *   phase 0 (even): tap 0 <- {0}, tap 1 <- {1, 2}, first input row i - 1
 *   phase 1 (odd):  tap 0 <- {0, 1}, tap 1 <- {2}, first input row i
 *
 * and likewise for columns. Row r of the input feeds output rows 2r - 1 ... 2r + 2, so its gradient is one
 * 4x4 convolution of dy with stride 2; the weights' gradient is collected phase by phase and added to
 * every one of the nine that a tap is the sum of. */
#include "layers/conv.h"

#include <string.h>

/* The first and last of the three taps that tap t of phase p sums. */
static size_t first_of(size_t p, size_t t) {
    return t == 0 ? 0 : p == 0 ? 1 : 2;
}
static size_t last_of(size_t p, size_t t) {
    return t == 1 ? 2 : p == 0 ? 0 : 1;
}

/* Weight of taps (a, b) of phase (p, q), from the nine of one kernel. */
static float folded(const float w[9], size_t p, size_t q, size_t a, size_t b) {
    float sum = 0;
    for (size_t u = first_of(p, a); u <= last_of(p, a); u++)
        for (size_t v = first_of(q, b); v <= last_of(q, b); v++) sum += w[u * 3 + v];
    return sum;
}

static int shape(const void *state, struct shape in, struct shape *out, struct layer_sizes *sizes,
                 struct caelum_error *err) {
    const struct conv *s = state;
    (void)err;
    *out = (struct shape){s->k, 2 * in.h, 2 * in.w};
    *sizes = (struct layer_sizes){.params = s->k * in.c * 9 + s->k,
                                  .packed = 2 * s->k * in.c * 16,
                                  .scratch = MOST_LANES / SUM_LANES * s->k * in.c * 4,
                                  .saved = activation_saved(s->act, *out),
                                  .macs = s->k * in.c * 16 * in.h * in.w,
                                  .pad_x = 1,
                                  .pad_dy = 1};
    return CAELUM_OK;
}

/* Four packed 2x2 kernels, then the packed 4x4 kernel of the gradient. */
static void pack(const void *state, struct shape in, const float *params, float *packed) {
    const struct conv *s = state;
    /* tap r of the gradient's kernel is tap[r] of phase[r]: output row 2r' - 1 + r */
    static const size_t phase[4] = {1, 0, 1, 0}, tap[4] = {1, 1, 0, 0};
    for (size_t pq = 0; pq < 4; pq++)
        for (size_t k0 = 0; k0 < s->k; k0 += CONV_GROUP)
            for (size_t c = 0; c < in.c; c++)
                for (size_t ab = 0; ab < 4; ab++)
                    for (size_t k = k0; k < k0 + CONV_GROUP && k < s->k; k++)
                        *packed++ = folded(params + (k * in.c + c) * 9, pq / 2, pq % 2, ab / 2, ab % 2);
    for (size_t c0 = 0; c0 < in.c; c0 += CONV_GROUP)
        for (size_t k = 0; k < s->k; k++)
            for (size_t rs = 0; rs < 16; rs++)
                for (size_t c = c0; c < c0 + CONV_GROUP && c < in.c; c++)
                    *packed++ = folded(params + (k * in.c + c) * 9, phase[rs / 4], phase[rs % 4], tap[rs / 4],
                                       tap[rs % 4]);
}

/* The pixels of one phase of a tensor at the high resolution. */
static struct tensor phase_view(const struct tensor *t, size_t p, size_t q) {
    struct tensor view = *t;
    view.data = t->data + p * t->row + q * t->step;
    view.h = t->h / 2, view.w = t->w / 2;
    view.row = 2 * t->row, view.step = 2 * t->step;
    return view;
}

static struct conv_shape phase_shape(size_t p, size_t q) {
    return (struct conv_shape){2, 2, 1, 1 - (ptrdiff_t)p, 1 - (ptrdiff_t)q};
}

static void forward(const struct layer_io *io) {
    const struct conv *s = io->state;
    const size_t weights = s->k * io->x.c;
    const struct tensor linear = activation_linear(s->act, &io->y, io->saved);
    for (size_t pq = 0; pq < 4; pq++) {
        const struct conv_job job = {.shape = phase_shape(pq / 2, pq % 2),
                                     .x = io->x,
                                     .y = phase_view(&linear, pq / 2, pq % 2),
                                     .w = io->packed + pq * weights * 4,
                                     .bias = io->params + weights * 9,
                                     .relu = s->act == ACT_RELU};
        io->kernels->conv(&job);
    }
    activation_forward(s->act, io, &linear);
}

/* Adds a phase's gradient [k][c][2][2] to that of the nine taps. */
static void unfold(const float *phase, size_t kernels, size_t p, size_t q, float *grads) {
    for (size_t i = 0; i < kernels; i++, phase += 4, grads += 9)
        for (size_t ab = 0; ab < 4; ab++)
            for (size_t u = first_of(p, ab / 2); u <= last_of(p, ab / 2); u++)
                for (size_t v = first_of(q, ab % 2); v <= last_of(q, ab % 2); v++)
                    grads[u * 3 + v] += phase[ab];
}

static void backward(const struct layer_io *io) {
    const struct conv *s = io->state;
    const size_t weights = s->k * io->x.c, sums = io->kernels->lanes / SUM_LANES;
    const struct tensor linear = activation_linear(s->act, &io->y, io->saved);
    activation_backward(s->act, io, &linear);
    for (size_t pq = 0; pq < 4; pq++) {
        const struct conv_dw_job dw = {.shape = phase_shape(pq / 2, pq % 2),
                                       .x = io->x,
                                       .dy = phase_view(&io->dy, pq / 2, pq % 2),
                                       .dw = io->scratch,
                                       .next = weights * 4};
        memset(io->scratch, 0, sums * weights * 4 * sizeof(float));
        io->kernels->conv_dw(&dw);
        for (size_t i = 0; i < sums; i++)
            unfold(io->scratch + i * weights * 4, weights, pq / 2, pq % 2, io->grads + i * io->next);
    }
    io->kernels->conv_db(&io->dy, io->grads + weights * 9, io->next);
    if (!io->dx.data) return;
    const struct conv_job dx = {
        .shape = {4, 4, 2, 1, 1}, .x = io->dy, .y = io->dx, .w = io->packed + weights * 16};
    io->kernels->conv(&dx);
}

const struct layer_ops layer_upconv = {
    .name = "upsample+conv",
    .shape = shape,
    .pack = pack,
    .forward = forward,
    .backward = backward,
};
