/* noise_level.h - how strong the noise of a picture is. */
#ifndef CAELUM_METRICS_NOISE_LEVEL_H
#define CAELUM_METRICS_NOISE_LEVEL_H

#include "base/error.h"
#include "base/sample.h"

enum { NOISE_LEAST_SIDE = 24 }; /* of a picture that has patches enough */

/* The standard deviation of white noise, 1 being white; 0 where all patches have black or white pixels.
 * CAELUM_EUSAGE for a smaller picture, CAELUM_ERESOURCE. */
int noise_level(const struct samples *picture, double *deviation, struct caelum_error *err);

#endif
