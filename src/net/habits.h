/* habits.h - lines as people write them who know Keras or PyTorch, in the words of docs/network.md. */
#ifndef CAELUM_NET_HABITS_H
#define CAELUM_NET_HABITS_H

#include "layers/layer.h"

/* Fills text with what a line that could not be read most likely means: a line that can be read, in place of
 * `args` and with what was saved before it. False if nothing such is known. */
bool habits_line(const struct layer_args *args, char text[256]);

#endif
