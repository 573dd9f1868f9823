/* numpy.c - see numpy.h. */
#include "base/numpy.h"

#include "base/number.h"

#include <string.h>

static const char *skip_blanks(const char *at) {
    return at + strspn(at, " \t\r\n");
}

/* What follows the key and its colon in the dict; NULL if there is no such key. Python takes both kinds of
 * quotes. */
static const char *value_of(const char *dict, const char *key) {
    const size_t length = strlen(key);
    for (const char *at = dict; (at = strpbrk(at, "'\"")); at++) {
        if (strncmp(at + 1, key, length) != 0 || at[length + 1] != *at) continue;
        const char *colon = skip_blanks(at + length + 2);
        return *colon == ':' ? skip_blanks(colon + 1) : NULL;
    }
    return NULL;
}

/* A number of a shape may end in L, as Python 2 writes it. */
static bool read_shape(const char *at, struct numpy_header *h) {
    if (*at++ != '(') return false;
    for (;;) {
        uint64_t n;
        at = skip_blanks(at);
        if (*at == ')') return true;
        if (h->dims == 4 || !number_whole_at(at, &at, 0, SIZE_MAX, &n)) return false;
        h->dim[h->dims++] = (size_t)n;
        at = skip_blanks(at + (*at == 'L'));
        if (*at == ',')
            at++;
        else if (*at != ')')
            return false;
    }
}

/* The dict, as Python writes it: no escapes, no nesting but the shape. */
static bool read_dict(const char *dict, struct numpy_header *h) {
    const char *type = value_of(dict, "descr"), *order = value_of(dict, "fortran_order"),
               *shape = value_of(dict, "shape");
    if (!type || !order || !shape || (*type != '\'' && *type != '"')) return false;
    const char *end = strchr(type + 1, *type);
    const size_t length = end ? (size_t)(end - type - 1) : 0;
    if (length < 2 || length >= sizeof h->type) return false;
    memcpy(h->type, type + 1, length);
    if (*h->type == '=') *h->type = '<'; /* the machine's own, and ours */
    h->fortran = strncmp(order, "True", 4) == 0;
    if (!h->fortran && strncmp(order, "False", 5) != 0) return false;
    return read_shape(shape, h);
}

int numpy_header_read(struct numpy_header *header, const char *name, const uint8_t *bytes, size_t size,
                      struct caelum_error *err) {
    enum { MOST_DICT = 4096 };
    char dict[MOST_DICT + 1];
    struct numpy_header h = {.start = 10};
    if (size < 12 || memcmp(bytes, "\x93NUMPY", 6) != 0 || bytes[6] < 1 || bytes[6] > 3)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: not an array of NumPy", name);
    size_t length = bytes[8] | (size_t)bytes[9] << 8;
    if (bytes[6] > 1) h.start = 12, length |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
    if (length > MOST_DICT || length > size - h.start)
        return caelum_fail(err, CAELUM_EFORMAT, "%s: its header is cut short or too long", name);
    memcpy(dict, bytes + h.start, length);
    dict[length] = '\0';
    h.start += length;
    if (!read_dict(dict, &h))
        return caelum_fail(err, CAELUM_EFORMAT, "%s: header not understood: %.100s", name, dict);
    *header = h;
    return CAELUM_OK;
}

size_t numpy_place(const struct numpy_header *h, size_t i) {
    if (!h->fortran) return i;
    size_t rest = i, place = 0;
    for (size_t d = h->dims; d-- > 0;) {
        size_t step = 1;
        for (size_t e = 0; e < d; e++) step *= h->dim[e];
        place += rest % h->dim[d] * step;
        rest /= h->dim[d];
    }
    return place;
}
