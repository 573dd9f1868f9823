/* window.c - a strided convolution and its adjoint over the one convolution kernel.
 *
 * The adjoint goes phase by phase: the big picture's rows that are r modulo the stride (counted with the
 * padding) take only the taps u = r, r + s, ..., from neighbouring small rows. So each of the s x s phases
 * is an ordinary convolution of the small picture with a few of the taps, written to every s-th pixel, and
 * no multiply-add is spent on zeros in between. With stride 1 there is one phase: the turned kernel. */
#include "layers/window.h"

size_t window_same_before(size_t n, size_t small, size_t kernel, size_t stride) {
    const size_t covered = (small - 1) * stride + kernel;
    return covered > n ? (covered - n) / 2 : 0;
}

/* One phase along one axis. */
struct phase {
    size_t taps;   /* how many of the kernel's */
    size_t first;  /* big pixel with which it starts */
    size_t count;  /* its pixels */
    ptrdiff_t pad; /* output t reads small pixels t - pad ... t - pad + taps - 1 */
};

static struct phase find_phase(size_t r, size_t kernel, size_t stride, size_t pad, size_t big) {
    struct phase p = {.taps = r < kernel ? (kernel - r + stride - 1) / stride : 0};
    p.first = (r + stride * pad - pad) % stride;
    p.count = big > p.first ? (big - p.first + stride - 1) / stride : 0;
    const ptrdiff_t base = ((ptrdiff_t)(p.first + pad) - (ptrdiff_t)r) / (ptrdiff_t)stride;
    p.pad = (ptrdiff_t)p.taps - 1 - base;
    return p;
}

static size_t larger(ptrdiff_t a, ptrdiff_t b) {
    const ptrdiff_t most = a > b ? a : b;
    return most > 0 ? (size_t)most : 0;
}

/* Zeros that A needs before or behind an axis of the big picture. */
static size_t border_big(size_t kernel, size_t stride, size_t pad, size_t big, size_t small) {
    const size_t last = (small - 1) * stride + kernel - 1;
    return larger((ptrdiff_t)pad, (ptrdiff_t)last - (ptrdiff_t)pad - (ptrdiff_t)(big - 1));
}

static size_t border_small(size_t kernel, size_t stride, size_t pad, size_t big, size_t small) {
    size_t most = 0;
    for (size_t r = 0; r < stride; r++) {
        const struct phase p = find_phase(r, kernel, stride, pad, big);
        if (p.taps == 0 || p.count == 0) continue;
        const ptrdiff_t last = (ptrdiff_t)(p.count - 1 + p.taps - 1) - p.pad;
        most = larger((ptrdiff_t)most, (ptrdiff_t)larger(p.pad, last - (ptrdiff_t)(small - 1)));
    }
    return most;
}

size_t window_border_big(const struct window *w) {
    return larger((ptrdiff_t)border_big(w->kernel, w->stride, w->pad_y, w->big_h, w->small_h),
                  (ptrdiff_t)border_big(w->kernel, w->stride, w->pad_x, w->big_w, w->small_w));
}

size_t window_border_small(const struct window *w) {
    return larger((ptrdiff_t)border_small(w->kernel, w->stride, w->pad_y, w->big_h, w->small_h),
                  (ptrdiff_t)border_small(w->kernel, w->stride, w->pad_x, w->big_w, w->small_w));
}

void window_pack(const struct window *w, size_t a, size_t b, const float *weights, float *packed) {
    conv_pack(weights, a, b, w->kernel * w->kernel, packed);
}

/* The taps of phase (r, q), last first, with the channels exchanged; returns where the next phase goes. */
static float *pack_phase(size_t kernel, size_t stride, size_t r, size_t q, size_t a, size_t b,
                         const float *weights, float *packed) {
    const size_t rows = r < kernel ? (kernel - r + stride - 1) / stride : 0;
    const size_t columns = q < kernel ? (kernel - q + stride - 1) / stride : 0;
    for (size_t b0 = 0; b0 < b; b0 += CONV_GROUP)
        for (size_t ai = 0; ai < a; ai++)
            for (size_t t = 0; t < rows * columns; t++) {
                const size_t u = r + (rows - 1 - t / columns) * stride;
                const size_t v = q + (columns - 1 - t % columns) * stride;
                for (size_t bi = b0; bi < b0 + CONV_GROUP && bi < b; bi++)
                    *packed++ = weights[((ai * b + bi) * kernel + u) * kernel + v];
            }
    return packed;
}

void window_pack_adjoint(const struct window *w, size_t a, size_t b, const float *weights, float *packed) {
    for (size_t r = 0; r < w->stride; r++)
        for (size_t q = 0; q < w->stride; q++)
            packed = pack_phase(w->kernel, w->stride, r, q, a, b, weights, packed);
}

void window_apply(const struct window *w, const struct kernels *kernels, const struct tensor *big,
                  const struct tensor *small, const float *packed, const float *bias, int relu) {
    const struct conv_job job = {
        .shape = {w->kernel, w->kernel, w->stride, (ptrdiff_t)w->pad_y, (ptrdiff_t)w->pad_x},
        .x = *big,
        .y = *small,
        .w = packed,
        .bias = bias,
        .relu = relu};
    kernels->conv(&job);
}

void window_apply_adjoint(const struct window *w, const struct kernels *kernels, const struct tensor *small,
                          const struct tensor *big, const float *packed, const float *bias, int relu) {
    const size_t s = w->stride;
    for (size_t r = 0; r < s; r++) {
        const struct phase row = find_phase(r, w->kernel, s, w->pad_y, w->big_h);
        for (size_t q = 0; q < s; q++) {
            const struct phase column = find_phase(q, w->kernel, s, w->pad_x, w->big_w);
            struct tensor view = *big;
            view.data = big->data + row.first * big->row + column.first * big->step;
            view.h = row.count, view.w = column.count;
            view.row = s * big->row, view.step = s * big->step;
            /* a phase without taps still writes its pixels: the bias, or zero */
            const struct conv_job job = {.shape = {row.taps, column.taps, 1, row.pad, column.pad},
                                         .x = *small,
                                         .y = view,
                                         .w = packed,
                                         .bias = bias,
                                         .relu = relu};
            if (row.count > 0 && column.count > 0) kernels->conv(&job);
            packed += small->c * big->c * row.taps * column.taps;
        }
    }
}

void window_grad(const struct window *w, const struct kernels *kernels, const struct tensor *big,
                 const struct tensor *small, float *dw, size_t next) {
    const struct conv_dw_job job = {
        .shape = {w->kernel, w->kernel, w->stride, (ptrdiff_t)w->pad_y, (ptrdiff_t)w->pad_x},
        .x = *big,
        .dy = *small,
        .dw = dw,
        .next = next};
    kernels->conv_dw(&job);
}
