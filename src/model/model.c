/* model.c - a network and its weights as one safetensors file: the network's text and the picture size
 * are in the metadata, each parameter tensor under "<layer>.<tensor>". */
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

/* The i-th parameter tensor of the network, whose values are in params; false if there are fewer. */
static bool get_tensor(const struct caelum_net *net, const float *params, size_t i,
                       struct caelum_tensor *tensor) {
    for (size_t l = 0; l < net->layers; l++) {
        const struct net_layer *layer = &net->layer[l];
        struct layer_tensor lt;
        const float *data = params + layer->params;
        for (size_t j = 0; layer->ops->tensor && layer->ops->tensor(layer->state, layer->in, j, &lt); j++) {
            *tensor = (struct caelum_tensor){.dims = lt.dims, .data = data};
            memcpy(tensor->dim, lt.dim, sizeof tensor->dim);
            if (i-- == 0) {
                snprintf(tensor->name, sizeof tensor->name, "%s.%s", layer->name, lt.name);
                return true;
            }
            data += model_tensor_values(tensor);
        }
    }
    return false;
}

size_t model_tensor_values(const struct caelum_tensor *tensor) {
    size_t values = 1;
    for (size_t d = 0; d < tensor->dims; d++) values *= tensor->dim[d];
    return values;
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
    struct caelum_tensor t;
    for (size_t i = 0; get_tensor(net, params, i, &t); i++)
        for (const float *value = t.data, *end = value + model_tensor_values(&t); value < end; value++)
            if (!isfinite(half ? half_to(half_from(*value)) : *value))
                return caelum_fail(err, CAELUM_EFORMAT, "%s: tensor '%s' has the weight %g; expected %s",
                                   what, t.name, (double)*value,
                                   half && isfinite(*value) ? "-65504 to 65504, as half precision has it"
                                                            : "finite numbers");
    return CAELUM_OK;
}

/* What a model's file is written from. */
struct content {
    size_t count;
    struct safetensor *tensors; /* owned */
    uint16_t *halves;           /* owned */
    struct metadata metadata;
};

static int fill_content(struct content *c, const struct caelum_net *net, const float *params, bool half,
                        const struct metadata *metadata, struct caelum_error *err) {
    struct caelum_tensor t;
    while (get_tensor(net, params, c->count, &t)) c->count++;
    CHECK(mem_alloc(&c->tensors, c->count, sizeof *c->tensors, err));
    if (half) CHECK(mem_alloc(&c->halves, net->params, sizeof *c->halves, err));
    for (size_t i = 0; half && i < net->params; i++) c->halves[i] = half_from(params[i]);
    for (size_t i = 0; get_tensor(net, params, i, &t); i++) {
        struct safetensor *to = &c->tensors[i];
        *to = (struct safetensor){.type = half ? TENSOR_F16 : TENSOR_F32, .dims = t.dims, .data = t.data};
        if (half) to->data = c->halves + (t.data - params);
        memcpy(to->dim, t.dim, sizeof to->dim);
        memcpy(to->name, t.name, sizeof to->name);
    }
    return model_strings(net, metadata, &c->metadata, err);
}

/* As model_save; with half, the weights in half precision. */
static int save(const struct caelum_net *net, const float *params, bool half, const struct metadata *metadata,
                const char *path, struct caelum_error *err) {
    struct content c = {0};
    CHECK(model_check(net, params, half, path, err));
    int result = fill_content(&c, net, params, half, metadata, err);
    if (result == 0) result = safetensors_write(path, c.tensors, c.count, &c.metadata, err);
    metadata_clear(&c.metadata);
    mem_free(&c.halves);
    mem_free(&c.tensors);
    return result;
}

int model_save(const struct caelum_net *net, const float *params, const struct metadata *metadata,
               const char *path, struct caelum_error *err) {
    return save(net, params, false, metadata, path, err);
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

/* Copies all tensors from the file, out of single or half precision. */
static int read_tensors(struct caelum_model *model, const struct safetensors *file, const char *path,
                        struct caelum_error *err) {
    struct caelum_tensor t;
    size_t i = 0;
    bool half = true;
    for (; get_tensor(model->net, model->params, i, &t); i++) {
        const struct safetensor *from = safetensors_named(file, t.name);
        const bool is_half = from && from->type == TENSOR_F16;
        const void *data;
        CHECK(safetensors_find(file, path, t.name, is_half ? TENSOR_F16 : TENSOR_F32, t.dims, t.dim, &data,
                               err));
        safetensor_floats(from, model->params + (t.data - model->params));
        half &= is_half;
    }
    model->half = half && i > 0;
    return CAELUM_OK;
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

/* The file of a model that is named by a path: of a run directory, its best one. */
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
    struct caelum_tensor found;
    if (!get_tensor(model->net, model->params, i, &found)) return false;
    *tensor = found;
    return true;
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
    if (!named(model, name, &t)) return caelum_fail(err, CAELUM_EUSAGE, "the model has no tensor '%s'", name);
    if (model_tensor_values(&t) != values)
        return caelum_fail(err, CAELUM_EUSAGE, "%s has %zu values, got %zu", name, model_tensor_values(&t),
                           values);
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
