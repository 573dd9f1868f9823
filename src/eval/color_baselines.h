/* color_baselines.h - colorizers that are no networks: what a trained one has to beat, and what chroma of a
 * coarser grain would reach. They are measured by the same code as a model. */
#ifndef CAELUM_EVAL_COLOR_BASELINES_H
#define CAELUM_EVAL_COLOR_BASELINES_H

#include "base/error.h"
#include "base/pictures.h"

/* Fits on `train` and measures on `target`, both RGB of one size, the first n of caelum_color_baselines
 * (caelum.h says what they are). */
int color_baselines_measure(const struct pictures *train, const struct pictures *target, size_t n,
                            caelum_progress progress, void *cookie, struct caelum_color_baseline *list,
                            struct caelum_error *err);

#endif
