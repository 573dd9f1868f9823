/* predict_color.h - a colorizer's chroma for many pictures of a set, and its one dial: from the mean of the
 * likely colors, which is pale, to colors as strong as the truth's. */
#ifndef CAELUM_APPLY_PREDICT_COLOR_H
#define CAELUM_APPLY_PREDICT_COLOR_H

#include "model/pool.h"

/* The key of the metadata that hold a model's gain. */
#define COLORIZER_GAIN_KEY "vivid_gain"

/* CAELUM_EUSAGE unless vivid is from 0 to 1. */
int colorizer_gain_check(double vivid, struct caelum_error *err);
/* What chroma is multiplied by: from 1 to the model's gain, 2 if it has none. */
double colorizer_gain(const struct caelum_model *model, double vivid);

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
