/* layer.h - what a layer is. Its language, struct layer_ops: its word and attributes, the shape and the
 * tensors that they come to, how other programs' files say it. Its arithmetic, struct step_ops: memory,
 * forward, backward. Both are constant, at the bottom of the layer's own file, which one line of layers.def
 * names; nothing else knows a layer by name. Fused and faster forms are further steps of a layer, which the
 * plan chooses.
 *
 * Reading a line and `shape` may fail, with a message; all failure happens before the first batch. `init` to
 * `backward` return nothing, allocate nothing, print nothing. */
#ifndef CAELUM_LAYERS_LAYER_H
#define CAELUM_LAYERS_LAYER_H

#include "base/rng.h"
#include "kernels/kernels.h"
#include "layers/attribute.h"

/* --- Arithmetic ----------------------------------------------------------------------------------- */

/* What a step needs for a given input shape. Counts are floats. */
struct step_sizes {
    size_t packed;  /* made from the parameters once a step, shared by all blocks */
    size_t scratch; /* for one block, while forward or backward runs */
    size_t saved;   /* for one picture, from forward to backward */
    size_t macs;    /* multiply-adds that it does for one picture, taps on the zero border counted */
    size_t pad_x;   /* border of zeros that the input tensor needs */
    size_t pad_dy;  /* border of zeros that the output's gradient needs */
};

/* Everything forward and backward see: one block, one step. */
struct layer_io {
    const struct kernels *kernels;
    const void *state;   /* what the line said */
    const float *params; /* borrowed, shared by all blocks */
    const float *packed;
    float *grads;   /* the block's own; parameter gradients are added to it, those of lanes 8 to 15 to */
    size_t next;    /* grads + next */
    float *scratch; /* the thread's own, of any content */
    float *saved;   /* what forward left for backward, lanes innermost */
    struct tensor x, y;
    size_t channels;  /* of x: x.c, or where they are the lanes, how many lanes in all */
    struct tensor dy; /* backward may change it; its idle lanes may hold anything and count for nothing */
    struct tensor dx; /* overwritten by backward; data NULL: nobody needs it */
    /* for `save`, its output; for a layer that names a saved tensor, that tensor; and its gradient, to
     * which the layers that name it add */
    struct tensor skip, dskip;
    const struct layer_noise *noise;
    uint32_t number;     /* of the layer in the network */
    struct tiling tiles; /* of a picture */
    bool settled;        /* dy has been through step_ops.settle already */
};

/* The step of a measurement: the same noise each time. */
#define LAYER_NOISE_MEASURE UINT32_MAX

/* What random layers draw from, and how the loss is scaled. */
struct layer_noise {
    bool on;     /* false: evaluation, nothing is random */
    float scale; /* of the gradient that comes back: 1 / (pictures in the minibatch * values in a picture) */
    uint64_t seed;
    uint32_t step;  /* of training, or LAYER_NOISE_MEASURE */
    uint32_t first; /* number of lane 0's picture in the minibatch */
};

/* What a step's noise is a function of. */
struct noise_job layer_noise_job(const struct layer_io *io);

/* What the plan may and may not do with a step. */
enum step_traits {
    STEP_RANDOM = 1, /* it draws from layer_io.noise */
    STEP_WHOLE = 2,  /* it reads beyond its border: it needs whole pictures, no tiles */
    STEP_COSTS = 4,  /* while training it adds a cost of its own to what is minimized, which no loss shows */
    /* each output is one of the input's values, of the same channel, and its gradient goes there alone */
    STEP_SELECTS = 8
};

