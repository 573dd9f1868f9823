/* fade.c - where the luminance of a picture begins and ends, and stretching it. */
#include "image/fade.h"

#include "base/color.h"
#include "image/image.h"

/* Share of the pixels that may be beyond each end: dust, scratches, the edge of a scanned print. */
static const double BEYOND = 0.005;
/* Shares of the range: 58 of 68 healthy photographs use more than MOST; what uses less than LEAST is fog. */
static const double MOST = 0.70, LEAST = 0.08;

static const double SHOWN_LOW = 0.1, SHOWN_HIGH = 0.9;

enum { LEVELS = 256 };

/* In 255 levels, rounded. */
static unsigned level(const uint8_t *rgb) {
    return (299u * rgb[0] + 587u * rgb[1] + 114u * rgb[2] + 500) / 1000;
}

struct fade fade_find(const struct caelum_picture *picture) {
    const size_t pixels = picture->width * picture->height;
    size_t count[LEVELS] = {0}, below = 0, above = 0;
    unsigned low = 0, high = LEVELS - 1;
    for (size_t i = 0; i < pixels; i++) count[level(picture->pixels + 3 * i)]++;
    const double most = BEYOND * (double)pixels;
    while (low < high && (double)(below + count[low]) <= most) below += count[low++];
    while (high > low && (double)(above + count[high]) <= most) above += count[high--];
    const double range = (high - low) / 255.0;
    return (struct fade){range >= LEAST && range <= MOST, low / 255.0, high / 255.0};
}

float fade_show(struct fade fade, float y) {
    if (!fade.faded) return y;
    const double stretched =
        SHOWN_LOW + (SHOWN_HIGH - SHOWN_LOW) * ((double)y - fade.low) / (fade.high - fade.low);
    return stretched < 0 ? 0 : stretched > 1 ? 1 : (float)stretched;
}

int fade_restore(const struct caelum_picture *picture, struct fade fade, struct caelum_picture *out,
                 struct caelum_error *err) {
    CHECK(image_allocate_like(out, picture, err));
    for (size_t i = 0; i < picture->width * picture->height; i++) {
        const uint8_t *rgb = picture->pixels + 3 * i;
        const double y = (0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2]) / 255;
        const uint8_t grey = color_byte((y - fade.low) / (fade.high - fade.low));
        for (size_t c = 0; c < 3; c++) out->pixels[3 * i + c] = grey;
    }
    return CAELUM_OK;
}
