/* anomaly_baselines.h - two simple finders of defects, which a trained network has to beat. Both know 8x8
 * patches of luminance from good pictures, and put something known in the place of each patch of a picture:
 * its projection on the leading principal components, or the nearest patch. What differs is the defect. */
#ifndef CAELUM_ANOMALY_ANOMALY_BASELINES_H
#define CAELUM_ANOMALY_ANOMALY_BASELINES_H

#include "anomaly/anomaly_eval.h"

enum { BASELINES = 2 };

struct anomaly_baselines {
    struct detector detector[BASELINES]; /* "PCA of patches", "nearest patch" */
    size_t left_out;                     /* pictures that could not be read */
    struct anomaly_patches *patches;     /* owned */
};

/* Takes patches from the pictures in `directory` and below, which must be good ones. The same seed gives the
 * same bits on any machine. Fails as tree_find, with CAELUM_EFORMAT where no picture can be read. */
int anomaly_baselines_open(struct anomaly_baselines *baselines, const char *directory, uint64_t seed,
                           struct caelum_error *err);
/* Safe on a zeroed struct. */
void anomaly_baselines_close(struct anomaly_baselines *baselines);

#endif
