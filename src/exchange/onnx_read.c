/* onnx_read.c - a file of protocol buffers as a graph. The output is valid whatever the input: sizes are
 * those of the data, names have one source each, and nodes read only what is above them. */
#include "exchange/onnx.h"

#include "base/file.h"
#include "base/magic.h"
#include "base/mem.h"
#include "base/number.h"
#include "model/half.h"

#include <onnx.pb-c.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BYTES = 0x7fffffff, MOST_NESTED = 16, MOST_NODES = 1 << 16, OLDEST = 9, NEWEST = 21 };
static const int64_t most_values = (int64_t)1 << 28;

static const char *text(const char *may_be_null) {
    return may_be_null ? may_be_null : "";
}

int onnx_fail(struct onnx_file *file, const char *format, ...) {
    char sentence[300];
    va_list list;
    if (file->graph.result != 0) return file->graph.result;
    va_start(list, format);
    number_vprint(sentence, sizeof sentence, format, list);
    va_end(list);
    return file->graph.result = caelum_fail(file->graph.err, CAELUM_EFORMAT, "%s: %s", file->path, sentence);
}

/* --- The wire ------------------------------------------------------------------------------------- */

static bool read_varint(const uint8_t **at, const uint8_t *end, size_t most, uint64_t *value) {
    *value = 0;
    for (size_t i = 0; i < most && *at < end; i++) {
        const uint8_t byte = *(*at)++;
        *value |= (uint64_t)(byte & 127) << 7 * i;
        if (byte < 128) return true;
    }
    return false;
}

/* Whether the bytes are fields, and messages within messages at most `levels` deep: protobuf-c unpacks them
 * by recursion without an end. */
static bool is_wire(const ProtobufCMessageDescriptor *type, const uint8_t *at, const uint8_t *end,
                    size_t levels) {
    while (at < end) {
        uint64_t tag, size = 0;
        if (!read_varint(&at, end, 5, &tag) || tag > UINT32_MAX) return false;
        const bool varint = (tag & 7) == 0, sized = (tag & 7) == 2;
        if (varint && !read_varint(&at, end, 10, &size)) return false;
        if (varint) continue;
        if (sized && !read_varint(&at, end, 5, &size)) return false;
        if (!sized) size = (tag & 7) == 1 ? 8 : (tag & 7) == 5 ? 4 : UINT64_MAX;
        if (size > (size_t)(end - at)) return false;
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field(type, (unsigned)(tag >> 3));
        if (sized && field && field->type == PROTOBUF_C_TYPE_MESSAGE &&
            (levels == 0 || !is_wire(field->descriptor, at, at + size, levels - 1)))
            return false;
        at += size;
    }
    return true;
}

/* --- Tensors -------------------------------------------------------------------------------------- */

static int fill_shape(struct onnx_file *file, struct onnx_tensor *tensor, const Onnx__TensorProto *m) {
    int64_t values = 1;
    if (m->n_dims > ONNX_DIMS)
        return onnx_fail(file, "tensor '%s' has %zu dimensions, at most %d expected", tensor->name, m->n_dims,
                         ONNX_DIMS);
    for (size_t i = 0; i < m->n_dims; i++) {
        const int64_t dim = m->dims[i];
        if (dim < 0 || dim > most_values || (dim > 0 && values > most_values / dim))
            return onnx_fail(file, "tensor '%s': dimension %zu is %lld; at most %lld numbers expected",
                             tensor->name, i, (long long)dim, (long long)most_values);
        values *= dim;
        tensor->dim[i] = (size_t)dim;
    }
    tensor->dims = m->n_dims;
    tensor->values = (size_t)values;
    return CAELUM_OK;
}

