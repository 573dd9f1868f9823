/* lanes.h - for layers that do their arithmetic themselves, without a kernel of their own: plain loops over
 * the lanes of a pixel, which the compiler makes vectors of. They keep the kernels' promise of the same bits
 * everywhere (kernels.h): a lane is on its own, sums over lanes go by eights in one tree, and this folder is
 * compiled without fused multiply-adds. */
#ifndef CAELUM_LAYERS_LANES_H
#define CAELUM_LAYERS_LANES_H

#include "layers/layer.h"

/* The sum of a pixel's lanes as layer_io wants it in parameter gradients: lanes 0 to 7 are added to *to,
 * lanes 8 to 15 to to[next]; sums[] of the idle lanes at the end is taken as 0. */
static inline void lanes_add(float *sums, size_t lanes, size_t idle, float *to, size_t next) {
    for (size_t l = lanes - idle; l < lanes; l++) sums[l] = 0;
    for (size_t half = 0; half < lanes / SUM_LANES; half++) {
        const float *s = sums + half * SUM_LANES;
        const float a = s[0] + s[4], b = s[1] + s[5], c = s[2] + s[6], d = s[3] + s[7];
        to[half * next] += (a + c) + (b + d);
    }
}

#endif
