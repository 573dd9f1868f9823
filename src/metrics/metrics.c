/* metrics.c - squared and absolute error, agreement of the largest channel, SSIM.
 *
 * SSIM is that of Wang, Bovik, Sheikh & Simoncelli (IEEE Trans. Image Processing 13, 2004): weighted
 * means, variances and covariance in an 11x11 Gaussian window of sigma 1.5, only whole windows,
 * K1 = 0.01, K2 = 0.03, L = 1, mean over the channels; the same as tf.image.ssim. The window is
 * separable: rows first, then columns. */
#include "metrics/metrics.h"

#include "base/color.h"

#include <math.h>

enum { WINDOW = 11, MOMENTS = 5 }; /* x, y, xx, yy, xy */

size_t metrics_scratch(size_t h, size_t w) {
    return h * w * (2 + MOMENTS);
}

double metrics_psnr(double mse) {
    return -10.0 * log10(mse);
}

/* exp(-(i - 5)^2 / (2 * 1.5^2)), sum 1. */
static void gaussian(double weight[WINDOW]) {
    double sum = 0;
    for (int i = 0; i < WINDOW; i++) sum += weight[i] = exp(-(i - 5) * (i - 5) / (2 * 1.5 * 1.5));
    for (int i = 0; i < WINDOW; i++) weight[i] /= sum;
}

/* Moments of every row window: moment m of (row, column) at rows[(m * h + row) * w + column]. */
static void row_moments(const double *x, const double *y, size_t h, size_t w, const double *weight,
                        double *rows) {
    const size_t plane = h * w;
    for (size_t i = 0; i < h; i++)
        for (size_t j = 0; j + WINDOW <= w; j++) {
            double m[MOMENTS] = {0};
            for (size_t k = 0; k < WINDOW; k++) {
                const double a = x[i * w + j + k], b = y[i * w + j + k], g = weight[k];
                m[0] += g * a, m[1] += g * b, m[2] += g * a * a, m[3] += g * b * b, m[4] += g * a * b;
            }
            for (size_t k = 0; k < MOMENTS; k++) rows[k * plane + i * w + j] = m[k];
        }
}

double metrics_ssim(const double *x, const double *y, size_t h, size_t w, double *rows) {
    const double c1 = 0.01 * 0.01, c2 = 0.03 * 0.03;
    double weight[WINDOW], sum = 0;
    if (h < WINDOW || w < WINDOW) return NAN;
    gaussian(weight);
    row_moments(x, y, h, w, weight, rows);
    for (size_t i = 0; i + WINDOW <= h; i++)
        for (size_t j = 0; j + WINDOW <= w; j++) {
            double m[MOMENTS] = {0};
            for (size_t k = 0; k < WINDOW; k++)
                for (size_t q = 0; q < MOMENTS; q++) m[q] += weight[k] * rows[q * h * w + (i + k) * w + j];
            const double xx = m[2] - m[0] * m[0], yy = m[3] - m[1] * m[1], xy = m[4] - m[0] * m[1];
            sum +=
                (2 * m[0] * m[1] + c1) * (2 * xy + c2) / ((m[0] * m[0] + m[1] * m[1] + c1) * (xx + yy + c2));
        }
    return sum / (double)((h - WINDOW + 1) * (w - WINDOW + 1));
}

static uint32_t count_agreement(const uint8_t *truth, const float *output, size_t c, size_t plane) {
    uint32_t agree = 0;
    for (size_t i = 0; i < plane; i++) {
        size_t best_t = 0, best_y = 0;
        for (size_t k = 1; k < c; k++) {
            if (truth[k * plane + i] > truth[best_t * plane + i]) best_t = k;
            if (output[k * plane + i] > output[best_y * plane + i]) best_y = k;
        }
        agree += best_t == best_y;
    }
    return agree;
}

void metrics_picture(const uint8_t *truth, const float *output, size_t c, size_t h, size_t w, double *scratch,
                     struct picture_error *error) {
    const size_t plane = h * w;
    double *x = scratch, *y = scratch + plane, *rows = scratch + 2 * plane;
    struct picture_error e = {.agree = count_agreement(truth, output, c, plane)};
    for (size_t k = 0; k < c; k++) {
        for (size_t i = 0; i < plane; i++) {
            const double t = truth[k * plane + i], raw = (double)output[k * plane + i] - t / 255;
            const double rounded = color_byte((double)output[k * plane + i]), d = (rounded - t) / 255;
            e.squared_float += raw * raw;
            e.squared += d * d;
            e.absolute += fabs(d);
            x[i] = t / 255;
            y[i] = rounded / 255;
        }
        e.ssim += metrics_ssim(x, y, h, w, rows) / (double)c;
    }
    *error = e;
}

void metrics_total(const struct picture_error *errors, size_t n, size_t c, size_t h, size_t w,
                   struct caelum_metrics *metrics) {
    const double values = (double)(c * h * w), count = (double)n;
    struct caelum_metrics m = {.count = n};
    for (size_t i = 0; i < n; i++) {
        const struct picture_error *e = &errors[i];
        m.mse += e->squared;
        m.mse_float += e->squared_float;
        m.mae += e->absolute;
        m.ssim += e->ssim;
        m.accuracy += e->agree;
        m.psnr_mean += fmin(metrics_psnr(e->squared / values), 100.0);
    }
    m.mse /= count * values;
    m.mse_float /= count * values;
    m.mae /= count * values;
    m.ssim /= count;
    m.accuracy /= count * (double)(h * w);
    m.psnr_mean /= count;
    m.psnr = metrics_psnr(m.mse);
    *metrics = m;
}
