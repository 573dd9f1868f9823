/* model.c - a network and its weights as one safetensors file: the network's text and the picture size
 * stand in the metadata, each parameter tensor under "<layer>.<tensor>". */
#include "base/file.h"
#include "base/mem.h"
#include "base/number.h"
#include "model/half.h"
#include "model/pool.h"
#include "model/safetensors.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char format_name[] = "caelum model 1";

/* Fills tensors with every parameter tensor of the network; returns their number. With tensors NULL it
 * only counts. */
static size_t list_tensors(const struct caelum_net *net, const float *params, struct safetensor *tensors) {
    size_t count = 0;
    for (size_t i = 0; i < net->layers; i++) {
        const struct net_layer *layer = &net->layer[i];
        size_t offset = layer->params;
        struct layer_tensor lt;
        for (size_t j = 0; layer->ops->tensor && layer->ops->tensor(layer->state, layer->in, j, &lt); j++) {
            struct safetensor t = {.type = TENSOR_F32, .dims = lt.dims};
            memcpy(t.dim, lt.dim, sizeof t.dim);
            snprintf(t.name, sizeof t.name, "%s.%s", layer->name, lt.name);
            if (params) t.data = params + offset;
            offset += safetensor_count(&t);
            if (tensors) tensors[count] = t;
            count++;
        }
    }
    return count;
}

/* The same tensors in half precision; `halves` [net->params] is where. */
static void make_half(struct safetensor *tensors, size_t count, size_t params, const float *from,
                      uint16_t *halves) {
    for (size_t i = 0; i < params; i++) halves[i] = half_from(from[i]);
    for (size_t i = 0; i < count; i++) {
        tensors[i].type = TENSOR_F16;
        tensors[i].data = halves + ((const float *)tensors[i].data - from);
    }
}

int model_strings(const struct caelum_net *net, const struct metadata *metadata, struct metadata *all,
                  struct caelum_error *err) {
    CHECK(metadata_set(all, "format", format_name, err));
    CHECK(metadata_set(all, "network", net->text, err));
    CHECK(metadata_setf(all, err, "height", "%zu", net->input.h));
    CHECK(metadata_setf(all, err, "width", "%zu", net->input.w));
    for (size_t i = 0; i < metadata->count; i++)
        CHECK(metadata_set(all, metadata->entry[i].key, metadata->entry[i].value, err));
    return CAELUM_OK;
}

int model_check(const struct caelum_net *net, const float *params, bool half, const char *what,
                struct caelum_error *err) {
    struct safetensor *tensors = NULL;
    const size_t count = list_tensors(net, params, NULL);
    int result = mem_alloc(&tensors, count, sizeof *tensors, err);
    if (result == 0) list_tensors(net, params, tensors);
    for (size_t i = 0; result == 0 && i < count; i++) {
        const float *value = tensors[i].data, *const end = value + safetensor_count(&tensors[i]);
        while (value < end && isfinite(half ? half_to(half_from(*value)) : *value)) value++;
        if (value < end)
            result = caelum_fail(err, CAELUM_EFORMAT, "%s: tensor '%s' has the weight %g; expected %s", what,
                                 tensors[i].name, (double)*value,
                                 half && isfinite(*value) ? "-65504 to 65504, as half precision has it"
                                                          : "finite numbers");
    }
    mem_free(&tensors);
    return result;
}

/* As model_save; with half, the weights in half precision. */
static int save(const struct caelum_net *net, const float *params, bool half, const struct metadata *metadata,
                const char *path, struct caelum_error *err) {
    struct safetensor *tensors = NULL;
    uint16_t *halves = NULL;
    struct metadata all = {0};
    CHECK(model_check(net, params, half, path, err));
    const size_t count = list_tensors(net, params, NULL);
    int result = mem_alloc(&tensors, count, sizeof *tensors, err);
    if (result == 0 && half) result = mem_alloc(&halves, net->params, sizeof *halves, err);
    if (result == 0) result = model_strings(net, metadata, &all, err);
    if (result == 0) {
        list_tensors(net, params, tensors);
        if (half) make_half(tensors, count, net->params, params, halves);
        result = safetensors_write(path, tensors, count, &all, err);
    }
    metadata_clear(&all);
    mem_free(&halves);
    mem_free(&tensors);
    return result;
}

int model_save(const struct caelum_net *net, const float *params, const struct metadata *metadata,
               const char *path, struct caelum_error *err) {
    return save(net, params, false, metadata, path, err);
}

