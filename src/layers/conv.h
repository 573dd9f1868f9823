/* conv.h - what conv.c and the fused forms of a convolution share. */
#ifndef CAELUM_LAYERS_CONV_H
#define CAELUM_LAYERS_CONV_H

#include "layers/layer.h"

struct conv {
    size_t k;      /* output channels */
    size_t kernel; /* K, rows and columns */
    size_t valid;  /* 0: pad=same, 1: pad=valid */
    enum activation act;
};

extern const struct layer_ops layer_upsample, layer_upconv;

#endif
