/* npy.c - see npy.h. */
#include "exchange/npy.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
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

int npy_from_text(const char *text, uint8_t **bytes, size_t *points, struct caelum_error *err) {
    uint8_t *to;
    size_t n = 0;
    CHECK(mem_alloc(&to, strlen(text) + 1, 4, err));
    for (const char *at = text; *at; n++) {
        const uint32_t point = utf8_next(&at);
        if (point == UINT32_MAX) {
            mem_free(&to);
            return caelum_fail(err, CAELUM_EFORMAT, "'%.40s...' is not UTF-8", text);
        }
        for (size_t b = 0; b < 4; b++) to[4 * n + b] = (uint8_t)(point >> (8 * b));
    }
    *bytes = to;
    *points = n > 0 ? n : 1; /* NumPy's empty string is one zero */
    return CAELUM_OK;
}

/* The other way; zeros at the end are padding. */
static int to_text(const char *name, const uint8_t *bytes, size_t points, char **text,
                   struct caelum_error *err) {
    char *to, *end;
    CHECK(mem_alloc(&to, points + 1, 4, err));
    end = to;
    for (size_t i = 0; i < points; i++) {
        uint32_t p = 0;
        for (size_t b = 0; b < 4; b++) p |= (uint32_t)bytes[4 * i + b] << (8 * b);
        if (p > 0x10ffff || (p >= 0xd800 && p < 0xe000)) {
            mem_free(&to);
            return caelum_fail(err, CAELUM_EFORMAT, "%s: not a Unicode string", name);
        }
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

/* What follows "'key':" in the dict, blanks skipped; NULL if there is no such key. */
static const char *value_of(const char *dict, const char *key) {
    char quoted[32];
    snprintf(quoted, sizeof quoted, "'%s':", key);
    const char *at = strstr(dict, quoted);
    if (!at) return NULL;
    at += strlen(quoted);
    return at + strspn(at, " ");
}

struct header {
    char type[16];
    bool fortran;
    size_t dims, dim[4];
};

/* The dict, as NumPy writes it: no escapes, no nesting but the shape. */
static bool read_dict(const char *dict, struct header *h) {
    const char *type = value_of(dict, "descr"), *order = value_of(dict, "fortran_order"),
               *shape = value_of(dict, "shape");
    if (!type || !order || !shape || *type != '\'' || *shape != '(') return false;
    const size_t length = strcspn(++type, "'");
    if (length >= sizeof h->type) return false;
    memcpy(h->type, type, length);
    h->fortran = strncmp(order, "True", 4) == 0;
    if (!h->fortran && strncmp(order, "False", 5) != 0) return false;
    for (const char *at = shape + 1;;) {
        at += strspn(at, " ,");
        if (*at == ')') return true;
        char *end;
        if (*at < '0' || *at > '9' || h->dims == 4) return false;
        h->dim[h->dims++] = strtoull(at, &end, 10);
        at = end;
    }
}

/* The first index varies fastest: made C order, `size` bytes a value. */
static int from_fortran(const struct safetensor *t, size_t size, void **own, struct caelum_error *err) {
    const size_t values = safetensor_count(t);
    uint8_t *to;
    CHECK(mem_alloc(&to, values, size, err));
    for (size_t i = 0; i < values; i++) {
        size_t rest = i, from = 0;
        for (size_t d = t->dims; d-- > 0;) {
            size_t step = 1;
            for (size_t e = 0; e < d; e++) step *= t->dim[e];
            from += rest % t->dim[d] * step;
            rest /= t->dim[d];
        }
        memcpy(to + i * size, (const uint8_t *)t->data + from * size, size);
    }
    *own = to;
    return CAELUM_OK;
}

static int read_values(struct npy *npy, const char *name, const struct header *h, const uint8_t *bytes,
                       size_t left, struct caelum_error *err) {
    char *end;
    const bool text = strncmp(h->type, "<U", 2) == 0;
    const size_t points = text ? strtoull(h->type + 2, &end, 10) : 0;
    if (text && (*end != '\0' || h->dims != 0 || left % 4 != 0 || points != left / 4))
        return caelum_fail(err, CAELUM_EFORMAT, "%s: of strings, only single ones are read", name);
    if (text) return to_text(name, bytes, points, &npy->text, err);
    static const char *const types[] = {[TENSOR_F16] = "<f2", [TENSOR_F32] = "<f4", [TENSOR_F64] = "<f8"};
    static const size_t sizes[] = {[TENSOR_F16] = 2, [TENSOR_F32] = 4, [TENSOR_F64] = 8};
    struct safetensor *t = &npy->array;
    while (t->type <= TENSOR_F64 && strcmp(h->type, types[t->type]) != 0) t->type++;
    if (t->type > TENSOR_F64)
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
    if (h->dims > 1 && h->fortran && left > 0) {
        t->data = bytes;
        CHECK(from_fortran(t, sizes[t->type], &npy->own, err));
    } else { /* copied, for the values need not be aligned where they are */
        CHECK(mem_alloc(&npy->own, left, 1, err));
        if (left > 0) memcpy(npy->own, bytes, left);
    }
    t->data = npy->own;
    return CAELUM_OK;
}

int npy_read(struct npy *npy, const char *name, const uint8_t *bytes, size_t size, struct caelum_error *err) {
    enum { MOST_DICT = 4096 };
    char dict[MOST_DICT + 1];
    struct header h = {0};
    if (size < 12 || memcmp(bytes, "\x93NUMPY", 6) != 0 || bytes[6] < 1 || bytes[6] > 3)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: not an array of NumPy", name);
    size_t start = 10, length = bytes[8] | (size_t)bytes[9] << 8;
    if (bytes[6] > 1) start = 12, length |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
    if (length > MOST_DICT || length > size - start)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: its header is cut short or too long", name);
    memcpy(dict, bytes + start, length);
    dict[length] = '\0';
    if (!read_dict(dict, &h))
        return caelum_fail(err, CAELUM_EFORMAT, "%s: header not understood: %.100s", name, dict);
    struct npy made = {0};
    const int result = read_values(&made, name, &h, bytes + start + length, size - start - length, err);
    if (result != 0)
        npy_close(&made);
    else
        *npy = made;
    return result;
}

void npy_close(struct npy *npy) {
    mem_free(&npy->text);
    mem_free(&npy->own);
}
