/* crops.h - square windows of a photo, reduced to small pictures of one size. A crop is a function of seed,
 * photo and number alone, in whole numbers and square roots: the same bytes on every machine, in any order.
 */
#ifndef CAELUM_DATA_CROPS_H
#define CAELUM_DATA_CROPS_H

#include "base/error.h"

enum {
    CROPS_WANTED = 20000, /* of all photos together, about */
    CROPS_MOST = 64,      /* of one photo */
    CROP_LEAST_SIDE = 8,  /* of a crop, in pixels */
    CROP_MOST_SIDE = 256,
    CROP_USUAL_SIDE = 32,
};

/* Crops of each of `photos` > 0 photos, if each is large enough. */
size_t crops_share(size_t photos);

/* Crops of a photo whose sides are at least `side`: the share, but no more than would cover it side by side,
 * or small pictures would count as much as large ones; at least 1. */
size_t crops_count(size_t width, size_t height, size_t side, size_t share);

struct crop_window {
    size_t x, y, side; /* in pixels of the photo */
};

/* The window of a crop (crop < CROPS_MOST) of a photo (photo < 2^26) whose sides are at least `side`: its
 * own side is log-uniform from `side` to the photo's shorter one, so that every octave of sizes is seen as
 * often, its place uniform. */
struct crop_window crop_window(size_t width, size_t height, size_t side, uint64_t seed, uint32_t photo,
                               uint32_t crop);

/* Averages the window's bytes over areas, rounded: out [3][side][side]. Needs window.side >= side. */
void crop_make(const struct caelum_picture *photo, struct crop_window window, size_t side, uint8_t *out);

/* The whole of a picture, likewise: out [3][height][width]. CAELUM_RESIZE_NONE is for its own size. */
void crop_whole(const struct caelum_picture *photo, enum caelum_resize how, size_t width, size_t height,
                uint8_t *out);

#endif
