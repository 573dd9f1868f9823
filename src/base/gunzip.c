/* gunzip.c - see gunzip.h. Over zlib; a file may be several compressed ones, one behind the other. */
#include "base/gunzip.h"

#include "base/mem.h"

#include <string.h>
#include <zlib.h>

static bool is_gzip(const uint8_t *bytes, size_t size) {
    return size >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
}

/* What is handed to zlib at once, which counts in 32 bits. */
static uInt portion(size_t left) {
    return left < (1u << 30) ? (uInt)left : 1u << 30;
}

/* Continues until the input or the room is used up. False where the input is damaged. *whole: it has come to
 * an end of what was compressed. */
static bool inflate_all(z_stream *z, const uint8_t *bytes, size_t size, size_t *at, uint8_t *to, size_t room,
                        size_t *used, bool *whole) {
    while (*used < room) {
        z->next_in = (Bytef *)(uintptr_t)(bytes + *at), z->avail_in = portion(size - *at);
        z->next_out = to + *used, z->avail_out = portion(room - *used);
        const int status = inflate(z, Z_NO_FLUSH);
        *at = (size_t)(z->next_in - bytes);
        *used = (size_t)(z->next_out - to);
        *whole = status == Z_STREAM_END;
        if (*whole && (!is_gzip(bytes + *at, size - *at) || inflateReset(z) != Z_OK)) return true;
        *whole = false;
        if (*at == size) return true;
        if (status == Z_STREAM_END) continue;
        if (status != Z_OK) return false;
    }
    return true;
}

void gunzip_head(const uint8_t *bytes, size_t size, uint8_t *head, size_t most) {
    z_stream z = {0};
    size_t at = 0, used = 0;
    bool whole;
    memset(head, 0, most);
    if (!is_gzip(bytes, size)) {
        memcpy(head, bytes, size < most ? size : most);
    } else if (inflateInit2(&z, 16 + MAX_WBITS) == Z_OK) { /* 16: a gzip header */
        inflate_all(&z, bytes, size, &at, head, most, &used, &whole);
        inflateEnd(&z);
    }
}

int gunzip(uint8_t **bytes, size_t *size, const char *name, size_t most, struct caelum_error *err) {
    z_stream z = {0};
    uint8_t *to = NULL;
    size_t at = 0, used = 0, room = 0;
    bool whole = false, good = true;
    int result = CAELUM_OK;
    if (!is_gzip(*bytes, *size)) return CAELUM_OK;
    if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
        return caelum_fail(err, CAELUM_ERESOURCE, "%s: out of memory", name);
    while (result == 0 && good && !whole && used == room && used <= most) {
        uint8_t *larger = NULL;
        room = room ? 2 * room : 1 << 16;
        result = mem_alloc(&larger, room + 1, 1, err);
        if (result != 0) break;
        if (used) memcpy(larger, to, used);
        mem_free(&to);
        to = larger;
        good = inflate_all(&z, *bytes, *size, &at, to, room, &used, &whole);
    }
    inflateEnd(&z);
    if (result == 0 && used > most)
        result = caelum_fail(err, CAELUM_EFORMAT, "%s: decompressed it is longer than the %zu bytes expected",
                             name, most);
    if (result == 0 && !whole)
        result = caelum_fail(err, CAELUM_EFORMAT, "%s: its compressed data are %s", name,
                             good ? "cut short" : "damaged");
    if (result != 0) {
        mem_free(&to);
        return result;
    }
    mem_free(bytes);
    *bytes = to;
    *size = used;
    return CAELUM_OK;
}
