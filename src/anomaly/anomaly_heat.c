/* anomaly_heat.c - see anomaly_heat.h. Yellow to red can be told apart by lightness too. */
#include "anomaly/anomaly_heat.h"

#include "base/color.h"
#include "image/image.h"

#include <math.h>

static const double MOST_OPAQUE = 0.7;

/* Bad, with a good neighbor. */
static bool is_outline(const uint8_t *mask, size_t i, size_t x, size_t y, const struct caelum_picture *p) {
    if (!mask || !mask[i]) return false;
    return (x > 0 && !mask[i - 1]) || (x + 1 < p->width && !mask[i + 1]) || (y > 0 && !mask[i - p->width]) ||
           (y + 1 < p->height && !mask[i + p->width]);
}

int anomaly_heat(const struct caelum_picture *p, const float *map, double low, double high,
                 const uint8_t *mask, struct caelum_picture *out, struct caelum_error *err) {
    CHECK(image_allocate_like(out, p, err));
    for (size_t i = 0; i < p->width * p->height; i++) {
        const uint8_t *rgb = p->pixels + 3 * i;
        const double above = (double)map[i] - low, range = high - low,
                     heat = above > 0 ? (above < range ? above / range : 1) : 0,
                     opaque = MOST_OPAQUE * sqrt(heat),
                     grey = (0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2]) / 255;
        const bool outline = is_outline(mask, i, i % p->width, i / p->width, p);
        const double color[] = {outline ? 0 : 1, outline ? 0.5 : 0.9 * (1 - heat), outline ? 1 : 0};
        for (size_t c = 0; c < 3; c++)
            out->pixels[3 * i + c] = color_byte(outline ? color[c] : grey + opaque * (color[c] - grey));
    }
    return CAELUM_OK;
}
