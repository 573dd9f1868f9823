/* window.h - a strided convolution as a linear map A from a big picture to a small one, and its adjoint.
 *
 *   A:    small[a][i][j] = sum over b, u, v of w[a][b][u][v] big[b][i s + u - p][j s + v - q]
 *   A^T:  big[b][i s + u - p][j s + v - q] += w[a][b][u][v] small[a][i][j]
 *
 * A convolution layer runs A forward and A^T backward, a transposed convolution the other way round; the
 * gradient of the weights is the same for both. Weights are [a][b][K][K], a channels of the small picture,
 * b of the big one. */
#ifndef CAELUM_LAYERS_WINDOW_H
#define CAELUM_LAYERS_WINDOW_H

#include "layers/layer.h"

struct window {
    size_t kernel, stride; /* K, s */
    size_t pad_y, pad_x;   /* p, q: zeros before the big picture */
    size_t big_h, big_w;   /* its size */
    size_t small_h, small_w;
};

/* Keras's padding "same" for a big side of n: ceil(n / s) outputs, the odd zero at the end. */
size_t window_same_before(size_t n, size_t small, size_t kernel, size_t stride);

/* Zeros that must stand around the big picture for A, and around the small one for A^T. */
size_t window_border_big(const struct window *w);
size_t window_border_small(const struct window *w);

/* Weights in the order in which A, or A^T, reads them: a * b * K * K floats. */
void window_pack(const struct window *w, size_t a, size_t b, const float *weights, float *packed);
void window_pack_adjoint(const struct window *w, size_t a, size_t b, const float *weights, float *packed);

/* small = A big + bias and big = A^T small + bias, then ReLU if asked; bias may be NULL. Every pixel of the
 * result is written. */
void window_apply(const struct window *w, const struct kernels *kernels, const struct tensor *big,
                  const struct tensor *small, const float *packed, const float *bias, int relu);
void window_apply_adjoint(const struct window *w, const struct kernels *kernels, const struct tensor *small,
                          const struct tensor *big, const float *packed, const float *bias, int relu);

/* dw[a][b][K][K] += small[a] correlated with big[b]: the gradient of <small, A big>; lanes 8 to 15 go to
 * dw + next. */
void window_grad(const struct window *w, const struct kernels *kernels, const struct tensor *big,
                 const struct tensor *small, float *dw, size_t next);

#endif
