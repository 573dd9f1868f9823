/* onnx.c - ONNX graphs in memory: nodes and tensors in growing arrays, which are freed with everything else.
 */
#include "layers/onnx.h"

#include "base/number.h"

#include <stdarg.h>
#include <string.h>

enum { INPUTS = 4, ATTRIBUTES = 6 };

void onnx_open(struct onnx_graph *graph, struct caelum_error *err) {
    *graph = (struct onnx_graph){.err = err};
}

void onnx_close(struct onnx_graph *graph) {
    mem_end(&graph->memory);
    *graph = (struct onnx_graph){0};
}

void *onnx_memory(struct onnx_graph *graph, size_t size) {
    void *memory = NULL;
    if (graph->result == 0) graph->result = mem_take(&graph->memory, &memory, 1, size, graph->err);
    return memory;
}

const char *onnx_text(struct onnx_graph *graph, const char *format, ...) {
    va_list list;
    va_start(list, format);
    const int length = number_vprint(NULL, 0, format, list);
    va_end(list);
    char *text = onnx_memory(graph, (size_t)length + 1);
    if (!text) return "";
    va_start(list, format);
    number_vprint(text, (size_t)length + 1, format, list);
    va_end(list);
    return text;
}

static void *copy_of(struct onnx_graph *graph, const void *bytes, size_t size) {
    void *copy = onnx_memory(graph, size);
    if (copy && size > 0) memcpy(copy, bytes, size);
    return copy;
}

/* Room for one more in an array of `count`; the new array or NULL. */
static void *grown(struct onnx_graph *graph, void *array, size_t count, size_t *room, size_t size) {
    if (count < *room) return array;
    const size_t more = *room ? 2 * *room : 32;
    void *larger = onnx_memory(graph, more * size);
    if (!larger) return NULL;
    if (count > 0) memcpy(larger, array, count * size);
    *room = more;
    return larger;
}

void onnx_add_tensor(struct onnx_graph *graph, const struct onnx_tensor *tensor) {
    struct onnx_tensor *all =
        grown(graph, graph->tensor, graph->tensors, &graph->tensor_room, sizeof *graph->tensor);
    if (!all) return;
    graph->tensor = all;
    all[graph->tensors++] = *tensor;
}

struct onnx_node *onnx_add_node(struct onnx_graph *graph, size_t inputs, size_t outputs, size_t attributes) {
    struct onnx_node *all = grown(graph, graph->node, graph->nodes, &graph->node_room, sizeof *graph->node);
    if (!all) return NULL;
    graph->node = all;
    struct onnx_node node = {.inputs = inputs, .outputs = outputs, .attributes = attributes};
    node.input = onnx_memory(graph, inputs * sizeof *node.input);
    node.output = onnx_memory(graph, outputs * sizeof *node.output);
    node.attribute = onnx_memory(graph, attributes * sizeof *node.attribute);
    if (graph->result != 0) return NULL;
    all[graph->nodes] = node;
    return &all[graph->nodes++];
}

/* --- For layers ----------------------------------------------------------------------------------- */

static const char *part_name(struct onnx_graph *graph, const char *part) {
    return part ? onnx_text(graph, "%s.%s", graph->layer, part) : onnx_text(graph, "%s", graph->layer);
}

const char *onnx_node(struct onnx_graph *graph, const char *op, const char *part, const char *a,
                      const char *b) {
    struct onnx_node *node = onnx_add_node(graph, INPUTS, 1, ATTRIBUTES);
    if (!node) return "";
    node->op = op;
    node->name = node->output[0] = graph->value = part_name(graph, part);
    node->inputs = node->attributes = 0;
    onnx_input(graph, a);
    if (b) onnx_input(graph, b);
    return graph->value;
}

void onnx_input(struct onnx_graph *graph, const char *value) {
    if (graph->result != 0) return;
    struct onnx_node *node = &graph->node[graph->nodes - 1];
    if (node->inputs < INPUTS) node->input[node->inputs++] = value;
}

static void add_attribute(struct onnx_graph *graph, struct onnx_attribute attribute) {
    if (graph->result != 0) return;
    struct onnx_node *node = &graph->node[graph->nodes - 1];
    if (node->attributes < ATTRIBUTES) node->attribute[node->attributes++] = attribute;
}

void onnx_int(struct onnx_graph *graph, const char *name, int64_t value) {
    add_attribute(graph, (struct onnx_attribute){.name = name, .kind = ONNX_INT, .i = value});
}

void onnx_real(struct onnx_graph *graph, const char *name, float value) {
    add_attribute(graph, (struct onnx_attribute){.name = name, .kind = ONNX_REAL, .f = value});
}

void onnx_word(struct onnx_graph *graph, const char *name, const char *value) {
    add_attribute(graph, (struct onnx_attribute){.name = name, .kind = ONNX_WORD, .word = value});
}

void onnx_ints(struct onnx_graph *graph, const char *name, size_t count, const size_t *values) {
    int64_t *ints = onnx_memory(graph, count * sizeof *ints);
    for (size_t i = 0; ints && i < count; i++) ints[i] = (int64_t)values[i];
    add_attribute(graph,
                  (struct onnx_attribute){.name = name, .kind = ONNX_INTS, .count = count, .ints = ints});
}

void onnx_doc(struct onnx_graph *graph, const char *doc) {
    const char *copy = onnx_text(graph, "%s", doc);
    if (graph->result == 0) graph->node[graph->nodes - 1].doc = copy;
}

const char *onnx_param(struct onnx_graph *graph, const char *tensor) {
    return part_name(graph, tensor);
}

static const char *constant(struct onnx_graph *graph, const char *part, int type, size_t dims, size_t count,
                            const void *values, size_t size) {
    const struct onnx_tensor tensor = {.name = part_name(graph, part),
                                       .type = type,
                                       .dims = dims,
                                       .dim = {count},
                                       .values = count,
                                       .data = copy_of(graph, values, count * size)};
    onnx_add_tensor(graph, &tensor);
    return tensor.name;
}

const char *onnx_scalar(struct onnx_graph *graph, const char *part, float value) {
    return constant(graph, part, ONNX_FLOAT, 0, 1, &value, sizeof value);
}

const char *onnx_reals(struct onnx_graph *graph, const char *part, size_t count, const float *values) {
    return constant(graph, part, ONNX_FLOAT, 1, count, values, sizeof *values);
}

const char *onnx_shape(struct onnx_graph *graph, const char *part, size_t count, const int64_t *values) {
    return constant(graph, part, ONNX_INT64, 1, count, values, sizeof *values);
}