struct step_ops {
    const char *name; /* for measurements */
    unsigned traits;
    /* Fills in zeroed sizes. NULL: it needs nothing. */
    void (*sizes)(const void *state, struct shape in, struct shape out, struct step_sizes *sizes);
    /* The parameters in the form that forward and backward read; NULL if that is how they are. */
    void (*pack)(const void *state, struct shape in, const float *params, float *packed);
    void (*forward)(const struct layer_io *io);
    void (*backward)(const struct layer_io *io);
    /* forward where the lanes are a picture's channels; `forward` itself, if it treats all channels alike.
     * NULL: it can't. */
    void (*by_channels)(const struct layer_io *io);
    /* What by_channels reads, made of what forward reads and in the place of what backward reads. NULL:
     * nothing. */
    void (*pack_by_channels)(const void *state, struct shape in, float *packed);
    /* What backward does first, to each pixel of dy by its own y (an activation) and in sums over a channel
     * (a bias). If the next step selects, the plan has it done there, to the y and dy of that step, which
     * are fewer pixels; backward then finds io->settled. Not for a step that keeps something from forward to
     * backward (step_sizes.saved), which is about all pixels. NULL: there is no such part. */
    void (*settle)(const struct layer_io *io);
};

/* --- Language ------------------------------------------------------------------------------------- */

/* Receptive field: how many inputs across one output sees, and how far neighbours are apart; an upsampling
 * layer has spread > 1 and stride 1. A window of 0: it sees the saved tensor that it names, not its input. */
struct layer_reach {
    size_t window, stride, spread;
};

/* One tensor among a layer's parameters, as it stands in model files. */
struct layer_tensor {
    const char *name; /* "weight", "bias" */
    size_t dims, dim[4];
};

struct onnx_graph;

struct layer_ops {
    const char *name;                   /* the word in the network's text */
    const struct attribute *attributes; /* that its line may have; NULL: none */
    const char *const *examples;        /* lines for the tests, NULL at the end */
    size_t state_size;                  /* of what the attributes are read into */

    /* What no attribute shows by itself. NULL: nothing. */
    int (*check)(const void *state, struct caelum_error *err);
    /* Says what it makes of an input shape: *out, which is that shape before, and *reach, which is all 1.
     * NULL: it leaves both as they are. */
    int (*shape)(const void *state, struct shape in, struct shape *out, struct layer_reach *reach,
                 struct caelum_error *err);
    /* The i-th parameter tensor, in the order in which they lie in memory; 0 when there is none. May be
     * NULL for a layer without parameters, and so may init. */
    int (*tensor)(const void *state, struct shape in, size_t i, struct layer_tensor *tensor);
    void (*init)(const void *state, struct shape in, struct rng *rng, float *params);
    /* For a layer that starts as one half of the best linear code of the pictures' blocks: how many numbers
     * such a block has, 0 if it does not, and the start, with the blocks' mean [n] and basis [n][n], most
     * important vector first (train/klt.h). Both may be NULL. */
    size_t (*klt_size)(const void *state, struct shape in);
    void (*klt_init)(const void *state, struct shape in, const double *mean, const double *basis,
                     float *params);
    /* A convolution's kernel size, padding and stride for the latent formula; NULL elsewhere. */
    void (*geometry)(const void *state, struct shape in, size_t *kernel, size_t *padding, size_t *stride);
    /* Writes the layer's nodes into an ONNX graph (layers/onnx.h): graph->value holds its input, and then its
     * output. Its parameter tensors are in the graph already. */
    void (*onnx)(const void *state, struct shape in, struct onnx_graph *graph);

    const struct step_ops *step; /* how it is computed */
    /* A step that does the work of the layer before and this one together, with this one's state and
     * parameters and the other's input; NULL if there is none. The hook itself may be NULL. */
    const struct step_ops *(*fuse)(const void *state, const struct layer_ops *before,
                                   const struct layer_reach *before_reach);
    /* A step that does the same work faster for this input, NULL if there is none. The hook may be NULL. */
    const struct step_ops *(*faster)(const void *state, struct shape in);
};

/* Values of a tensor. */
size_t layer_tensor_values(const struct layer_tensor *tensor);
/* Values of all the parameters of a layer, SIZE_MAX if they are too many to be counted. */
size_t layer_params(const struct layer_ops *ops, const void *state, struct shape in);

/* Windows of size x size side by side: the shape of their results, or a complaint. */
int shape_pooled(struct shape in, size_t size, struct shape *out, struct layer_reach *reach,
                 struct caelum_error *err);

/* The layers of layers.def, NULL at the end. */
const struct layer_ops *const *layers_all(void);

#endif
