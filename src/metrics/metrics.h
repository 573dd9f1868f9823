/* metrics.h - how good a reconstruction is. One picture is measured alone, by a pure function, and the
 * pictures' figures are added in their order: any number of threads gives the same result.
 * docs/metrics.md says what each figure can and can't tell. */
#ifndef CAELUM_METRICS_METRICS_H
#define CAELUM_METRICS_METRICS_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/* Sums over one picture; ssim is the picture's mean. */
struct picture_error {
    double squared_float; /* of the output as it is */
    double squared;       /* of the output clamped to [0, 1] and rounded to 8 bit, in [0, 1] */
    double absolute;      /* likewise */
    double ssim;          /* likewise; NaN if the picture is smaller than the 11x11 window */
    uint32_t agree;       /* pixels whose first largest channel is the same in truth and output */
};

/* Measures one output against its truth, both [c][h][w]; truth in 0..255, output in any range but meant
 * to be in [0, 1]. `scratch` holds metrics_scratch(h, w) doubles. */
void metrics_picture(const uint8_t *truth, const float *output, size_t c, size_t h, size_t w, double *scratch,
                     struct picture_error *error);
size_t metrics_scratch(size_t h, size_t w);

/* The figures of n pictures of c * h * w numbers. */
void metrics_total(const struct picture_error *errors, size_t n, size_t c, size_t h, size_t w,
                   struct caelum_metrics *metrics);

/* SSIM of one channel of y against x, both [h][w] in [0, 1]; NaN if smaller than the 11x11 window. `scratch`
 * holds 5 * h * w doubles. */
double metrics_ssim(const double *x, const double *y, size_t h, size_t w, double *scratch);

/* -10 log10(mse) in dB. */
double metrics_psnr(double mse);

#endif
