/* metadata.c - a short ordered list of strings by name. */
#include "base/json.h"
#include "base/mem.h"
#include "base/number.h"
#include "model/model.h"

#include <string.h>

enum { FIRST_ROOM = 32, MOST_ENTRIES = 1024 };

/* Room for one more. */
static int make_room(struct metadata *metadata, struct caelum_error *err) {
    if (metadata->count < metadata->room) return CAELUM_OK;
    if (metadata->room == MOST_ENTRIES)
        return caelum_fail(err, CAELUM_EFORMAT, "metadata: more than %d entries", MOST_ENTRIES);
    const size_t room = metadata->room ? 2 * metadata->room : FIRST_ROOM;
    struct metadata_entry *entry;
    CHECK(mem_alloc(&entry, room, sizeof *entry, err));
    if (metadata->count) memcpy(entry, metadata->entry, metadata->count * sizeof *entry);
    mem_free(&metadata->entry);
    metadata->entry = entry;
    metadata->room = room;
    return CAELUM_OK;
}

int metadata_set(struct metadata *metadata, const char *key, const char *value, struct caelum_error *err) {
    size_t i = 0;
    char *copy, *name = NULL;
    while (i < metadata->count && strcmp(metadata->entry[i].key, key) != 0) i++;
    CHECK(mem_strdup(&copy, value, err));
    if (i < metadata->count) {
        mem_free(&metadata->entry[i].value);
    } else {
        int result = make_room(metadata, err);
        if (result == 0) result = mem_strdup(&name, key, err);
        if (result != 0) {
            mem_free(&copy);
            return result;
        }
        metadata->entry[metadata->count++].key = name;
    }
    metadata->entry[i].value = copy;
    return CAELUM_OK;
}

int metadata_setf(struct metadata *metadata, struct caelum_error *err, const char *key, const char *format,
                  ...) {
    char *text;
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    const int length = number_vprint(NULL, 0, format, args);
    va_end(args);
    int result = length < 0 ? caelum_fail(err, CAELUM_ERESOURCE, "metadata '%.60s': out of memory", key)
                            : mem_alloc(&text, (size_t)length + 1, 1, err);
    if (result == 0) {
        number_vprint(text, (size_t)length + 1, format, again);
        result = metadata_set(metadata, key, text, err);
        mem_free(&text);
    }
    va_end(again);
    return result;
}

const char *metadata_get(const struct metadata *metadata, const char *key) {
    for (size_t i = 0; i < metadata->count; i++)
        if (strcmp(metadata->entry[i].key, key) == 0) return metadata->entry[i].value;
    return NULL;
}

static int set_escaped(struct metadata *to, const json_t *key, const json_t *value,
                       struct caelum_error *err) {
    if (!key || !value) return caelum_fail(err, CAELUM_ERESOURCE, "metadata: out of memory");
    return metadata_set(to, json_string_value(key), json_string_value(value), err);
}

int metadata_escape(struct metadata *to, const struct metadata *from, struct caelum_error *err) {
    for (size_t i = 0; i < from->count; i++) {
        json_t *key = json_bytes(from->entry[i].key), *value = json_bytes(from->entry[i].value);
        const int result = set_escaped(to, key, value, err);
        json_decref(key), json_decref(value);
        CHECK(result);
    }
    return CAELUM_OK;
}

void metadata_unescape(struct metadata *metadata) {
    for (size_t i = 0; i < metadata->count; i++) {
        json_bytes_back(metadata->entry[i].key);
        json_bytes_back(metadata->entry[i].value);
    }
}

void metadata_clear(struct metadata *metadata) {
    for (size_t i = 0; i < metadata->count; i++) {
        mem_free(&metadata->entry[i].key);
        mem_free(&metadata->entry[i].value);
    }
    mem_free(&metadata->entry);
    *metadata = (struct metadata){0};
}
