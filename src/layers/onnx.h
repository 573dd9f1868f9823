/* onnx.h - a network as an ONNX graph in plain structs (github.com/onnx/onnx, docs/IR.md; operators of opset
 * 13, docs/Operators.md). Layers write themselves into one through the functions below; what files look like
 * is known in exchange/onnx_read.c and onnx_write.c alone.
 *
 * Everything that a graph owns lasts until onnx_close. Writing reports no errors: once memory runs out,
 * `result` is not 0, and nothing more is added. */
#ifndef CAELUM_LAYERS_ONNX_H
#define CAELUM_LAYERS_ONNX_H

#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Types of tensors, by their numbers in ONNX; others can be in a file. */
enum {
    ONNX_FLOAT = 1,
    ONNX_INT32 = 6,
    ONNX_INT64 = 7,
    ONNX_BOOL = 9,
    ONNX_FLOAT16 = 10,
    ONNX_DOUBLE = 11,
    ONNX_BFLOAT16 = 16
};
enum { ONNX_DIMS = 8 };

/* A constant. */
struct onnx_tensor {
    const char *name;
    int type;
    size_t dims, dim[ONNX_DIMS], values; /* values: the product of dim */
    const void *data;                    /* floats, int64_t or one bool; NULL for other types */
};

enum onnx_kind { ONNX_INT, ONNX_REAL, ONNX_WORD, ONNX_INTS, ONNX_OTHER };

struct onnx_attribute {
    const char *name;
    enum onnx_kind kind;
    int64_t i;
    float f;
    const char *word;
    size_t count;
    const int64_t *ints;
};

struct onnx_node {
    const char *op, *name, *doc; /* doc may be NULL */
    size_t inputs, outputs, attributes;
    const char **input, **output; /* "" stands for an input that is left out */
    struct onnx_attribute *attribute;
};

/* Where pictures go in and results come out: [N, C, H, W]. */
struct onnx_port {
    const char *name, *doc;
    size_t dims, dim[ONNX_DIMS];  /* 0: free, */
    const char *param[ONNX_DIMS]; /* with a name, or NULL */
};

struct onnx_graph {
    const char *name, *doc;
    size_t nodes, tensors;
    struct onnx_node *node;
    struct onnx_tensor *tensor;
    struct onnx_port input, output;

    /* while layers write */
    const char *layer; /* name of the one that writes: "conv1" */
    const char *value; /* its input; the last node's output when it is done */
    const char *skip;  /* of `add` and `concat`: the saved tensor */
    bool fixed;        /* a layer has set it: its nodes hold for this size of pictures alone */

    int result;
    struct caelum_error *err;
    struct mem_group memory;
    size_t node_room, tensor_room;
};

void onnx_open(struct onnx_graph *graph, struct caelum_error *err);
/* Safe on a zeroed graph. */
void onnx_close(struct onnx_graph *graph);
/* `size` zeroed bytes that last as long as the graph; NULL if out of memory, or for 0. */
void *onnx_memory(struct onnx_graph *graph, size_t size);
/* A formatted text, likewise; "" if there is no memory. */
const char *onnx_text(struct onnx_graph *graph, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Adds a tensor; name and data must last as long as the graph. */
void onnx_add_tensor(struct onnx_graph *graph, const struct onnx_tensor *tensor);
/* Adds a node without attributes; of its inputs only their number is copied. */
struct onnx_node *onnx_add_node(struct onnx_graph *graph, size_t inputs, size_t outputs, size_t attributes);

/* --- For layers ----------------------------------------------------------------------------------- */

/* Adds a node that reads a and, unless NULL, b. It is named after the layer, with ".part" behind, unless part
 * is NULL, and so is its output, which becomes graph->value and is returned. */
const char *onnx_node(struct onnx_graph *graph, const char *op, const char *part, const char *a,
                      const char *b);
/* More about the node that was added last: another input, attributes, a note to its readers. */
void onnx_input(struct onnx_graph *graph, const char *value);
void onnx_int(struct onnx_graph *graph, const char *name, int64_t value);
void onnx_real(struct onnx_graph *graph, const char *name, float value);
void onnx_word(struct onnx_graph *graph, const char *name, const char *value);
void onnx_ints(struct onnx_graph *graph, const char *name, size_t count, const size_t *values);
void onnx_doc(struct onnx_graph *graph, const char *doc);

/* The layer's parameter tensor "weight": its name in the graph, where it is already. */
const char *onnx_param(struct onnx_graph *graph, const char *tensor);
/* Constants of the layer, named like nodes: one number, and lists. */
const char *onnx_scalar(struct onnx_graph *graph, const char *part, float value);
const char *onnx_reals(struct onnx_graph *graph, const char *part, size_t count, const float *values);
const char *onnx_shape(struct onnx_graph *graph, const char *part, size_t count, const int64_t *values);

#endif
