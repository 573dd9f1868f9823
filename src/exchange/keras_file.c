/* keras_file.c - where Keras puts a model's configuration and weights.
 *
 * .h5 (Keras 2, "legacy HDF5"): the configuration is the attribute model_config; weights stand at
 * model_weights/LAYER/, under the names in that group's attribute weight_names.
 * .keras (Keras 3): a zip of metadata.json, config.json and model.weights.h5, where a layer's weights are
 * layers/CLASS[_N]/vars/0 (kernel) and 1 (bias), CLASS in snake case, N counting the layers of that class.
 *
 * libhdf5 1.10.8 can be brought down by damaged files (tests/test_exchange_fuzz.c finds some), so files are
 * read in a child process. */
#include "base/file.h"
#include "base/mem.h"
#include "exchange/child.h"
#include "exchange/exchange.h"
#include "exchange/h5.h"
#include "exchange/keras.h"
#include "exchange/zip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const size_t most_file = (size_t)1 << 32;

/* The versions that the files claim: of the layouts that they follow. */
static const char version_2[] = "2.15.0", version_3[] = "3.0.0";

/* --- Keras 2 -------------------------------------------------------------------------------------- */

static int add_weights_2(const struct h5 *h5, const struct keras_layer *l, struct caelum_error *err) {
    char group[200], at[640], names[400];
    snprintf(group, sizeof group, "model_weights/%s", l->name);
    CHECK(h5_add_group(h5, group, err));
    const int first = snprintf(names, sizeof names, "%s/kernel:0", l->name);
    snprintf(names + first + 1, sizeof names - (size_t)first - 1, "%s/bias:0", l->name);
    CHECK(h5_add_names(h5, group, "weight_names", names, l->kernel ? 2 : 0, err));
    if (!l->kernel) return CAELUM_OK;
    snprintf(at, sizeof at, "%s/%s", group, names);
    CHECK(h5_add_floats(h5, at, l->kernel_dims, l->kernel_dim, l->kernel, err));
    snprintf(at, sizeof at, "%s/%s", group, names + first + 1);
    return h5_add_floats(h5, at, 1, &l->bias_dim, l->bias, err);
}

/* The names of the layers one after the other; a Sequential leaves out its InputLayer. */
static int add_layer_names(const struct h5 *h5, const struct keras_graph *graph, struct caelum_error *err) {
    char *names;
    size_t used = 0;
    const size_t first = graph->sequential ? 1 : 0;
    CHECK(mem_alloc(&names, graph->count, sizeof graph->layer->name, err));
    for (size_t i = first; i < graph->count; i++) {
        const size_t length = strlen(graph->layer[i].name) + 1;
        memcpy(names + used, graph->layer[i].name, length);
        used += length;
    }
    const int result = h5_add_names(h5, "model_weights", "layer_names", names, graph->count - first, err);
    mem_free(&names);
    return result;
}

static int write_2(const struct h5 *h5, const struct keras_graph *graph, struct caelum_error *err) {
    static const char *const places[] = {"/", "model_weights"};
    CHECK(h5_add_group(h5, "model_weights", err));
    for (size_t i = 0; i < 2; i++) {
        CHECK(h5_add_text(h5, places[i], "keras_version", version_2, err));
        CHECK(h5_add_text(h5, places[i], "backend", "tensorflow", err));
    }
    char *config = keras_to_json(graph, KERAS_2);
    const int result = config ? h5_add_text(h5, "/", "model_config", config, err)
                              : caelum_fail(err, CAELUM_ERESOURCE, "%s: out of memory", h5->path);
    free(config);
    CHECK(result);
    CHECK(add_layer_names(h5, graph, err));
    for (size_t i = graph->sequential ? 1 : 0; i < graph->count; i++)
        CHECK(add_weights_2(h5, &graph->layer[i], err));
    CHECK(h5_add_group(h5, "model_weights/top_level_model_weights", err));
    return h5_add_names(h5, "model_weights/top_level_model_weights", "weight_names", "", 0, err);
}

