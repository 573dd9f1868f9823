/* exchange.h - other programs' model files: one line a format in exchange.c, and files of this room.
 *
 * A `save` writes its file whole or not at all (base/file.h). A `load` makes a model out of a file that
 * anybody may have made: it checks every size before it multiplies or allocates, and names what is wrong. */
#ifndef CAELUM_EXCHANGE_EXCHANGE_H
#define CAELUM_EXCHANGE_EXCHANGE_H

#include "exchange/match.h"

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

/* Copies arrays into the model's tensors, in single precision: those of the tensors' names; or if there is
 * not one such name, as match.h says. CAELUM_EFORMAT, naming path and what is wrong, as there; and naming the
 * first tensor that is missing or has another shape. */
int exchange_fill(struct caelum_model *model, const struct safetensor *array, size_t count,
                  const struct match_evidence *evidence, const char *path, struct caelum_error *err);

/* npz.c */
int npz_save(const struct caelum_model *model, const char *path, struct caelum_error *err);
int npz_load(struct caelum_model **model, const char *path, const struct caelum_import_settings *settings,
             struct caelum_error *err);

#endif
