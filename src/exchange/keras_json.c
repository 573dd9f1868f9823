/* keras_json.c - a graph as Keras's JSON and back: Keras 2's model_config, as in legacy .h5 files, and Keras
 * 3's config.json (keras-team/keras: saving/saving_lib.py, saving/serialization_lib.py, models/functional.py,
 * models/sequential.py, legacy/saving/legacy_h5_format.py). */
#include "base/ascii.h"
#include "base/json.h"
#include "base/mem.h"
#include "exchange/keras.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LAYERS = 8192 };

/* --- The graph ------------------------------------------------------------------------------------ */

void keras_snake(const char *class, char snake[64]) {
    size_t n = 0;
    for (size_t i = 0; class[i] && n < 62; i++) {
        const bool upper = ascii_upper(class[i]);
        if (upper && i > 0 && (ascii_lower(class[i + 1]) || ascii_lower(class[i - 1]))) snake[n++] = '_';
        snake[n++] = ascii_to_lower(class[i]);
    }
    snake[n] = '\0';
}

struct keras_layer *keras_add(struct keras_graph *graph, const char *class, json_t *config) {
    struct keras_layer *layer = &graph->layer[graph->count];
    char snake[64];
    size_t before = 0;
    for (size_t i = 0; i < graph->count; i++) before += strcmp(graph->layer[i].class, class) == 0;
    keras_snake(class, snake);
    *layer = (struct keras_layer){.config = config};
    snprintf(layer->class, sizeof layer->class, "%s", class);
    snprintf(layer->name, sizeof layer->name, before ? "%s_%zu" : "%s", snake, before);
    graph->count++;
    return layer;
}

void keras_close(struct keras_graph *graph) {
    for (size_t i = 0; i < graph->count; i++) {
        json_decref(graph->layer[i].config);
        mem_free(&graph->layer[i].kernel);
        mem_free(&graph->layer[i].bias);
    }
    mem_free(&graph->layer);
    graph->count = 0;
}

/* --- Writing -------------------------------------------------------------------------------------- */

static void rename_key(json_t *object, const char *from, const char *to) {
    json_t *value = json_object_get(object, from);
    if (!value) return;
    json_object_set(object, to, value);
    json_object_del(object, from);
}

static json_t *config_json(const struct keras_layer *layer, enum keras_kind kind) {
    json_t *config = json_pack("{s:s, s:b, s:s}", "name", layer->name, "trainable", 1, "dtype", "float32");
    json_object_update(config, layer->config);
    const char *act = json_string_value(json_object_get(config, "activation"));
    if (strcmp(layer->class, "InputLayer") == 0) json_object_del(config, "trainable");
    if (kind == KERAS_2) {
        if (act && strcmp(act, "silu") == 0) json_object_set_new(config, "activation", json_string("swish"));
        rename_key(config, "negative_slope", "alpha");
        rename_key(config, "batch_shape", "batch_input_shape");
    }
    return config;
}

static json_t *tensor_json(const struct keras_layer *from, enum keras_kind kind) {
    if (kind == KERAS_2) return json_pack("[s, i, i, {}]", from->name, 0, 0);
    json_t *shape = json_pack("[n]");
    for (size_t d = 0; d < from->dims; d++)
        json_array_append_new(shape, json_integer((json_int_t)from->dim[d]));
    return json_pack("{s:s, s:{s:o, s:s, s:[s, i, i]}}", "class_name", "__keras_tensor__", "config", "shape",
                     shape, "dtype", "float32", "keras_history", from->name, 0, 0);
}

/* How the layer is called: one node, or none for the input. */
static json_t *nodes_json(const struct keras_graph *graph, const struct keras_layer *layer,
                          enum keras_kind kind) {
    json_t *tensors = json_array();
    if (layer->inputs == 0) return tensors;
    for (size_t i = 0; i < layer->inputs; i++)
        json_array_append_new(tensors, tensor_json(&graph->layer[layer->input[i]], kind));
    if (kind == KERAS_2) return json_pack("[o]", tensors);
    return json_pack("[{s:o, s:{}}]", "args", layer->inputs > 1 ? json_pack("[o]", tensors) : tensors,
                     "kwargs");
}

static json_t *layer_json(const struct keras_graph *graph, const struct keras_layer *layer,
                          enum keras_kind kind) {
    json_t *object = json_object();
    if (kind == KERAS_3) json_object_set_new(object, "module", json_string("keras.layers"));
    json_object_set_new(object, "class_name", json_string(layer->class));
    json_object_set_new(object, "config", config_json(layer, kind));
    if (kind == KERAS_3) json_object_set_new(object, "registered_name", json_null());
    if (!graph->sequential) {
        json_object_set_new(object, "name", json_string(layer->name));
        json_object_set_new(object, "inbound_nodes", nodes_json(graph, layer, kind));
    }
    return object;
}

