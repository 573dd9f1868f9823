/* shuffle.h - what space_to_depth and depth_to_space share: one permutation, read either way. */
#ifndef CAELUM_LAYERS_SHUFFLE_H
#define CAELUM_LAYERS_SHUFFLE_H

#include "layers/layer.h"

struct shuffle {
    size_t n; /* side of a square */
};

/* "[N=2]" */
extern const struct attribute shuffle_attributes[];
/* wide[c][n i + a][n j + b] and deep[c n^2 + a n + b][i][j] are the same value; copies one to the other. */
void shuffle_copy(const struct shuffle *s, const struct kernels *kernels, const struct tensor *wide,
                  const struct tensor *deep, bool to_wide);

#endif
