/* npz.c - models and other arrays as NumPy's .npz: a zip of .npy files. A model's tensors stand under their
 * own names, the network's text and the metadata under their keys as 0-dimensional strings; numpy.load reads
 * it all without pickle. */
#include "exchange/exchange.h"
#include "exchange/npy.h"
#include "exchange/zip.h"
#include "model/half.h"

#include <stdio.h>
#include <string.h>

/* Bytes of an array's name, its end included. */
enum { MOST_NAME = sizeof((struct safetensor *)0)->name };

/* --- Writing -------------------------------------------------------------------------------------- */

static void add(struct zip_writer *zip, const char *name, const char *type, size_t dims, const size_t *dim,
                const void *values, size_t size) {
    char header[NPY_HEADER], file[MOST_NAME + 4];
    snprintf(file, sizeof file, "%.*s.npy", MOST_NAME - 1, name);
    const size_t length = npy_header(header, type, dims, dim);
    zip_add(zip, file, header, length, values, size);
}

int caelum_arrays_save(const char *path, const struct caelum_tensor *arrays, size_t count,
                       struct caelum_error *err) {
    struct zip_writer *zip;
    for (size_t i = 0; i < count; i++) {
        if (!*arrays[i].name) return caelum_fail(err, CAELUM_EUSAGE, "%s: array %zu has no name", path, i);
        for (size_t j = 0; j < i; j++)
            if (strcmp(arrays[i].name, arrays[j].name) == 0)
                return caelum_fail(err, CAELUM_EUSAGE, "%s: two arrays are called '%s'", path,
                                   arrays[i].name);
    }
    CHECK(zip_begin(&zip, path, err));
    for (size_t i = 0; i < count; i++)
        add(zip, arrays[i].name, npy_floats(), arrays[i].dims, arrays[i].dim, arrays[i].data,
            model_tensor_values(&arrays[i]) * sizeof(float));
    return zip_commit(&zip, err);
}

static int add_strings(struct zip_writer *zip, const struct metadata *strings, struct mem_group *memory,
                       struct caelum_error *err) {
    for (size_t i = 0; i < strings->count; i++) {
        const struct metadata_entry *e = &strings->entry[i];
        if (strlen(e->key) >= MOST_NAME || strchr(e->key, '\\')) /* libarchive reads that as a slash */
            return caelum_fail(
                err, CAELUM_EFORMAT,
                "metadata '%.60s': in an .npz expected a key of at most %d bytes, in UTF-8 and "
                "without a backslash",
                e->key, MOST_NAME - 1);
        uint8_t *points;
        size_t n;
        char type[24];
        const int result = npy_from_text(e->value, &points, &n, memory, err);
        if (result != 0) return caelum_fail_in(err, result, "metadata '%.60s'", e->key);
        snprintf(type, sizeof type, "<U%zu", n);
        add(zip, e->key, type, 0, NULL, points, 4 * n);
    }
    return CAELUM_OK;
}

static int add_tensors(struct zip_writer *zip, const struct caelum_model *model, struct mem_group *memory,
                       struct caelum_error *err) {
    struct caelum_tensor t;
    uint16_t *halves = NULL;
    if (model->half) CHECK(mem_take(memory, &halves, model->net->params, sizeof *halves, err));
    for (size_t i = 0; caelum_model_tensor(model, i, &t); i++) {
        const size_t n = model_tensor_values(&t);
        for (size_t v = 0; halves && v < n; v++) halves[v] = half_from(t.data[v]);
        if (halves)
            add(zip, t.name, "<f2", t.dims, t.dim, halves, n * sizeof *halves);
        else
            add(zip, t.name, npy_floats(), t.dims, t.dim, t.data, n * sizeof *t.data);
    }
    return CAELUM_OK;
}

int npz_save(const struct caelum_model *model, const char *path, struct caelum_error *err) {
    struct zip_writer *zip = NULL;
    struct mem_group memory = {0};
    struct metadata all = {0}, strings = {0};
    int result = model_strings(model->net, model->metadata, &all, err);
    if (result == 0) result = metadata_escape(&strings, &all, err);
    if (result == 0) result = zip_begin(&zip, path, err);
    if (result == 0) result = add_strings(zip, &strings, &memory, err);
    if (result == 0) result = add_tensors(zip, model, &memory, err);
    if (result == 0) result = zip_commit(&zip, err);
    zip_abandon(&zip);
    metadata_clear(&all), metadata_clear(&strings);
    mem_end(&memory);
    return result;
}

/* --- Reading -------------------------------------------------------------------------------------- */

/* An archive's arrays and strings. */
struct contents {
    const char *path;
    struct mem_group memory;
    size_t arrays;
    struct safetensor *array; /* [ZIP_MOST_FILES] */
    struct metadata strings;
};

/* One file of the archive. */
static int take_array(void *cookie, const char *file, const uint8_t *bytes, size_t size,
                      struct caelum_error *err) {
    struct contents *c = cookie;
    struct npy npy;
    char name[sizeof npy.array.name];
    const size_t length = strlen(file);
    if (length < 4 || strcmp(file + length - 4, ".npy") != 0 || length - 4 >= sizeof name)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: '%.200s' in it is no array of NumPy, NAME.npy", c->path,
                           file);
    snprintf(name, sizeof name, "%.*s", (int)length - 4, file);
    const int result = npy_read(&npy, name, bytes, size, &c->memory, err);
    if (result != 0) return caelum_fail_in(err, result, "%s", c->path);
    if (npy.text) return metadata_set(&c->strings, name, npy.text, err);
    memcpy(npy.array.name, name, sizeof name);
    c->array[c->arrays++] = npy.array;
    return CAELUM_OK;
}

/* numpy.savez keeps the order of its arguments; but what came out of a sorted dictionary has lost its own. */
static bool keeps_order(const struct contents *c) {
    for (size_t i = 1; i < c->arrays; i++)
        if (strcmp(c->array[i - 1].name, c->array[i].name) > 0) return true;
    return false;
}

static int model_of(struct caelum_model **model, struct contents *c, const char *path,
                    const struct caelum_import_settings *settings, struct caelum_error *err) {
    const struct match_evidence evidence = {.file_order = keeps_order(c), .order = settings->order};
    size_t values = 0;
    for (size_t i = 0; i < c->arrays; i++) values += safetensor_count(&c->array[i]);
    if (settings->net_path || !metadata_get(&c->strings, "network"))
        CHECK(exchange_model(model, path, settings, values, err));
    else
        CHECK(model_from_strings(model, &c->strings, path, values, err));
    return exchange_fill(*model, c->array, c->arrays, &evidence, path, err);
}

int npz_load(struct caelum_model **model, const char *path, const struct caelum_import_settings *settings,
             struct caelum_error *err) {
    struct contents c = {.path = path};
    int result = mem_take(&c.memory, &c.array, ZIP_MOST_FILES, sizeof *c.array, err);
    if (result == 0) result = zip_read(path, take_array, &c, err);
    metadata_unescape(&c.strings);
    if (result == 0) result = model_of(model, &c, path, settings, err);
    metadata_clear(&c.strings);
    mem_end(&c.memory);
    return result;
}
