/* onnx_import.c - a model of an ONNX graph. The graph alone decides: of metadata_props the size of pictures
 * is read, where the graph leaves that open, and the rest is kept as the model's metadata. */
#include "exchange/onnx_import.h"

#include "base/mem.h"
#include "base/number.h"
#include "exchange/exchange.h"

#include <string.h>

/* A side of the pictures. */
static int get_side(const struct onnx_file *file, size_t dimension, const char *key, size_t otherwise,
                    const char *path, size_t *side, struct caelum_error *err) {
    uint64_t said;
    *side = file->graph.input.dim[dimension];
    if (*side == 0)
        *side = number_whole(metadata_get(&file->props, key), 1, SIZE_MAX, &said) ? said : otherwise;
    return *side >= 1 && *side <= 65536
               ? CAELUM_OK
               : caelum_fail(err, CAELUM_EFORMAT, "%s: pictures of %s %zu", path, key, *side);
}

static int copy_props(struct caelum_model *model, const struct metadata *props, struct caelum_error *err) {
    static const char *const own[] = {"format", "network", "height", "width"};
    for (size_t i = 0; i < props->count; i++) {
        bool is_own = false;
        for (size_t j = 0; j < sizeof own / sizeof *own; j++)
            is_own |= strcmp(props->entry[i].key, own[j]) == 0;
        if (!is_own) CHECK(metadata_set(model->metadata, props->entry[i].key, props->entry[i].value, err));
    }
    return CAELUM_OK;
}

/* One number for all of the tensor's values, or one for each; set, or added to what is there. */
static int spread(struct caelum_model *model, const struct onnx_weight *weight, struct caelum_error *err) {
    const float *data = weight->from ? weight->from->data : &weight->number;
    const size_t values = weight->from ? weight->from->values : 1;
    struct caelum_tensor t;
    for (size_t i = 0; caelum_model_tensor(model, i, &t); i++) {
        if (strcmp(t.name, weight->name) != 0) continue;
        float *to = model_values(model, t.name, t.dims, t.dim);
        if (values != 1 && values != t.dim[0]) break;
        for (size_t k = 0; k < t.dim[0]; k++) to[k] = (weight->added ? to[k] : 0) + data[values == 1 ? 0 : k];
        return CAELUM_OK;
    }
    return caelum_fail(err, CAELUM_EUSAGE, "the model has no %s of %zu numbers", weight->name, values);
}

static int fill(struct caelum_model *model, const struct onnx_weight *weight, struct caelum_error *err) {
    const struct onnx_tensor *from = weight->from;
    if (!from || weight->added) return spread(model, weight, err);
    if (!weight->turned) return caelum_model_set_tensor(model, weight->name, from->data, from->values, err);
    float *turned = NULL;
    const float *data = from->data;
    const size_t in = from->dim[0], out = from->dim[1];
    CHECK(mem_alloc(&turned, from->values, sizeof *turned, err));
    for (size_t i = 0; i < in; i++)
        for (size_t k = 0; k < out; k++) turned[k * in + i] = data[i * out + k];
    const int result = caelum_model_set_tensor(model, weight->name, turned, from->values, err);
    mem_free(&turned);
    return result;
}

/* Floats in the file. */
static size_t values_of(const struct onnx_file *file) {
    size_t values = 0;
    for (size_t i = 0; i < file->graph.tensors; i++)
        if (file->graph.tensor[i].type == ONNX_FLOAT) values += file->graph.tensor[i].values;
    return values;
}

static int make(struct caelum_model **model, const struct onnx_path *path, struct onnx_network *network,
                const struct caelum_import_settings *settings, struct caelum_error *err) {
    const struct onnx_file *file = path->file;
    size_t height, width;
    CHECK(get_side(file, 2, "height", settings->height, path->path, &height, err));
    CHECK(get_side(file, 3, "width", settings->width, path->path, &width, err));
    CHECK(onnx_write_lines(network, path, height, width, err));
    CHECK(model_take(model, &network->net, values_of(file), err));
    for (size_t i = 0; i < network->weights; i++) {
        const int result = fill(*model, &network->weight[i], err);
        if (result == CAELUM_EUSAGE) return caelum_fail_in(err, CAELUM_EFORMAT, "%s", path->path);
        CHECK(result);
    }
    return copy_props(*model, &file->props, err);
}

/* A model of a graph that was read; path is for messages. */
static int to_model(struct caelum_model **model, const struct onnx_file *file, const char *path,
                    const struct caelum_import_settings *settings, struct caelum_error *err) {
    const struct onnx_port *input = &file->graph.input;
    struct onnx_path *way = NULL;
    struct onnx_network *network = NULL;
    if (input->dims != 4 || input->dim[1] == 0 || input->dim[1] > 1024)
        return caelum_fail(err, CAELUM_EFORMAT,
                           "%s: input '%s' of %zu dimensions; expected [N, C, H, W] with C of 1 to 1024",
                           path, input->name, input->dims);
    CHECK(mem_alloc(&way, 1, sizeof *way, err));
    way->file = file, way->path = path;
    int result = mem_alloc(&network, 1, sizeof *network, err);
    if (result == 0) result = onnx_find_path(way, err);
    if (result == 0) result = make(model, way, network, settings, err);
    if (network) caelum_net_close(&network->net);
    mem_free(&network);
    mem_free(&way);
    return result;
}

int onnx_load(struct caelum_model **model, const char *path, const struct caelum_import_settings *settings,
              struct caelum_error *err) {
    struct onnx_file file = {0};
    int result = onnx_read(&file, path, err);
    if (result == 0) result = to_model(model, &file, path, settings, err);
    onnx_file_close(&file);
    return result;
}