const char *onnx_type_name(int type) {
    static const char *const names[] = {
        "UNDEFINED",      "FLOAT",      "UINT8",          "INT8",       "UINT16",   "INT16",
        "INT32",          "INT64",      "STRING",         "BOOL",       "FLOAT16",  "DOUBLE",
        "UINT32",         "UINT64",     "COMPLEX64",      "COMPLEX128", "BFLOAT16", "FLOAT8E4M3FN",
        "FLOAT8E4M3FNUZ", "FLOAT8E5M2", "FLOAT8E5M2FNUZ", "UINT4",      "INT4"};
    return type >= 0 && (size_t)type < sizeof names / sizeof *names ? names[type] : "unknown";
}

bool onnx_is_real(int64_t type) {
    return type == ONNX_FLOAT || type == ONNX_FLOAT16 || type == ONNX_BFLOAT16 || type == ONNX_DOUBLE;
}

/* Bytes of a number, of the types that are read. */
static size_t size_of(int type) {
    const bool long_one = type == ONNX_DOUBLE || type == ONNX_INT64;
    return long_one ? 8 : type == ONNX_FLOAT || type == ONNX_INT32 ? 4 : onnx_is_real(type) ? 2 : 0;
}

/* The part of another file that holds a tensor's data, which is copied. That file is in the model's directory
 * or below. */
static int read_external(struct onnx_file *file, const Onnx__TensorProto *m, ProtobufCBinaryData *data) {
    uint64_t offset = 0, length = UINT64_MAX;
    const char *location = NULL;
    bool fine = true;
    for (size_t i = 0; i < m->n_external_data; i++) {
        const char *key = text(m->external_data[i]->key), *value = text(m->external_data[i]->value);
        if (strcmp(key, "location") == 0) location = value;
        if (strcmp(key, "offset") == 0) fine = fine && number_whole(value, 0, SIZE_MAX, &offset);
        if (strcmp(key, "length") == 0) fine = fine && number_whole(value, 0, SIZE_MAX, &length);
    }
    if (!fine || !location || !*location || *location == '/' || strstr(location, ".."))
        return onnx_fail(file,
                         "tensor '%s' is in another file; expected the name of one beside this, and where "
                         "in it",
                         text(m->name));
    char other[PATH_SIZE], *end = strrchr(file->path, '/');
    struct file_map map = {0};
    snprintf(other, sizeof other, "%.*s%s", end ? (int)(end - file->path) + 1 : 0, file->path, location);
    const int result = file_map_open(&map, other, file->graph.err);
    if (result != 0)
        return caelum_fail_in(file->graph.err, result, "%s: tensor '%s'", file->path, text(m->name));
    if (offset <= map.size && length == UINT64_MAX) length = map.size - offset;
    fine = offset <= map.size && length <= map.size - offset;
    data->len = fine ? (size_t)length : 0;
    data->data = fine ? onnx_memory(&file->graph, data->len) : NULL;
    if (data->data && data->len > 0) memcpy(data->data, map.bytes + offset, data->len);
    file_map_close(&map);
    if (fine) return file->graph.result;
    return onnx_fail(file, "tensor '%s': %s ends before its data", text(m->name), other);
}

/* The numbers of a tensor that are not raw bytes: their number, and that of the bytes of each. */
static const void *listed(const Onnx__TensorProto *m, size_t *count, size_t *size) {
    *size = size_of(m->data_type) < 4 ? 4 : size_of(m->data_type);
    switch (m->data_type) {
    case ONNX_FLOAT:
        return *count = m->n_float_data, m->float_data;
    case ONNX_DOUBLE:
        return *count = m->n_double_data, m->double_data;
    case ONNX_INT64:
        return *count = m->n_int64_data, m->int64_data;
    default:
        return *count = m->n_int32_data, m->int32_data;
    }
}

