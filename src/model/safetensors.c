/* safetensors.c - reading and writing safetensors over jansson. The reader trusts nothing: every offset
 * is checked against the file before it is used. */
#include "model/safetensors.h"

#include "base/file.h"
#include "base/json.h"
#include "base/little.h"
#include "base/magic.h"
#include "base/mem.h"
#include "model/half.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The reference reader's own limit on the header, and ours on a file. */
static const size_t most_header = 100000000;

static const char *const type_names[] = {[TENSOR_F16] = "F16", [TENSOR_F32] = "F32", [TENSOR_F64] = "F64"};
static const size_t type_sizes[] = {[TENSOR_F16] = 2, [TENSOR_F32] = 4, [TENSOR_F64] = 8};

size_t safetensor_count(const struct safetensor *tensor) {
    size_t n = 1;
    for (size_t i = 0; i < tensor->dims; i++) n *= tensor->dim[i];
    return n;
}

void safetensor_floats(const struct safetensor *tensor, float *to) {
    const size_t values = safetensor_count(tensor);
    for (size_t i = 0; i < values; i++)
        to[i] = tensor->type == TENSOR_F16   ? half_to(((const uint16_t *)tensor->data)[i])
                : tensor->type == TENSOR_F32 ? ((const float *)tensor->data)[i]
                                             : (float)((const double *)tensor->data)[i];
}

/* --- Writing -------------------------------------------------------------------------------------- */

static json_t *tensor_json(const struct safetensor *t, size_t begin, size_t end) {
    json_t *entry = json_object(), *shape = json_array(), *offsets = json_array();
    for (size_t d = 0; d < t->dims; d++) json_add(&shape, json_size(t->dim[d]));
    json_add(&offsets, json_size(begin));
    json_add(&offsets, json_size(end));
    json_put(&entry, "dtype", json_string(type_names[t->type]));
    json_put(&entry, "shape", shape);
    json_put(&entry, "data_offsets", offsets);
    return entry;
}

/* The whole header, or NULL. */
static json_t *header_json(const struct safetensor *tensors, size_t count, const struct metadata *metadata) {
    json_t *header = json_object(), *strings = json_object();
    for (size_t i = 0; i < metadata->count; i++)
        json_put(&strings, metadata->entry[i].key, json_string(metadata->entry[i].value));
    json_put(&header, "__metadata__", strings);
    size_t offset = 0;
    for (size_t i = 0; i < count; i++) {
        const size_t end = offset + safetensor_count(&tensors[i]) * type_sizes[tensors[i].type];
        json_put(&header, tensors[i].name, tensor_json(&tensors[i], offset, end));
        offset = end;
    }
    return header;
}

static int header_text(char **text, const char *path, const struct safetensor *tensors, size_t count,
                       const struct metadata *metadata, struct caelum_error *err) {
    struct metadata escaped = {0};
    json_t *header = NULL;
    int result = metadata_escape(&escaped, metadata, err);
    if (result == 0) header = header_json(tensors, count, &escaped);
    if (header && json_object_size(header) != count + 1)
        result = caelum_fail(err, CAELUM_EUSAGE, "%s: two tensors have one name", path);
    if (result == 0)
        result = json_text(&header, JSON_COMPACT, path, text, err);
    else
        json_decref(header);
    metadata_clear(&escaped);
    return result;
}

static void put_values(FILE *to, const struct safetensor *t) {
    const size_t values = safetensor_count(t), size = type_sizes[t->type];
    if (little_machine() && values > 0) fwrite(t->data, size, values, to);
    for (size_t i = 0; i < values && !little_machine(); i++) {
        uint8_t value[sizeof(double)];
        memcpy(value, (const uint8_t *)t->data + i * size, size);
        little_turn(value, 1, size);
        fwrite(value, 1, size, to);
    }
}

