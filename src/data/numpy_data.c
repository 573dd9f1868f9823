/* numpy_data.c - NumPy's .npy files, alone, in a directory, or together as an .npz, which is a zip of them.
 */
#include "data/arrays.h"

#include <string.h>

static bool is_numpy(const struct tree_file *file) {
    const char *name = path_name(file->path);
    return !file->picture &&
           (memcmp(file->head, "\x93NUMPY", 6) == 0 || strcmp(name + path_stem_length(name), ".npy") == 0);
}

static bool is_meant(const struct tree *tree) {
    for (size_t i = 0; i < tree->count; i++)
        if (is_numpy(&tree->file[i])) return true;
    return false;
}

static int parse(struct array *array, const char *name, const uint8_t *bytes, size_t size,
                 struct caelum_error *err) {
    struct array a = {0};
    CHECK(numpy_header_read(&a.shape, name, bytes, size, err));
    const char *type = a.shape.type;
    a.big = *type == '>';
    a.kind = type[1];
    a.values = bytes + a.shape.start;
    if (strchr("uifb", a.kind) && strlen(type) == 3 && strchr("1248", type[2]))
        a.size = (size_t)type[2] - '0';
    if (a.size == 0 || (a.kind == 'f' && a.size == 1)) a.size = 0, a.kind = a.kind == 'O' ? 'O' : '?';
    *array = a;
    return CAELUM_OK;
}

static int read_data(struct source *source, struct caelum_error *err) {
    return arrays_take(source, is_numpy, parse, err);
}

const struct data_format numpy_format = {"numpy", is_meant, read_data};
