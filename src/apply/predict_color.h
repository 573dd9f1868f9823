/* predict_color.h - a colorizer's chroma for many pictures of a set. */
#ifndef CAELUM_APPLY_PREDICT_COLOR_H
#define CAELUM_APPLY_PREDICT_COLOR_H

#include "model/pool.h"

/* CAELUM_EFORMAT unless the model is a colorizer for such pictures. */
int predict_color_check(const struct caelum_net *net, const struct pictures *pictures,
                        struct caelum_error *err);

/* U and V of pictures first to first + n - 1 into uv [n][2][h][w], times gain. Each gets `hints` hints: the
 * true colors of that many random pixels, others for each seed; they need a network that takes them. */
struct predict_color {
    const struct pictures *pictures;
    size_t first, n, hints;
    uint64_t seed;
    float gain;
};
int predict_color(struct engine *engine, const struct predict_color *job, float *uv,
                  struct caelum_error *err);

#endif