/* Copies a tensor of the file to where the network has it, out of single or half precision. */
static int read_tensor(const struct safetensors *file, const char *path, const struct safetensor *t,
                       float *to, bool *half, struct caelum_error *err) {
    const struct safetensor *there = safetensors_named(file, t->name);
    const size_t values = safetensor_count(t);
    const void *data;
    *half = there && there->type == TENSOR_F16;
    CHECK(
        safetensors_find(file, path, t->name, *half ? TENSOR_F16 : TENSOR_F32, t->dims, t->dim, &data, err));
    if (!*half)
        memcpy(to, data, values * sizeof *to);
    else
        for (size_t i = 0; i < values; i++) to[i] = half_to(((const uint16_t *)data)[i]);
    return CAELUM_OK;
}

/* Weights that may be made without a file that has them, 64 MiB: which tensor is missing is then said later.
 */
static const size_t always = (size_t)1 << 24;

int model_take(struct caelum_model **out, struct caelum_net **net, size_t most, struct caelum_error *err) {
    struct caelum_model *model = NULL;
    const size_t params = (*net)->params;
    if (params > most && params > always)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: the network has %zu weights, the file %zu", (*net)->file,
                           params, most);
    CHECK(mem_alloc(&model, 1, sizeof *model, err));
    int result = mem_alloc(&model->metadata, 1, sizeof *model->metadata, err);
    if (result == 0) result = pool_open(&model->pool, err);
    if (result == 0) result = mem_alloc(&model->params, params, sizeof(float), err);
    if (result == 0) {
        model->net = *net;
        *net = NULL;
        *out = model;
        model = NULL;
    }
    caelum_model_close(&model);
    return result;
}

int model_new(struct caelum_model **model, const char *text, const char *name, size_t height, size_t width,
              size_t most, struct caelum_error *err) {
    caelum_net *net = NULL;
    CHECK(caelum_net_parse(&net, text, name, height, width, err));
    const int result = model_take(model, &net, most, err);
    caelum_net_close(&net);
    return result;
}

/* Copies all tensors from the file. */
static int read_tensors(struct caelum_model *model, const struct safetensors *file, const char *path,
                        struct caelum_error *err) {
    struct safetensor *tensors = NULL;
    const size_t count = list_tensors(model->net, model->params, NULL);
    int result = mem_alloc(&tensors, count, sizeof *tensors, err);
    if (result == 0) list_tensors(model->net, model->params, tensors);
    model->half = count > 0;
    for (size_t i = 0; result == 0 && i < count; i++) {
        float *to = model->params + ((const float *)tensors[i].data - model->params);
        bool half = false;
        result = read_tensor(file, path, &tensors[i], to, &half, err);
        model->half &= half;
    }
    mem_free(&tensors);
    return result;
}

int model_from_strings(struct caelum_model **out, struct metadata *strings, const char *path, size_t most,
                       struct caelum_error *err) {
    const char *format = metadata_get(strings, "format"), *text = metadata_get(strings, "network");
    uint64_t height, width;
    if (!format || strcmp(format, format_name) != 0 || !text ||
        !number_whole(metadata_get(strings, "height"), 1, SIZE_MAX, &height) ||
        !number_whole(metadata_get(strings, "width"), 1, SIZE_MAX, &width))
        return caelum_fail(
            err, CAELUM_EFORMAT,
            "%s: not a model of this program: expected \"format\": \"%s\" and \"network\" in its metadata; "
            "weights alone are imported with a network's text (--net)",
            path, format_name);
    struct caelum_model *model = NULL;
    CHECK(model_new(&model, text, path, height, width, most, err));
    *model->metadata = *strings;
    *strings = (struct metadata){0};
    *out = model;
    return CAELUM_OK;
}

/* A model of the file, which is closed. */
static int from_file(caelum_model **out, struct safetensors *file, const char *path,
                     struct caelum_error *err) {
    struct caelum_model *model = NULL;
    int result = model_from_strings(&model, &file->metadata, path, safetensors_values(file), err);
    if (result == 0) result = read_tensors(model, file, path, err);
    if (result == 0) result = model_check(model->net, model->params, false, path, err);
    if (result == 0) {
        *out = model;
        model = NULL;
    }
    caelum_model_close(&model);
    safetensors_close(file);
    return result;
}

/* The model that a path stands for: a run directory's best one. */
static int model_path(const char *path, char file[PATH_SIZE], struct caelum_error *err) {
    struct stat st;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return file_join(file, PATH_SIZE, path, "best.safetensors", err);
    const int used = snprintf(file, PATH_SIZE, "%s", path);
    return used < PATH_SIZE ? CAELUM_OK : caelum_fail(err, CAELUM_EUSAGE, "%.200s...: too long a path", path);
}

