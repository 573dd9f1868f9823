/* onnx_write.c - a graph as a file of protocol buffers, IR version 7. protobuf-c writes fields in the order
 * of their numbers, so equal graphs are equal bytes. */
#include "exchange/onnx.h"

#include "base/file.h"

#include <onnx.pb-c.h>
#include <string.h>

enum { IR_VERSION = 7, OPSET = 13 };

/* protobuf-c's structs are for reading and writing, so nothing in them is const. */
static char *loose(const char *text) {
    return (char *)text;
}

/* An array in the memory for the messages, an empty graph's; they borrow all texts and numbers. */
static void *take(struct onnx_graph *memory, size_t count, size_t size) {
    return onnx_memory(memory, count * size);
}

/* A message in it; NULL if out of memory. */
static void *fresh(struct onnx_graph *memory, const ProtobufCMessageDescriptor *type) {
    void *message = onnx_memory(memory, type->sizeof_message);
    if (message) protobuf_c_message_init(type, message);
    return message;
}

static Onnx__TensorProto *tensor_message(struct onnx_graph *memory, const struct onnx_tensor *tensor) {
    Onnx__TensorProto *m = fresh(memory, &onnx__tensor_proto__descriptor);
    if (!m) return NULL;
    m->name = loose(tensor->name);
    m->has_data_type = true, m->data_type = tensor->type;
    m->n_dims = tensor->dims;
    m->dims = take(memory, tensor->dims, sizeof *m->dims);
    for (size_t i = 0; m->dims && i < tensor->dims; i++) m->dims[i] = (int64_t)tensor->dim[i];
    m->has_raw_data = true;
    m->raw_data.len = tensor->values * (tensor->type == ONNX_FLOAT  ? sizeof(float)
                                        : tensor->type == ONNX_BOOL ? 1
                                                                    : sizeof(int64_t));
    m->raw_data.data = (uint8_t *)loose(tensor->data);
    return m;
}

static Onnx__AttributeProto *attribute_message(struct onnx_graph *memory, const struct onnx_attribute *a) {
    Onnx__AttributeProto *m = fresh(memory, &onnx__attribute_proto__descriptor);
    if (!m) return NULL;
    m->name = loose(a->name);
    m->has_type = true;
    if (a->kind == ONNX_INT)
        m->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT, m->has_i = true, m->i = a->i;
    if (a->kind == ONNX_REAL)
        m->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT, m->has_f = true, m->f = a->f;
    if (a->kind == ONNX_WORD) {
        m->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING, m->has_s = true;
        m->s = (ProtobufCBinaryData){strlen(a->word), (uint8_t *)loose(a->word)};
    }
    if (a->kind == ONNX_INTS) {
        m->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS;
        m->n_ints = a->count, m->ints = (int64_t *)loose((const char *)a->ints);
    }
    return m;
}

static Onnx__NodeProto *node_message(struct onnx_graph *memory, const struct onnx_node *node) {
    Onnx__NodeProto *m = fresh(memory, &onnx__node_proto__descriptor);
    if (!m) return NULL;
    m->op_type = loose(node->op), m->name = loose(node->name);
    if (node->doc) m->doc_string = loose(node->doc);
    m->n_input = node->inputs, m->input = (char **)node->input;
    m->n_output = node->outputs, m->output = (char **)node->output;
    m->n_attribute = node->attributes;
    m->attribute = take(memory, node->attributes, sizeof *m->attribute);
    for (size_t i = 0; m->attribute && i < node->attributes; i++)
        m->attribute[i] = attribute_message(memory, &node->attribute[i]);
    return m;
}

static Onnx__TensorShapeProto__Dimension *dimension_message(struct onnx_graph *memory,
                                                            const struct onnx_port *port, size_t i) {
    Onnx__TensorShapeProto__Dimension *m = fresh(memory, &onnx__tensor_shape_proto__dimension__descriptor);
    if (!m) return NULL;
    if (port->dim[i] > 0) {
        m->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        m->dim_value = (int64_t)port->dim[i];
    } else if (port->param[i]) {
        m->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
        m->dim_param = loose(port->param[i]);
    }
    return m;
}

