/* color_metrics.c - the predicted chroma merged with the true luminance, and what separates the picture that
 * this gives from the truth: in U and V, in RGB, in Lab, in colorfulness. */
#include "metrics/color_metrics.h"

#include "base/color.h"
#include "metrics/metrics.h"

#include <math.h>

enum { THRESHOLDS = 151 }; /* of auc */

size_t color_metrics_scratch(size_t h, size_t w) {
    return h * w * 11; /* truth and merged in R, G, B, and what metrics_ssim needs */
}

/* Sums of rg = R - G and yb = (R + G) / 2 - B and of their squares, 0..255. */
struct opponent {
    double rg, yb, rg2, yb2;
};

static void add_opponent(struct opponent *o, const double rgb[3]) {
    const double rg = 255 * (rgb[0] - rgb[1]), yb = 255 * ((rgb[0] + rgb[1]) / 2 - rgb[2]);
    o->rg += rg, o->rg2 += rg * rg;
    o->yb += yb, o->yb2 += yb * yb;
}

/* Hasler & Suesstrunk, "Measuring colourfulness in natural images" (Human Vision and Electronic Imaging
 * VIII, 2003): sqrt(var rg + var yb) + 0.3 sqrt(mean rg ^2 + mean yb ^2). */
static double colorfulness(const struct opponent *o, double pixels) {
    const double rg = o->rg / pixels, yb = o->yb / pixels;
    const double variance = o->rg2 / pixels - rg * rg + o->yb2 / pixels - yb * yb;
    return sqrt(fmax(variance, 0)) + 0.3 * sqrt(rg * rg + yb * yb);
}

double color_metrics_colorfulness(const uint8_t *rgb, size_t pixels) {
    struct opponent sums = {0};
    for (size_t i = 0; i < pixels; i++) {
        double pixel[3];
        for (size_t c = 0; c < 3; c++) pixel[c] = rgb[3 * i + c] / 255.0;
        add_opponent(&sums, pixel);
    }
    return colorfulness(&sums, (double)pixels);
}

static double squared_distance(const double *a, const double *b) {
    const double d0 = a[0] - b[0], d1 = a[1] - b[1];
    return d0 * d0 + d1 * d1;
}

/* Whether a pixel counts for acc2 (by = 2) or acc5 (by = 5). */
static bool is_close(const double x[3], const double y[3], double by) {
    return fabs(rint(x[0]) - rint(y[0])) <= by && fabs(rint(x[1]) - rint(y[1])) <= 2.2 * by &&
           fabs(rint(x[2]) - rint(y[2])) <= 2.2 * by;
}

static void add_lab(const double truth[3], const double merged[3], struct color_error *e) {
    double x[3], y[3];
    color_rgb_to_lab(truth, x);
    color_rgb_to_lab(merged, y);
    const double reached = ceil(sqrt(squared_distance(x + 1, y + 1)));
    e->difference += color_ciede2000(x, y);
    e->within += reached < THRESHOLDS ? THRESHOLDS - (uint64_t)reached : 0;
    e->close2 += is_close(x, y, 2);
    e->close5 += is_close(x, y, 5);
}

/* One pixel; merged: filled in. */
static void add_pixel(const double truth[3], float u, float v, double merged[3], struct color_error *e) {
    static const double grey[2] = {0, 0};
    double yuv[3], got[3];
    color_rgb_to_yuv(truth, yuv);
    const double predicted[3] = {yuv[0], (double)u, (double)v};
    color_yuv_to_rgb(predicted, merged);
    for (int c = 0; c < 3; c++) {
        merged[c] = color_byte(merged[c]) / 255.0;
        const double d = merged[c] - truth[c];
        e->squared += d * d;
        e->absolute += fabs(d);
    }
    color_rgb_to_yuv(merged, got);
    e->chroma_float += squared_distance(predicted + 1, yuv + 1);
    e->chroma += squared_distance(got + 1, yuv + 1);
    e->chroma_grey += squared_distance(grey, yuv + 1);
    e->agree += (yuv[2] > yuv[1]) == (v > u);
    add_lab(truth, merged, e);
}

void color_metrics_picture(const uint8_t *truth, const float *chroma, size_t h, size_t w, double *scratch,
                           struct color_error *error) {
    const size_t plane = h * w;
    double *x = scratch, *y = scratch + 3 * plane, *rows = scratch + 6 * plane;
    struct color_error e = {0};
    struct opponent of_truth = {0}, of_merged = {0};
    for (size_t i = 0; i < plane; i++) {
        double rgb[3], merged[3];
        for (size_t c = 0; c < 3; c++) rgb[c] = truth[c * plane + i] / 255.0;
        add_pixel(rgb, chroma[i], chroma[plane + i], merged, &e);
        add_opponent(&of_truth, rgb);
        add_opponent(&of_merged, merged);
        for (size_t c = 0; c < 3; c++) x[c * plane + i] = rgb[c], y[c * plane + i] = merged[c];
    }
    for (size_t c = 0; c < 3; c++) e.ssim += metrics_ssim(x + c * plane, y + c * plane, h, w, rows) / 3;
    e.colorfulness = colorfulness(&of_merged, (double)plane);
    e.colorfulness_truth = colorfulness(&of_truth, (double)plane);
    *error = e;
}

void color_metrics_total(const struct color_error *errors, size_t n, size_t h, size_t w,
                         struct caelum_color_metrics *metrics) {
    const double count = (double)n, pixels = (double)(h * w), all = count * pixels;
    struct caelum_color_metrics m = {.count = n};
    double grey = 0;
    for (size_t i = 0; i < n; i++) {
        const struct color_error *e = &errors[i];
        m.uv_mse += e->chroma;
        m.uv_mse_float += e->chroma_float;
        grey += e->chroma_grey;
        m.rgb_mse += e->squared;
        m.psnr_mean += fmin(metrics_psnr(e->squared / (3 * pixels)), 100.0);
        m.ssim += e->ssim;
        m.mae += e->absolute;
        m.auc += (double)e->within;
        m.ciede2000 += e->difference;
        m.colorfulness += e->colorfulness;
        m.colorfulness_truth += e->colorfulness_truth;
        m.accuracy += (double)e->agree;
        m.acc2 += (double)e->close2;
        m.acc5 += (double)e->close5;
    }
    m.r2 = 1 - m.uv_mse / grey;
    m.uv_mse /= 2 * all;
    m.uv_mse_float /= 2 * all;
    m.rgb_mse /= 3 * all;
    m.psnr = metrics_psnr(m.rgb_mse);
    m.psnr_mean /= count;
    m.ssim /= count;
    m.mae /= 3 * all;
    m.auc /= THRESHOLDS * all;
    m.ciede2000 /= all;
    m.colorfulness /= count;
    m.colorfulness_truth /= count;
    m.accuracy /= all;
    m.acc2 /= all;
    m.acc5 /= all;
    *metrics = m;
}
