/* idx.c - MNIST's format (LeCun, Cortes & Burges), in which Fashion-MNIST, EMNIST and others come, too: two
 * zero bytes, type, number of dimensions, sizes and values, all with the highest byte first. */
#include "data/arrays.h"

#include <string.h>

static bool is_idx(const struct tree_file *file) {
    return !file->picture && file->head[0] == 0 && file->head[1] == 0 && file->head[2] >= 8 &&
           file->head[3] >= 1;
}

static bool is_meant(const struct tree *tree) {
    for (size_t i = 0; i < tree->count; i++)
        if (is_idx(&tree->file[i])) return true;
    return false;
}

static int parse(struct array *array, const char *name, const uint8_t *bytes, size_t size,
                 struct caelum_error *err) {
    static const char types[][3] = {"u1", "i1", "", "i2", "i4", "f4", "f8"}; /* from 8 on */
    if (size < 4) return caelum_fail(err, CAELUM_EFORMAT, "%s: cut short after %zu bytes", name, size);
    const size_t dims = bytes[3], type = bytes[2] - 8u;
    struct array a = {.big = true, .shape = {.dims = dims, .start = 4 + 4 * dims}};
    if (type >= sizeof types / sizeof *types || !*types[type] || dims > 4 || size < a.shape.start)
        return caelum_fail(err, CAELUM_EFORMAT,
                           "%s: of type %u with %zu dimensions; expected an idx file as MNIST's", name,
                           bytes[2], dims);
    a.kind = types[type][0], a.size = (size_t)types[type][1] - '0';
    for (size_t d = 0; d < dims; d++) {
        const uint8_t *at = bytes + 4 + 4 * d;
        a.shape.dim[d] = (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
    }
    a.values = bytes + a.shape.start;
    *array = a;
    return CAELUM_OK;
}

static int read_data(struct source *source, struct caelum_error *err) {
    return arrays_take(source, is_idx, parse, err);
}

const struct data_format idx_format = {"idx", is_meant, read_data};
