/* quantize.h - what the code's entropy coder (code/prior.h) has to know of the quantize layer. */
#ifndef CAELUM_LAYERS_QUANTIZE_H
#define CAELUM_LAYERS_QUANTIZE_H

#include "layers/layer.h"

enum quantize_training { QUANTIZE_DITHER, QUANTIZE_ROUND };

struct quantize {
    double step;
    size_t training; /* enum quantize_training */
};

extern const struct layer_ops layer_quantize;

/* Taps of the predictions' kernels, row by row from above to the left; the last is the pixel itself. */
enum { QUANTIZE_TAPS = 5 };

/* The layer's parameters for k channels, one after the other: two kernels [k][k][QUANTIZE_TAPS] and two
 * biases [k], of mean and scale. */
struct quantize_params {
    size_t mean, mean_bias, scale, scale_bias, all; /* offsets; all: their number */
};
static inline struct quantize_params quantize_params(size_t k) {
    const size_t n = k * k * QUANTIZE_TAPS;
    return (struct quantize_params){0, n, n + k, 2 * n + k, 2 * n + 2 * k};
}

#endif
