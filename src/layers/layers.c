/* layers.c - the list of layers.def as an array, and rules of shape that several layers share. */
#include "layers/layer.h"

#define LAYER(name) extern const struct layer_ops layer_##name;
#include "layers/layers.def"
#undef LAYER

#define LAYER(name) &layer_##name,
static const struct layer_ops *const all[] = {
#include "layers/layers.def"
    NULL};
#undef LAYER

const struct layer_ops *const *layers_all(void) {
    return all;
}

int shape_pooled(struct shape in, size_t size, struct shape *out, struct caelum_error *err) {
    if (in.h < size || in.w < size)
        return caelum_fail(err, CAELUM_EFORMAT, "a %zux%zu picture is smaller than the %zux%zu window", in.h,
                           in.w, size, size);
    *out = (struct shape){in.c, in.h / size, in.w / size};
    return CAELUM_OK;
}
