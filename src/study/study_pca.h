/* study_pca.h - the curve that networks are held against: error of PCA for several sizes from one fit. */
#ifndef CAELUM_STUDY_STUDY_PCA_H
#define CAELUM_STUDY_STUDY_PCA_H

#include "base/pictures.h"
#include "study/study_figures.h"

/* Fills the mse of each point: PCA with point[i].numbers numbers, fitted on `train`, measured on `test`.
 * `cache` is a file that keeps the points under `key`, which must name the data and the splits. */
int study_pca_measure(const struct pictures *train, const struct pictures *test, const char *cache,
                      const char *key, struct study_pca *point, size_t count, struct caelum_error *err);

#endif