int keras_save_h5(const struct caelum_model *model, const char *path, struct caelum_error *err) {
    struct keras_graph graph = {0};
    struct h5 h5;
    uint8_t *bytes = NULL;
    size_t size = 0;
    CHECK(keras_build(&graph, model, err));
    int result = h5_create(&h5, path, err);
    if (result == 0) {
        result = write_2(&h5, &graph, err);
        if (result == 0) result = h5_image(&h5, &bytes, &size, err);
        h5_close(&h5);
    }
    if (result == 0) result = file_write(path, bytes, size, err);
    mem_free(&bytes);
    keras_close(&graph);
    return result;
}

struct source {
    const struct h5 *h5;
    const struct keras_graph *graph;
};

/* What follows the last '/' of a weight's name: "kernel:0", or "kernel" where Keras 3 wrote the file. */
static bool is_weight(const char *name, const char *wanted) {
    const char *slash = strrchr(name, '/');
    const char *base = slash ? slash + 1 : name;
    const size_t n = strlen(wanted);
    return strncmp(base, wanted, n) == 0 && (base[n] == '\0' || base[n] == ':');
}

static int values_2(void *cookie, size_t layer, bool kernel, size_t dims, const size_t *dim, float *to,
                    struct caelum_error *err) {
    const struct source *s = cookie;
    char group[200], name[300], at[520];
    snprintf(group, sizeof group, "model_weights/%s", s->graph->layer[layer].name);
    if (!h5_has(s->h5, group))
        return caelum_fail(err, CAELUM_EFORMAT, "%s: '%s' is missing", s->h5->path, group);
    for (size_t i = 0; h5_name(s->h5, group, "weight_names", i, name, sizeof name); i++)
        if (is_weight(name, kernel ? "kernel" : "bias")) {
            snprintf(at, sizeof at, "%s/%s", group, name);
            return h5_floats(s->h5, at, dims, dim, to, err);
        }
    return caelum_fail(err, CAELUM_EFORMAT, "%s: '%s' has no %s among its weight_names", s->h5->path, group,
                       kernel ? "kernel" : "bias");
}

static int load_h5(struct caelum_model **model, const char *path, struct caelum_error *err) {
    uint8_t *bytes = NULL;
    size_t size;
    struct h5 h5;
    struct keras_graph graph = {0};
    char *config = NULL;
    CHECK(file_read(path, most_file, &bytes, &size, err));
    int result = h5_open(&h5, path, bytes, size, err);
    if (result == 0) {
        result = h5_text(&h5, "/", "model_config", &config, err);
        if (result == 0) result = keras_from_json(&graph, config, strlen(config), path, err);
        struct source source = {&h5, &graph};
        if (result == 0) result = keras_read(model, &graph, path, values_2, &source, err);
        h5_close(&h5);
    }
    mem_free(&config);
    keras_close(&graph);
    mem_free(&bytes);
    return result;
}

int keras_load_h5(struct caelum_model **model, const char *path,
                  const struct caelum_import_settings *settings, struct caelum_error *err) {
    (void)settings;
    return child_model(model, path, load_h5, err);
}

/* --- Keras 3 -------------------------------------------------------------------------------------- */

/* "conv2d_1": the class in snake case and the layer's number among those of it. */
static void group_of(const struct keras_graph *graph, size_t layer, char group[100]) {
    char snake[64];
    size_t before = 0;
    for (size_t i = 0; i < layer; i++)
        before += strcmp(graph->layer[i].class, graph->layer[layer].class) == 0;
    keras_snake(graph->layer[layer].class, snake);
    snprintf(group, 100, before ? "%s_%zu" : "%s", snake, before);
}

static int write_3(const struct h5 *h5, const struct keras_graph *graph, struct caelum_error *err) {
    CHECK(h5_add_group(h5, "vars", err));
    for (size_t i = graph->sequential ? 1 : 0; i < graph->count; i++) {
        const struct keras_layer *l = &graph->layer[i];
        char group[100], at[140];
        group_of(graph, i, group);
        snprintf(at, sizeof at, "layers/%s/vars", group);
        CHECK(h5_add_group(h5, at, err));
        if (!l->kernel) continue;
        snprintf(at, sizeof at, "layers/%s/vars/0", group);
        CHECK(h5_add_floats(h5, at, l->kernel_dims, l->kernel_dim, l->kernel, err));
        snprintf(at, sizeof at, "layers/%s/vars/1", group);
        CHECK(h5_add_floats(h5, at, 1, &l->bias_dim, l->bias, err));
    }
    return CAELUM_OK;
}

