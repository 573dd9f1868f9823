/* sample.h - pixels of a picture as numbers, whatever they are kept as. */
#ifndef CAELUM_BASE_SAMPLE_H
#define CAELUM_BASE_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

/* [height][width][3] bytes of 0 to 255, or numbers of which 1 is white; borrowed. */
struct samples {
    size_t width, height;
    const uint8_t *bytes; /* NULL: `values` */
    const float *values;
};

/* Sample `at`, 1 being white. */
static inline float sample_at(const struct samples *s, size_t at) {
    return s->bytes ? (float)s->bytes[at] / 255 : s->values[at];
}

#endif
