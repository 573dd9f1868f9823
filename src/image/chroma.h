/* chroma.h - color over a large picture: its luminance made small, for a network; and chroma that is known
 * for the small picture brought to the large one along the edges of luminance. */
#ifndef CAELUM_IMAGE_CHROMA_H
#define CAELUM_IMAGE_CHROMA_H

#include "base/error.h"

/* Mean luminance (Y of base/color.h, in [0, 1]) of each of h x w areas of equal size into y [h][w], which are
 * no more than the picture has pixels each way. */
void chroma_shrink(const struct caelum_picture *picture, size_t w, size_t h, int threads, float *y);

/* The picture in color: its own luminance at every pixel, and the chroma of uv [2][h][w], where y [h][w] is
 * what chroma_shrink made. Between the two, chroma is taken to be a straight line of luminance within each
 * 3x3 small pixels (He, Sun & Tang, "Guided image filtering", ECCV 2010, in the fast form of He & Sun, arXiv
 * 1505.00996: a and b are fitted small and interpolated). At the picture's own size chroma stays as it is.
 * Chroma beyond what a display has at that luminance is drawn towards grey until it fits. `out` is to be
 * freed by the caller; CAELUM_ERESOURCE. */
int chroma_merge(const struct caelum_picture *picture, const float *y, const float *uv, size_t w, size_t h,
                 int threads, struct caelum_picture *out, struct caelum_error *err);

#endif
