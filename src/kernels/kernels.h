/* kernels.h - the arithmetic: a table of function pointers, one table for each instruction set, all
 * compiled from the same source (the *_tmpl.c files).
 *
 * Layout. Everything works on blocks of 16 or 8 pictures (`lanes`: those that fill a register, but not
 * fewer than 8) with the picture innermost: [channel][row][column][lane], float32. One vector register holds
 * one pixel of several pictures, so every layer is plain loops over aligned vectors for any channels,
 * sizes and strides.
 *
 * Same bits everywhere. A lane sees the same operations in the same order in every table whose machine has
 * fused multiply-add (avx2, avx512). Sums over lanes are taken by eights (SUM_LANES) in one fixed tree: lane
 * i with i + 4, then i + 2, then i + 1; a block of 16 gives two such sums, which its reader keeps apart. To
 * keep that true, an expression holds at most one product that a compiler could fuse with a sum.
 *
 * Idle lanes. A block of fewer pictures than lanes has idle lanes at its end. Their gradient is zero, and a
 * convolution may leave out registers that hold nothing else.
 *
 * Tiles. The lanes of a block can also hold fewer pictures, each cut into a grid of equal tiles (struct
 * tiling). A tile's border is then not zero but its neighbours' pixels; `halo` puts them there, and every
 * other kernel works as it is. Or they hold channels of one picture: kernels that treat all channels alike
 * work as they are, winograd4 is told.
 *
 * Borders. Every tensor in memory has a border of zeros (`pad` pixels around each plane), so that
 * convolutions can read beyond the edge without tests. Only `halo` writes the border.
 *
 * Kernels return nothing, allocate nothing and trust their arguments, which the caller has checked. */
#ifndef CAELUM_KERNELS_KERNELS_H
#define CAELUM_KERNELS_KERNELS_H

#include "base/cpu.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Pictures in a block, at most; pictures whose gradients and losses are added up before all others. */
enum { MOST_LANES = 16, SUM_LANES = 8 };

/* Output channels that a convolution holds in registers; the unit of packed weights. */
enum { CONV_GROUP = 4 };

/* A view of one block, [c][h][w][lanes]. `data` is lane 0 of pixel (0, 0) of channel 0, aligned to a pixel;
 * strides count floats. A view of every second pixel has twice the step and row. */
struct tensor {
    float *data; /* borrowed from a workspace */
    size_t c, h, w;
    size_t step;  /* to the next column: the lanes, or a multiple in a strided view */
    size_t row;   /* to the next row */
    size_t plane; /* to the next channel */
    size_t pad;   /* zero pixels around each plane */
    size_t idle;  /* lanes at the end without a picture: what is in them is of no use to anybody */
};

/* How a picture is cut, one tile a lane, row by row: picture p's tile (y, x) is lane
 * p * down * across + y * across + x. 1 and 1: a lane is a picture. 0 and 0: a lane is a channel of the only
 * picture, number c lane c % lanes of plane c / lanes; those behind the last may hold anything. */
struct tiling {
    size_t down, across;
};

static inline size_t tiling_count(struct tiling t) {
    return t.down * t.across;
}

/* Address of lane 0 of a pixel; y and x may reach into the border. */
static inline float *tensor_at(const struct tensor *t, size_t c, ptrdiff_t y, ptrdiff_t x) {
    return t->data + (ptrdiff_t)(c * t->plane) + y * (ptrdiff_t)t->row + x * (ptrdiff_t)t->step;
}

/* Geometry of a convolution: output (i, j) reads input rows i * stride + ky - pad_y, ky < kh, and
 * columns j * stride + kx - pad_x, kx < kw. */
struct conv_shape {
    size_t kh, kw;
    size_t stride;
    ptrdiff_t pad_y, pad_x;
};

/* y[k] = bias[k] + sum over c, ky, kx in this order of w * x; then max(., 0) if relu. */
struct conv_job {
    struct conv_shape shape;
    struct tensor x;   /* [c][..][..], not strided, border wide enough for every tap */
    struct tensor y;   /* [k][..][..] */
    const float *w;    /* packed by conv_pack, k * c * kh * kw floats */
    const float *bias; /* [k], or NULL for zeros */
    int relu;
    size_t in, out; /* for winograd4, where lanes are channels: how many; else 0 */
};

/* dw[k][c][ky][kx] += sum over rows, columns and lanes of dy * x. A block of 16 adds the sum over lanes 8 to
 * 15 to dw + next instead. */
