/* exif.c - the orientation in Exif data, which PNG, JPEG and WebP carry alike: Exif 2.3, section 4.6; TIFF
 * 6.0. Applied, it turns a phone's picture upright. */
#include "base/mem.h"
#include "image/image.h"

#include <string.h>

static unsigned number(const uint8_t *p, size_t bytes, bool little) {
    unsigned n = 0;
    for (size_t i = 0; i < bytes; i++) n = n << 8 | p[little ? bytes - 1 - i : i];
    return n;
}

/* The first value of an entry, of whichever whole kind; 0 if it is none of those. */
static unsigned value_of(const uint8_t *entry, bool little) {
    static const uint8_t bytes[] = {[1] = 1, [3] = 2, [4] = 4, [6] = 1, [8] = 2, [9] = 4};
    const unsigned kind = number(entry + 2, 2, little);
    return kind < sizeof bytes ? number(entry + 8, bytes[kind], little) : 0;
}

unsigned exif_orientation(const uint8_t *bytes, size_t size) {
    const size_t prefix = size >= 6 && memcmp(bytes, "Exif\0\0", 6) == 0 ? 6 : 0;
    const uint8_t *tiff = bytes + prefix;
    const size_t length = size - prefix;
    if (length < 10) return 1;
    const bool little = tiff[0] == 'I';
    const size_t ifd = number(tiff + 4, 4, little);
    if (ifd > length - 2) return 1;
    const size_t entries = number(tiff + ifd, 2, little);
    for (size_t i = 0; i < entries && ifd + 2 + (i + 1) * 12 <= length; i++) {
        const uint8_t *entry = tiff + ifd + 2 + i * 12;
        if (number(entry, 2, little) != 0x0112) continue;
        const unsigned value = value_of(entry, little);
        return value >= 1 && value <= 8 ? value : 1;
    }
    return 1;
}

int exif_turn(struct caelum_picture *picture, const char *path, unsigned o, struct caelum_error *err) {
    const size_t w = picture->width, h = picture->height;
    const bool swap = o >= 5;
    struct caelum_picture turned = {0};
    if (o < 2 || o > 8) return CAELUM_OK;
    CHECK(image_allocate(&turned, path, swap ? h : w, swap ? w : h, err));
    if (picture->wide && mem_alloc(&turned.wide, w * h, 3 * sizeof *turned.wide, err) != 0) {
        caelum_picture_free(&turned);
        return CAELUM_ERESOURCE;
    }
    for (size_t y = 0; y < turned.height; y++)
        for (size_t x = 0; x < turned.width; x++) {
            size_t sx = swap ? y : x, sy = swap ? x : y;
            if (o == 2 || o == 3 || o == 7 || o == 8) sx = w - 1 - sx;
            if (o == 3 || o == 4 || o == 6 || o == 7) sy = h - 1 - sy;
            const size_t to = (y * turned.width + x) * 3, from = (sy * w + sx) * 3;
            memcpy(turned.pixels + to, picture->pixels + from, 3);
            if (turned.wide) memcpy(turned.wide + to, picture->wide + from, 3 * sizeof *turned.wide);
        }
    turned.dpi_x = swap ? picture->dpi_y : picture->dpi_x;
    turned.dpi_y = swap ? picture->dpi_x : picture->dpi_y;
    caelum_picture_free(picture);
    *picture = turned;
    return CAELUM_OK;
}
