/* layers.c - the list of layers.def as an array, and what several layers share. */
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

size_t layer_tensor_values(const struct layer_tensor *tensor) {
    size_t values = 1;
    for (size_t i = 0; i < tensor->dims; i++)
        if (__builtin_mul_overflow(values, tensor->dim[i], &values)) return SIZE_MAX;
    return values;
}

size_t layer_params(const struct layer_ops *ops, const void *state, struct shape in) {
    struct layer_tensor tensor;
    size_t params = 0;
    for (size_t i = 0; ops->tensor && ops->tensor(state, in, i, &tensor); i++)
        if (__builtin_add_overflow(params, layer_tensor_values(&tensor), &params)) return SIZE_MAX;
    return params;
}

int shape_pooled(struct shape in, size_t size, struct shape *out, struct layer_reach *reach,
                 struct caelum_error *err) {
    if (in.h < size || in.w < size)
        return caelum_fail(err, CAELUM_EFORMAT, "a %zux%zu picture is smaller than the %zux%zu window", in.h,
                           in.w, size, size);
    *out = (struct shape){in.c, in.h / size, in.w / size};
    *reach = (struct layer_reach){size, size, 1};
    return CAELUM_OK;
}
