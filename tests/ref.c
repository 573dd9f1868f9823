/* ref.c - naive double-precision reference. */
#include "ref.h"

#include <math.h>

/* The input pixel under a tap, or -1 if that is outside. */
static long under(const struct ref_conv *s, size_t c, size_t i, size_t j, size_t u, size_t v) {
    const long y = (long)(i * s->stride + u) - s->pad_y, x = (long)(j * s->stride + v) - s->pad_x;
    if (y < 0 || x < 0 || y >= (long)s->h || x >= (long)s->w) return -1;
    return ((long)c * (long)s->h + y) * (long)s->w + x;
}

void ref_conv(const struct ref_conv *s, const double *x, const double *w, const double *bias, double *y,
              double *magnitude) {
    for (size_t k = 0; k < s->k; k++)
        for (size_t i = 0; i < s->oh; i++)
            for (size_t j = 0; j < s->ow; j++) {
                double sum = bias ? bias[k] : 0, size = fabs(sum);
                for (size_t c = 0; c < s->c; c++)
                    for (size_t u = 0; u < s->kh; u++)
                        for (size_t v = 0; v < s->kw; v++) {
                            const long at = under(s, c, i, j, u, v);
                            const double term =
                                at < 0 ? 0 : w[((k * s->c + c) * s->kh + u) * s->kw + v] * x[at];
                            sum += term;
                            size += fabs(term);
                        }
                y[(k * s->oh + i) * s->ow + j] = sum;
                if (magnitude) magnitude[(k * s->oh + i) * s->ow + j] = size;
            }
}

void ref_conv_grad(const struct ref_conv *s, const double *x, const double *w, const double *dy, double *dx,
                   double *dw) {
    for (size_t i = 0; dx && i < s->c * s->h * s->w; i++) dx[i] = 0;
    for (size_t k = 0; k < s->k; k++)
        for (size_t i = 0; i < s->oh; i++)
            for (size_t j = 0; j < s->ow; j++)
                for (size_t c = 0; c < s->c; c++)
                    for (size_t u = 0; u < s->kh; u++)
                        for (size_t v = 0; v < s->kw; v++) {
                            const long at = under(s, c, i, j, u, v);
                            const size_t tap = ((k * s->c + c) * s->kh + u) * s->kw + v;
                            const double d = dy[(k * s->oh + i) * s->ow + j];
                            if (at < 0) continue;
                            if (dx) dx[at] += d * w[tap];
                            if (dw) dw[tap] += d * x[at];
                        }
}

void ref_deconv(const struct ref_conv *s, const double *x, const double *w, const double *bias, double *y) {
    for (size_t i = 0; i < s->k * s->oh * s->ow; i++) y[i] = bias ? bias[i / (s->oh * s->ow)] : 0;
    for (size_t c = 0; c < s->c; c++)
        for (size_t i = 0; i < s->h; i++)
            for (size_t j = 0; j < s->w; j++)
                for (size_t k = 0; k < s->k; k++)
                    for (size_t u = 0; u < s->kh; u++)
                        for (size_t v = 0; v < s->kw; v++) {
                            const long row = (long)(i * s->stride + u) - s->pad_y;
                            const long column = (long)(j * s->stride + v) - s->pad_x;
                            if (row < 0 || column < 0 || row >= (long)s->oh || column >= (long)s->ow)
                                continue;
                            y[((long)k * (long)s->oh + row) * (long)s->ow + column] +=
                                w[((c * s->k + k) * s->kh + u) * s->kw + v] * x[(c * s->h + i) * s->w + j];
                        }
}

void ref_maxpool(size_t c, size_t h, size_t w, size_t size, const double *x, double *y) {
    for (size_t k = 0; k < c; k++)
        for (size_t i = 0; i < h / size; i++)
            for (size_t j = 0; j < w / size; j++) {
                double most = -INFINITY;
                for (size_t u = 0; u < size; u++)
                    for (size_t v = 0; v < size; v++)
                        most = fmax(most, x[(k * h + i * size + u) * w + j * size + v]);
                *y++ = most;
            }
}

void ref_maxpool_grad(size_t c, size_t h, size_t w, size_t size, const double *x, const double *dy,
                      double *dx) {
    for (size_t i = 0; i < c * h * w; i++) dx[i] = 0;
    for (size_t k = 0; k < c; k++)
        for (size_t i = 0; i < h / size; i++)
            for (size_t j = 0; j < w / size; j++) {
                size_t best = (k * h + i * size) * w + j * size;
                for (size_t u = 0; u < size; u++)
                    for (size_t v = 0; v < size; v++) {
                        const size_t at = (k * h + i * size + u) * w + j * size + v;
                        if (x[at] > x[best]) best = at;
                    }
                dx[best] += *dy++;
            }
}

void ref_upsample(size_t c, size_t h, size_t w, size_t factor, const double *x, double *y) {
    for (size_t k = 0; k < c; k++)
        for (size_t i = 0; i < h * factor; i++)
            for (size_t j = 0; j < w * factor; j++) *y++ = x[(k * h + i / factor) * w + j / factor];
}

void ref_upsample_grad(size_t c, size_t h, size_t w, size_t factor, const double *dy, double *dx) {
    for (size_t i = 0; i < c * h * w; i++) dx[i] = 0;
    for (size_t k = 0; k < c; k++)
        for (size_t i = 0; i < h * factor; i++)
            for (size_t j = 0; j < w * factor; j++) dx[(k * h + i / factor) * w + j / factor] += *dy++;
}

double ref_relu(double x) {
    return x > 0 ? x : 0;
}
double ref_sigmoid(double x) {
    return 1 / (1 + exp(-x));
}
