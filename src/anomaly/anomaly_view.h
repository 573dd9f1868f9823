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

/* The view of a picture: RGB, or with `grey` its luminance three times; no side is longer than `size`. The
 * caller frees it. CAELUM_ERESOURCE. */
int anomaly_view(const struct caelum_picture *picture, size_t size, bool grey, struct caelum_picture *view,
                 struct anomaly_light *light, struct caelum_error *err);

/* Whether all pixels are grey. */
bool anomaly_is_grey(const struct caelum_picture *picture);

#endif
