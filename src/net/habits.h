/* habits.h - complaints about lines as people write them who know Keras or PyTorch, or who mistype, with the
 * line that they probably meant, in the words of docs/network.md. */
#ifndef CAELUM_NET_HABITS_H
#define CAELUM_NET_HABITS_H

#include "layers/layer.h"

/* Puts what was probably meant behind a complaint about a line that could not be read, if anything such is
 * known; returns `result`. */
int habits_suggest(const struct layer_line *line, int result, struct caelum_error *err);
/* CAELUM_EFORMAT for a line whose first word is no layer: what it may mean, or the layer's name that is
 * nearest, or all that there are. */
int habits_unknown(const struct layer_line *line, struct caelum_error *err);

#endif
