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
#include "kernels/products_tmpl.c"
#include "kernels/rate_tmpl.c"
#include "kernels/resample_tmpl.c"
#include "kernels/upconv_tmpl.c"
#include "kernels/update_tmpl.c"
#include "kernels/winograd_tmpl.c"

#include "kernels/share_tmpl.c"

#define STRING2(a) #a
#define STRING(a) STRING2(a)

const struct kernels FN(kernels) = {
    .name = STRING(ISA),
    .lanes = LANES,
    .conv = FN(shared_conv),
    .conv_dw = FN(shared_conv_dw),
    .conv_db = FN(shared_conv_db),
    .upconv = FN(shared_upconv),
    .upconv_dx = FN(shared_upconv_dx),
    .upconv_dw = FN(shared_upconv_dw),
    .winograd = FN(shared_winograd),
    .winograd_dw = FN(shared_winograd_dw),
    .act = FN(shared_act),
    .act_grad = FN(shared_act_grad),
    .copy = FN(copy),
    .add = FN(add),
    .clear = FN(clear),
    .halo = FN(halo),
    .avgpool = FN(shared_avgpool),
    .avgpool_grad = FN(shared_avgpool_grad),
    .bilinear = FN(bilinear),
    .bilinear_grad = FN(bilinear_grad),
    .noise = FN(noise),
    .maxpool = FN(shared_maxpool),
    .maxpool_grad = FN(shared_maxpool_grad),
    .quantize = FN(quantize),
    .quantized = FN(quantized),
    .rate_grad = FN(rate_grad),
    .upsample = FN(shared_upsample),
    .upsample_grad = FN(shared_upsample_grad),
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
