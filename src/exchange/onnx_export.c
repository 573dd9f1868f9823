/* onnx_export.c - a model as an ONNX graph. Each layer writes its own nodes; here is what is around them:
 * tensors under the names of model files, the ends, and words on units. */
#include "exchange/onnx.h"

#include <string.h>

/* What goes in and comes out, by task. */
static const struct {
    const char *task, *input, *output;
} units[] = {
    {"reconstruct", "pictures: R, G, B from 0 to 1 (sRGB, 8 bit / 255), rows from the top",
     "pictures: R, G, B, in range after clamping to 0 to 1"},
    {"denoise", "noisy pictures: R, G, B of about 0 to 1 (sRGB, 8 bit / 255), rows from the top",
     "pictures: R, G, B, in range after clamping to 0 to 1"},
    {"colorize",
     "luminance Y of ITU-R BT.601 from 0 to 1 of sRGB pictures; with four channels then U and V where a hint "
     "is given, 0 elsewhere, and 1 where one is given; rows from the top",
     "chroma U and V of ITU-R BT.601"},
    {"classify", "pictures: R, G, B from 0 to 1 (sRGB, 8 bit / 255), rows from the top",
     "one number a class; their softmax gives probabilities"},
};

static void describe(struct onnx_graph *graph, const struct caelum_model *model) {
    const char *task = metadata_get(model->metadata, "task");
    graph->input.doc = "pictures, rows from the top";
    for (size_t i = 0; task && i < sizeof units / sizeof *units; i++)
        if (strcmp(units[i].task, task) == 0)
            graph->input.doc = units[i].input, graph->output.doc = units[i].output;
}

/* The layer's parameter tensors, "conv1.weight". */
static void add_tensors(struct onnx_graph *graph, const struct net_layer *layer, const float *data) {
    struct layer_tensor lt;
    for (size_t i = 0; layer->ops->tensor && layer->ops->tensor(layer->state, layer->in, i, &lt); i++) {
        struct onnx_tensor tensor = {.name = onnx_text(graph, "%s.%s", layer->name, lt.name),
                                     .type = ONNX_FLOAT,
                                     .dims = lt.dims,
                                     .values = 1,
                                     .data = data};
        for (size_t d = 0; d < lt.dims; d++) tensor.dim[d] = lt.dim[d], tensor.values *= lt.dim[d];
        onnx_add_tensor(graph, &tensor);
        data += tensor.values;
    }
}

/* Calls the tensor that flows `name` everywhere; one that has such a name already gets a second. */
static void rename_value(struct onnx_graph *graph, const char *name) {
    const char *old = graph->value;
    if (strcmp(old, "input") == 0 || strcmp(old, "latent") == 0) {
        graph->layer = name;
        onnx_node(graph, "Identity", NULL, old, NULL);
        return;
    }
    for (size_t i = 0; i < graph->nodes; i++) {
        struct onnx_node *node = &graph->node[i];
        for (size_t j = 0; j < node->inputs; j++)
            if (strcmp(node->input[j], old) == 0) node->input[j] = name;
        if (strcmp(node->output[0], old) == 0) node->output[0] = name;
    }
    graph->value = name;
}

/* The names that saved tensors have in the end: `value` [layers + 1] is by their index in the network. */
static void rename_saved(const char **value, size_t count, const char *old, const char *name) {
    for (size_t i = 0; i < count; i++)
        if (value[i] && strcmp(value[i], old) == 0) value[i] = name;
}

static void add_layers(struct onnx_graph *graph, const struct caelum_model *model, const char **value) {
    const struct caelum_net *net = model->net;
    graph->value = graph->input.name;
    for (size_t i = 0; i < net->layers && graph->result == 0; i++) {
        const struct net_layer *layer = &net->layer[i];
        graph->layer = layer->name;
        graph->skip = value[layer->skip];
        add_tensors(graph, layer, model->params + layer->params);
        layer->ops->onnx(layer->state, layer->in, graph);
        value[i + 1] = graph->value;
        if (!layer->latent) continue;
        rename_value(graph, "latent");
        rename_saved(value, i + 1, value[i + 1], graph->value);
        value[i + 1] = graph->value;
    }
    rename_value(graph, "output");
}

static void set_port(struct onnx_port *port, struct shape shape, bool fixed, const char *height,
                     const char *width) {
    port->dims = 4;
    port->param[0] = "batch";
    port->dim[1] = shape.c;
    if (fixed)
        port->dim[2] = shape.h, port->dim[3] = shape.w;
    else
        port->param[2] = height, port->param[3] = width;
}

static int set_props(struct metadata *props, const struct caelum_model *model, struct caelum_error *err) {
    struct metadata all = {0};
    int result = metadata_set(&all, "network", model->net->text, err);
    if (result == 0) result = metadata_setf(&all, err, "height", "%zu", model->net->input.h);
    if (result == 0) result = metadata_setf(&all, err, "width", "%zu", model->net->input.w);
    for (size_t i = 0; result == 0 && i < model->metadata->count; i++)
        result = metadata_set(&all, model->metadata->entry[i].key, model->metadata->entry[i].value, err);
    if (result == 0) result = metadata_escape(props, &all, err);
    metadata_clear(&all);
    return result;
}

int onnx_from_model(struct onnx_file *file, const struct caelum_model *model, struct caelum_error *err) {
    const struct caelum_net *net = model->net;
    struct onnx_graph *graph = &file->graph;
    onnx_open(graph, err);
    const char **value = onnx_memory(graph, (net->layers + 1) * sizeof *value);
    CHECK(graph->result);
    graph->name = "caelum";
    graph->doc = "a network by caelum; its text is in metadata_props";
    graph->input.name = "input", graph->output.name = "output";
    describe(graph, model);
    add_layers(graph, model, value);
    set_port(&graph->input, net->input, graph->fixed, "height", "width");
    set_port(&graph->output, net->layer[net->layers - 1].out, graph->fixed, "output_height", "output_width");
    CHECK(graph->result);
    return set_props(&file->props, model, err);
}

int onnx_save(const struct caelum_model *model, const char *path, struct caelum_error *err) {
    struct onnx_file file = {0};
    int result = onnx_from_model(&file, model, err);
    if (result == 0) result = onnx_write(&file, path, err);
    onnx_file_close(&file);
    return result;
}
