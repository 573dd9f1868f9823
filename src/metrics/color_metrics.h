/* color_metrics.h - how good predicted colors are. One picture is measured alone, by a pure function, and the
 * pictures' figures are added in their order: any number of threads gives the same result.
 * docs/metrics.md says what each figure can and can't tell. */
#ifndef CAELUM_METRICS_COLOR_METRICS_H
#define CAELUM_METRICS_COLOR_METRICS_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/* Sums over one picture's pixels; ssim and colorfulness are the picture's own figures. `merged` is the
 * truth's Y with the predicted U and V, clamped to [0, 1] and rounded to 8 bit. */
struct color_error {
    double chroma_float;                     /* dU^2 + dV^2 of the prediction as it is */
    double chroma;                           /* dU^2 + dV^2 of merged */
    double chroma_grey;                      /* U^2 + V^2 of the truth: what grey gets wrong */
    double squared, absolute;                /* of merged over R, G, B, in [0, 1] */
    double ssim;                             /* of merged; NaN if smaller than the 11x11 window */
    double difference;                       /* CIEDE2000 of merged */
    double colorfulness, colorfulness_truth; /* of merged and of the truth, 0..255 */
    uint64_t within;                         /* thresholds t = 0..150 that merged's (a*, b*) is within */
    uint64_t agree;                          /* pixels whose larger of U and V is the same, U where equal */
    uint64_t close2, close5;                 /* pixels within 2 and 5, see acc2 and acc5 in caelum.h */
};

/* Measures predicted chroma [2][h][w], U then V in natural units, against the truth [3][h][w], R, G, B in
 * 0..255. `scratch` holds color_metrics_scratch(h, w) doubles. */
void color_metrics_picture(const uint8_t *truth, const float *chroma, size_t h, size_t w, double *scratch,
                           struct color_error *error);
size_t color_metrics_scratch(size_t h, size_t w);

/* Colorfulness of a picture, [pixels][3], R, G, B in 0..255. */
double color_metrics_colorfulness(const uint8_t *rgb, size_t pixels);

/* The figures of n pictures of h * w pixels. */
void color_metrics_total(const struct color_error *errors, size_t n, size_t h, size_t w,
                         struct caelum_color_metrics *metrics);

#endif