/* Numbers of `size` bytes each as FLOAT, or INT32 as INT64. */
static int convert(struct onnx_graph *graph, struct onnx_tensor *t, size_t size) {
    const uint8_t *from = t->data;
    void *to = onnx_memory(graph, t->values * sizeof(int64_t));
    for (size_t i = 0; to && i < t->values; i++, from += size) {
        union {
            uint16_t half;
            int32_t whole;
            uint32_t bits;
            float single;
            double real;
        } v = {0};
        memcpy(&v, from, size);
        if (t->type == ONNX_INT32) {
            ((int64_t *)to)[i] = v.whole;
            continue;
        }
        if (t->type == ONNX_BFLOAT16) v.bits = (uint32_t)v.half << 16;
        ((float *)to)[i] = t->type == ONNX_FLOAT16  ? half_to(v.half)
                           : t->type == ONNX_DOUBLE ? (float)v.real
                                                    : v.single;
    }
    t->type = t->type == ONNX_INT32 ? ONNX_INT64 : ONNX_FLOAT;
    t->data = to;
    return graph->result;
}

/* Types that are not read have no data, but for one truth value. */
static int add_tensor(struct onnx_file *file, const Onnx__TensorProto *m, const char *name) {
    struct onnx_tensor tensor = {.name = name, .type = m->data_type};
    ProtobufCBinaryData bytes = m->raw_data;
    const bool external = m->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
    const bool raw = m->has_raw_data || external;
    CHECK(fill_shape(file, &tensor, m));
    if (external) CHECK(read_external(file, m, &bytes));
    if (m->segment) return onnx_fail(file, "tensor '%s' is cut into parts", name);
    size_t size = size_of(tensor.type);
    if (size > 0) {
        size_t there = bytes.len, wanted = tensor.values * size;
        tensor.data = raw ? (const void *)bytes.data : listed(m, &there, &size);
        if (!raw) wanted = tensor.values;
        if (there != wanted)
            return onnx_fail(file, "tensor '%s' has %zu %s, %zu expected by its shape", name, there,
                             raw ? "bytes" : "numbers", wanted);
        if (tensor.type != ONNX_FLOAT && tensor.type != ONNX_INT64)
            CHECK(convert(&file->graph, &tensor, size));
    }
    if (tensor.type == ONNX_BOOL && tensor.values == 1) /* the first byte of either is the number */
        tensor.data = raw && bytes.len == 1          ? (const void *)bytes.data
                      : !raw && m->n_int32_data == 1 ? m->int32_data
                                                     : NULL;
    onnx_add_tensor(&file->graph, &tensor);
    return file->graph.result;
}

/* --- Nodes ---------------------------------------------------------------------------------------- */

static struct onnx_attribute attribute_of(struct onnx_graph *graph, const Onnx__AttributeProto *m) {
    struct onnx_attribute a = {.name = text(m->name), .kind = ONNX_OTHER};
    switch (m->type) {
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT:
        a.kind = ONNX_INT, a.i = m->i;
        break;
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT:
        a.kind = ONNX_REAL, a.f = m->f;
        break;
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING:
        a.kind = ONNX_WORD;
        a.word = onnx_text(graph, "%.*s", m->s.len < 256 ? (int)m->s.len : 256,
                           m->s.data ? (const char *)m->s.data : "");
        break;
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS:
        a.kind = ONNX_INTS, a.count = m->n_ints, a.ints = m->ints;
        break;
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR: /* one whole number is a list of one */
        if (!m->t || m->t->data_type != ONNX_INT64) break;
        if (m->t->has_raw_data && m->t->raw_data.len == sizeof(int64_t))
            a.kind = ONNX_INTS, a.count = 1, a.ints = (const int64_t *)(const void *)m->t->raw_data.data;
        if (!m->t->has_raw_data && m->t->n_int64_data == 1)
            a.kind = ONNX_INTS, a.count = 1, a.ints = m->t->int64_data;
        break;
    default:
        break;
    }
    return a;
}

