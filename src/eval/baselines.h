/* baselines.h - the figures of linear codes on a split, each measured once. */
#ifndef CAELUM_EVAL_BASELINES_H
#define CAELUM_EVAL_BASELINES_H

#include "data/data.h"

/* PCA, fitted on the train split and its mirror images, with numbers[i] numbers on a split: metrics[i]. One
 * fit serves all that are not known yet. */
int baselines_pca(const struct caelum_data *data, enum caelum_split split, const size_t *numbers,
                  size_t count, struct caelum_metrics *metrics, struct caelum_error *err);

#endif
