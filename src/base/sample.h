/* sample.h - pixels of a picture as numbers, whatever they are kept as. */
#ifndef CAELUM_BASE_SAMPLE_H
#define CAELUM_BASE_SAMPLE_H

#include "caelum.h"

/* [height][width][3], borrowed: one of three kinds. */
struct samples {
    size_t width, height;
    const uint8_t *bytes; /* 255 is white; or NULL */
    const uint16_t *wide; /* 65535 is white; or NULL */
    const float *values;  /* 1 is white */
};

static inline struct samples samples_of(const struct caelum_picture *p) {
    return (struct samples){
        .width = p->width, .height = p->height, .bytes = p->wide ? NULL : p->pixels, .wide = p->wide};
}

/* Sample `at`, 1 being white. */
static inline float sample_at(const struct samples *s, size_t at) {
    return s->bytes ? (float)s->bytes[at] / 255 : s->wide ? (float)s->wide[at] / 65535 : s->values[at];
}

#endif