char *keras_to_json(const struct keras_graph *graph, enum keras_kind kind) {
    json_t *layers = json_array();
    for (size_t i = 0; i < graph->count; i++)
        json_array_append_new(layers, layer_json(graph, &graph->layer[i], kind));
    const char *class = graph->sequential ? "Sequential" : "Functional";
    json_t *config = json_pack("{s:s, s:b, s:o}", "name", graph->sequential ? "sequential" : "functional",
                               "trainable", 1, "layers", layers);
    if (graph->sequential && kind == KERAS_2) json_object_del(config, "trainable");
    if (!graph->sequential) {
        json_object_set_new(config, "input_layers", json_pack("[[s, i, i]]", graph->layer[0].name, 0, 0));
        json_object_set_new(config, "output_layers",
                            json_pack("[[s, i, i]]", graph->layer[graph->output].name, 0, 0));
    }
    json_t *root = json_object();
    if (kind == KERAS_3)
        json_object_set_new(root, "module",
                            json_string(graph->sequential ? "keras" : "keras.src.models.functional"));
    json_object_set_new(root, "class_name", json_string(class));
    json_object_set_new(root, "config", config);
    if (kind == KERAS_3) json_object_set_new(root, "registered_name", json_string(class));
    char *text;
    return json_text(&root, JSON_REAL_PRECISION(17), "the configuration", &text, NULL) == 0 ? text : NULL;
}

/* --- Reading -------------------------------------------------------------------------------------- */

/* The strings that Keras 2 has in place of Keras 3's. */
static void modernize(json_t *config) {
    rename_key(config, "alpha", "negative_slope");
    rename_key(config, "batch_input_shape", "batch_shape");
    json_t *act = json_object_get(config, "activation");
    if (json_is_object(act)) { /* a serialized function, or a layer */
        const char *name = json_string_value(json_object_get(act, "config"));
        if (!name) name = json_string_value(json_object_get(act, "class_name"));
        json_object_set_new(config, "activation", json_string(name ? name : "?"));
        act = json_object_get(config, "activation");
    }
    if (act && strcmp(json_is_string(act) ? json_string_value(act) : "", "swish") == 0)
        json_object_set_new(config, "activation", json_string("silu"));
}

static const char *string_of(const json_t *object, const char *key) {
    return json_string_value(json_object_get(object, key));
}

static int add_layer(struct keras_graph *graph, const json_t *object, const char *path,
                     struct caelum_error *err) {
    const char *class = string_of(object, "class_name");
    const json_t *config = json_object_get(object, "config");
    const char *name = string_of(object, "name");
    if (!name) name = string_of(config, "name");
    if (!class || strlen(class) >= sizeof graph->layer->class || !json_is_object(config) || !name ||
        strlen(name) >= sizeof graph->layer->name)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: layer %zu: its class, name or configuration is missing",
                           path, graph->count);
    json_t *copy = json_copy((json_t *)(uintptr_t)config);
    if (!copy) return caelum_fail(err, CAELUM_ERESOURCE, "%s: out of memory", path);
    modernize(copy);
    struct keras_layer *layer = keras_add(graph, class, copy);
    snprintf(layer->name, sizeof layer->name, "%s", name);
    return CAELUM_OK;
}

/* The layer of that name among the first `count`, or `count`. */
static size_t layer_named(const struct keras_graph *graph, size_t count, const char *name) {
    size_t i = 0;
    while (i < count && strcmp(graph->layer[i].name, name) != 0) i++;
    return i;
}

/* Gathers the tensors in a node: lists of any depth, ["name", 0, 0, {}] or a __keras_tensor__. */
static int gather_inputs(const struct keras_graph *graph, struct keras_layer *layer, const json_t *value,
                         const char *path, struct caelum_error *err) {
    const json_t *tensor = value;
    if (json_is_object(value)) tensor = json_object_get(json_object_get(value, "config"), "keras_history");
    const char *name = json_string_value(json_array_get(tensor, 0));
    if (name) {
        const size_t count = (size_t)(layer - graph->layer), from = layer_named(graph, count, name);
        if (from == count)
            return caelum_fail(err, CAELUM_EFORMAT, "%s: layer '%s' comes after '%s', which is not above it",
                               path, layer->name, name);
        if (layer->inputs == 2 || json_integer_value(json_array_get(tensor, 1)) != 0 ||
            json_integer_value(json_array_get(tensor, 2)) != 0)
            return caelum_fail(err, CAELUM_EFORMAT,
                               "%s: layer '%s': more than two inputs, or one of a layer that is used twice",
                               path, layer->name);
        layer->input[layer->inputs++] = from;
        return CAELUM_OK;
    }
    size_t i;
    const json_t *item;
    json_array_foreach(value, i, item) CHECK(gather_inputs(graph, layer, item, path, err));
    return CAELUM_OK;
}

