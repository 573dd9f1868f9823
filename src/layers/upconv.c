/* upconv.c - `upsample 2` and `conv k=3 pad=same` in one, which the plan puts in their place: 9 products for
 * each pixel of the small picture instead of 36 (kernels/upconv_tmpl.c). */
#include "layers/conv.h"

static void sizes(const void *state, struct shape in, struct shape out, struct step_sizes *sizes) {
    const struct conv *s = state;
    *sizes = (struct step_sizes){.packed = 2 * s->k * in.c * 9,
                                 .scratch = upconv_scratch(in.c, s->k, in.w),
                                 .saved = activation_saved(s->act, out),
                                 .macs = s->k * in.c * 9 * in.h * in.w,
                                 .pad_x = 1,
                                 .pad_dy = 1};
}

static void pack(const void *state, struct shape in, const float *params, float *packed) {
    const struct conv *s = state;
    upconv_pack(params, s->k, in.c, packed);
    upconv_pack_adjoint(params, s->k, in.c, packed + s->k * in.c * 9);
}

static void forward(const struct layer_io *io) {
    const struct conv *s = io->state;
    const struct tensor linear = activation_linear(s->act, &io->y, io->saved);
    const struct conv_job job = {.x = io->x,
                                 .y = linear,
                                 .w = io->packed,
                                 .bias = io->params + s->k * io->x.c * 9,
                                 .relu = s->act == ACT_relu};
    io->kernels->upconv(&job, io->scratch);
    activation_forward(s->act, io, &linear);
}

static void backward(const struct layer_io *io) {
    const struct conv *s = io->state;
    conv_backward(io);
    const struct conv_dw_job dw = {.x = io->x, .dy = io->dy, .dw = io->grads, .next = io->next};
    io->kernels->upconv_dw(&dw, io->scratch);
    if (!io->dx.data) return;
    const struct conv_job dx = {.x = io->dy, .y = io->dx, .w = io->packed + s->k * io->x.c * 9};
    io->kernels->upconv_dx(&dx, io->scratch);
}

const struct step_ops step_upconv = {
    .name = "upsample+conv",
    .sizes = sizes,
    .pack = pack,
    .forward = forward,
    .backward = backward,
    .settle = conv_settle,
};
