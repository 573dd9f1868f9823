/* color_baselines.h - colorizers that are no networks: what a trained one has to beat, and what chroma of a
 * coarser grain would reach. They are measured by the same code as a model. */
#ifndef CAELUM_EVAL_COLOR_BASELINES_H
#define CAELUM_EVAL_COLOR_BASELINES_H

#include "base/error.h"
#include "base/pictures.h"

/* Fits on `train` and measures on `target`, both RGB of one size, the first `capacity` of
 * caelum_color_baselines (caelum.h says what they are). `cache` is the file in which the figures are kept
 * under `key`, which must name data and splits; a file with another key, a damaged one, or one with fewer
 * baselines is replaced. */
int color_baselines_measure(const struct pictures *train, const struct pictures *target, const char *cache,
                            const char *key, caelum_progress progress, void *cookie,
                            struct caelum_color_baseline *list, size_t capacity, size_t *count,
                            struct caelum_error *err);

#endif