/* A Constant node is a tensor. */
static int add_constant(struct onnx_file *file, const Onnx__NodeProto *m) {
    const Onnx__AttributeProto *a = m->n_attribute == 1 ? m->attribute[0] : NULL;
    const char *name = m->n_output == 1 ? m->output[0] : "";
    const char *is = a ? text(a->name) : "";
    struct onnx_tensor tensor = {.name = name, .values = 1};
    if (a && a->t && strcmp(is, "value") == 0) return add_tensor(file, a->t, name);
    if (strcmp(is, "value_float") == 0)
        tensor.type = ONNX_FLOAT, tensor.data = &a->f;
    else if (strcmp(is, "value_int") == 0)
        tensor.type = ONNX_INT64, tensor.data = &a->i;
    else if (strcmp(is, "value_ints") == 0)
        tensor.type = ONNX_INT64, tensor.dims = 1, tensor.values = tensor.dim[0] = a->n_ints,
        tensor.data = a->ints;
    else if (strcmp(is, "value_floats") == 0)
        tensor.type = ONNX_FLOAT, tensor.dims = 1, tensor.values = tensor.dim[0] = a->n_floats,
        tensor.data = a->floats;
    else
        return onnx_fail(file, "node '%s' (Constant): expected one attribute, value, and one output",
                         *text(m->name) ? m->name : name);
    onnx_add_tensor(&file->graph, &tensor);
    return file->graph.result;
}

static int add_node(struct onnx_file *file, const Onnx__NodeProto *m) {
    struct onnx_graph *graph = &file->graph;
    const char *domain = text(m->domain), *op = text(m->op_type);
    const bool standard = *domain == '\0' || strcmp(domain, "ai.onnx") == 0;
    if (standard && strcmp(op, "Constant") == 0) return add_constant(file, m);
    struct onnx_node *node = onnx_add_node(graph, m->n_input, m->n_output, m->n_attribute);
    if (!node) return graph->result;
    node->op = standard ? op : onnx_text(graph, "%s:%s", domain, op);
    node->name = *text(m->name) || m->n_output == 0 ? text(m->name) : text(m->output[0]);
    node->doc = m->doc_string;
    for (size_t i = 0; i < m->n_input; i++) node->input[i] = text(m->input[i]);
    for (size_t i = 0; i < m->n_output; i++) node->output[i] = text(m->output[i]);
    for (size_t i = 0; i < m->n_attribute; i++) {
        node->attribute[i] = attribute_of(graph, m->attribute[i]);
        for (size_t j = 0; j < i; j++)
            if (strcmp(node->attribute[i].name, node->attribute[j].name) == 0)
                return onnx_fail(file, "node '%s' (%s) has its attribute '%s' twice", node->name, node->op,
                                 node->attribute[i].name);
    }
    return graph->result;
}

/* --- Ends ----------------------------------------------------------------------------------------- */

static int set_port(struct onnx_file *file, struct onnx_port *port, const Onnx__ValueInfoProto *m) {
    port->name = text(m->name);
    const Onnx__TypeProto__Tensor *type =
        m->type && m->type->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE ? m->type->tensor_type : NULL;
    if (!type || !onnx_is_real(type->elem_type))
        return onnx_fail(file, "'%s' is %s%s; expected a tensor of FLOAT", port->name,
                         type ? "of type " : "no tensor", type ? onnx_type_name(type->elem_type) : "");
    if (!type->shape) return CAELUM_OK;
    if (type->shape->n_dim > ONNX_DIMS)
        return onnx_fail(file, "'%s' has %zu dimensions", port->name, type->shape->n_dim);
    port->dims = type->shape->n_dim;
    for (size_t i = 0; i < port->dims; i++) {
        const Onnx__TensorShapeProto__Dimension *d = type->shape->dim[i];
        if (d->value_case != ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE) continue;
        if (d->dim_value < 1 || d->dim_value > most_values)
            return onnx_fail(file, "'%s': dimension %zu is %lld", port->name, i, (long long)d->dim_value);
        port->dim[i] = (size_t)d->dim_value;
    }
    return CAELUM_OK;
}

