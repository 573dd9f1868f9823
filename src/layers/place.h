/* place.h - what crop and pad share: a picture and the middle of a larger one. */
#ifndef CAELUM_LAYERS_PLACE_H
#define CAELUM_LAYERS_PLACE_H

#include "layers/layer.h"

struct place {
    size_t h, w; /* of the output */
};

/* Reads "H W". */
int place_parse(struct layer_args *args, struct place *s, const char *usage, struct caelum_error *err);
/* The h x w pixels in the middle; an odd remainder lies behind them. */
struct tensor place_middle(const struct tensor *large, size_t h, size_t w);

#endif
