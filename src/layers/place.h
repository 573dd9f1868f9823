/* place.h - what crop and pad share: a picture and the middle of a larger one. */
#ifndef CAELUM_LAYERS_PLACE_H
#define CAELUM_LAYERS_PLACE_H

#include "layers/layer.h"

struct place {
    size_t h, w; /* of the output */
};

/* "H W" */
extern const struct attribute place_attributes[];
/* The h x w pixels in the middle; an odd remainder is behind them. */
struct tensor place_middle(const struct tensor *large, size_t h, size_t w);

#endif