int caelum_model_load(caelum_model **model, const char *name, struct caelum_error *err) {
    struct safetensors file = {0};
    char path[PATH_SIZE];
    CHECK(model_path(name, path, err));
    CHECK(safetensors_read(&file, path, err));
    return from_file(model, &file, path, err);
}

int caelum_model_decode(caelum_model **model, const void *bytes, size_t size, const char *name,
                        struct caelum_error *err) {
    struct safetensors file = {0};
    CHECK(safetensors_decode(&file, bytes, size, name, err));
    return from_file(model, &file, name, err);
}

int caelum_model_create(caelum_model **model, const caelum_net *net, uint64_t seed,
                        struct caelum_error *err) {
    CHECK(model_new(model, net->text, net->file, net->input.h, net->input.w, net->params, err));
    net_init((*model)->net, seed, (*model)->params);
    return CAELUM_OK;
}

void caelum_model_close(caelum_model **model) {
    if (!*model) return;
    pool_close(&(*model)->pool);
    if ((*model)->metadata) metadata_clear((*model)->metadata);
    mem_free(&(*model)->metadata);
    mem_free(&(*model)->params);
    caelum_net_close(&(*model)->net);
    mem_free(model);
}

const caelum_net *caelum_model_net(const caelum_model *model) {
    return model->net;
}

bool caelum_model_tensor(const caelum_model *model, size_t i, struct caelum_tensor *tensor) {
    size_t before = 0;
    for (size_t l = 0; l < model->net->layers; l++) {
        const struct net_layer *layer = &model->net->layer[l];
        const float *data = model->params + layer->params;
        struct layer_tensor lt;
        for (size_t j = 0; layer->ops->tensor && layer->ops->tensor(layer->state, layer->in, j, &lt); j++) {
            struct caelum_tensor t = {.dims = lt.dims, .data = data};
            size_t values = 1;
            memcpy(t.dim, lt.dim, sizeof t.dim);
            for (size_t d = 0; d < t.dims; d++) values *= t.dim[d];
            snprintf(t.name, sizeof t.name, "%s.%s", layer->name, lt.name);
            if (before++ == i) {
                *tensor = t;
                return true;
            }
            data += values;
        }
    }
    return false;
}

/* The tensor of that name. */
static bool named(const struct caelum_model *model, const char *name, struct caelum_tensor *tensor) {
    for (size_t i = 0; caelum_model_tensor(model, i, tensor); i++)
        if (strcmp(tensor->name, name) == 0) return true;
    return false;
}

float *model_values(struct caelum_model *model, const char *name, size_t dims, const size_t *dim) {
    struct caelum_tensor t;
    if (!named(model, name, &t) || t.dims != dims || memcmp(t.dim, dim, dims * sizeof *dim) != 0) return NULL;
    return model->params + (t.data - model->params);
}

int caelum_model_set_tensor(caelum_model *model, const char *name, const float *data, size_t values,
                            struct caelum_error *err) {
    struct caelum_tensor t;
    size_t wanted = 1;
    if (!named(model, name, &t)) return caelum_fail(err, CAELUM_EUSAGE, "the model has no tensor '%s'", name);
    for (size_t d = 0; d < t.dims; d++) wanted *= t.dim[d];
    if (wanted != values)
        return caelum_fail(err, CAELUM_EUSAGE, "%s has %zu values, got %zu", name, wanted, values);
    pool_clear(model->pool);
    memcpy(model->params + (t.data - model->params), data, values * sizeof *data);
    return CAELUM_OK;
}

const char *caelum_model_metadata(const caelum_model *model, const char *key) {
    return metadata_get(model->metadata, key);
}

const char *caelum_model_metadata_key(const caelum_model *model, size_t i) {
    return i < model->metadata->count ? model->metadata->entry[i].key : NULL;
}

int caelum_model_set_metadata(caelum_model *model, const char *key, const char *value,
                              struct caelum_error *err) {
    return metadata_set(model->metadata, key, value, err);
}

int caelum_model_round_half(caelum_model *model, struct caelum_error *err) {
    CHECK(model_check(model->net, model->params, true, "half precision", err));
    pool_clear(model->pool);
    for (size_t i = 0; i < model->net->params; i++) model->params[i] = half_to(half_from(model->params[i]));
    model->half = true;
    return CAELUM_OK;
}

int caelum_model_save(const caelum_model *model, const char *name, struct caelum_error *err) {
    char path[PATH_SIZE];
    CHECK(model_path(name, path, err));
    return save(model->net, model->params, model->half, model->metadata, path, err);
}
