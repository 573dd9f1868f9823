/* fuzz_mutate.c - files with one thing changed that are of their form all the same, so that what reads them
 * gets beyond lengths and checksums. */
#include "fuzz.h"

#include "base/mem.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static const int64_t numbers[] = {0, 1, 2, 3, 255, 65536, INT32_MAX, 1LL << 31, 1LL << 32, INT64_MAX, -1};
enum { NUMBERS = sizeof numbers / sizeof *numbers };

/* --- safetensors: the header's size, the header in JSON, data ------------------------------------------ */

static json_t *changed(json_t *value, unsigned *seed, size_t *at);

/* A value, or in its place another. */
static json_t *other(json_t *value, unsigned *seed) {
    char text[256] = "";
    const int kind = rand_r(seed) % 4;
    if (kind == 0) return json_integer(numbers[rand_r(seed) % NUMBERS]);
    if (kind == 1) return json_null();
    if (!json_is_string(value))
        return json_integer(
            (json_int_t)((uint64_t)json_integer_value(value) + (uint64_t)(rand_r(seed) % 5) - 2));
    const size_t length = json_string_length(value), kept = length < 200 ? length : 200;
    memcpy(text, json_string_value(value), kept);
    const size_t n = LLVMFuzzerMutate((uint8_t *)text, kept, sizeof text - 1);
    json_t *string = json_stringn(text, n);
    return string ? string : json_null();
}

/* A copy of an object or array with the change in its at-th value, or without that. */
static json_t *members(json_t *value, unsigned *seed, size_t *at) {
    json_t *copy = json_is_object(value) ? json_object() : json_array(), *member;
    const char *key;
    size_t i;
    if (json_is_object(value)) json_object_foreach(value, key, member) {
            const bool gone = *at == 0 && rand_r(seed) % 4 == 0;
            json_t *now = changed(member, seed, at);
            if (!gone) json_object_set(copy, key, now);
            json_decref(now);
        }
    else
        json_array_foreach(value, i, member) json_array_append_new(copy, changed(member, seed, at));
    return copy;
}

static json_t *changed(json_t *value, unsigned *seed, size_t *at) {
    if ((*at)-- == 0) return other(value, seed);
    return json_is_object(value) || json_is_array(value) ? members(value, seed, at) : json_incref(value);
}

static size_t count_values(json_t *value) {
    size_t n = 1, i;
    const char *key;
    json_t *member;
    json_object_foreach(value, key, member) n += count_values(member);
    json_array_foreach(value, i, member) n += count_values(member);
    return n;
}

size_t mutate_safetensors(uint8_t *bytes, size_t size, size_t most, unsigned seed) {
    uint64_t length = 0;
    if (size >= 8) memcpy(&length, bytes, 8);
    json_t *header = size >= 8 && length <= size - 8 ? json_loadb((char *)bytes + 8, length, 0, NULL) : NULL;
    if (!header || rand_r(&seed) % 8 == 0) {
        json_decref(header);
        return LLVMFuzzerMutate(bytes, size, most);
    }
    size_t at = (size_t)rand_r(&seed) % count_values(header);
    json_t *now = changed(header, &seed, &at);
    char *text = json_dumps(now, JSON_COMPACT | JSON_ENCODE_ANY);
    const size_t written = text ? strlen(text) : 0, data = size - 8 - length;
    if (text && 8 + written + data <= most) {
        memmove(bytes + 8 + written, bytes + 8 + length, data);
        memcpy(bytes + 8, text, written);
        memcpy(bytes, &(uint64_t){written}, 8);
        size = 8 + written + data;
    }
    free(text);
    json_decref(now);
    json_decref(header);
    return size;
}

/* --- Protocol buffers: fields, each a key and a number, or a key, a length and bytes -------------------- */

struct field {
    uint64_t key, number; /* number: of a varint, or the length of what follows */
    const uint8_t *bytes;
    size_t size; /* of bytes; those of a varint are none */
};

static bool get_varint(const uint8_t **at, const uint8_t *end, uint64_t *n) {
    *n = 0;
    for (unsigned shift = 0; *at < end && shift < 64; shift += 7) {
        const uint8_t byte = *(*at)++;
        *n |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) return true;
    }
    return false;
}

static bool get_field(const uint8_t **at, const uint8_t *end, struct field *f) {
    *f = (struct field){0};
    if (!get_varint(at, end, &f->key) || f->key >> 3 == 0) return false;
    const unsigned kind = f->key & 7;
    if (kind != 0 && kind != 1 && kind != 2 && kind != 5) return false;
    if ((kind == 0 || kind == 2) && !get_varint(at, end, &f->number)) return false;
    f->size = kind == 1 ? 8 : kind == 5 ? 4 : kind == 2 ? (size_t)f->number : 0;
    f->bytes = *at;
    if (f->size > (size_t)(end - *at)) return false;
    *at += f->size;
    return true;
}

