/* chroma.h - color over a large picture: its luminance made small, for a network; and chroma that is known
 * for the small picture brought to the large one along the edges of luminance. */
#ifndef CAELUM_IMAGE_CHROMA_H
#define CAELUM_IMAGE_CHROMA_H

#include "base/error.h"

/* Mean luminance (Y of base/color.h, in [0, 1]) of each of h x w areas of equal size into y [h][w], which are
 * no more than the picture has pixels each way. */
void chroma_shrink(const struct caelum_picture *picture, size_t w, size_t h, int threads, float *y);

/* The picture in color: its own luminance at every pixel, and the chroma of uv [2][h][w], where y [h][w] is
 * what chroma_shrink made. Between the two, chroma is a straight line of luminance, a Y + b: a small pixel's
 * has the slope of the 3x3 around it, as the guided filter fits it (He, Sun & Tang, "Guided image filtering",
 * ECCV 2010; small, as in He & Sun, arXiv 1505.00996), and goes through the small pixel's own Y and chroma,
 * which the filter would blur; a and b are interpolated. At the picture's own size chroma is unchanged.
 * Chroma beyond what a display has at that luminance is drawn towards grey until it fits. `out` is to be
 * freed by the caller; CAELUM_ERESOURCE. */
int chroma_merge(const struct caelum_picture *picture, const float *y, const float *uv, size_t w, size_t h,
                 int threads, struct caelum_picture *out, struct caelum_error *err);

#endif
