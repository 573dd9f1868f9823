/* no_webp.c - in a build without libwebp. */
#include "image/image.h"

int webp_decode(struct caelum_picture *picture, const char *path, const uint8_t *bytes, size_t size,
                struct caelum_error *err) {
    (void)picture, (void)bytes, (void)size;
    return caelum_fail(err, CAELUM_EUSAGE, "%s: this build reads no WebP: it was made without libwebp", path);
}

int webp_encode(const struct caelum_picture *picture, struct image_sink *sink, struct caelum_error *err) {
    (void)picture, (void)sink;
    return caelum_fail(err, CAELUM_EUSAGE, "this build writes no WebP: it was made without libwebp");
}
