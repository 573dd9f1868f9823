/* onnx.h - ONNX files: a model as a graph (layers/onnx.h), a graph as a file, and both ways back. */
#ifndef CAELUM_EXCHANGE_ONNX_H
#define CAELUM_EXCHANGE_ONNX_H

#include "layers/onnx.h"
#include "model/model.h"

/* What makes a value: the pictures, a constant, or a node. */
struct onnx_source {
    const char *name; /* of the value */
    const struct onnx_tensor *tensor;
    const struct onnx_node *node;
    size_t order; /* nodes from here on may read it */
};

/* A graph and its metadata_props. */
struct onnx_file {
    struct onnx_graph graph;
    struct metadata props;
    /* of a file that was read */
    const char *path; /* borrowed, for messages */
    int64_t opset;
    size_t sources;
    struct onnx_source *source; /* by name; in the graph's memory */
    void *message;              /* of protobuf-c, which holds the graph's texts and numbers */
};
/* "FLOAT16", as ONNX calls the type of a tensor's elements. */
const char *onnx_type_name(int type);
/* Whether it is a type of real numbers that are read; in a graph that was read they are all ONNX_FLOAT. */
bool onnx_is_real(int64_t type);
/* What makes that value; NULL if nothing does. */
const struct onnx_source *onnx_find(const struct onnx_file *file, const char *name);
/* CAELUM_EFORMAT with the path before the sentence; it becomes graph.result, where none was before. */
int onnx_fail(struct onnx_file *file, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Safe on a zeroed file. */
void onnx_file_close(struct onnx_file *file);

/* onnx_export.c: the model as a graph, opset 13, that borrows its weights. */
int onnx_from_model(struct onnx_file *file, const struct caelum_model *model, struct caelum_error *err);
/* onnx_write.c: writes a file, whole or not at all; the same bytes for the same graph. */
int onnx_write(const struct onnx_file *file, const char *path, struct caelum_error *err);
/* onnx_read.c: reads one. In what it gives, all sizes are those of the data, texts are there, names of values
 * have one source each, and nodes read only what is above them. */
int onnx_read(struct onnx_file *file, const char *path, struct caelum_error *err);

/* The line of exchange.c. */
int onnx_save(const struct caelum_model *model, const char *path, struct caelum_error *err);
int onnx_load(struct caelum_model **model, const char *path, const struct caelum_import_settings *settings,
              struct caelum_error *err);

#endif