static int connect_functional(struct keras_graph *graph, const json_t *config, const char *path,
                              struct caelum_error *err) {
    const json_t *layers = json_object_get(config, "layers"), *item = NULL;
    size_t i;
    json_array_foreach(layers, i, item) {
        const json_t *nodes = json_object_get(item, "inbound_nodes"), *node = json_array_get(nodes, 0);
        if (i > 0 && json_array_size(nodes) != 1)
            return caelum_fail(err, CAELUM_EFORMAT,
                               "%s: layer '%s' is called %zu times; once, behind one input, is expected",
                               path, graph->layer[i].name, json_array_size(nodes));
        if (i > 0 && json_is_object(node)) node = json_object_get(node, "args");
        if (i > 0) CHECK(gather_inputs(graph, &graph->layer[i], node, path, err));
        if (i > 0 && graph->layer[i].inputs == 0)
            return caelum_fail(err, CAELUM_EFORMAT, "%s: layer '%s' has no input", path,
                               graph->layer[i].name);
    }
    const json_t *output = json_object_get(config, "output_layers");
    if (json_is_array(json_array_get(output, 0)) && json_array_size(output) == 1)
        output = json_array_get(output, 0);
    const char *name = json_string_value(json_array_get(output, 0));
    graph->output = name ? layer_named(graph, graph->count, name) : graph->count;
    if (graph->output == graph->count)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: one output is expected", path);
    return CAELUM_OK;
}

/* A Sequential may keep its input's shape in its first layer or beside the layers. */
static int start_sequential(struct keras_graph *graph, const json_t *config, const json_t *first,
                            const char *path, struct caelum_error *err) {
    const char *class = string_of(first, "class_name");
    if (class && strcmp(class, "InputLayer") == 0) return CAELUM_OK;
    const json_t *own = json_object_get(first, "config");
    json_t *shape = json_object_get(own, "batch_input_shape");
    if (!shape) shape = json_object_get(own, "batch_shape");
    if (!shape) shape = json_object_get(config, "build_input_shape");
    if (!shape)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: the model does not say the shape of its input", path);
    keras_add(graph, "InputLayer", json_pack("{s:O}", "batch_shape", shape));
    return CAELUM_OK;
}

static int read_graph(struct keras_graph *graph, const json_t *root, const char *path,
                      struct caelum_error *err) {
    const char *class = string_of(root, "class_name");
    const json_t *config = json_object_get(root, "config");
    const json_t *layers = json_is_array(config) ? config : json_object_get(config, "layers"), *item;
    if (!class || !json_is_array(layers) || json_array_size(layers) == 0 ||
        json_array_size(layers) > MOST_LAYERS)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: expected a Sequential or Functional model with layers",
                           path);
    graph->sequential = strcmp(class, "Sequential") == 0;
    if (!graph->sequential && strcmp(class, "Functional") != 0 && strcmp(class, "Model") != 0)
        return caelum_fail(err, CAELUM_EFORMAT,
                           "%s: a model of class '%.60s', expected Sequential or Functional", path, class);
    graph->room = json_array_size(layers) + 1;
    CHECK(mem_alloc(&graph->layer, graph->room, sizeof *graph->layer, err));
    if (graph->sequential) CHECK(start_sequential(graph, config, json_array_get(layers, 0), path, err));
    size_t i;
    json_array_foreach(layers, i, item) CHECK(add_layer(graph, item, path, err));
    if (!graph->sequential) return connect_functional(graph, config, path, err);
    for (size_t l = 1; l < graph->count; l++) graph->layer[l].inputs = 1, graph->layer[l].input[0] = l - 1;
    graph->output = graph->count - 1;
    return CAELUM_OK;
}

int keras_from_json(struct keras_graph *out, const char *text, size_t size, const char *path,
                    struct caelum_error *err) {
    json_error_t why;
    struct keras_graph graph = {0};
    json_t *root = json_read(text, size, 0, &why);
    if (!root) return caelum_fail(err, CAELUM_EFORMAT, "%s: the model's configuration: %s", path, why.text);
    const int result = read_graph(&graph, root, path, err);
    json_decref(root);
    if (result != 0)
        keras_close(&graph);
    else
        *out = graph;
    return result;
}
