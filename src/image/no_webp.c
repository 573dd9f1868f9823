/* no_webp.c - in a build without libwebp. */
#include "image/image.h"

int webp_decode(struct decoding *d, struct caelum_error *err) {
    return caelum_fail(err, CAELUM_EUSAGE, "%s: this build reads no WebP: it was made without libwebp",
                       d->path);
}

int webp_encode(const struct caelum_picture *picture, FILE *to, struct caelum_error *err) {
    (void)picture, (void)to;
    return caelum_fail(err, CAELUM_EUSAGE, "this build writes no WebP: it was made without libwebp");
}
