/* onnx_import.h - a graph to a network, in two steps: the graph as a row of steps (onnx_steps.c), each by its
 * rule (onnx_rules.c), and what each step is in the text (the functions below).
 *
 * The first failure is kept in graph.result, and nothing happens after it; values that are asked for are then
 * zeros, or as they are where a node says nothing. */
#ifndef CAELUM_EXCHANGE_ONNX_IMPORT_H
#define CAELUM_EXCHANGE_ONNX_IMPORT_H

#include "exchange/onnx.h"

enum { ONNX_MOST_STEPS = 1024, ONNX_MOST_INPUTS = 8 };

struct onnx_writer;

/* What can be a step: a node, or several that are known by their form. */
struct onnx_rule {
    /* "Conv", an operator; or with its inputs, "Mul(x Sigmoid(x))", where x is what flows in, a number a
     * constant, a or b a constant that is kept in the step, and * anything. */
    const char *form;
    size_t least, most; /* inputs of an operator */
    bool joins;         /* all of them flow in, not the first alone */
    int (*line)(struct onnx_writer *w);
    /* of an operator: attributes that are understood, or make no difference here; of a form: its word */
    const char *words;
};

struct onnx_step {
    const struct onnx_rule *rule; /* NULL: no rule is about its node */
    const struct onnx_node *node; /* the last, where they are several */
    const char *to;               /* values */
    size_t inputs;
    const char *input[ONNX_MOST_INPUTS];
    const char *constant; /* of two inputs, the one that is one */
    float number[2];      /* a and b of the form */
};

struct onnx_path {
    struct onnx_file *file;
    size_t count;
    struct onnx_step step[ONNX_MOST_STEPS]; /* each below those whose output it reads */
};

