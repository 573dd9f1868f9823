/* ref.h - the truth for the tests: every kernel's arithmetic once more, in double, one picture at a time,
 * as plain loops over [channel][row][column]. Slow, obvious, and never optimised. */
#ifndef CAELUM_TESTS_REF_H
#define CAELUM_TESTS_REF_H

#include <stddef.h>

/* y[k][oh][ow], w[k][c][kh][kw], x[c][h][w]; pixels outside x count as 0. If `magnitude` is not NULL it
 * receives the same sum over absolute values: the scale of a rounding error. */
struct ref_conv {
    size_t c, h, w, k, oh, ow, kh, kw, stride;
    long pad_y, pad_x;
};
void ref_conv(const struct ref_conv *s, const double *x, const double *w, const double *bias, double *y,
              double *magnitude);
/* dx[c][h][w], overwritten, and dw[k][c][kh][kw], added to. Either may be NULL. */
void ref_conv_grad(const struct ref_conv *s, const double *x, const double *w, const double *dy, double *dx,
                   double *dw);
/* Transposed convolution, each input pixel scattered where its weights reach: x[c][h][w], w[c][k][kh][kw],
 * y[k][oh][ow], which starts as bias (NULL: 0); pad_y rows and pad_x columns are cut off in front of y, and
 * what is beyond its end is dropped. */
void ref_deconv(const struct ref_conv *s, const double *x, const double *w, const double *bias, double *y);

/* Largest of each size x size window; rest rows and columns are dropped. */
void ref_maxpool(size_t c, size_t h, size_t w, size_t size, const double *x, double *y);
/* The gradient goes to the first largest pixel. */
void ref_maxpool_grad(size_t c, size_t h, size_t w, size_t size, const double *x, const double *dy,
                      double *dx);

void ref_upsample(size_t c, size_t h, size_t w, size_t factor, const double *x, double *y);
void ref_upsample_grad(size_t c, size_t h, size_t w, size_t factor, const double *dy, double *dx);

double ref_relu(double x);
double ref_sigmoid(double x);

#endif
