/* h5.h - what Keras needs of HDF5 (libhdf5): files in memory, groups, arrays of floats, strings as
 * attributes. The library's own complaints are kept off stderr. */
#ifndef CAELUM_EXCHANGE_H5_H
#define CAELUM_EXCHANGE_H5_H

#include "base/error.h"

#include <hdf5.h>

struct h5 {
    hid_t file;
    const char *path; /* for messages; borrowed */
};

/* A file's bytes, which must outlive it. CAELUM_EFORMAT if they are none. */
int h5_open(struct h5 *h5, const char *path, const uint8_t *bytes, size_t size, struct caelum_error *err);
int h5_create(struct h5 *h5, const char *path, struct caelum_error *err);
/* The bytes of what was made, to be freed with mem_free. */
int h5_image(const struct h5 *h5, uint8_t **bytes, size_t *size, struct caelum_error *err);
void h5_close(struct h5 *h5);

/* Writers; `object` is a path in the file, "/" its root. Groups on the way to a dataset are made. */
int h5_add_group(const struct h5 *h5, const char *object, struct caelum_error *err);
int h5_add_floats(const struct h5 *h5, const char *object, size_t dims, const size_t *dim,
                  const float *values, struct caelum_error *err);
/* A string, of at most 65,000 bytes where it is not the root's. */
int h5_add_text(const struct h5 *h5, const char *object, const char *name, const char *text,
                struct caelum_error *err);
/* A list of strings, one after the other with a NUL each; an empty one, as NumPy has it, of no floats. */
int h5_add_names(const struct h5 *h5, const char *object, const char *name, const char *names, size_t count,
                 struct caelum_error *err);

bool h5_has(const struct h5 *h5, const char *object);
/* A string attribute of an object, to be freed with mem_free; CAELUM_EFORMAT if it isn't there. */
int h5_text(const struct h5 *h5, const char *object, const char *name, char **text, struct caelum_error *err);
/* The i-th of a list of strings, cut to `size`; false beyond the last, or if there is no such list. */
bool h5_name(const struct h5 *h5, const char *object, const char *name, size_t i, char *text, size_t size);
/* A dataset of floats of that shape. CAELUM_EFORMAT, naming shapes, if it is another or there is none. */
int h5_floats(const struct h5 *h5, const char *object, size_t dims, const size_t *dim, float *to,
              struct caelum_error *err);

#endif
