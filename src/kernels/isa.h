/* isa.h - the families of one instruction set and their table. Included once by each isa_*.c, after it
 * has defined VW and ISA. */
#include "base/rng.h"
#include "kernels/vector.h"

#include "kernels/activation_tmpl.c"
#include "kernels/color_tmpl.c"
#include "kernels/conv_tmpl.c"
#include "kernels/limits_tmpl.c"
#include "kernels/loss_tmpl.c"
#include "kernels/pointwise_tmpl.c"
#include "kernels/resample_tmpl.c"
#include "kernels/update_tmpl.c"
#include "kernels/products_tmpl.c"
#include "kernels/upconv_tmpl.c"
#include "kernels/winograd_tmpl.c"

#define STRING2(a) #a
#define STRING(a) STRING2(a)

const struct kernels FN(kernels) = {
    .name = STRING(ISA),
    .lanes = LANES,
    .conv = FN(conv),
    .conv_dw = FN(conv_dw),
    .conv_db = FN(conv_db),
    .upconv = FN(upconv),
    .upconv_dx = FN(upconv_dx),
    .upconv_dw = FN(upconv_dw),
    .winograd = FN(winograd),
    .winograd_dw = FN(winograd_dw),
    .act = FN(act),
    .act_grad = FN(act_grad),
    .copy = FN(copy),
    .add = FN(add),
    .clear = FN(clear),
    .halo = FN(halo),
    .avgpool = FN(avgpool),
    .avgpool_grad = FN(avgpool_grad),
    .bilinear = FN(bilinear),
    .bilinear_grad = FN(bilinear_grad),
    .noise = FN(noise),
    .maxpool = FN(maxpool),
    .maxpool_grad = FN(maxpool_grad),
    .upsample = FN(upsample),
    .upsample_grad = FN(upsample_grad),
    .load = FN(load),
    .store = FN(store),
    .to_yuv = FN(to_yuv),
    .loss = FN(loss),
    .sum = FN(sum),
    .adam = FN(adam),
    .sgd = FN(sgd),
    .rmsprop = FN(rmsprop),
    .approach = FN(approach),
    .add_scaled = FN(add_scaled),
    .peak = FN(peak),
};
