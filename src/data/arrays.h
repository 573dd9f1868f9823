/* arrays.h - arrays of numbers in files: pictures, and labels beside them. */
#ifndef CAELUM_DATA_ARRAYS_H
#define CAELUM_DATA_ARRAYS_H

#include "base/numpy.h"
#include "data/formats.h"

struct array {
    char kind;   /* as NumPy has it: 'u', 'i', 'f', 'b'; others are neither pictures nor labels */
    size_t size; /* of a value, bytes: 1, 2, 4 or 8 */
    bool big;    /* the highest byte comes first */
    struct numpy_header shape;
    const uint8_t *values; /* borrowed */
};

/* An array of a whole file; its values need not be there in full. CAELUM_EFORMAT, `name` in front. */
typedef int array_parse(struct array *array, const char *name, const uint8_t *bytes, size_t size,
                        struct caelum_error *err);

/* Reads the arrays of a tree, those files of which is_one holds. Three or four dimensions, N x H x W,
 * N x H x W x C or N x C x H x W with C being 1 or 3, are pictures: whole numbers from 0 to 255, or floats
 * from 0 to 1. Whole numbers in one dimension are labels, where the name says so (y, labels, target, class)
 * or says nothing (arr_1). Words in names, as in x_train, say which part it is of. */
int arrays_take(struct source *source, bool (*is_one)(const struct tree_file *file), array_parse *parse,
                struct caelum_error *err);

#endif
