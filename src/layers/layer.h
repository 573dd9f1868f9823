/* layer.h - what a layer is: a constant struct of functions, at the bottom of its own file, and one line
 * in layers.def, by which all else finds it (docs/adding-a-layer.md has the few places that know names).
 *
 * `parse` and `shape` may fail, with a message; all failure happens before the first batch. `init` to
 * `backward` return nothing, allocate nothing, print nothing. */
#ifndef CAELUM_LAYERS_LAYER_H
#define CAELUM_LAYERS_LAYER_H

#include "base/error.h"
#include "base/rng.h"
#include "kernels/kernels.h"

/* Channels, rows, columns of one picture. */
struct shape {
    size_t c, h, w;
};

/* What a layer needs for a given input shape. Counts are floats. */
struct layer_sizes {
    size_t params;
    size_t packed;  /* made from the parameters once a step, shared by all blocks */
    size_t scratch; /* for one block, while forward or backward runs */
    size_t saved;   /* for one picture, from forward to backward */
    size_t macs;    /* multiply-adds for one picture, taps on the zero border counted */
    size_t pad_x;   /* border of zeros that the input tensor needs */
    size_t pad_dy;  /* border of zeros that the output's gradient needs */
    /* receptive field: how many inputs across one output sees, and how far neighbours are apart; an
     * upsampling layer has spread > 1 and stride 1 */
    size_t window, stride, spread;
};

/* One tensor among a layer's parameters, as it stands in model files. */
struct layer_tensor {
    const char *name; /* "weight", "bias" */
    size_t dims, dim[4];
};

/* Everything forward and backward see: one block, one layer. */
struct layer_io {
    const struct kernels *kernels;
    const void *state;   /* what parse filled in */
    const float *params; /* borrowed, shared by all blocks */
    const float *packed;
    float *grads;   /* the block's own; parameter gradients are added to it, those of lanes 8 to 15 to */
    size_t next;    /* grads + next */
    float *scratch; /* the thread's own, of any content */
    float *saved;   /* what forward left for backward, lanes innermost */
    struct tensor x, y;
    struct tensor dy; /* backward may change it */
    struct tensor dx; /* overwritten by backward; data NULL: nobody needs it */
    /* for `save`, its output; for a layer that names a saved tensor, that tensor; and its gradient, to
     * which the layers that name it add */
    struct tensor skip, dskip;
    const struct layer_noise *noise;
    uint32_t number; /* of the layer in the network */
    size_t strips;   /* to a picture; 1: a lane is a picture */
    bool settled;    /* dy has been through layer_ops.settle already */
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

struct layer_args;
struct onnx_graph;

struct layer_ops {
    const char *name;            /* the word in the network's text */
    const char *usage;           /* the line that a complaint shows: "dense N [ACTIVATION]" */
    const char *const *examples; /* lines for the tests, NULL at the end */
    size_t state_size;

