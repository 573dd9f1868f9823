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
    size_t half;                /* how many of them are taken */
    struct metadata metadata;
};

static int add_tensors(struct content *c, const char *prefix, const struct caelum_net *net,
                       const float *params, struct caelum_error *err) {
    uint16_t *halves = c->halves ? c->halves + c->half : NULL;
    struct caelum_tensor t;
    for (size_t i = 0; halves && i < net->params; i++) halves[i] = half_from(params[i]);
    for (size_t i = 0; get_tensor(net, params, i, &t); i++, c->count++) {
        struct safetensor *to = &c->tensors[c->count];
        *to = (struct safetensor){.type = halves ? TENSOR_F16 : TENSOR_F32, .dims = t.dims, .data = t.data};
        if (halves) to->data = halves + (t.data - params);
        memcpy(to->dim, t.dim, sizeof to->dim);
        if ((size_t)snprintf(to->name, sizeof to->name, "%s%s", prefix, t.name) >= sizeof to->name)
            return caelum_fail(err, CAELUM_EUSAGE, "'%s%s' is too long a name of a tensor", prefix, t.name);
    }
    c->half += net->params;
    return CAELUM_OK;
}

static size_t count_tensors(const struct caelum_net *net, const float *params) {
    struct caelum_tensor t;
    size_t count = 0;
    while (get_tensor(net, params, count, &t)) count++;
    return count;
}

/* The key of a part of several. */
struct part_key {
    char name[64];
};
static struct part_key key_of(const struct model_part *part, const char *key) {
    struct part_key k;
    snprintf(k.name, sizeof k.name, "%s%s", part->prefix, key);
    return k;
}

static int add_other(struct content *c, const struct model_part *other, struct caelum_error *err) {
    const struct caelum_net *net = other->model->net;
    CHECK(add_tensors(c, other->prefix, net, other->model->params, err));
    CHECK(metadata_set(&c->metadata, key_of(other, "network").name, net->text, err));
    CHECK(metadata_setf(&c->metadata, err, key_of(other, "height").name, "%zu", net->input.h));
    return metadata_setf(&c->metadata, err, key_of(other, "width").name, "%zu", net->input.w);
}

static int fill_content(struct content *c, const struct caelum_net *net, const float *params, bool half,
                        const struct metadata *metadata, const struct model_part *other,
                        struct caelum_error *err) {
    size_t tensors = count_tensors(net, params), values = net->params;
    if (other) {
        tensors += count_tensors(other->model->net, other->model->params);
        values += other->model->net->params;
    }
    CHECK(mem_alloc(&c->tensors, tensors, sizeof *c->tensors, err));
    if (half) CHECK(mem_alloc(&c->halves, values, sizeof *c->halves, err));
    CHECK(model_strings(net, metadata, &c->metadata, err));
    CHECK(add_tensors(c, "", net, params, err));
    return other ? add_other(c, other, err) : CAELUM_OK;
}

/* As model_save; with half, the weights in half precision; and another network besides, or NULL. */
static int save(const struct caelum_net *net, const float *params, bool half, const struct metadata *metadata,
                const struct model_part *other, const char *path, struct caelum_error *err) {
    struct content c = {0};
    CHECK(model_check(net, params, half, path, err));
    if (other) CHECK(model_check(other->model->net, other->model->params, half, path, err));
    int result = fill_content(&c, net, params, half, metadata, other, err);
    if (result == 0) result = safetensors_write(path, c.tensors, c.count, &c.metadata, err);
    metadata_clear(&c.metadata);
    mem_free(&c.halves);
    mem_free(&c.tensors);
    return result;
}

int model_save(const struct caelum_net *net, const float *params, const struct metadata *metadata,
               const char *path, struct caelum_error *err) {
    return save(net, params, false, metadata, NULL, path, err);
}

int model_save_with(const caelum_model *model, const struct model_part *other, const char *path,
                    struct caelum_error *err) {
    return save(model->net, model->params, model->half, model->metadata, other, path, err);
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

/* Copies all tensors from the file, where their names begin with `prefix`, out of single or half precision.
 */
static int read_tensors(struct caelum_model *model, const char *prefix, const struct safetensors *file,
                        const char *path, struct caelum_error *err) {
    char name[2 * sizeof((struct caelum_tensor *)0)->name];
    struct caelum_tensor t;
    size_t i = 0;
    bool half = true;
    for (; get_tensor(model->net, model->params, i, &t); i++) {
        snprintf(name, sizeof name, "%s%s", prefix, t.name);
        const struct safetensor *from = safetensors_named(file, name);
        const bool is_half = from && from->type == TENSOR_F16;
        const void *data;
        CHECK(
            safetensors_find(file, path, name, is_half ? TENSOR_F16 : TENSOR_F32, t.dims, t.dim, &data, err));
        safetensor_floats(from, model->params + (t.data - model->params));
        half &= is_half;
    }
    model->half = half && i > 0;
    return model_check(model->net, model->params, false, path, err);
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

/* The other network of a file, if it has two. */
static int read_other(struct model_part *other, const struct safetensors *file, const char *path,
                      struct caelum_error *err) {
    const char *text = metadata_get(&file->metadata, key_of(other, "network").name);
    uint64_t height, width;
    if (!text) return CAELUM_OK;
    if (!number_whole(metadata_get(&file->metadata, key_of(other, "height").name), 1, SIZE_MAX, &height) ||
        !number_whole(metadata_get(&file->metadata, key_of(other, "width").name), 1, SIZE_MAX, &width))
        return caelum_fail(err, CAELUM_EFORMAT,
                           "%s: expected '%sheight' and '%swidth' in its metadata, as there is '%snetwork'",
                           path, other->prefix, other->prefix, other->prefix);
    CHECK(model_new(&other->model, text, path, height, width, safetensors_values(file), err));
    return read_tensors(other->model, other->prefix, file, path, err);
}

/* A model of the file, which is closed; with `other`, that one, too. */
static int from_file(caelum_model **out, struct model_part *other, struct safetensors *file, const char *path,
                     struct caelum_error *err) {
    struct caelum_model *model = NULL;
    int result = other ? read_other(other, file, path, err) : CAELUM_OK;
    if (result == 0)
        result = model_from_strings(&model, &file->metadata, path, safetensors_values(file), err);
    if (result == 0) result = read_tensors(model, "", file, path, err);
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
    return from_file(model, NULL, &file, path, err);
}

int model_load_with(caelum_model **model, struct model_part *other, const char *path,
                    struct caelum_error *err) {
    struct safetensors file = {0};
    CHECK(safetensors_read(&file, path, err));
    return from_file(model, other, &file, path, err);
}

int caelum_model_decode(caelum_model **model, const void *bytes, size_t size, const char *name,
                        struct caelum_error *err) {
    struct safetensors file = {0};
    CHECK(safetensors_decode(&file, bytes, size, name, err));
    return from_file(model, NULL, &file, name, err);
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
    return model_save_with(model, NULL, path, err);
}
