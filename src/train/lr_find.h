/* lr_find.h - the learning rate range test (Smith, "Cyclical learning rates for training neural networks",
 * WACV 2017): train with a step size that grows from batch to batch, and watch where the loss falls fastest
 * and where it explodes. */
#ifndef CAELUM_TRAIN_LR_FIND_H
#define CAELUM_TRAIN_LR_FIND_H

#include "train/trainer.h"

/* Trains a freshly opened trainer for up to CAELUM_LR_POINTS minibatches of `train`, in the order that
 * epochs of a run with this seed take. The step size grows by one factor a batch from 1e-7 to 10. The loss is
 * smoothed by a running mean of decay 0.9, divided by 1 - 0.9^batches, so that it starts unbiased; when it is
 * above 4 times its lowest, or not finite, the test is over. `on_batch` (may be NULL) is told the batches
 * done; non-zero stops with CAELUM_ESTOPPED. */
int lr_find_run(struct trainer *trainer, const struct pictures *train, uint64_t seed,
                int (*on_batch)(void *cookie, size_t done), void *cookie, struct caelum_lr_find *found,
                struct caelum_error *err);

/* The step size at which the smoothed loss falls fastest against log lr, measured over 5 points to either
 * side and not before point 10; 0 if it falls nowhere. */
double lr_find_steepest(const struct caelum_lr_point *points, size_t count);

#endif