static bool is_initializer(const Onnx__GraphProto *m, const char *name) {
    for (size_t i = 0; i < m->n_initializer; i++)
        if (strcmp(text(m->initializer[i]->name), name) == 0) return true;
    return false;
}

/* Whether both are pictures of the same shape, as far as the file says. */
static bool is_like(const struct onnx_port *a, const struct onnx_port *b) {
    bool like = a->dims == b->dims;
    for (size_t i = 1; like && i < a->dims; i++)
        like = a->dim[i] == b->dim[i] || a->dim[i] == 0 || b->dim[i] == 0;
    return like;
}

/* One input - old files list their weights there, too - and one output; of several, as in a variational
 * autoencoder, the reconstruction. */
static int add_ports(struct onnx_file *file, const Onnx__GraphProto *m) {
    size_t inputs = 0, outputs = 0;
    if (m->n_input > MOST_NODES || m->n_initializer > MOST_NODES || m->n_input * m->n_initializer > 1 << 24)
        return onnx_fail(file, "%zu inputs and %zu tensors are too many", m->n_input, m->n_initializer);
    for (size_t i = 0; i < m->n_input; i++) {
        if (is_initializer(m, text(m->input[i]->name))) continue;
        inputs++;
        CHECK(set_port(file, &file->graph.input, m->input[i]));
    }
    if (inputs != 1) return onnx_fail(file, "%zu inputs, one expected", inputs);
    for (size_t i = 0; i < m->n_output; i++) {
        struct onnx_port port = {0};
        CHECK(set_port(file, &port, m->output[i]));
        const bool like = m->n_output == 1 || is_like(&port, &file->graph.input);
        if (like) file->graph.output = port;
        outputs += like;
    }
    if (outputs == 1) return CAELUM_OK;
    return onnx_fail(file, "%zu outputs; one expected, or one of the shape of the input", m->n_output);
}

static int set_props(struct onnx_file *file, const Onnx__ModelProto *m) {
    struct metadata *props = &file->props;
    for (size_t i = 0; i < m->n_metadata_props; i++)
        CHECK(metadata_set(props, text(m->metadata_props[i]->key), text(m->metadata_props[i]->value),
                           file->graph.err));
    metadata_unescape(props);
    return CAELUM_OK;
}

/* --- Names ---------------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b) {
    const struct onnx_source *p = a, *q = b;
    return strcmp(p->name, q->name);
}

const struct onnx_source *onnx_find(const struct onnx_file *file, const char *name) {
    const struct onnx_source key = {.name = name};
    return bsearch(&key, file->source, file->sources, sizeof key, by_name);
}

static int list_sources(struct onnx_file *file) {
    struct onnx_graph *graph = &file->graph;
    size_t count = 1 + graph->tensors;
    for (size_t i = 0; i < graph->nodes; i++) count += graph->node[i].outputs;
    struct onnx_source *source = onnx_memory(graph, count * sizeof *source);
    if (!source) return graph->result;
    count = 0;
    source[count++].name = graph->input.name;
    for (size_t i = 0; i < graph->tensors; i++)
        source[count++] = (struct onnx_source){graph->tensor[i].name, &graph->tensor[i], NULL, 0};
    for (size_t i = 0; i < graph->nodes; i++)
        for (size_t j = 0; j < graph->node[i].outputs; j++)
            if (*graph->node[i].output[j])
                source[count++] =
                    (struct onnx_source){graph->node[i].output[j], NULL, &graph->node[i], i + 1};
    qsort(source, count, sizeof *source, by_name);
    for (size_t i = 1; i < count; i++)
        if (strcmp(source[i - 1].name, source[i].name) == 0)
            return onnx_fail(file, "two things are called '%s'", source[i].name);
    file->source = source;
    file->sources = count;
    return CAELUM_OK;
}

static int check_order(struct onnx_file *file) {
    const struct onnx_graph *graph = &file->graph;
    for (size_t i = 0; i < graph->nodes; i++) {
        const struct onnx_node *node = &graph->node[i];
        for (size_t j = 0; j < node->inputs; j++) {
            if (*node->input[j] == '\0') continue;
            const struct onnx_source *source = onnx_find(file, node->input[j]);
            if (!source)
                return onnx_fail(file,
                                 "node '%s' (%s) reads '%s', which is neither a node's output nor an "
                                 "initializer",
                                 node->name, node->op, node->input[j]);
            if (source->order > i)
                return onnx_fail(file,
                                 "node '%s' (%s) reads '%s', which is made later or by itself: a cycle, "
                                 "or nodes out of order",
                                 node->name, node->op, node->input[j]);
        }
    }
    if (!onnx_find(file, graph->output.name))
        return onnx_fail(file, "nothing makes the output '%s'", graph->output.name);
    return CAELUM_OK;
}

/* --- The file ------------------------------------------------------------------------------------- */

