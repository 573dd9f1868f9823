/* fade.h - pictures that have faded: their blacks are no longer black, their whites no longer white. */
#ifndef CAELUM_IMAGE_FADE_H
#define CAELUM_IMAGE_FADE_H

#include "base/error.h"

/* The luminance that a faded picture uses, of [0, 1]. */
struct fade {
    bool faded;
    double low, high;
};

/* All but the darkest and the lightest 0.5 % of its pixels are between low and high. Not faded if that is as
 * much of the range as healthy pictures use, or so little that nothing can be seen. */
struct fade fade_find(const struct caelum_picture *picture);

/* The luminance y stretched so that low and high become 0.1 and 0.9, where networks work best, within [0, 1].
 * Unchanged if nothing has faded. */
float fade_show(struct fade fade, float y);

/* A grey copy of a picture, stretched from low and high to black and white. To be freed by the caller;
 * CAELUM_ERESOURCE. */
int fade_restore(const struct caelum_picture *picture, struct fade fade, struct caelum_picture *out,
                 struct caelum_error *err);

#endif
