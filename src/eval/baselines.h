/* baselines.h - the figures of the best linear codes of one size, fitted on one split, measured on
 * another, and kept in a file so that they are computed once. */
#ifndef CAELUM_EVAL_BASELINES_H
#define CAELUM_EVAL_BASELINES_H

#include "base/error.h"
#include "base/pictures.h"

/* Global PCA with `numbers` numbers (fitted on `train` and its mirror images) and the KLTs of 4x4 and 8x8
 * blocks that come to exactly `numbers`. `cache` is the file in which the figures are kept under `key`,
 * which must name data, splits and size; a file with another key or a damaged one is replaced. */
int baselines_measure(const struct pictures *train, const struct pictures *target, size_t numbers,
                      const char *cache, const char *key, caelum_progress progress, void *cookie,
                      struct caelum_baseline *list, size_t capacity, size_t *count, struct caelum_error *err);

#endif