static int weights_image(const struct keras_graph *graph, const char *path, uint8_t **bytes, size_t *size,
                         struct caelum_error *err) {
    struct h5 h5;
    CHECK(h5_create(&h5, path, err));
    int result = write_3(&h5, graph, err);
    if (result == 0) result = h5_image(&h5, bytes, size, err);
    h5_close(&h5);
    return result;
}

int keras_save_zip(const struct caelum_model *model, const char *path, struct caelum_error *err) {
    struct keras_graph graph = {0};
    struct zip_writer *zip = NULL;
    uint8_t *bytes = NULL;
    size_t size = 0;
    char metadata[80], *config = NULL;
    /* a date would make equal models unequal files */
    const int length =
        snprintf(metadata, sizeof metadata, "{\"keras_version\": \"%s\", \"date_saved\": \"\"}", version_3);
    CHECK(keras_build(&graph, model, err));
    int result = weights_image(&graph, path, &bytes, &size, err);
    if (result == 0 && !(config = keras_to_json(&graph, KERAS_3)))
        result = caelum_fail(err, CAELUM_ERESOURCE, "%s: out of memory", path);
    if (result == 0) result = zip_begin(&zip, path, err);
    if (result == 0) {
        zip_add(zip, "metadata.json", NULL, 0, metadata, (size_t)length);
        zip_add(zip, "config.json", NULL, 0, config, strlen(config));
        zip_add(zip, "model.weights.h5", NULL, 0, bytes, size);
        result = zip_commit(&zip, err);
    }
    free(config);
    mem_free(&bytes);
    keras_close(&graph);
    return result;
}

/* Keras 2.12 and 2.13 had another word for "layers". */
static int values_3(void *cookie, size_t layer, bool kernel, size_t dims, const size_t *dim, float *to,
                    struct caelum_error *err) {
    static const char *const words[] = {"layers", "_layer_checkpoint_dependencies"};
    const struct source *s = cookie;
    char group[100], at[160];
    group_of(s->graph, layer, group);
    for (size_t i = 0; i < 2; i++) {
        snprintf(at, sizeof at, "%s/%s/vars/%d", words[i], group, kernel ? 0 : 1);
        if (h5_has(s->h5, at)) return h5_floats(s->h5, at, dims, dim, to, err);
    }
    return caelum_fail(err, CAELUM_EFORMAT, "%s: model.weights.h5: 'layers/%s/vars/%d' is missing",
                       s->h5->path, group, kernel ? 0 : 1);
}

static int load_entries(struct caelum_model **model, const struct zip *zip, const char *path,
                        struct caelum_error *err) {
    const struct zip_entry *config = zip_find(zip, "config.json"),
                           *weights = zip_find(zip, "model.weights.h5");
    struct keras_graph graph = {0};
    struct h5 h5;
    if (!config || !weights)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: '%s' is missing in it", path,
                           config ? "model.weights.h5" : "config.json");
    CHECK(keras_from_json(&graph, (const char *)config->bytes, config->size, path, err));
    int result = h5_open(&h5, path, weights->bytes, weights->size, err);
    if (result == 0) {
        struct source source = {&h5, &graph};
        result = keras_read(model, &graph, path, values_3, &source, err);
        h5_close(&h5);
    }
    keras_close(&graph);
    return result;
}

static int load_zip(struct caelum_model **model, const char *path, struct caelum_error *err) {
    struct zip zip = {0};
    CHECK(zip_read(&zip, path, err));
    const int result = load_entries(model, &zip, path, err);
    zip_close(&zip);
    return result;
}

int keras_load_zip(struct caelum_model **model, const char *path,
                   const struct caelum_import_settings *settings, struct caelum_error *err) {
    (void)settings;
    return child_model(model, path, load_zip, err);
}