/* Whether bytes can be read as fields; a text can by chance, which does no harm. */
static size_t count_fields(const uint8_t *bytes, size_t size) {
    const uint8_t *at = bytes;
    struct field f;
    size_t n = 0;
    while (at < bytes + size) {
        if (!get_field(&at, bytes + size, &f)) return 0;
        n += 1 + ((f.key & 7) == 2 ? count_fields(f.bytes, f.size) : 0);
    }
    return n;
}

struct out {
    uint8_t *bytes;
    size_t size, most; /* size may be more than there is room for: then nothing is written */
};

static void put(struct out *out, const void *bytes, size_t size) {
    if (out->size + size <= out->most) memcpy(out->bytes + out->size, bytes, size);
    out->size += size;
}

static void put_varint(struct out *out, uint64_t n) {
    for (; n >= 0x80; n >>= 7) put(out, &(uint8_t){(uint8_t)(n | 0x80)}, 1);
    put(out, &(uint8_t){(uint8_t)n}, 1);
}

/* Writes a field, changed: another number, other bytes, another key, twice, or not at all. */
static void put_changed(struct out *out, struct field f, unsigned *seed) {
    uint8_t bytes[4096];
    const int how = rand_r(seed) % 8;
    if (how == 0) return;
    if (how == 1) f.key += 8u * (uint64_t)(1 + rand_r(seed) % 4);
    if (how > 2 && (f.key & 7) == 0)
        f.number =
            how < 5 ? f.number + (uint64_t)(rand_r(seed) % 5) - 2 : (uint64_t)numbers[rand_r(seed) % NUMBERS];
    if (how > 2 && f.size > 0 && f.size <= sizeof bytes) {
        memcpy(bytes, f.bytes, f.size);
        f.size = LLVMFuzzerMutate(bytes, f.size, (f.key & 7) == 2 ? sizeof bytes : f.size);
        f.bytes = bytes;
    }
    for (int times = how == 2 ? 2 : 1; times > 0; times--) {
        put_varint(out, f.key);
        if ((f.key & 7) == 0) put_varint(out, f.number);
        if ((f.key & 7) == 2) put_varint(out, f.size);
        if (f.size) put(out, f.bytes, f.size);
    }
}

static void put_fields(struct out *out, const uint8_t *bytes, size_t size, size_t *at, unsigned *seed) {
    const uint8_t *from = bytes;
    struct field f;
    while (from < bytes + size && get_field(&from, bytes + size, &f)) {
        const uint8_t *start = f.bytes;
        const size_t below = (f.key & 7) == 2 ? count_fields(f.bytes, f.size) : 0;
        if ((*at)-- == 0) {
            put_changed(out, f, seed);
        } else if (*at < below) { /* in it: its length may become another one */
            struct out inner = {.most = out->most};
            inner.bytes = malloc(inner.most);
            put_fields(&inner, start, f.size, at, seed);
            put_varint(out, f.key);
            put_varint(out, inner.size);
            put(out, inner.bytes, inner.size <= inner.most ? inner.size : 0);
            free(inner.bytes);
            *at = SIZE_MAX;
        } else {
            *at -= below;
            put_varint(out, f.key);
            if ((f.key & 7) == 0 || (f.key & 7) == 2) put_varint(out, f.number);
            put(out, start, f.size);
        }
    }
}

size_t mutate_protobuf(uint8_t *bytes, size_t size, size_t most, unsigned seed) {
    const size_t fields = count_fields(bytes, size);
    if (fields == 0 || rand_r(&seed) % 8 == 0) return LLVMFuzzerMutate(bytes, size, most);
    struct out out = {.bytes = malloc(most), .most = most};
    size_t at = (size_t)rand_r(&seed) % fields;
    put_fields(&out, bytes, size, &at, &seed);
    if (out.size > 0 && out.size <= most) memcpy(bytes, out.bytes, size = out.size);
    free(out.bytes);
    return size;
}

/* --- PNG: each chunk has its checksum ------------------------------------------------------------------ */

size_t mutate_png(uint8_t *bytes, size_t size, size_t most, unsigned seed) {
    (void)seed;
    size = LLVMFuzzerMutate(bytes, size, most);
    for (size_t at = 8; at + 12 <= size;) {
        const uint8_t *b = bytes + at;
        const size_t length = (size_t)b[0] << 24 | (size_t)b[1] << 16 | (size_t)b[2] << 8 | b[3];
        if (length > size - at - 12) break;
        const uint32_t crc = (uint32_t)crc32_z(0, b + 4, length + 4);
        for (size_t i = 0; i < 4; i++) bytes[at + 8 + length + i] = (uint8_t)(crc >> (24 - 8 * i));
        at += 12 + length;
    }
    return size;
}
