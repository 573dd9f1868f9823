/* fade.h - pictures that have faded: their blacks are no longer black, their whites no longer white. */
#ifndef CAELUM_IMAGE_FADE_H
#define CAELUM_IMAGE_FADE_H

#include "base/error.h"

/* The luminance that a faded picture uses, of [0, 1]. */
struct fade {
    bool faded;
    double low, high;
};

/* All but the darkest and the lightest 0.5 % of its pixels lie between low and high. Not faded where that is
 * so much of the range that healthy pictures use no more, or so little that there is nothing to be seen. */
struct fade fade_find(const struct caelum_picture *picture);

/* The luminance y as a network knows it best: from 0.1 to 0.9 for what lies between low and high, within [0,
 * 1]. Where nothing has faded every bit stays. */
float fade_show(struct fade fade, float y);

/* A grey copy of a picture, stretched from low and high to black and white. To be freed by the caller;
 * CAELUM_ERESOURCE. */
int fade_restore(const struct caelum_picture *picture, struct fade fade, struct caelum_picture *out,
                 struct caelum_error *err);

#endif
