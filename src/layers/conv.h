/* conv.h - what conv.c and the fused forms of a convolution share. */
#ifndef CAELUM_LAYERS_CONV_H
#define CAELUM_LAYERS_CONV_H

#include "layers/activation.h"
#include "layers/layer.h"

enum { CONV_MOST_KERNEL = 16 };
enum conv_init { INIT_GLOROT, INIT_ZERO, INIT_KLT };

struct conv {
    size_t k;      /* output channels */
    size_t kernel; /* K, rows and columns */
    size_t stride;
    size_t valid; /* 0: pad=same, 1: pad=valid */
    size_t init;  /* an enum conv_init */
    size_t act;   /* an enum activation */
};

/* The rows of a convolution and a transposed one. */
#define CONV_ATTRIBUTES                                                          \
    ATTRIBUTE_COUNT("C", struct conv, k, "number of output channels", 1, 65536), \
        ATTRIBUTE_KEY("k", struct conv, kernel, 1, CONV_MOST_KERNEL, 3),         \
        ATTRIBUTE_KEY("stride", struct conv, stride, 1, 8, 1),                   \
        ATTRIBUTE_CHOICE("pad", struct conv, valid, conv_pads),                  \
        ATTRIBUTE_CHOICE("init", struct conv, init, conv_inits),                 \
        ATTRIBUTE_WORD(struct conv, act, activation_words)
extern const char *const conv_pads[], *const conv_inits[]; /* NULL at the end */

/* Glorot & Bengio (AISTATS 2010): n weights uniform within sqrt(6 / (fan in + fan out)), `biases` zeros. */
void glorot_init(struct rng *rng, size_t n, size_t fans, size_t biases, float *params);
/* The same for the kernels and biases of a convolution or a transposed one, or zeros: these make the last
 * convolution of a residual branch leave what it is added to as it is at first (Goyal et al., arXiv
 * 1706.02677, section 5.1). */
void conv_init(const void *state, struct shape in, struct rng *rng, float *params);

/* The hook of all convolutions with weights and biases of struct conv: dy becomes the gradient of the linear
 * part, and its sum is added to the bias's. */
void conv_settle(const struct layer_io *io);
/* What their backward begins with: conv_settle, where the plan has not done it yet, and the border of dy. */
void conv_backward(const struct layer_io *io);

/* As step_ops has it, for a convolution. */
void conv_sizes(const void *state, struct shape in, struct shape out, struct step_sizes *sizes);
/* Whether step_winograd does this convolution's work, and faster. */
bool conv_winograd(const struct conv *s, struct shape in);
/* The same for step_winograd4, which goes before it. */
bool conv_winograd4(const struct conv *s, struct shape in);

extern const struct layer_ops layer_upsample;
extern const struct step_ops step_upconv, step_winograd, step_winograd4;

#endif
