/* layers.c - the list of layers.def as an array. */
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
