/* no_tiff.c - in a build without libtiff. */
#include "image/image.h"

int tiff_decode(struct caelum_picture *picture, const char *path, const uint8_t *bytes, size_t size,
                struct caelum_error *err) {
    (void)picture, (void)bytes, (void)size;
    return caelum_fail(err, CAELUM_EUSAGE, "%s: this build reads no TIFF: it was made without libtiff", path);
}