int safetensors_write(const char *path, const struct safetensor *tensors, size_t count,
                      const struct metadata *metadata, struct caelum_error *err) {
    char *text;
    CHECK(header_text(&text, path, tensors, count, metadata, err));
    /* padded with blanks so that the data starts 8-byte aligned, as the format asks */
    const size_t length = strlen(text), padded = (length + 7) / 8 * 8;
    struct file_writer writer;
    int result = file_begin(&writer, path, err);
    if (result == 0) {
        for (int i = 0; i < 8; i++) fputc((int)((uint64_t)padded >> (8 * i) & 255), writer.stream);
        fwrite(text, 1, length, writer.stream);
        for (size_t i = length; i < padded; i++) fputc(' ', writer.stream);
        for (size_t i = 0; i < count; i++) put_values(writer.stream, &tensors[i]);
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
    metadata_unescape(metadata);
    return CAELUM_OK;
}

/* A whole number of 0 or more in JSON. */
static bool get_size(const json_t *number, size_t *size) {
    if (!json_is_integer(number) || json_integer_value(number) < 0) return false;
    *size = (size_t)json_integer_value(number);
    return true;
}

/* One entry of the header: a tensor within the data. */
static int read_entry(const char *path, const char *name, const json_t *entry, const uint8_t *data,
                      size_t data_size, struct safetensor *t, struct caelum_error *err) {
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
    size_t bytes = type_sizes[t->type], begin, end;
    for (size_t i = 0; i < t->dims; i++)
        if (!get_size(json_array_get(shape, i), &t->dim[i]) ||
            __builtin_mul_overflow(bytes, t->dim[i], &bytes))
            return caelum_fail(err, CAELUM_EFORMAT, "%s: tensor '%s': impossible shape", path, name);
    if (!get_size(json_array_get(offsets, 0), &begin) || !get_size(json_array_get(offsets, 1), &end) ||
        begin > end || end > data_size || end - begin != bytes)
        return caelum_fail(err, CAELUM_EFORMAT,
                           "%s: tensor '%s': its offsets don't fit its shape or the file (cut short?)", path,
                           name);
    t->data = data + begin;
    return CAELUM_OK;
}

static size_t bytes_of(const struct safetensor *t) {
    return safetensor_count(t) * type_sizes[t->type];
}

static int by_place(const void *a, const void *b) {
    const struct safetensor *const *p = a, *const *q = b;
    const uint8_t *x = (*p)->data, *y = (*q)->data;
    if (x != y) return x < y ? -1 : 1;
    return (bytes_of(*p) > 0) - (bytes_of(*q) > 0); /* what is empty takes no place */
}

/* The tensors fill the data without holes or overlaps, in whatever order the header has them. */
static int check_places(const struct safetensors *file, const char *path, const uint8_t *data,
                        size_t data_size, struct caelum_error *err) {
    const struct safetensor **place;
    const uint8_t *at = data;
    int result = CAELUM_OK;
    CHECK(mem_alloc(&place, file->count, sizeof *place, err));
    for (size_t i = 0; i < file->count; i++) place[i] = &file->tensor[i];
    if (file->count) qsort(place, file->count, sizeof *place, by_place);
    for (size_t i = 0; result == 0 && i < file->count; at += bytes_of(place[i++]))
        if (place[i]->data != at)
            result = caelum_fail(err, CAELUM_EFORMAT,
                                 "%s: tensor '%s' starts at byte %td of the data, the one before it ends at "
                                 "%td: expected neither holes nor overlaps",
                                 path, place[i]->name, (const uint8_t *)place[i]->data - data, at - data);
    mem_free(&place);
    if (result == 0 && at != data + data_size)
        result = caelum_fail(err, CAELUM_EFORMAT, "%s: %td bytes of data expected, got %zu", path, at - data,
                             data_size);
    return result;
}

/* Where a tensor's place in the file is no multiple of its values' size: all are moved to places that are. */
static int align(struct safetensors *file, struct caelum_error *err) {
    enum { STEP = sizeof(double) };
    bool aligned = true;
    size_t room = 0;
    for (size_t i = 0; i < file->count; i++) {
        const struct safetensor *t = &file->tensor[i];
        aligned &= ((uintptr_t)t->data & (type_sizes[t->type] - 1)) == 0;
        room += (bytes_of(t) + STEP - 1) / STEP * STEP;
    }
    if (aligned) return CAELUM_OK;
    uint8_t *to, *at;
    CHECK(mem_alloc(&to, room, 1, err));
    at = to;
    for (size_t i = 0; i < file->count; i++) {
        struct safetensor *t = &file->tensor[i];
        const size_t size = bytes_of(t);
        if (size) memcpy(at, t->data, size);
        t->data = at;
        at += (size + STEP - 1) / STEP * STEP;
    }
    mem_free(&file->bytes);
    file->bytes = to;
    return CAELUM_OK;
}

static int read_header(struct safetensors *file, const char *path, const json_t *header, const uint8_t *data,
                       size_t data_size, struct caelum_error *err) {
    CHECK(mem_alloc(&file->tensor, json_object_size(header), sizeof *file->tensor, err));
    const char *name;
    json_t *entry;
    json_object_foreach((json_t *)(uintptr_t)header, name, entry) {
        if (strcmp(name, "__metadata__") == 0) {
            CHECK(read_metadata(entry, path, &file->metadata, err));
        } else {
            CHECK(read_entry(path, name, entry, data, data_size, &file->tensor[file->count], err));
            file->count++;
        }
    }
    CHECK(check_places(file, path, data, data_size, err));
    CHECK(align(file, err));
    for (size_t i = 0; i < file->count; i++) {
        const struct safetensor *t = &file->tensor[i];
        little_turn((void *)(uintptr_t)t->data, safetensor_count(t), type_sizes[t->type]);
    }
    return CAELUM_OK;
}

/* Reads what file->bytes holds. */
static int parse(struct safetensors *file, size_t size, const char *path, struct caelum_error *err) {
    size_t length = 0;
    if (size >= 8)
        for (size_t i = 0; i < 8; i++) length |= (size_t)file->bytes[i] << (8 * i);
    if (size < 8 || length < 2 || length > size - 8 || length > most_header)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: not a safetensors file; it is %s", path,
                           magic_name(file->bytes, size));
    json_error_t why;
    json_t *header = json_read(file->bytes + 8, length, JSON_REJECT_DUPLICATES, &why);
    int result;
    if (!header && json_fault(&why) == CAELUM_ERESOURCE)
        result = caelum_fail(err, CAELUM_ERESOURCE, "%s: out of memory for its header", path);
    else if (!json_is_object(header))
        result = caelum_fail(err, CAELUM_EFORMAT, "%s: not a safetensors file: header: %s", path,
                             header ? "not an object" : why.text);
    else
        result = read_header(file, path, header, file->bytes + 8 + length, size - 8 - length, err);
    json_decref(header);
    return result;
}