struct conv_dw_job {
    struct conv_shape shape;
    struct tensor x; /* not strided, border as for conv */
    struct tensor dy;
    float *dw; /* [k][c][kh][kw] */
    size_t next;
};

/* Adam (Kingma & Ba, ICLR 2015, algorithm 1) for one step of n parameters; with decay, AdamW (Loshchilov
 * & Hutter, ICLR 2019): the parameters also shrink by that share. */
struct adam_job {
    size_t n;
    float *p;       /* parameters */
    float *m, *v;   /* running means of the gradient and of its square */
    const float *g; /* gradient */
    float one_minus_beta1, one_minus_beta2;
    float step;           /* lr / (1 - beta1^t) */
    float inv_sqrt_bias2; /* 1 / sqrt(1 - beta2^t) */
    float epsilon;
    float decay; /* lr * weight decay; 0: plain Adam */
};

/* Gradient descent with momentum: m = momentum m + g, p -= lr m. */
struct sgd_job {
    size_t n;
    float *p, *m;
    const float *g;
    float momentum, lr;
};

/* RMSprop (Tieleman & Hinton 2012): v += (1 - alpha)(g^2 - v), p -= lr g / (sqrt(v) + epsilon). */
struct rmsprop_job {
    size_t n;
    float *p, *v;
    const float *g;
    float one_minus_alpha, lr, epsilon;
};

/* The loss of eight pictures: sums over output values of the loss and of squared errors, and the number of
 * pixels whose largest channel agrees. */
struct loss_sums {
    double loss;
    double squared;
    double agree;
};

/* dy = scale * dl/dy in lanes < live, 0 in the others; sums over the live lanes only. With e = y - t, one
 * value's l is
 *   MSE    e^2
 *   BCE    -(t ln p + (1 - t) ln(1 - p)), p = y held within [1e-7, 1 - 1e-7]; t in [0, 1]. Its slope is 0
 *          where p != y
 *   L1     |e|; its slope at 0 is 0
 *   HUBER  e^2 / 2 where |e| <= delta, else delta (|e| - delta / 2) (Huber 1964)
 *   XENT   -t ln p, p = e^y / (the sum of e^y over the pixel's channels), the softmax (Bridle 1990); t in
 *          [0, 1], its sum over a pixel's channels 1. The slope of the pixel's loss is p - t */
struct loss_job {
    enum caelum_loss loss;
    float delta;
    struct tensor y, t;
    struct tensor dy; /* data NULL: sums only */
    float scale;
    size_t live;
    struct loss_sums *sums; /* [lanes / SUM_LANES], overwritten */
};

/* linear x; relu max(x, 0); leaky x > 0 ? x : LEAKY_SLOPE x; elu x > 0 ? x : e^x - 1; gelu its tanh form;
 * silu x sigmoid(x); sigmoid 1 / (1 + e^-x); tanh; hardswish x (x / 6 + 1/2, held within 0 and 1); relu6 x
 * held within 0 and 6; selu; softplus ln(1 + e^x); gelu_erf x times the share of a normal distribution below
 * x: the rows of activations.def. */
enum activation {
#define ACTIVATION(name, truth, keeps, forward, backward, onnx) ACT_##name,
#include "kernels/activations.def"
#undef ACTIVATION
    ACTIVATIONS
};
#define LEAKY_SLOPE 0.01f

/* Whether the derivative can only be had from the input. */
static inline bool activation_keeps_input(enum activation act) {
    enum { OUTPUT, INPUT };
    static const char keeps_input[] = {
#define ACTIVATION(name, truth, keeps, forward, backward, onnx) keeps,
#include "kernels/activations.def"
#undef ACTIVATION
    };
    return keeps_input[act] == INPUT;
}

/* y = x + scale * n; in `noise` n is nearly normal (a sum of eight uniform numbers: mean 0, variance 1, at
 * most 4.9), in `dither` uniform from -1/2 to 1/2; a function of key, stream, step, picture first + lane and
 * place alone. */
struct noise_job {
    struct tensor x, y;
    float scale;
    uint32_t key[2], stream, step;
    uint32_t first; /* number of lane 0's picture in the minibatch */
};

/* Steps from zero that a quantized value can be, at most. */
#define QUANTIZE_MOST 32767.0f
/* The width e^scale of a predicted distribution is held between these. */
#define RATE_LEAST (-4.0f)
#define RATE_MOST 8.0f
/* Widths from the mean up to which a cell's mass is a float. What is further away has the slope of all that
 * is far, so that predictions find back to it, and the scale's slope at this distance. */
#define RATE_TAIL 60.0f

