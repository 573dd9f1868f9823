/* anomaly_view.h - a picture as finders of defects see it: not too large, and with the same mean and contrast
 * as any other. */
#ifndef CAELUM_ANOMALY_ANOMALY_VIEW_H
#define CAELUM_ANOMALY_ANOMALY_VIEW_H

#include "base/error.h"

#include <stdbool.h>

/* How bright a picture was before it was made alike: mean and standard deviation of its bytes. */
struct anomaly_light {
    double mean, deviation;
};

/* How a picture is looked at, from fine to coarse: a network of its own for each. */
enum { ANOMALY_FINE, ANOMALY_COARSE, ANOMALY_SCALES };
struct anomaly_scale {
    const char *name;
    size_t reduce; /* pixels of the picture along a side of one that the network sees */
    size_t side;   /* of a crop: what the network is trained on, and its tiles */
};
extern const struct anomaly_scale anomaly_scale[ANOMALY_SCALES];

struct anomaly_view {
    struct caelum_picture picture[ANOMALY_SCALES]; /* owned */
    struct anomaly_light light;                    /* at the fine scale */
};

/* The view of a picture: RGB, or with `grey` its luminance three times; no side is longer than `size`, at the
 * coarse scale than a quarter of it. CAELUM_ERESOURCE. */
int anomaly_view_open(struct anomaly_view *view, const struct caelum_picture *picture, size_t size, bool grey,
                      struct caelum_error *err);
/* Safe on a zeroed view. */
void anomaly_view_close(struct anomaly_view *view);

/* A picture of which no side is longer than `most`, then `by` times smaller, rounded up, by means over areas:
 * to be freed, also after a failure if it was zeroed. CAELUM_ERESOURCE. */
int anomaly_reduce(const struct caelum_picture *picture, size_t most, size_t by, struct caelum_picture *out,
                   struct caelum_error *err);

/* Whether all pixels are grey. */
bool anomaly_is_grey(const struct caelum_picture *picture);

#endif
