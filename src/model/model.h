/* model.h - a network with parameters, what is known about how it came to be, and its file. */
#ifndef CAELUM_MODEL_MODEL_H
#define CAELUM_MODEL_MODEL_H

#include "net/net.h"

/* A network with parameters, and what is known about how it came to be. */
struct caelum_model {
    struct caelum_net *net; /* owned */
    float *params;          /* [net->params], owned */
    bool half;              /* they are in half precision in its file */
    struct metadata *metadata;
    struct engine_pool *pool; /* engines that were opened for it (model/pool.h); NULL: none are kept */
};

/* Key-value pairs of strings in the order in which they were set. */
struct metadata_entry {
    char *key, *value;
};
struct metadata {
    size_t count, room;
    struct metadata_entry *entry; /* owned */
};
/* Copies key and value; an existing key gets the new value. CAELUM_EFORMAT beyond 1024 entries. */
int metadata_set(struct metadata *metadata, const char *key, const char *value, struct caelum_error *err);
int metadata_setf(struct metadata *metadata, struct caelum_error *err, const char *key, const char *format,
                  ...) __attribute__((format(printf, 4, 5)));
/* NULL if there is no such key. */
const char *metadata_get(const struct metadata *metadata, const char *key);
void metadata_clear(struct metadata *metadata);
/* Files keep metadata as UTF-8, and names of files in them are any bytes: json_bytes (base/json.h) of all
 * keys and values, added to `to`, which is to be cleared, also after a failure; and in place what they were.
 */
int metadata_escape(struct metadata *to, const struct metadata *from, struct caelum_error *err);
void metadata_unescape(struct metadata *metadata);

/* A model of the network that `text` describes, all parameters zero; `name` stands before line and column in
 * errors. CAELUM_EFORMAT, before memory is taken for them, if there are more than 2^24 parameters and more
 * than `most`, which the file has that they are to come from. */
int model_new(struct caelum_model **model, const char *text, const char *name, size_t height, size_t width,
              size_t most, struct caelum_error *err);
/* The same of a finished network, which is taken: *net is NULL then. */
int model_take(struct caelum_model **model, struct caelum_net **net, size_t most, struct caelum_error *err);
/* CAELUM_EFORMAT, naming `what`, the tensor and the value, if a parameter is not finite, or with `half` would
 * not be in half precision. */
int model_check(const struct caelum_net *net, const float *params, bool half, const char *what,
                struct caelum_error *err);
/* What a model's file says besides its weights: "format", "network", "height" and "width", then the model's
 * metadata. `all` is to be cleared, also after a failure. */
int model_strings(const struct caelum_net *net, const struct metadata *metadata, struct metadata *all,
                  struct caelum_error *err);
/* A model, all parameters zero, of what model_strings has given; `strings` become its metadata and are left
 * empty. CAELUM_EFORMAT, naming path, if they are not a model's, or `most` is too small (model_new). */
int model_from_strings(struct caelum_model **model, struct metadata *strings, const char *path, size_t most,
                       struct caelum_error *err);
/* How many values it has. */
size_t model_tensor_values(const struct caelum_tensor *tensor);
/* The values, to be written, of the model's tensor of that name and shape; NULL if it has none. */
float *model_values(struct caelum_model *model, const char *name, size_t dims, const size_t *dim);

/* Writes parameters and network as a safetensors file. The keys "format", "network", "height" and
 * "width" are added to the metadata. */
int model_save(const struct caelum_net *net, const float *params, const struct metadata *metadata,
               const char *path, struct caelum_error *err);

/* Another network in the file of a model: names of its tensors, and of its keys "network", "height" and
 * "width", begin with `prefix`. Programs that know nothing of it read the model. */
struct model_part {
    const char *prefix;
    caelum_model *model;
};
/* As caelum_model_save, with another one. */
int model_save_with(const caelum_model *model, const struct model_part *other, const char *path,
                    struct caelum_error *err);
/* As caelum_model_load; other->model, NULL if the file has no such part, is the caller's to close, also after
 * a failure. */
int model_load_with(caelum_model **model, struct model_part *other, const char *path,
                    struct caelum_error *err);

#endif
