/* onnx_import.h - a graph to a network, in two steps: the nodes on the way from the output back to the
 * input (onnx_path.c), and what each is in the text (onnx_lines.c and what it asks). */
#ifndef CAELUM_EXCHANGE_ONNX_IMPORT_H
#define CAELUM_EXCHANGE_ONNX_IMPORT_H

#include "exchange/onnx.h"

enum { ONNX_MOST_STEPS = 1024, ONNX_MOST_SKIPS = 8 };

/* What a step is in the text. */
enum onnx_step_kind {
    ONNX_STEP_NODE,      /* its node alone */
    ONNX_STEP_ACTIVATE,  /* `word` */
    ONNX_STEP_NORMALIZE, /* InstanceNormalization, the node, of groups of channels, and back */
    ONNX_STEP_QUANTIZE,  /* round(x / number) number */
    ONNX_STEP_SHUFFLE,   /* PyTorch's pixel_unshuffle or pixel_shuffle as Reshape, Transpose, Reshape */
    ONNX_STEP_UNSHUFFLE, /* the same as SpaceToDepth and Gather */
};

/* One node, or several that make one layer, on the way from input to output. */
struct onnx_step {
    enum onnx_step_kind kind;
    const struct onnx_node *node; /* the last */
    const char *from, *to;        /* values */
    size_t skips;                 /* further values that it reads: of Add and Concat */
    const char *skip[ONNX_MOST_SKIPS];
    const char *word;
    const char *constant; /* the other input of Add, Sub, Mul and Div, where it is one */
    float number;
};

struct onnx_path {
    const struct onnx_file *file;
    const char *path; /* of the file, for messages */
    size_t count;
    struct onnx_step step[ONNX_MOST_STEPS]; /* in the order of the network */
};

/* The value itself behind nodes that change nothing: Identity, and Dropout in use. */
const char *onnx_origin(const struct onnx_file *file, const char *value);
/* The node that makes a value, if it is of that operator and `value` its first output; else NULL. */
const struct onnx_node *onnx_maker(const struct onnx_file *file, const char *value, const char *op);
/* The constant of that name, NULL if there is none. */
const struct onnx_tensor *onnx_constant(const struct onnx_file *file, const char *value);
/* CAELUM_EFORMAT with file, node and operator before the sentence. */
int onnx_refuse(const struct onnx_path *path, const struct onnx_node *node, struct caelum_error *err,
                const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Finds the way. */
int onnx_find_path(struct onnx_path *path, struct caelum_error *err);

/* A node's attribute, NULL if it has none of that name. */
const struct onnx_attribute *onnx_attribute(const struct onnx_node *node, const char *name);

/* Whole numbers that a file computes from constants and shapes: up to 64, in one or two dimensions. */
struct onnx_list {
    size_t dims, dim[2], count;
    int64_t value[64];
};
/* A number of pictures, which no file knows. */
#define ONNX_BATCH INT64_MIN

/* How values become lists. `shape` gives those of values on the way; it returns false for others. */
struct onnx_lists {
    const struct onnx_path *path;
    bool (*shape)(const void *cookie, const char *value, struct onnx_list *list);
    const void *cookie;
    size_t work; /* nodes looked at so far */
};
int onnx_list_of(struct onnx_lists *lists, const struct onnx_node *reader, const char *value,
                 struct onnx_list *list, struct caelum_error *err);

/* Where the weights come from. */
struct onnx_weight {
    char name[96];                  /* of the model's tensor */
    const struct onnx_tensor *from; /* NULL: `number` everywhere */
    float number;
    bool turned; /* a matrix [in][out] that the model has as [out][in] */
    bool added;  /* to what the model has there; one number is added to all */
};
struct onnx_network {
    struct caelum_net *net; /* owned */
    size_t weights;
    struct onnx_weight weight[2 * ONNX_MOST_STEPS];
};
int onnx_write_lines(struct onnx_network *network, const struct onnx_path *path, size_t height, size_t width,
                     struct caelum_error *err);

#endif