    /* Reads the rest of the line into a zeroed state of state_size bytes. */
    int (*parse)(struct layer_args *args, void *state, struct caelum_error *err);
    /* Output shape and needs for an input shape. */
    int (*shape)(const void *state, struct shape in, struct shape *out, struct layer_sizes *sizes,
                 struct caelum_error *err);
    /* The i-th parameter tensor, in the order in which they lie in memory; 0 when there is none. May be
     * NULL for a layer without parameters, and so may init and pack. */
    int (*tensor)(const void *state, struct shape in, size_t i, struct layer_tensor *tensor);
    void (*init)(const void *state, struct shape in, struct rng *rng, float *params);
    void (*pack)(const void *state, struct shape in, const float *params, float *packed);
    /* For a layer that starts as one half of the best linear code of the pictures' blocks: how many numbers
     * such a block has, 0 if it does not, and the start, with the blocks' mean [n] and basis [n][n], most
     * important vector first (train/klt.h). Both may be NULL. */
    size_t (*klt_size)(const void *state, struct shape in);
    void (*klt_init)(const void *state, struct shape in, const double *mean, const double *basis,
                     float *params);
    bool random; /* it draws from layer_io.noise */
    bool whole;  /* its backward pass looks around: it needs whole pictures, no strips */
    bool costs;  /* while training it adds a cost of its own to what is minimized, which no loss shows */
    void (*forward)(const struct layer_io *io);
    void (*backward)(const struct layer_io *io);
    /* What backward does first, to each pixel of dy by its own y (an activation) and in sums over a channel
     * (a bias). If the next step `selects`, the plan has it done there, to the y and dy of that step, which
     * are fewer pixels; backward then finds io->settled. Not for a layer that keeps something from forward to
     * backward (layer_sizes.saved), which is about all pixels. NULL: there is no such part. */
    void (*settle)(const struct layer_io *io);
    /* Each output is one of the input's values, of the same channel, and its gradient goes there alone. */
    bool selects;
    /* A layer that does the work of the one before and this one together, with this one's state and
     * parameters and the other's input; NULL if there is none. The hook itself may be NULL. */
    const struct layer_ops *(*fuse)(const void *state, const struct layer_ops *before,
                                    const struct layer_sizes *before_sizes);
    /* A layer that does the same work faster for this input, NULL if there is none. The hook may be NULL. */
    const struct layer_ops *(*faster)(const void *state, struct shape in);
    /* A convolution's kernel size, padding and stride for the latent formula; NULL elsewhere. */
    void (*geometry)(const void *state, struct shape in, size_t *kernel, size_t *padding, size_t *stride);
    /* Writes the layer's nodes into an ONNX graph (layers/onnx.h): graph->value holds its input, and then its
     * output. Its parameter tensors are in the graph already. */
    void (*onnx)(const void *state, struct shape in, struct onnx_graph *graph);
};

/* Windows of size x size side by side: the shape of their results, or a complaint. */
int shape_pooled(struct shape in, size_t size, struct shape *out, struct caelum_error *err);
/* Pixels in all channels. */
static inline size_t shape_values(struct shape s) {
    return s.c * s.h * s.w;
}

/* The layers of layers.def, NULL at the end. */
const struct layer_ops *const *layers_all(void);

/* --- Reading a line ------------------------------------------------------------------------------- */

struct layer_word {
    char text[48];
    size_t column; /* 1 based */
    int used;
};

enum { LAYER_WORDS = 16, LAYER_SKIPS = 64 };

/* A tensor that a `save` line gave a name. */
struct layer_skip {
    char name[48];
    struct shape shape;
    size_t value; /* index of the tensor in the network */
};

/* The words of one line; the first is the layer's name. */
struct layer_args {
    const char *file; /* for messages */
    size_t line;
    size_t count;
    struct layer_word word[LAYER_WORDS];
    const struct layer_skip *skip; /* saved by the lines above */
    size_t skips;
    const char *saves; /* set by args_save */
    size_t uses;       /* set by args_saved: 1 + index into skip */
};

/* CAELUM_EFORMAT with "file:line:column: " and a sentence. */
int args_fail(const struct layer_args *args, size_t column, struct caelum_error *err, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The first unused bare number, which must be there: 1 <= *value <= most. `what` names it. */
int args_number(struct layer_args *args, const char *what, size_t most, size_t *value,
                struct caelum_error *err);
/* The same, but it may be missing: then *value stays. */
int args_optional(struct layer_args *args, const char *what, size_t most, size_t *value,
                  struct caelum_error *err);
/* "key=N", which may be missing: then *value stays. least <= N <= most. */
int args_key(struct layer_args *args, const char *key, size_t least, size_t most, size_t *value,
             struct caelum_error *err);
/* "key=WORD" with WORD one of `choices` (NULL at the end); *choice stays if it is missing. */
int args_choice(struct layer_args *args, const char *key, const char *const *choices, size_t *choice,
                struct caelum_error *err);
/* One of `choices` (NULL at the end) among the words; *choice stays if there is none. */
void args_word(struct layer_args *args, const char *const *choices, size_t *choice);
/* The first unused bare number, a real one, which must be there: 0 <= *value <= most. */
int args_real(struct layer_args *args, const char *what, double most, double *value,
              struct caelum_error *err);
/* The line's one word is a new name for the layer's output. */
int args_save(struct layer_args *args, struct caelum_error *err);
/* The line's one word is the name of a saved tensor; its shape. */
int args_saved(struct layer_args *args, struct shape *shape, struct caelum_error *err);
/* Fails if a word was used by none of the above. */
int args_end(const struct layer_args *args, const char *usage, struct caelum_error *err);

#endif
