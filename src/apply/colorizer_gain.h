/* colorizer_gain.h - the one dial of a colorizer, from the mean of the likely colors, which is pale, to
 * colors as strong as the truth's. */
#ifndef CAELUM_APPLY_COLORIZER_GAIN_H
#define CAELUM_APPLY_COLORIZER_GAIN_H

#include "model/model.h"

#define COLORIZER_GAIN_KEY "vivid_gain"

/* CAELUM_EUSAGE unless vivid is from 0 to 1. */
int colorizer_gain_check(double vivid, struct caelum_error *err);
/* What chroma is multiplied by: from 1 to the model's gain, 2 if it has none. */
double colorizer_gain(const struct caelum_model *model, double vivid);

#endif
