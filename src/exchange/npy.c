/* npy.c - see npy.h. */
#include "exchange/npy.h"

#include "base/little.h"
#include "base/number.h"
#include "base/numpy.h"

#include <stdio.h>
#include <string.h>

/* --- Strings -------------------------------------------------------------------------------------- */

/* The code point at *at, which is moved on; UINT32_MAX if there is none. */
static uint32_t utf8_next(const char **at) {
    const unsigned char *s = (const unsigned char *)*at;
    const size_t more = s[0] < 0x80 ? 0 : s[0] >= 0xf0 ? 3 : s[0] >= 0xe0 ? 2 : 1;
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    uint32_t point = more == 0 ? s[0] : s[0] & (0x3fu >> more);
    if (s[0] >= 0x80 && (s[0] < 0xc2 || s[0] > 0xf4)) return UINT32_MAX;
    for (size_t i = 1; i <= more; i++) {
        if ((s[i] & 0xc0) != 0x80) return UINT32_MAX;
        point = point << 6 | (s[i] & 0x3f);
    }
    *at += more + 1;
    return point < least[more] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000) ? UINT32_MAX
                                                                                          : point;
}

int npy_from_text(const char *text, uint8_t **bytes, size_t *points, struct mem_group *memory,
                  struct caelum_error *err) {
    uint8_t *to;
    size_t n = 0;
    CHECK(mem_take(memory, &to, strlen(text) + 1, 4, err));
    for (const char *at = text; *at; n++) {
        const uint32_t point = utf8_next(&at);
        if (point == UINT32_MAX) return caelum_fail(err, CAELUM_EFORMAT, "'%.40s...' is not UTF-8", text);
        for (size_t b = 0; b < 4; b++) to[4 * n + b] = (uint8_t)(point >> (8 * b));
    }
    *bytes = to;
    *points = n > 0 ? n : 1; /* NumPy's empty string is one zero */
    return CAELUM_OK;
}

/* The other way; zeros at the end are padding. */
static int to_text(const char *name, const uint8_t *bytes, size_t points, bool big_endian, char **text,
                   struct mem_group *memory, struct caelum_error *err) {
    char *to, *end;
    CHECK(mem_take(memory, &to, points + 1, 4, err));
    end = to;
    for (size_t i = 0; i < points; i++) {
        uint32_t p = 0;
        for (size_t b = 0; b < 4; b++) p |= (uint32_t)bytes[4 * i + b] << (8 * (big_endian ? 3 - b : b));
        if (p > 0x10ffff || (p >= 0xd800 && p < 0xe000))
            return caelum_fail(err, CAELUM_EFORMAT, "%s: not a Unicode string", name);
        const int more = p < 0x80 ? 0 : p < 0x800 ? 1 : p < 0x10000 ? 2 : 3;
        static const uint32_t marks[] = {0, 0xc0, 0xe0, 0xf0};
        *end++ = (char)(marks[more] | p >> (6 * more));
        for (int m = more - 1; m >= 0; m--) *end++ = (char)(0x80 | (p >> (6 * m) & 0x3f));
    }
    *end = '\0';
    *text = to;
    return CAELUM_OK;
}

/* --- Writing -------------------------------------------------------------------------------------- */

size_t npy_header(char header[NPY_HEADER], const char *type, size_t dims, const size_t *dim) {
    enum { START = 10, ALIGN = 64 };
    char *text = header + START;
    int used = snprintf(text, NPY_HEADER - START, "{'descr': '%s', 'fortran_order': False, 'shape': (", type);
    for (size_t d = 0; d < dims; d++)
        used += snprintf(text + used, (size_t)(NPY_HEADER - START - used), "%zu%s", dim[d],
                         d + 1 < dims ? ", "
                         : d == 0     ? ","
                                      : "");
    used += snprintf(text + used, (size_t)(NPY_HEADER - START - used), "), }");
    /* blanks and a newline up to a multiple of 64, so that the values are aligned */
    const size_t all = (START + (size_t)used + 1 + ALIGN - 1) / ALIGN * ALIGN;
    memset(text + used, ' ', all - START - (size_t)used - 1);
    header[all - 1] = '\n';
    memcpy(header, "\x93NUMPY\x01\x00", 8);
    header[8] = (char)((all - START) & 255), header[9] = (char)((all - START) >> 8);
    return all;
}

/* --- Reading -------------------------------------------------------------------------------------- */

/* A copy of the values, `size` bytes each, in C order and the machine's order of bytes: where they are, they
 * need not be aligned. */
static int copy_values(struct npy *npy, const struct numpy_header *h, const uint8_t *bytes, size_t size,
                       struct mem_group *memory, struct caelum_error *err) {
    const size_t values = safetensor_count(&npy->array);
    uint8_t *to;
    CHECK(mem_take(memory, &to, values, size, err));
    npy->array.data = to;
    for (size_t i = 0; i < values; i++, to += size) {
        const uint8_t *from = bytes + size * (numpy_place(h, i));
        for (size_t b = 0; b < size; b++)
            to[b] = from[(*h->type == '<') == little_machine() ? b : size - 1 - b];
    }
    return CAELUM_OK;
}

static int read_text(struct npy *npy, const char *name, const struct numpy_header *h, const uint8_t *bytes,
                     size_t left, struct mem_group *memory, struct caelum_error *err) {
    uint64_t points;
    if (!number_whole(h->type + 2, 0, SIZE_MAX, &points) || h->dims != 0 || left % 4 != 0 ||
        points != left / 4)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: of strings, only single ones are read", name);
    return to_text(name, bytes, points, *h->type == '>', &npy->text, memory, err);
}

static int read_values(struct npy *npy, const char *name, const struct numpy_header *h, const uint8_t *bytes,
                       size_t left, struct mem_group *memory, struct caelum_error *err) {
    const bool ordered = *h->type == '<' || *h->type == '>';
    if (ordered && h->type[1] == 'U') return read_text(npy, name, h, bytes, left, memory, err);
    static const char *const types[] = {[TENSOR_F16] = "f2", [TENSOR_F32] = "f4", [TENSOR_F64] = "f8"};
    static const size_t sizes[] = {[TENSOR_F16] = 2, [TENSOR_F32] = 4, [TENSOR_F64] = 8};
    struct safetensor *t = &npy->array;
    while (t->type <= TENSOR_F64 && strcmp(h->type + 1, types[t->type]) != 0) t->type++;
    if (!ordered || t->type > TENSOR_F64)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: values of type '%s', expected <f2, <f4 or <f8", name,
                           h->type);
    size_t wanted = sizes[t->type];
    bool fits = true;
    t->dims = h->dims;
    for (size_t d = 0; d < h->dims; d++) {
        t->dim[d] = h->dim[d];
        fits = fits && !__builtin_mul_overflow(wanted, h->dim[d], &wanted);
    }
    if (!fits || wanted != left)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: %zu bytes of values don't fit its shape", name, left);
    return copy_values(npy, h, bytes, sizes[t->type], memory, err);
}

int npy_read(struct npy *npy, const char *name, const uint8_t *bytes, size_t size, struct mem_group *memory,
             struct caelum_error *err) {
    struct numpy_header h;
    *npy = (struct npy){0};
    CHECK(numpy_header_read(&h, name, bytes, size, err));
    return read_values(npy, name, &h, bytes + h.start, size - h.start, memory, err);
}
