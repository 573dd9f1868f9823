/* svg_network.h - a network drawn as the sizes that its tensors have. */
#ifndef CAELUM_STUDY_SVG_NETWORK_H
#define CAELUM_STUDY_SVG_NETWORK_H

#include "base/error.h"

#include <stdio.h>

/* Boxes from left to right, the input first: as high as the tensor's rows, as wide as its channels. The
 * bottleneck is marked. Skips (save, add, concat) are arcs. id: unique in the page. */
void svg_network_write(FILE *to, const caelum_net *net, const char *title, const char *id);

#endif
