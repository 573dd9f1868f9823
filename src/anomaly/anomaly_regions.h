/* anomaly_regions.h - the places of a map that are too high. */
#ifndef CAELUM_ANOMALY_ANOMALY_REGIONS_H
#define CAELUM_ANOMALY_ANOMALY_REGIONS_H

#include "base/error.h"

/* Boxes around what touches, also at corners, and is `threshold` or more: the highest CAELUM_ANOMALY_BOXES of
 * them, falling. map: [height][width]. CAELUM_ERESOURCE. */
int anomaly_regions(const float *map, size_t width, size_t height, float threshold,
                    struct caelum_anomaly_verdict *verdict, struct caelum_error *err);

#endif
