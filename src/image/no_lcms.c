/* no_lcms.c - in a build without Little CMS: every picture is taken as sRGB, as one with a damaged profile
 * is. */
#include "image/image.h"

struct icc *icc_open(const uint8_t *profile, size_t size, struct icc_pixels pixels) {
    (void)profile, (void)size, (void)pixels;
    return NULL;
}

struct icc *icc_of_light(const struct light *light, struct icc_pixels pixels) {
    (void)light, (void)pixels;
    return NULL;
}

void icc_row(struct icc *icc, const void *in, uint8_t *out, size_t width) {
    (void)icc, (void)in, (void)out, (void)width;
}

void icc_close(struct icc **icc) {
    (void)icc;
}
