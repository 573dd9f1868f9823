/* reshape.h - the values of one tensor in the order channel, row, column, read into another shape. */
#ifndef CAELUM_LAYERS_RESHAPE_H
#define CAELUM_LAYERS_RESHAPE_H

#include "layers/layer.h"

/* x and y have the same number of values; borders and strides may differ. */
void reshape_copy(const struct tensor *x, const struct tensor *y);

/* n values of one block in plain memory, as n channels of one pixel. */
static inline struct tensor reshape_flat(float *memory, size_t n) {
    return (struct tensor){
        .data = memory, .c = n, .h = 1, .w = 1, .step = LANES, .row = LANES, .plane = LANES};
}

#endif
