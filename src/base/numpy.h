/* numpy.h - the header of NumPy's .npy format, versions 1 to 3: "\x93NUMPY", version, length, a Python dict
 * in ASCII (NumPy, "NPY format"). */
#ifndef CAELUM_BASE_NUMPY_H
#define CAELUM_BASE_NUMPY_H

#include "base/error.h"

struct numpy_header {
    char type[16]; /* the first letter is its order of bytes: '<', '>' or '|' */
    bool fortran;  /* the first index varies fastest */
    size_t dims, dim[4];
    size_t start; /* of the values, in the file */
};

/* Of a file's first `size` bytes. CAELUM_EFORMAT, with `name` in front, where it is none or damaged. */
int numpy_header_read(struct numpy_header *header, const char *name, const uint8_t *bytes, size_t size,
                      struct caelum_error *err);
/* Where value i of the array in C order is in the file, counted in values. */
size_t numpy_place(const struct numpy_header *header, size_t i);

#endif