/* A list of one. */
static Onnx__ValueInfoProto **port_message(struct onnx_graph *memory, const struct onnx_port *port) {
    Onnx__ValueInfoProto **list = take(memory, 1, sizeof *list);
    Onnx__ValueInfoProto *m = fresh(memory, &onnx__value_info_proto__descriptor);
    Onnx__TypeProto *type = fresh(memory, &onnx__type_proto__descriptor);
    Onnx__TypeProto__Tensor *tensor = fresh(memory, &onnx__type_proto__tensor__descriptor);
    Onnx__TensorShapeProto *shape = fresh(memory, &onnx__tensor_shape_proto__descriptor);
    if (!shape) return NULL;
    shape->n_dim = port->dims;
    shape->dim = take(memory, port->dims, sizeof *shape->dim);
    for (size_t i = 0; shape->dim && i < port->dims; i++) shape->dim[i] = dimension_message(memory, port, i);
    tensor->has_elem_type = true, tensor->elem_type = ONNX_FLOAT, tensor->shape = shape;
    type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE, type->tensor_type = tensor;
    m->name = loose(port->name), m->type = type;
    if (port->doc) m->doc_string = loose(port->doc);
    list[0] = m;
    return list;
}

static Onnx__GraphProto *graph_message(struct onnx_graph *memory, const struct onnx_graph *graph) {
    Onnx__GraphProto *m = fresh(memory, &onnx__graph_proto__descriptor);
    if (!m) return NULL;
    m->name = loose(graph->name);
    m->n_node = graph->nodes, m->n_initializer = graph->tensors;
    m->node = take(memory, graph->nodes, sizeof *m->node);
    m->initializer = take(memory, graph->tensors, sizeof *m->initializer);
    m->n_input = m->n_output = 1;
    m->input = port_message(memory, &graph->input);
    m->output = port_message(memory, &graph->output);
    if (memory->result != 0) return NULL;
    for (size_t i = 0; i < graph->nodes; i++) m->node[i] = node_message(memory, &graph->node[i]);
    for (size_t i = 0; i < graph->tensors; i++) m->initializer[i] = tensor_message(memory, &graph->tensor[i]);
    return m;
}

static Onnx__StringStringEntryProto *prop_message(struct onnx_graph *memory,
                                                  const struct metadata_entry *entry) {
    Onnx__StringStringEntryProto *m = fresh(memory, &onnx__string_string_entry_proto__descriptor);
    if (!m) return NULL;
    m->key = entry->key, m->value = entry->value;
    return m;
}

static Onnx__ModelProto *model_message(struct onnx_graph *memory, const struct onnx_file *file) {
    Onnx__ModelProto *m = fresh(memory, &onnx__model_proto__descriptor);
    Onnx__OperatorSetIdProto *opset = fresh(memory, &onnx__operator_set_id_proto__descriptor);
    if (!opset) return NULL;
    m->has_ir_version = true, m->ir_version = IR_VERSION;
    m->producer_name = loose("caelum"), m->producer_version = loose(CAELUM_VERSION);
    if (file->graph.doc) m->doc_string = loose(file->graph.doc);
    opset->domain = loose(""), opset->has_version = true, opset->version = OPSET;
    m->n_opset_import = 1, m->opset_import = take(memory, 1, sizeof *m->opset_import);
    m->n_metadata_props = file->props.count;
    m->metadata_props = take(memory, file->props.count, sizeof *m->metadata_props);
    m->graph = graph_message(memory, &file->graph);
    if (memory->result != 0) return NULL;
    m->opset_import[0] = opset;
    for (size_t i = 0; i < file->props.count; i++)
        m->metadata_props[i] = prop_message(memory, &file->props.entry[i]);
    return m;
}

/* protobuf-c's stream. */
struct stream {
    ProtobufCBuffer base;
    FILE *to;
};

static void append(ProtobufCBuffer *buffer, size_t size, const uint8_t *bytes) {
    struct stream *stream = (struct stream *)buffer;
    if (size > 0) fwrite(bytes, 1, size, stream->to); /* file_commit sees whether that failed */
}

int onnx_write(const struct onnx_file *file, const char *path, struct caelum_error *err) {
    struct onnx_graph memory;
    struct file_writer writer = {0};
    onnx_open(&memory, err);
    Onnx__ModelProto *message = model_message(&memory, file);
    int result = memory.result;
    if (result == 0) result = file_begin(&writer, path, err);
    if (result == 0) {
        struct stream stream = {{append}, writer.stream};
        protobuf_c_message_pack_to_buffer(&message->base, &stream.base);
        result = file_commit(&writer, err);
    }
    file_abandon(&writer);
    onnx_close(&memory);
    return result;
}
