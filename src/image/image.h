/* image.h - picture files to 8-bit RGB in memory. One file a format; picture.c tells them apart. */
#ifndef CAELUM_IMAGE_IMAGE_H
#define CAELUM_IMAGE_IMAGE_H

#include "base/error.h"

/* Pixels of the largest picture that is read: 2^28, 805 MB of RGB. */
#define IMAGE_MOST_PIXELS ((size_t)1 << 28)

/* Checks width and height as a file declares them, before anything is allocated for them. */
int image_check_size(const char *path, size_t width, size_t height, struct caelum_error *err);
/* image_check_size, then memory for the pixels. */
int image_allocate(struct caelum_picture *picture, const char *path, size_t width, size_t height,
                   struct caelum_error *err);

/* Each decodes a whole file that is in memory; `path` only names it in errors. On failure nothing is left
 * allocated. Transparent pixels are laid over white. */
int png_decode(struct caelum_picture *picture, const char *path, const uint8_t *bytes, size_t size,
               struct caelum_error *err);
int jpeg_decode(struct caelum_picture *picture, const char *path, const uint8_t *bytes, size_t size,
                struct caelum_error *err);
int webp_decode(struct caelum_picture *picture, const char *path, const uint8_t *bytes, size_t size,
                struct caelum_error *err);

#endif
