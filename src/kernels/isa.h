/* isa.h - the families of one instruction set and their table. Included once by each isa_*.c, after it
 * has defined VW and ISA. */
#include "base/rng.h"
#include "base/team.h"
#include "kernels/span.h"
#include "kernels/vector.h"

#include "kernels/activation_tmpl.c"
#include "kernels/color_tmpl.c"
#include "kernels/conv_tmpl.c"
#include "kernels/limits_tmpl.c"
#include "kernels/loss_tmpl.c"
#include "kernels/pointwise_tmpl.c"
#include "kernels/products_tmpl.c"

#include "kernels/channels_tmpl.c"

#include "kernels/rate_tmpl.c"
#include "kernels/resample_tmpl.c"
#include "kernels/upconv_tmpl.c"
#include "kernels/update_tmpl.c"
#include "kernels/winograd_tmpl.c"

#include "kernels/winograd4_tmpl.c"

#include "kernels/share_tmpl.c"

#include "kernels/winograd_dw_tmpl.c"

#define STRING2(a) #a
#define STRING(a) STRING2(a)

#define TABLE_alone(name) FN(name)
#define TABLE_shared(name) FN(shared_##name)

const struct kernels FN(kernels) = {
    .name = STRING(ISA),
    .lanes = LANES,
#define KERNEL(who, type, name, parameters) .name = TABLE_##who(name),
#include "kernels/kernels.def"
#undef KERNEL
};
