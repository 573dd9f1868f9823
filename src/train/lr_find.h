/* lr_find.h - what a learning rate range test finds. */
#ifndef CAELUM_TRAIN_LR_FIND_H
#define CAELUM_TRAIN_LR_FIND_H

#include "base/error.h"

/* The step size at which the smoothed loss falls fastest against log lr, measured over 5 points to either
 * side and not before point 10; 0 if it falls nowhere. */
double lr_find_steepest(const struct caelum_lr_point *points, size_t count);

#endif
