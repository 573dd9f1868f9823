/* match.h - which array of a file is which tensor of a model, where the file has names of its own. */
#ifndef CAELUM_EXCHANGE_MATCH_H
#define CAELUM_EXCHANGE_MATCH_H

#include "model/safetensors.h"

/* What decides between arrays of one shape. */
struct match_evidence {
    bool file_order;   /* the file has them in the order in which they were given to it */
    const char *order; /* "encoder,decoder": names, or their beginnings up to a dot or slash; may be NULL */
};

/* For each tensor i of the model, the array that holds its values: array[at[i]]; at: [tensors]. An array goes
 * where its shape fits. Where it fits twice, it goes to the layer that has an array of the same name up to
 * the last dot; then `order` decides, then the file's order if that is evidence, else numbers, in names that
 * are equal but for these. CAELUM_EFORMAT, naming path and the arrays, if that leaves a choice, or a tensor
 * or an array is left over; CAELUM_EUSAGE if `order` has a word that none is called. */
int match_arrays(const struct caelum_model *model, const struct safetensor *array, size_t count,
                 const struct match_evidence *evidence, const char *path, size_t *at,
                 struct caelum_error *err);

/* "[8, 3, 3, 3]"; returns text. */
const char *match_shape_text(size_t dims, const size_t *dim, char text[96]);

#endif