/* The file whose bytes are there already; they are freed if it is none. */
static int finish(struct safetensors *out, struct safetensors file, size_t size, const char *path,
                  struct caelum_error *err) {
    const int result = parse(&file, size, path, err);
    if (result == 0)
        *out = file;
    else
        safetensors_close(&file);
    return result;
}

int safetensors_read(struct safetensors *out, const char *path, struct caelum_error *err) {
    struct safetensors file = {0};
    size_t size;
    CHECK(file_read(path, SAFETENSORS_MOST, &file.bytes, &size, err));
    return finish(out, file, size, path, err);
}

int safetensors_decode(struct safetensors *out, const void *bytes, size_t size, const char *name,
                       struct caelum_error *err) {
    struct safetensors file = {0};
    CHECK(mem_alloc(&file.bytes, size, 1, err));
    if (size) memcpy(file.bytes, bytes, size);
    return finish(out, file, size, name, err);
}

void safetensors_close(struct safetensors *file) {
    metadata_clear(&file->metadata);
    mem_free(&file->tensor);
    mem_free(&file->bytes);
    file->count = 0;
}

size_t safetensors_values(const struct safetensors *file) {
    size_t values = 0;
    for (size_t i = 0; i < file->count; i++) values += safetensor_count(&file->tensor[i]);
    return values;
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
