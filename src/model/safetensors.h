/* safetensors.h - the container of models and checkpoints: 8 bytes little-endian header size, a JSON
 * header, raw little-endian data without holes (huggingface/safetensors, README "Format"). */
#ifndef CAELUM_MODEL_SAFETENSORS_H
#define CAELUM_MODEL_SAFETENSORS_H

#include "model/model.h"

enum tensor_type { TENSOR_F16, TENSOR_F32, TENSOR_F64 };

/* One named array. When writing, data is borrowed until safetensors_write returns; when reading it
 * lasts as long as the file and is aligned for its type. */
struct safetensor {
    char name[96];
    enum tensor_type type;
    size_t dims, dim[4];
    const void *data;
};

/* Values in a tensor. */
size_t safetensor_count(const struct safetensor *tensor);
/* Its values in single precision; to: [safetensor_count]. */
void safetensor_floats(const struct safetensor *tensor, float *to);

/* Writes tensors in the given order with the metadata; whole or not at all. Same input, same bytes.
 * CAELUM_EUSAGE if two tensors have one name. */
int safetensors_write(const char *path, const struct safetensor *tensors, size_t count,
                      const struct metadata *metadata, struct caelum_error *err);

/* A file read and checked: header, offsets (in any order, no holes, no overlaps), sizes, end of file. `bytes`
 * holds the tensors' data. */
struct safetensors {
    uint8_t *bytes;
    size_t count;
    struct safetensor *tensor;
    struct metadata metadata;
};

/* Bytes of the largest file that is read. */
#define SAFETENSORS_MOST ((size_t)1 << 32)

int safetensors_read(struct safetensors *file, const char *path, struct caelum_error *err);
/* The same from a file's bytes, which are copied; `name` stands before errors. */
int safetensors_decode(struct safetensors *file, const void *bytes, size_t size, const char *name,
                       struct caelum_error *err);
void safetensors_close(struct safetensors *file);

/* Values in all tensors. */
size_t safetensors_values(const struct safetensors *file);
/* The tensor of this name, or NULL. */
const struct safetensor *safetensors_named(const struct safetensors *file, const char *name);
/* The tensor of this name, type and shape; CAELUM_EFORMAT, naming path, if it is not there. */
int safetensors_find(const struct safetensors *file, const char *path, const char *name,
                     enum tensor_type type, size_t dims, const size_t *dim, const void **data,
                     struct caelum_error *err);

#endif
