/* anomaly_heat.h - scores of pixels shown in color over the picture. */
#ifndef CAELUM_ANOMALY_ANOMALY_HEAT_H
#define CAELUM_ANOMALY_ANOMALY_HEAT_H

#include "base/error.h"

/* The picture in grey, over it the map [height][width]: clear up to the score `low`, then from yellow to red
 * at `high` and beyond. A mask [height][width] has its outline drawn in blue; NULL: there is none. `out` is
 * to be freed by the caller. CAELUM_ERESOURCE. */
int anomaly_heat(const struct caelum_picture *picture, const float *map, double low, double high,
                 const uint8_t *mask, struct caelum_picture *out, struct caelum_error *err);

#endif
