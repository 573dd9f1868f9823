/* reshape.h - the values of one tensor in the order channel, row, column, read into another shape. */
#ifndef CAELUM_LAYERS_RESHAPE_H
#define CAELUM_LAYERS_RESHAPE_H

#include "layers/layer.h"

/* x and y have the same number of values and are not strided; borders may differ. */
void reshape_copy(const struct tensor *x, const struct tensor *y);

/* Plain memory for the values of `t`, as channels of one pixel. */
static inline struct tensor reshape_flat(const struct tensor *t, float *memory) {
    return (struct tensor){.data = memory,
                           .c = t->c * t->h * t->w,
                           .h = 1,
                           .w = 1,
                           .step = t->step,
                           .row = t->step,
                           .plane = t->step,
                           .idle = t->idle};
}

#endif
