/* metadata.c - a short ordered list of strings by name. */
#include "base/mem.h"
#include "net/net.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int metadata_set(struct metadata *metadata, const char *key, const char *value, struct caelum_error *err) {
    struct metadata_entry *entry = metadata->entry;
    const size_t most = sizeof metadata->entry / sizeof *metadata->entry;
    while (entry < metadata->entry + metadata->count && strcmp(entry->key, key) != 0) entry++;
    if (entry == metadata->entry + most)
        return caelum_fail(err, CAELUM_EFORMAT, "metadata: more than %zu entries", most);
    char *copy;
    CHECK(mem_strdup(&copy, value, err));
    if (entry == metadata->entry + metadata->count) {
        const int result = mem_strdup(&entry->key, key, err);
        if (result != 0) {
            mem_free(&copy);
            return result;
        }
        metadata->count++;
    }
    mem_free(&entry->value);
    entry->value = copy;
    return CAELUM_OK;
}

int metadata_setf(struct metadata *metadata, struct caelum_error *err, const char *key, const char *format,
                  ...) {
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return metadata_set(metadata, key, text, err);
}

const char *metadata_get(const struct metadata *metadata, const char *key) {
    for (size_t i = 0; i < metadata->count; i++)
        if (strcmp(metadata->entry[i].key, key) == 0) return metadata->entry[i].value;
    return NULL;
}

void metadata_clear(struct metadata *metadata) {
    for (size_t i = 0; i < metadata->count; i++) {
        mem_free(&metadata->entry[i].key);
        mem_free(&metadata->entry[i].value);
    }
    metadata->count = 0;
}
