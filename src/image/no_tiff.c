/* no_tiff.c - in a build without libtiff. */
#include "image/image.h"

int tiff_decode(struct decoding *d, struct caelum_error *err) {
    return caelum_fail(err, CAELUM_EUSAGE, "%s: this build reads no TIFF: it was made without libtiff",
                       d->path);
}