/* Gradients of the bits that numbers n cost, bits = -log2 P(n - 1/2 to n + 1/2), P the Laplace distribution
 * around `mean` of width e^scale. */
struct rate_job {
    struct tensor n;
    struct tensor mean, scale; /* each overwritten by its gradient; 0 in idle lanes */
    struct tensor dx;          /* the gradient by n times per_step is added to it; data NULL: not needed */
    float weight;              /* of a bit */
    float per_step;
};

struct kernels {
    const char *name;
    size_t lanes; /* pictures in a block */
#define KERNEL(who, type, name, parameters) type(*name) parameters;
#include "kernels/kernels.def"
#undef KERNEL
};

/* The table for an instruction set that this machine has. */
const struct kernels *kernels_get(enum cpu_level level);

/* Weights [k][c][kh][kw] to the order in which conv reads them: groups of CONV_GROUP output channels
 * (the last one smaller), each [c][kh][kw][channel of the group]. */
void conv_pack(const float *w, size_t k, size_t c, size_t taps, float *packed);
/* The same for the gradient with respect to the input, which is a convolution of dy with the kernel
 * turned by 180 degrees and the channels exchanged. */
void conv_pack_transposed(const float *w, size_t k, size_t c, size_t taps, float *packed);

/* Weights [k][c][3][3] to the order in which winograd reads them, 16 k c floats; with `turned` for the
 * gradient with respect to the input. */
void winograd_pack(const float *w, size_t k, size_t c, bool turned, float *packed);
/* Tiles of 2x2 outputs that are transformed at a time: as many as half a second cache holds. */
static inline size_t winograd_tiles(size_t c, size_t k) {
    const size_t tiles = 512 / (c + k);
    return tiles < 2 ? 2 : tiles / 2 * 2;
}
/* Floats of scratch that winograd needs; the same for c and k exchanged, as the gradient with respect to the
 * input has them, so that a team's members find their parts either way. */
size_t winograd_scratch(size_t c, size_t k);

#define SQRT_HALF 0.707106781f
#define SQRT_TWO 1.41421356f
/* The same for winograd4, 36 k c floats; k and c are multiples of CONV_GROUP. */
void winograd4_pack(const float *w, size_t k, size_t c, bool turned, float *packed);
/* Of these the form that winograd4 reads where lanes are channels, [place][k / MOST_LANES][c][MOST_LANES]
 * with zeros beyond k, and its floats. */
void winograd4_by_channels(const float *packed, size_t k, size_t c, float *to);
static inline size_t winograd4_weights(size_t k, size_t c) {
    return 36 * ((k + MOST_LANES - 1) / MOST_LANES * MOST_LANES) * c;
}
/* Output channels whose products wait for their transform at a time: enough for a place of the input to be
 * read into the first cache seldom. */
enum { WINOGRAD4_KERNELS = 16 };
/* Tiles of 4x4 outputs that are transformed at a time: as many as half a second cache holds, but enough to
 * fill a tile of products. */
static inline size_t winograd4_tiles(size_t c) {
    const size_t tiles = 256 / c;
    return tiles < 4 ? 4 : tiles / 4 * 4;
}
/* Floats of scratch that winograd4 needs, the same for c and k exchanged. */
size_t winograd4_scratch(size_t c, size_t k);

/* Tiles of side x side outputs that winograd_dw transforms at a time, and the output channels that it keeps
 * sums of meanwhile: as many as half a second cache holds. */
enum { WINOGRAD_DW_KERNELS = 16 };
static inline size_t winograd_dw_tiles(size_t c, size_t side) {
    const size_t outputs = 8192 / c;
    return (outputs < 64 ? 64 : outputs > 256 ? 256 : outputs) / (side * side);
}
/* Floats of scratch that winograd_dw needs, and those of them that are a member's own. */
size_t winograd_dw_scratch(size_t c, size_t side);
size_t winograd_dw_member(size_t c, size_t side);

/* Weights [k][c][3][3] to the order in which upconv and upconv_dx read them, 9 k c floats each. */
void upconv_pack(const float *w, size_t k, size_t c, float *packed);
void upconv_pack_adjoint(const float *w, size_t k, size_t c, float *packed);
/* Rows of x that they work on at a time: some 64 pixels, which also keeps the chains of sums short. */
static inline size_t upconv_rows(size_t width) {
    return width < 64 ? 64 / width : 1;
}
/* Floats of scratch that the three need for a row of `width` pixels of x. */
size_t upconv_scratch(size_t c, size_t k, size_t width);

#endif
