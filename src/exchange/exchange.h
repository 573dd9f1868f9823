/* exchange.h - other programs' model files: one line a format in exchange.c, and files of this module.
 *
 * A `save` writes its file whole or not at all (base/file.h). A `load` makes a model out of a file that
 * anybody may have made: it checks every size before it multiplies or allocates, and names what is wrong.
 * *model is NULL before; after a failure it may be half-filled, and the caller closes it. */
#ifndef CAELUM_EXCHANGE_EXCHANGE_H
#define CAELUM_EXCHANGE_EXCHANGE_H

#include "model/safetensors.h"

struct exchange_format {
    const char *ending; /* of its files: ".npz" */
    const char *part;   /* what a build without this format lacks: "ONNX" */
    bool whole;         /* its files always say what the network is */
    int (*save)(const struct caelum_model *model, const char *path, struct caelum_error *err);
    int (*load)(struct caelum_model **model, const char *path, const struct caelum_import_settings *settings,
                struct caelum_error *err);
};

/* The format of the path's ending; CAELUM_EUSAGE if there is none, or not in this build. */
int exchange_find(const struct exchange_format **format, const char *path, struct caelum_error *err);

/* For a file of weights alone, `most` of them: a model of settings->net_path, whose values are all zero;
 * CAELUM_EUSAGE, naming path, if there is none. */
int exchange_model(struct caelum_model **model, const char *path,
                   const struct caelum_import_settings *settings, size_t most, struct caelum_error *err);

/* What decides between arrays of one shape. */
struct match_evidence {
    bool file_order;   /* the file has them in the order in which they were given to it */
    const char *order; /* "encoder,decoder": names, or their beginnings up to a dot or slash; may be NULL */
};
/* match.c: copies arrays into the model's tensors, in single precision. If one has the name of a tensor, all
 * must: CAELUM_EFORMAT, naming path, for the first that is missing, unknown or of another shape;
 * CAELUM_EUSAGE with an order. Else an array goes where its shape fits. Where it fits twice, it goes to the
 * layer that has an array of the same name up to the last dot; then `order` decides, then the file's order if
 * that is evidence, else numbers, in names that are equal but for these. CAELUM_EFORMAT, naming path and the
 * arrays, if that leaves a choice, or a tensor or an array is left over; CAELUM_EUSAGE if no array is called
 * by a word of `order`. */
int exchange_fill(struct caelum_model *model, const struct safetensor *array, size_t count,
                  const struct match_evidence *evidence, const char *path, struct caelum_error *err);

/* npz.c */
int npz_save(const struct caelum_model *model, const char *path, struct caelum_error *err);
int npz_load(struct caelum_model **model, const char *path, const struct caelum_import_settings *settings,
             struct caelum_error *err);

#endif
