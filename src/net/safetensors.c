/* safetensors.c - reading and writing safetensors over jansson. The reader trusts nothing: every offset
 * is checked against the file before it is used. */
#include "net/safetensors.h"

#include "base/file.h"
#include "base/mem.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* The reference reader's own limit on the header, and ours on a file. */
static const size_t most_header = 100000000, most_file = (size_t)1 << 32;

static const char *const type_names[] = {[TENSOR_F16] = "F16", [TENSOR_F32] = "F32", [TENSOR_F64] = "F64"};
static const size_t type_sizes[] = {[TENSOR_F16] = 2, [TENSOR_F32] = 4, [TENSOR_F64] = 8};

size_t safetensor_count(const struct safetensor *tensor) {
    size_t n = 1;
    for (size_t i = 0; i < tensor->dims; i++) n *= tensor->dim[i];
    return n;
}

/* --- Writing -------------------------------------------------------------------------------------- */

static json_t *header_json(const struct safetensor *tensors, size_t count, const struct metadata *metadata) {
    json_t *header = json_object(), *strings = json_object();
    for (size_t i = 0; i < metadata->count; i++)
        json_object_set_new(strings, metadata->entry[i].key, json_string(metadata->entry[i].value));
    json_object_set_new(header, "__metadata__", strings);
    size_t offset = 0;
    for (size_t i = 0; i < count; i++) {
        const struct safetensor *t = &tensors[i];
        const size_t end = offset + safetensor_count(t) * type_sizes[t->type];
        json_t *shape = json_array();
        for (size_t d = 0; d < t->dims; d++)
            json_array_append_new(shape, json_integer((json_int_t)t->dim[d]));
        json_object_set_new(header, t->name,
                            json_pack("{s:s, s:o, s:[I, I]}", "dtype", type_names[t->type], "shape", shape,
                                      "data_offsets", (json_int_t)offset, (json_int_t)end));
        offset = end;
    }
    return header;
}

int safetensors_write(const char *path, const struct safetensor *tensors, size_t count,
                      const struct metadata *metadata, struct caelum_error *err) {
    json_t *header = header_json(tensors, count, metadata);
    char *text = json_dumps(header, JSON_COMPACT);
    json_decref(header);
    if (!text) return caelum_fail(err, CAELUM_ERESOURCE, "%s: header: out of memory or not UTF-8", path);
    /* padded with blanks so that the data starts 8-byte aligned, as the format asks */
    const size_t length = strlen(text), padded = (length + 7) / 8 * 8;
    struct file_writer writer;
    int result = file_begin(&writer, path, err);
    if (result == 0) {
        for (int i = 0; i < 8; i++) fputc((int)((uint64_t)padded >> (8 * i) & 255), writer.stream);
        fwrite(text, 1, length, writer.stream);
        for (size_t i = length; i < padded; i++) fputc(' ', writer.stream);
        for (size_t i = 0; i < count; i++) {
            const size_t values = safetensor_count(&tensors[i]);
            if (values > 0) fwrite(tensors[i].data, type_sizes[tensors[i].type], values, writer.stream);
        }
        result = file_commit(&writer, err);
    }
    free(text);
    return result;
}

/* --- Reading -------------------------------------------------------------------------------------- */

static int read_metadata(const json_t *strings, const char *path, struct metadata *metadata,
                         struct caelum_error *err) {
    const char *key;
    json_t *value;
    if (!json_is_object(strings))
        return caelum_fail(err, CAELUM_EFORMAT, "%s: __metadata__ is not an object", path);
    json_object_foreach((json_t *)(uintptr_t)strings, key, value) {
        if (!json_is_string(value))
            return caelum_fail(err, CAELUM_EFORMAT, "%s: metadata '%s' is not a string", path, key);
        CHECK(metadata_set(metadata, key, json_string_value(value), err));
    }
    return CAELUM_OK;
}

