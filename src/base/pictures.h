/* pictures.h - a set of small pictures as other modules see it: bytes and an order.
 * `data` makes them, `train` and `report` read them; neither knows the other. */
#ifndef CAELUM_BASE_PICTURES_H
#define CAELUM_BASE_PICTURES_H

#include <stddef.h>
#include <stdint.h>

struct pictures {
    const uint8_t *pixels; /* [picture][channel][row][column], 0..255; borrowed */
    const uint32_t *index; /* the n pictures, as positions in `pixels`; borrowed */
    size_t n;
    size_t c, h, w;
    const uint16_t *labels; /* class of the picture at each position in `pixels`; NULL: none; borrowed */
    size_t classes;         /* labels are below this; 0: no labels */
};

/* Bytes of one picture. */
static inline size_t pictures_size(const struct pictures *p) {
    return p->c * p->h * p->w;
}

/* Pixels of the i-th picture of the set, [channel][row][column]. */
static inline const uint8_t *pictures_at(const struct pictures *p, size_t i) {
    return p->pixels + (size_t)p->index[i] * pictures_size(p);
}

/* Class of the i-th picture of a set that has labels. */
static inline uint16_t pictures_label(const struct pictures *p, size_t i) {
    return p->labels[p->index[i]];
}

#endif