static int check_opset(struct onnx_file *file, const Onnx__ModelProto *m) {
    for (size_t i = 0; i < m->n_opset_import; i++) {
        const char *domain = text(m->opset_import[i]->domain);
        if (*domain == '\0' || strcmp(domain, "ai.onnx") == 0) file->opset = m->opset_import[i]->version;
    }
    if (file->opset < OLDEST || file->opset > NEWEST)
        return onnx_fail(file, "operators of opset %lld; %d to %d are understood", (long long)file->opset,
                         OLDEST, NEWEST);
    return CAELUM_OK;
}

static int take_message(struct onnx_file *file, const Onnx__ModelProto *m) {
    const Onnx__GraphProto *graph = m->graph;
    if (!graph || graph->n_node == 0) return onnx_fail(file, "an ONNX model without nodes, or another file");
    if (graph->n_node > MOST_NODES)
        return onnx_fail(file, "%zu nodes, at most %d expected", graph->n_node, MOST_NODES);
    if (graph->n_sparse_initializer > 0) return onnx_fail(file, "sparse tensors are not understood");
    CHECK(check_opset(file, m));
    CHECK(add_ports(file, graph));
    for (size_t i = 0; i < graph->n_initializer; i++)
        CHECK(add_tensor(file, graph->initializer[i], text(graph->initializer[i]->name)));
    for (size_t i = 0; i < graph->n_node; i++) CHECK(add_node(file, graph->node[i]));
    CHECK(list_sources(file));
    CHECK(check_order(file));
    return set_props(file, m);
}

/* protobuf-c does not say whether bytes or memory are at fault. */
static void *allocate(void *lacked, size_t size) {
    void *block = malloc(size);
    if (!block) *(bool *)lacked = true;
    return block;
}

static void release(void *lacked, void *block) {
    (void)lacked;
    free(block);
}

int onnx_read(struct onnx_file *file, const char *path, struct caelum_error *err) {
    uint8_t *bytes = NULL;
    size_t size = 0;
    bool lacked = false;
    ProtobufCAllocator allocator = {.alloc = allocate, .free = release, .allocator_data = &lacked};
    onnx_open(&file->graph, err);
    file->path = path;
    CHECK(file_read(path, MOST_BYTES, &bytes, &size, err));
    if (is_wire(&onnx__model_proto__descriptor, bytes, bytes + size, MOST_NESTED))
        file->message = onnx__model_proto__unpack(&allocator, size, bytes);
    const char *is = file->message ? "" : magic_name(bytes, size);
    mem_free(&bytes);
    if (lacked) return caelum_fail(err, CAELUM_ERESOURCE, "%s: out of memory", path);
    if (!file->message) return onnx_fail(file, "no ONNX file, or a damaged one; it is %s", is);
    return take_message(file, file->message);
}

void onnx_file_close(struct onnx_file *file) {
    onnx_close(&file->graph);
    metadata_clear(&file->props);
    if (file->message) onnx__model_proto__free_unpacked(file->message, NULL);
    *file = (struct onnx_file){0};
}