/* One entry of the header; *at is where the tensor before it ended. */
static int read_entry(const char *path, const char *name, const json_t *entry, const uint8_t *data,
                      size_t data_size, size_t *at, struct safetensor *t, struct caelum_error *err) {
    const json_t *shape = json_object_get(entry, "shape"), *offsets = json_object_get(entry, "data_offsets");
    const char *type = json_string_value(json_object_get(entry, "dtype"));
    *t = (struct safetensor){.dims = json_array_size(shape)};
    if (strlen(name) >= sizeof t->name || !type || !json_is_array(shape) || t->dims > 4 ||
        json_array_size(offsets) != 2)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: tensor '%.90s': name, type or shape is not supported",
                           path, name);
    snprintf(t->name, sizeof t->name, "%s", name);
    while (t->type <= TENSOR_F64 && strcmp(type, type_names[t->type]) != 0) t->type++;
    if (t->type > TENSOR_F64)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: tensor '%s': type %.20s, expected F16, F32 or F64", path,
                           name, type);
    size_t bytes = type_sizes[t->type];
    for (size_t i = 0; i < t->dims; i++) {
        const json_int_t d = json_integer_value(json_array_get(shape, i));
        if (d < 0 || __builtin_mul_overflow(bytes, (size_t)d, &bytes))
            return caelum_fail(err, CAELUM_EFORMAT, "%s: tensor '%s': impossible shape", path, name);
        t->dim[i] = (size_t)d;
    }
    const json_int_t begin = json_integer_value(json_array_get(offsets, 0));
    const json_int_t end = json_integer_value(json_array_get(offsets, 1));
    if (begin < 0 || (size_t)begin != *at || bytes > data_size - *at || end != (json_int_t)(*at + bytes) ||
        *at % type_sizes[t->type] != 0)
        return caelum_fail(err, CAELUM_EFORMAT,
                           "%s: tensor '%s': its offsets don't fit its shape or the file (cut short?)", path,
                           name);
    t->data = data + *at;
    *at += bytes;
    return CAELUM_OK;
}

static int read_header(struct safetensors *file, const char *path, const json_t *header, const uint8_t *data,
                       size_t data_size, struct caelum_error *err) {
    CHECK(mem_alloc(&file->tensor, json_object_size(header), sizeof *file->tensor, err));
    const char *name;
    json_t *entry;
    size_t at = 0;
    json_object_foreach((json_t *)(uintptr_t)header, name, entry) {
        if (strcmp(name, "__metadata__") == 0) {
            CHECK(read_metadata(entry, path, &file->metadata, err));
        } else {
            CHECK(read_entry(path, name, entry, data, data_size, &at, &file->tensor[file->count], err));
            file->count++;
        }
    }
    if (at != data_size)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: %zu bytes of data expected, got %zu", path, at,
                           data_size);
    return CAELUM_OK;
}

/* Reads what file->bytes holds. */
static int parse(struct safetensors *file, size_t size, const char *path, struct caelum_error *err) {
    size_t length = 0;
    if (size >= 8)
        for (size_t i = 0; i < 8; i++) length |= (size_t)file->bytes[i] << (8 * i);
    if (size < 8 || length < 2 || length > size - 8 || length > most_header || length % 8 != 0)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: not a safetensors file (%zu bytes)", path, size);
    json_error_t why;
    json_t *header = json_loadb((const char *)file->bytes + 8, length, JSON_REJECT_DUPLICATES, &why);
    int result;
    if (!json_is_object(header))
        result = caelum_fail(err, CAELUM_EFORMAT, "%s: not a safetensors file: header: %s", path,
                             header ? "not an object" : why.text);
    else
        result = read_header(file, path, header, file->bytes + 8 + length, size - 8 - length, err);
    json_decref(header);
    return result;
}

int safetensors_read(struct safetensors *out, const char *path, struct caelum_error *err) {
    struct safetensors file = {0};
    size_t size;
    CHECK(file_read(path, most_file, &file.bytes, &size, err));
    const int result = parse(&file, size, path, err);
    if (result == 0)
        *out = file;
    else
        safetensors_close(&file);
    return result;
}

int safetensors_decode(struct safetensors *out, const void *bytes, size_t size, const char *name,
                       struct caelum_error *err) {
    struct safetensors file = {0};
    CHECK(mem_alloc(&file.bytes, size, 1, err));
    if (size) memcpy(file.bytes, bytes, size);
    const int result = parse(&file, size, name, err);
    if (result == 0)
        *out = file;
    else
        safetensors_close(&file);
    return result;
}

void safetensors_close(struct safetensors *file) {
    metadata_clear(&file->metadata);
    mem_free(&file->tensor);
    mem_free(&file->bytes);
    file->count = 0;
}

const struct safetensor *safetensors_named(const struct safetensors *file, const char *name) {
    for (size_t i = 0; i < file->count; i++)
        if (strcmp(file->tensor[i].name, name) == 0) return &file->tensor[i];
    return NULL;
}

int safetensors_find(const struct safetensors *file, const char *path, const char *name,
                     enum tensor_type type, size_t dims, const size_t *dim, const void **data,
                     struct caelum_error *err) {
    const struct safetensor *t = safetensors_named(file, name);
    if (!t) return caelum_fail(err, CAELUM_EFORMAT, "%s: tensor '%s' is missing", path, name);
    bool same = t->type == type && t->dims == dims;
    for (size_t d = 0; same && d < dims; d++) same = t->dim[d] == dim[d];
    if (!same)
        return caelum_fail(err, CAELUM_EFORMAT,
                           "%s: tensor '%s' has another type or shape than the network's", path, name);
    *data = t->data;
    return CAELUM_OK;
}
