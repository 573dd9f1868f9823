/* npy.h - NumPy's .npy format, version 1.0: "\x93NUMPY", version, two bytes of header length, a Python dict
 * in ASCII, the values (NumPy, "NPY format"). */
#ifndef CAELUM_EXCHANGE_NPY_H
#define CAELUM_EXCHANGE_NPY_H

#include "base/little.h"
#include "base/mem.h"
#include "model/safetensors.h"

enum { NPY_HEADER = 512 };

/* The type of single precision as the machine has it. */
static inline const char *npy_floats(void) {
    return little_machine() ? "<f4" : ">f4";
}
/* The bytes in front of an array's values; their number. `type` as in "<f4". */
size_t npy_header(char header[NPY_HEADER], const char *type, size_t dims, const size_t *dim);

/* What such a file holds: an array of floats, or one string. */
struct npy {
    struct safetensor array;
    char *text; /* UTF-8, NULL for an array */
};
/* Reads `size` bytes: versions 1 to 3, floats of 2, 4 or 8 bytes with at most 4 dimensions, in C or Fortran
 * order and either order of bytes, or a 0-dimensional string ("<U"). `name` stands before the complaint,
 * CAELUM_EFORMAT. What is read is the group's. */
int npy_read(struct npy *npy, const char *name, const uint8_t *bytes, size_t size, struct mem_group *memory,
             struct caelum_error *err);

/* UTF-8 as 32-bit little-endian code points; *bytes is the group's, at least one code point long.
 * CAELUM_EFORMAT if the text is not UTF-8. */
int npy_from_text(const char *text, uint8_t **bytes, size_t *points, struct mem_group *memory,
                  struct caelum_error *err);

#endif