/* The value itself behind nodes that change nothing: Identity, and Dropout in use. */
const char *onnx_origin(const struct onnx_file *file, const char *value);
/* The node that makes a value, if it is of that operator and `value` its first output; else NULL. */
const struct onnx_node *onnx_maker(const struct onnx_file *file, const char *value, const char *op);
/* The constant of that name, NULL if there is none. */
const struct onnx_tensor *onnx_constant(const struct onnx_file *file, const char *value);
/* A node's attribute, NULL if it has none of that name. */
const struct onnx_attribute *onnx_attribute(const struct onnx_node *node, const char *name);
/* CAELUM_EFORMAT with file, node and operator before the sentence. */
int onnx_refuse(struct onnx_path *path, const struct onnx_node *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Fills in the steps. */
int onnx_find_path(struct onnx_path *path);
/* The rule of a step whose node and output are known, NULL if there is none; of a form, what flows in, too.
 */
void onnx_find_rule(const struct onnx_file *file, struct onnx_step *step);
/* Whether the step's output is of a form, whose x and numbers are then in the step. */
bool onnx_has_form(const struct onnx_file *file, const char *form, struct onnx_step *step);

/* What is known of a value on the way. */
struct onnx_known {
    struct shape shape;
    bool flat;     /* the graph has it as [N, values], the text still as `shape` */
    bool last;     /* the graph has channels last: as [N, H, W, C], or flat in that order */
    bool positive; /* nothing in it is below 0 */
    size_t saved;  /* 3: as "s3"; 0: it is not */
};

/* A tensor of the model. */
struct onnx_weight {
    char name[96];
    float *data;          /* [values], in the graph's memory */
    size_t values, inner; /* inner: values that follow one another for one output channel */
};

struct onnx_writer {
    struct onnx_file *file;
    struct onnx_path *path;
    const struct onnx_step *step; /* that is being written */
    struct caelum_net *net;       /* owned */
    size_t weights;
    struct onnx_weight weight[4 * ONNX_MOST_STEPS];
    struct onnx_known now;
    bool linear;        /* the last line is a layer that may yet take an activation */
    bool affine;        /* or a number a channel, by its last two weights */
    size_t saves, work; /* work: nodes of shapes looked at so far */
    struct onnx_known known[ONNX_MOST_STEPS + 1]; /* of the input, and of each step's output so far */
};
/* The lines of all steps, for such pictures. */
int onnx_write_lines(struct onnx_writer *w, const struct onnx_known *input);

/* onnx_refuse for the step that is being written. */
#define REFUSE(w, ...) onnx_refuse((w)->path, (w)->step->node, __VA_ARGS__)

/* --- Lines ---------------------------------------------------------------------------------------- */

/* Adds a line; the shape that it leads to is in w->now. */
int onnx_say(struct onnx_writer *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Writes an activation at the end of the last line where that has none, else as a line. */
int onnx_activate(struct onnx_writer *w, const char *word);
/* A tensor of the last line's layer: a copy of the numbers, zeros for NULL, or room for them, which is
 * returned; NULL if out of memory. */
float *onnx_weigh(struct onnx_writer *w, const char *tensor, const float *numbers, size_t values,
                  size_t inner);
/* Multiplies each channel by a number, NULL for 1, and adds another, NULL for 0: in the weights of the last
 * line where they can do it, else by a convolution. A flat value's channels are its values. */
int onnx_scale(struct onnx_writer *w, const float *scale, const float *offset);
/* The same for all channels. */
int onnx_scale_all(struct onnx_writer *w, float scale, float offset);
/* Channels of what flows. */
size_t onnx_channels(const struct onnx_writer *w);
/* `conv` that multiplies windows of k x k pixels of each channel by a number. */
int onnx_say_diagonal(struct onnx_writer *w, int64_t k, int64_t stride, float number);
/* `prelu` with one slope. */
int onnx_slope(struct onnx_writer *w, float slope);
/* `add` or `concat` of the step's further inputs, which must be laid out alike. */
int onnx_join(struct onnx_writer *w, const char *word);
/* What is known of a value at or above the step; NULL if it is none. */
struct onnx_known *onnx_known_of(struct onnx_writer *w, const char *value);
/* `crop` and `pad` lines that put `before` and `after` zeros around rows [0] and columns [1]; negative: cut
 * as many. */
int onnx_place(struct onnx_writer *w, const int64_t before[2], const int64_t after[2]);
/* Whether the order of a value's numbers is not that of the text. */
static inline bool onnx_is_turned(const struct onnx_known *known) {
    return known->last && known->shape.c > 1 && known->shape.h * known->shape.w > 1;
}
/* Where value i of a picture stands in a graph's row of its values. */
static inline size_t onnx_place_in_row(const struct onnx_known *known, size_t i) {
    const size_t pixels = known->shape.h * known->shape.w;
    return known->last ? i % pixels * known->shape.c + i / pixels : i;
}

/* --- What nodes say ------------------------------------------------------------------------------- */

/* Attributes of the step's node, the standard value where it has none. */
int64_t onnx_int_of(struct onnx_writer *w, const char *name, int64_t standard);
float onnx_real_of(struct onnx_writer *w, const char *name, float standard);
const char *onnx_word_of(struct onnx_writer *w, const char *name, const char *standard);
void onnx_ints_of(struct onnx_writer *w, const char *name, size_t count, int64_t standard, int64_t *values);
/* The i-th input as a constant of floats; NULL where it is left out, or something else. */
const struct onnx_tensor *onnx_reals_of(struct onnx_writer *w, size_t i);

/* Whole numbers that a file computes from constants and shapes: up to 64, in one or two dimensions. */
struct onnx_list {
    bool given;
    size_t dims, dim[2], count;
    int64_t value[64];
};
/* A number of pictures, which no file knows. */
#define ONNX_BATCH INT64_MIN
/* onnx_lists.c: the i-th input of a node as a list or, as old opsets have it, the attribute of that name, ""
 * where there is none; not given where both are left out. */
struct onnx_list onnx_list_of(struct onnx_writer *w, const struct onnx_node *node, size_t i,
                              const char *attribute);
/* The shape of a value on the way; not given if it is none. */
struct onnx_list onnx_shape_of(struct onnx_writer *w, const char *value);

/* onnx_shapes.c: whether the step's axes, its second input or attribute, are those of rows and columns. */
bool onnx_is_over_pixels(struct onnx_writer *w);
/* Whether a Transpose is from channels last to channels first. */
bool onnx_is_to_first(const struct onnx_node *transpose);

/* --- What steps are ------------------------------------------------------------------------------- */

/* onnx_windows.c: layers with windows. */
int onnx_conv(struct onnx_writer *w), onnx_deconv(struct onnx_writer *w), onnx_pool(struct onnx_writer *w),
    onnx_pool_all(struct onnx_writer *w), onnx_resize(struct onnx_writer *w);
/* onnx_constants.c: normalization, and what a constant is added to, or multiplied by. */
int onnx_batch_norm(struct onnx_writer *w), onnx_instance_norm(struct onnx_writer *w),
    onnx_group_norm(struct onnx_writer *w), onnx_regroup(struct onnx_writer *w),
    onnx_with_constant(struct onnx_writer *w), onnx_clip(struct onnx_writer *w),
    onnx_hard_sigmoid(struct onnx_writer *w);
/* onnx_shapes.c: layers that move values. */
int onnx_flatten(struct onnx_writer *w), onnx_reshape(struct onnx_writer *w),
    onnx_unsqueeze(struct onnx_writer *w), onnx_squeeze(struct onnx_writer *w),
    onnx_transpose(struct onnx_writer *w), onnx_slice(struct onnx_writer *w), onnx_pad(struct onnx_writer *w),
    onnx_depth_to_space(struct onnx_writer *w), onnx_shuffle(struct onnx_writer *w),
    onnx_unshuffle(struct onnx_writer *w);

#endif
